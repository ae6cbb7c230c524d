"""Charges and rides, as the firmware tells them apart, and what each did to the battery."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from packlab.report.samples import GAP_MS, Point, Samples

CHARGE, RIDE = "charge", "ride"
_FLAGS = {CHARGE: "charging", RIDE: "riding"}
_LEAST_MS = 10_000  # shorter is an accident of the flags
_PAUSE_MS = 60_000  # the line may be silent for so long within a session
_MS_PER_HOUR = 3_600_000


@dataclass(frozen=True, slots=True)
class Session:
    """One charge or ride, from its first to its last sample; None where nobody told.

    into_mah, out_mah, out_mwh: counted from current and voltage, second by second, in pack time.
    told_mah: what the BMS's own counter has changed by. most_in_ma, most_out_ma: both positive;
    last_ma: + when it charges. end_spread_mv: the last that was known.
    """

    kind: str
    from_ms: int
    to_ms: int
    into_mah: int
    out_mah: int
    out_mwh: int
    told_mah: int | None
    from_pct: int | None
    to_pct: int | None
    from_mv: int | None
    to_mv: int | None
    lowest_pack_mv: int | None
    most_in_ma: int
    most_out_ma: int
    last_ma: int
    coldest_dc: int | None
    hottest_dc: int | None
    lowest_cell_mv: int | None
    highest_cell_mv: int | None
    end_spread_mv: int | None


def sessions(samples: Samples, pace: int = 1) -> list[Session]:
    """In order of time. pace: how many times as fast as the line the pack's own time runs; only a
    made capture has another than 1."""
    return [
        _session(kind, samples, first, last, pace)
        for kind, first, last in _stretches(samples)
        if samples.t_ms[last] - samples.t_ms[first] >= _LEAST_MS
    ]


def _stretches(samples: Samples) -> Iterator[tuple[str, int, int]]:
    """Kind, first and last sample. A charge is one although the scooter rides, as braking is no
    charge: the firmware sees to both."""
    kind, first, last = "", 0, 0
    for number, t_ms in enumerate(samples.t_ms):
        now = next((k for k, flag in _FLAGS.items() if samples.values[flag][number]), "")
        if kind and (now != kind or t_ms - samples.t_ms[last] > _PAUSE_MS):
            yield kind, first, last
            kind = ""
        if now and not kind:
            kind, first = now, number
        if now:
            last = number
    if kind:
        yield kind, first, last


def _session(kind: str, samples: Samples, first: int, last: int, pace: int) -> Session:
    from_ms, to_ms = samples.t_ms[first], samples.t_ms[last]

    def told(slot: str) -> list[int]:
        return [value for t_ms, value in samples.known(slot) if from_ms <= t_ms <= to_ms]

    current = [p for p in samples.known("current_ma") if from_ms <= p[0] <= to_ms]
    volts = dict(samples.known("pack_mv"))
    flowed = list(_flowed(current, volts, pace))
    amps, left, percent, pack = (
        told("current_ma"),
        told("remaining_mah"),
        told("soc_pct"),
        told("pack_mv"),
    )
    return Session(
        kind,
        from_ms,
        to_ms,
        into_mah=round(sum(mah for mah, _ in flowed if mah > 0)),
        out_mah=round(-sum(mah for mah, _ in flowed if mah < 0)),
        out_mwh=round(-sum(mwh for mah, mwh in flowed if mah < 0)),
        told_mah=left[-1] - left[0] if left else None,
        from_pct=percent[0] if percent else None,
        to_pct=percent[-1] if percent else None,
        from_mv=pack[0] if pack else None,
        to_mv=pack[-1] if pack else None,
        lowest_pack_mv=min(pack, default=None),
        most_in_ma=max(0, max(amps, default=0)),
        most_out_ma=max(0, -min(amps, default=0)),
        last_ma=amps[-1] if amps else 0,
        coldest_dc=min(told("coldest_dc"), default=None),
        hottest_dc=max(told("hottest_dc"), default=None),
        lowest_cell_mv=min(told("lowest_mv"), default=None),
        highest_cell_mv=max(told("highest_mv"), default=None),
        end_spread_mv=next(reversed(told("cell_spread_mv")), None),
    )


def _flowed(
    current: list[Point], volts: dict[int, int], pace: int
) -> Iterator[tuple[float, float]]:
    """mAh and mWh into the pack between two samples; over a gap nothing is known to flow."""
    for (t0, i0), (t1, i1) in pairwise(current):
        if t1 - t0 <= GAP_MS:
            mah = (i0 + i1) / 2 * (t1 - t0) / _MS_PER_HOUR * pace
            yield mah, mah * volts.get(t1, 0) / 1000
