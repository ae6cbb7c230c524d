"""The place of a call in a function, and what stands there instead of it."""

import ast
import copy
from dataclasses import dataclass, replace

from packlab.linking.bodies import Moved, blocks, ended, returns_early, runs_to_its_end
from packlab.linking.effects import INNER, before, does, is_fixed, roots


@dataclass(frozen=True)
class Place:
    """body[number] is the statement. is_last: the function ends with it; is_left: or behind it.
    is_waiting: the function lives long, so what it needed for a moment must not stay in it."""

    body: "list[ast.stmt]"
    number: int
    is_last: bool
    is_waiting: bool = False

    @property
    def statement(self) -> ast.stmt:
        """That with the call."""
        return self.body[self.number]

    @property
    def is_left(self) -> bool:
        """Does the function return nothing behind it?"""
        if self.is_last or self.number + 1 == len(self.body):
            return self.is_last
        after = self.body[self.number + 1]
        return isinstance(after, ast.Return) and after.value is None


def located(body: "list[ast.stmt]", call: ast.Call, *, is_end: bool = True) -> "Place | None":
    """Where a call is evaluated; None: within an inner function, or again and again."""
    for number, statement in enumerate(body):
        if not _holds(statement, call):
            continue
        is_last = is_end and number + 1 == len(body)
        if any(_holds(root, call) for root in roots(statement)):
            return Place(body, number, is_last)
        if isinstance(statement, INNER):
            return None
        inner_end = is_last and isinstance(statement, ast.If)
        for block in blocks(statement):
            found = located(block, call, is_end=inner_end)
            if found is not None:
                return found
    return None


def names_at(statement: ast.stmt) -> "set[str]":
    """Names that are in use while the statement evaluates what comes first in it."""
    targets = statement.targets if isinstance(statement, ast.Assign) else []
    return {
        node.id
        for part in (*roots(statement), *targets)
        for node in ast.walk(part)
        if isinstance(node, ast.Name)
    }


def statements(place: Place, call: ast.Call, moved: Moved, result: str) -> "list[ast.stmt] | None":
    """What takes the place of the statement. A call that is still in it is to be replaced by
    result, a free name. None where the order of things would be another one."""
    statement = place.statement
    split = _split(statement, call, result)
    if split is not None:
        new, block = split
        inner = replace(place, body=block, number=0, is_last=False)
        found = statements(inner, call, moved, result)
        if found is None:
            return None
        block[:] = found
        return new
    if not _keeps_order(statement, call, moved):
        return None
    after: list[ast.stmt] = []
    match statement:
        case ast.Expr(value=value) if value is call:
            found = _dropped(moved.body, place)
        case ast.Return(value=value) if value is call:
            end = [ast.Return(None)] if runs_to_its_end(moved.body) else []
            found = [*moved.body, *([] if place.is_last else end)]
        case ast.Assign(targets=[target], value=value) if value is call and _takes(target, moved):
            found = ended(moved.body, lambda value: [_assign(target, value)])
        case _:
            name = ast.Name(result, ast.Store())
            found = ended(moved.body, lambda value: [_assign(name, value)])
            after = [statement]
    if found is None:
        return None
    if place.is_waiting and runs_to_its_end(found):
        held = [name for name in moved.taken if name != result or not after]
        found = [*found, *(_assign(ast.Name(name, ast.Store()), None) for name in held)]
    return [*moved.before, *found, *after] or [ast.Pass()]


def replaced(tree: ast.AST, node: ast.expr, new: ast.expr) -> None:
    """Puts new in place of node."""

    class Replacing(ast.NodeTransformer):
        def visit(self, found: ast.AST) -> ast.AST:
            return new if found is node else self.generic_visit(found)

    Replacing().visit(tree)


def _holds(tree: ast.AST, call: ast.Call) -> bool:
    return any(node is call for node in ast.walk(tree))


def _split(
    statement: ast.stmt, call: ast.Call, result: str
) -> "tuple[list[ast.stmt], list[ast.stmt]] | None":
    """A call that comes under a condition as one that comes in any case, below an `if`: (the
    statements, the block of them that holds that alone)."""
    match statement:
        case ast.If(test=ast.BoolOp(op=ast.And(), values=values), orelse=[]):
            first, rest = _parted(values, call)
            if first:
                block: list[ast.stmt] = [ast.If(_all(rest), statement.body, [])]
                return [ast.If(_all(first), block, [])], block
        case ast.Return(value=ast.BoolOp(op=ast.And(), values=values)):
            first, rest = _parted(values, call)
            if first:
                block = [ast.Return(_all(rest))]
                kept = ast.Name(result, ast.Load())
                begin = _assign(ast.Name(result, ast.Store()), _all(first))
                return [begin, ast.If(kept, block, []), ast.Return(kept)], block
        case ast.Assign(value=ast.IfExp(test=test) as value) if not _holds(test, call):
            sides: list[list[ast.stmt]] = [
                [ast.Assign(copy.deepcopy(statement.targets), side, lineno=0)]
                for side in (value.body, value.orelse)
            ]
            return [ast.If(test, *sides)], sides[_holds(value.orelse, call)]
        case ast.Return(value=ast.IfExp(test=test) as value) if not _holds(test, call):
            sides = [[ast.Return(side)] for side in (value.body, value.orelse)]
            return [ast.If(test, *sides)], sides[_holds(value.orelse, call)]
    return None


def _parted(values: "list[ast.expr]", call: ast.Call) -> "tuple[list[ast.expr], list[ast.expr]]":
    """Those before that with the call, and the rest."""
    (number,) = (n for n, value in enumerate(values) if _holds(value, call))
    return values[:number], values[number:]


def _all(values: "list[ast.expr]") -> ast.expr:
    return ast.BoolOp(ast.And(), values) if len(values) > 1 else values[0]


def _keeps_order(statement: ast.stmt, call: ast.Call, moved: Moved) -> bool:
    """Is it the same whether what the statement evaluates before the call comes after it?"""
    earlier: list[ast.expr] = []
    for root in roots(statement):
        if _holds(root, call):
            within = before(root, call)
            if within is None:
                return False
            earlier += within
            break
        earlier.append(root)
    if does([*moved.before, *moved.body]):
        return all(is_fixed(part) for part in earlier)
    return not does(earlier)


def _takes(target: ast.expr, moved: Moved) -> bool:
    """May each `return` of the body assign to it?"""
    if isinstance(target, ast.Tuple):
        return all(isinstance(part, ast.Name) for part in target.elts)
    if isinstance(target, ast.Attribute):
        once = sum(isinstance(n, ast.Return) for s in moved.body for n in ast.walk(s)) == 1
        return once and isinstance(target.value, ast.Name) and not runs_to_its_end(moved.body)
    return isinstance(target, ast.Name)


def _assign(target: ast.expr, value: "ast.expr | None") -> ast.stmt:
    return ast.Assign([copy.deepcopy(target)], value or ast.Constant(None), lineno=0)


def _dropped(body: "list[ast.stmt]", place: Place) -> "list[ast.stmt] | None":
    """The body without its value."""
    if returns_early(body) and place.is_left:
        return [new for statement in body for new in _valueless(statement)]
    return ended(body, _value_alone)


def _value_alone(value: "ast.expr | None") -> "list[ast.stmt]":
    return [ast.Expr(value)] if value is not None and does([value]) else []


def _valueless(statement: ast.stmt) -> "list[ast.stmt]":
    if isinstance(statement, ast.Return):
        return [*_value_alone(statement.value), ast.Return(None)]
    for block in blocks(statement):
        block[:] = [new for inner in block for new in _valueless(inner)]
    return [statement]
