"""Boilerplate removal: templates (what repeats), model (what it sounds like), remover (decides)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pandas as pd

from toolkit.boilerplate.decisions import Decisions
from toolkit.boilerplate.remover import BoilerplateRemover
from toolkit.boilerplate.scoring import KINDS
from toolkit.boilerplate.templates import TemplateIndex
from toolkit.corpus import CorpusLike, as_corpus

__all__ = ["KINDS", "BoilerplateRemover", "TemplateIndex", "clean"]


def clean(
    documents: CorpusLike, *, remove: Iterable[str] | None = None, threshold: float | None = None,
    max_article_loss: float = 0.0015, decisions: Decisions | None = None,
    columns: Mapping[str, str] | None = None, output: str = "corpus",
) -> pd.DataFrame:  # fmt: skip
    """Fit a :class:`BoilerplateRemover` on the documents (corpus, text, Series or list of str) and transform them.

    The parameters are those of :class:`BoilerplateRemover`. Returned is the corpus with ``clean_text``, one row for one
    text; with ``output="text"`` a Series of the clean texts.

    Examples
    --------
    >>> text = "The council met on Monday.\\n\\nSign up for our daily newsletter and follow us on Twitter."
    >>> clean(text)["clean_text"].tolist()
    ['The council met on Monday.']
    >>> clean(pd.Series([text], index=["a1"]), output="text").to_dict()
    {'a1': 'The council met on Monday.'}
    """
    remover = BoilerplateRemover(
        remove=remove, threshold=threshold, max_article_loss=max_article_loss, decisions=decisions,
        columns=columns, output=output,
    )  # fmt: skip
    return remover.fit_transform(as_corpus(documents, columns))
