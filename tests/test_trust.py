"""The tables of docs/trust.md: every promise names tests that exist, in as many cases as it states."""

import ast
import re
from functools import cache

from licences import ROOT

from docs.tools import promises

PAGE = re.sub("<!--.*?-->", "", promises.PAGE.read_text("utf-8"), flags=re.DOTALL)
TABLES = [
    table for table in re.findall(r"(?:^\|.*\n)+", PAGE, re.MULTILINE) if table.startswith("| promise |")
]
ROWS = [line for table in TABLES for line in table.splitlines()[2:]]


@cache
def named_in(path):
    tree = ast.parse((ROOT / path).read_text("utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def test_every_test_that_the_page_names_exists():
    named = sorted(set(promises.NAMED.findall(PAGE)))
    assert len(named) > 100
    places = [name.split("::") for name in named]
    assert not [path for path, _ in places if not (ROOT / path).is_file()]
    assert not [f"{path} has no {name}" for path, name in places if name not in named_in(path)]


def test_every_row_has_a_promise_an_attack_tests_and_their_cases(request):
    """All tests are collected in a whole run; in a run of some files, the rows of others are passed over."""
    cases = promises.counted(item.nodeid for item in request.session.items)
    assert len(ROWS) > 30
    for row in ROWS:
        promise, attack, tests, stated = (cell.strip() for cell in row.strip("|").split("|"))
        named = promises.NAMED.findall(tests)
        assert promise, row
        assert attack, row
        assert named, row
        assert int(stated.replace(",", "")) >= len(named), (
            f"{row}\npytest --collect-only -q tests | python -m {TOOL}"
        )
        if all(cases[name] for name in named):
            held = sum(cases[name] for name in named)
            assert held >= int(stated.replace(",", "")), f"{row}\nonly {held} cases are left"


TOOL = promises.__name__
