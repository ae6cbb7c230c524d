"""docs/bench.md says what the programs say: verdicts and findings of its table are read back from
the pages of the very captures, and each has its picture."""

import re
from pathlib import Path

from conftest import ROOT
from packlab.files import opened
from test_flash import packlab
from test_report import REAL, page, visible

PAGE = ROOT / "docs" / "bench.md"
ROW = re.compile(r"^\| `(\w+)` \| (.*?) \| (.*?) ?\| \[picture\]\((\S+)\) \|$", re.M)
MOST_BYTES = 120_000


def test_the_table_is_what_the_pages_say(tmp_path: Path) -> None:
    rows = ROW.findall(PAGE.read_text("utf-8"))
    names = [name for name, *_ in rows]
    assert len(set(names)) == 10
    assert packlab("scenarios", *names, "--write", str(tmp_path))[0] == 0
    for name, verdict, finding, picture in rows:
        out = tmp_path / f"{name}.html"
        assert packlab("report", str(tmp_path / f"{name}.cap"), "-o", str(out))[0] == 0
        text, numbers = page(out)
        assert numbers["captures"][0]["origin"] == "made"
        read = visible(text)
        # the verdict's own band, not a part of a longer one
        assert re.search(rf"{re.escape(verdict)} State of charge", read), name
        assert finding in read, name
        assert_picture(PAGE.parent / picture)


def test_the_real_line_is_as_the_page_says(tmp_path: Path) -> None:
    said = PAGE.read_text("utf-8")
    code, shown, _ = packlab("show", str(REAL))
    assert code == 0
    quoted = re.search(r"One screen: (.*?), and", said, re.S)
    assert quoted
    values = re.findall(r"`([^`]+)`", quoted[1])
    assert len(values) == 4
    assert all(value in shown for value in values)
    target = tmp_path / "shared.cap.gz"
    code, shown, _ = packlab("share", str(REAL), str(target))
    assert code == 0
    assert shown.replace(str(target), "shared.cap.gz").strip() in said
    with opened(target) as stream:
        assert stream.read(10) == b"# deckwatc"
    assert_picture(PAGE.parent / "images" / "reports" / "m365_standing.png")


def assert_picture(path: Path) -> None:
    data = path.read_bytes()
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    assert int.from_bytes(data[16:20]) == 900
    assert len(data) < MOST_BYTES
