"""Labels: the topics that people gave to documents. Plain lines, append-only, the last word counts."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeAlias

from toolkit.review.journal import Entry, folded

Topics: TypeAlias = tuple[Any, ...]
"""Labels of a document: none, one or several, each a str or an int."""


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
    return folded(label_lines(path))[0]


def label_lines(path: str | Path) -> Iterator[Entry]:
    """Yield the lines of a ``labels.jsonl``, as :func:`read_labels` reads them."""
    path = Path(path)
    if not path.exists():
        return
    for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            doc_id, topics = row["doc_id"], row["topics"]
            if topics is not None and not isinstance(topics, list):
                raise TypeError(f"topics is {topics!r}")
            yield Entry(str(doc_id), None if topics is None else tuple(topics), str(row.get("note") or ""))
        except (ValueError, KeyError, AttributeError, TypeError) as error:
            msg = f"{path}#{number}: {line[:60]!r} is no label ({error}); doc_id and a list topics are wanted"
            raise ValueError(msg) from error


def append_label(path: str | Path, doc_id: str, topics: Sequence[Any] | None, *, note: str = "") -> None:
    """Add one line to a ``labels.jsonl``: the topics of a document, or None to take them back.

    The text itself is not written, so the file can be shared where the articles cannot.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     append_label(Path(folder) / "labels.jsonl", "a1", ["15000000"])
    ...     read_labels(Path(folder) / "labels.jsonl")
    {'a1': ('15000000',)}
    """
    when = datetime.now(UTC).isoformat(timespec="seconds")
    row = {"doc_id": doc_id, "topics": None if topics is None else list(topics), "labelled": when}
    if note:
        row["note"] = note
    with Path(path).open("a", encoding="utf-8") as out:
        out.write(json.dumps(row, ensure_ascii=False) + "\n")
        out.flush()
