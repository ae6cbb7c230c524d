#!/usr/bin/env python3
"""Write the firmware as it is copied to a dongle into a folder, compiled for one board.

    python3 tools/bundle.py ESP32_C3_MINI build/c3 [--family xiaomi]

For a dongle that is filled by other means than `packlab flash`: copy the folder's content into
the root of its flash, or let mip do so: `mpremote mip install --target / build/c3/package.json`.
"""

import argparse
import json
import sys
from pathlib import Path

from packlab.errors import PacklabError
from packlab.flash import boards, bundle


def main(arguments: list[str] | None = None) -> int:
    """Write the folder and print its size; 1 and a sentence when something does not fit."""
    parser = argparse.ArgumentParser(prog="bundle.py", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("board", help=", ".join(boards.names()))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--family", help="leave out what only other families need")
    options = parser.parse_args(arguments)
    try:
        board = boards.load(options.board)
        made = bundle.build(board.chip, options.family)
    except PacklabError as error:
        print(f"bundle: {error}", file=sys.stderr)
        return 1
    write(made, board, options.folder)
    total = sum(map(len, made.files.values()))
    print(f"{made.name} for {board.name}: {len(made.files)} files, {total} bytes")
    return 0


def write(made: bundle.Bundle, board: boards.Board, folder: Path) -> None:
    """Lay out a dongle's flash: the bundle in its first slot, what starts it, and the pins."""
    files = {f"app1/{path}": data for path, data in made.files.items()}
    files[f"app1/{bundle.LIST}"] = made.list_file()
    files["board.json"] = json.dumps(board.over_stock()).encode()
    files |= bundle.boot_files()
    urls = [[path, path] for path in sorted(files)]
    listing = {"version": made.listing["name"], "deps": [], "urls": urls}
    files["package.json"] = json.dumps(listing, indent=1).encode()
    for path, data in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)


if __name__ == "__main__":
    sys.exit(main())
