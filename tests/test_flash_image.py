"""Which MicroPython image is let onto a chip: the pinned one, or one whose own checks hold."""

import hashlib
import io
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from packlab.errors import PacklabError
from packlab.flash import boards, image

CHIPS = sorted(image.STOCK)


def part(chip_id: int, size: int = 1000, segments: int = 2) -> bytes:
    """A boot loader or program as esptool writes it: header, segments, check byte, SHA-256."""
    head = bytearray(24)
    head[0], head[1], head[23] = 0xE9, segments, 1
    head[12:14] = chip_id.to_bytes(2, "little")
    body = bytes(head)
    for number in range(segments):
        data = bytes([number]) * size
        body += (0x3F400000 + number).to_bytes(4, "little") + size.to_bytes(4, "little") + data
    body += bytes(15 - len(body) % 16) + b"\x11"
    return body + hashlib.sha256(body).digest()


def made(chip: str, offset: int, **program: int) -> bytes:
    """A whole image: what MicroPython's build puts together."""
    chip_id = image.STOCK[chip].chip_id
    flash = bytearray(b"\xff" * 0x10000)
    boot = part(chip_id)
    flash[offset : offset + len(boot)] = boot
    flash[0x8000:0x8002] = b"\xaa\x50"
    return bytes(flash[offset:]) + part(chip_id, **program)


def offset_of(chip: str) -> int:
    return next(b.image_offset for b in map(boards.load, boards.names()) if b.chip == chip)


@pytest.mark.parametrize("chip", CHIPS)
def test_a_whole_image_passes_at_its_address_alone(chip: str) -> None:
    offset = offset_of(chip)
    whole = made(chip, offset)
    assert image.damage(whole, chip, offset) == ""
    assert image.damage(whole, chip, 0x1000 - offset) != ""
    for other in CHIPS:
        if other != chip:
            assert image.damage(whole, other, offset) == "its boot loader is for another chip"


@pytest.mark.parametrize("sizes", [4, 5, 8, 1000, 1003])
def test_every_padding_is_understood(sizes: int) -> None:
    assert image.damage(made("esp32c3", 0, size=sizes), "esp32c3", 0) == ""


def flipped(data: bytes, place: int) -> bytes:
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


def test_damage_is_named() -> None:
    whole = made("esp32c3", 0)
    cases = {
        b"": "it does not begin as an ESP image does",
        b"<html>" + whole: "it does not begin as an ESP image does",
        flipped(
            whole, 0x8000
        ): "there is no partition table where one must be; is it made for 0x0?",
        whole[:0x10000]: "its program is missing",
        whole[: 0x10000 + 600]: "its program is cut short",
        whole[:-1]: "its program is damaged: its checksum does not fit",
        flipped(whole, 0x10000 + 500): "its program is damaged: its checksum does not fit",
        flipped(whole, 100): "its boot loader is damaged: its checksum does not fit",
        flipped(whole, 0x10000 + 23): "its program carries no checksum",
        flipped(whole, 0x10000 + 12): "its program is for another chip",
    }
    for damaged, words in cases.items():
        assert image.damage(damaged, "esp32c3", 0) == words


def test_user_s_file_is_examined(tmp_path: Path) -> None:
    path = tmp_path / "new.bin"
    path.write_bytes(made("esp32c3", 0))
    found, words = image.find("esp32c3", path, 0)
    assert (found, words) == (path, "new.bin, not the pinned release, but whole and for this chip")
    path.write_bytes(made("esp32c3", 0)[:-100])
    with pytest.raises(PacklabError, match=r"new.bin is no MicroPython image for this board: its"):
        image.find("esp32c3", path, 0)
    with pytest.raises(PacklabError, match=r"none.bin cannot be read: No such file"):
        image.find("esp32c3", tmp_path / "none.bin", 0)


class Site:
    """Upstream's site, without a network."""

    def __init__(self, answer: bytes | Exception, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked: list[str] = []
        self._answer = answer
        monkeypatch.setattr(urllib.request, "urlopen", self._open)

    def _open(self, url: str, timeout: float) -> io.BytesIO:
        assert timeout <= 60
        self.asked.append(url)
        if isinstance(self._answer, Exception):
            raise self._answer
        return io.BytesIO(self._answer)


def test_pinned_image_is_fetched_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = made("esp32", 0x1000)
    stock = image.Stock("ESP32_GENERIC-x.bin", hashlib.sha256(whole).hexdigest(), 0)
    monkeypatch.setitem(image.STOCK, "esp32", stock)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    site = Site(whole, monkeypatch)
    for _ in range(2):
        path, words = image.find("esp32", None, 0x1000)
        assert words == "MicroPython 1.28.0, as pinned"
        assert path.read_bytes() == whole
    assert site.asked == ["https://micropython.org/resources/firmware/ESP32_GENERIC-x.bin"]
    path.write_bytes(whole[:-1])  # a cache that was damaged is not trusted
    assert image.find("esp32", None, 0x1000)[0].read_bytes() == whole
    assert len(site.asked) == 2


def test_what_is_not_the_pinned_image_is_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    Site(made("esp32", 0x1000), monkeypatch)
    with pytest.raises(PacklabError, match="is not the pinned image: its SHA-256 differs"):
        image.find("esp32", None, 0x1000)
    Site(urllib.error.URLError("no route to host"), monkeypatch)
    with pytest.raises(PacklabError, match=r"could not be fetched \(no route to host\); fetch"):
        image.find("esp32", None, 0x1000)
    assert not list(tmp_path.rglob("*.bin"))


def test_pins_are_whole() -> None:
    for stock in image.STOCK.values():
        assert len(bytes.fromhex(stock.sha256)) == 32
        assert image.RELEASE in stock.file
    assert len({stock.sha256 for stock in image.STOCK.values()}) == 3
