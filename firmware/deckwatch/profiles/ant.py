"""ANT boards: the board names its cells; what it can carry is the owner's to set (ant.md)."""

OPTIONS = {
    "family": "ant",
    "baud": 19200,
    "series": 0,
}
