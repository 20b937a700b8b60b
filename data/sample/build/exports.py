"""Exports: a part of the sample as a newspaper archive hands it out, for the notebook that begins with such a file.

``python -m data.sample.build.exports`` writes ``data/sample/exports/nexis.txt`` again. The layout is that of LexisNexis
text: numbered documents, lines wrapped at a margin, fields in capitals.
"""

from __future__ import annotations

import json
import textwrap
from pathlib import Path

import pandas as pd

from toolkit import datasets

FOLDER = Path(__file__).parents[1] / "exports"
FROM, TO = "2032-08-15", "2032-12-15"
"""First and last day: two months on each side of the election of 14 October 2032."""

_WIDTH = 78


def nexis(corpus: pd.DataFrame) -> str:
    """Return articles in the layout of a LexisNexis text export.

    Parameters
    ----------
    corpus : DataFrame
        ``publisher``, ``title``, ``text``, ``published``.
    """
    head = (
        f"Download Request: Selected Items: 1-{len(corpus)}\nTime Of Request: Monday, January 10, 2033  10:15:00\n\n"
        f"Terms: (date from {FROM} to {TO})\n\n\n"
    )
    parts = [head]
    for number, row in enumerate(corpus.to_dict("records"), 1):
        paragraphs = [" ".join(line.split()) for line in str(row["text"]).split("\n") if line.strip()]
        body = "\n\n".join(textwrap.fill(line, _WIDTH, break_on_hyphens=False) for line in paragraphs)
        parts.append(
            f"{f'{number} of {len(corpus)} DOCUMENTS':^{_WIDTH}}\n\n\n{row['publisher']:^{_WIDTH}}\n\n"
            f"{row['published']:%B} {row['published'].day}, {row['published']:%Y %A}\n\n{row['title']}\n\n"
            f"LENGTH: {len(str(row['text']).split())} words\n\n\n{body}\n\nLOAD-DATE: "
            f"{row['published']:%B} {row['published'].day}, {row['published']:%Y}\n\nLANGUAGE: ENGLISH\n\n\n"
        )
    return "\n".join(line.rstrip() for line in "".join(parts).split("\n"))


def export() -> str:
    """Return the export: what an archive would hold of these months, articles and no pages without one."""
    gold = datasets.gold("sample")
    corpus = gold.corpus[(gold.corpus["lang"] == "en") & (gold.verdicts["verdict"] == "article")]
    corpus = corpus.sort_values(["published", "doc_id"])
    corpus = corpus[corpus["published"].dt.strftime("%Y-%m-%d").between(FROM, TO)]
    houses = json.loads((FOLDER.parent / "publishers.json").read_text("utf-8"))["publishers"].values()
    return nexis(corpus.assign(publisher=corpus["publisher"].map({h["domain"]: h["name"] for h in houses})))


def main() -> None:
    """Write the export."""
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / "nexis.txt").write_text(export(), "utf-8")


if __name__ == "__main__":
    main()
