"""Ninebot ES, Max, F: internal and external pack on one line (sheet xiaomi.md 3.3)."""

OPTIONS = {
    "family": "ninebot",
    "series": 10,
    "packs": 2,
    "design_mah": 5200,
    "charge_current_warn_ma": 3000,
    "discharge_current_warn_ma": 27000,
    "discharge_current_alarm_ma": 44000,
    "regen_current_warn_ma": 20000,
}
