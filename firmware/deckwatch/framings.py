"""FRAMING rows of a protocol -> the bytes that the framer's loops go through (framer_viper.py).
Known before the firmware runs, as those of rows.py.

A FRAMING row is literal:
  (header, (offset, code, add, lowest, highest), (check, from, end, at, code), tail, spare, before,
   after)
  length: total size = value at `offset` in `code` ("B", "<H", ">H"; "" = no length field) + add,
          which is not negative, between lowest and highest
  check:  name in checksums_viper.py over frame[from : size - end], stored at size - at in `code`;
          ("", 0, 0, 0, "") = the frame has none
  spare:  so many bytes behind a frame are passed over without being noise; this and what follows
          may be left off
  before: (lowest, highest) of one byte in front of the header, an address, with which the frame
          begins; () = none
  after:  rows of what may follow at once and then belongs to the frame (who spoke)
Several rows may share a header or the beginning of one; the first that holds wins.

Compiled: bytes of a frame at most, 2, least significant first; then the rows; then 0. A row:
  bytes to the next | is an address in front | lowest, highest of it | bytes of the header |
  bytes needed to know the length | offset | code | spare | check | from | end | at | code |
  bytes of the tail | add 2 | lowest 2 | highest 2 | header | tail | rows that may follow
A code is its place in _FORMS, a check its place in CHECK_NAMES.
"""

from deckwatch.rows import packed

_FORMS = ("", "B", "<H", ">H")
CHECK_NAMES = (
    "",
    "sum8",
    "sum16",
    "sum16_inverted",
    "sum16_negated",
    "crc16_modbus",
    "crc16_xmodem",
)


def framed(framings: tuple) -> bytes:
    """ValueError where a row cannot be meant, or its numbers have no room."""
    table = b""
    longest = 0
    for row in framings:
        after = row[6] if len(row) > 6 else ()
        inner = max([0] + [follower[1][4] for follower in after])
        longest = max(longest, row[1][4] + inner)
        table += _row(row, b"".join([_row(follower, b"") for follower in after]))
    return packed(longest, 2, "of all") + table + b"\0"


def _row(row: tuple, after: bytes) -> bytes:
    header, (offset, code, add, lowest, highest), check, tail = row[:4]
    name, start, end, at, check_code = check
    before = row[5] if len(row) > 5 else ()
    first, last = before or (0, 0)
    lead = 1 if before else 0
    need = max(lead + len(header), offset + (2 if code.endswith("H") else len(code)))
    numbers = [lead, first, last, len(header), need, offset, _FORMS.index(code)]
    numbers += [row[4] if len(row) > 4 else 0, CHECK_NAMES.index(name), start, end, at]
    numbers += [_FORMS.index(check_code), len(tail)]
    which = "of " + "".join(["%02x" % byte for byte in header])
    told = b"".join([packed(number, 1, which) for number in numbers])
    told += b"".join([packed(number, 2, which) for number in (add, lowest, highest)])
    told += header + tail + after
    return packed(1 + len(told), 1, which) + told
