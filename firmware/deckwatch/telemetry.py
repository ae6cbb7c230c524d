"""What is known about one pack right now: integer slots with units in their names, which are set,
and how old each one is.

Protocols write measured slots, meters write derived ones, guardrails and outputs only read. One
Telemetry per pack; what the scooter's controller says of itself is kept with the first pack.
Nothing here allocates after construction.
"""

from array import array

from micropython import const

from deckwatch.ticks import age_ms, long_ago, saturated

# Live slots first: they go stale after `ttl_ms`. From FIRST_LASTING on, slots keep until the
# scooter is switched off.
SLOTS = (
    # measured, live
    "pack_mv",
    "current_ma",  # positive charges the pack
    "soc_pct",
    "remaining_mah",
    "mos_temp_dc",
    "mos2_temp_dc",
    "mos3_temp_dc",
    "mos4_temp_dc",
    "board_temp_dc",
    "charge_fet",
    "discharge_fet",
    "charging_flag",  # the BMS says: charging
    "charger_present",
    "balance_a",  # cells 1-16, bit 0 = cell 1
    "balance_b",  # cells 17-32
    "balance_ma",
    "balancing",  # 0 = at rest; JK tells 1 = charging a cell, 2 = discharging one
    "heater",
    "faults_a",  # faults.py, first word
    "faults_b",
    "alarm_1_raw",  # alarm words as they stand on the wire, where their bits are not all proven
    "alarm_2_raw",
    "alarm_3_raw",
    "alarm_4_raw",
    "humidity_pct",
    "shown_pct",  # what the board lets the dashboard show
    "board_lowest_mv",  # lowest cell as the board itself names it
    # the controller, live
    "error_code",
    "alarm_code",
    "controller_flags",
    "controller_soc_pct",
    "controller_pack_mv",
    "speed_mh",  # metres per hour
    "average_speed_mh",
    "range_m",
    "mode",
    "throttle_raw",
    "brake_raw",
    "supply_mv",
    "motor_ma",
    "controller_temp_dc",
    "motor_temp_dc",
    "supply_ma",  # at the controller, positive when it charges the pack
    "controllers",  # how many a VESC's sums stand for
    # derived by meters, live
    "charging",
    "riding",
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
    "coldest_dc",
    "hottest_dc",
    "probe_faults",
    "probe_jump_dc",
    "probe_apart_dc",
    "discharge_ma",
    "fault_level",
    "error_level",
    "unanswered_ms",
    "quiet_ms",
    "bit_error_ppm",
    # measured, lasting
    "full_mah",
    "design_mah",
    "design_mv",
    "cycles",
    "charges",
    "health_pct",
    "total_charge_mah",
    "coulomb_mah",
    "voltage_mah",
    "made_on",  # yyyymmdd
    "first_used_on",
    "over_current_count",
    "over_discharge_count",
    "fault_code",
    "b_code",
    "cells_low_bits",
    "cells_high_bits",
    "activated",
    "board_version",
    "cell_count",
    "probe_count",
    "odometer_m",
    "trip_s",
    "controller_version",  # binary-coded decimal, 0x0134 = 1.3.4
    "ble_version",
    "regen_level",
    "cruise",
    "tail_light",
    "cell_high_mv",  # limits the BMS itself keeps
    "cell_high_clear_mv",
    "cell_low_mv",
    "cell_low_clear_mv",
    "balance_start_mv",
    "balance_on_mv",
    "balance_off_mv",
    "discharge_limit1_raw",  # unit not stated by any source
    "discharge_delay1_raw",
    "discharge_limit2_raw",
    "discharge_delay2_raw",
    "charge_limit_raw",
    "charge_delay_raw",
    "fet_mode",
    "short_circuit_count",  # how often the BMS says it has stepped in
    "charge_over_current_count",
    "discharge_over_current_count",
    "cell_over_voltage_count",
    "cell_under_voltage_count",
    "charge_over_temperature_count",
    "charge_under_temperature_count",
    "discharge_over_temperature_count",
    "discharge_under_temperature_count",
    "pack_over_voltage_count",
    "pack_under_voltage_count",
    "restart_count",
    "cycled_mah",  # all that ever went through the pack
    "run_time_s",
    "pack_high_mv",  # more limits the BMS itself keeps
    "pack_low_mv",
    "charge_limit_ma",
    "discharge_limit_ma",
    "charge_hot_dc",
    "charge_cold_dc",
    "discharge_hot_dc",
    "discharge_cold_dc",
    "mos_hot_dc",
)


class _Index:
    """Slot number by name; looked up while modules load, so a search will do for a dictionary."""

    def __getitem__(self, name: str) -> int:
        return SLOTS.index(name)


INDEX = _Index()
FIRST_LASTING = INDEX["full_mah"]
_FAULTS_A = INDEX["faults_a"]
_FAULTS_B = INDEX["faults_b"]

MAX_CELLS = const(32)
MAX_PROBES = const(8)
NO_PROBE = const(-0x8000)  # in temp_dc: the frame names this probe and says it is not fitted
TEXT_BYTES = const(32)  # the longest seen is a JBD model of 25
_COUNT = const(0xFFFF)
_MOST_MV = const(0xFFFF)
_LEAST_DC = const(-0x7FFF)
_MOST_DC = const(0x7FFF)


class Telemetry:
    """The slots of one pack.

    value, stamp, count: arrays over SLOTS (value; when, ms; how many times set, wraps at 65536).
    where: cell, probe, fault or error number that goes with a derived value, 1-based, 0 = none.
    cell_mv, temp_dc: in the order of the pack; one that was passed over is 0 or NO_PROBE, and
    long ago. wire_mohm: resistance of each cell's sense wire, the first `wires` of them. serial,
    firmware, model: ASCII, as many bytes as serial_size and so on say.
    """

    def __init__(self) -> None:
        slots = len(SLOTS)
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
        self.serial = bytearray(TEXT_BYTES)
        self.firmware = bytearray(TEXT_BYTES)
        self.model = bytearray(TEXT_BYTES)
        self.ttl_ms = 5000
        self.now = 0
        self.forget()

    def forget(self) -> None:
        """The scooter was switched off: nothing is known any more."""
        for slot in range(len(SLOTS)):
            self.seen[slot] = 0
        self.cells = 0  # cells heard of since power-on: highest cell number
        self.probes = 0
        self.wires = 0  # highest cell whose wire was told since power-on
        self.serial_size = self.firmware_size = self.model_size = 0
        self.frames = 0  # frames that set something, wraps
        self.cell_frames = 0
        self.temp_frames = 0
        self._cells_touched = False
        self._temps_touched = False
        self._faults_touched = False
        self._touched = False

    def begin(self, now: int) -> None:
        """A frame starts to fill slots; all it sets is stamped `now`."""
        self.now = now
        self._touched = self._cells_touched = self._temps_touched = self._faults_touched = False

    def end(self) -> bool:
        """The frame is done: count it for those who want agreeing ones. True if it set a value."""
        if self._cells_touched:
            self.cell_frames = (self.cell_frames + 1) & _COUNT
        if self._temps_touched:
            self.temp_frames = (self.temp_frames + 1) & _COUNT
        if self._touched:
            self.frames = (self.frames + 1) & _COUNT
        return self._touched

    def set(self, slot: int, value: int) -> None:
        """A measured value, in the unit of the slot's name."""
        self.value[slot] = value
        self.stamp[slot] = self.now
        self.count[slot] = (self.count[slot] + 1) & _COUNT
        self.seen[slot] = 1
        self._touched = True

    def add_faults(self, low: int, high: int) -> None:
        """Bits of both fault words (faults.py); what several fields of a frame report adds up."""
        if self._faults_touched:
            low |= self.value[_FAULTS_A]
            high |= self.value[_FAULTS_B]
            self.value[_FAULTS_A] = low
            self.value[_FAULTS_B] = high
        else:
            self._faults_touched = True
            self.set(_FAULTS_A, low)
            self.set(_FAULTS_B, high)

    def set_cell(self, cell: int, mv: int) -> None:
        """Voltage of one cell; `cell` counts from 0, those beyond MAX_CELLS are dropped.

        What 16 bits cannot hold no cell can give; it is kept as the nearest they can.
        """
        if cell < MAX_CELLS:
            while self.cells < cell:
                self.cell_mv[self.cells] = 0
                self.cell_stamp[self.cells] = long_ago(self.now)
                self.cells += 1
            self.cell_mv[cell] = 0 if mv < 0 else _MOST_MV if mv > _MOST_MV else mv
            self.cell_stamp[cell] = self.now
            if cell == self.cells:
                self.cells = cell + 1
            self._touched = self._cells_touched = True

    def set_wire(self, cell: int, mohm: int) -> None:
        """Resistance of one cell's sense wire; `cell` counts from 0, those beyond MAX_CELLS are
        dropped."""
        if cell < MAX_CELLS:
            while self.wires <= cell:
                self.wire_mohm[self.wires] = 0
                self.wires += 1
            self.wire_mohm[cell] = mohm
            self._touched = True

    def set_temp(self, probe: int, dc: int) -> None:
        """Temperature of one cell probe, 0.1 degC or NO_PROBE; `probe` counts from 0, those beyond
        MAX_PROBES are dropped. What 16 bits cannot hold is kept as the nearest they can.
        """
        if probe < MAX_PROBES:
            while self.probes < probe:
                self.temp_dc[self.probes] = NO_PROBE
                self.temp_stamp[self.probes] = long_ago(self.now)
                self.probes += 1
            if dc != NO_PROBE:
                dc = _LEAST_DC if dc < _LEAST_DC else _MOST_DC if dc > _MOST_DC else dc
            self.temp_dc[probe] = dc
            self.temp_stamp[probe] = self.now
            if probe == self.probes:
                self.probes = probe + 1
            self._touched = self._temps_touched = True

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
        return slot >= FIRST_LASTING or age_ms(now, self.stamp[slot]) <= self.ttl_ms

    def saturate(self, now: int) -> None:
        """Keeps old stamps old across the tick wrap; called at least once a day."""
        for slot in range(len(SLOTS)):
            self.stamp[slot] = saturated(now, self.stamp[slot])
        for cell in range(MAX_CELLS):
            self.cell_stamp[cell] = saturated(now, self.cell_stamp[cell])
        for probe in range(MAX_PROBES):
            self.temp_stamp[probe] = saturated(now, self.temp_stamp[probe])
