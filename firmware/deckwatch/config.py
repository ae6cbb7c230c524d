"""What the owner may set: a profile, general options, and a limit for every guardrail level;
anything else is refused by name.

load() takes the JSON object of the config file as a dict and returns a Config; ConfigError names
the option and its range. Order of precedence: table default, chemistry, profile, owner.
"""

from deckwatch.guardrails.table import CODES, OF_SERIES, OF_TWO_PACKS, ROWS, needs, option_names
from deckwatch.index import PROFILES

_CHEMISTRY_NAMES = ("nmc", "lfp")
MODES = ("listen", "assist", "poll")

# name, default, what is allowed (lowest and highest, or the choices), meaning
OPTIONS = (
    ("series", 10, (0, 32), "cells in series; 0 = as many as the board names"),
    ("chemistry", "nmc", _CHEMISTRY_NAMES, "cell chemistry, decides full voltage and cell limits"),
    ("packs", 1, (1, 2), "batteries on the line: 2 with an external one"),
    ("design_mah", 0, (0, 200000), "capacity printed on the pack; 0 = as the board says"),
    ("bleed_ma", 30, (0, 5000), "what the board bleeds off a group to balance; 0 = not known"),
    ("dongle_ua", 1000, (0, 50000), "what the dongle draws from the parked pack (docs/power.md)"),
    ("fresh_ms", 5000, (1000, 60000), "how long a live value counts as known"),
    ("baud", 115200, (1200, 921600), "speed of the line; with profile auto it is found out"),
    ("mode", "listen", MODES, "listen: never send; assist, poll: may ask (docs/wiring.md first)"),
    ("probe", 0, (0, 1), "1 = in mode poll a silent board may be asked what it is"),
    ("console_s", 0, (0, 3600), "how often values are told on the USB console; 0 = never"),
    ("bluetooth", 1, (0, 1), "0 = the radio stays off"),
    ("advert", "plain", ("plain", "encrypted"), "what is told to everybody: docs/bluetooth.md"),
    ("ghost_cell_mv", 4600, (3700, 5000), "no cell of this chemistry can read more"),
    ("current_reversed", 0, (0, 1), "1 = this Daly board counts its current the other way round"),
    ("temp_messages", 0, (0, 1), "1 = a Rita: -10 and 100 degrees are messages (profile rita)"),
)

# full voltage of a cell, mV, and what else differs from the defaults
CHEMISTRIES = {
    "nmc": (4200, {}),
    "lfp": (
        3650,
        {
            "ghost_cell_mv": 4000,
            "cell_high_info_mv": 3550,
            "cell_high_warn_mv": 3650,
            "cell_high_alarm_mv": 3750,
            "charge_target_info_mv": 3500,
            "storage_full_info_mv": 3400,
            "storage_empty_info_mv": 3200,
            "cell_low_info_mv": 3000,
            "cell_low_warn_mv": 2800,
            "cell_low_alarm_mv": 2600,
            "regen_full_warn_mv": 3630,
        },
    ),
}

DEFAULT_PROFILE = "m365"
AUTO = "auto"  # the family of a profile that finds out by itself what is on the wire
# profile to take for a family, where they are not called alike: at any speed, then at this one
_FOUND = {"xiaomi": "m365", ("xiaomi", 76800): "botox"}


class ConfigError(ValueError):
    """An option that does not exist or is out of range; it says which and what is allowed."""


class Config:
    """Settings in force: profile, family, one attribute per OPTIONS row, full_mv (of a cell);
    `limits` by option name; steady, the slots that pass by on
    this line without anybody's doing.
    """

    series: int
    packs: int
    design_mah: int
    baud: int
    probe: int
    console_s: int
    bluetooth: int
    advert: str
    mode: str

    def __init__(self, profile: str, family: str) -> None:
        self.profile = profile
        self.family = family
        self.full_mv = 4200
        self.limits: dict = {}
        self.steady = ()
        for name, default, _, _ in OPTIONS:
            setattr(self, name, default)

    def limits_of(self, row: tuple) -> list:
        """Limits of one guardrail row in the unit of its slot, one per level; None = unarmed."""
        limits = []
        for level, name in zip(row[8], option_names(row)):
            limit = self.limits.get(name, level[1]) if name else level[1]
            if not self.series and row[0] in OF_SERIES:
                limit = None
            if self.packs == 1 and row[0] in OF_TWO_PACKS:
                limit = None
            if name.endswith("_permille") and row[1] == "pack_mv" and limit is not None:
                limit = self.above_full_mv(limit)
            limits.append(limit)
        return limits

    def above_full_mv(self, permille: int) -> int:
        """Pack voltage that lies `permille` above full, mV, rounded to 10 mV (10S: 6 -> 42250)."""
        # at most 4.2 V * 1.08 * 32: below 2**28
        microvolts = self.full_mv * (1000 + permille) * self.series
        return (microvolts + 5000) // 10000 * 10

    def expects(self, code: int) -> bool:
        """Can guardrail `code` be watched on this line without anybody's doing?"""
        for row in ROWS:
            if row[0] == CODES[code] and self._can_watch(row):
                return True
        return False

    def _can_watch(self, row: tuple) -> bool:
        armed = any([limit is not None for limit in self.limits_of(row)])
        return armed and all([self._passes(slot) for slot in needs(row)])

    def _passes(self, slot: str) -> bool:
        if slot == "groups":
            return self.series > 0 or "cell_mv" in self.steady
        if slot == "design":
            return self.design_mah > 0 or "design_mah" in self.steady
        return slot in self.steady


def load(source: dict) -> Config:
    """Config from the owner's dict, e.g. {"profile": "m365", "cell_spread_warn_mv": 80}."""
    if not isinstance(source, dict):
        raise ConfigError("the configuration is %r; it must be a JSON object" % (source,))
    name = source.get("profile", DEFAULT_PROFILE)
    _check("profile", name, PROFILES)
    profile = __import__("deckwatch.profiles." + name, None, None, ("OPTIONS",)).OPTIONS
    config = Config(name, profile["family"])
    chemistry = source.get("chemistry", profile.get("chemistry", "nmc"))
    _check("chemistry", chemistry, _CHEMISTRY_NAMES)
    config.full_mv, differences = CHEMISTRIES[chemistry]
    ranges = limit_ranges()
    for options, known in ((differences, ()), (profile, ("family",)), (source, ("profile",))):
        for option in options:
            if option not in known:
                _apply(config, option, options[option], ranges)
    return config


def as_found(source: dict, family: str, baud: int) -> dict:
    """The owner's options once more, for a `family` that was found on the wire at `baud`."""
    options = dict(source)
    options["profile"] = _FOUND.get((family, baud)) or _FOUND.get(family, family)
    return options


def limit_ranges() -> dict:
    """Every guardrail option: name -> (lowest, highest)."""
    ranges = {}
    for row in ROWS:
        for level, name in zip(row[8], option_names(row)):
            if name:
                ranges[name] = (level[2], level[3])
    return ranges


def _apply(config: Config, option: str, value, ranges: dict) -> None:
    if option in ranges:
        if value is not None:
            _check(option, value, ranges[option], ", or null for no limit")
        config.limits[option] = value
        return
    for name, _, allowed, _ in OPTIONS:
        if name == option:
            _check(option, value, allowed)
            setattr(config, name, value)
            return
    raise ConfigError('"%s" is no option; docs/guardrails.md has the list' % (option,))


def _check(option: str, value, allowed: tuple, besides: str = "") -> None:
    """`allowed` is (lowest, highest), or the names there are to choose from."""
    if isinstance(allowed[0], str):
        fits = value in allowed
        wanted = "one of: " + ", ".join(allowed)
    else:
        fits = type(value) is int and allowed[0] <= value <= allowed[1]
        wanted = "a whole number from %d to %d" % allowed
    if not fits:
        raise ConfigError('"%s" is %r; it must be %s%s' % (option, value, wanted, besides))
