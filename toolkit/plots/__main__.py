"""Draw the gallery again: ``python -m toolkit.plots [FOLDER]``, default ``docs``."""

from __future__ import annotations

import sys
from pathlib import Path

import matplotlib as mpl

from toolkit.notebook import RC
from toolkit.plots.gallery import write

if __name__ == "__main__":
    mpl.use("agg")
    mpl.rcParams.update(RC)
    write(Path(sys.argv[1] if len(sys.argv) > 1 else "docs"))
