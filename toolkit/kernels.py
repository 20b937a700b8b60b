"""Kernels: numba, which takes no settings from the folder that one happens to be in.

Numba reads ``.numba_config.yaml`` in the current folder, again at each compilation. A folder of data could name a cache
of its own there, and numba's caches are pickles: they would run code.
"""

import os
from collections import namedtuple
from typing import Any

from numba import njit
from numba.core import config

__all__ = ["njit", "places"]

config._config_fname = os.devnull  # no regular file, so that it is passed over
config.reload_config()


def places(names: tuple[str, ...]) -> Any:
    """Return the place of each name as an attribute that kernels may read: ``tokens@-1`` as ``tokens_before1``."""
    fields = [name.replace("@", "").replace("-", "_before").replace("+", "_after") for name in names]
    return namedtuple("Places", fields)(*range(len(names)))
