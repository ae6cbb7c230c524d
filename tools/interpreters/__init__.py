"""Where MicroPython's unix port comes from on this machine; called by tools/micropython.py."""

from .interpreter import WIDTHS, Interpreter
from .locate import NoInterpreter, find

__all__ = ["WIDTHS", "Interpreter", "NoInterpreter", "find"]
