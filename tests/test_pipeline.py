"""The pipeline: from bytes and levels to what is shown, and when it wants to be called again."""

import json
from typing import Any

import pytest
from conftest import ROOT, MicroPython
from deckwatch import config
from deckwatch.frame import BAD_CHECK, CUT, FRAMES_IN, READ
from deckwatch.framer import CHUNK
from deckwatch.guardrails.table import CODES
from deckwatch.index import PROFILES
from deckwatch.memory import EPOCH_S, REST_MV, REST_S, SIZE, SPREAD_MV, STUCK_CHARGES, Memory
from deckwatch.meters.link import BMS_TX, HOST_TX, IDLE, LOW
from deckwatch.pipeline import Pipeline, load_protocol
from deckwatch.protocols import xiaomi as protocol
from deckwatch.telemetry import INDEX
from families import entries
from line_rig import LineRig, ninebot, status, words, xiaomi
from test_pack_locked import SHOWN_HERE as SHOWN_THERE

TICKS = 1 << 30
SHOWN_HERE = [code for code in CODES if code not in SHOWN_THERE]
POLLED = {
    "charge_cold",
    "charge_hot",
    "discharge_hot",
    "temp_sensor",
    "heat_rise",
    "charge_voltage",
    "charge_current",
    "charge_target",
    "charger_cc_only",
    "charge_stalled",
    "charge_timer",
    "charger_droop",
    "settle",
    "capacity",
    "discharge_current",
    "regen_current",
    "regen_full",
    "bms_trip",
    "sag",
    "soc_mismatch",
    "frozen_data",
    "bms_fault",
}
CELLS = {
    "cell_spread",
    "cell_high",
    "cell_low",
    "ghost_voltage",
    "cell_count",
    "weak_cell",
    "stuck_cell",
}


class Deaf:
    """A sink that does not listen."""

    def on_alert(self, alerts: Any, code: int) -> None:
        """Nothing."""


def core(**options: Any) -> Pipeline:
    """A pipeline on its own, for calls that the rig does not make."""
    return Pipeline(config.load(options), Deaf(), strict=True)


# --- what is shown -------------------------------------------------------------------------------


def test_from_nothing_to_green() -> None:
    line = LineRig()
    line.advance(3000)
    assert line.looks == [(0, "no_data", 0)]
    line.ask()
    assert line.look == "no_data"
    line.answer(words([4700, 60]), 0x31)
    assert line.look == "no_data"
    line.answer(status())
    assert line.look == "fine"
    assert line.watched() == POLLED | {"silence"}


def test_part_of_what_passes_by_is_partial() -> None:
    line = LineRig()
    line.answer(words([1, 4700, 60]), 0x30)
    assert line.look == "partial"
    assert line.watched() == {"bms_fault", "charge_target"}
    line.answer(status()[6:], 0x33)
    assert line.look == "fine"
    assert "silence" in line.watched()


def test_cells_are_watched_while_an_app_reads_them() -> None:
    line = LineRig()
    line.ride(2)
    assert not line.watched() & CELLS
    line.ride(2, cells=[3700] * 10)
    assert line.watched() >= CELLS
    line.ride(7)
    assert not line.watched() & CELLS
    assert line.look == "fine"


def test_stale_values_are_no_data_and_what_was_wrong_is_unknown() -> None:
    line = LineRig()
    line.ride(2)
    line.level("low", "bms_tx")
    line.ask()  # the other wire still talks: cut, not off
    line.advance(9000)
    assert line.look == "no_data"
    line = LineRig()
    line.ride(12, temps_c=(23, 56))
    assert line.look == "warn"
    line.advance(7000)
    assert line.look == "unknown"
    assert line.looks[-1][2] == 2


def test_information_is_green_and_counts_its_group() -> None:
    line = LineRig()
    line.ride(70, cells=[4160] * 10, current_ma=-30)
    assert line.looks[-1][1:] == ("info", 1)
    assert line.beeps == []


def test_information_gives_way_to_what_is_not_watched() -> None:
    line = LineRig()
    for _ in range(40):
        line.cells([4160] * 10)
        line.answer(words([1, 4700, 60]), 0x30)
        line.advance(210)
    assert line.state("cell_high") == ("set", "info")
    assert line.look == "partial"


def test_worst_alert_is_shown_with_its_group() -> None:
    line = LineRig()
    line.ride(12, temps_c=(61, 61), current_ma=-28000)
    assert line.state("discharge_current") == ("set", "warn")
    assert line.looks[-1][1:] == ("alarm", 2)
    line.ride(11, temps_c=(53, 53), current_ma=-28000)
    line.ride(11, temps_c=(45, 45), current_ma=-28000)
    assert line.looks[-1][1:] == ("warn", 4)


def test_lost_alarm_gives_way_to_a_standing_warning() -> None:
    line = LineRig()
    line.ride(70, cells=[3700] * 9 + [3500], current_ma=-30, temps_c=(48, 48))
    assert line.looks[-1][1:] == ("alarm", 1)
    line.ride(12, temps_c=(56, 56), current_ma=-30)
    assert line.state("cell_spread") == ("unknown", "alarm")
    assert line.looks[-1][1:] == ("warn", 2)
    line.ride(12, temps_c=(48, 48), current_ma=-30)
    assert line.looks[-1][1:] == ("unknown", 1)


def test_lost_information_is_no_reason_for_violet() -> None:
    line = LineRig()
    line.ride(70, cells=[4160] * 10, current_ma=-30)
    line.ride(7, current_ma=-30)
    assert line.state("cell_high") == ("unknown", "info")
    assert line.look == "fine"


def test_off_and_on() -> None:
    line = LineRig()
    line.ride(2)
    line.level("low")
    assert line.look == "off"
    assert line.watched() == set()
    assert line.value("pack_mv") is None
    line.advance(60_000)
    line.level("idle")
    assert line.look == "no_data"
    line.ride(2)
    assert line.look == "fine"


def test_off_is_told_at_once_not_at_the_next_second() -> None:
    line = LineRig()
    line.ride(13, temps_c=(23, 56))
    line.advance(3)
    line.level("low")
    assert line.told("discharge_hot")[-1][0] == line.ms
    assert line.state("discharge_hot") == ("unknown", "warn")


def test_second_pack_counts_once_it_has_spoken() -> None:
    line = LineRig(profile="ninebot")
    inner = ninebot(0x22, 0x20, 0x5A, 0x30, status())
    outer = ninebot(0x23, 0x20, 0x5A, 0x30, status())
    line.hear(inner)
    assert line.look == "fine"
    line.hear(outer[:-2] + b"\0\0")
    assert line.look == "fine"
    line.hear(ninebot(0x23, 0x20, 0x04, 0x31, words([4700])))
    assert line.look == "partial"
    line.hear(outer)
    assert line.look == "fine"
    for _ in range(30):
        line.hear(inner)
        line.advance(210)
    assert line.look == "partial"
    line.level("low")
    line.level("idle")
    line.hear(inner)
    assert line.look == "fine"


def test_second_pack_alone_is_data_too() -> None:
    line = LineRig(profile="ninebot")
    line.hear(ninebot(0x23, 0x20, 0x5A, 0x30, status()))
    assert line.look == "partial"


def test_answers_of_a_pack_there_is_no_room_for_are_counted_to_three() -> None:
    line = LineRig(profile="ninebot", count=1)
    outer = ninebot(0x23, 0x20, 0x5A, 0x30, status())
    line.hear(ninebot(0x22, 0x20, 0x5A, 0x30, status()))
    line.hear(ninebot(0x20, 0x23, 0x01, 0x30, bytes([12])), "host_tx")
    line.hear(outer[:-2] + b"\0\0")
    assert (len(line.core.packs), line.core.more, line.look) == (1, 0, "fine")
    for heard in (1, 2, 3, 3):
        line.hear(outer)
        assert line.core.more == heard
    assert (line.look, line.core.decode_errors) == ("fine", 0)
    for options in ({"profile": "ninebot"}, {"profile": "ninebot", "packs": 1}):
        line = LineRig(**options)
        line.hear(outer)
        assert line.core.more == 0


def test_external_packs_alarm_is_shown() -> None:
    line = LineRig(profile="ninebot")
    for _ in range(60):
        line.hear(ninebot(0x22, 0x20, 0x5A, 0x30, status()))
        line.hear(ninebot(0x23, 0x20, 0x5A, 0x30, status(temps_c=(60, 61))))
        line.advance(210)
    assert line.looks[-1][1:] == ("alarm", 2)
    assert [event.pack for event in line.events] == [1]


# --- sound ---------------------------------------------------------------------------------------


def hot(line: LineRig, seconds: float) -> None:
    """discharge_hot at warn, group 2."""
    line.ride(seconds, temps_c=(56, 56))


def test_warning_sounds_and_acknowledging_silences_it() -> None:
    line = LineRig()
    hot(line, 80)
    set_at = line.told("discharge_hot")[0].ms
    assert line.beeps == [set_at, set_at + 240, set_at + 60_000, set_at + 60_240]
    line.core.acknowledge()
    hot(line, 120)
    assert len(line.beeps) == 4
    assert line.look == "warn"


def test_something_new_sounds_again() -> None:
    line = LineRig()
    hot(line, 15)
    line.core.acknowledge()
    heard = len(line.beeps)
    line.ride(15, temps_c=(56, 56), current_ma=-30000)
    fresh = line.told("discharge_current")[0].ms
    assert line.beeps[heard] == fresh


def test_information_does_not_undo_an_acknowledgement() -> None:
    line = LineRig()
    line.ride(12, temps_c=(56, 56))
    line.core.acknowledge()
    heard = len(line.beeps)
    line.ride(120, temps_c=(56, 56), cells=[4160] * 10)
    assert line.state("cell_high") == ("set", "info")
    assert len(line.beeps) == heard


def test_loose_plug_does_not_start_the_sound_again_and_again() -> None:
    line = LineRig()
    hot(line, 15)
    for _ in range(10):
        line.advance(7000)
        assert line.look == "unknown"
        hot(line, 5)
        assert line.look == "warn"
    start = line.told("discharge_hot")[0].ms
    assert [event.state for event in line.told("discharge_hot")] == ["set", "unknown"] * 10 + [
        "set"
    ]
    assert all((at - start) % 60_000 < 500 for at in line.beeps)
    assert len(line.beeps) <= 6


def test_alarm_of_yesterday_sounds_when_it_is_found_again_today() -> None:
    line = LineRig()
    hot(line, 15)
    line.core.acknowledge()
    line.level("low")
    line.advance(8 * 3_600_000)
    heard = len(line.beeps)
    line.level("idle")
    hot(line, 2)
    assert line.look == "warn"
    assert len(line.beeps) == heard + 2


def test_off_and_on_within_minutes_keeps_the_acknowledgement() -> None:
    line = LineRig()
    hot(line, 15)
    line.core.acknowledge()
    heard = len(line.beeps)
    line.level("low")
    line.advance(3000)
    line.level("idle")
    hot(line, 15)
    assert line.look == "warn"
    assert len(line.beeps) == heard


# --- frames --------------------------------------------------------------------------------------


def test_answer_to_alert_takes_one_round() -> None:
    line = LineRig()
    line.answer(status(bits=0x0401))
    line.advance(50)
    line.answer(status(bits=0x0401))
    assert line.events == [(50, 0, "bms_fault", "set", "alarm")]
    assert line.beeps == [50]


def test_controller_error_comes_from_the_dash_line_alone() -> None:
    line = LineRig()
    line.ride(2)
    assert "controller_error" not in line.watched()
    line.error(14)
    assert "controller_error" in line.watched()
    line.advance(100)
    line.error(14)
    assert line.state("controller_error") == ("set", "warn")
    line.error(21)
    line.advance(100)
    line.error(21)
    assert line.state("controller_error") == ("set", "alarm")


def test_unknown_frames_are_counted_and_bad_ones_too() -> None:
    line = LineRig()
    line.hear(xiaomi(0x7F, 0x44, 0x00, b"\1\2"))
    assert line.core.unknown == 1
    line.hear(status()[:5])
    line.hear(xiaomi(0x25, 0x01, 0x30, status())[:-1] + b"\0")
    framer = line.core.framers[BMS_TX]
    assert (framer.numbers[FRAMES_IN], framer.numbers[BAD_CHECK]) == (1, 1)
    assert line.value("pack_mv") is None


def test_decoder_that_raises_is_counted_and_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(protocol, "decode", broken)
    line = LineRig()
    with pytest.raises(ZeroDivisionError):
        line.answer(status())
    lenient = Pipeline(config.load({}), Deaf())
    data = xiaomi(0x25, 0x01, 0x30, status())
    lenient.feed(BMS_TX, bytearray(data.ljust(CHUNK, b"\0")), len(data), 0)
    lenient.tick(0)
    assert (lenient.decode_errors, lenient.unknown) == (1, 1)
    assert lenient.framers[BMS_TX].numbers[FRAMES_IN] == 1


def test_level_that_means_loss_ends_a_frame_and_idle_does_not() -> None:
    data = xiaomi(0x25, 0x01, 0x30, status())
    for state, frames in (("idle", 1), ("break", 0), ("overrun", 0), ("low", 0)):
        line = LineRig()
        line.hear(data[:8])
        line.level(state, "bms_tx")
        line.hear(data[8:])
        assert line.core.framers[BMS_TX].numbers[FRAMES_IN] == frames, state


def test_frame_cut_by_silence_is_counted_in_time() -> None:
    line = LineRig()
    line.hear(xiaomi(0x25, 0x01, 0x30, status())[:8])
    line.advance(100)
    assert line.core.framers[BMS_TX].numbers[CUT] == 0
    line.advance(1)
    assert line.core.framers[BMS_TX].numbers[CUT] == 1


def test_ports_that_are_not_tapped_have_no_framer() -> None:
    pipeline = Pipeline(config.load({}), Deaf(), ports=(BMS_TX,))
    assert pipeline.framers[BMS_TX] is not None
    assert pipeline.framers[HOST_TX] is None
    assert pipeline.tick(0) == 1000


# --- asking --------------------------------------------------------------------------------------


def test_listening_never_asks() -> None:
    pipeline = core()
    assert pipeline.poller is None
    for now in range(0, 60_000, 100):
        assert pipeline.question(now) == -1


def test_polling_asks_once_the_line_rests() -> None:
    pipeline: Any = core(mode="poll")
    for port in (BMS_TX, HOST_TX):
        pipeline.line(port, IDLE, 0)
    asked = []
    buf = bytearray(CHUNK)
    for now in range(0, 60_000, 100):
        pipeline.tick(now)
        number = pipeline.question(now)
        if number >= 0:
            asked.append(number)
            pipeline.asked(number, buf, now)
    assert asked
    assert all(0 <= number < len(protocol.REQUESTS) for number in asked)


FAMILIES = [name for name in PROFILES if name not in ("auto", "m365", "pro2", "rita", "botox")]


@pytest.mark.parametrize("profile", FAMILIES)
def test_the_core_hears_its_own_question_once_and_takes_it_for_nobody_elses(profile: str) -> None:
    pipeline: Any = core(profile=profile, mode="poll")
    buf = bytearray(CHUNK)
    for row, request in enumerate(pipeline.poller.requests):
        now = 10_000 + 1000 * row
        pipeline.asked(row, buf, now)
        pipeline.tick(now)
        assert pipeline.link.requests == row + 1
        pipeline.tick(now + 90)
        assert not pipeline.poller.yielded
        assert not any(pipeline.poller.echoes(port) for port in range(3)), request


def test_where_the_controllers_wire_carries_it_back_it_counts_from_there() -> None:
    pipeline: Any = core(profile="m365", mode="poll")
    buf = bytearray(CHUNK)
    for number in range(5):
        now = 10_000 + 1000 * number
        pipeline.asked(0, buf, now)
        request = pipeline.poller.requests[0]
        echo = bytearray(request.ljust(CHUNK, b"\0"))
        pipeline.feed(HOST_TX, echo, len(request), now + 15)
        assert pipeline.poller.echoes(HOST_TX)
        assert pipeline.link.requests == number + 2  # the first was heard twice
    assert not pipeline.poller.yielded


def test_a_reply_that_does_not_say_what_it_answers_is_understood_after_our_question() -> None:
    """Daly's D2 settings: neither register nor a well-known length (daly.md 3)."""
    pipeline: Any = core(profile="daly", mode="poll")
    buf = bytearray(CHUNK)
    rows = [row[0] for row in load_protocol("daly").REQUESTS]
    entry = next(e for e in entries("daly") if (e["request_hex"] or "").startswith("d20300a9"))
    reply = bytes.fromhex(entry["hex"])

    def hear(now: int) -> None:
        for at in range(0, len(reply), CHUNK):
            part = reply[at : at + CHUNK]
            pipeline.feed(BMS_TX, bytearray(part.ljust(CHUNK, b"\0")), len(part), now)

    hear(5_000)
    assert pipeline.packs[0].telemetry.seen[INDEX["firmware"]] == 0
    pipeline.asked(rows.index("d2_version"), buf, 10_000)
    hear(10_100)
    assert pipeline.packs[0].telemetry.seen[INDEX["firmware"]] == 1


def test_another_master_is_noticed() -> None:
    pipeline: Any = core(mode="poll")
    for port in (BMS_TX, HOST_TX):
        pipeline.line(port, IDLE, 0)
    data = xiaomi(0x22, 0x01, 0x30, b"\x0c")
    pipeline.feed(HOST_TX, bytearray(data.ljust(CHUNK, b"\0")), len(data), 20_000)
    assert pipeline.question(20_000) == -1
    pipeline.line(BMS_TX, LOW, 21_000)
    pipeline.line(HOST_TX, LOW, 21_000)
    assert pipeline.question(21_000) == -1


# --- what is watched, by group -------------------------------------------------------------------


def groups(line: LineRig) -> list[int]:
    flags = bytearray(5)
    line.core.watched_groups(flags)
    return list(flags)


def test_groups_of_which_all_is_watched() -> None:
    line = LineRig()
    assert groups(line) == [0, 0, 0, 0, 0]  # even of cells there is one: the capacity
    line.answer(status()[6:], 0x33)
    assert groups(line) == [1, 1, 0, 0, 0]  # charge target and full pack need the percent too
    line.answer(status())
    assert groups(line) == [1, 1, 1, 1, 1]


# --- time ----------------------------------------------------------------------------------------


def test_round_is_due_every_second_or_sooner() -> None:
    pipeline = core()
    assert pipeline.tick(500) == 1000
    assert pipeline.tick(900) == 600
    assert pipeline.tick(1500) == 1000
    assert pipeline.uptime_s == 1


def test_late_call_keeps_the_seconds() -> None:
    pipeline = core()
    pipeline.tick(0)
    assert pipeline.tick(7300) == 700
    assert pipeline.uptime_s == 7


def test_uptime_runs_over_the_wrap() -> None:
    pipeline = core()
    pipeline.tick(TICKS - 1500)
    pipeline.tick(TICKS - 400)
    assert pipeline.tick(600) == 900
    assert pipeline.uptime_s == 2


def test_judge_is_asked_when_a_hold_time_ends() -> None:
    line = LineRig()
    line.answer(status(current_ma=-28000))
    line.advance(250)
    line.answer(status(current_ma=-28000))
    line.advance(1000)
    assert line.events == [(500, 0, "discharge_current", "set", "warn")]


@pytest.mark.parametrize("start", [TICKS - 5000, TICKS - 1])
def test_ride_over_the_wrap_is_the_same_ride(start: int) -> None:
    courses = []
    for begin in (0, start):
        line = LineRig(begin)
        line.ride(20, cells=[4230] * 10, temps_c=(23, 56), current_ma=-28000)
        line.advance(8000)
        line.ride(12)
        courses.append((line.events, line.looks, line.beeps))
    assert courses[0] == courses[1]
    assert len(courses[0][0]) > 8


def test_alert_that_stands_for_weeks_is_old_not_new() -> None:
    line = LineRig()
    hot(line, 15)
    line.events.clear()
    for _ in range(16 * 24):
        line.ms += 3_600_000
        line.answer(status(temps_c=(56, 56)))
    assert [event.state for event in line.events if event.code == "discharge_hot"] == []
    assert line.core.uptime_s >= 16 * 24 * 3600
    assert (line.now - line.core.status.sound_since) % TICKS > 1 << 27


# --- on the chip ---------------------------------------------------------------------------------


def slow(line: LineRig, seconds: int, board_c: int = 0, damp_pct: int = 0, **values: Any) -> None:
    """Polls 2 s apart, so that what takes long is soon over; in each an app reads the MOSFETs, and
    the dongle its sensor."""
    for _ in range(seconds // 2):
        if board_c:
            line.answer(bytes([board_c + 20] * 4), 0x52)
        if damp_pct:
            line.humidity(damp_pct)
        line.ask()
        line.answer(status(**values))
        line.advance(2000)


def heat_up(line: LineRig) -> None:
    """Boards, probes and moisture."""
    slow(line, 620, board_c=45, damp_pct=90, temps_c=(23, 29), soc_pct=60)
    slow(line, 70, board_c=20, damp_pct=50, temps_c=(23, 29))
    for celsius in range(29, 44):
        slow(line, 14, temps_c=(23, celsius))
    slow(line, 320, temps_c=(23, 23))
    slow(line, 20, bits=0x41, current_ma=3500, soc_pct=98)
    slow(line, 320, bits=0x41, current_ma=1500, soc_pct=60)


# Hold times as short as an owner may choose them, so that the line is short
IMPATIENT = {
    "charger_cc_only_warn_s": 60,
    "charge_timer_late_warn_s": 600,
    "charger_droop_info_s": 600,
}
IN_2026 = 1_795_000_000


def parked_memory() -> bytes:
    """Of a pack that rested nearly full 8 days before, group 3 above the others, after two charges
    whose balancing got nowhere."""
    memory = Memory()
    memory.shift(IN_2026 - EPOCH_S - 8 * 86_400)
    memory.kept[REST_S] = memory.now_s
    memory.kept[REST_MV] = 41_000
    memory.cells = 10
    for cell in range(10):
        memory.cell_mv[cell] = 4200 if cell == 2 else 4100
    memory.kept[SPREAD_MV] = 60
    memory.kept[STUCK_CHARGES] = 2
    buf = bytearray(SIZE)
    memory.write(buf)
    return bytes(buf)


def ride_on(line: LineRig) -> None:
    """A short ride, and the minute after it in which nothing counts as charging."""
    slow(line, 10, current_ma=-8000)
    slow(line, 70)


def charge_up(line: LineRig) -> None:
    """Charges with all that can go wrong with them."""
    slow(line, 4, bits=0x41, current_ma=500, soc_pct=90, pack_mv=41000)
    slow(line, 330, bits=0x41, current_ma=40000, soc_pct=90, pack_mv=41000)
    slow(line, 70, bits=0x41, current_ma=40000, soc_pct=98, pack_mv=42000)
    slow(line, 620, bits=0x41, current_ma=2000, soc_pct=98, pack_mv=42000)
    slow(line, 4, current_ma=0, soc_pct=98, pack_mv=42000)
    slow(line, 10, current_ma=0, soc_pct=98, pack_mv=41000)
    ride_on(line)
    slow(line, 610, bits=0x41, current_ma=0, soc_pct=50)
    slow(line, 620, bits=0x41, current_ma=1000, soc_pct=50, pack_mv=37000)
    slow(line, 10, bits=0x41, current_ma=1000, soc_pct=50, pack_mv=37500)
    ride_on(line)
    slow(line, 4, bits=0x41, current_ma=500, soc_pct=5, pack_mv=33000)
    slow(line, 300, bits=0x41, current_ma=40000, soc_pct=50, pack_mv=36000)
    slow(line, 20, bits=0x41, current_ma=10000, soc_pct=95, pack_mv=42000)
    slow(line, 10, current_ma=0, soc_pct=95, pack_mv=41900)
    for lowest in (4100, 4160):
        ride_on(line)
        cells = [4160] * 9 + [lowest]
        line.ride(8, cells=cells, bits=0x41, current_ma=1000)
        line.ride(9, cells=cells, current_ma=0)


def everything(line: LineRig) -> None:
    """A made line that sets and clears every guardrail there is."""
    calm = [3700] * 10
    line.level("idle")
    line.ride(62, cells=calm, current_ma=-30, temps_c=(23, -1))
    for cells in ([3700] * 9 + [3500], [4260] * 10, [2890] * 10):
        line.ride(12, cells=cells, current_ma=-30)
        line.ride(12, cells=calm, current_ma=-30)
    for cells in ([3700] * 9 + [0], [3700] * 9 + [4700], [3700] * 9 + [3300]):
        line.ride(6, cells=cells, current_ma=-30, pack_mv=37000)
        line.ride(50, cells=calm, current_ma=-30)
    line.ride(70, current_ma=3000, bits=0x41, temps_c=(-1, 23), pack_mv=42600)
    line.ride(40, current_ma=3000, bits=0x41, temps_c=(23, 56))
    line.ride(15, temps_c=(23, 61), current_ma=-45000)
    line.ride(50)
    line.ride(3, temps_c=(-20, 23))
    line.ride(15)
    line.ride(2, bits=0x0701)
    line.ride(5)
    heat_up(line)
    charge_up(line)
    for code in (21, 21, 21, 0, 0):
        line.error(code)
        line.ride(1)
    line.ride(4)
    line.error(0)
    line.ride(1)
    line.ask_in_vain(7)
    line.ride(8)
    line.advance(12_000)
    line.ride(8)
    for _ in range(450):
        line.poll()
        line.hear(b"\x55\xaa\x0e\x25\x01\x30\x00\x00")
    line.ride(80)
    line.level("low")
    line.advance(3_600_000)
    line.level("idle")
    line.ride(7)


def test_every_guardrail_sets_and_clears_without_a_byte_of_heap(
    micropython32: MicroPython, interpreter_feed: tuple[list[str], LineRig]
) -> None:
    feed, line = interpreter_feed
    said = micropython32.run(
        ROOT / "boards" / "BENCH" / "core_replay.py",
        folders=(ROOT / "firmware", ROOT / "boards" / "BENCH"),
        stdin="".join(feed).encode(),
    )
    told = [json.loads(text) for text in said.splitlines()]
    alerts = [event for event in told if event["event"] == "alert"]
    for code in SHOWN_HERE:
        states = {event["state"] for event in alerts if event["code"] == code}
        assert states >= {"set", "clear"}, code
    on_cpython = [tuple(event[2:]) for event in line.events]
    assert [(e["code"], e["state"], e["level"]) for e in alerts] == on_cpython
    assert line.core.decode_errors == 0


@pytest.fixture(scope="module")
def interpreter_feed() -> tuple[list[str], LineRig]:
    """The feed of `everything` with a locked heap, across the tick wrap, and how it went here."""
    remembered: dict[str, Any] = {"memory": parked_memory(), "unix_s": IN_2026}
    line = LineRig(start=TICKS - 300_000, **remembered, **IMPATIENT)
    everything(line)
    settings = {"config": {"profile": "m365", **IMPATIENT}, "lock": True, "edges": True}
    head = json.dumps(settings | remembered | {"memory": remembered["memory"].hex()})
    return [head + "\n", *line.feed_lines], line


def test_made_line_meets_every_guardrail_here_too(
    interpreter_feed: tuple[list[str], LineRig],
) -> None:
    _, line = interpreter_feed
    for code in SHOWN_HERE:
        assert {event.state for event in line.told(code)} >= {"set", "clear"}, code


def test_request_is_a_read() -> None:
    line = LineRig()
    line.ask()
    assert line.core.framers[HOST_TX].frame.kind == READ
    assert line.core.link.requests == 1


def test_family_that_remembers_gets_one_memory_and_the_owners_options() -> None:
    remembering: Any = core(profile="daly", current_reversed=1)
    other: Any = core(profile="daly")
    assert remembering._memory is not None
    assert remembering._memory is not other._memory
    assert type(core(profile="jbd")._memory).__name__ == "Memory"  # type: ignore[attr-defined]
    assert core()._memory is None  # type: ignore[attr-defined]


def test_poller_is_kept_from_taking_old_for_new() -> None:
    pipeline: Any = core(mode="poll")
    told: list[int] = []
    pipeline.poller.saturate = told.append
    pipeline.tick(0)
    pipeline.tick(3_599_999)
    assert told == []
    pipeline.tick(3_600_000)
    assert told == [3_600_000]
