"""The owner's key of a dongle, over its cable: keys.py reads and renews it, sheet.py shows it as
text and as a QR code, command.py has the words of `packlab key`."""
