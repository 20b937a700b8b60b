"""Colours of the kinds of boilerplate: told apart by colour-blind readers, readable on their ground."""

from __future__ import annotations

from typing import NamedTuple


class Colours(NamedTuple):
    """Colours of one kind of boilerplate: ``ink`` on ``tint`` for text, ``fill`` with ``hatch`` for bars."""

    fill: str
    ink: str
    tint: str
    hatch: str


# Fills are the colour-blind safe palette of Okabe and Ito (2008). An ink is its fill darkened until the
# WCAG 2.2 contrast with the tint (16 % of the fill on white) passes 4.5:1, which the tests compute.
PALETTE = {
    "appeal": Colours("#D55E00", "#9b4500", "#f8e5d6", "//"),
    "promo": Colours("#E69F00", "#855c00", "#fbf0d6", "\\\\"),
    "related": Colours("#0072B2", "#006299", "#d6e8f3", ""),
    "caption": Colours("#009E73", "#006d4f", "#d6efe9", ".."),
    "byline": Colours("#CC79A7", "#87506e", "#f7eaf1", "xx"),
    "notice": Colours("#56B4E9", "#326887", "#e4f3fb", "--"),
    "interface": Colours("#F0E442", "#716b1f", "#fdfbe1", "||"),
}
OTHER = Colours("#999999", "#555555", "#eeeeee", "oo")


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours ``#rrggbb`` by WCAG 2.2; text needs 4.5.

    Examples
    --------
    >>> contrast("#000000", "#ffffff")
    21.0
    """

    def luminance(colour: str) -> float:
        channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted([luminance(one), luminance(other)])
    return (high + 0.05) / (low + 0.05)
