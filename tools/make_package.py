"""Writes package.json, by which `mpremote mip install` finds the firmware in a checkout or on the
web.

    python3 tools/make_package.py [--check]

It lists sources: the dongle compiles them itself whenever it starts. `packlab flash` and
tools/bundle.py bring them compiled. --check only compares (exit 1: run me).
"""

import json
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "package.json"


def render() -> str:
    """The text of package.json: where each file goes, and where it lies from here."""
    firmware = ROOT / "firmware"
    paths = sorted(path.relative_to(firmware).as_posix() for path in firmware.rglob("*.py"))
    urls = ",\n".join(f'    ["{path}", "firmware/{path}"]' for path in paths)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    head = json.dumps(project["version"])
    return f'{{\n  "version": {head},\n  "deps": [],\n  "urls": [\n{urls}\n  ]\n}}\n'


def main() -> int:
    """Write, or compare with --check."""
    text = render()
    if "--check" in sys.argv[1:]:
        if TARGET.exists() and TARGET.read_text() == text:
            return 0
        print(f"{TARGET.name} is out of date: run python3 tools/make_package.py")
        return 1
    TARGET.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
