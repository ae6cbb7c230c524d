"""What the owner may set: a profile, general options, and a limit for every guardrail level; anything else is refused by name.

load() takes the JSON object of the config file as a dict and returns a Config; ConfigError names the option and its range. Order of
precedence: table default, chemistry, profile, owner.
"""

from deckwatch.guardrails.table import CODES, ROWS, needs, option_names

# name, default, lowest, highest (or the choices), meaning
OPTIONS = (
    ("series", 10, 0, 32, "cells in series; 0 = as many as the board names"),
    ("chemistry", "nmc", ("nmc", "lfp"), None, "cell chemistry, decides full voltage and cell limits"),
    ("packs", 1, 1, 2, "batteries on the line: 2 with an external one"),
    ("design_mah", 7800, 1000, 200000, "capacity printed on the pack"),
    ("fresh_ms", 5000, 1000, 60000, "how long a live value counts as known"),
    ("console_s", 0, 0, 3600, "how often values are told on the USB console; 0 = never"),
    ("ghost_cell_mv", 4600, 3700, 5000, "no cell of this chemistry can read more"),
    ("current_reversed", 0, 0, 1, "1 = this Daly board counts its current the other way round"),
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
            "cell_low_info_mv": 3000,
            "cell_low_warn_mv": 2800,
            "cell_low_alarm_mv": 2600,
        },
    ),
}

DEFAULT_PROFILE = "m365"


class ConfigError(ValueError):
    """An option that does not exist or is out of range; the message says which and what is allowed."""


class Config:
    """Settings in force. Attributes: profile, family, one per OPTIONS row, full_mv; limits by option name in `limits`."""

    def __init__(self, profile: str, family: str) -> None:
        self.profile = profile
        self.family = family
        self.full_mv = 4200
        self.limits = {}
        self.steady = ()
        for name, default, _, _, _ in OPTIONS:
            setattr(self, name, default)

    def limits_of(self, row: tuple) -> list:
        """Limits of one guardrail row in the unit of its slot, one per level; None = unarmed."""
        limits = []
        for level, name in zip(row[8], option_names(row)):
            limit = self.limits.get(name, level[1]) if name else level[1]
            if name.endswith("_permille") and row[1] == "pack_mv" and limit is not None:
                limit = self.above_full_mv(limit)
            limits.append(limit)
        return limits

    def above_full_mv(self, permille: int) -> int:
        """Pack voltage that lies `permille` above full, mV, rounded to 10 mV (10S: 6 -> 42250)."""
        microvolts = self.full_mv * (1000 + permille) * self.series  # at most 4.2 V * 1.08 * 32: below 2**28
        return (microvolts + 5000) // 10000 * 10

    def expects(self, code: int) -> bool:
        """Can guardrail `code` be watched on this line without anybody's doing?"""
        for row in ROWS:
            if row[0] == CODES[code] and all([slot in self.steady for slot in needs(row)]):
                return True
        return False


def load(source: dict) -> Config:
    """Config from the owner's dict, e.g. {"profile": "m365", "cell_spread_warn_mv": 80}."""
    name = source.get("profile", DEFAULT_PROFILE)
    from deckwatch.index import PROFILES, PROTOCOLS

    if name not in PROFILES:
        raise ConfigError('"profile" is %r; it must be one of: %s' % (name, ", ".join(PROFILES)))
    profile = getattr(__import__("deckwatch.profiles." + name, None, None, ("OPTIONS",)), "OPTIONS")
    config = Config(name, profile["family"])
    known = limit_ranges()
    chemistry = source.get("chemistry", profile.get("chemistry", "nmc"))
    if chemistry not in CHEMISTRIES:
        raise ConfigError('"chemistry" is %r; it must be one of: nmc, lfp' % (chemistry,))
    config.full_mv, differences = CHEMISTRIES[chemistry]
    for options in (differences, profile, source):
        for option in options:
            _apply(config, option, options[option], known)
    if config.family not in PROTOCOLS:
        raise ConfigError('"family" is %r; it must be one of: %s' % (config.family, ", ".join(PROTOCOLS)))
    return config


def limit_ranges() -> dict:
    """Every guardrail option: name -> (lowest, highest)."""
    ranges = {}
    for row in ROWS:
        for level, name in zip(row[8], option_names(row)):
            if name:
                ranges[name] = (level[2], level[3])
    return ranges


def _apply(config: Config, option: str, value, known: dict) -> None:
    if option == "profile" or option == "family":
        return
    if option in known:
        config.limits[option] = _in_range(option, value, known[option][0], known[option][1], True)
        return
    for name, _, low, high, _ in OPTIONS:
        if name == option:
            if high is None:
                if value not in low:
                    raise ConfigError('"%s" is %r; it must be one of: %s' % (name, value, ", ".join(low)))
            else:
                _in_range(option, value, low, high, False)
            setattr(config, name, value)
            return
    raise ConfigError('"%s" is no option; see docs/guardrails.md for the list' % option)


def _in_range(option: str, value, low: int, high: int, may_be_off: bool):
    if value is None and may_be_off:
        return None
    if type(value) is not int or not low <= value <= high:
        raise ConfigError('"%s" is %r; it must be a whole number from %d to %d' % (option, value, low, high))
    return value
