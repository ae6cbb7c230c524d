"""How fast a line is, found from its edges: every usual speed is tried, and the one at which the
bytes have their stop bits and no pulse is too short is taken."""

from collections.abc import Sequence
from itertools import pairwise

from packlab.capture import LineSetting
from packlab.formats.wire.edge import Edge
from packlab.formats.wire.uart import Uart

# The boards' own speeds (protocol sheets: 9600, 19200, 76800, 115200) and what adapters offer.
USUAL_BAUDS = (
    1200, 2400, 4800, 9600, 14400, 19200, 28800, 38400, 57600, 76800, 115200, 230400, 250000,
    460800, 500000, 921600, 1000000,
)  # fmt: skip
_SHORT = 0.6  # of a bit: a pulse that no byte makes, even with a weak driver (xiaomi.md 1.1)
_ALIKE = 0.02  # shares of errors closer than this decide nothing
_ENOUGH_EDGES = 20  # some bytes' worth


def find_baud(edges: Sequence[Edge]) -> int | None:
    """The speed of one wire from its first edges, the first telling how the wire was; None where
    there are too few, or where no usual speed makes sense of them."""
    if len(edges) < _ENOUGH_EDGES:
        return None
    pulses = [after.t_ns - before.t_ns for before, after in pairwise(edges[1:])]
    shares = {baud: _errors(edges, pulses, baud) for baud in USUAL_BAUDS}
    least = min(shares.values())
    if least > 0.5:
        return None
    return min(baud for baud, share in shares.items() if share <= least + _ALIKE)


def _errors(edges: Sequence[Edge], pulses: Sequence[int], baud: int) -> float:
    """Share of what does not fit `baud`: bytes without stop bit, pulses too short for a bit."""
    uart = Uart("", LineSetting(baud))
    uart.begin(edges[0].t_ns, edges[0].level, tell_idle=False)
    for edge in edges[1:]:
        uart.edge(edge.t_ns, edge.level)
    short_ns = _SHORT * 1e9 / baud
    short = sum(pulse < short_ns for pulse in pulses)
    bad = uart.framing_errors + uart.glitches
    return bad / max(1, uart.bytes + bad) + short / len(pulses)
