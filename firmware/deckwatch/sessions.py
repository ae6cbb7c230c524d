"""The two sessions an owner starts: recovering (a deeply discharged or unbalanced pack is balanced
from outside, or charged gently) and commissioning (a checklist, judged on bench and phone).

Loaded when one begins; pipeline.py holds the Guided while it lasts, which is until the owner ends
it or the supply goes. While recovering:
  - the temperature guards of charging run whatever the pack's own current says: a group charged
    from outside bypasses the shunt. Those of the cells' voltage ask for no current anyway;
  - what is known is shown, but sounds no more: `cell_spread`, and `cell_low` and `balance_idle`
    that stood when it began, until they get worse by 20 mV.
"""

from array import array

from micropython import const

from deckwatch.alert import SET, WARN
from deckwatch.guardrails.compiled import GATE, GROUP, NO_GATE, RULE, RULES
from deckwatch.guardrails.table import CODES
from deckwatch.telemetry import INDEX, MAX_CELLS
from deckwatch.ticks import age_ms

ORDINARY = const(0)
RECOVERING = const(1)
COMMISSIONING = const(2)
KINDS = ("ordinary", "recovering", "commissioning")

WITHIN_MV = const(5)  # "within a few mV" of the target
WORSE_MV = const(20)
_NOT_YET = const(-(1 << 29))
_FITTED_MV = const(500)  # less is no cell
_SETTLED_S = const(60)  # before it there is no slope
_MINUTE_S = const(60)
_HOUR_S = const(3600)
_HOT_OR_COLD = (INDEX["coldest_dc"], INDEX["hottest_dc"])
_LOWEST = INDEX["lowest_mv"]
_SPREAD = CODES.index("cell_spread")
_WORKED_ON = bytes((_SPREAD, CODES.index("cell_low"), CODES.index("balance_idle")))
_CHARGING = INDEX["charging"]


class Guided:
    """One session. kind: of the constants above. target_mv: per group, 0 = the highest group's
    start. began_s: uptime. start_mv: each group as first read in it, 0 = not read yet. cells: the
    highest group that read anything.
    """

    def __init__(self, kind: int, target_mv: int, packs, began_s: int) -> None:
        self.kind = kind
        self.target_mv = target_mv
        self.began_s = began_s
        self.cells = 0
        self.start_mv = array("H", bytes(2 * MAX_CELLS))
        self._known = array("i", [_NOT_YET] * len(GROUP))
        if kind == RECOVERING:
            alerts = packs[0].alerts
            for code in _WORKED_ON:
                if alerts.state[code] == SET and alerts.level[code] >= WARN:
                    self._known[code] = alerts.peak[code]
            self._open(packs)

    def _open(self, packs) -> None:
        """Takes away the gates of charging's temperature rules; close() brings them back."""
        rules = packs[0].judge.rules
        rows = bytearray(rules.rows)
        for at in range(0, len(rows), RULE):
            if rows[at] in _HOT_OR_COLD and rows[at + GATE] == _CHARGING:
                rows[at + GATE] = NO_GATE
        rules.rows = rows

    def close(self, packs) -> None:
        """The session is over: everything as it was."""
        packs[0].judge.rules.rows = RULES

    def knows(self, alerts, code: int) -> bool:
        """Is this alert what the owner works on, and no worse than he knows? (at each round)"""
        if self.kind != RECOVERING or alerts.pack:
            return False
        known = self._known[code]
        if known == _NOT_YET:
            if code != _SPREAD:
                return False
            self._known[code] = known = alerts.peak[code]
        worse = alerts.peak[code] - known
        if alerts.slot[code] == _LOWEST:
            worse = -worse
        return worse <= WORSE_MV

    def follow(self, t, now: int) -> None:
        """Keeps each group's first reading (once a second)."""
        for cell in range(t.cells):
            if t.cell_mv[cell] >= _FITTED_MV and age_ms(now, t.cell_stamp[cell]) <= t.ttl_ms:
                self.cells = max(self.cells, cell + 1)
                if not self.start_mv[cell]:
                    self.start_mv[cell] = t.cell_mv[cell]

    # --- what it amounts to; these allocate ---

    def goal_mv(self) -> int:
        """The target, or the highest group's start."""
        return self.target_mv or max(self.start_mv)

    def slope_mv_h(self, t, cell: int, uptime_s: int) -> int:
        """How fast a group rises, mV an hour, towards zero; 0 in the first minute."""
        passed_s = uptime_s - self.began_s
        if passed_s < _SETTLED_S or not self.start_mv[cell]:
            return 0
        moved = t.cell_mv[cell] - self.start_mv[cell]
        return moved * _HOUR_S // passed_s if moved >= 0 else -(-moved * _HOUR_S // passed_s)

    def left_min(self, t, cell: int, uptime_s: int) -> int:
        """Minutes until a group is at the target; 0 = it is, -1 = it does not get there so."""
        left_mv = self.goal_mv() - t.cell_mv[cell]
        if left_mv <= WITHIN_MV:
            return 0
        slope = self.slope_mv_h(t, cell, uptime_s)
        return left_mv * 60 // slope if slope > 0 else -1

    def told(self, t, uptime_s: int) -> str:
        """One line: kind, minutes, and each group as START>NOW."""
        text = "%s %d min" % (KINDS[self.kind], (uptime_s - self.began_s) // _MINUTE_S)
        if self.kind == RECOVERING and self.cells:
            moved = ["%d>%d" % (self.start_mv[c], t.cell_mv[c]) for c in range(self.cells)]
            text += " target %d: %s" % (self.goal_mv(), " ".join(moved))
        return text

    def result(self, t, uptime_s: int) -> str:
        """How it ended, short enough for a record: the groups' state against the target."""
        text = "%s ended after %d min" % (
            KINDS[self.kind],
            (uptime_s - self.began_s) // _MINUTE_S,
        )
        if self.kind != RECOVERING or not self.cells:
            return text
        lowest = 0
        reached = 0
        for cell in range(self.cells):
            if self.goal_mv() - t.cell_mv[cell] <= WITHIN_MV:
                reached += 1
            if t.cell_mv[cell] < t.cell_mv[lowest]:
                lowest = cell
        text += ": %d of %d groups at %d mV, lowest %d: %d > %d mV" % (
            reached, self.cells, self.goal_mv(), lowest + 1, self.start_mv[lowest],
            t.cell_mv[lowest],
        )  # fmt: skip
        left = self.left_min(t, lowest, uptime_s)
        return text + (", %d min to go" % left if left > 0 else "")
