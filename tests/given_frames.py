"""Decodes all given frames of a sheet and holds them against their `expect`; for family tests.

Prints a table of counts (pytest -s) and leaves the numbers to the test.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from deckwatch.frame import DAMAGED
from families import Heard, entries, listen, protocol


def known(heard: Heard, pack: int = 0) -> dict[str, Any]:
    """All that is known of a pack, with its model and the cells at 0 V at the string's end."""
    values = heard.values(pack)
    t = heard.packs[pack]
    if t.cells:
        values["cell_mv"] = list(t.cell_mv[: t.cells])
    if "model" in values:
        values["model"] = values["model"].strip("\0 ")
    return values


def hear(family: str, entry: dict[str, Any]) -> Heard:
    """The entry's frame, behind its request where one is given."""
    asked = [entry["request_hex"]] if entry["request_hex"] else []
    return listen(family, *asked, entry["hex"])


def check(
    family: str, same: Callable[[str, str, Any, Any], bool]
) -> tuple[Counter[str], Counter[str]]:
    """Frames by (what they turned out to be), values compared by slot.

    `same(hex, slot, expected, got)` says whether a value is right.
    """
    kinds: Counter[str] = Counter()
    slots: Counter[str] = Counter()
    for entry in entries(family):
        heard = hear(family, entry)
        if entry.get("must") == "reject":
            assert [frame.data.hex() for frame in heard.frames] != [entry["hex"]], entry["meaning"]
            kinds["rejected"] += 1
            continue
        frame = heard.frames[-1]
        assert frame.data.hex() == entry["hex"], entry["meaning"]
        assert heard.framer.numbers[DAMAGED] == 0, entry["meaning"]
        kinds[frame.kind] += 1
        values = known(heard, frame.pack)
        for slot, expected in entry["expect"].items():
            assert slot in values, (entry["meaning"], slot)
            assert same(entry["hex"], slot, expected, values[slot]), (
                entry["meaning"],
                slot,
                values[slot],
            )
            slots[slot] += 1
    print(f"\n{family}: {kinds.total()} frames")
    for title, counts in (("kind", kinds), ("slot compared", slots)):
        for name, count in sorted(counts.items()):
            print(f"  {title:14} {name:16} {count:4}")
    return kinds, slots


def damaged(family: str) -> Iterator[tuple[dict[str, Any], int, bytes]]:
    """Every given frame with every byte wrong, once in one bit and once in all: (entry, place,
    bytes)."""
    for entry in entries(family):
        frame = bytes.fromhex(entry["hex"])
        for place in range(len(frame)):
            for wrong in (1 << place % 8, 0xFF):
                yield (
                    entry,
                    place,
                    frame[:place] + bytes([frame[place] ^ wrong]) + frame[place + 1 :],
                )


def check_damaged(family: str) -> Counter[str]:
    """No damaged frame may give a value that the whole frame does not give."""
    outcome: Counter[str] = Counter()
    whole: dict[str, dict[str, Any]] = {}
    for entry, place, data in damaged(family):
        if entry["hex"] not in whole:
            heard = hear(family, entry)
            whole[entry["hex"]] = known(heard, heard.frames[-1].pack)
        heard = listen(family, data)
        for pack in range(2):
            values = known(heard, pack)
            wrong = {
                name: value
                for name, value in values.items()
                if whole[entry["hex"]].get(name) != value
            }
            assert not wrong, (entry["meaning"], place, wrong)
            outcome["without a value" if not values else "same value"] += pack == 0
        outcome["rejected" if not heard.frames else "still a frame"] += 1
    print(f"\n{family}: damaged {dict(outcome)}")
    return outcome


def requests(family: str) -> list[str]:
    """Hex of the family's REQUESTS, each of which must be heard as a read and nothing else."""
    rows = protocol(family).REQUESTS
    for name, asked, kind, period_ms in rows:
        (frame,) = listen(family, asked).frames
        assert (frame.data.hex(), frame.kind, frame.is_request) == (asked, "read", True), name
        assert kind == "reply"
        assert period_ms >= 1000
    assert len({row[0] for row in rows}) == len(rows)
    return [row[1] for row in rows]
