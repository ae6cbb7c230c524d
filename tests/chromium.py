"""A real headless Chromium for tests, driven over --remote-debugging-pipe with nothing but the
standard library (Chrome DevTools Protocol)."""

import base64
import contextlib
import fcntl
import itertools
import json
import os
import queue
import shutil
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from packlab.air import chromium

_HEADLESS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic")
_ANSWER_S = 20.0
_LOAD_S = 20.0
_CLOSE_S = 5.0


class ChromiumError(RuntimeError):
    """The browser refused a command, or a script in the page failed."""


class Chromium:
    """One browser; `page` opens a tab, `close` ends it."""

    def __init__(self, environment: Mapping[str, str], *, language: str = "en") -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="chromium-"))
        command_read, command_write = os.pipe()
        answer_read, answer_write = os.pipe()
        # the browser reads commands on file 3 and writes answers on file 4: out of the way first
        theirs = [
            fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in (command_read, answer_write)
        ]
        os.close(command_read)
        os.close(answer_write)
        argv = chromium.command(
            self._folder / "profile", "about:blank", *_HEADLESS, "--remote-debugging-pipe",
            f"--lang={language}", f"--accept-lang={language}",
        )  # fmt: skip
        log = str(self._folder / "chromium.log")
        self._pid = os.posix_spawn(
            argv[0], argv, {**os.environ, "LANGUAGE": language, **environment},
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
                (os.POSIX_SPAWN_OPEN, 1, log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600),
                (os.POSIX_SPAWN_DUP2, 1, 2),
                (os.POSIX_SPAWN_DUP2, theirs[0], 3),
                (os.POSIX_SPAWN_DUP2, theirs[1], 4),
            ],
        )  # fmt: skip
        for end in theirs:
            os.close(end)
        self._commands, self._answers = command_write, answer_read
        self._count = itertools.count(1)
        self._waiting: dict[int, queue.Queue[dict[str, Any]]] = {}
        self._listeners: list[tuple[str, str, Callable[[dict[str, Any]], None]]] = []
        self._lock = threading.Lock()
        self._targets: list[str] = []
        self._events: queue.Queue[dict[str, Any] | None] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()
        threading.Thread(target=self._dispatch, daemon=True).start()

    def _read(self) -> None:
        unread = bytearray()
        while True:
            try:
                got = os.read(self._answers, 65536)
            except OSError:
                got = b""
            if not got:
                for waiting in list(self._waiting.values()):
                    waiting.put({"error": "the browser is gone"})
                self._events.put(None)
                return
            unread += got
            while (end := unread.find(0)) >= 0:
                message = json.loads(bytes(unread[:end]))
                del unread[: end + 1]
                if "id" not in message:
                    self._events.put(message)
                elif waiting := self._waiting.pop(message["id"], None):
                    waiting.put(message)

    def _dispatch(self) -> None:
        """Listeners run off the reading thread, so that they may send."""
        while (event := self._events.get()) is not None:
            for name, session, call in list(self._listeners):
                if name == event["method"] and session == event.get("sessionId", ""):
                    with contextlib.suppress(ChromiumError):
                        call(event["params"])

    def send(
        self, method: str, parameters: dict[str, Any] | None = None, session: str = ""
    ) -> dict[str, Any]:
        """Do a command of the protocol."""
        number = next(self._count)
        waiting = self._waiting[number] = queue.Queue()
        message = {"id": number, "method": method, "params": parameters or {}}
        if session:
            message["sessionId"] = session
        with self._lock:
            os.write(self._commands, json.dumps(message).encode() + b"\0")
        answer = waiting.get(timeout=_ANSWER_S)
        if "error" in answer:
            raise ChromiumError(f"{method}: {answer['error']}")
        result: dict[str, Any] = answer["result"]
        return result

    def on(self, name: str, call: Callable[[dict[str, Any]], None], session: str) -> None:
        """Call with every event of a name."""
        self._listeners.append((name, session, call))

    def page(self, address: str) -> "Page":
        """A new tab."""
        target = self.send("Target.createTarget", {"url": "about:blank"})["targetId"]
        attach = {"targetId": target, "flatten": True}
        page = Page(self, self.send("Target.attachToTarget", attach)["sessionId"])
        self._targets.append(target)
        page.go(address)
        return page

    def close_pages(self) -> None:
        """Close every tab that was opened."""
        while self._targets:
            self.send("Target.closeTarget", {"targetId": self._targets.pop()})

    def close(self) -> None:
        """End the browser and forget its profile."""
        with contextlib.suppress(ChromiumError, OSError, queue.Empty):
            self.send("Browser.close")
        end = time.monotonic() + _CLOSE_S
        while os.waitpid(self._pid, os.WNOHANG)[0] == 0:
            if time.monotonic() > end:
                os.kill(self._pid, signal.SIGKILL)
                os.waitpid(self._pid, 0)
                break
            time.sleep(0.02)
        os.close(self._commands)
        os.close(self._answers)
        shutil.rmtree(self._folder, ignore_errors=True)


class Page:
    """One tab. complaints: what scripts threw and the console was told as an error."""

    def __init__(self, browser: Chromium, session: str) -> None:
        self._browser = browser
        self._session = session
        self._loaded = threading.Event()
        self._chosen: set[str] = set()
        self.complaints: list[str] = []
        self.on("Page.loadEventFired", lambda _: self._loaded.set())
        self.on("Runtime.exceptionThrown", self._thrown)
        self.on("DeviceAccess.deviceRequestPrompted", self._choose)
        for domain in ("Page", "Runtime", "DeviceAccess", "Network"):
            self.send(f"{domain}.enable")

    def send(self, method: str, parameters: dict[str, Any] | None = None) -> dict[str, Any]:
        """Do a command of the protocol in this tab."""
        return self._browser.send(method, parameters, self._session)

    def on(self, name: str, call: Callable[[dict[str, Any]], None]) -> None:
        """Call with every event of a name."""
        self._browser.on(name, call, self._session)

    def go(self, address: str) -> None:
        """Open an address and wait for all of it."""
        self._loaded.clear()
        self.send("Page.navigate", {"url": address})
        assert self._loaded.wait(_LOAD_S), f"{address} was not loaded in time"

    def js(self, expression: str) -> Any:
        """The value of an expression in the page; a promise is waited for."""
        asked = {"expression": expression, "awaitPromise": True, "returnByValue": True}
        answer = self.send("Runtime.evaluate", asked)
        if "exceptionDetails" in answer:
            details = answer["exceptionDetails"]
            raise ChromiumError(details.get("exception", {}).get("description") or details["text"])
        return answer["result"].get("value")

    def until(self, expression: str, timeout_s: float = 10) -> Any:
        """Wait until an expression is true, and return it."""
        end = time.monotonic() + timeout_s
        while time.monotonic() < end:
            if found := self.js(expression):
                return found
            time.sleep(0.02)
        raise AssertionError(f"not within {timeout_s} s: {expression}; it shows {self.text()!r}")

    def text(self, selector: str = "main") -> str:
        """What can be read in an element."""
        quoted = json.dumps(selector)
        return str(self.js(f"document.querySelector({quoted})?.innerText ?? ''"))

    def click(self, selector: str) -> None:
        """A real mouse click: the chooser wants a person's."""
        x, y = self.js(
            f"""(() => {{
              const found = document.querySelector({json.dumps(selector)});
              found.scrollIntoView({{ block: "center" }});
              const box = found.getBoundingClientRect();
              return [box.x + box.width / 2, box.y + box.height / 2];
            }})()"""
        )
        for kind in ("mousePressed", "mouseReleased"):
            click = {"type": kind, "x": x, "y": y, "button": "left", "clickCount": 1}
            self.send("Input.dispatchMouseEvent", click)

    def fill(self, selector: str, value: str) -> None:
        """Put text into a field as if it had been typed."""
        self.js(
            f"""(() => {{
              const found = document.querySelector({json.dumps(selector)});
              found.value = {json.dumps(value)};
              found.dispatchEvent(new Event("input"));
            }})()"""
        )

    def screenshot(self, path: Path) -> None:
        """What can be seen now, as a PNG."""
        shot = self.send("Page.captureScreenshot", {"format": "png"})["data"]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(base64.b64decode(shot))

    def _choose(self, prompt: dict[str, Any]) -> None:
        """Takes the first device the chooser shows; answering one chooser twice ends the
        browser."""
        if prompt["devices"] and prompt["id"] not in self._chosen:
            self._chosen.add(prompt["id"])
            chosen = {"id": prompt["id"], "deviceId": prompt["devices"][0]["id"]}
            self.send("DeviceAccess.selectPrompt", chosen)

    def _thrown(self, event: dict[str, Any]) -> None:
        details = event["exceptionDetails"]
        text = details.get("exception", {}).get("description") or details["text"]
        self.complaints.append(text)
