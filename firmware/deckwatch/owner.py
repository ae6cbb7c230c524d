"""The owner's lock: who knows the key may command, nobody else; pure, hal/radio.py and commands.py
call it.

A command carries the first 16 bytes of HMAC-SHA256(key, "PM1" | nonce | command). A nonce is read
per connection and serves one attempt. Five bad tags close the lock for 30 s, whoever sent them;
attempts while it is closed are not looked at and count towards the next 30 s.
"""

import hashlib

from micropython import const

from deckwatch.ticks import age_ms, saturated

KEY_BYTES = const(16)
NONCE_BYTES = const(16)
TAG_BYTES = const(16)
CONNECTIONS = const(4)
BAD_TAGS = const(5)
LOCK_MS = const(30000)

OPEN = const(0)
BAD_TAG = const(2)  # as the result characteristic says it (commands.py)
LOCKED = const(3)

_CONTEXT = b"PM1"
_BLOCK = const(64)
_NOBODY = const(-1)
_RENEW_FROM_MS = const(3000)  # a pin held during the reset itself may start the boot loader
_RENEW_MS = const(10000)


def hmac_sha256(key: bytes, message: bytes) -> bytes:
    """RFC 2104, for keys of up to 64 bytes; MicroPython's firmware has no hmac module."""
    padded = key + bytes(_BLOCK - len(key))
    inner = hashlib.sha256(bytes([byte ^ 0x36 for byte in padded]))
    inner.update(message)
    outer = hashlib.sha256(bytes([byte ^ 0x5C for byte in padded]))
    outer.update(inner.digest())
    return outer.digest()


def tag(key: bytes, nonce: bytes, command: bytes) -> bytes:
    """What a command of op, req, len and payload must carry."""
    return hmac_sha256(key, _CONTEXT + nonce + command)[:TAG_BYTES]


def bind_key(key: bytes) -> bytes:
    """The key of the sealed advertisement: made of the owner's, and does not give it away."""
    return hmac_sha256(key, b"BTHome bind key")[:KEY_BYTES]


def same(a: bytes, b: bytes) -> bool:
    """Equal? Takes the same time wherever they differ."""
    differing = len(a) ^ len(b)
    for i in range(min(len(a), len(b))):
        differing |= a[i] ^ b[i]
    return not differing


class Owner:
    """Knows the key, hands out nonces, and says of each command whether it is the owner's.

    failures: bad tags in a row; locks: times the lock has closed since the start;
    what keeps it closed is no new one.
    """

    def __init__(self, key: bytes) -> None:
        self.key = key
        self.failures = 0
        self.locks = 0
        self._locked = False
        self._locked_at = 0
        self._connections = [_NOBODY] * CONNECTIONS
        self._nonces = [b""] * CONNECTIONS

    def forget(self, connection: int) -> None:
        """A connection begins or ends: what was handed out under its number is void."""
        for place in range(CONNECTIONS):
            if self._connections[place] == connection:
                self._connections[place] = _NOBODY
                self._nonces[place] = b""

    def hand_out(self, connection: int, nonce: bytes) -> bool:
        """`nonce`, fresh and random, is the only one that counts on this connection. False: there
        are more connections than the radio has."""
        place = self._place(connection)
        if place < 0:
            return False
        self._connections[place] = connection
        self._nonces[place] = nonce
        return True

    def is_locked(self, now: int) -> bool:
        """Is nobody listened to at the moment?"""
        if self._locked and age_ms(now, self._locked_at) >= LOCK_MS:
            self._locked = False
        return self._locked

    def judge(self, connection: int, command: bytes, given: bytes, now: int) -> int:
        """OPEN, BAD_TAG or LOCKED. The connection's nonce is spent, whatever the answer."""
        nonce = self._spend(connection)
        if self.is_locked(now):
            self._fail(now)
            return LOCKED
        fits = same(tag(self.key, nonce, command), given)
        if not nonce or not fits:
            self._fail(now)
            return BAD_TAG
        self.failures = 0
        return OPEN

    def saturate(self, now: int) -> None:
        """Keeps an old stamp old across the tick wrap."""
        self._locked_at = saturated(now, self._locked_at)

    def _fail(self, now: int) -> None:
        self.failures += 1
        if self.failures >= BAD_TAGS:
            self.failures = 0
            if not self._locked:
                self.locks += 1
            self._locked = True
            self._locked_at = now

    def _spend(self, connection: int) -> bytes:
        for place in range(CONNECTIONS):
            if self._connections[place] == connection:
                nonce = self._nonces[place]
                self._nonces[place] = b""
                return nonce
        return b""

    def _place(self, connection: int) -> int:
        for wanted in (connection, _NOBODY):
            for place in range(CONNECTIONS):
                if self._connections[place] == wanted:
                    return place
        return -1


class Renewal:
    """The gesture for a new key: the button goes down within 3 s of the start and stays down for
    10 s."""

    def __init__(self, now: int) -> None:
        self._start = now
        self._down_at = -1
        self._over = False

    def update(self, down: bool, now: int) -> bool:
        """True once, when the ten seconds are full."""
        if self._over:
            return False
        if self._down_at < 0:
            if down:
                self._down_at = now
            elif age_ms(now, self._start) > _RENEW_FROM_MS:
                self._over = True
            return False
        if not down:
            self._over = True
            return False
        self._over = age_ms(now, self._down_at) >= _RENEW_MS
        return self._over
