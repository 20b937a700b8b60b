"""Session: things to judge one after another, shown as pages of plain data; every word is a line of a file at once."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any, ClassVar

import pandas as pd

from toolkit.display import shortened, visible
from toolkit.review.journal import UNDO, Entry, folded, set_aside

MOST = 8_000  # characters of article text on a page
STAYS = "stays"  # kind of a piece in question that is not removed
ASKED = ""  # kind of a piece of which the page does not say whether it is removed


@dataclass(frozen=True)
class Piece:
    """A stretch of text: its kind of boilerplate, whether the page is about it, what a click on it does."""

    text: str
    kind: str | None = None
    asked: bool = False
    action: str = ""


@dataclass(frozen=True)
class Excerpt:
    """A place in a document: where, and what stands there."""

    place: str
    pieces: list[Piece]

    @classmethod
    def of(
        cls, document: pd.Series[Any], text: str, start: int, end: int, marks: Iterable[tuple[Any, ...]] = ()
    ) -> Excerpt:
        """Return ``text[start:end]`` under title and day of its document, "…" where it goes on.

        Marks are places in the text with what a piece has of its own, in order: ``(start, end, kind, asked, action)``.
        """
        pieces, at = [Piece("… " if start else "")], start
        for a, b, *how in marks:
            a, b = max(a, at), min(b, end)
            if a < b:
                pieces += [Piece(text[at:a]), Piece(text[a:b], *how)]
                at = b
        pieces.append(Piece(text[at:end] + (" …" if end < len(text) else "")))
        title = document["title"] if pd.notna(document["title"]) else document["doc_id"]
        day = f", {document['published']:%Y-%m-%d}" if pd.notna(document["published"]) else ""
        return cls(f"{title}{day}", [piece for piece in pieces if piece.text])


@dataclass(frozen=True)
class Action:
    """Something the reviewer can do: :meth:`Session.do` takes its ``name``. Actions of a ``group`` stand together.

    ``key`` is as browsers name it (``ArrowRight``; empty for none); ``pressed`` says whether it is the verdict now.
    """

    name: str
    label: str
    key: str
    group: str
    pressed: bool | None = None
    enabled: bool = True


@dataclass(frozen=True)
class Field:
    """Something the reviewer can write or choose: :meth:`Session.do` takes its ``name`` with a value.

    ``options`` are values with labels, ``enter`` the action of the key Enter in it, ``key`` the key that leads to it.
    """

    name: str
    label: str
    value: str
    options: list[tuple[str, str]] | None = None
    enter: str = ""
    key: str = ""
    kind: str = "text"


@dataclass(frozen=True)
class Page:
    """One thing to judge; ``shown`` says which part of all excerpts these are, ``status`` what happened last.

    ``done`` of ``total`` is how far the review is, in what ``judged`` names.
    """

    heading: str
    facts: list[tuple[str, str]] = field(default_factory=list)
    excerpts: list[Excerpt] = field(default_factory=list)
    shown: str = ""
    done: int = 0
    total: int = 0
    status: str = ""
    actions: list[Action] = field(default_factory=list)
    fields: list[Field] = field(default_factory=list)
    judged: str = ""

    def message(self) -> dict[str, Any]:
        """Return the page as JSON values for the widget, every character harmless, :data:`MOST` at most."""
        page: dict[str, Any] = _harmless(asdict(self))
        for excerpt in page["excerpts"]:
            room = MOST // len(page["excerpts"]) // max(1, len(excerpt["pieces"])) // 2
            for piece in excerpt["pieces"]:
                piece["text"] = shortened(piece["text"], room, room)
        for shown, own in zip(page["fields"], self.fields, strict=True):
            shown["value"] = own.value  # a note stays as its writer wrote it
        return page


def _harmless(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _harmless(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_harmless(each) for each in value]
    return visible(value) if isinstance(value, str) else value


class Session(ABC):
    """What the reviews have in common: place, verdicts, undo, notes, and the reviewer's actions.

    All state is in the file ``path``, which ``read`` reads, so that a new kernel continues, and lines written by hand
    or in another window count. ``position`` is the row shown, ``part`` which part of it.
    """

    name: ClassVar[str]
    thing: ClassVar[str]  # what a page is about, such as a passage
    parts: ClassVar[str] = "text"  # what a page has too much of
    progress: ClassVar[tuple[str, str]]  # what gets verdicts, and how that is called

    def __init__(self, path: str | Path, read: Callable[[Path], Iterable[Entry]]) -> None:
        self.path, self._read = Path(path), read
        self._seen: tuple[int, int] | None = None
        self.position = self.part = 0
        self.note = self.status = ""
        if set_aside(self.path):
            self.status = f"half-written last line moved to {self.path.name}.torn"

    def _over(self, subjects: list[tuple[str, ...]]) -> None:
        """Say what is judged: the subjects of each row, which get the same verdict; show the first open one."""
        self._subjects = subjects
        self._row_of = {subject: row for row, each in enumerate(subjects) for subject in each}
        self._refresh()
        self._go(self._next_open(0), self.status)

    @abstractmethod
    def page(self) -> Page:
        """Return what is to be seen now."""

    @abstractmethod
    def _write(self, subject: str, verdict: Any, note: str) -> None:
        """Append a verdict, None to take it back, to the file."""

    @abstractmethod
    def _act(self, name: str, value: str) -> None:
        """Do what a button of this review alone stands for."""

    def _set(self, name: str, value: str) -> None:
        if name == "note":
            self.note = f"{value}." if value == UNDO else value

    def _refresh(self) -> bool:
        """Read the file if it is not as it was (another window may have written to it); return whether so."""
        now = (0, 0)
        with suppress(FileNotFoundError):
            stat = self.path.stat()
            now = (stat.st_size, stat.st_mtime_ns)
        if now == self._seen:
            return False
        self._verdicts, self._steps = folded(self._read(self.path))
        self._seen = now
        return True

    def _places(self) -> int:
        """Return how many things there are to look at."""
        return len(self._subjects)

    def _verdict(self, row: int) -> Any:
        """Return the verdict on a row: that of all its subjects, None where they have none or several."""
        first, *others = (self._verdicts.get(subject) for subject in self._subjects[row])
        return first if all(other == first for other in others) else None

    def _done(self) -> int:
        rows = {self._row_of[subject] for subject in self._verdicts if subject in self._row_of}
        return sum(self._verdict(row) is not None for row in rows)

    def _decide(self, verdict: Any, wording: str) -> None:
        for subject in self._subjects[self.position]:
            self._write(subject, verdict, self.note)
        self.note = ""
        self._refresh()
        self._go(self._next_open(self.position + 1), wording)

    def undo(self) -> None:
        """Take back the last verdict in this file, whoever gave it, and show what it was about."""
        self._refresh()
        steps = [step for step in reversed(self._steps) if step[0] in self._row_of]
        if not steps:
            self.status = "nothing to undo"
            return
        row = self._row_of[steps[0][0]]
        taken = set[str]()
        for subject, before in steps:
            if self._row_of[subject] != row or subject in taken:
                break
            taken.add(subject)
            self._write(subject, before, UNDO)
        self._refresh()
        self._show(row)
        self.status = "undone"

    def _show(self, row: int) -> None:
        self._go(row)

    def _go(self, row: int, status: str = "") -> None:
        self.position, self.part, self.status = row % max(1, self._places()), 0, status

    def _next_open(self, row: int) -> int:
        total = len(self._subjects)
        order = chain(range(row, total), range(min(row, total)))
        return next((r for r in order if self._verdict(r) is None), min(row, max(0, total - 1)))

    def do(self, action: str, value: str | None = None) -> None:
        """Do what an action of the page stands for; with a value, what was written in one of its fields.

        A ValueError says where the page has no such action or field, or it cannot be done now.
        """
        page = self.page()
        name, _, which = action.partition(":")
        if value is not None and any(action == field.name for field in page.fields):
            self.status = ""
            self._set(action, value)
        elif not any(action == a.name and a.enabled for a in page.actions):
            raise ValueError(f"review: {action!r} cannot be done now; see page().actions")
        elif name in ("next", "previous"):
            self._go(self.position + (1 if name == "next" else -1))
        elif name in ("more", "back"):
            self.part += 1 if name == "more" else -1
            self.status = ""
        elif name == "skip":
            self._go(self._next_open(self.position + 1), "skipped; it comes again at the end")
        elif name == "undo":
            self.undo()
        else:
            self._act(name, which)

    def _page(
        self, facts: list[tuple[str, str]], excerpts: list[Excerpt], shown: str, actions: list[Action],
        *fields: Field,
    ) -> Page:  # fmt: skip
        """Return a page about the row that is shown, with the status and how far the review is."""
        total, done = len(self._subjects), self._done()
        heading = f"{self.thing.capitalize()} {self.position + 1:,} of {self._places():,}"
        status = self.status or ("all {} are {}".format(*self.progress) if done == total else "")
        noted, judged = [*fields, Field("note", "Note", self.note, key="n")], " ".join(self.progress)
        return Page(heading, facts, excerpts, shown, done, total, status, actions, noted, judged)

    def _extent(self, length: int, characters: int) -> tuple[int, int, str, bool]:
        """Return start and end of the part of a text that is shown, which page that is, and whether there is more."""
        start, end = self.part * characters, min((self.part + 1) * characters, length)
        return start, end, f"page {self.part + 1:,} of {max(1, -(-length // characters)):,}", end < length

    def _moves(self, *, more: bool = False) -> list[Action]:
        undoable = any(subject in self._row_of for subject, _ in self._steps)
        return [
            Action("undo", "Undo", "u", "Decide", enabled=undoable),
            Action("skip", "Skip", "s", "Move"),
            Action("previous", f"Previous {self.thing}", "ArrowLeft", "Move"),
            Action("next", f"Next {self.thing}", "ArrowRight", "Move"),
            Action("back", f"Earlier {self.parts}", "PageUp", "Move", enabled=self.part > 0),
            Action("more", f"More {self.parts}", "PageDown", "Move", enabled=more),
        ]


def publisher_of(document: pd.Series[Any]) -> tuple[str, str]:
    """Return the fact that names the publisher of a document or template."""
    return "publisher", str(document["publisher"]) if pd.notna(document["publisher"]) else "unknown"
