"""The whole firmware on wires as they really are: cut, shorted, swapped, upside down, at the wrong
speed, floating with noise, off, switched on and off a thousand times; and what a processor that
stands still costs, and a day costs of the heap.
"""

import shutil
from collections.abc import Iterator

import pytest
from app_rig import (
    LEVEL_MS,
    POLL_MS,
    REPLY,
    Dongle,
    Trace,
    cells,
    end,
    frame,
    merged,
    off,
    on,
    polls,
    status,
)

from tools.measure.heap import rom_image

FROM_MS, MENDED_MS, LAST_MS, END_MS = 15000, 40000, 50000, 51400
ROUND_MS = 1000  # of judging, while nothing comes
FRESH_MS = 5000  # how long a value counts
UNANSWERED_MS = 5000 + 210  # sheet, row 31: ten requests in a row and 5 s
QUIET_MS = 10000  # sheet, row 31: idles high without a frame for 10 s after having spoken
SILENCE = ["silence set alarm", "silence clear ok"]


def ride(dongle: Dongle, trouble: list[str], mend: list[str], from_ms: int = FROM_MS) -> Trace:
    """A line that is fine, then is not, then is again."""
    feed = merged(
        on(), polls(1000, LAST_MS), [f"{from_ms * 1000} {what}" for what in trouble],
        [f"{MENDED_MS * 1000} {what}" for what in mend], [end(END_MS)],
    )  # fmt: skip
    trace = dongle.run(feed, {"console_s": 1})
    assert trace.causes() == ["PWRON"]
    assert trace.said("task") == trace.said("line ") == []
    assert trace.looks()[-1] == "fine"
    return trace


def look_at(trace: Trace, look: str, from_ms: int) -> int:
    """How long after an instant the light first meant something, ms."""
    at = [x.t_ms for x in trace.of("print") if x.rest.startswith(f"look {look} ")]
    return min(t_ms for t_ms in at if t_ms >= from_ms) - from_ms


# --- one state for each trouble ------------------------------------------------------------------

# In the wire's own words, and how to mend it.
TROUBLES = {
    "cut": ("!cut", "!ok"),
    "tied to ground": ("!short0", "!ok"),
    "tied to 3.3 V": ("!short1", "!ok"),
    "floating with noise": ("!noise", "!ok"),
    "upside down": ("invert 1", "invert 0"),
    "too slow": ("baud 76800", "baud 115200"),
    "much too slow": ("baud 9600", "baud 115200"),
}


@pytest.mark.parametrize("trouble", TROUBLES)
def test_the_batterys_wire_alone_in_trouble_is_silence(dongle64: Dongle, trouble: str) -> None:
    """The controller goes on asking, and is not heard to be answered."""
    spoilt, mended = TROUBLES[trouble]
    trace = ride(dongle64, [f"bms {spoilt}"], [f"bms {mended}"])
    assert trace.alerts() == SILENCE
    assert trace.looks() == ["no_data", "fine", "no_data", "alarm", "fine"]
    assert 5000 <= look_at(trace, "alarm", FROM_MS) <= UNANSWERED_MS + POLL_MS
    red = [t_ms for t_ms, colour in trace.colours() if colour == "red" and t_ms > FROM_MS]
    assert red[0] == FROM_MS + look_at(trace, "alarm", FROM_MS)


@pytest.mark.parametrize("trouble", TROUBLES)
def test_the_controllers_wire_alone_in_trouble_costs_nothing(
    dongle64: Dongle, trouble: str
) -> None:
    """Every answer names its register; only the questions go uncounted."""
    spoilt, mended = TROUBLES[trouble]
    trace = ride(dongle64, [f"host {spoilt}"], [f"host {mended}"])
    assert trace.alerts() == []
    assert trace.looks() == ["no_data", "fine"]
    link = trace.link()
    assert link["replies"] - link["requests"] >= (MENDED_MS - FROM_MS) // 210


@pytest.mark.parametrize(
    "trouble", [t for t in TROUBLES if t not in ("tied to ground", "upside down")]
)
def test_both_wires_in_trouble_are_silence_too_after_ten_seconds(
    dongle64: Dongle, trouble: str
) -> None:
    spoilt, mended = TROUBLES[trouble]
    wires = ("host", "bms")
    trace = ride(
        dongle64, [f"{wire} {spoilt}" for wire in wires], [f"{wire} {mended}" for wire in wires]
    )
    assert trace.alerts() == SILENCE
    assert trace.looks() == ["no_data", "fine", "no_data", "alarm", "fine"]
    assert QUIET_MS - 210 <= look_at(trace, "alarm", FROM_MS) <= QUIET_MS + ROUND_MS


def test_both_wires_tied_to_ground_cannot_be_told_from_off(dongle64: Dongle) -> None:
    trace = ride(dongle64, ["host !short0", "bms !short0"], ["host !ok", "bms !ok"])
    assert trace.alerts() == []
    looks = trace.looks()
    assert [look for look in looks if look != "no_data"] == ["fine", "off", "fine"]
    assert look_at(trace, "off", FROM_MS) <= LEVEL_MS


def test_both_wires_upside_down_are_no_data_and_not_off(dongle64: Dongle) -> None:
    """A line that rests low looks switched off until bytes come off it."""
    wires = ("host", "bms")
    trace = ride(dongle64, [f"{w} invert 1" for w in wires], [f"{w} invert 0" for w in wires], 0)
    assert trace.alerts() == []
    assert trace.looks() == ["no_data", "off", "no_data", "fine"]
    assert look_at(trace, "no_data", 1000) <= 1000
    assert trace.link()["noise"] > 1000


@pytest.mark.parametrize("trouble", ["too slow", "much too slow", "floating with noise"])
def test_a_line_never_understood_is_no_data_and_no_alarm(dongle64: Dongle, trouble: str) -> None:
    spoilt, mended = TROUBLES[trouble]
    wires = ("host", "bms")
    trace = ride(dongle64, [f"{w} {spoilt}" for w in wires], [f"{w} {mended}" for w in wires], 0)
    assert trace.alerts() == []
    assert trace.looks() == ["no_data", "fine"]
    assert look_at(trace, "fine", MENDED_MS) <= 2 * 210
    assert trace.link()["noise"] > 1000


@pytest.mark.parametrize("from_ms", [0, FROM_MS])
def test_swapped_wires_tell_the_same(dongle64: Dongle, from_ms: int) -> None:
    """Who speaks stands in the frame."""
    crossed = ["bms join HOST_TX_RX", "host join BMS_TX_RX"]
    straight = ["bms join BMS_TX_RX", "host join HOST_TX_RX"]
    trace = ride(dongle64, crossed, straight, from_ms)
    assert trace.alerts() == []
    assert trace.looks() == ["no_data", "fine"]
    assert trace.link()["requests"] == trace.link()["replies"] == (LAST_MS - 1000) // 210 + 1
    assert trace.live()["pack_mv"] == "35940"


# --- off and on ----------------------------------------------------------------------------------


def ignitions(times: int, every_ms: int, on_ms: int) -> Iterator[str]:
    for number in range(times):
        at_ms = 1000 + number * every_ms
        yield from on(at_ms)
        yield from polls(at_ms + 100, at_ms + on_ms)
        yield from off(at_ms + on_ms)


def test_a_thousand_times_off_and_on_show_the_right_light_each_time(dongle64: Dongle) -> None:
    times, every_ms, on_ms = 1000, 2500, 1500
    feed = [*off(0), *ignitions(times, every_ms, on_ms), end(1000 + times * every_ms)]
    trace = dongle64.run(feed)
    assert trace.causes() == ["PWRON"]
    assert trace.alerts() == []
    assert trace.said("task") == []
    shown = [(x.t_ms, x.rest.split()[1]) for x in trace.of("print") if x.rest.startswith("look ")]
    assert shown.pop(0) == (0, "no_data")
    assert shown.pop(0)[1] == "off"
    assert [look for _, look in shown] == ["no_data", "fine", "off"] * times
    for number in range(times):
        begin_ms = 1000 + number * every_ms
        (woke_ms, _), (fine_ms, _), (off_ms, _) = shown[3 * number : 3 * number + 3]
        assert 0 <= woke_ms - begin_ms <= LEVEL_MS
        assert 0 <= fine_ms - begin_ms <= 100 + 6 + 210 + POLL_MS  # two samples must agree
        assert 0 <= off_ms - begin_ms - on_ms <= LEVEL_MS


# --- a processor that stands still ---------------------------------------------------------------

STALLED_MS = 20000
BYTE_US = 10_000_000 / 115200


def full(from_ms: int, to_ms: int, port: str, frames: list[str]) -> Iterator[str]:
    """A wire without a pause between its frames."""
    t_us, number = from_ms * 1000.0, 0
    while t_us < to_ms * 1000:
        data = frames[number % len(frames)]
        t_us += len(data) // 2 * BYTE_US + 1
        number += 1
        yield f"{t_us:.0f} {port} {data}"


# Status that never changes, in two lengths, and the questions for it.
ANSWERS = [status(temps_c=(30, 31)), status(temps_c=(31, 30))]
QUESTIONS = [frame("032201300c"), frame("0322013a02")]


def stalled(dongle: Dongle, for_ms: int) -> tuple[Trace, int]:
    """Both wires full for 10 s, with a stall in the middle. Also how many frames were sent."""
    begin_ms, last_ms = STALLED_MS - 5000, STALLED_MS + 5000
    feed = merged(
        on(), full(begin_ms, last_ms, "bms", ANSWERS), full(begin_ms, last_ms, "host", QUESTIONS),
        [f"{STALLED_MS * 1000} stall {for_ms * 1000}", end(last_ms + 2000)],
    )  # fmt: skip
    return dongle.run(feed, {"console_s": 1}), sum("stall" not in x and len(x) > 30 for x in feed)


def test_a_stall_of_80_ms_at_full_line_rate_loses_no_frame(dongle64: Dongle) -> None:
    trace, sent = stalled(dongle64, 80)
    assert sent > 10000
    assert trace.of("lost") == []
    link = trace.link()
    assert (link["frames"], link["overruns"]) == (sent, 0)
    assert {link[name] for name in ("bad_check", "bad_length", "cut", "noise", "damaged")} == {0}
    assert trace.alerts() == []


def test_a_stall_of_300_ms_is_counted_as_overrun_and_raises_no_alarm(dongle64: Dongle) -> None:
    trace, sent = stalled(dongle64, 300)
    lost = sum(int(x.rest.split()[1]) for x in trace.of("lost"))
    assert 1500 <= lost <= 2 * (300 - 177) * 12  # what 2 KB and the FIFO had no room for
    link = trace.link()
    # whole frames lost, and one cut at each side of each wire's gap
    assert sent - lost // 9 - 4 <= link["frames"] < sent - lost // 20
    assert 2 <= link["damaged"] <= 4
    assert link["overruns"] == 2  # one a wire
    assert trace.alerts() == []
    assert trace.looks() == ["no_data", "fine"]
    assert trace.causes() == ["PWRON"]


# --- a day ---------------------------------------------------------------------------------------

# Bytes, less than an ESP32 without PSRAM leaves a program. Frozen the firmware takes less still:
# here its names and tables, which then lie in flash, are in the heap.
ESP32_HEAP = 96 * 1024
PLENTY = 1024 * 1024
RIDING = [status(current_ma=-ma, pack_mv=36000 - ma // 20) for ma in range(0, 20000, 1700)]
CHARGING = status(current_ma=2000, pack_mv=37880, word=0x41)
CELLS = [cells([3790] * 9 + [3770 - 10 * n]) for n in range(12)]
HOT = status(temps_c=(62, 61))
PHASES = 4

# The firmware's folder holds this, and an image from which the rest runs in place, as from flash.
FLASHED = """\
import sys
import vfs
with open(__file__[:-7] + "rom.img", "rb") as file:
    image = file.read()
vfs.mount(vfs.VfsRom(image), "/rom")
sys.path.insert(0, "/rom")
import flashed
"""


def cycle(begin_ms: int, last_ms: int) -> Iterator[str]:
    """Rides, charges beside an app that reads the cells, gets too hot, and is parked; after each
    the heap in use is told."""
    step_ms = (last_ms - begin_ms) // PHASES
    riding, charging, hot, parked = (begin_ms + step_ms * n for n in range(PHASES))
    yield from on(begin_ms)
    for number, line in enumerate(polls(riding + 500, charging)):
        yield line if " host " in line else line.replace(REPLY, RIDING[number // 2 % len(RIDING)])
    yield f"{charging * 1000} heap"
    for number, line in enumerate(polls(charging + 500, hot, CHARGING)):
        yield line
        if number % 20 == 19:
            yield f"{int(line.split()[0]) + 20000} bms {CELLS[number // 20 % len(CELLS)]}"
    yield f"{hot * 1000} heap"
    yield from polls(hot + 500, parked, HOT)
    yield f"{parked * 1000} heap"
    yield from off(parked + 100)
    yield f"{last_ms * 1000} heap"


class Chip:
    """A dongle with a heap like an ESP32's, beside what the simulated board itself takes."""

    def __init__(self, dongle: Dongle) -> None:
        self._dongle = dongle
        self._firmware = dongle.folder / "in-place"
        rom = dongle.folder / "rom"
        shutil.copytree(dongle.firmware / "deckwatch", rom / "deckwatch")
        shutil.copy(dongle.firmware / "main.mpy", rom / "flashed.mpy")
        self._firmware.mkdir()
        (self._firmware / "main.py").write_text(FLASHED)
        rom_image(rom, self._firmware / "rom.img")
        (told,) = self.run(["1000000 heap", end(2000)], PLENTY).of("heap")
        image = (self._firmware / "rom.img").stat().st_size
        self.others = int(told.rest.split()[1]) + image  # bytes: the board's, and the flash's

    def run(self, feed: list[str], heap: int) -> Trace:
        return self._dongle.run(feed, firmware=self._firmware, heap=str(heap), limit_s=1800)

    def lives(self, cycles: int, cycle_s: int) -> list[list[int]]:
        """The bytes of heap in use after each phase of each cycle, the firmware's alone."""
        feed = [
            line for number in range(cycles)
            for line in cycle(number * cycle_s * 1000, (number + 1) * cycle_s * 1000)
        ]  # fmt: skip
        trace = self.run([*feed, end(cycles * cycle_s * 1000 + 1000)], ESP32_HEAP + self.others)
        assert trace.causes() == ["PWRON"]
        assert trace.said("task") == trace.said("line ") == []
        assert trace.alerts().count("discharge_hot set alarm") == cycles
        assert trace.looks()[-1] == "unknown"  # parked too hot
        told = [int(x.rest.split()[0]) - self.others for x in trace.of("heap")]
        return [told[n : n + PHASES] for n in range(0, len(told), PHASES)]


@pytest.fixture
def chip(dongle32: Dongle) -> Chip:
    port = dongle32.micropython
    if port.execute("import vfs; print(hasattr(vfs, 'VfsRom'))") == "False\n":
        pytest.skip("this MicroPython runs nothing in place from ROM; 1.25 does")
    assert port.execute("import sys; print(sys.maxsize)").strip() == str(2**31 - 1)
    return Chip(dongle32)


def test_the_heap_does_not_grow_from_ride_to_ride(chip: Chip) -> None:
    in_use = chip.lives(6, 120)
    assert len(in_use) == 6
    assert in_use == [in_use[0]] * 6


@pytest.mark.soak
def test_the_heap_does_not_grow_in_a_day(chip: Chip, capsys: pytest.CaptureFixture[str]) -> None:
    cycles = 24
    in_use = chip.lives(cycles, 24 * 3600 // cycles)
    with capsys.disabled():
        print(
            f"\n  heap in use after the 1st and {cycles}th hour: {in_use[0][-1]}, {in_use[-1][-1]}"
        )
    assert in_use == [in_use[0]] * cycles
