"""Names of the families and profiles; written by tools/make_index.py, never by hand."""

PROTOCOLS = (
    "ant",
    "daly",
    "jbd",
    "ninebot",
    "xiaomi",
)
PROFILES = (
    "m365",
    "ninebot",
    "pro2",
)
# line speed and who speaks at it, in the order to try them
SPEEDS = (
    (9600, ("ant", "daly", "jbd",)),
    (115200, ("ninebot", "xiaomi",)),
    (76800, ("xiaomi",)),
    (19200, ("ant",)),
)
