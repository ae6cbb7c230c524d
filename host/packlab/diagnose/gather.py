"""From what the user names to evidence: a capture and a trace are read as events, anything else as
a journal."""

from pathlib import Path

from packlab import formats
from packlab.diagnose.evidence import Evidence, of_journal, of_trace
from packlab.replay import Settings
from packlab.traces import is_capture, is_trace, trace


def gather(source: str, settings: Settings, reading: formats.Options | None = None) -> Evidence:
    """The evidence in a capture, a trace, a journal's file or folder, or at a dongle's port.
    reading: what is said about a capture's file."""
    name = "standard input" if source == "-" else Path(source).name
    if is_capture(source):
        origin = formats.header_of(Path(source), reading).origin
        return of_trace(trace(source, settings, reading=reading), name, origin)
    if is_trace(source):
        return of_trace(trace(source, settings), name)
    from packlab.journal import read

    return of_journal(read(source), name)
