"""The table docs/trust.md: every promise names tests that exist."""

import ast
import re
from functools import cache

from licences import ROOT

PAGE = re.sub("<!--.*?-->", "", (ROOT / "docs" / "trust.md").read_text("utf-8"), flags=re.DOTALL)
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE)))
TABLES = [
    table for table in re.findall(r"(?:^\|.*\n)+", PAGE, re.MULTILINE) if table.startswith("| promise |")
]
ROWS = [line for table in TABLES for line in table.splitlines()[2:]]


@cache
def named_in(path):
    tree = ast.parse((ROOT / path).read_text("utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def test_every_test_that_the_table_names_exists():
    assert len(NAMED) > 100
    gone = [path for path, _ in NAMED if not (ROOT / path).is_file()]
    assert not gone
    assert not [f"{path} has no {name}" for path, name in NAMED if name not in named_in(path)]


def test_every_row_has_a_promise_a_test_and_a_figure():
    assert len(ROWS) > 30
    for row in ROWS:
        promise, test, figure = (cell.strip() for cell in row.strip("|").split("|"))
        assert promise, row
        assert figure, row
        assert re.search(r"`tests/[\w/]+\.py::\w+`", test), row
