"""BotoX firmware on the M365's clone boards, 10 to 15 cells at 76800 baud: it switches off at 35 A
out and 6 A in by itself (sheet xiaomi.md 5.3; docs/protocols/aftermarket.md)."""

OPTIONS = {
    "family": "xiaomi",
    "baud": 76800,
    "series": 0,
    "charge_current_warn_ma": 6000,
    "discharge_current_warn_ma": 35000,
    "discharge_current_alarm_ma": 44000,
    "regen_current_warn_ma": 20000,
}
