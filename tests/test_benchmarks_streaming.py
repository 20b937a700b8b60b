import csv
import gzip
import json

import pytest

from benchmarks import streaming
from benchmarks.recorded import markdown
from toolkit.loading import load


def test_the_files_that_are_read_hold_what_they_are_said_to(tmp_path):
    table, lines = tmp_path / "a.csv", tmp_path / "a.jsonl.gz"
    assert streaming.write_rows(table, 20) == table.stat().st_size
    size = streaming.write_lines(lines, 60_000)
    assert 60_000 <= size == len(gzip.decompress(lines.read_bytes()))
    with table.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    found = [json.loads(line) for line in gzip.decompress(lines.read_bytes()).splitlines()]
    assert [row["id"] for row in rows] == [f"d{i}" for i in range(20)] == [row["id"] for row in found[:20]]
    assert load(table)["text"].tolist() == [row["text"] for row in rows]
    assert not {"lang", "language"} & {*rows[0], *found[0]}  # or nothing would be detected


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl.gz"])
def test_each_way_gives_its_speed_and_its_own_memory(tmp_path, monkeypatch, name):
    monkeypatch.setattr(streaming, "OURS", {"ours": ("import csv", "open(path, 'rb')")})
    path = tmp_path / name
    size = {"a.csv": streaming.write_rows, "a.jsonl.gz": streaming.write_lines}[name](path, 200)
    figures = streaming.pd.DataFrame(streaming.read(path, size, "file")).assign(low=None, high=None)
    assert figures["label"].nunique() == 2
    assert (figures["value"] >= 0).all()
    memory = figures[figures["series"] == "peak memory, MiB"].set_index("label")["value"]
    assert memory["file: ours"] < 60  # that of the process, not of the one that began it
    assert markdown(figures).count("\n") == 3
