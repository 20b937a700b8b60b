"""Kernels: numba, which takes no settings from the folder that one happens to be in.

Numba reads ``.numba_config.yaml`` in the current folder, again at each compilation. A folder of data could name a cache
of its own there, and numba's caches are pickles: they would run code. A file that is no YAML would stop the import.
"""

import os
import sys
import warnings
from collections import namedtuple
from typing import Any

warnings.filterwarnings("ignore", "A Numba config file is found")
_modules: dict[str, Any] = sys.modules
_yaml = _modules.pop("yaml", None)
_modules["yaml"] = None  # without it numba reads no settings
from numba import njit as _njit  # noqa: E402
from numba import types  # noqa: E402
from numba.core import cgutils, config  # noqa: E402
from numba.core.registry import cpu_target  # noqa: E402
from numba.extending import intrinsic  # noqa: E402

del _modules["yaml"]
if _yaml:
    _modules["yaml"] = _yaml

__all__ = ["cgutils", "compiled_for", "intrinsic", "njit", "places", "processors", "types"]

config._config_fname = os.devnull  # no regular file, so that it is passed over
config.reload_config()


def njit(**options: Any) -> Any:
    """Compile as ``numba.njit`` does; keep nothing where numba finds no place for a cache, such as a read-only disk."""

    def made(function: Any) -> Any:
        try:
            return _njit(**options)(function)
        except RuntimeError as error:
            if "no locator" not in str(error):
                raise
            return _njit(**options | {"cache": False})(function)

    return made


def processors() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def compiled_for() -> frozenset[str]:
    """Return the features that numba lets compiled code use: the processor's, but for those it was told to leave."""
    _, _, features = cpu_target.target_context.codegen().magic_tuple()
    return frozenset(name[1:] for name in features.split(",") if name.startswith("+"))


def places(names: tuple[str, ...]) -> Any:
    """Return the place of each name as an attribute that kernels may read: ``tokens@-1`` as ``tokens_before1``."""
    fields = [name.replace("@", "").replace("-", "_before").replace("+", "_after") for name in names]
    return namedtuple("Places", fields)(*range(len(names)))
