"""Review in JupyterLab: explore, judge templates, label topics, certify; every word is a line of a file at once.

See ``docs/review.md``. The widgets need the extra ``lab``; the sessions that do the work (:class:`Explorer`,
:class:`TemplateReview`, :class:`TopicReview`, :class:`PassageReview`) do not.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolkit.boilerplate import BoilerplateRemover
from toolkit.corpus import CorpusLike
from toolkit.review.agreement import agreement
from toolkit.review.explorer import Explorer
from toolkit.review.labels import read_labels
from toolkit.review.passage_review import PassageReview
from toolkit.review.session import Session
from toolkit.review.template_review import TemplateReview
from toolkit.review.topic_review import TopicReview
from toolkit.topics import TopicClassifier

if TYPE_CHECKING:
    from toolkit.review.widget import ReviewWidget

__all__ = [
    "Explorer",
    "PassageReview",
    "TemplateReview",
    "TopicReview",
    "agreement",
    "certify",
    "explore",
    "read_labels",
    "templates",
    "topics",
]


def certify(
    corpus: CorpusLike, remover: BoilerplateRemover, n: int = 200, seed: int = 0, **options: Any
) -> ReviewWidget:
    """Judge random passages by keyboard, to certify a cleaning; parameters as for :class:`PassageReview`.

    Returns
    -------
    ReviewWidget
        Shows itself in JupyterLab; ``.review`` is the :class:`PassageReview`, ``.review.certificate()`` what the
        judgements show.

    Raises
    ------
    ImportError
        The extra ``lab`` is not installed.
    """
    return _widget(PassageReview(remover, corpus, n=n, seed=seed, **options))


def explore(corpus: CorpusLike, remover: BoilerplateRemover, **options: Any) -> ReviewWidget:
    """Look through a cleaned corpus and decide in place; parameters as for :class:`Explorer`.

    Returns
    -------
    ReviewWidget
        Shows itself in JupyterLab; ``.review`` is the :class:`Explorer`.

    Raises
    ------
    ImportError
        The extra ``lab`` is not installed.
    """
    return _widget(Explorer(corpus, remover, **options))


def templates(
    remover: BoilerplateRemover, corpus: CorpusLike, decisions: str | Path | None = None
) -> ReviewWidget:
    """Open a review of what a corpus repeats; parameters as for :class:`TemplateReview`.

    Returns
    -------
    ReviewWidget
        Shows itself in JupyterLab; ``.review`` is the :class:`TemplateReview`.

    Raises
    ------
    ImportError
        The extra ``lab`` is not installed.
    """
    return _widget(TemplateReview(remover, corpus, decisions))


def topics(
    classifier: TopicClassifier, corpus: CorpusLike, labels: str | Path = "labels.jsonl", **options: Any
) -> ReviewWidget:
    """Open a review that labels topics; parameters as for :class:`TopicReview`.

    Returns
    -------
    ReviewWidget
        Shows itself in JupyterLab; ``.review`` is the :class:`TopicReview`.

    Raises
    ------
    ImportError
        The extra ``lab`` is not installed.
    """
    return _widget(TopicReview(classifier, corpus, labels, **options))


def _widget(review: Session) -> ReviewWidget:
    try:
        from toolkit.review.widget import ReviewWidget
    except ImportError as error:
        msg = f"no widget: {error.name} is not installed; pip install 'news-toolkit[lab]'"
        raise ImportError(msg, name=error.name) from None
    return ReviewWidget(review)
