"""What lost line breaks cost: the gold articles as they are, with every line break a space, and glued.

The remover is the shipped one, which was trained on these articles as they are: the figures say what the line
breaks are worth to it, not how well it does on unseen publishers.
"""

from __future__ import annotations

import pandas as pd

from toolkit import datasets
from toolkit.boilerplate import BoilerplateRemover
from toolkit.boilerplate.passages import without_breaks
from toolkit.evaluation.spans import span_counts, span_scores

VARIANTS = {"as they are": None, "line breaks made spaces": " ", "glued": ""}
"""What stands in place of a line break with the white space around it; None leaves it."""


def variants_table(*, draws: int = 1000, seed: int = 0) -> pd.DataFrame:
    """F1 of the shipped remover on the visible gold in each of :data:`VARIANTS`.

    Returns
    -------
    DataFrame
        Index: variant; columns ``with fit``, ``single documents``: F1 [low, high], 95 % by bootstrap over documents.
    """
    gold = datasets.gold("boilerplate")
    first = gold.corpus[gold.corpus["part"] == "boilerplate"]["doc_id"]
    everything = datasets.load("allsides")
    table: dict[str, dict[str, str]] = {}
    for name, glue in VARIANTS.items():
        corpus, spans = everything, gold.spans
        if glue is not None:
            corpus, spans = without_breaks(everything, gold.spans, glue)
        chosen = corpus[corpus["doc_id"].isin(set(first))].reset_index(drop=True)
        mine = spans[spans["doc_id"].isin(set(first))]
        removers = {
            "with fit": BoilerplateRemover().partial_fit(corpus),
            "single documents": BoilerplateRemover(),
        }
        table[name] = {}
        for mode, remover in removers.items():
            counts = span_counts(chosen, mine, remover.spans(chosen))
            value, low, high = span_scores(counts, draws=draws, seed=seed).loc["f1", ["value", "low", "high"]]
            table[name][mode] = f"{value:.3f} [{low:.3f}, {high:.3f}]"
    return pd.DataFrame.from_dict(table, orient="index")
