"""Happy BMS on a Xiaomi line, 9 to 16 cells: stops at 44 A by itself; its percent may read 0 with
charge left, as it counts to 32.767 Ah at most (xiaomi.md 5.3; docs/protocols/aftermarket.md)."""

OPTIONS = {
    "family": "xiaomi",
    "series": 0,
    "charge_current_warn_ma": 3000,
    "discharge_current_alarm_ma": 44000,
    "regen_current_warn_ma": 20000,
}
