"""Says what is on a recorded line, and why: which family's frames hold, how much of the traffic
they explain, who asks and who answers. `packlab identify` prints it; the dongle does the same by
itself with detect.py.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from packlab.capture import PORTS, Chunk, Event, Header
from packlab.checkout import firmware
from packlab.errors import PacklabError
from packlab.standins import Signs

_ENOUGH = 2  # frames that settle it, as on the dongle
_PACKS = 18  # a JK bus has addresses 0 to 16, and what noise makes of them is one more


@dataclass
class Share:
    """What one family makes of one port: frames it understands, how many of them are questions,
    bytes they explain."""

    family: str
    frames: int = 0
    questions: int = 0
    bytes: int = 0
    kinds: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Finding:
    """One port: family ("" = none), how sure in percent, speed as the file states it, what follows
    from it, the shares behind it, and what answers in place of a stock pack, if it looks so."""

    port: str
    family: str
    sure_pct: int
    baud: int
    bytes: int
    verdict: str
    shares: tuple[Share, ...]
    signs: tuple[str, ...] = ()


class Listener:
    """One family listening to one port; `share` is what it makes of it."""

    def __init__(self, family: str, baud: int) -> None:
        self.share = Share(family)
        self.signs = Signs(baud) if family == "xiaomi" else None
        self._module = firmware(f"protocols.{family}")
        self._memory = self._module.Memory() if hasattr(self._module, "Memory") else None
        self._packs: list[Any] = []  # most families never hear a frame of theirs
        self._chunk = firmware("framer").CHUNK
        self._framer = firmware("framer").Framer(self._module.FRAMES, self, 0)

    def feed(self, data: bytes, now: int) -> None:
        """Bytes that came, at `now` in ms."""
        for start in range(0, len(data), self._chunk):
            part = data[start : start + self._chunk]
            self._framer.feed(bytearray(part.ljust(self._chunk, b"\0")), len(part), now)

    def score(self) -> int:
        """Good frames in per cent of good ones and damages so far; -1 = none of either."""
        frame = firmware("frame")
        good = self._framer.numbers[frame.FRAMES_IN]
        whole = good + self._framer.numbers[frame.DAMAGED]
        return good * 100 // whole if whole else -1

    def on_frame(self, framer: Any) -> None:
        """Called by the framer for each frame that holds."""
        frame = framer.frame
        self._packs = self._packs or [firmware("telemetry").Telemetry() for _ in range(_PACKS)]
        for pack in self._packs:
            pack.begin(frame.now)
        self._module.decode(frame, self._packs, self._memory)
        share = self.share
        share.bytes += frame.size
        if frame.kind == "unknown":  # sound, but its meaning hangs on a question nobody heard
            return
        share.frames += 1
        share.questions += frame.is_request
        share.kinds[frame.kind] = share.kinds.get(frame.kind, 0) + 1
        if self.signs is not None:
            self.signs.note(frame.kind, self._packs[0])


def families() -> tuple[str, ...]:
    """All families of the firmware."""
    names: tuple[str, ...] = firmware("index").PROTOCOLS
    return names


def identify(events: Iterable[Event], header: Header) -> list[Finding]:
    """A Finding for each port that carried anything. PacklabError for a capture without bytes."""
    listeners = {
        port: [Listener(name, header.line(port).baud) for name in families()] for port in PORTS
    }
    sizes = dict.fromkeys(PORTS, 0)
    for event in events:
        if isinstance(event, Chunk):
            sizes[event.port] += len(event.data)
            for listener in listeners[event.port]:
                listener.feed(event.data, event.t_us // 1000 & (1 << 30) - 1)
    findings = [
        _judge(port, sizes[port], listeners[port], header) for port in PORTS if sizes[port]
    ]
    if not findings:
        raise PacklabError("the capture holds no bytes; nothing can be told of it")
    return findings


def _judge(port: str, size: int, listeners: list[Listener], header: Header) -> Finding:
    shares = [each.share for each in listeners]
    heard = sorted((s for s in shares if s.frames), key=lambda s: (-s.bytes, s.family))
    baud = header.line(port).baud
    if not heard:
        verdict = (
            "bytes, but never a valid frame: another speed, the wire upside down, or a family"
            " that is not known here"
        )
        return Finding(port, "", 0, baud, size, verdict, ())
    best = heard[0]
    sure = min(100, best.bytes * 100 // size)
    signs = next(each.signs for each in listeners if each.share is best)
    told = tuple(signs.told()) if signs is not None and best.frames >= _ENOUGH else ()
    return Finding(port, best.family, sure, baud, size, _verdict(port, best), tuple(heard), told)


def _verdict(port: str, share: Share) -> str:
    if share.frames < _ENOUGH:
        return "a single frame: too little to be sure"
    if port == "bms_tx" and share.questions == share.frames:
        return "only questions on the battery's wire: the two wires are swapped"
    if port == "host_tx" and not share.questions and share.kinds.get("reply"):
        return "only answers on the controller's wire: the two wires are swapped"
    return "settled"


def lines(findings: list[Finding]) -> list[str]:
    """The findings as text, the reasons below each."""
    text = []
    for finding in findings:
        who = finding.family or "unknown"
        head = f"{finding.port}: {who}, {finding.sure_pct} % of {finding.bytes} bytes"
        text.append(f"{head} at {finding.baud} baud; {finding.verdict}")
        for share in finding.shares:
            kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(share.kinds.items()))
            text.append(f"  {share.family}: {share.frames} frames ({kinds})")
        text += [f"  looks like {sign}" for sign in finding.signs]
    return text
