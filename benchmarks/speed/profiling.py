"""Where our time goes: the functions that spans and topics spend it in."""

from __future__ import annotations

import cProfile
import pstats
from pathlib import Path
from typing import Any

import pandas as pd

import toolkit
from benchmarks.speed.timing import Work
from toolkit.boilerplate import BoilerplateRemover
from toolkit.topics import TopicClassifier

_PACKAGE = Path(toolkit.__file__).parent
_LEAST = 0.01  # share of a function that is told by name


def shares(work: Work) -> list[dict[str, Any]]:
    """Profile a call; return each function's share of the time spent in itself, the largest first.

    Functions of this package are told one by one (a numba kernel is one, with all it calls), those of each
    other library together; whatever is under a hundredth is in ``the rest``. The shares add up to 1.

    Examples
    --------
    >>> found = shares(lambda: sorted(range(100_000), key=lambda n: -n))
    >>> round(sum(row["share"] for row in found), 6)
    1.0
    """
    profile = cProfile.Profile()
    profile.runcall(work)
    spent: dict[str, float] = {}
    for (file, _, name), (_, _, seconds, _, _) in pstats.Stats(profile).stats.items():  # type: ignore[attr-defined]
        where = _place(file, name)
        spent[where] = spent.get(where, 0.0) + seconds
    total = sum(spent.values()) or 1.0
    told = {where: seconds / total for where, seconds in spent.items() if seconds / total >= _LEAST}
    rows = [{"function": where, "share": told[where]} for where in sorted(told, key=lambda w: (-told[w], w))]
    return [*rows, {"function": "the rest", "share": 1 - sum(told.values())}]


def _place(file: str, name: str) -> str:
    path = Path(file)
    if path.is_relative_to(_PACKAGE):
        return f"{path.relative_to(_PACKAGE).with_suffix('').as_posix().replace('/', '.')}.{name}"
    parts = path.parts
    if "site-packages" in parts:
        return parts[parts.index("site-packages") + 1].removesuffix(".py")
    return "Python"


def profiles(corpus: pd.DataFrame) -> dict[str, list[dict[str, Any]]]:
    """Profile spans, spans after counting, counting, and topics over a corpus, all warm."""
    remover, fitted = BoilerplateRemover(), BoilerplateRemover().partial_fit(corpus)
    classifier = TopicClassifier()
    works: dict[str, Work] = {
        "spans": lambda: remover.spans(corpus),
        "spans, fitted": lambda: fitted.spans(corpus),
        "count what repeats": lambda: BoilerplateRemover().partial_fit(corpus),
        "topics": lambda: classifier.topics(corpus),
    }
    for work in works.values():
        work()
    return {name: shares(work) for name, work in works.items()}
