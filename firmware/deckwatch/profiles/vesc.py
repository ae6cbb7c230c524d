"""VESC controllers: a BMS names its cells, where there is one; what the pack can carry is the
owner's to set (vesc.md)."""

OPTIONS = {
    "family": "vesc",
    "series": 0,
}
