"""Reads the advice files into typed entries and refuses what is not whole.

Called by the views, documents, findings and the phone page's export. A file is one kind, a table
one code; in German there are title, meaning and what to do now.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from packlab.errors import PacklabError

KINDS = ("guardrails", "faults", "scooter_errors", "vesc_faults")
LANGUAGES = ("en", "de")

_TEXTS = ("title", "meaning", "now", "later", "hint", "deep", "dead")
_WANTED = {"en": ("title", "meaning", "causes", "now", "later"), "de": ("title", "meaning", "now")}


@dataclass(frozen=True, slots=True)
class Advice:
    """One code. title: a few words. meaning: one sentence. causes: the likeliest first. now: what
    to do; hint: instead of it where the level is info. later: what to check when there is time.
    deep, dead: instead of `now` for a group at 2.0 V or less, and below 1.5 V."""

    title: str
    meaning: str
    now: str
    causes: tuple[str, ...] = ()
    later: str = ""
    hint: str = ""
    deep: str = ""
    dead: str = ""


@cache
def book(kind: str, language: str = "en") -> Mapping[str, Advice]:
    """All entries of a kind, by code, in the order of the file."""
    name = f"{kind}.toml" if language == "en" else f"{kind}.{language}.toml"
    text = (files("packlab.advice") / name).read_text("utf-8")
    return {code: _entry(name, code, row, language) for code, row in tomllib.loads(text).items()}


def _entry(name: str, code: str, row: Mapping[str, object], language: str) -> Advice:
    missing = [field for field in _WANTED[language] if not row.get(field)]
    strange = set(row) - set(_TEXTS) - {"causes"}
    if missing or strange:
        wrong = f"lacks {missing[0]}" if missing else f"does not know {min(strange)}"
        raise PacklabError(f"{name}: [{code}] {wrong}; mend it there")
    causes = row.get("causes", [])
    texts = {field: row.get(field, "") for field in _TEXTS}
    if not isinstance(causes, list) or not all(
        isinstance(text, str) for text in [*texts.values(), *causes]
    ):
        raise PacklabError(f"{name}: [{code}] must hold texts, and causes a list of them")
    return Advice(causes=tuple(causes), **{field: str(text) for field, text in texts.items()})


def kind_of_errors(family: str) -> str:
    """Which book a controller's error numbers are in: a VESC counts in its own way."""
    return "vesc_faults" if family == "vesc" else "scooter_errors"


def error(number: int, family: str) -> Advice | None:
    """What a controller's error number means in this family, None where nobody knows."""
    return book(kind_of_errors(family)).get(str(number))
