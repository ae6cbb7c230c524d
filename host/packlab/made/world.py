"""What happens to a made-up pack from outside: charger, road, room, faults; and how it answers.

A Scene is the state of the surroundings; the World puts the pack through the scenes of a scenario,
and its board decides which current flows. Lines read the World and encode it.
"""

from bisect import bisect_right
from dataclasses import dataclass
from random import Random

from packlab.made.board import Board, Limits
from packlab.made.pack import MAMS_PER_MAH, Pack
from packlab.made.readings import Readings

# One round of a ride, in milliseconds and milliamperes out of the pack: a start with nearly all
# the controller gives, rolling, braking (negative, into the pack), a second start.
# fmt: off
RIDE_ROUND = (
    (0, 0), (1500, 19500), (5000, 14000), (9000, 9500), (13000, 8000), (14000, 2000),
    (15500, -6000), (18000, -3000), (19000, 0),
    (20500, 17000), (24000, 11000), (28000, 7000), (30000, 0),
)
# fmt: on
RIDE_PEAK_MA = max(ma for _, ma in RIDE_ROUND)
# A controller brakes with the motor only when the pack can take the current.
REGEN_BELOW_PCT = 95
_SHORT_MA = 300_000  # what a dead short would draw


@dataclass(frozen=True)
class Scene:
    """The surroundings at one moment; the fields' defaults are a scooter put away."""

    scooter_on: bool = False
    charger_mv: int = 0  # the voltage at which a plugged-in charger holds, 0: none plugged in
    charger_ma: int = 2000
    charger_tapers: bool = True  # False: full current up to its voltage, then nothing
    riding: bool = False
    ride_permille: int = 1000  # of the currents of RIDE_ROUND
    brake_permille: int = 1000  # of its braking
    brakes_when_full: bool = False
    standing_ma: int = 0  # drawn beside what a controller does
    shorted: bool = False
    app_reads_cells: bool = False
    reply_wire_cut: bool = False
    dead_probe: int = 0  # its number, 0: none
    leaking_group: int = 0  # its number, 0: none
    leak_ma: int = 0
    ambient_dc: int = 200


class World:
    """A pack going through scenes; pack time runs `pace` times as fast as line time."""

    def __init__(
        self, pack: Pack, pace: int, random: Random, limits: Limits | None = None
    ) -> None:
        self.pack = pack
        self.scene = Scene()
        self.board = Board(pack, limits or Limits())
        self._pace = pace
        self._random = random
        self._now_ms = 0
        self._ride_start_ms = 0
        self._load_ma = 0
        self._charger_is_done = False
        self._wires_mohm = tuple(38 + 7 * number % 5 for number in range(len(pack.groups)))

    def advance(self, now_ms: int, scene: Scene) -> None:
        """Go on to `now_ms` of line time, from where `scene` rules."""
        dt_ms = now_ms - self._now_ms
        self.pack.advance(dt_ms * self._pace, self.scene.ambient_dc)
        if scene.riding and not self.scene.riding:
            self._ride_start_ms = now_ms
        self._now_ms, self.scene = now_ms, scene
        for number, group in enumerate(self.pack.groups, 1):
            group.leak_ma = scene.leak_ma if number == scene.leaking_group else 0
        self._load_ma = self._asked_ma()
        asked_ma = self._charger_ma() - self._load_ma
        self.pack.current_ma = self.board.allow(asked_ma, dt_ms)
        if self.pack.current_ma != asked_ma:
            self._load_ma = 0

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

    def read(self) -> Readings:
        """All that the board knows now."""
        pack, board = self.pack, self.board
        broken = {"temperature_sensor"} if self.scene.dead_probe else set()
        return Readings(
            pack_mv=pack.pack_mv,
            current_ma=pack.current_ma,
            cells_mv=tuple(max(mv, 0) for mv in pack.cells_mv),
            temps_dc=tuple(self.temps_dc),
            board_dc=pack.board_dc,
            remaining_mah=pack.remaining_mah,
            full_mah=pack.full_mah,
            design_mah=pack.design_mah,
            soc_pct=pack.soc_pct,
            charge_fet=board.charge_fet,
            discharge_fet=board.discharge_fet,
            charger_present=bool(self.scene.charger_mv),
            charging=self.charging,
            load_ma=self._load_ma,
            balancing=board.balancing,
            balance_ma=board.limits.bleed_ma if board.balancing else 0,
            faults=frozenset(board.faults | broken),
            trips=dict(board.trips),
            wires_mohm=self._wires_mohm,
            charged_mah=pack.charged_mams // MAMS_PER_MAH,
            discharged_mah=pack.discharged_mams // MAMS_PER_MAH,
            run_time_s=self._now_ms // 1000,
        )

    def _charger_ma(self) -> int:
        scene = self.scene
        if not scene.charger_mv:
            self._charger_is_done = False
            return 0
        ripple_ma = self._random.randint(-10, 10)
        if scene.charger_tapers:
            return self.pack.charge_current_ma(scene.charger_ma, scene.charger_mv) + ripple_ma
        if self.pack.pack_mv >= scene.charger_mv:
            self._charger_is_done = True
        return 0 if self._charger_is_done else scene.charger_ma + ripple_ma

    def _asked_ma(self) -> int:
        """What the controller draws, or a short beside it."""
        if self.scene.shorted:
            return _SHORT_MA
        scene = self.scene
        standing_ma = self._random.randint(0, 3) * 10 if scene.scooter_on else 0
        standing_ma += scene.standing_ma
        if not scene.riding:
            return standing_ma
        asked_ma = _ride_ma(self._now_ms - self._ride_start_ms)
        permille = scene.brake_permille if asked_ma < 0 else scene.ride_permille
        asked_ma = asked_ma * permille // 1000
        is_full = self.pack.soc_pct >= REGEN_BELOW_PCT
        if asked_ma < 0 and is_full and not scene.brakes_when_full:
            return standing_ma
        return standing_ma + asked_ma * self._random.randint(985, 1015) // 1000


def _ride_ma(since_start_ms: int) -> int:
    """Return the current out of the pack, interpolated in RIDE_ROUND, round after round."""
    place_ms = since_start_ms % RIDE_ROUND[-1][0]
    after = bisect_right(RIDE_ROUND, (place_ms, 1 << 30))
    (left_ms, left_ma), (right_ms, right_ma) = RIDE_ROUND[after - 1 : after + 1]
    return left_ma + (right_ma - left_ma) * (place_ms - left_ms) // (right_ms - left_ms)
