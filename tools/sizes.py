"""Print how large each firmware module is: lines of source, and bytes compiled for both kinds of
chip.

`make sizes` calls it. The bytes are those of the .mpy file as it is copied to a dongle
(packlab/flash/bundle.py): without asserts, line numbers and long private names. They are flash;
what modules take of the heap is measured by `make bench` and tools/frozen.py.
"""

import sys
from pathlib import Path

from packlab.errors import PacklabError
from packlab.flash import bundle

FIRMWARE = Path(__file__).resolve().parent.parent / "firmware"
CHIPS = ("esp32", "esp32c3")  # one for each architecture; it matters to viper code alone


def main() -> int:
    """Print one line a module and the sums; 1 when a module does not compile."""
    try:
        sizes = [sized(chip) for chip in CHIPS]
    except PacklabError as failure:
        print(failure, file=sys.stderr)
        return 1
    print(f"{''.join(f'{bundle.MARCH[chip]:>11}' for chip in CHIPS)}  lines")
    total = 0
    for path in sizes[0]:
        lines = len((FIRMWARE / path).read_text().splitlines())
        total += lines
        print(f"{''.join(f'{size[path]:11}' for size in sizes)} {lines:6}  {path}")
    print(f"{''.join(f'{sum(size.values()):11}' for size in sizes)} {total:6}  all together")
    print("\nbytes of a bundle with one family, and of all of it")
    for family in (*bundle.families(), None):
        bundles = [bundle.build(chip, family) for chip in CHIPS]
        whole = [sum(map(len, made.files.values())) for made in bundles]
        print(f"{''.join(f'{size:11}' for size in whole)}         {family or 'all families'}")
    return 0


def sized(chip: str) -> dict[str, int]:
    """Compiled bytes by path, of the bundle and of what starts it (which is copied as source)."""
    made = bundle.build(chip).files
    sizes = {path.replace(".mpy", ".py"): len(data) for path, data in made.items()}
    return {**{path: len(data) for path, data in bundle.boot_files().items()}, **sizes}


if __name__ == "__main__":
    sys.exit(main())
