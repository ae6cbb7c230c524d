"""The phone page in a real headless Chromium, over real Web Bluetooth, on the firmware that
replays a capture: what is on the screen is what the board's own trace tells."""

import csv
import json
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from app_rig import cells, status
from chromium import Chromium, Page
from conftest import MicroPython
from packlab.air import bus, chromium
from packlab.air.page import PAGE, PageServer
from packlab.capture import CaptureReader, Event
from packlab.journal.records import parse
from packlab.journal.source import pieces
from packlab.made import made_capture_path
from phone_rig import DEVICE, KEY, Stage

PICTURES = Path(__file__).resolve().parent.parent / "build" / "phone"
PHONE = {"width": 412, "height": 915, "deviceScaleFactor": 1, "mobile": True}
STRANGER = "f" * 32
CELLS_MV = [3700 + 3 * i for i in range(10)]
DEAD_CELL = [*CELLS_MV[:6], 0, *CELLS_MV[7:]]
PARTED_S = 535.0  # of the made ride: cell 7 has parted from the others


@pytest.fixture(scope="module")
def ride() -> list[Event]:
    with CaptureReader(made_capture_path("charge_and_ride", 1)) as reader:
        return list(reader)


@pytest.fixture(scope="module")
def stage(micropython64: MicroPython) -> Iterator[Stage]:
    del micropython64
    if lack := chromium.missing() or bus.missing():
        pytest.skip(lack)
    with Stage() as running:
        yield running


@pytest.fixture(scope="module")
def browser(stage: Stage) -> Iterator[Chromium]:
    running = Chromium(stage.environment)
    yield running
    running.close()


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with PageServer(0) as server:
        yield server.address


def opened(browser: Chromium, address: str, *, key: str = "", language: str = "en") -> Page:
    """The page, ready, in a tab of its own, as a phone shows it; nothing of an earlier test is
    kept."""
    browser.close_pages()
    page = browser.page("about:blank")
    page.send("Emulation.setDeviceMetricsOverride", PHONE)
    page.send("Emulation.setLocaleOverride", {"locale": language})
    page.send("Network.setUserAgentOverride", {"userAgent": "phone", "acceptLanguage": language})
    page.send("Storage.clearDataForOrigin", {"origin": address.rstrip("/"), "storageTypes": "all"})
    page.go(address + (f"#d={DEVICE}&k={key}" if key else ""))
    page.until("document.body.dataset.ready")
    return page


def connected(browser: Chromium, address: str, *, key: str = "", language: str = "en") -> Page:
    page = opened(browser, address, key=key, language=language)
    page.click("#connect")
    page.until("document.querySelector('#state').className == 'connected'")
    page.until("document.querySelector('.setting') !== null")
    return page


def found(selector: str) -> str:
    """The element, in the page's own words."""
    return f"document.querySelector({json.dumps(selector)})"


def shown_cells(page: Page) -> list[int]:
    mv = page.js("[...document.querySelectorAll('.cell-table li')].map((x) => x.dataset.mv)")
    return [int(one) for one in mv]


def result_of(page: Page, option: str, value: str) -> str:
    """What the page says after an option was changed by hand; the page's own look at the value is
    left out, so that the dongle has to refuse it."""
    row = f"[data-option={option}]"
    page.click("[data-tab=settings]")
    page.click(row)
    page.js(f"document.querySelector('{row} + .edit form').noValidate = true")
    page.fill(f"{row} + .edit input[type=number]", value)
    page.click(f"{row} + .edit button")
    said = f"document.querySelector('{row} + .edit .said')?.textContent"
    return str(page.until(f"!['', undefined, 'Saving …'].includes({said}) && {said}"))


def test_the_screen_shows_what_the_trace_tells(
    stage: Stage, browser: Chromium, address: str, ride: list[Event]
) -> None:
    stage.replay(ride, PARTED_S)
    page = connected(browser, address)
    page.until("document.querySelectorAll('.cell-table li').length == 10")
    # the trace tells a value a second; wait for a moment at which screen and trace are of one time
    for _ in range(40):
        told = stage.told()
        if shown_cells(page) == [int(mv) for mv in told["cell_mv"].split(",")][:10]:
            break
        time.sleep(0.1)
    mv = shown_cells(page)
    assert mv == [int(mv) for mv in told["cell_mv"].split(",")][:10]
    assert page.text("#delta") == f"{told['cell_spread_mv']} mV" == f"{max(mv) - min(mv)} mV"
    assert page.text("#highest").startswith(f"▲ highest: cell {mv.index(max(mv)) + 1}, ")
    assert page.text("#lowest").startswith(f"▼ lowest: cell {mv.index(min(mv)) + 1}, ")
    marks = page.js("[...document.querySelectorAll('.bars .mark')].map((x) => x.textContent)")
    assert sorted(marks) == ["▲", "▼"]
    patterns = page.js("[...document.querySelectorAll('.bars [fill^=url]')].length")
    assert patterns == 2
    now = stage.told()
    assert page.text("#soc") == now["soc_pct"]
    assert float(page.text("#volts")) == pytest.approx(int(now["pack_mv"]) / 1000, abs=0.05)
    assert float(page.text("#amps")) == pytest.approx(int(now["current_ma"]) / 1000, abs=0.1)
    watts = float(page.text("#volts")) * float(page.text("#amps"))
    assert float(page.text("#watts")) == pytest.approx(watts, abs=1.5)
    assert page.text("#flow") == "charging"
    temps = [f"{int(dc) / 10:.1f} °C" for dc in now["temp_dc"].split(",")]
    assert re.findall(r"-?\d+\.\d °C", page.text("#temps")) == temps
    page.click("[data-tab=alerts]")
    missing = stage.said("watch 1")[-1].split()[2:]
    unwatched = page.js("document.querySelectorAll('#unwatched li').length")
    known = json.loads(page.js("import('./tables.js').then((t) => JSON.stringify(t.CODES))"))
    assert unwatched == len(set(known) - set(missing)) > 0
    assert page.complaints == []


def test_an_alarm_shows_within_a_second_and_a_half(
    stage: Stage, browser: Chromium, address: str
) -> None:
    stage.tell(status(), cells(CELLS_MV))
    page = connected(browser, address, key=KEY)
    page.until("document.querySelector('.look.alarm') === null")
    page.until("document.querySelectorAll('.cell-table li').length == 10")
    stage.tell(status(), cells(DEAD_CELL))
    injected = time.monotonic()
    page.until("document.querySelector('.look.alarm')?.className")
    assert time.monotonic() - injected < 1.5
    assert page.text("#look") == "Alarm: Cell reading that cannot be true"
    page.click("[data-tab=alerts]")
    words = json.loads((PAGE / "advice.en.json").read_text())["guardrails"]["ghost_voltage"]
    card = page.text("[data-code=ghost_voltage]")
    assert all(part in card for part in ("Alarm", words["title"], words["meaning"], words["now"]))
    page.click("#acknowledge")
    page.until("document.querySelector('#alerts-said').textContent == 'Done.'")
    assert stage.said("owner: acknowledged")
    page.until("document.querySelector('#look').textContent.includes('the sound is off')")
    stage.tell(status(), cells(CELLS_MV))
    assert page.complaints == []


def test_only_the_key_changes_anything(stage: Stage, browser: Chromium, address: str) -> None:
    stage.tell(status(), cells(CELLS_MV))
    before = stage.config()
    page = connected(browser, address)
    page.click("[data-tab=settings]")
    assert "enter the owner's key" in page.text("#settings-hint")
    assert page.js("[...document.querySelectorAll('.setting')].every((x) => x.disabled)")
    assert page.js("[...document.querySelectorAll('button.owner')].every((x) => x.disabled)")
    option = page.text("[data-option=cell_high_info_mv]")
    assert "4,150 mV" in option
    assert "3,300 mV to 4,400 mV" in option
    # what is no key, then somebody else's, then the owner's
    page.click("[data-tab=more]")
    for typed, said in (("lost it", "This is no key"), (STRANGER, "This phone holds the key")):
        page.fill("#key-entry", typed)
        page.click("#key-form button")
        page.until(f"document.querySelector('#key-said').textContent.startsWith('{said}')")
    refused = "Refused: this is not the dongle's key."
    assert result_of(page, "cell_high_info_mv", "3720") == refused
    assert stage.config() == before
    assert stage.said("owner: option") == []
    page.click("[data-tab=more]")
    page.click("#key-forget")
    page.until("document.querySelector('#key-form').hidden === false")
    page.fill("#key-entry", f"{address}#d={DEVICE}&k={KEY}")
    page.click("#key-form button")
    page.until("document.querySelector('#key-form').hidden")
    # the guard at work with its new limit: the highest cell is at 3727 mV
    assert result_of(page, "cell_high_info_mv", "3720") == "Done."
    assert stage.said("owner: option") == ["owner: option cell_high_info_mv: 4150 -> 3720"]
    assert json.loads(stage.config())["cell_high_info_mv"] == 3720
    page.until("document.querySelector('[data-code=cell_high].info') !== null")
    limit = found("[data-option=cell_high_info_mv]")
    page.until(f"{limit}.textContent.includes('3,720 mV')")
    assert page.complaints == []


def test_a_bolder_limit_waits_for_the_button(
    stage: Stage, browser: Chromium, address: str
) -> None:
    stage.tell(status(), cells(CELLS_MV))
    page = connected(browser, address, key=KEY)
    assert page.js("location.hash") == ""  # the key is not left in the address
    assert result_of(page, "cell_high_alarm_mv", "4300").startswith("Hold the dongle's button")
    assert "cell_high_alarm_mv" not in stage.config()
    stage.line("pin BUTTON 0")
    said = found("[data-option=cell_high_alarm_mv] + .edit .said")
    page.until(f"{said}.textContent == 'Done.'")
    stage.line("pin BUTTON z")
    assert json.loads(stage.config())["cell_high_alarm_mv"] == 4300
    too_much = result_of(page, "design_mah", "7.9")
    assert too_much == "Done; it counts from the dongle's next start."
    page.click("[data-tab=more]")
    for button, note in (
        ("set-time", "time"),
        ("mute", "warnings muted for 10 min"),
    ):
        page.js("document.querySelector('#dongle-said').textContent = ''")
        page.click(f"#{button}")
        page.until("document.querySelector('#dongle-said').textContent == 'Done.'")
        assert stage.said(f"owner: {note}")
    assert page.complaints == []


def test_what_is_asked_at_once_waits_for_its_turn(
    stage: Stage, browser: Chromium, address: str
) -> None:
    """The pretended BlueZ refuses a second operation while one is under way, as phones do."""
    stage.tell(status(), cells(CELLS_MV))
    page = connected(browser, address, key=KEY)
    before = len(stage.said("owner: "))
    page.js(
        """for (const at of ["#acknowledge", "#set-time", "#mute", "[data-tab=settings]"]) {
          document.querySelector(at).click();
        }"""
    )
    stage.until(lambda: len(stage.said("owner: ")) == before + 3)
    for place in ("alerts", "dongle"):
        page.until(f"document.querySelector('#{place}-said').textContent == 'Done.'")
    assert page.complaints == []


def test_a_link_that_drops_returns_by_itself_and_old_data_is_grey(
    stage: Stage, browser: Chromium, address: str
) -> None:
    stage.tell(status(), cells(CELLS_MV))
    page = connected(browser, address)
    page.until("!document.body.classList.contains('stale')")
    page.js(
        """(() => {
          const place = document.querySelector("#state");
          window.states = [];
          const note = () => window.states.push(place.className);
          new MutationObserver(note).observe(place, { attributes: true });
        })()"""
    )
    stage.drop()
    page.until("window.states.length > 1 && window.states.at(-1) == 'connected'", 5)
    assert "connecting" in page.js("window.states")
    page.until("!document.body.classList.contains('stale')")
    # without power nobody answers; what is shown stays, grey, and says how old it is
    stage.line("power off")
    page.until("document.querySelector('#state').textContent == 'out of reach, trying again'")
    page.until("document.body.classList.contains('stale')")
    page.until("document.querySelector('#age').textContent == '2 s old'")
    assert "grayscale" in page.js("getComputedStyle(document.querySelector('#cells')).filter")
    assert shown_cells(page) == CELLS_MV
    stage.line("power on")
    page.until("document.querySelector('#state').className == 'connected'", 20)
    page.until("!document.body.classList.contains('stale')")
    assert page.complaints == []


def test_short_packets_cost_nothing_but_the_way(
    stage: Stage, browser: Chromium, address: str
) -> None:
    stage.tell(status(), cells(CELLS_MV))
    stage.limit_mtu(23)  # notifications are cut to 20 bytes; values can still be read
    stage.drop()
    page = connected(browser, address, key=KEY)
    stage.limit_mtu(247)
    page.until("document.querySelectorAll('.cell-table li').length == 10")
    assert shown_cells(page) == CELLS_MV
    assert result_of(page, "series", "99").endswith(" must be from 0 to 32.")
    page.click("[data-tab=more]")
    page.fill("#session-target", "3.5")
    page.click("#session-form button.main")
    page.until("document.querySelector('#session-said').textContent == 'Done.'")
    assert stage.said("owner: recovering began, target 3500 mV")
    page.until("document.querySelector('#session-on').textContent == 'Session: Recovering'")
    page.click("#session-end")
    page.until("document.querySelector('#session-said').textContent.length > 10")
    assert page.complaints == []
    stage.drop()


def noted(stage: Stage) -> list[str]:
    """Notes in the dongle's flash."""
    kept = parse(pieces(str(stage.journal)))
    return [str(one.fields["text"]) for one in kept.records if one.kind == "note"]


def test_what_was_seen_is_saved_as_a_table(stage: Stage, browser: Chromium, address: str) -> None:
    stage.tell(status(), cells(CELLS_MV))
    page = connected(browser, address, key=KEY)
    page.until("document.querySelectorAll('.cell-table li').length == 10")
    head, *rows = str(page.js("import('./log.js').then((log) => log.csv())")).splitlines()
    assert head.split(",")[:6] == ["time", "look", "soc_pct", "pack_v", "current_a", "power_w"]
    last = dict(zip(head.split(","), rows[-1].split(","), strict=True))
    assert [int(last[f"cell_mv_{i + 1}"]) for i in range(10)] == CELLS_MV
    assert float(last["pack_v"]) == 35.94
    assert float(last["current_a"]) == -0.03
    page.js(
        """(() => {
          HTMLAnchorElement.prototype.click = function () { window.saved = this.download; };
          URL.createObjectURL = (blob) => ((window.content = blob), "#");
        })()"""
    )
    page.click("[data-tab=more]")
    page.click("#log-save")
    assert re.fullmatch(DEVICE + r"-[-\d]+\.csv", page.js("window.saved"))
    # and the dongle's own journal, as packlab reads it out of its flash
    page.click("#mute")
    page.until("document.querySelector('#dongle-said').textContent == 'Done.'")
    stage.until(lambda: any("muted" in text for text in noted(stage)))
    page.click("#log-csv")
    page.until("document.querySelector('#log-said').textContent.startsWith('Saved ')")
    assert re.fullmatch(DEVICE + r"-[-\d]+-journal\.csv", page.js("window.saved"))
    table = list(csv.DictReader(str(page.js("window.content.text()")).splitlines()))
    kept = parse(pieces(str(stage.journal)))
    assert [int(row["number"]) for row in table if row["kind"] != "trace"] == [
        record.sequence
        for record in kept.records
        if record.kind not in ("trace", "memory")  # a pack's memory has a file of its own
    ]
    assert "boot" in {row["kind"] for row in table}


def test_without_a_network_the_page_opens_all_the_same(browser: Chromium) -> None:
    with PageServer(0) as server:
        page = opened(browser, server.address)
        assert page.send("Page.getAppManifest")["errors"] == []
        assert page.send("Page.getInstallabilityErrors")["installabilityErrors"] == []
        page.js("navigator.serviceWorker.ready.then(() => true)")
        page.until("navigator.serviceWorker.controller !== null")
        address = server.address
    page.go(address)
    page.until("document.body.dataset.ready")
    assert page.text("#connect") == "Connect"
    titles = page.js("import('./words.js').then((w) => w.titleOf('cell_spread'))")
    assert titles == "Cells out of balance"
    assert page.complaints == []


def test_it_is_looked_at_by_day_at_night_and_in_german(
    stage: Stage, browser: Chromium, address: str, ride: list[Event]
) -> None:
    stage.replay(ride, PARTED_S)
    page = connected(browser, address, key=KEY, language="de")
    page.until("document.querySelector('[data-code=cell_spread].alarm') !== null", 15)
    assert page.text("#look") == "Alarm: Zellen ungleich"
    assert page.text("#flow") == "lädt"
    assert page.js("document.documentElement.lang") == "de"
    PICTURES.mkdir(parents=True, exist_ok=True)
    dark = [{"name": "prefers-color-scheme", "value": "dark"}]
    for tab in ("pack", "alerts"):
        page.click(f"[data-tab={tab}]")
        page.send("Emulation.setEmulatedMedia", {"features": []})
        page.screenshot(PICTURES / f"{tab}-de.png")
        page.send("Emulation.setEmulatedMedia", {"features": dark})
        page.screenshot(PICTURES / f"{tab}-de-night.png")
    ground = page.js("getComputedStyle(document.body).backgroundColor")
    assert sum(map(int, re.findall(r"\d+", ground)[:3])) < 100
    page = connected(browser, address, key=KEY)
    page.until("document.querySelectorAll('.cell-table li').length == 10")
    for tab in ("pack", "alerts", "settings", "more"):
        page.click(f"[data-tab={tab}]")
        page.screenshot(PICTURES / f"{tab}.png")
        small = page.js(
            "[...document.querySelectorAll('button')].filter((x) => x.offsetParent &&"
            " x.getBoundingClientRect().height < 48).map((x) => x.textContent)"
        )
        assert small == []  # for gloves
        wide = page.js("document.documentElement.scrollWidth <= innerWidth")
        assert wide
    assert page.complaints == []
    for picture in PICTURES.glob("*.png"):
        assert picture.read_bytes().startswith(b"\x89PNG")
