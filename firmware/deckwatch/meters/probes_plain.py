"""probes_viper.py in plain Python; written by tools/make_plain.py, never by hand."""

from micropython import const

_AGE = const((1 << 30) - 1)
_SPAN_MS = const(10000)
_MAX_PROBES = const(8)
_SIGN = const(0x8000)  # as a reading: there is none


def jump(arrays, probes: int, kept: int, now: int) -> int:
    """Largest change of one of so many probes, 0.1 degC, against its reading before and those kept
    from the last 10 s, times 16; plus its number, counted from 1, 0 = nothing has changed.

    arrays: readings now ("h"), those before, `kept` times _MAX_PROBES older ones, and when each of
    them was ("i").
    """
    calm = arrays[0]
    was = arrays[1]
    past = arrays[2]
    past_at = arrays[3]
    most = number = 0
    for probe in range(probes):
        dc = calm[probe] & 0xFFFF
        if dc != _SIGN:
            k = -1
            while k < kept:
                before = _SIGN
                if k < 0:
                    before = was[probe] & 0xFFFF
                elif (now - past_at[k]) & _AGE <= _SPAN_MS:
                    before = past[k * _MAX_PROBES + probe] & 0xFFFF
                if before != _SIGN:
                    moved = (dc ^ _SIGN) - (before ^ _SIGN)
                    if moved < 0:
                        moved = 0 - moved
                    if moved > most:
                        most = moved
                        number = probe + 1
                k += 1
    return most * 16 + number
