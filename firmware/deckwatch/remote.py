"""What a command of the owner's does to the dongle, and how the radio comes to be; app.py makes it
when there is a radio, radio and commands call it.

Each command returns (code, text) as commands.py has them. None of them reaches a battery.
"""

from micropython import const

from deckwatch import __version__, status
from deckwatch.commands import (
    AT_NEXT_START,
    DONE,
    HOLD_BUTTON,
    NOTHING,
    REFUSED,
    Commands,
)
from deckwatch.hal import board, clock, radio, store
from deckwatch.hal.modules import forget
from deckwatch.outputs.gatt import CAN_COMMAND, CAN_LOG, CAN_MUTE
from deckwatch.outputs.led import AMBER, BLUE, DARK
from deckwatch.outputs.sequence import HZ, MS
from deckwatch.owner import KEY_BYTES, Owner, Renewal, bind_key
from deckwatch.ticks import age_ms

_MINUTE_MS = const(60000)
_UNNAMED = "ESP32"
_FIND = bytes((BLUE, 2000 // HZ, 150 // MS, DARK, 0, 100 // MS))
_FIND += bytes((BLUE, 0, 150 // MS, DARK, 0, 150 // MS)) * 15
_HOLD = bytes((AMBER, 2000 // HZ, 100 // MS, DARK, 0, 200 // MS))
_HOLD += bytes((AMBER, 0, 100 // MS, DARK, 0, 200 // MS)) * 15
# Loaded for the length of a change
_CHANGING = ("settings", "config", "expected", "profiles")
_SESSION = ("sessions",)


class Remote:
    """The owner's hand. show: the app's Sequence; settings: all options as bytes.

    test_wanted: a self-test was asked for; changed: settings are not what the radio knows;
    sealed, tenths: what the advertisement is to be; log: the records asked for last, b"" once the
    radio has them; capabilities, version, model: texts.
    """

    version = __version__

    def __init__(self, core, show, keeper, settings: bytes, sealed: bool, tenths: bool) -> None:
        self._core = core
        self._show = show
        self._keeper = keeper  # of the black box, None where there is none
        self.capabilities = CAN_COMMAND | CAN_MUTE | (0 if keeper is None else CAN_LOG)
        self.log = b""
        self.settings = settings
        self.sealed = sealed
        self.tenths = tenths
        self.model = board.NAME or _UNNAMED
        self.test_wanted = self.changed = False
        self._muted_ms = 0
        self._muted_at = 0
        self._renewal = Renewal(clock.now_ms())
        name, mac = radio.switch_on()
        self._name = name
        self._owner = Owner(store.read_key() or self._new_key())
        self._commands = Commands(self._owner, self)
        self.radio = radio.Radio(core, self._owner, self._commands, self, name, mac)

    def _new_key(self) -> bytes:
        """Made here, told on this console once, and never over the air."""
        key = radio.random(KEY_BYTES)
        kept = "" if store.keep_key(key) else ", which the flash does not keep"
        print("bluetooth: new owner's key of %s%s: %s" % (self._name, kept, key.hex()))
        print("bluetooth: key of the encrypted advertisement: %s" % bind_key(key).hex())
        return key

    # --- what the button does ---

    def pressed(self, down: bool, now: int) -> None:
        """Looks for the gesture that makes a new key."""
        if self._renewal.update(down, now):
            self._owner.key = self._new_key()
            self.note("a new owner's key was made with the button")

    def held(self, now: int) -> bool:
        """The button was held: True when a command had waited for it."""
        return self.radio.button(now)

    # --- commands ---

    def acknowledge(self) -> tuple:
        self._core.acknowledge()
        self.note("acknowledged")
        return DONE, ""

    def mute(self, minutes: int) -> tuple:
        """No sound of warnings for so long. Alarms sound all the same."""
        self._muted_ms = minutes * _MINUTE_MS
        self._muted_at = clock.now_ms()
        self.note("warnings muted for %d min" % minutes)
        return DONE, ""

    def silences(self, now: int) -> bool:
        """Is this warning not to be heard? (called at each render)"""
        if not self._muted_ms:
            return False
        if age_ms(now, self._muted_at) >= self._muted_ms:
            self._muted_ms = 0
        return self._muted_ms > 0 and self._core.status.look != status.ALARM

    def blink(self) -> tuple:
        self._show.play(_FIND, clock.now_ms())
        return DONE, ""

    def self_test(self) -> tuple:
        self.test_wanted = True
        return DONE, ""

    def set_time(self, unix_s: int) -> tuple:
        before = clock.unix_s()
        if not clock.set_unix_s(unix_s):
            return REFUSED, "the time lies before 2026"
        self._core.clock(unix_s, clock.now_ms())
        self.note("time %d -> %d" % (before, unix_s))
        return DONE, ""

    def start_session(self, kind: int, target_mv: int) -> tuple:
        """A session of the owner's own; kind 0 ends it. What came of it is kept."""
        from deckwatch import sessions

        core = self._core
        if kind >= len(sessions.KINDS):
            return REFUSED, "there is no session %d" % kind
        if core.guided is not None:
            self.note(core.guided.told(core.packs[0].telemetry, core.uptime_s))
        ended = core.end()
        if ended:
            self.note(ended)
        if kind:
            core.begin(kind, target_mv)
            self.note("%s began, target %d mV" % (sessions.KINDS[kind], target_mv))
        forget(_SESSION)
        if not kind and not ended:
            return NOTHING, "there is no session"
        return DONE, ended if not kind else sessions.KINDS[kind]

    def set_option(self, number: int, data: bytes, held: bool) -> tuple:
        """A limit counts from now on, anything else from the next start on."""
        try:
            return self._change(number, data, held)
        except ValueError as refusal:  # ConfigError is one
            return REFUSED, str(refusal)
        finally:
            forget(_CHANGING)

    def _change(self, number: int, data: bytes, held: bool) -> tuple:
        from deckwatch import settings

        change = settings.Change(store.read_config(), number, data, self._core.profile)
        if change.needs_button and not held:
            self._show.play(_HOLD, clock.now_ms())
            return HOLD_BUTTON, change.name
        store.write_config(change.options)
        store.keep_good_config(change.options)
        if change.is_limit:
            self._core.relimit(change.settings)
        self.settings = settings.encode(change.settings)
        self.changed = True
        print("owner: option %s: %s -> %s" % (change.name, change.old, change.new))
        if self._keeper is not None:
            self._keeper.changed(change.name, change.old, change.new)
        return (DONE if change.is_limit else AT_NEXT_START), change.name

    def read_log(self, first: int, count: int) -> tuple:
        """Puts records of the black box where the log is read."""
        if self._keeper is None:
            return NOTHING, "there is no log"
        self.log = self._keeper.window(first, count)
        if not self.log[1]:
            return NOTHING, "there are no such records"
        return DONE, "%d records from number %d on" % (self.log[1], first)

    def note(self, text: str) -> None:
        """Keeps what was done from afar."""
        print("owner: %s" % text)
        if self._keeper is not None:
            self._keeper.note(text)

