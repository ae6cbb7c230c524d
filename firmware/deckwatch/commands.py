"""What the owner may have done from afar: takes a written command apart, asks owner.py whether it
is the owner's, and has a device do it. Pure; hal/radio.py brings the bytes and takes the answer.

A command is op u8, req u8, length u8, payload, tag; its answer is req u8, code u8, text or bytes.
No command switches a battery: there is none, and the device has nothing that could.
"""

from micropython import const

from deckwatch.owner import TAG_BYTES
from deckwatch.ticks import age_ms

ACKNOWLEDGE = const(1)
MUTE = const(2)  # minutes u8, 0 = sound again
BLINK = const(3)
SELF_TEST = const(4)
SET_TIME = const(5)  # seconds since 1970 u32
SET_OPTION = const(6)  # number u8, value (settings.py)
READ_LOG = const(7)  # first index u32, count u8
START_SESSION = const(8)  # kind u8 (sessions.py; 0 ends it), target of each group u16 mV or none

DONE = const(0)
AT_NEXT_START = const(1)
# 2 and 3 are owner.py's BAD_TAG and LOCKED
MALFORMED = const(4)
REFUSED = const(5)
HOLD_BUTTON = const(6)
NOT_HELD = const(7)
NOTHING = const(8)
TROUBLE = const(9)

HOLD_MS = const(30000)
MOST_MINUTES = const(60)
_HEAD = const(3)
MOST = const(24)  # bytes of the longest command: 3, a payload of 5, a tag of 16

# payload bytes, lowest and highest
_SIZES = {
    ACKNOWLEDGE: (0, 0),
    MUTE: (1, 1),
    BLINK: (0, 0),
    SELF_TEST: (0, 0),
    SET_TIME: (4, 4),
    SET_OPTION: (1, 5),
    READ_LOG: (5, 5),
    START_SESSION: (1, 3),
}


class Commands:
    """owner: an Owner. device: does acknowledge(), mute(minutes), blink(), self_test(),
    set_time(s), set_option(number, data, held), read_log(first, count),
    start_session(kind, target_mv), each of which returns (code, text), and note(text), which
    keeps what happened.

    One risky command may wait for the button, the newest.
    """

    def __init__(self, owner, device) -> None:
        self._owner = owner
        self._device = device
        self._locks = owner.locks
        self._waits = False
        self._connection = self._req = 0
        self._payload = b""
        self._since = 0

    def handle(self, connection: int, frame: bytes, now: int) -> bytes:
        """The answer to one written command. Whatever the bytes, it raises nothing."""
        size = len(frame)
        req = frame[1] if size > 1 else 0
        if size < _HEAD + TAG_BYTES or frame[2] != size - _HEAD - TAG_BYTES or size > MOST:
            self._owner.judge(connection, b"", b"", now)  # spends the nonce, and counts
            code = MALFORMED
        else:
            end = size - TAG_BYTES
            code = self._owner.judge(connection, bytes(frame[:end]), bytes(frame[end:]), now)
        if self._owner.locks != self._locks:
            self._locks = self._owner.locks
            self._device.note("locked for 30 s: five commands in a row were not the owner's")
        if code:
            return bytes((req, code))
        return self._do(connection, frame[0], req, bytes(frame[_HEAD:end]), now)

    def confirm(self, now: int) -> tuple:
        """The button was held: (connection, answer) of the command that waited for it; () where
        none did."""
        late = self.expired(now)
        if late or not self._waits:
            return late
        self._waits = False
        try:
            code, text = self._device.set_option(self._payload[0], self._payload[1:], True)
        except Exception as failure:
            code, text = TROUBLE, str(failure)
        return self._connection, _answer(self._req, code, text)

    def expired(self, now: int) -> tuple:
        """(connection, answer) of a command that has waited in vain for 30 s, else ()."""
        if not self._waits or age_ms(now, self._since) < HOLD_MS:
            return ()
        self._waits = False
        return self._connection, _answer(self._req, NOT_HELD, "")

    def waits(self) -> bool:
        """Is the button waited for?"""
        return self._waits

    def forget(self, connection: int) -> None:
        """A connection begins or ends: nothing of it is carried out any more."""
        self._owner.forget(connection)
        if self._connection == connection:
            self._waits = False

    def _do(self, connection: int, op: int, req: int, payload: bytes, now: int) -> bytes:
        least, most = _SIZES.get(op, (1, 0))
        if not least <= len(payload) <= most:
            return _answer(req, MALFORMED, "")
        try:
            code, text = self._call(op, payload)
        except Exception as failure:
            code, text = TROUBLE, str(failure)
        if code == HOLD_BUTTON:
            self._waits = True
            self._connection = connection
            self._req = req
            self._payload = payload
            self._since = now
        return _answer(req, code, text)

    def _call(self, op: int, payload: bytes) -> tuple:
        device = self._device
        if op == ACKNOWLEDGE:
            return device.acknowledge()
        if op == MUTE:
            return device.mute(min(MOST_MINUTES, payload[0]))
        if op == BLINK:
            return device.blink()
        if op == SELF_TEST:
            return device.self_test()
        if op == SET_TIME:
            return device.set_time(int.from_bytes(payload, "little"))
        if op == START_SESSION:
            return device.start_session(payload[0], int.from_bytes(payload[1:], "little"))
        if op == SET_OPTION:
            return device.set_option(payload[0], payload[1:], False)
        return device.read_log(int.from_bytes(payload[:4], "little"), payload[4])


def _answer(req: int, code: int, text) -> bytes:
    data = text.encode() if isinstance(text, str) else text
    return bytes((req, code)) + data
