"""How often the language of a text is told, and how often rightly, on labelled news: ``docs/languages.md``.

python -m benchmarks.languages          prints the tables
"""

from __future__ import annotations

import time

import pandas as pd

from toolkit import datasets
from toolkit.language import languages

SETS = {
    "modern": "whole articles, 25 languages",
    "masakhanews": "whole articles of BBC in 16 languages, 14 of them African",
    "sib200": "single sentences in 34 languages",
}
SAME = {"nb": "no"}
"""Bokmål is told as Norwegian."""


def told(name: str, column: str) -> tuple[pd.DataFrame, float]:
    """Return ``lang, told, right`` of each text of a set, and the microseconds a text took."""
    corpus = datasets.load(name)
    corpus = corpus[corpus[column].notna() & corpus["lang"].notna()]
    languages(corpus[column])  # kernels and library are loaded once
    begun = time.process_time()
    found = languages(corpus[column])
    took = (time.process_time() - begun) / len(corpus)
    gold = corpus["lang"].replace(SAME)
    return pd.DataFrame({"lang": gold, "told": found.notna(), "right": found == gold}), 1e6 * took


def main() -> None:
    """Print one table of the sets and one of the languages."""
    print("| set | texts | told | right of those told | µs a text |\n|---|---|---|---|---|")
    tables = {}
    for name, what in SETS.items():
        for column in ("text", "title") if name != "sib200" else ("text",):
            table, took = told(name, column)
            tables[name, column] = table
            label = what if column == "text" else "their headlines"
            right = table.loc[table["told"], "right"].mean()
            print(
                f"| {name}: {label} | {len(table):,} | {table['told'].mean():.3f} | {right:.4f} | {took:.0f} |"
            )
    print("\n| language | articles | told | right of those told |\n|---|---|---|---|")
    both = pd.concat([tables["modern", "text"], tables["masakhanews", "text"]])
    for lang, part in both.groupby("lang"):
        right = part.loc[part["told"], "right"].mean()
        print(f"| {lang} | {len(part):,} | {part['told'].mean():.3f} | {right:.3f} |")


if __name__ == "__main__":
    main()
