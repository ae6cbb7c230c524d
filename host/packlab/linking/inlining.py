"""A function that is called in one place alone stands in that place, and one that is hardly more
than its calls in all of them.

To MicroPython a function is 16 bytes of heap, its own block of bytecode, an entry in its class or
module, and at the call as many bytes again; readable code has many, of which most are called
once. Where the body cannot stand for the call without meaning something else, the function stays.

Methods are found by their name: one that a single class has, that is only ever called, and that no
string asks for (names.py). KEPT are those that programs beside the firmware call or replace.
"""

import ast
import builtins
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice

from packlab.linking.bodies import Moved, can_move, free_names, fresh_names, given, locals_of
from packlab.linking.effects import in_order
from packlab.linking.modules import bound
from packlab.linking.origins import take_in
from packlab.linking.places import located, names_at, replaced, statements

KEPT = frozenset(
    ["button", "checkpoint", "empty", "humidity", "keep", "load_protocol", "on_alert", "step"]
)
_SMALL = 32  # parts of the statements that its calls but one would add
_MOST = 64  # arguments and locals of a function
_LOCALS = 16  # up to which MicroPython reaches each with one byte
_EVERYWHERE = frozenset(dir(builtins))
_Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass
class Code:
    """A function of a file. key: by which it is called, "" where it may be called otherwise too;
    home: the file; holder: the statements it is one of; item: the statement of the file's top
    level it stands in."""

    node: _Function
    key: str
    home: str
    holder: "list[ast.stmt]"
    item: int
    is_method: bool = False


def key_of(node: ast.AST) -> str:
    """What is the same for a method and its calls (set by rewrite.py), "" for what has a name of
    MicroPython's."""
    return getattr(node, "origin", "")


class Inlining:
    """Of files, each a list of statements. Afterwards `gone` holds the keys of what is no more,
    `changed`, by (file, number) of a statement, those whose parts it may hold now."""

    def __init__(self, files: "dict[str, list[ast.stmt]]", kept: "set[str]") -> None:
        self.gone: set[str] = set()
        self.changed: dict[tuple[str, int], set[int]] = defaultdict(set)
        self._files = files
        self._kept = kept
        self._codes = [code for home in files for code in self._found(home)]
        every = [node for body in files.values() for s in body for node in ast.walk(s)]
        self._said = Counter(key for node in every for key in _keys_of(node))
        methods = {code.key for code in self._codes if code.is_method} - {
            key_of(node) for node in every
            if isinstance(node, ast.Attribute) and not isinstance(node.ctx, ast.Load)
        }  # fmt: skip
        for node in every:
            if isinstance(node, ast.Attribute) and key_of(node) in methods:
                node.is_method = True  # type: ignore[attr-defined]  # as effects.is_fixed asks
        self._drop_unused()
        self._by_key = self._moving()
        self._left = {key: self._said[key] for key in self._by_key}
        self._open: set[int] = set()
        self._visited: set[int] = set()
        self._names = {node.id for node in every if isinstance(node, ast.Name)}
        self._names |= {node.arg for node in every if isinstance(node, ast.arg)}
        self._classes = {node.name for node in every if isinstance(node, ast.ClassDef)}

    def run(self) -> None:
        """Does it."""
        for code in self._codes:
            self._fill(code)

    # --- which -----------------------------------------------------------------------------------

    def _found(self, home: str) -> Iterator[Code]:
        body = self._files[home]
        for number, statement in enumerate(body):
            if isinstance(statement, _Function):
                yield Code(statement, statement.name, home, body, number)
            elif isinstance(statement, ast.ClassDef):
                for inner in statement.body:
                    if isinstance(inner, _Function):
                        yield Code(inner, key_of(inner), home, statement.body, number, True)

    def _drop_unused(self) -> None:
        """Takes out methods nobody calls, and what those alone have called."""
        waiting = list(self._codes)
        while waiting:
            code = waiting.pop()
            if code not in self._codes or not code.is_method or self._said[code.key] > 0:
                continue
            if not code.key or code.key in self._kept or code.node.decorator_list:
                continue
            self._take_out(code)
            self._codes.remove(code)
            self._said.subtract(keys(code.node))
            waiting += [other for other in self._codes if not self._said[other.key]]

    def _take_out(self, code: Code) -> None:
        self.gone.add(code.key)
        self.changed[code.home, code.item].add(code.item)
        if code.is_method:
            code.holder.remove(code.node)
            code.holder += [] if code.holder else [ast.Pass()]

    def _moving(self) -> dict[str, Code]:
        """Functions by their key of which the program says no more than one call, or some where
        they are small."""
        called: dict[str, list[tuple[str, ast.Call]]] = defaultdict(list)
        for home, body in self._files.items():
            for node in (node for statement in body for node in ast.walk(statement)):
                if isinstance(node, ast.Call):
                    called[_called(node)].append((home, node))
        assigned = set(self._assigned_in_classes())
        made: dict[str, list[Code]] = defaultdict(list)
        for code in self._codes:
            made[code.key].append(code)
        return {
            key: codes[0] for key, codes in made.items()
            if key and len(codes) == 1 and key not in self._kept
            and self._said[key] == len(called[key]) > 0 and can_move(codes[0].node)
            and ({home for home, _ in called[key]} == {codes[0].home}
                 or free_names(codes[0].node) <= _EVERYWHERE)
            and (self._said[key] == 1 or _is_small(codes[0], [call for _, call in called[key]]))
            and not (codes[0].is_method and codes[0].node.name in assigned)
        }  # fmt: skip

    def _assigned_in_classes(self) -> Iterator[str]:
        """What statements of a class say besides its methods."""
        for body in self._files.values():
            for owner in body:
                for statement in owner.body if isinstance(owner, ast.ClassDef) else ():
                    if not isinstance(statement, _Function):
                        yield from (n.id for n in ast.walk(statement) if isinstance(n, ast.Name))

    # --- where -----------------------------------------------------------------------------------

    def _fill(self, code: Code) -> None:
        """Puts into a function what it alone calls."""
        if id(code) in self._visited:
            return
        self._visited.add(id(code))
        self._open.add(id(code))
        calls = [
            node for statement in code.node.body for node in in_order(statement)
            if isinstance(node, ast.Call) and _called(node) in self._by_key
        ]  # fmt: skip
        for call in calls:
            callee = self._by_key[_called(call)]
            self._fill(callee)
            if id(callee) in self._open:  # it calls itself
                continue
            if code.node.decorator_list or not self._put(call, callee, code):
                continue
            take_in(code.node, callee.node)
            self._left[_called(call)] -= 1
            if not self._left[_called(call)]:
                self._take_out(callee)
            if callee.home == code.home:
                self.changed[code.home, code.item] |= self.changed[callee.home, callee.item]
            else:  # which takes nothing from its file
                self.changed[code.home, code.item].add(code.item)
        self._open.remove(id(code))

    def _put(self, call: ast.Call, callee: Code, caller: Code) -> bool:
        assert isinstance(callee.node, ast.FunctionDef)
        receiver = _receiver(call)
        pairs = given(callee.node, call, receiver)
        bound_there = _bound_anywhere(caller.node)
        if pairs is None or free_names(callee.node) & bound_there:
            return False
        if receiver is not None and self._is_class(receiver):
            return False
        place = located(caller.node.body, call)
        busy = set() if place is None else names_at(place.statement)
        names = list(islice(fresh_names(self._names | busy), _MOST))
        moved = Moved(callee.node, pairs, names)
        if moved.expression is not None:
            replaced(caller.node, call, moved.expression)
            return True
        if place is None:
            return False
        place = replace(place, is_waiting=isinstance(caller.node, ast.AsyncFunctionDef))
        new = statements(place, call, moved, names[0])
        if new is None:
            return False
        added = (set(bound(new)) | set(moved.taken)) - bound_there
        if added and len(locals_of(caller.node) | added) > _LOCALS:
            return False
        place.body[place.number : place.number + 1] = new
        replaced(caller.node, call, ast.Name(names[0], ast.Load()))
        return True

    def _is_class(self, receiver: ast.expr) -> bool:
        """May it be a class, or super()?"""
        if isinstance(receiver, ast.Call):
            return isinstance(receiver.func, ast.Name) and receiver.func.id == "super"
        return isinstance(receiver, ast.Name) and receiver.id in self._classes


def keys(tree: ast.AST) -> Iterator[str]:
    """Keys a tree says."""
    for node in ast.walk(tree):
        yield from _keys_of(node)


def made_in(tree: ast.AST) -> Iterator[str]:
    """Keys of the methods a tree has."""
    for node in ast.walk(tree):
        if isinstance(node, _Function):
            yield key_of(node)


def _keys_of(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Attribute):
        if key := key_of(node):
            yield key
    elif isinstance(node, ast.Name):
        yield node.id
    elif isinstance(node, ast.ImportFrom):
        yield from (alias.name for alias in node.names)


def _is_small(code: Code, calls: "list[ast.Call]") -> bool:
    """Is its body no more than a call of it, and need none of them be made ready?"""
    assert isinstance(code.node, ast.FunctionDef)
    parts = [n for s in code.node.body for n in ast.walk(s) if not isinstance(n, ast.expr_context)]
    if len(parts) * (len(calls) - 1) > _SMALL:
        return False
    for call in calls:
        pairs = given(code.node, call, _receiver(call))
        if pairs is None or Moved(code.node, pairs, fresh_names(set())).before:
            return False
    return True


def _receiver(call: ast.Call) -> "ast.expr | None":
    """What a method is called of."""
    return call.func.value if isinstance(call.func, ast.Attribute) else None


def _called(call: ast.Call) -> str:
    """The key a call says, "" for none."""
    if isinstance(call.func, ast.Name):
        return call.func.id
    return key_of(call.func)


def _bound_anywhere(function: _Function) -> "set[str]":
    """Names that any scope within a function binds."""
    found = locals_of(function)
    for node in ast.walk(function):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            found.add(node.id)
        elif isinstance(node, ast.arg):
            found.add(node.arg)
    return found
