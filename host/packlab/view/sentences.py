"""An alert as a sentence: `Cells out of balance: spread 0.112 V (limit 0.100 V), cell 4`."""

from packlab.view import reports, units, words
from packlab.view.state import Alert


def alert(found: Alert, *, name_pack: bool) -> str:
    """Return what was found, where, against which limit; `name_pack` when there are several."""
    title = words.words(found.code).title
    return f"{title}: {_found(found, found.value)}{_where(found, name_pack=name_pack)}"


def over(found: Alert, *, name_pack: bool) -> str:
    """Return the same for an alert that has cleared, with the worst that was seen."""
    return _ended(found, "over", name_pack=name_pack)


def lost(found: Alert, *, name_pack: bool) -> str:
    """Return the same for an alert whose values have gone stale."""
    return _ended(found, "can no longer be seen", name_pack=name_pack)


def incidents(found: Alert, *, name_pack: bool) -> str:
    """Return how often it came, how bad it was and when."""
    times = "once" if found.count == 1 else f"{found.count} times"
    end = "the end" if found.until_ms is None else units.clock(found.until_ms)
    unseen = ", then unseen" if found.state == "unknown" else ""
    when = f"from {units.clock(found.first_ms)} to {end}{unseen}"
    return f"{_ended(found, times, name_pack=name_pack)}, {when}"


def advice(found: Alert, level: str) -> str:
    """Return what to do about it at this level."""
    if found.fault:
        return reports.fault_advice(found.fault) or words.words(found.code).advice
    if found.error:
        return reports.error_advice(found.error, found.family) or words.words(found.code).advice
    return words.advice(found.code, level, found.worst)


def _found(found: Alert, value: int) -> str:
    if found.fault:
        return reports.fault(found.fault)
    if found.error:
        return reports.error(found.error, found.family)
    text = units.quantity(found.unit, value)
    if found.unit in units.COUNTED:
        return text
    return f"{text} (limit {units.value(found.unit, found.limit)})"


def _ended(found: Alert, how: str, *, name_pack: bool) -> str:
    title = words.words(found.code).title
    return f"{title}: {how}, {_worst(found)}{_where(found, name_pack=name_pack)}"


def _worst(found: Alert) -> str:
    if found.fault or found.error or found.unit in units.COUNTED:
        return _found(found, found.worst)
    towards = "down" if found.unit in units.LOWER_IS_WORSE else "up"
    return f"{towards} to {units.value(found.unit, found.worst)}"


def _where(found: Alert, *, name_pack: bool) -> str:
    text = ""
    if found.cell:
        text += f", cell {found.cell}"
    if found.probe:
        text += f", probe {found.probe}"
    return f"{text}, pack {found.pack}" if name_pack else text
