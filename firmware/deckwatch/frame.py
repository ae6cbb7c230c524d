"""One reusable view on a received frame, valid only while it is being fed: the framer fills the
place, the protocol the meaning. And where a framer counts what it hears."""

from micropython import const

# Kinds of frame every family shares. A protocol may add its own words; "unknown" is counted.
READ = "read"  # a request to read
REPLY = "reply"  # an answer that carries values
WRITE = "write"
ACK = "ack"  # an answer without values
UNKNOWN = "unknown"

# Places in a framer's `numbers`; the first three are in meters/link.py's order.
FRAMES_IN = const(9)  # whole, checked frames
DAMAGED = const(10)  # how often the stream was lost and found again: the incidents behind the rest
FRAME_BYTES = const(11)  # bytes of the frames
BYTES_IN = const(12)  # of all that came
NOISE = const(13)  # bytes thrown away
BAD_LENGTH = const(14)  # candidates thrown away: their length cannot be,
CUT = const(15)  # silence has ended them,
BAD_CHECK = const(16)  # or checksum or tail is wrong
COUNT = const((1 << 28) - 1)  # all wrap behind it, so that a sum over the ports is a small int


class Frame:
    """buf, at, size: the whole frame is buf[at : at + size]; it belongs to the framer and is gone
    after feed().

    now: when it was complete, ms. framing: which row of the protocol's FRAMING matched. kind, pack
    (0 internal, 1 external), register (first register or command), wanted (bytes a read asks for,
    -1 where the family does not say), body and body_size (payload place in buf).
    is_request: goes to the BMS and expects an answer; is_reply: comes from the BMS.
    """

    def __init__(self) -> None:
        self.begin(b"", 0, 0, 0, 0)

    def begin(self, buf, at: int, size: int, framing: int, now: int) -> None:
        """Another frame, of which nothing is known but its place."""
        self.buf = buf
        self.at = at
        self.size = size
        self.framing = framing
        self.now = now
        self.kind = UNKNOWN
        self.pack = 0
        self.register = 0
        self.wanted = -1
        self.body = 0
        self.body_size = 0
        self.is_request = False
        self.is_reply = False
