"""What outlives a restart of the chip: a small file between two lives, and who has something to
put into it.

A restart is a new process (power.py): run.py reads the file before anything else; every module
with something to keep enters a function into `parts` that returns it as JSON can hold it, and
finds it in `before` in the next life.
"""

import json

folder = None  # where the file lies; None: a board without a next life
before = {}
parts = {}


def read(path):
    """Take over what the last life left in this folder, if there was one."""
    global folder, before
    folder = path
    try:
        with open(path + "/life.json") as f:
            before = json.load(f)
    except OSError:
        before = {}


def write():
    """Leave everything for the next life."""
    left = {name: keep() for name, keep in parts.items()}
    with open(folder + "/life.json", "w") as f:
        json.dump(left, f)
