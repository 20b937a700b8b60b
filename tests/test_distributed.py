"""The same jobs on a Dask cluster: the same bytes, whatever becomes of the workers."""

import gzip
import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import dask
import numpy as np
import pandas as pd
import pytest
from distributed import Client, LocalCluster

import toolkit
from toolkit import distributed, pipeline
from toolkit.errors import NothingReadError, PipelineError
from toolkit.files import shipped
from toolkit.jobs.engine import Job
from toolkit.jobs.inputs import found_in
from toolkit.jobs.storage import Files

SAMPLE = shipped("sample") / "articles.jsonl.gz"


@contextmanager
def workers(number):
    began = time.perf_counter()
    with (
        LocalCluster(
            n_workers=number, threads_per_worker=1, host="127.0.0.1", dashboard_address="127.0.0.1:0"
        ) as local,
        Client(local, set_as_default=False) as client,
    ):
        client.run(lambda: __import__("toolkit.distributed"))
        client.startup = time.perf_counter() - began
        yield client


@pytest.fixture(scope="module")
def cluster():
    with workers(2) as client:
        yield client


@pytest.fixture(scope="module")
def mortal():
    """One worker more than will be killed: whether and when Dask replaces them is not ours to test."""
    with workers(4) as client:
        yield client


@pytest.fixture(scope="module")
def news(tmp_path_factory):
    """Articles of the sample in three files, some of them twice; broken records; a file that is empty."""
    folder = tmp_path_factory.mktemp("news")
    lines = gzip.decompress(SAMPLE.read_bytes()).decode().splitlines()
    (folder / "a.jsonl").write_text("\n".join([*lines[:40], "no JSON", *lines[3:6], ""]), "utf-8")
    (folder / "b").mkdir()
    (folder / "b" / "b.jsonl.gz").write_bytes(
        gzip.compress("\n".join([*lines[30:70], '{"text": ""}', lines[3], ""]).encode())
    )
    (folder / "c.jsonl").write_text("", "utf-8")
    corpus = toolkit.load(SAMPLE).iloc[70:90].drop(columns="source")
    corpus.attrs = {}
    corpus.to_parquet(folder / "d.parquet")
    return folder


@pytest.fixture(scope="module")
def expected(news, tmp_path_factory):
    out = tmp_path_factory.mktemp("expected")
    summary = pipeline.run(news, out)
    assert summary.quarantined == 3
    return out


def results(folder):
    found = {p.name: p.read_bytes() for p in folder.iterdir() if p.name != "run.json"}
    record = json.loads((folder / "run.json").read_text("utf-8"))
    del record["environment"]
    return found | {"run.json": record}


@pytest.mark.parametrize("rows", [9, 1000])
def test_the_bytes_are_those_of_a_single_process(cluster, news, expected, tmp_path, rows):
    with dask.config.set({"dataframe.convert-string": True}):
        summary = distributed.run(news, tmp_path / "out", client=cluster, rows=rows)
    assert results(tmp_path / "out") == results(expected)
    assert summary.documents_in == summary.kept + summary.quarantined == 107
    ids = pd.read_parquet(tmp_path / "out" / "cleaned.parquet")["doc_id"]
    assert ids.is_unique
    assert ids.str.endswith("~3").sum() == 1  # a document of one file again in another, twice


def test_clean_and_classify_and_fit_are_those_of_a_single_process(cluster, news, tmp_path):
    one, many = tmp_path / "one", tmp_path / "many"
    with cluster.as_current():
        remover = distributed.fit(news, many / "index", rows=9)
        cleaned = distributed.clean(news, many / "c.jsonl", remove=["byline", "promo"], rows=9)
        again = distributed.clean(
            news / "a.jsonl", many / "i.parquet", index=many / "index", remove=["promo"], rows=9
        )
        topics = distributed.classify(many / "c.jsonl", many / "t.csv.gz", rows=50)
    corpus = toolkit.load(news)
    whole = toolkit.BoilerplateRemover().partial_fit(corpus)
    for mine, theirs in ((remover.index_.counts, whole.index_.counts),
                         (remover.index_.documents, whole.index_.documents)):  # fmt: skip
        assert all(np.array_equal(a, b) for a, b in zip(mine.columns, theirs.columns, strict=True))
    pd.testing.assert_frame_equal(
        toolkit.BoilerplateRemover.load(many / "index").spans(corpus), whole.spans(corpus)
    )
    one.mkdir()
    whole.save(one / "index")
    assert (
        str(pipeline.clean(news, one / "c.jsonl", remove=["byline", "promo"])).splitlines()[1:]
        == (str(cleaned).splitlines()[1:])
    )
    alone = pipeline.clean(news / "a.jsonl", one / "i.parquet", index=one / "index", remove=["promo"])
    assert alone.removed == again.removed
    assert pipeline.classify(one / "c.jsonl", one / "t.csv.gz").topics == topics.topics
    for name in ("c.jsonl", "i.parquet", "t.csv.gz"):
        assert (many / name).read_bytes() == (one / name).read_bytes(), name
    assert sorted(p.name for p in many.iterdir()) == ["c.jsonl", "i.parquet", "index", "t.csv.gz"]


@pytest.mark.parametrize("moment", ["read", "tally", "done"])
def test_a_worker_killed_in_the_middle_changes_nothing(mortal, news, expected, tmp_path, moment):
    out = tmp_path / "out"
    victim = min(mortal.run(os.getpid).values())
    with ThreadPoolExecutor(1) as pool:
        job = pool.submit(distributed.run, news, out, client=mortal, rows=6)
        while not list(out.glob(f".partial/*/{moment}-*.json")):
            assert not job.done()
            time.sleep(0.002)
        os.kill(victim, signal.SIGKILL)
        assert not job.done()
        job.result(timeout=300)
    assert results(out) == results(expected)


def test_a_job_whose_driver_was_killed_goes_on(cluster, news, expected, tmp_path, monkeypatch):
    out = tmp_path / "out"
    with monkeypatch.context() as patch:
        patch.setattr(Job, "assemble", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            distributed.run(news, out, client=cluster, rows=20)
    (left,) = out.glob(".partial/*")
    made = {p.name: p.stat().st_mtime_ns for p in left.iterdir()}
    lost = [next(left.glob(f"{kind}-*.json")) for kind in ("done", "tally", "read")]
    for path in lost:
        path.unlink()
    seen = {}
    monkeypatch.setattr(
        Job, "close", lambda self: seen.update({p.name: p.stat().st_mtime_ns for p in left.iterdir()})
    )
    distributed.run(news, out, client=cluster, rows=20)
    assert set(seen) == set(made)
    kept = {name for name in made if seen[name] == made[name]}
    assert len(kept) > len(made) - 3 * 9  # but for the parts of the file, the tally and the part taken away
    assert (
        json.loads((out / "run.json").read_text("utf-8"))["outputs"]
        == (json.loads((expected / "run.json").read_text("utf-8"))["outputs"])
    )


def test_what_is_wrong_is_reported_in_one_line(cluster, tmp_path):
    (tmp_path / "in.jsonl").write_text("no JSON\n")
    with pytest.raises(NothingReadError, match=r"in\.jsonl: no document could be read; 1 records") as caught:
        distributed.run(tmp_path / "in.jsonl", tmp_path / "out", client=cluster)
    assert len(caught.value.quarantine) == 1
    assert not list((tmp_path / "out").iterdir())
    with pytest.raises(FileNotFoundError, match="matches no file"):
        distributed.fit(f"simplecache::file://{tmp_path}/*.warc", tmp_path / "index", client=cluster)
    with pytest.raises(FileNotFoundError, match="no such file or folder"):
        distributed.run(tmp_path / "absent", tmp_path / "out", client=cluster)
    with pytest.raises(PipelineError, match=r"no cluster: start a dask\.distributed\.Client"):
        distributed.run(tmp_path, tmp_path / "out")
    with pytest.raises(toolkit.errors.SpoolError, match="unknown ending"):
        distributed.clean(tmp_path, tmp_path / "c.doc", client=cluster)


def test_an_account_that_does_not_add_up_is_an_error(cluster, news, tmp_path, monkeypatch):
    real = Job.assemble

    def loses_one(self, targets):
        written = real(self, targets)
        return written | {"cleaned": (written["cleaned"][0] - 1, written["cleaned"][1])}

    monkeypatch.setattr(Job, "assemble", loses_one)
    with pytest.raises(PipelineError, match="107 documents came in, but 103 were kept and 3 quarantined"):
        distributed.run(news, tmp_path / "out", client=cluster)
    assert not (tmp_path / "out" / "run.json").exists()


def test_inputs_and_outputs_lie_on_any_file_system_of_fsspec(cluster, news, expected, tmp_path):
    """A file system that is not this machine's, made of one that is."""
    far = f"dir://{{}}::file://{tmp_path}"
    (tmp_path / "in").symlink_to(news)
    files = Files(far.format("made"))
    assert files.local is None
    files.write("x/y", b"1")
    assert (files.read("x/y"), files.has("x/y"), files.has("z")) == (b"1", True, False)
    names = [item.label for item in found_in([f"simplecache::file://{news}"], {})]
    assert names == ["a.jsonl", "b/b.jsonl.gz", "c.jsonl", "d.parquet"]
    distributed.run(f"simplecache::file://{news}", tmp_path / "out", client=cluster, rows=50)
    assert results(tmp_path / "out") == results(expected)


def test_importing_the_package_imports_no_dask():
    code = "import sys, toolkit, toolkit.cli; assert not {'dask', 'distributed', 'fsspec'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_allsides(shared_data, cluster, tmp_path, capsys):
    """Start-up told apart from work, as printed."""
    with gzip.open(shared_data / "allsides" / "articles.jsonl.gz", "rt", encoding="utf-8") as file:
        lines = [line for _, line in zip(range(1600), file, strict=False)]
    source = tmp_path / "in"
    source.mkdir()
    for number in range(4):
        Path(source, f"{number}.jsonl").write_text("".join(lines[number::4]), "utf-8")
    began = time.perf_counter()
    distributed.run(source, tmp_path / "many", client=cluster, rows=200)
    work = time.perf_counter() - began
    began = time.perf_counter()
    pipeline.run(source, tmp_path / "one")
    alone = time.perf_counter() - began
    assert results(tmp_path / "many") == results(tmp_path / "one")
    with capsys.disabled():
        print(f"\n1,600 articles, 2 workers: start-up {cluster.startup:.1f} s, work {work:.1f} s", end="")
        print(f"; one process: work {alone:.1f} s")
