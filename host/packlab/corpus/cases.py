"""Which captures a folder holds, and how each of them is replayed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from packlab import formats
from packlab.capture import Chunk, Event, Header
from packlab.checkout import firmware
from packlab.errors import PacklabError
from packlab.identify import identify
from packlab.replay import Settings
from packlab.session import NO_FAULTS, Spoiling

_HEARD = 400  # events at a capture's beginning by which its family is told


@dataclass(frozen=True, slots=True)
class Case:
    """One capture and how to replay it.

    name: its path below the folder searched, or its whole path where several were. reading: what
    the user says about its file. spoiling: line faults to lay over it.
    """

    path: Path
    name: str
    settings: Settings
    reading: formats.Options | None = None
    spoiling: Spoiling = NO_FAULTS


def find(
    places: Sequence[Path],
    settings: Settings,
    *,
    reading: formats.Options | None = None,
    spoiling: Spoiling = NO_FAULTS,
) -> list[Case]:
    """The captures among files and below folders, in order of their names.

    PacklabError when there is none, or when the configuration would be refused.
    """
    _check(settings)
    cases = [
        Case(path, _name(path, places), settings, reading, spoiling)
        for place in places
        for path in _captures(place)
    ]
    if not cases:
        where = ", ".join(map(str, places))
        endings = ", ".join(one.suffix for one in formats.all_formats())
        raise PacklabError(f"{where} holds no capture ({endings}); name another place")
    return cases


def _captures(place: Path) -> list[Path]:
    """A file is taken whatever it is called."""
    if not place.is_dir():
        return [place]
    return sorted(path for path in place.rglob("*") if is_capture(path))


def _name(path: Path, places: Sequence[Path]) -> str:
    """Below the one place there is; whole where there are several."""
    if len(places) > 1:
        return path.as_posix()
    return path.relative_to(places[0]).as_posix() if path != places[0] else path.name


def is_capture(path: Path) -> bool:
    """Whether it is one, of any format; half-written ones begin with a dot."""
    return not path.name.startswith(".") and formats.is_recording(path)


def _check(settings: Settings) -> None:
    """A mistyped option is told once, before anything runs."""
    rules = firmware("config")
    try:
        rules.load(settings.config)
    except rules.ConfigError as error:
        raise PacklabError(f"the configuration is refused: {error}") from error


def settled(case: Case) -> Settings:
    """The case's settings with a profile: the one asked for, else the one the capture's header
    names (`# profile: jbd`), else the one of the family that speaks on it."""
    config = case.settings.config
    if "profile" in config:
        return case.settings
    with formats.reading(case.path, case.reading) as recording:
        named = dict(recording.header.notes).get("profile")
        profile = named or _heard(recording.events, recording.header)
    return replace(case.settings, config={**config, "profile": profile})


def _heard(events: Iterable[Event], header: Header) -> str:
    """The profile for the family that speaks first; the usual one where nobody can tell."""
    beginning = list(islice(events, _HEARD))
    rules = firmware("config")
    default: str = firmware("options").DEFAULT_PROFILE
    if not any(isinstance(event, Chunk) for event in beginning):
        return default
    sure = max(identify(beginning, header), key=lambda finding: finding.sure_pct)
    found: dict[str, str] = rules.as_found({}, sure.family, sure.baud)
    return found["profile"] if sure.family else default
