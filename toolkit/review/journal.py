"""Journal: what people decided, one line each, only ever appended.

Files are ``decisions.jsonl`` (on templates and passages; the only one with texts), ``labels.jsonl`` (topics of
documents) and ``judgements.jsonl`` (of random passages).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeAlias

import pandas as pd

from toolkit.boilerplate.decisions import WITHDRAWN, append_line, decision_lines, plain_file, read_lines
from toolkit.certificate import VERDICTS, alpha

UNDO = "undo"  # note of a line that takes the step before it back
UNSURE = "unsure"  # verdict of whoever read a document and could not say; no label, but not to be asked again

Entry: TypeAlias = tuple[str, Any, str]  # a line: its subject, the verdict on it (None: taken back), a note


def folded(entries: Iterable[Entry]) -> tuple[dict[str, Any], list[tuple[str, Any]]]:
    """Return the last verdict on each subject; and the steps that can be undone: subject, and verdict before."""
    verdicts, steps = dict[str, Any](), list[tuple[str, Any]]()
    for subject, verdict, note in entries:
        mine = [n for n, step in enumerate(steps) if step[0] == subject] if note == UNDO else []
        if mine:
            del steps[mine[-1]]
        else:
            steps.append((subject, verdicts.get(subject)))
        if verdict in (None, WITHDRAWN):
            verdicts.pop(subject, None)
        else:
            verdicts[subject] = verdict
    return verdicts, steps


def set_aside(path: Path) -> str:
    """Move a half-written last line to ``<name>.torn`` and return it; a whole one may lack its line end.

    What does not begin as a line of ours does, or with the zeros that a crash leaves, is not ours to move.
    """
    raw = plain_file(path).read_bytes() if path.exists() else b""
    tail = raw[raw.rfind(b"\n") + 1 :]
    if not tail.startswith((b"{", b"\0")):
        return ""
    with suppress(ValueError):
        json.loads(tail)
        return ""
    with path.with_name(path.name + ".torn").open("ab") as out:
        out.write(tail + b"\n")
    with path.open("r+b") as out:
        out.truncate(len(raw) - len(tail))
    return tail.decode("utf-8", "replace")


def append(path: str | Path, row: dict[str, Any], *, when: str, note: str = "") -> None:
    """Add one line to a file, with the time (UTC, to the second) under the name ``when``; no note is left out."""
    stamped = row | {when: datetime.now(UTC).isoformat(timespec="seconds")}
    append_line(path, stamped | ({"note": note} if note else {}))


def judgement_entries(path: str | Path) -> Iterator[Entry]:
    """Yield the lines of a ``judgements.jsonl``: a verdict on each :func:`passage_key`."""

    def read(place: str, row: Any) -> Entry:
        if row["verdict"] not in (*VERDICTS, None):
            raise ValueError(f"verdict is {row['verdict']!r}")
        subject = passage_key(row["doc_id"], row["start"], row["end"], row["at"])
        return subject, row["verdict"], str(row.get("note") or "")

    return read_lines(path, "judgement", "doc_id, start, end, at and verdict", read)


def passage_key(doc_id: str, start: int, end: int, at: int) -> str:
    """Return the subject of a judgement: a JSON list of where the passage and the drawn character stand."""
    return json.dumps([doc_id, int(start), int(end), int(at)], ensure_ascii=False)


def label_entries(path: str | Path) -> Iterator[Entry]:
    """Yield the lines of a ``labels.jsonl``: a tuple of topics, or :data:`UNSURE`, on each document."""

    def read(place: str, row: Any) -> Entry:
        topics = row["topics"]
        if topics is not None and not isinstance(topics, list):
            raise TypeError(f"topics is {topics!r}")
        verdict = UNSURE if row.get("unsure") else None if topics is None else tuple(topics)
        return str(row["doc_id"]), verdict, str(row.get("note") or "")

    return read_lines(path, "label", "doc_id and a list topics", read)


def append_label(path: str | Path, doc_id: str, topics: Sequence[Any] | None, *, note: str = "") -> None:
    """Add one line to a ``labels.jsonl``: the topics of a document, :data:`UNSURE`, or None to take them back."""
    known = None if topics is None or topics == UNSURE else list(topics)
    unsure = {"unsure": True} if topics == UNSURE else {}
    append(path, {"doc_id": doc_id, "topics": known, **unsure}, when="labelled", note=note)


def read_labels(path: str | Path) -> dict[str, tuple[Any, ...]]:
    """Read a ``labels.jsonl``: one object a line with ``doc_id`` and ``topics`` (a list, or null: taken back).

    Returns the last labels of each document; a file that does not exist yet holds none. A UsageError names a bad line.
    """
    return {doc_id: topics for doc_id, topics in folded(label_entries(path))[0].items() if topics != UNSURE}


def agreement(**files: str | Path) -> pd.DataFrame:
    """Compare files of several reviewers, all of a sort: ``agreement(ada="a.jsonl", ben="b.jsonl")``.

    Index ``subject`` (``template_id``, passage or ``doc_id``), ascending; a column a reviewer with their word (labels
    joined with ``" + "``, missing where they said nothing) and ``agree`` (boolean, missing where fewer than two spoke).
    ``attrs["alpha"]`` is Krippendorff's alpha of all (Content Analysis, 2004, chapter 11), None where it is undefined.
    A ValueError says that there are fewer than two files, or that one holds something else.
    """
    if len(files) < 2:
        msg = f"agreement: {len(files)} file; name two or more, such as ada='a.jsonl', ben='b.jsonl'"
        raise ValueError(msg)
    table = pd.DataFrame({name: pd.Series(_words(Path(path)), dtype="str") for name, path in files.items()})
    table = table.sort_index().rename_axis("subject")
    agree = (table.nunique(axis=1) < 2).astype("boolean")
    found = table.assign(agree=agree.where(table.count(axis=1) > 1))
    found.attrs["alpha"] = alpha(table)
    return found


def _words(path: Path) -> dict[str, str]:
    """Return what a reviewer said of each subject, whichever sort of file it is."""
    if not path.exists():
        msg = f"{path}: no such file; give the path of a decisions.jsonl, labels.jsonl or judgements.jsonl"
        raise ValueError(msg)
    with suppress(ValueError):
        return {doc_id: " + ".join(map(str, topics)) for doc_id, topics in read_labels(path).items()}
    with suppress(ValueError):
        return folded(judgement_entries(path))[0]
    return folded(decision_lines(path))[0]
