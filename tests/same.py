"""Results of several environments compared: ``python -m tests.same FOLDER FOLDER…``; ``make matrix`` ends with it.

Rows must be equal everywhere, and bytes too where one version of pyarrow wrote both files.
"""

import sys
from itertools import combinations
from pathlib import Path

from toolkit.record import read_record
from toolkit.verification import _difference

SAME_ROWS = "other bytes, but the same rows (another version of the Parquet writer)"


def differences(first: Path, other: Path) -> list[str]:
    """Return a line for each result that differs between two folders."""
    one, two = read_record(first), read_record(other)
    writer_differs = one["versions"]["pyarrow"] != two["versions"]["pyarrow"]
    found = []
    for name in sorted(one["outputs"] | two["outputs"]):
        if one["outputs"].get(name) != two["outputs"].get(name):
            told = _difference(first / name, other / name)
            if not (writer_differs and told == SAME_ROWS):
                found.append(f"{other / name}: {told}, beside {first}")
    return found


def main(folders: list[str]) -> int:
    """Compare the folders with each other; the exit code says whether any differ."""
    found = [line for pair in combinations(map(Path, folders), 2) for line in differences(*pair)]
    print("\n".join(found) or f"same results in {len(folders)} folders: {', '.join(folders)}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
