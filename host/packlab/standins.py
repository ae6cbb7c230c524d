"""Recognises what answers in place of a stock Xiaomi pack, by what it has told so far: BotoX, a
Happy BMS, a Rita, an emulator (docs/protocols/aftermarket.md). `packlab identify` asks here.

Of Happy BMS and Rita no recording is public: their signs are what makers and users report, and
each is told with its reason, as a likeness and no proof.
"""

from typing import Any

from packlab.checkout import firmware
from packlab.decode import text_of

BOTOX_BAUD = 76_800
MOST_MAH = 32_767  # of 16 bits with a sign
RITA_MAH = 29_000
_NO_BRAKING_DC, _STOP_DC = -100, 1000
_EMULATOR_MV, _EMULATOR_DC = 2250, 200
_HEALTHY_MV = 3300
_OFTEN = 20  # statuses in a row are no chance
_LITTLE_PCT = 10  # below, whole percents say too little of the capacity behind them


class Signs:
    """What a Xiaomi line has shown so far."""

    def __init__(self, baud: int) -> None:
        self._baud = baud
        self._settings = 0  # BotoX frames
        self._statuses = 0
        self._currents = 0  # of them with a current
        self._of_rita = 0  # of them with a charge that is its percent of 29 Ah
        self._messages: set[int] = set()
        self._serial = ""
        self._full_mah: set[int] = set()
        self._empty_mv = 0  # lowest cell while charge and percent read 0
        self._constants = 0  # statuses that are an emulator's

    def note(self, kind: str, t: Any) -> None:
        """One more frame of the battery has been decoded into telemetry `t`."""
        self._settings += kind == "botox"
        index = firmware("telemetry").INDEX
        for name in ("design_mah", "full_mah"):
            if t.seen[index[name]]:
                self._full_mah.add(t.value[index[name]])
        self._serial = text_of(t, "serial").strip("\0 ") or self._serial
        if kind == "reply" and t.head[0] == t.stamp[index["pack_mv"]] and t.seen[index["pack_mv"]]:
            self._note_status(t, index)

    def _note_status(self, t: Any, index: Any) -> None:
        self._statuses += 1
        self._currents += t.value[index["current_ma"]] != 0
        soc_pct = t.value[index["soc_pct"]]
        off_mah = abs(t.value[index["remaining_mah"]] - RITA_MAH * soc_pct // 100)
        self._of_rita += soc_pct > _LITTLE_PCT and off_mah <= RITA_MAH // 100
        temps = list(t.temp_dc[: t.probes])
        self._messages |= {_NO_BRAKING_DC, _STOP_DC} & set(temps)
        is_constant = t.value[index["pack_mv"]] == _EMULATOR_MV
        self._constants += is_constant and set(temps) == {_EMULATOR_DC}
        cells = [mv for mv in t.cell_mv[: t.cells] if mv]
        if cells and not soc_pct and not t.value[index["remaining_mah"]]:
            self._empty_mv = max(self._empty_mv, min(cells))

    def told(self) -> list[str]:
        """A sentence for each likeness, with its reason."""
        said = []
        if self._serial.startswith("BOTOX") or self._settings or self._baud == BOTOX_BAUD:
            said.append(f"BotoX firmware: {self._botox()}; take profile botox")
        if MOST_MAH in self._full_mah:
            said.append(
                "Happy BMS: its charge ends at 32.767 Ah, the most that 16 bits with a sign hold; "
                "a larger pack shows 0 % with charge left; take profile happy"
            )
        if self._empty_mv > _HEALTHY_MV:
            said.append(
                f"charge and percent read 0 with every cell at {self._empty_mv / 1000:.2f} V or "
                "more: the counter is out of step, or saturated at 32.767 Ah"
            )
        if self._messages:
            said.append(f"Rita: {self._rita()}; take profile rita")
        elif self._is_still() and self._of_rita == self._statuses:
            said.append("Rita standing in for the battery: 29 Ah and never a current")
        if self._constants and self._is_still():
            said.append(
                "an emulator and no battery: 2.25 V, 20 and 20 °C, no current in "
                f"{self._statuses} statuses"
            )
        return said

    def _is_still(self) -> bool:
        return self._statuses >= _OFTEN and not self._currents

    def _botox(self) -> str:
        if self._serial.startswith("BOTOX"):
            return f"its serial number is {self._serial}"
        return f"the line's speed is {BOTOX_BAUD}" if not self._settings else "its own commands"

    def _rita(self) -> str:
        names = {_NO_BRAKING_DC: "−10 °C (do not brake)", _STOP_DC: "100 °C (stop)"}
        return " and ".join(names[dc] for dc in sorted(self._messages)) + " as messages"
