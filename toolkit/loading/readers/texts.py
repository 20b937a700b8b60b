"""Files of one article: plain text, captions of broadcasts, stories with highlights."""

from __future__ import annotations

import re
from collections.abc import Iterator

from toolkit.loading.encodings import decode
from toolkit.loading.mapping import Absent
from toolkit.loading.pages import decode_page, read_page
from toolkit.loading.quarantine import Unreadable
from toolkit.loading.readers.driver import Archive, Record
from toolkit.loading.readers.unsplit import several_in_page, several_in_text

LONGEST_TITLE = 300
"""A first line longer than this is a paragraph, and no headline (code points)."""

CAPTIONS = re.compile(r"\ufeff?\s*(?:WEBVTT\b|(?:\d+\s*\n)?\d\d?:\d\d(?::\d\d)?[,.]\d{1,3}\s*-->)")
STORY = re.compile(r"^@highlight\s*$", re.M)

_TIME = re.compile(r"^\s*(?:\d+:)?\d\d:\d\d[,.]\d{1,3}\s*-->.*$")
_TAG = re.compile(r"</?[a-zA-Z][^<>\n]{0,80}>|\{\\[^{}\n]{0,40}\}|<\d\d:\d\d[^<>\n]{0,12}>")


def text(archive: Archive) -> Iterator[Record | Unreadable]:
    """Plain text, one article a file, also out of Word (.docx) and RTF files."""
    whole = decode(archive.stream.read_all("text file"), archive.options.encoding)
    whole = whole.removeprefix("\ufeff")
    if reason := several_in_text(whole):
        yield Unreadable(reason, whole[:200])
        return
    first = next((line.strip() for line in whole.splitlines() if line.strip()), "")
    yield {"text": whole, "title": first if len(first) <= LONGEST_TITLE and first != whole.strip() else None}


def page(archive: Archive) -> Iterator[Record | Unreadable]:
    """Web pages, one article a file: text, title, date and address by trafilatura."""
    html = archive.stream.read_all("page")
    record = read_page(html, charset=archive.options.encoding)
    found = record.get("text")
    if isinstance(found, Absent) and not found.reason.startswith("no article"):
        yield record  # a page that is not safe to parse
        return
    many, part = several_in_page(
        decode_page(html, archive.options.encoding), found if isinstance(found, str) else None
    )
    if many is not None:
        yield Unreadable(many, html)
        return
    yield record
    if part is not None and isinstance(found, str):
        yield Unreadable(part, html)


def captions(archive: Archive) -> Iterator[Record]:
    """Captions of broadcasts: SubRip and WebVTT."""
    spoken: list[str] = []
    for block in re.split(r"\n\s*\n", archive.text().removeprefix("\ufeff").strip()):
        lines = block.split("\n")
        at = next((i for i, line in enumerate(lines) if _TIME.match(line)), None)
        for line in lines[at + 1 :] if at is not None else []:
            shown = _TAG.sub("", line).strip()
            if shown and shown != (spoken[-1] if spoken else ""):
                spoken.append(shown)
    yield {"text": re.sub(r" (?=>>)", "\n", " ".join(spoken)), "title": None}


def story(archive: Archive) -> Iterator[Record]:
    """Stories of the CNN/Daily Mail reading sets."""
    whole = archive.text().removeprefix("\ufeff")
    first = STORY.search(whole)
    yield {"text": whole[: first.start() if first else None].strip(), "title": None}
