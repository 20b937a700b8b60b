"""Texts written to be read as they are: articles, captions of broadcasts, stories.

A text that looks like many articles is refused, since one of them would hide the others.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import dropwhile, groupby, islice, pairwise

from toolkit import fields
from toolkit.loading.quarantine import READ, Unreadable, printable
from toolkit.loading.readers.driver import Archive, Record
from toolkit.loading.readers.lines import find_date, is_date, pattern
from toolkit.loading.streams import decode

LONGEST_TITLE = 300  # a first line longer than this is a paragraph, and no headline (code points)
LEAST = 250  # characters that an article among several must have to count as one
MARGIN = 60  # a last line of fewer characters ends a text: the author, a source, a short paragraph
PROSE = 120  # characters of a line that is a paragraph, no headline
ROWS = 20  # least lines of a file that has a table or an article on each
MANY = 5  # lines like headlines, each above a part of some length, that one article hardly has

CAPTIONS = re.compile(r"\ufeff?\s*(?:WEBVTT\b|(?:\d+\s*\n)?\d\d?:\d\d(?::\d\d)?[,.]\d{1,3}\s*-->)")
ALCESTE = re.compile(r"^(?:\*{4}|\d{4})[ \t]+\*\w.*$", re.M)
STORY = re.compile(r"^@highlight\s*$", re.M)

# front matter; a label and its value
_FENCED = re.compile(r"\s*---[ \t]*\n((?:.*\n){1,99}?)(?:---|\.\.\.)[ \t]*(?:\n|\Z)")
_PAIR = re.compile(r"^([^\W\d_][\w -]{0,20}):[ \t]*(.*)(?:\n|\Z)", re.M)
_SENTENCE_ENDS = '.!?”"»'
_ROW = re.compile(r"^(?:\d+\t\S.{20,}|# (?:newdoc|sent_id|text)\b.*)$", re.M)
_LABEL, _REFERENCE = pattern("many_titles"), pattern("references")
_ABOVE_DATE = re.compile(
    r"(?:^|\n[ \t]*\n)([^\n]{8,199}[^\s.,;:])[ \t]*\n(?:[ \t]*\n)?(?=([^\n]{6,80}\b\d{1,4}\b[^\n]{0,60})\n)"
)
_ELEMENT = re.compile(
    r"^[ \t]*<(article|doc|document|text|item|story|news|record|entry|post)\b[^<>\n]*>", re.M | re.I
)


def _dated(text: str) -> Iterator[re.Match[str]]:
    """Yield the headlines below which a line of its own is a date, if the text begins with one."""
    found = False
    for match in _ABOVE_DATE.finditer(text):
        if is_date(match[2]) and find_date(match[2]) is not None:
            found = True
            yield match
        elif not found and match.start() > LEAST:
            return


def _elements(text: str) -> Iterator[re.Match[str]]:
    """Yield the start tags of the element of which the first one is."""
    found = list(_ELEMENT.finditer(text))
    return (match for match in found if match[1] == found[0][1])


# what shows many articles; whether it opens each of them, or ends each or stands between two; how many show it
_MARKS = (
    ("lines 'Title:'", True, 2, _LABEL),
    ("headings", True, 2, re.compile(r"^# \S.*$", re.M)),
    ("addresses above them", True, 2, re.compile(r"^[ \t]*(?:URL: ?)?https?://\S+[ \t]*$", re.M)),
    ("headlines with a date below", True, 2, _dated),
    ("elements of markup", True, 2, _elements),
    ("numbered headings", False, 2, pattern("many_numbers")),
    ("document numbers", False, 2, pattern("many_identities")),
    ("rules between them", False, 2, re.compile(r"^[ \t]*([=_#*~+-])\1{2,}[ \t]*$", re.M)),
    ("the same rule after each", False, 3, re.compile(r"^[ \t]*(={3,}|#{3,}|-{4,}|_{4,})[ \t]*$", re.M)),
    ("blank lines between them", False, 2, re.compile(r"\n[ \t]*\n[ \t]*\n\s*")),
    ("notes of copyright", False, 3, pattern("many_copyrights")),
)
_TIME = re.compile(r"^\s*(?:\d+:)?\d\d:\d\d[,.]\d{1,3}\s*-->.*$")
_TAG = re.compile(r"</?[a-zA-Z][^<>\n]{0,80}>|\{\\[^{}\n]{0,40}\}|<\d\d:\d\d[^<>\n]{0,12}>")


def text(archive: Archive) -> Iterator[Record | Unreadable]:
    """Plain text, one article a file or between form feeds, also out of Word (.docx) and RTF files."""
    whole = _whole(archive)
    parts, reason = parts_of(whole)
    if reason is not None:
        yield Unreadable(reason, whole)
    for part in parts:
        if reason := several_in_text(part):
            yield Unreadable(reason, part)
            continue
        labels, body = _labelled(part)
        if not fields.candidates("publisher", labels):
            labels = {"publisher" if name.lower() == "source" else name: labels[name] for name in labels}
        first = next((line.strip() for line in body.splitlines() if re.search(r"\w", line)), "")
        none = fields.candidates("title", labels) or len(first) > LONGEST_TITLE or first == body.strip()
        yield {"title": None if none else first} | labels | {"text": body}
        if len(parts) == 1 and (remark := perhaps_several(part)):
            archive.remarks.append(Unreadable(remark, part))


def _labelled(part: str) -> tuple[Record, str]:
    """Return what stands above a text as 'Title: …', 'Date: …', or as front matter, by its labels; and the text."""
    labels: Record = {}
    if fenced := _FENCED.match(part):
        pairs = dict(_PAIR.findall(fenced[1]))
        # all of it is labels, their further lines, and comments; else an article stands between two rules
        whole = all(re.match(r"[ \t#-]|\s*$", row) or _PAIR.match(row) for row in fenced[1].splitlines())
        if whole and any(map(fields.is_known, pairs)):
            values = (re.sub(r"""^(["'])(.*)\1$""", r"\2", value.strip()) for value in pairs.values())
            return dict(zip(pairs, values, strict=True)), part[fenced.end() :].lstrip("\n")
    at = len(part) - len(part.lstrip())
    while (pair := _PAIR.match(part, at)) and (fields.is_known(pair[1]) or pair[1].lower() == "source"):
        if fields.candidates("text", [pair[1]]):
            at = pair.start(2)
            break
        labels[pair[1]], at = pair[2].strip(), pair.end()
    alone = len(labels) < 2 or not fields.candidates("title", labels)
    return ({}, part) if alone else (labels, part[at:].lstrip("\n"))


def _whole(archive: Archive) -> str:
    return decode(archive.stream.read_all("text file"), archive.options.encoding).removeprefix("\ufeff")


def parts_of(text: str) -> tuple[list[str], str | None]:
    """Return the articles of a text that form feeds divide, or why it may hold several that cannot be told apart.

    It is divided if each part has a headline of its own, and taken whole if none but the first has one.
    """
    pages = [page for page in text.split("\f") if page.strip()]
    titles: list[str] = []
    for before, page in pairwise(["", *pages]):
        last = before.rstrip().rpartition("\n")[2]
        # an article goes on where a page ends within a sentence
        if _headed(page.strip()) and (len(last) < MARGIN or last[-1] in _SENTENCE_ENDS):
            titles.append(page.strip().split("\n", 1)[0])
    if len({re.sub(r"\d+", "", title) for title in titles}) < 2:  # one, or that of the newspaper on each page
        return [text], None
    if len(titles) == len(pages):
        return pages, None
    return [], looks_like(len(titles), "headlines below some of the form feeds", titles)


def several_in_text(text: str) -> str | None:
    """Return why a plain text is taken for many articles, or None."""
    rows = _ROW.findall(text)
    if len(rows) >= 5 and sum(map(len, rows)) >= 0.2 * len(text):
        return f"looks like a table of {len(rows)} sentences or rows, no article; not read; give it a header (CSV)"
    lines = [line for line in text.split("\n") if line.strip() and line[0] != "#"]
    columns = {len(line.split()) for line in lines} if len(lines) >= ROWS else {0}
    if len(columns) == 1 and 1 < max(columns) < ROWS:
        mend = "no article; not read; give it a header (CSV)"
        return f"looks like a table of {len(lines)} lines of {max(columns)} words each, {mend}"
    # paragraphs of one article are fewer, shorter, or have a headline above them
    many = len(lines) >= 5 * ROWS or len(text) > 1000 * len(lines)
    if many and len(lines) >= ROWS and min(map(len, lines)) >= PROSE:
        return looks_like(len(lines), "one on each line", lines)
    if _REFERENCE.match(text.lstrip()):
        what = "looks like records of references (RIS, BibTeX, EndNote), no article; not read"
        return f"{what}; give each article a record of its own (JSONL, CSV)"
    for what, opens, least, mark in _MARKS:
        marks = list(mark.finditer(text) if isinstance(mark, re.Pattern) else mark(text))
        # a label may stand below the first lines of a report; other marks count only where the file begins with one
        if len(marks) < least or (opens and len(text[: marks[0].start()].strip()) > LEAST * (mark is _LABEL)):
            continue
        cuts = [mark.start() if opens else mark.end() for mark in marks]
        parts = [text[a:b].strip() for a, b in pairwise([0, *cuts, len(text)])]
        long = [part for part in parts if len(part) >= LEAST]
        if what.startswith(("blank", "the same")) and len(long) < sum(
            bool(part.strip("=#_-")) for part in parts
        ):
            continue  # an article may have wide gaps, and notes below a rule; between articles all of them stand
        if what.startswith("the same") and len({mark[1] for mark in marks}) > 1:
            continue
        # sections are divided by stars and dashes, and headed
        headed = what.startswith("rules") and {mark[1] for mark in marks} <= set("=_#")
        titled = _headed if headed else _titled
        if len(long) >= least and ("between" not in what or all(map(titled, long))):
            return looks_like(len(long), what, [_LABEL.sub(r"\2", part.split("\n", 1)[0]) for part in long])
    return None


def perhaps_several(text: str) -> str | None:
    """Return a remark on a text that is read as one article and may be several, or None.

    Headlines and subheadings look alike, so that nothing is refused for them.
    """
    pages = sum(1 for page in text.split("\f") if page.strip())
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    heads = [
        at for at, line in enumerate(lines)
        if _is_title(line) and any(len(below) >= PROSE for below in lines[at + 1 : at + 4])
        and (not at or len(lines[at - 1]) >= PROSE or lines[at - 1][-1] in _SENTENCE_ENDS)
    ]  # fmt: skip
    parts = [lines[a:b] for a, b in pairwise([*heads, len(lines)])] if heads[:1] == [0] else []
    long = (head for head, *body in parts if sum(map(len, body)) >= LEAST)
    found = [head for head in long if len(head) >= 30 and len(head.split()) >= 5]
    if pages > 1:
        why = f"form feeds divide it into {pages} parts"
    elif len(found) >= MANY:
        why = f"{len(found)} lines look like headlines: {_first_two(found)}"
    else:
        return None
    return f"{READ} one article, though {why}; split the file if it holds several"


def _headed(page: str) -> bool:
    """Whether what stands between form feeds begins with a headline and has a text below it."""
    first, _, rest = page.partition("\n")
    prose = len(rest.strip().split("\n", 1)[0]) >= PROSE
    return len(rest.strip()) >= LEAST / 3 and (_titled(page) or (_is_title(first) and prose))


def _titled(part: str) -> bool:
    """Whether a part begins with what may be a headline, by itself or above a date."""
    first, second = [*part.split("\n", 2), ""][:2]
    return "\n" in part and _is_title(first) and (not second.strip() or find_date(second) is not None)


def _is_title(line: str) -> bool:
    return len(line) <= 200 and line.rstrip()[-1:] not in {".", ",", ";", ":", "…", ""}


def looks_like(count: int, what: str, titles: list[str], site: str = "") -> str:
    """Return why a file is refused that looks like so many articles, the first two of them named."""
    where = f" of {printable(site, 80)}" if site else ""
    return (
        f"looks like {count} articles{where} in one file ({what}): {_first_two(titles)}; not read as one; "
        "split the file, or give each article a record of its own (JSONL, CSV)"
    )


def _first_two(titles: list[str]) -> str:
    return ", ".join(repr(printable(title.strip(), 80)) for title in titles[:2]) + " …"


def captions(archive: Archive) -> Iterator[Record]:
    """Captions of broadcasts: SubRip and WebVTT."""
    blocks = re.split(r"\n\s*\n", _whole(archive).strip())
    cues = (dropwhile(lambda line: not _TIME.match(line), block.split("\n")) for block in blocks)
    shown = (_TAG.sub("", line).strip() for cue in cues for line in islice(cue, 1, None))
    spoken = [line for line, _ in groupby(filter(None, shown))]  # a line may be shown twice
    yield {"text": re.sub(r" (?=>>)", "\n", " ".join(spoken)), "title": None}


def story(archive: Archive) -> Iterator[Record]:
    """Stories of the CNN/Daily Mail reading sets."""
    yield {"text": STORY.split(_whole(archive))[0].strip(), "title": None}


def alceste(archive: Archive) -> Iterator[Record]:
    """Corpora of IRaMuTeQ and Alceste, a line '**** *variable_value' above each text."""
    for mark, piece in archive.pieces(ALCESTE):
        if mark:
            found = re.findall(r"\*([^\W_]+)_(\S*)", mark[0])
            variables: Record = dict(pair for pair in found if not fields.candidates("text", pair[:1]))
            body = re.sub(r"^-\*\S+[ \t]*$", "", piece, flags=re.M)  # names of parts
            yield {"title": None} | variables | {"text": body.strip()}
