"""One pack's meters, judge and alerts on a feed of values, the heap locked from the first of a
frame to the last of its round. Standard input: the options as JSON, then a JSON list a frame:
[ms, {slot: value}, cells, temps, wires]. Prints "ms code state level" for every change."""

import json
import sys

import micropython
from deckwatch import config
from deckwatch.alert import LEVELS, STATES
from deckwatch.guardrails.rules import Rules
from deckwatch.guardrails.table import CODES
from deckwatch.pipeline import Pack, load_protocol
from deckwatch.telemetry import INDEX


class Sink:
    def __init__(self):
        self.codes = bytearray(64)
        self.size = 0

    def on_alert(self, _alerts, code):
        self.codes[self.size] = code
        self.size += 1


def fill(t, slots, values, cells, temps, wires):
    for k in range(len(slots)):
        t.set(slots[k], values[k])
    for k in range(len(cells)):
        t.set_cell(k, cells[k])
    for k in range(len(temps)):
        t.set_temp(k, temps[k])
    for k in range(len(wires)):
        t.set_wire(k, wires[k])


def main():
    settings = config.load(json.loads(sys.stdin.readline()))
    sink = Sink()
    pack = Pack(0, settings, load_protocol(settings.family), Rules(settings), sink)
    t = pack.telemetry
    while True:
        line = sys.stdin.readline()
        if not line:
            break
        ms, named, cells, temps, wires = json.loads(line)
        now = ms & (1 << 30) - 1
        slots = [INDEX[name] for name in named]
        values = list(named.values())
        micropython.heap_lock()
        t.begin(now)
        fill(t, slots, values, cells, temps, wires)
        t.end()
        for meter in pack.meters:
            meter.update(t, now)
        pack.judge.update(t, now, True, 1000)
        pack.alerts.update(t, now)
        micropython.heap_unlock()
        for k in range(sink.size):
            code = sink.codes[k]
            alerts = pack.alerts
            print(ms, CODES[code], STATES[alerts.state[code]], LEVELS[alerts.level[code]])
        sink.size = 0


main()
