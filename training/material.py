"""What the shipped segment model learns from, and what it is scored on: gold, copies of it, pages, invented texts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from toolkit import datasets
from toolkit.corpus import COLUMNS, make_corpus
from toolkit.fields import registrable_domain
from training.copies import lower_case, without_breaks
from training.flattening import SETS, variants
from training.labelled import Labelled, labelled, without_labels
from training.pages import extracted_page, page_title, whole_page
from training.passages import (
    HARD_LOOKALIKES,
    MORE_LOOKALIKES,
    PASSAGES,
    PLACES,
    PLAIN_HOSTS,
    SHARED,
    SPANS,
    VOICES,
    around_an_article,
    in_another_language,
    insert_passages,
    lookalikes,
    number,
    scraped,
)

Texts = tuple[pd.DataFrame, pd.DataFrame]
"""Documents and their spans."""

BLOGS = 0.35
"""Share of the pages of ``wcxb``, which are mostly blogs and shops, that is learned from."""

LATER = 7
"""Round of marking that nothing is learned from: mostly whole pages and lists. Learned from as well, it cost .02 to .05
of F1 in other layouts."""

SCORED = 6
"""Round of marking up to which texts are scored, and passages set into them; later ones are learned from only, so that
figures stay comparable."""

UNSURE = Path(__file__).parent.parent / "data" / "gold" / "unsure.jsonl"
"""Passages of two marked digests that count as their own text and stand word for word in 39 to 65 other articles of
their publisher, on other subjects."""

STORIES = 9000
"""Articles that show how stories differ."""

WEAK = 45
"""Unmarked modern articles of a language that are learned from."""

SENTENCES = {"it", "nl", "sv", "fr", "pt", "pl", "da", "no", "fi", "es", "de"}
"""Languages of which more plain sentences are taken."""


def material(*, folds: int, seed: int) -> list[Labelled]:
    """Return all parts, each with the weights with which words and trees learn from it.

    Parameters
    ----------
    folds, seed : int
        Publishers, outlets and invented articles are dealt to folds by a hash of their name.
    """
    hosts = _hosts(folds, seed)
    gold, modern, like, sample = hosts
    page = _dealt(*_scraped(), folds, seed)
    parts = [_annotated("gold", *gold), _annotated("modern", *modern, learn=_may_train(modern[0]))]
    for name, texts, of_words in (
        ("gold", gold, 0.7), ("modern", modern, 0.7), ("like", like, 0.5), ("scraped", page, 0.7),
    ):  # fmt: skip
        weight = _may_train(texts[0])
        for ending, glue in (("one_line", " "), ("glued", "")):
            corpus, spans = _renamed(*without_breaks(*texts, glue), ending)
            some = _share(corpus["doc_id"], 4, seed) if name in ("gold", "modern") else 1.0
            parts.append(
                labelled(
                    f"{name}/{ending}", corpus, spans, words=weight * some * of_words, trees=weight * of_words
                )
            )
        if name != "like":
            corpus, spans = _renamed(lower_case(texts[0]), texts[1], "lower")
            some = weight * _share(corpus["doc_id"], 4, seed + 1)
            parts.append(labelled(f"{name}/lower", corpus, spans, words=some * 0.7, trees=some))
    parts.append(labelled("like", *like))
    parts.append(labelled("sample", *sample))
    parts.append(labelled("scraped", *page))
    weak = _dealt(*_weak(seed), folds, seed, by="group")
    parts.append(_inner(labelled("weak", *weak, words=0.5, trees=0.5)))
    pages, extracted = _pages(folds, seed)
    parts.append(labelled("pages", *pages, words=0.3, trees=_share(pages[0]["doc_id"], 3, seed)))
    some = _share(extracted[0]["doc_id"], 3, seed)
    parts.append(labelled("extracted", *extracted, words=0.3 * some, trees=0.3 * some))
    inserted = _inserted(hosts, PASSAGES, folds, seed)
    parts.append(_emphasised(labelled("inserted", *inserted)))
    some = inserted[0][number_share(inserted[0]["doc_id"], 4, seed + 2)].reset_index(drop=True)
    low = _renamed(lower_case(some), inserted[1], "lower")
    parts.append(_emphasised(labelled("inserted/lower", *low)))
    return parts


def more_voices(*, folds: int, seed: int) -> list[Labelled]:
    """Passages and look-alikes in further voices: for the words of appeals, the network and the second decision."""
    plain, like, hard = (
        _dealt(
            make_corpus(list(lookalikes(names))), pd.DataFrame([], columns=SPANS), folds, seed, by="doc_id"
        )
        for names in (PLAIN_HOSTS, MORE_LOOKALIKES, HARD_LOOKALIKES)
    )
    inserted = _inserted([*_hosts(folds, seed), plain], VOICES, folds, seed, SHARED, lines=True)
    parts = [_emphasised(labelled("voices", *inserted)), labelled("like/more", *like)]
    parts += [labelled("like/hard", *hard), labelled("plain", *plain)]
    page = _dealt(*_scraped(), folds, seed)
    parts.append(labelled("foreign", *in_another_language(plain[0], *page, seed=seed)))
    two = around_an_article(plain[0], folds=folds, seed=seed, names=(*PASSAGES, *VOICES))
    parts.append(labelled("two", *two))
    for ending, glue in (("one_line", " "), ("glued", "")):
        flat = _renamed(*without_breaks(*like, glue), ending)
        parts.append(labelled(f"like/more/{ending}", *flat, words=0, trees=0.4))
    return parts


def _hosts(folds: int, seed: int) -> list[Texts]:
    """Marked articles, modern ones, articles that speak like boilerplate, and the sample."""
    like = make_corpus(list(lookalikes())), pd.DataFrame([], columns=SPANS)
    return [
        _dealt(*_gold("boilerplate"), folds, seed), _dealt(*_gold("boilerplate_modern"), folds, seed),
        _dealt(*like, folds, seed, by="doc_id"), _dealt(*_gold("sample"), folds, seed),
    ]  # fmt: skip


def _scraped() -> Texts:
    records, marked = scraped()
    return make_corpus(records), pd.DataFrame(marked, columns=SPANS)


def _inserted(
    hosts: list[Texts], names: tuple[str, ...], folds: int, seed: int, places: tuple[str, ...] = PLACES,
    lines: bool = False,
) -> Texts:  # fmt: skip
    some = [corpus[corpus["round"] <= SCORED] if "round" in corpus else corpus for corpus, _ in hosts]
    everything = pd.concat([corpus[[*COLUMNS, "fold"]] for corpus in some], ignore_index=True)
    spans = pd.concat([spans[SPANS] for _, spans in hosts], ignore_index=True)
    return insert_passages(everything, spans, folds=folds, seed=seed, names=names, places=places, lines=lines)


def marked_pages(*, folds: int, seed: int) -> Labelled:
    """Flattened pages of the three page sets, labelled by their own markup; half of the blogs."""
    records: list[dict[str, Any]] = []
    spans: list[tuple[str, int, int, str]] = []
    for name in SETS:
        for page in datasets.records(name):
            if name == "wcxb" and number("markup", page["id"]) % 2:
                continue
            for item in variants(page):
                doc_id = f"markup:{name}:{len(records)}"
                records.append({"doc_id": doc_id, "text": item["text"], "publisher": item["publisher"]})
                spans += [(doc_id, a, b, kind) for a, b, kind in item["spans"]]
                spans += [(doc_id, a, b, "unsure") for a, b in item["unsure"]]
    return labelled("markup", *_dealt(make_corpus(records), pd.DataFrame(spans, columns=SPANS), folds, seed))


def counted() -> pd.DataFrame:
    """Return the corpora whose repetition is counted: all of ``allsides`` and of ``modern``."""
    return pd.concat(
        [datasets.load(name)[list(COLUMNS)] for name in ("allsides", "modern")], ignore_index=True
    )


def stories(folds: int, seed: int) -> pd.DataFrame:
    """Return articles, unmarked, that show how stories differ: :data:`STORIES` of middling length."""
    modern = datasets.load("modern")
    corpus = pd.concat([datasets.load("allsides"), modern[modern["use"] == "train"]], ignore_index=True)
    corpus = corpus.loc[corpus["text"].str.len().between(800, 12_000), list(COLUMNS)]
    order = corpus["doc_id"].map(lambda name: number("story", name)).astype("uint64")
    corpus = corpus.loc[order.sort_values(kind="stable").index[:STORIES]]
    return dealt(corpus.reset_index(drop=True), folds, seed)


def _gold(name: str) -> Texts:
    gold = datasets.gold(name)
    corpus = gold.corpus
    if "round" in corpus:
        corpus = corpus[corpus["round"] != LATER].reset_index(drop=True)
    return corpus, gold.spans[SPANS]


def in_lines(*, folds: int, seed: int) -> Labelled:
    """Return the gold in single line breaks: thresholds are measured on it, and nothing is learned."""
    copy = _renamed(*without_breaks(*_hosts(folds, seed)[0], "\n"), "lines")
    return labelled("gold/lines", *copy, words=0, trees=0)


def unsure(gold: Labelled) -> Labelled:
    """Return the part without the labels that :data:`UNSURE` doubts; thresholds and figures leave them out."""
    rows = [json.loads(line) for line in UNSURE.read_text(encoding="utf-8").splitlines()]
    spans = [(row["id"], span["start"], span["end"], "unsure") for row in rows for span in row["spans"]]
    return without_labels(gold, pd.DataFrame(spans, columns=SPANS))


def marked_later(*, folds: int, seed: int) -> Labelled:
    """Modern texts that were marked in a later round: nothing is learned from them."""
    gold = datasets.gold("boilerplate_modern")
    corpus = gold.corpus[gold.corpus["round"] == LATER].reset_index(drop=True)
    return labelled("later", *_dealt(corpus, gold.spans[SPANS], folds, seed), words=0, trees=0)


def dealt(corpus: pd.DataFrame, folds: int, seed: int, by: str = "publisher") -> pd.DataFrame:
    """Deal documents to folds, a column ``fold``, by their publisher's registrable domain or by another column."""
    names = corpus[by].map(lambda name: registrable_domain(name) or name, na_action="ignore")
    names = names.fillna(corpus["doc_id"])
    return corpus.assign(fold=[number("fold", seed, name) % folds for name in names])


def _dealt(corpus: pd.DataFrame, spans: pd.DataFrame, folds: int, seed: int, by: str = "publisher") -> Texts:
    return dealt(corpus, folds, seed, by), spans


def number_share(names: pd.Series[Any], parts: int, seed: int) -> NDArray[np.bool_]:
    """Choose one in so many names, by a hash."""
    return np.array([number("share", seed, name) % parts == 0 for name in names])


def _share(names: pd.Series[Any], parts: int, seed: int) -> NDArray[np.float64]:
    return number_share(names, parts, seed).astype(np.float64)


def _may_train(corpus: pd.DataFrame) -> NDArray[np.float64]:
    """0 for documents whose source allows to develop but not to train."""
    if "use" not in corpus:
        return np.ones(len(corpus))
    return (corpus["use"] != "develop").to_numpy(np.float64)


def _annotated(name: str, corpus: pd.DataFrame, spans: pd.DataFrame, learn: Any = 1.0) -> Labelled:
    return labelled(name, corpus, spans, words=learn, trees=learn)


def _renamed(corpus: pd.DataFrame, spans: pd.DataFrame, ending: str) -> Texts:
    renamed = corpus.assign(doc_id=corpus["doc_id"] + f"/{ending}")
    return renamed, spans.assign(doc_id=spans["doc_id"] + f"/{ending}")


def _weak(seed: int) -> Texts:
    """Unmarked modern articles and plain sentences in other languages, at most eight of a publisher."""
    marked = set(_gold("boilerplate_modern")[0]["doc_id"])
    corpus = datasets.load("modern")
    usable = (corpus["use"] == "train") & (corpus["lang"] != "en") & (corpus["text"].str.len() >= 400)
    corpus = corpus[usable & ~corpus["doc_id"].isin(marked)]
    order = corpus["doc_id"].map(lambda name: number("weak", seed, name)).astype("uint64")
    corpus = corpus.loc[order.sort_values(kind="stable").index]
    corpus = corpus[corpus.groupby("publisher", dropna=False).cumcount() < 8]
    corpus = corpus[corpus.groupby("lang").cumcount() < WEAK]
    group = corpus["publisher"].map(lambda name: registrable_domain(name) or name, na_action="ignore")
    rows = corpus.assign(doc_id="weak:" + corpus["doc_id"], group=group.fillna(corpus["doc_id"]))
    by: dict[str, list[str]] = {}
    for record in datasets.records("sib200"):
        by.setdefault(record["lang"], []).append(record["text"])
    made = []
    for lang in sorted(by):
        texts = sorted(by[lang], key=lambda text: number("sentence", seed, text))
        for i in range(0, 240 if lang[:2] in SENTENCES else 60, 6):
            gap = ("\n\n", "\n", " ")[number("gap", seed, lang, i) % 3]
            made.append({"doc_id": f"plain:{lang}:{i}", "text": gap.join(texts[i : i + 6]), "lang": lang[:2]})
    plain = make_corpus(made)
    plain = plain.assign(group=plain["doc_id"].str.split(":").str[-1])
    columns = [*COLUMNS, "group"]
    return pd.concat([rows[columns], plain[columns]], ignore_index=True), pd.DataFrame([], columns=SPANS)


def _inner(part: Labelled) -> Labelled:
    """Unlabel what may be boilerplate in unmarked articles: all but long sentences inside that stand there once."""
    segments, n = part.read.segments, len(part.label)
    plain = part.of(part.corpus["doc_id"].str.startswith("plain:").to_numpy(bool))
    at = np.arange(n)
    inside = (at >= segments.bounds[part.document] + 2) & (at < segments.bounds[part.document + 1] - 3)
    _, same, times = np.unique(part.read.prints[:, 1], return_inverse=True, return_counts=True)
    last = part.read.buffer.data[segments.end - 1]
    ended = np.isin(last, list(b'.!?"')) | (last >= 0x80)
    keep = plain | (inside & (part.read.size >= 80) & ended & (times[same] == 1))
    part.label[~keep] = -1
    part.words[~keep] = 0
    part.trees[~keep] = 0
    return part


def _emphasised(part: Labelled) -> Labelled:
    """Let the host of a passage count a quarter: it is learned from elsewhere too."""
    buffer, segments, bounds = part.read.buffer, part.read.segments, part.read.segments.bounds
    middle = (segments.start + segments.end) // 2
    factor = np.full(len(part.label), 0.25, np.float32)
    for d, (text, a, b) in enumerate(
        zip(part.corpus["text"], part.corpus["passage_start"], part.corpus["passage_end"], strict=True)
    ):
        start = buffer.offsets[d] + len(text[:a].encode())
        end = start + len(text[a:b].encode())
        mine = slice(bounds[d], bounds[d + 1])
        factor[mine][(middle[mine] >= start) & (middle[mine] < end)] = 1
    part.words[:] *= factor
    part.trees[:] *= factor
    return part


def _pages(folds: int, seed: int) -> tuple[Texts, Texts]:
    """Pages as a whole, half of them a line a text node, and as trafilatura leaves them."""
    whole, extracted = _Rows(), _Rows()
    for name in SETS:
        for page in datasets.records(name):
            title = page_title(page["html"])
            about = {"publisher": page["publisher"], "set": name, "title": title}
            if name != "wcxb" or number("blog", page["id"]) % 1000 < 1000 * BLOGS:
                drawn = number("nodes", page["id"])
                flat = whole_page(page["html"], page["gold"], nodes=bool(drawn % 2))
                whole.add(
                    f"page:{name}:{page['id']}", flat, about | {"title": title if drawn % 4 < 2 else None}
                )
            flat = extracted_page(page["html"], page["gold"])
            extracted.add(f"extracted:{name}:{page['id']}", flat, about)
    return _dealt(*whole.texts(), folds, seed), _dealt(*extracted.texts(), folds, seed)


class _Rows:
    """Flattened pages on their way into a corpus."""

    def __init__(self) -> None:
        self.records: list[dict[str, Any]] = []
        self.spans: list[tuple[str, int, int, str]] = []

    def add(self, doc_id: str, flat: Any, about: dict[str, Any]) -> None:
        if flat is not None:
            self.records.append({"doc_id": doc_id, "text": flat.text, **about})
            self.spans += [(doc_id, a, b, kind) for a, b, kind in flat.spans]
            self.spans += [(doc_id, a, b, "unsure") for a, b in flat.unsure]

    def texts(self) -> Texts:
        corpus = make_corpus(self.records)
        corpus = corpus.assign(set=[record["set"] for record in self.records])
        return corpus, pd.DataFrame(self.spans, columns=SPANS)
