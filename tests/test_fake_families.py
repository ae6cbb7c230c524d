"""Model -> fake pack -> line -> the firmware's framer and decoder: the model's values come back
within the wire's resolution, over a simulated hour in which everything happens once, at each
family's real pace; shorter for the other dialects. No frame is lost or left unknown on the way."""

from collections.abc import Mapping
from dataclasses import replace
from random import Random

import pytest
from deckwatch.frame import BAD_CHECK, DAMAGED, FRAMES_IN, NOISE
from fake_rig import Dialect, Heard, Played, constant, play
from families import listen
from packlab.fake import families
from packlab.fake.bench import Order
from packlab.made.readings import Readings

HOUR_S, TEN_MINUTES_S = 3600, 600

# The model's faults that a dialect has a bit for, and what it is called then.
SAME = (
    "cell_over_voltage",
    "cell_under_voltage",
    "charge_over_temperature",
    "charge_under_temperature",
    "discharge_over_temperature",
    "discharge_under_temperature",
    "charge_over_current",
    "discharge_over_current",
    "short_circuit",
)


def same(*others: str, without: tuple[str, ...] = ()) -> dict[str, str]:
    return {name: name for name in (*SAME, *others) if name not in without}


# --- Xiaomi and Ninebot: 10 mV, 10 mA, whole degrees rounded down, probe raw 0 = -20 °C ----------

SCOOTER = Dialect(
    {
        "pack_mv": 5,
        "current_ma": 5,
        "soc_pct": 0,
        "remaining_mah": 0,
        "charging_flag": 0,
        "cycles": 0,
    },
    temp_dc=9,
    broken=-200,
    faults={
        "cell_over_voltage": "cell_over_voltage",
        "cell_under_voltage": "cell_under_voltage",
        "charge_over_temperature": "over_temperature",
        "discharge_over_temperature": "over_temperature",
        "board_over_temperature": "over_temperature",
    },
)
M365 = replace(SCOOTER, slots={**SCOOTER.slots, "health_pct": 0})


def botox_says(now: Readings) -> set[str]:
    """Only over-voltage and heat have bits; any trouble clears bit 0 (xiaomi.md 5.3)."""
    said = {"cell_over_voltage"} & now.faults
    said |= {"over_temperature" for name in now.faults if name.endswith("_over_temperature")}
    uneven = max(now.cells_mv) - min(now.cells_mv) > 100
    return said | ({"configuration"} if now.faults or uneven else set())


BOTOX = replace(
    M365,
    other={"remaining_mah": lambda now: now.design_mah * now.soc_pct // 100},
    told=botox_says,
)


def happy_mah(now: Readings) -> int:
    """What 16 signed bits of full capacity leave: 0 comes while there is charge (sheet 5.3)."""
    return max(now.remaining_mah - max(now.full_mah - 32_767, 0), 0)


HAPPY = replace(
    M365,
    cells=False,  # its app reads 15 of 16
    other={
        "remaining_mah": happy_mah,
        "soc_pct": lambda now: happy_mah(now) * 100 // min(now.full_mah, 32_767),
    },
)

# --- JBD: 10 mV, 10 mA, 10 mAh, 0.1 °C; an open probe reads -30 °C -------------------------------

JBD = Dialect(
    {
        "pack_mv": 5,
        "current_ma": 5,
        "remaining_mah": 5,
        "design_mah": 5,
        "cycles": 0,
        "soc_pct": 0,
        "charge_fet": 0,
        "discharge_fet": 0,
        "balance_a": 0,
        "cell_count": 0,
        "probe_count": 0,
    },
    probes=3,
    broken=-300,
    faults=same("software_lock"),
)
JBD_TAIL = replace(JBD, slots={**JBD.slots, "full_mah": 5, "balance_ma": 0})
JBD_X10 = replace(
    JBD,
    slots={
        **JBD_TAIL.slots,
        "current_ma": 50,
        "remaining_mah": 50,
        "design_mah": 50,
        "full_mah": 50,
    },
    probes=4,
)

# --- JK ------------------------------------------------------------------------------------------

JK_TLV = Dialect(
    {
        "pack_mv": 5,
        "current_ma": 5,
        "soc_pct": 0,
        "cycles": 0,
        "mos_temp_dc": 5,
        "charge_fet": 0,
        "discharge_fet": 0,
        "design_mah": 999,
        "full_mah": 999,
        "cycled_mah": 999,
        "run_time_s": 59,
        "cell_count": 0,
    },
    temp_dc=5,
    broken=-400,  # no source says what a broken probe reads
    faults={
        "cell_over_voltage": "cell_over_voltage",
        "cell_under_voltage": "cell_under_voltage",
        "charge_over_temperature": "over_temperature",
        "discharge_over_temperature": "over_temperature",
        "charge_under_temperature": "under_temperature",
        "discharge_under_temperature": "under_temperature",
        "charge_over_current": "charge_over_current",
        "discharge_over_current": "discharge_over_current",
        "board_over_temperature": "board_over_temperature",
    },
)


def tlv_says(now: Readings) -> set[str]:
    assert JK_TLV.faults is not None
    said = {JK_TLV.faults[name] for name in now.faults if name in JK_TLV.faults}
    return said | ({"low_charge"} if now.soc_pct <= 20 else set())


JK_TLV = replace(JK_TLV, told=tlv_says)
JK_TLV_2020 = replace(
    JK_TLV, slots={slot: far for slot, far in JK_TLV.slots.items() if slot != "full_mah"}
)
JK02 = Dialect(
    {
        "pack_mv": 0,
        "current_ma": 0,
        "soc_pct": 0,
        "remaining_mah": 0,
        "full_mah": 0,
        "cycles": 0,
        "cycled_mah": 0,
        "health_pct": 0,
        "mos_temp_dc": 0,
        "charge_fet": 0,
        "discharge_fet": 0,
        "run_time_s": 0,
        "cell_count": 0,
    },
    probes=4,
    faults=same("temperature_sensor", "board_over_temperature"),
)
JK02_24 = replace(
    JK02, probes=2, faults=same("board_over_temperature", without=("discharge_under_temperature",))
)  # its alarms have 16 bits
JK_BUS = replace(JK02, probes=2)
JK_MODBUS = replace(
    JK_BUS, slots={slot: far for slot, far in JK02.slots.items() if slot != "mos_temp_dc"}
)
JK_DISPLAY = Dialect(
    {
        "pack_mv": 5,
        "current_ma": 50,
        "soc_pct": 0,
        "mos_temp_dc": 5,
        "charge_fet": 0,
        "discharge_fet": 0,
    },
    probes=0,  # a broken probe has no code of its own
    faults={
        "cell_over_voltage": "cell_over_voltage",
        "cell_under_voltage": "cell_under_voltage",
        "charge_over_current": "discharge_over_current",  # one bit for both
        "discharge_over_current": "discharge_over_current",
        "charge_over_temperature": "over_temperature",
        "discharge_over_temperature": "over_temperature",
        "short_circuit": "short_circuit",
        "board_over_temperature": "board_over_temperature",
    },
)
JK_DISPLAY_PB = Dialect(
    {
        "pack_mv": 5,
        "current_ma": 50,
        "soc_pct": 0,
        "remaining_mah": 50,
        "charge_fet": 0,
        "discharge_fet": 0,
    },
    probes=0,
)

# --- ANT: 10 mV new, 100 mV old, 0.1 A; whole degrees, -40 = no probe ----------------------------

# The reasons in the order in which the board looks; one per MOSFET (ant.md 3)
ANT_CHARGE = {
    "cell_over_voltage": "cell_voltage_high",
    "charge_over_current": "charge_over_current",
    "charge_over_temperature": "charge_over_temperature",
    "board_over_temperature": "board_over_temperature",
    "charge_under_temperature": "charge_under_temperature",
}
ANT_DISCHARGE = {
    "cell_under_voltage": "cell_under_voltage",
    "discharge_over_current": "discharge_over_current",
    "discharge_over_temperature": "discharge_over_temperature",
    "board_over_temperature": "board_over_temperature",
    "short_circuit": "short_circuit",
    "discharge_under_temperature": "discharge_under_temperature",
}


def ant_says(now: Readings) -> set[str]:
    said = set()
    for conducts, names in ((now.charge_fet, ANT_CHARGE), (now.discharge_fet, ANT_DISCHARGE)):
        reasons = [told for name, told in names.items() if name in now.faults]
        if not conducts and reasons:
            said.add(reasons[0])
    return said


ANT = Dialect(
    {
        "pack_mv": 5,
        "current_ma": 50,
        "soc_pct": 0,
        "health_pct": 0,
        "remaining_mah": 0,
        "full_mah": 0,
        "mos_temp_dc": 5,
        "board_temp_dc": 5,
        "charge_fet": 0,
        "discharge_fet": 0,
        "balance_a": 0,
        "total_charge_mah": 0,
    },
    probes=4,
    temp_dc=5,
    faults={},
    told=ant_says,
)
ANT_OLD = replace(
    ANT,
    slots={
        slot: 50 if slot == "pack_mv" else far
        for slot, far in ANT.slots.items()
        if slot not in ("health_pct", "total_charge_mah")
    },
    other={"full_mah": lambda now: now.design_mah},
)

# --- Daly: 0.1 V, 0.1 A, whole degrees; A5 raw 0 = -40 °C, registers FF --------------------------

DALY_A5 = Dialect(
    {
        "pack_mv": 50,
        "current_ma": 50,
        "soc_pct": 0,
        "remaining_mah": 0,
        "cycles": 0,
        "charging_flag": 0,
        "charger_present": 0,
        "charge_fet": 0,
        "discharge_fet": 0,
        "balance_a": 0,
        "cell_count": 0,
        "probe_count": 0,
    },
    other={"charging_flag": lambda now: int(now.current_ma > 0)},
    temp_dc=5,
    broken=-400,
    faults=same("temperature_sensor", "board_over_temperature"),
)


def owner_says_reversed(heard: Heard) -> None:
    for board in range(2):
        heard.memory.boards[board] = 1


def reversed_says(now: Readings) -> set[str]:
    """Where the current is reversed, the firmware swaps a single over-current alarm (daly.md
    2)."""
    assert DALY_A5.faults is not None
    return {DALY_A5.faults[name] for name in now.faults if name in DALY_A5.faults}


DALY_REVERSED = replace(
    DALY_A5,
    slots={slot: far for slot, far in DALY_A5.slots.items() if slot != "cycles"},
    faults=None,  # see test_reversed_daly_swaps_over_current_alarms
    prepare=owner_says_reversed,
)
DALY_D2 = Dialect(
    {
        "pack_mv": 50,
        "current_ma": 50,
        "soc_pct": 0,
        "remaining_mah": 50,
        "cycles": 0,
        "charging_flag": 0,
        "charge_fet": 0,
        "discharge_fet": 0,
        "balance_a": 0,
        "cell_count": 0,
        "probe_count": 0,
        "mos_temp_dc": 5,
        "board_temp_dc": 5,
        "balance_ma": 0,
    },
    other={
        "charging_flag": lambda now: int(now.current_ma > 0),
        "balance_ma": lambda now: -now.balance_ma,
    },
    probes=4,
    temp_dc=5,
    faults=same("temperature_sensor", "board_over_temperature"),
)
DALY_81 = DALY_D2

# --- VESC: a BMS tells mV and mA; a controller 0.1 V and what it draws itself --------------------


def vesc_error(now: Readings) -> int:
    """1 over-voltage, 2 under-voltage, 4 absolute over-current (vesc.md 4.6)."""
    for name, code in (
        ("cell_over_voltage", 1),
        ("cell_under_voltage", 2),
        ("short_circuit", 4),
    ):
        if name in now.faults:
            return code
    return 0


VESC_BMS = Dialect(
    {
        "pack_mv": 0,
        "current_ma": 0,
        "soc_pct": 0,
        "health_pct": 0,
        "board_temp_dc": 0,
        "balance_a": 0,
        "total_charge_mah": 1,
        "supply_mv": 50,
        "supply_ma": 5,
        "controller_temp_dc": 0,
        "error_code": 0,
    },
    other={"error_code": vesc_error},
    probes=3,
    zero_is_broken=True,  # an unused slot says so
    settled_ms=3000,  # before, nobody knows of the BMS
)
VESC_PLAIN = Dialect(
    {
        "pack_mv": 50,
        "current_ma": 5,
        "supply_mv": 50,
        "supply_ma": 5,
        "controller_temp_dc": 0,
        "error_code": 0,
    },
    other={"error_code": vesc_error, "current_ma": lambda now: -now.load_ma},
    cells=False,
    probes=0,
)
VESC_SELECTIVE = Dialect(
    {
        "pack_mv": 50,
        "current_ma": 5,
        "soc_pct": 0,
        "controller_soc_pct": 0,
        "controllers": 0,
        "controller_temp_dc": 0,
        "error_code": 0,
    },
    other={
        "error_code": vesc_error,
        "current_ma": lambda now: -now.load_ma,
        "controllers": constant(2),
        "controller_soc_pct": lambda now: now.soc_pct,
    },
    cells=False,
    probes=0,
    settled_ms=3000,  # before, nobody knows of the second controller
)

# family, profile -> dialect, packs, how long
HOURS: Mapping[tuple[str, str], Dialect] = {
    ("xiaomi", "m365"): M365,
    ("ninebot", "es2"): SCOOTER,
    ("jbd", "plain"): JBD,
    ("jk", "tlv"): JK_TLV,
    ("ant", "new"): ANT,
    ("daly", "a5"): DALY_A5,
    ("vesc", "bms"): VESC_BMS,
}
SHORTER: Mapping[tuple[str, str], Dialect] = {
    ("xiaomi", "botox"): BOTOX,
    ("xiaomi", "happy"): HAPPY,
    ("ninebot", "es4"): SCOOTER,
    ("jbd", "tail"): JBD_TAIL,
    ("jbd", "old"): JBD,
    ("jbd", "x10"): JBD_X10,
    ("jk", "tlv_2020"): JK_TLV_2020,
    ("jk", "module"): JK02,
    ("jk", "module_24"): JK02_24,
    ("jk", "bus"): JK_BUS,
    ("jk", "modbus"): JK_MODBUS,
    ("jk", "display"): JK_DISPLAY,
    ("jk", "display_pb"): JK_DISPLAY_PB,
    ("ant", "old"): ANT_OLD,
    ("daly", "a5_bluetooth"): DALY_A5,
    ("daly", "a5_reversed"): DALY_REVERSED,
    ("daly", "d2"): DALY_D2,
    ("daly", "81"): DALY_81,
    ("vesc", "plain"): VESC_PLAIN,
    ("vesc", "selective"): VESC_SELECTIVE,
    ("vesc", "v2"): VESC_PLAIN,
}
# Those that differ from one above in length, size or speed alone: a minute of riding.
MINUTES: Mapping[tuple[str, str], Dialect] = {
    ("xiaomi", "pro"): M365,
    ("ninebot", "max"): SCOOTER,
    ("ant", "old_9600"): ANT_OLD,
    ("vesc", "can"): VESC_BMS,
    ("vesc", "v5"): VESC_PLAIN,
    ("vesc", "v3_5"): VESC_PLAIN,
    ("vesc", "v3_4"): VESC_PLAIN,
}
# Told apart from packs (test_fake_line.py), or nobody asks.
OTHERS = {
    ("xiaomi", "bare"),
    ("xiaomi", "rita"),
    ("xiaomi", "rita_new"),
    ("xiaomi", "emulator"),
    ("xiaomi", "attiny"),
    ("ninebot", "bare"),
}
PACKS = {("ninebot", "es4"): 2, ("jk", "bus"): 3}


def names(cases: Mapping[tuple[str, str], Dialect]) -> list[str]:
    return ["-".join(case) for case in cases]


def run(
    case: tuple[str, str], dialect: Dialect, scene: str, seconds: int, every_ms: int = 150
) -> Played:
    family, profile = case
    order = Order(family, profile, scene, master="app")
    return play(order, dialect, seconds, packs=PACKS.get(case, 1), every_ms=every_ms)


def check(played: Played, dialect: Dialect, seconds: int) -> None:
    """Nothing lost or unknown, everything the dialect tells compared, and often."""
    for ear in (played.bms, played.host):
        assert not any(ear.framer.numbers[place] for place in (DAMAGED, NOISE, BAD_CHECK))
    assert played.bms.framer.numbers[FRAMES_IN] >= played.chunks["bms_tx"]
    told = {*dialect.slots, *(["cell_mv"] if dialect.cells else [])}
    told |= {"temp_dc"} if dialect.probes else set()
    told |= {"faults"} if dialect.faults is not None else set()
    for name in told:
        assert played.compared[name] >= seconds // 30, (name, played.compared)


@pytest.mark.parametrize("case", HOURS, ids=names(HOURS))
def test_an_hour(case: tuple[str, str]) -> None:
    dialect = HOURS[case]
    often = case[0] not in ("xiaomi", "ninebot", "ant", "vesc")
    played = run(case, dialect, "hour", HOUR_S, 150 if often else 700)
    check(played, dialect, HOUR_S)
    # The model had a story to tell, and where there are names for it, they were heard.
    assert played.taps[0].faults >= {
        "cell_over_voltage",
        "cell_under_voltage",
        "charge_under_temperature",
        "discharge_over_current",
        "short_circuit",
        "temperature_sensor",
    } - unheard(case)
    if dialect.faults is not None:
        heard = {name for name in played.compared if name.startswith("fault ")}
        assert len(heard) >= (1 if unheard(case) else 4), heard


def unheard(case: tuple[str, str]) -> set[str]:
    """A stock scooter's pack that has opened its discharge MOSFETs takes the controller with it:
    nobody asks any more."""
    if case[0] in ("xiaomi", "ninebot"):
        stopped = {"cell_under_voltage", "discharge_over_current", "short_circuit"}
        return stopped | {"charge_under_temperature"}  # it comes before the empty pack is up again
    return set()


@pytest.mark.parametrize("case", SHORTER, ids=names(SHORTER))
def test_ten_minutes(case: tuple[str, str]) -> None:
    dialect = SHORTER[case]
    played = run(case, dialect, "ten_minutes", TEN_MINUTES_S)
    if case == ("xiaomi", "botox"):
        counted = played.bms.framer.numbers
        assert counted[NOISE] == 9 * counted[DAMAGED]  # BOOTED!
        for ear in (played.bms, played.host):
            ear.framer.numbers[NOISE] = ear.framer.numbers[DAMAGED] = 0
        played.chunks["bms_tx"] -= 10
    check(played, dialect, TEN_MINUTES_S)


@pytest.mark.parametrize("case", MINUTES, ids=names(MINUTES))
def test_a_minute(case: tuple[str, str]) -> None:
    dialect = MINUTES[case]
    check(run(case, dialect, "ride", 60), dialect, 60)


def test_every_profile_is_held_against_the_model_or_named_as_no_pack() -> None:
    known = {(family, name) for family in families.names() for name in families.profiles(family)}
    assert known == {*HOURS, *SHORTER, *MINUTES} | OTHERS


# --- every fault of every dialect ----------------------------------------------------------------

# The questions whose answers tell of faults; where nobody asks, the fake speaks by itself.
ASKED = {
    ("xiaomi", "m365"): ["55aa032201300c9dff"],
    ("xiaomi", "botox"): ["55aa032201300c9dff"],
    ("ninebot", "es2"): ["5aa50020225a0063ff"],
    ("jbd", "plain"): ["dda50300fffd77"],
    ("jk", "tlv"): ["4e5700130000000006030000000000006800000129"],
    ("jk", "module"): ["aa5590eb96000000000000000000000000000010"],
    ("jk", "module_24"): ["aa5590eb96000000000000000000000000000010"],
    ("jk", "bus"): ["011016200001020000d6f1"],
    ("jk", "modbus"): ["0103129000198155"],
    ("jk", "display"): [],
    ("ant", "new"): ["7ea1010000be1855aa55"],
    ("ant", "old"): ["dbdb00000000"],
    ("daly", "a5"): ["a5409808000000000000000085"],
    ("daly", "d2"): ["d2030000003ed7b9"],
    ("daly", "81"): ["81030041003e8bce"],
}
FAULTS = (*SAME, "board_over_temperature", "temperature_sensor", "software_lock")
CASES = [(case, fault) for case in ASKED for fault in FAULTS]


class Faulty:
    """A pack at rest, knee-deep in one trouble; its board has opened what it would open."""

    def __init__(self, fault: str) -> None:
        both = fault in ("board_over_temperature", "software_lock")
        stops_charge = both or fault.startswith("charge") or fault == "cell_over_voltage"
        stops_discharge = both or fault.startswith(("discharge", "short", "cell_under"))
        self._now = Readings(
            48_000,
            0,
            (4000,) * 12,
            (None if fault == "temperature_sensor" else 200, 200),
            200,
            3900,
            7800,
            7800,
            50,
            charge_fet=not stops_charge,
            discharge_fet=not stops_discharge,
            faults=frozenset({fault}),
        )

    def at(self, _: int) -> Readings:
        return self._now


@pytest.mark.parametrize(
    ("case", "fault"), CASES, ids=["-".join((*case, fault)) for case, fault in CASES]
)
def test_each_fault_comes_out_under_its_name(case: tuple[str, str], fault: str) -> None:
    """And nothing else; one that has no bit on this wire gives none."""
    dialect = {**HOURS, **SHORTER}[case]
    source = Faulty(fault)
    board = families.profile(*case)
    end = board.make([source] * board.packs, Random(1))
    t_us = 20_050_000
    pieces: list[bytes] = []
    for asked in map(bytes.fromhex, ASKED[case]):
        if case == ("xiaomi", "botox"):
            end.hear(asked, t_us - 200_000)  # wakes it
        pieces += [asked, *(reply for _, reply in end.hear(asked, t_us))]
    if end.due_us < 1 << 60:
        pieces += [data for _, data in end.speak(end.due_us)]
    heard = listen(case[0], *pieces)
    assert dialect.faults is not None
    wanted = {dialect.faults[fault]} if fault in dialect.faults else set()
    wanted = dialect.told(source.at(0)) if dialect.told else wanted
    assert set(heard.values()["faults"]) == wanted
