"""Writes firmware/deckwatch/index.py: protocol families, the speeds they speak at, profiles.

    python3 tools/make_index.py [--check]

The firmware needs it because a frozen package cannot be listed. A protocol is a module in
protocols/ that sets FRAMING, a profile any module in profiles/. --check only compares (exit 1:
run me).
"""

import ast
import sys
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent.parent / "firmware" / "deckwatch"


def _names(folder: str, mark: str) -> list[str]:
    """Modules of a folder whose text sets `mark` at top level, sorted."""
    modules = sorted((PACKAGE / folder).glob("*.py"))
    return [
        path.stem
        for path in modules
        if any(line.startswith(mark) for line in path.read_text().splitlines())
    ]


def _speeds() -> list[tuple[int, list[str]]]:
    """Each line speed with the families whose BAUDS name it, the speed of most families first."""
    families: dict[int, list[str]] = {}
    for name in _names("protocols", "FRAMING = "):
        for node in ast.parse((PACKAGE / "protocols" / f"{name}.py").read_text()).body:
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "BAUDS":
                for baud in ast.literal_eval(node.value):
                    families.setdefault(baud, []).append(name)
    return sorted(families.items(), key=lambda item: (-len(item[1]), -item[0]))


def render() -> str:
    """The text of index.py."""
    lines = [
        '"""Names of the families and profiles; written by tools/make_index.py, never by hand."""',
        "",
    ]
    for constant, folder, mark in (
        ("PROTOCOLS", "protocols", "FRAMING = "),
        ("PROFILES", "profiles", "OPTIONS = "),
    ):
        lines += [f"{constant} = ("]
        lines += [f'    "{name}",' for name in _names(folder, mark)]
        lines += [")"]
    lines += ["# line speed and who speaks at it, in the order to try them", "SPEEDS = ("]
    for baud, names in _speeds():
        lines += [f"    ({baud}, ({', '.join(repr(name) for name in names)},)),".replace("'", '"')]
    lines += [")"]
    return "\n".join(lines) + "\n"


def main() -> int:
    """Write, or compare with --check."""
    target = PACKAGE / "index.py"
    text = render()
    if "--check" in sys.argv[1:]:
        if target.exists() and target.read_text() == text:
            return 0
        print(f"{target.name} is out of date: run python3 tools/make_index.py")
        return 1
    target.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
