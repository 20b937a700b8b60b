"""Where the files that ship with the package lie: in the wheel, or in the checkout's ``data/``."""

from __future__ import annotations

from pathlib import Path

_INSTALLED = Path(__file__).parent / "data"
_CHECKOUT = Path(__file__).parent.parent / "data"


def shipped(name: str) -> Path:
    """Return the path of a shipped data file or folder, such as ``"taxonomy.json"`` or ``"sample"``."""
    for folder in (_INSTALLED, _CHECKOUT):
        if (folder / name).exists():
            return folder / name
    msg = f"{name}: not among the files that ship with news-toolkit; reinstall the package"
    raise FileNotFoundError(msg)
