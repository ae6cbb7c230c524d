"""Where the work is done: this machine's processes, or any `concurrent.futures` executor, given by
name on the command line.

    processes          a process per processor, or as many as --jobs says
    dask[:ADDRESS]     a Dask cluster; without an address one is started on this machine
    ray[:ADDRESS]      a Ray cluster; likewise
    MODULE:FACTORY     whatever FACTORY() of the module returns

Workers on other machines need a checkout of the same version and must see the captures under the
same paths.
"""

import multiprocessing
import sys
from collections.abc import Callable
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

from packlab.errors import PacklabError

DEFAULT = "processes"


def executor(name: str, jobs: int | None) -> AbstractContextManager[Executor]:
    """The executor of that name, shut down when its context ends. PacklabError says what is
    missing."""
    kind, _, rest = name.partition(":")
    if kind in _KNOWN:
        return _KNOWN[kind](rest, jobs)
    return _foreign(kind, rest)


def _processes(_: str, jobs: int | None) -> AbstractContextManager[Executor]:
    # Not forked from here: this process has threads, the progress bar's among them.
    return ProcessPoolExecutor(jobs, multiprocessing.get_context("forkserver"))


@contextmanager
def _dask(address: str, jobs: int | None) -> Any:
    """A worker of Dask is a process with one thread: replays would wait for each other in one."""
    distributed = _library("distributed", "dask")
    where = {"address": address} if address else {"n_workers": jobs, "threads_per_worker": 1}
    with distributed.Client(**where) as client, client.get_executor(pure=False) as pool:
        yield pool


@contextmanager
def _ray(address: str, jobs: int | None) -> Any:
    ray = _library("ray", "ray")
    ray.init(address=address or None, num_cpus=None if address else jobs, log_to_driver=False)
    try:
        yield _RayExecutor(ray)
    finally:
        ray.shutdown()


class _RayExecutor(Executor):
    """Ray's futures are those of concurrent.futures already; only `submit` is missing."""

    def __init__(self, ray: Any) -> None:
        self._ray = ray

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = self._ray.remote(fn).remote(*args, **kwargs).future()
        return future


_KNOWN: dict[str, Callable[[str, int | None], AbstractContextManager[Executor]]] = {
    "processes": _processes,
    "dask": _dask,
    "ray": _ray,
}


def _library(module: str, package: str) -> Any:
    try:
        return import_module(module)
    except ImportError as error:
        raise PacklabError(
            f"--executor {package} needs the package {module}, which is not installed; "
            f"install it with 'pip install {module}'"
        ) from error


def _foreign(module: str, factory: str) -> Executor:
    """The user's own; its module may lie in the current folder, as with `python -m`."""
    if not module or not factory:
        known = ", ".join(_KNOWN)
        raise PacklabError(f"'{module}' is no executor; use {known}, or MODULE:FACTORY")
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.append(here)
    try:
        made = getattr(import_module(module), factory)()
    except (ImportError, AttributeError) as error:
        raise PacklabError(f"--executor {module}:{factory} cannot be had: {error}") from error
    if not isinstance(made, Executor):
        raise PacklabError(
            f"--executor {module}:{factory} gives no concurrent.futures.Executor but "
            f"{type(made).__name__}; return one there"
        )
    return made
