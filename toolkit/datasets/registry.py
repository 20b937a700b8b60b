"""Registered corpora: what there is (``registry.json``), where it lies, how it is loaded, alone or with its gold."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import re
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from toolkit import loading
from toolkit.corpus import make_corpus
from toolkit.dates import parse_date
from toolkit.errors import CorpusError, UnknownNameError
from toolkit.fields import registrable_domain
from toolkit.files import shipped, text_digest
from toolkit.language import codes

Record = dict[str, Any]

SETTING = "NEWS_TOOLKIT_DATA"  # environment variable that names the data folder
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
_HOUR = re.compile(r"[ ,]+(\d\d)[h:](\d\d)$")
_NO_DAY = re.compile(r"\d{4}(-\d\d/\d\d)?")  # a year, or two months: '2018-10/11'


@dataclass(frozen=True)
class Download:
    """One file to fetch: its address and, where the source publishes one, its ``algorithm:hash``."""

    url: str
    hash: str | None


@dataclass(frozen=True)
class Dataset:
    """One registered corpus: what it is, under which terms, where from, and how to cite it.

    ``kind``: ``articles`` (texts), ``collection`` (texts of many sources, each row with its own licence), ``pages``
    (HTML with the gold text) or ``labels`` (texts with one label). ``documents`` are in the packed copy, or in the
    whole set where there is none; ``upstream_documents`` in the set at the source if that differs. ``commit``: pinned
    revision of the source. ``size``: bytes of the packed copy or of the download. ``use``: what this project uses it
    for (``train``, ``develop``, ``benchmark``, ``demonstrate``, ``test``). ``file``: where it lies inside the data
    folder. ``layout``: which reader fits the files at the source. ``digest``, ``upstream_digest``:
    :func:`toolkit.datasets.content_digest` of the packed copy and of the set at the source. ``downloads``: files that
    make up the set; none where it ships with the package or cannot be fetched.
    """

    name: str
    title: str
    kind: str
    documents: int
    upstream_documents: int | None
    languages: tuple[str, ...]
    licence: str
    homepage: str
    commit: str | None
    size: int | None
    use: str
    file: str
    layout: str
    digest: str | None
    upstream_digest: str | None
    downloads: tuple[Download, ...]
    citation: str


@cache
def registry() -> dict[str, Dataset]:
    """Return every registered corpus by name."""
    raw = resources.files("toolkit.datasets").joinpath("registry.json").read_text(encoding="utf-8")
    rows: list[dict[str, Any]] = json.loads(raw)
    for row in rows:
        row["languages"] = tuple(row["languages"])
        row["downloads"] = tuple(Download(**item) for item in row["downloads"])
    return {row["name"]: Dataset(**row) for row in rows}


def find(name: str) -> Dataset:
    """Return the entry called ``name``; an UnknownNameError lists what there is."""
    entries = registry()
    if name not in entries:
        raise UnknownNameError(f"datasets: no corpus called {name!r}; registered are {', '.join(entries)}")
    return entries[name]


def table() -> pd.DataFrame:
    """List the registered corpora, one row each, by ``name``.

    Columns: ``title, kind, documents`` (int), ``languages`` (joined by spaces), ``licence, source, commit, size``
    (bytes), ``use, here`` (bool: can be loaded now), ``citation``.
    """
    entries = registry().values()
    frame = pd.DataFrame([vars(entry) for entry in entries]).set_index("name")
    frame["languages"] = frame["languages"].str.join(" ")
    frame["here"] = [packed_path(entry).is_file() for entry in entries]
    frame = frame.rename(columns={"homepage": "source"}).astype({"size": "Int64"})
    return frame["title kind documents languages licence source commit size use here citation".split()]


def folder() -> Path:
    """Return the data folder: ``NEWS_TOOLKIT_DATA``, else the platform's own place for user data."""
    if chosen := os.environ.get(SETTING):
        return Path(chosen).expanduser()
    from platformdirs import user_data_path

    return user_data_path("news-toolkit")


def packed_path(entry: Dataset) -> Path:
    """Return where the records of a corpus lie, whether they are there or not."""
    if entry.name == "sample":
        return shipped("sample") / "articles.jsonl.gz"
    return folder() / entry.file


def present(entry: Dataset) -> Path:
    """Return the packed copy of a corpus, or raise CorpusError where it is not there."""
    path = packed_path(entry)
    if not path.is_file():
        fetched = f"with a network run toolkit.datasets.fetch({entry.name!r}), or " if entry.downloads else ""
        mend = f"{fetched}put the packed copy at {path}, or set {SETTING}"
        raise CorpusError(f"{entry.name}: not in the data folder {folder()}; {mend}")
    return path


def records(name: str) -> Iterator[Record]:
    """Yield the raw records of a corpus (a registered name), one mapping a document, in file order.

    ``allsides``: ``ID, url, source, source_url, date, title, authors, topic, content_original``; ``gum``: ``id, title,
    url, date, text``; ``modern``: ``id, publisher, url, lang, title, date, text, repo, commit, path, licence, use``;
    page sets: ``id, publisher, url, lang, html, gold``; label sets: ``id, lang, title, text, label, split``;
    ``sample``: the columns of a corpus. A corpus that is damaged or not in the data folder is a CorpusError.
    """
    return read_records(present(find(name)))


def read_records(path: Path) -> Iterator[Record]:
    """Yield the records of a packed file; where it is damaged, a CorpusError says near which."""
    number = 0
    try:
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):  # noqa: B007  (the number is for the error message)
                yield json.loads(line)
    except (OSError, EOFError, zlib.error, ValueError) as error:
        mend = "delete it and fetch the corpus again"
        raise CorpusError(f"{path}: damaged near record {number} ({error}); {mend}") from error


def content_digest(items: Iterable[Record]) -> str:
    """Return the SHA-256 of the sorted SHA-256 digests of records as canonical JSON; their order does not matter."""
    canonical = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode
    digests = (hashlib.sha256(canonical(item).encode("utf-8", "surrogatepass")).digest() for item in items)
    return hashlib.sha256(b"".join(sorted(digests))).hexdigest()


def write_records(path: Path, items: Iterable[Record]) -> int:
    """Write records as gzipped JSON Lines, the same bytes for the same records; return how many."""
    path.parent.mkdir(parents=True, exist_ok=True)
    count = 0
    with path.open("wb") as raw, gzip.GzipFile("", "wb", 9, raw, mtime=0) as out:
        for count, item in enumerate(items, 1):  # noqa: B007  (the last number is the result)
            out.write(json.dumps(item, ensure_ascii=False).encode("utf-8", "surrogatepass") + b"\n")
    return count


def load(name: str, *, text: Literal["extracted", "gold"] = "extracted") -> pd.DataFrame:
    """Load a registered corpus (see :func:`toolkit.datasets.list`) from the data folder; nothing is fetched.

    ``text`` matters for page sets only: what our HTML reader finds (``extracted``: seconds to minutes), or the gold
    text that comes with the set (at once). The result is a corpus (:mod:`toolkit.corpus`) with further columns
    ``topic`` (allsides), ``label, split`` (label sets), ``repo, commit, path, licence, use`` (modern; ``use`` is
    ``train``, or ``develop``: to be measured on, never learned from). A label set's document without a text has its
    headline for text. Pages without an article are in :func:`toolkit.quarantine`. A name that is unknown, and a corpus
    that is damaged or not in the data folder, are a CorpusError.
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
            first = f"{day[3]}-{day[2]:0>2}-{day[1]:0>2}"
            rest = _HOUR.match(date, day.end())
            return parse_date(f"{first} {rest[1]}:{rest[2]}" if rest else first)
        return parse_date(date.replace("+", " ") if date.count("+") > 1 else date)

    moments = pd.array([read(date) for date in written], dtype="Int64")
    return pd.Series(moments, index=written.index).astype("datetime64[us, UTC]")


@dataclass(frozen=True)
class Gold:
    """Annotations of a corpus together with its texts, as frames.

    ``corpus`` has the documents whose text is the annotated one, with ``part`` (which gold file), ``set`` (registered
    name of the corpus) and ``round``. ``spans``: ``doc_id, start, end`` (code points, half-open), ``kind``. ``topics``:
    ``doc_id, primary`` (short code; missing where no topic fits), ``all`` (frozenset of short codes), ``sure`` (bool).
    Of the sample only, ``wire`` (``doc_id, group, kind``) has documents that run the same agency story (``wire``) or
    are versions of one article (``near``), ``verdicts`` ``doc_id, verdict``. ``unmatched`` (``doc_id, source, reason``)
    are annotated documents that are absent or whose text differs; not to be scored.
    """

    corpus: pd.DataFrame
    spans: pd.DataFrame
    topics: pd.DataFrame
    wire: pd.DataFrame
    verdicts: pd.DataFrame
    unmatched: pd.DataFrame

    def __repr__(self) -> str:
        labels = f"{len(self.spans)} spans, {len(self.topics)} with topics"
        rest = f"{self.wire['group'].nunique()} groups of copies, {len(self.unmatched)} unmatched"
        return f"Gold({len(self.corpus)} documents, {labels}, {rest})"


def gold(name: str) -> Gold:
    """Load a gold set with the texts it annotates; frames are in the order of the gold file.

    ``sample`` is the exact gold of the shipped sample. ``boilerplate``, ``topics``, ``boilerplate_modern`` and
    ``topics_modern`` are hand-made annotations in ``data/gold`` (``<name>.jsonl`` and, if present, a second part with
    ``_extra`` in its name), joined to the corpora in the data folder; page sets are joined to their gold text. The
    modern ones carry ``use`` in their corpus: rows marked ``develop`` are to be measured on, never learned from. A
    document whose SHA-256 differs from the annotated text's is in ``unmatched`` with the reason.
    """
    if name == "sample":
        lines = _lines(shipped("sample") / "gold.jsonl")
        items = [{"id": item["doc_id"], "sure": True, **item} for item in lines]
        return _annotated(load("sample").assign(part="sample", set="sample"), items)
    if name not in _GOLD:
        there = ", ".join(map(repr, (*_GOLD, "sample")))
        raise CorpusError(f"datasets: no gold called {name!r}; there are {there}")
    kind, _, collection = name.partition("_")
    extra = "_".join(filter(None, (kind, "extra", collection)))
    files = [shipped("gold") / f"{name}.jsonl", shipped("gold") / f"{extra}.jsonl"]
    return _joined([
        {"source": "allsides", **item, "part": path.stem}
        for path in files if path.is_file() for item in _lines(path)
    ])  # fmt: skip


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
        "topics": ((i["id"], i["primary"], frozenset(i["all"]), i["sure"]) for i in items if "primary" in i),
        "wire": (copy for copy in copies if copy[1]),
        "verdicts": ((i["id"], i["verdict"]) for i in items if "verdict" in i),
        "unmatched": unmatched,
    }
    columns = _FRAMES.items()
    return Gold(corpus, **{n: pd.DataFrame(list(rows[n]), columns=list(c)).astype(c) for n, c in columns})
