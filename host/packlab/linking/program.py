"""All files of the program at once: which of its globals are needed, what each file takes from the
others, and the text of each."""

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from packlab.linking.files import SPOKEN, closure, is_family, leaders
from packlab.linking.inlining import KEPT, Inlining, keys, made_in
from packlab.linking.modules import PACKAGE, Module, bound, dotted, parsed, strings
from packlab.linking.names import Names
from packlab.linking.numbering import most_used_first
from packlab.linking.origins import Origin, Origins, made, stamped
from packlab.linking.rewrite import Global, Rewriter
from packlab.linking.values import values

_NOBODY_ASKS = "del __module__, __qualname__"  # MicroPython puts them in each class
_SHORT = 10  # letters up to which MicroPython keeps a text once only


@dataclass
class _Item:
    """One statement of a file's top level: what it makes, what it uses, and of that what other
    files make."""

    statement: ast.stmt
    makes: set[str]
    uses: set[str]
    wanted: dict[str, str]

    @property
    def is_needed(self) -> bool:
        """It may do something besides what it makes."""
        makers = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Assign
        return not isinstance(self.statement, makers)

    @property
    def is_import(self) -> bool:
        """Several modules of a file have some of them in common."""
        return isinstance(self.statement, ast.Import | ast.ImportFrom)


@dataclass
class Program:
    """The firmware's texts by path, and programs beside it that use it (the bench's)."""

    texts: Mapping[str, str]
    beside: Mapping[str, str]
    items: dict[str, list[_Item]] = field(default_factory=dict)
    functions: dict[str, list[tuple[str, Origin]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        modules = parsed({**self.texts, **self.beside})
        own = {name: modules[name] for name in map(dotted, self.texts)}
        self._modules = modules
        self._own = frozenset(own)
        self._leader_of = {**{name: name for name in modules}, **leaders(own)}
        self._values = values(self.texts, own)
        self._finals: dict[tuple[str, str], str] = {}
        self._exported: set[str] = set()
        # what may be asked of a module that was imported by its name
        self._asked_for = {
            node.attr for m in own.values() for node in ast.walk(m.tree)
            if isinstance(node, ast.Attribute) and not m.is_module(node.value)
            and not node.attr.startswith("_")
        }.union(*(strings(m.tree) for m in own.values()))  # fmt: skip
        first = sorted(own, key=lambda n: (not n.endswith(".pipeline"), not n.endswith(".app"), n))
        self._ordered = closure([*first, *sorted(set(modules) - set(own))], modules, set())
        self._names = Names(modules[name] for name in self._ordered if name in own)
        for name in self._ordered:
            self._name_globals(modules[name], is_own=name in own)

    # --- names -----------------------------------------------------------------------------------

    def _name_globals(self, module: Module, *, is_own: bool) -> None:
        spoken = set(SPOKEN.get(module.name.removeprefix(f"{PACKAGE}."), ()))
        if is_family(module.name, self._modules):
            spoken |= self._asked_for
        for name in sorted(module.own):
            kept = not is_own or name in spoken or name.startswith("__")
            final = name if kept else self._names.mark()
            self._finals[module.name, name] = final
            if kept:
                self._exported.add(final)

    def find(self, module: str, name: str) -> "Global | tuple[int | str] | str | None":
        """What a global of a module is: rewrite.Rewriter."""
        here = self._modules[module]
        if name in here.taken:
            source = here.taken[name]
            return self.find(source.module, source.name) if source.name else source.module
        value = self._values.get((module, name))
        if type(value) is int or type(value) is str and len(value) <= _SHORT:
            return (value,)
        if name in here.own:
            return Global(self._finals[module, name], self._leader_of[module])
        return None

    # --- files -----------------------------------------------------------------------------------

    def files(self) -> dict[str, str]:
        """The texts of the linked program by path, without those beside it."""
        for name in self._ordered:
            leader = self._leader_of[name]
            self.items.setdefault(leader, []).extend(self._rewritten(self._modules[name]))
        self._inline()
        needed = self._needed()
        by_name = {dotted(path): path for path in (*self.texts, *self.beside)}
        made = {by_name[leader]: self._text(leader, needed) for leader in self.items}
        for name in self._own:
            spoken = SPOKEN.get(name.removeprefix(f"{PACKAGE}."), ())
            if spoken and self._leader_of[name] != name:
                names = ", ".join(spoken)
                made[by_name[name]] = f"from {self._leader_of[name]} import {names}\n"
        made = {path: text for path, text in made.items() if not self._is_empty(path, made)}
        named = self._names.named(made, self.beside)
        return {
            path: text if path in self.beside else most_used_first(ast.parse(text)) + text
            for path, text in named.items()
        }

    def origins(self) -> Origins:
        """What the functions of `files` are in the sources."""
        called = self._names.called
        files = {
            path: [
                (called.get(name, name), origin) for name, origin in self.functions[dotted(path)]
            ]
            for path in self.texts
            if dotted(path) in self.functions
        }
        return made(files)

    def _is_empty(self, path: str, files: Mapping[str, str]) -> bool:
        """A package that holds nothing, or a module of which nothing is left."""
        folder = path.removesuffix("__init__.py")
        if folder == path:
            return path in self.texts and not files[path].strip()
        return not any(other != path and other.startswith(folder) for other in files)

    def _rewritten(self, module: Module) -> Iterator[_Item]:
        rewriter = Rewriter(module, self._leader_of, self._names, self.find, self._own)
        for statement in module.tree.body:
            name = _assigned(statement)
            if isinstance(self.find(module.name, name) if name else None, tuple):
                if self._finals[module.name, name] in self._exported:
                    yield _binding(name, ast.parse(repr(self._values[module.name, name])).body[0])
                continue
            known = self._known(module, statement)
            rewriter.wanted, rewriter.reached = {}, set()
            new = rewriter.visit(known)
            for one in new if isinstance(new, list) else [new] if new is not None else []:
                ast.fix_missing_locations(one)
                uses = set(_used(one)) | rewriter.reached
                yield _Item(one, set(bound([one])), uses, rewriter.wanted)
        yield from self._passed_on(module, rewriter)

    def _literal(self, leader: str, final: str) -> ast.stmt:
        origin = next(key for key, name in self._finals.items() if name == final)
        if origin not in self._values:
            raise ValueError(f"{leader}: the linked firmware has no {'.'.join(origin)} any more")
        return ast.parse(repr(self._values[origin])).body[0]

    def _passed_on(self, module: Module, rewriter: Rewriter) -> Iterator[_Item]:
        """What a family takes from others and must have itself: constants and classes."""
        if not is_family(module.name, self._modules):
            return
        for name in sorted(self._asked_for.intersection(module.taken)):
            source = module.taken[name]
            if source.name and name[0].isupper():
                rewriter.wanted = {}
                known = self._values.get((source.module, source.name), Ellipsis)
                text = name if known is Ellipsis else repr(known)
                value = rewriter.visit(ast.parse(text).body[0])
                self._exported.add(name)
                yield _binding(name, value, rewriter.wanted)

    def _known(self, module: Module, statement: ast.stmt) -> ast.stmt:
        """The statement, with the value its program gives it in place of how it is computed."""
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            name = statement.targets[0].id
            value = self._values.get((module.name, name), Ellipsis)
            if value is not Ellipsis and not isinstance(statement.value, ast.Constant):
                literal = ast.parse(repr(value), mode="eval").body
                return ast.Assign([statement.targets[0]], literal, lineno=statement.lineno)
        return statement

    def _inline(self) -> None:
        """Leaves out what nobody needs; what is called once, or small, where it is called."""
        needed = self._needed()
        own = {leader: items for leader, items in self.items.items() if leader in self._own}
        for items in own.values():
            items[:] = [item for item in items if item.is_needed or item.makes & needed]
        bodies = {leader: [item.statement for item in items] for leader, items in own.items()}
        kept = {final for (_, name), final in self._finals.items() if name in KEPT}
        inlining = Inlining(bodies, self._exported | kept | {f".{name}" for name in KEPT})
        inlining.run()
        wanted = {leader: [item.wanted for item in items] for leader, items in own.items()}
        for (leader, number), sources in inlining.changed.items():
            item = own[leader][number]
            ast.fix_missing_locations(item.statement)
            item.uses = set(_used(item.statement))
            every = [wanted[leader][source] for source in sorted(sources | {number})]
            item.wanted = {n: m for one in every for n, m in one.items() if n in item.uses}
        for leader in self.items.keys() - own.keys():
            said = {key for item in self.items[leader] for key in keys(item.statement)}
            said |= {key for item in self.items[leader] for key in made_in(item.statement)}
            said |= {name for item in self.items[leader] for name in item.uses}
            for key in sorted(said & inlining.gone):
                raise ValueError(
                    f"{leader}: the linked firmware has no {self._real(key)} any more; "
                    "name it in packlab/linking/inlining.py, KEPT"
                )

    def _real(self, key: str) -> str:
        """What the sources call something inlining.py has a key for."""
        found = [".".join(origin) for origin, final in self._finals.items() if final == key]
        return found[0] if found else key.removeprefix(".")

    def _needed(self) -> set[str]:
        """Globals that anything refers to which is needed itself."""
        makers: dict[str, list[_Item]] = {}
        own = [self.items[leader] for leader in self.items if leader in self._own]
        for items in own:
            for item in items:
                for name in item.makes:
                    makers.setdefault(name, []).append(item)
        needed: set[str] = set()
        waiting = [n for items in own for item in items if item.is_needed for n in item.uses]
        waiting += self._exported
        while waiting:
            name = waiting.pop()
            if name not in needed:
                needed.add(name)
                waiting += [used for item in makers.get(name, ()) for used in item.uses]
        return needed

    def _text(self, leader: str, needed: "set[str]") -> str:
        is_own = leader in self._own
        items = [i for i in self.items[leader] if not is_own or i.is_needed or i.makes & needed]
        wanted: dict[str, set[str]] = {}
        body: list[ast.stmt] = []
        for item in items:
            for name, maker in item.wanted.items():
                if name in needed:
                    wanted.setdefault(maker, set()).add(name)
                else:  # the dongle has it not, so a program beside the firmware brings it along
                    body.append(_binding(name, self._literal(leader, name)).statement)
        body += [
            ast.ImportFrom(maker, [ast.alias(name) for name in sorted(wanted[maker])], 0)
            for maker in sorted(wanted)
        ]
        used = {name for item in items if not item.is_import for name in item.uses}
        seen: set[str] = set()
        for item in items:
            text = ast.unparse(item.statement) if item.is_import else ""
            if text and (text in seen or item.makes == {"const"} and "const" not in used):
                continue
            seen.add(text)
            body.append(item.statement)
        tree = ast.Module(body, [])
        self.functions[leader] = list(stamped(tree))
        if not is_own:
            return _unparsed(tree)
        for one in body:
            if isinstance(one, ast.ClassDef):
                one.body.insert(0, ast.parse(_NOBODY_ASKS).body[0])
        return _unparsed(tree)


def link(texts: Mapping[str, str], beside: "Mapping[str, str] | None" = None) -> dict[str, str]:
    """The firmware's texts by path, and programs beside it, as they are compiled. SyntaxError
    where one is no Python."""
    return dict(_linked(tuple(texts.items()), tuple((beside or {}).items()))[0])


def origins(texts: Mapping[str, str]) -> Origins:
    """What the functions of the linked firmware are in these, its sources."""
    return _linked(tuple(texts.items()), ())[1]


@lru_cache(8)
def _linked(
    texts: "tuple[tuple[str, str], ...]", beside: "tuple[tuple[str, str], ...]"
) -> "tuple[dict[str, str], Origins]":
    program = Program(dict(texts), dict(beside))
    return program.files(), program.origins()


def _assigned(statement: ast.stmt) -> str:
    """The name a plain assignment binds, "" where it is none."""
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
        target = statement.targets[0]
        return target.id if isinstance(target, ast.Name) else ""
    return ""


def _binding(name: str, value: ast.stmt, wanted: "dict[str, str] | None" = None) -> _Item:
    """name = value, an expression."""
    assert isinstance(value, ast.Expr)
    statement = ast.parse(f"{name} = {ast.unparse(value)}").body[0]
    return _Item(statement, {name}, set(_used(value)), wanted or {})


def _used(node: ast.AST) -> Iterator[str]:
    for inner in ast.walk(node):
        if isinstance(inner, ast.Name):
            yield inner.id
        elif isinstance(inner, ast.ImportFrom):
            yield from (alias.name for alias in inner.names)


class _Pairs(ast.NodeTransformer):
    """Takes out `a, b = c, d`, which MicroPython does without a tuple where it sees none: ast
    would write parentheses."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def visit_Assign(self, node: ast.Assign) -> ast.AST:
        target, value = node.targets[0], node.value
        if not (isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple)):
            return node
        sides = (", ".join(map(ast.unparse, side.elts)) for side in (target, value))
        self.texts.append(" = ".join(sides))
        return ast.Expr(ast.Name(f"_pair_{len(self.texts) - 1}_", ast.Load()))


def _unparsed(tree: ast.Module) -> str:
    pairs = _Pairs()
    text = ast.unparse(pairs.visit(tree)) + "\n"
    return re.sub(r"\b_pair_(\d+)_\b", lambda found: pairs.texts[int(found[1])], text)
