"""The last column of the tables in ``docs/trust.md``: in how many cases the tests named in a row are run.

``python -m pytest --collect-only -q tests | python -m docs.tools.promises`` counts them anew. The suite passes only if
each case does.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

PAGE = Path(__file__).parent.parent / "trust.md"
NAMED = re.compile(r"`(tests/[\w/]+\.py::\w+)`")


def counted(ids: Iterable[str]) -> Counter[str]:
    """Return the number of cases of each test, ``tests/test_x.py::test_y``, from the ids that pytest gives them."""
    return Counter(each.strip().partition("[")[0] for each in ids if "::" in each)


def row(line: str, counts: Mapping[str, int]) -> str:
    """Return a line of the page, its last cell counted anew if it is a row that names tests.

    Examples
    --------
    >>> row("| It holds | 3 attacks | `tests/test_x.py::test_y` | 0 |", {"tests/test_x.py::test_y": 3})
    '| It holds | 3 attacks | `tests/test_x.py::test_y` | 3 |'
    """
    named = NAMED.findall(line)
    if not named or not line.startswith("| "):
        return line
    if unknown := [name for name in named if not counts.get(name)]:
        raise SystemExit(f"docs.tools.promises: pytest knows no {unknown[0]}; give it the whole suite")
    return f"{line.rstrip('| ').rpartition('|')[0]}| {sum(counts[name] for name in named):,} |"


if __name__ == "__main__":
    cases = counted(sys.stdin)
    PAGE.write_text("\n".join(row(line, cases) for line in PAGE.read_text("utf-8").split("\n")), "utf-8")
