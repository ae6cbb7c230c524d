"""What this board has, asked once, by start.py."""


def has_radio() -> bool:
    """Are Bluetooth and aioble there? Nothing stays loaded where they are not."""
    try:
        import aioble  # noqa: F401
        import bluetooth  # noqa: F401
    except ImportError:
        return False
    return True
