"""What a person sees of a replay: `show` draws it live in a terminal, or prints a timeline."""

from packlab.view.player import show
from packlab.view.summary import Summary

__all__ = ["Summary", "show"]
