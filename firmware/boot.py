"""Runs first after every reset: takes the firmware from one of two folders, and goes back to the
former one when a new one has failed to start three times.

packlab flash fills the folder that is not in use, and then enters into the NVS, in one commit:
`slot`, which folder, and `trial` = 1. `trial` counts on with every start of the new firmware until
one has lasted a minute (hal/power.py then sets `failed` to 0); -1 says that it was taken back.
`tried` is hal/power.py's count of starts before the last that was counted here.
Without such folders the firmware is frozen, or lies beside this file.
"""

import gc
import os
import sys
import time

import machine
from esp32 import NVS

_SPACE = "deckwatch"
_STARTS = 3
_IMPORT_MS = 30000
_CONSOLE_MS = 3600000
_PAUSE_MS = 2000
_TIDY_BYTES = 4096


class Slots:
    """The two folders, and what the NVS says of them. Trouble with the NVS leaves whichever folder
    holds a whole bundle."""

    folders = ("/app1", "/app2")

    def __init__(self) -> None:
        self.slot = self.get("slot")  # 1 or 2; 0: never flashed

    def get(self, key: str) -> int:
        """A number of the NVS, 0 where there is none."""
        try:
            return NVS(_SPACE).get_i32(key)
        except OSError:
            return 0

    def keep(self, **numbers) -> None:
        """Writes numbers, in one commit."""
        try:
            nvs = NVS(_SPACE)
            for key in numbers:
                nvs.set_i32(key, numbers[key])
            nvs.commit()
        except OSError:
            print("boot: the NVS keeps nothing")

    def is_whole(self, slot: int) -> bool:
        """Its list of files comes last when it is filled, and goes first when it is emptied."""
        try:
            os.stat(self.folders[slot - 1] + "/bundle.json")
            return True
        except OSError:
            return False

    def judge(self, cause: int) -> bool:
        """Counts a start; says whether the firmware is on trial in it."""
        trial = self.get("trial")
        if trial < 1 or cause == machine.SOFT_RESET:
            return False
        boots = self.get("boots")
        if trial > 1 and boots != self.get("tried") and self.get("failed") == 0:
            self.keep(trial=0)  # it came to count a start of its own, and that one has lasted
            return False
        if cause == machine.PWRON_RESET and trial > 1:
            return True  # a supply that was switched off says nothing about the firmware
        if trial <= _STARTS:
            self.keep(trial=trial + 1, tried=boots)
            return True
        other = 3 - self.slot
        if not self.is_whole(other):
            self.keep(trial=0)
            return False
        print("boot: the new firmware failed %d times, back to the former" % _STARTS)
        self.keep(slot=other, trial=-1, failed=0)
        self.slot = other
        return False

    def path(self) -> str:
        """The folder to import from, "" for none."""
        for slot in (self.slot, 1, 2):
            if slot and self.is_whole(slot):
                return self.folders[slot - 1]
        return ""


def main() -> None:
    """Chooses; and of a firmware on trial makes sure that it can be imported at all."""
    slots = Slots()
    trial = slots.judge(machine.reset_cause())
    folder = slots.path()
    if folder:
        sys.path.insert(0, folder)
    if trial:
        try_import()


def try_import() -> None:
    """Restarts when the firmware cannot be imported, or hangs in it: a start that failed, too."""
    machine.WDT(timeout=_IMPORT_MS)
    gc.threshold(_TIDY_BYTES)  # as in main.py
    try:
        __import__("deckwatch.app")
    except KeyboardInterrupt:  # somebody works on the console
        machine.WDT(timeout=_CONSOLE_MS)
        raise
    except Exception as failure:
        sys.print_exception(failure)
        time.sleep_ms(_PAUSE_MS)
        machine.reset()


main()
for _name in ("Slots", "main", "try_import"):  # main.py has the same globals, and needs the heap
    del globals()[_name]
