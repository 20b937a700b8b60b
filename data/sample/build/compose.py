"""Put a publisher's standing boilerplate round a story, and say to the character where it stands.

Every choice (whether a block appears, which wording, where it is glued) is a hash of the story's id and the
block's name, so a new story or a new block changes no other document.
"""

from __future__ import annotations

import hashlib
import re
import textwrap
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from data.sample.build.stories import Caption, Story

Settings = dict[str, Any]
Span = tuple[int, int, str]

_MONTHS = {
    "en": "January February March April May June July August September October November December",
    "de": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
}
_DATE = {"en": "{d} {m} {y}", "de": "{d}. {m} {y}", "fr": "{d} {m} {y}", "es": "{d} de {m} de {y}"}
_DESKS = {
    "arts": "Culture", "crime": "Courts", "disaster": "National", "econ": "Business", "edu": "Education",
    "env": "Environment", "health": "Health", "human": "National", "labour": "Work", "life": "Lifestyle",
    "pol": "Politics", "rel": "Faith", "sci": "Science", "soc": "Social affairs", "sport": "Sport",
    "conf": "World", "weather": "Weather",
}  # fmt: skip
_SENTENCE_JOINT = re.compile(r"(?<=[.!?”»“]) (?=[A-ZÀÉÈÄÖÜÁÍÓÚ“«„¿¡])")
_NAME = r"(?<=[a-z,] )([A-Z][a-z]+ [A-Z][a-z]+)(?= (?:said|told|of|who|has|was|will|thinks|called)\b)"


@dataclass(frozen=True)
class Piece:
    """A run of text: the story's own (``kind`` None) or boilerplate."""

    text: str
    kind: str | None = None
    glued: bool = False
    """Nothing stands between this piece and the next."""
    inline: bool = False
    """A space, not a line break, stands between this piece and the next."""


@dataclass(frozen=True)
class Composed:
    """A document's text with its gold spans and, in code points, its background paragraphs."""

    text: str
    spans: tuple[Span, ...]
    background: tuple[tuple[int, int], ...]


def chance(*key: str) -> float:
    """Return a number in [0, 1) that depends on nothing but the key.

    Examples
    --------
    >>> round(chance("en-a-001", "appeal"), 3)
    0.205
    """
    raw = hashlib.blake2b("\0".join(key).encode(), digest_size=8).digest()
    return int.from_bytes(raw, "big") / 2**64


def compose(story: Story, settings: Settings, people: Sequence[str], headlines: Sequence[str]) -> Composed:
    """Return the document a reader of ``story`` would have scraped.

    Parameters
    ----------
    story : Story
    settings : dict
        The publisher's entry in ``publishers.json``.
    people : sequence of str
        Well-known names, after which an insert stands rather than after others.
    headlines : sequence of str
        Headlines of other stories of the publisher, for links to them.
    """
    return _Composer(story, settings, people, headlines).document()


def bare(story: Story, settings: Settings) -> Composed:
    """Return the story in the publisher's layout with nothing round it."""
    pieces = [Piece(text) for text in story.content()]
    return _joined(pieces, settings["separator"], settings.get("wrap"), _background(story))


class _Composer:
    def __init__(
        self, story: Story, settings: Settings, people: Sequence[str], headlines: Sequence[str]
    ) -> None:
        self.story, self.settings, self.people, self.headlines = story, settings, people, headlines

    def document(self) -> Composed:
        blocks = [block for block in self.settings["blocks"] if self._wanted(block)]
        blocks.sort(key=lambda block: "before" not in block)
        at: dict[str, list[Piece]] = {}
        for block in blocks:
            if block["place"] not in ("sentence", "name"):
                at.setdefault(block["place"], []).append(
                    Piece(
                        self._filled(block["text"], block["id"]), block["kind"], block.get("glue") == "after"
                    )
                )
        story = self.story
        pieces = at.get("top", [])
        if self.settings["headline"] and story.content():
            pieces = [*pieces, Piece(story.title)]
        pieces = [*pieces, *at.get("title", [])]
        if story.standfirst:
            pieces.append(Piece(story.standfirst))
        pieces += [*at.get("standfirst", []), *self._pictures(-1)]
        middle = max(1, len(story.paragraphs) // 2)
        insides = self._insides([b for b in blocks if b["place"] in ("sentence", "name")])
        for index, paragraph in enumerate(story.paragraphs):
            if story.clock:
                stamp = self._filled(self.settings["entry"], f"entry{index}", clock=story.clock[index])
                pieces.append(Piece(stamp, "byline"))
            pieces += insides.get(index, [Piece(paragraph)])
            pieces += self._pictures(index)
            if index == 0:
                pieces += at.get("lead", [])
            if index == middle:
                pieces += at.get("middle", [])
        if middle >= len(story.paragraphs):
            pieces += at.get("middle", [])
        pieces += at.get("end", [])
        return _joined(pieces, self._separator(), self.settings.get("wrap"), _background(story))

    def _chance(self, name: str) -> float:
        return chance(self.story.doc_id, name)

    def _wanted(self, block: Settings) -> bool:
        story, day = self.story, self.story.published.date().isoformat()
        if story.form not in block.get("forms", ("article", "twice")):
            return False
        if not block.get("from", "") <= day <= block.get("until", "9999"):
            return False
        when = block.get("when")
        if when == "wire" and not story.reused:
            return False
        if when == "author" and (story.author is None or story.reused):
            return False
        if when == "no_author" and story.author is not None:
            return False
        # a block for one form of page is what makes it that form; it has no share
        return "forms" in block or self._chance(block["id"]) < block["share"] * self.settings.get("scale", 1)

    def _separator(self) -> str:
        lost = self.settings.get("lost", {"space": 0, "nothing": 0})
        drawn = self._chance("newlines")
        if drawn < lost["nothing"]:
            return ""
        return " " if drawn < lost["nothing"] + lost["space"] else str(self.settings["separator"])

    def _pictures(self, after: int) -> list[Piece]:
        style, out = self.settings["caption"], []
        for number, caption in enumerate(self.story.captions):
            if min(caption.after, len(self.story.paragraphs) - 1) != after:
                continue
            if self._chance(f"printed{number}") >= style.get("share", 1):
                continue
            piece = Piece(self._captioned(caption, f"caption{number}"), "caption", style["glue"] == "after")
            if self._chance(f"twice{number}") < style["twice"]:
                out.append(replace(piece, glued=self._chance(f"joint{number}") < 0.5))
            out.append(piece)
        return out

    def _captioned(self, caption: Caption, name: str) -> str:
        style = self.settings["caption"]["credited" if caption.credit else "uncredited"]
        return self._filled(style, name, text=caption.text, credit=caption.credit or "")

    def _filled(self, wordings: str | list[str], name: str, **slots: str) -> str:
        wording = _picked(wordings, self._chance(f"{name} wording"))
        story, settings = self.story, self.settings
        author = story.author or settings["name"]
        when = story.published
        month = _MONTHS[story.lang].split()[when.month - 1]
        slots |= {
            "author": author,
            "surname": _ascii(author.split()[-1]),
            "email": f"{_ascii(author.replace(' ', '.'))}@{settings['domain']}",
            "editor": settings["editors"][int(self._chance("editor") * len(settings["editors"]))],
            "date": _DATE[story.lang].format(d=when.day, m=month, y=when.year),
            "time": f"{when.hour:02d}:{when.minute:02d}",
            "month": month,
            "year": str(when.year),
            "topic": _DESKS.get(story.primary or "", ""),
            "section": _DESKS.get(story.primary or "", ""),
            "headline": self._headline(name, 1),
            **{f"headline{number}": self._headline(name, number) for number in range(2, 7)},
            "n": str(3 + int(self._chance("n") * 400)),
            "n2": str(20 + int(self._chance("n2") * 3000)),
        }
        return wording.format(**slots)

    def _headline(self, name: str, number: int) -> str:
        first = int(self._chance(f"{name} headline") * len(self.headlines))
        return self.headlines[(first + number - 1) % len(self.headlines)]

    def _insides(self, blocks: list[Settings]) -> dict[int, list[Piece]]:
        """Blocks that stand inside a paragraph: after a person's name, or between two sentences."""
        out: dict[int, list[Piece]] = {}
        for block in blocks:
            free = [i for i in range(len(self.story.paragraphs)) if i not in out]
            found = (
                self._after_name(free)
                if block["place"] == "name"
                else self._after_sentence(free, block["id"])
            )
            if found is None:
                continue
            index, cut, person = found
            paragraph = self.story.paragraphs[index]
            text = self._filled(block["text"], block["id"], person=person)
            out[index] = [
                Piece(paragraph[:cut], inline=True),
                Piece(text, block["kind"], glued=block.get("glue") == "after", inline=True),
                Piece(paragraph[cut:].lstrip()),
            ]
        return out

    def _after_name(self, free: list[int]) -> tuple[int, int, str] | None:
        known = "|".join(map(re.escape, self.people))
        for pattern in (rf"({known})(?= [a-z(])", _NAME):
            for index in free:
                found = re.search(pattern, self.story.paragraphs[index])
                if found:
                    return index, found.end(), found[1]
        return None

    def _after_sentence(self, free: list[int], name: str) -> tuple[int, int, str] | None:
        joints = [
            (i, found.start(), "")
            for i in free
            for found in _SENTENCE_JOINT.finditer(self.story.paragraphs[i])
            if found.start() > 60
            and not self.story.paragraphs[i][: found.start()].endswith((" St.", " Dr.", " Mr."))
        ]
        return joints[int(self._chance(f"{name} joint") * len(joints))] if joints else None


def _background(story: Story) -> list[str]:
    return [story.paragraphs[index] for index in story.background]


def _ascii(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name.lower()).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z.]", "", plain)


def _joined(pieces: list[Piece], separator: str, wrap: int | None, background: list[str]) -> Composed:
    text, spans, repeated = "", [], []
    for number, piece in enumerate(pieces):
        body = piece.text
        if piece.kind and "\n" not in separator:
            body = body.replace("\n", separator)
        start = len(text)
        # a line break for a space: the text stays as long as it was
        text += textwrap.fill(body, wrap, break_long_words=False, break_on_hyphens=False) if wrap else body
        if piece.kind:
            spans.append((start, len(text), piece.kind))
        elif body in background:
            repeated.append((start, len(text)))
        if number < len(pieces) - 1 and not piece.glued:
            text += " " if piece.inline else separator
    return Composed(text, tuple(spans), tuple(repeated))


def _picked(wordings: str | list[str], drawn: float) -> str:
    return wordings if isinstance(wordings, str) else wordings[int(drawn * len(wordings))]
