"""Learn several models at once, in processes that share what their parent has read."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any, TypeVar

Item, Result = TypeVar("Item"), TypeVar("Result")

_tasks: list[Callable[[Any], Any]] = []  # what forked processes find


def _run(item: Any) -> Any:
    return _tasks[-1](item)


def spread(task: Callable[[Item], Result], items: Iterable[Item], jobs: int) -> list[Result]:
    """Run a task on each item in so many processes; return the results in order.

    They are forked, so the task may read whatever its parent holds; only results are copied. One job forks nothing.

    Examples
    --------
    >>> spread(lambda item: item * item, [1, 2, 3], jobs=2)
    [1, 4, 9]
    """
    if jobs == 1:
        return [task(item) for item in items]
    _tasks.append(task)
    try:
        with ProcessPoolExecutor(jobs, mp_context=get_context("fork")) as pool:
            return list(pool.map(_run, items))
    finally:
        _tasks.pop()
