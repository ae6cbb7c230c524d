"""Times as axes and tables show them: within a capture in milliseconds, between captures in days
(those of datetime.date.toordinal)."""

from datetime import date

_STEPS_S = (
    *(0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 900, 1800, 3600),
    *(7200, 10800, 21600, 43200, 86400),
)
_STEPS_MONTHS = (1, 2, 3, 6, 12, 24, 60, 120)
_MOST = 9
_MOST_DATES = 6
_DAYS = 45  # below that an axis shows days, above months


def steps_ms(from_ms: int, to_ms: int) -> list[float]:
    """Round times for an axis."""
    for step_s in _STEPS_S:
        step_ms = round(step_s * 1000)
        first = -(-from_ms // step_ms)
        count = to_ms // step_ms - first + 1
        if count <= _MOST:
            break
    return [float((first + k) * step_ms) for k in range(count)]


def tick(t_ms: float) -> str:
    """`02:30`, from an hour on `1:02:30`; tenths where there are any."""
    seconds, rest_ms = divmod(round(t_ms), 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    tenths = f".{rest_ms // 100}" if rest_ms else ""
    text = f"{minutes:02}:{seconds:02}{tenths}"
    return f"{hours}:{text}" if hours else text


def length(ms: float) -> str:
    """`10.4 s`, `14 min 50 s`, `3 h 05 min`."""
    if ms < 60_000:
        return f"{ms / 1000:.1f} s"
    minutes, seconds = divmod(round(ms / 1000), 60)
    if minutes < 60:
        return f"{minutes} min {seconds:02} s"
    return f"{minutes // 60} h {minutes % 60:02} min"


def steps_days(from_day: int, to_day: int) -> list[float]:
    """Round dates for an axis: days, or the first of months."""
    if to_day - from_day <= _DAYS:
        step = -(-(to_day - from_day) // _MOST_DATES) or 1
        return [float(day) for day in range(from_day, to_day + 1, step)]
    first, last = date.fromordinal(from_day), date.fromordinal(to_day)
    months = range(first.year * 12 + first.month, last.year * 12 + last.month)
    for step in _STEPS_MONTHS:
        chosen = [month for month in months if month % step == 0]
        if len(chosen) <= _MOST_DATES:
            break
    return [float(date(month // 12, month % 12 + 1, 1).toordinal()) for month in chosen]


def day(ordinal: float) -> str:
    """`2025-03-14`; the first of a month as `2025-03`."""
    text = date.fromordinal(round(ordinal)).isoformat()
    return text.removesuffix("-01")
