"""Share and apply: no text leaves, and another copy of the texts gets the same results."""

import contextlib
import json
import re
import shutil
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet
from typer.testing import CliRunner

import toolkit
from toolkit import cli, pipeline, sharing
from toolkit.errors import ToolkitError
from toolkit.files import shipped

TEXTS = [
    f"The harbour council voted on plan {n} for the old quay. It will spend {n} million.\n\n"
    "Sign up for our daily newsletter and follow us on Twitter."
    for n in range(6)
]
TEXTS += [
    "Le match a été gagné 3–1 par l’équipe.\r\n\r\nPartagez sur Facebook \U0001f600",
    "",
    "404 Not Found",
]


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """Results of nine documents, two publishers with one text, and the corpus that was read."""
    home = tmp_path_factory.mktemp("shared")
    rows = [{"id": f"d{n}", "text": text, "url": f"https://a.example/{n}"} for n, text in enumerate(TEXTS)]
    rows.append({"id": "copy", "text": TEXTS[0], "url": "https://b.example/0"})
    (home / "in.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    pipeline.run(home / "in.jsonl", home / "out")
    sharing.share(home / "out", home / "cleaning.parquet")
    return home


@pytest.fixture
def corpus(results):
    return pd.read_parquet(results / "out" / "cleaned.parquet").drop(columns="clean_text")


def test_the_same_texts_get_the_same_results_whatever_their_ids(results, corpus):
    there = pd.read_parquet(results / "out" / "cleaned.parquet")
    verdicts = pd.read_parquet(results / "out" / "verdicts.parquet")
    topics = pd.read_parquet(results / "out" / "topics.parquet")
    for mine in (
        corpus,
        corpus.sample(frac=1, random_state=3),
        corpus.assign(doc_id=corpus["doc_id"] + "-mine"),
    ):
        applied = toolkit.apply(results / "cleaning.parquet", mine)
        assert applied.index.tolist() == mine.index.tolist()
        assert applied["doc_id"].tolist() == mine["doc_id"].tolist()
        back = applied.sort_index()
        assert back["clean_text"].tolist() == there["clean_text"].tolist()
        assert back["verdict"].tolist() == verdicts["verdict"].tolist()
        codes = topics.groupby("doc_id")["topic"].agg("; ".join).reindex(there["doc_id"])
        assert back["topics"].fillna("").tolist() == codes.fillna("").tolist()
        assert not len(applied.attrs["others"])


def test_documents_that_differ_are_listed_each_with_its_reason(results, corpus):
    mine = corpus.copy()
    mine.loc[1, "text"] += "!"
    mine.loc[2, ["doc_id", "text"]] = ["other", "Snow fell."]
    applied = toolkit.apply(results / "cleaning.parquet", mine.drop(3))
    assert applied["doc_id"].tolist() == ["d0", "d4", "d5", "d6", "d8", "copy"]
    others = applied.attrs["others"]
    assert dict(zip(others["doc_id"], others["reason"], strict=True)) == {
        "d1": "text differs", "other": "text is not shared", "d2": "not in this corpus", "d3": "not in this corpus",
    }  # fmt: skip
    # its id stands here beside a text that the file knows by another id: the document itself is missing all the same
    mine = corpus.iloc[[1]].assign(doc_id="d2")
    applied = toolkit.apply(results / "cleaning.parquet", mine)
    missing = applied.attrs["others"].frame.set_index("doc_id")["reason"]
    assert (applied["doc_id"].tolist(), missing["d2"]) == (["d2"], "not in this corpus")
    none = toolkit.apply(results / "cleaning.parquet", ["Snow fell."])
    assert (len(none), list(none.columns)) == (0, list(applied.columns))


def test_no_text_title_address_or_place_is_in_the_file(results):
    raw = (results / "cleaning.parquet").read_bytes()
    table = parquet.read_table(results / "cleaning.parquet")
    shown = raw.decode("latin-1") + json.dumps(table.to_pylist(), default=str) + str(table.schema.metadata)
    words = {word for text in TEXTS for word in re.findall(r"\w{6,}", text)}
    assert not [word for word in words if word in shown]
    assert not [place for place in (str(results), "a.example", "b.example") if place in shown]


def test_the_same_results_give_the_same_bytes_and_licence_and_provenance_are_inside(results, tmp_path):
    again = toolkit.share(results / "out", tmp_path / "again.parquet")
    assert again.read_bytes() == (results / "cleaning.parquet").read_bytes()
    toolkit.share(results / "out", again, licence="CC-BY-4.0")
    about = sharing.read_cleaning(again).about
    record = json.loads((results / "out" / "run.json").read_text("utf-8"))
    assert about["licence"] == "CC-BY-4.0"
    assert about["record"]["models"] == record["models"]
    assert about["record"]["counts"] == record["counts"]
    assert "environment" not in about["record"]


def _changed(path, **columns):
    """Write a shared file again with other values, as someone who meddles would."""
    table = parquet.read_table(path)
    for name, values in columns.items():
        where = table.schema.get_field_index(name)
        table = table.set_column(where, name, pa.array(values, table.schema.field(where).type))
    parquet.write_table(table, path, use_dictionary=False)


def test_a_file_that_share_did_not_write_is_refused_in_one_line(results, tmp_path, corpus):
    path = tmp_path / "cleaning.parquet"
    raw = (results / "cleaning.parquet").read_bytes()
    rows = parquet.read_table(results / "cleaning.parquet").to_pylist()
    span = {"start": 0, "end": 5, "kind": "promo", "score": 0.5, "evidence": "model", "template_id": None}

    def spans(**changes):
        return lambda: _changed(path, spans=[[span | changes], *[row["spans"] for row in rows[1:]]])

    def plain(table):
        return lambda: parquet.write_table(table, path)

    def about(**change):
        table = parquet.read_table(results / "cleaning.parquet")
        held = json.loads(table.schema.metadata[b"news-toolkit"]) | change
        again = table.replace_schema_metadata({"news-toolkit": json.dumps(held)})
        return lambda: parquet.write_table(again, path, use_dictionary=False)

    verdict = {"verdict": "fine", "probability": 1.0, "kept": 1.0}
    harms = [
        *(spans(**change) for change in (
            {"kind": "\x1b[31m"}, {"evidence": "x"}, {"template_id": "zz"}, {"score": float("nan")}, {"score": 2.0},
            {"end": 10**9}, {"start": -1}, {"start": 5}, {"start": None}, {"kind": None},
        )),
        lambda: _changed(path, spans=[[span, span], *[row["spans"] for row in rows[1:]]]),
        lambda: _changed(path, verdict=[verdict] * len(rows)),
        lambda: _changed(path, verdict=[None] * len(rows)),
        lambda: _changed(path, doc_id=["a"] * len(rows)),
        lambda: _changed(path, sha256=["A" * 64] * len(rows)),
        lambda: _changed(path, topics=[[{"topic": None, "name": "x", "probability": 1.0}]] * len(rows)),
        plain(pa.table({"a": [1]})), plain(pa.Table.from_pylist(rows, sharing.SCHEMA)),
        *(about(**change) for change in (
            {"record": {}}, {"record": None}, {"record": {"parameters": []}}, {"licence": None}, {"licence": ["MIT"]},
        )),
        lambda: path.write_bytes(b""), lambda: path.write_text('{"format": 1}'),
        *((lambda n=n: path.write_bytes(raw[: n * len(raw) // 9])) for n in range(9)),
        lambda: (path.unlink(), path.mkdir()),
    ]  # fmt: skip
    faults = []
    for number, harm in enumerate(harms):
        path.write_bytes(raw)
        harm()
        try:
            toolkit.apply(path, corpus)
            faults.append((number, "taken"))
        except ToolkitError as error:
            message = str(error)
            if "\n" in message or "\x1b" in message or str(path) not in message:
                faults.append((number, message))
    assert not faults


def test_bytes_changed_anywhere_are_refused_or_fit(results, tmp_path, corpus):
    path, raw = tmp_path / "cleaning.parquet", (results / "cleaning.parquet").read_bytes()
    for place in range(0, len(raw), max(1, len(raw) // 300)):
        path.write_bytes(raw[:place] + bytes([raw[place] ^ 0x55]) + raw[place + 1 :])
        with contextlib.suppress(ToolkitError):
            toolkit.apply(path, corpus)


def test_results_that_are_not_those_of_the_record_are_not_shared(results, tmp_path):
    shutil.copytree(results / "out", tmp_path / "out")
    table = parquet.read_table(tmp_path / "out" / "spans.parquet")
    parquet.write_table(table.slice(1), tmp_path / "out" / "spans.parquet")
    with pytest.raises(ToolkitError, match=r"spans\.parquet: not what run\.json states"):
        toolkit.share(tmp_path / "out", tmp_path / "c.parquet")
    with pytest.raises(ToolkitError, match=r"no run\.json"):
        toolkit.share(results, tmp_path / "c.parquet")
    for bad in (results / "out" / "c.parquet", tmp_path / "c.csv", tmp_path):
        with pytest.raises(ToolkitError):
            toolkit.share(results / "out", bad)


def test_the_commands(results, tmp_path):
    def call(*args):
        done = CliRunner().invoke(cli.app, [str(a) for a in args], catch_exceptions=False)
        return done.exit_code, done.stdout, done.stderr

    shared = tmp_path / "c.parquet"
    assert call("share", results / "out", "-o", shared) == (0, f"written      {shared}\n", "")
    (tmp_path / "mine.csv").write_text('id,body\nx,"' + TEXTS[1] + '"\ny,Snow fell.\nz,too,many\n', "utf-8")
    code, out, err = call(
        "apply", shared, tmp_path / "mine.csv", "-o", tmp_path / "o.csv", "--others", tmp_path / "rest.csv",
        "-c", "text=body",
    )  # fmt: skip
    assert (code, err) == (0, "")
    assert "documents    1 of 2 have the shared text" in out
    assert "not in this corpus 8, text is not shared 1\nquarantined  1 records; --others lists them" in out
    assert pd.read_csv(tmp_path / "o.csv")["clean_text"].tolist() == [TEXTS[1].split("\n\n")[0]]
    rest = pd.read_csv(tmp_path / "rest.csv")
    assert len(rest) == 10
    assert rest.iloc[-1].tolist() == ["mine.csv#3", "3 fields where the header has 2"]
    (tmp_path / "bad.jsonl").write_text("{bad", "utf-8")
    code, out, err = call("apply", shared, tmp_path / "bad.jsonl", "-o", tmp_path / "none.csv")
    assert (code, out, (tmp_path / "none.csv").exists()) == (2, "", False)
    assert err.startswith("news-toolkit: bad.jsonl#1: not valid JSON")
    code, out, err = call("apply", tmp_path / "mine.csv", tmp_path / "mine.csv", "-o", tmp_path / "p.csv")
    assert (code, out, err.count("\n")) == (2, "", 1)


def test_repaired_texts_match_where_the_copy_is_repaired_too(tmp_path):
    text = "It&#39;s raining in the port, the council says.\n\nShare on Facebook"
    (tmp_path / "a.jsonl").write_text(json.dumps({"id": "a", "text": text}), "utf-8")
    pipeline.run(tmp_path / "a.jsonl", tmp_path / "out", repair=True)
    shared = toolkit.share(tmp_path / "out", tmp_path / "c.parquet")
    told = sharing.apply_files(shared, [tmp_path / "a.jsonl"], tmp_path / "mine.parquet")
    assert "1 of 1 have the shared text" in told


def test_the_sample_comes_back_whole(tmp_path):
    sample = shipped("sample") / "articles.jsonl.gz"
    pipeline.run(sample, tmp_path / "out", duplicates=False)
    applied = toolkit.apply(toolkit.share(tmp_path / "out", tmp_path / "c.parquet"), toolkit.load(sample))
    there = pd.read_parquet(tmp_path / "out" / "cleaned.parquet")
    assert applied["clean_text"].tolist() == there["clean_text"].tolist()


def test_the_page_on_sharing_runs_from_top_to_bottom(tmp_path, monkeypatch):
    page = (Path(__file__).parent.parent / "docs" / "sharing.md").read_text("utf-8")
    monkeypatch.chdir(tmp_path)
    shutil.copy(shipped("sample") / "articles.jsonl.gz", tmp_path)
    names = {}
    for block in re.findall(r"^```python\n(.*?)^```", page, re.MULTILINE | re.DOTALL):
        exec(compile(block, "docs/sharing.md", "exec"), names)
    assert set(re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE)) == set(sharing.SCHEMA.names)
