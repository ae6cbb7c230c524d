"""Derive the test data from the published originals: identities blanked, checks kept as they were.

    python tests/data/make_data.py ORIGINALS

ORIGINALS is a folder with frames/{xiaomi,jbd,jk,ant,daly,vesc}.json (frames with source, meaning
and decoded values) and captures/m365_esc_bms.csv. Written beside this file: frames/*.json, one
frame a line, each with its `origin`; frames/blanked.sha256, by which the test finds originals left
behind; captures/m365_standing.cap. A valid frame stays valid, a damaged one damaged by the same
bits. packlab must be installed (`make setup`).
"""

import hashlib
import json
import re
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from frame_checks import checks
from identities import blank, blank_text, identities
from packlab.capture import CaptureReader, CaptureWriter, Chunk, Event, Header, new_file
from packlab.convert import convert

HERE = Path(__file__).parent
SHEETS = ("xiaomi", "jbd", "jk", "ant", "daly", "vesc")
# A code search found this source by a number that means nothing elsewhere.
UNNAMED_SOURCE = re.compile(r"\(find_string id \d+; [^)]*\)")
CHANGED = "identities blanked and the checks set to match; every other byte is as in the source"
STANDING_SOURCE = (
    'etransport/ninebot-docs, "M365 ESC - BMS [two-way]" (public logic-analyser file, both wires)'
)
STANDING_NOTES = (
    (
        "changed",
        "the serial number in the one reply from word 0x10 is blanked and its check set to"
        " match; every other byte and every time stamp is as recorded",
    ),
    ("state", "M365 with BMS firmware 1.1.5, switched on and standing; 138 frames in 10.4 s"),
)

# What the originals say in `provenance`, or else in `kind`, by what it means here. A frame cut or
# damaged on its way or sent by an emulator board is real; one touched afterwards is derived; one
# only ever written in a document or a program is made.
ORIGINS = {
    "real": {
        "capture",
        "captured on the wire (logic analyser)",
        "captured on the wire from a commercial BMS emulator board (spoofed data)",
        "serial log of the dash line by the project author",
        "serial log of the dash line; damaged",
        "author's log of a real scooter (BLE side; app traffic)",
        "author's log of a Ninebot dash line",
        "published by the author as answers of a stock BMS (fw 1.1.5)",
        "published capture",
        "request sent by a PC tool (serial bench read-out)",
        "jk: real",
        "jk: corrupt",
        "vesc: real",
    },
    "derived": {
        "author's log of a real scooter (BLE side; app traffic); text anonymised by the author",
        "serial log of the dash line, header restored",
        "payload_capture_envelope_rebuilt",
        "test_fixture_edited",
        "jk: redacted",
        "jk: repaired",
        "jk: edited",
        "jk: composite",
        "vesc: redacted",
        "vesc: derived",
        "vesc: corrupt",
    },
    "made": {
        "request of a Ninebot Z10 main board, listed in the source",
        "command documented by the author",
        "posted in the thread as a request to the external BMS",
        "comment in app source",
        "emulator code, NOT a capture; its checksum byte is wrong (69FE would be right) although "
        "the author says the ESC accepts it",
        "constructed (source gives raw 0x1036; CRC stated)",
        "vendor_doc_example",
        "jk: doc_example",
        "vesc: request_vector",
        "vesc: synthetic",
    },
}
ORIGIN_OF = {text: origin for origin, texts in ORIGINS.items() for text in texts}

Entry = dict[str, Any]


def main(originals: Path) -> None:
    """Write all test data; a provenance that is not in ORIGINS is a KeyError naming it."""
    blanked: set[bytes] = set()
    for sheet in SHEETS:
        entries = json.loads((originals / "frames" / f"{sheet}.json").read_text("utf-8"))
        derived = [_derive(sheet, entry, blanked) for entry in entries]
        rows = ",\n".join(json.dumps(entry, ensure_ascii=False) for entry in derived)
        with new_file(HERE / "frames" / f"{sheet}.json") as stream:
            stream.write(f"[\n{rows}\n]\n")
    _standing(originals / "captures" / "m365_esc_bms.csv", HERE / "captures" / "m365_standing.cap")
    with new_file(HERE / "frames" / "blanked.sha256") as stream:
        lines = {f"{len(text)} {hashlib.sha256(text).hexdigest()}\n" for text in blanked}
        stream.writelines(sorted(lines))


def _derive(sheet: str, entry: Entry, blanked: set[bytes]) -> Entry:
    """Return the entry as it is kept here; what was blanked in it is added to `blanked`."""
    entry = entry | {"source": UNNAMED_SOURCE.sub("(repository unknown)", entry["source"])}
    provenance = entry.get("provenance") or f"{sheet}: {entry['kind']}"
    origin = ORIGIN_OF[provenance]
    if origin == "made" or "anonymised" in provenance:  # these identify nobody
        return entry | {"origin": origin}
    frame = bytes.fromhex(entry["hex"])
    anonymous = _anonymous(sheet, frame)
    if anonymous == frame:
        return entry | {"origin": origin}
    texts = dict(_texts(sheet, frame))
    blanked.update(_originals(sheet, frame))
    kept = {key: _replaced(entry[key], texts) for key in ("meaning", "decoded", "expect")}
    changed = {"hex": anonymous.hex(), "origin": "derived", "changed": CHANGED}
    return entry | kept | changed


def _anonymous(sheet: str, frame: bytes) -> bytes:
    """Return the frame with its identities blanked, its checks right or wrong by the same bits."""
    new = bytearray(frame)
    for identity in identities(sheet, frame):
        new[identity.start : identity.stop] = blank(frame, identity)
    for check in checks(sheet, frame):
        error = check.stored(frame) ^ check.computed(frame)
        value = check.computed(new) ^ error
        new[check.at : check.at + check.size] = value.to_bytes(check.size, check.order)
    return bytes(new)


def _originals(sheet: str, frame: bytes) -> Iterator[bytes]:
    """Yield the identities of the frame that are long enough to be told from chance."""
    for identity in identities(sheet, frame):
        field = frame[identity.start : identity.stop]
        for text in [field] if identity.binary else field.split(b"\0"):
            if len(text.strip()) >= 8:
                yield text.strip()


def _texts(sheet: str, frame: bytes) -> Iterator[tuple[str, str]]:
    """Yield each identity as decoded values spell it, and its replacement."""
    for identity in identities(sheet, frame):
        old, new = frame[identity.start : identity.stop], blank(frame, identity)
        if identity.binary:
            yield old.hex(), new.hex()
            continue
        for old_text, new_text in zip(old.split(b"\0"), new.split(b"\0"), strict=True):
            if len(old_text.strip()) >= 4:  # shorter ones are left-over bytes, not names
                yield old_text.decode("latin-1").strip(), new_text.decode("latin-1").strip()


def _replaced(value: Any, texts: dict[str, str]) -> Any:
    """Return a decoded value with the identities in its strings replaced."""
    if isinstance(value, dict):
        # Daly's version block: the source misread this one, so its text is not in the frame.
        return {
            key: blank_text(inner).decode() if key == "serial_like" else _replaced(inner, texts)
            for key, inner in value.items()
        }
    if isinstance(value, list):
        return [_replaced(inner, texts) for inner in value]
    if isinstance(value, str):
        for old, new in texts.items():
            value = value.replace(old, new)
    return value


def _standing(table: Path, path: Path) -> None:
    """Write the M365 line at power-on and standing still, its one serial-number reply blanked."""
    with tempfile.TemporaryDirectory() as folder:
        converted = Path(folder) / "converted.cap"
        convert(table, converted, source=STANDING_SOURCE)
        with CaptureReader(converted) as reader:
            events = list(reader)
            lines = reader.header.lines
    with new_file(path) as stream:
        writer = CaptureWriter(stream, Header("derived", STANDING_SOURCE, lines, STANDING_NOTES))
        for event in events:
            writer.write(_anonymous_event(event))


def _anonymous_event(event: Event) -> Event:
    assert isinstance(event, Chunk)  # a table has no levels
    return replace(event, data=_anonymous("xiaomi", event.data))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
