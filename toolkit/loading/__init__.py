"""Reading news: files, folders, archives and streams of any common format become one corpus."""

from toolkit.loading.batches import iter_batches, load
from toolkit.loading.limits import Limits
from toolkit.loading.quarantine import LoadError

__all__ = ["Limits", "LoadError", "iter_batches", "load"]
