"""JK (Jikong) boards on all their wires (jk.md): the socket that speaks 4E 57, the Bluetooth
module's wire, the bus of PB boards, Modbus, and the displays'."""

from collections.abc import Sequence
from dataclasses import replace
from random import Random

from packlab.fake.base import Ask, Asker, Fake, Profile
from packlab.fake.checks import with_modbus
from packlab.fake.families.jk import bus, display, module, tlv
from packlab.made.board import Limits
from packlab.made.chemistry import LFP
from packlab.made.readings import Source
from packlab.made.spec import PackSpec
from packlab.made.story import Story

LIMITS = Limits(discharge_ma=80_000, charge_ma=30_000, bleed_ma=100)
LFP_LIMITS = replace(LIMITS, cell_high_mv=3650, cell_low_mv=2500, balance_start_mv=3400)

_LFP_16S = PackSpec(series=16, chemistry=LFP, capacity_mah=50_000)


def _tlv(kind: tlv.Kind) -> Profile:
    return Profile(
        "",
        lambda sources, _: tlv.Board(sources[0], LIMITS, kind),
        _every_second,
        spec=PackSpec(series=14, capacity_mah=20_000),
        limits=LIMITS,
    )


def _every_second(_: Story, __: Random) -> Asker:
    """A GPS tracker or a PC: peers ask every 1 to 5 s (sheet 1.3)."""
    return Asker((Ask(1_000_000, tlv.read_all()),))


def _module(*, cells_24: bool) -> Profile:
    def make(sources: Sequence[Source], _: Random) -> Fake:
        return module.Board(sources[0], LFP_LIMITS, cells_24=cells_24)

    return Profile("", make, _starter, spec=replace(_LFP_16S, probes=4), limits=LFP_LIMITS)


def _starter(_: Story, __: Random) -> Asker:
    """The Bluetooth module: who are you, then start; after that it only listens (sheet 2)."""
    first = (Ask(500_000, module.command(module.INFO)), Ask(500_000, module.command(module.START)))
    return Asker((), first)


def _bus(sources: Sequence[Source], _: Random) -> Fake:
    return bus.Boards(dict(enumerate(sources, 1)), LFP_LIMITS)


def _resident(story: Story, _: Random) -> bus.ResidentMaster:
    """A board like the others; its pack is the first one's twin."""
    return bus.ResidentMaster(story, LFP_LIMITS)


def _host(_: Story, __: Random) -> Asker:
    """A PC that reads the blocks others have proven, 100 ms apart and more (sheet 4)."""
    reads = ("010312000025", "010312900019", "010312f80003")
    return Asker([Ask(400_000, with_modbus(bytes.fromhex(read))) for read in reads])


def _modbus(sources: Sequence[Source], _: Random) -> Fake:
    return bus.Boards({1: sources[0]}, LFP_LIMITS, takes_triggers=False)


def _display(*, is_pb: bool) -> Profile:
    return Profile(
        "",
        lambda sources, _: display.Board(sources[0], is_pb=is_pb),
        baud=2400,
        spec=replace(_LFP_16S, probes=1),
        limits=LFP_LIMITS,
        most_cells=16 if is_pb else 24,
        shared_wire=True,
    )


PROFILES = {
    "tlv": replace(_tlv(tlv.Kind()), meaning="4E 57 on the GPS or RS485 socket"),
    "tlv_2020": replace(
        _tlv(tlv.Kind(is_of_2020=True, software=b"NW_1_0_0_200428")),
        meaning="4E 57 of 2020: current around 10000, a shorter list",
    ),
    "module": replace(_module(cells_24=False), meaning="Bluetooth module's wire, 32 cells"),
    "module_24": replace(
        _module(cells_24=True),
        meaning="Bluetooth module's wire, 24 cells",
        spec=_LFP_16S,
        most_cells=24,
    ),
    "bus": Profile(
        "RS485 bus of PB boards: three packs and a master among them",
        _bus,
        _resident,
        spec=_LFP_16S,
        limits=LFP_LIMITS,
        packs=3,
        shared_wire=True,
    ),
    "modbus": Profile(
        "a newer board that takes plain Modbus reads",
        _modbus,
        _host,
        spec=_LFP_16S,
        limits=LFP_LIMITS,
    ),
    "display": replace(_display(is_pb=False), meaning="display socket of B and BD boards, 2400"),
    "display_pb": replace(_display(is_pb=True), meaning="LCD port of PB boards, 2400"),
}
