"""The taxonomy: IPTC Media Topics, the 17 top-level topics and their children.

IPTC NewsCodes are published by the IPTC (iptc.org) under CC BY 4.0; ``data/taxonomy.json`` carries the
attribution. ``python -m training.mediatopics SOURCE OUT`` writes it anew from the full list.
"""

from __future__ import annotations

import json
from functools import cache

import pandas as pd

from toolkit.files import shipped

CODES = tuple(f"{number:02}000000" for number in range(1, 18))
"""Codes of the 17 top-level topics, ascending."""

_SHORT = "arts crime disaster econ edu env health human labour life pol rel sci soc sport conf weather"
SHORT_NAMES = dict(zip(CODES, _SHORT.split(), strict=True))
"""Short name of each top-level topic, as the project's gold annotations use them."""

CODE_OF = {short: code for code, short in SHORT_NAMES.items()}
"""Code of each short name."""


@cache
def load() -> pd.DataFrame:
    """Return the taxonomy: one row a topic, 17 at level 1 and their children at level 2; treat it as read-only.

    Index ``code`` (8 digits); columns ``level``, ``parent`` (code, missing at level 1), ``definition`` (English) and
    ``name_<language>`` for each of the 13 language variants.

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
    """Return the language variants in which every topic is named, as the IPTC writes them: such as ``en-GB``."""
    prefix = "name_"
    return [name.removeprefix(prefix) for name in load().columns if name.startswith(prefix)]


@cache
def names(language: str = "en-GB", *, level: int = 1) -> dict[str, str]:
    """Return the name of each topic of a level (1 or 2) in one of :func:`languages`; treat it as read-only.

    >>> names("en-GB")["17000000"]
    'weather'
    """
    if language not in languages():
        msg = f"language {language!r}: topics are named in {', '.join(languages())}; choose one of them"
        raise ValueError(msg)
    taxonomy = load()
    return taxonomy.loc[taxonomy["level"] == level, f"name_{language}"].to_dict()


def label(code: object) -> str:
    """Return the English name of a top-level code, else the label itself."""
    return names().get(str(code), str(code))
