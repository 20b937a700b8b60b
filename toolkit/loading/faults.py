"""Faults of text that scrapers and exports leave: they are reported, and repaired only on request."""

from __future__ import annotations

import contextlib
import html
import re
from collections.abc import Callable, Iterable
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from toolkit.loading.markup import fragment_text

_ELEMENTS = "p|br|div|span|a|strong|em|b|i|u|h[1-6]|ul|ol|li|img|script|style|figure|figcaption|blockquote"
# UTF-8 read as Windows-1252: the first byte of a sequence, then its continuation bytes in that code page
_LEAD = "ÂÃÄÅÆÇÈÉÊËÌÍÎÏÐÑÒÓÔÕÖ×ØÙàáâãäåæçèéêëìíîïð"
_MARKS = "€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ"
_NEXT = rf"\x{{80}}-\x{{BF}}{_MARKS}"
_INVISIBLE = "\u200b\u2060\ufeff\u00ad"

FAULTS: dict[str, str] = {
    "mojibake": f"[ÃÂ][{_NEXT}]|â€[{_NEXT}]|[ÐÑØÙ][{_NEXT}][ÐÑØÙ][{_NEXT}]|\ufffd",
    "tags": rf"</?(?:{_ELEMENTS})(?:\s[^<>]{{0,500}})?/?>",
    "entities": r"&(?:[a-zA-Z][a-zA-Z0-9]{1,20}|#[0-9]{2,6}|#[xX][0-9a-fA-F]{2,5});",
    "escapes": r"\\r\\n|\\n\\n|\\n[A-ZÀ-Þ“\"]|\\u[0-9a-fA-F]{4}",
    "invisible": f"[{_INVISIBLE}]",
    "cut": r"(?:…|\.\.\.|\[\+?\d+ (?:chars|characters)\])\s*$",
}
"""Kind of fault → the pattern (RE2) that shows it: a wrong encoding, HTML elements and entities, backslash sequences,
characters that nobody sees, an ellipsis at the end, as news APIs give only the first 200 characters."""

_MISREAD = re.compile(f"[{_LEAD}][\x80-\xbf{_MARKS}]{{1,3}}")
_MARK = re.compile(r"\s*\[\+?\d+ (?:chars|characters)\]\s*$")
_ESCAPE = re.compile(r"\\(?:r\\n|[nrt]|u[0-9a-fA-F]{4})")
_PLAIN = {"\\r\\n": "\n", "\\n": "\n", "\\r": "\n", "\\t": "\t"}


def faults(texts: Any) -> dict[str, int]:
    """Return how many texts (an Arrow array or Series) show each fault; faults that none shows are left out."""
    array = texts if isinstance(texts, (pa.Array, pa.ChunkedArray)) else pa.array(texts, pa.large_string())
    counts = {kind: pc.sum(pc.match_substring_regex(array, FAULTS[kind])).as_py() or 0 for kind in FAULTS}
    return {kind: count for kind, count in counts.items() if count}


def repaired(texts: Any, kinds: Iterable[str]) -> Any:
    """Return an Arrow array of texts without these faults; a text that shows none of them is not touched.

    Each block of markup then stands on its own line; a character lost in decoding (U+FFFD) stays lost.
    """
    for kind in (kind for kind in FAULTS if kind in kinds):
        rows = pc.fill_null(pc.match_substring_regex(texts, FAULTS[kind]), False)
        if pc.any(rows).as_py():
            mended = [_MENDS[kind](text) for text in texts.filter(rows).to_pylist()]
            texts = pc.replace_with_mask(texts, rows, pa.array(mended, texts.type))
    return texts


def kinds_of(repair: bool | str | Iterable[str]) -> tuple[str, ...]:
    """Return the kinds that ``repair=`` names: all for True, none for False; an unknown one is a ValueError."""
    wanted = list(FAULTS) if repair is True else [repair] if isinstance(repair, str) else list(repair or ())
    if unknown := [kind for kind in wanted if kind not in FAULTS]:
        raise ValueError(f"repair={unknown[0]!r}: unknown; give True or some of {', '.join(FAULTS)}")
    return tuple(kind for kind in FAULTS if kind in wanted)


def without_mark(text: str) -> str:
    """Return a text without the mark ``[+2829 chars]`` at its end."""
    return text[:-80] + _MARK.sub("", text[-80:])


def _reread(match: re.Match[str]) -> str:
    """Read the longest part of a run that is one character of UTF-8, and leave the rest."""
    run = match[0]
    # where Windows-1252 has no character, or text was read as Latin-1, the control character of that number stands
    raw = b"".join(bytes([ord(c)]) if "\x80" <= c < "\xa0" else c.encode("cp1252") for c in run)
    for length in range(len(run), 1, -1):
        with contextlib.suppress(UnicodeDecodeError):
            return raw[:length].decode("utf-8") + run[length:]
    return run


def _character(escape: re.Match[str]) -> str:
    """Return the character that a backslash sequence stands for; half of a UTF-16 pair stands for none."""
    if escape[0] in _PLAIN:
        return _PLAIN[escape[0]]
    code = int(escape[0][2:], 16)
    return escape[0] if 0xD800 <= code < 0xE000 else chr(code)


_MENDS: dict[str, Callable[[str], str]] = {
    "mojibake": lambda text: _MISREAD.sub(_reread, text),
    "tags": lambda text: fragment_text(text.replace("\n", "<br>")),
    "entities": html.unescape,
    "escapes": lambda text: _ESCAPE.sub(_character, text),
    "cut": without_mark,
    "invisible": lambda text: text.translate(dict.fromkeys(map(ord, _INVISIBLE))),
}
