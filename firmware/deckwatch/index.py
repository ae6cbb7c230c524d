"""Names of the families and profiles; written by tools/make_index.py, never by hand."""

PROTOCOLS = (
    "ant",
    "daly",
    "jbd",
    "jk",
    "ninebot",
    "vesc",
    "xiaomi",
)
PROFILES = (
    "ant",
    "auto",
    "botox",
    "daly",
    "happy",
    "jbd",
    "jk",
    "m365",
    "ninebot",
    "pro2",
    "rita",
    "vesc",
)
# line speed and who speaks at it, in the order to try them
SPEEDS = (
    (115200, ("jk", "ninebot", "vesc", "xiaomi",)),
    (9600, ("ant", "daly", "jbd", "jk",)),
    (76800, ("xiaomi",)),
    (19200, ("ant",)),
    (2400, ("jk",)),
)
