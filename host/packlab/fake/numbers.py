"""Values as they stand on a wire: rounded to the nearest unit, and no further than the field
goes."""


def per(value: int, unit: int) -> int:
    """`value` in units of `unit`, to the nearest, halves up."""
    return (2 * value + unit) // (2 * unit)


def u8(value: int) -> int:
    """As near as an unsigned byte comes."""
    return min(max(value, 0), 0xFF)


def u16(value: int) -> int:
    """As near as 16 unsigned bits come."""
    return min(max(value, 0), 0xFFFF)


def s16(value: int) -> int:
    """As near as 16 signed bits come."""
    return min(max(value, -0x8000), 0x7FFF)


def u32(value: int) -> int:
    """As near as 32 unsigned bits come."""
    return min(max(value, 0), 0xFFFFFFFF)


def bits(names: frozenset[str] | set[str], places: dict[str, int]) -> int:
    """The bits of those names that have a place."""
    return sum({1 << places[name] for name in names if name in places})


def cell_bits(numbers: tuple[int, ...]) -> int:
    """Bit 0 for cell 1."""
    return sum(1 << number - 1 for number in numbers)
