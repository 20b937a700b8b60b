import gzip
import json
import sys
import time
from itertools import islice
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.speed import __main__ as command
from benchmarks.speed import growth, peers, profiling, results, timing
from benchmarks.speed.copies import Copies
from benchmarks.speed.ours import CEILINGS, OURS
from toolkit import datasets
from toolkit.corpus import make_corpus
from toolkit.datasets.registry import SETTING

ROOT = Path(__file__).parent.parent
APPEAL = "Sign up for our newsletter."
ARTICLES = make_corpus(
    {"doc_id": f"d{n}", "publisher": "example.org", "url": f"https://example.org/{n}", "title": f"Pier {n}",
     "published": pd.Timestamp("2020-01-01"),
     "text": f"The harbour council closed pier {n} on Monday. Ferries leave from quay 1{n}2, said Ada Thorne, 4{n}.\n\n"
     f"Repairs would cost {n}75,000 instead of 9{n}0,000, council members had asked.\n{APPEAL}\n"}
    for n in range(6)
)  # fmt: skip


def first(copies, n):
    return list(islice(copies.records(), n))


def test_copies_are_as_long_and_differ_but_for_templates():
    records = first(Copies(ARTICLES), 12)
    of = ARTICLES.set_index("doc_id")["text"]
    assert [r["id"].split("-")[0] for r in records] == ["0"] * 6 + ["1"] * 6
    assert len({r["id"] for r in records}) == len({r["text"] for r in records}) == 12
    for record in records:
        original = of[record["id"].split("-")[1]]
        assert len(record["text"]) == len(original)
        assert record["text"] != original
        assert record["text"].endswith(f"\n{APPEAL}\n")
        assert sum(c.isdigit() for c in record["text"]) == sum(c.isdigit() for c in original)
        assert (record["publisher"], record["date"]) == ("example.org", "2020-01-01")


def test_copies_are_the_same_for_the_same_seed_only():
    texts = [[r["text"] for r in first(Copies(ARTICLES, seed), 9)] for seed in (3, 3, 4)]
    assert texts[0] == texts[1] != texts[2]


@given(st.lists(st.text(max_size=60), min_size=1, max_size=4))
def test_a_copy_of_any_text_is_text_of_the_same_size(texts):
    corpus = make_corpus({"doc_id": str(n), "text": text} for n, text in enumerate(texts))
    for record in first(Copies(corpus), len(texts)):
        original = texts[int(record["id"].split("-")[1])]
        assert len(record["text"].encode()) == len(original.encode())
        assert sorted(map(str.isspace, record["text"])) == sorted(map(str.isspace, original))


def test_files_hold_what_the_corpus_holds(tmp_path):
    copies = Copies(ARTICLES)
    shards = copies.write(tmp_path, 2_000, shard=800)
    lines = [line for s in shards for line in gzip.decompress(s.path.read_bytes()).splitlines()]
    records = [json.loads(line) for line in lines]
    corpus = copies.corpus(2_000)
    assert [r["text"] for r in records] == corpus["text"].tolist()
    assert [r["id"] for r in records] == corpus["doc_id"].tolist()
    assert corpus["published"].notna().all()
    assert sum(s.documents for s in shards) == len(records)
    assert [s.text >= 800 for s in shards[:-1]] == [True] * (len(shards) - 1)
    assert (
        2_000 <= sum(s.text for s in shards) == timing.size(corpus) < 2_000 + corpus["text"].str.len().max()
    )


def test_ratios_are_of_given_times():
    corpus = ARTICLES.head(2)
    ours = timing.Timed(
        timing.Entry("a", "t", lambda _: dict, ours=True), 2, 60_000_000, [2.0, 1.0, 3.0], [4.0] * 3
    )
    peer = timing.Timed(
        timing.Entry("b", "t", lambda _: dict, against="a"), 1, 6_000_000, [1.0, 2.0], [1.0] * 2
    )
    lone = timing.Timed(timing.Entry("c", "t", lambda _: dict, against="absent"), 1, 6_000_000, [1.0], [1.0])
    a, b, c = timing.with_ratios([t.record() for t in (ours, peer, lone)])
    assert (a["speed"], a["ratio"]) == (60, None)
    assert (b["speed"], b["ratio"]) == (6, 10)
    assert c["ratio"] is None
    assert a["cpu"] == {"minimum": 1.0, "median": 2.0}
    assert timing.size(corpus) == sum(len(text) for text in corpus["text"])


def test_entries_take_turns_after_a_warm_up_and_are_prepared_anew():
    seen = []

    def entry(name, share=1.0):
        return timing.Entry(name, "t", lambda corpus: lambda: seen.append((name, len(corpus))), share=share)

    timed = timing.measure([entry("x"), entry("y", 0.5)], ARTICLES, repeats=2)
    assert seen == [("x", 1), ("x", 6), ("y", 1), ("y", 3), ("x", 6), ("y", 3)]
    assert [(t.documents, len(t.cpu), len(t.wall)) for t in timed] == [(6, 2, 2), (3, 2, 2)]
    assert timed[1].text == timing.size(ARTICLES.head(3))


def test_one_core_is_given_back():
    before = growth.cores()
    with timing.one_core():
        assert growth.cores() == 1
    assert growth.cores() == before


def test_a_command_is_watched_with_its_children():
    inner = "import time; x = bytearray(60_000_000); time.sleep(.5)"
    outer = f"import subprocess, sys; x = bytearray(60_000_000); subprocess.run([sys.executable, '-c', {inner!r}])"
    started = time.time()
    watched = timing.watch([sys.executable, "-c", outer])
    assert watched.peak > 120_000_000
    assert watched.wall >= 0.5
    assert watched.cpu > 0
    assert watched.ended >= started


def test_a_command_that_fails_says_its_last_line():
    with pytest.raises(RuntimeError, match="exit code 3: no luck"):
        timing.watch([sys.executable, "-c", "import sys; print('no luck'); sys.exit(3)"])


def labelled():
    texts = ["the striker scored a goal in the match", "the court heard the appeal of the judge"] * 4
    return peers.Labelled(texts, pd.Series(["sport", "law"] * 4).to_numpy(dtype=str))


def test_a_peer_that_is_missing_is_reported_in_one_line_and_left_out():
    def absent(_):
        raise ModuleNotFoundError("No module named 'slowpoke'")

    there = peers.Peer("there", "topics", ("numpy",), "topics", "", lambda _: lambda corpus: dict)
    missing = peers.Peer("slow", "topics", ("slowpoke<4", "x"), "topics", "", absent)
    found, told = peers.entries(labelled(), [there, missing])
    assert [entry.name for entry in found] == ["there"]
    reason = "slow: left out, No module named 'slowpoke'; pip install 'slowpoke<4' x"
    assert told == [{"name": "slow", "reason": reason}]
    assert list(peers.peer_versions([there, missing])) == ["numpy"]


def test_every_peer_that_is_installed_works():
    ours = {entry.name for entry in OURS} | {"pages to text"}
    found, told = peers.entries(labelled())
    assert len(found) + len(told) == len(peers.PEERS)
    assert {"TF-IDF + LinearSVC", "jusText", "trafilatura"} <= {entry.name for entry in found}
    for entry in found:
        assert entry.against in ours
        corpus = ARTICLES.assign(html="<html><body><p>The pier is shut.</p></body></html>")
        assert entry.prepare(corpus)() is not None


def test_peers_of_the_topics_predict_the_labels_they_are_trained_on():
    corpus = make_corpus({"doc_id": str(n), "text": text} for n, text in enumerate(labelled().texts[:2]))
    for peer in peers.PEERS:
        if peer.name.startswith("TF-IDF"):
            assert list(peer.make(labelled())(corpus)()) == ["sport", "law"]


def test_shares_of_a_profile_add_up_and_name_our_functions():
    entry = next(e for e in OURS if e.name == "spans, each document alone")
    work = entry.prepare(datasets.load("sample").head(100))
    work()
    rows = profiling.shares(work)
    assert sum(row["share"] for row in rows) == pytest.approx(1)
    assert any(row["function"].startswith("boilerplate.") for row in rows)
    assert all(not row["function"].startswith("/") for row in rows)


def test_threads_are_timed_for_each_task():
    rows = growth.thread_times(ARTICLES, [1, 2], repeats=1)
    assert [(row["task"], row["threads"]) for row in rows] == [
        ("spans", 1), ("spans", 2), ("topics", 1), ("topics", 2)
    ]  # fmt: skip
    assert all(row["speed"] > 0 for row in rows)


def run_time(shards, gigabytes, jobs):
    if jobs == 1:
        raise RuntimeError("exit code 1: disk full")
    return {"gigabytes": gigabytes, "documents": 7, "jobs": jobs, "wall": 3.0, "cpu": 4.0, "parquet": 2.0,
            "peak": 512_000_000, "bare_cpu": 3.5, "bare_peak": 400_000_000, "floor_wall": 1.0, "floor_cpu": 1.0,
            "speed": 0.25}  # fmt: skip


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """The whole benchmark over a tiny text of the sample, the command itself left out."""
    folder = tmp_path_factory.mktemp("benchmarks")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(SETTING, str(folder / "none"))
        patch.setattr(peers, "PEERS", [p for p in peers.PEERS if p.name.startswith(("jus", "traf"))])
        patch.setattr(growth, "run_time", run_time)
        patch.setattr(growth, "cores", lambda: 2)
        command.main([
            "--gigabytes", ".0002", "--sizes", ".0001", "--megabytes", ".1", "--repeats", "1",
            "-o", str(folder),
        ])  # fmt: skip
    return folder


def test_every_row_is_there(measured):
    found = results.read(measured)
    names = [row["name"] for row in found["rows"]]
    assert names == [e.name for e in (*CEILINGS, *OURS)] + ["jusText"]
    by_name = {row["name"]: row for row in found["rows"]}
    ours = by_name["spans, each document alone"]
    assert by_name["jusText"]["ratio"] == pytest.approx(ours["speed"] / by_name["jusText"]["speed"], rel=0.01)
    assert by_name["jusText"]["documents"] == round(ours["documents"] / 4)
    assert [(row["gigabytes"], row["jobs"]) for row in found["runs"]] == [(0.0001, 2), (0.0002, 2)]
    assert [row["name"] for row in found["missing"]] == ["pages to text", "run over 0.0002 GB, jobs: 1"]
    assert found["missing"][1]["reason"].endswith("left out, exit code 1: disk full")
    assert set(found["profile"]) == {"spans", "spans, fitted", "count what repeats", "topics"}
    assert found["settings"]["text"] == "sample"


def test_the_file_is_stable_and_names_no_machine(measured, tmp_path):
    path = measured / results.FILE
    found = results.read(measured)
    assert results.write(found, tmp_path).read_bytes() == path.read_bytes()
    assert list(found) == sorted(found)
    text = path.read_text("utf-8")
    assert str(ROOT) not in text
    assert str(Path.home()) + "/" not in text
    assert {"processor", "cores", "memory", "versions", "models", "date"} <= set(found["machine"])


def test_the_tables_are_printed_again_and_put_into_a_document(measured, tmp_path, capsys):
    document = tmp_path / "speed.md"
    document.write_text(f"# Speed\n{results.BEGIN}\nold\n{results.END}\nend\n")
    command.main(["--table", "-o", str(measured), "--docs", str(document)])
    printed = capsys.readouterr().out.strip()
    assert document.read_text() == f"# Speed\n{results.BEGIN}\n\n{printed}\n\n{results.END}\nend\n"
    found = results.read(measured)
    for row in found["rows"]:
        assert f"{row['name']}" in printed
    assert "Not measured: pages to text: left out" in printed
    assert "512" in printed  # peak, in MB


def test_tables_of_nothing_measured_are_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="make bench"):
        command.main(["--table", "-o", str(tmp_path)])


def test_the_document_holds_what_was_measured():
    folder, document = ROOT / "data" / "benchmarks", ROOT / "docs" / "speed.md"
    text = document.read_text("utf-8")
    if (folder / results.FILE).is_file():
        assert results.fill(text, results.read(folder)) == text
    else:  # then no number was typed by hand either
        assert f"{results.BEGIN}\n{results.END}" in text


def test_the_memory_of_a_command_is_not_that_of_the_process_that_starts_it():
    held = bytearray(300_000_000)
    held[::4096] = b"x" * len(held[::4096])  # so that each page is really there
    assert 0 < timing.watch([sys.executable, "-c", "import time; time.sleep(0.3)"]).peak < 100_000_000
    assert (
        timing.watch([sys.executable, "-c", f"held = b'x' * {len(held)}; import time; time.sleep(0.3)"]).peak
        > 3e8
    )


def test_the_command_line_is_run_on_real_files(tmp_path):
    shards = Copies(datasets.load("sample").head(40)).write(tmp_path, 30_000)
    row = growth.run_time(shards, 0.0001, 1)
    assert row["documents"] == shards[0].documents
    assert 0 < row["floor_cpu"] < row["bare_cpu"] < row["cpu"]
    assert 0 < row["floor_wall"] < row["parquet"]
    assert min(row["peak"], row["bare_peak"]) > 50_000_000
    assert row["speed"] == pytest.approx(shards[0].text / 1e6 / row["parquet"])
