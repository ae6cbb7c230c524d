"""One capture's trace, at the depth its settings ask for; whatever works on many captures gets its
lines here, in the process it happens to run in."""

from collections.abc import Callable, Iterable, Iterator

from packlab import formats
from packlab.capture import Event
from packlab.corpus.cases import Case, settled
from packlab.replay import replay
from packlab.virtual import replay_app

Through = Callable[[Iterator[Event]], Iterable[Event]]


def trace(case: Case, through: Through = iter) -> Iterator[str]:
    """The trace's JSON lines, the last one the summary; `through` sees every event on its way.

    PacklabError for a file that cannot be used and for a firmware that stopped.
    """
    settings = settled(case)
    with formats.reading(case.path, case.reading) as recording:
        events = through(case.spoiling.lay_over(recording.some(), recording.header))
        yield from (replay_app if settings.depth == "app" else replay)(events, settings)
