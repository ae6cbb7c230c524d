"""Deckwatch: the firmware of a battery-line listener for e-scooters; start reading at
pipeline.py."""

__version__ = "0.1.0"
