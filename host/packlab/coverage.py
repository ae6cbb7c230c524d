"""Which guardrails are watched: by family, mode of the dongle and session; from the firmware's own
tables, and from what each family's fake packs answer to the family's own requests.
docs/guardrails.md has the table; nobody keeps it by hand.
"""

from collections.abc import Iterator
from functools import cache
from random import Random
from typing import Any

from packlab import limits
from packlab.checkout import firmware
from packlab.fake import families
from packlab.made.scenes import scene
from packlab.made.story import Story

RIDING, STANDING, CHARGING = SESSIONS = "RSC"
# What passes by on the line while somebody else asks; what an app's or the dongle's own requests
# bring. Where a scooter's controller is the one who asks, assist begins only when it sleeps.
SCOOTER_MODES, BOARD_MODES = ("listen", "app asks", "assist"), ("listen", "poll")
SCOOTERS = ("xiaomi", "ninebot")

_STAND_INS = ("emulator", "attiny", "rita", "rita_new", "bare", "happy", "botox")
_GATES = {
    "": SESSIONS,
    "charging": CHARGING,
    "riding": RIDING,
    "braking": RIDING,
    "resting": STANDING,
    "still": STANDING + CHARGING,
}
# What only a load can tell
_OF_A_LOAD = (
    "weak_ratio_pct",
    "weak_sag_mv",
    "sag_permille",
    "resistance_pct",
    "trip_ma",
    "trip_fet",
    "share_pct",
    "frozen_load_ms",
    "frozen_ride_ms",
)
_LISTS = {"cell_mv": "cells", "temp_dc": "probes", "wire_mohm": "wires"}
_STEP_MS = 200


def modes(family: str) -> tuple[str, ...]:
    """The modes that make a difference on this family's line."""
    return SCOOTER_MODES if family in SCOOTERS else BOARD_MODES


def boards(family: str) -> list[str]:
    """The fake packs of a family that are packs."""
    return [name for name in families.profiles(family) if name not in _STAND_INS]


def settings(family: str, **options: Any) -> Any:
    """The options of the family's plainest profile."""
    config = firmware("config")
    profile = config.as_found({}, family, 115200)["profile"]
    return config.load({"profile": profile, **options})


def asked(family: str, board: str) -> Any:
    """The core after a pack has been asked all the family's requests, twice."""
    profile = families.profile(family, board)
    stories = [
        Story(scene("parked", profile.spec, profile.limits), Random(number))
        for number in range(profile.packs)
    ]
    fake = profile.make(stories, Random(1))
    core = firmware("pipeline").Pipeline(settings(family), _Deaf())
    ms = 1000
    for _ in range(2):
        for _, request, _, _ in firmware(f"protocols.{family}").REQUESTS:
            asked = bytes.fromhex(request)
            _hear(core, 1, asked, ms)
            for _, reply in fake.hear(asked, ms * 1000):
                _hear(core, 0, reply, ms + 50)
            ms += _STEP_MS
            core.tick(ms)
    return core


@cache
def answered(family: str, board: str) -> frozenset[str]:
    """Slots that are known then, of the first pack."""
    telemetry = asked(family, board).packs[0].telemetry
    names = firmware("telemetry").SLOTS
    known = {name for slot, name in enumerate(names) if telemetry.seen[slot]}
    return frozenset(known | {name for name, size in _LISTS.items() if getattr(telemetry, size)})


class _Deaf:
    def on_alert(self, alerts: Any, code: int) -> None:
        """Nobody listens."""


def _hear(core: Any, port: int, data: bytes, ms: int) -> None:
    chunk = firmware("framer").CHUNK
    for start in range(0, len(data), chunk):
        part = data[start : start + chunk]
        core.feed(port, bytearray(part.ljust(chunk, b"\0")), len(part), ms)


def watched(family: str, mode: str, code: str) -> str:
    """Sessions in which a guardrail is watched, letters of SESSIONS; small ones: by some boards of
    the family only; in brackets: once the owner has set what it needs (a rating, `series`,
    `packs`)."""
    rows = [row for row in firmware("guardrails.table").ROWS if row[0] == code]
    plain = _sessions(family, mode, rows, settings(family))
    if plain:
        return plain
    wished = {name: high for name, (_, high) in limits.ranges().items()}
    most = min(2, max(board.packs for board in families.profiles(family).values()))
    able = _sessions(family, mode, rows, settings(family, series=10, packs=most, **wished))
    return f"({able})" if able else ""


def _sessions(family: str, mode: str, rows: list[Any], options: Any) -> str:
    if mode == "listen":
        known = [frozenset(firmware("passing").names(firmware(f"protocols.{family}").STEADY))]
    else:
        known = [answered(family, board) for board in boards(family)]
    possible = STANDING + CHARGING if mode == "assist" else SESSIONS
    some = [set(_of_slots(rows, slots, options)) for slots in known]
    letters = ""
    for session in possible:
        if all(session in found for found in some):
            letters += session
        elif any(session in found for found in some):
            letters += session.lower()
    return letters


def can_judge(row: Any, slots: Any, options: Any) -> bool:
    """Has a row of the table a limit, and all it stands on among these measured slots?"""
    told = set(slots)
    if options.series or "cell_mv" in told:
        told.add("groups")
    if options.design_mah or "design_mah" in told:
        told.add("design")
    if options.packs > 1:
        told.add("second")
    if "board_temp_dc" in told:  # judged by the same rows as the MOSFETs'
        told.add("mos_temp_dc")
    armed = any(limit is not None for limit in limits.of_row(options, row))
    return armed and told.issuperset(firmware("guardrails.table").needs(row))


def _of_slots(rows: list[Any], slots: Any, options: Any) -> Iterator[str]:
    """Sessions in which one of the rows can be judged on these measured slots."""
    table = firmware("guardrails.table")
    for row in rows:
        if row[0] in table.OF_THE_LINE or can_judge(row, slots, options):
            yield from RIDING if row[1] in _OF_A_LOAD else _GATES[row[3]]
