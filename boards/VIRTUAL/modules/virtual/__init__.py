"""The inside of the virtual board: what the shadow modules beside this package are made of;
firmware never imports it."""
