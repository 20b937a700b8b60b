"""load and iter_batches: every format gives the same corpus, and nothing depends on the batch size."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import json
import lzma
import sys
import tarfile
import zipfile

import pandas as pd
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet
import pytest

from toolkit.corpus import COLUMNS, PUBLISHED_DTYPE, as_corpus, quarantine
from toolkit.errors import LoadError
from toolkit.loading import iter_batches, load

RECORDS = [
    {
        "id": f"a{i}",
        "title": f"Title {i}",
        "body": f"Straße {i}, “quoted”,\nand a second line; with | and \t in it 🙂.",
        "url": f"https://www.example.co.uk/{i}",
        "date": f"2021-03-0{i}T10:00:00+02:00",
        "topic": "sport",
    }
    for i in range(1, 6)
]
PAGE = (
    "<html lang='en'><head><title>A vote</title><link rel='canonical' href='https://www.example.org/a'>"
    "<meta property='article:published_time' content='2020-02-03T10:00:00Z'></head>"
    "<body><article><h1>A vote</h1>"
    + "".join(f"<p>Paragraph {i}: the council voted today on the plan for the harbour.</p>" for i in range(8))
    + "</article></body></html>"
)


def jsonl(records=RECORDS):
    return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records).encode()


def delimited(separator):
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, RECORDS[0], delimiter=separator)
    writer.writeheader()
    writer.writerows(RECORDS)
    return out.getvalue().encode()


def arrow(writer):
    out = io.BytesIO()
    writer(pa.Table.from_pylist(RECORDS), out)
    return out.getvalue()


def ipc_stream(table, out):
    with pa.ipc.new_stream(out, table.schema) as writer:
        writer.write_table(table)


FORMATS = {
    "a.jsonl": jsonl(),
    "a.ndjson": jsonl().replace(b"\n", b"\r\n"),
    "bom.jsonl": b"\xef\xbb\xbf" + jsonl(),
    "utf16.jsonl": jsonl().decode().encode("utf-16"),
    "escaped.jsonl": "".join(json.dumps(record) + "\n" for record in RECORDS).encode(),
    "blank_lines.jsonl": jsonl().replace(b"\n", b"\n\n"),
    "a.json": json.dumps(RECORDS).encode(),
    "pretty.json": json.dumps(RECORDS, indent=2).encode(),
    "lines.json": jsonl(),
    "wrapped.json": json.dumps({"status": "ok", "articles": RECORDS, "n": 5}).encode(),
    "deep.json": json.dumps(
        {"took": 1, "hits": {"total": 5, "hits": [{"_source": r} for r in RECORDS]}}
    ).encode(),
    "comma.csv": delimited(","),
    "semicolon.csv": delimited(";"),
    "pipe.csv": delimited("|"),
    "a.tsv": delimited("\t"),
    "bom.csv": b"\xef\xbb\xbf" + delimited(","),
    "utf16.csv": delimited(",").decode().encode("utf-16"),
    "a.parquet": arrow(pa.parquet.write_table),
    "a.feather": arrow(pa.feather.write_feather),
    "stream.arrow": arrow(ipc_stream),
}
PACKERS = {
    "": bytes,
    ".gz": gzip.compress,
    ".zst": lambda data: pa.compress(data, "zstd", asbytes=True),
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
}


def write(folder, name, data):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


def rows(corpus):
    return corpus.astype(object).where(corpus.notna(), None).to_dict("records")


@pytest.mark.parametrize("packing", PACKERS)
@pytest.mark.parametrize("name", FORMATS)
def test_every_format_gives_the_same_corpus(tmp_path, name, packing):
    path = write(tmp_path, name + packing, PACKERS[packing](FORMATS[name]))
    corpus = load(path, columns={"label": "topic"})
    assert corpus.attrs["quarantine"].empty
    assert tuple(corpus.columns) == (*COLUMNS, "label")
    assert [str(kind) for kind in corpus.dtypes] == ["str"] * 8 + [PUBLISHED_DTYPE, "str"]
    assert rows(corpus) == [
        {
            "doc_id": record["id"],
            "text": record["body"],
            "title": record["title"],
            "url": record["url"],
            "publisher": "example.co.uk",
            "authors": None,
            "lang": "en",
            "source": f"{name}{packing}#{i}",
            "published": pd.Timestamp(record["date"]),
            "label": "sport",
        }
        for i, record in enumerate(RECORDS, 1)
    ]
    as_corpus(corpus)


def test_plain_text_is_one_article_with_its_headline_as_title(tmp_path):
    text = "\ufeffHeadline here\r\n\r\nStandfirst.\nBody with a lone\rreturn and a\0NUL.\n"
    corpus = load(write(tmp_path, "a.txt", text))
    assert corpus.loc[0, "text"] == text.removeprefix("\ufeff")
    assert corpus.loc[0, "title"] == "Headline here"
    assert corpus.loc[0, "source"] == "a.txt"


def test_a_text_of_one_line_has_no_headline(tmp_path):
    assert load(write(tmp_path, "a.txt", "Only one paragraph.\n"))["title"].isna().all()


def mixed(folder):
    write(folder, "a.jsonl", jsonl())
    write(folder, "b/page.html", PAGE)
    write(folder, "b/notes.txt.gz", gzip.compress(b"Head\nBody."))
    write(folder, "b/.hidden.txt", "never")
    write(folder, ".git/config.txt", "never")
    write(folder, "c.csv", FORMATS["comma.csv"])
    write(folder, "d.parquet", FORMATS["a.parquet"])
    write(folder, "e.json", FORMATS["wrapped.json"])
    write(folder, "image.png", b"\x89PNG\r\n\x1a\n\0\0")
    write(folder, "empty.txt", b"")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("news/a.html", PAGE)
        archive.writestr("lines.jsonl.gz", gzip.compress(jsonl()))
    write(folder, "f.zip", packed.getvalue())
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name, data in (("x/story.txt", b"Head\nBody in a tar."), ("y.tsv", FORMATS["a.tsv"])):
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    write(folder, "g.tar.zst", pa.compress(packed.getvalue(), "zstd", asbytes=True))
    return folder


def expected_sources():
    five = range(1, 6)
    return [
        *[f"a.jsonl#{i}" for i in five], "b/notes.txt.gz", "b/page.html", *[f"c.csv#{i}" for i in five],
        *[f"d.parquet#{i}" for i in five], *[f"e.json#{i}" for i in five], "f.zip!news/a.html",
        *[f"f.zip!lines.jsonl.gz#{i}" for i in five], "g.tar.zst!x/story.txt",
        *[f"g.tar.zst!y.tsv#{i}" for i in five],
    ]  # fmt: skip


def test_a_folder_of_mixed_files_is_one_corpus_with_its_provenance(tmp_path):
    corpus = load(mixed(tmp_path))
    assert corpus["source"].tolist() == expected_sources()
    assert corpus["doc_id"].is_unique
    assert corpus["doc_id"].str.startswith("a1").sum() == 6
    quarantine = corpus.attrs["quarantine"]
    assert quarantine["source"].tolist() == ["empty.txt", "image.png"]
    assert quarantine["reason"].tolist() == ["empty file", "not text but PNG image; not read"]


def test_records_and_pages_are_known_whatever_the_file_is_called(tmp_path):
    wrong = {}
    pages = {"page.html": PAGE.encode(), "old.html": b"<!DOCTYPE html>" + PAGE.encode()}
    for content, data in (FORMATS | pages).items():
        if content == "stream.arrow":  # known by its name only
            continue
        for name in ("a.txt", "a", "a.dump"):
            texts = load(write(tmp_path, name, data))["text"].tolist()
            if content in pages:
                right = len(texts) == 1 and "Paragraph 0" in texts[0] and "<" not in texts[0]
            else:
                right = texts == [record["body"] for record in RECORDS]
            if not right:
                wrong[content, name] = texts
    assert wrong == {}


def test_a_text_that_begins_with_a_bracket_stays_a_text(tmp_path):
    for text in (
        '["No," she said.] The council voted.',
        "{Photo} The council voted.",
        "[1] The council\nvoted.",
    ):
        assert load(write(tmp_path, "a.txt", text))["text"].tolist() == [text]


@pytest.mark.parametrize("size", [1, 2, 7, 10_000])
def test_batches_one_after_the_other_are_the_corpus(tmp_path, size):
    mixed(tmp_path)
    write(tmp_path, "a2.jsonl", jsonl() + b"broken\n" + jsonl() + b'{"text": ""}\n')
    whole = load(tmp_path)
    batches = list(iter_batches(tmp_path, rows=size))
    assert {len(batch) for batch in batches[:-1]} <= {size}
    together = pd.concat(batches, ignore_index=True)
    pd.testing.assert_frame_equal(together, whole)
    assert all(batch.dtypes.equals(whole.dtypes) for batch in batches)
    rejected = pd.concat([quarantine(batch) for batch in batches], ignore_index=True)
    pd.testing.assert_frame_equal(rejected, quarantine(whole))


def test_what_is_rejected_after_the_last_document_is_still_delivered(tmp_path):
    path = write(tmp_path, "a.jsonl", b'{"text": "one"}\n{"text": "two"}\n')
    write(tmp_path, "b.txt", b"")
    batches = list(iter_batches([path, tmp_path / "b.txt"], rows=2))
    assert [len(batch) for batch in batches] == [2, 0]
    assert batches[1].attrs["quarantine"]["source"].tolist() == ["b.txt"]


def test_nothing_readable_is_one_empty_batch_with_the_reasons(tmp_path):
    (batch,) = iter_batches(write(tmp_path, "a.txt", b""))
    assert len(batch) == 0
    assert tuple(batch.columns) == COLUMNS
    assert len(batch.attrs["quarantine"]) == 1


def test_order_of_arguments_does_not_matter_and_a_file_given_twice_is_read_once(tmp_path):
    a, b = write(tmp_path, "a.txt", "A\nx"), write(tmp_path, "b.txt", "B\nx")
    assert load([b, a, tmp_path, str(tmp_path / "*.txt")])["source"].tolist() == ["a.txt", "b.txt"]


def test_a_file_that_is_named_again_through_a_link_is_read_once(tmp_path):
    a = write(tmp_path, "in/a.txt", "A\nx")
    for name, target in {"folder": "in", "link.txt": "in/a.txt", "in/b.txt": "../other.txt"}.items():
        (tmp_path / name).symlink_to(target)
    other = write(tmp_path, "other.txt", "B\nx")
    for given in ([a, "folder"], ["folder", "in"], ["link.txt", a], ["in", "link.txt", "folder/a.txt"]):
        assert load([tmp_path / each for each in given])["text"].tolist() == ["A\nx"]
    corpus = load([tmp_path / "in", other])
    assert corpus["text"].tolist() == ["A\nx", "B\nx"], "a link out of the folder hides nothing"
    assert len(corpus.attrs["quarantine"]) == 1


def test_globs_name_sources_from_their_fixed_part(tmp_path):
    write(tmp_path, "2020/a.txt", "A\nx")
    write(tmp_path, "2021/a.txt", "B\nx")
    assert load(str(tmp_path / "*" / "*.txt"))["source"].tolist() == ["2020/a.txt", "2021/a.txt"]
    assert load(str(tmp_path / "**" / "*.txt"))["source"].tolist() == ["2020/a.txt", "2021/a.txt"]


def test_files_of_one_name_get_sources_that_differ(tmp_path):
    paths = [write(tmp_path, f"{year}/a.txt", f"{year}\nx") for year in (2020, 2021)]
    assert load(paths)["source"].tolist() == ["2020/a.txt", "2021/a.txt"]


def test_a_name_with_glob_characters_that_exists_is_that_file(tmp_path):
    assert len(load(str(write(tmp_path, "a[1].txt", "A\nx")))) == 1


def test_open_files_and_standard_input(tmp_path, monkeypatch):
    path = write(tmp_path, "a.jsonl.gz", gzip.compress(jsonl()))
    with path.open("rb") as file:
        assert load(file)["source"].iloc[0] == "a.jsonl.gz#1"
        assert not file.closed
    text = io.StringIO(jsonl().decode())
    assert load(text)["text"].tolist() == [record["body"] for record in RECORDS]
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(FORMATS["comma.csv"])))
    assert load("-")["source"].iloc[4] == "stdin#5"
    both = load([io.BytesIO(b"One\nx"), io.BytesIO(b"Two\nx")])
    assert both["source"].tolist() == ["stream", "stream~2"]


def test_a_zip_that_cannot_seek_is_read(monkeypatch):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a.txt", "Head\nBody")

    class Pipe:
        def __init__(self):
            self.read = io.BytesIO(packed.getvalue()).read

    assert load(Pipe())["source"].tolist() == ["stream!a.txt"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("none.jsonl", "none.jsonl: no such file or folder"),
        ("*.jsonl", "*.jsonl: matches no file"),
        ("", "no files in this folder"),
    ],
)
def test_a_path_that_does_not_exist_is_an_error_in_one_line(tmp_path, name, message):
    for verb in (load, iter_batches):
        with pytest.raises(FileNotFoundError) as caught:
            verb(str(tmp_path / name))
        assert message in str(caught.value)
        assert "\n" not in str(caught.value)


def test_a_web_address_is_refused_without_touching_the_network():
    with pytest.raises(FileNotFoundError, match="does not use the network"):
        load("https://example.org/a.jsonl")


@pytest.mark.parametrize("paths", [5, [None], [b"a.txt"]])
def test_what_is_no_path_is_refused(paths):
    with pytest.raises(TypeError, match="give a path, a glob"):
        load(paths)


def test_rows_must_be_positive(tmp_path):
    with pytest.raises(ValueError, match="rows=0"):
        iter_batches(tmp_path, rows=0)


def test_columns_override_and_add(tmp_path):
    path = write(
        tmp_path,
        "a.jsonl",
        b'{"text": "wrong", "content_original": "right", "n": 3, "tags": ["a", "\xc3\xa9"]}\n',
    )
    corpus = load(
        path, columns={"text": "Content-Original", "number": "n", "tags": "tags", "none": "nothing"}
    )
    assert rows(corpus[["text", "number", "tags", "none"]]) == [
        {"text": "right", "number": "3", "tags": '["a", "é"]', "none": None}
    ]


@pytest.mark.parametrize("columns", [{"source": "x"}, {"": "x"}, {"text": 5}])
def test_columns_that_make_no_sense_are_refused(tmp_path, columns):
    with pytest.raises((TypeError, ValueError), match="columns="):
        load(tmp_path, columns=columns)


@pytest.mark.parametrize("name", ["a.jsonl", "a.csv", "a.parquet", "a.json"])
def test_a_column_that_was_asked_for_and_is_missing_is_named(tmp_path, name):
    path = write(tmp_path, name, FORMATS.get(name, FORMATS["comma.csv"]))
    corpus = load(path, columns={"text": "story"})
    assert len(corpus) == 0
    assert "no column 'story'; found 'body', 'date'" in corpus.attrs["quarantine"]["reason"].item()


def test_strict_raises_for_the_first_bad_place(tmp_path):
    path = write(tmp_path, "a.jsonl", b'{"text": "ok"}\n{"text": ""}\nnope\n')
    with pytest.raises(LoadError, match=r"a\.jsonl#2: empty text"):
        load(path, strict=True)
    with pytest.raises(ValueError, match=r"a\.jsonl#2"):
        list(iter_batches(path, strict=True))


def test_repeated_ids_are_numbered_whatever_the_batch(tmp_path):
    ids = ["a", "b", "a", "a~2", "a", "c", "b"]
    path = write(tmp_path, "a.jsonl", jsonl([{"id": i, "text": "x"} for i in ids]))
    wanted = ["a", "b", "a~2", "a~2~2", "a~3", "c", "b~2"]
    assert load(path)["doc_id"].tolist() == wanted
    assert pd.concat(iter_batches(path, rows=2))["doc_id"].tolist() == wanted


def test_many_records_of_one_id_take_no_quadratic_time(tmp_path):
    path = write(tmp_path, "a.jsonl", jsonl([{"id": "same", "text": "x"}]) * 20_000)
    corpus = load(path)
    assert corpus["doc_id"].is_unique
    assert corpus["doc_id"].iloc[-1] == "same~20000"


def test_a_missing_language_is_detected_unless_switched_off(tmp_path):
    records = [{"text": "The council voted on the plan for the harbour today.", "lang": None},
               {"text": "Der Rat stimmte heute über die Pläne für den Hafen ab.", "lang": None},
               {"text": "The council voted.", "lang": "xx"}]  # fmt: skip
    path = write(tmp_path, "a.jsonl", jsonl(records))
    assert load(path, detect_language=False)["lang"].isna().tolist() == [True, True, False]
    assert load(path)["lang"].tolist() == ["en", "de", "xx"]


@pytest.mark.parametrize(
    ("record", "authors"),
    [
        ({"authors": ["Jane Doe", "J. Roe", "Jane Doe"]}, "Jane Doe; J. Roe"),
        ({"author": {"@type": "Person", "name": "Jane Doe"}}, "Jane Doe"),
        ({"author": [{"name": "Jane Doe"}, {"name": ""}, {"name": "J. Roe"}]}, "Jane Doe; J. Roe"),
        ({"byline": "By Jane Doe"}, "By Jane Doe"),
        ({"creator": "", "dc:creator": "Jane Doe"}, "Jane Doe"),
        ({"authors": "['Jane Doe', 'J. Roe']"}, "Jane Doe; J. Roe"),
        ({"authors": "[not a list]"}, "[not a list]"),
        ({"authors": []}, None),
        ({"authors": 5}, None),
    ],
)
def test_authors_are_names_joined(tmp_path, record, authors):
    path = write(tmp_path, "a.jsonl", jsonl([{"text": "Rain fell.", **record}, {"text": "Sun."}]))
    got = load(path)["authors"]
    assert [None if pd.isna(name) else name for name in got] == [authors, None]


def test_real_articles_load_without_loss(shared_data):
    corpus = load(shared_data / "allsides" / "articles.jsonl.gz", columns={"label": "topic"})
    assert len(corpus) == 10_490
    assert corpus.attrs["quarantine"].empty
    assert corpus["publisher"].notna().all()
    assert corpus["label"].nunique() == 107  # and one that is empty
    assert corpus.loc[0, "source"] == "articles.jsonl.gz#1"
    with gzip.open(shared_data / "allsides" / "articles.jsonl.gz", "rt", encoding="utf-8") as file:
        assert corpus["text"].tolist() == [json.loads(line)["content_original"] for line in file]
