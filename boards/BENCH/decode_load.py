"""Work to be counted in instructions: a family's frames through the core's feed(), or their
checksums alone. tools/bench.py runs this under valgrind.

Arguments: family, profile, file of frames (hex, one a line), what to do, how many rounds. What to
do is one of "feed" (framing, checksum, decoding, telemetry, as on the dongle), "check" (the
checksum functions the framer took, called bare) and "plain" (those of checksums_plain.py, bare).
Everything is made ready before the rounds, so that a run with 0 rounds costs all the rest. Prints
the bytes of one round, and how many frames held in all rounds.
"""

import binascii
import sys

from deckwatch import checksums_plain, config, framer
from deckwatch.frame import FRAMES_IN
from deckwatch.pipeline import Pipeline, load_protocol

_FRAME_MS = 50
_TICKS = (1 << 30) - 1


class _Rows:
    """Receiver that notes which row of FRAMES each frame fitted."""

    def __init__(self):
        self.found = []

    def on_frame(self, framer):
        self.found.append((framer.frame.framing, framer.frame.size))


def chunks_of(frame):
    """A frame as feed() takes it: buffers of CHUNK bytes, and how many of them count."""
    size = framer.CHUNK
    parts = [frame[start : start + size] for start in range(0, len(frame), size)]
    return [(bytearray(part + bytes(size - len(part))), len(part)) for part in parts]


def check_of(frames, number):
    """(number of the checksum, from, end) in row `number` of a family's FRAMES (framings.py)."""
    row = 2
    for _ in range(number):
        row += frames[row]
    return frames[row + 9], frames[row + 10], frames[row + 11]


def jobs_of(frame, frames, checks):
    """What the checksum functions are called with for one frame: (function, frame, from, to)."""
    noted = _Rows()
    one = framer.Framer(frames, noted, 0)
    for buf, n in chunks_of(frame):
        one.feed(buf, n, 0)
    jobs = []
    for number, size in noted.found:
        check, start, end = check_of(frames, number)
        if check:
            jobs.append((checks[check - 1], frame, start, size - end))
    return jobs


def feed(core, chunks, rounds):
    """The counted work of "feed"."""
    now = 0
    for _ in range(rounds):
        for buf, n in chunks:
            core.feed(0, buf, n, now)
            now = (now + _FRAME_MS) & _TICKS


def check(jobs, rounds):
    """The counted work of "check" and "plain"."""
    for _ in range(rounds):
        for function, frame, start, end in jobs:
            function(frame, start, end)


def main(family, profile, path, work, rounds):
    """Reads the frames, does the work."""
    settings = config.load({"profile": profile})
    settings.family = family
    core = Pipeline(settings, None, True)
    with open(path) as file:
        frames = [binascii.unhexlify(line.strip()) for line in file]
    chunks = []
    jobs = []
    checks = checksums_plain.CHECKS if work == "plain" else framer.CHECKS
    for frame in frames:
        chunks += chunks_of(frame)
        jobs += jobs_of(frame, load_protocol(family).FRAMES, checks)
    if work == "feed":
        feed(core, chunks, rounds)
    else:
        check(jobs, rounds)
    print(sum([len(frame) for frame in frames]), core.framers[0].numbers[FRAMES_IN])


main(sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4], int(sys.argv[5]))
