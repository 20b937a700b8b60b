import json

import pandas as pd
import pytest

from benchmarks import recorded as module
from benchmarks.recorded import markdown, page, ratios, record, recorded

ROWS = pd.DataFrame(
    [
        {"label": "ours", "series": "F1", "value": 0.95, "low": 0.92, "high": 0.97},
        {"label": "ours", "series": "documents", "value": 1956, "low": None, "high": None},
        {"label": "theirs", "series": "F1", "value": -0.1, "low": -0.2, "high": 0.001},
    ]
)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "FOLDER", tmp_path)
    return tmp_path


def test_a_table_comes_back_as_it_was_stored_and_leaves_the_others(folder):
    record("page", "first", ROWS, seed=0)
    record("page", "second", ROWS.head(1), seed=1)
    record("page", "second", ROWS.tail(1), seed=1)
    pd.testing.assert_frame_equal(recorded("page", "first"), ROWS, check_dtype=False)
    assert recorded("page", "second")["label"].tolist() == ["theirs"]
    assert json.loads((folder / "page.json").read_text("utf-8"))["first"]["seed"] == 0


def test_a_table_that_is_not_there_is_named(folder):
    with pytest.raises(ValueError, match=r"page.json: no table 'x'; there are \[\]"):
        recorded("page", "x")


def test_a_page_shows_the_table_that_is_stored_now(folder):
    record("page", "first", ROWS)
    text = "Before.\n<!-- recorded: page first -->\nold\n<!-- end -->\nAfter.\n"
    assert page(text) == page(page(text))
    assert page(text).splitlines()[1:-2] == ["<!-- recorded: page first -->", *markdown(ROWS).splitlines()]
    assert "| ours | .950 [.920, .970] | 1,956 |" in page(text)
    assert "| theirs | -.100 [-.200, .0010] |  |" in page(text)


def test_the_pages_of_the_documentation_show_what_is_stored():
    for path in sorted(module.DOCS.glob("*.md")):
        text = path.read_text("utf-8")
        assert page(text) == text, f"{path.name}: run python -m benchmarks.recorded"


@pytest.mark.parametrize(("name", "table"), [("boilerplate", "methods"), ("topics", "sources")])
def test_the_tables_that_notebooks_quote_are_there(name, table):
    figures = recorded(name, table)
    assert len(figures) >= 10
    assert (figures["low"] <= figures["value"]).all()
    assert (figures["value"] <= figures["high"]).all()


def test_ratios_are_those_of_the_stored_run(folder):
    rows = [
        {"task": "spans", "name": "peer", "ratio": 15.0},
        {"task": "spans", "name": "ours", "ratio": None},
    ]
    (folder / "speed.json").write_text(json.dumps({"rows": rows}), "utf-8")
    table = ratios()
    assert table[["label", "value"]].to_numpy().tolist() == [["spans: peer", 15.0]]
    assert table[["low", "high"]].isna().all(axis=None)
