"""What archives print around an article: dates, lengths, names, languages, labels; and lines to paragraphs."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from itertools import groupby
from typing import Any

from toolkit.dates import parse_date
from toolkit.files import shipped
from toolkit.language import language_code

WRAPPED = 50  # a block whose longest line is shorter has not been wrapped at a margin (code points)
INDENT = 5  # spaces that may have stood before a paragraph's first line

_LENGTH = re.compile(r"\(?(\d[\d.,' \u202f]*)\s?([^\W\d_]{1,12})\.?\)?$")
_PLACE = re.compile(r"\s*\(([^()]{1,60})\)$")

LABELS = tomllib.loads(shipped("archive_labels.toml").read_text("utf-8"))


def roles(archive: str) -> dict[str, str]:
    """Return the field that each label of an archive names, such as "verfasser" the authors; "" if it is not kept."""
    entries = ((role, " ".join(names.split()).split("; ")) for role, names in LABELS[archive].items())
    return {name: "" if role == "other" else role for role, names in entries for name in names}


def pattern(name: str) -> re.Pattern[str]:
    """Return one of the regular expressions by which a line, an element or a file is recognised."""
    return re.compile(LABELS["marks"][name].replace("\n", ""))


_KINDS = roles("headings")
DATE, _EDITION, _BY, _CLOSING = map(pattern, ("date", "edition", "byline", "copyright"))


def blocks(text: str) -> list[list[str]]:
    """Return the lines of a text in blocks that blank lines divide, without the space around them."""
    lines = map(str.strip, text.replace("\xa0", " ").split("\n"))
    return [list(block) for filled, block in groupby(lines, bool) if filled]


def unwrapped(lines: list[str]) -> str:
    """Return a block as it was before it was wrapped at a margin; breaks that were meant stay.

    A break was meant where the next word would still have fitted on the line.
    """
    width = max(map(len, lines), default=0)
    text = ""
    for i, (line, after) in enumerate(zip(lines, [*lines[1:], ""], strict=True)):
        # the first line may have been indented
        needed = len(line) + 1 + len(after.split(" ", 1)[0]) + (0 if i else INDENT)
        text += line + (" " if needed > width >= WRAPPED else "\n")
    return text.strip()


def find_date(text: str) -> str | None:
    """Return the first part of a line that is a date with day, month and year, or None."""
    for match in DATE.finditer(text[:300]):
        found = match.group()
        if numbers := re.fullmatch(r"(\d{4})\s?[年년]\s?(\d\d?)\s?[月월]\s?(\d\d?)\s?[日일]", found):
            found = "-".join(number.zfill(2) for number in numbers.groups())
        elif numbers := re.fullmatch(r"(\d{1,2})[./](\d{1,2})[./](\d{4})", found):
            day, month, year = (int(number) for number in numbers.groups())
            found = f"{year}-{month:02}-{day:02}" if month <= 12 else f"{year}-{day:02}-{month:02}"
        if parse_date(found) is not None:
            return found
    return None


def is_date(line: str) -> bool:
    """Whether a line is a date, with at most a weekday, a time and an edition around it."""
    match = DATE.search(line) if len(line) < 90 else None
    if match is None:
        return False
    if match.start() == 0 and _EDITION.search(line):  # March 10, 1986, Monday, Late City Final Edition
        return True
    around = re.findall(r"[^\W\d_]{2,}", line[: match.start()] + " " + line[match.end() :])
    return len(around) <= 4 and sum(map(len, around)) <= 30


def words(text: str) -> int | None:
    """Return the number that a line such as '121 words' or '1.285 Wörter' states, or None."""
    match = _LENGTH.match(text.strip())
    if match is None or _KINDS.get(match[2].lower()) != "units_of_length":
        return None
    digits = re.sub(r"\D", "", match[1])
    return int(digits) if len(digits) < 7 else None


def authors(text: str | None) -> str | None:
    """Return a byline as names joined by '; ', without 'By'."""
    names = re.split(r"\s*;\s*|\s+(?:and|und|et|en)\s+", _BY.sub("", (text or "").strip(), count=1))
    return "; ".join(name.strip(" ,") for name in names if name.strip(" ,")) or None


def publication(text: str) -> dict[str, str | None]:
    """Return the name of a newspaper, and what stands in brackets or after 'no.' behind it as its edition."""
    name, _, issue = re.sub(r"\s+", " ", text).strip().partition(", no")
    match = _PLACE.search(name)
    if match and match.start():
        return {"publisher": name[: match.start()], "edition": match.group(1)}
    return {"publisher": name or None, "edition": f"no{issue}" if issue else None}


def typed(values: Mapping[str, str | None]) -> dict[str, Any]:
    """Return labelled values, each read for what it is: a newspaper, a date, a byline, a length, a language."""
    of = {name: " ".join(value.split()) for name, value in values.items() if value}
    return {"title": None} | publication(of.pop("publisher", "")) | of | {
        "published": find_date(of.get("published", "")),
        "authors": authors(of.get("authors")),
        "length": words(re.sub(r"^(\d+)$", r"\1 words", of.get("length", ""))),
        "lang": language_code(of.get("lang")),
    }  # fmt: skip


def is_closing(line: str) -> bool:
    """Whether a line is the archive's or the publisher's note of copyright."""
    return len(line) < 200 and _CLOSING.match(line) is not None


def paragraphs(text: str) -> list[str]:
    """Return a text's blocks as paragraphs, lines wrapped at a margin joined."""
    return [unwrapped(block) for block in blocks(text)]
