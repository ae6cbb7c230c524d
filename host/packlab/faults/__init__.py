"""What goes wrong on a line, as filters over a stream of events: `--fault bits:1e-4 --fault
cut:12.5s+3s`.

Each fault is written KIND:ARGUMENTS[@PORT] and may be given several times; they act in the order
given. All chance comes from one seed, so a spoilt line can be spoilt again exactly so. Fake packs,
replay and tests use `apply`.
"""

from collections.abc import Iterable, Iterator, Sequence
from random import Random

from packlab.capture import Event, Header
from packlab.faults.kinds import KINDS
from packlab.faults.spec import Spec, parse

__all__ = ["KINDS", "Spec", "apply", "parse"]


def apply(
    events: Iterable[Event], specs: Sequence[Spec], header: Header, seed: int
) -> Iterator[Event]:
    """`events` with all faults of `specs`; `header` tells the speeds. Times stay sorted."""
    stream = iter(events)
    for number, spec in enumerate(specs):
        stream = KINDS[spec.kind].act(stream, spec, header, Random(f"{seed}/{number}/{spec.kind}"))
    return stream
