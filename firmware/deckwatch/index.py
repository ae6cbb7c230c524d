"""Names of the families and profiles; written by tools/make_index.py, never by hand."""

PROTOCOLS = (
    "ninebot",
    "xiaomi",
)
PROFILES = (
    "m365",
    "ninebot",
    "pro2",
)
