"""The owner's options as bytes, for the phone to read and to change. Needed when the app starts
and while an option is being changed, never in between: the app lets go of it.

An option's number is its place in options.every(); docs/bluetooth.md lists them. A value on the
air is none (no limit), a whole number, or a choice's place among the choices.
"""

from deckwatch import config
from deckwatch.guardrails.table import ROWS, option_names
from deckwatch.options import every, limits

# Setting them can neither hide a danger nor send anything: no button is asked for
_HARMLESS = ("console_s", "design_mah", "bluetooth", "advert")


def _is_rising(name: str) -> bool:
    """Is it too much that a limit is for?"""
    row = next(row for row in ROWS if name in option_names(row))
    return row[2].startswith(">")


_HARMLESS_NUMBERS = bytes([n for n, option in enumerate(every()) if option[0] in _HARMLESS])
_RISING = bytes([_is_rising(limit[0]) for limit in limits()])


def encode(settings) -> bytes:
    """version u8, then per option its number u8, length u8, value; `settings` as config.load()
    gives them. At most 512 bytes, which a characteristic holds."""
    out = b"\x01"
    for number in range(config.COUNT):
        data = _value(config.choices(number), settings.values[number])
        out += bytes((number, len(data))) + data
    return out


class Change:
    """One option asked to be set; raises config.ConfigError with the reason where it cannot be.

    name, old, new; options: the owner's dict with the change in it; settings: what they amount to;
    is_limit: can take effect at once; needs_button: it might hide a danger, or make the dongle
    speak.
    """

    def __init__(self, options: dict, number: int, data: bytes, profile: str) -> None:
        if number >= config.COUNT:
            raise config.ConfigError("there is no option %d" % number)
        self.name = config.name_of(number)
        before = _load(options, profile)
        self.old = before.values[number]
        self.new = _number(self.name, config.choices(number), data)
        self.is_limit = number >= config.FIRST_LIMIT
        self.options = dict(options)
        self.options[self.name] = self.new
        self.settings = _load(self.options, profile)
        self.needs_button = self._is_bolder(number)

    def _is_bolder(self, number: int) -> bool:
        if not self.is_limit:
            return number not in _HARMLESS_NUMBERS
        if self.new is None or self.old is None:
            return self.new is None and self.old is not None
        if _RISING[number - config.FIRST_LIMIT]:
            return self.new > self.old
        return self.new < self.old


def _load(options: dict, profile: str):
    """As the app does: what an unknown line turned out to be takes the profile's place."""
    settings = config.load(options)
    if settings.family == config.AUTO:
        options = dict(options)
        options["profile"] = profile
        settings = config.load(options)
    return settings


def _value(choices: list, value) -> bytes:
    if value is None:
        return b""
    if choices:
        return bytes((choices.index(value),))
    size = 1
    while not -(1 << 8 * size - 1) <= value < 1 << 8 * size - 1:
        size += 1
    return bytes([value >> 8 * i & 0xFF for i in range(size)])


def _number(name: str, choices: list, data: bytes):
    """The value that stands on the air, its range not yet checked."""
    if not data:
        return None
    if choices:
        if len(data) != 1 or data[0] >= len(choices):
            allowed = ", ".join(choices)
            raise config.ConfigError('"%s" must be one of: %s' % (name, allowed))
        return choices[data[0]]
    if len(data) > 4:
        raise config.ConfigError('"%s" has a number of %d bytes' % (name, len(data)))
    value = 0
    for byte in reversed(data):
        value = value << 8 | byte
    if data[-1] & 0x80:
        value -= 1 << 8 * len(data)
    return value
