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
        bands = re.findall(r'<p class="verdict \w+">(.*?)</p>', text)
        assert bands == [verdict], name
        assert finding in read, name
        assert picture == f"images/reports/{name}.png"
        assert_picture(PAGE.parent / picture, f"{name}: {verdict}")


def test_the_real_line_is_as_the_page_says(tmp_path: Path) -> None:
    said = PAGE.read_text("utf-8")
    code, shown, _ = packlab("show", str(REAL))
    assert code == 0
    quoted = re.search(r"One screen: (.*?), and", said, re.S)
    assert quoted
    values = re.findall(r"`([^`]+)`", quoted[1])
    assert len(values) == 4
    for value in values:
        assert re.search(rf"(?<![\d.]){re.escape(value)}", shown), value
    target = tmp_path / "shared.cap.gz"
    code, shown, _ = packlab("share", str(REAL), str(target))
    assert code == 0
    assert shown.replace(str(target), "shared.cap.gz").strip() in said
    with opened(target) as stream:
        assert stream.read(10) == b"# deckwatc"
    picture = PAGE.parent / "images" / "reports" / "m365_standing.png"
    assert_picture(picture, "m365_standing: nothing found, as far as it was watched")


def assert_picture(path: Path, description: str) -> None:
    """It is a picture of the page that says so: reports.py notes the verdict in it."""
    data = path.read_bytes()
    assert b"tEXtDescription\0" + description.encode() in data
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    assert int.from_bytes(data[16:20]) == 900
    assert len(data) < MOST_BYTES
