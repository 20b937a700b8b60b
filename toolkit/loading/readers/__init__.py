"""Readers of archives, corpora and files of articles: one file a kind, all under one driver."""
