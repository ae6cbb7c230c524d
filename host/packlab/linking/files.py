"""Which modules become one file: a file costs the heap half a kilobyte before its first function.

A file is called by its first module, the leader. What a leader needs from the start joins it,
unless it is imported by its name, let go after the start, or needed by a later file as well."""

import ast
from collections.abc import Iterable, Mapping

from packlab.linking.modules import BY_NAME, PACKAGE, Module

# Leaders in the order in which a start loads them, and what joins them besides.
_LEADERS = {
    "pipeline": ("fields", "hal.modules", "names"),
    "hal.power": ("hal.lines",),
    "app": (),
    "keeper": (),
    "hal.radio": (),
    "remote": (),
    "search": (),
}
# Globals that main.py and packlab's own programs on a dongle import, by these names
SPOKEN = {
    "hal.power": ("loosen_watchdog", "report", "restart"),
    "app": ("App",),
    "hal.lines": ("open_lines",),
    "meters.link": ("PORTS", "LINE_STATES"),
}
_MAKING = f"{PACKAGE}.making"


def leaders(modules: Mapping[str, Module]) -> dict[str, str]:
    """The leader of each module, its own one included."""
    led: dict[str, str] = {}
    apart = {_MAKING, *_boot_only(modules)}
    apart |= {name for name, module in modules.items() if module.is_package}
    for kind in ("_viper", "_plain"):  # one file that a chip without machine code has not
        alike = [name for name in modules if name.endswith(kind)]
        alike = closure(alike, modules, set(modules).difference(alike))
        led.update(dict.fromkeys(alike, *alike[:1]))
    first = [name for name in modules if is_family(name, modules)]
    for leader in [_full(name) for name in _LEADERS] + first:
        if leader in modules and leader not in led:
            joining = [*_LEADERS.get(leader.removeprefix(f"{PACKAGE}."), ())]
            _join(leader, [_full(name) for name in joining], modules, led, apart)
    for name in modules:
        led.setdefault(name, name)
    return led


def _join(
    leader: str,
    besides: Iterable[str],
    modules: Mapping[str, Module],
    led: dict[str, str],
    apart: "set[str]",
) -> None:
    wanted = closure([leader, *besides], modules, set(led) | (apart - {leader}))
    users = {name: {n for n, m in modules.items() if name in m.others} for name in wanted}
    if leader not in (_full("pipeline"), _full("hal.power"), _full("app")):
        shrunk = True
        while shrunk:
            inside = set(wanted)
            kept = [n for n in wanted if n == leader or users[n] <= inside]
            shrunk = len(kept) < len(wanted)
            wanted = kept
    led.update(dict.fromkeys(wanted, leader))


def closure(names: Iterable[str], modules: Mapping[str, Module], without: "set[str]") -> list[str]:
    """Modules that are imported along with these, in the order in which they are run."""
    order: list[str] = []

    def visit(name: str) -> None:
        if name in order or name in without or name not in modules:
            return
        seen.add(name)
        for needed in modules[name].eager:
            if needed not in seen:
                visit(needed)
        order.append(name)

    seen: set[str] = set()
    for name in names:
        visit(name)
    return order


def _boot_only(modules: Mapping[str, Module]) -> "list[str]":
    """What the app lets go of once it has started."""
    for statement in modules[_MAKING].tree.body if _MAKING in modules else ():
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "BOOT_ONLY":
            return [_full(name) for name in ast.literal_eval(statement.value)]
    return []


def is_family(name: str, modules: Mapping[str, Module]) -> bool:
    """Is it imported by its name? Of the modules below BY_NAME, those nobody imports otherwise."""
    if not is_by_name(name) or modules[name].is_package:
        return False
    return not any(name in module.others for module in modules.values())


def is_by_name(name: str) -> bool:
    """Does it lie where modules are imported by their names?"""
    return name.rpartition(".")[0] in BY_NAME


def _full(name: str) -> str:
    return f"{PACKAGE}.{name}"
