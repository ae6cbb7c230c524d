"""Xiaomi M365: 10S, 7.8 Ah; the stock controller trips at 27 A, 44 A is where a Happy BMS stops
(guardrail sheet)."""

OPTIONS = {
    "family": "xiaomi",
    "series": 10,
    "design_mah": 7800,
    "charge_current_warn_ma": 3000,
    "discharge_current_warn_ma": 27000,
    "discharge_current_alarm_ma": 44000,
    "regen_current_warn_ma": 20000,
}
