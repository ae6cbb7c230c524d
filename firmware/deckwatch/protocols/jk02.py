"""JK02 frames of 300 bytes: the wire between a JK board and its Bluetooth module, and with an
acknowledgement behind them the bus of PB boards (sheet jk.md 2 and 3). jk.py calls decode().

    55 AA EB 90 | type | counter | little endian ... | sum      type 1 settings, 2 live, 3 device

Two layouts: boards for 24 cells and boards for 32. Behind the cells they differ by a shift of 32
bytes. The same rows, most significant byte first, are those of Modbus (jk_modbus.py). The
passcodes in the device frame (62-77, 97-101, 118-133) and the names people gave are never read.
"""

from micropython import const

from deckwatch.fields import TOO_BIG, number_at, read
from deckwatch.frame import ACK, READ, REPLY, UNKNOWN, WRITE
from deckwatch.rows import compiled, moved
from deckwatch.telemetry import INDEX, NO_PROBE

# Sheet 2.2; boards for 24 cells have the first 16 bits. Bit 4 is also set at the end of a charge.
ALARMS = (
    (0, "sense_wire", 1),
    (1, "board_over_temperature", 1),
    (2, "cell_count", 1),
    (3, "current_sensor", 1),
    (4, "cell_over_voltage", 1),
    (5, "pack_over_voltage", 1),
    (6, "charge_over_current", 1),
    (7, "short_circuit", 1),
    (8, "charge_over_temperature", 1),
    (9, "charge_under_temperature", 1),
    (10, "communication", 1),
    (11, "cell_under_voltage", 1),
    (12, "pack_under_voltage", 1),
    (13, "discharge_over_current", 1),
    (14, "short_circuit", 1),
    (15, "discharge_over_temperature", 1),
    (16, "charge_fet", 1),
    (17, "discharge_fet", 1),
    (18, "gps_lost", 1),
    (19, "default_password", 1),
    (20, "discharge_start", 1),
    (21, "over_temperature", 1),
    (22, "temperature_sensor", 1),
    (23, "parallel", 1),
    (24, "short_circuit", 1),
    (25, "discharge_over_current", 1),
    (26, "discharge_over_current", 1),
    (27, "discharge_under_temperature", 1),
    (28, "software_lock", 1),
)

_NONE = const(-2000)  # no such sensor

# Both layouts, at the places of the 32-cell one (sheet 2.1)
LIVE = (
    (150, "<I", "pack_mv"),
    (158, "<i", "current_ma"),
    (162, "<h", "temp_dc", 1, 1, 0, 2, 0, _NONE),
    (170, "<h", "balance_ma"),
    (172, "B", "balancing"),
    (173, "B", "soc_pct"),
    (174, "<i", "remaining_mah"),
    (178, "<I", "full_mah"),
    (182, "<I", "cycles"),
    (186, "<I", "cycled_mah"),
    (190, "B", "health_pct", 1, 1, 0, 1, 0, 0),  # 0 = unknown
    (194, "<I", "run_time_s"),
    (198, "B", "charge_fet"),
    (199, "B", "discharge_fet"),
)
LIVE_32 = (
    (144, "<h", "mos_temp_dc", 1, 1, 0, 1, 0, _NONE),
    (166, "<I", "faults", ALARMS),
    (215, "B", "heater"),
)
LIVE_24 = (
    (134, "<h", "mos_temp_dc", 1, 1, 0, 1, 0, _NONE),
    (136, "<H", "faults", ALARMS[:16]),
)
SETTINGS = (
    (10, "<I", "cell_low_mv"),
    (14, "<I", "cell_low_clear_mv"),
    (18, "<I", "cell_high_mv"),
    (22, "<I", "cell_high_clear_mv"),
    (26, "<I", "balance_on_mv"),
    (50, "<I", "charge_limit_ma"),
    (62, "<I", "discharge_limit_ma"),
    (82, "<i", "charge_hot_dc"),
    (90, "<i", "discharge_hot_dc"),
    (98, "<i", "charge_cold_dc"),
    (106, "<i", "mos_hot_dc"),
    (130, "<I", "design_mah"),
    (138, "<I", "balance_start_mv"),
)
DEVICE = (
    (6, "text14", "model"),  # 16 by the sheet; firmware 19 ends them with a byte that is no text
    (30, "text8", "firmware"),
    (38, "<I", "run_time_s"),
    (86, "text11", "serial"),
)
CELLS = ((6, "<H", "cell_mv", 1, 1, 0, 32),)
WIRES = ((80, "<H", "wire_mohm", 1, 1, 0, 32),)
PROBES = ((0, "<h", "temp_dc", 1, 1, 0, 2, 2, _NONE),)  # third and fourth, wherever they stand

# Where the lists lie in one table, apart as far as the longest frame reaches.
CELLS_AT = const(0)
WIRES_AT = const(0x400)
_PROBES_AT = const(0x800)
LIVE_AT = const(0xC00)
LIVE_32_AT = const(0x1000)
SETTINGS_AT = const(0x1400)
DEVICE_AT = const(0x1800)
_LIVE_24_AT = const(0x1C00)
ROWS = compiled(
    CELLS
    + moved(WIRES, WIRES_AT)
    + moved(PROBES, _PROBES_AT)
    + moved(LIVE, LIVE_AT)
    + moved(LIVE_32, LIVE_32_AT)
    + moved(SETTINGS, SETTINGS_AT)
    + moved(DEVICE, DEVICE_AT)
    + moved(LIVE_24, _LIVE_24_AT)
)

_CELL_COUNT = INDEX["cell_count"]
_MADE_ON = INDEX["made_on"]

_SIZE = const(300)
_PADDED = const(310)  # with acknowledgement and a zero byte on either side of it
_BUS_COUNTERS = b"\x00\x05"  # Bluetooth's counter runs, the bus sends one of these (sheet 2)
_INFO = const(2)
_LOGBOOK = const(5)
_CELLS_PLACE = const(6)
_MASK_24 = const(54)
_WIRES_24 = const(64)
_MASK_32 = const(70)
_WIRES_32 = const(80)
_PACK_32 = const(150)
_PROBES_PLACE = const(256)
_SHIFT = const(32)  # of the 24-cell layout behind its cells and wires
_SUM_MV = const(5500)  # furthest the sum of the cells may lie from the pack (sheet 2)
_U32 = const(6)  # number_at's code for "<I"


def decode(frame, packs, memory) -> None:
    """Meaning and values of one frame of 300 bytes, or 308 or 310 with its acknowledgement."""
    buf = frame.buf
    at = frame.at
    kind = buf[at + 4]
    frame.register = kind
    frame.body = at + 6
    frame.body_size = _SIZE - 7
    frame.is_reply = True
    frame.kind = REPLY if 1 <= kind <= 3 or kind == _LOGBOOK else UNKNOWN
    if frame.size > _SIZE:
        # Only the acknowledgement says which pack of a bus has spoken (sheet 3)
        frame.pack = memory.pack_of(buf[at + _SIZE + (1 if frame.size == _PADDED else 0)])
    elif memory.packs_known and buf[at + 5] in _BUS_COUNTERS:
        return  # from a bus, and nobody says whose values these are
    if frame.pack < len(packs):
        _take(buf, at, kind, packs[frame.pack])


def decode_command(frame) -> None:
    """20 bytes AA 55 90 EB: what the Bluetooth module, or who takes its place, says (sheet 2)."""
    command = frame.buf[frame.at + 4]
    frame.register = command
    frame.body = frame.at + 6
    frame.body_size = 13
    if command == 0x96 or command == 0x97 or command == 0xA1:
        frame.kind = READ
        frame.is_request = True
    elif command == 0xC8:
        frame.kind = ACK  # "ready", which some firmware puts between the frames
    else:
        frame.kind = WRITE


def _take(buf, at: int, kind: int, t) -> None:
    if kind == 1:
        read(ROWS, buf, at, SETTINGS_AT, _SIZE, t)
    elif kind == _INFO:
        if _is_32(buf, at):
            _take_32(buf, at, t)
        else:
            _take_24(buf, at, t)
    elif kind == 3:
        read(ROWS, buf, at, DEVICE_AT, _SIZE, t)
        _take_date(buf, at + 78, t)


def _take_32(buf, at: int, t) -> None:
    cells = strung(buf, at + _MASK_32, 0) or fitted(buf, at + _CELLS_PLACE, 32)
    t.set(_CELL_COUNT, cells)
    read(ROWS, buf, at + _CELLS_PLACE, CELLS_AT + _CELLS_PLACE, 2 * cells, t)
    read(ROWS, buf, at + _WIRES_32, WIRES_AT + _WIRES_32, 2 * cells, t)
    read(ROWS, buf, at, LIVE_AT, _SIZE, t)
    read(ROWS, buf, at, LIVE_32_AT, _SIZE, t)
    take_more_probes(buf, at + _PROBES_PLACE, 0, t)


def _take_24(buf, at: int, t) -> None:
    cells = min(24, strung(buf, at + _MASK_24, 0)) or fitted(buf, at + _CELLS_PLACE, 24)
    t.set(_CELL_COUNT, cells)
    read(ROWS, buf, at + _CELLS_PLACE, CELLS_AT + _CELLS_PLACE, 2 * cells, t)
    read(ROWS, buf, at + _WIRES_24, WIRES_AT + _WIRES_32, 2 * cells, t)
    read(ROWS, buf, at, LIVE_AT + _SHIFT, _SIZE, t)
    read(ROWS, buf, at, _LIVE_24_AT, _SIZE, t)


def _is_32(buf, at: int) -> bool:
    """Which layout, without knowing the version (sheet 2): mask, cells and pack voltage of the
    32-cell one must agree. Where they do not, because wires are broken, its mark is that the other
    layout's mask would have no cell."""
    place = at + _MASK_24
    if not buf[place] | buf[place + 1] | buf[place + 2] | buf[place + 3]:
        return True
    cells = strung(buf, at + _MASK_32, 0)
    pack_mv = number_at(buf, at + _PACK_32, _U32)
    place = at + _CELLS_PLACE
    if not cells or pack_mv == TOO_BIG or fitted(buf, place, 32) > cells:
        return False
    return -_SUM_MV <= sum_mv(buf, place, cells, 0) - pack_mv <= _SUM_MV


def strung(buf, at: int, flip: int) -> int:
    """Cells in the mask of 32 bits at buf[at], least significant byte first (flip 0) or last (flip
    3): how many from the first one on; 0 = none, or with gaps between them."""
    cells = 0
    for cell in range(32):
        if buf[at + (cell >> 3 ^ flip)] >> (cell & 7) & 1:
            if cell > cells:
                return 0
            cells += 1
    return cells


def fitted(buf, at: int, cells: int) -> int:
    """Cells of the list of words at buf[at] without those at its end that are 0."""
    while cells and not buf[at + 2 * cells - 2] | buf[at + 2 * cells - 1]:
        cells -= 1
    return cells


def sum_mv(buf, at: int, cells: int, flip: int) -> int:
    """Sum of the words at buf[at], least significant byte first (flip 0) or last (flip 1)."""
    total = 0
    for place in range(at, at + 2 * cells, 2):
        total += buf[place + flip] | buf[place + 1 - flip] << 8
    return total


def take_more_probes(buf, at: int, turned: int, t) -> None:
    """Third and fourth sensor at buf[at], least significant byte first (0) or last (TURNED). A
    board without them sends -200.0 degC, or 0 in both."""
    if buf[at] | buf[at + 1] | buf[at + 2] | buf[at + 3]:
        read(ROWS, buf, at, _PROBES_AT + turned, 4, t)
    else:
        t.set_temp(2, NO_PROBE)
        t.set_temp(3, NO_PROBE)


def _take_date(buf, at: int, t) -> None:
    """YYMMDD in ASCII."""
    date = 0
    for place in range(at, at + 6):
        digit = buf[place] - 48
        if not 0 <= digit <= 9:
            return
        date = 10 * date + digit
    t.set(_MADE_ON, 20000000 + date)
