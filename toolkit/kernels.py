"""Kernels: numba, which takes no settings from the folder that one happens to be in.

Numba reads ``.numba_config.yaml`` in the current folder, again at each compilation. A folder of data could name a cache
of its own there, and numba's caches are pickles: they would run code.
"""

import os

from numba import njit
from numba.core import config

__all__ = ["njit"]

config._config_fname = os.devnull  # no regular file, so that it is passed over
config.reload_config()
