"""Labels: the topics that people gave to documents. Plain lines, append-only, the last word counts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from toolkit.review.journal import Entry, append, folded, lines, now

Topics: TypeAlias = tuple[Any, ...]
"""Labels of a document: none, one or several, each a str or an int."""

UNSURE = "unsure"
"""Verdict of whoever read a document and could not say; no label, but not to be asked again."""


def read_labels(path: str | Path) -> dict[str, Topics]:
    """Read a ``labels.jsonl``: one object a line with ``doc_id`` and ``topics`` (a list, or null: taken back).

    Returns
    -------
    dict of str to tuple
        The last labels of each document; a file that does not exist yet holds none.

    Raises
    ------
    ValueError
        A line is no such object; the message says which.
    """
    return {doc_id: topics for doc_id, topics in folded(label_lines(path))[0].items() if topics != UNSURE}


def label_lines(path: str | Path) -> Iterator[Entry]:
    """Yield the lines of a ``labels.jsonl``, as :func:`read_labels` reads them."""
    return lines(path, "label", "doc_id and a list topics", _entry)


def _entry(row: Any) -> Entry:
    topics = row["topics"]
    if topics is not None and not isinstance(topics, list):
        raise TypeError(f"topics is {topics!r}")
    verdict = UNSURE if row.get("unsure") else None if topics is None else tuple(topics)
    return Entry(str(row["doc_id"]), verdict, str(row.get("note") or ""))


def append_label(path: str | Path, doc_id: str, topics: Sequence[Any] | None, *, note: str = "") -> None:
    """Add one line to a ``labels.jsonl``: the topics of a document, :data:`UNSURE`, or None to take them back.

    The text itself is not written, so the file can be shared where the articles cannot.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     append_label(Path(folder) / "labels.jsonl", "a1", ["15000000"])
    ...     read_labels(Path(folder) / "labels.jsonl")
    {'a1': ('15000000',)}
    """
    known = None if topics is None or topics == UNSURE else list(topics)
    unsure = {"unsure": True} if topics == UNSURE else {}
    append(path, {"doc_id": doc_id, "topics": known, "labelled": now(), **unsure, "note": note})
