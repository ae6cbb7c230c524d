"""Pack profiles, one file each: OPTIONS of the config that differ from the defaults, and the
family on the line."""
