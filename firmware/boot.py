"""Runs first after every reset. Nothing to prepare: main.py starts the dongle."""
