"""The phone page's modules against the firmware's own code: layouts, tags, options, words. They
run in a real Chromium; no dongle is needed."""

import json
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from chromium import Chromium, Page
from conftest import ROOT
from deckwatch import config, owner, settings
from deckwatch.guardrails.table import CODES
from deckwatch.options import every, names
from deckwatch.outputs import gatt, journal
from deckwatch.telemetry import INDEX
from line_rig import LineRig
from pack_rig import PackRig
from packlab.air import chromium
from packlab.air.page import PAGE, PageServer
from packlab.cli import main
from test_ble_gatt import live_of

from tools import make_phone

KEY = bytes(range(16))


@pytest.fixture(scope="module")
def browser() -> Iterator[Chromium]:
    if lack := chromium.missing():
        pytest.skip(lack)
    running = Chromium({})
    yield running
    running.close()


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with PageServer(0) as server:
        yield server.address


@pytest.fixture
def page(browser: Chromium, address: str) -> Page:
    browser.close_pages()
    found = browser.page(address)
    found.until("document.body.dataset.ready")
    return found


def asked(page: Page, module: str, expression: str) -> Any:
    """An expression in which `m` is one of the page's modules, as JSON has it."""
    return json.loads(
        page.js(f"import('./{module}.js').then(async (m) => JSON.stringify(await ({expression})))")
    )


def view(data: bytes) -> str:
    return f"new DataView(Uint8Array.of({','.join(map(str, data))}).buffer)"


def lives() -> Iterator[bytes]:
    """Values of every kind: nothing known, riding, charging, alarmed, silent, the longest."""
    encoder = gatt.Live()
    line = LineRig()

    def now() -> bytes:
        encoder.encode(line.core, line.now)
        return bytes(encoder.buf[: encoder.size])

    line.advance(2000)
    yield now()
    line.ride(4, cells=[3700 + 3 * i for i in range(10)], current_ma=-12340, temps_c=(23, -8))
    yield now()
    line.ride(70, current_ma=2000)
    yield now()
    line.ride(12, temps_c=(61, 23))
    line.core.acknowledge()
    yield now()
    line.level("low", "bms_tx")
    line.ask()
    line.advance(7000)
    yield now()
    line = LineRig()
    t = line.core.packs[0].telemetry
    t.begin(line.now)
    for cell in range(32):
        t.set_cell(cell, 3000 + cell)
    for probe in range(8):
        t.set_temp(probe, -100 + probe)
    t.end()
    yield now()
    for charge in (0, 1):
        t.begin(line.now)
        t.set(INDEX["charge_fet"], charge)
        t.set(INDEX["discharge_fet"], 1 - charge)
        t.end()
        line.core.begin(1, 0)
        yield now()


def test_live_values_are_read_as_the_firmware_writes_them(page: Page) -> None:
    looks, sessions, switches = set(), set(), set()
    for data in lives():
        want = live_of(data)
        got = asked(page, "codec", f"m.decodeLive({view(data)})")
        looks.add(want["look"])
        assert got["look"] == want["look"]
        assert got["soc"] == want["soc"]
        volts = want["pack_mv"] and want["pack_mv"] / 1000
        assert got["volts"] == pytest.approx(volts) if volts else got["volts"] is None
        amps = want["current_ma"]
        assert got["amps"] == (None if amps is None else amps / 1000)
        if volts and amps is not None:
            assert got["watts"] == pytest.approx(volts * amps / 1000)
        assert [mv or 0 for mv in got["cellMv"]] == want["cell_mv"]
        temps = [None if dc == -32768 else dc / 10 for dc in want["temp_dc"]]
        assert got["temps"] == temps
        assert {one["code"]: one["level"] for one in got["alerts"]} == want["alerts"]
        unknown = {one["code"] for one in got["alerts"] if one["unknown"]}
        assert unknown == want["unknown"] & set(want["alerts"])
        assert set(got["unwatched"]) == set(CODES) - want["watched"]
        assert got["muted"] == bool(want["state"] & 1)
        session = ("ordinary", "recovering", "commissioning")[want["state"] >> 7]
        assert got["session"] == session
        sessions.add(session)
        fets = want["state"] >> 6 & 1
        assert got["chargeFet"] == (bool(want["state"] >> 4 & 1) if fets else None)
        assert got["dischargeFet"] == (bool(want["state"] >> 5 & 1) if fets else None)
        switches.add(got["chargeFet"])
        known = want["state"] >> 3 & 1
        assert got["charging"] == (bool(want["state"] >> 1 & 1) if known else None)
        assert got["packAge"] == (None if want["pack_age_s"] == 255 else want["pack_age_s"])
        assert not asked(page, "codec", f"m.isCut({view(data)})")
        for cut in (0, 3, 20):
            assert asked(page, "codec", f"m.isCut({view(data[:cut])})")
    assert {"no_data", "alarm"} < looks
    assert sessions == {"ordinary", "recovering"}
    assert switches == {None, True, False}
    mixed = data[:-1] + bytes((data[-1] ^ 1,))
    with pytest.raises(Exception, match="two readings were mixed"):
        asked(page, "codec", f"m.decodeLive({view(mixed)})")


def test_settings_go_both_ways(page: Page) -> None:
    numbered = names()
    for options in ({}, {"profile": "daly"}, {"cell_spread_warn_mv": None, "series": 0}):
        loaded = config.load(options)
        got = asked(page, "codec", f"m.decodeSettings({view(settings.encode(loaded))})")
        for number, name in enumerate(numbered):
            assert got[name] == loaded.values[number], name
    tried = 0
    for number, (name, _, allowed) in enumerate(every()):
        values = list(allowed) if isinstance(allowed[0], str) else [*allowed, sum(allowed) // 2]
        if number >= config.FIRST_LIMIT:
            values.append(None)
        for value in values:
            call = f"[...m.encodeOption({json.dumps(name)}, {json.dumps(value)})]"
            sent = bytes(asked(page, "codec", call))
            assert sent[0] == number
            choices = config.choices(number)
            assert settings._number(name, choices, sent[1:]) == value, name
            tried += 1
    assert tried > 2 * len(numbered)


def test_tags_are_the_firmwares(page: Page) -> None:
    nonce = bytes(range(100, 116))
    body = bytes((6, 200, 3, 17, 0x10, 0x0E))
    call = f"""(async () => {{
      const hmac = {{ name: "HMAC", hash: "SHA-256" }};
      const raw = Uint8Array.of({",".join(map(str, KEY))});
      const key = await crypto.subtle.importKey("raw", raw, hmac, false, ["sign"]);
      const array = (text) => Uint8Array.from(text.split(","), Number);
      const nonce = array("{",".join(map(str, nonce))}");
      return [...await m.signed(key, nonce, array("{",".join(map(str, body))}"))];
    }})()"""
    assert bytes(asked(page, "owner", call)) == body + owner.tag(KEY, nonce, body)
    frame = asked(page, "codec", "[...m.commandBody(6, 200, m.encodeOption('series', 13))]")
    assert bytes(frame) == bytes((6, 200, 2, names().index("series"), 13))
    assert asked(page, "codec", "[...m.uint32(1796000000)]") == list(
        (1796000000).to_bytes(4, "little")
    )


def everything() -> bytes:
    """Records of every kind, over two starts; the time of day became known in the second."""
    rig = PackRig(number=1)
    rig.frame(pack_mv=36_000, current_ma=-12_000, cells=[3600] * 9 + [3500], temps=[250, 240])
    made = journal.Batch(2048)
    made.boot, made.uptime_s = 7, 65
    made.boot_record("watchdog", 3, "0.1.0")
    code = CODES.index("cell_spread")
    made.alert(rig.alerts, code, *map(journal.name_id, ("cell_spread", "cell_spread_mv")), rig.now)
    made.alert(rig.alerts, 0, 0x1234, 0x5678, rig.now)
    span = journal.Span()
    for known in (False, True):
        if known:
            span.take(rig.t, rig.now)
        span.write(made.buf, made.begin(journal.RIDE, 1, journal.SPAN_BYTES))
        at = made.begin(journal.CHECKPOINT, 1, journal.CHECKPOINT_BYTES)
        made.buf[at] = journal.CHARGE
        journal.snapshot(made.buf, at + 1, rig.t, rig.now + (0 if known else 60_000))
        at = made.begin(journal.TRACE, 1, 1 + 2 * journal.ROW_BYTES)
        made.buf[at] = 1
        for row in range(2):
            journal.row(made.buf, at + 1 + row * journal.ROW_BYTES, rig.t, rig.now + row * 60_000)
    made.boot, made.uptime_s, made.wall_s = 8, 5, 0
    made.text(journal.CONFIG, "cell_high_warn_mv\0004220\0004180")
    made.uptime_s, made.wall_s = 100, 200_000_000
    made.text(journal.NOTE, 'he said "é, no"')
    made.data(journal.SUPPLY, 2, bytes((journal.TRIPPED, journal.RIDE)))
    made.data(journal.LOST, 0, bytes((1, 0, 2, 0, 3, 0)))
    at, number = 0, 100
    while at < made.size:
        at = journal.seal(made.buf, at, number)
        number += 1
    return bytes(made.buf[:40]) + b"\xa6\x05half" + bytes(made.buf[: made.size])


def test_the_journals_table_is_packlabs(
    page: Page, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    saved = tmp_path / "ride.journal"
    saved.write_bytes(everything())
    assert main(["journal", str(saved), "--csv"]) == 0
    wanted = capsys.readouterr().out
    assert {
        "boot",
        "alert",
        "ride",
        "checkpoint",
        "trace",
        "config",
        "note",
        "supply",
        "lost",
    } == {line.split(",")[1] for line in wanted.splitlines()[1:]}
    array = f"Uint8Array.of({','.join(map(str, saved.read_bytes()))})"
    assert asked(page, "journal", f"m.csv({array})") == wanted
    flipped = bytearray(everything())
    flipped[-30] ^= 1
    saved.write_bytes(flipped)
    array = f"Uint8Array.of({','.join(map(str, flipped))})"
    main(["journal", str(saved), "--csv"])
    assert asked(page, "journal", f"m.csv({array})") == capsys.readouterr().out != wanted


def test_a_key_is_known_in_every_form_it_comes_in(page: Page, address: str) -> None:
    key = KEY.hex()
    for text, device in (
        (f"{address}#d=DW-18B2&k={key}", "DW-18B2"),
        (f"#d=DW-18B2&k={key}", "DW-18B2"),
        (key, None),
        (f"  {key[:8]} {key[8:].upper()} ", None),
    ):
        got = asked(page, "owner", f"m.parseKey({json.dumps(text)})")
        assert got == {"device": device, "key": key}, text
    for text in ("", key[:-1], key + "0", "g" * 32, address, "#d=DW-18B2"):
        assert asked(page, "owner", f"m.parseKey({json.dumps(text)})") is None, text


def test_one_operation_at_a_time(page: Page) -> None:
    story = asked(
        page,
        "queue",
        """(async () => {
          const queue = new m.Queue();
          const story = [];
          const work = (name, ms, fails) => async () => {
            story.push(name);
            await new Promise((done) => setTimeout(done, ms));
            story.push(name);
            if (fails) throw new Error(name);
          };
          const all = [work("a", 30), work("b", 1, true), work("c", 5)];
          const ends = await Promise.allSettled(all.map((one) => queue.run(one)));
          return [story, ends.map((end) => end.status)];
        })()""",
    )
    assert story == [["a", "a", "b", "b", "c", "c"], ["fulfilled", "rejected", "fulfilled"]]


def refusals() -> set[str]:
    """What the firmware says when an option cannot be set as asked, and its other refusals."""
    said = set()
    numbers = range(len(names()) + 1)
    for number in numbers:
        for data in (b"\xff", b"\xff\xff\xff\x7f", b"\0\0\0\x80", b"\1\2\3\4\5", b""):
            try:
                settings.Change({}, number, data, "m365")
            except ValueError as refusal:
                said.add(str(refusal))
    source = (ROOT / "firmware" / "deckwatch" / "remote.py").read_text("utf-8")
    others = re.findall(r'return REFUSED, "([^"]+)"', source)
    assert len(others) == 2
    return said | {text.replace("%d", "9") for text in others}


def test_every_refusal_is_told_in_the_readers_words(page: Page) -> None:
    texts = sorted(refusals())
    assert len(texts) > 100
    told = dict(
        zip(texts, asked(page, "refusals", f"{json.dumps(texts)}.map(m.explained)"), strict=True)
    )
    assert [text for text, words in told.items() if words == text or "{" in words] == []
    assert told['"series" is -1; it must be a whole number from 0 to 32'].endswith("from 0 to 32.")
    limit = '"charge_cold_warn_dc" is 2147483647; it must be a whole number from -100 to 200'
    assert told[f"{limit}, or null for no limit"] == (
        "Charging too cold, warning must be from -10 °C to 20 °C."
    )
    # another one is told as it came
    assert asked(page, "refusals", "m.explained('no room')") == "no room"


def test_every_word_there_is_a_need_for_is_there_in_both_languages(page: Page) -> None:
    english, german = (asked(page, f"words.{language}", "m.default") for language in ("en", "de"))
    assert english.keys() == german.keys()
    for name, text in english.items():
        places = sorted(part.split("}")[0] for part in text.split("{")[1:])
        assert places == sorted(part.split("}")[0] for part in german[name].split("{")[1:]), name
    tables = {name: value for name, _, value in make_phone.tables()}
    needed = [f"look_{look}" for look in tables["LOOKS"]]
    needed += [f"level_{level}" for level in tables["LEVELS"][1:]]
    needed += [f"result_{name.lower()}" for name in tables["RESULT"] if name != "HOLD_BUTTON"]
    needed += re.findall(r'"(refusal_\w+)"', (PAGE / "refusals.js").read_text("utf-8"))
    needed += [f"session_{kind}" for kind in tables["SESSIONS"][1:]]
    assert make_phone.missing_words() == []
    source = "".join(path.read_text() for path in (PAGE / "index.html", *PAGE.glob("*.js")))
    for mark in ('say("', "say(`", 'data-say="'):
        for part in source.split(mark)[1:]:
            word = part.split('"')[0] if mark.endswith('"') else ""
            if word.isidentifier():
                needed.append(word)
    assert len(needed) > 80
    assert [word for word in needed if word not in english] == []
    units = asked(page, "options", "Object.keys(m.UNITS)")
    assert {option["unit"] for option in tables["OPTIONS"] if "unit" in option} <= set(units)
    for language in ("en", "de"):
        advice = json.loads((PAGE / f"advice.{language}.json").read_text())["guardrails"]
        assert set(CODES) <= advice.keys()


def test_a_browser_that_lacks_something_is_told_so(browser: Chromium, address: str) -> None:
    for taken, lack, hint in (
        ("Object.defineProperty(navigator, 'bluetooth', { value: undefined })",
         "It has no Web Bluetooth.", "On iPhone and iPad no browser of the system can"),
        ("Object.defineProperty(window, 'isSecureContext', { value: false })",
         "The page must come over https", ""),
        ("navigator.bluetooth.getAvailability = async () => false", "Bluetooth is off", ""),
    ):  # fmt: skip
        browser.close_pages()
        page = browser.page("about:blank")
        page.send("Page.addScriptToEvaluateOnNewDocument", {"source": taken})
        page.go(address)
        page.until("document.body.dataset.ready")
        said = page.text("#lacking")
        assert "This browser cannot reach the dongle" in said
        assert lack in said
        assert hint in said
        assert page.js("document.querySelector('#connect').disabled")
        assert page.complaints == []


def test_all_of_the_page_is_kept_and_none_of_it_comes_from_elsewhere() -> None:
    shell = json.loads((PAGE / "shell.js").read_text().split("=", 1)[1].rstrip().rstrip(";"))
    kept = set(shell["files"]) - {"./"}
    assert kept == {path.name for path in PAGE.iterdir()} - {"sw.js", "shell.js"}
    for path in PAGE.iterdir():
        if path.suffix in (".js", ".html", ".css", ".webmanifest"):
            text = path.read_text().replace("http://www.w3.org/", "")
            assert "http://" not in text, path.name
            assert "https://" not in text, path.name
            assert len(text.splitlines()) < 260, f"{path.name}: one idea a file"
    versions = [make_phone.render_shell() for _ in range(2)]
    assert all(a == b for a, b in pairwise(versions))
