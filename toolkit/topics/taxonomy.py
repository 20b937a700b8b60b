"""The taxonomy: IPTC Media Topics, the 17 top-level topics and their children.

IPTC NewsCodes are published by the IPTC (iptc.org) under CC BY 4.0; ``data/taxonomy.json`` carries the
attribution. ``python -m training.mediatopics SOURCE OUT`` writes it anew from the full list.
"""

from __future__ import annotations

import json
from functools import cache

import pandas as pd

from toolkit.shipped import shipped

SHORT_NAMES = {
    "01000000": "arts",
    "02000000": "crime",
    "03000000": "disaster",
    "04000000": "econ",
    "05000000": "edu",
    "06000000": "env",
    "07000000": "health",
    "08000000": "human",
    "09000000": "labour",
    "10000000": "life",
    "11000000": "pol",
    "12000000": "rel",
    "13000000": "sci",
    "14000000": "soc",
    "15000000": "sport",
    "16000000": "conf",
    "17000000": "weather",
}
"""Short name of each top-level topic, as the project's gold annotations use them."""

CODES = tuple(SHORT_NAMES)
"""Codes of the 17 top-level topics, ascending."""

CODE_OF = {short: code for code, short in SHORT_NAMES.items()}
"""Code of each short name."""


@cache
def load() -> pd.DataFrame:
    """Return the taxonomy: one row a topic, 17 at level 1 and their children at level 2.

    Returns
    -------
    DataFrame
        Index ``code`` (8 digits); columns ``level`` (1 or 2), ``parent`` (code, missing at level 1),
        ``definition`` (English) and ``name_<language>`` for each of the 13 language variants. Treat it as
        read-only: every caller gets the same object.

    Examples
    --------
    >>> load().loc["11000000", "name_fr"]
    'Politique'
    """
    topics = json.loads(shipped("taxonomy.json").read_text(encoding="utf-8"))["topics"]
    rows = [
        {key: value for key, value in topic.items() if key != "names"}
        | {f"name_{language}": name for language, name in topic["names"].items()}
        for topic in topics
    ]
    return pd.DataFrame(rows).set_index("code")


def languages() -> list[str]:
    """Return the language variants in which every topic is named, as the IPTC writes them.

    Examples
    --------
    >>> languages()[:4]
    ['ar', 'de', 'dk', 'en-GB']
    """
    prefix = "name_"
    return [name.removeprefix(prefix) for name in load().columns if name.startswith(prefix)]


def names(language: str = "en-GB", *, level: int = 1) -> dict[str, str]:
    """Return the name of each topic of a level in one language.

    Parameters
    ----------
    language : str
        One of :func:`languages`.
    level : {1, 2}

    Raises
    ------
    ValueError
        The topics are not named in that language.

    Examples
    --------
    >>> names("en-GB")["17000000"]
    'weather'
    """
    if language not in languages():
        msg = f"language {language!r}: topics are named in {', '.join(languages())}; choose one of them"
        raise ValueError(msg)
    taxonomy = load()
    return taxonomy.loc[taxonomy["level"] == level, f"name_{language}"].to_dict()


def children(code: str) -> list[str]:
    """Return the codes of a topic's children, ascending.

    Examples
    --------
    >>> len(children("17000000"))
    4
    """
    taxonomy = load()
    return sorted(taxonomy.index[taxonomy["parent"] == code])
