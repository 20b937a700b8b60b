"""The invented stories behind the sample corpus, with agency copy expanded into its reuses."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

WITH_TEXT = ("article", "stub", "twice")
FORMS = (*WITH_TEXT, "wall", "error", "index")
"""What a page can be, by the names of :func:`toolkit.verdicts`."""


@dataclass(frozen=True)
class Caption:
    """A picture caption: what it says, who took the picture, which paragraph it follows (-1: none)."""

    text: str
    credit: str | None
    after: int


@dataclass(frozen=True)
class Story:
    """One article without anything the site put around it.

    ``background`` holds the indices of paragraphs that repeat an earlier story of the publisher (or, in agency
    copy, of the agency) word for word; ``wire`` is the agency story that this one is, or was made from; ``first``
    the first version of an article that its house printed again with changes. ``form`` is what a reader would
    have got: one of ``FORMS``. ``clock`` holds the time of each entry of a live blog.
    """

    doc_id: str
    publisher: str
    published: datetime
    lang: str
    author: str | None
    title: str
    standfirst: str | None
    paragraphs: tuple[str, ...]
    captions: tuple[Caption, ...]
    primary: str | None
    topics: tuple[str, ...]
    background: tuple[int, ...]
    wire: str | None = None
    first: str | None = None
    form: str = "article"
    clock: tuple[str, ...] = ()

    @property
    def reused(self) -> bool:
        """Whether this is another publisher's edit of an agency story."""
        return self.wire is not None and self.wire != self.doc_id

    def content(self) -> list[str]:
        """Return headline, standfirst and paragraphs in reading order; nothing for a page without an article."""
        if self.form not in WITH_TEXT:
            return []
        return [self.title, *([self.standfirst] if self.standfirst else []), *self.paragraphs]


def read_stories(folder: Path) -> list[Story]:
    """Return every story in ``folder/*.jsonl`` and every reuse of agency copy, by date and id."""
    stories = [story for path in sorted(folder.glob("*.jsonl")) for story in _read(path)]
    return sorted(stories, key=lambda story: (story.published, story.doc_id))


def _read(path: Path) -> Iterator[Story]:
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            try:
                row = json.loads(line)
                yield from _expand(row)
            except (ValueError, KeyError, IndexError, TypeError) as error:
                msg = f"{path.name}#{number}: {type(error).__name__}: {error}; see data/sample/DATASHEET.md"
                raise ValueError(msg) from error


def _expand(row: dict[str, Any]) -> Iterator[Story]:
    form = row.get("form", "article")
    if form not in FORMS:
        msg = f"form {form!r}; there are {', '.join(FORMS)}"
        raise ValueError(msg)
    story = Story(
        doc_id=row["story"],
        publisher=row["publisher"],
        published=_when(row["published"]),
        lang=row["lang"],
        author=row.get("author"),
        title=row["title"],
        standfirst=row.get("standfirst"),
        paragraphs=tuple(row["paragraphs"]) * (2 if form == "twice" else 1),
        captions=_captions(row.get("captions", ())),
        primary=row["primary"],
        topics=tuple(row["topics"]),
        background=tuple(row.get("background", ())),
        wire=row["story"] if row.get("reuses") else None,
        first=row["story"] if row.get("versions") else None,
        form=form,
        clock=tuple(row.get("clock", ())),
    )
    if story.clock and len(story.clock) != len(story.paragraphs):
        msg = f"{len(story.clock)} times for {len(story.paragraphs)} entries"
        raise ValueError(msg)
    yield story
    for edit in (*row.get("reuses", ()), *row.get("versions", ())):
        paragraphs, place = _edited(story.paragraphs, edit)
        unchanged = [i for i in story.background if story.paragraphs[i] in paragraphs]
        yield replace(
            story,
            doc_id=edit["story"],
            publisher=edit.get("publisher", story.publisher),
            published=_when(edit["published"]),
            author=edit.get("author"),
            title=edit["title"],
            standfirst=edit.get("standfirst"),
            paragraphs=paragraphs,
            captions=tuple(replace(c, after=place[c.after]) for c in _captions(edit.get("captions", ()))),
            background=tuple(place[i] for i in unchanged),
            clock=(),
        )


def _edited(paragraphs: tuple[str, ...], edit: dict[str, Any]) -> tuple[tuple[str, ...], dict[int, int]]:
    """Apply an editor's cuts; also return where each agency paragraph's place is in the result."""
    out: list[str] = []
    place = {-1: -1}
    added: dict[int, list[str]] = {}
    for insert in edit.get("insert", ()):
        added.setdefault(insert["after"], []).append(insert["text"])
    out += added.get(-1, [])
    for index, paragraph in enumerate(paragraphs):
        if index not in edit.get("drop", ()):
            out.append(edit.get("replace", {}).get(str(index), paragraph))
        place[index] = len(out) - 1
        out += added.get(index, [])
    return tuple(out), place


def _captions(rows: list[dict[str, Any]]) -> tuple[Caption, ...]:
    return tuple(Caption(row["text"], row["credit"], row["after"]) for row in rows)


def _when(value: str) -> datetime:
    return datetime.fromisoformat(value.replace("Z", "+00:00"))
