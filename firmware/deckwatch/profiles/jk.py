"""JK (Jikong) boards: the board names its cells; what it can carry is the owner's to set
(jk.md)."""

OPTIONS = {
    "family": "jk",
    "series": 0,
}
