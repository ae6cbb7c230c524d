"""JBD, LLT, Xiaoxiang, Overkill: the board names its cells; what it can carry is the owner's to
set (jbd.md)."""

OPTIONS = {
    "family": "jbd",
    "series": 0,
}
