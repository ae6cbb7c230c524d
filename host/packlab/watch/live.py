"""The live value of a dongle's own service, byte by byte as docs/bluetooth.md has it."""

from dataclasses import dataclass

from packlab.errors import PacklabError

VERSION = 1
LOOKS = ("off", "no_data", "partial", "fine", "info", "unknown", "warn", "alarm")
LEVELS = ("ok", "info", "warn", "alarm")
_NO_MA = -(1 << 31)
_NO_DC = -(1 << 15)
_HEAD, _TAIL = 16, 3
NEVER_S, OLD_S = 255, 254


@dataclass(frozen=True, slots=True)
class Live:
    """What a dongle tells at one moment; None = not known. levels: by number of the code, 0 to 3;
    watched, unknown: numbers of codes. pack_age_s, cells_age_s: None = never heard."""

    look: str
    group: int
    muted: bool
    charging: bool | None
    riding: bool | None
    charge_fet: bool | None
    discharge_fet: bool | None
    soc_pct: float | None
    pack_mv: int | None
    current_ma: int | None
    cells_mv: tuple[int, ...]
    temps_dc: tuple[int | None, ...]
    levels: tuple[int, ...]
    watched: frozenset[int]
    unknown: frozenset[int]
    pack_age_s: int | None
    cells_age_s: int | None

    @property
    def watts(self) -> float | None:
        """Into the pack."""
        if self.pack_mv is None or self.current_ma is None:
            return None
        return self.pack_mv * self.current_ma / 1e6

    @property
    def believable_mv(self) -> list[int]:
        """Cells that have been heard of."""
        return [mv for mv in self.cells_mv if mv]

    @property
    def delta_mv(self) -> int | None:
        """Highest less lowest cell."""
        cells = self.believable_mv
        return max(cells) - min(cells) if cells else None


def decode(data: bytes) -> Live | None:
    """None where the value is cut (the link has short packets) or mixed of two: read it instead.
    PacklabError for a version this packlab does not know."""
    if data[:1] and data[0] != VERSION:
        raise PacklabError(
            f"the dongle speaks version {data[0]} of its values, this packlab version {VERSION};"
            " use the packlab that came with its firmware"
        )
    if len(data) < _HEAD or int.from_bytes(data[2:4], "little") != len(data):
        return None
    cells, probes, codes = data[13:16]
    temps_at = _HEAD + 2 * cells
    levels_at = temps_at + 2 * probes
    watched_at = levels_at + (codes + 3) // 4
    unknown_at = watched_at + (codes + 7) // 8
    tail = unknown_at + (codes + 7) // 8
    if tail + _TAIL != len(data) or data[1] != data[-1]:
        return None
    state = _number(data, 4, 2)
    known, fets = bool(state >> 9 & 1), bool(state >> 12 & 1)
    return Live(
        look=LOOKS[state & 7],
        group=state >> 3 & 7,
        muted=bool(state >> 6 & 1),
        charging=bool(state >> 7 & 1) if known else None,
        riding=bool(state >> 8 & 1) if known else None,
        charge_fet=bool(state >> 10 & 1) if fets else None,
        discharge_fet=bool(state >> 11 & 1) if fets else None,
        soc_pct=None if data[6] == 0xFF else data[6] / 2,
        pack_mv=_known(_number(data, 7, 2), 0xFFFF, 10),
        current_ma=_known(_number(data, 9, 4, signed=True), _NO_MA),
        cells_mv=tuple(_number(data, _HEAD + 2 * n, 2) for n in range(cells)),
        temps_dc=tuple(
            _known(_number(data, temps_at + 2 * n, 2, signed=True), _NO_DC) for n in range(probes)
        ),
        levels=tuple(data[levels_at + n // 4] >> n % 4 * 2 & 3 for n in range(codes)),
        watched=_bits(data, watched_at, codes),
        unknown=_bits(data, unknown_at, codes),
        pack_age_s=_known(data[tail], NEVER_S),
        cells_age_s=_known(data[tail + 1], NEVER_S),
    )


def _number(data: bytes, at: int, size: int, *, signed: bool = False) -> int:
    return int.from_bytes(data[at : at + size], "little", signed=signed)


def _known(value: int, unknown: int, factor: int = 1) -> int | None:
    return None if value == unknown else value * factor


def _bits(data: bytes, at: int, count: int) -> frozenset[int]:
    return frozenset(n for n in range(count) if data[at + n // 8] >> n % 8 & 1)
