"""What JK boards send to a display, one way and once a second at 2400 baud (sheet jk.md 5), and
the active balancer B1A24S / B2A24S, asked at 9600 baud (sheet 6). jk.py calls the functions here.

    A5 5A 5D 82 10 00 | 90 bytes         B and BD boards, big endian like all here
    5A A5 21 82 10 00 | 30 bytes         PB boards
    5A A5 39 82 12 10 | 54 bytes         their cells
    EB 90 address FF | 69 bytes | sum    the balancer

Display frames have no check, the balancer's sum lets one wrong frame in 256 through: values count
only when those that must agree do. One with a cell that reads 0 because its wire is broken is
therefore not believed either.
"""

from micropython import const

from deckwatch.faults import FAULTS
from deckwatch.fields import read
from deckwatch.frame import READ, REPLY
from deckwatch.protocols import jk02
from deckwatch.rows import compiled, moved
from deckwatch.telemetry import INDEX

# Places are those behind the six bytes of the header.
DISPLAY = (
    (0, ">H", "pack_mv", 10),
    (2, ">h", "current_ma", 100),
    (6, ">H", "soc_pct"),
    (18, ">H", "balancing"),
    (20, ">H", "charge_fet"),
    (22, ">H", "discharge_fet"),
)
DISPLAY_TEMPS = (
    (10, ">h", "mos_temp_dc", 10),
    (12, ">h", "temp_dc", 10),
)
# One word each from place 72 on; the sheet says "over-voltage", not of what
DISPLAY_ALARMS = (
    "cell_under_voltage",
    "cell_over_voltage",
    "discharge_over_current",
    "board_over_temperature",
    "over_temperature",
    "short_circuit",
    "communication",
    "sense_wire",
    "cell_count",
)
PB_MAIN = (
    (0, ">H", "pack_mv", 10),
    (2, ">h", "current_ma", 100),
    (4, ">H", "soc_pct"),
    (10, ">H", "remaining_mah", 100),
    (14, ">h", "temp_dc", 10),
    (24, ">H", "charge_fet"),
    (26, ">H", "discharge_fet"),
)
# Places in the whole frame. Alarm bit 0, "wrong cell count", is set in every real frame although
# the counts agree: left alone.
BALANCER = (
    (4, ">H", "pack_mv", 10),
    (8, "B", "cell_count"),
    (11, "B", "balancing"),
    (12, "B", "faults", ((1, "sense_wire", 1), (2, "cell_over_voltage", 1))),
    (15, ">H", "balance_ma"),
    (17, ">H", "balance_on_mv"),
    (71, ">h", "board_temp_dc"),
)
CELLS = ((0, ">H", "cell_mv", 1, 1, 0, 24),)

_ALARMS = bytes([FAULTS.index(name) for name in DISPLAY_ALARMS])  # all in the first word
# Where the lists lie in one table, apart as far as the longest frame reaches
_CELLS = const(0)
_DISPLAY = const(0x80)
_DISPLAY_TEMPS = const(0x100)
_PB_MAIN = const(0x180)
_BALANCER = const(0x200)
_ROWS = compiled(
    CELLS
    + moved(DISPLAY, _DISPLAY)
    + moved(DISPLAY_TEMPS, _DISPLAY_TEMPS)
    + moved(PB_MAIN, _PB_MAIN)
    + moved(BALANCER, _BALANCER)
)

_PACK = INDEX["pack_mv"]

IMPLAUSIBLE = "implausible"  # a kind of frame: whole, but its values contradict each other

_HEAD = const(6)
_LEAST_MV = const(500)
_MOST_MV = const(5000)


def decode_display(frame, packs) -> None:
    """A B or BD board's frame."""
    buf = frame.buf
    body = _begin(frame)
    t = packs[0]
    cells = jk02.fitted(buf, body + 24, 24)
    if not _are_cells(buf, body + 24, cells, 10 * _word(buf, body)) or _word(buf, body + 6) > 100:
        frame.kind = IMPLAUSIBLE
        return
    read(_ROWS, buf, body, _DISPLAY, frame.body_size, t)
    read(_ROWS, buf, body + 24, _CELLS, 2 * cells, t)
    # A board that does not tell its temperatures sends 0 for both (the 8S frame in the sheet)
    if _word(buf, body + 10) or _word(buf, body + 12):
        read(_ROWS, buf, body, _DISPLAY_TEMPS, frame.body_size, t)
    faults = 0
    for number in range(len(_ALARMS)):
        if _word(buf, body + 72 + 2 * number):
            faults |= 1 << _ALARMS[number]
    t.add_faults(faults, 0)


def decode_pb(frame, packs) -> None:
    """A PB board's main frame."""
    buf = frame.buf
    body = _begin(frame)
    t = packs[0]
    pack_mv = 10 * _word(buf, body)
    # place 20 is the mean of the cells; how many there are is known once their frame has passed
    mean = _is_near(t.cells * _word(buf, body + 20), pack_mv) if t.cells else True
    if mean and _is_charge(_word(buf, body + 4), _word(buf, body + 8), _word(buf, body + 10)):
        read(_ROWS, buf, body, _PB_MAIN, frame.body_size, t)
    else:
        frame.kind = IMPLAUSIBLE


def decode_pb_cells(frame, packs) -> None:
    """A PB board's cells, 16 at most; their sum is compared with the main frame's voltage."""
    buf = frame.buf
    body = _begin(frame)
    t = packs[0]
    cells = jk02.fitted(buf, body, 16)
    pack_mv = t.value[_PACK] if t.fresh(_PACK, frame.now) else jk02.sum_mv(buf, body, cells, 1)
    charge = _is_charge(_word(buf, body + 34), _word(buf, body + 36), _word(buf, body + 38))
    if charge and _are_cells(buf, body, cells, pack_mv):
        read(_ROWS, buf, body, _CELLS, 2 * cells, t)
    else:
        frame.kind = IMPLAUSIBLE


def decode_paint(frame) -> None:
    """Colours, pages and figures for the display alone."""
    frame.kind = "paint"
    frame.is_reply = True


def decode_balancer(frame, packs) -> None:
    """The balancer's status; a frame that is not for its reader (address | FF) stays unknown."""
    buf = frame.buf
    at = frame.at
    if buf[at + 3] != 0xFF:
        return
    _begin(frame)
    cells = jk02.fitted(buf, at + 23, 24)
    if _are_cells(buf, at + 23, cells, 10 * _word(buf, at + 4)):
        read(_ROWS, buf, at, _BALANCER, frame.size, packs[0])
        read(_ROWS, buf, at + 23, _CELLS, 2 * cells, packs[0])
    else:
        frame.kind = IMPLAUSIBLE


def decode_balancer_read(frame) -> None:
    """Somebody asks the balancer."""
    frame.kind = READ
    frame.is_request = True


def _begin(frame) -> int:
    """Fills in what all frames with values share; returns the place of the first one."""
    frame.kind = REPLY
    frame.is_reply = True
    frame.body = frame.at + _HEAD
    frame.body_size = frame.size - _HEAD
    return frame.body


def _word(buf, at: int) -> int:
    return buf[at] << 8 | buf[at + 1]


def _are_cells(buf, at: int, cells: int, pack_mv: int) -> bool:
    """Can these be the cells of a pack of this voltage? Each is 0 or 0.5 to 5 V (sheet 5.1)."""
    for place in range(at, at + 2 * cells, 2):
        mv = _word(buf, place)
        if mv and not _LEAST_MV <= mv <= _MOST_MV:
            return False
    return cells > 0 and _is_near(jk02.sum_mv(buf, at, cells, 1), pack_mv)


def _is_near(mv: int, pack_mv: int) -> bool:
    """Within 3 %."""
    return 100 * abs(mv - pack_mv) <= 3 * pack_mv


def _is_charge(soc_pct: int, full: int, remaining: int) -> bool:
    """Do percentage and what remains of the capacity agree, within 2 points?"""
    return soc_pct <= 100 and abs(soc_pct * full - 100 * remaining) <= 2 * full
