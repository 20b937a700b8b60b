"""Page: what a reviewer sees at one time, as plain data; a widget draws it, a terminal prints it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from toolkit.display import OTHER, PALETTE, shortened, visible

MOST = 8_000
"""Characters of article text on a page, at most."""


STAYS = "stays"
"""Kind of a piece that is in question and is not removed."""


class Piece(NamedTuple):
    """A stretch of text; ``kind`` is that of the boilerplate it is, ``asked`` whether the page is about it."""

    text: str
    kind: str | None = None
    asked: bool = False


class Excerpt(NamedTuple):
    """A place in a document: where, and what stands there."""

    place: str
    pieces: list[Piece]


class Action(NamedTuple):
    """Something the reviewer can do.

    Attributes
    ----------
    name : str
        What :meth:`Review.do` takes.
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
    """

    heading: str
    facts: list[tuple[str, str]]
    excerpts: list[Excerpt]
    shown: str
    done: int
    total: int
    status: str
    actions: list[Action] = field(default_factory=list)

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
        }


def _piece(piece: Piece, room: int) -> dict[str, Any]:
    text = visible(shortened(piece.text, room // 2, room // 2))
    if piece.kind is None:
        return {"text": text}
    colours = PALETTE.get(piece.kind, OTHER)
    return {
        "text": text,
        "kind": visible(piece.kind),
        "struck": piece.kind != STAYS,
        "asked": piece.asked,
        "ink": colours.ink,
        "tint": colours.tint,
    }


class Review(Protocol):
    """What a widget can show: a page, and a way to act on it."""

    name: str

    def page(self) -> Page:
        """Return what is to be seen now."""

    def do(self, action: str) -> None:
        """Do what a button or key of the page stands for.

        Raises
        ------
        ValueError
            The page has no such action.
        """
