"""Corpora by name: the shipped sample, public sets with their licence and digest, and our gold.

>>> import toolkit.datasets
>>> corpus = toolkit.datasets.load("sample")
>>> sorted(corpus["lang"].unique())
['de', 'en', 'es', 'fr']
"""

from toolkit.datasets.fetching import fetch
from toolkit.datasets.registry import Dataset, Download, Gold, content_digest, folder, gold, load, records
from toolkit.datasets.registry import table as list

__all__ = [
    "Dataset", "Download", "Gold", "content_digest", "fetch", "folder", "gold", "list", "load", "records",
]  # fmt: skip
