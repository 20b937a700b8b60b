"""How often verdicts are right: ``python -m benchmarks.verdicts``; trains once, a minute or two on a free core.

The invented world of ``walls.jsonl`` and ``negatives.jsonl`` and a fifth of the publishers are kept from training. Its
150 texts were written by another author than those that are learned from; the briefs are the first sentences of
articles of publishers that were not seen.
"""

from __future__ import annotations

import random
import zlib
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import softmax

from benchmarks.recorded import record
from toolkit.buffer import Buffer
from toolkit.census import rate
from toolkit.verdict.model import LEARNED, VerdictModel
from training.composing import invented, load_texts, opening
from training.verdict import learn, part


def held(publisher: str) -> bool:
    """Whether a publisher is kept from training."""
    return zlib.crc32(publisher.encode()) % 5 == 0


def told(model: VerdictModel, rows: list[dict[str, Any]]) -> NDArray[np.str_]:
    """Likeliest verdict of each text by itself, but for ``twice`` and ``empty``."""
    texts, titles = ([row.get(name) or "" for row in rows] for name in ("text", "title"))
    chances = softmax(model.sums(model.rows(Buffer.of(texts), Buffer.of(titles))), axis=1)
    return np.array(LEARNED)[chances.argmax(axis=1)]


def figures(model: VerdictModel) -> pd.DataFrame:
    """Score a model that did not see the invented world, nor the publishers of :func:`held`."""
    walls = [row for row in invented("walls") if row["verdict"] != "twice"]
    right = told(model, walls) == np.array([row["verdict"] for row in walls])
    article = told(model, walls) == "article"
    langs = np.array([row["lang"] for row in walls])
    real = [row for row in load_texts(world=False).articles if held(row["group"])]
    rng = random.Random(5)
    briefs = [row | {"text": " ".join(opening(row, rng, 3))} for row in real if row["clean"]]
    rows = []
    for name in ("all", *sorted(set(langs))):
        chosen = np.ones(len(walls), bool) if name == "all" else langs == name
        rows += [("right", name, right[chosen]), ("called an article", name, article[chosen])]
    for name, texts in (("articles", real), ("briefs", briefs), ("look-alikes", invented("negatives"))):
        rows.append(("called no article", name, told(model, texts) != "article"))
    table = []
    for series, label, found in rows:
        found_rate = rate(int(found.sum()), len(found))
        table.append({"label": label, "series": series, "value": found_rate.pop("share"), **found_rate})
    return pd.DataFrame(table)


def main() -> None:
    """Train without what is held back, print the figures and record them."""
    texts = part(load_texts(world=False), lambda key: True)
    texts.articles[:] = [row for row in texts.articles if not held(row["group"])]
    model, _ = learn(texts)
    with TemporaryDirectory() as folder:  # as it would be shipped, rounded
        model.save(Path(folder, "model"))
        table = figures(VerdictModel.load(Path(folder, "model")))
    print(table.round(3).to_string(index=False))
    record(
        "verdicts",
        "unseen",
        table,
        command="python -m benchmarks.verdicts",
        split="invented world, publishers",
    )


if __name__ == "__main__":
    main()
