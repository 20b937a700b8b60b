"""What a user would pick instead, at its fastest sensible settings; none is needed, ``make bench`` has all.

Peers get the text as they like it best (lists of str, tokens of their own classes) before the clock starts, ours
get a corpus. They are imported by name, so that one that is not installed is told and left out.
"""

from __future__ import annotations

import re
import shlex
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from importlib import import_module, metadata
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.speed.ours import CORPUS, PAGES, SPANS, TOPICS
from benchmarks.speed.timing import Entry, Work

LEAD = 12_000
"""So many characters of a document topic peers read; our classifier reads the ``lead`` bytes of its card."""

SEED = 0


@dataclass(frozen=True)
class Labelled:
    """Texts with one topic each, to train peers on."""

    texts: list[str]
    labels: NDArray[Any]


def _documents(corpus: pd.DataFrame) -> list[Any]:
    document = import_module("datatrove.data").Document
    return [document(text=text, id=name) for text, name in zip(corpus["text"], corpus["doc_id"], strict=True)]


def _c4() -> Callable[[pd.DataFrame], Work]:
    _quiet()
    filters = import_module("datatrove.pipeline.filters")
    # counting sentences takes spaCy and most of the time; it only drops whole documents
    rules = filters.C4QualityFilter(min_num_sentences=-1)

    def prepare(corpus: pd.DataFrame) -> Work:
        documents = _documents(corpus)
        return lambda: [rules.filter(document) for document in documents]

    return prepare


def _dedup(lines: bool) -> Callable[[pd.DataFrame], Work]:
    _quiet()
    dedup = import_module("datatrove.pipeline.dedup.sentence_dedup")
    words = import_module("datatrove.utils.word_tokenizers")
    vars(dedup)["tqdm"] = lambda items, **_: items
    if lines:
        language: Any = words.WhitespaceTokenizer()
        config = dedup.SentDedupConfig(
            n_sentences=1, split_sentences=False, min_doc_words=-1, min_num_sentences=-1
        )
    else:
        import_module("spacy")
        language, config = "en", dedup.SentDedupConfig()

    def prepare(corpus: pd.DataFrame) -> Work:
        first, second = _documents(corpus), _documents(corpus)

        def work() -> object:
            with tempfile.TemporaryDirectory() as place:
                marks, found = str(Path(place, "marks")), str(Path(place, "found"))
                dedup.SentenceDedupSignature(marks, config=config, language=language).run(iter(first))
                # a large buffer of signatures: the default of five is for remote files
                dedup.SentenceFindDedups(marks, found, config=config, lines_to_buffer=10_000).run()
                return list(
                    dedup.SentenceDedupFilter(found, config=config, language=language).run(iter(second))
                )

        return work

    return prepare


def _quiet() -> None:
    # datatrove writes a line to standard error for each step
    import_module("loguru").logger.remove()


def _justext() -> Callable[[pd.DataFrame], Work]:
    core, paragraph = import_module("justext.core"), import_module("justext.paragraph")
    stops = import_module("justext").get_stoplist("English")
    path = core.PathInfo().append("body").append("p")

    def flattened(text: str) -> list[Any]:
        made = []
        for line in filter(str.strip, text.splitlines()):
            made.append(paragraph.Paragraph(path))
            made[-1].append_text(line)
        return made

    def prepare(corpus: pd.DataFrame) -> Work:
        articles = [flattened(text) for text in corpus["text"]]

        def work() -> object:
            for article in articles:
                core.classify_paragraphs(article, stops)
                core.revise_paragraph_classification(article)
            return articles

        return work

    return prepare


def _linear(model: str, ngrams: int, labelled: Labelled) -> Callable[[pd.DataFrame], Work]:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.svm import LinearSVC

    features = TfidfVectorizer(ngram_range=(1, ngrams), sublinear_tf=True, min_df=2, dtype=np.float32)
    decision = (
        LinearSVC(random_state=SEED) if model == "LinearSVC" else LogisticRegression(max_iter=200, tol=1e-2)
    )
    decision.fit(features.fit_transform([text[:LEAD] for text in labelled.texts]), labelled.labels)

    def prepare(corpus: pd.DataFrame) -> Work:
        texts = [text[:LEAD] for text in corpus["text"]]
        return lambda: decision.predict(features.transform(texts))

    return prepare


def _fasttext(labelled: Labelled) -> Callable[[pd.DataFrame], Work]:
    library = import_module("fasttext")

    def lines(texts: Iterable[str]) -> list[str]:
        return [" ".join(text[:LEAD].lower().split()) for text in texts]

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "train.txt")
        pairs = zip(labelled.labels, lines(labelled.texts), strict=True)
        path.write_text("".join(f"__label__{label} {line}\n" for label, line in pairs), "utf-8")
        settings = {"epoch": 25, "lr": 0.25, "wordNgrams": 2, "bucket": 200_000, "dim": 50, "seed": SEED}
        # a first training in a process that did other work ends in 'Encountered NaN' about every other time,
        # the next one with the same settings does not
        for attempt in range(5):
            try:
                model = library.train_supervised(str(path), thread=1, verbose=0, **settings)
                break
            except RuntimeError:
                if attempt == 4:
                    raise

    def prepare(corpus: pd.DataFrame) -> Work:
        texts = lines(corpus["text"])
        return lambda: model.predict(texts)

    return prepare


def _trafilatura() -> Callable[[pd.DataFrame], Work]:
    library = import_module("trafilatura")

    def prepare(pages: pd.DataFrame) -> Work:
        htmls = pages["html"].tolist()
        return lambda: [library.extract(html, fast=True, include_comments=False) for html in htmls]

    return prepare


@dataclass(frozen=True)
class Peer:
    """A peer before it is known to be there: ``make`` gives :attr:`Entry.prepare` or raises ImportError."""

    name: str
    task: str
    packages: tuple[str, ...]
    against: str
    note: str
    make: Callable[[Labelled], Callable[[pd.DataFrame], Work]]
    share: float = 1.0


PEERS = (
    Peer("datatrove C4 filter", "boilerplate", ("datatrove",), SPANS,
         "C4QualityFilter, sentences not counted", lambda _: _c4()),
    Peer("datatrove sentence dedup, lines", "boilerplate", ("datatrove", "tokenizers", "regex", "xxhash<4"), CORPUS,
         "three stages, a line for a sentence, spans of one", lambda _: _dedup(lines=True)),
    Peer("datatrove sentence dedup, sentences", "boilerplate",
         ("datatrove", "tokenizers", "regex", "xxhash<4", "spacy"), CORPUS,
         "three stages at its defaults: spaCy's sentences, spans of three", lambda _: _dedup(lines=False), 1 / 16),
    Peer("jusText", "boilerplate", ("justext",), SPANS,
         "its classes of paragraphs, a line for a paragraph", lambda _: _justext(), 0.25),
    Peer("TF-IDF + LinearSVC", "topics", ("scikit-learn",), TOPICS,
         "words and pairs, first 12,000 characters", lambda gold: _linear("LinearSVC", 2, gold)),
    Peer("TF-IDF + LogisticRegression", "topics", ("scikit-learn",), TOPICS,
         "words and pairs, first 12,000 characters", lambda gold: _linear("LogisticRegression", 2, gold)),
    Peer("TF-IDF of single words + LinearSVC", "topics", ("scikit-learn",), TOPICS,
         "first 12,000 characters", lambda gold: _linear("LinearSVC", 1, gold)),
    Peer("fastText predict", "topics", ("fasttext-numpy2",), TOPICS,
         "words and pairs, 50 dimensions, all texts in one call, first 12,000 characters", _fasttext),
    Peer("trafilatura", "pages", ("trafilatura",), PAGES, "extract(fast=True), no comments",
         lambda _: _trafilatura()),
)  # fmt: skip


def entries(
    labelled: Labelled, peers: Sequence[Peer] | None = None
) -> tuple[list[Entry], list[dict[str, str]]]:
    """Return the peers that are installed, trained where they need it, and those that are missing.

    Returns
    -------
    entries : list of Entry
    missing : list of dict
        ``name``, and ``reason`` in one line, with what to install.
    """
    found, missing = [], []
    for peer in PEERS if peers is None else peers:
        try:
            prepare = peer.make(labelled)
        except ImportError as error:
            needs = f"pip install {shlex.join(peer.packages)}"
            missing.append({"name": peer.name, "reason": f"{peer.name}: left out, {error}; {needs}"})
            continue
        found.append(
            Entry(peer.name, peer.task, prepare, against=peer.against, share=peer.share, note=peer.note)
        )
    return found, missing


def peer_versions(peers: Sequence[Peer] = PEERS) -> dict[str, str]:
    """Return the versions of the packages of the peers that are installed."""
    found = {}
    for package in sorted({re.split("[<>=]", name)[0] for peer in peers for name in peer.packages}):
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found
