"""framer_viper.py in plain Python; written by tools/make_plain.py, never by hand."""

from micropython import const

# The framer's numbers, as in framer.py and frame.py
_READ = const(0)
_WRITE = const(1)
_HELD = const(2)
_SPARE = const(3)
_LOST = const(4)
_AT = const(5)
_SIZE = const(6)
_FRAMING = const(7)
_FRAMES_IN = const(9)
_DAMAGED = const(10)
_FRAME_BYTES = const(11)
_BYTES_IN = const(12)
_NOISE = const(13)
_REASON = const(13)  # + reason: how often
_COUNT = const((1 << 28) - 1)

# One row, as in framings.py
_LEAD = const(1)
_FIRST = const(2)
_LAST = const(3)
_HEADER_SIZE = const(4)
_NEED = const(5)
_OFFSET = const(6)
_FORM = const(7)
_SPARES = const(8)
_CHECK = const(9)
_FROM = const(10)
_END = const(11)
_STORED = const(12)
_CHECK_FORM = const(13)
_TAIL_SIZE = const(14)
_ADD = const(15)
_LOWEST = const(17)
_HIGHEST = const(19)
_HEADER = const(21)
_ROWS = const(2)  # where the first begins

# What fit() says of a row that does not hold, from the least telling to the most: why
_WAIT = const(0)
_NO_LENGTH = const(1)
_NO_END = const(2)
_NO_CHECK = const(3)
_NO_HEADER = const(4)


def take(state_, own_, buf_, n: int):
    """Puts buf[0:n] behind what `own` holds; what waits is moved to the front when there is no
    room behind it."""
    state = state_
    own = own_
    buf = buf_
    read = state[_READ]
    write = state[_WRITE]
    i = 0
    if write + n > len(own_):
        write -= read
        while i < write:
            own[i] = own[read + i]
            i += 1
        state[_READ] = 0
        i = 0
    while i < n:
        own[write + i] = buf[i]
        i += 1
    state[_WRITE] = write + n
    state[_BYTES_IN] = (state[_BYTES_IN] + n) & _COUNT


def scan(loop, patience: int) -> int:
    """Judges what was taken in. 1: a frame is to be delivered, which is passed over; 2: the same,
    and nothing is left behind it; 0: there is none yet.

    loop: the framer's numbers and bytes, its compiled rows, checksum functions.
    patience: what is waited for: 2 all that is missing, 1 not what may follow a frame, 0 nothing.
    A row still waiting for bytes keeps those after it waiting: were they asked first, the chunks
    would decide which one wins.
    """
    state = loop[0]
    buf = loop[1]
    rows_ = loop[2]
    checks = loop[3]
    own = buf
    rows = rows_
    at = state[_READ]
    write = state[_WRITE]
    state[_HELD] = 0
    while at < write:
        reason = 0
        number = 0
        row = _ROWS
        while rows[row]:
            place = at + rows[row + _LEAD]
            found = _NO_HEADER
            if place >= write or own[place] == rows[row + _HEADER]:
                size = fit(buf, rows_, checks, row, at, write)
                found = 0 - size
                if size > 0:
                    state[_AT] = at
                    state[_FRAMING] = number
                    after = row + _HEADER + rows[row + _HEADER_SIZE] + rows[row + _TAIL_SIZE]
                    end = row + rows[row]
                    more = 0
                    while after < end and not more:
                        more = fit(buf, rows_, checks, after, at + size, write)
                        if more == _WAIT or more == 0 - _NO_END:
                            if patience == 2:
                                state[_READ] = at
                                state[_HELD] = size
                                return 0
                        if more < 0:
                            more = 0
                        after += rows[after]
                    size += more
                    state[_SIZE] = size
                    state[_FRAMES_IN] = (state[_FRAMES_IN] + 1) & _COUNT
                    state[_FRAME_BYTES] = (state[_FRAME_BYTES] + size) & _COUNT
                    state[_SPARE] = rows[row + _SPARES]
                    state[_LOST] = 0
                    if at + size == write:
                        state[_READ] = 0
                        state[_WRITE] = 0
                        return 2
                    state[_READ] = at + size
                    return 1
            if found == _WAIT or found == _NO_END:
                if patience:
                    state[_READ] = at
                    return 0
            if found != _NO_HEADER and found > reason:
                reason = found
            row += rows[row]
            number += 1
        if reason:
            state[_REASON + reason] = (state[_REASON + reason] + 1) & _COUNT
        if state[_SPARE]:
            state[_SPARE] -= 1
        else:
            state[_NOISE] = (state[_NOISE] + 1) & _COUNT
            if not state[_LOST]:
                state[_LOST] = 1
                state[_DAMAGED] = (state[_DAMAGED] + 1) & _COUNT
        at += 1
    state[_READ] = 0
    state[_WRITE] = 0
    return 0


def fit(buf, rows_, checks, row: int, at: int, end: int) -> int:
    """Size of the frame of one row at buf[at:end]. Where it does not hold, why: one of the reasons
    above, negative; _WAIT while not even the header is in, _NO_END while less than the frame is.
    """
    own = buf
    rows = rows_
    available = end - at
    lead = rows[row + _LEAD]
    if lead and available:
        first = own[at]
        if first < rows[row + _FIRST] or first > rows[row + _LAST]:
            return 0 - _NO_HEADER
    whole = rows[row + _HEADER_SIZE]
    shown = whole
    if shown > available - lead:
        shown = available - lead
    i = 0
    place = at + lead
    head = row + _HEADER
    while i < shown:
        if own[place + i] != rows[head + i]:
            return 0 - _NO_HEADER
        i += 1
    if shown < whole:
        return _WAIT
    if available < rows[row + _NEED]:
        return 0 - _NO_END
    size = rows[row + _ADD] | rows[row + _ADD + 1] << 8
    form = rows[row + _FORM]
    place = at + rows[row + _OFFSET]
    if form == 1:
        size += own[place]
    elif form == 2:
        size += own[place] | own[place + 1] << 8
    elif form == 3:
        size += own[place] << 8 | own[place + 1]
    if size < rows[row + _LOWEST] | rows[row + _LOWEST + 1] << 8:
        return 0 - _NO_LENGTH
    if size > rows[row + _HIGHEST] | rows[row + _HIGHEST + 1] << 8:
        return 0 - _NO_LENGTH
    if size > available:
        return 0 - _NO_END
    end = at + size
    head += whole
    whole = rows[row + _TAIL_SIZE]
    place = end - whole
    i = 0
    while i < whole:
        if own[place + i] != rows[head + i]:
            return 0 - _NO_CHECK
        i += 1
    check = rows[row + _CHECK]
    if check:
        place = end - rows[row + _STORED]
        form = rows[row + _CHECK_FORM]
        stored = own[place]
        if form == 2:
            stored |= own[place + 1] << 8
        elif form == 3:
            stored = stored << 8 | own[place + 1]
        start = at + rows[row + _FROM]
        if checks[check - 1](buf, start, end - rows[row + _END]) != stored:
            return 0 - _NO_CHECK
    return size
