"""Trustworthy topics out of scraped news: load, clean, classify.

>>> import toolkit
>>> corpus = toolkit.datasets.load("sample")
>>> cleaned = toolkit.clean(corpus)
>>> topics = toolkit.TopicClassifier().topics(cleaned)
"""

from toolkit import datasets
from toolkit.boilerplate import BoilerplateRemover, TemplateIndex, clean
from toolkit.contamination import audit
from toolkit.duplicates import duplicates
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
]
__version__ = "0.1.0"
