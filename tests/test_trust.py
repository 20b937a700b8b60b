"""The table docs/trust.md: every promise names tests that exist."""

import ast
import re
from functools import cache

import pytest
from licences import ROOT

PAGE = re.sub("<!--.*?-->", "", (ROOT / "docs" / "trust.md").read_text("utf-8"), flags=re.DOTALL)
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE)))
ROWS = [line for line in PAGE.splitlines() if re.match(r"\|(?! promise \||-)", line)]


@cache
def named_in(path):
    tree = ast.parse((ROOT / path).read_text("utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize(("path", "name"), NAMED, ids=["::".join(each) for each in NAMED])
def test_every_test_that_the_table_names_exists(path, name):
    assert (ROOT / path).is_file(), path
    assert name in named_in(path), f"{path} has no {name}"


def test_every_row_has_a_promise_a_test_and_a_figure():
    assert len(ROWS) > 30
    for row in ROWS:
        promise, test, figure = (cell.strip() for cell in row.strip("|").split("|"))
        assert promise, row
        assert figure, row
        assert re.search(r"`tests/[\w/]+\.py::\w+`", test), row
