"""What `make bench` measures, one file a kind of figure; called by tools/bench.py and its test."""
