"""The invented stories behind the sample corpus, with agency copy expanded into its reuses."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Caption:
    """A picture caption: what it says, who took the picture, which paragraph it follows (-1: none)."""

    text: str
    credit: str | None
    after: int


@dataclass(frozen=True)
class Story:
    """One article without anything the site put around it.

    ``background`` holds the indices of paragraphs that repeat an earlier story of the publisher word for
    word; ``wire`` is the agency story that this one is, or was made from.
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
    primary: str
    topics: tuple[str, ...]
    background: tuple[int, ...]
    wire: str | None = None

    @property
    def reused(self) -> bool:
        """Whether this is another publisher's edit of an agency story."""
        return self.wire is not None and self.wire != self.doc_id

    def content(self) -> list[str]:
        """Return headline, standfirst and paragraphs in reading order."""
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
    story = Story(
        doc_id=row["story"],
        publisher=row["publisher"],
        published=_when(row["published"]),
        lang=row["lang"],
        author=row["author"],
        title=row["title"],
        standfirst=row["standfirst"],
        paragraphs=tuple(row["paragraphs"]),
        captions=_captions(row["captions"]),
        primary=row["primary"],
        topics=tuple(row["topics"]),
        background=tuple(row["background"]),
        wire=row["story"] if row.get("reuses") else None,
    )
    yield story
    for reuse in row.get("reuses", ()):
        paragraphs, place = _edited(story.paragraphs, reuse)
        yield replace(
            story,
            doc_id=reuse["story"],
            publisher=reuse["publisher"],
            published=_when(reuse["published"]),
            author=reuse["author"],
            title=reuse["title"],
            standfirst=reuse["standfirst"],
            paragraphs=paragraphs,
            captions=tuple(replace(c, after=place[c.after]) for c in _captions(reuse["captions"])),
            background=(),
        )


def _edited(paragraphs: tuple[str, ...], reuse: dict[str, Any]) -> tuple[tuple[str, ...], dict[int, int]]:
    """Apply an editor's cuts; also return where each agency paragraph's place is in the result."""
    out: list[str] = []
    place = {-1: -1}
    added: dict[int, list[str]] = {}
    for insert in reuse["insert"]:
        added.setdefault(insert["after"], []).append(insert["text"])
    out += added.get(-1, [])
    for index, paragraph in enumerate(paragraphs):
        if index not in reuse["drop"]:
            out.append(reuse["replace"].get(str(index), paragraph))
        place[index] = len(out) - 1
        out += added.get(index, [])
    return tuple(out), place


def _captions(rows: list[dict[str, Any]]) -> tuple[Caption, ...]:
    return tuple(Caption(row["text"], row["credit"], row["after"]) for row in rows)


def _when(value: str) -> datetime:
    return datetime.fromisoformat(value.replace("Z", "+00:00"))
