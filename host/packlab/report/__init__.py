"""What captures show, as a page to read, print and hand on: `packlab report`.

A capture is replayed (study.py) and becomes figures: samples.py keeps what the trace tells second
by second, bands.py when alerts stood, sessions.py charges and rides, resistance.py what gives way
under load, fleet.py how packs change from capture to capture. svg.py and plots.py draw, page.py
and index.py write. Nothing a page shows is anywhere else: its numbers lie in it as JSON, too.
"""
