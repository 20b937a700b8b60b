"""Text made safe to show: in a terminal, in HTML, in a notebook."""

from __future__ import annotations

import html
import re

PLAIN = 'class="tex2jax_ignore mathjax_ignore" dir="auto"'
"""Attributes of an element that shows text: JupyterLab's MathJax would set what stands between two prices as
mathematics, and text to be read from the right stays in its box."""

# What no reader should get unseen: C0 and C1 controls (a terminal obeys ANSI escapes), the characters that
# reorder the text around them (Unicode's Bidi_Control), lone surrogates and non-characters.
_HOSTILE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
)


def visible(text: str) -> str:
    r"""Return ``text`` with control, bidirectional and invalid characters made visible and harmless.

    Line breaks and tabs stay. Joiners stay too: Persian, Hindi and emoji need them.

    Examples
    --------
    >>> visible("red \x1b[31m, back\u202ewards")
    'red ␛[31m, back⟨U+202E⟩wards'
    """
    return _HOSTILE.sub(_symbol, text.replace("\r\n", "\n").replace("\r", "\n"))


def _symbol(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < 0x20:
        return chr(0x2400 + code)
    return "␡" if code == 0x7F else f"⟨U+{code:04X}⟩"


def escaped(text: str) -> str:
    """Return ``text`` as HTML that shows it as it is: :func:`visible`, markup escaped, lines broken."""
    return html.escape(visible(text)).replace("\n", "<br>")


def shortened(text: str, head: int, tail: int) -> str:
    """Keep about the first ``head`` and the last ``tail`` characters, cut between words."""
    if len(text) <= head + tail + 10:
        return text
    first, last = text[:head], text[len(text) - tail :] if tail else ""
    first = first[: first.rfind(" ")] if " " in first[1:] else first
    last = last[last.find(" ") + 1 :] if " " in last[:-1] else last
    return f"{first} […] {last}"


def percent(share: float, digits: int = 1) -> str:
    """Return a share in per cent, as tables and figures write it: ``0.25`` as ``25.0 %``."""
    return f"{100 * share:.{digits}f} %"
