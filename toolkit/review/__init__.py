"""Review in JupyterLab: explore, judge templates, label topics, certify; every word is a line of a file at once.

``certify``, ``explore``, ``templates`` and ``topics`` return a widget and need the extra ``lab``. ``widget.review`` is
the session that does the work and needs no extra. See ``docs/review.md``.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolkit.boilerplate import BoilerplateRemover
from toolkit.corpus import CorpusLike
from toolkit.review.explorer import Explorer
from toolkit.review.journal import agreement, read_labels
from toolkit.review.passage_review import PassageReview
from toolkit.review.session import Session
from toolkit.review.template_review import TemplateReview
from toolkit.review.topic_review import TopicReview
from toolkit.topics import TopicClassifier

if TYPE_CHECKING:
    from toolkit.review.widget import ReviewWidget

__all__ = [
    "Explorer", "PassageReview", "TemplateReview", "TopicReview", "agreement", "certify", "explore",
    "read_labels", "templates", "topics",
]  # fmt: skip


def certify(
    corpus: CorpusLike, remover: BoilerplateRemover, n: int = 200, seed: int = 0, **options: Any
) -> ReviewWidget:
    """Judge random passages by keyboard, to certify a cleaning; parameters as for :class:`PassageReview`.

    ``widget.review.certificate()`` is what the judgements show.
    """
    return _widget(PassageReview(remover, corpus, n=n, seed=seed, **options))


def explore(corpus: CorpusLike, remover: BoilerplateRemover, **options: Any) -> ReviewWidget:
    """Look through a cleaned corpus and decide in place; parameters as for :class:`Explorer`."""
    return _widget(Explorer(corpus, remover, **options))


def templates(
    remover: BoilerplateRemover, corpus: CorpusLike, decisions: str | Path | None = None
) -> ReviewWidget:
    """Judge what a corpus repeats; parameters as for :class:`TemplateReview`."""
    return _widget(TemplateReview(remover, corpus, decisions))


def topics(
    classifier: TopicClassifier, corpus: CorpusLike, labels: str | Path = "labels.jsonl", **options: Any
) -> ReviewWidget:
    """Label topics; parameters as for :class:`TopicReview`."""
    return _widget(TopicReview(classifier, corpus, labels, **options))


def _widget(review: Session | Explorer) -> ReviewWidget:
    try:
        from toolkit.review.widget import ReviewWidget
    except ImportError as error:
        msg = f"no widget: {error.name} is not installed; pip install 'news-toolkit[lab]'"
        raise ImportError(msg, name=error.name) from None
    return ReviewWidget(review)
