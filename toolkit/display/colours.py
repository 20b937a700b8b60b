"""Colours and styles: colour-blind readers can distinguish the kinds, and text is readable on each colour."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

BOX = (
    "font-family:Georgia,'DejaVu Serif',serif;font-size:15px;line-height:1.6;max-width:{wide}em;color:{text};"
    "background-color:{ground};border:1px solid {line};border-radius:4px;padding:0.8em 1.2em;margin:0.6em 0"
)
FOOT = "color:{faint};font-family:'DejaVu Sans',Verdana,sans-serif;font-size:12px;margin:0.6em 0 0 0"
"""Styles of the box around an article and of the line at its foot, for :meth:`Theme.style`."""


class Colours(NamedTuple):
    """Colours of one kind of boilerplate: ``ink`` on ``tint`` for text, ``fill`` with ``hatch`` for bars."""

    fill: str
    ink: str
    tint: str
    hatch: str


# Kind → fill, hatch; ink and tint on the light ground; ink and tint on the dark one. Fills are the colour-blind safe
# palette of Okabe and Ito (2008). An ink is its fill darkened (on dark: lightened) until the WCAG 2.2 contrast with the
# tint, 16 % (22 %) of the fill over the ground, passes 4.5:1, which the tests compute.
_KINDS = {
    "appeal": ("#D55E00", "//", "#9b4500", "#f8e5d6", "#e39557", "#462c17"),
    "promo": ("#E69F00", "\\\\", "#855c00", "#fbf0d6", "#e8a91a", "#4a3a17"),
    "related": ("#0072B2", "", "#006299", "#d6e8f3", "#66aad1", "#17303f"),
    "caption": ("#009E73", "..", "#006d4f", "#d6efe9", "#4dbb9d", "#173a31"),
    "byline": ("#CC79A7", "xx", "#87506e", "#f7eaf1", "#d899bc", "#44323c"),
    "notice": ("#56B4E9", "--", "#326887", "#e4f3fb", "#6abdec", "#2a3f4b"),
    "interface": ("#F0E442", "||", "#716b1f", "#fdfbe1", "#f0e442", "#4c4a26"),
    "other": ("#999999", "oo", "#555555", "#eeeeee", "#afafaf", "#393939"),
}


# What a removal is against gold; and the kind of a passage that the other of two compared texts lacks.
_RIGHT, _WRONG, _MISSED = VERDICTS = ("right", "wrongly taken", "missed")
ONLY_HERE = "only here"
STANDING = (_MISSED, ONLY_HERE)  # these are marked but not struck through, for they stand


class Theme(NamedTuple):
    """Colours of a display: the ground, what stands on it, and a palette of kinds."""

    ground: str
    text: str
    faint: str
    line: str
    on_ink: str
    mark: str
    palette: Mapping[str, Colours]
    other: Colours

    def of(self, kind: str) -> Colours:
        """Return the colours of a kind, or of a verdict against gold."""
        return self.palette.get(kind, self.other)

    def style(self, css: str, **more: Any) -> str:
        """Return CSS in which names in braces are replaced: the colours of the theme, and ``more``."""
        return css.format(**{"wide": 46, **self._asdict(), **more})


def _theme(plain: tuple[str, str, str, str, str, str], ink: int) -> Theme:
    """Return a theme of six plain colours; ``ink`` is the column of :data:`_KINDS` with the inks on its ground."""
    palette = {kind: Colours(row[0], row[ink], row[ink + 1], row[1]) for kind, row in _KINDS.items()}
    other = palette.pop("other")
    as_kind = {_RIGHT: "caption", _WRONG: "appeal", _MISSED: "promo", ONLY_HERE: "related"}
    return Theme(*plain, palette | {verdict: palette[kind] for verdict, kind in as_kind.items()}, other)


LIGHT = _theme(("#ffffff", "#1a1a1a", "#555555", "#d0d0d0", "#ffffff", "#fff2a8"), 2)
DARK = _theme(("#1e1e1e", "#e6e6e6", "#b0b0b0", "#4a4a4a", "#111111", "#6b5900"), 4)
THEMES = {"light": LIGHT, "dark": DARK}
OTHER = LIGHT.other
PALETTE = {kind: LIGHT.palette[kind] for kind in _KINDS if kind != "other"}


def themed(name: str, colours: Mapping[str, str] | None = None) -> Theme:
    """Return a theme by name; kinds with a colour ``#rrggbb`` of one's own get an ink and a tint made from it."""
    if name not in THEMES:
        raise ValueError(f"theme={name!r}: 'light' or 'dark' is wanted")
    theme, own = THEMES[name], {}
    for kind, fill in (colours or {}).items():
        if not re.fullmatch("#[0-9a-fA-F]{6}", fill):
            raise ValueError(f"colours={{{kind!r}: {fill!r}}}: a colour such as #0072b2 is wanted")
        tint = mixed(fill, theme.ground, 0.18)
        inks = (mixed(fill, theme.text, share / 100) for share in range(100, 0, -2))
        ink = next((ink for ink in inks if contrast(ink, tint) >= 4.5), theme.text)
        own[kind] = Colours(fill, ink, tint, "")
    return theme._replace(palette={**theme.palette, **own})


def mixed(one: str, other: str, share: float) -> str:
    """Return a colour of which ``share`` is the first."""
    pairs = zip(bytes.fromhex(one[1:]), bytes.fromhex(other[1:]), strict=True)
    return "#" + "".join(f"{round(share * a + (1 - share) * b):02x}" for a, b in pairs)


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours ``#rrggbb`` by WCAG 2.2, from 1 to 21; text needs 4.5."""

    def luminance(colour: str) -> float:
        channels = [value / 255 for value in bytes.fromhex(colour[1:])]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted([luminance(one), luminance(other)])
    return (high + 0.05) / (low + 0.05)
