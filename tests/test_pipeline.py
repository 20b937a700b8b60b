import gzip
import io
import json
import shutil
import signal
import subprocess
import sys
import threading
import weakref
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet

from toolkit import pipeline
from toolkit.errors import NothingReadError, PipelineError
from toolkit.files import column_chunks, shipped
from toolkit.jobs import engine, parts, storage
from toolkit.jobs.spool import Spool

SAMPLE = shipped("sample") / "articles.jsonl.gz"


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """Sixty articles of the sample and two broken records, from two files."""
    folder = tmp_path_factory.mktemp("news")
    lines = gzip.decompress(SAMPLE.read_bytes()).decode().splitlines()
    (folder / "a.jsonl").write_text("\n".join([*lines[:40], "no JSON", ""]), "utf-8")
    (folder / "b.jsonl").write_text("\n".join([*lines[40:60], '{"text": ""}', ""]), "utf-8")
    return folder


@pytest.fixture(scope="module")
def undisturbed(small, tmp_path_factory):
    out = tmp_path_factory.mktemp("out")
    return out, pipeline.run(small, out)


def files(folder):
    return {p.name: p.read_bytes() for p in folder.iterdir() if p.name != "run.json"}


def record(folder):
    found = json.loads((folder / "run.json").read_text("utf-8"))
    found.pop("environment")
    return found


def test_run_writes_the_results_and_an_account_that_adds_up(undisturbed):
    out, summary = undisturbed
    assert sorted(p.name for p in out.iterdir()) == sorted([*pipeline.RESULTS, "run.json"])
    assert (summary.documents_in, summary.kept, summary.quarantined) == (62, 60, 2)
    cleaned = pd.read_parquet(out / "cleaned.parquet")
    spans = pd.read_parquet(out / "spans.parquet")
    assert len(cleaned) == 60
    assert len(pd.read_parquet(out / "quarantine.parquet")) == 2
    assert summary.characters == cleaned["text"].str.len().sum()
    lengths = (spans["end"] - spans["start"]).groupby(spans["kind"]).sum()
    assert summary.removed == lengths.to_dict()
    assert sum(summary.removed.values()) > 0
    topics = pd.read_parquet(out / "topics.parquet")
    assert summary.topics == topics["name"].value_counts().to_dict()
    assert summary.topics


def test_results_are_what_the_library_gives(small, undisturbed):
    import toolkit

    corpus = toolkit.load(small)
    remover = toolkit.BoilerplateRemover().fit(corpus)
    cleaned = remover.transform(corpus)
    out, _ = undisturbed
    found = pd.read_parquet(out / "cleaned.parquet")
    assert found["doc_id"].tolist() == cleaned["doc_id"].tolist()
    assert found["text"].tolist() == corpus["text"].tolist()
    assert found["clean_text"].tolist() == cleaned["clean_text"].tolist()
    spans = remover.spans(corpus).reset_index(drop=True).astype({"kind": "str", "evidence": "str"})
    kept = pd.read_parquet(out / "spans.parquet").astype({"kind": "str", "evidence": "str"})
    pd.testing.assert_frame_equal(kept, spans, check_dtype=False)


def test_the_record_says_what_was_done(small, undisturbed):
    out, _ = undisturbed
    found = json.loads((out / "run.json").read_text("utf-8"))
    assert [i["name"] for i in found["inputs"]] == ["a.jsonl", "b.jsonl"]
    assert all(len(i["sha256"]) == 64 and i["bytes"] > 0 for i in found["inputs"])
    assert found["counts"]["in"] == found["counts"]["kept"] + found["counts"]["quarantined"]
    assert {"news-toolkit", "python", "pandas", "pyarrow"} <= set(found["versions"])
    assert found["models"]
    assert set(found["outputs"]) == set(pipeline.RESULTS)
    assert {"command", "started", "finished", "platform"} <= set(found["environment"])
    found.pop("environment")
    assert str(small) not in json.dumps(found)
    assert str(out) not in json.dumps(found)


@pytest.mark.parametrize("rows", [1, 7, 1000])
def test_the_batch_size_leaves_no_trace(small, undisturbed, tmp_path, rows):
    if rows == 1:
        shutil.copy(small / "b.jsonl", tmp_path / "b.jsonl")
        source, (whole, _) = (
            tmp_path / "b.jsonl",
            (tmp_path / "whole", pipeline.run(tmp_path / "b.jsonl", tmp_path / "whole")),
        )
    else:
        source, (whole, _) = small, undisturbed
    pipeline.run(source, tmp_path / "out", rows=rows)
    assert files(tmp_path / "out") == files(whole)
    assert record(tmp_path / "out") == record(whole)


@pytest.mark.parametrize(("n_jobs", "rows"), [(2, 7), (4, 1), (-1, 1000)])
def test_the_number_of_jobs_leaves_no_trace(small, undisturbed, tmp_path, n_jobs, rows):
    if rows == 1:
        pipeline.run(small / "b.jsonl", tmp_path / "alone")
        pipeline.run(small / "b.jsonl", tmp_path / "out", rows=1, n_jobs=n_jobs)
        whole = tmp_path / "alone"
    else:
        pipeline.run(small, tmp_path / "out", rows=rows, n_jobs=n_jobs)
        whole = undisturbed[0]
    assert files(tmp_path / "out") == files(whole)
    assert record(tmp_path / "out") == record(whole)


def test_batches_are_read_worked_on_and_written_at_once(small, tmp_path, monkeypatch):
    """The first part is written to the result while the last is not yet worked on."""
    events = []
    real, groups = parts._worked, storage.write_rows

    def one(*asked):
        number = int(asked[-1]["name"])
        if number == 5:
            assert written.wait(60)
        found = real(*asked)
        events.append(number)
        return found

    def write(tables, path):
        def passed():
            for table in tables:
                events.append(path.name)
                written.set()
                yield table

        return groups(passed(), path)

    written = threading.Event()
    monkeypatch.setattr(parts, "_worked", one)
    monkeypatch.setattr(storage, "write_rows", write)
    pipeline.run(small, tmp_path / "out", rows=10, n_jobs=2)
    assert events.index("cleaned.parquet") < events.index(5)


@pytest.mark.parametrize("number", [0, -2])
def test_a_wrong_number_of_jobs_is_reported(small, tmp_path, number):
    with pytest.raises(PipelineError, match=f"n_jobs={number}: give 1 or more, or -1 for all processors"):
        pipeline.run(small, tmp_path / "out", n_jobs=number)


def test_a_saved_index_stands_in_for_the_first_pass(small, undisturbed, tmp_path, monkeypatch):
    import toolkit

    remover = toolkit.BoilerplateRemover().fit(toolkit.load(small))
    remover.save(tmp_path / "index")
    monkeypatch.setattr(parts, "tally_of", lambda _: pytest.fail("counted"))
    pipeline.run(small, tmp_path / "out", index=tmp_path / "index")
    assert files(tmp_path / "out") == files(undisturbed[0])
    assert len(record(tmp_path / "out")["parameters"]["index"]) == 64
    summary = pipeline.clean(small, tmp_path / "c.csv", index=tmp_path / "index", remove=["byline"])
    assert set(summary.removed) == {"byline"}


class Killed(BaseException):
    pass


@pytest.mark.parametrize("moment", ["reading", "counting", "cleaning", "assembling", "accounting"])
def test_a_killed_run_continues_to_the_same_bytes(small, undisturbed, tmp_path, monkeypatch, moment):
    def strike(owner, name, call):
        real, calls = getattr(owner, name), []

        def struck(*args, **kwargs):
            calls.append(1)
            if len(calls) == call:
                raise Killed
            return real(*args, **kwargs)

        monkeypatch.setattr(owner, name, struck)

    {
        "reading": lambda: strike(Spool, "write", 4),
        "counting": lambda: strike(engine.TemplateIndex, "save", 1),
        "cleaning": lambda: strike(parts, "_check_spans", 3),
        "assembling": lambda: strike(storage, "write_rows", 2),
        "accounting": lambda: strike(pipeline, "record", 1),
    }[moment]()
    with pytest.raises(Killed):
        pipeline.run(small, tmp_path / "out", rows=10)
    assert not (tmp_path / "out" / "run.json").exists()
    monkeypatch.undo()
    done = []
    real = parts._worked
    monkeypatch.setattr(parts, "_worked", lambda *a: (done.append(int(a[-1]["name"])), real(*a))[1])
    pipeline.run(small, tmp_path / "out", rows=10)
    assert (
        done
        == {
            "reading": list(range(6)),
            "counting": list(range(6)),
            "cleaning": [2, 3, 4, 5],
            "assembling": [],
            "accounting": [],
        }[moment]
    )
    out, _ = undisturbed
    assert files(tmp_path / "out") == files(out)
    assert record(tmp_path / "out") == record(out)


def test_an_error_in_one_job_ends_the_run_and_the_next_continues(small, undisturbed, tmp_path, monkeypatch):
    def struck(*asked):
        if int(asked[-1]["name"]) == 3:
            raise Killed
        return real(*asked)

    real = parts._worked
    monkeypatch.setattr(parts, "_worked", struck)
    with pytest.raises(Killed):
        pipeline.run(small, tmp_path / "out", rows=10, n_jobs=2)
    monkeypatch.undo()
    pipeline.run(small, tmp_path / "out", rows=10)
    assert files(tmp_path / "out") == files(undisturbed[0])


def test_a_process_that_is_killed_outright_continues(small, undisturbed, tmp_path):
    code = (
        "import sys, time; from toolkit import pipeline; from toolkit.jobs import parts\n"
        "real = parts._worked\n"
        "def slow(*rest):\n    real(*rest); print('part', flush=True); time.sleep(30)\n"
        "parts._worked = slow\npipeline.run(sys.argv[1], sys.argv[2], rows=10)\n"
    )
    out = tmp_path / "out"
    with subprocess.Popen(
        [sys.executable, "-c", code, small, out], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "part\n"
        process.send_signal(signal.SIGKILL)
    assert (out / ".partial" / "manifest.json").is_file()
    assert not [p for p in out.iterdir() if p.name != ".partial"]
    pipeline.run(small, out, rows=10)
    assert files(out) == files(undisturbed[0])


def test_changed_input_starts_again(small, tmp_path, monkeypatch):
    source = tmp_path / "in.jsonl"
    shutil.copy(small / "b.jsonl", source)
    monkeypatch.setattr(storage, "write_rows", lambda *_: (_ for _ in ()).throw(Killed))
    with pytest.raises(Killed):
        pipeline.run(source, tmp_path / "out")
    monkeypatch.undo()
    source.write_text(source.read_text("utf-8").splitlines()[0] + "\n", "utf-8")
    assert pipeline.run(source, tmp_path / "out").documents_in == 1


def test_nothing_readable_leaves_nothing_behind(tmp_path):
    (tmp_path / "in.jsonl").write_text("no JSON\n")
    with pytest.raises(NothingReadError, match=r"in\.jsonl: no document could be read") as caught:
        pipeline.run(tmp_path / "in.jsonl", tmp_path / "out")
    assert len(caught.value.quarantine) == 1
    assert not list((tmp_path / "out").iterdir())


def test_an_account_that_does_not_add_up_is_an_error(small, tmp_path, monkeypatch):
    real = storage.write_rows

    def loses_one(tables, path):
        return real((t.slice(1) for t in tables), path)

    monkeypatch.setattr(storage, "write_rows", loses_one)
    with pytest.raises(PipelineError, match="62 documents came in, but 59 were kept and 1 quarantined"):
        pipeline.run(small, tmp_path / "out")
    assert not (tmp_path / "out" / "run.json").exists()


def test_spans_that_do_not_fit_are_an_error():
    corpus = pd.DataFrame({"doc_id": ["a"], "text": ["four"]})
    good = pd.DataFrame({"doc_id": ["a", "a"], "start": [0, 2], "end": [2, 4]})
    parts._check_spans(corpus, good)
    parts._check_spans(corpus, good.iloc[:0])
    for column, value in (("end", 5), ("start", -1), ("start", 1), ("doc_id", "b")):
        bad = good.copy()
        bad.loc[1 if column != "start" or value == 1 else 0, column] = value
        with pytest.raises(PipelineError, match="does not fit its text"):
            parts._check_spans(corpus, bad)


def test_clean_and_classify_write_one_file(small, tmp_path, undisturbed):
    cleaned = pipeline.clean(small, tmp_path / "c.parquet", spans=tmp_path / "s.csv")
    assert (cleaned.kept, cleaned.quarantined) == (60, 2)
    out, summary = undisturbed
    assert (tmp_path / "c.parquet").read_bytes() == (out / "cleaned.parquet").read_bytes()
    assert len(pd.read_csv(tmp_path / "s.csv")) == len(pd.read_parquet(out / "spans.parquet"))
    topics = pipeline.classify(tmp_path / "c.parquet", tmp_path / "t.parquet")
    assert topics.topics == summary.topics
    assert (tmp_path / "t.parquet").read_bytes() == (out / "topics.parquet").read_bytes()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["c.parquet", "s.csv", "t.parquet"]


def test_remove_chooses_kinds(small, tmp_path):
    summary = pipeline.clean(small, tmp_path / "c.parquet", remove=["byline"])
    assert set(summary.removed) <= {"byline"}


def test_columns_map_fields(tmp_path):
    (tmp_path / "in.csv").write_text("id,body2\n1,It rained in the port all day.\n")
    assert pipeline.clean(tmp_path / "in.csv", tmp_path / "o.csv", columns={"text": "body2"}).kept == 1


def test_standard_input_is_read_and_digested(small, tmp_path, monkeypatch):
    data = (small / "b.jsonl").read_bytes()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data)))
    summary = pipeline.run("-", tmp_path / "out")
    assert summary.kept == 20
    assert record(tmp_path / "out")["inputs"][0]["bytes"] == len(data)
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == sorted([*pipeline.RESULTS, "run.json"])


def test_summary_prints_the_closing_lines():
    summary = pipeline.RunSummary(
        Path("out"), 12, 10, 2, 1000, {"promo": 20, "appeal": 100}, {"politics": 3, "sport": 7},
        verdicts={"article": 6, "twice": 1, "wall": 2, "stub": 1},  # an article that stands twice is one
    )  # fmt: skip
    assert str(summary).splitlines() == [
        "written      out",
        "documents    12 in = 10 kept + 2 quarantined",
        "removed      120 of 1,000 characters (12.0 %)",
        "             appeal 100, promo 20",
        "no article   3 of 10 documents: wall 2, stub 1",
        "topics       sport 7, politics 3",
    ]


def test_a_page_of_an_older_run_goes_with_its_tables(tmp_path):
    (tmp_path / "a.txt").write_text("It rained on Monday in the old town.")
    tables, out = tmp_path / "out" / "report_tables", tmp_path / "out"
    for own in (False, True):
        tables.mkdir(parents=True)
        for path in (out / "report.html", tables / "01_account.csv", tables / "01_account.tex"):
            path.write_text("old")
        if own:
            (tables / "notes.txt").write_text("mine")
        pipeline.run(tmp_path / "a.txt", out)
        assert sorted(p.name for p in out.iterdir()) == sorted(
            [*pipeline.RESULTS, "run.json", *["report_tables"] * own]
        )
    assert [p.name for p in tables.iterdir()] == ["notes.txt"]


def test_memory_stays_flat(tmp_path):
    """Six times the input must not take more than a third as much memory again."""
    lines = gzip.decompress(SAMPLE.read_bytes()).decode().splitlines(keepends=True)
    code = (
        "import sys; from benchmarks.memory import peak; from toolkit import pipeline\n"
        "pipeline.run(sys.argv[1], sys.argv[2], rows=100)\n"
        "print(peak())\n"
    )
    peaks = []
    for times in (2, 12):
        source = tmp_path / f"in{times}.jsonl"
        source.write_text(times * "".join(lines), "utf-8")
        done = subprocess.run(
            [sys.executable, "-c", code, source, tmp_path / f"out{times}"],
            capture_output=True,
            text=True,
            check=True,
        )
        peaks.append(int(done.stdout))
    assert peaks[1] < 1.33 * peaks[0], peaks


def test_looking_at_a_parquet_file_holds_nothing_of_its_callers(tmp_path):
    """Arrow keeps the error by which a column is found sound; a traceback in it would keep every caller's variables."""
    parquet.write_table(pa.table({"a": [1, 2]}), tmp_path / "a.parquet")

    def look():
        corpus = Spool(storage.Files(str(tmp_path)))
        with parquet.ParquetFile(tmp_path / "a.parquet") as file:
            assert len(column_chunks(file, 0)) == 1
        return weakref.ref(corpus)

    assert look()() is None
