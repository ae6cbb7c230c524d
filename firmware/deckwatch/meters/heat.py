"""Heat that should not be: how far the hottest probe has risen within minutes, and a board hotter
than its cells.

The past is kept as the highest reading of each half minute, so that one wrong reading, whichever
way, never makes a rise. Rises count from the lowest of those; where the number of probes that can
be believed changes, or none was read for half a minute, the past is forgotten.
"""

from array import array

from micropython import const

from deckwatch.telemetry import INDEX
from deckwatch.ticks import age_ms, saturated

_CURRENT = INDEX["current_ma"]
_HOTTEST = INDEX["hottest_dc"]
_MOSFET = INDEX["mos_temp_dc"]
_BOARD = INDEX["board_temp_dc"]
_RISE = INDEX["heat_rise_dc"]
_BURST = INDEX["heat_burst_dc"]
_BOARD_DC = INDEX["board_dc"]
_BOARD_OVER = INDEX["board_over_dc"]

_SLICE_MS = const(30000)
_SLICES = const(10)  # 5 min
_BURST_SLICES = const(6)  # 3 min
_LITTLE_MA = const(5000)
_IDLE_MA = const(1000)
_MOST_BOARD_DC = const(1500)  # nothing on a board lives at this: a probe that is broken


class Heat:
    """heat_rise_dc: rise within 5 min, as far back as less than 5 A has flowed; heat_burst_dc:
    within 3 min, whatever flows; board_dc: MOSFETs or board, whichever is hotter; board_over_dc:
    that above the hottest probe while less than 1 A flows, else 0.
    """

    def __init__(self) -> None:
        self._past_dc = array("h", bytes(2 * _SLICES))  # the newest first
        self._samples = self._currents = self._boards = 0
        self.reset()

    def reset(self) -> None:
        """The scooter was switched off."""
        self._kept = self._calm = 0  # slices kept; of the newest, with little current
        self._valid = 0
        self._highest_dc = 0  # of the slice that runs, as are the next two
        self._began_at = self._sampled_at = 0
        self._before_ma = self._agreed_ma = 0

    def update(self, t, now: int) -> None:
        """Follows probes, current and board."""
        current = t.fresh(_CURRENT, now)
        if not current:
            self._calm = -1  # nor is the slice that runs
            self._before_ma = 0
        elif t.count[_CURRENT] != self._currents:
            self._currents = t.count[_CURRENT]
            ma = abs(t.value[_CURRENT])
            self._agreed_ma = min(ma, self._before_ma)
            self._before_ma = ma
            if self._agreed_ma >= _LITTLE_MA:
                self._calm = -1
        if t.count[_HOTTEST] != self._samples and t.fresh(_HOTTEST, now):
            self._samples = t.count[_HOTTEST]
            self._take(t, t.value[_HOTTEST], current, now)
        self._compare_board(t, current, now)

    def _take(self, t, dc: int, current: bool, now: int) -> None:
        if t.believed != self._valid or age_ms(now, self._sampled_at) >= _SLICE_MS:
            self._valid = t.believed
            self._kept = 0
            self._calm = min(self._calm, 0)
            self._highest_dc = dc
            self._began_at = now
        self._sampled_at = now
        ran_ms = age_ms(now, self._began_at)
        if ran_ms >= _SLICE_MS:
            self._keep()
            self._began_at = (now - ran_ms % _SLICE_MS) & (1 << 30) - 1
            self._highest_dc = dc
        elif dc > self._highest_dc:
            self._highest_dc = dc
        self._tell(t, _BURST, dc - self._lowest(min(self._kept, _BURST_SLICES), dc))
        if current:
            self._tell(t, _RISE, dc - self._lowest(min(self._kept, self._calm), dc))

    def _keep(self) -> None:
        """The slice that ran becomes the newest of the past."""
        for place in range(_SLICES - 1, 0, -1):
            self._past_dc[place] = self._past_dc[place - 1]
        self._past_dc[0] = self._highest_dc
        self._kept = min(self._kept + 1, _SLICES)
        self._calm = min(self._calm + 1, _SLICES)

    def _lowest(self, slices: int, dc: int) -> int:
        for place in range(slices):
            if self._past_dc[place] < dc:
                dc = self._past_dc[place]
        return dc

    def _tell(self, t, slot: int, dc: int) -> None:
        t.derive(slot, dc, t.where[_HOTTEST], t.stamp[_HOTTEST], self._samples)

    def _compare_board(self, t, current: bool, now: int) -> None:
        count = (t.count[_MOSFET] + t.count[_BOARD]) & 0xFFFF
        if count == self._boards:
            return
        self._boards = count
        slot = _MOSFET if _is_known(t, _MOSFET, now) else _BOARD
        if _is_known(t, _BOARD, now) and t.value[_BOARD] > t.value[slot]:
            slot = _BOARD
        if not _is_known(t, slot, now):
            return
        t.derive(_BOARD_DC, t.value[slot], 0, t.stamp[slot], count)
        if current and t.fresh(_HOTTEST, now):
            over = t.value[slot] - t.value[_HOTTEST] if self._agreed_ma < _IDLE_MA else 0
            t.derive(_BOARD_OVER, over, 0, t.stamp[_HOTTEST], count)

    def saturate(self, now: int) -> None:
        """Keeps old stamps old across the tick wrap."""
        self._began_at = saturated(now, self._began_at)
        self._sampled_at = saturated(now, self._sampled_at)


def _is_known(t, slot: int, now: int) -> bool:
    return t.fresh(slot, now) and t.value[slot] < _MOST_BOARD_DC
