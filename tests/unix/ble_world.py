"""For scenarios of the virtual board with phones in them: the scooter's line that goes on
meanwhile, and an owner's phone. A scenario imports it; `frames` is what the battery tells at each
poll."""

import hashlib
from binascii import unhexlify

from virtual import ether

POLL_MS = 210
COMMAND, NONCE, RESULT, LIVE = "5", "4", "6", "2"

frames = []  # hex, each at every poll
_clock = [0]


def until(ms):
    """Lines of the feed up to a time in ms, a multiple of ten; the line goes on."""
    while _clock[0] + 7 < ms:
        if frames:
            yield "%d bms %s" % ((_clock[0] + 7) * 1000, "".join(frames))
        _clock[0] += POLL_MS
    yield "%d000 wait" % ms


def hmac(key, message):
    key = key + bytes(64 - len(key))
    inner = hashlib.sha256(bytes([b ^ 0x36 for b in key]) + message).digest()
    return hashlib.sha256(bytes([b ^ 0x5C for b in key]) + inner).digest()


class Owner:
    """A phone with the key."""

    def __init__(self, address, key):
        self.link = ether.connect(address)
        self.key = unhexlify(key)
        self.req = 0

    def sign(self, op, payload, nonce=None):
        """A command; with a fresh nonce where none is given."""
        self.req = (self.req + 1) % 256
        nonce = self.link.read(NONCE) if nonce is None else nonce
        body = bytes((op, self.req, len(payload))) + payload
        return body + hmac(self.key, b"PM1" + nonce + body)[:16]

    def say(self, op, payload=b""):
        return self.link.write(COMMAND, self.sign(op, payload))

    def answer(self):
        """(code, text) of the last command, which must have been answered."""
        value = self.link.read(RESULT)
        assert value[0] == self.req, (value, self.req)
        return value[1], value[2:]
