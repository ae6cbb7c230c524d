"""Times as other programs write them."""

import re
from datetime import datetime

_DECIMAL = re.compile(r"([+-]?)(\d{1,12})(?:\.(\d{1,18}))?", re.ASCII)
_EXPONENT = re.compile(r"[+-]?\d{1,12}(?:\.\d{0,18})?[eE][+-]?\d{1,2}", re.ASCII)
_DATED = re.compile(r"(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d)(?:[.,](\d{1,9}))?(Z|[+-]\d\d:?\d\d)?")
_CLOCK = re.compile(r"(\d{1,3}):(\d\d):(\d\d)(?:[.,](\d{1,9}))?", re.ASCII)


def nanoseconds(text: str) -> int | None:
    """`1.898308`, `1e-3`, `12:34:56.789` or a date with time, in nanoseconds; None for anything
    else. Dates count from 1970, in UTC where they name no zone."""
    if (match := _DECIMAL.fullmatch(text)) is not None:
        value = int(match[2]) * 1_000_000_000 + _fraction_ns(match[3])
        return -value if match[1] == "-" else value
    if _EXPONENT.fullmatch(text):
        value_ns = float(text) * 1e9
        return round(value_ns) if abs(value_ns) < 1e30 else None
    if (match := _CLOCK.fullmatch(text)) is not None:
        seconds = int(match[1]) * 3600 + int(match[2]) * 60 + int(match[3])
        return seconds * 1_000_000_000 + _fraction_ns(match[4])
    if (match := _DATED.fullmatch(text)) is not None:
        try:
            zone = match[3] or "+00:00"
            moment = datetime.fromisoformat(match[1] + zone)
        except ValueError:
            return None
        return int(moment.timestamp()) * 1_000_000_000 + _fraction_ns(match[2])
    return None


def _fraction_ns(digits: str | None) -> int:
    return int((digits or "")[:9].ljust(9, "0"))


def decimal(t_ns: int) -> str:
    """Nanoseconds as seconds with nine decimals."""
    seconds, rest = divmod(t_ns, 1_000_000_000)
    return f"{seconds}.{rest:09}"


class Zero:
    """Where a file's time begins: as it is said, else at its first stamp where that is before 0 or
    a date, else at 0. A recording holds less than MOST_NS."""

    MOST_NS = 10**18  # 31 years; our own text has room for nine digits of seconds
    _DATE_NS = 10**17

    def __init__(self, zero_ns: int | None = None) -> None:
        self._zero_ns = zero_ns

    def since(self, t_ns: int) -> int | None:
        """The time since the beginning; None where it lies before it or is absurd."""
        if self._zero_ns is None:
            self._zero_ns = 0 if 0 <= t_ns < self._DATE_NS else t_ns
        t_ns -= self._zero_ns
        return t_ns if 0 <= t_ns < self.MOST_NS else None
