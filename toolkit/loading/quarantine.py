"""What is not read: limits on the input, the errors behind a refusal, the rows of :func:`toolkit.quarantine`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import pandas as pd

from toolkit.corpus import QUARANTINE_COLUMNS

EXCERPT = 200  # longest excerpt, in code points
# how a reason begins where the record is in the corpus too: not all of it, or read in a way that may be wrong
PART, READ = "kept in part", "read as"


@dataclass(frozen=True, slots=True)
class Limits:
    """How large, how dense and how deep input may be before it is refused.

    ``record_bytes``: of the largest record, page or text, unpacked. ``ratio``: bytes that may come out of each byte
    that went in, once ``free_bytes`` have come out. ``archive_bytes``, ``members``: what one archive may expand to,
    nested ones included. ``nesting``: layers of packing around a document. ``json_depth``: brackets within brackets.
    """

    record_bytes: int = 64 << 20
    ratio: int = 200
    free_bytes: int = 64 << 20
    archive_bytes: int = 64 << 30
    members: int = 1_000_000
    nesting: int = 3
    json_depth: int = 100


def unread(reasons: Iterable[str]) -> int:
    """Return how many rows of the quarantine are records that are not in the corpus."""
    return sum(not reason.startswith((PART, READ)) for reason in reasons)


class Rejected(NamedTuple):
    """One row of the quarantine: where, why, and how it begins."""

    source: str
    reason: str
    excerpt: str = ""


class Unreadable(Exception):  # noqa: N818 - a reason on its way to the quarantine, seen by no user
    """A record, or the rest of a source, cannot be read; the message is the reason."""

    def __init__(self, reason: str, excerpt: str | bytes = "") -> None:
        super().__init__(reason)
        self.excerpt = printable(excerpt)

    def at(self, place: str) -> Rejected:
        """Return it as a row of the quarantine."""
        return Rejected(place, str(self), self.excerpt)


def printable(text: str | bytes, width: int = EXCERPT) -> str:
    r"""Return ``text`` in at most ``width`` characters that a terminal shows and does not obey.

    Control characters, bidi overrides, lone surrogates, line breaks and bytes that are not UTF-8 become escapes.
    """
    if isinstance(text, bytes):
        text = text[: 4 * width].decode("utf-8", "backslashreplace")
    start = text[:width]
    shown = (c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in start)
    return "".join(shown)[:width]


def quarantine_frame(rejected: Iterable[Rejected]) -> pd.DataFrame:
    """Return rejected records as a DataFrame of the columns ``source``, ``reason``, ``excerpt``."""
    rows = [(r.source, printable(r.reason, 1000), printable(r.excerpt)) for r in rejected]
    return pd.DataFrame(rows, columns=list(QUARANTINE_COLUMNS), dtype="str")
