"""What may change what, and what is evaluated before what: may an expression be moved?

Attributes and items are plain reads here: the firmware has no property that does anything."""

import ast
from collections.abc import Iterable, Iterator

Loops = ast.For | ast.AsyncFor | ast.While
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
INNER = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
_DOES = (ast.Call, ast.Await, ast.Yield, ast.YieldFrom, ast.NamedExpr, ast.Import, ast.ImportFrom)


def is_atom(node: ast.expr) -> bool:
    """A local or global name, or a number: the same wherever it is evaluated, if nobody rebinds
    the local."""
    if isinstance(node, ast.UnaryOp):
        return isinstance(node.op, ast.USub) and isinstance(node.operand, ast.Constant)
    return isinstance(node, ast.Constant | ast.Name)


def is_fixed(node: ast.expr) -> bool:
    """The same whatever a function does in the meantime, to any object?"""
    if isinstance(node, ast.Attribute):
        return getattr(node, "is_method", False) and isinstance(node.value, ast.Name)
    return is_atom(node)


def does(nodes: "Iterable[ast.AST]") -> bool:
    """May running these change anything that another expression reads, but for local names?"""
    for top in nodes:
        for node in ast.walk(top):
            if isinstance(node, _DOES):
                return True
            if isinstance(node, ast.Attribute | ast.Subscript) and not isinstance(
                node.ctx, ast.Load
            ):
                return True
    return False


def mentions(node: ast.AST, name: str) -> int:
    """How often a node reads or binds a name."""
    return sum(isinstance(n, ast.Name) and n.id == name for n in ast.walk(node))


def roots(statement: ast.stmt) -> "list[ast.expr]":
    """What a statement evaluates first and once, in this order; [] where that is not known."""
    match statement:
        case ast.Expr(value=value) | ast.Assign(value=value):
            return [value]
        case ast.Return(value=ast.expr() as value):
            return [value]
        case ast.AugAssign(target=target, value=value):
            return [target, value]
        case ast.If(test=test):
            return [test]
        case ast.For(iter=source):
            return [source]
        case ast.Raise(exc=ast.expr() as exc):
            return [exc]
    return []


def before(node: ast.expr, call: ast.expr) -> "list[ast.expr] | None":
    """What has been evaluated within node when the call in it comes; None where the call may not
    come at all, or comes more than once."""
    if node is call:
        return []
    parts, always = _parts(node)
    for number, part in enumerate(parts):
        if any(inner is call for inner in ast.walk(part)):
            if number >= always:
                return None
            found = before(part, call)
            return None if found is None else [*parts[:number], *found]
    return None


def _parts(node: ast.expr) -> "tuple[list[ast.expr], int]":
    """Parts in the order of evaluation, and how many of them are evaluated in any case."""
    match node:
        case ast.BoolOp(values=values):
            return values, 1
        case ast.IfExp(test=test, body=body, orelse=orelse):
            return [test, body, orelse], 1
        case ast.Compare(left=left, comparators=others):
            return [left, *others], 2
        case ast.Call(func=func, args=args, keywords=keywords):
            parts = [func, *args, *(keyword.value for keyword in keywords)]
            return parts, len(parts)
        case ast.BinOp(left=left, right=right):
            return [left, right], 2
        case ast.UnaryOp(operand=part) | ast.Attribute(value=part) | ast.Starred(value=part):
            return [part], 1
        case ast.Await(value=part):
            return [part], 1
        case ast.Subscript(value=value, slice=index):
            return [value, index], 2
        case ast.Tuple(elts=elts) | ast.List(elts=elts):
            return elts, len(elts)
        case ast.Slice(lower=lower, upper=upper, step=step):
            parts = [part for part in (lower, upper, step) if part is not None]
            return parts, len(parts)
    return [n for n in ast.iter_child_nodes(node) if isinstance(n, ast.expr)], 0


def in_order(node: ast.AST) -> Iterator[ast.AST]:
    """Nodes of an expression as they are evaluated, each after its parts."""
    for part in ast.iter_child_nodes(node):
        yield from in_order(part)
    yield node


def is_read_early(body: "list[ast.stmt]", name: str) -> bool:
    """Is the only use of a name in a body evaluated, if at all, before anything is done?"""
    for statement in body:
        if not mentions(statement, name):
            if does([statement]) or isinstance(statement, Loops):
                return False
            continue
        if isinstance(statement, ast.If) and not mentions(statement.test, name):
            branch = statement.body if _mention(statement.body, name) else statement.orelse
            return not does([statement.test]) and is_read_early(branch, name)
        parts: list[ast.expr] = roots(statement)
        if isinstance(statement, ast.Assign):
            parts = [*parts, *statement.targets]
        for part in parts:
            for node in in_order(part):
                if isinstance(node, ast.Name) and node.id == name:
                    return not _in_comprehension(part, node)
                if isinstance(node, (*_DOES, ast.Dict, *COMPREHENSIONS)):
                    return False
        return False
    return False


def _mention(body: "list[ast.stmt]", name: str) -> bool:
    return any(mentions(statement, name) for statement in body)


def _in_comprehension(node: ast.expr, use: ast.Name) -> bool:
    return any(
        isinstance(inner, (*COMPREHENSIONS, ast.Lambda, ast.Dict))
        and any(found is use for found in ast.walk(inner))
        for inner in ast.walk(node)
    )
