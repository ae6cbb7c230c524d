"""Daly boards: the board names its cells; what it can carry is the owner's to set (daly.md)."""

OPTIONS = {
    "family": "daly",
    "baud": 9600,
    "series": 0,
}
