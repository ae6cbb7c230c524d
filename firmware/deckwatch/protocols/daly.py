"""Daly smart boards in their three dialects: A5, D2, and 81 asked / 51 answered (daly.md).

    A5 | address | command | 08 | data 8 | sum    both ways; hosts from 20 up, boards 01 to 10
    D2 03 | register | count | crc                a read; 81, 82 ... to boards with a number
    D2 03 | bytes | data | crc                    its reply; 51, 52 ... from those

Cells come three to an A5 frame and are handed on when a set is whole; replies of the other
dialects do not name their registers. Both need a Memory.
"""

from array import array

from micropython import const

from deckwatch.fields import read
from deckwatch.frame import ACK, READ, REPLY, UNKNOWN, WRITE
from deckwatch.framings import framed
from deckwatch.passing import bits
from deckwatch.protocols import daly_map
from deckwatch.rows import compiled, requested
from deckwatch.telemetry import INDEX, MAX_CELLS, NOWHERE
from deckwatch.ticks import age_ms

BAUDS = (9600,)

_BLOCK = (2, "B", 5, 7, 5 + 250)
_CRC = ("crc16_modbus", 0, 2, 2, "<H")
_EIGHT = (0, "", 8, 8, 8)  # a read, a write, and what acknowledges a write
_ASKED = (0x81, 0x90)  # sixteen numbered boards
_ANSWERING = (0x51, 0x60)
FRAMING = (
    (b"\xa5", (3, "B", 5, 13, 13), ("sum8", 0, 1, 1, "B"), b""),
    (b"\xd2", _EIGHT, _CRC, b""),
    (b"\xd2\x03", _BLOCK, _CRC, b""),
    (b"\x03", _EIGHT, _CRC, b"", 0, _ASKED),
    (b"\x03", _BLOCK, _CRC, b"", 0, _ANSWERING),
    (b"\x06", _EIGHT, _CRC, b"", 0, _ASKED),
    (b"\x06", _EIGHT, _CRC, b"", 0, _ANSWERING),
)
FRAMES = framed(FRAMING)

STEADY = bits(
    "pack_mv",
    "current_ma",
    "soc_pct",
    "charging_flag",
    "charge_fet",
    "discharge_fet",
    "faults_a",
    "temp_dc",
    "cell_mv",
)

OPEN_DC = -400  # raw 0
SHORT_DC = 1500  # no source says what a shorted probe reads; nothing else reads so much

# A board answers one dialect, few answer two (sheet 0).
REQUESTS = (
    ("a5_counts", "a5409408000000000000000081", REPLY, 2000),
    ("a5_pack", "a540900800000000000000007d", REPLY, 1000),
    ("a5_state", "a5409308000000000000000080", REPLY, 1000),
    ("a5_cells", "a5409508000000000000000082", REPLY, 1000),
    ("a5_temperatures", "a5409608000000000000000083", REPLY, 2000),
    ("a5_alarms", "a5409808000000000000000085", REPLY, 2000),
    ("a5_balance", "a5409708000000000000000084", REPLY, 5000),
    ("a5_rated", "a540500800000000000000003d", REPLY, 600000),
    ("a5_limits", "a5405908000000000000000046", REPLY, 600000),
    ("d2_status", "d2030000003ed7b9", REPLY, 1000),
    ("d2_board", "d203003e0009f7a3", REPLY, 5000),
    ("d2_settings", "d20300800029965f", REPLY, 600000),
    ("d2_version", "d20300a900208791", REPLY, 600000),
    ("81_cells", "8103000000405bfa", REPLY, 1000),
    ("81_state", "81030041003e8bce", REPLY, 1000),
    ("81_version", "81030178004a5a18", REPLY, 600000),
)
QUESTIONS = requested(REQUESTS)

_A5 = compiled(daly_map.A5)
_D2 = compiled(daly_map.D2)
_H81 = compiled(daly_map.H81)
# slot, least, most; slot, ...
_LIMITS = tuple([
    number
    for slot, least, most in daly_map.LIMITS
    if INDEX[slot] != NOWHERE
    for number in (INDEX[slot], least, most)
])  # fmt: skip
# bytes to the next one, first byte, bytes, first register, then place, least, most of each word
_GUESSES = b"".join([
    bytes([4 + 3 * len(fits), head, size, start]) + b"".join([bytes(word) for word in fits])
    for head, size, start, fits in daly_map.GUESSES
])  # fmt: skip

_CURRENT = INDEX["current_ma"]
_PACK = INDEX["pack_mv"]
_FAULTS_A = INDEX["faults_a"]

_BOARDS = const(2)
_FROM_HOST = const(0x20)  # A5 addresses from here on are hosts'
_LAST_BOARD = const(0x10)
_D2_ADDRESS = const(0xD2)
_FIRST_ASKED = const(0x81)
_FIRST_ANSWERING = const(0x51)

_MOMENT_MS = const(500)  # longest a set of cells may take: 16 frames last 217 ms (sheet 1)
_PATIENCE_MS = const(1000)
_PAIR_MS = const(1000)  # furthest apart current and state may lie to be compared
_CLEAR_MA = const(2000)  # below this the state is not to be trusted: up to 2.5 A read as 0
_CONTRADICTIONS = const(5)
_MOST_CELLS = const(48)
_MOST_PROBES = const(21)
_LEAST_MV = const(1000)  # per cell: even a dead pack's voltage is told, a slip is not
_MOST_MV = const(5000)
_CHARGE_OVER_CURRENT = const(8)  # place in faults.FAULTS; the discharge one is next
_OVER_CURRENTS = const(3 << 8)

# Memory.boards, each for both of them
_REVERSED = const(0)  # 1 = counts its current the other way round than its dialect does
_CELLS = const(2)  # how many the board has, 0 = not said yet; so the next
_PROBES = const(4)
_CONTRADICTED = const(6)  # so often in a row its state has contradicted its current
_HAD_ZERO = const(8)  # the last set held a cell at 0 V


class Memory:
    """What must be kept between frames, per board where boards differ.

    register: first register of the last unanswered read.
    """

    def __init__(self) -> None:
        self.boards = bytearray(5 * _BOARDS)
        self.set_mv = array("H", bytes(2 * _BOARDS * MAX_CELLS))
        self.set_frames = array("H", bytes(2 * _BOARDS))  # bit n: frame n + 1 of the set is in
        self.set_at = array("i", bytes(4 * _BOARDS))
        self.answerer = 0  # first byte the awaited reply has, 0 = none awaited
        self.register = 0
        self.bytes = 0
        self.asked_at = 0

    def configure(self, config) -> None:
        """Takes the owner's word on the current's direction; the board's state may correct it."""
        for board in range(_BOARDS):
            self.boards[_REVERSED + board] = config.current_reversed

    def count(self, board: int, cells: int, probes: int) -> None:
        """The board says how many cells and probes it has."""
        if 1 <= cells <= _MOST_CELLS and probes <= _MOST_PROBES:
            if cells != self.boards[_CELLS + board]:
                self.set_frames[board] = 0
            self.boards[_CELLS + board] = cells
            self.boards[_PROBES + board] = probes

    def believes(self, board: int, has_zero: bool) -> bool:
        """Is a set of cells to be handed on? One at 0 V must be there twice: boards slip (5)."""
        had_zero = self.boards[_HAD_ZERO + board]
        self.boards[_HAD_ZERO + board] = has_zero
        return bool(had_zero) or not has_zero


def decode(frame, packs, memory) -> None:
    """Meaning and values of one checked frame."""
    first = frame.buf[frame.at]
    if first == 0xA5:
        _decode_a5(frame, packs, memory)
    elif frame.size == 8:
        _decode_order(frame, memory, first)
    else:
        _decode_block(frame, packs, memory, first)


def _telemetry(frame, packs):
    """Where the values of the frame's board belong; None for boards beyond those configured."""
    if frame.pack < len(packs) and frame.pack < _BOARDS:
        return packs[frame.pack]
    return None


def _decode_a5(frame, packs, memory) -> None:
    address = frame.buf[frame.at + 1]
    command = frame.buf[frame.at + 2]
    frame.register = command
    frame.body = frame.at + 4
    frame.body_size = 8
    is_read = 0x90 <= command <= 0x98 or 0x50 <= command <= 0x6F
    is_write = command < 0x50 or command == 0xD9 or command == 0xDA
    if address >= _FROM_HOST:
        frame.pack = address & 0x0F
        frame.kind = READ if is_read else WRITE if is_write else UNKNOWN
        frame.is_request = is_read
    elif 1 <= address <= _LAST_BOARD:
        frame.pack = address - 1
        frame.kind = REPLY if is_read else ACK if is_write else UNKNOWN
        frame.is_reply = is_read or is_write
        t = _telemetry(frame, packs)
        if is_read and t is not None:
            _take_a5(frame, t, memory, command)


def _take_a5(frame, t, memory, command: int) -> None:
    board = frame.pack
    if command == 0x95:
        _take_cells(frame, t, memory)
    elif command == 0x96:
        _take_temps(frame, t, memory.boards[_PROBES + board])
    else:
        _take(_A5, frame, 8 * command, 8 * command, 8 * command + 8, t, memory)
    if command == 0x93:
        _check_direction(frame, t, memory, frame.buf[frame.body])
    elif command == 0x94:
        memory.count(board, frame.buf[frame.body], frame.buf[frame.body + 1])


def _take_cells(frame, t, memory) -> None:
    """One frame of a set; the set is handed on when all its frames came within a moment."""
    board = frame.pack
    cells = memory.boards[_CELLS + board]
    last = (cells + 2) // 3
    number = frame.buf[frame.body]
    if number < 1 or number > last:
        return
    if not memory.set_frames[board] or age_ms(frame.now, memory.set_at[board]) > _MOMENT_MS:
        memory.set_frames[board] = 0
        memory.set_at[board] = frame.now
    memory.set_frames[board] |= 1 << number - 1
    at = frame.body + 1
    for cell in range(3 * number - 3, min(3 * number, cells, MAX_CELLS)):
        memory.set_mv[board * MAX_CELLS + cell] = frame.buf[at] << 8 | frame.buf[at + 1]
        at += 2
    if memory.set_frames[board] == (1 << last) - 1:
        memory.set_frames[board] = 0
        _hand_on(t, memory, board, min(cells, MAX_CELLS))


def _hand_on(t, memory, board: int, cells: int) -> None:
    first = board * MAX_CELLS
    has_zero = False
    for cell in range(cells):
        has_zero = has_zero or not memory.set_mv[first + cell]
    if memory.believes(board, has_zero):
        for cell in range(cells):
            t.set_cell(cell, memory.set_mv[first + cell])


def _take_temps(frame, t, probes: int) -> None:
    """Seven probes; those beyond the board's number are left-overs of its buffer."""
    first = 7 * frame.buf[frame.body] - 7
    for place in range(7):
        if 0 <= first + place < probes:
            t.set_temp(first + place, frame.buf[frame.body + 1 + place] * 10 - 400)


def _decode_order(frame, memory, first: int) -> None:
    """Eight bytes: somebody reads or writes registers, or a board says it has written."""
    buf = frame.buf
    at = frame.at
    function = buf[at + 1]
    frame.register = buf[at + 2] << 8 | buf[at + 3]
    is_board = first < _FIRST_ASKED
    answerer = first
    if first != _D2_ADDRESS:
        frame.pack = first - (_FIRST_ANSWERING if is_board else _FIRST_ASKED)
        answerer = frame.pack + _FIRST_ANSWERING
    if function == 3:
        frame.kind = READ
        frame.is_request = True
        frame.wanted = 2 * (buf[at + 4] << 8 | buf[at + 5])
        memory.answerer = answerer
        memory.register = frame.register
        memory.bytes = frame.wanted
        memory.asked_at = frame.now
    elif function == 0x06 or function == 0x10:
        frame.kind = ACK if is_board else WRITE  # D2 answers a write with the same bytes
        frame.is_reply = is_board


def _decode_block(frame, packs, memory, first: int) -> None:
    """A reply with registers."""
    frame.kind = REPLY
    frame.is_reply = True
    frame.body = frame.at + 3
    frame.body_size = frame.size - 5
    if first != _D2_ADDRESS:
        frame.pack = first - _FIRST_ANSWERING
    start = _start_of(frame, memory, first)
    t = _telemetry(frame, packs)
    if start < 0:
        frame.kind = UNKNOWN
        return
    frame.register = start
    if t is None:
        return
    if first == _D2_ADDRESS:
        _take_block(_D2, frame, 2 * start, 0x40, 0x62, t, memory)
        _check_state(frame, 2 * start, 0x5E, t, memory)
    else:
        _take_block(_H81, frame, 2 * start, 0x60, 0x78, t, memory)
        _check_state(frame, 2 * start, 0x90, t, memory)


def _start_of(frame, memory, first: int) -> int:
    """First register of a reply: as it was asked for, else as its length has it, else -1."""
    is_awaited = memory.answerer == first and memory.bytes == frame.body_size
    memory.answerer = 0
    if is_awaited and age_ms(frame.now, memory.asked_at) <= _PATIENCE_MS:
        return memory.register
    family = first if first == _D2_ADDRESS else _FIRST_ANSWERING
    at = 0
    while at < len(_GUESSES):
        end = at + _GUESSES[at]
        alike = _GUESSES[at + 1] == family and _GUESSES[at + 2] == frame.body_size
        if alike and _fits(frame, at + 4, end):
            return _GUESSES[at + 3]
        at = end
    return -1


def _fits(frame, start: int, end: int) -> bool:
    for at in range(start, end, 3):
        if not _GUESSES[at + 1] <= _word(frame, _GUESSES[at]) <= _GUESSES[at + 2]:
            return False
    return True


def _word(frame, place: int) -> int:
    at = frame.body + place
    return frame.buf[at] << 8 | frame.buf[at + 1]


def _take_block(table, frame, start: int, temps: int, counts: int, t, memory) -> None:
    """Registers from byte address `start` on. Cells stand from 0, eight probes from `temps`, how
    many there are of each at `counts`."""
    board = frame.pack
    if start <= counts and counts + 4 <= start + frame.body_size:
        memory.count(board, _word(frame, counts - start), _word(frame, counts + 2 - start))
    _take(table, frame, start, temps + 16, start + frame.body_size, t, memory)
    probes = min(memory.boards[_PROBES + board], 8)
    _take(table, frame, start, temps, temps + 2 * probes, t, memory)
    end = 2 * min(memory.boards[_CELLS + board], MAX_CELLS)
    if start < end and memory.believes(board, _has_zero(frame, start, end)):
        _take(table, frame, start, 0, end, t, memory)


def _has_zero(frame, start: int, end: int) -> bool:
    for place in range(0, min(end - start, frame.body_size), 2):
        if not _word(frame, place):
            return True
    return False


def _take(table, frame, start: int, first: int, end: int, t, memory) -> None:
    """Reads addresses `first` to `end` as far as the frame, which begins at `start`, has them, and
    puts right what this board says in its own way."""
    current = t.count[_CURRENT]
    faults = t.count[_FAULTS_A]
    first = max(first, start)
    end = min(end, start + frame.body_size)
    if first < end:
        read(table, frame.buf, frame.body + first - start, first, end - first, t)
    if memory.boards[_REVERSED + frame.pack]:
        if t.count[_CURRENT] != current:
            t.value[_CURRENT] = -t.value[_CURRENT]
        if t.count[_FAULTS_A] != faults:
            _swap_over_currents(t)
    _drop_impossible(t, memory.boards[_CELLS + frame.pack])


def _swap_over_currents(t) -> None:
    bits = t.value[_FAULTS_A] >> _CHARGE_OVER_CURRENT & 3
    if bits == 1 or bits == 2:
        t.value[_FAULTS_A] ^= _OVER_CURRENTS


def _drop_impossible(t, cells: int) -> None:
    for at in range(0, len(_LIMITS), 3):
        slot = _LIMITS[at]
        if t.seen[slot] and not _LIMITS[at + 1] <= t.value[slot] <= _LIMITS[at + 2]:
            t.drop(slot)
    if cells and t.seen[_PACK] and not _LEAST_MV * cells <= t.value[_PACK] <= _MOST_MV * cells:
        t.drop(_PACK)


def _check_state(frame, start: int, place: int, t, memory) -> None:
    if start <= place and place + 2 <= start + frame.body_size:
        _check_direction(frame, t, memory, _word(frame, place - start))


def _check_direction(frame, t, memory, state: int) -> None:
    """Charging (1) and discharging (2) must agree with the current; a board that contradicts
    itself so often in a row counts the other way round."""
    board = frame.pack
    current = t.value[_CURRENT]
    if state != 1 and state != 2 or not t.seen[_CURRENT] or abs(current) < _CLEAR_MA:
        return
    if age_ms(frame.now, t.stamp[_CURRENT]) > _PAIR_MS:
        return
    if (current > 0) == (state == 1):
        memory.boards[_CONTRADICTED + board] = 0
        return
    memory.boards[_CONTRADICTED + board] += 1
    if memory.boards[_CONTRADICTED + board] == _CONTRADICTIONS:
        memory.boards[_CONTRADICTED + board] = 0
        memory.boards[_REVERSED + board] ^= 1
        t.drop(_CURRENT)
