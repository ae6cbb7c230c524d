"""probes_viper.py in plain Python; written by tools/make_plain.py, never by hand."""

from micropython import const

_AGE = const((1 << 30) - 1)
_SPAN_MS = const(10000)
_MAX_PROBES = const(8)
_WAS = const(8)  # in `kept_dc`, as in probes.py
_OLDER = const(32)
_SIGN = const(0x8000)  # as a reading: there is none


def jump(kept_dc, kept_at, probes: int, kept: int, now: int) -> int:
    """Largest change of one of so many probes, 0.1 degC, against its reading before and those kept
    from the last 10 s, times 16; plus its number, counted from 1, 0 = nothing has changed.

    kept_dc ("h"): as probes.py lays it out, with `kept` older readings of each probe; kept_at
    ("i"): when each of those was.
    """
    dcs = kept_dc
    past_at = kept_at
    most = number = 0
    for probe in range(probes):
        dc = dcs[probe] & 0xFFFF
        if dc != _SIGN:
            k = -1
            while k < kept:
                before = _SIGN
                if k < 0:
                    before = dcs[_WAS + probe] & 0xFFFF
                elif (now - past_at[k]) & _AGE <= _SPAN_MS:
                    before = dcs[_OLDER + k * _MAX_PROBES + probe] & 0xFFFF
                if before != _SIGN:
                    moved = (dc ^ _SIGN) - (before ^ _SIGN)
                    if moved < 0:
                        moved = 0 - moved
                    if moved > most:
                        most = moved
                        number = probe + 1
                k += 1
    return most * 16 + number
