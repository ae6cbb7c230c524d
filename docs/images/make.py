"""Makes the README's picture: the made charge-and-ride at the moment its cells raise the alarm.

Run it from the checkout after `make setup`: .venv/bin/python docs/images/make.py
"""

import io
import json
import re
from itertools import count
from pathlib import Path

from packlab.capture import CaptureReader
from packlab.made import made_capture_path
from packlab.replay import Settings, replay
from packlab.view.dongle import Frame, draw
from packlab.view.signals import is_lit
from packlab.view.state import Picture
from rich.console import Console

STORY, SEED, END_MS = "charge_and_ride", 1, 905_000
SHOWN_MS = 538_000
WIDTH, HEIGHT = 80, 24


def main() -> None:
    picture = Picture()
    with CaptureReader(made_capture_path(STORY, SEED)) as reader:
        for line in replay(reader, Settings({"profile": "m365"}, telemetry=True)):
            event = json.loads(line)
            if event.get("t_ms", END_MS) > SHOWN_MS:
                break
            picture.fold(event)
    console = Console(width=WIDTH, height=HEIGHT, record=True, file=io.StringIO())
    title = f"{STORY} (made with seed {SEED}: no scooter was involved)"
    beeped_ms = picture.sound.at_ms
    lit_ms = next(t_ms for t_ms in count(beeped_ms, 10) if is_lit(picture.light, t_ms))
    frame = Frame(title, lit_ms, beeped_ms - 1, END_MS, 60.0)
    console.print(draw(picture, frame, WIDTH, HEIGHT))
    svg = console.export_svg(title="packlab replay", unique_id="dongle")
    # The reader's own monospace font will do; nothing is to be loaded from elsewhere.
    svg = re.sub(r"\s*@font-face \{.*?\}", "", svg, flags=re.DOTALL)
    (Path(__file__).parent / "dongle.svg").write_text(svg, encoding="utf-8")


if __name__ == "__main__":
    main()
