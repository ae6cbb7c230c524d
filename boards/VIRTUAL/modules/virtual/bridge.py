"""Puts a real Bluetooth stack in the centrals' place: the board's clock then goes with the host's,
and what passes between the radio and the world goes as lines of JSON over TCP to whoever listens
at `bridge=PORT` (host/packlab/air/dongle.py does).

The board says                              the world says
  {"op": "table", "services": [[uuid, [[uuid, flags, handle], …]], …]}
  {"op": "advertise", "interval_us", "data", "response", "connectable"}, {"op": "quiet"}, {"op": "off"}
  {"op": "notify" | "indicate", "link", "handle", "value"}   {"op": "done", "link", "handle", "status"}
  {"op": "update", "handle", "value"}: for those who subscribed
  {"op": "mtu", "link", "mtu"}                               {"op": "mtu", "link", "mtu"}: agreed
  {"op": "drop", "link"}                                     {"op": "left", "link"}
  {"op": "answer", "id", …}                                  {"op": "connect", "id", "address"}
                                                             {"op": "read", "id", "link", "handle"}
                                                             {"op": "write", "id", "link", "handle", "value"}
                                                             {"op": "line", "text"}: of the feed, without its time

Values are hex; UUIDs too, as on the air. An answer has `link`, `value` or, where the attribute
protocol refuses, `error`. When the other end closes, the world ends.
"""  # noqa: E501

import json
import socket
from binascii import hexlify, unhexlify

import uselect
import utime

from virtual import clock as _c
from virtual import ether, feed, power

_STEP_US = 5000  # how far the board runs ahead of the host
_SOON_US = 100
_MOST_BEHIND_MS = 1000  # a host that stood still: what it missed is not caught up with
_NOT_FOUND = 0x0A  # attribute not found
_NO_LINK = 0x3E  # connection could not be established

_socket = None
_poll = None
_host_ms = 0  # the host's time when the board's was _board_ms
_board_ms = 0
_rest = b""


def start(port):
    """Connect, and go with the host's time from now on."""
    global _socket, _poll, _host_ms, _board_ms
    _socket = socket.socket()
    _socket.connect(socket.getaddrinfo("127.0.0.1", port)[0][-1])
    _poll = uselect.poll()
    _poll.register(_socket, uselect.POLLIN)
    ether.remote = _Remote()
    _host_ms = utime.ticks_ms()
    _board_ms = _c.ms
    _tick(None)


class _Remote:
    """What ether.py tells instead of doing it."""

    def send(self, kind, link, handle, value):
        if kind == "mtu":
            _say({"op": kind, "link": link, "mtu": handle})
        elif kind == "drop":
            _say({"op": kind, "link": link})
        elif kind == "update":
            _say({"op": kind, "handle": handle, "value": _hex(value)})
        else:
            _say({"op": kind, "link": link, "handle": handle, "value": _hex(value)})

    def register(self, table, handles):
        services = []
        for (uuid, characteristics), row in zip(table, handles):
            rows = [[_hex(bytes(c[0])), c[1], handle] for c, handle in zip(characteristics, row)]
            services.append([_hex(bytes(uuid)), rows])
        _say({"op": "table", "services": services})

    def advertise(self, what):
        if what is None:
            _say({"op": "quiet"})
            return
        interval_us, data, response, connectable = what
        said = {"interval_us": interval_us, "data": _hex(data), "response": _hex(response)}
        said.update({"op": "advertise", "connectable": bool(connectable)})
        _say(said)


def _tick(_):
    """Wait for the host's clock, and hear what is said meanwhile. Whatever comes is done at once;
    then the firmware has its turn before the waiting goes on."""
    global _host_ms
    ahead = _c.ms - _board_ms - utime.ticks_diff(utime.ticks_ms(), _host_ms)
    if ahead < -_MOST_BEHIND_MS:
        _host_ms = utime.ticks_add(_host_ms, -ahead)
    if _poll.poll(max(0, ahead)):
        _hear()
        _c.after(_SOON_US, _tick, None)
    else:
        _c.after(_STEP_US, _tick, None)


def _hear():
    global _rest
    got = _socket.recv(4096)
    if not got:
        power.end()
    lines = (_rest + got).split(b"\n")
    _rest = lines.pop()
    for line in lines:
        said = json.loads(line)
        answer = _DO[said["op"]](said)
        if answer is not None:
            answer["op"] = "answer"
            answer["id"] = said["id"]
            _say(answer)


def _connect(said):
    link = ether.connect(said["address"])
    return {"error": _NO_LINK} if link is None else {"link": link.number}


def _left(said):
    ether.left(said["link"])


def _read(said):
    if said["handle"] not in ether.flags:
        return {"error": _NOT_FOUND}
    value = ether.read(said["link"], said["handle"])
    return {"error": value} if isinstance(value, int) else {"value": _hex(value)}


def _write(said):
    if said["handle"] not in ether.flags:
        return {"error": _NOT_FOUND}
    error = ether.write(said["link"], said["handle"], unhexlify(said["value"]))
    return {"error": error} if error else {}


def _mtu(said):
    link = ether.links.get(said["link"])
    if link:
        link.agreed(said["mtu"])


def _done(said):
    ether.interrupt(ether.INDICATE_DONE, (said["link"], said["handle"], said["status"]))


def _line(said):
    feed.do(said["text"])


_DO = {
    "connect": _connect,
    "left": _left,
    "read": _read,
    "write": _write,
    "mtu": _mtu,
    "done": _done,
    "line": _line,
}


def _say(message):
    _socket.write(json.dumps(message).encode() + b"\n")


def _hex(data):
    return hexlify(data).decode()
