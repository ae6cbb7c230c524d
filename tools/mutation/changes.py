"""Every way in which tools/mutants.py breaks one file of the firmware: one small change each."""

import ast
import copy
import functools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import CodeType

FIRMWARE = Path(__file__).resolve().parents[2] / "firmware/deckwatch"

COMPARED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
COMPUTED: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
}
SWAPPED = {"min": "max", "max": "min"}
# The size of a buffer: one byte more changes nothing, one less raises.
BUFFERS = {"array", "bytes", "bytearray"}

Key = tuple[str, str, str, str]


@dataclass(frozen=True)
class Where:
    """A place in the source. scope: the class and function it is in, as Python qualifies them;
    function: is it in the body of one, so that it runs when that is called; first, last: lines of
    the statement, of a compound one those of its head."""

    scope: str = ""
    function: bool = False
    first: int = 0
    last: int = 0


@dataclass(frozen=True)
class Mutant:
    """One change. place: the function it is in, if any, and the line without its comment."""

    file: str
    line: int
    place: str
    old: str
    new: str
    where: Where
    tree: ast.Module
    node: ast.AST
    changed: ast.AST

    @property
    def key(self) -> Key:
        """What stays the same while lines move: how docs/mutants.md names it."""
        return (self.file, self.place, self.old, self.new)

    def module(self) -> ast.Module:
        """The whole file with the change; deepcopy takes what its memo holds for a copy."""
        memo = {id(self.node): self.changed}
        return ast.fix_missing_locations(copy.deepcopy(self.tree, memo))

    def code(self) -> CodeType:
        """The whole file with the change, compiled."""
        return compile(self.module(), str(FIRMWARE / self.file), "exec")


@functools.cache
def parsed(file: str) -> ast.Module:
    """One file of the firmware."""
    return ast.parse((FIRMWARE / file).read_text(), file)


def mutants(file: str) -> list[Mutant]:
    """Every change of one file, in the order of its source."""
    tree = parsed(file)
    source = (FIRMWARE / file).read_text()
    lines = [line.split("  # ")[0].strip() for line in source.splitlines()]
    made = []
    for where, node, changed in _changes(tree, Where()):
        line = getattr(node, "lineno", 0)
        place = f"{where.scope}: {lines[line - 1]}".removeprefix(": ")
        old, new = _first_line(node), _first_line(changed)
        made.append(Mutant(file, line, place, old, new, where, tree, node, changed))
    return made


def _first_line(node: ast.AST) -> str:
    return ast.unparse(node).splitlines()[0]


def _changes(node: ast.AST, where: Where) -> Iterator[tuple[Where, ast.AST, ast.AST]]:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in BUFFERS:
        return
    if isinstance(node, ast.stmt):
        head = getattr(node, "test", None) or getattr(node, "iter", None) or node
        where = Where(where.scope, where.function, node.lineno, head.end_lineno or node.lineno)
    for changed in _variants(node):
        yield where, node, ast.copy_location(changed, node)
    inner = where
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        scope = f"{where.scope}.{node.name}".lstrip(".")
        inner = Where(scope, isinstance(node, ast.FunctionDef), where.first, where.last)
    for name, value in ast.iter_fields(node):
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield from _changes(child, inner if name == "body" else where)


def _variants(node: ast.AST) -> Iterator[ast.AST]:
    match node:
        case ast.Compare(ops=ops):
            for place, op in enumerate(ops):
                swapped = [*ops[:place], COMPARED[type(op)](), *ops[place + 1 :]]
                yield ast.Compare(node.left, swapped, node.comparators)
        case ast.BoolOp(op=op, values=values):
            yield ast.BoolOp(ast.Or() if isinstance(op, ast.And) else ast.And(), values)
        case ast.BinOp(op=op) if type(op) in COMPUTED:
            yield ast.BinOp(node.left, COMPUTED[type(op)](), node.right)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield operand
        case ast.Constant(value=bool(value)):
            yield ast.Constant(not value)
        case ast.Constant(value=int(value)):
            yield ast.Constant(value + 1)
            yield ast.Constant(value - 1)
        case ast.Call(func=ast.Name(id=name)) if name in SWAPPED:
            yield ast.Call(ast.Name(SWAPPED[name], ast.Load()), node.args, node.keywords)
        case ast.IfExp(test=test):
            yield ast.IfExp(test, node.orelse, node.body)
        case ast.If(test=test):
            yield ast.If(ast.UnaryOp(ast.Not(), test), node.body, node.orelse)
        case ast.AugAssign(op=op):
            if type(op) in COMPUTED:
                yield ast.AugAssign(node.target, COMPUTED[type(op)](), node.value)
            yield ast.Pass()
        case ast.Expr(value=ast.Call()) | ast.Continue() | ast.Break():
            yield ast.Pass()
        case ast.Assign(targets=[ast.Attribute() | ast.Subscript(), *_]):
            yield ast.Pass()
