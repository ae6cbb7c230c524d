"""telemetry_viper.py in plain Python; written by tools/make_plain.py, never by hand."""

from micropython import const

# What a value is; as in fields_viper.py
_SLOT = const(0)
_CELL = const(1)
_TEMP = const(2)

# Telemetry.head, as in telemetry.py
_NOW = const(0)
_MARKS = const(1)
_CELLS = const(2)
_PROBES = const(3)
_WIRES = const(4)
_TOUCHED = const(1)
_CELLS_TOUCHED = const(2)
_TEMPS_TOUCHED = const(4)
_WIRES_TOUCHED = const(8)
_FAULTS_TOUCHED = const(16)

_MAX_CELLS = const(32)
_MAX_PROBES = const(8)
_NO_PROBE = const(-0x8000)
_SATURATED_MS = const(1 << 28)
_TICKS = const((1 << 30) - 1)
_COUNT = const(0xFFFF)


def begin(packs, now: int):
    """A frame, complete at `now`, starts to fill these telemetries."""
    i = len(packs)
    while i:
        i -= 1
        head = packs[i].head
        head[_NOW] = now
        head[_MARKS] = 0


def touched(packs) -> int:
    """Has the frame set anything in one of them?"""
    marks = 0
    i = len(packs)
    while i:
        i -= 1
        head = packs[i].head
        marks |= head[_MARKS]
    return marks


def put(arrays, kind: int, number: int, value: int):
    """A measured value: a slot's (_SLOT), a cell's mV (_CELL), a probe's 0.1 degC (_TEMP), else a
    sense wire's mohm. What was passed over is unknown, and long ago; numbers beyond the last cell
    or probe are dropped."""
    head = arrays[0]
    now = head[_NOW]
    if kind == _SLOT:
        values = arrays[1]
        values[number] = value
        stamps = arrays[2]
        stamps[number] = now
        counts = arrays[3]
        counts[number] = (counts[number] + 1) & _COUNT
        seen = arrays[4]
        seen[number] = 1
        head[_MARKS] |= _TOUCHED
    elif kind == _TEMP:
        if number < _MAX_PROBES:
            temps = arrays[7]
            stamps = arrays[8]
            known = head[_PROBES]
            while known < number:
                temps[known] = _NO_PROBE
                stamps[known] = (now - _SATURATED_MS) & _TICKS
                known += 1
            if value > 0x7FFF:
                value = 0x7FFF
            if value < -0x7FFF and value != _NO_PROBE:
                value = -0x7FFF
            temps[number] = value
            stamps[number] = now
            if number == known:
                head[_PROBES] = number + 1
            head[_MARKS] |= _TOUCHED | _TEMPS_TOUCHED
    elif number < _MAX_CELLS:
        if value < 0:
            value = 0
        if value > 0xFFFF:
            value = 0xFFFF
        if kind == _CELL:
            cells = arrays[5]
            stamps = arrays[6]
            known = head[_CELLS]
            while known < number:
                cells[known] = 0
                stamps[known] = (now - _SATURATED_MS) & _TICKS
                known += 1
            cells[number] = value
            stamps[number] = now
            if number == known:
                head[_CELLS] = number + 1
            head[_MARKS] |= _TOUCHED | _CELLS_TOUCHED
        else:
            wires = arrays[9]
            known = head[_WIRES]
            while known <= number:
                wires[known] = 0
                known += 1
            wires[number] = value
            head[_WIRES] = known
            head[_MARKS] |= _TOUCHED | _WIRES_TOUCHED


def put_faults(arrays, slot: int, low: int, high: int):
    """Bits of both fault words, `slot` and the one behind it; several fields of a frame add up."""
    head = arrays[0]
    if head[_MARKS] & _FAULTS_TOUCHED:
        values = arrays[1]
        values[slot] |= low
        values[slot + 1] |= high
    else:
        put(arrays, _SLOT, slot, low)
        put(arrays, _SLOT, slot + 1, high)
        head[_MARKS] |= _FAULTS_TOUCHED
