"""Run by MicroPython and by CPython from tests/test_protocol_matrix.py: what a family makes of
given frames, printed so that two interpreters can be compared.

Argument: the family. Standard input: one frame a line, hex; frames behind one another on a line
are one conversation. Prints for each frame its kind, place and flags, and then all that is known
of each pack.
"""

import binascii
import sys

from bench_rows import text_of
from deckwatch.frame import BAD_CHECK, BAD_LENGTH, CUT, FRAMES_IN, NOISE
from deckwatch.framer import CHUNK, Framer
from deckwatch.rows import TEXTS
from deckwatch.telemetry import SLOTS, Telemetry


class Listener:
    """A family that has heard nothing yet, with three packs."""

    def __init__(self, protocol):
        self._protocol = protocol
        self.packs = [Telemetry(), Telemetry(), Telemetry()]
        self._memory = protocol.Memory() if hasattr(protocol, "Memory") else None

    def on_frame(self, framer):
        """Called by the framer."""
        frame = framer.frame
        for pack in self.packs:
            pack.begin(frame.now)
        self._protocol.decode(frame, self.packs, self._memory)
        for pack in self.packs:
            pack.end()
        print(
            frame.kind, frame.pack, frame.register, frame.wanted, frame.body_size,
            frame.is_request, frame.is_reply, frame.framing,
        )  # fmt: skip


def known(t):
    """All that telemetry holds, as text."""
    slots = ["%s=%d" % (SLOTS[i], t.value[i]) for i in range(len(SLOTS)) if t.seen[i]]
    cells = [t.cell_mv[i] for i in range(t.cells)]
    temps = [t.temp_dc[i] for i in range(t.probes)]
    texts = [text_of(t, name) for name in TEXTS]
    return "%s %s %s %s" % (" ".join(slots), cells, temps, texts)


def main(family):
    """Each line on its own."""
    protocol = __import__("deckwatch.protocols." + family, None, None, ("decode",))
    while True:
        line = sys.stdin.readline()
        if not line:
            break
        listener = Listener(protocol)
        framer = Framer(protocol.FRAMES, listener, 0)
        for text in line.split():
            frame = binascii.unhexlify(text)
            for start in range(0, len(frame), CHUNK):
                part = frame[start : start + CHUNK]
                framer.feed(bytearray(part + bytes(CHUNK - len(part))), len(part), 0)
        framer.lose(0)
        places = (FRAMES_IN, BAD_CHECK, BAD_LENGTH, CUT, NOISE)
        print(*[framer.numbers[place] for place in places])
        for pack in listener.packs:
            print(known(pack))


main(sys.argv[1])
