"""The owner's options as bytes, for the phone to read and to change. Needed when the app starts
and while an option is being changed, never in between: the app lets go of it.

An option's number is its place in names(); docs/bluetooth.md lists them. A value on the air is
none (no limit), a whole number, or a choice's place among the choices.
"""

from deckwatch import config
from deckwatch.guardrails.table import ROWS, option_names

# Setting them can neither hide a danger nor send anything: no button is asked for
_HARMLESS = ("console_s", "design_mah", "bluetooth", "advert")
_PROFILE = "profile"


def names() -> list:
    """All options in the order of their numbers: the profile, the general ones, the limits."""
    numbered = [_PROFILE] + [row[0] for row in config.OPTIONS]
    for row in ROWS:
        for name in option_names(row):
            if name and name not in numbered:
                numbered.append(name)
    return numbered


def encode(settings) -> bytes:
    """version u8, then per option its number u8, length u8, value; `settings` as config.load()
    gives them. At most 512 bytes, which a characteristic holds."""
    out = b"\x01"
    numbered = names()
    limits = _limits(settings)
    for number in range(len(numbered)):
        name = numbered[number]
        if name == _PROFILE:
            value = settings.profile
        elif name in limits:
            value = limits[name]
        else:
            value = getattr(settings, name)
        data = _value(_choices(name), value)
        out += bytes((number, len(data))) + data
    return out


class Change:
    """One option asked to be set; raises config.ConfigError with the reason where it cannot be.

    name, old, new; options: the owner's dict with the change in it; settings: what they amount to;
    is_limit: can take effect at once; needs_button: it might hide a danger, or make the dongle
    speak.
    """

    def __init__(self, options: dict, number: int, data: bytes, profile: str) -> None:
        numbered = names()
        if number >= len(numbered):
            raise config.ConfigError("there is no option %d" % number)
        self.name = numbered[number]
        before = _load(options, profile)
        choices = _choices(self.name)
        self.new = _number(self.name, choices, data)
        limits = _limits(before)
        self.is_limit = self.name in limits
        if self.is_limit:
            self.old = limits[self.name]
        else:
            self.old = getattr(before, self.name)
        self.options = dict(options)
        self.options[self.name] = self.new
        self.settings = _load(self.options, profile)
        self.needs_button = self._is_bolder()

    def _is_bolder(self) -> bool:
        if not self.is_limit:
            return self.name not in _HARMLESS
        if self.new is None or self.old is None:
            return self.new is None and self.old is not None
        for row in ROWS:
            if self.name in option_names(row):
                higher = self.new > self.old
                return higher if row[2].startswith(">") else self.new < self.old
        return True


def _load(options: dict, profile: str):
    """As the app does: what an unknown line turned out to be takes the profile's place."""
    settings = config.load(options)
    if settings.family == config.AUTO:
        options = dict(options)
        options["profile"] = profile
        settings = config.load(options)
    return settings


def _limits(settings) -> dict:
    """Every limit in force, in the unit of its option."""
    limits = {}
    for row in ROWS:
        for level, name in zip(row[8], option_names(row)):
            if name:
                limits[name] = settings.limits.get(name, level[1])
    return limits


def _choices(name: str) -> tuple:
    """The names an option chooses from, () where it is a number."""
    if name == _PROFILE:
        return config.PROFILES
    for row in config.OPTIONS:
        if row[0] == name and isinstance(row[2][0], str):
            return row[2]
    return ()


def _value(choices: tuple, value) -> bytes:
    if value is None:
        return b""
    if choices:
        return bytes((choices.index(value),))
    size = 1
    while not -(1 << 8 * size - 1) <= value < 1 << 8 * size - 1:
        size += 1
    return bytes([value >> 8 * i & 0xFF for i in range(size)])


def _number(name: str, choices: tuple, data: bytes):
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
