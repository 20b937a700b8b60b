"""Displays: what is shown in a notebook, a report or a terminal; small, escaped, readable without colour."""

from toolkit.display.article import Articles, CleanedArticle, Piece, compare, show, telling
from toolkit.display.colours import DARK, LIGHT, OTHER, PALETTE, Colours, Theme, contrast
from toolkit.display.text import PLAIN, Card, Table, escaped, one_line, percent, shortened, visible

__all__ = [
    "DARK", "LIGHT", "OTHER", "PALETTE", "PLAIN", "Articles", "Card", "CleanedArticle", "Colours",
    "Piece", "Table", "Theme", "compare", "contrast", "escaped", "one_line", "percent", "shortened", "show",
    "telling", "visible",
]  # fmt: skip
