"""Files that look like many articles and that no reader splits: refused, since one of them would hide the others."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from toolkit.loading.markup import content, html_root, page_lines
from toolkit.loading.quarantine import PART, READ, printable
from toolkit.loading.readers.lines import find_date, is_date, pattern

LEAST = 250  # characters that an article among several must have to count as one
PAGE = 30  # characters that a page among several must show to count as one
MOST = 1_000  # characters of paragraphs outside of the article found; more than these are reported
MARGIN = 60  # a last line of fewer characters ends a text: the author, a source, a short paragraph
PROSE = 120  # characters of a line that is a paragraph, no headline
MANY = 5  # lines like headlines, each above a part of some length, that one article hardly has

_SENTENCE_ENDS = '.!?”"»'
_BLOCKS = frozenset(
    "p div td tr table article header section footer aside h1 h2 h3 h4 li ul time pre".split()
)
_FRAME = frozenset({"aside", "nav", "footer", "form", "header"})
_ASIDE = re.compile(r"comment|disqus|footer|cookie|consent|related|newsletter|sidebar", re.I)
_LEVELS, _INLINE = ("h1", "h2", "h3"), ("a", "span", "b", "strong")
_AFTER_HEADING = re.compile(r"</h[1-3]>(?:\s{0,9}<[^<>]{0,300}>){0,5}\s{0,9}([^<]{6,100})", re.I)
_PARAGRAPH = re.compile(r"<p\b[^<>]*>([^<]{20,})", re.I)
_RULE = re.compile(r"^[ \t]*([=_#*~+-])\1{2,}[ \t]*$", re.M)
_GAP = re.compile(r"\n[ \t]*\n[ \t]*\n\s*")
_HEADING = re.compile(r"^# \S.*$", re.M)
_ADDRESS = re.compile(r"^[ \t]*(?:URL: ?)?https?://\S+[ \t]*$", re.M)
_LABEL, _NUMBERED, _IDENTITY, _REFERENCE, _CLOSING = (
    pattern(f"many_{what}") for what in ("titles", "numbers", "identities", "references", "copyrights")
)
_PAGE = re.compile(r"<html[\s>]", re.I)
_EDGE = re.compile(r"<(/?)html(?:\s[^<>]*)?>", re.I)
_BEGINS = re.compile(r"<(?:!doctype\s+html|html|body)\b", re.I)
_TITLE = re.compile(r"<title[^<>]*>([^<]*)", re.I)
_NO_MARKUP = re.compile(
    r"<!--.*?(?:-->|\Z)|<(script|style|template|textarea|noscript)\b.*?(?:</\1\s*>|\Z)"
    r"|\ssrcdoc\s*=\s*(?:\"[^\"]*\"|'[^']*')",
    re.I | re.S,
)
_TAG = re.compile(r"<[^<>]*>")
_ABOVE_DATE = re.compile(
    r"(?:^|\n[ \t]*\n)([^\n]{8,199}[^\s.,;:])[ \t]*\n(?:[ \t]*\n)?(?=([^\n]{6,80}\b\d{1,4}\b[^\n]{0,60})\n)"
)
_ROW = re.compile(r"^(?:\d+\t\S.{20,}|# (?:newdoc|sent_id|text)\b.*)$", re.M)


def several_in_text(text: str) -> str | None:
    """Return why a plain text is taken for many articles, or None."""
    rows = _ROW.findall(text)
    if len(rows) >= 5 and sum(map(len, rows)) >= 0.2 * len(text):
        return f"looks like a table of {len(rows)} sentences or rows, no article; not read; give it a header (CSV)"
    # a mark may open an article, end it, or stand between two
    for what, opens, least, found in (
        ("records of references", True, 2, _REFERENCE.finditer(text)),
        ("lines 'Title:'", True, 2, _LABEL.finditer(text)),
        ("headings", True, 2, _HEADING.finditer(text)),
        ("addresses above them", True, 2, _ADDRESS.finditer(text)),
        ("headlines with a date below", True, 2, _dated(text)),
        ("numbered headings", False, 2, _NUMBERED.finditer(text)),
        ("document numbers", False, 2, _IDENTITY.finditer(text)),
        ("rules between them", False, 2, _RULE.finditer(text)),
        ("blank lines between them", False, 2, _GAP.finditer(text)),
        ("notes of copyright", False, 3, _CLOSING.finditer(text)),
    ):
        marks = list(found)
        if len(marks) < least or (opens and text[: marks[0].start()].strip()):
            continue
        cuts = [mark.start() if opens else mark.end() for mark in marks]
        parts = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
        long = [part.strip() for part in parts if len(part.strip()) >= LEAST]
        if what.startswith("blank") and len(long) < sum(map(bool, map(str.strip, parts))):
            continue  # an article may have wide gaps; between articles all of them stand
        if len(long) >= least and ("between" not in what or all(map(_titled, long))):
            return _reason(len(long), what, [_LABEL.sub(r"\2", part.split("\n", 1)[0]) for part in long], "")
    return None


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
    return [], _reason(len(titles), "headlines below some of the form feeds", titles, "")


def perhaps_several(text: str) -> str | None:
    """Return a remark on a text that is read as one article and may be several, or None.

    Headlines and subheadings look alike, so that nothing is refused for them.
    """
    parts = sum(1 for part in text.split("\f") if part.strip())
    found = _headlines(text)
    if parts > 1:
        why = f"form feeds divide it into {parts} parts"
    elif len(found) >= MANY:
        why = f"{len(found)} lines look like headlines: {_shown(found)}"
    else:
        return None
    return f"{READ} one article, though {why}; split the file if it holds several"


def _headlines(text: str) -> list[str]:
    """Return the lines of some words that end no sentence and stand above a part of some length."""
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    heads = [
        at for at, line in enumerate(lines)
        if _is_title(line) and any(len(below) >= PROSE for below in lines[at + 1 : at + 4])
        and (not at or len(lines[at - 1]) >= PROSE or lines[at - 1][-1] in _SENTENCE_ENDS)
    ]  # fmt: skip
    parts = [lines[a:b] for a, b in pairwise([*heads, len(lines)])] if heads[:1] == [0] else []
    long = (part[0] for part in parts if sum(map(len, part[1:])) >= LEAST)
    return [line for line in long if len(line) >= 30 and len(line.split()) >= 5]


def _dated(text: str) -> Iterator[re.Match[str]]:
    """Yield the headlines below which a line of its own is a date, if the text begins with one."""
    found = False
    for match in _ABOVE_DATE.finditer(text):
        if is_date(match[2]) and find_date(match[2]) is not None:
            found = True
            yield match
        elif not found and match.start() > LEAST:
            return


def several_in_page(html: str, text: str | None) -> tuple[str | None, str | None]:
    """Return why a page is taken for many articles, and how much of it the article found, ``text``, leaves out.

    Many are several ``<article>`` elements, or parts under headings, each with a date and of some length, none longer
    than the others together. Of 1,163 pages (``wcxb``, ``aed``, ``fundus``) one is refused so, a list of programs.
    """
    # a frame's page stands in an attribute, and a script may write one
    pages = len(_PAGE.findall(html)) > 1 and _PAGE.split(_NO_MARKUP.sub("", html))[1:]
    whole = [page for page in pages or () if _length(page) >= LEAST / 3]
    first, *rest = _joined(html)
    if _visible("".join(rest)):  # a parser stops at the end of the first page
        first, *rest = _joined(_NO_MARKUP.sub("", html))
        begun = [page for page in rest if len(_visible(page)) >= PAGE and _BEGINS.search(page)]
        whole = max([first, *begun], whole, key=len) if begun else whole
    if len(whole) > 1:
        titles = [named[1] if (named := _TITLE.search(page)) else "" for page in whole]
        return _reason(len(whole), "one page after the other", titles, ""), None
    behind = _visible("".join(rest))
    if len(behind) >= PAGE and behind[:PAGE] not in " ".join((text or "").split()):
        return None, f"{PART}: {len(behind)} characters stand behind the end of the page, </html>"
    # most pages show by their source that there is nothing to look for
    outside = _length(html) >= 2 * len(text or "") + MOST
    sizes = [_length(part) for part in html.split("<article")[1:] if "<h" in part]
    articles = sum(size >= LEAST / 3 for size in sizes) > 1 and max(sizes) <= 0.75 * sum(sizes)
    dated = sum(find_date(after) is not None for after in _AFTER_HEADING.findall(html))
    if not outside and not articles and dated < 2:
        return None, None
    root = html_root(html)
    found = _articles(root) or _parts(root)
    if found:
        links = root.xpath("//link[@rel='canonical']/@href | //meta[@property='og:url']/@content")
        site = next(
            (host[1] for link in links if (host := re.match(r"https?://(?:[^/@]*@)?([^/:?#\s]+)", link))), ""
        )
        titles = [title for title, _ in found]
        return _reason(len(found), "each with a heading and a date", titles, site), None
    kept = " ".join((text or "").split())
    out = sum(len(line) for line in _own_paragraphs(root) if line[:60] not in kept)
    if out < MOST or out <= len(kept):
        return None, None
    return None, f"{PART}: the article found has {len(kept)} characters, paragraphs outside it {out}"


def _joined(html: str) -> list[str]:
    """Return the pages that stand one after the other, with what follows the last; one may stand within another."""
    cuts, depth = [0], 0
    for edge in _EDGE.finditer(html):
        depth = max(depth - 1, 0) if edge[1] else depth + 1
        if edge[1] and not depth:
            cuts.append(edge.end())
    return [html[start:end] for start, end in pairwise([*cuts, len(html)])]


def _visible(html: str) -> str:
    """Return what a reader sees of markup, about: the text outside of tags."""
    return " ".join(_TAG.sub(" ", html).split())


def _length(html: str) -> int:
    return sum(map(len, _PARAGRAPH.findall(html)))


def _articles(root: Any) -> list[tuple[str, int]]:
    """Return the heading and the length of each ``<article>`` that is one of several."""
    found: list[tuple[str, int]] = []
    for article in root.iter("article"):
        if next(article.iterancestors("article", "aside", "nav", "footer"), None) is not None:
            continue
        heading = next((text for h in article.iter("h1", "h2", "h3", "h4") if (text := content(h))), None)
        size = sum(len(content(p) or "") for p in article.iter("p"))
        dated = next(article.iter("time"), None) is not None or find_date(content(article) or "") is not None
        if heading is not None and size >= LEAST and dated:
            found.append((heading, size))
    return _several(found, root)


def _parts(root: Any) -> list[tuple[str, int]]:
    """Return the heading and the length of each part of a page under headings of one level that is one of several."""
    parts: dict[str, list[tuple[str, int]]] = {}
    held: list[str] = []
    under: tuple[str, str] | None = None
    for element, line in [*page_lines(root, _BLOCKS), (None, "")]:
        around = [] if element is None else [element, *element.iterancestors(*_INLINE, *_LEVELS)]
        level = next((e.tag for e in around if e.tag in _LEVELS), None)
        if level is None and element is not None:
            held.append(line)
            continue
        if under is not None:
            first = held[: next((i for i, text in enumerate(held) if len(text) > 120), 6)][:6]
            size = sum(len(text) for text in held if len(text) >= 60)
            if size >= LEAST and any(map(find_date, first)):
                parts.setdefault(under[0], []).append((under[1], size))
        under, held = (level, line) if level else None, []
    return next((found for level in sorted(parts) if (found := _several(parts[level], root))), [])


def _several(found: list[tuple[str, int]], root: Any) -> list[tuple[str, int]]:
    """Return what was found if it is several of a kind, and most of the page; else nothing."""
    sizes = sorted((size for _, size in found), reverse=True)
    if len({title for title, _ in found}) < 2:
        return []
    alike = sizes[0] <= sum(sizes[1:]) or (len(sizes) == 2 and sizes[0] <= 3 * sizes[1])
    page = sum(len(line) for _, line in page_lines(root, _BLOCKS) if len(line) >= 60)
    return found if alike and sum(sizes) >= 0.6 * page else []


def _own_paragraphs(root: Any) -> Iterator[str]:
    """Yield the longer paragraphs of a page that are not in a frame, a form or among comments."""
    for paragraph in root.iter("p"):
        line = content(paragraph) or ""
        around = paragraph.iterancestors() if len(line) >= 80 else ()
        framed = (e.tag in _FRAME or _ASIDE.search(f"{e.get('class')} {e.get('id')}") for e in around)
        if len(line) >= 80 and not any(framed):
            yield line


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


def _reason(count: int, what: str, titles: list[str], site: str) -> str:
    where = f" of {printable(site, 80)}" if site else ""
    return (
        f"looks like {count} articles{where} in one file ({what}): {_shown(titles)}; not read as one; "
        "split the file, or give each article a record of its own (JSONL, CSV)"
    )


def _shown(titles: list[str]) -> str:
    return ", ".join(repr(printable(title.strip(), 80)) for title in titles[:2]) + " …"
