"""A dongle on the air, read from this computer: live.py takes its values apart, client.py (bleak)
finds it and stays connected, page.py shows it, log.py keeps it, command.py is `packlab watch`."""
