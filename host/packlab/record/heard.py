"""What a source of a recording tells: bytes or a level with the time they came, and whether it is
there at all."""

import queue
import threading
import time
from dataclasses import dataclass

_END_S = 15.0  # a dongle is restarted meanwhile


@dataclass(frozen=True, slots=True)
class Heard:
    """t_ns: the computer's monotonic clock when it came. data: bytes, or level: one of
    packlab.capture.LEVELS. lost: why the source is gone, back: it is there again."""

    t_ns: int
    port: str
    data: bytes = b""
    level: str = ""
    lost: str = ""
    back: bool = False


class Source(threading.Thread):
    """Puts Heard into a queue from a thread of its own, so that nobody's slowness delays a stamp.

    accuracy: how far a stamp may lie behind the moment the last byte was in, for the header.
    """

    accuracy = ""

    def __init__(self, name: str, into: "queue.SimpleQueue[Heard]") -> None:
        super().__init__(name=f"source {name}", daemon=True)
        self._into = into
        self.ending = threading.Event()

    def tell(self, port: str, data: bytes = b"", **more: object) -> None:
        """Hand over what has come just now."""
        self._into.put(Heard(time.monotonic_ns(), port, data, **more))  # type: ignore[arg-type]

    def end(self) -> None:
        """Let the line go; what was heard before stays in the queue."""
        self.ending.set()
        self.join(timeout=_END_S)
