"""Floors under the quality of boilerplate removal, on publishers that nothing was learned from.

The figures are ``make quality``'s: a third of the gold's publishers, scored by models that never saw them. They are
stored with a digest of code and gold, and measured again here where that digest has changed. The whole table is
``python -m benchmarks boilerplate`` (docs/boilerplate.md).
"""

import pytest

from benchmarks import quality

FLOORS = {"with fit": 0.75, "single documents": 0.66}
MOST_LOST = 0.003


@pytest.fixture(scope="module")
def scored(shared_data):
    return quality.figures("boilerplate").pivot(index="label", columns="series", values="value")


def test_unseen_publishers_reach_the_floor_and_beat_repeated_segments(scored):
    for method, floor in FLOORS.items():
        assert scored.loc[method, "f1"] >= floor
        assert scored.loc[method, "article_lost"] <= MOST_LOST
        assert scored.loc[method, "f1"] > scored.loc["repeated", "f1"] + 0.2


def test_the_digest_follows_code_and_annotations(tmp_path, monkeypatch):
    before = quality.digest("topics")
    root = tmp_path / "checkout"
    for name in ("toolkit/topics", "training", "data/gold", "data/training"):
        (root / name).mkdir(parents=True)
    monkeypatch.setattr(quality, "ROOT", root)
    empty = quality.digest("topics")
    (root / "training" / "topics.py").write_text("A = 1\n")
    first = quality.digest("topics")
    (root / "data" / "gold" / "topics.jsonl").write_text("{}\n")
    assert len({before, empty, first, quality.digest("topics")}) == 4


def test_stored_figures_are_used_only_while_the_digest_is_right(tmp_path, monkeypatch):
    monkeypatch.setattr(quality.recorded, "FOLDER", tmp_path)
    measured = []
    table = quality.pd.DataFrame([{"label": "a", "series": "f1", "value": 0.5, "low": 0.4, "high": 0.6}])
    monkeypatch.setitem(quality.MEASURES, "topics", lambda: measured.append(1) or table)
    quality.figures("topics")
    quality.recorded.record("quality", "topics", table, digest="of other code")
    quality.figures("topics")
    assert len(measured) == 2
    quality.recorded.record("quality", "topics", table, digest=quality.digest("topics"))
    assert quality.figures("topics")["value"].tolist() == [0.5]
    assert len(measured) == 2
