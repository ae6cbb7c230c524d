"""What happens to a made-up pack from outside: charger, road, room, faults; and how it answers.

A Scene is the state of the surroundings; the World puts the pack through the scenes of a scenario
and decides which current flows. Lines (xiaomi_line.py and its like) read the World and encode it.
"""

from bisect import bisect_right
from dataclasses import dataclass
from random import Random

from packlab.made.pack import Pack

CHARGER_MA = 2000

# One round of a ride, in milliseconds and milliamperes out of the pack: a start with nearly all
# the controller gives, rolling, braking (negative, into the pack), a second start.
# fmt: off
RIDE_ROUND = (
    (0, 0), (1500, 19500), (5000, 14000), (9000, 9500), (13000, 8000), (14000, 2000),
    (15500, -6000), (18000, -3000), (19000, 0),
    (20500, 17000), (24000, 11000), (28000, 7000), (30000, 0),
)
# fmt: on
# A controller brakes with the motor only when the pack can take the current.
REGEN_BELOW_PCT = 95


@dataclass(frozen=True)
class Scene:
    """The surroundings at one moment; the fields' defaults are a scooter put away."""

    scooter_on: bool = False
    charger_mv: int = 0  # the voltage at which a plugged-in charger holds, 0: none plugged in
    riding: bool = False
    app_reads_cells: bool = False
    reply_wire_cut: bool = False
    dead_probe: int = 0  # its number, 0: none
    leaking_group: int = 0  # its number, 0: none
    leak_ma: int = 0
    ambient_dc: int = 200


class World:
    """A pack going through scenes; pack time runs `pace` times as fast as line time."""

    def __init__(self, pack: Pack, pace: int, random: Random) -> None:
        self.pack = pack
        self.scene = Scene()
        self._pace = pace
        self._random = random
        self._now_ms = 0
        self._ride_start_ms = 0

    def advance(self, now_ms: int, scene: Scene) -> None:
        """Go on to `now_ms` of line time, from where `scene` rules."""
        self.pack.advance((now_ms - self._now_ms) * self._pace, self.scene.ambient_dc)
        if scene.riding and not self.scene.riding:
            self._ride_start_ms = now_ms
        self._now_ms, self.scene = now_ms, scene
        for number, group in enumerate(self.pack.groups, 1):
            group.leak_ma = scene.leak_ma if number == scene.leaking_group else 0
        self.pack.current_ma = self._charger_ma() - self._load_ma()

    @property
    def charging(self) -> bool:
        """Whether the charger drives a current into the pack."""
        return bool(self.scene.charger_mv) and self.pack.current_ma > 50

    @property
    def temps_dc(self) -> list[int | None]:
        """The probes as the BMS reads them, 0.1 °C; a dead one is None."""
        return [
            None if number == self.scene.dead_probe else temp_dc
            for number, temp_dc in enumerate(self.pack.temps_dc, 1)
        ]

    def _charger_ma(self) -> int:
        if not self.scene.charger_mv:
            return 0
        ripple_ma = self._random.randint(-10, 10)
        return self.pack.charge_current_ma(CHARGER_MA, self.scene.charger_mv) + ripple_ma

    def _load_ma(self) -> int:
        standing_ma = self._random.randint(0, 3) * 10 if self.scene.scooter_on else 0
        if not self.scene.riding:
            return standing_ma
        asked_ma = _ride_ma(self._now_ms - self._ride_start_ms)
        if asked_ma < 0 and self.pack.soc_pct >= REGEN_BELOW_PCT:
            return standing_ma
        return standing_ma + asked_ma * self._random.randint(985, 1015) // 1000


def _ride_ma(since_start_ms: int) -> int:
    """Return the current out of the pack, interpolated in RIDE_ROUND, round after round."""
    place_ms = since_start_ms % RIDE_ROUND[-1][0]
    after = bisect_right(RIDE_ROUND, (place_ms, 1 << 30))
    (left_ms, left_ma), (right_ms, right_ma) = RIDE_ROUND[after - 1 : after + 1]
    return left_ma + (right_ma - left_ma) * (place_ms - left_ms) // (right_ms - left_ms)
