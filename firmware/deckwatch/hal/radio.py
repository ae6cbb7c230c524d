"""The radio: Bluetooth LE in the peripheral's role, on aioble. Values come from outputs/, commands
go to commands.py; nothing is decided here. app.py starts it where aioble is there, and goes on
without it when it fails.

Reading is open to four centrals at a time. A write cannot be refused from Python, and one longer
than its buffer is cut without a word: so every command has its length in it, and its answer comes
by notification.
"""

import asyncio
import os

import aioble
import bluetooth
from micropython import const

from deckwatch.commands import MOST
from deckwatch.hal import board, store
from deckwatch.hal.clock import now_ms
from deckwatch.outputs import advert, gatt
from deckwatch.owner import CONNECTIONS, NONCE_BYTES, bind_key
from deckwatch.ticks import age_ms

_STEP_MS = const(100)  # an alert is on the air this soon
_LIVE_MS = const(1000)
_ADVERT_MS = const(5000)  # age of an advertisement's values, at most
_INTERVAL_US = const(1000000)
_QUICK_US = const(250000)  # while the button is waited for
_MTU = const(247)
_MTU_MS = const(2000)
_TRIES = const(5)  # to hand a notification to a full queue
_AGAIN_MS = const(20)
_COUNTERS = const(1024)  # one entry in flash serves for so many sealed packets
_NO_VALUE = const(0x80)  # the first of the codes an application may choose
_NO_ROOM = const(0x11)
_ANSWER_BYTES = const(64)  # most are shorter
_TEXT = "Deckwatch"


def switch_on() -> tuple:
    """(its own name, address as printed, 6 bytes); from now on os.urandom is fed by the radio's
    noise."""
    mac = bytes(aioble.config("mac")[1])
    return "DW-%02X%02X" % (mac[4], mac[5]), mac


def random(size: int) -> bytes:
    """Bytes nobody can guess; after switch_on()."""
    return os.urandom(size)


class Radio:
    """Serves one core; remote: a Remote, which knows the owner's settings. name: its own, which
    stays; on the air stands what the owner calls it, where he does.

    news: set it when an alert has changed. dropped: notifications the stack did not take.
    """

    def __init__(self, core, owner, commands, remote, name: str, mac: bytes) -> None:
        self._core = core
        self._owner = owner
        self._commands = commands
        self._remote = remote
        self._name = name
        self._called = advert.fitting(board.CALLED) or name
        self._mac = mac
        self._live = gatt.Live()
        self._links: list = [None] * CONNECTIONS
        self._answers = [b""] * CONNECTIONS
        self._served: list = [None] * CONNECTIONS
        self._due: list = []  # answers that come without a command: (number, bytes)
        self._advertising: "asyncio.Task | None" = None
        self._soc_pct = -1
        self._look = -1
        self._block = self._left = 0
        self._sent_at = now_ms()
        self.news = True
        self.dropped = 0
        self._over = False

    async def run(self) -> None:
        """Until something fails; call it again then."""
        self._over = False
        aioble.config(gap_name=self._called)
        self._register()
        tasks = [asyncio.create_task(self._advertise()), asyncio.create_task(self._obey())]
        try:
            while True:
                self._step(now_ms())
                while self._due:
                    await self._answer(*self._due.pop(0))
                for task in tasks:
                    if task.done():
                        await task  # raises what ended it
                        raise RuntimeError("a task of the radio ended")
                await asyncio.sleep_ms(_STEP_MS)
        finally:
            self._over = True
            for task in tasks:
                task.cancel()
            self._links = [None] * CONNECTIONS
            aioble.stop()

    def _register(self) -> None:
        """The attribute table. Nothing may be advertised while this is done."""
        ours = aioble.Service(bluetooth.UUID(gatt.uuid(gatt.SERVICE)))
        battery = aioble.Service(bluetooth.UUID(gatt.BATTERY_SERVICE))
        device = aioble.Service(bluetooth.UUID(gatt.DEVICE_SERVICE))
        self._info = _readable(ours, gatt.uuid(gatt.INFO))
        self._live_value = _readable(ours, gatt.uuid(gatt.LIVE), notify=True, most=gatt.LIVE_MOST)
        self._settings = _readable(ours, gatt.uuid(gatt.SETTINGS))
        self._nonce = _readable(ours, gatt.uuid(gatt.NONCE))
        self._command = aioble.BufferedCharacteristic(
            ours, bluetooth.UUID(gatt.uuid(gatt.COMMAND)), write=True, capture=True,
            max_len=MOST + 1,
        )  # fmt: skip
        self._result = _readable(ours, gatt.uuid(gatt.RESULT), notify=True, most=_ANSWER_BYTES)
        self._log = _readable(ours, gatt.uuid(gatt.LOG))
        self._level = _readable(battery, gatt.BATTERY_LEVEL, notify=True)
        self._level_status = _readable(battery, gatt.LEVEL_STATUS, notify=True)
        self._critical_status = _readable(battery, gatt.CRITICAL_STATUS, indicate=True)
        for number, text in (
            (gatt.MAKER, _TEXT),
            (gatt.MODEL, self._remote.model),
            (gatt.FIRMWARE, self._remote.version),
        ):
            _readable(device, number).write(text.encode())
        self._nonce.on_read = self._on_nonce
        self._result.on_read = self._on_result
        self._level.on_read = self._on_level
        aioble.register_services(ours, battery, device)
        self._settings.write(self._remote.settings)

    # --- to everybody ---

    async def _advertise(self) -> None:
        """Always: to be connected to while there is room, else only to be heard."""
        response = advert.scan_response(self._called, gatt.on_air(gatt.SERVICE))
        while not self._over:
            self._advertising = asyncio.current_task()
            try:
                link = await aioble.advertise(
                    _QUICK_US if self._commands.waits() else _INTERVAL_US,
                    adv_data=self._packet(now_ms()),
                    resp_data=response,
                    connectable=None in self._links,
                    timeout_ms=_ADVERT_MS,
                )
            except asyncio.TimeoutError:
                continue
            finally:
                self._advertising = None
            number = self._number(link)
            if number >= 0:
                self._served[number] = asyncio.create_task(self._serve(link, number))
            await asyncio.sleep_ms(0)

    def _packet(self, now: int) -> bytes:
        values = advert.Values(self._core, now)
        if not self._remote.sealed:
            return advert.plain(values, self._remote.tenths)
        counter = self._count()
        if not counter:
            values.known = False
            return advert.sealed(values, False, None, b"", b"")
        from cryptolib import aes

        encrypt = aes(bind_key(self._owner.key), 1).encrypt
        return advert.sealed(values, self._remote.tenths, encrypt, self._mac, counter)

    def _count(self) -> bytes:
        """A number never used with this key, b"" when the flash cannot promise one."""
        if not self._left:
            self._block = store.reserve_counters()
            if self._block < 0:
                return b""
            self._left = _COUNTERS
        self._left -= 1
        return (self._block * _COUNTERS + _COUNTERS - 1 - self._left).to_bytes(4, "little")

    # --- to those connected ---

    async def _serve(self, link, number: int) -> None:
        """One central, from its coming to its going."""
        try:
            await link.exchange_mtu(_MTU, _MTU_MS)
        except Exception:
            pass  # it keeps 23 bytes: values are then read, not notified
        try:
            await link.disconnected()
        finally:
            self._links[number] = None
            self._answers[number] = b""
            self._commands.forget(number)
            self.news = True  # there is room again: what is advertised begins anew

    def _number(self, link) -> int:
        """Which of the four a link is; -1: none. Called from the stack, too."""
        if link is None:
            return -1
        for wanted in (link, None):
            for number in range(CONNECTIONS):
                if self._links[number] is wanted:
                    self._links[number] = link
                    return number
        return -1

    async def _obey(self) -> None:
        """Commands, one after the other."""
        while True:
            link, frame = await self._command.written()
            number = self._number(link)
            if number >= 0 and link.is_connected():
                answer = self._commands.handle(number, frame, now_ms())
                if self._remote.log:
                    self._put(self._log, self._remote.log)
                    self._remote.log = b""
                await self._answer(number, answer)

    def is_met(self) -> bool:
        """Is anybody connected?"""
        return any(self._links)

    def button(self, now: int) -> bool:
        """The button was held: True when a command had waited for it."""
        answer = self._commands.confirm(now)
        if answer:
            self._due.append(answer)
        return bool(answer)

    async def _answer(self, number: int, answer: bytes) -> None:
        self._answers[number] = answer
        link = self._links[number]
        for _ in range(_TRIES):
            if link is None or not link.is_connected():
                return
            try:
                self._result.notify(link, answer)
                return
            except OSError:
                await asyncio.sleep_ms(_AGAIN_MS)
        self.dropped += 1

    def _on_nonce(self, link) -> int:
        """A fresh one at each reading. Called from the stack, in the middle of the reading."""
        number = self._number(link)
        nonce = random(NONCE_BYTES)
        if number < 0 or not self._owner.hand_out(number, nonce):
            return _NO_ROOM
        self._nonce.write(nonce)
        return 0

    def _on_result(self, link) -> int:
        """Everybody reads the answer to his own command."""
        number = self._number(link)
        if number < 0:
            return _NO_ROOM
        self._result.write(self._answers[number])
        return 0

    def _on_level(self, link) -> int:
        return 0 if self._soc_pct >= 0 else _NO_VALUE

    # --- what changes with time ---

    def _step(self, now: int) -> None:
        late = self._commands.expired(now)
        if late:
            self._due.append(late)
        news = self.news or self._core.status.look != self._look
        if news:
            self.news = False
            self._look = self._core.status.look
            if self._advertising is not None:
                self._advertising.cancel()  # it begins anew, with new values
        if news or age_ms(now, self._sent_at) >= _LIVE_MS:
            self._sent_at = now
            self._send(now)
        if self._remote.changed:
            self._remote.changed = False
            self._settings.write(self._remote.settings)

    def _send(self, now: int) -> None:
        """To be read by all, and notified to those who asked for it."""
        live = self._live
        live.encode(self._core, now)
        self._put(self._live_value, bytes(live.buf[: live.size]))
        self._soc_pct = gatt.battery_level(self._core, now)
        if self._soc_pct >= 0:
            self._renew(self._level, bytes((self._soc_pct,)))
        self._renew(self._level_status, gatt.level_status(self._core, now))
        self._renew(self._critical_status, gatt.critical_status(self._core, now))
        remote = self._remote
        info = gatt.info(self._core, remote.capabilities, remote.version, self._name)
        self._renew(self._info, info)
        self._owner.saturate(now)

    def _renew(self, characteristic, value: bytes) -> None:
        if characteristic.read() != value:
            self._put(characteristic, value)

    def _put(self, characteristic, value: bytes) -> None:
        try:
            characteristic.write(value, send_update=any(self._links))
        except OSError:
            self.dropped += 1


def _readable(service, uuid, notify: bool = False, indicate: bool = False, most: int = 20):
    """A characteristic to read. Its buffer lies in the heap, `most` bytes of it from the start;
    the stack takes a longer one when a value wants it."""
    return aioble.BufferedCharacteristic(
        service, bluetooth.UUID(uuid), read=True, notify=notify, indicate=indicate, max_len=most
    )
