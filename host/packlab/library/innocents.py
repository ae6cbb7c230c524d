"""What may look odd and is fine, and the plain days between: nothing may be said but what
expected.toml grants."""

from packlab.library.kit import ON, RIDE, Tale, fixed, jbd, m365, other
from packlab.made.chemistry import LFP

_CHARGER = {"charger_mv": 42_000}
_BOUNCE = tuple((at / 4, {"scooter_on": at % 2 == 0}) for at in range(4, 12))


def _off_and_on() -> Tale:
    beats = [(0.0, dict(ON))]
    for turn in range(8):
        beats.append((20.0 + 30 * turn, {"scooter_on": False}))
        beats.append((30.0 + 30 * turn, {"scooter_on": True}))
    return m365(270, *beats)


def _by_turns(end_s: int, faults: tuple[str, ...]) -> Tale:
    beats = [(30.0 * n, {**ON, "riding": n % 2 == 1}) for n in range(end_s // 30)]
    return m365(end_s, *beats, faults=faults)


_RIDE_AND_REST = ((0, dict(ON)), (20, dict(RIDE)), (320, {"riding": False}))

TALES = {
    "standing": m365(180, (0, ON)),
    "standing_long": m365(1500, (0, ON)),
    "ride": m365(320, (0, ON), (10, RIDE), (310, {"riding": False})),
    "ride_app_reads_cells": m365(320, (0, ON), (10, RIDE), (310, {"riding": False}), app=True),
    "regen_in_the_cold": m365(
        320, (0, ON), (10, {**RIDE, "ride_permille": 600, "brake_permille": 1500}), temp_dc=-30
    ),
    "sag_of_a_cold_pack": m365(320, (0, ON), (10, RIDE), cells_mv=3730, temp_dc=0),
    "relay_bounce": m365(125, *((0, dict(ON)), *_BOUNCE, (3.0, dict(ON)))),
    "off_and_on": _off_and_on(),
    "off_for_long": m365(420, (0, ON), (60, {"scooter_on": False}), (360, ON)),
    "charge": m365(500, (0, ON), (10, _CHARGER), cells_mv=3610),
    "charge_to_full": m365(
        900, (0, ON), (10, _CHARGER), (850, {"charger_mv": 0}), cells_mv=4148, pace=4
    ),
    "charge_to_full_app_reads_cells": m365(
        900, (0, ON), (10, _CHARGER), (850, {"charger_mv": 0}), cells_mv=4148, pace=4, app=True
    ),
    "lfp_ride": jbd(
        500, (0, ON), (20, RIDE), (320, {"riding": False}),
        series=15, chemistry=LFP, cells_mv=3305,
        dongle={"profile": "jbd", "chemistry": "lfp", "series": 15},
    ),
    "jbd_ride": jbd(440, *_RIDE_AND_REST),
    "jk_ride": other("jk/tlv", {"profile": "jk"}, 440, *_RIDE_AND_REST, series=14, probes=2),
    "ant_ride": other(
        "ant/new", {"profile": "ant"}, 440, *_RIDE_AND_REST, series=20, capacity_mah=30_000,
        resistance_uohm=4000, probes=4,
    ),
    "daly_ride": other(
        "daly/a5", {"profile": "daly"}, 440, *_RIDE_AND_REST, series=16, capacity_mah=20_000,
        resistance_uohm=5000, probes=2,
    ),
    "vesc_ride": other(
        "vesc/bms", {"profile": "vesc"}, 440, *_RIDE_AND_REST, series=12, capacity_mah=12_000,
        resistance_uohm=8000, probes=3,
    ),
    "ninebot_ride": other(
        "ninebot/es2", {"profile": "ninebot"}, 330, (0, ON), (10, RIDE), (310, {"riding": False})
    ),
    "botox_ride": other(
        "xiaomi/botox", {"profile": "botox"}, 330, (0, ON), (10, RIDE), (310, {"riding": False}),
        series=10,
    ),
    "happy_saturated": other(
        "xiaomi/happy", {"profile": "happy"}, 180, (0, ON), series=16, capacity_mah=35_000,
        resistance_uohm=3000, cells_mv=4150,
    ),
    "rita_switches_packs": other("xiaomi/rita", {"profile": "rita"}, 240, (0, ON), (60, RIDE)),
    "balancing": jbd(
        900, (0, ON), (10, {"charger_mv": 54_600}), (880, {"charger_mv": 0}),
        cells_mv=[4170] * 11 + [4182] * 2, pace=4, differ_mv=0,
        misread=lambda _, now: fixed(balancing=(12, 13))(0, now),
    ),
    "noise_within_limits": _by_turns(360, ("bits:1e-4",)),
    "a_burst_of_noise": m365(60, (0, ON), (10, RIDE), faults=("burst:30s+1s",)),
    "a_stall": m365(60, (0, ON), (10, RIDE), faults=("stall:20s+300ms", "stall:35s+300ms")),
    "hot_day": m365(320, (0, ON), (10, RIDE), temp_dc=380),
    "nearly_empty_at_rest": jbd(130, (0, ON), cells_mv=3450),
    "two_packs": other(
        "ninebot/es4", {"profile": "ninebot", "packs": 2}, 330, (0, ON), (10, RIDE)
    ),
}  # fmt: skip
