"""What is compared: each runner finds boilerplate in a set, as spans. A new one is a function with a line above it."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.baselines import c4_lines, repeated_segments
from benchmarks.flat.sets import SPANS, FlatSet, outside
from toolkit import BoilerplateRemover
from toolkit.boilerplate.model import SHIPPED

RECORDED = Path(__file__).parents[2] / "data" / "benchmarks" / "flat"
"""Folder of recorded outputs: ``<runner>.jsonl``, rows of ``set, doc_id, start, end``."""

_LINE = re.compile(r"[^\n]*\S[^\n]*")
_STOPS = {
    "en": "English", "de": "German", "fr": "French", "es": "Spanish", "pt": "Portuguese", "sv": "Swedish",
}  # fmt: skip


@dataclass(frozen=True)
class Runner:
    """A method.

    Attributes
    ----------
    find : function of a FlatSet
        Returns ``doc_id, start, end, kind``; None where the method has nothing to say on such a set.
    size, licence : str
    """

    find: Callable[[FlatSet], pd.DataFrame | None]
    size: str
    licence: str


RUNNERS: dict[str, Runner] = {}
"""Name → method, in the order of the table."""


def runner(name: str, *, size: str, licence: str) -> Callable[[Any], Any]:
    """Register a function as a method of the table."""

    def register(find: Callable[[FlatSet], pd.DataFrame | None]) -> Any:
        RUNNERS[name] = Runner(find, size, licence)
        return find

    return register


def ranges(found: list[tuple[Any, ...]]) -> pd.DataFrame:
    """Return (doc_id, start, end) as spans; kinds are not scored."""
    return pd.DataFrame([(*row[:3], "interface") for row in found], columns=list(SPANS))


def lines(flat: FlatSet, drop: Callable[[str], bool]) -> pd.DataFrame:
    """Return the lines for which ``drop`` is true."""
    return ranges(
        [
            (doc_id, line.start(), line.end())
            for doc_id, text in zip(flat.corpus["doc_id"], flat.corpus["text"], strict=True)
            for line in _LINE.finditer(text)
            if drop(line.group())
        ]
    )


_SIZE = f"{SHIPPED.with_suffix('.npz').stat().st_size / 1e6:.1f} MB"


def _ours(flat: FlatSet, *, fit: bool, **parameters: Any) -> pd.DataFrame | None:
    """Spans by models that did not learn from the texts; None where there is no such model."""
    if flat.learned and not flat.held_out:
        return None
    found = []
    for model, documents in flat.held_out or [({}, flat.corpus)]:
        remover = BoilerplateRemover(**model, **parameters)
        found.append((remover.fit(flat.counted) if fit else remover).spans(documents))
    return pd.concat(found, ignore_index=True)


@runner("ours, single documents", size=_SIZE, licence="Apache-2.0")
def _single(flat: FlatSet) -> pd.DataFrame | None:
    return _ours(flat, fit=False)


@runner("ours, fitted", size=_SIZE, licence="Apache-2.0")
def _fitted(flat: FlatSet) -> pd.DataFrame | None:
    return _ours(flat, fit=True)


@runner("ours, fitted, strict", size=_SIZE, licence="Apache-2.0")
def _strict(flat: FlatSet) -> pd.DataFrame | None:
    return _ours(flat, fit=True, max_article_loss=0.0005)


@runner("C4's line rule", size="a rule", licence="–")
def _c4(flat: FlatSet) -> pd.DataFrame:
    """Raffel et al. 2020: a line ends in a mark of a sentence and has five words."""
    return c4_lines(flat.corpus, 5)


@runner("repeated in 2 documents", size="a rule", licence="–")
def _repeated(flat: FlatSet) -> pd.DataFrame:
    found = repeated_segments(flat.counted, 2)
    return found[found["doc_id"].isin(set(flat.corpus["doc_id"]))]


@runner("line deduplication", size="a rule", licence="–")
def _deduplicated(flat: FlatSet) -> pd.DataFrame:
    """As datatrove's sentence deduplication with single lines: the first of equal lines stays."""
    seen: set[str] = set()
    found = []
    for doc_id, text in zip(flat.counted["doc_id"], flat.counted["text"], strict=True):
        for line in _LINE.finditer(text):
            key = " ".join(line.group().lower().split())
            if key in seen:
                found.append((doc_id, line.start(), line.end()))
            seen.add(key)
    spans = ranges(found)
    return spans[spans["doc_id"].isin(set(flat.corpus["doc_id"]))]


@runner("pattern-aware line deduplication", size="a rule", licence="–")
def _patterns(flat: FlatSet) -> pd.DataFrame:
    """Park et al. 2025 (arXiv 2510.24139), English thresholds: runs of unseen lines stay, with rare ones between."""
    times = Counter(
        line.strip() for text in flat.counted["text"] for line in text.split("\n") if line.strip()
    )
    found = []
    for doc_id, text in zip(flat.corpus["doc_id"], flat.corpus["text"], strict=True):
        parts = list(_LINE.finditer(text))
        marks = "".join(
            "g" if (n := times[p.group().strip()]) == 1 else "y" if n <= 1000 else "r" for p in parts
        )
        kept = {i for run in re.finditer(r"g{2,}(?:y+g+)*", marks) for i in range(*run.span())}
        found += [(doc_id, p.start(), p.end()) for i, p in enumerate(parts) if i not in kept]
    return ranges(found)


@runner("jusText, lines as paragraphs", size="0.8 MB", licence="BSD-2-Clause")
def _justext(flat: FlatSet) -> pd.DataFrame:
    import html

    import justext

    found = []
    for doc_id, text, lang in flat.corpus[["doc_id", "text", "lang"]].itertuples(index=False):
        stops = justext.get_stoplist(_STOPS.get(str(lang)[:2], "English"))
        parts = list(_LINE.finditer(text))
        page = "".join(f"<p>{html.escape(part.group())}</p>" for part in parts)
        judged = {p.text for p in justext.justext(page.encode(), stops, encoding="utf-8") if p.is_boilerplate}
        found += [(doc_id, p.start(), p.end()) for p in parts if " ".join(p.group().split()) in judged]
    return ranges(found)


@runner("trafilatura, from the HTML", size="a library", licence="Apache-2.0")
def _trafilatura(flat: FlatSet) -> pd.DataFrame | None:
    if not flat.pages:
        return None
    import trafilatura

    found = []
    for doc_id, text in zip(flat.corpus["doc_id"], flat.corpus["text"], strict=True):
        kept = trafilatura.extract(flat.pages[doc_id], favor_precision=True, include_comments=False) or ""
        found += [(doc_id, *span) for span in outside(text, kept)]
    return ranges(found)


def hand_over(sets: Iterable[FlatSet], path: Path) -> None:
    """Write every line of the sets as ``set, doc_id, start, end, lang, line``, for a method that runs elsewhere.

    The rows that it would remove are its recorded output (:func:`recorded`).
    """
    with path.open("w", encoding="utf-8") as out:
        for flat in sets:
            for doc_id, text, lang in flat.corpus[["doc_id", "text", "lang"]].itertuples(index=False):
                own = {"set": flat.name, "doc_id": doc_id, "lang": str(lang)}
                for part in _LINE.finditer(text):
                    row = own | {"start": part.start(), "end": part.end(), "line": part.group()}
                    out.write(json.dumps(row, ensure_ascii=False) + "\n")


def recorded(name: str) -> Callable[[FlatSet], pd.DataFrame | None]:
    """Return a runner that reads what a method said elsewhere, such as a classifier of lines or a prompted model."""

    def find(flat: FlatSet) -> pd.DataFrame | None:
        path = RECORDED / f"{name}.jsonl"
        rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.is_file() else []
        rows = [row for row in rows if row["set"] == flat.name]
        return ranges([(row["doc_id"], row["start"], row["end"]) for row in rows]) if rows else None

    return find


RUNNERS["FinerWeb's line classifier"] = Runner(recorded("finerweb"), "0.4 GB", "Apache-2.0")
RUNNERS["a prompted language model"] = Runner(recorded("prompt"), "–", "–")
