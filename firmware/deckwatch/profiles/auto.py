"""Whatever is on the wire: speed and family are found by listening, and kept (detect.py)."""

OPTIONS = {
    "family": "auto",
}
