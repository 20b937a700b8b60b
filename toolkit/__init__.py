"""Trustworthy topics out of scraped news: load, clean, classify."""

__version__ = "0.1.0"
