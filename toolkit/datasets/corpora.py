"""Registered corpora as the DataFrames that the rest of the package works on, alone or with their gold."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from toolkit import loading
from toolkit.corpus import make_corpus
from toolkit.datasets.registry import Dataset, find, packed_path, present, records
from toolkit.dates import parse_date
from toolkit.errors import CorpusError
from toolkit.fields import registrable_domain
from toolkit.files import shipped
from toolkit.language import codes

COLUMNS: dict[str, dict[str, str]] = {
    "allsides": {"topic": "topic"},
    "collection": {name: name for name in ("repo", "commit", "path", "licence", "use", "date")},
    "pages": {"publisher": "url"},
}
"""Name or kind of corpus → the ``columns`` of :func:`toolkit.load`."""

_FRAMES = {
    "spans": {"doc_id": "str", "start": "int64", "end": "int64", "kind": "str"},
    "topics": {"doc_id": "object", "primary": "object", "all": "object", "sure": "bool"},
    "wire": {"doc_id": "str", "group": "str", "kind": "str"},
    "verdicts": {"doc_id": "str", "verdict": "str"},
    "unmatched": {"doc_id": "object", "source": "object", "reason": "object"},
}
"""Columns of the frames of :class:`Gold` with their dtypes."""

_GOLD = ("boilerplate", "topics", "boilerplate_modern", "topics_modern")
_SOURCES = {"masakha": "masakhanews"}  # the gold files' own short name

_DAY_FIRST = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})")
_NO_DAY = re.compile(r"\d{4}(-\d\d/\d\d)?")  # a year, or two months: '2018-10/11'


def load(name: str, *, text: Literal["extracted", "gold"] = "extracted") -> pd.DataFrame:
    """Load a registered corpus (see :func:`toolkit.datasets.list`) from the data folder; nothing is fetched.

    ``text`` matters for page sets only: what our HTML reader finds (``extracted``: seconds to minutes), or the gold
    text that comes with the set (at once). The result is a corpus (:mod:`toolkit.corpus`) with further columns
    ``topic`` (allsides), ``label, split`` (label sets), ``repo, commit, path, licence, use`` (modern; ``use`` is
    ``train``, or ``develop``: to be measured on, never learned from). A label set's document without a text has its
    headline for text. Pages without an article are in :func:`toolkit.quarantine`. A name that is unknown, and a corpus
    that is damaged or not in the data folder, are a CorpusError.

    Examples
    --------
    >>> load("sample")["lang"].value_counts().idxmax()
    'en'
    """
    entry = find(name)
    if text not in ("extracted", "gold"):
        raise CorpusError(f"{name}: text={text!r} is unknown; use 'extracted' or 'gold'")
    if entry.kind == "labels" or (entry.kind == "pages" and text == "gold"):
        return _own_text(entry)
    columns = COLUMNS.get(name) or COLUMNS.get(entry.kind, {})
    corpus = loading.load(present(entry), columns=columns, detect_language=False)
    if entry.kind == "articles":
        corpus["lang"] = corpus["lang"].fillna(entry.languages[0])
    if entry.kind == "collection":
        corpus["published"] = _days(corpus.pop("date"))
    return corpus


def _own_text(entry: Dataset) -> pd.DataFrame:
    """Return label sets, and page sets with their gold text: a row a record, for no page is read."""
    labels = ("label", "split") if entry.kind == "labels" else ()
    file = packed_path(entry).name
    corpus = make_corpus(
        {
            "doc_id": row["id"], "text": row.get("gold") or row.get("text") or row.get("title") or "",
            "title": row.get("title") or None, "url": row.get("url") or None, "lang": row.get("lang"),
            "publisher": registrable_domain(row.get("url")), "source": f"{file}#{number}",
            **{name: row.get(name) for name in labels},
        }
        for number, row in enumerate(records(entry.name), 1)
    )  # fmt: skip
    corpus["lang"] = codes(corpus["lang"])
    return corpus


def _days(written: pd.Series[Any]) -> pd.Series[Any]:
    """Read the dates of a collection; its sources write the day before the month, or plus signs for spaces."""

    def read(date: Any) -> int | None:
        if not isinstance(date, str) or _NO_DAY.fullmatch(date):
            return None
        if day := _DAY_FIRST.match(date):
            date = f"{day[3]}-{day[2]:0>2}-{day[1]:0>2}"
        return parse_date(date.replace("+", " ") if date.count("+") > 1 else date)

    moments = pd.array([read(date) for date in written], dtype="Int64")
    return pd.Series(moments, index=written.index).astype("datetime64[us, UTC]")


@dataclass(frozen=True)
class Gold:
    """Annotations of a corpus together with its texts.

    Attributes
    ----------
    corpus : DataFrame
        The documents whose text is the annotated one; columns of :mod:`toolkit.corpus`, and ``part`` (which gold
        file), ``set`` (registered name of the corpus), ``round``.
    spans : DataFrame
        ``doc_id, start, end`` (int64, code points into ``text``, half-open), ``kind``.
    topics : DataFrame
        ``doc_id, primary`` (short code; missing where no topic fits), ``all`` (frozenset of short codes),
        ``sure`` (bool). Pages of the sample that hold no article have no row.
    wire, verdicts : DataFrame
        Of the sample only: ``doc_id, group, kind`` of documents that run the same agency story (``wire``) or are
        versions of one article (``near``); ``doc_id, verdict`` as of :func:`toolkit.verdicts`.
    unmatched : DataFrame
        ``doc_id, source, reason``: annotated documents that are absent or whose text differs; not to be scored.
    """

    corpus: pd.DataFrame
    spans: pd.DataFrame
    topics: pd.DataFrame
    wire: pd.DataFrame
    verdicts: pd.DataFrame
    unmatched: pd.DataFrame

    def __repr__(self) -> str:
        return (
            f"Gold({len(self.corpus)} documents, {len(self.spans)} spans, {len(self.topics)} with topics, "
            f"{self.wire['group'].nunique()} groups of copies, {len(self.unmatched)} unmatched)"
        )


def gold(name: str) -> Gold:
    """Load a gold set with the texts it annotates; frames are in the order of the gold file.

    ``sample`` is the exact gold of the shipped sample. ``boilerplate``, ``topics``, ``boilerplate_modern`` and
    ``topics_modern`` are hand-made annotations in ``data/gold`` (``<name>.jsonl`` and, if present, a second part with
    ``_extra`` in its name), joined to the corpora in the data folder; page sets are joined to their gold text. The
    modern ones carry ``use`` in their corpus: rows marked ``develop`` are to be measured on, never learned from. A
    document whose SHA-256 differs from the annotated text's is in ``unmatched`` with the reason.

    Examples
    --------
    >>> gold("sample").verdicts["verdict"].value_counts().idxmax()
    'article'
    """
    if name == "sample":
        items = [
            {"id": item["doc_id"], "sure": True, **item} for item in _lines(shipped("sample") / "gold.jsonl")
        ]
        return _annotated(load("sample").assign(part="sample", set="sample"), items)
    if name not in _GOLD:
        raise CorpusError(
            f"datasets: no gold called {name!r}; there are {', '.join(map(repr, _GOLD))}, 'sample'"
        )
    kind, _, collection = name.partition("_")
    extra = "_".join(filter(None, (kind, "extra", collection)))
    files = [shipped("gold") / f"{name}.jsonl", shipped("gold") / f"{extra}.jsonl"]
    return _joined([
        {"source": "allsides", **item, "part": path.stem}
        for path in files if path.is_file() for item in _lines(path)
    ])  # fmt: skip


def text_digest(text: str) -> str:
    """Return the SHA-256 of a text's UTF-8 bytes, as gold files record it."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def _joined(items: list[dict[str, Any]]) -> Gold:
    rows: dict[str, dict[str, Any]] = {}
    absent: dict[str, str] = {}
    for source in dict.fromkeys(item["source"] for item in items):
        registered = _SOURCES.get(source, source)
        try:
            found = load(registered, text="gold")
        except CorpusError as error:
            absent[source] = str(error)
            continue
        wanted = [item["id"] for item in items if item["source"] == source]
        found = found[found["doc_id"].isin(wanted)].astype(object)
        found = found.where(found.notna(), None)
        rows.update((row["doc_id"], {**row, "set": registered}) for row in found.to_dict("records"))
    kept: dict[str, dict[str, Any]] = {}
    unmatched, matched = [], []
    for item in items:
        row, reason = rows.get(item["id"]), absent.get(item["source"])
        if row is None or reason is not None:
            reason = reason or "no such document in the corpus; the gold was made on another version of it"
        elif (digest := text_digest(row["text"])) != item["sha256"]:
            reason = f"text differs: SHA-256 {digest[:12]}, annotated {item['sha256'][:12]}"
        elif item["id"] in kept:
            reason = f"annotated again in {item['part']}; the first annotation counts"
        else:
            own = {"part": item["part"], "round": item.get("round")}
            kept[item["id"]] = {**row, **own, "publisher": item.get("publisher", row["publisher"])}
            matched.append(item)
            continue
        unmatched.append((item["id"], item["source"], reason))
    return _annotated(make_corpus(kept.values()), matched, unmatched)


def _annotated(
    corpus: pd.DataFrame, items: list[dict[str, Any]], unmatched: Iterable[tuple[Any, ...]] = ()
) -> Gold:
    copies = ((i["id"], i.get("wire") or i.get("first"), "wire" if i.get("wire") else "near") for i in items)
    rows: dict[str, Iterable[tuple[Any, ...]]] = {
        "spans": ((i["id"], s["start"], s["end"], s["kind"]) for i in items for s in i.get("spans", ())),
        "topics": (
            (i["id"], i["primary"], frozenset(i["all"]), bool(i["sure"])) for i in items if "primary" in i
        ),
        "wire": (copy for copy in copies if copy[1]),
        "verdicts": ((i["id"], i["verdict"]) for i in items if "verdict" in i),
        "unmatched": unmatched,
    }
    frames = {
        name: pd.DataFrame(list(rows[name]), columns=list(columns)).astype(columns)
        for name, columns in _FRAMES.items()
    }
    return Gold(corpus, **frames)
