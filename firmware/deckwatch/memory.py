"""What is remembered of one pack while the dongle has no supply: as it last rested, its last
charge, its best resistance. Meters keep it, the journal stores it in flash.

    memory.due          0 nothing new, 1 store it within 10 s, 2 at once; who stores sets it to 0
    memory.want(due)    a meter asks for that; the more urgent wish stands
    memory.write(buf)   SIZE bytes into a buffer made before, from its start; nothing is allocated
    memory.read(buf)    the same bytes back; False, and nothing changed, for bytes of another kind

The bytes are: version, number of groups, FIELDS with 4 bytes each, lowest first, then `cell_mv`
with 2 each. They carry no checksum: a record's is the journal's. A new field goes to the end of
FIELDS and VERSION up by one; what an older version has written is then no longer known. (1 had
four more fields, of the last load; the journal's checkpoints tell that.)

Time. Stamps (`*_s`) are seconds on a line of the memory's own, on which `now_s` is the present:
since 2020 where the wall clock is known, else since this start. since_s() knows when two of them
cannot be compared. Stored stamps of an unknown clock are 0, not known. 0 in any field = not known.
"""

from array import array

from micropython import const

from deckwatch.telemetry import MAX_CELLS

VERSION = const(2)
FIELDS = (
    "wall_s", "boots", "rest_s", "rest_mv", "rest_permille", "rest_dc", "charge_s", "charge_mv",
    "charge_mah", "charge_from_permille", "charge_most_ma", "capacity_mah", "spread_mv",
    "stuck_charges", "best_uohm",
)  # fmt: skip
# Their places in Memory.kept
WALL_S = const(0)  # the clock when this was written
BOOTS = const(1)  # starts of the dongle until then; the journal's to fill
# at rest: no current to speak of for a minute and more
REST_S = const(2)
REST_MV = const(3)
REST_PERMILLE = const(4)  # charge by the open-circuit voltage
REST_DC = const(5)  # coldest probe + 1000, so that 0 degC is told from not known
# the last charging session
CHARGE_S = const(6)  # its end
CHARGE_MV = const(7)  # pack voltage at its end
CHARGE_MAH = const(8)  # what flowed in
CHARGE_FROM_PERMILLE = const(9)  # charge by the open-circuit voltage before it
CHARGE_MOST_MA = const(10)
CAPACITY_MAH = const(11)  # from the last full charge
SPREAD_MV = const(12)  # at the end of the last session in which cells were read
STUCK_CHARGES = const(13)  # sessions in a row that ended with a spread nobody balances
# load
BEST_UOHM = const(14)  # lowest pack resistance seen
SIZE = 2 + 4 * len(FIELDS) + 2 * MAX_CELLS

_STAMPS = (REST_S, CHARGE_S)
_OF_THIS_START = const(1 << 27)  # 4 years: less is uptime, more a wall clock from April 2024 on
EPOCH_S = 1577836800  # 2020 from 1970


class Memory:
    """One pack's. kept: the FIELDS; cell_mv: groups at the last rest, `cells` of them."""

    def __init__(self) -> None:
        self.kept = array("i", bytes(4 * len(FIELDS)))
        self.cells = 0
        self.cell_mv = array("H", bytes(2 * MAX_CELLS))
        self.due = 0
        self.now_s = 1

    def want(self, due: int) -> None:
        """Something is worth being stored: 1 = within 10 s, 2 = at once."""
        if due > self.due:
            self.due = due

    def since_s(self, stamp_s: int) -> int:
        """Seconds from a stamp until now; -1 where that cannot be told."""
        if not stamp_s or (stamp_s < _OF_THIS_START) != (self.now_s < _OF_THIS_START):
            return -1
        return max(0, self.now_s - stamp_s)

    def shift(self, by_s: int) -> None:
        """The wall clock has become known: stamps of this start move onto its line."""
        for place in _STAMPS:
            if 0 < self.kept[place] < _OF_THIS_START:
                self.kept[place] += by_s
        self.now_s += by_s

    def write(self, buf) -> None:
        """SIZE bytes into buf."""
        self.kept[WALL_S] = _of_the_wall(self.now_s)
        buf[0] = VERSION
        buf[1] = self.cells
        at = 2
        for place in range(len(FIELDS)):
            value = self.kept[place]
            if place in _STAMPS:
                value = _of_the_wall(value)
            buf[at] = value & 0xFF
            buf[at + 1] = value >> 8 & 0xFF
            buf[at + 2] = value >> 16 & 0xFF
            buf[at + 3] = value >> 24 & 0xFF
            at += 4
        for cell in range(MAX_CELLS):
            buf[at] = self.cell_mv[cell] & 0xFF
            buf[at + 1] = self.cell_mv[cell] >> 8
            at += 2

    def read(self, buf) -> bool:
        """What write() wrote becomes what is remembered."""
        if len(buf) < SIZE or buf[0] != VERSION or buf[1] > MAX_CELLS:
            return False
        self.cells = buf[1]
        at = 2
        for place in range(len(FIELDS)):
            high = buf[at + 3] if buf[at + 3] < 0x80 else buf[at + 3] - 0x100
            self.kept[place] = buf[at] | buf[at + 1] << 8 | buf[at + 2] << 16 | high << 24
            at += 4
        for cell in range(MAX_CELLS):
            self.cell_mv[cell] = buf[at] | buf[at + 1] << 8
            at += 2
        return True


def clock_of(unix_s: int) -> int:
    """A wall clock's seconds since 1970 on the line of the stamps; 0 when it cannot be true."""
    return _of_the_wall(unix_s - EPOCH_S)


def _of_the_wall(stamp_s: int) -> int:
    return stamp_s if stamp_s >= _OF_THIS_START else 0
