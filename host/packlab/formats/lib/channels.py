"""Wires of a recording that has them as channels: which port each one is, how fast it runs, and
what passes on it."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence

from packlab.capture import PORTS, Event, Header, LineSetting
from packlab.errors import PacklabError
from packlab.formats.lib.base import Recording, Source
from packlab.formats.wire.edge import Edge, Frame
from packlab.formats.wire.speed import find_baud
from packlab.formats.wire.uart import receive

# The wire on which the controller talks is called esc_tx by logic analysers' users.
PORT_OF_WIRE = {"esc_tx": "host_tx"} | {port: port for port in PORTS}
_PLAIN = {name.replace("_", ""): port for name, port in PORT_OF_WIRE.items()}
# Edges looked at to find a speed: some hundred bytes a wire, and where to give up on a quiet one.
_EDGES_A_WIRE = 2_000
_EDGES_IN_ALL = 200_000

END = ""  # name of no channel


def ports_of(source: Source, names: Sequence[str]) -> dict[str, str]:
    """The port of each channel that is one: as the user says, else by its name, else in order."""
    said = source.options.ports
    for name in said:
        if name not in names:
            source.fail(f" has no channel '{name:.20}'; it has {_listed(names)}")
    ports = dict(said) or {name: _PLAIN[_plain(name)] for name in names if _plain(name) in _PLAIN}
    if not ports and len(names) <= len(PORTS):
        ports = dict(zip(names, PORTS, strict=False))
    if not ports:
        source.fail(
            f" has the channels {_listed(names)}; say which is which with "
            f"--port '{names[0]:.20}=bms_tx'"
        )
    if len(set(ports.values())) < len(ports):
        source.fail(f" has two channels for one port ({_listed(list(ports))}); name each once")
    return ports


def drawn(source: Source, header: Header) -> Header:
    """The header; a file is refused that has a line of whose format nobody can draw the bits."""
    for setting in header.lines.values():
        try:
            Frame(setting)
        except PacklabError as error:
            source.fail(f": {error}")
    return header


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _listed(names: Sequence[str]) -> str:
    more = "" if len(names) <= 8 else f" and {len(names) - 8} more"
    return ", ".join(f"{name:.20}" for name in names[:8]) + more


def read_channels(
    source: Source,
    names: Sequence[str],
    own: Header | None,
    scan: Callable[[], Iterable[Edge | Event]],
) -> Recording:
    """The recording behind a file's channels.

    scan: the file from its beginning, each time it is called; the first edge of a channel tells
    how it was, an edge of END when the recording ended. own: the header, where we wrote the file;
    otherwise speeds are found from the edges.
    """
    if own is None:
        ports = ports_of(source, names)
    else:
        ports = {name: name for name in names if name in PORTS}
    header = own or Header("real", f"{source.name}, raw levels")
    header = drawn(source, source.options.applied(header))

    def edges() -> Iterator[Edge | Event]:
        for change in scan():
            if not isinstance(change, Edge) or change.name == END:
                yield change
            elif change.name in ports:
                yield change._replace(name=ports[change.name])

    unknown = [port for port in ports.values() if port not in header.lines]
    if unknown:
        found = {**header.lines, **_find_speeds(source, edges(), unknown)}
        header = Header(header.origin, header.source, found, header.notes)
    settings = {port: header.line(port) for port in ports.values()}
    return Recording(header, receive(edges(), settings, tell_idle=own is None))


def _find_speeds(
    source: Source, changes: Iterable[Edge | Event], ports: Sequence[str]
) -> dict[str, LineSetting]:
    """Wires too quiet to tell are taken to be as fast as the fastest of the others."""
    first: dict[str, list[Edge]] = {port: [] for port in ports}
    for number, change in enumerate(changes):
        if isinstance(change, Edge) and change.name in first:
            kept = first[change.name]
            if len(kept) < _EDGES_A_WIRE:
                kept.append(change)
        if number > _EDGES_IN_ALL or all(len(one) == _EDGES_A_WIRE for one in first.values()):
            break
    bauds = {port: find_baud(kept) for port, kept in first.items()}
    known = [baud for baud in bauds.values() if baud is not None]
    if not known and any(len(kept) > 1 for kept in first.values()):
        source.fail(
            " has edges from which no speed can be told; say it with --baud 115200, or of one "
            f"wire with --line '{ports[0]} 115200 8N1'"
        )
    usual = max(known) if known else LineSetting().baud
    return {port: LineSetting(baud or usual) for port, baud in bauds.items()}
