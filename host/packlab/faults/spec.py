"""One fault as written on the command line: its kind, its numbers and the port it is confined
to."""

import re
from dataclasses import dataclass

from packlab.capture import PORTS
from packlab.errors import PacklabError

_UNITS_US = {"us": 1, "ms": 1000, "s": 1_000_000, "min": 60_000_000, "h": 3_600_000_000}
_TIME = re.compile(r"(\d+(?:\.\d+)?)(us|ms|s|min|h)")


@dataclass(frozen=True, slots=True)
class Spec:
    """kind: a key of KINDS. numbers: rates between 0 and 1, or plain numbers. times_us: in
    microseconds. port: None = every port."""

    kind: str
    numbers: tuple[float, ...] = ()
    times_us: tuple[int, ...] = ()
    port: str | None = None

    def touches(self, port: str) -> bool:
        """Does this fault act on `port`?"""
        return self.port is None or self.port == port

    def covers(self, t_us: int) -> bool:
        """Does `t_us` lie in the stretch the two times give (start + length)?"""
        start_us, length_us = self.times_us
        return start_us <= t_us < start_us + length_us


def parse(text: str) -> Spec:
    """The fault written as `text`; PacklabError names what is unclear and how to write it."""
    from packlab.faults.kinds import KINDS

    body, at, port = text.partition("@")
    if at and port not in PORTS:
        raise PacklabError(f"'{port}' in --fault {text} is no port; use {', '.join(PORTS)}")
    kind, _, arguments = body.partition(":")
    if kind not in KINDS:
        raise PacklabError(f"'{kind}' is no fault; use one of {', '.join(sorted(KINDS))}")
    shape = KINDS[kind]
    words = arguments.split("+") if arguments else []
    times = tuple(time_us(word) for word in words if _TIME.fullmatch(word))
    numbers = tuple(_number(word, text) for word in words if not _TIME.fullmatch(word))
    if len(times) != shape.times or len(numbers) != shape.numbers:
        raise PacklabError(f"--fault {text} is unclear; write it like {shape.example}")
    if shape.is_rate and not 0 <= numbers[0] <= 1:
        raise PacklabError(f"the rate in --fault {text} must lie between 0 and 1")
    return Spec(kind, numbers, times, port or None)


def time_us(text: str) -> int:
    """`12.5s`, `80ms`, `200us` in microseconds."""
    match = _TIME.fullmatch(text)
    if match is None:
        raise PacklabError(f"'{text}' is no time; write it like 12.5s or 80ms")
    return round(float(match[1]) * _UNITS_US[match[2]])


def _number(word: str, text: str) -> float:
    try:
        return float(word.removesuffix("%"))
    except ValueError:
        raise PacklabError(f"'{word}' in --fault {text} is neither a number nor a time") from None
