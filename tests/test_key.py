"""packlab key: the owner's key over the cable, as text and as a code, on the virtual board at a
port."""

import json
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
from deckwatch.owner import bind_key
from dongle import Dongle, plugged_in
from packlab.errors import PacklabError
from packlab.key import sheet
from packlab.key.keys import OwnerKey
from test_flash import packlab, refused


@pytest.fixture
def dongle(tmp_path: Path) -> Iterator[Dongle]:
    with plugged_in(tmp_path / "state") as plugged:
        yield plugged


def kept(dongle: Dongle) -> str:
    """The key in the board's NVS."""
    key: str = json.loads((dongle.state / "nvs.json").read_text())["deckwatch"]["bowner"]
    return key


def shown(*words: str) -> dict[str, str]:
    """The named lines of what the command says."""
    code, out, err = packlab("key", *words)
    assert (code, err) == (0, "")
    text = out.replace("bind key", "bind_key")
    return dict(line.split(None, 1) for line in text.splitlines())


def test_a_new_dongle_gets_a_key_and_keeps_it(dongle: Dongle) -> None:
    first = shown(dongle.port)
    key = first["key"]
    assert len(bytes.fromhex(key)) == 16
    assert kept(dongle) == key
    assert first["a"].startswith("new key")
    assert first["bind_key"].split()[0] == bind_key(bytes.fromhex(key)).hex()
    assert first["page"] == f"http://localhost:8765/#d={first['dongle']}&k={key}"

    again = shown(dongle.port, "--page", "https://example.org/app/")
    assert again["key"] == f"{key}"
    assert again["page"].startswith("https://example.org/app/#d=")

    renewed = shown(dongle.port, "--renew")
    assert renewed["key"] != key
    assert kept(dongle) == renewed["key"]


def test_the_code_as_a_picture(dongle: Dongle, tmp_path: Path) -> None:
    code, out, _ = packlab("key", dongle.port, "--qr", str(tmp_path / "key.png"))
    assert code == 0
    assert out.startswith(f"wrote {tmp_path / 'key.png'}\n")
    data = (tmp_path / "key.png").read_bytes()
    assert data.startswith(b"\x89PNG")
    width, height = struct.unpack(">II", data[16:24])
    assert width == height > 200
    assert "must end in .svg or .png" in refused(
        "key", dongle.port, "--qr", str(tmp_path / "key.txt")
    )
    assert "cannot be written" in refused(
        "key", dongle.port, "--qr", str(tmp_path / "nowhere" / "key.svg")
    )


def test_the_code_in_the_terminal_holds_the_address() -> None:
    owner = OwnerKey(bytes(range(16)), "DW-18B2")
    drawn = sheet.terminal_code(owner, sheet.PAGE)
    assert len(drawn.splitlines()) > 15
    other = OwnerKey(bytes(16), "DW-18B2")
    assert drawn == sheet.terminal_code(owner, sheet.PAGE)
    assert drawn != sheet.terminal_code(other, sheet.PAGE)


def test_a_picture_of_another_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PacklabError, match="must end in"):
        sheet.check(tmp_path / "key.gif")


def test_no_dongle() -> None:
    assert "/dev/no-such-port" in refused("key", "/dev/no-such-port")
