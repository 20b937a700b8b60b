"""Certificate: what a cleaning lost and found in one corpus, bounded by a random sample that people judged."""

from __future__ import annotations

import json
import re
from bisect import bisect
from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass, field
from itertools import accumulate, islice, takewhile
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pandas as pd
from scipy.special import betaincinv

from toolkit.buffer import Buffer
from toolkit.corpus import CorpusLike, as_corpus
from toolkit.display import visible
from toolkit.errors import CorpusError, wants
from toolkit.files import whole
from toolkit.record import RECORD, amend, unfit
from toolkit.segments import cut
from toolkit.tables import beside

__all__ = ["ARTICLE", "BOILERPLATE", "UNSURE", "Certificate", "Cleaning", "Stratum", "certify", "draw"]

ARTICLE, BOILERPLATE, UNSURE = VERDICTS = ("article", "boilerplate", "unsure")
"""What a person says of a passage."""

STRATA = {"removed": (0.5, 0.6), "near": (0.15, 0.1), "kept": (0.35, 0.3)}
"""Stratum → its part of the sample, and its part of the error that the confidence allows. The removed text has most of
both: it alone decides about the article text lost."""

LADDER = (0.995, 0.99, 0.98, 0.97, 0.96, 0.95, 0.93, 0.9, 0.85, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.0)
"""Thresholds that are tried, in this order, until one fails. Fixed beforehand, so that the choice costs no error."""

SOLID = re.compile(r"\S")
METHOD = (
    "Characters (not blank) were drawn at random, with replacement, within strata: text removed, nearly removed and "
    "kept. A person judged the passage around each. Each stratum has an exact one-sided binomial bound "
    "(Clopper and Pearson 1934); the errors they allow add up to 1 - confidence (Bonferroni), so all bounds hold "
    "together. Passages that the judges were unsure of, or differed on, count against the cleaning."
)


@dataclass(frozen=True)
class Stratum:
    """One part of the text and what was judged of it.

    ``characters`` (not blank) are in this part of the corpus; of those ``judged``, ``wrong`` were not as the cleaning
    has them, or doubtful; ``limit`` is the upper bound on the share of characters that are wrong.
    """

    characters: int
    judged: int
    wrong: int
    limit: float


_REAL = float | int
_SHAPE = {
    "strata": {name: {"characters": int, "judged": int, "wrong": int, "limit": _REAL} for name in STRATA},
    **dict.fromkeys(("article_lost", "precision", "found", "confidence", "max_article_loss"), _REAL),
    **dict.fromkeys(("n", "judges", "documents"), int), "threshold": _REAL | None, "agreement": _REAL | None,
    "method": str,
}  # fmt: skip
"""Types of a saved certificate, as :func:`toolkit.record.unfit` reads them."""


@dataclass(frozen=True)
class Certificate:
    """Bounds on a cleaning; all hold together with the confidence given.

    ``article_lost`` is an upper bound on the share of article text that was removed. ``precision`` and ``found`` are
    lower bounds: on the share of the removed text that is boilerplate (1 where nothing was removed), and on the share
    of the boilerplate that was removed. ``n`` characters were drawn and judged, of ``documents``; ``strata`` are
    ``removed``, ``near`` (nearly removed) and ``kept``.

    ``threshold`` is the lowest score from which on spans may be removed so that at most ``max_article_loss`` is lost
    (with the same confidence, a claim of its own); 0 if all spans may, None if no threshold is known to do.
    ``agreement`` is Krippendorff's alpha (Content Analysis, 2004, chapter 11) of the ``judges`` over what two or more
    judged; None if they judged nothing together.
    """

    article_lost: float
    precision: float
    found: float
    n: int
    confidence: float
    strata: dict[str, Stratum] = field(repr=False)
    max_article_loss: float
    threshold: float | None
    judges: int
    agreement: float | None
    documents: int
    method: str = field(default=METHOD, repr=False)

    def __str__(self) -> str:
        removed = self.strata["removed"]
        text = (
            f"At most {_percent(self.article_lost)} of the article text was lost, at least "
            f"{_percent(self.precision, up=False)} of what was removed is boilerplate, and at least "
            f"{_percent(self.found, up=False)} of the boilerplate was removed ({self.confidence:.0%} confidence, all "
            f"three together; {self.n:,} random passages judged in {self.documents:,} documents, {removed.wrong:,} of "
            f"{removed.judged:,} removed ones wrong or doubtful)."
        )
        wished = _percent(self.max_article_loss)
        if self.threshold is None:
            text += f" These judgements do not show that at most {wished} is lost."
        elif self.threshold:
            text += f" At most {wished} is lost if only spans with a score of {self.threshold:g} or more go."
        if self.agreement is not None:
            text += f" {self.judges} judges agreed with Krippendorff's alpha {self.agreement:.2f}."
        return text.replace("%", " %")

    def save(self, folder: str | Path) -> Path:
        """Write ``certificate.json`` into a folder of results and name it in its ``run.json``, for the report."""
        path = Path(folder) / "certificate.json"
        with whole(path) as temporary:
            temporary.write_text(json.dumps(asdict(self), ensure_ascii=False, indent=2) + "\n", "utf-8")
        if (path.parent / RECORD).is_file():
            amend(folder, [path], certificate=asdict(self))
        return path

    @classmethod
    def load(cls, folder: str | Path) -> Certificate:
        """Read the ``certificate.json`` of a folder of results."""
        path = Path(folder) / "certificate.json"
        try:
            row = json.loads(path.read_text("utf-8"))
            if wrong := unfit(row, _SHAPE, "certificate"):
                raise ValueError(wrong)
            strata = {name: Stratum(**row["strata"][name]) for name in STRATA}
            return cls(**row | {"strata": strata})
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            msg = f"{path}: no certificate ({visible(str(error))}); write it again with Certificate.save"
            raise CorpusError(msg) from error


Span: TypeAlias = tuple[int, int, float]  # start, end (code points) and score


def draw(
    corpus: CorpusLike, spans: pd.DataFrame, near: pd.DataFrame | None = None, *, n: int = 200, seed: int = 0
) -> pd.DataFrame:
    """Draw random characters of a corpus, each with the passage around it, for people to judge.

    ``spans`` are the cleaning to be certified, as :meth:`BoilerplateRemover.spans` returns it; ``near`` are spans that
    a bolder cleaning would remove, a stratum of their own. ``n`` characters are drawn.

    Returned, in random order: ``doc_id``, ``start``, ``end`` (the passage: a line or sentence, or what of it lies in
    the stratum), ``at`` (the character drawn; code points), ``stratum``, ``of`` (characters of the stratum that are not
    blank) and ``probability`` (that the passage is drawn at all).
    """
    frame = as_corpus(corpus).sort_values("doc_id", kind="stable")
    ids, texts = frame["doc_id"].tolist(), frame["text"].tolist()
    # of each stratum, its stretches: number of the document, start, end, and the characters that are not blank
    stretches: dict[str, list[tuple[int, int, int, int]]] = {name: [] for name in STRATA}
    inside = [_by_document(ids, spans), {} if near is None else _by_document(ids, near, "near")]
    for d, (doc_id, text) in enumerate(zip(ids, texts, strict=True)):
        for name, start, end in _parted(len(text), *(table.get(doc_id, []) for table in inside)):
            if characters := _solid(text[start:end]):
                stretches[name].append((d, start, end, characters))
    random = np.random.default_rng(seed)
    there = {name: part for name, (part, _) in STRATA.items() if stretches[name]}
    rows = []
    for name, part in there.items():
        *begins, total = accumulate((characters for *_, characters in stretches[name]), initial=0)
        share = round(n * part / sum(there.values()))
        for k in random.integers(0, total, share).tolist():
            number = bisect(begins, k) - 1
            d, first, last, _ = stretches[name][number]
            at = next(islice(SOLID.finditer(texts[d], first, last), k - begins[number], None)).start()
            start, end = _passage(texts[d], at, first, last)
            chance = 1 - (1 - _solid(texts[d][start:end]) / total) ** share
            rows.append((ids[d], start, end, at, name, total, chance))
    columns = ["doc_id", "start", "end", "at", "stratum", "of", "probability"]
    table = pd.DataFrame(rows, columns=columns).astype({"doc_id": "str", "stratum": "str"})
    return table.iloc[random.permutation(len(table))].reset_index(drop=True)


@wants("spans", "judged")
def certify(
    corpus: CorpusLike, spans: pd.DataFrame, judged: pd.DataFrame, *, max_article_loss: float = 0.0015,
    confidence: float = 0.95,
) -> Certificate:  # fmt: skip
    """Bound what a cleaning lost and found, from random passages that people judged.

    Parameters
    ----------
    spans : DataFrame
        The cleaning from which the sample was drawn.
    judged : DataFrame
        What :func:`draw` returned, with a column ``verdict`` (``article``, ``boilerplate`` or ``unsure``; missing:
        not judged yet) and, where there are several people, ``judge``. Its rows come in random order, so judging
        only the first of them is sound if their number does not depend on the verdicts. Without ``stratum``,
        passages count as removed or kept by where their middle is; they must then have been drawn by length.
        Passages that are not in the corpus, or drawn from another cleaning, are a CorpusError.
    max_article_loss, confidence : float, default 0.0015, 0.95
        The bound wished for, which ``threshold`` is to meet, and how surely all bounds hold.

    Notes
    -----
    Drawing characters, not passages, makes long passages count for their length. The number of wrong ones among the
    drawn characters of a stratum is then binomial, and the bound of Clopper and Pearson (Biometrika 26, 1934) is
    exact. The strata are combined by adding up their errors. ``threshold`` is the last of a fixed sequence of tests
    that starts at the highest (Angelopoulos et al.: Learn then test. Annals of Applied Statistics 19, 2025).

    Examples
    --------
    >>> spans = pd.DataFrame({"doc_id": ["0"], "start": [0], "end": [4], "kind": ["promo"], "score": [0.9]})
    >>> text = "Ads! " + "It rained. " * 20
    >>> judged = draw([text], spans)
    >>> judged["verdict"] = judged["stratum"].map({"removed": "boilerplate", "kept": "article"})
    >>> print(certify([text], spans, judged))  # doctest: +NORMALIZE_WHITESPACE
    At most 0.07 % of the article text was lost, at least 97.1 % of what was removed is boilerplate, and at least
    30.7 % of the boilerplate was removed (95 % confidence, all three together; 200 random passages judged in 1
    documents, 0 of 118 removed ones wrong or doubtful).
    """
    return Cleaning(corpus, spans).certify(judged, max_article_loss, confidence)


class Cleaning:
    """A cleaning that is certified again and again, as judgements come in: the corpus is read once."""

    def __init__(self, corpus: CorpusLike, spans: pd.DataFrame) -> None:
        frame = as_corpus(corpus)
        self.texts = dict(zip(frame["doc_id"], frame["text"], strict=True))
        self.spans = _by_document(self.texts, spans)
        each = ((self.texts[d], *span) for d, found in self.spans.items() for span in found)
        rows = [(score, _solid(text[start:end])) for text, start, end, score in each]
        self.scores, self.sizes = np.array(rows).reshape(-1, 2).T  # a span each: score, characters not blank
        self.total = sum(map(_solid, self.texts.values()))

    def certify(
        self, judged: pd.DataFrame, max_article_loss: float = 0.0015, confidence: float = 0.95
    ) -> Certificate:
        """As :func:`certify`."""
        if not 0 < confidence < 1:
            raise ValueError(f"confidence={confidence!r}: a share between 0 and 1 is wanted, such as .95")
        draws, agreement, judges = _by_draw(judged, self.texts)
        places = zip(draws["doc_id"], draws["at"], strict=True)
        # of the span that holds each character; NaN if none does
        scores = np.array([
            next((score for a, b, score in self.spans.get(doc_id, []) if a <= at < b), np.nan)
            for doc_id, at in places
        ])  # fmt: skip
        gone = ~np.isnan(scores)
        if "stratum" not in draws:
            draws["stratum"] = np.where(gone, "removed", "kept")
        strange = (draws["stratum"] == "removed") != gone
        if strange.any():
            row = draws[strange].iloc[0]
            msg = f"judged: {row['doc_id']!r} at {row['at']} counts as {row['stratum']}, but the spans say otherwise"
            raise CorpusError(f"{msg}; certify the spans that the sample was drawn from")
        sizes = _sizes(draws, self.total, int(self.sizes.sum()))
        wrong = (draws["verdict"] != np.where(gone, BOILERPLATE, ARTICLE)).to_numpy()
        allowed = sum(part for name, (_, part) in STRATA.items() if sizes[name])
        risk = {name: (1 - confidence) * part / max(allowed, part) for name, (_, part) in STRATA.items()}
        strata = {}
        for name, size in sizes.items():
            mine = (draws["stratum"] == name).to_numpy()
            drawn, bad = int(mine.sum()), int(wrong[mine].sum())
            strata[name] = Stratum(size, drawn, bad, upper(bad, drawn, risk[name]) if size else 0.0)
        rest = sizes["near"] + sizes["kept"]
        missed = strata["near"].limit * sizes["near"] + strata["kept"].limit * sizes["kept"]

        def lost(threshold: float) -> float:
            """Upper bound on the share of article text lost if spans of this score and more are removed."""
            size = self.sizes[self.scores >= threshold].sum()
            mine = scores >= threshold  # False where there is no score
            limit = size * upper(int(wrong[mine].sum()), int(mine.sum()), risk["removed"])
            return float(limit / (limit + rest - missed)) if limit else 0.0

        shown = [*takewhile(lambda step: lost(step) <= max_article_loss, LADDER)]
        boilerplate = sizes["removed"] * (1 - strata["removed"].limit)
        return Certificate(
            article_lost=lost(0.0), precision=1 - strata["removed"].limit,
            found=boilerplate / (boilerplate + missed) if boilerplate else 0.0, n=len(draws),
            confidence=confidence, strata=strata, max_article_loss=max_article_loss,
            threshold=shown[-1] if shown else None, judges=judges, agreement=agreement, documents=len(self.texts),
        )  # fmt: skip


def upper(wrong: int, n: int, risk: float) -> float:
    """Return the upper bound of Clopper and Pearson on a share of which ``wrong`` of ``n`` draws were."""
    return 1.0 if wrong >= n else float(betaincinv(wrong + 1, n - wrong, 1 - risk))


def alpha(words: pd.DataFrame) -> float | None:
    """Return Krippendorff's alpha for words of no order; None where fewer than two words differ or meet.

    A row is a thing, a column a judge; a word is missing where a judge said nothing.
    """
    counts = words.apply(lambda row: row.value_counts(), axis=1).fillna(0).to_numpy(float)
    counts = counts[counts.sum(axis=1) > 1] if counts.size else np.zeros((0, 1))
    each, total = counts.sum(axis=1), counts.sum()
    expected = total**2 - (counts.sum(axis=0) ** 2).sum()
    if not expected:
        return None
    observed = ((each**2 - (counts**2).sum(axis=1)) / (each - 1)).sum()
    return float(1 - (total - 1) * observed / expected)


def _by_draw(judged: pd.DataFrame, texts: dict[str, str]) -> tuple[pd.DataFrame, float | None, int]:
    """Return one row a draw with the verdict of all judges, their agreement, and their number."""
    judged = beside("judged", judged, ["start", "end", "verdict"])
    table = judged[judged["verdict"].notna()].reset_index(drop=True)
    if not len(table):
        raise CorpusError("judged: no verdict in it; judge some passages first")
    if "at" not in table:
        table["at"] = (table["start"] + table["end"]) // 2
    sizes = table["doc_id"].map(lambda doc_id: len(texts.get(doc_id, "")))
    elsewhere = (table["start"] < 0) | (table["at"] >= table["end"]) | (table["end"] > sizes)
    unknown = f"judged: {{verdict!r}} is no verdict; {', '.join(VERDICTS)} are"
    strange = "judged: {doc_id!r} has no passage {start}–{end} in this corpus; pass its own"
    for wrong, message in ((~table["verdict"].isin(VERDICTS), unknown), (elsewhere, strange)):
        for row in table[wrong].head(1).to_dict("records"):
            raise CorpusError(message.format_map(row))
    table["judge"] = table["judge"].fillna("") if "judge" in table else ""
    # a character drawn twice has two rows with each judge
    place = ["doc_id", "start", "end", "at"]
    table["time"] = table.groupby([*place, "judge"]).cumcount()
    groups = table.groupby([*place, "time"], sort=True)
    draws = groups.first()
    draws["verdict"] = draws["verdict"].where(groups["verdict"].nunique() < 2, UNSURE)
    once, judges = table[table["time"] == 0], table["judge"].nunique()
    words = once.pivot_table(index=place, columns="judge", values="verdict", aggfunc="first")
    return draws.reset_index(), alpha(words) if judges > 1 else None, judges


def _sizes(draws: pd.DataFrame, total: int, removed: int) -> dict[str, int]:
    """Return the characters of each stratum; what is not removed is split as the sample says."""
    stated = draws.groupby("stratum")["of"].first() if "of" in draws else {}
    rest = total - removed
    kept = int(stated["kept"] if "kept" in stated else rest - stated.get("near", 0))
    sizes = {"removed": removed, "near": rest - kept, "kept": kept}
    if min(sizes.values()) < 0 or int(stated.get("removed", removed)) != removed:
        msg = "judged: its strata are of another size than this corpus and these spans; certify those it was drawn from"
        raise CorpusError(msg)
    return sizes


def _solid(text: str) -> int:
    """Return the number of characters that are not blank."""
    return sum(map(len, text.split()))


def _by_document(ids: Collection[str], spans: pd.DataFrame, name: str = "spans") -> dict[str, list[Span]]:
    columns = ["doc_id", "start", "end", "score"]
    found: dict[str, list[Span]] = {}
    spans = beside(name, spans, columns[1:3], ids)
    here = spans[spans["doc_id"].isin(set(ids))].assign(score=spans.get("score", 1.0))
    for doc_id, *span in sorted(here[columns].itertuples(index=False, name=None)):
        found.setdefault(doc_id, []).append(tuple(span))
    return found


def _parted(length: int, removed: list[Span], near: list[Span]) -> Iterator[tuple[str, int, int]]:
    """Yield the stretches of a document by stratum, in order; what is removed is not near."""
    done = 0
    for start, end, _ in [*removed, (length, length, 0.0)]:
        for a, b, _ in near:
            a, b = max(a, done), min(b, start)
            if a < b:
                yield "kept", done, a
                yield "near", a, b
                done = b
        yield "kept", done, start
        yield "removed", start, end
        done = end


def _passage(text: str, at: int, first: int, last: int) -> tuple[int, int]:
    """Return the line or sentence around a character, as far as it lies in a stretch."""
    segments, data = cut(Buffer.of([text])), text.encode()
    number = int(np.searchsorted(segments.start, len(text[:at].encode()), side="right")) - 1
    edges = (segments.start[number], segments.end[number])
    start, end = (len(data[:edge].decode()) for edge in edges)
    start, end = max(start, first), min(end, last)
    return (start, end) if start <= at < end else (at, at + 1)


def _percent(share: float, *, up: bool = True) -> str:
    """Return a bound in per cent, rounded so that it still is one."""
    digits = 2 if share < 0.01 else 1
    rounded = (np.ceil if up else np.floor)(round(100 * share * 10**digits, 6)) / 10**digits
    return f"{rounded:.{digits}f}%"
