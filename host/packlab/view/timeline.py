"""A replay as lines of text, one an event: for pipes, logs and terminals without a cursor."""

from rich.text import Text

from packlab.view import sentences, units, words
from packlab.view.state import Alert, Event, Pack, Picture

_SHORTEST_MS = 5000  # between two lines of values
_LINES = 40  # of values in the whole replay, about


class Timeline:
    """Folds a trace and tells what is worth a line of each event."""

    def __init__(self, total_s: float, family: str = "") -> None:
        self.picture = Picture(family)
        self._every_ms = max(_SHORTEST_MS, total_s * 1000 / _LINES)
        self._told_values: dict[int, tuple[int, str]] = {}
        self._beeps = (0, 0)
        self._watched: dict[int, set[str]] = {}

    def tell(self, event: Event) -> Text | None:
        """Take the event in; return its line, None when it is not worth one."""
        self.picture.fold(event)
        match event["event"]:
            case "alert":
                self._beeps = (0, 0)
                return self._alert(self.picture.alerts[event["pack"], event["code"]])
            case "led":
                light = self.picture.light
                sign = "○" if light.colour == "off" else "●"
                said = words.light(light.look, light.colour, light.blinks)
                return self._line(sign, "light", said, "")
            case "buzzer":
                return self._sound()
            case "watch":
                return self._watch(event)
            case "telemetry":
                return self._values(self.picture.packs[event["pack"]])
        return None

    def _line(self, sign: str, kind: str, said: str, style: str) -> Text:
        text = Text(f"{units.clock(self.picture.now_ms):>9}  ")
        text.append(f"{sign:2} {kind:6}", style or "default")
        return text.append(f" {said}")

    def _alert(self, alert: Alert) -> Text:
        name_pack = self.picture.has_several_packs()
        if alert.state == "set":
            mark, word = words.LEVEL_MARKS[alert.level], words.LEVEL_WORDS[alert.level]
            said = sentences.alert(alert, name_pack=name_pack)
            return self._line(mark, word, said, words.LEVEL_STYLES[alert.level])
        if alert.state == "clear":
            said = sentences.over(alert, name_pack=name_pack)
            return self._line(words.LEVEL_MARKS["ok"], "over", said, words.LEVEL_STYLES["ok"])
        said = sentences.lost(alert, name_pack=name_pack)
        return self._line(words.UNKNOWN_MARK, "unseen", said, words.UNKNOWN_STYLE)

    def _sound(self) -> Text | None:
        """Repetitions of a group are not told: an alarm would fill the page with them."""
        sound = self.picture.sound
        if (sound.beeps, sound.tone_hz) == self._beeps:
            return None
        self._beeps = (sound.beeps, sound.tone_hz)
        said = words.beeps(sound.beeps, sound.tone_hz) + (", repeated" if sound.beeps else "")
        return self._line("♪", "sound", said, "")

    def _watch(self, event: Event) -> Text:
        watched = set(event["watched"])
        before = self._watched.get(event["pack"], set())
        self._watched[event["pack"]] = watched
        known = watched.union(event["not_watched"])
        parts = [
            f"{change}: {words.watched(codes, known)}"
            for change, codes in (
                ("now watched", [code for code in event["watched"] if code not in before]),
                ("no longer", [code for code in event["not_watched"] if code in before]),
            )
            if codes
        ]
        parts.append(words.not_watched(event["not_watched"], known) or "all is watched")
        pack = f"pack {event['pack']}: " if self.picture.has_several_packs() else ""
        return self._line("", "watch", pack + "; ".join(parts), "")

    def _values(self, pack: Pack) -> Text | None:
        """Thinned; what the scooter does now and did not before is told at once."""
        session = units.session(pack.values)
        told_ms, told_session = self._told_values.get(pack.number, (-(10**9), ""))
        since_ms = pack.at_ms - told_ms
        if since_ms < self._every_ms and (since_ms < _SHORTEST_MS or session == told_session):
            return None
        parts = _readings(pack)
        if not parts:
            return None
        self._told_values[pack.number] = (pack.at_ms, session)
        number = [f"pack {pack.number}"] if self.picture.has_several_packs() else []
        return self._line("", "values", "  ".join(number + parts), "")


def _readings(pack: Pack) -> list[str]:
    """Return what is freshly known of a battery, part by part."""
    values = pack.values
    parts = units.battery(values) + units.temperatures(values)
    if "highest_mv" in values:
        lowest, highest = values["lowest_mv"] / 1000, values["highest_mv"] / 1000
        spread = units.quantity("cell_spread_mv", values["cell_spread_mv"])
        parts.append(f"cells {lowest:.3f} to {highest:.3f} V, {spread}")
    if session := units.session(values):
        parts.append(f"({session})")
    return parts
