"""Say what a document is, by its words and layout: an article, or what a scraper got in its place."""

from toolkit.verdict.documents import TEXTS, VERDICTS, articles, doubled, others, probabilities

__all__ = ["TEXTS", "VERDICTS", "articles", "doubled", "others", "probabilities"]
