"""Displays: what is shown in a notebook, a report or a terminal; small, escaped, readable without colour."""

from toolkit.display.article import Articles, CleanedArticle, Piece, show, telling
from toolkit.display.card import CorpusCard, TemplateCard
from toolkit.display.colours import OTHER, PALETTE, Colours, contrast
from toolkit.display.table import Table
from toolkit.display.text import PLAIN, escaped, shortened, visible

__all__ = [
    "OTHER",
    "PALETTE",
    "PLAIN",
    "Articles",
    "CleanedArticle",
    "Colours",
    "CorpusCard",
    "Piece",
    "Table",
    "TemplateCard",
    "contrast",
    "escaped",
    "shortened",
    "show",
    "telling",
    "visible",
]
