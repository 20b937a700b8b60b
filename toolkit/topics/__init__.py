"""Topics of news: the IPTC taxonomy, a classifier that works at once, and one's own labels."""

import importlib as _importlib
import typing as _typing

from toolkit.errors import ModelError

if _typing.TYPE_CHECKING:
    from toolkit.topics.classifier import TopicClassifier
    from toolkit.topics.discovery import Discovery, discover
    from toolkit.topics.explanation import Explanation
    from toolkit.topics.model import TopicModel

__all__ = ["Discovery", "Explanation", "ModelError", "TopicClassifier", "TopicModel", "discover"]

_HOMES = {
    "Discovery": "discovery", "Explanation": "explanation", "TopicClassifier": "classifier", "TopicModel": "model",
    "discover": "discovery",
}  # fmt: skip

if not _typing.TYPE_CHECKING:

    def __getattr__(name: str) -> _typing.Any:
        """Import what is asked for: cleaning needs the reader of word pieces alone."""
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(_importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
