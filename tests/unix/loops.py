"""Run by Python and by MicroPython from tests/test_loops.py: what the machine code does, or the
plain loops in its place. Each line of standard input: family, bytes a chunk, hex of a line. Prints
which loops were taken; then for each line its frames, what was counted, and all that is known."""

import binascii
import sys

from bench_rows import text_of
from deckwatch import framer
from deckwatch.frame import COUNT, FRAMES_IN
from deckwatch.pipeline import load_protocol
from deckwatch.rows import TEXTS
from deckwatch.telemetry import Telemetry


class Ear:
    """A line of one family, without the rest of the pipeline."""

    def __init__(self, family):
        self.protocol = load_protocol(family)
        self.packs = [Telemetry()]
        make = getattr(self.protocol, "Memory", None)
        self.memory = make() if make else None
        self.framer = framer.Framer(self.protocol.FRAMES, self, 0)
        for place in range(FRAMES_IN, len(self.framer.numbers)):
            self.framer.numbers[place] = COUNT - 20  # they wrap on the way
        self.said = []

    def on_frame(self, heard):
        frame = heard.frame
        pack = self.packs[0]
        pack.begin(frame.now)
        self.protocol.decode(frame, self.packs, self.memory)
        self.said.append((frame.size, frame.framing, frame.kind, frame.register, pack.end()))

    def counted(self):
        return list(self.framer.numbers[FRAMES_IN:])

    def known(self):
        pack = self.packs[0]
        texts = [text_of(pack, name) for name in TEXTS]
        return [list(part) for part in pack.arrays[1:]], texts, [pack.cells, pack.probes]


def main():
    print("plain" if "deckwatch.framer_plain" in sys.modules else "viper")
    buf = bytearray(framer.CHUNK)
    for line in sys.stdin:
        family, step, text = line.split()
        data = binascii.unhexlify(text)
        ear = Ear(family)
        now = (1 << 30) - 500
        for start in range(0, len(data), int(step)):
            part = data[start : start + int(step)]
            buf[: len(part)] = part
            ear.framer.feed(buf, len(part), now)
            now = (now + 7) & (1 << 30) - 1
            ear.framer.idle(now)
        ear.framer.lose(now)
        print(ear.said, ear.counted(), ear.known())


main()
