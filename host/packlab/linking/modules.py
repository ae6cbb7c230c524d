"""The firmware's files as one program: what each binds, where its names come from, which of its
values are known before it runs."""

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from packlab.linking.origins import stamp

PACKAGE = "deckwatch"
BENCH_ONLY = ("bench_slots", "bench_rows")  # modules that no dongle has
BY_NAME = (f"{PACKAGE}.protocols", f"{PACKAGE}.profiles")  # imported by a name put together


@dataclass(frozen=True)
class Imported:
    """Where a name of a module comes from: `name` of the firmware's module `module`; the module
    itself where name is ""."""

    module: str
    name: str


@dataclass
class Module:
    """One file. name: dotted. own: names its top level binds itself; taken: those it takes from
    others of the firmware; outside: those it takes from MicroPython's modules."""

    name: str
    tree: ast.Module
    known: Iterable[str]
    is_package: bool = False
    own: set[str] = field(default_factory=set)
    taken: dict[str, Imported] = field(default_factory=dict)
    outside: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        for statement in self.tree.body:
            if isinstance(statement, ast.Import | ast.ImportFrom):
                self._import(statement)
        for statement in self.tree.body:
            if not isinstance(statement, ast.Import | ast.ImportFrom):
                self.own |= set(bound([statement]))

    def _import(self, statement: "ast.Import | ast.ImportFrom") -> None:
        for name, source in imports(statement, self.known):
            if source is None:
                self.outside.add(name)
            else:
                self.taken[name] = source

    def is_module(self, node: ast.expr) -> bool:
        """Does an expression name another of the firmware's modules?"""
        source = self.taken.get(node.id) if isinstance(node, ast.Name) else None
        return source is not None and not source.name

    @cached_property
    def eager(self) -> list[str]:
        """The firmware's modules its top level imports in any case."""
        return list(dict.fromkeys(source.module for source in self.taken.values()))

    @cached_property
    def others(self) -> set[str]:
        """All modules of the firmware it may ever import by their names."""
        return {
            source.module
            for node in ast.walk(self.tree)
            if isinstance(node, ast.Import | ast.ImportFrom)
            for _, source in imports(node, self.known)
            if source is not None
        }


def imports(
    statement: "ast.Import | ast.ImportFrom", known: Iterable[str]
) -> Iterator[tuple[str, "Imported | None"]]:
    """(name bound, its source in the firmware) of an import; None = it is not the firmware's."""
    for alias in statement.names:
        name = alias.asname or alias.name
        if isinstance(statement, ast.ImportFrom):
            module = statement.module or ""
            if f"{module}.{alias.name}" in known:
                yield name, Imported(f"{module}.{alias.name}", "")
                continue
            yield name, Imported(module, alias.name) if module in known else None
        elif alias.name in known:
            raise ValueError(f"'import {alias.name}': say 'from … import …'")
        else:
            yield name.partition(".")[0], None


def bound(statements: "Iterable[ast.AST]") -> Iterator[str]:
    """Names that statements bind in the scope they stand in."""
    for node in statements:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
            continue
        if isinstance(
            node, ast.Lambda | ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp
        ):
            continue
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store | ast.Del):
            yield node.id
        elif isinstance(node, ast.ExceptHandler) and node.name:
            yield node.name
        elif isinstance(node, ast.Import | ast.ImportFrom):
            yield from (a.asname or a.name.partition(".")[0] for a in node.names)
        elif isinstance(node, ast.Global | ast.Nonlocal):
            raise ValueError("the linker knows no 'global' and no 'nonlocal'")
        yield from bound(ast.iter_child_nodes(node))


def strings(tree: ast.AST) -> Iterator[str]:
    """The strings a program holds; its docstrings must be gone."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def parsed(texts: Mapping[str, str]) -> dict[str, Module]:
    """Modules by dotted name, of texts by path; without docstrings and annotations."""
    names = {path: dotted(path) for path in texts}
    known = frozenset(name for name in names.values() if name.split(".")[0] == PACKAGE)
    trees = {path: bared(ast.parse(text)) for path, text in texts.items()}
    for path, tree in trees.items():
        stamp(path, tree)
    return {
        names[path]: Module(names[path], tree, known, path.endswith("__init__.py"))
        for path, tree in trees.items()
    }


def dotted(path: str) -> str:
    """deckwatch/meters/cells.py -> deckwatch.meters.cells"""
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


class _Bare(ast.NodeTransformer):
    def visit_Expr(self, node: ast.Expr) -> "ast.AST | None":
        return None if isinstance(node.value, ast.Constant) else self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> "ast.AST | None":
        if node.value is None:
            return None
        return self.generic_visit(ast.Assign([node.target], node.value, lineno=node.lineno))

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        if not any("viper" in ast.unparse(decorator) for decorator in node.decorator_list):
            for argument in [*node.args.args, *node.args.kwonlyargs]:
                argument.annotation = None
            node.returns = None
        self.generic_visit(node)
        node.body = node.body or [ast.Pass()]
        return node

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        return self.visit_FunctionDef(node)  # type: ignore[arg-type]

    def visit_Try(self, node: ast.Try) -> "ast.AST | list[ast.stmt]":
        self.generic_visit(node)
        first = node.body[0]
        is_vain = isinstance(first, ast.ImportFrom) and first.module in BENCH_ONLY
        return node.handlers[0].body if is_vain else node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        self.generic_visit(node)
        node.body = node.body or [ast.Pass()]
        return node


def bared(tree: ast.Module) -> ast.Module:
    """Without docstrings, and without annotations but those of viper functions."""
    bare: ast.Module = _Bare().visit(tree)
    return bare
