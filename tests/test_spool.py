import gzip
import json
import os
import subprocess
import sys
from contextlib import contextmanager

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from toolkit import files
from toolkit.errors import SpoolError
from toolkit.files import whole, write_rows
from toolkit.jobs.spool import Spool, claim
from toolkit.jobs.storage import Files


def table(*values):
    return pa.table(
        {"n": pa.array(values, pa.int64()), "s": pa.array([str(v) for v in values], pa.large_string())}
    )


def test_whole_leaves_the_old_file_where_the_new_one_fails(tmp_path):
    path = tmp_path / "a"
    path.write_text("old")
    with pytest.raises(UnicodeEncodeError), whole(path) as temporary:
        temporary.write_text("half \ud800", "utf-8")
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


@contextmanager
def claimed(folder, key="a"):
    lock = claim(folder, key)
    yield Spool(Files(str(folder)))
    os.close(lock)


def test_parts_and_notes_survive_for_the_same_key_only(tmp_path):
    with claimed(tmp_path / "p") as first:
        part = first.once("one", lambda: {"name": "0", "corpus": first.write("corpus", "0", table(1, 2))})
    with claimed(tmp_path / "p") as again:
        assert again.once("one", lambda: pytest.fail("done twice")) == part
        assert again.table("corpus", part)["n"].to_pylist() == [1, 2]
    with claimed(tmp_path / "p", "b") as other:
        assert other.note("one") is None
        assert not other.files.has("corpus-0.parquet")


ON_THIS_THREAD = """
import os, sys
from toolkit.jobs.spool import Spool
from toolkit.jobs.storage import Files
import pyarrow as pa
spool = Spool(Files(sys.argv[1]))
part = {"name": "0", "corpus": spool.write("corpus", "0", pa.table({"n": [1], "s": ["a"]}))}
before = len(os.listdir("/proc/self/task"))
assert spool.table("corpus", part, ["s"]).to_pylist() == [{"s": "a"}]
print(len(os.listdir("/proc/self/task")) - before)
"""


@pytest.mark.skipif(not os.path.isdir("/proc/self/task"), reason="threads are counted in /proc, on Linux")  # noqa: PTH112
def test_a_part_is_read_on_the_thread_that_asks(tmp_path):
    """A thread of Arrow that let go of its bytes when Python had ended took some 3 % of short commands down."""
    done = subprocess.run(
        [sys.executable, "-c", ON_THIS_THREAD, tmp_path], capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr) == ("0\n", "")


def test_a_lock_that_was_removed_meanwhile_is_none(tmp_path, monkeypatch):
    """A run opens the lock of one that ends and removes its folder; a third has the lock of a new folder by then."""
    fcntl = pytest.importorskip("fcntl")
    real = fcntl.flock
    for left in ("", "new"):

        def flock(*given, left=left):
            (tmp_path / "p" / "lock").unlink()
            if left:
                (tmp_path / "p" / "lock").write_text(left)
            real(*given)

        monkeypatch.setattr(fcntl, "flock", flock)
        with pytest.raises(SpoolError, match="another run is writing there"):
            claim(tmp_path / "p", "a")


@pytest.mark.parametrize("text", ["", "{", "[]", '{"key": 1}', "\x00"])
def test_a_damaged_manifest_means_starting_again(tmp_path, text):
    (tmp_path / "p").mkdir()
    (tmp_path / "p" / "manifest.json").write_text(text)
    (tmp_path / "p" / "corpus-0.parquet").write_text("old")
    with claimed(tmp_path / "p") as fresh:
        assert not fresh.files.has("corpus-0.parquet")


def exchanged(folder):
    (folder / "corpus-1.parquet").replace(folder / "corpus-0.parquet")


def absent(folder):
    (folder / "corpus-0.parquet").unlink()


def rewritten(folder):
    parquet.write_table(table(1, 3), folder / "corpus-0.parquet")


@pytest.mark.parametrize("harm", [exchanged, absent, rewritten])
def test_a_part_that_is_not_the_one_written_is_named(tmp_path, harm):
    with claimed(tmp_path / "p") as spool:
        parts = [{"name": str(n), "corpus": spool.write("corpus", str(n), table(n, 2))} for n in range(2)]
        harm(tmp_path / "p")
        with pytest.raises(
            SpoolError, match=r"corpus-0\.parquet: this part of an interrupted run is damaged"
        ):
            list(spool.tables("corpus", parts))


@pytest.mark.parametrize("text", ["", "{", "[1]"])
def test_a_damaged_note_is_named(tmp_path, text):
    with claimed(tmp_path / "p") as spool:
        (tmp_path / "p" / "done-0.json").write_text(text)
        with pytest.raises(SpoolError, match=r"done-0\.json: this part of an interrupted run is damaged"):
            spool.once("done-0", dict)


def test_a_linked_folder_is_refused(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "precious").write_text("x")
    (tmp_path / "p").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(SpoolError, match="is a link"):
        claim(tmp_path / "p", "a")
    assert (tmp_path / "elsewhere" / "precious").exists()


def test_two_jobs_do_not_share_a_folder(tmp_path):
    with claimed(tmp_path / "p"), pytest.raises(SpoolError, match="another run is writing there"):
        claim(tmp_path / "p", "a")
    with claimed(tmp_path / "p"):
        pass


@given(st.lists(st.integers(0, 7), min_size=1, max_size=6), st.sampled_from(files.ENDINGS))
def test_bytes_do_not_depend_on_how_rows_are_cut(tmp_path_factory, sizes, ending):
    folder = tmp_path_factory.mktemp("rows")
    values, cut, at = list(range(sum(sizes))), [], 0
    for size in sizes:
        cut.append(table(*values[at : at + size]))
        at += size
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(files, "ROW_GROUP", 3)
        assert write_rows(cut, folder / f"a{ending}") == len(values)
        assert write_rows([table(*values)], folder / f"b{ending}") == len(values)
    assert (folder / f"a{ending}").read_bytes() == (folder / f"b{ending}").read_bytes()


def test_formats_hold_the_rows(tmp_path):
    rows = pa.table({"s": pa.array(['a,"b"\nc', "é", None], pa.large_string())})
    for ending in files.ENDINGS:
        write_rows([rows], tmp_path / f"x{ending}")
    assert parquet.read_table(tmp_path / "x.parquet").equals(rows)
    assert pd.read_csv(tmp_path / "x.csv")["s"].tolist()[:2] == ['a,"b"\nc', "é"]
    lines = gzip.decompress((tmp_path / "x.jsonl.gz").read_bytes()).decode().splitlines()
    assert [json.loads(line)["s"] for line in lines] == ['a,"b"\nc', "é", None]


def test_an_unknown_ending_is_named_before_anything_is_written(tmp_path):
    with pytest.raises(SpoolError, match=r"x\.doc: unknown ending; use \.parquet"):
        write_rows([table(1)], tmp_path / "x.doc")
    assert not list(tmp_path.iterdir())
