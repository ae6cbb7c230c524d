"""Draws docs/images/wiring/*.svg: for each family its connector seen from the front, and what
of it goes to the dongle.

Run it from the checkout after `make setup`: .venv/bin/python docs/images/wiring.py [--check]
The facts are those of docs/protocols/; what no source names stands there as "measure".
"""

import sys
from dataclasses import dataclass
from html import escape
from pathlib import Path

FOLDER = Path(__file__).resolve().parent / "wiring"
INK, GROUND, DATA, DANGER, QUIET = "#1c2733", "#3c4a57", "#1f6f54", "#b3261e", "#8795a1"
USES = {
    "ground": (GROUND, "dongle's ground"),
    "data": (DATA, "buffer, then the receiver"),
    "feed": (DATA, "fed by the dongle's 3.3 V"),
    "open": (QUIET, "left open when listening"),
    "kills": (DANGER, "never to the dongle"),
}


@dataclass(frozen=True)
class Contact:
    """One contact: what the source calls it, what is on it, and a key of USES."""

    name: str
    carries: str
    use: str


@dataclass(frozen=True)
class Plug:
    """A family's connector: its contacts in the order seen from the front, and what kills."""

    family: str
    title: str
    body: str
    contacts: tuple[Contact, ...]
    warnings: tuple[str, ...]


PLUGS = (
    Plug(
        "scooter",
        "Xiaomi and Ninebot: data plug of the battery",
        "3 contacts, JST; cable to R, T, L",
        (
            Contact("R  (often white)", "what the battery says, 3.3 V", "data"),
            Contact("T  (often yellow)", "what the controller says, 3.3 V", "open"),
            Contact("third wire", "tail light or ground: sources disagree", "open"),
            Contact(
                "P-  (thick black)",
                "a lead of its own beside the plug, to the controller",
                "ground",
            ),
        ),
        (
            "Ground is P-, not a cell's minus (B-): behind the switches the two differ.",
            "Colours are no proof: measure. A dead dongle on a bare resistor stops the scooter.",
        ),
    ),
    Plug(
        "jbd",
        "JBD (Xiaoxiang): UART plug",
        "JST PA 2.0 mm, 4 contacts",
        (
            Contact("GND", "minus of the board", "ground"),
            Contact("RX", "to the board", "open"),
            Contact("TX", "from the board: measure, 3.3 or 5 V", "data"),
            Contact("+", "mostly the FULL PACK voltage", "kills"),
        ),
        (
            "The + contact carries up to 67 V on most boards: it destroys the dongle at once.",
            "When the board opens its minus, the load's current may return through GND: isolate.",
        ),
    ),
    Plug(
        "jk",
        "JK: GPS / UART plug",
        "JST GH 1.25 mm, 4 contacts",
        (
            Contact("GND", "B-, stays tied to the cells", "ground"),
            Contact("RX", "to the board", "open"),
            Contact("TX", "from the board, 3.3 V", "data"),
            Contact("VBAT", "FULL PACK voltage", "kills"),
        ),
        (
            "VBAT carries up to 67 V: cut that lead off before anything is plugged in.",
            "GND is B-, load and charger use P-: with any other ground in reach, use an isolator.",
        ),
    ),
    Plug(
        "ant",
        "ANT: display plug (Comm)",
        "JST 1.25 mm, 4 contacts",
        (
            Contact("VCC", "an INPUT: the host feeds 3.3 V", "feed"),
            Contact("GND", "minus of the board", "ground"),
            Contact("RXD", "to the board", "open"),
            Contact("TXD", "from the board, 3.3 V", "data"),
        ),
        (
            "5 V or the pack on VCC destroys the board's interface: 3.3 V and nothing else.",
            "With a display attached VCC is fed already: leave it open then.",
        ),
    ),
    Plug(
        "daly",
        "Daly: UART plug",
        "order differs by model: read the board's own label",
        (
            Contact("GND", "B-, battery minus", "ground"),
            Contact("RXD", "to the board", "open"),
            Contact("TXD", "from the board: open collector, up to 5 V", "data"),
            Contact("3V3", "weak: not for a dongle", "open"),
            Contact("12 V / S1", "12 to 15 V, or a switch", "kills"),
        ),
        (
            "The order of the contacts is not the same on all boards: measure each against B-.",
            "GND is B-, load and charger use P-: with any other ground in reach, use an isolator.",
        ),
    ),
    Plug(
        "vesc",
        "VESC: COMM plug",
        "names as printed on the controller",
        (
            Contact("GND", "minus of the controller", "ground"),
            Contact("TX", "from the controller, 3.3 V, pull-up", "data"),
            Contact("RX", "to the controller", "open"),
            Contact("5V", "supply, if its rating allows 0.1 A more", "open"),
            Contact("ADC, 3V3", "throttle and its supply", "kills"),
        ),
        (
            "A wire that touches ADC is a throttle: the wheel may turn. Lift it off the ground.",
            "GND is the motor's minus: thin wires to anything else carry its current.",
        ),
    ),
)


def draw(plug: Plug) -> str:
    """The picture of one connector as SVG."""
    pitch, left, top = 58, 46, 78
    width, height = 840, top + pitch * len(plug.contacts) + 40 + 26 * len(plug.warnings) + 14
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}"'
        f' height="{height}" font-family="Helvetica, Arial, sans-serif" role="img">',
        f"<title>{escape(plug.title)}</title>",
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
        _text(left - 20, 30, plug.title, 19, INK, bold=True),
        _text(left - 20, 54, f"seen from the front, into the socket: {plug.body}", 14, GROUND),
        f'<rect x="{left}" y="{top}" width="96" height="{pitch * len(plug.contacts)}" rx="10"'
        f' fill="#eef1f4" stroke="{INK}" stroke-width="2.5"/>',
    ]
    for number, contact in enumerate(plug.contacts):
        out += _contact(contact, left, top + pitch * number + pitch // 2)
    y = top + pitch * len(plug.contacts) + 40
    for warning in plug.warnings:
        out.append(f'<path d="M{left - 18} {y + 3} l9 -16 l9 16 z" fill="{DANGER}"/>')
        out.append(_text(left + 8, y + 2, warning, 14.5, DANGER, bold=True))
        y += 26
    return "\n".join([*out, "</svg>"]) + "\n"


def _contact(contact: Contact, left: int, y: int) -> list[str]:
    colour, use = USES[contact.use]
    dashed = ' stroke-dasharray="5 6"' if contact.use == "open" else ""
    end = left + 420
    lines = [
        f'<rect x="{left + 34}" y="{y - 13}" width="28" height="26" rx="4" fill="#ffffff"'
        f' stroke="{colour}" stroke-width="3"/>',
        f'<rect x="{left + 44}" y="{y - 5}" width="8" height="10" fill="{colour}"/>',
        _text(left + 110, y - 5, contact.name, 15, INK, bold=True),
        _text(left + 110, y + 14, contact.carries, 13, GROUND),
        f'<line x1="{end}" y1="{y}" x2="{end + 58}" y2="{y}" stroke="{colour}"'
        f' stroke-width="3"{dashed}/>',
        _text(end + 68, y + 5, use, 13.5, colour, bold=contact.use != "open"),
    ]
    if contact.use == "kills":
        cross = f'd="M{end + 20} {y - 10} l20 20 m0 -20 l-20 20"'
        lines.append(f'<path {cross} stroke="{DANGER}" stroke-width="4" fill="none"/>')
    return lines


def _text(x: int, y: int, text: str, size: float, colour: str, *, bold: bool = False) -> str:
    weight = ' font-weight="700"' if bold else ""
    place = f'x="{x}" y="{y}" font-size="{size}" fill="{colour}"'
    return f"<text {place}{weight}>{escape(text)}</text>"


def main() -> int:
    """Write all pictures, or compare with --check."""
    stale = []
    for plug in PLUGS:
        path = FOLDER / f"{plug.family}.svg"
        text = draw(plug)
        if "--check" not in sys.argv[1:]:
            path.write_text(text, encoding="utf-8")
        elif not path.exists() or path.read_text(encoding="utf-8") != text:
            stale.append(path.name)
    if stale:
        print(f"{', '.join(stale)} not as drawn: run python3 docs/images/wiring.py")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
