"""What battery boards and controllers say of themselves: fault names and error numbers in words.

The words are the advice's. Error numbers are those of Xiaomi's and Ninebot's controllers unless
the family is one that counts in its own way.
"""

from packlab.advice import book
from packlab.advice import error as advice_on


def fault(name: str) -> str:
    """Return a fault name of the firmware in words."""
    faults = book("faults")
    return faults[name].title if name in faults else name.replace("_", " ")


def fault_advice(name: str) -> str:
    """Return what to do about a fault, '' where nobody knows."""
    faults = book("faults")
    return faults[name].now if name in faults else ""


def error(number: int, family: str = "") -> str:
    """Return an error number with its meaning."""
    said = advice_on(number, family)
    return f"number {number}, {said.title if said else 'meaning not known'}"


def error_advice(number: int, family: str = "") -> str:
    """Return what to do about an error number, '' where nobody knows."""
    said = advice_on(number, family)
    return said.now if said else ""
