"""A scenario played in steps of fixed length, so that what a pack goes through depends on the seed
alone and never on who asks when. Lines and fake packs ask it what is so at their time."""

from dataclasses import replace
from random import Random

from packlab.made.readings import Readings
from packlab.made.scenarios import Scenario
from packlab.made.world import Scene, World

STEP_US = 250_000


class Story:
    """One pack's story; time never goes back."""

    def __init__(self, scenario: Scenario, random: Random) -> None:
        self._world = World(scenario.build_pack(random), scenario.pace, random, scenario.limits)
        self._beats = list(scenario.beats)
        self._scene = Scene()
        self._next_us = 0
        self._readings: Readings | None = None

    def at(self, t_us: int) -> Readings:
        """What the board knows at `t_us`."""
        self._go(t_us)
        if self._readings is None:
            self._readings = self._world.read()
        return self._readings

    def scene(self, t_us: int) -> Scene:
        """What surrounds the pack at `t_us`."""
        self._go(t_us)
        return self._scene

    def _go(self, t_us: int) -> None:
        while self._next_us <= t_us:
            while self._beats and self._beats[0].start_s * 1_000_000 <= self._next_us:
                self._scene = replace(self._scene, **self._beats.pop(0).changes)
            self._world.advance(self._next_us // 1000, self._scene)
            self._readings = None
            self._next_us += STEP_US
