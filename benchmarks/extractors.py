"""What people use to get the article out of a web page: trafilatura, and its peers (the extra ``bench``)."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import pandas as pd

from toolkit.corpus import make_corpus
from toolkit.datasets.registry import Record
from toolkit.fields import registrable_domain
from toolkit.loading.markup import fragment_text
from toolkit.loading.pages import read_page

SETTINGS: dict[str, dict[str, bool] | None] = {
    "as loaded": None,
    "default": {},
    "favor_precision": {"favor_precision": True},
    "favor_recall": {"favor_recall": True},
    "no tables": {"include_tables": False},
}
"""Name → what trafilatura is asked for besides leaving out reader comments; None as :func:`toolkit.load` does."""

_STOPLISTS = {
    "da": "Danish", "de": "German", "en": "English", "es": "Spanish", "fr": "French", "it": "Italian",
    "nb": "Norwegian_Bokmal", "nl": "Dutch", "no": "Norwegian_Bokmal", "pl": "Polish", "pt": "Portuguese",
    "sv": "Swedish", "tr": "Turkish", "uk": "Ukrainian",
}  # fmt: skip


def _resiliparse(html: str, _: Mapping[str, Any]) -> str:
    from resiliparse.extract.html2text import extract_plain_text

    return str(extract_plain_text(html, main_content=True, alt_texts=False, comments=False))


def _newspaper(html: str, page: Mapping[str, Any]) -> str:
    import newspaper

    # without fetch_images=False it asks the network for the size of pictures
    article = newspaper.article(page["url"] or "https://example.org/", input_html=html, fetch_images=False)
    return str(article.text)


def _readability(html: str, _: Mapping[str, Any]) -> str:
    from readability import Document

    return fragment_text(Document(html).summary(html_partial=True))


def _justext(html: str, page: Mapping[str, Any]) -> str:
    import justext

    name = _STOPLISTS.get(page["lang"] or "en")
    # its own way for a language without a list of stop words
    stops = (justext.get_stoplist(name), {}) if name else ((), {"stopwords_low": 0, "stopwords_high": 0})
    paragraphs = justext.justext(html.encode(), stops[0], encoding="utf-8", **stops[1])
    return "\n".join(p.text for p in paragraphs if not p.is_boilerplate)


PEERS: dict[str, Callable[[str, Mapping[str, Any]], str]] = {
    "resiliparse, main content": _resiliparse,
    "newspaper4k": _newspaper,
    "readability-lxml": _readability,
    "jusText": _justext,
}
"""Name → function of a page and what trafilatura read of its metadata."""


def publisher_of(record: Record) -> str | None:
    """Return the publisher of a page as :func:`toolkit.load` has it, else as its set has it."""
    return registrable_domain(record["url"]) or record["publisher"]


def extract(records: Iterable[Record]) -> dict[str, pd.DataFrame]:
    """Read pages with trafilatura at each setting, and with each peer.

    Parameters
    ----------
    records : iterable of dict
        ``id, url, publisher, html, gold``.

    Returns
    -------
    dict of str to DataFrame
        Method → corpus with a column ``gold``; all in the same order. A page on which a method fails or finds
        nothing has an empty text.

    Raises
    ------
    ModuleNotFoundError
        A peer is not installed; the extra ``bench`` has them.
    """
    rows: dict[str, list[dict[str, Any]]] = {}
    for library in ("readability", "newspaper", "trafilatura"):
        logging.getLogger(library).setLevel(logging.CRITICAL)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the peers' own, about stop words and nltk
        for record in records:
            about = {
                "doc_id": record["id"],
                "publisher": publisher_of(record),
                "gold": record["gold"],
            }
            page: dict[str, Any] = {}
            for name, setting in SETTINGS.items():
                page = read_page(record["html"], record["url"], extraction=setting)
                text = page["text"] if isinstance(page["text"], str) else ""
                rows.setdefault(f"trafilatura {name}", []).append({**page, **about, "text": text})
            known = {"url": record["url"], "lang": page.get("lang")}
            for name, peer in PEERS.items():
                try:
                    text = peer(record["html"], known)
                except ModuleNotFoundError:
                    raise
                except Exception:  # a page that a library cannot read is a page without a text
                    text = ""
                rows.setdefault(name, []).append({**known, **about, "text": text})
    return {name: make_corpus(found) for name, found in rows.items()}
