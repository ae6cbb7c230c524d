"""Live values for the console, where the owner wants them told: console.py loads it for the first.

Lines of words: `live PACK slot=value...`, `link counter=value...`.
"""

from deckwatch.frame import BAD_CHECK, BAD_LENGTH, CUT, DAMAGED, FRAMES_IN, NOISE
from deckwatch.outputs.console import SLOT_NAMES
from deckwatch.telemetry import FIRST_LASTING, INDEX, KEPT, NO_PROBE, NOWHERE

_COUNTERS = (
    ("frames", FRAMES_IN),
    ("bad_check", BAD_CHECK),
    ("bad_length", BAD_LENGTH),
    ("cut", CUT),
    ("noise", NOISE),
    ("damaged", DAMAGED),
)
_FAULTS_A = INDEX["faults_a"]
_FAULTS_B = INDEX["faults_b"]


def values(t, now: int):
    """The fresh values of a pack, word by word."""
    end = SLOT_NAMES.find(" ")
    for slot in range(NOWHERE + 1, KEPT):
        at = end + 1
        end = SLOT_NAMES.find(" ", at)
        if slot == FIRST_LASTING:
            if t.cells:
                cells = [str(t.cell_mv[cell]) for cell in range(t.cells)]
                yield "cell_mv=" + ",".join(cells)
            if t.probes:
                temps = [_temp(t.temp_dc[probe]) for probe in range(t.probes)]
                yield "temp_dc=" + ",".join(temps)
        if t.fresh(slot, now) and slot != _FAULTS_A and slot != _FAULTS_B:
            yield "%s=%d" % (SLOT_NAMES[at:end], t.value[slot])


def _temp(dc: int) -> str:
    return "-" if dc == NO_PROBE else str(dc)


def counters(core):
    """What the framers have counted, and the link, word by word."""
    framers = [framer for framer in core.framers if framer is not None]
    for name, place in _COUNTERS:
        yield "%s=%d" % (name, sum([framer.numbers[place] for framer in framers]))
    link = core.link
    yield "unknown=%d requests=%d replies=%d" % (core.unknown, link.requests, link.replies)
    yield "overruns=%d score=%d worst=%d" % (link.overruns, link.score, link.worst)
