"""What is called once, and what is small, stands where it is called (packlab.linking.inlining):
where that means the same, and nowhere else."""

import random
import re
from textwrap import indent

import pytest
from conftest import MicroPython
from linked_rig import result
from packlab.linking import link

# The function in question is `helper` or `_helper`; run(n) is what programs beside it call.
MOVED = {
    "a statement": """
def run(self, n):
    self._helper(n)
def _helper(self, n):
    self.x += n
    self.y = n
""",
    "a statement that returns early": """
def run(self, n):
    self._helper(n)
    self.y += 1
def _helper(self, n):
    if n > 2:
        return
    if n == 1:
        self.x = 5
        return self.tell(1)
    self.x = n
""",
    "a small one called twice": """
def run(self, n):
    return self._helper(n) + self._helper(2)
def _helper(self, n):
    self.x += n
    return self.x
""",
    "a small one called by one like it, and both elsewhere": """
def run(self, n):
    if self._other(n, 4):
        self.x = self._helper(n, self.y) + self._other(self.x, n)
    return self.x, self._helper(n, 2)
def _other(self, n, m):
    return self._helper(n, m) - self.y
def _helper(self, n, m):
    return m * n - self.x
""",
    "small ones among others, each called twice": """
def run(self, n):
    self._helper(n)
    self._helper(3)
    self._once(n)
def _once(self, n):
    self._other(n)
    if n > 2:
        self._other(2)
def _other(self, n):
    self.y += n
def _helper(self, n):
    self.x *= n
""",
    "the last statement": """
def run(self, n):
    if n:
        self._helper(n)
def _helper(self, n):
    for k in range(n):
        for j in range(k):
            if j + k > 3:
                return
            self.x += j
""",
    "a statement before the end": """
def run(self, n):
    if n:
        self._helper(n)
        return
    self.x = 9
def _helper(self, n):
    for k in range(n):
        for j in range(k):
            if j + k > 3:
                return
            self.x += j
""",
    "an assignment": """
def run(self, n):
    got = self._helper(n, 2)
    return got + n
def _helper(self, a, b):
    if a > b:
        return a
    a = a * 7
    return a - b
""",
    "an assignment of what may be nothing": """
def run(self, n):
    got = self._helper(n)
    return got
def _helper(self, a):
    if a:
        return a
""",
    "two at once": """
def run(self, n):
    n, self_y = self._helper(n, self.y)
    return n, self_y
def _helper(self, a, b):
    if a > 2:
        return b, a
    return a, b
""",
    "an attribute": """
def run(self, n):
    self.y = self._helper(n)
    return self.y
def _helper(self, n):
    self.x += 1
    return n + self.x
""",
    "an item": """
def run(self, n):
    self.told[1] = self._helper(n)
    self.told[2] = self._other(n)
    return self.told
def _helper(self, n):
    if n > 1:
        return self.tell(n + 1)
    return 8
def _other(self, n):
    n *= self.x
    return n * n - n
""",
    "a returned value": """
def run(self, n):
    if n > 1:
        return self._helper(n)
    return 3
def _helper(self, n):
    for k in range(n):
        for j in range(k):
            if j == 1:
                return k, j
    self.x = 5
""",
    "a condition": """
def run(self, n):
    if n == 9:
        return 1
    elif self._helper(n):
        return 2
    return 3
def _helper(self, n):
    self.x += n
    return self.x > 3
""",
    "the end of a condition": """
def run(self, n):
    if n and not self._helper(n):
        self.y = 4
def _helper(self, n):
    self.x += n
    return self.x > 3
""",
    "a returned condition": """
def run(self, n):
    return n > 1 and n < 4 and self._helper(n) and self.x
def _helper(self, n):
    for k in range(n):
        self.x += k
        if self.x > 4:
            return 0
    self.y = n
    return n
""",
    "one of two": """
def run(self, n):
    self.y = self._helper(n) if n > 2 else self.x
    return 1 if n < 4 else self._other(n)
def _helper(self, n):
    self.x += n
    return self.x > 3
def _other(self, n):
    self.x = n
    for k in range(n):
        if k > 3:
            return k
""",
    "a source": """
def run(self, n):
    return [k for k in self._helper(n)] + [self.x]
def _helper(self, n):
    return self.tell(n), n
""",
    "a loop's source": """
def run(self, n):
    for k in self._helper(n):
        self.x += k
def _helper(self, n):
    self.y = n
    return range(self.y)
""",
    "part of an expression": """
def run(self, n):
    return n + 3 * self._helper(n) - self.tell(n)
def _helper(self, n):
    self.tell(n + 1)
    return self.x
""",
    "one expression, again and again": """
def run(self, n):
    while self._helper(n) < 10:
        self.x += 3
def _helper(self, n):
    return self.x + n
""",
    "a search": """
def run(self, n):
    at = self._helper(n)
    return at
def _helper(self, n):
    for at in range(len(self.told)):
        if self.told[at] == n:
            return at
    return -1
""",
    "a search without end": """
def run(self, n):
    at = self._helper(n)
    return at
def _helper(self, n):
    while True:
        n += 3
        if n > 20:
            return n
""",
    "returns among branches": """
def run(self, n):
    at = self._helper(n)
    return at, self.x
def _helper(self, n):
    if n > 1:
        if n > 3:
            return 7
        self.x = 4
    elif n:
        return 1
    self.x += 1
    return self.x
""",
    "a failure": """
def run(self, n):
    at = self._helper(n)
    return at
def _helper(self, n):
    try:
        return self.told[n * 2]
    except IndexError as problem:
        self.problem = str(type(problem))
    return -2
""",
    "names of its own": """
def run(self, n):
    k = 7
    got = self._helper(n)
    return k, got
def _helper(self, n):
    k = n * 2
    k += len([n for n in (1, 2, 3) if n])
    return k
""",
    "arguments by name and left off": """
def run(self, n):
    return [self._helper(c=n, a=1)]
def _helper(self, a, b=3, c=4):
    a += 1
    return a, b, c
""",
    "arguments are evaluated once, and in their order": """
def run(self, n):
    self._helper(self.tell(n), self.tell(n + 1), self.x)
def _helper(self, a, b, c):
    self.told = [b, a, a, c]
""",
    "an argument is as it was": """
def run(self, n):
    self._helper(self.x, n)
def _helper(self, a, n):
    self.x = n
    self.y = a
""",
    "an argument is read before the rest": """
def run(self, n):
    self._helper(self.x, n)
def _helper(self, a, n):
    self.y = a + self.tell(n)
""",
    "another object's": """
def run(self, n):
    self.rod_of(n).helper(n)
    return self.rod.length
def rod_of(self, n):
    self.y += 1
    self.tell(n)
    return self.rod
""",
    "a function": """
def run(self, n):
    self.y = helper(n)
    return self.y
""",
    "one in another": """
def run(self, n):
    got = self._helper(n)
    return got + 1
def _helper(self, n):
    k = self._first(n)
    k += self._second(k)
    return k
def _first(self, n):
    k = n + self.x
    self.x = k
    return k
def _second(self, n):
    k = n + self.y
    self.y = k + self._third(k)
    return k
def _third(self, n):
    if n > 4:
        return n
    return n * 2
""",
    "one given to another": """
def run(self, n):
    self._helper(n, self._first(n), self._second(n))
def _helper(self, a, b, c):
    self.told = [a, b, c, b]
    a = b
def _first(self, n):
    k = n + self.x
    self.x = k
    return k
def _second(self, n):
    k = n + self.x
    self.x = k * 2
    return k
""",
}
KEPT = {
    "calls itself": """
def run(self, n):
    return self._helper(n)
def _helper(self, n):
    return n and self._helper(n - 1) + 1
""",
    "is called twice and is long": """
def run(self, n):
    return self._helper(n) + self._helper(2)
def _helper(self, n):
    self.x += n * n - 2 * n + self.y * self.y
    self.told = [self.x, n, self.y]
    return self.x
""",
    "is called often": """
def run(self, n):
    self._helper(n), self._helper(1), self._helper(2), self._helper(3), self._helper(4)
    self._helper(5), self._helper(6), self._helper(7), self._helper(8)
def _helper(self, n):
    self.x += n
""",
    "is called twice, once in an inner function": """
def run(self, n):
    inner = lambda k: self._helper(k)
    self._helper(2)
    return inner(n)
def _helper(self, n):
    self.x = n
    return n
""",
    "is called twice, once with what it writes": """
def run(self, n):
    self._helper(n)
    return self._helper(2)
def _helper(self, n):
    n += 1
    return n
""",
    "is stored": """
def run(self, n):
    kept = self._helper
    return kept(n)
def _helper(self, n):
    return n + 1
""",
    "is said": """
def run(self, n):
    return getattr(self, "_helper")(n) + self._helper(n)
def _helper(self, n):
    return n + 1
""",
    "is decorated": """
def run(self, n):
    return self._helper(n)
@staticmethod
def _helper(n):
    return n + 1
""",
    "yields": """
def run(self, n):
    return list(self._helper(n))
def _helper(self, n):
    yield n + 1
""",
    "shares its locals": """
def run(self, n):
    got = self._helper(n)
    return got
def _helper(self, n):
    return list(map(lambda k: k * (n - 2), [-1, 0, 1]))
""",
    "shares its locals with a comprehension": """
def run(self, n):
    got = self._helper(n)
    return got
def _helper(self, n):
    return [k + n for k in (1, 2)]
""",
    "takes what comes": """
def run(self, n):
    return self._helper(n, n)
def _helper(self, *n):
    return n
""",
    "has a list": """
def run(self, n):
    self._helper(n)
    return self.told
def _helper(self, n, kept=[1]):
    kept.append(n)
    self.told = kept
""",
    "would come before what changes it": """
def run(self, n):
    return self.tell(n) + self._helper(n)
def _helper(self, n):
    if n > 1:
        return self.x
    return n
""",
    "would change what comes before": """
def run(self, n):
    return self.x + self._helper(n)
def _helper(self, n):
    self.x = n
    return n
""",
    "would come though not asked for": """
def run(self, n):
    return self.tell(n > 1 and self._helper(n))
def _helper(self, n):
    self.x = n
    return n
""",
    "is asked again and again": """
def run(self, n):
    while self._helper(n):
        self.y += 1
def _helper(self, n):
    self.x += 1
    return self.x < n
""",
    "reads what the caller calls something else": """
def run(self, n):
    abs = n - 3
    return self._helper(abs)
def _helper(self, n):
    return abs(n)
""",
    "has a finally": """
def run(self, n):
    got = self._helper(n)
    return got
def _helper(self, n):
    try:
        return n
    finally:
        self.x = n
""",
    "returns from a loop in a loop": """
def run(self, n):
    got = self._helper(n)
    return got
def _helper(self, n):
    for k in range(n):
        for j in range(k):
            if j == 1:
                return k
    return 9
""",
    "returns from a loop that breaks off, too": """
def run(self, n):
    at = self._helper(n)
    return at
def _helper(self, n):
    for at in range(9):
        if at > 6:
            break
        if self.told[at % 4] == n:
            return at
    return -1
""",
    "is called in an inner function": """
def run(self, n):
    inner = lambda k: self._helper(k)
    return inner(n)
def _helper(self, n):
    self.x = n
    return n
""",
    "has too many locals": """
def run(self, n):
    a = b = c = d = e = f = g = h = i = j = k = l = m = n
    self._helper(n)
    return a + b + c + d + e + f + g + h + i + j + k + l + m
def _helper(self, n):
    a, b, c = n, n + 1, n + 2
    self.told = [a, b, c]
""",
    "is called of its class": """
def run(self, n):
    Pipeline._helper(self, n)
def _helper(self, n):
    self.x = n
""",
    "programs beside it call it": """
def run(self, n):
    self.step(n)
def step(self, n):
    self.x = n
""",
}
FRAME = """
class Rod:
    def __init__(self):
        self.length = 1
    def helper(self, n):
        self.length += n
        self.length *= 2

def helper(n):
    k = n + 1
    return k * k

class Pipeline:
    def __init__(self):
        self.x = 1
        self.y = 2
        self.told = [0, 1, 2, 3]
        self.seen = []
        self.problem = ""
        self.rod = Rod()
    def tell(self, n):
        self.seen.append(n)
        self.x += n
        return self.x
    def read(self, n):
        self.tell(self.tell(0))
        try:
            said = self.run(n)
        except ValueError:
            said = "failed"
        return said, self.x, self.y, self.told, self.seen, self.problem
"""
APP = "from deckwatch.pipeline import Pipeline\nclass App:\n    core = Pipeline()\n"
BESIDE = """
def run():
    from deckwatch.pipeline import Pipeline
    return [Pipeline().read(n) for n in range(6)]
"""


def framed(methods: str) -> str:
    """A program with these methods."""
    return FRAME + indent(methods, "    ")


def linked(source: str) -> tuple[str, str]:
    """Its one file, linked, and the program beside it."""
    files = {"deckwatch/pipeline.py": source, "deckwatch/app.py": APP}
    made = link(files, {"beside.py": BESIDE})
    return made["deckwatch/pipeline.py"], made["beside.py"]


def said(source: str, beside: str) -> object:
    """What the program beside it gives."""
    return result({"deckwatch/__init__.py": "", "deckwatch/pipeline.py": source}, beside)


def functions(source: str) -> int:
    return source.count("def ")


IN_ANY_CASE = 5  # of FRAME, and run


@pytest.mark.parametrize("name", MOVED)
def test_it_stands_where_it_is_called(name: str) -> None:
    source = framed(MOVED[name])
    text, beside = linked(source)
    assert functions(text) == IN_ANY_CASE, text
    assert said(text, beside) == said(source, BESIDE)


@pytest.mark.parametrize("name", KEPT)
def test_it_stays(name: str) -> None:
    source = framed(KEPT[name])
    text, beside = linked(source)
    assert functions(text) == IN_ANY_CASE - 1 + functions(KEPT[name]), text
    assert said(text, beside) == said(source, BESIDE)


class Maker:
    """Makes programs at random: methods that call each other, most of them once, small ones
    again."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._uncalled = [f"_m{number}" for number in range(9)]
        self._called: list[str] = []

    def program(self) -> str:
        """The methods of one."""
        run = self._method("run", 5)
        written = ""
        while self._called:
            name = self._called.pop()
            small = f"def {name}(self, n, a=3, b=2):\n    {self._small()}\n"
            written += small if self._random.random() < 0.5 else self._method(name, 3)
        return run + written

    def _method(self, name: str, size: int) -> str:
        first = "b = c = n\n"  # so that none is read before it has a value
        return f"def {name}(self, n, a=3):\n" + indent(first + self._block(size, 0), "    ")

    def _block(self, size: int, depth: int) -> str:
        return "".join(self._statement(depth) for _ in range(self._random.randrange(1, size + 1)))

    def _statement(self, depth: int) -> str:
        kind = self._random.randrange(14 if depth < 2 else 9)
        value = self._value()
        if kind < 2:
            return f"number({value})\n"
        if kind < 4:
            return f"{self._random.choice('abc')} = {value}\n"
        if kind == 4:
            return f"self.{self._random.choice('xy')} = {value} % 1000\n"
        if kind == 5:
            return f"self.x += {value} % 1000\n"
        if kind == 6:
            return f"return {value}\n"
        if kind == 7:
            return f"b, a = {self._plain()}, {value}\n"
        if kind == 8:
            return "return\n" if self._random.random() < 0.4 else f"self.told[1] = {value} % 9\n"
        inner = indent(self._block(3, depth + 1), "    ")
        if kind < 12:
            other = f"else:\n{indent(self._block(2, depth + 1), '    ')}"
            end = other if self._random.random() < 0.4 else ""
            return f"if {self._condition()}:\n{inner}{end}"
        return f"for k in range({self._plain()} % 4):\n{inner}"

    def _small(self) -> str:
        return self._random.choice(
            [f"return {self._plain()} + {self._value()}", f"self.x = {self._plain()} % 1000 + n"]
        )

    def _condition(self) -> str:
        found = f"{self._value()} % 3 {self._random.choice(['> 0', '< 1', '== 1'])}"
        return f"{self._plain()} % 2 and {found}" if self._random.random() < 0.3 else found

    def _value(self) -> str:
        chance = self._random.random()
        if chance < 0.35 and self._uncalled:
            if self._called and self._random.random() < 0.3:
                name = self._random.choice(self._called)  # again; it is written later
            else:
                name = self._uncalled.pop()
                self._called.append(name)
            given = ", ".join(self._value() for _ in range(self._random.randrange(1, 3)))
            return f"number(self.{name}({given}))"
        if chance < 0.5:
            return f"({self._plain()} + {self._value()})"
        return f"self.tell({self._plain()})" if chance < 0.6 else self._plain()

    def _plain(self) -> str:
        return self._random.choice(["n", "a", "b", "self.x", "self.y", "2", "self.told[2]"])


def made_at_random(seed: int) -> str:
    """A program whose methods are called once or not at all."""
    local = "def number(what):\n    return what if type(what) is int else 1\n"
    return local + framed(Maker(seed).program())


def test_programs_made_at_random_do_the_same() -> None:
    moved = 0
    for seed in range(60):
        source = made_at_random(seed)
        text, beside = linked(source)
        assert said(text, beside) == said(source, BESIDE), (seed, source, text)
        moved += functions(source) - functions(text)
    assert moved > 200, moved


def test_micropython_gives_what_python_does(micropython32: MicroPython) -> None:
    sources = [framed(methods) for methods in (*MOVED.values(), *KEPT.values())]
    sources += [made_at_random(seed) for seed in range(20)]
    program = "def result(text, name):\n    scope = {'__name__': 'it'}\n    exec(text, scope)\n"
    program += "    return [scope[name]().read(n) for n in range(6)]\n"
    for source in sources:
        text, beside = linked(source)
        name = beside.partition("import ")[2].split()[0]
        program += f"print(result({text!r}, {name!r}))\n"
    lines = micropython32.execute(program).splitlines()
    assert lines == [str(said(source, BESIDE)) for source in sources]


def test_what_programs_beside_it_call_must_be_named() -> None:
    source = framed(MOVED["another object's"])
    files = {"deckwatch/pipeline.py": source, "deckwatch/app.py": APP}
    beside = "from deckwatch.pipeline import Rod\nRod().helper(1)\n"
    with pytest.raises(ValueError, match=r"beside: the linked firmware has no helper any more"):
        link(files, {"beside.py": beside})
    beside = "from deckwatch import pipeline\npipeline.helper = None\n"
    files["deckwatch/pipeline.py"] = framed(MOVED["a function"])
    with pytest.raises(ValueError, match=r"has no deckwatch.pipeline.helper any more"):
        link(files, {"beside.py": beside})


def test_what_a_moved_body_needs_of_other_files_comes_along() -> None:
    source = framed(MOVED["another object's"]).replace("self.length *= 2", "self.length = late(n)")
    files = {
        "deckwatch/pipeline.py": "from deckwatch.loops_plain import late\n" + source,
        "deckwatch/loops_plain.py": "KNOWN = []\ndef late(n):\n    return KNOWN.count(n)\n",
        "deckwatch/app.py": APP,
    }
    text = link(files)["deckwatch/pipeline.py"]
    (taken,) = re.findall(r"from deckwatch.loops_plain import (\w+)", text)
    assert functions(text) == IN_ANY_CASE
    assert f"= {taken}(" in text


def test_what_needs_nothing_of_its_file_goes_into_another() -> None:
    app = APP + "    def run(self, n):\n        self.core.look_up(n)\n"
    source = framed("def look_up(self, n):\n    n += 1\n    self.x = abs(n)\n")
    made = link({"deckwatch/pipeline.py": source, "deckwatch/app.py": app})
    (unlike,) = link(
        {"deckwatch/pipeline.py": source.replace("abs", "helper"), "deckwatch/app.py": app}
    )["deckwatch/app.py"].splitlines()[-1:]
    assert "abs(" in made["deckwatch/app.py"]
    assert "abs(" not in made["deckwatch/pipeline.py"]
    assert unlike.endswith("(nan)")  # the call


def test_a_task_holds_nothing_it_needed_for_a_moment_only() -> None:
    source = framed("""
async def run(self, n):
    while n < 3:
        n += 1
        self._helper(n)
        if self._other(n):
            self.seen.append(n)
def _helper(self, n):
    large = [n] * n
    self.told = large[1:]
def _other(self, n):
    large = n * 2
    return large > 4
def look(self):
    return self.told, self.seen
""")
    text, beside = linked(source)
    assert functions(text) == IN_ANY_CASE + 1
    assert text.count("v0 = None") == 1, text  # the second one's is asked for
    run = "import asyncio\ndef run():\n    core = Core()\n    asyncio.run(core.run(0))\n"
    run += "    return core.look()\n"
    from_it = "from deckwatch.pipeline import {} as Core\n"
    results = []
    for program, said_by in ((source, BESIDE), (text, beside)):
        name = said_by.partition("import ")[2].split()[0]
        results.append(said(program, from_it.format(name) + run))
    assert results[0] == results[1]


def test_methods_nobody_calls_are_left_out() -> None:
    unused = "def unused(self):\n    self._alone()\ndef _alone(self):\n    self._alone_2()\n"
    unused += "def _alone_2(self):\n    pass\n"
    text, _ = linked(framed(MOVED["a statement"] + unused))
    assert functions(text) == IN_ANY_CASE
