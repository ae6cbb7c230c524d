"""What to make of every guardrail, fault and error code: meaning, causes, what to do now, what to
check later. One data file a kind (.toml, .de.toml); book.py reads them, everybody else asks it."""

from packlab.advice.book import KINDS, LANGUAGES, Advice, book, error, kind_of_errors

__all__ = ["KINDS", "LANGUAGES", "Advice", "book", "error", "kind_of_errors"]
