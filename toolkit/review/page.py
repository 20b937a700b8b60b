"""Page: what a reviewer sees at one time, as plain data; a widget draws it, a terminal prints it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from toolkit.display import shortened, visible

MOST = 8_000
"""Characters of article text on a page, at most."""


STAYS, ASKED = "stays", ""
"""Kind of a piece that is in question and is not removed; of one of which it is not said whether it is."""


class Piece(NamedTuple):
    """A stretch of text; ``kind`` is that of the boilerplate it is, ``asked`` whether the page is about it."""

    text: str
    kind: str | None = None
    asked: bool = False
    action: str = ""
    """What a click on it does."""


class Excerpt(NamedTuple):
    """A place in a document: where, and what stands there."""

    place: str
    pieces: list[Piece]


class Action(NamedTuple):
    """Something the reviewer can do.

    Attributes
    ----------
    name : str
        What :meth:`Session.do` takes.
    label : str
    key : str
        As browsers name it: ``a``, ``Enter``, ``ArrowRight``; empty for none.
    group : str
        Actions of a group stand together under this name.
    pressed : bool or None
        Whether it is the word given now; None where that makes no sense.
    enabled : bool
    """

    name: str
    label: str
    key: str
    group: str
    pressed: bool | None = None
    enabled: bool = True


class Field(NamedTuple):
    """Something the reviewer can write or choose.

    Attributes
    ----------
    name : str
        What :meth:`Session.do` takes, with a value.
    label, value : str
    options : list of (str, str), optional
        Values to choose from, each with its label; default free text.
    enter : str
        Action of the key Enter in it.
    key : str
        Key that leads to it.
    kind : str
        As browsers name it: ``text``, ``date``, ``number``.
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
    """One thing to judge, with what is needed to judge it.

    Attributes
    ----------
    heading : str
    facts : list of (str, str)
    excerpts : list of Excerpt
    shown : str
        Which part of all excerpts these are.
    done, total : int
        How far the review is.
    status : str
        What happened last; read out by screen readers.
    actions : list of Action
    fields : list of Field
    """

    heading: str
    facts: list[tuple[str, str]]
    excerpts: list[Excerpt]
    shown: str
    done: int
    total: int
    status: str
    actions: list[Action] = field(default_factory=list)
    fields: list[Field] = field(default_factory=list)

    def message(self) -> dict[str, Any]:
        """Return the page as JSON values for the widget, every character harmless, :data:`MOST` at most."""
        room = MOST // max(1, len(self.excerpts))
        return {
            "heading": visible(self.heading),
            "facts": [[name, visible(value)] for name, value in self.facts],
            "excerpts": [
                {"place": visible(place), "pieces": [_piece(p, room // max(1, len(pieces))) for p in pieces]}
                for place, pieces in self.excerpts
            ],
            "shown": self.shown,
            "done": self.done,
            "total": self.total,
            "status": visible(self.status),
            "actions": [action._replace(label=visible(action.label))._asdict() for action in self.actions],
            "fields": [_field(field) for field in self.fields],
        }


def _piece(piece: Piece, room: int) -> dict[str, Any]:
    text = visible(shortened(piece.text, room // 2, room // 2))
    if piece.kind is None:
        return {"text": text}
    return {
        "text": text,
        "kind": visible(piece.kind),
        "struck": piece.kind not in (STAYS, ASKED),
        "asked": piece.asked,
        "action": piece.action,
    }


def _field(given: Field) -> dict[str, Any]:
    row = given._asdict()
    if given.options is not None:
        row["options"] = [[value, visible(label)] for value, label in given.options]
    return row
