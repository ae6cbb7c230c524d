"""One reusable view on a received frame, valid only while it is being fed: the framer fills the
place, the protocol the meaning."""

# Kinds of frame every family shares. A protocol may add its own words; "unknown" is counted.
READ = "read"  # a request to read
REPLY = "reply"  # an answer that carries values
WRITE = "write"
ACK = "ack"  # an answer without values
UNKNOWN = "unknown"


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
