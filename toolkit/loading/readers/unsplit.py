"""Files that look like many articles and that no reader splits: refused, since one of them would hide the others."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from toolkit.loading.quarantine import printable

LEAST = 300
"""Characters that an article among several must have to count as one."""

_LABEL = re.compile(
    r"^(title|headline|titel|titre|título|titolo|kop|überschrift|schlagzeile|заголовок|标题|標題|見出し)\s*[:=：]\s*(\S.*)$",
    re.M | re.I,
)
_NUMBERED = re.compile(
    r"^[ \t\W]{0,12}(?:(?:article|document|dokument|documento|artikel|story|record|item|doc)"
    r"\s*(?:no\.?|nr\.?|#)?\s*(\d{1,6})\b"
    r"|(\d{1,6}) (?:of|von|sur|van|de|di) \d{1,6}\b)[ \t\W]{0,12}$",
    re.M | re.I,
)
_RULE = re.compile(r"^[ \t]*([=_#*~+-])\1{4,}[ \t]*$", re.M)
_CLOSING = re.compile(r"^[ \t]*(?:©|\(c\)|copyright)\s*(?:\(c\)|©)?\s*(?:19|20)\d\d\b.*$", re.M | re.I)


def several_in_text(text: str) -> str | None:
    """Return why a plain text is taken for many articles, or None.

    Examples
    --------
    >>> story = "It rained in the port all day and the ships stayed where they were. " * 6
    >>> several_in_text(f"Title: Rain\\n{story}\\nTitle: Wind\\n{story}").split(";")[0]
    "looks like 2 articles in one file (lines 'Title:'): 'Rain', 'Wind' …"
    >>> several_in_text(story) is None
    True
    """
    for what, marks, least in (
        ("lines 'Title:'", list(_LABEL.finditer(text)), 2),
        ("numbered headings", list(_NUMBERED.finditer(text)), 2),
        ("rules between them", list(_RULE.finditer(text)), 2),
        ("notes of copyright", list(_CLOSING.finditer(text)), 3),
    ):
        if len(marks) < least:
            continue
        own = what.startswith("lines")
        cuts = [mark.start() if own else mark.end() for mark in marks]
        parts = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
        long = [part.strip() for part in parts if len(part.strip()) >= LEAST]
        titles = [_title(part) for part in long]
        if len(long) >= least and all(titles):
            return _reason(len(long), what, titles, "")
    return None


def several_in_page(root: Any) -> str | None:
    """Return why a web page is taken for many articles, or None: it has several of some length, each with a heading."""
    found: list[tuple[str, int]] = []
    for article in root.iter("article"):
        if next(article.iterancestors("article", "aside", "nav", "footer"), None) is not None:
            continue
        heading = next(
            (h for h in article.iter("h1", "h2", "h3", "h4") if "".join(h.itertext()).strip()), None
        )
        size = sum(len(" ".join("".join(p.itertext()).split())) for p in article.iter("p"))
        if heading is not None and size >= LEAST:
            found.append((" ".join("".join(heading.itertext()).split()), size))
    sizes = sorted((size for _, size in found), reverse=True)
    if len(found) < 2 or sizes[0] > sum(sizes[1:]) or len({title for title, _ in found}) < 2:
        return None
    links = (link.get("href") or link.get("content") or "" for link in root.iter("link", "meta")
             if link.get("rel") == "canonical" or link.get("property") == "og:url")  # fmt: skip
    site = next((host for link in links if (host := _host(link))), "")
    return _reason(len(found), "<article> elements", [title for title, _ in found], site)


def _host(link: str) -> str:
    try:
        return urlsplit(link).hostname or ""
    except ValueError:
        return ""


def _title(part: str) -> str:
    """Return the line that heads an article, or '' where it begins with a long one."""
    first = _LABEL.sub(r"\2", part.split("\n", 1)[0]).strip()
    return first if len(first) <= 200 and "\n" in part else ""


def _reason(count: int, what: str, titles: list[str], site: str) -> str:
    shown = ", ".join(repr(printable(title, 80)) for title in titles[:2])
    where = f" of {printable(site, 80)}" if site else ""
    return (
        f"looks like {count} articles{where} in one file ({what}): {shown} …; not read as one; "
        "split the file, or give each article a record of its own (JSONL, CSV)"
    )
