"""What a battery tells of itself and no dongle keeps: serial number, model, versions and dates.
Their rows stand behind the end of a table (rows.py); where this file can be found, fields.py has
them read, too. A frame that tells nothing else counts for nothing, as on the dongle.

The value of a text's slot is its number among all texts there have been.
"""

from deckwatch.rows import DATE, RELEASE, TEXT
from deckwatch.telemetry import INDEX

_END = b"\xff\xff"
_BIG_ENDIAN = 4  # ">H" of rows.py
TEXT_BYTES = 32  # of a text that are shown; the longest seen is a JBD model of 25

_rows_of: dict = {}  # (offset, kind, code, width, slot) of each, by the table
_texts: list = []


def text_of(t, name: str) -> bytes:
    """A text of telemetry `t`, as it stands on the wire; b"" = not known."""
    slot = INDEX[name]
    return _texts[t.value[slot]] if t.seen[slot] else b""


def with_texts(read, turned_at: int):
    """read() of fields.py, which goes on behind the end of the table."""

    def read_all(table, buf, base: int, start: int, size: int, t) -> None:
        read(table, buf, base, start, size, t)
        turned = start >= turned_at
        start -= turned_at * turned
        if table not in _rows_of:
            _rows_of[table] = _behind(table)
        for offset, kind, code, width, slot in _rows_of[table]:
            if start <= offset and offset + max(width, 1) <= start + size:
                at = base + offset - start
                behind = at + width if width else base + size
                value = _value(kind, code, bytes(buf[at:behind]), turned)
                if value is not None:
                    t.derive(slot, value, 0, t.head[0], t.count[slot] + 1)

    return read_all


def _behind(table: bytes) -> list:
    place = 0
    while table[place : place + 2] != _END:
        place += table[place + 2]
    place += 2
    rows = []
    while place < len(table):
        form, width, slot = table[place + 3 : place + 6]
        rows.append((table[place] | table[place + 1] << 8, form >> 4, form & 15, width, slot))
        place += table[place + 2]
    return rows


def _value(kind: int, code: int, data: bytes, turned: bool):
    """What the slot is set to, None = nothing is told."""
    if kind == TEXT:
        return _number(data[: max(0, data.find(b"\0"))] if code else data)
    if kind == RELEASE:
        major, minor = data
        return _number(b"" if major > 9 or minor > 99 else ("%d.%02d" % (major, minor)).encode())
    raw = int.from_bytes(data, "big" if turned or code == _BIG_ENDIAN else "little")
    if not raw:
        return None
    if kind == DATE:
        return (2000 + (raw >> 9)) * 10000 + (raw >> 5 & 15) * 100 + (raw & 31)
    digits = ("%04x" % raw)[-1 - len(data) :]  # the first may be a board revision (xiaomi.md 3)
    return _number(".".join(list(digits)).encode())


def _number(told: bytes):
    """Of a text that holds anything."""
    if not told:
        return None
    told = told[:TEXT_BYTES]
    if told not in _texts:
        _texts.append(told)
    return _texts.index(told)
