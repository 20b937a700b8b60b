"""A run killed at random moments: nothing lost, nothing doubled, the same bytes."""

import gzip
import json
import sys

import pytest

from benchmarks import kills
from toolkit.files import shipped


@pytest.fixture
def small(tmp_path):
    lines = gzip.decompress((shipped("sample") / "articles.jsonl.gz").read_bytes()).splitlines(keepends=True)
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.jsonl.gz").write_bytes(gzip.compress(b"".join(lines[:90])))
    return tmp_path


@pytest.mark.parametrize("jobs", [1, 2])
def test_random_kills_leave_no_trace(small, jobs):
    found = kills.trial(small / "in", small, kills=3, rows=10, jobs=jobs, seed=jobs, longest=1)
    assert found["same_bytes"]
    assert (found["lost"], found["doubled"], found["kills"]) == (0, 0, 3)
    assert found["documents"] == found["kept"] == 90
    assert found["runs"] >= 1


def test_a_difference_is_seen(small, monkeypatch):
    """The trial itself, with runs that only pretend."""
    outcome = iter([0, None, 0])
    texts = iter(["one", "another"])

    def attempt(inputs, output, rows, jobs, delay):
        code = next(outcome)
        if code == 0:
            output.mkdir()
            output.joinpath("cleaned.parquet").write_bytes(next(texts).encode())
            record = {"environment": {}, "counts": {"in": 2}}
            output.joinpath("run.json").write_text(json.dumps(record))
        return code

    monkeypatch.setattr(kills, "_attempt", attempt)
    monkeypatch.setattr(kills.pd, "read_parquet", lambda path, columns: kills.pd.DataFrame({"doc_id": ["a"]}))
    found = kills.trial(small / "in", small, kills=1)
    assert not found["same_bytes"]
    assert (found["kills"], found["runs"]) == (1, 1)


def test_the_command_prints_one_line_of_json(monkeypatch, capsys):
    asked = {}

    def trial(inputs, folder, **options):
        asked.update(
            options,
            documents=sum(len(gzip.decompress(p.read_bytes()).splitlines()) for p in inputs.iterdir()),
        )
        return {"same_bytes": True, "lost": 0, "doubled": 0, "kept": 7}

    monkeypatch.setattr(kills, "trial", trial)
    monkeypatch.setattr(kills, "articles", lambda: kills.datasets.load("sample").head(20))
    monkeypatch.setattr(sys, "argv", ["kills", "--documents", "7", "--kills", "2"])
    kills.main()
    assert json.loads(capsys.readouterr().out)["kept"] == 7
    assert (asked["documents"], asked["kills"]) == (7, 2)
    monkeypatch.setattr(sys, "argv", ["kills", "--documents", "8"])
    with pytest.raises(SystemExit):
        kills.main()
