import gzip
import json
import shutil

import pyarrow as pa
import pytest
from pyarrow import parquet
from typer.testing import CliRunner

from toolkit import cli, pipeline, verification
from toolkit.errors import VerificationError
from toolkit.files import shipped
from toolkit.verification import ABSENT, verify

SAMPLE = shipped("sample") / "articles.jsonl.gz"


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    """Inputs and results of twelve articles and a broken record, side by side."""
    home = tmp_path_factory.mktemp("home")
    lines = gzip.decompress(SAMPLE.read_bytes()).decode().splitlines()[:12]
    (home / "news").mkdir()
    (home / "news" / "a.jsonl").write_text("\n".join([*lines[:8], "no JSON", ""]), "utf-8")
    (home / "news" / "b.jsonl").write_text("\n".join([*lines[8:], ""]), "utf-8")
    pipeline.run(
        [home / "news" / "a.jsonl", home / "news" / "b.jsonl"], home / "out", remove=["promo", "notice"]
    )
    return home


@pytest.fixture
def home(original, tmp_path):
    """A copy elsewhere that a test may harm."""
    shutil.copytree(original, tmp_path / "home")
    return tmp_path / "home"


def told(found):
    return [(check.part, check.name) for check in found.differences]


def change(path, **values):
    record = json.loads(path.read_text("utf-8"))
    record.update(values)
    path.write_text(json.dumps(record), "utf-8")


def edit(path, column, row, value):
    """Change one value of a result, as someone who meddles would."""
    table = parquet.read_table(path)
    values = table[column].to_pylist()
    values[row] = value
    where = table.schema.get_field_index(column)
    changed = table.set_column(where, column, pa.array(values, table.schema.field(where).type))
    parquet.write_table(changed, path)


def test_a_sound_folder_holds_also_after_a_move(home):
    found = verify(home / "out")
    assert not found.differences
    assert {check.part for check in found} == set(verification.PARTS[:7])
    assert [line.split()[0] for line in str(found).splitlines()] == list(verification.PARTS[:7])
    assert "inputs    2 of 2 as recorded" in str(found)


def test_the_record_names_no_folder_of_the_machine(original):
    record = json.loads((original / "out" / "run.json").read_text("utf-8"))
    assert record["environment"]["inputs"] == ["../news/a.jsonl", "../news/b.jsonl"]
    assert record["seeds"] == []
    assert "command" in record["environment"]


def test_a_rerun_gives_the_same_bytes_with_the_recorded_parameters(home):
    found = verify(home / "out", rerun=True)
    assert not found.differences
    assert [check.name for check in found if check.part == "rerun"] == list(pipeline.RESULTS)
    assert str(found).endswith("rerun     6 of 6 as recorded")


def test_one_character_changed_in_an_output_is_found(home):
    path = home / "out" / "cleaned.parquet"
    text = parquet.read_table(path)["clean_text"][3].as_py()
    edit(path, "clean_text", 3, text + "!")
    doc_id = parquet.read_table(path)["doc_id"][3].as_py()
    found = verify(home / "out", rerun=True)
    assert told(found) == [
        ("outputs", "cleaned.parquet"),
        ("rows", "clean_text"),
        ("rerun", "cleaned.parquet"),
    ]
    assert found.differences[2].found == f"1 of 12 rows differ in clean_text, first {doc_id}"


def test_rows_lost_and_the_record_mended_to_fit_are_found(home):
    path = home / "out" / "cleaned.parquet"
    parquet.write_table(parquet.read_table(path).slice(1), path)
    record = json.loads((home / "out" / "run.json").read_text("utf-8"))
    record["outputs"]["cleaned.parquet"] = verification.sha256(path)
    change(home / "out" / "run.json", outputs=record["outputs"])
    found = verify(home / "out")
    assert told(found)[:4] == [("record", "digest"), *(("counts", n) for n in ("in", "kept", "characters"))]
    again = verify(home / "out", rerun=True).differences[-1]
    assert again.found == "12 rows in place of 11"


@pytest.mark.parametrize("name", pipeline.RESULTS)
@pytest.mark.parametrize("harm", ["gone", "cut"])
def test_an_output_that_is_gone_or_cut_off_is_found(home, name, harm):
    path = home / "out" / name
    if harm == "gone":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:-8])
    found = verify(home / "out")
    check = found.differences[0]
    assert (check.part, check.name) == ("outputs", name)
    assert (check.found == ABSENT) == (harm == "gone")


def test_changed_and_missing_inputs_are_found(home):
    a = home / "news" / "a.jsonl"
    a.write_text(a.read_text("utf-8").replace("no JSON", "no JSON!"), "utf-8")
    (home / "news" / "b.jsonl").unlink()
    found = verify(home / "out")
    assert told(found) == [("inputs", "a.jsonl"), ("inputs", "b.jsonl")]
    assert found.differences[1].found == ABSENT
    again = verify(home / "out", rerun=True).differences[-1]
    assert (again.part, again.name) == ("rerun", "run")
    assert "the inputs are not those of the run" in again.found


def test_inputs_that_moved_are_named_by_the_caller(home, tmp_path):
    (home / "news").rename(tmp_path / "elsewhere")
    assert told(verify(home / "out")) == [("inputs", "a.jsonl"), ("inputs", "b.jsonl")]
    places = [tmp_path / "elsewhere" / "a.jsonl", tmp_path / "elsewhere" / "b.jsonl"]
    assert not verify(home / "out", places).differences
    assert told(verify(home / "out", places[:1])) == [("inputs", "b.jsonl")]


def test_a_saved_remover_is_an_input_too(home):
    from toolkit import BoilerplateRemover, load

    saved = home / "index.parquet"
    BoilerplateRemover().fit(load(home / "news")).save(saved)
    pipeline.run(home / "news" / "a.jsonl", home / "with", index=saved)
    assert not verify(home / "with", index=saved, rerun=True).differences
    assert told(verify(home / "with", rerun=True)) == [("inputs", "index"), ("rerun", "run")]
    assert told(verify(home / "out", index=saved)) == [("inputs", "index")]


def test_other_models_and_versions_are_found(home, monkeypatch):
    monkeypatch.setattr(verification, "models", lambda: {"boilerplate.npz": "0" * 64})
    monkeypatch.setattr(verification, "versions", lambda: {**pipeline_versions(home), "numpy": "9.9"})
    found = verify(home / "out")
    assert ("versions", "numpy") in told(found)
    assert ("models", "boilerplate.npz") in told(found)
    assert "boilerplate.npz: recorded " in str(found)
    assert ", found 000000000000\n" in str(found)


def pipeline_versions(home):
    return json.loads((home / "out" / "run.json").read_text("utf-8"))["versions"]


def test_a_digit_in_the_record_is_found(home):
    record = json.loads((home / "out" / "run.json").read_text("utf-8"))
    kind = next(iter(record["counts"]["removed"]))
    record["counts"]["removed"][kind] += 1
    change(home / "out" / "run.json", counts=record["counts"])
    assert told(verify(home / "out")) == [("record", "digest"), ("counts", f"removed: {kind}")]


def test_the_same_rows_in_other_bytes_are_distinguished(home):
    path = home / "out" / "topics.parquet"
    parquet.write_table(parquet.read_table(path), path, compression="snappy")
    found = verify(home / "out", rerun=True).differences
    assert found[-1].found.startswith("other bytes, but the same rows")


def test_nothing_is_written_into_the_folder(home):
    before = {p: p.stat().st_mtime_ns for p in home.rglob("*")}
    verify(home / "out", rerun=True)
    assert {p: p.stat().st_mtime_ns for p in home.rglob("*")} == before


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", '{"outputs": 3}', '{"outputs": {}, "counts": []}', "\x00"]
)
def test_a_damaged_record_is_reported_in_one_line(tmp_path, text):
    (tmp_path / "run.json").write_text(text)
    with pytest.raises(VerificationError, match=r"run\.json: ") as caught:
        verify(tmp_path)
    assert "\n" not in str(caught.value)


def test_a_hostile_record_reaches_no_terminal(home):
    change(home / "out" / "run.json", models={"\x1b[31m": "\x1b]0;x\x07"})
    assert "\x1b" not in str(verify(home / "out"))


def test_the_command_says_what_differs_and_its_exit_code(home):
    def call(*args):
        done = CliRunner().invoke(cli.app, ["verify", *[str(a) for a in args]], catch_exceptions=False)
        return done.exit_code, done.stdout, done.stderr

    code, out, err = call(home / "out", "--rerun")
    assert (code, err) == (0, "")
    assert len(out.splitlines()) == 8
    (home / "out" / "spans.parquet").unlink()
    code, out, err = call(home / "out")
    assert (code, err) == (1, "")
    assert "          spans.parquet: recorded " in out
    assert "found (absent)" in out
    code, out, err = call(home)
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert "no run.json, so no finished run" in err
