"""Agreement: the decisions or labels of two or more people on the same things, side by side."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import cohen_kappa_score

from toolkit.boilerplate.decisions import read_decisions
from toolkit.review.journal import folded
from toolkit.review.labels import read_labels
from toolkit.review.passage_review import judgement_lines


def agreement(**files: str | Path) -> pd.DataFrame:
    """Compare the files of several reviewers.

    Parameters
    ----------
    **files : path
        Name of the reviewer → their ``decisions.jsonl``, ``labels.jsonl`` or ``judgements.jsonl``; all of one sort.

    Returns
    -------
    DataFrame
        Index ``subject`` (``template_id``, passage or ``doc_id``), ascending; a column a reviewer with their
        word (labels joined with ``" + "``, missing where they said nothing) and ``agree`` (boolean, missing
        where fewer than two spoke). ``attrs["kappa"]``: Cohen's kappa [1]_ of each pair over what both judged.

    Raises
    ------
    ValueError
        Fewer than two files, or a file holds something else.

    References
    ----------
    .. [1] Cohen: A coefficient of agreement for nominal scales. Educational and Psychological Measurement 20
       (1960).

    Examples
    --------
    >>> import tempfile
    >>> from toolkit.review.labels import append_label
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name, topic in (("ada", "sport"), ("ben", "weather")):
    ...         append_label(Path(folder) / name, "a1", [topic])
    ...     agreement(ada=Path(folder) / "ada", ben=Path(folder) / "ben").loc["a1", ["ada", "ben"]].tolist()
    ['sport', 'weather']
    """
    if len(files) < 2:
        msg = f"agreement: {len(files)} file; name two or more, such as ada='a.jsonl', ben='b.jsonl'"
        raise ValueError(msg)
    table = pd.DataFrame({name: pd.Series(_words(Path(path)), dtype="str") for name, path in files.items()})
    table = table.sort_index().rename_axis("subject")
    several = table.notna().sum(axis=1) > 1
    agree = table.eq(table.bfill(axis=1).iloc[:, 0], axis=0).where(table.notna(), True).all(axis=1)
    kappa = {}
    for one, other in combinations(files, 2):
        both = table[[one, other]].dropna()
        kappa[f"{one}, {other}"] = _kappa(both[one], both[other])
    table = table.assign(agree=agree.astype("boolean").where(several))
    table.attrs["kappa"] = kappa
    return table


def _words(path: Path) -> dict[str, str]:
    if not path.exists():
        msg = f"{path}: no such file; give the path of a decisions.jsonl, labels.jsonl or judgements.jsonl"
        raise ValueError(msg)
    sorts: tuple[Callable[[], dict[str, str]], ...] = (
        lambda: {doc_id: " + ".join(map(str, topics)) for doc_id, topics in read_labels(path).items()},
        lambda: folded(judgement_lines(path))[0],
        lambda: read_decisions(path),
    )
    for read in sorts[:-1]:
        with suppress(ValueError):
            return read()
    return sorts[-1]()


def _kappa(one: pd.Series[Any], other: pd.Series[Any]) -> float:
    """Kappa, missing where nothing was judged by both or both only ever said the same one thing."""
    if len(pd.concat([one, other]).unique()) < 2:
        return np.nan
    return float(cohen_kappa_score(one, other))
