"""Displays: what is shown in a notebook, a report or a terminal; small, escaped, readable without colour."""

from toolkit.display.article import CleanedArticle, Piece, telling
from toolkit.display.card import Card, CorpusCard, TemplateCard
from toolkit.display.colours import DARK, LIGHT, OTHER, PALETTE, Colours, Theme, contrast
from toolkit.display.gallery import Articles, compare, show
from toolkit.display.table import Table
from toolkit.display.text import PLAIN, escaped, shortened, visible

__all__ = [
    "DARK",
    "LIGHT",
    "OTHER",
    "PALETTE",
    "PLAIN",
    "Articles",
    "Card",
    "CleanedArticle",
    "Colours",
    "CorpusCard",
    "Piece",
    "Table",
    "TemplateCard",
    "Theme",
    "compare",
    "contrast",
    "escaped",
    "shortened",
    "show",
    "telling",
    "visible",
]
