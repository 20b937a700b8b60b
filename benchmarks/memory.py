"""Memory that a process has held at most."""

from __future__ import annotations

import resource
import sys
from pathlib import Path

_STATUS = Path("/proc/self/status")


def peak() -> int:
    """Return the most resident memory this process has held since its program started, in bytes.

    Linux hands the peak of the process that started it down to ``ru_maxrss``: under a large parent that number says
    nothing. So it is used only where there is no ``/proc``.
    """
    if _STATUS.exists():
        lines = dict(line.split(":", 1) for line in _STATUS.read_text("ascii").splitlines())
        return int(lines["VmHWM"].split()[0]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
