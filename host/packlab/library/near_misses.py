"""One step short of a limit: nothing may be said."""

from packlab.library.kit import ON, RIDE, jbd, m365, temps
from packlab.made.readings import Readings

_CHARGER = {"charger_mv": 42_000}


def _cold_for_forty_seconds(t_s: float, now: Readings) -> Readings:
    return temps(*((40, 50) if 60 <= t_s < 100 else (60, 70)))(t_s, now)


TALES = {
    "spread_just_below": m365(
        120, (0, ON), cells_mv=[3820] * 2 + [3731] + [3820] * 7, app=True, differ_mv=0
    ),
    "charge_at_six_degrees": m365(
        320, (0, ON), (10, _CHARGER), cells_mv=3660, temp_dc=65, misread=temps(60, 70)
    ),
    "cold_for_forty_seconds": m365(
        200, (0, ON), (10, _CHARGER), cells_mv=3660, temp_dc=60, misread=_cold_for_forty_seconds
    ),
    "charger_just_right": m365(
        600, (0, ON), (10, {"charger_mv": 42_200}), (580, {"charger_mv": 0}), cells_mv=4186, pace=4
    ),
    "hot_charge_just_below": m365(
        320, (0, ON), (10, _CHARGER), cells_mv=3730, temp_dc=380, misread=temps(380, 390)
    ),
    "hot_ride_just_below": m365(
        200, (0, ON), (10, RIDE), cells_mv=3730, temp_dc=530, misread=temps(530, 540)
    ),
    "current_just_below": m365(200, (0, ON), (10, {**RIDE, "ride_permille": 1280}), cells_mv=3910),
    "probes_nine_apart": m365(180, (0, ON), misread=temps(200, 290)),
    "cell_not_yet_low": jbd(130, (0, ON), cells_mv=3325),
    "short_silence": m365(
        120, (0, ON), (60, {"reply_wire_cut": True}), (63, {"reply_wire_cut": False})
    ),
}
