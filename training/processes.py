"""Learn several models at once, in processes that share what their parent has read."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

_task: list[Callable[[Any], Any]] = []  # of a process: a forked one is given it, whatever it holds


def _run(item: Any) -> Any:
    return _task[0](item)


def spread(task: Callable[[Item], Result], items: Iterable[Item], jobs: int) -> list[Result]:
    """Run a task on each item in at most so many processes; return the results in order.

    They are forked, so the task may read whatever its parent holds; only results are copied. One job, and systems
    other than Linux, fork nothing.

    Examples
    --------
    >>> spread(lambda item: item * item, [1, 2, 3], jobs=1)
    [1, 4, 9]
    """
    each = list(items)
    jobs = min(jobs, len(each))
    if jobs <= 1 or sys.platform != "linux":
        return [task(item) for item in each]
    with ProcessPoolExecutor(jobs, get_context("fork"), _task.append, (task,)) as pool:
        return list(pool.map(_run, each))
