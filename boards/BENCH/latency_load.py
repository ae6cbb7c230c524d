"""Work to be counted in instructions: passes of the app's own tasks (firmware/deckwatch/app.py),
each from its wake-up to its next wait. tools/measure/latency.py has it counted.

Arguments: what to do, how many times, the most times of all runs, and for "full" how many lines
bring how many bytes each. What to do:
  "empty"    the listening task: three lines, nothing on them, their levels are looked at
  "full"     the same with bytes on some, judged, and told on the console
  "pin"      the battery's line has brought the second of two frames that make an alarm at once:
             from the wake-up of the listening task to the light's pin
  "others"   each other task once: rounds, button, watchdog
  "switch"   asyncio's own share: one task put to sleep and woken, of four
Everything is made ready before, so that a run with 0 times costs all the rest. The hardware is
silent and free (hardware/machine.py), the clock stands in this file.
"""

import asyncio
import sys
from binascii import unhexlify

import machine
from deckwatch import app as firmware
from deckwatch import making

POLL_MS = 12
ALARM = unhexlify("55aa0e2501300104710e2f0003000a0e2b2b77fe")  # status bit 10: over-temperature
BATTERY = unhexlify("55aa0e2501300100710e2f0003000a0e2b2b7bfe")
CONTROLLER = unhexlify("55aa032201300c9dff")
DASH = unhexlify("55aa07206500042622000027ff")
LINES = (BATTERY, CONTROLLER, DASH)  # by UART: 1, 2, 0


class Tasks:
    """In place of asyncio in app.py: keeps the tasks, each run by hand up to its next wait."""

    def __init__(self):
        self.made = []

    def run(self, main):
        self.rounds = main

    def create_task(self, task):
        self.made.append(task)

    def sleep_ms(self, ms):
        return _Wait()


class _Wait:
    """Ends a pass."""

    def __init__(self):
        self._over = False

    def __iter__(self):
        return self

    def __next__(self):
        if self._over:
            raise StopIteration
        self._over = True


class Dongle:
    """An app whose tasks are run by hand, at a time set by hand, in ms."""

    now = 0

    def __init__(self):
        firmware.asyncio = tasks = Tasks()
        firmware.now_ms = lambda: Dongle.now
        firmware.forget = lambda *_: None  # there are several
        making.forget_making = lambda: None
        self.app = firmware.App()
        self.app.run()
        self.uarts = [machine.UART.opened[number] for number in (1, 2, 0)]
        next(tasks.rounds)
        self.listen, self.button, self.watch = tasks.made[-3:]  # before them: radio, black box
        self.rounds = tasks.rounds
        for _ in range(400):  # until the self-test is over and all is fine
            self.bring(*LINES)
            self.poll()

    def bring(self, *data):
        """What the lines have brought, from the battery's on."""
        for uart, received in zip(self.uarts, data):
            uart.bring(received)

    def poll(self, ms=POLL_MS):
        """A pass of the listening task, so much later."""
        Dongle.now += ms
        next(self.listen)


def empty(dongle, times):
    for _ in range(times):
        dongle.poll(48)


def full(dongle, times, lines, size):
    data = [(frame * (size // len(frame) + 1))[:size] for frame in LINES[:lines]]
    for _ in range(times):
        dongle.bring(*data)
        dongle.poll()


def ready(dongle):
    """The next pass makes an alarm, and ends when the light's pin is written."""
    for _ in range(20):
        dongle.bring(*LINES)
        dongle.poll()
    dongle.bring(ALARM)
    dongle.poll()
    dongle.bring(ALARM)
    machine.watched = True


def pin(dongles, times):
    """One dongle each time: an alarm comes once."""
    for dongle in dongles:
        machine.watched = False
        ready(dongle)
    for dongle in dongles[:times]:
        try:
            dongle.poll()
        except machine.Done:
            continue
        raise ValueError("the alarm does not reach the pin")


def others(dongle, times):
    for _ in range(times):
        Dongle.now += 1000
        next(dongle.rounds)
        next(dongle.button)
        next(dongle.watch)


def switch(times):
    async def sleeper():
        for _ in range(times):
            await asyncio.sleep_ms(0)

    async def main():
        tasks = [asyncio.create_task(sleeper()) for _ in range(3)]
        await sleeper()
        del tasks

    asyncio.run(main())


def main(work, times, most, lines, size):
    dongles = [Dongle() for _ in range(most if work == "pin" else 1)]
    if work == "empty":
        empty(dongles[0], times)
    elif work == "full":
        full(dongles[0], times, lines, size)
    elif work == "pin":
        pin(dongles, times)
    elif work == "others":
        others(dongles[0], times)
    elif work == "switch":
        switch(times)


if len(sys.argv) > 1:  # not where another program calls what it wants (tools/qemu.py)
    main(sys.argv[1], *[int(word) for word in sys.argv[2:]])
