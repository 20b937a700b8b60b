"""Hostile and broken files: bounded, refused in one clear line, and no other record is lost."""

from __future__ import annotations

import dataclasses
import errno
import gzip
import io
import json
import os
import random
import re
import struct
import subprocess
import sys
import tarfile
import time
import zipfile

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.streams import stream
from toolkit.loading import Limits, iter_batches, load
from toolkit.loading.readers.driver import Format

LINES = b"".join(
    json.dumps({"id": str(i), "text": f"text {random.Random(i).random()}"}).encode() + b"\n"
    for i in range(9999)
)
SMALL = Limits(record_bytes=1 << 20, free_bytes=1 << 20, ratio=20, archive_bytes=4 << 20, members=5)


def zipped(members, **options):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members:
            # of a fixed time: the bytes are in names of tests, which all workers must find alike
            info = name if isinstance(name, zipfile.ZipInfo) else zipfile.ZipInfo(name)
            archive.writestr(info, data, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def tarred(members):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, data in members:
            info = name if isinstance(name, tarfile.TarInfo) else tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def reasons(corpus):
    return dict(zip(corpus.attrs["quarantine"]["source"], corpus.attrs["quarantine"]["reason"], strict=True))


def zstd(data):
    return pa.compress(data, "zstd", asbytes=True)


@pytest.mark.parametrize("pack", [gzip.compress, zstd])
@pytest.mark.parametrize("kept", [0.3, 0.7, 0.99])
def test_truncated_packing_keeps_the_records_before_the_cut(pack, kept):
    data = pack(LINES)
    corpus = load(stream(data[: int(kept * len(data))], "a.jsonl.gz"))
    assert 1000 < len(corpus) < 9999
    assert corpus["doc_id"].tolist() == [str(i) for i in range(len(corpus))]
    ((source, reason),) = reasons(corpus).items()
    assert source == f"a.jsonl.gz#{len(corpus) + 1}"
    assert "truncated" in reason


def test_a_checksum_that_is_wrong_is_reported_after_the_last_record():
    data = bytearray(gzip.compress(LINES))
    data[-6] ^= 1
    corpus = load(stream(bytes(data), "a.jsonl.gz"))
    assert len(corpus) == 9999
    assert "damaged gzip data" in reasons(corpus)["a.jsonl.gz#10000"]


def test_packed_in_many_members_and_padded_with_zeros():
    data = b"".join(gzip.compress(LINES[i : i + 5000]) for i in range(0, len(LINES), 5000)) + b"\0" * 700
    corpus = load(stream(data, "a.jsonl.gz"))
    assert len(corpus) == 9999
    assert corpus.attrs["quarantine"].empty


def test_garbage_after_the_packed_data_is_reported():
    corpus = load(stream(gzip.compress(LINES) + b"garbage", "a.jsonl.gz"))
    assert len(corpus) == 9999
    assert len(corpus.attrs["quarantine"]) == 1


@pytest.mark.parametrize("pack", [gzip.compress, zstd])
@pytest.mark.parametrize("filling", [b"a", b"\n", b'{"text": "x"}\n'])
def test_a_bomb_is_refused_at_the_ratio(pack, filling):
    data = pack(b'{"id": "first", "text": "before"}\n' + filling * (40_000_000 // len(filling)))
    corpus = load(stream(data, "a.jsonl.gz"), limits=SMALL)
    assert corpus["doc_id"].iloc[0] == "first"
    assert len(corpus) < 200_000
    assert "expands more than 20:1 beyond the first 1 MiB" in list(reasons(corpus).values())[-1]


def test_a_large_and_honest_ratio_is_no_bomb():
    data = gzip.compress(b'{"text": "the same again and again and again and again"}\n' * 100_000)
    assert len(load(stream(data, "a.jsonl.gz"))) == 100_000


def test_packing_within_packing_ends_at_the_limit():
    data = b"Head\nBody"
    for _ in range(3):
        data = gzip.compress(data)
    assert len(load(stream(data, "a.txt.gz"))) == 1
    corpus = load(stream(gzip.compress(data), "a.txt.gz"))
    assert reasons(corpus) == {"a.txt.gz": "packed more than 3 times over; not read"}


def test_archives_within_archives_end_at_the_limit():
    data = zipped([("a.txt", "Head\nBody")])
    for i in range(2):
        data = zipped([(f"{i}.zip", data)])
    assert load(stream(data, "a.zip"))["source"].tolist() == ["a.zip!1.zip!0.zip!a.txt"]
    corpus = load(stream(zipped([("2.zip", data), ("ok.txt", "Head\nBody")]), "a.zip"))
    assert corpus["source"].tolist() == ["a.zip!ok.txt"]
    assert reasons(corpus) == {"a.zip!2.zip!1.zip!0.zip": "packed more than 3 times over; not read"}


BOMB = [
    ("ok.txt", b"Head\nBody"),
    ("bomb.jsonl", b'{"text": "x"}\n' * 3_000_000),
    ("late.txt", b"Head\nLate"),
]


@pytest.mark.parametrize("name", ["a.zip", "a.tar.gz", "a.tar.zst"])
def test_a_bomb_in_an_archive_ends_the_archive(name):
    if name == "a.zip":
        data = zipped(BOMB)
    else:
        data = (gzip.compress if name == "a.tar.gz" else zstd)(tarred(BOMB))
    corpus = load(stream(data, name), limits=SMALL)
    assert corpus["source"].iloc[0] == f"{name}!ok.txt"
    assert not corpus["source"].str.endswith("late.txt").any()
    assert "at bomb.jsonl; members after it are not read" in reasons(corpus)[name]


def test_an_archive_may_not_expand_without_end():
    members = [(f"{i}.txt", random.Random(i).randbytes(700_000).hex()) for i in range(5)]
    limits = dataclasses.replace(SMALL, record_bytes=2 << 20)
    corpus = load(stream(zipped(members), "a.zip"), limits=limits)
    assert 1 <= len(corpus) < 5
    assert "archive expands to more than 4 MiB" in reasons(corpus)["a.zip"]


@pytest.mark.parametrize(("pack", "name"), [(zipped, "a.zip"), (tarred, "a.tar")])
def test_an_archive_may_not_have_members_without_end(pack, name):
    corpus = load(stream(pack([(f"{i}.txt", b"Head\nBody") for i in range(9)]), name), limits=SMALL)
    assert len(corpus) == 5
    assert reasons(corpus) == {name: "archive holds more than 5 members; not read further"}


NAMES = [
    "../evil.txt",
    "a/../../evil.txt",
    "/etc/evil.txt",
    "..\\evil.txt",
    "C:\\evil.txt",
    "\\\\host\\evil.txt",
]


@pytest.mark.parametrize(("pack", "archive"), [(zipped, "a.zip"), (tarred, "a.tar")])
def test_names_that_lead_out_of_an_archive_are_refused_and_nothing_is_written(
    tmp_path, monkeypatch, pack, archive
):
    monkeypatch.chdir(tmp_path)
    corpus = load(stream(pack([*((name, b"evil") for name in NAMES), ("ok.txt", b"Head\nBody")]), archive))
    assert corpus["source"].tolist() == [f"{archive}!ok.txt"]
    assert len(corpus.attrs["quarantine"]) == len(NAMES)
    assert corpus.attrs["quarantine"]["reason"].str.contains("archive; not read").all()
    assert list(tmp_path.iterdir()) == []


def test_links_and_devices_in_archives_are_not_followed():
    members = []
    for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE):
        info = tarfile.TarInfo(f"{kind.decode()}.txt")
        info.type, info.linkname = kind, "/etc/passwd"
        members.append((info, b""))
    corpus = load(stream(tarred([*members, ("ok.txt", b"Head\nBody")]), "a.tar"))
    assert len(corpus) == 1
    assert (
        corpus.attrs["quarantine"]["reason"].tolist() == ["a link or device in an archive; not followed"] * 4
    )
    link = zipfile.ZipInfo("link.txt")
    link.create_system, link.external_attr = 3, 0o120777 << 16
    corpus = load(stream(zipped([(link, "/etc/passwd")]), "a.zip"))
    assert reasons(corpus) == {"a.zip!link.txt": "a link or device in an archive; not followed"}


def test_an_extended_tar_header_may_not_fill_the_memory():
    info = tarfile.TarInfo("././@LongLink")
    info.type, info.size = tarfile.GNUTYPE_LONGNAME, 8 << 30
    corpus = load(stream(info.tobuf() + b"x" * 2048, "a.tar"))
    assert "damaged or truncated tar archive" in reasons(corpus)["a.tar"]


@pytest.mark.parametrize("kept", [0.5, 0.98])
def test_truncated_archives(kept):
    members = [(f"{i}.txt", f"Head {i}\n{random.Random(i).randbytes(3000).hex()}") for i in range(4)]
    tar = tarred([(name, text.encode()) for name, text in members])
    cut = load(stream(tar[: int(kept * 26_000)], "a.tar"))
    assert 1 <= len(cut) <= 4
    assert any("truncated" in reason for reason in reasons(cut).values())
    whole = zipped(members)
    assert (
        "damaged or truncated zip" in reasons(load(stream(whole[: int(kept * len(whole))], "a.zip")))["a.zip"]
    )


def test_a_damaged_zip_member_costs_no_other():
    data = bytearray(zipped([("a.txt", b"Head\n" + bytes(range(32, 120)) * 20), ("b.txt", b"Head\nBody")]))
    data[60] ^= 0xFF
    corpus = load(stream(bytes(data), "a.zip"))
    assert corpus["source"].tolist() == ["a.zip!b.txt"]
    assert "damaged" in reasons(corpus)["a.zip!a.txt"]


def test_an_encrypted_member_says_so():
    data = bytearray(zipped([("a.txt", b"Head\nBody")]))
    for signature in (b"PK\x03\x04", b"PK\x01\x02"):
        data[data.index(signature) + (6 if signature == b"PK\x03\x04" else 8)] |= 1
    assert reasons(load(stream(bytes(data), "a.zip"))) == {"a.zip!a.txt": "encrypted; unpack it first"}


def test_a_line_of_100_megabytes_is_refused_and_the_next_is_read():
    data = b'{"text": "' + b"a" * 100_000_000 + b'"}\n{"text": "next"}\n'
    corpus = load(stream(data, "a.jsonl"))
    assert corpus["source"].tolist() == ["a.jsonl#2"]
    assert reasons(corpus) == {"a.jsonl#1": "record larger than 64 MiB; not read; raise Limits.record_bytes"}


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.txt", b"a" * 2_000_000),
        ("a.csv", b'text\n"' + (b"a" * 99 + b"\n") * 20_000),
        ("a.json", b'[{"text": "' + b"a" * 2_000_000 + b'"}]'),
        ("a.html", b"<html>" + b"a" * 2_000_000),
    ],
)
def test_records_that_are_too_large_are_refused_in_every_format(name, data):
    corpus = load(stream(data, name), limits=SMALL)
    assert "larger than 1 MiB" in "".join(reasons(corpus).values())


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("empty.jsonl", b"", "empty file"),
        ("empty.txt.gz", gzip.compress(b"", mtime=0), "empty file"),
        ("blank.txt", b" \n\t\n", "empty text"),
        ("blank.jsonl", b"\n\n", "no records"),
        ("blank.csv", b"\n\n", "no header line"),
        ("header.csv", b"id,text\n", "no records: a header line only"),
        ("bin.txt", bytes(range(256)) * 4, "not text but binary data"),
        ("bin.jsonl", bytes(range(256)) * 4, "not text but binary data"),
        ("a.pdf", b"%PDF-1.7 ...", "not text but PDF"),
        ("a.docx", zipped([("word/document.xml", "<x/>")]), "no text in this office file"),
        ("a.unknown", b"some text", "unknown format '.unknown'"),
        ("a.webp", b"RIFF\x10\0\0\0WEBPVP8 ", "unknown format '.webp'; not read"),
        ("zeros.jsonl", bytes(999), "not text but binary data"),
        ("a.gz", b"\x1f\x8b\x08", "truncated gzip data"),
        ("a.zst", b"\x28\xb5\x2f\xfd\x00", "truncated zstd data"),
        ("a.feather", b"FEA1....", "Feather version 1"),
        *((f"a.{ending}", b'{"text": "a"}\n{"text": "b"}', "looks like JSON Lines: rename it to .jsonl")
          for ending in ("csv", "tsv", "html", "xml", "parquet")),
        ("a.csv", b'[{"text": "a"}]', "looks like JSON: rename it to .json"),
        ("a.csv", b"<!doctype html><p>Rain fell.", "looks like a web page: rename it to .html"),
        ("a.tab", b"<rss><channel/></rss>", "looks like XML: rename it to .xml"),
        *((f"a.{ending}", b"text,title\na,b\n", "looks like a table: rename it to .csv")
          for ending in ("jsonl", "json", "html", "xml", "feather")),
    ],
)  # fmt: skip
def test_a_file_in_which_nothing_can_be_read_is_one_row(name, data, reason):
    corpus = load(stream(data, name))
    assert len(corpus) == 0
    ((source, found),) = reasons(corpus).items()
    assert source == name
    assert reason in found
    assert "\n" not in found
    assert "rename it to .txt" not in found or name == "a.unknown"


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.jsonl", b'{"text": "Rain."}\n{"text": "Dry."}\n'),
        ("a.json", b'[{"text": "Rain."}, {"text": "Dry."},'),
        ("a.csv", b'title,text\n"a","Rain."\n"b","Dry."\n'),
    ],
)
def test_zeros_that_a_crash_leaves_cost_no_record(name, data):
    corpus = load(stream(data + bytes(5_000), name))
    assert corpus["text"].tolist() == ["Rain.", "Dry."]
    assert len(reasons(corpus)) == 1


def test_what_is_shown_of_bad_input_obeys_no_escape_code():
    data = "\x1b[31m\u202e\x07 not JSON \u2028\x00".encode() + b"\xff"
    excerpt = load(stream(data * 30, "a.jsonl")).attrs["quarantine"]["excerpt"].item()
    assert excerpt.isprintable()
    assert len(excerpt) <= 200
    assert excerpt.startswith("\\x1b[31m\\u202e\\x07 not JSON \\u2028\\x00")


def test_file_names_are_shown_printable(tmp_path):
    for name in (b"a\x1b[31m.txt", b"caf\xe9.txt"):
        with open(os.path.join(os.fsencode(tmp_path), name), "wb") as file:  # noqa: PTH118, PTH123 - bytes
            file.write(b"Head\nBody")
    assert load(tmp_path)["source"].tolist() == ["a\\x1b[31m.txt", "caf\\udce9.txt"]


def test_a_file_that_may_not_be_opened_is_a_row(tmp_path):
    (tmp_path / "gone.txt").symlink_to(tmp_path / "nowhere")
    (tmp_path / "ok.txt").write_text("Head\nBody")
    corpus = load(tmp_path)
    assert len(corpus) == 1
    assert reasons(corpus) == {"gone.txt": "cannot be opened: No such file or directory"}


@pytest.mark.parametrize("pattern", ["", "*", "**/*.txt"])
def test_pipes_devices_and_links_out_of_a_folder_are_rows_and_never_block(tmp_path, pattern):
    folder = tmp_path / "in"
    folder.mkdir()
    (tmp_path / "secret.txt").write_text("Not for you.")
    (folder / "{0} %s {x}.txt").write_text("Head\nBody")
    (folder / "inside.txt").symlink_to("{0} %s {x}.txt")
    os.mkfifo(folder / "pipe.txt")
    for name, target in {
        "to pipe": "pipe.txt",
        "zero": "/dev/zero",
        "in": "/dev/stdin",
        "out": "../secret.txt",
    }.items():
        (folder / f"{name}.txt").symlink_to(target)
    corpus = load(folder / pattern)
    assert corpus["text"].tolist() == ["Head\nBody"], "one file, whatever links lead to it"
    said = reasons(corpus)
    assert set(said) == {"pipe.txt", "to pipe.txt", "zero.txt", "in.txt", "out.txt"}
    assert all("pass its own path to read it" in reason for reason in said.values())
    assert load([folder / "out.txt"])["text"].item() == "Not for you."


@pytest.mark.parametrize("pattern", ["in", "i*"])
def test_folders_that_are_not_looked_into_are_rows(tmp_path, monkeypatch, pattern):
    """One that may not be opened, and a link to one elsewhere. What a link within the folder leads to is read."""
    for name in ("in/open", "in/closed", "elsewhere"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "a.txt").write_text("Head\nBody")
    for name, target in {"link": "../elsewhere", "inside": "open", "loop": "."}.items():
        (tmp_path / "in" / name).symlink_to(target)
    real = os.scandir

    def scandir(folder):
        if str(folder).endswith("closed"):
            raise PermissionError(errno.EACCES, "Permission denied", folder)
        return real(folder)

    monkeypatch.setattr(os, "scandir", scandir)
    corpus = load(tmp_path / pattern)
    assert len(corpus) == 1
    assert [name.rpartition("/")[2] for name in reasons(corpus)] == ["closed", "link"]


def test_an_empty_path_is_not_the_folder_one_is_in(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.txt").write_text("Head\nBody")
    for path in ("", [""]):
        with pytest.raises(FileNotFoundError, match="'' is no path"):
            load(path)
    assert len(load(".")) == 1


@pytest.mark.parametrize(
    "text", ["Rain fell on the port. " * 20, "Head\nBody", "a/b " * 2_000, "é" * 200, "x\0y\nz"]
)
def test_a_text_in_place_of_a_path_is_reported_in_one_line(text):
    with pytest.raises(FileNotFoundError, match="looks like a text, not a path") as told:
        load(text)
    assert len(str(told.value)) < 200
    assert "\n" not in str(told.value)


def claiming(size, name="a.txt"):
    """The first header of a tar whose member is as long as told, and 512 bytes of it."""
    header = bytearray(tarfile.TarInfo(name).tobuf(tarfile.GNU_FORMAT))
    header[124:136] = b"\x80" + size.to_bytes(11, "big")
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    return bytes(header) + b"x" * 512


def pax(**values):
    """A tar whose only member has its fields told by an extended header."""
    file = io.BytesIO()
    member = tarfile.TarInfo("a.txt")
    member.size, member.pax_headers = 9, values
    with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as archive:
        archive.addfile(member, io.BytesIO(b"Head Body"))
    return file.getvalue()


ROWS = 3_000
LONG = pa.DictionaryArray.from_arrays(pa.array([0] * ROWS, pa.int32()), pa.array(["a" * 1_000_000]))
NOTHING = pa.nulls(80_000_000, pa.string())


def parquet(column, **options):
    file = io.BytesIO()
    pa.parquet.write_table(pa.table({"text": column}), file, compression="zstd", **options)
    return file.getvalue()


def feather(column, **options):
    file = io.BytesIO()
    with pa.ipc.new_file(
        file, pa.schema([("text", column.type)]), options=pa.ipc.IpcWriteOptions(**options)
    ) as out:
        out.write_table(pa.table({"text": column}))
    return file.getvalue()


BOMBS = {
    "claim.tar": (lambda: claiming(2**62), "a header claims 4611686018427387904 bytes"),
    "hidden.tar": (lambda: claiming(2**62, ".a"), "a header claims"),
    "large.tar": (lambda: claiming(60 << 30), "truncated"),
    "pax.tar": (lambda: pax(size=str(2**62)), "a header claims"),
    "negative.tar": (lambda: pax(size="-1"), "a header claims -1 bytes"),
    "digits.tar": (lambda: pax(size="9" * 400), "a header claims"),
    "sparse.tar": (lambda: pax(**{"GNU.sparse.major": "1", "GNU.sparse.minor": "0"}), "damaged or truncated"),
    "same.parquet": (lambda: parquet(LONG), "expands more than"),
    "value.parquet": (
        lambda: parquet(pa.array(["a" * 100_000_000]), use_dictionary=False),
        "expands more than",
    ),
    "list.parquet": (
        lambda: parquet(pa.ListArray.from_arrays(pa.array([0, len(NOTHING)]), NOTHING)),
        "expands more",
    ),
    "nulls.parquet": (lambda: parquet(NOTHING), "expands more than"),
    "same.arrow": (lambda: feather(LONG), "expands more than"),
    "value.arrow": (lambda: feather(pa.array(["a" * 100_000_000]), compression="zstd"), "expands more than"),
    "nulls.arrow": (lambda: feather(pa.nulls(2**31 - 2)), "expands more than"),
    "runs.arrow": (
        lambda: feather(pa.RunEndEncodedArray.from_arrays(pa.array([2**20], pa.int32()), pa.array(["x"]))),
        "can grow without bound",
    ),
    "empty.zip": (lambda: zipped([]), "no files in this archive"),
}


@pytest.mark.parametrize("name", BOMBS)
def test_what_claims_or_packs_too_much_is_refused_at_once(name):
    make, reason = BOMBS[name]
    data = make()
    begun = time.process_time()
    corpus = load(stream(data, name), detect_language=False)
    assert time.process_time() - begun < 3
    assert reason in "; ".join(reasons(corpus).values())
    assert corpus["text"].str.len().sum() <= 100_000_000


def test_files_of_arrow_that_expand_as_news_does_are_read_whole():
    texts = [f"Story {n}: " + "the council voted on the plan for the harbour. " * 40 for n in range(2_000)]
    column = pa.array(texts + texts[:500])
    for name, data in {
        "a.parquet": parquet(column),
        "b.parquet": parquet(column.dictionary_encode()),
        "a.arrow": feather(column, compression="zstd"),
        "b.arrow": feather(column.dictionary_encode(), compression="lz4"),
    }.items():
        assert load(stream(data, name), detect_language=False)["text"].tolist() == column.to_pylist(), name


def test_an_error_nobody_foresaw_is_a_row(monkeypatch):
    def fail(archive):
        yield from ()
        raise KeyError("surprise")

    monkeypatch.setitem(sys.modules["toolkit.loading.formats"].FORMATS, "text", Format(fail))
    assert "reader failed: KeyError" in reasons(load(stream(b"Head\nBody", "a.txt")))["a.txt"]


SEEDS = {
    "a.jsonl": LINES[:400],
    "a.json": json.dumps([{"id": 1, "text": "x"}, {"id": 2, "text": "y"}]).encode(),
    "a.csv": b'id,text\n1,"a ""b"""\n2,c\n',
    "a.txt": "Head\nBody ü".encode(),
    "a.jsonl.gz": gzip.compress(LINES[:400]),
    "a.jsonl.zst": zstd(LINES[:400]),
    "a.zip": zipped([("a.txt", b"Head\nBody"), ("b.jsonl", LINES[:200])]),
    "a.tar": tarred([("a.txt", b"Head\nBody")])[:2048],
    "a.rss": b"<rss><channel><item><title>t</title><description>d</description></item></channel></rss>",
    "a.warc": b"WARC/1.0\r\nWARC-Type: conversion\r\nContent-Type: text/plain\r\n"
    b"Content-Length: 4\r\n\r\ntext\r\n\r\n",
}


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from(sorted(SEEDS)),
    st.lists(st.tuples(st.integers(0, 4000), st.integers(0, 255)), max_size=4),
    st.integers(0, 4000),
)
def test_bytes_changed_anywhere_never_stop_a_load_nor_lose_the_file(name, changes, cut):
    data = bytearray(SEEDS[name])
    for position, byte in changes:
        data[position % len(data)] = byte
    corpus = load(stream(bytes(data[: cut % len(data) or None]), name))
    quarantine = corpus.attrs["quarantine"]
    assert len(corpus) + len(quarantine) >= 1
    assert quarantine["excerpt"].map(lambda text: text.isprintable() and len(text) <= 200).all()
    assert corpus["doc_id"].is_unique


def test_memory_does_not_grow_with_the_file(tmp_path):
    """Sixty megabytes of text take little more memory than six; measured in a process of its own."""
    path = tmp_path / "a.jsonl.gz"
    line = json.dumps({"text": "x" * 10_000}).encode() + b"\n"
    with gzip.open(path, "wb", compresslevel=1) as file:
        for _ in range(60):
            file.write(line * 100)
    code = (
        "import sys\n"
        "from benchmarks.memory import peak\n"
        "from toolkit.loading import Limits, iter_batches\n"
        "peaks, documents = [], 0\n"
        "for batch in iter_batches(sys.argv[1], rows=600, limits=Limits(ratio=10_000)):\n"
        "    documents += len(batch)\n"
        "    peaks.append(peak())\n"
        "print(documents, (peaks[-1] - peaks[0]) >> 20)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    documents, megabytes = map(int, done.stdout.split())
    assert documents == 6_000
    assert megabytes < 30


def test_a_file_of_nothing_but_bad_lines_is_delivered_in_bounded_pieces(tmp_path, monkeypatch):
    monkeypatch.setattr("toolkit.loading.batches.MOST_REJECTED", 1000)
    monkeypatch.setattr("toolkit.loading.jsonlines.ROWS_OF_COLUMNS", 500)
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"bad\n" * 9_999)
    batches = list(iter_batches(path))
    assert [len(batch) for batch in batches] == [0] * len(batches)
    assert max(len(batch.attrs["quarantine"]) for batch in batches) <= 1500
    assert sum(len(batch.attrs["quarantine"]) for batch in batches) == 9_999


SLOW = {
    "comment.csv": "#" + " " * 300_000 + ",\ntitle,text\na,b\n",
    "scripts.html": "<html><p>x</p><html>" + "<script><!--" * 100_000,
    "cut.json": '{"articles": [{"source": {}, "content": "' + " " * 300_000 + 'x"}]}',
    "tag.txt": '<doc title="a" ' + "a-" * 200_000 + ">\nRain\n</doc>\n",
    "headline.txt": "Rain\n" + ("\n" + " " * 500) * 2_000 + "x" * 150 + "\n1 2 3\n" * 20_000,
}


@pytest.mark.parametrize("name", SLOW)
def test_no_text_makes_a_pattern_search_for_long(name):
    file = io.BytesIO(SLOW[name].encode())
    file.name = name
    started = time.process_time()
    load(file)
    assert time.process_time() - started < 10


def unlisted(archive):
    """Take the last of two members out of the directory of a zip archive, where unpackers look for them."""
    with zipfile.ZipFile(io.BytesIO(archive)) as file:
        start = file.start_dir
    entry = archive[start : archive.index(b"PK\1\2", start + 4)]
    end = struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, 1, 1, len(entry), start, 0)
    return archive[:start] + entry + end


def test_archives_put_one_behind_the_other_lose_nothing_quietly(tmp_path):
    """As ``cat a.tar b.tar`` makes them; tarfile ends at the first, zipfile knows the last only."""
    a, b, c = ((f"{n}.jsonl", LINES[: LINES.index(b"\n") + 1]) for n in "abc")
    damaged = bytearray(tarred([a, b, c]) + bytes(20_480))
    damaged[1024 + 150] ^= 1  # the sum of the second header is wrong
    kept = {
        "two.tar": (2, tarred([a, b]) + tarred([c])),
        "short.tar": (2, tarred([a, b])[:4096] + tarred([c])[:4096]),  # padded less than a whole record
        "line.tar": (2, tarred([a, b]) + c[1]),
        "damaged.tar": (1, bytes(damaged)),
        "two.zip": (2, zipped([c]) + zipped([a, b])),
        "none.zip": (0, zipped([c]) + zipped([])),
        "line.zip": (2, zipped([a, b]) + c[1]),
        "unlisted.zip": (1, unlisted(zipped([a, b]))),
    }
    for name, (number, raw) in kept.items():
        corpus = load(stream(raw, name))
        assert (name, len(corpus), list(reasons(corpus))) == (name, number, [name])
    assert reasons(load(stream(tarred([a]) + bytes(99_999), "zeros.tar"))) == {}
    corpus = load(stream(zipped([a, ("b.jsonl/", b[1]), ("folder/", b"")]), "named.zip"))
    # what is called like a folder and holds bytes is a file
    assert (len(corpus), list(reasons(corpus))) == (2, [])


PAGES = {
    name: f"<!doctype html><html><head><title>{name}</title></head><body>{body}</body></html>"
    for name, body in {
        "rain": "<p>It rained all day in the port, and the boats stayed in.</p>" * 6,
        "snow": "<div>Snow fell on the hills, and the roads were shut.</div>" * 6,
        "short": "<p>The council met on Tuesday, and the vote was close.</p>",
        "none": "<script>document.write('<html><p>It rained on the port all day long.</p></html>')</script>",
    }.items()
}


@pytest.mark.parametrize(
    ("page", "documents", "reason"),
    [
        (PAGES["rain"] + PAGES["rain"].replace("rained", "snowed"), 0, "looks like 2 articles"),
        (PAGES["rain"] + PAGES["snow"], 0, "looks like 2 articles"),
        (PAGES["snow"] + PAGES["rain"] + PAGES["short"], 0, "looks like 3 articles"),
        (PAGES["short"] + "\n\n" + PAGES["short"], 0, "looks like 2 articles"),
        ((PAGES["rain"] + PAGES["snow"]).replace("</html>", ""), 0, "looks like 2 articles"),
        (
            PAGES["rain"].replace("</p>", "</p><html><body><p>A pasted piece of a page.</p></html>", 1),
            1,
            None,
        ),
        (PAGES["rain"] + "<p>Snow fell on the hills, and the roads were shut.</p>", 1, "kept in part: "),
        (PAGES["rain"] + "<!-- Served from a cache in 0.2 seconds, and nothing but a note -->", 1, None),
        (PAGES["rain"] + PAGES["none"], 1, None),
        (PAGES["rain"].replace("</body>", PAGES["none"] + "</body>"), 1, None),
        (PAGES["rain"].replace("</p>", '</p><iframe srcdoc="' + PAGES["snow"] + '"></iframe>', 1), 1, None),
    ],
)
def test_what_stands_behind_the_end_of_a_page_is_reported(page, documents, reason):
    """A parser stops at the end of the first page; scripts, comments and frames hold pages that are none."""
    corpus = load(stream(page.encode(), "a.html"))
    assert len(corpus) == documents
    assert [each.startswith(reason or "-") for each in reasons(corpus).values()] == [True] * (
        reason is not None
    )


def test_what_stands_behind_the_end_of_an_arrow_stream_or_file_is_reported():
    """So is a stream that ends between two messages, and has lost the rest."""
    table = pa.table({"text": ["It rained.", "Snow fell."]})
    whole = {}
    for name, begin in (("stream.arrow", pa.ipc.new_stream), ("file.arrow", pa.ipc.new_file)):
        out = io.BytesIO()
        with begin(out, table.schema) as writer:
            for batch in table.to_batches(max_chunksize=1):
                writer.write_batch(batch)
        whole[name] = out.getvalue()
    for name, data in whole.items():
        assert reasons(load(stream(data, name))) == {}
        for more in (b"x", b"\0" * 8, data):
            corpus = load(stream(data + more, name))
            assert (len(corpus), list(reasons(corpus))) == (2, [f"{name}#3"])
        for cut in range(9, len(data)):
            assert reasons(load(stream(data[:cut], name))), (name, cut)


DOUBLED = '{"text": "It rained.", "text": "Snow fell."}'
ONCE = '{"text": "It was dry.", "text": "It was dry.", "seen": 1, "seen": 2}'


@pytest.mark.parametrize(
    ("name", "data", "good"),
    [
        ("a.jsonl", f"{DOUBLED}\n{ONCE}\n", 1),
        ("b.jsonl", f'{{"_source": {DOUBLED}}}\n{ONCE}\n', 1),
        ("a.json", DOUBLED, 0),
        ("b.json", f"[{DOUBLED}, {ONCE}]", 1),
        ("c.json", f'{{"articles": [{ONCE}, {DOUBLED}]}}', 1),
        ("d.json", f'{{"articles": [{ONCE}], "articles": [{ONCE}]}}', 2),
        ("e.json", f'{{"hits": {{"hits": [{ONCE}, {DOUBLED}]}}}}', 1),
        ("a.csv", "text,title,text\nIt rained.,A,Snow fell.\nIt was dry.,B,It was dry.\n", 1),
    ],
)
def test_a_field_that_stands_twice_with_two_values_is_refused(name, data, good):
    """JSON parsers keep the last. Fields that nobody needs, or of the same value, lose nothing."""
    corpus = load(stream(data.encode(), name))
    assert corpus["text"].tolist() == ["It was dry."] * good
    assert list(reasons(corpus).values()) == ["the field 'text' stands twice in one record; not read"] * (
        good < 2
    )


def test_two_columns_of_one_name_are_refused():
    table = pa.Table.from_arrays([pa.array(["It rained."]), pa.array(["Snow fell."])], names=["text", "text"])
    parquet_file, arrow = io.BytesIO(), io.BytesIO()
    pa.parquet.write_table(table, parquet_file)
    with pa.ipc.new_file(arrow, table.schema) as writer:
        writer.write_table(table)
    for name, data in (("a.parquet", parquet_file), ("a.arrow", arrow)):
        corpus = load(stream(data.getvalue(), name))
        assert (len(corpus), len(reasons(corpus))) == (0, 1)
        assert "two columns are called 'text'" in next(iter(reasons(corpus).values()))


@pytest.mark.parametrize(
    "data",
    [
        {"articles": [{"text": "It was dry."}], "more": [{"text": "It rained."}]},
        {"more": [{"text": "It rained."}], "articles": [{"text": "It was dry."}]},
        {"response": {"docs": [{"text": "It was dry."}], "more": [{"body": "It rained."}]}},
        {"articles": [{"text": "It was dry."}], "meta": {"more": [{"text": "It rained."}]}},
        [{"articles": [{"text": "It was dry."}], "more": [{"text": "It rained."}]}],
    ],
)
def test_a_second_list_of_records_is_not_passed_over(data):
    corpus = load(stream(json.dumps(data).encode(), "a.json"))
    assert corpus["text"].tolist() == ["It was dry."]
    reason = "kept in part: the list 'more' beside the one that is read holds texts too"
    assert list(reasons(corpus).values()) == [reason]


MIXED = (
    "Subject: S\nMIME-Version: 1.0\nContent-Type: multipart/{0}; boundary=x\n\n--x\nContent-Type: text/{1}\n\n{2}\n"
    "--x\nContent-Type: text/{1}\n\n{3}\n--x--\n"
)
RAIN, SNOW = "It rained in the port all day. " * 12, "Snow fell on the hills, and the roads were shut. " * 12


def test_no_part_of_a_message_or_of_a_saved_page_is_passed_over():
    """Newsletters add a part below the first; browsers save frames beside the page, long ones are reported."""
    for kind in ("plain", "html"):
        corpus = load(stream(MIXED.format("mixed", kind, "It rained.", "Snow fell.").encode(), "a.eml"))
        assert corpus["text"].str.split().tolist() == [["It", "rained.", "Snow", "fell."]]
    message = MIXED.format("mixed", "plain", "It rained.", "Snow fell.")
    for more in (message.replace("\n\n--x", f"\n\n{RAIN}\n--x", 1), message + RAIN):
        (reason,) = reasons(load(stream(more.encode(), "a.eml"))).values()
        assert re.fullmatch(
            r"kept in part: \d+ characters stand before or behind the parts of a message", reason
        )
    pages = [f"<html><body><p>{text}</p></body></html>" for text in (RAIN, SNOW, "An advertisement.")]
    for last, found in ((pages[1], ["kept in part: another page of"]), (pages[2], [])):
        corpus = load(stream(MIXED.format("related", "html", pages[0], last).encode(), "a.mhtml"))
        assert corpus["text"].str.strip().tolist() == [RAIN.strip()]
        assert [reason[:29] for reason in reasons(corpus).values()] == found


def test_messages_within_a_message_are_messages_too():
    """A digest, and a message with another attached: what stands within was lost quietly."""
    part = b"--x\nContent-Type: %s\n\n%s\n"
    inner = [b"Subject: %s\n\nIt rained on the port, says %s." % (name, name) for name in (b"B", b"C")]
    start = b"Subject: A\nMIME-Version: 1.0\nContent-Type: multipart/%s; boundary=x\n\n"
    own = part % (b"text/plain", b"Snow fell on the port.")
    attached = part % (b"message/rfc822", inner[0]) + part % (b"message/rfc822", inner[1]) + b"--x--\n"
    for kind, body, titles in (("mixed", own + attached, ["A", "B", "C"]), ("digest", attached, ["B", "C"])):
        corpus = load(stream(start % kind.encode() + body, f"{kind}.eml"))
        assert (corpus["title"].tolist(), reasons(corpus)) == (titles, {})
