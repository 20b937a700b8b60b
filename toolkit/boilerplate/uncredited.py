"""Captions without their credits: training text that teaches what captions say, not only who took the photograph.

Two captions in three end with a credit or begin with a label, and a learner needs no more to find these. Without it the
same captions are like those that nobody credits.
"""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from toolkit.boilerplate.passages import copies

_AGENCY = (
    r"(?:Getty(?: Images)?|AP(?: Photos?)?|Associated Press|Reuters|REUTERS|AFP|EPA|UPI|TNS|Bloomberg|Shutterstock|"
    r"iStock\w*|Alamy|CQ Roll Call|Zuma(?: Press)?|ZUMA|NurPhoto|S(?:ipa|IPA)(?: USA)?|Al Jazeera|Facebook|Twitter|"
    r"YouTube|Instagram|Flickr|Wikimedia Commons|Fox News|CNN|NPR|[NC]BC(?: News)?|CBS(?: News)?|ABC(?: News)?|MSNBC|"
    r"C-SPAN|USA TODAY|(?:The )?(?:New York|Los Angeles) Times|(?:The )?Washington (?:Times|Post)|P(?:olitico|OLITICO)|"
    r"Pool|handout|screenshot|screengrab)"
)
_CAPITALISED = r"[A-ZÀ-Ý](?:\.|[\w’'\-]*)"
_PERSON = rf"{_CAPITALISED}(?: (?:{_CAPITALISED}|de|van|von|al|el|bin)){{0,4}}"
_CREDITS = tuple(
    re.compile(pattern + r"\W{0,3}$")
    for pattern in (
        r"\s*[(\[][^()\[\]]{0,120}"
        rf"(?:[Pp]hoto|[Ii]mage|[Ss]creen|{_AGENCY}|[Cc]ourtesy|[Vv]ia |/)[^()\[\]]{{0,120}}[)\]]",
        rf"\s*[|–—-]?\s*{_PERSON}\s*(?:/|\||,|—|–|for|via)\s*(?:{_PERSON}\s*(?:/|\||via)\s*)?(?:The )?"
        rf"{_AGENCY}(?:\s*(?:/|\||via|,|-)\s*{_AGENCY}| News| Pool|,? File|, FILE| file)*",
        r"\s*(?:[Ff]ile p|P|p)hoto(?:graph| credit)?s?\s*(?:by|:|courtesy of|via|/)\s*[^.!?\n]{2,80}",
        r"\s*(?:Image|Picture|Credit|Source|PHOTO)s?(?: credit| source)?\s*(?:by|:|courtesy of|via|/)\s*[^.!?\n]{2,80}",
        rf"(?<=[.!?])\s+(?:The )?{_AGENCY}(?: Photo|,? File)?",
        rf"\s*AP Photo\s*/\s*{_PERSON}[^.\n]{{0,30}}",
    )
)
_LABEL = re.compile(
    r"(?:Image (?:copyright|source|credit) .{0,60}? Image caption|Media playback is unsupported on your device "
    r"Media caption|(?:Media|Image) caption|toggle caption|Enlarge (?:this )?image(?: toggle caption)?|CLOSE|Slideshow|"
    r"FILE ?[-–—:]+|PHOTO:|Photo:|Cover:|CAPTION|Caption:?)\s*",
    re.IGNORECASE,
)
_SAYS = 6
"""Least words that are left of a caption."""

_LINE = 60
"""Most words of a line that a credit at its end shows to be a caption."""


def said(caption: str) -> tuple[int, int] | None:
    """Find what a caption says between its label and its credit.

    Returns
    -------
    start, end : int
        Code points; None where there is neither label nor credit, or less than six words are left.

    Examples
    --------
    >>> text = "Snow lies on the harbour of Ostermouth. (Ann Lee/Reuters)"
    >>> text[slice(*said(text))]
    'Snow lies on the harbour of Ostermouth.'
    >>> said("Snow lies on the harbour of Ostermouth.")
    """
    first, last = len(caption) - len(caption.lstrip()), len(caption.rstrip())
    start, end = first, last
    if label := _LABEL.match(caption, start, end):
        start = label.end()
    for _ in _CREDITS[:3]:  # photographer, agency and "file photo" may stand one after the other
        found = (credit.search(caption, start, end) for credit in _CREDITS)
        at = next((match.start() for match in found if match and match.start() > start), None)
        if at is None:
            break
        end = at
    end = start + len(caption[start:end].rstrip())
    unchanged = (start, end) == (first, last)
    return None if unchanged or len(caption[start:end].split()) < _SAYS else (start, end)


def without_credits(corpus: pd.DataFrame, spans: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Copy the annotated articles that have labelled or credited captions, without labels and credits.

    Returns
    -------
    corpus, spans : DataFrame
        The new documents, their ``doc_id`` ending in ``/uncredited``, and all their spans.
    """
    made: list[tuple[int, str, str]] = []
    marked: list[tuple[str, int, int, str]] = []
    by_document = dict(iter(spans.groupby("doc_id")))
    for row, (old, text) in enumerate(zip(corpus["doc_id"], corpus["text"], strict=True)):
        mine = by_document.get(old, spans[:0])
        kept = np.ones(len(text) + 1, bool)
        for start, end in mine.loc[mine["kind"] == "caption", ["start", "end"]].itertuples(index=False):
            caption = text[start:end]
            if place := said(caption):
                kept[start : start + place[0]] = False
                kept[start + place[1] : start + len(caption.rstrip())] = False
        if kept.all():
            continue
        moved = np.r_[0, np.cumsum(kept[:-1])]
        made.append((row, f"{old}/uncredited", "".join(np.array(list(text))[kept[:-1]])))
        marked += [
            (made[-1][1], int(moved[start]), int(moved[end]), kind)
            for start, end, kind in mine[["start", "end", "kind"]].itertuples(index=False)
            if moved[start] < moved[end]
        ]
    return copies(corpus, made), pd.DataFrame(marked, columns=["doc_id", "start", "end", "kind"])


def credited_lines(corpus: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Take lines that end in a credit for captions, and the credits away; of all else nothing is said.

    Returns
    -------
    corpus, spans : DataFrame
        Copies of the articles that have such lines; everything but these lines is ``unsure``.
    """
    made: list[tuple[int, str, str]] = []
    marked: list[tuple[str, int, int, str]] = []
    for row, (old, text) in enumerate(zip(corpus["doc_id"], corpus["text"], strict=True)):
        doc_id, lines, at = f"{old}/credited", [], 0
        mine: list[tuple[str, int, int, str]] = []
        for line in text.split("\n"):
            place = said(line) if _SAYS <= len(line.split()) <= _LINE else None
            credited = place is not None and len(line.rstrip()) - place[1] > len("/AP")
            if place and credited and not re.search('[“”"]|related', line, re.IGNORECASE):
                lines.append(line[slice(*place)])
                mine.append((doc_id, at, at + len(lines[-1]), "caption"))
            else:
                lines.append(line)
                mine.append((doc_id, at, at + len(line), "unsure"))
            at += len(lines[-1]) + 1
        if any(kind == "caption" for *_, kind in mine):
            made.append((row, doc_id, "\n".join(lines)))
            marked += [mark for mark in mine if mark[1] < mark[2]]
    return copies(corpus, made), pd.DataFrame(marked, columns=["doc_id", "start", "end", "kind"])
