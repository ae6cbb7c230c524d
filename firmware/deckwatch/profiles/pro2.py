"""Xiaomi Pro, Pro 2, 1S, Mi 3: the M365's line with a larger pack, 12.4 to 12.8 Ah (sheet
xiaomi.md 5.1)."""

OPTIONS = {
    "family": "xiaomi",
    "series": 10,
    "design_mah": 12800,
    "charge_current_warn_ma": 3000,
    "discharge_current_warn_ma": 27000,
    "discharge_current_alarm_ma": 44000,
    "regen_current_warn_ma": 20000,
}
