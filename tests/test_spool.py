import gzip
import json

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from toolkit import spool
from toolkit.errors import SpoolError
from toolkit.spool import Spool, whole, write_rows


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


def test_parts_and_notes_survive_for_the_same_key_only(tmp_path):
    first = Spool(tmp_path / "p", {"input": 1})
    first.write("corpus", 0, table(1, 2))
    first.note(parts=[2])
    first.release()
    again = Spool(tmp_path / "p", {"input": 1})
    assert again.resumed
    assert again.notes == {"parts": [2]}
    assert again.read("corpus", 0)["n"].to_pylist() == [1, 2]
    again.release()
    other = Spool(tmp_path / "p", {"input": 2})
    assert not other.resumed
    assert not other.path("corpus", 0).exists()
    other.close()
    assert not (tmp_path / "p").exists()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"key": 1}', "\x00"])
def test_a_damaged_manifest_means_starting_again(tmp_path, text):
    (tmp_path / "p").mkdir()
    (tmp_path / "p" / "manifest.json").write_text(text)
    (tmp_path / "p" / "corpus-000000.parquet").write_text("old")
    fresh = Spool(tmp_path / "p", {})
    assert not fresh.resumed
    assert not fresh.path("corpus", 0).exists()
    fresh.release()


def test_a_linked_folder_is_refused(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "precious").write_text("x")
    (tmp_path / "p").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(SpoolError, match="is a link"):
        Spool(tmp_path / "p", {})
    assert (tmp_path / "elsewhere" / "precious").exists()


def test_two_jobs_do_not_share_a_folder(tmp_path):
    holder = Spool(tmp_path / "p", {})
    with pytest.raises(SpoolError, match="another run is writing there"):
        Spool(tmp_path / "p", {})
    holder.release()
    Spool(tmp_path / "p", {}).close()


@given(st.lists(st.integers(0, 7), min_size=1, max_size=6), st.sampled_from(spool.ENDINGS))
def test_bytes_do_not_depend_on_how_rows_are_cut(tmp_path_factory, sizes, ending):
    folder = tmp_path_factory.mktemp("rows")
    values, cut, at = list(range(sum(sizes))), [], 0
    for size in sizes:
        cut.append(table(*values[at : at + size]))
        at += size
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spool, "ROW_GROUP", 3)
        assert write_rows(cut, folder / f"a{ending}") == len(values)
        assert write_rows([table(*values)], folder / f"b{ending}") == len(values)
    assert (folder / f"a{ending}").read_bytes() == (folder / f"b{ending}").read_bytes()


def test_formats_hold_the_rows(tmp_path):
    rows = pa.table({"s": pa.array(['a,"b"\nc', "é", None], pa.large_string())})
    for ending in spool.ENDINGS:
        write_rows([rows], tmp_path / f"x{ending}")
    assert parquet.read_table(tmp_path / "x.parquet").equals(rows)
    assert pd.read_csv(tmp_path / "x.csv")["s"].tolist()[:2] == ['a,"b"\nc', "é"]
    lines = gzip.decompress((tmp_path / "x.jsonl.gz").read_bytes()).decode().splitlines()
    assert [json.loads(line)["s"] for line in lines] == ['a,"b"\nc', "é", None]


def test_an_unknown_ending_is_named_before_anything_is_written(tmp_path):
    with pytest.raises(SpoolError, match=r"x\.doc: unknown ending; use \.parquet"):
        write_rows([table(1)], tmp_path / "x.doc")
    assert not list(tmp_path.iterdir())
