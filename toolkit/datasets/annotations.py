"""Gold: where boilerplate stands and what articles are about, joined to the texts and checked by digest."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from toolkit.corpus import make_corpus
from toolkit.datasets.corpora import load
from toolkit.errors import CorpusError
from toolkit.shipped import shipped

SPAN_COLUMNS = ("doc_id", "start", "end", "kind")
TOPIC_COLUMNS = ("doc_id", "primary", "all", "sure")
MISSING_COLUMNS = ("doc_id", "source", "reason")

_GOLD = ("boilerplate", "topics", "boilerplate_modern", "topics_modern")
_SOURCES = {"masakha": "masakhanews"}  # the gold files' own short name


@dataclass(frozen=True)
class Gold:
    """Annotations of a corpus together with its texts.

    Attributes
    ----------
    corpus : DataFrame
        Only the documents whose text is the annotated one; columns of :mod:`toolkit.corpus`, and ``part``
        (which gold file), ``set`` (registered name of the corpus), ``round``.
    spans : DataFrame
        ``doc_id, start, end`` (int64, code points into ``text``, half-open), ``kind``.
    topics : DataFrame
        ``doc_id, primary`` (short code; missing where no topic fits), ``all`` (frozenset of short codes),
        ``sure`` (bool).
    wire : DataFrame
        ``doc_id, group``: documents that run the same agency story; only the sample has it.
    unmatched : DataFrame
        ``doc_id, source, reason``: annotated documents that are absent or whose text differs. They are
        not to be scored.
    """

    corpus: pd.DataFrame
    spans: pd.DataFrame
    topics: pd.DataFrame
    wire: pd.DataFrame
    unmatched: pd.DataFrame

    def __repr__(self) -> str:
        return (
            f"Gold({len(self.corpus)} documents, {len(self.spans)} spans, {len(self.topics)} with topics, "
            f"{self.wire['group'].nunique()} wire groups, {len(self.unmatched)} unmatched)"
        )


def gold(name: str) -> Gold:
    """Load a gold set with the texts it annotates.

    Parameters
    ----------
    name : {"sample", "boilerplate", "topics", "boilerplate_modern", "topics_modern"}
        ``sample``: exact gold of the shipped sample corpus. The others: hand-made annotations in
        ``data/gold`` (``<name>.jsonl`` and, if present, a second part with ``_extra`` in its name), joined to
        the corpora in the data folder. Page sets are joined to their gold text. The modern ones carry
        ``use`` in their corpus: rows marked ``develop`` are to be measured on, never learned from.

    Returns
    -------
    Gold
        Frames in gold-file order. A document whose SHA-256 differs from the annotated text's is in
        ``unmatched`` with the reason.

    Raises
    ------
    CorpusError
        Unknown name.

    Examples
    --------
    >>> g = gold("sample")
    >>> first = g.spans.iloc[0]
    >>> text = g.corpus.set_index("doc_id")["text"][first.doc_id]
    >>> bool(len(text[first.start : first.end].strip()) == first.end - first.start)
    True
    """
    if name == "sample":
        return _sample_gold()
    if name not in _GOLD:
        msg = f"datasets: no gold called {name!r}; there are 'sample', {', '.join(map(repr, _GOLD))}"
        raise CorpusError(msg)
    base = shipped("gold")
    kind, _, collection = name.partition("_")
    files = [base / f"{name}.jsonl", base / f"{'_'.join(filter(None, (kind, 'extra', collection)))}.jsonl"]
    items = [{**item, "part": path.stem} for path in files if path.is_file() for item in _lines(path)]
    return _joined(items)


def text_digest(text: str) -> str:
    """Return the SHA-256 of a text's UTF-8 bytes, as gold files record it."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def _joined(items: list[dict[str, Any]]) -> Gold:
    rows: dict[str, dict[str, Any]] = {}
    absent: dict[str, str] = {}
    for source in dict.fromkeys(item.get("source", "allsides") for item in items):
        registered = _SOURCES.get(source, source)
        wanted = [item["id"] for item in items if item.get("source", "allsides") == source]
        try:
            found = load(registered, text="gold")
        except CorpusError as error:
            absent[source] = str(error)
            continue
        found = found[found["doc_id"].isin(wanted)].astype(object)
        found = found.where(found.notna(), None)
        rows.update((row["doc_id"], {**row, "set": registered}) for row in found.to_dict("records"))
    kept, spans, topics, unmatched = [], [], [], []
    seen: set[str] = set()
    for item in items:
        source, doc_id = item.get("source", "allsides"), item["id"]
        row = rows.get(doc_id)
        reason = _mismatch(item, row, absent.get(source))
        if reason is None and doc_id in seen:
            reason = f"annotated again in {item['part']}; the first annotation counts"
        if row is None or reason is not None:
            unmatched.append((doc_id, source, reason))
            continue
        seen.add(doc_id)
        row = {**row, "part": item["part"], "round": item.get("round")}
        row["publisher"] = item.get("publisher", row["publisher"])
        kept.append(row)
        spans += [(doc_id, span["start"], span["end"], span["kind"]) for span in item.get("spans", ())]
        if "primary" in item:
            topics.append((doc_id, item["primary"], frozenset(item["all"]), bool(item["sure"])))
    return Gold(
        corpus=make_corpus(kept),
        spans=span_frame(spans),
        topics=pd.DataFrame(topics, columns=list(TOPIC_COLUMNS)),
        wire=pd.DataFrame({"doc_id": pd.Series([], dtype="str"), "group": pd.Series([], dtype="str")}),
        unmatched=pd.DataFrame(unmatched, columns=list(MISSING_COLUMNS)),
    )


def _mismatch(item: dict[str, Any], row: dict[str, Any] | None, absent: str | None) -> str | None:
    if absent is not None:
        return absent
    if row is None:
        return "no such document in the corpus; the gold was made on another version of it"
    found = text_digest(row["text"])
    if found != item["sha256"]:
        return f"text differs: SHA-256 {found[:12]}, annotated {item['sha256'][:12]}"
    return None


def span_frame(spans: list[tuple[str, int, int, str]]) -> pd.DataFrame:
    """Return spans as a DataFrame with the columns of :class:`Gold`."""
    frame = pd.DataFrame(spans, columns=list(SPAN_COLUMNS))
    return frame.astype({"doc_id": "str", "start": "int64", "end": "int64", "kind": "str"})


def _sample_gold() -> Gold:
    items = list(_lines(shipped("sample") / "gold.jsonl"))
    return Gold(
        corpus=load("sample").assign(part="sample", set="sample"),
        spans=span_frame([(i["doc_id"], s["start"], s["end"], s["kind"]) for i in items for s in i["spans"]]),
        topics=pd.DataFrame(
            [(i["doc_id"], i["primary"], frozenset(i["all"]), True) for i in items],
            columns=list(TOPIC_COLUMNS),
        ),
        wire=pd.DataFrame(
            [(i["doc_id"], i["wire"]) for i in items if i["wire"]], columns=["doc_id", "group"]
        ).astype("str"),
        unmatched=pd.DataFrame([], columns=list(MISSING_COLUMNS)),
    )
