"""Work on many captures at once: handed to an executor, the longest first, taken as it is done."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future, as_completed
from typing import TypeVar

from packlab.corpus.cases import Case
from packlab.errors import PacklabError

Result = TypeVar("Result")


def spread(
    work: Callable[[Case], Result],
    cases: Sequence[Case],
    pool: Executor,
    *,
    in_order: bool = False,
) -> Iterator[tuple[Case, Result | PacklabError]]:
    """Each case with what `work` makes of it, or with the error it met, as they are done; with
    `in_order`, in the order of the cases.

    `work` and its result travel to other processes. PacklabError when a worker dies. What has not
    begun when this ends early is not begun any more.
    """
    queue = cases if in_order else sorted(cases, key=_size, reverse=True)
    futures: dict[Future[Result], Case] = {pool.submit(work, case): case for case in queue}
    try:
        for future in list(futures) if in_order else as_completed(futures):
            case = futures.pop(future)
            found = _result(future, case)
            yield case, found
    finally:
        for future in futures:
            future.cancel()


def _result(future: Future[Result], case: Case) -> Result | PacklabError:
    try:
        return future.result()
    except PacklabError as error:
        return error
    except BrokenExecutor as error:
        raise PacklabError(
            f"a worker died, perhaps for want of memory, near {case.name}; "
            "use fewer --jobs, or replay that capture alone"
        ) from error


def _size(case: Case) -> int:
    """What cannot be looked at is not long; its replay will say what is wrong."""
    return case.path.stat().st_size if case.path.is_file() else 0
