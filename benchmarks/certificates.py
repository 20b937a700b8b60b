"""How often the bounds of certificates hold in simulated judgements: ``python -m benchmarks.certificates``.

The gold spans judge: whoever draws passages and reads them as the annotators did gets these certificates.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

import toolkit
from benchmarks.recorded import markdown, record
from toolkit.boilerplate import BoilerplateRemover
from toolkit.census import rate
from toolkit.certificate import Cleaning, draw
from toolkit.evaluation import span_counts, span_scores

SETS = {"sample": "invented sample", "boilerplate": "allsides gold", "boilerplate_modern": "modern gold"}
TRIALS, NEAR = 100, 0.1


def coverage(
    name: str, threshold: float | None, *, n: int = 200, trials: int = TRIALS
) -> dict[str, tuple[float, ...]]:
    """Return series → value, low, high for one gold set cleaned with a threshold (None: the shipped one)."""
    gold = toolkit.datasets.gold(name)
    remover = BoilerplateRemover().fit(gold.corpus)
    near = remover.set_params(threshold=NEAR if threshold is None else threshold / 2).spans(gold.corpus)
    spans = remover.set_params(threshold=threshold).spans(gold.corpus)
    scores = span_scores(span_counts(gold.corpus, gold.spans, spans), draws=2)["value"]
    masks = {
        d: np.zeros(len(t), bool) for d, t in zip(gold.corpus["doc_id"], gold.corpus["text"], strict=True)
    }
    for span in gold.spans.itertuples():
        masks[span.doc_id][span.start : span.end] = True
    cleaning, held, bounds = Cleaning(gold.corpus, spans), 0, []
    for seed in range(trials):
        sample = draw(gold.corpus, spans, near, n=n, seed=seed)
        real = [masks[d][at] for d, at in zip(sample["doc_id"], sample["at"], strict=True)]
        given = cleaning.certify(sample.assign(verdict=np.where(real, "boilerplate", "article")))
        bounds.append((given.article_lost, given.precision, given.found))
        held += (
            given.article_lost >= scores["article_lost"]
            and given.precision <= scores["precision"]
            and given.found <= scores["recall"]
        )
    share, missing = rate(held, trials), (np.nan, np.nan)
    lost, precision, found = np.median(bounds, axis=0)
    return {
        "all three hold": (share["share"], share["low"], share["high"]),
        "article lost": (scores["article_lost"], *missing), "bound on it": (lost, *missing),
        "precision": (scores["precision"], *missing), "its bound": (precision, *missing),
        "found": (scores["recall"], *missing), "bound on found": (found, *missing),
    }  # fmt: skip


def main() -> None:
    """Measure, store and print the table that ``docs/review.md`` shows."""
    rows = []
    for name, title in SETS.items():
        for threshold, wording in ((None, "shipped"), (0.2, "threshold .2")):
            for series, (value, low, high) in coverage(name, threshold).items():
                row = {
                    "label": f"{title}, {wording}",
                    "series": series,
                    "value": value,
                    "low": low,
                    "high": high,
                }
                rows.append({k: float(v) if isinstance(v, np.floating) else v for k, v in row.items()})
    table = pd.DataFrame(rows)
    record(
        "certificates", "coverage", table, command="python -m benchmarks.certificates", seed=0, trials=TRIALS
    )
    print(markdown(table))


if __name__ == "__main__":
    main()
