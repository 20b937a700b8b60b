"""The public table: a runner added as its page says, gold by alignment, rows that the same run gives twice."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from benchmarks.flat import runners
from benchmarks.flat.__main__ import END, START, measure, page
from benchmarks.flat.sets import FLATTENINGS, FlatSet, flattened, held_out, outside
from toolkit.boilerplate.model import SHIPPED, SegmentModel
from toolkit.corpus import make_corpus
from training import boilerplate

DOCS = Path(__file__).parents[1] / "docs" / "flat.md"
STORY = "The council met on Monday and closed the harbour for the whole winter, the mayor said."
PAGE = f"<body><nav>Home News</nav><article><p>{STORY}</p><p>Share</p></article><script>x()</script></body>"


@pytest.fixture
def flat():
    corpus = make_corpus([{"doc_id": "a", "text": f"Share this\n{STORY}", "lang": "en"}])
    gold = pd.DataFrame([("a", 0, 10, "interface")], columns=["doc_id", "start", "end", "kind"])
    return FlatSet("made up", corpus, gold, corpus, False, "one document")


def test_a_runner_is_added_as_the_page_says(flat, monkeypatch):
    monkeypatch.setattr(runners, "RUNNERS", dict(runners.RUNNERS))
    (code,) = re.findall(r"```python\n(.*?)```", DOCS.read_text("utf-8"), re.DOTALL)
    exec(compile(code, "docs/flat.md", "exec"), {})
    assert "lines under forty characters" in runners.RUNNERS
    assert len(code.splitlines()) <= 20
    found = runners.RUNNERS["lines under forty characters"].find(flat)
    assert found[["start", "end"]].values.tolist() == [[0, 10]]


def test_rules_find_and_figures_come_out_the_same_twice(flat):
    names = [
        "C4's line rule",
        "line deduplication",
        "repeated in 2 documents",
        "pattern-aware line deduplication",
    ]
    table, seconds = measure(flat, names, draws=10)
    assert (table, list(seconds)) == (measure(flat, names, draws=10)[0], names)
    assert table["C4's line rule"]["f1"][0] == 1.0
    record = {"sets": {"made up": {"documents": 1, "note": "n", "ours": "", "figures": table}}, "speed": {}}
    text = page(record | {"date": "today", "version": "0"})
    assert "| C4's line rule | 1.000 [1.000, 1.000] |" in text


def test_what_our_model_learned_from_is_not_scored_by_it(flat):
    learned = FlatSet(flat.name, flat.corpus, flat.gold, flat.corpus, True, flat.note)
    assert runners.RUNNERS["ours, fitted"].find(learned) is None
    assert runners.RUNNERS["a prompted language model"].find(flat) is None


def test_the_models_of_cross_validation_are_written_where_the_table_reads_them(flat, tmp_path, monkeypatch):
    model = SegmentModel.load(SHIPPED)
    monkeypatch.setattr(boilerplate, "train", lambda *, seed, jobs: (model, [model] * 3))
    folder = tmp_path / "out" / "folds"  # as make bench-flat says, in a clone that has no folder out yet
    monkeypatch.setattr("sys.argv", ["boilerplate", "--folds", str(folder), "-o", str(folder / "all")])
    boilerplate.main()
    learned = held_out(replace(flat, learned=True, corpus=flat.corpus.assign(publisher="p")), folder)
    assert [len(part) for _, part in learned.held_out] == [1]
    assert runners.RUNNERS["ours, single documents"].find(learned) is not None


def test_recorded_outputs_are_read(flat, tmp_path, monkeypatch):
    monkeypatch.setattr(runners, "RECORDED", tmp_path)
    row = {"set": flat.name, "doc_id": "a", "start": 0, "end": 10}
    (tmp_path / "mine.jsonl").write_text(json.dumps(row) + "\n", "utf-8")
    assert runners.recorded("mine")(flat)[["doc_id", "start", "end"]].values.tolist() == [["a", 0, 10]]


def test_lines_are_handed_over_and_what_comes_back_is_a_recorded_output(flat, tmp_path, monkeypatch):
    runners.hand_over([flat], tmp_path / "lines.jsonl")
    rows = [json.loads(row) for row in (tmp_path / "lines.jsonl").read_text("utf-8").splitlines()]
    assert [row["line"] for row in rows] == ["Share this", STORY]
    removed = [json.dumps(row) for row in rows if len(row["line"]) < 40]
    (tmp_path / "mine.jsonl").write_text("\n".join(removed), "utf-8")
    monkeypatch.setattr(runners, "RECORDED", tmp_path)
    monkeypatch.setitem(runners.RUNNERS, "mine", runners.Runner(runners.recorded("mine"), "–", "–"))
    assert measure(flat, ["mine"], draws=10)[0]["mine"]["f1"][0] == 1.0


def test_pages_are_flattened_and_aligned():
    texts = {way: flattened(PAGE, way) for way in FLATTENINGS}
    assert texts["whole page"].startswith("Home News\nThe council")
    assert texts["one line"] == f"{STORY} Share"
    assert texts["glued"] == f"{STORY}Share"
    assert [texts["article element"][a:b] for a, b in outside(texts["article element"], STORY)] == ["Share"]
    assert "x()" not in "".join(texts.values())


def test_the_page_has_its_place():
    assert DOCS.read_text("utf-8").count(START) == DOCS.read_text("utf-8").count(END) == 1
