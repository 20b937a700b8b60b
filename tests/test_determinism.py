"""The same files give the same bytes on other machines: one test for each thing that differs between them.

The run on a Dask cluster is held to the same bytes in ``tests/test_distributed.py``.
"""

import gzip
import json
import locale
import os
import platform
import random
import shutil
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet
from same import differences

from toolkit import pipeline
from toolkit.files import sha256, shipped

SAMPLE = shipped("sample") / "articles.jsonl.gz"
VARIED = (
    "PYTHONHASHSEED LC_ALL LANG PYTHONUTF8 PYTHONCOERCECLOCALE TZ NUMBA_NUM_THREADS OMP_NUM_THREADS "
    "OPENBLAS_NUM_THREADS OPENBLAS_CORETYPE NPY_DISABLE_CPU_FEATURES ARROW_USER_SIMD_LEVEL"
).split()


@pytest.fixture(scope="session")
def news(tmp_path_factory):
    """Forty articles in four languages, some dates without a time zone, a broken record."""
    path = tmp_path_factory.mktemp("news") / "news.jsonl"
    records = [json.loads(line) for line in gzip.decompress(SAMPLE.read_bytes()).decode().splitlines()]
    chosen = records[:22] + [r for r in records if r["lang"] != "en"][::4]
    for record in chosen[::3]:
        record["published"] = record["published"][:19]
    lines = [json.dumps(record, ensure_ascii=False) for record in chosen]
    path.write_text("\n".join([*lines, "no JSON", ""]), "utf-8")
    return path


def results(folder):
    found = {name: (folder / name).read_bytes() for name in pipeline.RESULTS}
    record = json.loads((folder / "run.json").read_text("utf-8"))
    record.pop("environment")
    return found | {"run.json": record}


def run(news, folder, see="None", **environment):
    """The run in a process of its own, whose environment differs in one thing; ``see`` proves that it does."""
    code = (
        "import json, locale, os, sys, time\n"
        f"from toolkit import pipeline\npipeline.run(sys.argv[1], sys.argv[2])\nprint(json.dumps({see}))\n"
    )
    base = {name: value for name, value in os.environ.items() if name not in VARIED}
    done = subprocess.run(
        [sys.executable, "-c", code, news, folder],
        capture_output=True, text=True, check=False, env=base | {"PYTHONHASHSEED": "0"} | environment,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout), results(folder)


@pytest.fixture(scope="session")
def reference(news, tmp_path_factory):
    single = {"NUMBA_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    return run(news, tmp_path_factory.mktemp("reference"), TZ="UTC", LC_ALL="C.UTF-8", **single)[1]


def test_the_corpus_is_worth_comparing(reference):
    counts = reference["run.json"]["counts"]
    assert counts["in"] == counts["kept"] + 1
    assert len(counts["removed"]) >= 5
    assert len(counts["topics"]) >= 5


def test_hash_seed(news, reference, tmp_path):
    seen, found = run(news, tmp_path, "hash('news')", PYTHONHASHSEED="4242")
    other = subprocess.run(
        [sys.executable, "-c", "print(hash('news'))"],
        env=os.environ | {"PYTHONHASHSEED": "0"}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert seen != int(other.stdout)
    assert found == reference


def test_locale(news, reference, tmp_path):
    plain = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    seen, found = run(news, tmp_path, "locale.getpreferredencoding(False)", **plain)
    assert seen.upper() not in {"UTF-8", locale.getpreferredencoding(False).upper()}
    assert found == reference


def test_time_zone(news, reference, tmp_path):
    seen, found = run(news, tmp_path, "time.timezone", TZ="Pacific/Chatham")
    assert seen == -(12 * 60 + 45) * 60
    assert found == reference


def test_thread_count(news, reference, tmp_path):
    three = {"NUMBA_NUM_THREADS": "3", "OMP_NUM_THREADS": "3", "OPENBLAS_NUM_THREADS": "3"}
    threads = "[__import__('numba').config.NUMBA_NUM_THREADS, __import__('pyarrow').cpu_count()]"
    seen, found = run(news, tmp_path, threads, **three)
    assert seen == [3, 3]
    assert found == reference


def test_another_cpu_kernel(news, reference, tmp_path):
    """The libraries take the code paths of an older processor, and our kernels are compiled for any."""
    from numpy._core import _multiarray_umath as kernels

    dispatched = [name for name in kernels.__cpu_dispatch__ if kernels.__cpu_features__.get(name)]
    older = {
        "OPENBLAS_CORETYPE": "Nehalem" if platform.machine() in {"x86_64", "AMD64"} else "ARMV8",
        "NPY_DISABLE_CPU_FEATURES": " ".join(dispatched),
        "ARROW_USER_SIMD_LEVEL": "NONE",
        "NUMBA_CPU_NAME": "generic",
        "NUMBA_CPU_FEATURES": "",
    }
    used = "[name for name, there in __import__('numpy')._core._multiarray_umath.__cpu_features__.items() if there]"
    seen, found = run(news, tmp_path, used, **older)
    assert not set(dispatched) & set(seen)
    assert found == reference


def test_batch_size(news, reference, tmp_path):
    pipeline.run(news, tmp_path, rows=3)
    assert results(tmp_path) == reference


def test_process_count(news, reference, tmp_path):
    pipeline.run(news, tmp_path, rows=7, n_jobs=2)
    assert results(tmp_path) == reference


def test_the_matrix_sees_other_rows_and_other_bytes_of_one_writer(news, tmp_path):
    """``make matrix`` compares the results of Python 3.11, 3.12 and 3.13, of which the lowest has another pyarrow."""
    one, two = tmp_path / "one", tmp_path / "two"
    pipeline.run(news, one)
    shutil.copytree(one, two)
    assert not differences(one, two)
    table = parquet.read_table(two / "spans.parquet")

    def rewritten(table, **versions):
        parquet.write_table(table, two / "spans.parquet", compression="none")
        record = json.loads((one / "run.json").read_text("utf-8"))
        record["outputs"]["spans.parquet"] = sha256(two / "spans.parquet")
        record["versions"] |= versions
        (two / "run.json").write_text(json.dumps(record), "utf-8")
        return differences(one, two)

    assert not rewritten(table, pyarrow="0.1")
    assert "other bytes" in rewritten(table)[0]
    scores = pa.array([0.5, *table["score"].to_pylist()[1:]])
    other = table.set_column(table.column_names.index("score"), "score", scores)
    assert f"1 of {len(table)} rows differ in score" in rewritten(other, pyarrow="0.1")[0]


def test_a_run_draws_no_random_numbers(news, reference, tmp_path, monkeypatch):
    def drawn(*_, **__):
        pytest.fail("a random number was drawn")

    monkeypatch.setattr(np.random, "default_rng", drawn)
    before = _states()
    pipeline.run(news, tmp_path)
    assert _states() == before
    assert results(tmp_path) == reference


def _states():
    old = np.random.get_state()  # noqa: NPY002 - what a library might still draw from
    return random.getstate(), old[1].tobytes(), old[2:]
