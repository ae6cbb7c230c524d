"""Rewrites a module for the file it becomes part of: names that are known to be numbers become
those numbers, global names their final ones, attributes and arguments short ones."""

import ast
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from packlab.linking.modules import Imported, Module, bound, imports
from packlab.linking.names import ARGUMENTS, Names

_Scoped = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.GeneratorExp, ast.DictComp)


@dataclass(frozen=True)
class Global:
    """A global of the program by the name it has in all files, and the file that makes it."""

    name: str
    leader: str


class _Later(Imported):
    """A module imported within a function."""


@dataclass
class _Scope:
    """Names of a function (or of a class body): local ones by their new names, and those an import
    in it takes from the firmware."""

    local: dict[str, str]
    taken: dict[str, Imported] = field(default_factory=dict)
    is_class: bool = False


class Rewriter(ast.NodeTransformer):
    """Of one module. find(module, name) says what a global is: a Global, (value,) of a number, or
    the name of a module. `wanted` collects the globals of other files, by name; `reached` those
    it takes as attributes of them."""

    def __init__(
        self,
        module: Module,
        leader_of: Mapping[str, str],
        names: Names,
        find: "Callable[[str, str], Global | tuple[int | str] | str | None]",
        known: Iterable[str],
    ) -> None:
        self._module = module
        self._leader_of = leader_of
        self._leader = leader_of[module.name]
        self._names = names
        self._find = find
        self._known = known
        self._scopes: list[_Scope] = []
        self._uses: list[dict[str, list[str]]] = []
        self._is_beside = module.name not in known
        self.wanted: dict[str, str] = {}
        self.reached: set[str] = set()

    # --- names -----------------------------------------------------------------------------------

    def _meaning(self, name: str) -> "str | Global | tuple[int | str] | Imported | None":
        """A str: what a local is called now; Imported: a module; None: not of the firmware."""
        inner = True
        for scope in reversed(self._scopes):
            if scope.is_class and not inner:
                continue
            if name in scope.taken:
                return self._later(scope.taken[name])
            if name in scope.local:
                return scope.local[name]
            inner = inner and scope.is_class
        return self._global(name)

    def _later(self, source: Imported) -> "str | Global | tuple[int | str] | Imported":
        """What another file has is a local name where a function imports it."""
        found = self._taken(source)
        if isinstance(found, Imported):
            return _Later(found.module, "")
        return found.name if isinstance(found, Global) and self._is_far(found) else found

    def _is_far(self, found: Global) -> bool:
        return found.leader != self._leader

    def _global(self, name: str) -> "Global | tuple[int | str] | Imported | None":
        if name in self._module.taken:
            return self._taken(self._module.taken[name])
        found = self._find(self._module.name, name) if name in self._module.own else None
        return None if isinstance(found, str) else found

    def _taken(self, source: Imported) -> "Global | tuple[int | str] | Imported":
        if not source.name:
            return source
        found = self._find(source.module, source.name)
        if found is None:
            raise ValueError(f"{self._module.name}: {source.module} has no {source.name}")
        return Imported(found, "") if isinstance(found, str) else found

    def _use(
        self, meaning: "Global | tuple[int | str]", node: ast.expr, *, later: bool = False
    ) -> ast.expr:
        if isinstance(meaning, tuple):
            return ast.copy_location(_literal(meaning[0]), node)
        if self._is_far(meaning) and not later:
            self.wanted[meaning.name] = meaning.leader
        context = getattr(node, "ctx", ast.Load())
        return ast.copy_location(ast.Name(meaning.name, context), node)

    def visit_Name(self, node: ast.Name) -> ast.AST:
        meaning = self._meaning(node.id)
        if isinstance(meaning, str):
            return ast.copy_location(ast.Name(meaning, node.ctx), node)
        if isinstance(meaning, Global | tuple):
            return self._use(meaning, node)
        if isinstance(meaning, Imported):
            raise ValueError(f"{self._module.name}: module {node.id} is passed on")
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        root = node.value
        while isinstance(root, ast.Attribute):
            root = root.value
        if isinstance(root, ast.Name):
            meaning = self._meaning(root.id)
            if isinstance(meaning, Imported) and isinstance(node.value, ast.Name):
                found = self._find(meaning.module, node.attr)
                if self._is_beside and isinstance(found, Global | None):
                    return self._patched(node, found)
                if found is None or isinstance(found, str):
                    raise ValueError(f"{self._module.name}: {ast.unparse(node)} is not there")
                return self._use(found, node, later=isinstance(meaning, _Later))
            if meaning is None and root.id in self._module.outside:
                return node  # of one of MicroPython's modules
        self.generic_visit(node)
        node.attr = self._attribute(node, node.attr)
        return node

    def _attribute(self, node: ast.AST, name: str) -> str:
        """The short name of a node's attribute. Where it is one of ours, `origin` is the same for
        all nodes that mean it (inlining.py)."""
        short = self._names.attribute(self._module.name, name)
        if short != name:
            node.origin = f"{self._module.name if name[0] == '_' else ''}.{name}"  # type: ignore[attr-defined]
        return short

    def _patched(self, node: ast.Attribute, found: "Global | None") -> ast.AST:
        """A program beside the firmware may set globals of a file."""
        if found is not None:
            self.reached.add(found.name)
            node.attr = found.name
        return node

    # --- scopes ----------------------------------------------------------------------------------

    def _function(self, node: _Scoped) -> ast.AST:
        body = node.body if isinstance(node.body, list) else [node.body]
        arguments = node.args
        every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
        arguments.defaults = [self.visit(default) for default in arguments.defaults]
        arguments.kw_defaults = [d and self.visit(d) for d in arguments.kw_defaults]
        local = {name: name for name in bound(body)}
        around = {new for scope in self._scopes for new in scope.local.values()}
        short = (name for name in ARGUMENTS if name not in around)
        for argument in every:
            name = argument.arg
            if name != "self" and name not in self._names.keywords:
                local[name] = argument.arg = next(short, name)
            else:
                local[name] = name
        for starred in (arguments.vararg, arguments.kwarg):
            if starred is not None:
                local[starred.arg] = starred.arg
        scope = _Scope(local)
        self._take(body, scope)
        self._scopes.append(scope)
        self._uses.append(_attributes_used(body))
        if isinstance(node.body, list):
            node.body = _visited(self, node.body) or [ast.Pass()]
        else:
            node.body = self.visit(node.body)
        self._uses.pop()
        self._scopes.pop()
        return node

    def _take(self, body: "Iterable[ast.AST]", scope: _Scope) -> None:
        """What imports in a function take from the firmware is no local of it."""
        for node in _of_scope(body):
            if isinstance(node, ast.Import | ast.ImportFrom):
                for name, source in imports(node, self._known):
                    if source is not None:
                        scope.taken[name] = source
                        scope.local.pop(name, None)

    def visit_FunctionDef(self, node: "ast.FunctionDef | ast.AsyncFunctionDef") -> ast.AST:
        node.decorator_list = [self.visit(decorator) for decorator in node.decorator_list]
        self._name_it(node)
        return self._function(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        return self.visit_FunctionDef(node)

    def visit_Lambda(self, node: ast.Lambda) -> ast.AST:
        return self._function(node)

    def _name_it(self, node: "ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef") -> None:
        if self._scopes and self._scopes[-1].is_class:
            node.name = self._attribute(node, node.name)
        elif not self._scopes:
            meaning = self._global(node.name)
            assert isinstance(meaning, Global)
            node.name = meaning.name

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        node.bases = [self.visit(base) for base in node.bases]
        self._name_it(node)
        attribute = self._names.attribute
        local = {name: attribute(self._module.name, name) for name in bound(node.body)}
        self._scopes.append(_Scope(local, is_class=True))
        node.body = _visited(self, node.body) or [ast.Pass()]
        self._scopes.pop()
        return node

    def _comprehension(self, node: ast.AST) -> ast.AST:
        assert isinstance(node, _COMPREHENSIONS)
        first = node.generators[0]
        first.iter = self.visit(first.iter)  # its source belongs to the scope around it
        names = {n for generator in node.generators for n in bound([generator.target])}
        self._scopes.append(_Scope({name: name for name in names}))
        for generator in node.generators:
            generator.target = self.visit(generator.target)
            if generator is not first:
                generator.iter = self.visit(generator.iter)
            generator.ifs = [self.visit(condition) for condition in generator.ifs]
        if isinstance(node, ast.DictComp):
            node.key, node.value = self.visit(node.key), self.visit(node.value)
        else:
            node.elt = self.visit(node.elt)
        self._scopes.pop()
        return node

    visit_ListComp = visit_SetComp = visit_GeneratorExp = visit_DictComp = _comprehension

    # --- imports ---------------------------------------------------------------------------------

    def _import(self, node: "ast.Import | ast.ImportFrom") -> "ast.AST | list[ast.stmt] | None":
        sources = dict(imports(node, self._known))
        if all(source is None for source in sources.values()):
            return node
        out: list[ast.stmt] = []
        for name, source in sources.items():
            assert source is not None
            if self._scopes:
                out += self._import_later(name, source)
            elif not source.name and self._is_beside:
                out.append(self._module_as(source.module, name))
            elif name in self._module.own:  # in a try
                found, mine = self._taken(source), self._global(name)
                assert isinstance(mine, Global)
                if isinstance(found, tuple):
                    target = ast.Name(mine.name, ast.Store())
                    out.append(ast.Assign([target], _literal(found[0]), lineno=node.lineno))
                elif isinstance(found, Global):
                    out.append(_from(found.leader, found.name, mine.name))
        return out or ([ast.Pass()] if self._scopes else None)

    def _module_as(self, module: str, name: str) -> ast.ImportFrom:
        package, _, leaf = self._leader_of[module].rpartition(".")
        return _from(package, leaf, name)

    def _import_later(self, name: str, source: Imported) -> "Iterable[ast.stmt]":
        """In a function: what its body uses of another file."""
        found = self._taken(source)
        if isinstance(found, Imported) and self._is_beside:
            yield self._module_as(found.module, name)
            return
        if isinstance(found, Imported):
            every = [
                self._find(found.module, used) for used in dict.fromkeys(self._uses[-1][name])
            ]
        else:
            every = [found]
        for one in every:
            if isinstance(one, Global) and self._is_far(one):
                yield _from(one.leader, one.name)

    visit_Import = visit_ImportFrom = _import


def _from(leader: str, name: str, alias: "str | None" = None) -> ast.ImportFrom:
    alias = None if alias == name else alias
    return ast.ImportFrom(leader, [ast.alias(name, alias)], 0)


def _literal(value: "int | str") -> ast.expr:
    if isinstance(value, int) and value < 0:
        return ast.UnaryOp(ast.USub(), ast.Constant(-value))
    return ast.Constant(value)


def _visited(transformer: ast.NodeTransformer, body: "list[ast.stmt]") -> "list[ast.stmt]":
    out: list[ast.stmt] = []
    for statement in body:
        new = transformer.visit(statement)
        if isinstance(new, list):
            out += new
        elif new is not None:
            out.append(new)
    return out


def _of_scope(body: "Iterable[ast.AST]") -> "Iterable[ast.AST]":
    inner = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda
    for node in body:
        yield node
        if not isinstance(node, inner):
            yield from _of_scope(ast.iter_child_nodes(node))


def _attributes_used(body: "Iterable[ast.AST]") -> "dict[str, list[str]]":
    """By name: which attributes of it are used."""
    used: dict[str, list[str]] = defaultdict(list)
    for top in body:
        for node in ast.walk(top):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                used[node.value.id].append(node.attr)
    return used
