"""Rita, the adapter for an external pack, before a 10S pack: newer ones stop above 25 to 30 A, and
what they write where temperatures belong are messages (xiaomi.md 5.3;
docs/protocols/aftermarket.md)."""

OPTIONS = {
    "family": "xiaomi",
    "series": 10,
    "temp_messages": 1,
    "charge_current_warn_ma": 3000,
    "discharge_current_warn_ma": 30000,
    "discharge_current_alarm_ma": 44000,
    "regen_current_warn_ma": 20000,
}
