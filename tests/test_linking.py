"""The link step: the same program in fewer files, with numbers for names and short names."""

import ast
import re
from pathlib import Path

import pytest
from conftest import MicroPython
from deckwatch.faults import FAULTS
from deckwatch.index import PROTOCOLS
from deckwatch.protocols import scooter_map
from deckwatch.rows import compiled
from deckwatch.telemetry import SLOTS_KEPT
from linked_rig import result
from packlab.flash.bundle import compile_text
from packlab.linking import link
from packlab.linking.names import ARGUMENTS, ROM

PARTS = {
    "deckwatch/__init__.py": '"""The package."""\n',
    "deckwatch/pipeline.py": '''
from array import array
from deckwatch import sizes
from deckwatch.sizes import LONG, Rod as Stick, twice
_HEIGHT = sizes.SHORT + LONG
TOLD = ("long_name",)

def unused():
    return _HEIGHT

class Pipeline:
    """Has a docstring."""
    kinds = 2

    def __init__(self, size, strict=False):
        self.long_name = size
        self._rods = [Stick(twice(size)) for size in range(size)]
        self._many = {size: sizes.twice(size) for size in range(3)}
        self.array = array("H", [self.kinds])

    def total(self, unit):
        first, other = other_of(self), unit * sum([rod.length_mm for rod in self._rods])
        first, other = other, first
        from deckwatch.late import WORD, Late, late
        assert LONG and WORD
        def inner(unit):
            return unit + _HEIGHT
        try:
            return inner(first) + other + late(self) + Late.kinds_of_it, getattr(self, TOLD[0])
        except ValueError as failure:
            return failure

    def others(self):
        return other_of(self)

def other_of(pipeline):
    return len(pipeline._many) + (lambda unit: unit + sizes.SHORT)(1)
''',
    "deckwatch/sizes.py": """
from micropython import const
SHORT = const(3)
LONG = const(SHORT * 4)
_SECRET = const(5)

class Rod:
    def __init__(self, length_mm):
        self.length_mm = length_mm
        self._secret = _SECRET

def twice(number):
    if number < 0 or number > 1000000:
        raise ValueError("not a length in mm", number)
    return 2 * number
""",
    "deckwatch/app.py": """
from deckwatch.pipeline import Pipeline

class App:
    core = Pipeline(1)

    def run(self):
        return self.core.total(1) + self.core.total(self.core.others())
""",
    "deckwatch/late.py": """
from deckwatch.sizes import twice
WORD = "word"

class Late:
    kinds_of_it = 7

def late(pipeline):
    return twice(number=pipeline.kinds)
""",
}
BESIDE = """
from deckwatch import pipeline as patched
from deckwatch.pipeline import TOLD, Pipeline
from deckwatch.sizes import LONG

def run():
    before = Pipeline(4, strict=True).total(10)
    patched.other_of = lambda pipeline: 0
    return LONG, TOLD, before, Pipeline(4).total(10)
"""


def test_the_linked_program_does_the_same() -> None:
    expected = result(PARTS, BESIDE)
    assert expected == (12, ("long_name",), (153, 4), (146, 4))
    made = link(PARTS, {"beside.py": BESIDE})
    beside = made.pop("beside.py")
    assert result(made, beside) == expected


def test_what_every_start_loads_is_one_file_and_what_comes_later_its_own() -> None:
    assert set(link(PARTS)) == {
        "deckwatch/__init__.py",
        "deckwatch/pipeline.py",
        "deckwatch/app.py",
        "deckwatch/late.py",
    }


def test_numbers_take_the_place_of_their_names_and_what_nobody_needs_is_gone() -> None:
    text = link(PARTS, {"beside.py": BESIDE})["deckwatch/pipeline.py"]
    for gone in ("SHORT", "LONG", "_HEIGHT", "_SECRET", "const", "unused", "docstring", "INDEX"):
        assert gone not in text
    assert "+ 15" in text  # _HEIGHT


def test_names_a_string_or_a_caller_says_stay_and_others_are_short() -> None:
    made = link(PARTS, {"beside.py": BESIDE})
    text = made["deckwatch/pipeline.py"]
    assert "self.long_name" in text
    assert "strict=False" in text
    assert "number" in text  # late.py passes it by its name
    for gone in ("length_mm", "_rods", "kinds", "twice", "Pipeline", "unit"):
        assert gone not in text
    assert "total" not in made["beside.py"]


def test_a_string_keeps_a_name_only_where_it_is_asked_for() -> None:
    text = """
TOLD = ("long_name", "other_name")

class App:
    def __init__(self):
        self.long_name = self.other_name = self.third_name = len(TOLD)

def run(app):
    print(TOLD, "third_name", {0})
"""
    for asking, kept in (
        ("app.long_name", ()),
        ("getattr(app, 'third_name')", ("third_name",)),
        ("hasattr(app, 'no_name')", ()),
        ("delattr(app, TOLD[0])", ("long_name", "other_name", "third_name")),
    ):
        made = link({"deckwatch/app.py": text.format(asking) + "run(App())\n"})
        attributes = set(re.findall(r"\w+\.(\w+_name)", made["deckwatch/app.py"]))
        assert attributes == set(kept), asking


def test_names_of_what_is_gone_are_free_again() -> None:
    """Of the names MicroPython has none is kept for a method nobody calls."""
    unused = "".join(f"    def unused{n}(self):\n        return {n}\n" for n in range(600))
    text = f"class App:\n{unused}    def run(self):\n        self._last = 1\nApp().run()\n"
    made = link({"deckwatch/app.py": text})["deckwatch/app.py"]
    assert set(re.findall(r"self\.(\w+)", made)) <= set(ROM.split())
    assert "self." in made


def test_a_class_means_a_global_where_it_says_one() -> None:
    """While a class is made its own names come first: none of them is called like a global that
    is said there."""
    unlike = "".join(
        f"    def way{n}(self):\n        return self.way{n + 1}()\n" for n in range(9)
    )
    text = f"""
told = []
told.append(len(told))

class App:
{unlike}
    def way9(self, to=told):
        return to

    kept = told

app = App()
print(app.way0(), app.kept, app.way9(), app.way1(), app.way2(), app.way0(), app.way9())
"""
    made = link({"deckwatch/app.py": text})["deckwatch/app.py"]
    said: list[object] = []
    exec(made, {"print": lambda *told: said.extend(told)})
    assert said == [[0]] * 7


def test_globals_of_one_file_are_called_like_those_of_another() -> None:
    """A name that MicroPython has is worth more than one of its own."""
    shared = (
        "mine = []\nmine.append(1)\ndef shared(told):\n    return told + mine\nprint(shared)\n"
    )
    late = "from deckwatch.pipeline import shared\nother = []\nother.append(2)\nprint(shared)\n"
    made = link({"deckwatch/pipeline.py": shared, "deckwatch/late.py": late})
    (taken,) = re.findall(r"import (\w+)\n", made["deckwatch/late.py"])
    assert f"def {taken}(" in made["deckwatch/pipeline.py"]
    (own,) = re.findall(r"^(\w+) = \[\]$", made["deckwatch/late.py"], re.M)
    assert re.findall(r"^(\w+) = \[\]$", made["deckwatch/pipeline.py"], re.M) == [own]
    assert own != taken


def test_machine_code_is_one_file_and_what_stands_in_for_it_another() -> None:
    use = "try:\n    from deckwatch.{0}_viper import {0}\nexcept ImportError:\n"
    use += "    from deckwatch.b_plain import b as {0}\n"
    made = link(
        {
            **PARTS,
            "deckwatch/a_viper.py": "from deckwatch.b_viper import b\ndef a(): return b()\n",
            "deckwatch/b_viper.py": "def b(): return 1\n",
            "deckwatch/b_plain.py": "def b(): return 1\n",
            "deckwatch/pipeline.py": use.format("a")
            + use.format("b")
            + PARTS["deckwatch/pipeline.py"],
        }
    )
    native = {path for path in made if path.endswith(("_viper.py", "_plain.py"))}
    assert native == {"deckwatch/b_viper.py", "deckwatch/b_plain.py"}
    assert made["deckwatch/pipeline.py"].count("from deckwatch.b_viper import") == 2


def test_classes_keep_no_names_of_their_own(micropython32: MicroPython) -> None:
    """MicroPython puts two into every class, sixteen bytes that nobody reads."""
    made = link({"deckwatch/app.py": "class App:\n    def run(self):\n        return 3\n"})
    program = "print(App().run(), sorted(n for n in App.__dict__ if n != 'run'))\n"
    assert micropython32.execute(made["deckwatch/app.py"] + program) == "3 []\n"


def test_what_the_dongle_never_has_is_not_asked_for() -> None:
    text = "try:\n    from bench_slots import S\nexcept ImportError:\n    S = ()\nprint(S)\n"
    made = link({"deckwatch/app.py": text})["deckwatch/app.py"]
    assert "bench_slots" not in made
    assert "= ()" in made


def test_pairs_are_assigned_without_a_tuple() -> None:
    """`a, b = (c, d)` makes MicroPython allocate one."""
    text = link(PARTS)["deckwatch/pipeline.py"]
    (swap,) = [line for line in text.splitlines() if line.strip() == "first, other = other, first"]
    assert swap
    assert ", other = (" not in text


def test_programs_beside_change_nothing_of_it() -> None:
    made = link(PARTS, {"beside.py": BESIDE})
    del made["beside.py"]
    assert made == link(PARTS)


def test_a_module_that_is_passed_on_is_refused() -> None:
    text = "from deckwatch import sizes\nprint(sizes)\n"
    with pytest.raises(ValueError, match=r"deckwatch.keeper: module sizes is passed on"):
        link({**PARTS, "deckwatch/keeper.py": text})


def test_micropython_has_the_borrowed_names_in_its_flash(micropython32: MicroPython) -> None:
    names = [*ROM.split(), *ARGUMENTS]
    assert len(names) > 100
    program = "import micropython\n" + "".join(f"def f(x): x.{n}\n" for n in [*names, "qqqq"])
    said = micropython32.execute(program + "micropython.qstr_info(1)")
    assert "Q(qqqq)" in said
    assert [name for name in names if f"Q({name})" in said] == []


def test_the_names_a_file_uses_most_are_the_first_in_it(tmp_path: Path) -> None:
    """They take one byte each; those from number 128 on take two."""
    seldom = "".join(f"        self.seldom_{n} = len\n" for n in range(200))
    often = "".join("        len(self.often_1, self.OFTEN, often_2=self)\n" for _ in range(5))
    text = f"class Rod:\n    def __init__(self):\n{seldom}    def read(self):\n{often}"
    said = "TOLD = ('often_1', 'OFTEN', 'often_2')\ngetattr(len, TOLD[0])\n"  # so they keep theirs
    keep = f"SEEN = {tuple(f'seldom_{n}' for n in range(200))!r}\n"
    package = "deckwatch/profiles/rod.py"
    made = link({"deckwatch/profiles/__init__.py": "", package: text + said + keep + "len(Rod)\n"})
    data = compile_text(made[package].encode(), package, "x64", tmp_path / "mpy")
    found = [data.index(name.encode()) for name in ("often_1", "OFTEN", "often_2", "seldom_50")]
    assert found[-1] > max(found[:-1])
    assert "__name__" not in link(PARTS)["deckwatch/pipeline.py"]  # which has few


def test_of_a_familys_rows_only_bytes_are_left() -> None:
    folder = Path(__file__).parent.parent / "firmware"
    texts = {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*.py")}
    made = link(texts)
    families = {path: made[path] for path in made if "/protocols/" in path}
    faults = {name for name in FAULTS if "_" in name} - set(SLOTS_KEPT)
    assert {Path(path).stem for path in families} >= set(PROTOCOLS)
    assert not {"deckwatch/rows.py", "deckwatch/protocols/daly_map.py"} & set(made)
    for path, text in families.items():
        words = {n.value for n in ast.walk(ast.parse(text)) if isinstance(n, ast.Constant)}
        assert not words & (faults | {"cell_high_mv", "made_on", "text14"}), path
    rows = compiled(scooter_map.BATTERY)
    assert len(rows) < 10 * len(scooter_map.BATTERY)
    assert rows.startswith(b"\x02\x00\x07\x02\x02")  # the tables here have the bench's slots, too
    linked = made["deckwatch/protocols/xiaomi.py"]
    assert "= b'\\x02\\x00\\x07\\x02\\x02" in linked
    told = [n.value for n in ast.walk(ast.parse(linked)) if isinstance(n, ast.Constant)]
    battery = next(v for v in told if isinstance(v, bytes) and v.startswith(b"\x02\x00\x07\x02"))
    assert battery.count(b"\xff\xff") == 1
    assert battery.endswith(
        b"\xff\xff"
    )  # texts and dates, which stand behind it, are for the bench
    assert not rows.endswith(b"\xff\xff")
