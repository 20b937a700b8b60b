"""The table of formats in ``docs/formats.md``, made from ``docs/formats.toml`` and the files of the tests.

``python -m docs.tools.formats`` writes it, ``--check`` says whether it is out of date.
"""

from __future__ import annotations

import argparse
import ast
import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
PAGE = ROOT / "docs" / "formats.md"
TESTS = ROOT / "tests" / "test_loading_readers.py"
DESCRIPTIONS = ROOT / "docs" / "formats.toml"
ELSEWHERE = {
    "jsonlines": "test_loading_records.py", "json": "test_loading_records.py", "delimited": "test_loading_records.py",
    "columnar": "test_loading_records.py", "html": "test_loading_pages.py", "warc": "test_loading_pages.py",
    "feed": "test_loading_pages.py", "text": "test_loading.py",
}  # fmt: skip
"""Tests of formats beside those of the readers."""

_TABLE = re.compile(r"(<!-- formats -->\n).*?(<!-- end -->)", re.DOTALL)


def tested() -> dict[str, list[str]]:
    """Return the files of ``tests/archives`` that each format is tested by, as the table in the test names them."""
    tree = ast.parse(TESTS.read_text("utf-8"))
    tables = {
        node.targets[0].id: ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and node.targets[0].id in {"TABLE", "ALSO"}
    }
    files: dict[str, list[str]] = {}
    for name, key in [*((name, row[0]) for name, row in tables["TABLE"].items()), *tables["ALSO"].items()]:
        files.setdefault(key, []).append(name)
    return files


def table() -> str:
    """Return the table, a row a format."""
    files = tested()
    rows = [
        "| format | known by | read as | fields | bad input in the quarantine | seen in | tested by |",
        "|" + "---|" * 7,
    ]
    for key, told in tomllib.loads(DESCRIPTIONS.read_text("utf-8")).items():
        by = [*(f"`{file}`" for file in files.get(key, [])), *([ELSEWHERE[key]] if key in ELSEWHERE else [])]
        cells = [
            *(told.get(part, "–") for part in ("name", "known", "read", "fields", "bad", "seen")),
            ", ".join(by),
        ]
        rows.append("| " + " | ".join(" ".join(cell.split()).replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(rows) + "\n"


def page(text: str) -> str:
    """Return the page with its table as it is now."""
    return _TABLE.sub(lambda found: found[1] + table() + found[2], text)


def main(arguments: list[str] | None = None) -> int:
    """Write the table, or check it."""
    parser = argparse.ArgumentParser(prog="docs.tools.formats", description=__doc__)
    parser.add_argument("--check", action="store_true", help="only say whether it is out of date")
    told = parser.parse_args(arguments)
    old = PAGE.read_text("utf-8")
    new = page(old)
    if told.check:
        return int(old != new)
    PAGE.write_text(new, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
