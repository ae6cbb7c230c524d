# ruff: noqa: F821  viper's own types, such as ptr8, are known to MicroPython's compiler alone
"""How one pack is judged: limits, hysteresis, hold times, agreeing samples. Machine code for the
chip, because every round goes over every rule; judge.py calls it and keeps the state.

`judge` is a Judge, `rules` its Rules, `t` a Telemetry. A 32-bit pointer reads a number below 0 as
one above 2**31 where a word has 64 bits: so what can be below 0 is put together from its halves.
"""

import micropython
from micropython import const

from deckwatch.telemetry import FIRST_LASTING

_TICK_MS = const(100)  # hold times are kept in tenths of a second
_UNARMED = const(-(1 << 29))
_RULE = const(8)  # bytes of a row, and where its fields lie: compiled.py
_GATE = const(1)
_FLAGS = const(2)
_FIRST = const(3)
_CLEAR_BY = const(4)
_CLEAR_HOLD = const(6)
_RISING = const(1)
_STRICT = const(2)
_HOLDING = const(4)
_NEED = const(3)
_PLACE = const(3)
_HOLD = const(1)
_NO_GATE = const(255)
_AGE = const((1 << 30) - 1)

# Judge.state, as in judge.py
_LEVEL = const(3)
_LOST = const(4)
_WATCHED = const(8)
_PENDING = const(16)
_STANDS = const(128)  # in Judge.tally


@micropython.viper
def judge(judge, t, now: int, whole: int, wait: int) -> int:
    """Judges what is new (everything with `whole`), what waits for its hold time, and what can be
    seen again. Returns ms until a hold time ends, at most `wait`.
    """
    rules = judge.rules
    rows = ptr8(rules.rows)
    places = ptr8(rules.places)
    armed = ptr8(rules.armed)
    limits = ptr32(rules.limit)
    value = ptr32(t.value)
    stamp = ptr32(t.stamp)
    count = ptr16(t.count)
    seen = ptr8(t.seen)
    ttl = int(t.ttl_ms)
    lasting = int(FIRST_LASTING)
    states = ptr8(judge.state)
    since = ptr32(judge.since)
    agree = ptr8(judge.agree)
    tally = ptr8(judge.tally)
    judged = ptr16(judge.count)
    changed = 0
    for rule in range(int(judge.size)):
        at = rule * _RULE
        slot = rows[at]
        state = states[rule]
        if not whole and count[slot] == judged[rule] and not state & _PENDING:
            if state & _WATCHED or not seen[slot] or not armed[rule]:
                continue
        gate = rows[at + _GATE]
        applies = 1
        sees = 0
        if armed[rule] and seen[slot]:
            if slot >= lasting or (now - stamp[slot]) & _AGE <= ttl:
                sees = _WATCHED
        if gate != _NO_GATE:
            if value[gate] == 0:
                applies = 0
            if not seen[gate] or gate < lasting and (now - stamp[gate]) & _AGE > ttl:
                sees = 0
        if state & _WATCHED != sees:
            changed = 1
        level = state & _LEVEL
        lost = state & _LOST
        new = 1
        if applies and count[slot] == judged[rule]:
            new = 0
        judged[rule] = count[slot]
        flags = rows[at + _FLAGS]
        first = rows[at + _FIRST]
        end = rows[at + _RULE + _FIRST]
        if not sees or not applies and flags & _HOLDING:
            # Nothing to judge: agreement and hold times count from the next value on
            for place in range(first, end):
                agree[place] = 0
            tally[rule] = 0
            if level and not lost:
                lost = _LOST
                changed = 1
            states[rule] = level | lost | sees
            continue
        v = value[slot]
        v = (((v >> 16) & 0xFFFF ^ 0x8000) - 0x8000) * 65536 + (v & 0xFFFF)
        strict = flags & _STRICT
        rising = flags & _RISING
        need = flags >> _NEED

        # Raise: the worst level whose limit has been passed for long enough, on enough samples
        pending = 0
        for place in range(first, end):
            limit = limits[place]
            limit = (((limit >> 16) & 0xFFFF ^ 0x8000) - 0x8000) * 65536 + (limit & 0xFFFF)
            beyond = v - limit if rising else limit - v
            if not applies:
                agree[place] = 0
            elif limit == _UNARMED:
                continue
            elif beyond < 0 or beyond == 0 and strict:
                agree[place] = 0
            else:
                if not agree[place]:
                    since[place] = now
                    agree[place] = 1
                elif new and agree[place] < need:
                    agree[place] = agree[place] + 1
                hold = place * _PLACE + _HOLD
                left = (places[hold] | places[hold + 1] << 8) * _TICK_MS
                left -= (now - since[place]) & _AGE
                if left <= 0 and agree[place] >= need:
                    if places[place * _PLACE] > level:
                        level = places[place * _PLACE]
                        lost = 0
                        changed = 1
                else:
                    if places[place * _PLACE] > level:
                        pending = _PENDING
                    if 0 < left and left < wait:
                        wait = left
        if not level:
            states[rule] = sees | pending
            continue

        # Lower: to the worst level that is not on the safe side of its limit by clear_by
        clear_by = rows[at + _CLEAR_BY] | rows[at + _CLEAR_BY + 1] << 8
        place = end - 1
        while places[place * _PLACE] != level:
            place -= 1
        limit = limits[place]
        limit = (((limit >> 16) & 0xFFFF ^ 0x8000) - 0x8000) * 65536 + (limit & 0xFFFF)
        inside = limit - v if rising else v - limit
        said = tally[rule]
        if applies and (inside < clear_by or inside == 0 and not strict):
            if said < _STANDS:
                said = _STANDS
            if lost:  # still wrong: it stands again once enough samples say so
                if new or said == _STANDS:
                    said += 1
                if said >= _STANDS + need:
                    lost = 0
                    changed = 1
        else:
            if said == 0 or said >= _STANDS:
                said = 1
                since[place] = now
            elif new and said < need:
                said += 1
            left = (rows[at + _CLEAR_HOLD] | rows[at + _CLEAR_HOLD + 1] << 8) * _TICK_MS
            left -= (now - since[place]) & _AGE
            if left > 0 or said < need:
                pending = _PENDING
                if 0 < left and left < wait:
                    wait = left
            else:
                level = said = lost = 0
                while applies and place > first:
                    place -= 1
                    limit = limits[place]
                    limit = (((limit >> 16) & 0xFFFF ^ 0x8000) - 0x8000) * 65536 + (limit & 0xFFFF)
                    inside = limit - v if rising else v - limit
                    if limit != _UNARMED and (inside < clear_by or inside == 0 and not strict):
                        level = places[place * _PLACE]
                        break
                changed = 1
        tally[rule] = said
        states[rule] = level | lost | sees | pending
    if changed:
        judge.changed = True
    return wait
