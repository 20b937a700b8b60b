"""How much of what boilerplate does to topics cleaning undoes: inserted passages, and real articles."""

from __future__ import annotations

from collections.abc import Container, Iterable
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.model_selection import StratifiedKFold

from toolkit import contamination
from toolkit.boilerplate import BoilerplateRemover
from toolkit.corpus import CorpusLike, as_corpus
from toolkit.topics import TopicClassifier

NEWSLETTER = (
    "Want stories like this one in your inbox? Our morning briefing is put together by the editors before "
    "sunrise and brings you the five things worth knowing as the day starts, one long read for the train and "
    "a puzzle for the break. It goes out every weekday, costs nothing and takes four minutes to read. Enter "
    "your address below, choose the morning or the evening edition, and confirm with the link that we send "
    "you. You can change your mind whenever you like: each issue has a line at the bottom that takes you off "
    "the list at once."
)
"""An invitation to a newsletter, of 100 words and on no topic, written for the experiment."""

PASSAGES = {"appeal": contamination.APPEAL, "newsletter": NEWSLETTER}


def contamination_table(
    documents: dict[str, pd.DataFrame] | None = None, *, passages: dict[str, str] | None = None
) -> pd.DataFrame:
    """Put each passage into each set of documents and count the flips, with ``fit`` and without.

    Parameters
    ----------
    documents : dict of str to corpus, optional
        Default texts that neither shipped model learned from: the English news of MasakhaNEWS (full texts)
        and as many summaries of AG News (about 40 words).
    passages : dict of str to str, optional
        Default :data:`PASSAGES`.

    Returns
    -------
    DataFrame
        ``texts``, ``passage``, ``remover`` (``with fit`` on the polluted documents, or ``single documents``),
        then the columns of :func:`toolkit.contamination.flip_rates`.
    """
    classifier, parts = TopicClassifier(), []
    for texts, corpus in (_unseen() if documents is None else documents).items():
        for name, passage in (PASSAGES if passages is None else passages).items():
            for mode, remover in (("with fit", None), ("single documents", BoilerplateRemover())):
                found = contamination.insertion(corpus, remover, classifier, passage=passage)
                row = {"texts": texts, "passage": name, "remover": mode}
                parts.append(contamination.flip_rates(found).assign(**row))
    table = pd.concat(parts, ignore_index=True)
    return table[["texts", "passage", "remover", *(c for c in parts[0] if c not in row)]]


def figures(flips: pd.DataFrame) -> pd.DataFrame:
    """Return the rates of :func:`contamination_table` as a table to record, a row each kind of texts and passage."""
    told = {
        ("with fit", "before cleaning"): "flips before", ("with fit", "after cleaning"): "after, with fit",
        ("with fit", "undone by cleaning"): "undone, with fit",
        ("single documents", "undone by cleaning"): "undone, single documents",
    }  # fmt: skip
    series = pd.Series(
        [told.get(key) for key in zip(flips["remover"], flips["group"], strict=True)], flips.index
    )
    label = flips["texts"] + ", " + flips["passage"]
    table = flips.rename(columns={"share": "value"})[["value", "low", "high"]].assign(
        label=label, series=series
    )
    return table.dropna(subset="series")


def natural_flips(limit: int | None = None) -> pd.DataFrame:
    """Audit ``allsides``, all articles or the first ``limit``: what its own boilerplate does to its topics.

    Returns
    -------
    DataFrame
        As :func:`toolkit.audit`.
    """
    from toolkit import datasets

    return contamination.audit(datasets.load("allsides").head(limit or None))


def polluted_training(
    corpus: CorpusLike, y: Iterable[Any], marked: Container[Any], classifier: TopicClassifier | None = None,
    *, passage: str = contamination.APPEAL, folds: int = 5, seed: int = 0,
) -> pd.DataFrame:  # fmt: skip
    """Train classifiers with and without a passage in the texts of some labels; compare them on unseen texts.

    ``y`` has one label a document. Training documents with ``marked`` labels get the passage, as if their publisher
    printed it on every page. ``classifier`` gives the parameters; copies of it are fitted in ``folds`` folds. Columns
    of the result, one row for each document, training and text: ``doc_id``, ``training`` (``clean``, ``polluted``),
    ``text`` (what was classified: ``as it is``, ``with the passage``), ``true``, ``predicted``, ``correct`` (bool).
    """
    frame = as_corpus(corpus).drop(columns="clean_text", errors="ignore").reset_index(drop=True)
    labels = pd.Series(list(y), dtype=object)
    with_it = contamination.with_passage(frame, passage)
    base = TopicClassifier() if classifier is None else classifier
    affected = np.array([label in marked for label in labels])
    polluted = frame.assign(text=frame["text"].where(~affected, with_it["text"]))
    parts = []
    splits = StratifiedKFold(folds, shuffle=True, random_state=seed).split(frame, labels.astype("str"))
    for train, test in splits:
        for name, source in (("clean", frame), ("polluted", polluted)):
            fitted = clone(base).fit(source.iloc[train], labels.iloc[train].tolist())
            for text, given in (("as it is", frame), ("with the passage", with_it)):
                predicted = fitted.predict(given.iloc[test]).to_numpy()
                part = pd.DataFrame({"doc_id": frame["doc_id"].iloc[test], "training": name, "text": text})
                parts.append(part.assign(true=labels.iloc[test].to_numpy(), predicted=predicted))
    found = pd.concat(parts, ignore_index=True)
    return found.assign(correct=found["true"] == found["predicted"])


def show_rates(table: pd.DataFrame) -> str:
    """Lay out a table of rates as Markdown."""
    figures = ("share", "low", "high")
    names = [name for name in table if name not in figures]
    lines = ["| " + " | ".join([*names, "share [95 %]"]) + " |", "|---" * (len(names) + 1) + "|"]
    for row in table.to_dict("records"):
        cells = [f"{row[n]:,}" if isinstance(row[n], int) else str(row[n]) for n in names]
        cells.append(f"{row['share']:.3f} [{row['low']:.3f}, {row['high']:.3f}]")
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _unseen() -> dict[str, pd.DataFrame]:
    from toolkit import datasets

    full = datasets.load("masakhanews")
    full = full[full["lang"] == "en"].drop_duplicates("text")
    short = datasets.load("agnews").drop_duplicates("text").head(len(full))
    return {"full texts": full, "short texts": short}
