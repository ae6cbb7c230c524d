"""What a player may do to a recording on its way: a slice of it, again and again, without its
gaps. Each is a filter over events in order of time; none of them waits.
"""

import argparse
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from packlab.capture import Event, Level
from packlab.errors import PacklabError
from packlab.faults.spec import time_us

FOR_EVER = 0
_BETWEEN_US = 1_000_000  # from the end of one round to the beginning of the next


@dataclass(frozen=True, slots=True)
class Playing:
    """from_us, to_us: the slice, None = the end. most_gap_us: longer ones are cut to it, None =
    none. rounds: how often, FOR_EVER = until somebody ends it."""

    from_us: int = 0
    to_us: int | None = None
    most_gap_us: int | None = None
    rounds: int = 1

    def over(self, events: Callable[[], Iterable[Event]]) -> Iterator[Event]:
        """`events` begins anew at each call."""
        return looped(lambda: self.once(events()), self.rounds)

    def once(self, events: Iterable[Event]) -> Iterator[Event]:
        """One round."""
        if self.from_us or self.to_us is not None:
            events = sliced(events, self.from_us, self.to_us)
        if self.most_gap_us is not None:
            events = without_gaps(events, self.most_gap_us)
        return iter(events)


AS_RECORDED = Playing()


def sliced(events: Iterable[Event], from_us: int, to_us: int | None) -> Iterator[Event]:
    """Events from one time up to another, that of the first now 0. What each wire's level was at
    the beginning comes first."""
    levels: dict[str, Level] = {}
    begun = False
    for event in events:
        if event.t_us < from_us:
            if isinstance(event, Level) and event.level in ("low", "idle"):
                levels[event.port] = event
            continue
        if to_us is not None and event.t_us >= to_us:
            return
        if not begun:
            begun = True
            yield from (replace(level, t_us=0) for level in levels.values())
        yield replace(event, t_us=event.t_us - from_us)


def without_gaps(events: Iterable[Event], most_us: int) -> Iterator[Event]:
    """The same with no pause longer than `most_us`; the first event stays where it is."""
    cut_us = last_us = 0
    first = True
    for event in events:
        if not first and event.t_us - last_us > most_us:
            cut_us += event.t_us - last_us - most_us
        first = False
        last_us = event.t_us
        yield replace(event, t_us=event.t_us - cut_us)


def looped(events: Callable[[], Iterable[Event]], rounds: int) -> Iterator[Event]:
    """Round after round, a second between them; the times go on. PacklabError for a recording
    without events, which would loop without end."""
    offset_us = 0
    done = 0
    while rounds == FOR_EVER or done < rounds:
        last_us = -1
        for event in events():
            last_us = event.t_us + offset_us
            yield replace(event, t_us=last_us)
        if last_us < 0:
            if done or rounds != 1:
                raise PacklabError("there is nothing to play in that slice; choose another")
            return
        offset_us = last_us + _BETWEEN_US
        done += 1


def add_options(parser: argparse.ArgumentParser) -> None:
    """How to play it, for a command's parser."""
    group = parser.add_argument_group("which part of it, and how often")
    group.add_argument("--from", dest="from_us", type=_time, default=0, metavar="30s")
    group.add_argument("--to", dest="to_us", type=_time, metavar="90s")
    group.add_argument(
        "--skip-gaps", dest="gap_us", type=_time, metavar="2s", help="cut longer pauses to this"
    )
    group.add_argument(
        "--loop", type=_rounds, default=1, metavar="N", help="so many times, 0 = until Ctrl-C"
    )


def asked(options: argparse.Namespace) -> Playing:
    """What add_options has understood."""
    if options.to_us is not None and options.to_us <= options.from_us:
        raise PacklabError("--to lies before --from; give a later one")
    return Playing(options.from_us, options.to_us, options.gap_us, options.loop)


def _time(text: str) -> int:
    try:
        return time_us(text if text[-1:].isalpha() else f"{text}s")
    except PacklabError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _rounds(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"'{text}' is no number of rounds; write 3, or 0")
    return int(text)
