"""What the owner may set: a profile, general options, and a limit for every guardrail level;
anything else is refused by name.

load() takes the JSON object of the config file as a dict and returns a Config; ConfigError names
the option and its range. Order of precedence: table default, chemistry, profile, owner.

An option has a number, its place in options.every(). On a dongle none of the rows is left: names
are one text, and what is known of each option lies in tuples by its number (packlab/linking).
"""

from array import array

from micropython import const

from deckwatch import names
from deckwatch.guardrails.rules import UNARMED
from deckwatch.guardrails.table import NAMES, OF_SERIES, OF_TWO_PACKS, ROWS, option_names
from deckwatch.options import CHEMISTRIES, CHEMISTRY_NAMES, OPTIONS, every

AUTO = "auto"  # the family of a profile that finds out by itself what is on the wire
# profile to take for a family, where they are not called alike: at any speed, then at this one
_FOUND = {"xiaomi": "m365", ("xiaomi", 76800): "botox"}

GUARDRAILS = NAMES  # here, because of the table nothing is left on a dongle

_EVERY = every()
COUNT = len(_EVERY)
FIRST_LIMIT = 1 + len(OPTIONS)
_NUMBERS = {option[0]: number for number, option in enumerate(_EVERY)}
_NAMES = " " + " ".join([option[0] for option in _EVERY]) + " "
_LOWEST = tuple([0 if type(allowed[0]) is str else allowed[0] for _, _, allowed in _EVERY])
_HIGHEST = tuple([0 if type(allowed[0]) is str else allowed[1] for _, _, allowed in _EVERY])
# (number, choices) of the options that have some
_CHOICES = tuple(
    [(n, " ".join(row[2])) for n, row in enumerate(_EVERY) if type(row[2][0]) is str]
)
_PROFILE = const(0)
_CHEMISTRY = _NUMBERS["chemistry"]
_TARGET = _NUMBERS["charge_target_info_pct"]

def _differences(options: dict) -> tuple:
    return tuple([(_NUMBERS[name], options[name]) for name in sorted(options)])


# full voltage of a cell, and (number, value) of what else differs, by choice
_CHEMISTRIES = tuple(
    [
        (CHEMISTRIES[chemistry][0], _differences(CHEMISTRIES[chemistry][1]))
        for chemistry in CHEMISTRY_NAMES
    ]
)

# Limits nobody chooses follow the options, as if they were some
_PLACES: list = [
    (row, level, name) for row in ROWS for level, name in zip(row[8], option_names(row))
]
_FIXED = sorted({level[1] for _, level, name in _PLACES if not name})
_DEFAULTS = tuple([default for _, default, _ in _EVERY] + _FIXED)
# By place (guardrails/compiled.py): the option that is its limit
_OPTION = bytes(
    [_NUMBERS[name] if name else COUNT + _FIXED.index(level[1]) for _, level, name in _PLACES]
)
_IN_PERMILLE = bytes(
    [
        place
        for place, (row, _, name) in enumerate(_PLACES)
        if row[1] == "pack_mv" and name.endswith("_permille")
    ]
)
_OF_SERIES = bytes([place for place, (row, _, _) in enumerate(_PLACES) if row[0] in OF_SERIES])
_OF_TWO_PACKS = bytes(
    [place for place, (row, _, _) in enumerate(_PLACES) if row[0] in OF_TWO_PACKS]
)


class ConfigError(ValueError):
    """An option that does not exist or is out of range; it says which and what is allowed."""


class Config:
    """Settings in force: one attribute per general option, and the profile; family, full_mv (of a
    cell); target_pct of a charge, None = none. values: of all options by number, None = no limit.
    limit: by place (guardrails/rules.py). It has no methods: they would hold all of this module,
    which an app lets go of while the settings are still needed.
    """

    profile: str
    family: str
    full_mv: int
    series: int
    chemistry: str
    packs: int
    design_mah: int
    bleed_ma: int
    dongle_ua: int
    fresh_ms: int
    baud: int
    mode: str
    probe: int
    console_s: int
    bluetooth: int
    advert: str
    ghost_cell_mv: int
    current_reversed: int
    temp_messages: int
    values: list
    limit: array
    target_pct: "int | None"


def load(source: dict) -> Config:
    """Config from the owner's dict, e.g. {"profile": "m365", "cell_spread_warn_mv": 80}."""
    if not isinstance(source, dict):
        raise ConfigError("the configuration is %r; it must be a JSON object" % (source,))
    values = list(_DEFAULTS)
    name = source.get("profile", values[_PROFILE])
    _check(_PROFILE, name)
    profile = __import__("deckwatch.profiles." + name, None, None, ("OPTIONS",)).OPTIONS
    chemistry = source.get("chemistry", profile.get("chemistry", values[_CHEMISTRY]))
    _check(_CHEMISTRY, chemistry)
    full_mv, differences = _CHEMISTRIES[choices(_CHEMISTRY).index(chemistry)]
    for number, value in differences:
        values[number] = value
    values[_PROFILE] = name
    for options, known in ((profile, "family"), (source, "profile")):
        for option in options:
            if option != known:
                number = number_of(option)
                _check(number, options[option])
                values[number] = options[option]
    return _config(profile["family"], full_mv, values)


def _config(family: str, full_mv: int, values: list) -> Config:
    config = Config()
    config.family = family
    config.full_mv = full_mv
    config.values = values
    config.target_pct = values[_TARGET]
    (
        config.profile,
        config.series,
        config.chemistry,
        config.packs,
        config.design_mah,
        config.bleed_ma,
        config.dongle_ua,
        config.fresh_ms,
        config.baud,
        config.mode,
        config.probe,
        config.console_s,
        config.bluetooth,
        config.advert,
        config.ghost_cell_mv,
        config.current_reversed,
        config.temp_messages,
    ) = values[:FIRST_LIMIT]  # one by one by their names: so the linker knows them
    config.limit = array("i", bytes(4 * len(_OPTION)))
    for place in range(len(_OPTION)):
        config.limit[place] = _limit(config, place)
    return config


def _limit(config: Config, place: int) -> int:
    limit = config.values[_OPTION[place]]
    if limit is None or not config.series and place in _OF_SERIES:
        return UNARMED
    if config.packs == 1 and place in _OF_TWO_PACKS:
        return UNARMED
    if place in _IN_PERMILLE:
        return above_full_mv(config, limit)
    return limit


def above_full_mv(config: Config, permille: int) -> int:
    """Pack voltage that lies `permille` above full, mV, rounded to 10 mV (10S: 6 -> 42250)."""
    # at most 4.2 V * 1.08 * 32: below 2**28
    microvolts = config.full_mv * (1000 + permille) * config.series
    return (microvolts + 5000) // 10000 * 10


def as_found(source: dict, family: str, baud: int) -> dict:
    """The owner's options once more, for a `family` that was found on the wire at `baud`."""
    options = dict(source)
    options["profile"] = _FOUND.get((family, baud)) or _FOUND.get(family, family)
    return options


def number_of(option: str) -> int:
    """Refuses a name that is no option's."""
    at = -1 if " " in option else _NAMES.find(" " + option + " ")
    if at < 0:
        raise ConfigError('"%s" is no option; docs/guardrails.md has the list' % (option,))
    return _NAMES.count(" ", 0, at)


def name_of(number: int) -> str:
    """The name of an option."""
    return names.name_of(_NAMES, number + 1)  # it begins with a space


def choices(number: int) -> list:
    """The names an option chooses from, [] where it is a number."""
    for choosing, text in _CHOICES:
        if choosing == number:
            return text.split()
    return []


def _check(number: int, value) -> None:
    """Refuses a value that an option cannot have."""
    choosable = choices(number)
    if choosable:
        fits = value in choosable
        wanted = "one of: " + ", ".join(choosable)
    else:
        lowest, highest = _LOWEST[number], _HIGHEST[number]
        fits = type(value) is int and lowest <= value <= highest
        wanted = "a whole number from %d to %d" % (lowest, highest)
        if number >= FIRST_LIMIT:
            fits = fits or value is None
            wanted += ", or null for no limit"
    if not fits:
        raise ConfigError('"%s" is %r; it must be %s' % (name_of(number), value, wanted))
