"""The limits in force, by the rows of the guardrails' table and by their options' names: the
firmware knows them by their places alone."""

from typing import Any

from packlab.checkout import firmware


def of_row(settings: Any, row: Any) -> list[Any]:
    """Limits of one guardrail row in the unit of its slot, one per level; None = unarmed."""
    compiled = firmware("guardrails.compiled")
    unarmed = firmware("guardrails.rules").UNARMED
    number = firmware("guardrails.table").ROWS.index(row)
    first = compiled.RULES[number * compiled.RULE + compiled.FIRST]
    limits = settings.limit[first : first + len(row[8])]
    return [None if limit == unarmed else limit for limit in limits]


def by_name(settings: Any) -> dict[str, int | None]:
    """Limits in the unit of their options, None = no limit."""
    names, first = firmware("options").names(), firmware("config").FIRST_LIMIT
    return dict(zip(names[first:], settings.values[first : len(names)], strict=True))


def ranges() -> dict[str, tuple[int, int]]:
    """Lowest and highest of every limit's option."""
    return {name: allowed for name, _, allowed in firmware("options").limits()}
