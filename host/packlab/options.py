"""Every option of the dongle with its default, range and meaning; what a configuration amounts to
and where each value comes from; what is wrong with one.

`packlab config` and docs/configuration.md read it. The facts are the firmware's own tables, and
what is refused is refused in the firmware's own words.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from packlab.checkout import firmware
from packlab.view.conditions import CONDITIONS, GATES, SENSES

UNITS = {
    "mv": "mV",
    "ma": "mA",
    "mah": "mAh",
    "ms": "ms",
    "s": "s",
    "min": "min",
    "h": "h",
    "days": "days",
    "charges": "charges",
    "pct": "%",
    "permille": "‰",
    "dc": "0.1 °C",
    "uohm": "µΩ",
    "mohm": "mΩ",
    "ppm": "bits in 1,000,000",
}
ORIGINS = ("default", "chemistry", "profile", "owner")
PROFILE = "profile"


@dataclass(frozen=True, slots=True)
class Option:
    """One option. default: None = no limit until set. choices: what it chooses from, () where it
    is a number from lowest to highest. nullable: null switches the limit off."""

    name: str
    default: Any
    meaning: str
    choices: tuple[str, ...] = ()
    lowest: int = 0
    highest: int = 0
    nullable: bool = False

    @property
    def unit(self) -> str:
        """In which its number counts, "" for none."""
        return "" if self.choices else UNITS.get(self.name.rpartition("_")[2], "")

    @property
    def allowed(self) -> str:
        """`3300 … 4400, null` or `nmc, lfp`."""
        if self.choices:
            return ", ".join(self.choices)
        return f"{self.lowest} … {self.highest}" + (", null" if self.nullable else "")


@dataclass(frozen=True, slots=True)
class Setting:
    """An option's value in a configuration, and which of ORIGINS it comes from."""

    option: Option
    value: Any
    origin: str


def options() -> list[Option]:
    """All options: the profile, the general ones, every limit in the order of the guardrails."""
    table, rows_of = firmware("guardrails.table"), firmware("options")
    found = [
        Option(
            PROFILE,
            rows_of.DEFAULT_PROFILE,
            "which pack it is: sets the options below",
            choices=tuple(firmware("index").PROFILES),
        )
    ]
    for name, default, allowed, meaning in rows_of.OPTIONS:
        if isinstance(allowed[0], str):
            found.append(Option(name, default, meaning, choices=tuple(allowed)))
        else:
            found.append(Option(name, default, meaning, lowest=allowed[0], highest=allowed[1]))
    rows: dict[str, list[tuple[Any, Any]]] = {}
    for row in table.ROWS:
        for level, name in zip(row[8], table.option_names(row), strict=True):
            if name:
                rows.setdefault(name, []).append((row, level))
    for name, places in rows.items():
        _, default, lowest, highest, _ = places[0][1]
        meaning = _limit_meaning(name, places)
        found.append(Option(name, default, meaning, lowest=lowest, highest=highest, nullable=True))
    return found


def _limit_meaning(name: str, places: list[tuple[Any, Any]]) -> str:
    """`warn while charging: hottest probe ≥ this`; a gate only where all rows have it."""
    levels = firmware("alert").LEVELS
    row, level = places[0]
    wanted = f"{SENSES[row[2]]} this"
    if name.endswith("_permille") and row[1] == "pack_mv":
        wanted = "more than this above full"
    said = CONDITIONS[row[1]].format(wanted)
    gates = {place[0][3] for place in places}
    gate = GATES[row[3]] if len(gates) == 1 else ""
    return f"{levels[level[0]]} {gate + ':' if gate else 'when'} {said}"


def in_force(source: Mapping[str, Any]) -> list[Setting]:
    """What a valid configuration amounts to, option by option."""
    loaded = firmware("config").load(dict(source))
    profile = dict(firmware(f"profiles.{loaded.profile}").OPTIONS)
    chemistry = source.get("chemistry", profile.get("chemistry", "nmc"))
    differing = firmware("options").CHEMISTRIES[chemistry][1]
    rows = []
    for number, option in enumerate(options()):
        origin = next(
            (
                name
                for name, given in (
                    ("owner", source),
                    ("profile", profile),
                    ("chemistry", differing),
                )
                if option.name in given
            ),
            "default",
        )
        rows.append(Setting(option, loaded.values[number], origin))
    return rows


def wrong(source: Mapping[str, Any]) -> Iterator[str]:
    """One sentence for each option the firmware refuses, by name and with its range."""
    config = firmware("config")
    base: dict[str, Any] = {}
    rest = [name for name in source if name not in (PROFILE, "chemistry")]
    for name in (PROFILE, "chemistry", *rest):
        if name not in source:
            continue
        try:
            config.load({**base, name: source[name]})
        except config.ConfigError as refusal:
            yield str(refusal) + _guess(name)
        else:
            if name not in rest:
                base[name] = source[name]


def _guess(name: str) -> str:
    known = [option.name for option in options()]
    near = [] if name in known else get_close_matches(name, known, 1)
    return f'; "{near[0]}" is meant?' if near else ""


def shadowed(source: Mapping[str, Any]) -> Iterator[str]:
    """Limits that can never speak, because a graver one comes first; the firmware takes them."""
    table, levels = firmware("guardrails.table"), firmware("alert").LEVELS
    values = {row.option.name: row.value for row in in_force(source)}
    told = set()
    for row in table.ROWS:
        armed = [
            (levels[level[0]], name, values[name])
            for level, name in zip(row[8], table.option_names(row), strict=True)
            if name and values[name] is not None
        ]
        sign = 1 if row[2].startswith(">") else -1
        for place, (_, milder, limit) in enumerate(armed):
            for graver_level, graver, other in armed[place + 1 :]:
                if (limit - other) * sign > 0 and (milder, graver) not in told:
                    told.add((milder, graver))
                    yield (
                        f'"{milder}" is {limit}, which is never reached: "{graver}" at {other} '
                        f"is {graver_level} before"
                    )
