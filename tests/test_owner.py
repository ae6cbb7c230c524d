"""The owner's lock and the commands behind it: what opens it, and everything that must not."""

import hashlib
import hmac
import random
from typing import Any

import pytest
from deckwatch import commands, config, options, settings
from deckwatch.commands import Commands
from deckwatch.index import PROFILES
from deckwatch.owner import BAD_TAG, LOCKED, OPEN, Owner, Renewal, bind_key, hmac_sha256, tag
from hypothesis import given
from hypothesis import strategies as st
from packlab import limits

KEY = bytes(range(16))
TICKS = 1 << 30


class Device:
    """Writes down what it is asked to do; `answer` is what set_option says."""

    def __init__(self) -> None:
        self.done: list[tuple[Any, ...]] = []
        self.notes: list[str] = []
        self.answer: tuple[int, str] = (commands.DONE, "")

    def note(self, text: str) -> None:
        self.notes.append(text)

    def set_option(self, number: int, data: bytes, held: bool) -> tuple[int, str]:
        if not held and self.answer[0] == commands.HOLD_BUTTON:
            return self.answer
        self.done.append(("set_option", number, data, held))
        return (commands.DONE, "") if held else self.answer

    def __getattr__(self, name: str) -> Any:
        if name not in (
            "acknowledge",
            "mute",
            "blink",
            "self_test",
            "set_time",
            "read_log",
            "start_session",
        ):
            raise AttributeError(name)

        def do(*arguments: Any) -> tuple[int, str]:
            self.done.append((name, *arguments))
            return commands.DONE, ""

        return do


def sign(op: int, req: int, payload: bytes, nonce: bytes, key: bytes = KEY) -> bytes:
    """A command as a phone makes it, by Python's own hmac."""
    body = bytes((op, req, len(payload))) + payload
    return body + hmac.new(key, b"PM1" + nonce + body, hashlib.sha256).digest()[:16]


class Air:
    """Connections to one device; nonces come from a seed."""

    def __init__(self, start: int = 0) -> None:
        self.owner = Owner(KEY)
        self.device = Device()
        self.commands = Commands(self.owner, self.device)
        self.now = start
        self._chance = random.Random(16)

    def nonce(self, connection: int = 0) -> bytes:
        fresh = self._chance.randbytes(16)
        assert self.owner.hand_out(connection, fresh)
        return fresh

    def write(self, frame: bytes, connection: int = 0) -> int:
        """The answer's code."""
        answer = self.commands.handle(connection, frame, self.now)
        assert answer[0] == (frame[1] if len(frame) > 1 else 0)
        return answer[1]

    def say(self, op: int, payload: bytes = b"", req: int = 1, connection: int = 0) -> int:
        return self.write(sign(op, req, payload, self.nonce(connection)), connection)

    def wait(self, ms: int) -> None:
        self.now = (self.now + ms) % TICKS


@given(st.binary(max_size=64), st.binary(max_size=200))
def test_hmac_is_that_of_a_pc(key: bytes, message: bytes) -> None:
    assert hmac_sha256(key, message) == hmac.new(key, message, hashlib.sha256).digest()


def test_rfc_4231_case_2() -> None:
    """hmac of a published vector, and the tag is its first half."""
    found = hmac_sha256(b"Jefe", b"what do ya want for nothing?").hex()
    assert found == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    whole = hmac_sha256(KEY, b"PM1" + b"n" * 16 + b"\x01\x02\x00")
    assert tag(KEY, b"n" * 16, b"\x01\x02\x00") == whole[:16]
    assert bind_key(KEY) not in (KEY, bind_key(bytes(16)))
    assert len(bind_key(KEY)) == 16


def test_every_command_reaches_the_device() -> None:
    air = Air()
    for op, payload in (
        (commands.ACKNOWLEDGE, b""),
        (commands.MUTE, b"\x0a"),
        (commands.MUTE, b"\xff"),
        (commands.BLINK, b""),
        (commands.SELF_TEST, b""),
        (commands.SET_TIME, (1_800_000_000).to_bytes(4, "little")),
        (commands.SET_OPTION, b"\x10\x50"),
        (commands.READ_LOG, b"\x02\x01\x00\x00\x14"),
        (commands.START_SESSION, b"\x01\xac\x0d"),
        (commands.START_SESSION, b"\x00"),
    ):
        assert air.say(op, payload) == commands.DONE
    assert air.device.done == [
        ("acknowledge",),
        ("mute", 10),
        ("mute", 60),
        ("blink",),
        ("self_test",),
        ("set_time", 1_800_000_000),
        ("set_option", 16, b"\x50", False),
        ("read_log", 258, 20),
        ("start_session", 1, 3500),
        ("start_session", 0, 0),
    ]
    assert air.device.notes == []


def test_no_command_switches_a_battery() -> None:
    """Every op and payload length, signed by the owner: only what is listed does anything."""
    air = Air()
    for op in range(256):
        for size in range(6):
            air.say(op, bytes(size))
    reached = {done[0] for done in air.device.done}
    assert reached == {
        "acknowledge", "mute", "blink", "self_test", "set_time", "set_option", "read_log",
        "start_session",
    }  # fmt: skip


def test_unknown_and_misshapen_commands_of_the_owner_are_refused_and_cost_nothing() -> None:
    air = Air()
    for _ in range(20):
        assert air.say(99) == commands.MALFORMED
        assert air.say(commands.MUTE) == commands.MALFORMED
        assert air.say(commands.BLINK, b"\x01") == commands.MALFORMED
    assert air.say(commands.BLINK) == commands.DONE


def refused(air: Air, frame: bytes, connection: int = 0) -> int:
    """Nothing may happen."""
    before = len(air.device.done)
    code = air.write(frame, connection)
    assert code != OPEN
    assert len(air.device.done) == before
    return code


def test_replay_wrong_key_and_foreign_nonce_are_refused() -> None:
    air = Air()
    good = sign(commands.BLINK, 1, b"", air.nonce())
    assert air.write(good) == commands.DONE
    assert refused(air, good) == BAD_TAG  # replayed: no nonce
    air.nonce()
    assert refused(air, good) == BAD_TAG  # replayed under a fresh one
    old = air.nonce()
    air.nonce()
    assert refused(air, sign(commands.BLINK, 1, b"", old)) == BAD_TAG  # reordered
    assert refused(air, sign(commands.BLINK, 1, b"", b"")) == BAD_TAG


def test_each_way_to_be_wrong_by_itself() -> None:
    def fresh() -> tuple[Air, bytes]:
        air = Air()
        return air, air.nonce()

    air, nonce = fresh()
    assert refused(air, sign(commands.BLINK, 1, b"", nonce, bytes(16))) == BAD_TAG
    air, nonce = fresh()
    other = air.nonce(1)
    assert refused(air, sign(commands.BLINK, 1, b"", other), 0) == BAD_TAG
    assert air.write(sign(commands.BLINK, 1, b"", other), 1) == commands.DONE
    air, nonce = fresh()
    assert refused(air, sign(commands.BLINK, 1, b"", nonce), 2) == BAD_TAG
    air, nonce = fresh()
    air.commands.forget(0)
    assert refused(air, sign(commands.BLINK, 1, b"", nonce)) == BAD_TAG  # of a former connection
    air, nonce = fresh()
    assert refused(air, bytes((commands.BLINK, 1, 0))) == commands.MALFORMED  # unsigned
    assert refused(air, sign(commands.BLINK, 1, b"", nonce)) == BAD_TAG  # and the nonce is gone
    air, _ = fresh()
    assert refused(air, sign(commands.BLINK, 1, b"", b"")) == BAD_TAG
    air, _ = fresh()
    assert air.write(sign(commands.BLINK, 1, b"", bytes(16))) == BAD_TAG


def test_every_flipped_bit_and_every_cut_is_refused() -> None:
    frame_bits = (3 + 1 + 16) * 8
    for bit in range(frame_bits):
        air = Air()
        frame = bytearray(sign(commands.MUTE, 7, b"\x05", air.nonce()))
        frame[bit // 8] ^= 1 << bit % 8
        refused(air, bytes(frame))
    for size in range(20):
        air = Air()
        frame = sign(commands.MUTE, 7, b"\x05", air.nonce())
        refused(air, bytes(frame[:size]))
        air = Air()
        frame = sign(commands.MUTE, 7, b"\x05", air.nonce())
        refused(air, frame + bytes(size + 1))


def test_five_bad_tags_lock_for_thirty_seconds() -> None:
    air = Air(TICKS - 5000)
    for _ in range(5):
        assert refused(air, sign(commands.BLINK, 1, b"", air.nonce(), bytes(16))) == BAD_TAG
    assert len(air.device.notes) == 1
    air.wait(29_999)
    assert air.say(commands.BLINK) == LOCKED
    air.wait(1)
    assert air.say(commands.BLINK) == commands.DONE
    assert air.device.done == [("blink",)]


def test_attempts_during_a_lock_count_towards_the_next() -> None:
    air = Air()
    for _ in range(5):
        refused(air, bytes(19))
    air.wait(20_000)
    for _ in range(5):
        assert refused(air, sign(commands.BLINK, 1, b"", air.nonce())) == LOCKED
    air.wait(20_000)
    assert air.say(commands.BLINK) == LOCKED
    air.wait(10_000)
    assert air.say(commands.BLINK) == commands.DONE
    assert len(air.device.notes) == 1


def test_the_owner_between_two_guesses_starts_the_count_anew() -> None:
    air = Air()
    for _ in range(30):
        for _ in range(4):
            assert refused(air, bytes(19)) == BAD_TAG
        assert air.say(commands.BLINK) == commands.DONE
    assert air.owner.locks == 0


def test_a_lock_is_over_whatever_the_ticks_do() -> None:
    air = Air()
    for _ in range(5):
        refused(air, bytes(19))
    for _ in range(20):  # ten days, an hour at a time as the pipeline does it
        air.wait(12 * 3_600_000)
        air.owner.saturate(air.now)
    assert air.say(commands.BLINK) == commands.DONE


def test_more_connections_than_the_radio_has_get_no_nonce() -> None:
    air = Air()
    for connection in range(4):
        air.nonce(connection)
    assert not air.owner.hand_out(9, bytes(16))
    air.commands.forget(2)
    assert air.owner.hand_out(9, bytes(16))


# --- the button ----------------------------------------------------------------------------------


def waiting() -> Air:
    air = Air()
    air.device.answer = (commands.HOLD_BUTTON, "hold the button")
    assert air.say(commands.SET_OPTION, b"\x10\x50", req=9) == commands.HOLD_BUTTON
    return air


def test_a_risky_change_waits_for_the_button() -> None:
    air = waiting()
    assert air.device.done == []
    air.wait(29_000)
    assert air.commands.expired(air.now) == ()
    assert air.commands.confirm(air.now) == (0, bytes((9, commands.DONE)))
    assert air.device.done == [("set_option", 16, b"\x50", True)]
    assert air.commands.confirm(air.now) == ()


def test_the_button_too_late_does_nothing() -> None:
    air = waiting()
    air.wait(30_000)
    assert air.commands.confirm(air.now) == (0, bytes((9, commands.NOT_HELD)))
    assert air.device.done == []
    assert not air.commands.waits()


def test_a_dropped_link_takes_its_command_along() -> None:
    air = waiting()
    air.commands.forget(1)
    assert air.commands.waits()
    air.commands.forget(0)
    assert air.commands.confirm(air.now) == ()
    assert air.device.done == []


def test_trouble_on_the_device_is_an_answer() -> None:
    air = Air()

    def broken(*_: Any) -> Any:
        raise OSError("flash")

    air.device.blink = broken
    answer = air.commands.handle(0, sign(commands.BLINK, 3, b"", air.nonce()), 0)
    assert answer == bytes((3, commands.TROUBLE)) + b"flash"


def test_the_gesture_for_a_new_key() -> None:
    def held(from_ms: int, to_ms: int, start: int = TICKS - 6000) -> list[int]:
        gesture = Renewal(start)
        return [
            ms
            for ms in range(0, 30_000, 40)
            if gesture.update(from_ms <= ms < to_ms, (start + ms) % TICKS)
        ]

    assert held(0, 20_000) == [10_000]
    assert held(2_000, 20_000) == [12_000]
    assert held(0, 10_001) == [10_000]
    assert held(0, 9_990) == []
    assert held(4_000, 20_000) == []
    assert held(30_000, 30_000) == []


# --- attempts in numbers -------------------------------------------------------------------------


def attack(attempts: int, seed: int) -> None:
    """Everything at once, from four connections, with true commands listened to and changed."""
    chance = random.Random(seed)
    air = Air()
    heard: list[bytes] = []
    for number in range(attempts):
        connection = chance.randrange(4)
        kind = chance.randrange(8)
        nonce = air.nonce(connection)
        frame = bytearray(sign(chance.randrange(1, 8), 1, chance.randbytes(4), nonce))
        if kind == 0 and heard:
            frame = bytearray(chance.choice(heard))
        elif kind == 1:
            frame[chance.randrange(len(frame))] ^= 1 << chance.randrange(8)
        elif kind == 2:
            frame = frame[: chance.randrange(len(frame))]
        elif kind == 3:
            frame += chance.randbytes(chance.randrange(1, 200))
        elif kind == 4:
            frame = bytearray(chance.randbytes(chance.randrange(64)))
        elif kind == 5:
            frame = bytearray(sign(3, 1, b"", nonce, chance.randbytes(16)))
        elif kind == 6:
            heard.append(bytes(frame))
            heard = heard[-50:]
            connection = (connection + 1) % 4
        else:
            air.nonce(connection)
        air.write(bytes(frame), connection)
        air.wait(chance.choice((0, 10, 3000, 31_000)))
        if number % 1000 == 0:
            air.owner.saturate(air.now)
    assert air.device.done == []
    assert air.owner.locks > attempts // 200


def test_five_thousand_attempts() -> None:
    attack(5000, 1)


@pytest.mark.soak
def test_a_hundred_thousand_attempts() -> None:
    attack(100_000, 2)


@given(st.binary(max_size=300), st.integers(0, 5))
def test_any_bytes_are_answered(frame: bytes, connection: int) -> None:
    air = Air()
    answer = air.commands.handle(connection, frame, air.now)
    assert answer[1] in (BAD_TAG, commands.MALFORMED)
    assert air.device.done == []


# --- options as bytes ----------------------------------------------------------------------------


def decoded(data: bytes) -> dict[int, bytes]:
    assert data[0] == 1
    found, at = {}, 1
    while at < len(data):
        found[data[at]] = data[at + 2 : at + 2 + data[at + 1]]
        at += 2 + data[at + 1]
    assert at == len(data)
    return found


def test_settings_say_every_option() -> None:
    data = settings.encode(config.load({"profile": "m365", "mode": "assist"}))
    assert len(data) <= 512
    found = decoded(data)
    names = options.names()
    assert list(found) == list(range(len(names)))
    assert set(names) == {"profile"} | {row[0] for row in options.OPTIONS} | set(limits.ranges())
    by_name = {name: found[number] for number, name in enumerate(names)}
    assert by_name["mode"] == bytes((options.MODES.index("assist"),))
    assert by_name["profile"] == bytes((PROFILES.index("m365"),))
    assert by_name["series"] == b"\x0a"
    assert by_name["charge_cold_alarm_dc"] == b"\x00"
    assert int.from_bytes(by_name["cell_high_alarm_mv"], "little") == 4250
    none = decoded(settings.encode(config.load({"discharge_current_warn_ma": None})))
    assert none[names.index("discharge_current_warn_ma")] == b""


def change(name: str, value: bytes, **given: Any) -> settings.Change:
    return settings.Change(given, options.names().index(name), value, "botox")


def test_a_change_says_old_and_new_and_keeps_the_rest() -> None:
    wanted = change("cell_spread_warn_mv", b"\x50", profile="m365", console_s=5)
    assert (wanted.name, wanted.old, wanted.new) == ("cell_spread_warn_mv", 100, 80)
    assert wanted.options == {"profile": "m365", "console_s": 5, "cell_spread_warn_mv": 80}
    assert wanted.is_limit
    assert limits.by_name(wanted.settings)["cell_spread_warn_mv"] == 80


@pytest.mark.parametrize(
    ("name", "value", "button"),
    [
        ("cell_spread_warn_mv", b"\x50", False),  # earlier
        ("cell_spread_warn_mv", b"\x78", True),  # later
        ("cell_spread_warn_mv", b"", True),  # never
        ("cell_low_alarm_mv", (2800).to_bytes(2, "little"), True),
        ("cell_low_alarm_mv", (3000).to_bytes(2, "little"), False),
        ("charge_cold_alarm_dc", b"\xec", True),
        ("mode", b"\x01", True),
        ("probe", b"\x01", True),
        ("series", b"\x0d", True),
        ("fresh_ms", (6000).to_bytes(2, "little"), True),
        ("console_s", b"\x05", False),
    ],
)
def test_what_might_hide_a_danger_or_speak_wants_the_button(
    name: str, value: bytes, button: bool
) -> None:
    assert change(name, value).needs_button is button


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("cell_spread_warn_mv", b"\x01", "20 to 1000"),
        ("mode", b"\x07", "listen, assist, poll"),
        ("mode", b"", "one of"),
        ("series", b"", "whole number"),
        ("series", bytes(5), "5 bytes"),
        ("charge_cold_alarm_dc", b"\x00\x80", "-200 to 150"),
    ],
)
def test_config_refuses_what_is_out_of_range(name: str, value: bytes, said: str) -> None:
    with pytest.raises(config.ConfigError, match=said):
        change(name, value)
    with pytest.raises(config.ConfigError, match="no option 250"):
        settings.Change({}, 250, b"\x01", "m365")


def test_a_change_on_a_line_that_was_found() -> None:
    wanted = change("cell_spread_warn_mv", b"\x50", profile="auto")
    assert wanted.settings.profile == "botox"
    assert wanted.options["profile"] == "auto"
