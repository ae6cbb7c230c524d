"""What is known about one pack right now: integer slots with units in their names, which are set,
and how old each one is.

Protocols write measured slots, meters write derived ones, guardrails and outputs only read. One
Telemetry per pack; what the scooter's controller says of itself is kept with the first pack.
Nothing here allocates after construction.
"""

from array import array

from micropython import const

from deckwatch.ticks import saturated

try:
    from deckwatch.telemetry_viper import begin, put, put_faults, touched
except (ImportError, AttributeError, SyntaxError, ValueError):  # as in framer.py
    from deckwatch.telemetry_plain import begin, put, put_faults, touched  # noqa: F401

try:
    from bench_slots import BENCH_SLOTS as _BENCH_SLOTS  # type: ignore[import-not-found]
except ImportError:  # on the dongle, which keeps only what it judges or tells
    _BENCH_SLOTS = ()

# Live slots first: they go stale after `ttl_ms`. From FIRST_LASTING on, slots keep until the
# scooter is switched off.
SLOTS_KEPT = (
    "nowhere",  # stands for every slot the dongle does not keep
    # measured, live
    "pack_mv",
    "current_ma",  # positive charges the pack
    "soc_pct",
    "remaining_mah",
    "mos_temp_dc",
    "board_temp_dc",
    "charge_fet",
    "discharge_fet",
    "charging_flag",  # the BMS says: charging
    "charger_present",
    "balance_a",  # cells 1-16, bit 0 = cell 1
    "balance_b",  # cells 17-32
    "faults_a",  # faults.py, first word
    "faults_b",
    "humidity_pct",
    # the controller, live
    "error_code",
    "speed_mh",  # metres per hour
    "supply_mv",
    "motor_ma",
    "controller_temp_dc",
    "motor_temp_dc",
    "supply_ma",  # at the controller, positive when it charges the pack
    "controllers",  # how many a VESC's sums stand for
    # derived by meters, live
    "charging",
    "riding",
    "braking",  # riding, and 1 A or more flows in
    "resting",
    "still",  # resting or charging
    "steady",  # the current has not moved by 1 A for 2 s
    "highest_mv",
    "lowest_mv",
    "cell_spread_mv",
    "top_spread_mv",  # spread while the highest cell is within 50 mV of full, else 0
    "sum_error_mv",
    "sum_error_permille",
    "wild_cells",
    "dead_cells",
    "cell_jump_mv",
    "stuck_cell_mv",  # how far the others have moved while one cell's reading stood still
    "miscounted_cells",  # by how many the board's cells are not the configured string
    "coldest_dc",
    "hottest_dc",
    "probe_faults",
    "probe_jump_dc",
    "probe_apart_dc",
    "temp_message",  # of a Rita, as a temperature: 1 = do not brake, 2 = stop
    "heat_rise_dc",  # of the hottest probe within 5 min, as long as less than 5 A flows
    "heat_burst_dc",  # the same within 3 min, whatever flows
    "board_dc",  # MOSFETs or board, whichever is hotter
    "board_over_dc",  # above the hottest cell probe while less than 1 A flows
    "charge_mah",  # of the charging session, as the next two (meters/charge.py)
    "charge_time_s",
    "to_full_min",
    "untapered_s",
    "stalled_pct",
    "overtime_pct",
    "late_s",
    "droop_s",
    "capacity_pct",
    "stuck_charges",
    "to_balance_h",
    "loss_permille",  # a day while parked (meters/parked.py)
    "group_fall_mv",
    "stored",
    "parked_cell_mv",
    "settle_mv",
    "discharge_ma",
    "fault_level",
    "error_level",
    "weak_ratio_pct",  # the group that gives way most at a step of the load: of the median one
    "weak_sag_mv",  # and by how much more than that
    "sag_permille",  # of the pack, within 2 s of load
    "resistance_pct",  # of the pack, of its best
    "trip_ma",  # load at which the battery has cut out
    "trip_fet",  # its discharge MOSFET has opened while riding
    "share_pct",  # of two packs' current
    "ocv_pct",  # charge by the voltage at rest
    "soc_error_pct",  # how far the percent shown is from that
    "frozen_load_ms",  # since when nothing has changed although a load is proven
    "frozen_ride_ms",  # or a ride
    "stand_in",  # it is no battery that answers
    "wire_most_mohm",  # the worst sense wire, and how many per cent of the median it has
    "wire_ratio_pct",
    "wire_fault",  # the board's own warning of one
    "unanswered_ms",
    "quiet_ms",
    "bit_error_ppm",
    # measured, lasting
    "full_mah",
    "design_mah",
    "cycles",
    "charges",
    "health_pct",
    "total_charge_mah",
    "cell_count",
    "probe_count",
    "pack_uohm",  # derived: resistance of the pack
    "rest_spread_mv",  # derived: spread when last seen at rest or charging, and under load
    "load_spread_mv",
    "cell_high_mv",  # limits the BMS itself keeps
    "cell_low_mv",
)
KEPT = len(SLOTS_KEPT)
SLOTS = SLOTS_KEPT + _BENCH_SLOTS
_ALL = len(SLOTS)


class _Index:
    """Slot number by name; looked up while modules load, so a search will do for a dictionary."""

    def __getitem__(self, name: str) -> int:
        if name in SLOTS or _BENCH_SLOTS:
            return SLOTS.index(name)  # where all names are known, another one is a slip
        return NOWHERE


NOWHERE = const(0)
INDEX = _Index()
FIRST_LASTING = INDEX["full_mah"]
_FAULTS_A = INDEX["faults_a"]

MAX_CELLS = const(32)
MAX_PROBES = const(8)
NO_PROBE = const(-0x8000)  # in temp_dc: the frame names this probe and says it is not fitted
_COUNT = const(0xFFFF)
_AGE = const((1 << 30) - 1)  # as age_ms() in ticks.py, which fresh() has no time to call

# What put() takes: a slot, a cell, a probe or a sense wire
_SLOT = const(0)
_CELL = const(1)
_TEMP = const(2)
_WIRE = const(3)

# Telemetry.head, shared with put()
_NOW = const(0)  # when the frame was complete
_MARKS = const(1)  # what it has set so far
_CELLS = const(2)  # highest cell number heard of since power-on
_PROBES = const(3)
_WIRES = const(4)
_HEAD = const(5)
_CELLS_TOUCHED = const(2)
_TEMPS_TOUCHED = const(4)
_WIRES_TOUCHED = const(8)


class Telemetry:
    """The slots of one pack.

    value, stamp, count: arrays over SLOTS (value; when, ms; how many times set, wraps at 65536).
    where: cell, probe, fault or error number that goes with a derived value, 1-based, 0 = none.
    cell_mv, temp_dc: in the order of the pack; one that was passed over is 0 or NO_PROBE, and
    long ago. wire_mohm: resistance of each cell's sense wire, the first `wires` of them. arrays:
    head and all that frames fill, as put() takes it (telemetry_viper.py).
    """

    def __init__(self) -> None:
        slots = _ALL
        self.value = array("i", bytes(4 * slots))
        self.stamp = array("i", bytes(4 * slots))
        self.count = array("H", bytes(2 * slots))
        self.where = bytearray(slots)
        self.seen = bytearray(slots)
        self.cell_mv = array("H", bytes(2 * MAX_CELLS))
        self.cell_stamp = array("i", bytes(4 * MAX_CELLS))
        self.wire_mohm = array("H", bytes(2 * MAX_CELLS))
        self.temp_dc = array("h", bytes(2 * MAX_PROBES))
        self.temp_stamp = array("i", bytes(4 * MAX_PROBES))
        self.head = array("i", bytes(4 * _HEAD))
        self.arrays = (
            self.head,
            self.value,
            self.stamp,
            self.count,
            self.seen,
            self.cell_mv,
            self.cell_stamp,
            self.temp_dc,
            self.temp_stamp,
            self.wire_mohm,
        )
        self.ttl_ms = 5000
        self.series = 0  # cells of the string, as configured; 0 = as many as are read
        self.forget()

    def forget(self) -> None:
        """The scooter was switched off: nothing is known any more."""
        for slot in range(_ALL):
            self.seen[slot] = 0
        self.groups = 0  # cells of the string in the last complete set
        self.believed = 0  # probes that could be believed in the last complete set
        self.cells = 0  # cells heard of since power-on: highest cell number
        self.probes = 0
        self.wires = 0  # highest cell whose wire was told since power-on
        self.frames = 0  # frames that set something, wraps
        self.cell_frames = 0
        self.temp_frames = 0
        self.wire_frames = 0
        for place in range(_MARKS, _HEAD):
            self.head[place] = 0

    def begin(self, now: int) -> None:
        """A frame starts to fill slots; all it sets is stamped `now`."""
        self.head[_NOW] = now
        self.head[_MARKS] = 0

    def end(self) -> bool:
        """The frame is done: count it for those who want agreeing ones. True if it set a value."""
        marks = self.head[_MARKS]
        if not marks:
            return False
        if marks & _CELLS_TOUCHED:
            self.cell_frames = (self.cell_frames + 1) & _COUNT
        if marks & _TEMPS_TOUCHED:
            self.temp_frames = (self.temp_frames + 1) & _COUNT
        if marks & _WIRES_TOUCHED:
            self.wire_frames = (self.wire_frames + 1) & _COUNT
        self.frames = (self.frames + 1) & _COUNT
        return True

    def set(self, slot: int, value: int) -> None:
        """A measured value, in the unit of the slot's name."""
        put(self.arrays, _SLOT, slot, value)

    def add_faults(self, low: int, high: int) -> None:
        """Bits of both fault words (faults.py); what several fields of a frame report adds up."""
        put_faults(self.arrays, _FAULTS_A, low, high)

    def set_cell(self, cell: int, mv: int) -> None:
        """Voltage of one cell; `cell` counts from 0, those beyond MAX_CELLS are dropped.

        What 16 bits cannot hold no cell can give; it is kept as the nearest they can.
        """
        put(self.arrays, _CELL, cell, mv)
        self.cells = self.head[_CELLS]

    def set_wire(self, cell: int, mohm: int) -> None:
        """Resistance of one cell's sense wire; `cell` counts from 0, those beyond MAX_CELLS are
        dropped. What 16 bits cannot hold is kept as the nearest they can."""
        put(self.arrays, _WIRE, cell, mohm)
        self.wires = self.head[_WIRES]

    def set_temp(self, probe: int, dc: int) -> None:
        """Temperature of one cell probe, 0.1 degC or NO_PROBE; `probe` counts from 0, those beyond
        MAX_PROBES are dropped. What 16 bits cannot hold is kept as the nearest they can.
        """
        put(self.arrays, _TEMP, probe, dc)
        self.probes = self.head[_PROBES]

    def recount(self) -> None:
        """Rows of a table have been put: there may be more cells, probes and wires."""
        head = self.head
        self.cells = head[_CELLS]
        self.probes = head[_PROBES]
        self.wires = head[_WIRES]

    def derive(self, slot: int, value: int, where: int, stamp: int, count: int) -> None:
        """A meter's result, as old as its oldest input (`stamp`), as new a sample as `count`."""
        self.value[slot] = value
        self.where[slot] = where
        self.stamp[slot] = stamp
        self.count[slot] = count & _COUNT
        self.seen[slot] = 1

    def drop(self, slot: int) -> None:
        """A meter has no result: inputs missing, stale, or not from one moment."""
        self.seen[slot] = 0

    def fresh(self, slot: int, now: int) -> bool:
        """Set, and not older than its time-to-live."""
        if not self.seen[slot]:
            return False
        return slot >= FIRST_LASTING or (now - self.stamp[slot]) & _AGE <= self.ttl_ms

    def saturate(self, now: int) -> None:
        """Keeps old stamps old across the tick wrap; called at least once a day."""
        for slot in range(_ALL):
            self.stamp[slot] = saturated(now, self.stamp[slot])
        for cell in range(MAX_CELLS):
            self.cell_stamp[cell] = saturated(now, self.cell_stamp[cell])
        for probe in range(MAX_PROBES):
            self.temp_stamp[probe] = saturated(now, self.temp_stamp[probe])
