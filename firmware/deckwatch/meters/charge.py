"""The charging session: what has flowed in, how long it will take, and whether charger and board
do what they should.

A session begins and ends with `charging` (session.py); a pause of less than half an hour without a
ride is the same session. Charge is the sum of mean current times time between samples, nothing
lost to rounding; a gap of more than 20 s, and current beyond 50 A, are not counted. What flows in
before the session is recognised counts. Charge at the start is the lower of the percent shown and
that of the voltage, less 12 milliohm a group.
"""

from micropython import const

from deckwatch.memory import (
    CAPACITY_MAH,
    CHARGE_FROM_PERMILLE,
    CHARGE_MAH,
    CHARGE_MOST_MA,
    CHARGE_MV,
    CHARGE_S,
)
from deckwatch.meters.ocv import curve_of, permille
from deckwatch.telemetry import INDEX
from deckwatch.ticks import age_ms, saturated

try:
    from deckwatch.meters.tell_viper import NOTHING, tell, told
except (ImportError, AttributeError, SyntaxError, ValueError):  # as in framer.py
    from deckwatch.meters.tell_plain import NOTHING, tell, told

_PACK = INDEX["pack_mv"]
_CURRENT = INDEX["current_ma"]
_SOC = INDEX["soc_pct"]
_REMAINING = INDEX["remaining_mah"]
_FULL_MAH = INDEX["full_mah"]
_DESIGN_MAH = INDEX["design_mah"]
_HIGHEST = INDEX["highest_mv"]
_CHARGING = INDEX["charging"]
_RIDING = INDEX["riding"]
_CHARGE_MAH = INDEX["charge_mah"]
_CHARGE_S = INDEX["charge_time_s"]
_TO_FULL = INDEX["to_full_min"]
_UNTAPERED = INDEX["untapered_s"]
_STALLED = INDEX["stalled_pct"]
_OVERTIME = INDEX["overtime_pct"]
_LATE = INDEX["late_s"]
_DROOP = INDEX["droop_s"]
_CAPACITY = INDEX["capacity_pct"]
_RESULTS = bytes(
    (_CHARGE_MAH, _CHARGE_S, _CAPACITY, _UNTAPERED, _LATE, _OVERTIME, _DROOP, _TO_FULL)
)

_MAMS_PER_MAH = const(3600000)
_GAP_MS = const(20000)
_MOST_MA = const(50000)  # times a gap: below 2**30
_FLOWS_MA = const(100)
_PAUSE_MS = const(1800000)
_LONGEST_MS = const(1 << 29)
_GROUP_MOHM = const(12)
_LEAST_MISSING = const(300)  # thousandths; below, the count at the start is too uncertain
_NEAR_MAH = const(30)  # thousandths of the capacity that an honest charger needs from there on
_SUPPLY_MA = const(500)  # from here on a charger is said to charge
_SAME_MA = const(300)
_DROOP_BELOW_PCT = const(80)
_NEVER_PCT = const(100)
_TARGET_PCT = const(97)
_LFP_FULL_MV = const(4000)  # full cells below this are LFP
_TAIL_PCT = const(4)  # of the capacity: what the taper costs beyond the charge itself
# ln of 0 to 10, in tenths: how long a taper takes from so many tenths of the most to one tenth
_LN = b"\x00\x00\x07\x0b\x0e\x10\x12\x13\x15\x16\x17"


class Charge:
    """charge_mah, charge_time_s: of the session, time with 0.1 A and more; to_full_min: until the
    current is a tenth of its most; untapered_s: near full at 90 % of the most and more, from 3 %
    of the capacity on; stalled_pct: percent shown while nothing flows, else 100 (where = a full
    cell); overtime_pct: charge in, of what was missing; late_s: since the target was reached;
    droop_s: since the voltage last rose while 0.5 A are said to flow below 80 %; capacity_pct: of
    the design, as a full charge has measured it since power-on, else 100.

    Of the config: full_mv; design_mah, 0 = as the board says; the charge target.
    """

    def __init__(self, config, memory) -> None:
        self._full_mv = config.full_mv
        self._design_mah = config.design_mah
        self._target_pct = config.target_pct or _TARGET_PCT
        self._memory = memory
        self._count = 0
        self._on = False
        self.reset()

    def reset(self) -> None:
        """The scooter was switched off, and the session with it ends."""
        if self._on:
            self._remember()
        self._on = self._paused = False
        self._paused_at = 0
        self._known = False  # a current, and when
        self._ma = self._before_ma = 0
        self._at = 0
        self._pack_mv = self._before_mv = 0
        self._measured = False  # a capacity, since power-on
        self._begin()

    def _begin(self) -> None:
        self._mah = self._mams = 0
        self._flow_ms = self._late_ms = 0
        self._most_ma = 0
        self._from = -1
        self._full = self._near = False
        self._near_at = self._near_mah = 0
        self._high_mv = self._high_ma = 0
        self._high_at = 0

    def update(self, t, now: int) -> None:
        """Takes each new current."""
        if t.count[_CURRENT] == self._count or not t.fresh(_CURRENT, now):
            return
        self._count = t.count[_CURRENT]
        flowed_ms = self._integrate(t.value[_CURRENT], t.stamp[_CURRENT])
        heard = t.fresh(_PACK, now)
        if heard:
            self._before_mv = self._pack_mv
            self._pack_mv = t.value[_PACK]
        self._follow_session(t, now)
        groups = t.series or t.groups
        told[2] = self._capacity_pct(t)
        told[3] = told[4] = told[5] = told[6] = told[7] = NOTHING
        if self._on:
            self._tell_session(t, groups, flowed_ms, heard, now)
        else:
            told[0] = told[1] = 0
            if heard and groups:
                self._near = False
                told[3] = 0
        if t.fresh(_SOC, now):
            if not self._on:
                told[4] = told[5] = 0
                if heard:
                    self._high_mv = 0
                    told[6] = 0
            self._tell_stalled(t, groups, now)
        tell(t, _RESULTS, told, _CURRENT)

    def _tell_session(self, t, groups: int, flowed_ms: int, heard: bool, now: int) -> None:
        """What only a charge can tell, in the order of _RESULTS."""
        capacity_mah = self._capacity(t)
        told[0] = self._mah
        told[1] = self._flow_ms // 1000
        if groups and heard:
            told[3] = self._untapered(groups, capacity_mah, now)
        if not t.fresh(_SOC, now):
            return
        soc = t.value[_SOC]
        if flowed_ms and soc >= self._target_pct and self._is_high(groups, 970):
            self._late_ms = min(self._late_ms + flowed_ms, _LONGEST_MS)
        told[4] = self._late_ms // 1000
        told[5] = self._overtime(capacity_mah)
        if heard:
            told[6] = self._droop(soc, now)
        if self._flows() and capacity_mah:
            missing_mah = self._missing(t, soc, capacity_mah, now)
            told[7] = self._to_full(missing_mah, capacity_mah)

    def _capacity_pct(self, t) -> int:
        """What a full charge has measured, of the design; NOTHING where that is not known."""
        design_mah = self._design(t)
        if not design_mah:
            return NOTHING
        if not self._measured:
            return _NEVER_PCT
        return self._memory.kept[CAPACITY_MAH] * 100 // design_mah

    def _integrate(self, ma: int, stamp: int) -> int:
        """Adds what came in since the sample before. Returns for how many ms a charge has
        flowed."""
        gap_ms = age_ms(stamp, self._at) if self._known else _GAP_MS + 1
        self._known = True
        self._at = stamp
        self._before_ma = self._ma
        self._ma = ma
        if gap_ms > _GAP_MS:
            self._before_ma = 0
            return 0
        if ma <= 0 and self._before_ma <= 0:
            return 0  # as most of the time
        mean_ma = min((max(ma, 0) + max(self._before_ma, 0)) // 2, _MOST_MA)
        self._mams += mean_ma * gap_ms
        self._mah += self._mams // _MAMS_PER_MAH
        self._mams %= _MAMS_PER_MAH
        if not self._flows():
            return 0
        self._flow_ms = min(self._flow_ms + gap_ms, _LONGEST_MS)
        self._most_ma = max(self._most_ma, min(ma, self._before_ma))
        return gap_ms

    def _flows(self) -> bool:
        return min(self._ma, self._before_ma) >= _FLOWS_MA

    def _follow_session(self, t, now: int) -> None:
        if t.fresh(_RIDING, now) and t.value[_RIDING]:
            self._paused = False
        if self._paused and age_ms(now, self._paused_at) >= _PAUSE_MS:
            self._paused = False
            self._begin()
        charging = t.fresh(_CHARGING, now) and t.value[_CHARGING] != 0
        if charging:
            if not self._on:
                self._on = True
                self._from = self._from if self._paused else self._start(t, now)
            self._paused = False
        elif self._on:
            self._remember()
            self._on = False
            self._paused = True
            self._paused_at = now
        if not self._on and not self._paused and self._ma < _FLOWS_MA:
            self._begin()

    def _start(self, t, now: int) -> int:
        """Charge in thousandths as the session begins; -1 where nothing tells it."""
        least = -1
        groups = t.series or t.groups
        if groups and t.fresh(_PACK, now):
            mv = self._pack_mv // groups - min(max(self._ma, 0), _MOST_MA) * _GROUP_MOHM // 1000
            least = permille(curve_of(self._full_mv), mv)
        if t.fresh(_SOC, now) and (least < 0 or t.value[_SOC] * 10 < least):
            least = t.value[_SOC] * 10
        return least

    def _remember(self) -> None:
        """The session is over: its totals outlive the supply, and so does a measured capacity."""
        memory = self._memory
        memory.kept[CHARGE_S] = memory.now_s
        memory.kept[CHARGE_MV] = self._pack_mv
        memory.kept[CHARGE_MAH] = self._mah
        memory.kept[CHARGE_FROM_PERMILLE] = max(self._from, 0)
        memory.kept[CHARGE_MOST_MA] = self._most_ma
        low_enough = 100 if self._full_mv < _LFP_FULL_MV else 200
        if self._full and 0 <= self._from <= low_enough:
            memory.kept[CAPACITY_MAH] = self._mah * 1000 // (1000 - self._from)
            self._measured = True
        memory.want(1)

    def _capacity(self, t) -> int:
        """The largest anybody knows of, mAh; 0 where nobody does."""
        most = max(self._design_mah, self._memory.kept[CAPACITY_MAH])
        if t.seen[_FULL_MAH]:
            most = max(most, t.value[_FULL_MAH])
        return most or self._design(t)

    def _design(self, t) -> int:
        return self._design_mah or (t.value[_DESIGN_MAH] if t.seen[_DESIGN_MAH] else 0)

    def _is_high(self, groups: int, permille_of_full: int) -> bool:
        """Is the pack at so many thousandths of full voltage and above? Where the number of cells
        is not known, nobody can say no."""
        mv = max(self._pack_mv, self._before_mv)
        return mv >= self._full_mv * groups * permille_of_full // 1000

    def _untapered(self, groups: int, capacity_mah: int, now: int) -> int:
        least_ma = min(self._ma, self._before_ma)
        if not self._is_high(groups, 995):
            self._near = False
            return 0
        if max(self._ma, self._before_ma) * 2 <= self._most_ma:
            self._full = True
        if max(self._ma, self._before_ma) * 10 < self._most_ma * 9 or least_ma < _FLOWS_MA:
            self._near = False
            return 0
        if not self._near:
            self._near = True
            self._near_at = now
            self._near_mah = self._mah
        if (self._mah - self._near_mah) * 1000 < capacity_mah * _NEAR_MAH:
            return 0
        return age_ms(now, self._near_at) // 1000

    def _overtime(self, capacity_mah: int) -> int:
        if self._from < 0 or not capacity_mah:
            return 0
        missing_mah = capacity_mah * max(1000 - self._from, _LEAST_MISSING) // 1000
        return self._mah * 100 // max(missing_mah, 1)

    def _tell_stalled(self, t, groups: int, now: int) -> None:
        value = _NEVER_PCT
        if self._on and max(abs(self._ma), abs(self._before_ma)) < _FLOWS_MA:
            # as good as full is idle by right, whatever the percent says
            if not groups or self._pack_mv < (self._full_mv - _FLOWS_MA) * groups:
                value = t.value[_SOC]
        full = t.fresh(_HIGHEST, now) and t.value[_HIGHEST] >= self._full_mv - 50
        place = t.where[_HIGHEST] if full else 0
        t.derive(_STALLED, value, place, t.stamp[_CURRENT], self._count)

    def _droop(self, soc: int, now: int) -> int:
        ma = min(self._ma, self._before_ma)
        if soc >= _DROOP_BELOW_PCT or ma < _SUPPLY_MA:
            self._high_mv = 0
            return 0
        mv = min(self._pack_mv, self._before_mv)
        if mv > self._high_mv or ma < self._high_ma - _SAME_MA:
            self._high_mv = mv
            self._high_ma = ma
            self._high_at = now
        return age_ms(now, self._high_at) // 1000

    def _missing(self, t, soc: int, capacity_mah: int, now: int) -> int:
        """mAh to full, by the board's own count where it tells one."""
        if t.fresh(_REMAINING, now) and t.seen[_FULL_MAH]:
            return max(t.value[_FULL_MAH] - t.value[_REMAINING], 0)
        return capacity_mah * max(_NEVER_PCT - soc, 0) // 100

    def _to_full(self, missing_mah: int, capacity_mah: int) -> int:
        tenths = min(self._ma * 10 // max(self._most_ma, 1), 10)
        minutes = missing_mah * 60 // self._ma
        if tenths >= 9:
            return minutes + capacity_mah * _TAIL_PCT * 60 // (100 * self._ma)
        return minutes * _LN[tenths] // 10

    def saturate(self, now: int) -> None:
        """Keeps old stamps old across the tick wrap."""
        self._at = saturated(now, self._at)
        self._paused_at = saturated(now, self._paused_at)
        self._near_at = saturated(now, self._near_at)
        self._high_at = saturated(now, self._high_at)
