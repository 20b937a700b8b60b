import json

import numpy as np
import pytest

from benchmarks import recorded as module
from benchmarks.recorded import ratios, recorded

PAGE = """# Page

| method | precision | note |
|---|---|---|
| **ours** | 0.95 [0.92, 0.97] | ours |
| theirs, ≥ 2 | -.100 [-.2, +0.1] | – |

| other | precision |
|---|---|
| x | 1 [1, 1] |
"""


@pytest.fixture
def docs(tmp_path, monkeypatch):
    (tmp_path / "page.md").write_text(PAGE, "utf-8")
    monkeypatch.setattr(module, "_DOCS", tmp_path)


def test_a_table_is_read_to_its_end_and_only_its_estimates(docs):
    table = recorded("page", "| method")
    assert table.to_numpy().tolist() == [
        ["ours", "precision", 0.95, 0.92, 0.97],
        ["theirs, ≥ 2", "precision", -0.1, -0.2, 0.1],
    ]


def test_a_table_that_is_not_there_is_named(docs):
    with pytest.raises(ValueError, match=r"docs/page.md: no table that begins with '\| nothing'"):
        recorded("page", "| nothing")


@pytest.mark.parametrize(
    ("page", "heading"), [("boilerplate", "| method | precision"), ("topics", "| source | documents")]
)
def test_the_tables_that_notebooks_quote_are_there(page, heading):
    table = recorded(page, heading)
    assert len(table) >= 10
    assert (table["low"] <= table["value"]).all()
    assert (table["value"] <= table["high"]).all()


def test_ratios_are_those_of_the_stored_run(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "shipped", lambda _: tmp_path / "sample")
    assert ratios().empty
    rows = [
        {"task": "spans", "name": "peer", "ratio": 15.0},
        {"task": "spans", "name": "ours", "ratio": None},
    ]
    (tmp_path / "benchmarks").mkdir()
    (tmp_path / "benchmarks" / "speed.json").write_text(json.dumps({"rows": rows}), "utf-8")
    table = ratios()
    assert table[["label", "value"]].to_numpy().tolist() == [["spans: peer", 15.0]]
    assert np.isnan(table[["low", "high"]].to_numpy()).all()
