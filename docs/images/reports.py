"""Makes the pictures of docs/bench.md: the report of the real capture and of ten scenarios, as a
repairer sees the top of the page.

Each picture carries the verdict of its page, which a test holds against the table. Run it from the
checkout after `make setup`, with chromium at hand:
    .venv/bin/pip install -e '.[pictures]' && .venv/bin/python docs/images/reports.py
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

from packlab.air import chromium
from packlab.checkout import root
from packlab.cli import main as packlab
from PIL import Image, PngImagePlugin  # type: ignore[import-not-found,unused-ignore]

SCENARIOS = (
    "spread_alarm", "weak_group", "loose_sense_wire", "charge_cold_alarm", "dead_probe",
    "heat_rise_alarm", "overcurrent", "trip_by_overcurrent", "cut_wire", "jbd_ride",
)  # fmt: skip
REAL = root() / "tests" / "data" / "captures" / "m365_standing.cap"
FOLDER = root() / "docs" / "images" / "reports"
WIDTH, HEIGHT, COLOURS = 900, 1500, 48


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as place:
        made = Path(place)
        packlab(["scenarios", *SCENARIOS, "--write", place])
        captures = {REAL.stem: REAL} | {name: made / f"{name}.cap" for name in SCENARIOS}
        for name, capture in captures.items():
            page, shot = made / f"{name}.html", made / f"{name}.png"
            packlab(["report", str(capture), "-o", str(page)])
            words = (
                "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
                f"--window-size={WIDTH},{HEIGHT}", f"--screenshot={shot}",
            )  # fmt: skip
            argv = chromium.command(made / "profile", page.as_uri(), *words)
            subprocess.run(argv, check=True, capture_output=True, timeout=120)
            with Image.open(shot) as image:
                small = image.convert("RGB").quantize(COLOURS)
                note = PngImagePlugin.PngInfo()
                note.add_text("Description", f"{name}: {verdict(page)}")
                small.save(FOLDER / f"{name}.png", optimize=True, pnginfo=note)


def verdict(page: Path) -> str:
    """The band at the top of a report."""
    found = re.search(r'<p class="verdict \w+">(.*?)</p>', page.read_text("utf-8"))
    assert found
    return found[1]


if __name__ == "__main__":
    sys.exit(main())
