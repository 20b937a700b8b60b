"""Named attacks that no test of one reader covers: through the load, the cleaning, the files and the terminal."""

import bz2
import csv
import gzip
import io
import json
import lzma
import os
import re
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from typer.testing import CliRunner

import toolkit
from tests.streams import reasons, stream
from toolkit import cli, pipeline, report, verification
from toolkit.display import Table
from toolkit.files import write_rows
from toolkit.loading import Limits, load
from toolkit.report import Results
from toolkit.sharing import read_cleaning

CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def zipped(members):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return out.getvalue()


LINES = b"".join(json.dumps({"id": str(i), "text": f"text {i * i}"}).encode() + b"\n" for i in range(5000))


@pytest.mark.parametrize(("pack", "ending"), [(bz2.compress, "bz2"), (lzma.compress, "xz")])
@pytest.mark.parametrize("kept", [0.4, 0.99])
def test_truncated_bz2_and_xz_say_so(pack, ending, kept):
    data = pack(LINES)
    corpus = load(stream(data[: int(kept * len(data))], f"a.jsonl.{ending}"))
    assert f"truncated {ending} data" in reasons(corpus)[-1]
    assert corpus["doc_id"].tolist() == [str(i) for i in range(len(corpus))]


def test_members_that_share_their_bytes_are_held_to_the_limits():
    """A zip whose directory names one packed member a thousand times."""
    one = zipped([("a.jsonl", b'{"text": "x"}\n' * 70_000)])
    at = one.index(b"PK\x01\x02")
    entry = one[at : one.index(b"PK\x05\x06")]
    count = 1000
    directory = b"".join(entry.replace(b"a.jsonl", b"%07d" % i) for i in range(count))
    end = bytearray(one[one.index(b"PK\x05\x06") :])
    end[8:12] = count.to_bytes(2, "little") * 2
    end[12:16] = len(directory).to_bytes(4, "little")
    data = one[:at] + directory + bytes(end)
    limits = Limits(record_bytes=1 << 20, free_bytes=1 << 20, ratio=20, archive_bytes=4 << 20)
    corpus = load(stream(data, "a.zip"), limits=limits)
    assert len(corpus) <= (1 << 20) / 14 + 1
    assert corpus.attrs["quarantine"]["reason"].str.contains("not read|damaged|overlap").any()


def test_members_of_one_name_are_all_read_and_distinguished():
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for text in (b"Head\nfirst", b"Head\nsecond"):
            info = tarfile.TarInfo("a.txt")
            info.size = len(text)
            archive.addfile(info, io.BytesIO(text))
    corpus = load(stream(out.getvalue(), "a.tar"))
    assert corpus["text"].tolist() == ["Head\nfirst", "Head\nsecond"]
    assert corpus["doc_id"].is_unique


def test_a_file_in_two_encodings_loses_no_line():
    lines = ["Zürich wählt", "L'été à Paris", "Münster siegt", "plain"]
    data = b"text\n" + b"".join(
        line.encode("cp1252" if i % 2 else "utf-8") + b"\n" for i, line in enumerate(lines)
    )
    corpus = load(stream(data, "a.csv"))
    assert corpus["text"].tolist() == ["Zürich wählt", "Münster siegt", "plain"]
    assert [
        (q["source"], "not valid UTF-8" in q["reason"]) for q in corpus.attrs["quarantine"].to_dict("records")
    ] == [("a.csv#2", True)]


def test_files_of_one_folder_may_each_have_their_encoding(tmp_path):
    texts = {
        "utf-8": "Zürich wählt heute",
        "cp1252": "L’été à Paris",
        "utf-16": "Гонка",
        "cp1251": "Президент России",
    }
    for encoding, text in texts.items():
        (tmp_path / f"{encoding}.txt").write_bytes(f"Head\n{text}".encode(encoding))
    corpus = load(tmp_path)
    assert {t.partition("\n")[2] for t in corpus["text"]} == set(texts.values())


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.jsonl", b'{"text": "The council met\\u0000on Monday."}\n'),
        ("a.json", b'[{"text": "The council met\\u0000on Monday."}]'),
        ("a.csv", b"text\nThe council met\0on Monday.\n"),
        ("a.txt", b"The council met\0on Monday."),
        ("a.parquet", None),
    ],
)
def test_a_nul_is_kept_and_stops_nothing(name, data):
    if data is None:
        out = io.BytesIO()
        pq.write_table(pa.table({"text": ["The council met\0on Monday."]}), out)
        data = out.getvalue()
    corpus = load(stream(data, name))
    assert corpus["text"].tolist() == ["The council met\0on Monday."]
    cleaned = toolkit.clean(corpus)
    assert cleaned["clean_text"].tolist() == ["The council met\0on Monday."]
    assert toolkit.TopicClassifier().predict_proba(cleaned).notna().all(axis=None)
    assert not CONTROL.search(repr(toolkit.BoilerplateRemover().explain("The council met\0on Monday.")))


LONG = """
import io
from benchmarks.memory import peak
from toolkit.loading import load

class Endless(io.RawIOBase):
    def __init__(self, head, size, tail, name):
        self.parts, self.name = [head, size, tail], name
    def readable(self):
        return True
    def read(self, size=-1):
        size = 1 << 20 if size < 0 else size
        while self.parts:
            part = self.parts[0]
            if isinstance(part, int):
                given = b"a" * min(size, part)
                self.parts[0] = part - len(given)
            else:
                given, self.parts[0] = part[:size], part[size:]
            if given:
                return given
            self.parts.pop(0)
        return b""

FORMS = [
    ("a.jsonl", b'{"text": "', b'"}\\n{"text": "next"}\\n'), ("a.csv", b"text\\n", b"\\nnext\\n"),
    ("a.json", b'[{"text": "', b'"}]'), ("a.txt", b"", b""), ("a.html", b"<html><p>", b""),
    ("a.rss", b"<rss><channel><item><title>", b"</title></item></channel></rss>"),
]
for name, head, tail in FORMS:  # what readers import and set for the whole process comes first
    load(Endless(head, 1_000, tail, name))
before = peak()
for name, head, tail in FORMS:
    corpus = load(Endless(head, 100_000_000, tail, name))
    print(name, len(corpus), len(corpus.attrs["quarantine"]), (peak() - before) >> 20)
"""


def test_a_line_of_100_megabytes_takes_bounded_memory_in_every_format():
    """The largest record may be 64 MiB; a reader may hold it, its decoded form and one buffer more."""
    done = subprocess.run([sys.executable, "-c", LONG], capture_output=True, text=True, check=True)
    rows = [line.split() for line in done.stdout.splitlines()]
    assert [row[0] for row in rows] == ["a.jsonl", "a.csv", "a.json", "a.txt", "a.html", "a.rss"]
    for name, documents, rejected, megabytes in rows:
        assert int(rejected) >= 1, name
        assert int(documents) == (name in {"a.jsonl", "a.csv"}), name  # the line after it
        assert int(megabytes) < 5 * 64, f"{name} took {megabytes} MiB"


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
@pytest.mark.parametrize("letter", ["a", "é"])
def test_a_long_line_of_csv_is_one_row_and_the_next_is_read(letter, end):
    """The rest of a line too long was once read as a record of its own."""
    long = letter.encode() * 3_000_000
    data = end.join([b"id,text", b"1,x", b"2," + long, b"3,next", b'4,"' + long + b'"', b"5,last", b""])
    corpus = load(stream(data, "a.csv"), limits=Limits(record_bytes=1 << 20))
    assert corpus["doc_id"].tolist() == ["1", "3", "5"]
    assert [reason.split(";")[0] for reason in reasons(corpus)] == ["record larger than 1 MiB"] * 2


def test_numbers_and_dates_out_of_all_range_cost_no_record():
    odd = [
        "0000-01-01",
        "99999-12-31",
        "-5000-01-01",
        "10000-01-01",
        "9" * 50,
        "1e400",
        "31/31/2020",
        "\u0660" * 20,
    ]
    raw = ["1e400", "-1e400", "NaN", "Infinity", "9" * 4000, "-" + "9" * 400, "1e18", "-99999999999999999999"]
    lines = [json.dumps({"text": "x", "date": value}) for value in odd]
    lines += [f'{{"text": "x", "date": {value}}}' for value in raw]
    corpus = load(stream("\n".join(lines).encode(), "a.jsonl"))
    assert len(corpus) == len(lines)
    known = corpus["published"].dropna()
    assert known.between("0001-01-01", "9999-12-31 23:59:59.999999+00:00").all()
    assert corpus["published"].isna().sum() >= len(odd)
    toolkit.clean(corpus)


def test_a_number_of_too_many_digits_is_one_row():
    data = b'{"text": "x", "id": ' + b"9" * 100_000 + b'}\n{"text": "y"}\n'
    corpus = load(stream(data, "a.jsonl"))
    assert corpus["text"].tolist()[-1] == "y"
    assert len(corpus) + len(corpus.attrs["quarantine"]) == 2


def test_ids_that_only_look_alike_stay_and_those_that_collide_are_numbered():
    alike = ["é", "e\u0301", "É", "a", "a ", "a\u200b", "1", "01", "1.0", "a~2", "a~2~2"]
    again = [*alike, "a", "a", 1, "a~2"]
    lines = "\n".join(json.dumps({"id": value, "text": str(i)}) for i, value in enumerate(again))
    corpus = load(stream(lines.encode(), "a.jsonl"))
    assert len(corpus) == len(again)
    assert corpus["doc_id"].is_unique
    assert corpus["text"].tolist() == [str(i) for i in range(len(again))]
    spans = toolkit.BoilerplateRemover().fit(corpus).spans(corpus)
    assert set(spans["doc_id"]) <= set(corpus["doc_id"])


WRONG_TYPES = {
    "struct": pa.array([{"a": 1}], pa.struct([("a", pa.int64())])),
    "list": pa.array([["It rained.", "Then sun."]], pa.list_(pa.string())),
    "list of numbers": pa.array([[1, 2]], pa.list_(pa.int32())),
    "map": pa.array([[("a", "b")]], pa.map_(pa.string(), pa.string())),
    "bool": pa.array([True]),
    "date": pa.array([1], pa.date32()),
    "duration": pa.array([1], pa.duration("s")),
    "decimal": pa.array([None], pa.decimal128(38, 2)),
    "null": pa.nulls(1),
    "bytes": pa.array([b"\xff\x00"], pa.binary()),
    "fixed": pa.array([b"abcd"], pa.binary(4)),
    "float": pa.array([float("nan")]),
    "half": pa.array([1], pa.float16()),
}


@pytest.mark.parametrize("column", ["text", "id", "title", "date", "url"])
@pytest.mark.parametrize("kind", WRONG_TYPES)
def test_parquet_of_any_type_in_any_column_is_read_or_reported(kind, column):
    columns = {"text": pa.array(["It rained."]), "id": pa.array(["a"])} | {column: WRONG_TYPES[kind]}
    out = io.BytesIO()
    pq.write_table(pa.table(columns), out)
    corpus = load(stream(out.getvalue(), "a.parquet"))
    assert len(corpus) + len(corpus.attrs["quarantine"]) == 1
    assert not [reason for reason in reasons(corpus) if "reader failed" in reason]


def test_parquet_with_two_columns_of_one_name_is_reported():
    out = io.BytesIO()
    pq.write_table(pa.Table.from_arrays([pa.array(["a"]), pa.array(["b"])], names=["text", "text"]), out)
    corpus = load(stream(out.getvalue(), "a.parquet"))
    assert len(corpus) + len(corpus.attrs["quarantine"]) == 1
    assert not [reason for reason in reasons(corpus) if "reader failed" in reason]


LAUGHS = "<!ENTITY l0 'ha'>" + "".join(f"<!ENTITY l{i} '{f'&l{i - 1};' * 10}'>" for i in range(1, 12))
ITEM = "<rss><channel><item><title>T</title><description>D</description></item></channel></rss>"
BOMBS = {
    "laughs.html": f"<!DOCTYPE html [{LAUGHS}]><html><body><p>&l11;</p></body></html>",
    "laughs.xhtml": f"<?xml version='1.0'?><!DOCTYPE html [{LAUGHS}]><html><body><p>&l11;</p></body></html>",
    "late.html": f"<html><body>{' ' * 40_000}<!DOCTYPE html [{LAUGHS}]><p>&l11;</p></body></html>",
    "laughs.xml": f"<?xml version='1.0'?><!DOCTYPE rss [{LAUGHS}]>{ITEM.replace('T', '&l11;')}",
    "external.xml": f"<!DOCTYPE rss [<!ENTITY x SYSTEM 'https://data.example/x'>]>{ITEM.replace('T', '&x;')}",
    "parameter.xml": f"<!DOCTYPE rss [<!ENTITY % x SYSTEM 'file:///etc/passwd'> %x;]>{ITEM}",
    "dtd.xml": f"<!DOCTYPE rss SYSTEM 'https://data.example/x.dtd'>{ITEM}",
    "include.xml": ITEM.replace(
        "D", "d<xi:include xmlns:xi='http://www.w3.org/2001/XInclude' href='file:///etc/passwd'/>"
    ),
    "references.html": "<html><body><article><p>"
    + "&#x41;&amp;&nbsp;" * 20_000
    + "</p></article></body></html>",
    "attributes.html": "<html><body><p "
    + " ".join(f"a{i}=1" for i in range(20_000))
    + ">x</p></body></html>",
    "nested.html": "<html><body>" + "<b><i><table><tr><td>" * 4_000 + "x",
    "unclosed.html": "<html><body>" + "<p><a href='" * 9_000,
}


@pytest.mark.parametrize("name", BOMBS)
def test_markup_that_would_expand_or_fetch_does_neither(name):
    """No network either: the fixture ``attempts`` of every test sees to that."""
    began = time.process_time()
    corpus = load(stream(BOMBS[name].encode(), name))
    assert time.process_time() - began < 20
    assert len(corpus) + len(corpus.attrs["quarantine"]) == 1
    shown = corpus["text"].tolist() + corpus.attrs["quarantine"]["excerpt"].tolist()
    assert not any("root:" in text or "haha" in text for text in shown)
    assert all(len(text) <= len(BOMBS[name]) for text in shown)


def test_an_element_of_many_attributes_is_refused_and_a_long_script_is_not():
    article = "<article>" + "<p>It rained all day in the port, and the ferries stayed.</p>" * 9 + "</article>"
    script = "<script>for(i=0;i<n;i++){" + "a = b; " * 9_000 + "}</script>"
    corpus = load(stream(f"<html><body>{script}{article}</body></html>".encode(), "a.html"))
    assert len(corpus) == 1
    many = "<p " + " ".join(f"a{i}" for i in range(3_000)) + ">"
    for hidden in (many, f"<script/>{many}", f"{many}</script>", f"<!-- > -->{many}", many.replace(" ", "/")):
        began = time.process_time()
        corpus = load(stream(f"<html><body>{hidden}{article}</body></html>".encode(), "a.html"))
        assert reasons(corpus) == ["page has elements of more than 2000 attributes; not read"]
        assert time.process_time() - began < 2


def test_arrow_that_points_outside_itself_is_one_row():
    """An index or an offset that is not looked at first would be followed into other memory."""
    astray = pa.DictionaryArray.from_arrays(
        pa.array([0, 7], pa.int32()), pa.array(["It rained."]), safe=False
    )
    table = pa.table({"text": astray})
    with io.BytesIO() as file:
        with pa.ipc.new_file(file, table.schema) as writer:
            writer.write_table(table)
        corpus = load(stream(file.getvalue(), "a.feather"))
    assert len(corpus) == 0
    (reason,) = reasons(corpus)
    assert reason.startswith("cannot be read as a columnar file: Index 7 out of bounds")


BAIT = {
    "comment": "<!--", "entity": "&", "less": "<", "quote": '"', "escaped quote": '\\"', "return": "\r", "blank": " ",
    "mail": "a@", "address": "http://", "dot": "a.", "hyphen": "-", "bracket": "(", "space dot": " .", "digit": "1",
    "tab": "\t", "nbsp": "\u00a0", "combining": "a\u0301\u0301", "script": "<script>", "meta": "<meta charset=",
    "html lang": "<html lang", "byline": "By A ", "date": "1/1/", "pipe": "|", "joiner": "\u200d", "camel": "aB",
}  # fmt: skip


def cpu(work):
    began = time.process_time()
    work()
    return time.process_time() - began


@pytest.mark.parametrize("piece", BAIT.values(), ids=BAIT)
@pytest.mark.parametrize("name", ["a.txt", "a.html", "a.csv", "a.jsonl", "a.xml"])
def test_bait_for_slow_patterns_is_read_in_about_linear_time(piece, name):
    def read(times):
        text = piece * times
        data = {
            "a.csv": f"text,title\n{text}\n",
            "a.jsonl": json.dumps({"text": text, "title": text, "date": text, "url": text, "lang": text})
            + "\n",
            "a.html": f"<html><body><p>{text}</p></body></html>",
            "a.xml": f"<rss><channel><item><title>{text}</title></item></channel></rss>",
        }.get(name, text)
        return load(stream(data.encode(), name))

    read(100)
    small, large = cpu(lambda: read(2_000)), cpu(lambda: read(16_000))
    assert large < 8 * 3 * small + 1.5, f"{small:.2f} s, then {large:.2f} s for eight times as much"


@pytest.mark.parametrize("piece", BAIT.values(), ids=BAIT)
def test_bait_is_cleaned_classified_and_shown_in_about_linear_time(piece):
    def work(times):
        corpus = pd.DataFrame({"doc_id": ["a"], "text": [piece * times], "title": [piece * 50]})
        remover = toolkit.BoilerplateRemover()
        cleaned = remover.transform(corpus)
        toolkit.TopicClassifier().topics(cleaned)
        remover.explain(cleaned.iloc[0])._repr_html_()

    work(12_000)  # compiles what only a long text needs
    # far shorter texts may need one round of cleaning, these need up to sixteen
    small, large = cpu(lambda: work(12_000)), cpu(lambda: work(36_000))
    assert large < 3 * 2 * small + 1.5, f"{small:.2f} s, then {large:.2f} s for three times as much"


ATTACKS = [
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "javascript:alert(1)", "[x](javascript:alert(1))",
    "![x](https://data.example/x.png)", "\x1b[2J\x1b]0;owned\x07", "\x1b]8;;https://data.example\x1b\\x\x1b]8;;\x1b\\",
    "\u202egnp.exe", "\u2066a\u2069", "\x9b31m", "a\rb", "\x08\x08\x08", "$\\input{x}$", "=cmd()",
]  # fmt: skip


@pytest.fixture
def crawl(tmp_path):
    """A folder in which every name, title, author and address is an attack, and half of the files are broken."""
    folder = tmp_path / "in"
    folder.mkdir()
    records = [
        {"id": a, "title": a, "text": f"Rain fell. {a}\n\nSign up for our newsletter {a}", "url": a, "authors": [a],
         "publisher": a, "lang": a, "date": a} for a in ATTACKS
    ]  # fmt: skip
    (folder / "a.jsonl").write_text("".join(json.dumps(r) + "\n" for r in records), "utf-8")
    for i, attack in enumerate(ATTACKS):
        name = os.fsencode(attack.replace("/", "_")) + b"-%d.jsonl" % i
        with open(os.path.join(os.fsencode(folder), name), "wb") as file:  # noqa: PTH118, PTH123 - bytes
            file.write(b"no JSON " + attack.encode("utf-8"))
    return folder


def test_no_control_character_reaches_the_terminal(crawl, tmp_path):
    """Every command, on a folder of attacks: results that add up, and nothing that a terminal obeys."""
    for verb, out in (("clean", "o.parquet"), ("classify", "t.csv")):
        done = subprocess.run(
            [sys.executable, "-m", "toolkit.cli", verb, crawl, "-o", tmp_path / out],
            capture_output=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        told = done.stdout.decode() + done.stderr.decode()
        assert not CONTROL.search(told), repr(told)
        assert f"{2 * len(ATTACKS)} in = {len(ATTACKS)} kept + {len(ATTACKS)} quarantined" in told


def test_nothing_that_the_package_prints_of_its_own_obeys_a_terminal(crawl, tmp_path):
    """A plain DataFrame prints as pandas prints it; whatever has a display of ours shows controls as signs."""
    attack = "\x1b[31m\u202egnp\x9b"
    hostile = [
        f"The ferry {n} sailed {attack}.\n\nSign up for our newsletter {attack} today." for n in range(9)
    ]
    ids = [f"{attack}{n}" for n in range(9)]
    corpus = toolkit.load(crawl)
    frame = pd.DataFrame(
        {"doc_id": ids, "text": hostile, "title": hostile, "publisher": hostile, "authors": hostile}
    )
    remover = toolkit.BoilerplateRemover().fit(frame)
    cleaned = remover.transform(frame)
    labels = {doc_id: [f"{attack} {n % 2}"] for n, doc_id in enumerate(corpus["doc_id"])}
    summary = toolkit.pipeline.run(crawl, tmp_path / "out", labels=labels)
    results = report.Results(tmp_path / "out")
    toolkit.share(tmp_path / "out", tmp_path / "c.parquet")
    applied = toolkit.apply(tmp_path / "c.parquet", frame)
    shown = {
        "quarantine": corpus.attrs["quarantine"], "remover": remover, "summary": summary,
        "article": toolkit.show(cleaned.iloc[[0]]), "articles": toolkit.show(cleaned),
        "why": remover.explain(frame.iloc[0]), "topics": toolkit.TopicClassifier().explain(hostile[0]),
        "templates": Table(remover.templates_), "corpus": Table(frame), "index": remover.index_,
        "verified": verification.verify(tmp_path / "out"), "shared": read_cleaning(tmp_path / "c.parquet"),
        "others": applied.attrs["others"], "results": results,
        "headline": results.headline(), "methods": results.methods(), "reference": results.bibtex(),
    }  # fmt: skip
    assert not [
        (name, how)
        for name, thing in shown.items()
        for how, said in (
            ("repr", repr(thing)),
            ("str", str(thing)),
            ("html", getattr(thing, "_repr_html_", str)()),
        )
        if CONTROL.search(said or "")
    ]


ARGUMENTS = [
    ["clean", "{}"], ["clean", "x", "-o", "{}"], ["clean", "x", "-o", "o.csv", "-c", "{}"], ["--{}"], ["{}"],
    ["clean", "x", "-o", "o.csv", "--remove", "{}"], ["datasets", "fetch", "{}"], ["report", "{}"], ["verify", "{}"],
    ["clean", "--{}"], ["clean", "x", "-o", "o.csv", "--rows", "{}"],
    ["clean", "x", "-o", "{}.csv"],
]  # fmt: skip


@pytest.mark.parametrize("arguments", ARGUMENTS, ids=" ".join)
def test_an_argument_that_is_an_attack_is_reported_harmlessly(arguments, tmp_path, monkeypatch):
    """A glob of the shell makes arguments of whatever names a folder holds."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x").write_text("Head\nBody")
    attack = "\x1b[31m\u202egnp\x9b"
    done = subprocess.run(
        [sys.executable, "-m", "toolkit.cli", *(a.format(attack) for a in arguments)],
        capture_output=True, check=False,
    )  # fmt: skip
    told = done.stdout.decode() + done.stderr.decode()
    assert not CONTROL.search(told), repr(told)
    assert done.returncode in {0, 1, 2}
    assert "Traceback" not in told


FORMULAS = [
    "=cmd()",
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    '=HYPERLINK("https://data.example","x")',
    "'=1",
]


@pytest.mark.parametrize("ending", [".csv", ".csv.gz"])
def test_csv_keeps_formulas_to_the_byte(tmp_path, ending):
    """Lossless for programs; docs/trust.md says how to open such a file in a spreadsheet."""
    table = pa.table({"doc_id": [str(i) for i in range(len(FORMULAS))], "text": FORMULAS, "title": FORMULAS})
    path = tmp_path / f"a{ending}"
    write_rows([table], path)
    back = pd.read_csv(path, dtype="str", keep_default_na=False)
    assert back["text"].tolist() == back["title"].tolist() == FORMULAS
    assert load(path)["text"].tolist() == FORMULAS
    raw = gzip.decompress(path.read_bytes()) if ending.endswith("gz") else path.read_bytes()
    rows = list(csv.reader(io.StringIO(raw.decode(), newline="")))
    assert [row[1] for row in rows[1:]] == FORMULAS


def test_no_table_of_a_report_is_computed_by_a_spreadsheet(tmp_path):
    """They are made for people, who open them by a double click."""
    article = "{} The council met on Monday to discuss the harbour and its costs."
    rows = [{"id": f"{n}", "publisher": f, "text": article.format(f)} for n, f in enumerate(FORMULAS * 2)]
    (tmp_path / "=1.jsonl").write_text("\n".join([*map(json.dumps, rows), "=1"]), "utf-8")
    pipeline.run(tmp_path / "=1.jsonl", tmp_path / "out")
    tables = Results(tmp_path / "out").save_tables(tmp_path / "tables")
    texts = [path.read_text("utf-8") for path in tables.glob("*.csv")]
    cells = [cell for text in texts for row in csv.reader(io.StringIO(text, newline="")) for cell in row]
    assert {"'=1+1", "'=1.jsonl"} <= set(cells)
    begins = [cell for cell in cells if cell.lstrip()[:1] in set("=+-@")]
    assert [cell for cell in begins if not re.fullmatch(r"-?[\d.]+(e-?\d+)?", cell)] == []


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), min_size=1, max_size=6))
@example(["a\r\nb", "\r", "\n", '"', '""', ",", "NA", "null", "\ufeff", " ", "\x1a", "a\0b"])
def test_csv_gives_back_every_text_to_the_byte(texts):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "any.csv")
        write_rows([pa.table({"doc_id": [str(i) for i in range(len(texts))], "text": texts})], path)
        back = pd.read_csv(path, dtype="str", keep_default_na=False)
    assert back["text"].tolist() == texts


@pytest.mark.parametrize("where", ["read", "map", "members"])
def test_an_error_nobody_foresaw_loses_no_row_before_it(monkeypatch, where):
    """Whatever fails in a reader, in the mapping of its fields or in an archive, what was read or told stays."""

    def failing(*arguments, **options):
        msg = "surprise"
        raise KeyError(msg)

    data, name = b'no JSON\n{"text": "x"}\n', "a.jsonl"
    if where == "members":
        data, name = zipped([("a.jsonl", data), ("b.jsonl", data)]), "a.zip"
        again = iter([False, True])
        monkeypatch.setattr("toolkit.loading.sources.unsafe", lambda name: failing() if next(again) else None)
    elif where == "map":
        monkeypatch.setattr("toolkit.loading.mapping.Mapper.map", failing)
    else:
        monkeypatch.setattr("toolkit.loading.jsonfiles.unwrap", failing)
    corpus = load(stream(data, name))
    assert len(corpus) + len(corpus.attrs["quarantine"]) == (3 if where == "members" else 2)
    assert "not valid JSON" in reasons(corpus)[0]
    assert "reader failed: KeyError" in reasons(corpus)[-1]


def test_a_version_and_a_help_are_plain_text():
    for option in ("--version", "--help"):
        done = CliRunner().invoke(cli.app, [option])
        assert done.exit_code == 0
        assert not CONTROL.search(done.stdout)
