"""Core state -> JSON lines of the trace, the same bytes from every interpreter (json.dumps and
dict order differ between them).

Called by core_replay.py and by the virtual board's trace; nothing of this is on the dongle.
"""

from deckwatch import status
from deckwatch.alert import LEVELS, STATES
from deckwatch.faults import FAULTS
from deckwatch.frame import BAD_CHECK, BAD_LENGTH, CUT, DAMAGED, FRAMES_IN, NOISE
from deckwatch.guardrails.table import CODES
from deckwatch.outputs.led import COLOURS, PATTERNS
from deckwatch.telemetry import FIRST_LASTING, KEPT, NO_PROBE, NOWHERE, SLOTS

_COUNTERS = (
    ("frames", FRAMES_IN),
    ("bad_check", BAD_CHECK),
    ("bad_length", BAD_LENGTH),
    ("cut", CUT),
    ("noise", NOISE),
    ("damaged", DAMAGED),
)
_CELL_SLOTS = (
    "highest_mv",
    "lowest_mv",
    "cell_spread_mv",
    "top_spread_mv",
    "wild_cells",
    "dead_cells",
    "cell_jump_mv",
    "stalled_pct",
    "group_fall_mv",
    "wire_most_mohm",
    "wire_ratio_pct",
    "weak_ratio_pct",
    "weak_sag_mv",
    "stuck_cell_mv",
    "trip_ma",
)
_PROBE_SLOTS = (
    "coldest_dc",
    "hottest_dc",
    "probe_faults",
    "probe_jump_dc",
    "probe_apart_dc",
    "heat_rise_dc",
    "heat_burst_dc",
)
_SESSION_SLOTS = ("charging", "riding", "resting", "still", "steady")


def alert(t_ms, alerts, code):
    """One alert record as it stands."""
    slot = SLOTS[alerts.slot[code]]
    text = '{"t_ms":%d,"event":"alert","code":"%s","state":"%s","level":"%s"' % (
        t_ms,
        CODES[code],
        STATES[alerts.state[code]],
        LEVELS[alerts.level[code]],
    )
    text += ',"value":%d,"limit":%d,"unit":"%s"' % (alerts.value[code], alerts.limit[code], slot)
    where = alerts.where[code]
    if where and slot in _CELL_SLOTS:
        text += ',"cell":%d' % where
    elif where and slot in _PROBE_SLOTS:
        text += ',"probe":%d' % where
    elif where and slot == "fault_level":
        text += ',"fault":"%s"' % FAULTS[where - 1]
    elif where and slot == "error_level":
        text += ',"error":%d' % where
    return text + ',"peak":%d,"count":%d,"pack":%d}' % (
        alerts.peak[code],
        alerts.count[code],
        alerts.pack + 1,
    )


def led(t_ms, shown):
    """The light's pattern, when it changes."""
    colour, blinks = PATTERNS[shown.look][:2]
    if not blinks:
        blinks = shown.group
    elif PATTERNS[shown.look][4] < 0:
        blinks = 0
    return '{"t_ms":%d,"event":"led","look":"%s","colour":"%s","blinks":%d}' % (
        t_ms,
        status.LOOKS[shown.look],
        COLOURS[colour],
        blinks,
    )


def buzzer(t_ms, shown, tone_hz):
    """A group of beeps begins, or a chirp: 0 beeps."""
    return '{"t_ms":%d,"event":"buzzer","tone_hz":%d,"beeps":%d}' % (
        t_ms,
        tone_hz,
        shown.group if shown.look >= status.WARN else 0,
    )


def edge(t_ms, colour, tone_hz):
    """Every change of light or tone, where edges are asked for."""
    form = '{"t_ms":%d,"event":"edge","colour":"%s","tone_hz":%d}'
    return form % (t_ms, COLOURS[colour], tone_hz)


def watch(t_ms, alerts):
    """What is and what is not watched from here on, in pieces."""
    yield '{"t_ms":%d,"event":"watch","pack":%d,"watched":[' % (t_ms, alerts.pack + 1)
    yield from _those(alerts, 1)
    yield '],"not_watched":['
    yield from _those(alerts, 0)
    yield "]}"


def _those(alerts, watched):
    comma = ""
    for code in range(len(CODES)):
        if alerts.watched[code] == watched:
            yield comma
            yield '"%s"' % CODES[code]
            comma = ","


def names(words):
    """A JSON list of plain words."""
    return "[" + ",".join(['"%s"' % word for word in words]) + "]"


def values(t, now, everything):
    """Known slots as JSON members, one by one; with `everything` also what has gone stale."""
    for slot in range(NOWHERE + 1, KEPT):
        name = SLOTS[slot]
        if t.seen[slot] and (everything or t.fresh(slot, now)) and not name.startswith("faults_"):
            yield '"%s":%d' % (name, t.value[slot])
        if slot == FIRST_LASTING - 1:
            yield from _lists(t)


def _lists(t):
    if t.cells:
        cells = [str(t.cell_mv[cell]) for cell in range(t.cells)]
        yield '"cell_mv":[%s]' % ",".join(cells)
    if t.probes:
        temps = [t.temp_dc[probe] for probe in range(t.probes)]
        texts = ["null" if dc == NO_PROBE else str(dc) for dc in temps]
        yield '"temp_dc":[%s]' % ",".join(texts)


def telemetry(t_ms, number, t, now):
    """What is freshly known of one pack, which may be nothing, in pieces: on a chip's heap there
    is no room for the whole."""
    yield '{"t_ms":%d,"event":"telemetry","pack":%d' % (t_ms, number + 1)
    for member in values(t, now, False):
        yield ","
        yield member
    yield "}"


def summary(pipeline, span_ms, never_watched, highest):
    """The last line of a trace, in pieces; `span_ms` from the first event to the last."""
    framers = pipeline.framers
    link = pipeline.link
    text = '{"event":"summary","profile":"%s","family":"%s"' % (
        pipeline.profile,
        pipeline.family,
    )
    for name, place in _COUNTERS:
        text += ',"%s":%d' % (name, sum([framer.numbers[place] for framer in framers]))
    text += ',"unknown":%d,"requests":%d,"replies":%d' % (
        pipeline.unknown,
        link.requests,
        link.replies,
    )
    text += ',"link_score":%d,"worst_link_score":%d,"seconds":%d.%03d' % (
        link.score,
        link.worst,
        span_ms // 1000,
        span_ms % 1000,
    )
    yield text
    yield ',"worst_level":"%s","not_watched":%s,"last":{' % (LEVELS[highest], names(never_watched))
    comma = ""
    for member in values(pipeline.packs[0].telemetry, 0, True):
        yield comma
        yield member
        comma = ","
    yield "}}"
