"""Fakes as state machines: who answers what and when, what they keep silent about, sleep and
start, the masters' times, faults on the way, and the stand-ins that are no pack at all."""

from collections.abc import Iterable
from itertools import pairwise
from random import Random

import pytest
from deckwatch.frame import DAMAGED
from fake_rig import Tap, play
from families import listen
from packlab.capture import Chunk, Event, Header, Level
from packlab.errors import PacklabError
from packlab.fake import families
from packlab.fake.base import Fake
from packlab.fake.bench import Order, build
from packlab.fake.checks import with_modbus
from packlab.fake.families import ant, daly, jbd, ninebot, vesc, xiaomi
from packlab.fake.families.jk import bus, frames, module, tlv
from packlab.fake.line import InOrder
from packlab.fake.live import LiveFaults
from packlab.faults import KINDS, parse
from packlab.made.board import Limits
from packlab.made.readings import Readings
from packlab.made.scenes import scene
from packlab.made.spec import PackSpec
from packlab.made.story import Story

SECOND_US = 1_000_000


def a_story(name: str = "parked", spec: PackSpec | None = None) -> Story:
    return Story(scene(name, spec or PackSpec(), Limits()), Random(1))


def fake(family: str, profile: str | None = None, scene_name: str = "parked") -> Fake:
    board = families.profile(family, profile)
    stories = [a_story(scene_name, board.spec) for _ in range(board.packs)]
    return board.make(stories, Random(1))


def replies(end: Fake, request: bytes | str, t_us: int = 0) -> list[bytes]:
    data = bytes.fromhex(request) if isinstance(request, str) else request
    return [reply for _, reply in end.hear(data, t_us)]


def events(order: Order, seconds: float) -> list[Event]:
    line = build(order)
    in_order = InOrder(line.baud)
    found = [*in_order.add(line.advance(int(seconds * SECOND_US))), *in_order.rest()]
    line.close()
    return found


def chunks(found: Iterable[Event], port: str) -> list[Chunk]:
    return [event for event in found if isinstance(event, Chunk) and event.port == port]


# --- requests in pieces, in noise, and wrong ones ------------------------------------------------

ASKED = [
    ("xiaomi", "bare", xiaomi.request(0x30, 12)),
    ("ninebot", "es2", ninebot.read(0x22, 0x30, 12)),
    ("jbd", "plain", jbd.read(0x03)),
    ("jk", "tlv", tlv.read_all()),
    ("jk", "module", module.command(module.INFO)),
    ("jk", "bus", bus.trigger(2, frames.LIVE)),
    ("jk", "modbus", with_modbus(bytes.fromhex("010312000025"))),
    ("ant", "new", ant.request(0x01, 0, 0xBE)),
    ("ant", "old", bytes.fromhex("dbdb00000000")),
    ("daly", "a5", daly.a5(0x40, 0x90, b"")),
    ("daly", "d2", bytes.fromhex("d2030000003ed7b9")),
    ("daly", "81", bytes.fromhex("8103000000405bfa")),
    ("vesc", "bms", vesc.frame(b"\x04")),
]
IDS = ["-".join(case[:2]) for case in ASKED]
LATER_US = 30_000  # past the busy part of a scooter pack's cycle


@pytest.mark.parametrize(("family", "profile", "request_"), ASKED, ids=IDS)
def test_a_request_may_come_in_pieces_and_behind_noise(
    family: str, profile: str, request_: bytes
) -> None:
    whole = replies(fake(family, profile), request_, LATER_US)
    assert len(whole) == 1
    end = fake(family, profile)
    said: list[bytes] = []
    for place, byte in enumerate(request_):
        said += replies(end, bytes((byte,)), LATER_US - 1000 + place)
    assert said == whole
    noisy = replies(fake(family, profile), b"\xff\x00\x55" + request_, LATER_US)
    assert noisy == whole


@pytest.mark.parametrize(("family", "profile", "request_"), ASKED, ids=IDS)
def test_a_spoilt_request_is_met_with_silence_and_the_next_is_heard(
    family: str, profile: str, request_: bytes
) -> None:
    # Of a 4E 57 frame the two bytes before the sum are not in it (jk.md 1.2).
    unchecked = {17, 18} if (family, profile) == ("jk", "tlv") else set()
    for place in set(range(len(request_))) - unchecked:
        end = fake(family, profile)
        spoilt = bytearray(request_)
        spoilt[place] ^= 0x10
        assert replies(end, bytes(spoilt), LATER_US) == [], place
        after_a_pause = LATER_US + 400_000
        after_a_pause -= after_a_pause % xiaomi.BUSY_EVERY_US - 50_000
        assert len(replies(end, request_, after_a_pause)) == 1


@pytest.mark.parametrize(("family", "profile", "request_"), ASKED, ids=IDS)
def test_the_firmware_knows_question_and_answer(
    family: str, profile: str, request_: bytes
) -> None:
    """Each is one frame of one kind, and a reply to a read is a reply."""
    (reply,) = replies(fake(family, profile), request_, LATER_US)
    heard = listen(family, request_, reply)
    assert [frame.is_request for frame in heard.frames] == [True, False]
    assert heard.frames[1].kind == "reply"
    assert heard.frames[1].is_reply


# --- what is refused or unknown ------------------------------------------------------------------


def test_jbd_refuses_settings_writes_and_what_it_does_not_know() -> None:
    end = fake("jbd")
    assert replies(end, "dda52400ffdc77") == [bytes.fromhex("dd248100ff7f77")]
    assert replies(end, "dd5ae1020001ff1c77") == [bytes.fromhex("dde18100ff7f77")]
    assert replies(end, "dda5f000ff1077") == [bytes.fromhex("ddf08000ff8077")]


def test_jbd_counts_what_its_board_has_done() -> None:
    story = a_story("short")
    board = jbd.Board(story, jbd.Kind())
    story.at(SECOND_US)
    (reply,) = replies(board, "dda5aa00ff5677", SECOND_US)
    assert listen("jbd", "dda5aa00ff5677", reply).values()["short_circuit_count"] == 1


def test_jbd_sends_back_what_stood_behind_a_request() -> None:
    (plain,) = replies(fake("jbd"), jbd.read(0x04))
    (marked,) = replies(fake("jbd"), jbd.read(0x04) + b"\x12\x34")
    assert marked == plain + b"\x12\x34"


def test_modbus_errors() -> None:
    end = fake("jk", "modbus")
    assert replies(end, with_modbus(bytes.fromhex("010317000002"))) == [
        with_modbus(b"\x01\x83\x01")
    ]
    assert replies(end, with_modbus(bytes.fromhex("010312000080"))) == [
        with_modbus(b"\x01\x83\x03")
    ]
    assert replies(end, with_modbus(bytes.fromhex("020312000001"))) == []
    assert replies(end, bus.trigger(1, frames.LIVE)) == []


@pytest.mark.parametrize(
    ("family", "profile", "request_"),
    [
        ("xiaomi", "bare", "55aa0420037b01005cff"),  # not for the battery
        ("xiaomi", "bare", xiaomi.frame(0x22, 0x02, 0x30, b"\0\0").hex()),  # a write
        ("ninebot", "es2", ninebot.read(0x23, 0x30, 12).hex()),  # it has no external pack
        ("jk", "tlv", tlv.frame(0x05, 3, 0, b"\xb2123456").hex()),  # a password
        ("jk", "bus", bus.trigger(9, frames.LIVE).hex()),  # an address nobody has
        ("ant", "new", "7ea1510100 00d8e5aa55".replace(" ", "")),  # switches a MOSFET
        ("ant", "old", "7ea1010000be1855aa55"),  # newer than it
        ("daly", "a5", daly.a5(0x40, 0xD9, b"\0").hex()),  # switches a MOSFET
        ("daly", "d2", "8103000000405bfa"),  # another dialect
        ("vesc", "bms", vesc.frame(b"\x05\0\0\0\0").hex()),  # sets the duty
    ],
)
def test_what_is_not_answered(family: str, profile: str, request_: str) -> None:
    assert replies(fake(family, profile), request_, LATER_US) == []


def test_unknown_words_of_a_scooter_read_nothing() -> None:
    (reply,) = replies(fake("xiaomi", "bare"), xiaomi.request(0x90, 8), LATER_US)
    assert reply[6:-2] == bytes(8)


def test_vesc_without_bms_still_answers_and_with_one_passes_on() -> None:
    (nothing,) = replies(fake("vesc", "plain"), vesc.frame(b"\x60"))
    assert nothing[2 + 25] == 0
    (bare,) = replies(fake("vesc", "bms"), vesc.frame(b"\x60"))
    (forwarded,) = replies(fake("vesc", "bms"), vesc.frame(bytes((34, 10, 0x60))))
    assert forwarded == bare
    ((t_us, found),) = fake("vesc", "bms").hear(vesc.frame(b"\x3e"), 0)
    assert found == vesc.frame(bytes((62, 10)))
    assert t_us == 2_500_000


# --- sets in several frames ----------------------------------------------------------------------


@pytest.mark.parametrize(("host", "cells", "probes"), [(daly.PC, 5, 1), (daly.BLUETOOTH, 16, 3)])
def test_daly_cells_come_three_to_a_frame(host: int, cells: int, probes: int) -> None:
    end = fake("daly", "a5")  # 14 cells, 2 probes
    found = replies(end, daly.a5(host, 0x95, b""))
    assert [frame[4] for frame in found] == list(range(1, cells + 1))
    assert len(replies(end, daly.a5(host, 0x96, b""))) == probes
    spare = found[-1][5:11] if host == daly.BLUETOOTH else found[-1][9:11]
    assert spare == bytes(len(spare))


def test_a_line_sends_a_burst_without_gaps_or_overlaps() -> None:
    line = build(Order("daly", "a5_bluetooth", master="none"))
    list(line.advance(SECOND_US))
    line.receive(daly.a5(daly.BLUETOOTH, 0x95, b""), SECOND_US)
    burst = chunks(line.advance(2 * SECOND_US), "bms_tx")
    byte_us = 10_000_000 / 9600
    assert len(burst) == 16
    gaps = [after.t_us - before.t_us for before, after in pairwise(burst)]
    assert all(abs(gap - 13 * byte_us) <= 1 for gap in gaps)


# --- sleep and start -----------------------------------------------------------------------------


def test_jbd_loses_the_question_that_wakes_it() -> None:
    still = Tap(Still(readings()))
    end = jbd.Board(still, jbd.Kind())
    assert len(replies(end, jbd.read(0x03), 10 * SECOND_US)) == 1
    assert replies(end, jbd.read(0x03), 50 * SECOND_US) == []
    assert len(replies(end, jbd.read(0x03), 50 * SECOND_US + 500_000)) == 1


def readings(current_ma: int = 0) -> Readings:
    return Readings(36_000, current_ma, (3600,) * 10, (200,), 200, 3900, 7800, 7800, 50)


class Still:
    """A source in which nothing happens."""

    def __init__(self, now: Readings) -> None:
        self.now = now

    def at(self, _: int) -> Readings:
        return self.now


def test_daly_sleeps_until_current_flows() -> None:
    still = Still(readings())
    end = daly.A5Board(still, Limits(), daly.A5Kind())
    asked = daly.a5(0x40, 0x90, b"")
    hour_us = 3600 * SECOND_US
    assert len(replies(end, asked, hour_us)) == 1
    for minute in range(1, 5):
        assert replies(end, asked, hour_us + minute * 60 * SECOND_US) == []
    still.now = readings(-500)
    assert len(replies(end, asked, 2 * hour_us)) == 1


def test_botox_sleeps_after_five_seconds_and_loses_a_byte() -> None:
    end = fake("xiaomi", "botox")
    asked = xiaomi.request(0x30, 12)
    assert len(replies(end, asked, 4 * SECOND_US)) == 1
    woken = replies(end, asked, 10 * SECOND_US)
    assert woken == [b"BOOTED!\r\n"]
    assert len(replies(end, asked, 10 * SECOND_US + 200_000)) == 1


def test_jk_does_not_know_its_charge_at_first() -> None:
    end = fake("jk", "tlv")
    end.switched_on(0)
    for second, known in ((1, False), (15, False), (17, True)):
        (reply,) = replies(end, tlv.read_all(), second * SECOND_US)
        soc = reply[reply.index(b"\x85", 60) + 1]
        assert (soc > 0) == known, second


def test_jk_streams_only_after_it_is_told_to() -> None:
    found = chunks(events(Order("jk", "module", "parked", master="none"), 5), "bms_tx")
    assert found == []
    line = build(Order("jk", "module", "parked", master="none"))
    line.receive(module.command(module.START), SECOND_US)
    found = chunks(line.advance(6 * SECOND_US), "bms_tx")
    assert [chunk.data[4] for chunk in found[:3]] == [frames.SETTINGS, 0xC8, frames.LIVE]
    streamed = [chunk for chunk in found if chunk.data[4] == frames.LIVE]
    assert [after.t_us - before.t_us for before, after in pairwise(streamed)] == [SECOND_US] * 4
    counters = [chunk.data[5] for chunk in streamed]
    assert all(after - before == 1 for before, after in pairwise(counters))


# --- masters' times ------------------------------------------------------------------------------


def gaps(found: list[Chunk]) -> list[int]:
    return [after.t_us - before.t_us for before, after in pairwise(found)]


def test_m365_controller_asks_as_recorded() -> None:
    found = events(Order("xiaomi", scene="parked"), 10)
    asked = chunks(found, "host_tx")
    identity = [chunk for chunk in asked if chunk.data[5] == 0x10]
    polls = [chunk for chunk in asked if chunk.data[5] == 0x30]
    assert 35 <= len(identity) <= 47
    assert set(gaps(identity)) == {14_970}
    assert gaps(polls)[0] == 104_800
    assert all(209_504 <= gap <= 209_556 for gap in gaps(polls)[1:])
    assert identity[0].data.hex() == "55aa0322011010b9ff"


def test_an_app_makes_the_controller_read_cells() -> None:
    plain = chunks(events(Order("xiaomi", scene="parked"), 10), "host_tx")
    asked = chunks(events(Order("xiaomi", scene="parked", master="app"), 10), "host_tx")
    assert not [chunk for chunk in plain if chunk.data[5] == 0x40]
    cells = [chunk for chunk in asked if chunk.data[5] == 0x40]
    assert all(abs(gap - 5 * 209_530) < 200 for gap in gaps(cells))
    assert len(cells) >= 7


def test_es2_controller_and_its_busy_pack() -> None:
    """85 refreshes, all answered; 62 of 85 reads are (xiaomi.md 1.3)."""
    found = events(Order("ninebot", scene="parked"), 100)
    asked, answered = chunks(found, "host_tx"), chunks(found, "bms_tx")
    refreshed = [chunk for chunk in asked if chunk.data[5] == 0x5A]
    reads = [chunk for chunk in asked if chunk.data[5:7] == b"\x01\x30"]
    assert set(gaps(refreshed)) == {210_000}
    assert len(reads) == len(refreshed)
    kept = [chunk for chunk in answered if chunk.data[5] == 0x5A]
    given = [chunk for chunk in answered if chunk.data[5:7] == b"\x04\x30"]
    assert len(kept) >= len(refreshed) - 1
    assert 0.68 < len(given) / len(reads) < 0.78


def test_jk_master_goes_round_in_its_time() -> None:
    """Three answer: state and settings each; twelve do not; then its own two frames."""
    found = chunks(events(Order("jk", "bus", "parked"), 30), "bms_tx")
    own = [c for c in found if c.data[301:303] == b"\x00\x10" and c.data[4] == frames.LIVE]
    assert all(abs(gap - 4_400_000) < 50_000 for gap in gaps(own))
    first = [c for c in found if c.t_us < own[0].t_us and len(c.data) == 11]
    asked = [(chunk.data[0], chunk.data[3]) for chunk in first]
    known = [(address, kind) for address in (1, 2, 3) for kind in (0x20, 0x1E)]
    assert asked == known + [(address, 0x20) for address in range(4, 16)]
    spoken = {chunk.data[301] for chunk in found if len(chunk.data) == 310}
    assert spoken == {0, 1, 2, 3}


@pytest.mark.parametrize(
    ("family", "profile", "a_second"),
    [
        ("jbd", "plain", 2),
        ("jk", "tlv", 1),
        ("ant", "new", 5),
        ("daly", "a5", 4),
        ("vesc", "bms", 5),
    ],
)
def test_masters_ask_at_their_pace(family: str, profile: str, a_second: int) -> None:
    asked = chunks(events(Order(family, profile, "parked"), 30), "host_tx")
    assert abs(len(asked) - 30 * a_second) <= 2


@pytest.mark.parametrize(
    ("family", "profile", "request_", "least_us", "most_us"),
    [
        ("xiaomi", "bare", xiaomi.request(0x30, 12), 200, 225),
        ("ninebot", "es2", ninebot.read(0x22, 0x30, 12), 200, 225),
        ("jk", "tlv", tlv.read_all(), 200, 500),
        ("daly", "a5", daly.a5(0x40, 0x90, b""), 0, 100_000),
    ],
)
def test_replies_begin_as_soon_as_measured(
    family: str, profile: str, request_: bytes, least_us: int, most_us: int
) -> None:
    end = fake(family, profile)
    t_us = 10 * xiaomi.BUSY_EVERY_US + 50_000
    ((start_us, _),) = end.hear(request_, t_us)
    assert least_us <= start_us - t_us <= most_us


# --- power, wires, faults ------------------------------------------------------------------------


def test_a_scooter_off_holds_its_wires_low_and_nobody_speaks() -> None:
    assert events(Order("xiaomi", scene="off"), 10) == [
        Level(0, "bms_tx", "low"),
        Level(0, "host_tx", "low"),
    ]


def test_a_scooters_pack_that_switches_off_takes_the_line_with_it() -> None:
    found = events(Order("xiaomi", scene="short"), 5)
    levels = [event for event in found if isinstance(event, Level)]
    assert [event.level for event in levels] == ["low", "low"]
    assert not [event for event in found if isinstance(event, Chunk)]


def test_smart_boards_rest_high_whoever_is_on() -> None:
    found = events(Order("jbd", scene="off"), 10)
    assert [(event.port, event.level) for event in found if isinstance(event, Level)] == [
        ("bms_tx", "idle"),
        ("host_tx", "idle"),
    ]
    assert len(found) == 2


FELT = {
    "bits": "bits:1e-3",
    "burst": "burst:300ms+5ms",
    "lose": "lose:0.05",
    "double": "double:0.05",
    "truncate": "truncate:0.2",
    "cut": "cut:5s+3s",
    "stuck": "stuck:5s+3s",
    "speed": "speed:19200",
    "skew": "skew:8%",
    "invert": "invert",
    "echo": "echo:200us@host_tx",
    "collide": "collide:0.5@host_tx",
    "delay": "delay:50ms",
    "reorder": "reorder:0.2",
    "old": "old:5s+5s",
    "stall": "stall:5s+700ms",
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_fault_can_lie_on_a_fakes_line(kind: str) -> None:
    """And does something, the same every time."""
    order = Order("jbd", scene="parked", faults=(parse(FELT[kind]),))
    found = events(order, 20)
    assert found == events(order, 20)
    assert found != events(Order("jbd", scene="parked"), 20)
    assert [event.t_us for event in found] == sorted(event.t_us for event in found)


def test_a_spoilt_request_is_not_answered() -> None:
    """The pack hears what is on the wire, not what was meant."""
    found = events(Order("jbd", scene="parked", faults=(parse("cut:10s+10s@host_tx"),)), 30)
    silent = [c for c in chunks(found, "bms_tx") if 10.2 < c.t_us / SECOND_US < 20]
    assert silent == []
    assert len(chunks(found, "bms_tx")) == pytest.approx(40, abs=2)


def test_faults_that_hold_back_let_go_without_a_next_event() -> None:
    line = build(Order("jbd", scene="parked", master="none", faults=(parse("delay:50ms"),)))
    list(line.advance(SECOND_US))
    line.receive(jbd.read(0x04), SECOND_US)
    found = chunks(line.advance(2 * SECOND_US), "bms_tx")
    assert len(found) == 1
    assert 1_000_000 < found[0].t_us < 1_200_000
    line.close()


def test_what_fails_in_a_fault_fails_in_the_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> Iterable[Event]:
        raise PacklabError("broken")
        yield

    kind = KINDS["bits"]
    monkeypatch.setitem(KINDS, "bits", type(kind)(broken, 1, 0, "", ""))  # type: ignore[arg-type]
    line = build(Order("jbd"))
    line.close()
    with pytest.raises(PacklabError, match="broken"):
        LiveFaults([parse("bits:0.1")], Header("made", "test"), 1)


def test_the_decoder_survives_a_very_bad_line() -> None:
    """A value that comes out of noise is still one the pack could have: sums are 16 bits."""
    for family, profile in (("jbd", "plain"), ("jk", "tlv"), ("ant", "new"), ("daly", "d2")):
        faults = (parse("bits:2e-4"), parse("lose:2e-4"))
        played = play(Order(family, profile, "ride", faults=faults), None, 60)
        assert played.bms.framer.numbers[DAMAGED] > 5
        values = played.bms.values()
        assert 25_000 < values["pack_mv"] < 70_000


# --- what is no pack -----------------------------------------------------------------------------


def words(profile: str, seconds: int = 20, name: str = "ride") -> list[dict[int, int]]:
    """The status words of each reply."""
    found = chunks(events(Order("xiaomi", profile, name), seconds), "bms_tx")
    status = [chunk.data for chunk in found if chunk.data[5] == 0x30]
    return [
        {0x30 + n: int.from_bytes(data[6 + 2 * n : 8 + 2 * n], "little") for n in range(6)}
        for data in status
    ]


def test_rita_hides_the_pack() -> None:
    """No current, 29 Ah, and a voltage that moves only with the throttle (xiaomi.md 5.3)."""
    riding = words("rita")
    assert {word[0x33] for word in riding} == {0}
    assert len({word[0x34] for word in riding}) > 5
    standing = words("rita", name="parked")
    assert len({word[0x34] for word in standing}) == 1


def test_rita_speaks_in_temperatures() -> None:
    charging = words("rita", name="charge")
    assert charging[-1][0x35] == 0x0A0A  # -10 °C: do not brake
    assert {word[0x35] for word in words("rita_new")} == {0x7878}  # 100 °C: not configured


def test_happy_runs_out_of_numbers() -> None:
    now = Readings(60_000, 0, (3750,) * 16, (200, 200), 200, 3000, 35_000, 35_000, 8)
    told = xiaomi.happy(now)
    assert (told[0x18], told[0x31], told[0x32]) == (32_767, 767, 2)
    late = Readings(60_000, 0, (3600,) * 16, (200, 200), 200, 2000, 35_000, 35_000, 5)
    assert (xiaomi.happy(late)[0x31], xiaomi.happy(late)[0x32]) == (0, 0)


def test_emulators_are_constants() -> None:
    assert len({tuple(word.items()) for word in words("emulator")}) == 1
    found = events(Order("xiaomi", "attiny"), 10)
    assert {chunk.data.hex() for chunk in chunks(found, "bms_tx")} == {
        "55aa0e2501300100000000000000e100282891fe"
    }
    assert set(gaps(chunks(found, "bms_tx"))) == {SECOND_US}
    assert listen("xiaomi", *(c.data for c in chunks(found, "bms_tx"))).frames == []
