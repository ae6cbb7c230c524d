"""Writes the advice the phone page carries, host/packlab/phone/advice.*.json, from the files in
host/packlab/advice.

    .venv/bin/python tools/make_advice.py [--check]

--check only compares (exit 1: run me).
"""

import sys

from packlab.advice.export import FILES, for_the_phone
from packlab.checkout import root


def main(arguments: list[str]) -> int:
    """Write, or compare with --check."""
    stale = []
    for name, language in FILES.items():
        path = root() / name
        made = for_the_phone(language)
        if not path.exists() or path.read_text("utf-8") != made:
            stale.append(name)
            if "--check" not in arguments:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(made, "utf-8")
    if stale and "--check" in arguments:
        print(f"{' and '.join(stale)} out of date: run .venv/bin/python tools/make_advice.py")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
