"""Cell probes: coldest, hottest, and probes that cannot be right (open, shorted, jumping, or far
from their neighbour).

A sample is complete when every probe that speaks has spoken since the sample before. A probe at
its open or short value is counted in `probe_faults` and takes no part in anything else, so that a
broken probe is one alert about the probe and not three about heat and cold.

On a Rita's line two values are messages to the controller and no temperatures: a probe that reads
one of them tells nothing of the pack, and what is meant stands in `temp_message`.
"""

from array import array

from micropython import const

from deckwatch.telemetry import INDEX, MAX_PROBES, NO_PROBE
from deckwatch.ticks import age_ms, saturated

try:
    from deckwatch.meters.probes_viper import jump
except (ImportError, AttributeError, SyntaxError, ValueError):  # as in framer.py
    from deckwatch.meters.probes_plain import jump

_COLDEST = INDEX["coldest_dc"]
_HOTTEST = INDEX["hottest_dc"]
_FAULTS = INDEX["probe_faults"]
_JUMP = INDEX["probe_jump_dc"]
_APART = INDEX["probe_apart_dc"]
_MESSAGE = INDEX["temp_message"]

_NO_BRAKING_DC = const(-100)  # message 1: do not brake into the pack (xiaomi.md 5.3)
_STOP_DC = const(1000)  # message 2: external pack not configured, or too much current

_PAST = const(5)  # readings kept, one each 2 s: the last 10 s
_STEP_MS = const(2000)
_SPAN_MS = const(10000)
_AGE = const((1 << 30) - 1)

# What is kept of each probe, MAX_PROBES places each
_CALM = const(0)  # median of the last three samples
_WAS = const(8)  # the median before that
_LAST = const(16)  # one and two samples ago
_BEFORE = const(24)
_OLDER = const(32)  # medians of the last 10 s, _PAST times


class Probes:
    """One pack's probe meter. open_dc, short_dc: at or beyond these a probe is broken (0.1 °C).
    messages: -10 and 100 °C are a Rita's, not temperatures.
    """

    def __init__(self, open_dc: int, short_dc: int, messages: int) -> None:
        self._open_dc = open_dc
        self._short_dc = short_dc
        self._messages = messages
        self._samples = 0  # goes on counting when the scooter is switched off
        self._dc = array("h", bytes(2 * (_OLDER + MAX_PROBES * _PAST)))
        self._past_at = array("i", bytes(4 * _PAST))
        self.reset()

    def reset(self) -> None:
        """The scooter was switched off."""
        self._frames = 0
        self._sampled = False
        self._sampled_at = 0
        self._oldest_at = 0
        self._forget_past()

    def _forget_past(self) -> None:
        self._kept = 0  # older readings; the oldest of _PAST is the next to go: then _PAST + place
        for place in range(_OLDER):
            self._dc[place] = NO_PROBE

    def update(self, t, now: int) -> None:
        """Takes a sample when one has become complete."""
        if t.temp_frames != self._frames:
            self._frames = t.temp_frames
            if self._messages:
                self._take_message(t, now)
            if self._is_sample(t, now):
                self._samples += 1
                self._take(t, now)

    def _is_sample(self, t, now: int) -> bool:
        """Has every probe that speaks been read since the sample before?"""
        oldest = -1
        for probe in range(t.probes):
            if self._speaks(t, probe, now):
                oldest = max(oldest, age_ms(now, t.temp_stamp[probe]))
        before = age_ms(now, self._sampled_at)
        if oldest < 0 or self._sampled and oldest >= before:
            return False
        if before > _SPAN_MS:
            self._forget_past()
        self._sampled = True
        self._sampled_at = now
        self._oldest_at = (now - oldest) & (1 << 30) - 1
        return True

    def _speaks(self, t, probe: int, now: int) -> bool:
        dc = t.temp_dc[probe]
        if dc == NO_PROBE or self._messages and (dc == _NO_BRAKING_DC or dc == _STOP_DC):
            return False
        return (now - t.temp_stamp[probe]) & _AGE <= t.ttl_ms

    def _take_message(self, t, now: int) -> None:
        """What the probes say that are none: 0 = nothing, 1 = no braking, 2 = stop."""
        message = 0
        for probe in range(t.probes):
            dc = t.temp_dc[probe]
            if dc == _STOP_DC:
                message = 2
            elif dc == _NO_BRAKING_DC:
                message = message or 1
        self._samples += 1
        t.derive(_MESSAGE, message, 0, now, self._samples)

    def _take(self, t, now: int) -> None:
        coldest = hottest = cold_probe = hot_probe = faults = fault_probe = valid = 0
        for probe in range(t.probes):
            dc = t.temp_dc[probe]
            if not self._speaks(t, probe, now):
                dc = NO_PROBE
            elif dc <= self._open_dc or dc >= self._short_dc:
                faults += 1
                fault_probe = fault_probe or probe + 1
                dc = NO_PROBE
            else:
                if not valid or dc < coldest:
                    coldest = dc
                    cold_probe = probe + 1
                if not valid or dc > hottest:
                    hottest = dc
                    hot_probe = probe + 1
                valid += 1
            self._calm(probe, dc)
        t.believed = valid
        stamp = self._oldest_at
        samples = self._samples
        t.derive(_FAULTS, faults, fault_probe, stamp, samples)
        if valid:
            t.derive(_COLDEST, coldest, cold_probe, stamp, samples)
            t.derive(_HOTTEST, hottest, hot_probe, stamp, samples)
            self._compare_past(t, now)
        if valid > 1:
            t.derive(_APART, hottest - coldest, hot_probe, stamp, samples)

    def _calm(self, probe: int, dc: int) -> None:
        """Median of a probe's last three readings: one wrong reading never counts as a jump."""
        kept = self._dc
        last = kept[_LAST + probe]
        before = kept[_BEFORE + probe]
        kept[_WAS + probe] = kept[_CALM + probe]
        kept[_BEFORE + probe] = last
        kept[_LAST + probe] = dc
        if dc == NO_PROBE or last == NO_PROBE or before == NO_PROBE:
            kept[_CALM + probe] = NO_PROBE
            return
        low = high = dc
        if last < dc:
            low = last
        else:
            high = last
        kept[_CALM + probe] = low if before < low else high if before > high else before

    def _compare_past(self, t, now: int) -> None:
        """Largest change of one probe against what it said within the last 10 s."""
        kept = min(self._kept, _PAST)
        found = jump(self._dc, self._past_at, t.probes, kept, now)
        t.derive(_JUMP, found >> 4, found & 15, self._oldest_at, self._samples)
        newest = (self._kept + _PAST - 1) % _PAST
        if not kept or age_ms(now, self._past_at[newest]) >= _STEP_MS:
            self._keep(now)

    def _keep(self, now: int) -> None:
        place = self._kept % _PAST
        for probe in range(MAX_PROBES):
            self._dc[_OLDER + place * MAX_PROBES + probe] = self._dc[_CALM + probe]
        self._past_at[place] = now
        self._kept += 1
        if self._kept == 2 * _PAST:
            self._kept = _PAST

    def saturate(self, now: int) -> None:
        """Keeps an old stamp old across the tick wrap; what was kept is forgotten with it."""
        self._sampled_at = saturated(now, self._sampled_at)
