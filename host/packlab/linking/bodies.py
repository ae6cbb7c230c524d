"""A function's body as statements that stand where it was called.

Its arguments become the caller's own expressions where that is the same, and locals of the caller
where not; its own locals take names the caller has not; `return` ends the statements, not the
caller."""

import ast
import copy
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import count

from packlab.linking.effects import COMPREHENSIONS, INNER, Loops, does, is_atom, is_read_early
from packlab.linking.modules import bound

Emit = Callable[["ast.expr | None"], "list[ast.stmt]"]  # what stands in place of `return value`
_PASSES_ON = (ast.Yield, ast.YieldFrom, ast.Await, ast.AsyncFor, ast.AsyncWith, *INNER)


def can_move(function: "ast.FunctionDef | ast.AsyncFunctionDef") -> bool:
    """Is it a plain function, whose locals no inner one shares?"""
    arguments = function.args
    if not isinstance(function, ast.FunctionDef) or function.decorator_list:
        return False
    if arguments.vararg or arguments.kwarg or arguments.kwonlyargs or arguments.posonlyargs:
        return False
    if not all(isinstance(default, ast.Constant) for default in arguments.defaults):
        return False
    local = locals_of(function)
    for statement in function.body:
        for node in ast.walk(statement):
            if isinstance(node, _PASSES_ON):
                return False
            if isinstance(node, ast.Try) and node.finalbody:
                return False
            if isinstance(node, COMPREHENSIONS) and _inner_names(node) & local:
                return False
    return True


def locals_of(function: "ast.FunctionDef | ast.AsyncFunctionDef") -> "set[str]":
    """Its arguments and what it binds."""
    every = {node.arg for node in ast.walk(function.args) if isinstance(node, ast.arg)}
    return every | set(bound(function.body))


def free_names(function: "ast.FunctionDef | ast.AsyncFunctionDef") -> "set[str]":
    """The globals it reads."""
    names = {n.id for s in function.body for n in ast.walk(s) if isinstance(n, ast.Name)}
    return names - locals_of(function)


def given(
    function: ast.FunctionDef, call: ast.Call, receiver: "ast.expr | None"
) -> "list[tuple[str, ast.expr]] | None":
    """(argument, what the call gives for it), in the order of evaluation; None: not plainly."""
    names = [argument.arg for argument in function.args.args]
    values = [*([] if receiver is None else [receiver]), *call.args]
    if len(values) > len(names) or any(isinstance(value, ast.Starred) for value in values):
        return None
    out = list(zip(names, values, strict=False))
    for keyword in call.keywords:
        if keyword.arg not in names:
            return None
        out.append((keyword.arg, keyword.value))
    defaults = function.args.defaults
    for name, default in zip(names[len(names) - len(defaults) :], defaults, strict=True):
        if name not in dict(out):
            out.append((name, default))
    return out if len(out) == len(dict(out)) == len(names) else None


class Moved:
    """One call's statements: `before`, which bind what the call gives, and the renamed body.
    names: the caller's, in the order in which they may be taken; taken: those that were."""

    def __init__(
        self, function: ast.FunctionDef, pairs: "list[tuple[str, ast.expr]]", names: Iterable[str]
    ) -> None:
        fresh = iter(names)
        written = set(bound(function.body))
        self.before: list[ast.stmt] = []
        self.taken: list[str] = []
        put: dict[str, ast.expr] = {}
        renamed: dict[str, str] = {}

        def rename(name: str) -> None:
            renamed[name] = next(fresh)
            self.taken.append(renamed[name])

        alone = all(is_atom(value) or not does([value]) for _, value in pairs)
        for name, value in pairs:
            if name not in written and _may_stand_in(function.body, name, value, alone=alone):
                put[name] = value
            else:
                rename(name)
                target = ast.Name(renamed[name], ast.Store())
                self.before.append(ast.Assign([target], value, lineno=0))
        for name in dict.fromkeys(bound(function.body)):
            if name not in renamed:
                rename(name)
        mover = _Mover(put, renamed)
        self.body: list[ast.stmt] = [mover.visit(s) for s in copy.deepcopy(function.body)]

    @property
    def expression(self) -> "ast.expr | None":
        """Its value, where it does nothing but `return value`."""
        (statement, *more) = self.body
        if self.before or more or not isinstance(statement, ast.Return):
            return None
        return statement.value or ast.Constant(None)


def _may_stand_in(body: "list[ast.stmt]", name: str, value: ast.expr, *, alone: bool) -> bool:
    """May the argument's value be written where the body reads it?"""
    if is_atom(value):
        return True
    uses = sum(isinstance(n, ast.Name) and n.id == name for s in body for n in ast.walk(s))
    return alone and uses == 1 and is_read_early(body, name)


class _Mover(ast.NodeTransformer):
    def __init__(self, put: Mapping[str, ast.expr], renamed: Mapping[str, str]) -> None:
        self._put = put
        self._renamed = renamed

    def visit_Name(self, node: ast.Name) -> ast.AST:
        if node.id in self._put:
            return copy.deepcopy(self._put[node.id])
        return ast.Name(self._renamed.get(node.id, node.id), node.ctx)

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> ast.AST:
        node.name = self._renamed.get(node.name or "", node.name)
        return self.generic_visit(node)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST:
        for alias in node.names:
            new = self._renamed.get(alias.asname or alias.name)
            alias.asname = new or alias.asname
        return node

    def visit_Import(self, node: ast.Import) -> ast.AST:
        for alias in node.names:
            alias.asname = self._renamed.get(alias.asname or alias.name, alias.asname)
        return node

    def _comprehension(self, node: ast.AST) -> ast.AST:
        assert isinstance(node, COMPREHENSIONS)
        first = node.generators[0]
        first.iter = self.visit(first.iter)  # the rest has names of its own
        return node

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = _comprehension


def _inner_names(node: ast.AST) -> "set[str]":
    """Names a comprehension shares with what is around it, but for its source."""
    assert isinstance(node, COMPREHENSIONS)
    own = {n for generator in node.generators for n in bound([generator.target])}
    source = set(ast.walk(node.generators[0].iter))
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and n not in source} - own


# --- return --------------------------------------------------------------------------------------


def ended(body: "list[ast.stmt]", emit: Emit) -> "list[ast.stmt] | None":
    """The body with emit(value) for each `return value`, and emit(None) where it runs to its end;
    None where a `return` ends more than one loop."""
    found = _ended(copy.deepcopy(body), emit)
    return _once_round(body, emit) if found is None else found


def _ended(body: "list[ast.stmt]", emit: Emit) -> "list[ast.stmt] | None":
    """As branches: what follows an `if … return` becomes its else."""
    for number, statement in enumerate(body):
        if not _returns([statement]):
            continue
        head, rest = body[:number], body[number + 1 :]
        new: ast.stmt | None = None
        match statement:
            case ast.Return(value=value):
                return [*head, *emit(value)]
            case ast.If():
                new = _branches(statement, rest, emit)
            case ast.For() | ast.While() if not _breaks(statement) and not statement.orelse:
                new = _loop(statement, rest, emit)
        return None if new is None else [*head, new]
    return body if _ends(body) else [*body, *emit(None)]


def _branches(node: ast.If, rest: "list[ast.stmt]", emit: Emit) -> "ast.stmt | None":
    body, orelse = node.body, node.orelse
    if rest and not (_ends(body) or _ends(orelse)):
        return None
    if _ends(body):
        orelse = [*orelse, *rest]
    else:
        body = [*body, *rest]
    first, other = _ended(body, emit), _ended(orelse, emit)
    if first is None or other is None:
        return None
    return _if(node.test, first, other)


def _if(test: ast.expr, body: "list[ast.stmt]", orelse: "list[ast.stmt]") -> ast.If:
    if body or not orelse:
        return ast.If(test, body or [ast.Pass()], orelse)
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        return ast.If(test.operand, orelse, [])
    return ast.If(ast.UnaryOp(ast.Not(), test), orelse, [])


def _loop(node: "ast.For | ast.While", rest: "list[ast.stmt]", emit: Emit) -> "ast.stmt | None":
    after = _ended(rest, emit)
    inner = _broken(node.body, emit)
    if after is None or inner is None:
        return None
    node.body = inner
    node.orelse = [] if _is_endless(node) else after
    return node


def _once_round(body: "list[ast.stmt]", emit: Emit) -> "list[ast.stmt] | None":
    """As a loop that is left at once."""
    inner = _broken(body, emit)
    if inner is None:
        return None
    end = [] if _ends(body) else [*emit(None), ast.Break()]
    return [ast.While(ast.Constant(True), [*inner, *end], [])]


def _broken(body: "list[ast.stmt]", emit: Emit) -> "list[ast.stmt] | None":
    """`return` as emit and `break`."""
    if any(_returns([loop]) for loop in _within(body) if isinstance(loop, Loops)):
        return None
    return [new for statement in body for new in _breaking(statement, emit)]


def _breaking(statement: ast.stmt, emit: Emit) -> Iterator[ast.stmt]:
    if isinstance(statement, ast.Return):
        yield from emit(statement.value)
        yield ast.Break()
        return
    for block in blocks(statement):
        block[:] = [new for inner in block for new in _breaking(inner, emit)]
    yield statement


def blocks(statement: ast.stmt) -> "list[list[ast.stmt]]":
    """The statement lists in a statement."""
    found = [getattr(statement, name, []) for name in ("body", "orelse", "finalbody")]
    found += [handler.body for handler in getattr(statement, "handlers", [])]
    return [block for block in found if block]


def _within(body: "list[ast.stmt]") -> Iterator[ast.stmt]:
    for statement in body:
        yield statement
        for block in blocks(statement):
            yield from _within(block)


def _returns(body: "list[ast.stmt]") -> bool:
    return any(isinstance(statement, ast.Return) for statement in _within(body))


def _breaks(loop: "ast.For | ast.While") -> bool:
    """Does a `break` leave this loop?"""
    waiting = list(loop.body)
    while waiting:
        statement = waiting.pop()
        if isinstance(statement, ast.Break):
            return True
        if not isinstance(statement, Loops):
            waiting += [inner for block in blocks(statement) for inner in block]
        else:
            waiting += statement.orelse
    return False


def _is_endless(node: "ast.For | ast.While") -> bool:
    return isinstance(node, ast.While) and isinstance(node.test, ast.Constant)


def _ends(body: "list[ast.stmt]") -> bool:
    """Does it never run to its end?"""
    if not body:
        return False
    last = body[-1]
    if isinstance(last, ast.If):
        return _ends(last.body) and _ends(last.orelse)
    return isinstance(last, ast.Return | ast.Raise)


def runs_to_its_end(body: "list[ast.stmt]") -> bool:
    """May it?"""
    return not _ends(body)


def returns_early(body: "list[ast.stmt]") -> bool:
    """Has it a `return` that is not its last statement?"""
    return (
        _returns(body[:-1])
        or bool(body)
        and _returns([body[-1]])
        and not isinstance(body[-1], ast.Return)
    )


def fresh_names(used: "set[str]") -> Iterator[str]:
    """Names for locals."""
    return (name for name in map("v{}".format, count()) if name not in used)
