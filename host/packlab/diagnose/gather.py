"""From what the user names to evidence: a capture and a trace are read as events, anything else as
a journal."""

from pathlib import Path

from packlab.capture import CaptureReader
from packlab.diagnose.evidence import Evidence, of_journal, of_trace
from packlab.replay import Settings
from packlab.traces import is_capture, is_trace, trace


def gather(source: str, settings: Settings) -> Evidence:
    """The evidence in a capture, a trace, a journal's file or folder, or at a dongle's port."""
    name = "standard input" if source == "-" else Path(source).name
    if is_capture(source):
        with CaptureReader(Path(source)) as reader:
            origin = reader.header.origin
        return of_trace(trace(source, settings), name, origin)
    if is_trace(source):
        return of_trace(trace(source, settings), name)
    from packlab.journal import read

    return of_journal(read(source), name)
