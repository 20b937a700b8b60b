"""Reading news: files, folders, archives and streams of any common format become one corpus."""

from toolkit.errors import LoadError
from toolkit.loading.batches import iter_batches, load
from toolkit.loading.quarantine import Limits

__all__ = ["Limits", "LoadError", "iter_batches", "load"]
