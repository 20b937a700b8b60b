"""Quality in short: cross-validated figures that the tests hold to floors (``make quality`` records them).

Training takes minutes, so the figures are stored with a digest of the code and the annotations they follow from.
The tests read them while the digest is right, and measure again where it is not.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks import recorded

ROOT = Path(__file__).parents[1]
_CODE = tuple(f"toolkit/{name}" for name in ("boilerplate", "segments.py", "cues.py", "buffer.py"))
_CODE += ("data/cues.txt", "data/opening_labels.txt")  # words that they read
_FOLDERS = {
    "boilerplate": (*_CODE, "training", "data/gold", "data/training", "data/sample/gold.jsonl"),
    "topics": (*_CODE, "toolkit/topics", "training", "data/gold", "data/training"),
}
_VERDICTS = {"verdict", "verdicts", "composing", "damage", "pieces", "texts", "walls"}
_TOPICS = {
    "topics",
    "topics_extra",
    "topics_modern",
    "topics_extra_modern",
    "labels",
    "leading",
    "ridge",
    "encoder",
}
_OTHERS = {"boilerplate": _VERDICTS | _TOPICS | {"mediatopics"}, "topics": _VERDICTS}
"""Names of files from which the training of another model follows, and this part's does not."""


def digest(part: str) -> str:
    """Return a SHA-256 over the code that is trained and scored, and over all annotations and training texts.

    Examples
    --------
    >>> len(digest("topics"))
    64
    """
    folders = (*_FOLDERS[part], "benchmarks/quality.py")
    paths = sorted(
        path
        for name in folders
        for path in ([ROOT / name] if (ROOT / name).is_file() else (ROOT / name).rglob("*"))
        if path.is_file()
        and path.suffix in {".py", ".jsonl", ".json", ".txt"}
        and path.stem not in _OTHERS[part]
    )
    found = hashlib.sha256()
    for path in paths:
        found.update(path.relative_to(ROOT).as_posix().encode() + b"\0")
        found.update(hashlib.sha256(path.read_bytes()).digest())
    return found.hexdigest()


def boilerplate() -> pd.DataFrame:
    """Score one fold of three: a third of the publishers, none seen by the weights of words or the trees."""
    from benchmarks.baselines import BASELINES
    from benchmarks.crossvalidation import held_out_spans
    from toolkit.evaluation import span_counts, span_scores

    corpus, gold, found = held_out_spans(folds=3, only=(0,))
    repeated = BASELINES["repeated in ≥ 2 articles"](corpus)
    rows = [
        {"label": name, "series": figure, **scores.loc[figure, ["value", "low", "high"]]}
        for name, spans in {**found, "repeated": repeated}.items()
        for scores in [span_scores(span_counts(corpus, gold, spans))]
        for figure in ("precision", "recall", "f1", "article_lost")
    ]
    return pd.DataFrame(rows)


def topics() -> pd.DataFrame:
    """Score the English gold by words alone, 5 folds in which no publisher straddles a fold.

    The full design takes minutes and the encoder; what is left out here (further labels, the meaning of words) helps
    on unseen sources more than on unseen publishers.
    """
    from toolkit.evaluation import topic_scores
    from toolkit.topics.model import shipped_model
    from toolkit.topics.taxonomy import CODES
    from training.encoder import View
    from training.labels import labelled
    from training.topics import Design, Learner, listing, validate

    shipped = shipped_model()
    view = View(shipped.lexicon, shipped.idf, np.zeros((len(shipped.idf), 1), np.float32))
    documents = labelled()
    documents = documents.take(documents.pinned & (documents.languages == "en"))
    learner = Learner.of(view, documents, replace(Design(), meaning=0.0, encoder=0.0))
    values = validate(learner)[0][0, 0]
    listed = values >= listing(learner, values)
    listed[np.arange(len(values)), values.argmax(axis=1)] = True
    codes = np.array(CODES)
    scores = topic_scores(
        pd.DataFrame(values, columns=list(CODES)), codes[documents.primary],
        [set(codes[member]) for member in documents.member], listed=listed,
    )  # fmt: skip
    return scores.rename(columns={"metric": "series"}).assign(label="words alone")


MEASURES: dict[str, Callable[[], pd.DataFrame]] = {"boilerplate": boilerplate, "topics": topics}


def figures(part: str) -> pd.DataFrame:
    """Return the figures of ``"boilerplate"`` or ``"topics"``: stored ones, or measured now if the code has changed."""
    path = recorded.FOLDER / "quality.json"
    stored = json.loads(path.read_text("utf-8")) if path.is_file() else {}
    if stored.get(part, {}).get("digest") == digest(part):
        return recorded.recorded("quality", part)
    return MEASURES[part]()


def main() -> None:
    """Measure and store the figures whose code or annotations have changed."""
    path = recorded.FOLDER / "quality.json"
    stored = json.loads(path.read_text("utf-8")) if path.is_file() else {}
    for part, measure in MEASURES.items():
        of_this = digest(part)  # before measuring: what is edited meanwhile was not measured
        if stored.get(part, {}).get("digest") != of_this:
            recorded.record("quality", part, measure(), command="make quality", seed=0, digest=of_this)
        print(f"{part}\n{recorded.markdown(recorded.recorded('quality', part))}\n")


if __name__ == "__main__":
    main()
