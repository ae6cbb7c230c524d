"""Daly board on a pack of any size: the owner sets cells and rating."""

OPTIONS = {
    "family": "daly",
}
