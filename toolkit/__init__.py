"""Trustworthy topics out of scraped news: load, clean, classify.

>>> import toolkit
>>> corpus = toolkit.datasets.load("sample")
>>> cleaned = toolkit.clean(corpus)
>>> topics = toolkit.TopicClassifier().topics(cleaned)
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from toolkit import datasets
    from toolkit.boilerplate import BoilerplateRemover, TemplateIndex, clean
    from toolkit.contamination import audit
    from toolkit.corpus import quarantine
    from toolkit.duplication import duplicates
    from toolkit.loading import iter_batches, load
    from toolkit.topics import TopicClassifier

__all__ = [
    "BoilerplateRemover",
    "TemplateIndex",
    "TopicClassifier",
    "audit",
    "clean",
    "datasets",
    "duplicates",
    "iter_batches",
    "load",
    "quarantine",
]
__version__ = "0.2.0"

_HOMES = {
    "BoilerplateRemover": "boilerplate", "TemplateIndex": "boilerplate", "TopicClassifier": "topics",
    "audit": "contamination", "clean": "boilerplate", "duplicates": "duplication", "iter_batches": "loading",
    "load": "loading", "quarantine": "corpus",
}  # fmt: skip


def __getattr__(name: str) -> Any:
    """Import what is asked for: whoever only loads need not wait for scikit-learn."""
    if name == "datasets":
        return import_module("toolkit.datasets")
    if name not in _HOMES:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    value = globals()[name] = getattr(import_module(f"toolkit.{_HOMES[name]}"), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
