"""Corpora of news as they are given out: Reuters-21578, Gigaword, TREC, NOW."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape

from toolkit.loading.quarantine import Unreadable
from toolkit.loading.readers.driver import Archive, Record
from toolkit.loading.readers.lines import authors, blocks, collapsed, find_date, paragraphs
from toolkit.loading.readers.markup import sgml

REUTERS = re.compile(r"<REUTERS\b", re.I)
DOC = re.compile(r"^<DOC\b[^<>]*>", re.M | re.I)
NOW = re.compile(r"^(?:@@|##)(\d{3,12})(?=\s)", re.M)

_LANGUAGES = {"ENG": "en", "FRE": "fr", "FRA": "fr", "SPA": "es", "ARB": "ar", "CMN": "zh", "DEU": "de"}
_REMOVED = re.compile(r"\s*@(?: @){2,}\s*")
_ATTRIBUTE = r"""\b{}\s*=\s*["']([^"'<>]*)["']"""


def reuters(archive: Archive) -> Iterator[Record | Unreadable]:
    """Reuters-21578 and its relatives, the SGML of David Lewis.

    Known by: root `<REUTERS>`, with or without `<!DOCTYPE lewis>`
    Read as: one article a `<REUTERS>`: the body, lines joined to paragraphs; the end mark of the wire is not text
    Fields: doc_id (NEWID) title published authors publisher
    Bad input: `a headline without a text`; `cut off: no </REUTERS> at its end`
    Seen in: cran/tm inst/texts/reuters-21578.xml; haseebr/irengine reuters21578-xml/README.txt
    """
    for piece in archive.pieces(REUTERS):
        if isinstance(piece, Unreadable):
            yield piece
        elif REUTERS.match(piece):
            if "</REUTERS" not in piece.upper():
                yield Unreadable("cut off: no </REUTERS> at its end", piece[:200])
                continue
            number = re.search(_ATTRIBUTE.format("NEWID"), piece, re.I)
            body = sgml(piece, "BODY")
            if body is None and (text := sgml(piece, "TEXT")) and not sgml(piece, "TITLE"):
                body = text  # TYPE="UNPROC": neither title nor body are told apart
            if body is None:
                yield Unreadable("a headline without a text", collapsed(sgml(piece, "TITLE", "TEXT"))[:200])
                continue
            yield {
                "doc_id": number[1] if number else None,
                "title": collapsed(sgml(piece, "TITLE")) or None,
                "text": _indented(re.sub(r"\n\s*reuters?\s*$", "", body, flags=re.I)),
                "published": _date(sgml(piece, "DATE")), "lang": "en",
                "publisher": "Reuters", "authors": authors(collapsed(sgml(piece, "AUTHOR"))),
            }  # fmt: skip


def gigaword(archive: Archive) -> Iterator[Record | Unreadable]:
    """Gigaword (LDC), the news collections of TREC and TIPSTER as SGML; the output of trafilatura and WikiExtractor.

    Known by: root `<DOC>`
    Read as: one article a `<DOC>`: the text, a paragraph a `<P>`; of a `<doc title="…">` without one, its content
    Fields: doc_id (id or DOCNO) title published publisher (source code) authors lang; the date by the id, or DATE
    Bad input: `empty text`; `cut off: no </DOC> at its end`
    Seen in: UmerTariq1/TF-IDF data/README.md; sauparna/trecbox data/README.md (tags of the TREC disks);
    attardi/wikiextractor README.md; adbar/trafilatura docs/usage-python.rst
    """
    for piece in archive.pieces(DOC):
        if isinstance(piece, Unreadable):
            yield piece
        elif DOC.match(piece):
            if "</DOC>" not in piece.upper():
                yield Unreadable("cut off: no </DOC> at its end", piece[:200])
                continue
            opening = re.search(_ATTRIBUTE.format("id"), piece[: piece.index(">")], re.I)
            identity = opening[1] if opening else collapsed(sgml(piece, "DOCNO", "DOCID")) or None
            parts = re.match(r"([A-Z]+)_([A-Z]{3})_(\d{4})(\d\d)(\d\d)", identity or "")
            text = "\n\n".join(sgml(piece, name) or "" for name in ("LEADPARA", "TEXT")).strip()
            given = dict(
                re.findall(r"""\b([\w-]+)\s*=\s*["']([^"'<>]*)["']""", piece[: piece.index(">")][:4000])
            )
            if not text and "title" in given:  # an article extracted from a page or a wiki
                whole = sgml(piece, "MAIN") or (sgml(piece, "DOC") or "").lstrip().removeprefix(
                    given["title"]
                )
                yield {
                    "doc_id": given.get("id"), "title": unescape(given["title"]), "text": paragraphs(blocks(whole)),
                    "url": given.get("url") or given.get("source"), "published": given.get("date"),
                    "authors": authors(given.get("author")), "publisher": given.get("hostname"),
                }  # fmt: skip
                continue
            titles = sgml(piece, "HEADLINE", "HEAD", "HL", "TTL", "TITLE", "TI")
            day = (
                "-".join(parts.groups()[2:])
                if parts
                else _date(sgml(piece, "DATE", "DATE_TIME", "DATE1", "DD"))
            )
            yield {
                "doc_id": identity, "title": collapsed(titles) or None, "published": day,
                "text": paragraphs(blocks(text)), "authors": authors(collapsed(sgml(piece, "BYLINE", "AUTHOR"))),
                "publisher": parts[1] if parts else collapsed(sgml(piece, "PUB")) or None,
                "lang": _LANGUAGES.get(parts[2]) if parts else None,
                "section": collapsed(sgml(piece, "SECTION")) or None,
            }  # fmt: skip


def now_corpus(archive: Archive) -> Iterator[Record | Unreadable]:
    """NOW and the other corpora of english-corpora.org as text.

    Known by: lines '@@411000 …' or '##411000 …'
    Read as: one article a number; a paragraph a `<p>`; each run of ten '@' (words taken out by the maker) becomes '…'
    Fields: doc_id title (of `<h>`); date and source are in the corpus's own list, which is not in the file
    Bad input: `empty text`
    Seen in: uwnlp/nlp-corpora doc/byu-now/README.md
    """
    for piece in archive.pieces(NOW):
        if isinstance(piece, Unreadable):
            yield piece
        elif mark := NOW.match(piece):
            rest = _REMOVED.sub(" … ", piece[mark.end() :])
            parts = re.split(r"\s*<(p|h)>\s*", rest)
            tagged = [("p", parts[0]), *zip(parts[1::2], parts[2::2], strict=True)]
            titles = [part for tag, part in tagged if tag == "h" and part]
            text = [
                re.sub(r"</?[a-z]{1,10}/?>", "", part).strip()
                for tag, part in tagged
                if tag == "p" or titles[1:]
            ]
            yield {
                "doc_id": mark[1],
                "title": titles[0] if titles else None,
                "text": [part for part in text if part],
            }


def _date(text: str | None) -> str | None:
    """Return '26-FEB-1987 15:01:01.79', 'February 12, 1988' or '880212' as a date that is read."""
    text = collapsed(text)
    if day := re.match(r"(\d\d?)-([A-Za-z]{3})-(\d{4})(?: (\d\d:\d\d:\d\d))?", text):
        return f"{day[1]} {day[2].title()} {day[3]} {day[4] or ''}".strip()
    if day := re.fullmatch(r"(19|20)?(\d\d)(\d\d)(\d\d)", text):
        return f"{day[1] or '19'}{day[2]}-{day[3]}-{day[4]}"
    return find_date(text) or text or None


def _indented(body: str) -> list[str]:
    """Return wrapped text whose paragraphs begin with an indented line."""
    return paragraphs(block for part in re.split(r"\n(?=[ \t]{2,}\S)", body) for block in blocks(part))
