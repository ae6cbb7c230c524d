"""The advice as the phone page carries it: one JSON file a language, with title, meaning and what
to do now.

    {"language": "de", "guardrails": {CODE: {"title", "meaning", "now"[, "hint", "deep", "dead"]}},
     "faults": {NAME: …}, "scooter_errors": {"21": …}, "vesc_faults": {"4": …}}
"""

import json

from packlab.advice.book import KINDS, LANGUAGES, book

_CARRIED = ("title", "meaning", "now", "hint", "deep", "dead")
FILES = {f"host/packlab/phone/advice.{language}.json": language for language in LANGUAGES}


def for_the_phone(language: str) -> str:
    """The file's text."""
    pages: dict[str, object] = {"language": language}
    for kind in KINDS:
        pages[kind] = {
            code: {name: getattr(said, name) for name in _CARRIED if getattr(said, name)}
            for code, said in book(kind, language).items()
        }
    return json.dumps(pages, ensure_ascii=False, indent=1) + "\n"
