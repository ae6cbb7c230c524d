"""Recognition: an unknown wire, heard at whatever speed the detector asks for, bit by bit."""

import json
from itertools import cycle, islice
from pathlib import Path

import pytest
from deckwatch.detect import (
    ECHO,
    GARBAGE,
    SEARCHING,
    SETTLED,
    SILENT,
    SWAPPED,
    Detector,
    probes,
)
from deckwatch.framer import CHUNK
from deckwatch.index import PROTOCOLS, SPEEDS
from packlab.faults.wave import flipped, levels, receive

ANT_HEADS = (b"\x7e\xa1", b"\x5a\x5a")
FRAMES = Path(__file__).parent / "data" / "frames"

# what really passes on the battery wire of each family, and how fast
LINES = {
    "xiaomi": ("xiaomi.json", "55aa", 115200),
    "ninebot": ("xiaomi.json", "5aa5", 115200),
    "jbd": ("jbd.json", "dd0", 9600),
    "jk": ("jk.json", "4e57", 115200),
    "ant": ("ant.json", "7ea111", 19200),
    "daly": ("daly.json", "a501", 9600),
    "vesc": ("vesc.json", "02", 115200),
}


def replies(family: str) -> list[bytes]:
    """Published replies of a family: sound frames that are no questions."""
    name, head, _ = LINES[family]
    entries = json.loads((FRAMES / name).read_text())
    return [
        bytes.fromhex(entry["hex"])
        for entry in entries
        if entry["hex"].startswith(head)
        and entry.get("must") != "reject"
        and entry["checksum_ok"] is not False
        and len(entry["hex"]) > 24
        and not entry.get("direction", "").startswith(("esc->bms", "app->bms", "pc->bms", "dash"))
    ]


def search(
    bursts: list[bytes], baud: int, *, period_ms: int = 500, limit_s: float = 60, low: bool = False
) -> tuple[Detector, float]:
    """The detector on a line that repeats `bursts`; `low`: it is upside down. Returns it and the
    seconds it took."""
    detector = Detector()
    now = 0
    for data in islice(cycle(bursts), int(limit_s * 1000 / period_ms)):
        heard = data
        if detector.baud != baud or detector.inverted != low:
            wave = levels(data)
            wave = flipped(wave) if low != detector.inverted else wave
            heard = receive(wave, baud / detector.baud)
        for start in range(0, len(heard), CHUNK):
            part = heard[start : start + CHUNK]
            detector.feed(bytearray(part.ljust(CHUNK, b"\0")), len(part), now)
        for look in range(0, period_ms, 10):
            detector.rests(low)
            detector.tick(now + look)
        now += period_ms
        if detector.verdict >= SETTLED:
            break
    return detector, now / 1000


def test_every_family_has_a_line_here() -> None:
    assert set(LINES) == set(PROTOCOLS)


@pytest.mark.parametrize("family", LINES)
def test_two_frames_a_second_settle_it_within_ten_seconds(family: str) -> None:
    baud = LINES[family][2]
    detector, seconds = search(replies(family), baud)
    assert (detector.verdict, detector.family, detector.baud) == (SETTLED, family, baud)
    assert seconds <= 10
    assert detector.sure_pct >= 90
    print(f"{family}: {seconds:.1f} s, {detector.sure_pct} % sure")


def test_a_line_upside_down_is_found_and_named() -> None:
    detector, _ = search(replies("xiaomi"), 115200, low=True)
    assert (detector.family, detector.inverted) == ("xiaomi", True)


def test_a_botox_board_is_found_at_its_own_speed() -> None:
    detector, seconds = search(replies("xiaomi"), 76800)
    assert (detector.family, detector.baud) == ("xiaomi", 76800)
    assert seconds <= 10


def test_only_questions_mean_that_the_wires_are_swapped() -> None:
    question = bytes.fromhex("55aa032201300c9dff")
    detector, _ = search([question], 115200)
    assert (detector.verdict, detector.family) == (SWAPPED, "xiaomi")


def test_bytes_but_never_a_frame_are_called_garbage() -> None:
    detector, _ = search([bytes(range(30, 70))], 115200, limit_s=10)
    assert detector.verdict == GARBAGE
    assert detector.tried >= len(SPEEDS)


def test_silence_costs_no_speed() -> None:
    detector = Detector()
    for now in range(0, 60_000, 10):
        assert not detector.tick(now)
    assert (detector.verdict, detector.baud, detector.tried) == (SILENT, SPEEDS[0][0], 0)


def test_one_frame_alone_settles_nothing() -> None:
    frame = replies("xiaomi")[0]
    detector, _ = search([frame], 115200, limit_s=0.5)
    assert detector.verdict == SEARCHING


def test_starting_over_forgets_the_answer() -> None:
    detector, _ = search(replies("xiaomi"), 115200)
    detector.restart()
    assert (detector.verdict, detector.family, detector.sure_pct) == (SILENT, "", 0)


def test_a_slow_bus_is_found_within_three_cycles() -> None:
    # a JK bus of two packs: a frame of each, 180 ms apart, every 4.4 s (sheet jk.md 3)
    detector, seconds = search(replies("jk"), 115200, period_ms=2200)
    assert detector.family == "jk"
    assert seconds <= 3 * 4.4


def test_probes_are_reads_at_their_families_speeds_and_ant_comes_last() -> None:
    rows = probes()
    assert (115200, bytes.fromhex("55aa032201300c9dff")) in rows
    assert (9600, bytes.fromhex("dda50300fffd77")) in rows
    ant = [number for number, (_, request) in enumerate(rows) if request[:2] in ANT_HEADS]
    assert ant
    assert ant == list(range(len(rows) - len(ant), len(rows)))


def test_an_answer_is_heard_only_at_the_speed_of_the_question() -> None:
    detector = Detector()
    detector.aim(9600)
    garbage = receive(levels(replies("xiaomi")[0]), 115200 / 9600) or b"\0"
    for now in range(0, 3_000, 300):
        detector.feed(bytearray(garbage.ljust(CHUNK, b"\0")), len(garbage), now)
        assert not detector.tick(now + 100)
    assert detector.baud == 9600
    for now in range(5_000, 7_000, 500):
        answer = replies("jbd")[0]
        detector.feed(bytearray(answer.ljust(CHUNK, b"\0")), len(answer), now)
        detector.tick(now + 100)
    assert (detector.verdict, detector.family, detector.hits) == (SETTLED, "jbd", 2)


# --- our own questions come back -----------------------------------------------------------------

JBD_READ = bytes.fromhex("dda50300fffd77")


def asking(answer: bytes, *, knows: bool = True, times: int = 3) -> Detector:
    """A question a second on a line that gives it back, and the answer behind it."""
    detector = Detector()
    detector.aim(9600)
    for now in range(0, times * 1000, 1000):
        if knows:
            detector.asked(JBD_READ)
        heard = JBD_READ + answer
        detector.feed(bytearray(heard.ljust(CHUNK, b"\0")), len(heard), now)
        detector.tick(now + 100)
    return detector


def test_an_echo_alone_is_called_so_and_settles_nothing() -> None:
    detector = asking(b"", times=10)
    assert (detector.verdict, detector.family, detector.hits) == (ECHO, "", 0)
    assert detector.baud == 9600


def test_without_knowing_what_was_asked_it_would_be_taken_for_swapped_wires() -> None:
    assert asking(b"", knows=False).verdict == SWAPPED


def test_an_answer_behind_the_echo_settles_it() -> None:
    detector = asking(replies("jbd")[0])
    assert (detector.verdict, detector.family, detector.sure_pct) == (SETTLED, "jbd", 100)


def test_another_masters_question_is_no_echo() -> None:
    detector = Detector()
    detector.aim(9600)
    detector.asked(JBD_READ)
    for now in (0, 1000):
        other = bytes.fromhex("dda50400fffc77")
        detector.feed(bytearray(other.ljust(CHUNK, b"\0")), len(other), now)
        detector.tick(now + 100)
    assert detector.verdict == SWAPPED
