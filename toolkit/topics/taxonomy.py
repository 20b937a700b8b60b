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

_SHORT = "arts crime disaster econ edu env health human labour life pol rel sci soc sport conf weather"
SHORT_NAMES = dict(zip(CODES, _SHORT.split(), strict=True))
CODE_OF = {short: code for code, short in SHORT_NAMES.items()}  # as the project's gold annotations use them


@cache
def load() -> pd.DataFrame:
    """Return both levels of topics, a row each, index ``code``; read once, treat it as read-only.

    ``level``, ``parent`` (code, missing at level 1), ``definition`` and ``name_<variant>``, such as ``name_en-GB``.
    """
    topics = json.loads(shipped("taxonomy.json").read_text(encoding="utf-8"))["topics"]
    rows = [each | {f"name_{language}": name for language, name in each["names"].items()} for each in topics]
    return pd.DataFrame(rows).drop(columns="names").set_index("code")


@cache
def names(language: str = "en-GB", *, level: int = 1) -> dict[str, str]:
    """Return the name of each topic of a level (1 or 2) in a language variant; treat it as read-only.

    >>> names("en-GB")["17000000"]
    'weather'
    """
    taxonomy = load()
    if f"name_{language}" not in taxonomy:
        known = ", ".join(column.removeprefix("name_") for column in taxonomy if column.startswith("name_"))
        raise ValueError(f"language {language!r}: topics are named in {known}; choose one of them")
    return taxonomy.loc[taxonomy["level"] == level, f"name_{language}"].to_dict()


def code(topic: object) -> str | None:
    """Return the code of a topic given as a code, as the number that a table made of it or by its English name.

    None: it is no topic of the taxonomy.

    >>> code("sport"), code(1000000), code("cricket club")
    ('15000000', '01000000', None)
    """
    text = str(topic).strip()
    number = text.removesuffix(".0").zfill(8)
    return number if number in load().index else _codes().get(text.casefold())


@cache
def _codes() -> dict[str, str]:
    return {name.casefold(): code for level in (2, 1) for code, name in names(level=level).items()}


def label(code: object) -> str:
    """Return the English name of a top-level code, else the label itself."""
    return names().get(str(code), str(code))
