"""Trustworthy topics out of scraped news: load, clean, classify, show.

>>> import toolkit
>>> corpus = toolkit.datasets.load("sample")
>>> cleaned = toolkit.clean(corpus)
>>> topics = toolkit.TopicClassifier().topics(cleaned)

A corpus is a pandas DataFrame with one row a document; one text, a list or a Series will do as well.
``toolkit.show(corpus)`` shows what was removed. The guide is ``docs/guide.md``.
"""

import importlib as _importlib
import typing as _typing

if _typing.TYPE_CHECKING:
    from toolkit import (
        census,
        datasets,
        display,
        distributed,
        errors,
        evaluation,
        pipeline,
        plots,
        report,
        review,
        words,
    )
    from toolkit.assessment import verdicts
    from toolkit.boilerplate import BoilerplateRemover, TemplateIndex, clean
    from toolkit.certificate import certify
    from toolkit.contamination import audit
    from toolkit.corpus import quarantine
    from toolkit.display import show
    from toolkit.duplication import duplicates
    from toolkit.errors import ToolkitError
    from toolkit.estimation import prevalence
    from toolkit.loading import iter_batches, load
    from toolkit.sharing import apply, share
    from toolkit.topics import TopicClassifier

__all__ = [
    "BoilerplateRemover", "TemplateIndex", "ToolkitError", "TopicClassifier", "apply", "audit", "census",
    "certify", "clean", "datasets", "display", "distributed", "duplicates", "errors", "evaluation",
    "iter_batches", "load", "pipeline", "plots", "prevalence", "quarantine", "report", "review", "share", "show",
    "verdicts", "words",
]  # fmt: skip
__version__ = "0.3.0"

_HOMES = {
    "BoilerplateRemover": "boilerplate", "TemplateIndex": "boilerplate", "ToolkitError": "errors",
    "TopicClassifier": "topics", "apply": "sharing", "audit": "contamination", "certify": "certificate",
    "clean": "boilerplate", "duplicates": "duplication", "iter_batches": "loading", "load": "loading",
    "prevalence": "estimation", "quarantine": "corpus", "share": "sharing", "show": "display",
    "verdicts": "assessment",
}  # fmt: skip
"""Names of the package → the module each is imported from, once it is asked for; the others are modules."""


if not _typing.TYPE_CHECKING:  # with it, a checker would take any misspelt name for one of the package

    def __getattr__(name: str) -> _typing.Any:
        """Import what is asked for: whoever only loads need not wait for scikit-learn."""
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        try:
            module = _importlib.import_module(f"{__name__}.{_HOMES.get(name, name)}")
        except ModuleNotFoundError as error:
            extra = "dist" if name == "distributed" else "lab"
            msg = f"{__name__}.{name} needs {error.name}, which is not installed; pip install 'news-toolkit[{extra}]'"
            raise AttributeError(msg) from error
        return getattr(module, name) if name in _HOMES else module


def __dir__() -> list[str]:
    return [*__all__, "__version__", "__doc__"]
