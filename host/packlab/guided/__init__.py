"""Guided sessions on the bench: `packlab recover` and `packlab commission`.

recover.py      groups on their way to a target: slope, distance, time to go, what stops it
commission.py   the checklist for a repaired or new pack
pages.py        both results as papers
command.py      the words of the command line
"""
