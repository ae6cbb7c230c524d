"""The dongle as a program: asyncio tasks around the synchronous core, each watched over, restarted
and counted when it dies.

    listen task   bytes and levels of one to three wires -> core, and a round of judging at once
    round task    rounds and renders when they fall due, light and buzzer
    button task   acknowledge, self-test
    watch task    feeds the watchdog once every task has moved on; notes a start that lasts
    radio task    Bluetooth, where there is any; the others go on without it
    box task      brings the black box to flash; the others go on without it

A task that hangs stops the feeding: the chip restarts within 8 s and keeps the cause.

While the core works, the heap is locked. It allocates nothing anyway; but so a call of a function
keeps its names on the stack, where MicroPython would else look for room in the heap, each time: a
round takes a third of the instructions (counted, tools/qemu.py).
"""

import asyncio
import gc

from micropython import const, heap_lock, heap_unlock

from deckwatch import status
from deckwatch.frame import BYTES_IN, FRAMES_IN
from deckwatch.gestures import LONG, SHORT, Ignition, Press
from deckwatch.hal import power
from deckwatch.hal.board import PARK_MIN
from deckwatch.hal.button import Button
from deckwatch.hal.clock import now_ms, unix_s
from deckwatch.hal.light import Light
from deckwatch.hal.lines import RX_BYTES, Line, open_lines
from deckwatch.hal.modules import forget
from deckwatch.hal.sound import Sound
from deckwatch.meters.link import BMS_TX, HOST_TX, NO_LEVEL, OVERRUN, PORTS
from deckwatch.outputs.console import Console
from deckwatch.outputs.led import DARK
from deckwatch.outputs.sequence import CONFIG_ERROR, SAFE_MODE, SELF_TEST, Sequence, silent
from deckwatch.parking import PACK_MV, SPENT_MV, Parking
from deckwatch.pipeline import MORE, Pipeline
from deckwatch.ticks import age_ms

_POLL_MS = const(12)  # of the 25 ms from a frame's last byte to the pin; `make bench` has the rest
_SOON_MS = const(10)  # while bytes come, from pass to pass: what they bring together costs a round
_LOOK_MS = const(40)  # how often at most the level of a silent line is looked at: every 4th pass
_ROUND_MS = const(250)  # longest sleep of the round task
_BUTTON_MS = const(40)
_WATCH_MS = const(500)
_AGAIN_MS = const(50)
_AIR_AGAIN_MS = const(5000)
_DAMP_MS = const(2000)  # how often the air in the deck is measured
_MINUTE_MS = const(60000)
_REMIND_MS = const(30000)
_MANY_FAILED = const(5)
_GROUPS = const(5)
_START_BYTES = const(4096)  # collected so often, what stays lies close together
_CONTRADICTION_BYTES = const(400)  # a dozen frames' worth without a frame


async def _pause(ms: int) -> None:
    """Whatever happens in it ends the pause, and nothing more."""
    try:
        await asyncio.sleep_ms(ms)
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException:
        pass


class App:
    """Everything the dongle does. deaths: restarts of each task, in the order of `_jobs`;
    line_errors: trouble with receivers."""

    def __init__(self) -> None:
        gc.threshold(_START_BYTES)
        self.starts = power.Starts()
        self.safe = self.starts.failed >= _MANY_FAILED
        print("deckwatch boot %d cause %s failed %d safe %d" % (
            self.starts.boots, self.starts.cause, self.starts.failed, self.safe,
        ))  # fmt: skip
        self._dog = power.watchdog()
        self.light = Light()
        self._begin()
        self.sound = Sound()
        self._button = Button()
        self._press = Press()
        self._ignition = Ignition()
        self._show = Sequence()
        self._reminder: tuple = ()  # what is shown again and again while something is wrong here
        self._parking = Parking(PARK_MIN, now_ms())
        self._keeper = None  # of the black box, made when the start has let go of what it needs
        self.box_deaths = 0
        self._told_at = self._damp_at = now_ms()
        self._watched = bytearray(_GROUPS)
        self._echo_told = bytearray(len(PORTS))
        self._jobs = (self._rounds, self._listen, self._buttons, self._watch)
        self.line_errors = 0
        self._may_ask = self.core.poller is not None
        self.deaths = bytearray(len(self._jobs))
        self._moved = bytearray(len(self._jobs))
        self._tasks: list = []
        self._tick_due = self._tick_set = 0
        self._render_due = self._render_set = 0
        self._looked_at = 0
        self._locks = True
        self._frames = self._bytes = 0
        self._grows = True  # a second battery is made room for
        self._strange = False  # told that nothing on this line can be understood
        self.air_deaths = 0

    def _settings(self) -> tuple:
        """(settings, baud, inverted), and what else the start finds out."""
        from deckwatch.start import Start, sensor

        start = Start(self.safe, self.light, self._dog)
        self.config_error = start.error
        self._changes = start.changes
        self._searched = start.searched
        self._names = start.names
        self._packs = start.packs
        self._remote, self._air = start.air()
        self._damp = sensor()
        return start.settings, start.baud, start.inverted

    def _begin(self) -> None:
        """Everything that depends on the settings; what only they needed is let go before the core
        takes its room."""
        from deckwatch.making import BOOT_ONLY

        settings, baud, inverted = self._settings()
        forget(BOOT_ONLY)
        gc.collect()
        self._lines = open_lines(baud, inverted, settings.mode != "listen")
        ports = tuple([line.port for line in self._lines] + [HOST_TX])
        self.core = Pipeline(settings, self, ports=ports, count=self._packs)
        forget(BOOT_ONLY)  # it has asked for more
        self.core.clock(unix_s(), now_ms())
        print("guarding %s family %s baud %d" % (
            self.core.profile, self.core.family, baud,
        ))  # fmt: skip
        self._console = Console(print, self._names, settings.console_s * 1000)
        self._spent_mv = SPENT_MV * settings.series

    def _black_box(self):
        """The keeper of the black box; None in safe mode, or where it fails to start."""
        if self.safe:
            return None
        try:
            from deckwatch.keeper import Keeper

            keeper = Keeper(self.core, self._names, self.starts)
            while self._changes:
                keeper.changed(*self._changes.pop(0))
            return keeper
        except Exception as failure:
            print("black box failed: %r" % failure)
            return None

    def _finish(self) -> None:
        """Everything is made."""
        from deckwatch.making import forget_making

        forget_making()

    def run(self) -> None:
        """Until power goes."""
        asyncio.run(self._main())

    async def _main(self) -> None:
        now = now_ms()
        if not self._lines:
            self.config_error = "no receiver"
        if self.safe or self.config_error:
            trouble = SAFE_MODE if self.safe else CONFIG_ERROR
            self._show.play(trouble, now)
            self._reminder = silent(trouble)
        else:
            self._show.play(SELF_TEST, now)
        gc.collect()
        self._keeper = self._black_box()
        self._finish()
        gc.threshold(-1)
        gc.collect()
        if self._air:
            self._tasks.append(asyncio.create_task(self._keep_air()))
        if self._keeper is not None:
            self._tasks.append(asyncio.create_task(self._keep_box(self._keeper)))
        for number in range(1, len(self._jobs)):
            self._tasks.append(asyncio.create_task(self._keep(number)))
        await self._keep(0)

    async def _keep(self, number: int) -> None:
        """Runs one job for ever. Its death, of whatever cause, is counted and costs it a moment; a
        job that never gets to the end of a pass starves the watchdog."""
        while True:
            try:
                await self._jobs[number]()
            except (KeyboardInterrupt, SystemExit):
                raise
            except BaseException as failure:
                print("task %d died: %r" % (number, failure))
            self.deaths[number] = min(255, self.deaths[number] + 1)
            await _pause(_AGAIN_MS)

    async def _keep_air(self) -> None:
        """Runs the radio. Its trouble costs it a pause, and is nobody else's: the watchdog does
        not wait for it."""
        while True:
            try:
                if self._remote is None:
                    from deckwatch.remote import Remote

                    self._remote = Remote(self.core, self._show, self._keeper, *self._air)
                await self._remote.radio.run()
            except (KeyboardInterrupt, SystemExit):
                raise
            except BaseException as failure:
                print("bluetooth failed: %r" % failure)
            self.air_deaths = min(255, self.air_deaths + 1)
            if self._remote is None:
                return  # it does not fit, or is broken: not again before the next start
            await _pause(_AIR_AGAIN_MS)

    async def _keep_box(self, keeper) -> None:
        """Brings the black box to flash. Its trouble costs it a pause, and is nobody else's."""
        while True:
            try:
                await keeper.run()
            except (KeyboardInterrupt, SystemExit):
                raise
            except BaseException as failure:
                print("black box failed: %r" % failure)
            self.box_deaths = min(255, self.box_deaths + 1)
            await _pause(_AIR_AGAIN_MS)

    async def _listen(self) -> None:
        """Empties every line in turn, the battery's last: a request is always seen before its
        answer."""
        while True:
            now = now_ms()
            news = comes = False
            looks = age_ms(now, self._looked_at) >= _LOOK_MS
            if looks:
                self._looked_at = now
            for line in self._lines:
                try:
                    waiting = line.waiting()
                    if waiting and self._drain(line, waiting, now):
                        news = comes = True
                    elif looks and not waiting and self._look(line, now):
                        news = True
                except Exception as failure:  # one broken receiver must not deafen the others
                    self.line_errors += 1
                    print("line %d failed: %r" % (line.port, failure))
            if news:
                self._round(now)
            elif age_ms(now, self._render_set) >= self._render_due:
                self._render(now)
            if self._may_ask:
                self._ask(now)
            self._moved[1] = 1
            # A pass of full lines may take as long: then the others have a moment nevertheless
            left = _SOON_MS - age_ms(now_ms(), now) if comes else _POLL_MS
            await asyncio.sleep_ms(max(1, left))

    def _ask(self, now: int) -> None:
        """Sends the request the poller wants sent now, where the owner lets the dongle ask. Tells
        once of each wire that carries it back."""
        poller = self.core.poller
        row = self.core.question(now)
        if row < 0:
            return
        request = poller.requests[row]
        for line in self._lines:
            if line.port == BMS_TX:
                line.write(request)
        self.core.asked(row, Line.buf, now)
        for port in range(len(PORTS)):
            if poller.echoes(port) and not self._echo_told[port]:
                self._echo_told[port] = 1
                print("echo: own questions come back on %s" % PORTS[port])

    def _drain(self, line, waiting: int, now: int) -> bool:
        """All that a line has received. False when there was nothing after all."""
        core = self.core
        if waiting >= RX_BYTES:
            core.line(line.port, OVERRUN, now)
        n = line.read()
        if not n:
            return False
        while n:
            heap_lock()
            try:
                core.feed(line.port, line.buf, n, now)
            finally:
                heap_unlock()
            n = line.read()
        return True

    def _look(self, line, now: int) -> bool:
        """The level of a silent line. True when it has changed."""
        level = line.look(now)
        if level == NO_LEVEL:
            return False
        self.core.line(line.port, level, now)
        if self._ignition.update(self.core.link.is_off, now):
            self.core.acknowledge()
        return True

    def _round(self, now: int) -> None:
        """One round of judging, and what it makes light and buzzer do, at once; then words."""
        self._tick_due = self._tick(now)
        self._tick_set = now
        self._render(now)
        if self.core.moved:
            self.core.moved = False
            self._console.tell(self.core)

    def _tick(self, now: int) -> int:
        """The core's round. Should it want memory after all, which is a bug, it has it from then
        on: better slow than blind."""
        if self._locks:
            heap_lock()
            try:
                return self.core.tick(now)
            except MemoryError:
                self._locks = False
            finally:
                heap_unlock()
            print("a round wants memory")
        return self.core.tick(now)

    def _render(self, now: int) -> None:
        """Light and buzzer for `now`; a show lies over everything but an alarm."""
        core = self.core
        heap_lock()
        try:
            self._render_due = core.render(now)
        finally:
            heap_unlock()
        self._render_set = now
        show = self._show
        if show.playing:
            wait = show.render(now)
            if show.playing and core.status.look != status.ALARM:
                self.light.show(show.colour)
                self.sound.show(show.tone_hz)
                self._render_due = min(self._render_due, wait)
                return
        self.light.show(core.led.colour)
        remote = self._remote
        silent = remote is not None and remote.silences(now)
        self.sound.show(0 if silent else core.buzzer.tone_hz)

    async def _rounds(self) -> None:
        """What falls due while no bytes come. A round that bytes cause may move the next edge
        forward while this sleeps: then the listening task renders it."""
        while True:
            now = now_ms()
            if age_ms(now, self._tick_set) >= self._tick_due:
                self._round(now)
            elif age_ms(now, self._render_set) >= self._render_due:
                self._render(now)
            self._tell_live(now)
            self._sense(now)
            tick_left = self._tick_due - age_ms(now, self._tick_set)
            render_left = self._render_due - age_ms(now, self._render_set)
            self._moved[0] = 1
            await asyncio.sleep_ms(max(1, min(render_left, tick_left, _ROUND_MS)))

    def _sense(self, now: int) -> None:
        """The air in the deck, where there is a sensor."""
        if self._damp is not None and age_ms(now, self._damp_at) >= _DAMP_MS:
            self._damp_at = now
            pct = self._damp.read()
            if pct >= 0:
                self.core.humidity(pct, now)

    def _tell_live(self, now: int) -> None:
        """Values on the console, where the owner wants them."""
        console = self._console
        if console.live_ms and age_ms(now, self._told_at) >= console.live_ms:
            self._told_at = now
            console.tell_live(self.core, now)
            core = self.core
            if core.guided is not None:
                print("session %s" % core.guided.told(core.packs[0].telemetry, core.uptime_s))

    async def _buttons(self) -> None:
        """A broken button is no reason to restart: it has moved on as soon as it is looked at."""
        while True:
            self._moved[2] = 1
            now = now_ms()
            down = self._button.is_down()
            press = self._press.update(down, now)
            remote = self._remote
            if remote is not None:
                remote.pressed(down, now)
            if press == LONG and remote is not None and remote.held(now):
                print("button: confirmed")
            elif press == SHORT:
                self.core.acknowledge()
                self._render(now)
                print("button: acknowledged")
            elif press == LONG or remote is not None and remote.test_wanted:
                if remote is not None:
                    remote.test_wanted = False
                print("button: self-test")
                self._show.play(SELF_TEST, now)
                self._render(now)
                await asyncio.sleep_ms(2000)
                self._show_watched(now_ms())
            await asyncio.sleep_ms(_BUTTON_MS)

    def _show_watched(self, now: int) -> None:
        self.core.watched_groups(self._watched)
        self._show.play_watched(self._watched, now)
        self._render(now)
        for group in range(_GROUPS):
            seen = "all" if self._watched[group] else "not all"
            print("watched group %d: %s" % (group + 1, seen))
        self._console.tell_missing(self.core.packs[0].alerts)

    async def _watch(self) -> None:
        """Feeds the watchdog once every task has moved on since it was last fed."""
        started = reminded = now_ms()
        good = False
        while True:
            self._moved[3] = 1
            now = now_ms()
            if all(self._moved):
                self._dog.feed()
                for number in range(len(self._moved)):
                    self._moved[number] = 0
            if self._is_contradicted():
                if self._searched:
                    from deckwatch.hal.store import forget_found

                    print("search: the line contradicts what was found")
                    forget_found()
                    self.starts.succeed()
                    self._restart()
                elif not self._strange:
                    self._strange = True
                    print("line: bytes, but never a frame of %s: other speed, polarity or family"
                          % self.core.family)  # fmt: skip
            if self._grows and self.core.more == MORE:
                self._make_room()
            if self._reminder and age_ms(now, reminded) >= _REMIND_MS:
                reminded = now
                self._show.play(self._reminder, now)
                self._render(now)
            if self._wants_sleep(now):
                self._park(now)
            if not good and age_ms(now, started) >= _MINUTE_MS:
                good = True
                self.starts.succeed()
                if self.safe:  # the cause may have passed: try the owner's settings again
                    self._restart()
            await asyncio.sleep_ms(_WATCH_MS)

    def _wants_sleep(self, now: int) -> bool:
        heard = sum([each.numbers[BYTES_IN] for each in self.core.framers if each])
        pack_mv = self.core.packs[0].telemetry.value[PACK_MV]  # the last known, however old
        is_met = self._button.is_down() or self._remote is not None and self._remote.radio.is_met()
        is_spent = 0 < pack_mv < self._spent_mv
        return self._parking.update(heard, self.core.link.is_off, is_spent, is_met, now)

    def _park(self, now: int) -> None:
        """Deep sleep; the start after it goes on from what the flash keeps. Not tried again where
        it fails."""
        print("parked")
        self._parking = Parking(0, now)
        self.starts.succeed()
        if self._keeper is not None:
            self._keeper.flush()
        self.light.show(DARK)
        self.sound.show(0)
        for line in self._lines:
            if line.port == BMS_TX:
                line.park()

    def _restart(self) -> None:
        """On purpose: what waits for the flash is not lost."""
        if self._keeper is not None:
            self._keeper.flush()
        power.restart()

    def _make_room(self) -> None:
        """A battery speaks that nothing was made for: the next start makes it. Never while an
        alarm sounds or the owner's session lasts."""
        if self.core.status.look == status.ALARM or self.core.guided is not None:
            return
        from deckwatch.hal.store import keep_packs

        self._grows = False
        if not keep_packs(len(self.core.packs) + 1):
            print("second battery: not watched, the flash refuses")
            return
        print("second battery: watched from the next start on")
        self._restart()

    def _is_contradicted(self) -> bool:
        """Bytes come, and have been coming for a while, without one valid frame of this family."""
        heard = self.core.framers[BMS_TX].numbers
        if heard[FRAMES_IN] != self._frames or heard[BYTES_IN] == self._bytes:
            self._frames = heard[FRAMES_IN]
            self._bytes = heard[BYTES_IN]
        return heard[BYTES_IN] - self._bytes > _CONTRADICTION_BYTES

    def on_alert(self, alerts, code: int) -> None:
        """The core's sink: an alert changed (called inside a round)."""
        self._console.note(alerts, code)
        if self._remote is not None:
            self._remote.radio.news = True
        if self._keeper is not None:
            try:
                self._keeper.recorder.note(alerts, code)
            except Exception:  # a round of judging goes on whatever becomes of its record
                self.box_deaths = min(255, self.box_deaths + 1)
