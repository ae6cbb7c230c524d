"""JBD, LLT, Xiaoxiang, Overkill: the board names its cells; what it can carry is the owner's to set
(jbd.md)."""

OPTIONS = {
    "family": "jbd",
    "baud": 9600,
    "series": 0,
}
