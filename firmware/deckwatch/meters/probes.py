"""Cell probes: coldest, hottest, and probes that cannot be right (open, shorted, jumping, or far from their neighbour).

A probe at its open or short value is counted in `probe_faults` and takes no part in anything else, so that a broken probe is one
alert about the probe and not three about heat and cold.
"""

from array import array

from micropython import const

from deckwatch.telemetry import INDEX, MAX_PROBES, NO_PROBE
from deckwatch.ticks import age_ms

_COLDEST = INDEX["coldest_dc"]
_HOTTEST = INDEX["hottest_dc"]
_FAULTS = INDEX["probe_faults"]
_JUMP = INDEX["probe_jump_dc"]
_APART = INDEX["probe_apart_dc"]

_PAST = const(5)  # samples kept, one each 2 s: the last 10 s
_STEP_MS = const(2000)
_SPAN_MS = const(10000)


class Probes:
    """One pack's probe meter. open_dc, short_dc: at or beyond these the probe is broken (0.1 degC)."""

    def __init__(self, open_dc: int, short_dc: int) -> None:
        self._open_dc = open_dc
        self._short_dc = short_dc
        self._past = array("h", bytes(2 * MAX_PROBES * _PAST))
        self._past_at = array("i", bytes(4 * _PAST))
        self.reset()

    def reset(self) -> None:
        """The scooter was switched off."""
        self._kept = 0
        self._next = 0

    def update(self, t, now: int) -> None:
        coldest = hottest = cold_probe = hot_probe = faults = fault_probe = valid = 0
        oldest = 0
        for probe in range(t.probes):
            dc = t.temp_dc[probe]
            age = age_ms(now, t.temp_stamp[probe])
            if dc == NO_PROBE or age > t.ttl_ms:
                continue
            if age > oldest:
                oldest = age
            if self._broken(dc):
                faults += 1
                fault_probe = fault_probe or probe + 1
                continue
            if not valid or dc < coldest:
                coldest = dc
                cold_probe = probe + 1
            if not valid or dc > hottest:
                hottest = dc
                hot_probe = probe + 1
            valid += 1
        stamp = now - oldest & (1 << 30) - 1
        count = t.temp_frames
        if valid or faults:
            t.derive(_FAULTS, faults, fault_probe, stamp, count)
        else:
            t.drop(_FAULTS)
        if not valid:
            t.drop(_COLDEST)
            t.drop(_HOTTEST)
            t.drop(_JUMP)
            t.drop(_APART)
            self._kept = 0
            return
        t.derive(_COLDEST, coldest, cold_probe, stamp, count)
        t.derive(_HOTTEST, hottest, hot_probe, stamp, count)
        self._compare_past(t, now, stamp)
        if valid > 1:
            t.derive(_APART, hottest - coldest, hot_probe, stamp, count)
        else:
            t.drop(_APART)

    def _broken(self, dc: int) -> bool:
        return dc <= self._open_dc or dc >= self._short_dc

    def _compare_past(self, t, now: int, stamp: int) -> None:
        """Largest change of one probe against what it said within the last 10 s."""
        jump = jump_probe = 0
        for probe in range(t.probes):
            dc = t.temp_dc[probe]
            if dc == NO_PROBE or self._broken(dc) or age_ms(now, t.temp_stamp[probe]) > t.ttl_ms:
                continue
            for k in range(self._kept):
                past = self._past[k * MAX_PROBES + probe]
                if past == NO_PROBE or age_ms(now, self._past_at[k]) > _SPAN_MS:
                    continue
                if abs(dc - past) > jump:
                    jump = abs(dc - past)
                    jump_probe = probe + 1
        t.derive(_JUMP, jump, jump_probe, stamp, t.temp_frames)
        newest = (self._next + _PAST - 1) % _PAST
        if not self._kept or age_ms(now, self._past_at[newest]) >= _STEP_MS:
            self._keep(t, now)

    def _keep(self, t, now: int) -> None:
        place = self._next
        for probe in range(MAX_PROBES):
            dc = t.temp_dc[probe] if probe < t.probes else NO_PROBE
            fresh = dc != NO_PROBE and not self._broken(dc) and age_ms(now, t.temp_stamp[probe]) <= t.ttl_ms
            self._past[place * MAX_PROBES + probe] = dc if fresh else NO_PROBE
        self._past_at[place] = now
        self._next = (place + 1) % _PAST
        if self._kept < _PAST:
            self._kept += 1
