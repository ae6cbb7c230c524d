"""What may pass by on a line without anybody's doing, as bits of one number: a family says which
of it does on its line, a guardrail which of it it stands on."""

# Slots, lists of a Telemetry (cells, probes, wires), and what the owner may say in their place:
# "groups" is the number of cells, "design" the capacity of the name plate
PASSING = (
    "pack_mv",
    "current_ma",
    "soc_pct",
    "charging_flag",
    "charge_fet",
    "discharge_fet",
    "mos_temp_dc",
    "faults_a",
    "error_code",
    "humidity_pct",
    "cell_mv",
    "temp_dc",
    "wire_mohm",
    "groups",
    "design",
)
NEVER = 1 << len(PASSING)  # stands for whatever else there is


def bits(*names: str) -> int:
    """A bit for each of these names of PASSING."""
    return sum([1 << PASSING.index(name) for name in set(names)])


def names(found: int) -> tuple:
    """Whose bits these are."""
    return tuple([name for place, name in enumerate(PASSING) if found >> place & 1])


CELLS = bits("cell_mv")
GROUPS = bits("groups")
DESIGN = bits("design")
