"""Print the quality figures: ``python -m benchmarks [boilerplate] [topics] [contamination] [fitting] …``.

Needs the development data (``NEWS_TOOLKIT_DATA``); trains each model once a fold, some minutes on two cores.
"""

from __future__ import annotations

import argparse

import numpy as np
import pandas as pd

FIGURES = ("precision", "recall", "f1", "f1_macro", "article_lost", "kind_accuracy")


def show(table: pd.DataFrame) -> str:
    """Lay out a table of :func:`benchmarks.crossvalidation.boilerplate_table` as Markdown."""
    lines = ["| method | " + " | ".join(FIGURES) + " |", "|---" * (len(FIGURES) + 1) + "|"]
    for name, row in table.iterrows():
        cells = [f"{row[f, 'value']:.4f} [{row[f, 'low']:.4f}, {row[f, 'high']:.4f}]" for f in FIGURES]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "parts",
        nargs="*",
        help="boilerplate, topics, contamination, fitting, variants, subtopics; default the first four",
    )
    parser.add_argument("--folds", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--documents", type=int, help="contamination, subtopics: only the first articles of allsides"
    )
    arguments = parser.parse_args()
    arguments.parts = arguments.parts or ["boilerplate", "topics", "contamination", "fitting"]
    if "boilerplate" in arguments.parts:
        from benchmarks.crossvalidation import boilerplate_table

        print("Boilerplate: visible gold, publisher-grouped cross-validation, value [95 % interval]\n")
        table = boilerplate_table(folds=arguments.folds, seed=arguments.seed)
        print(show(table))
        recall = [c for c in table.columns.get_level_values(0).unique() if c.startswith("recall_")]
        print(
            "\nRecall by kind, with fit:",
            *(f"{c[7:]} {table.loc['with fit', (c, 'value')]:.3f}" for c in recall),
        )
    if "topics" in arguments.parts:
        for scheme in ("publisher", "source"):
            print(f"\nTopics: visible gold, each {scheme} held out, value [95 % interval]\n")
            print(topics_table(scheme, arguments.seed))
    if "contamination" in arguments.parts:
        from benchmarks.contamination import contamination_table, natural_flips, show_rates

        print("\nContamination: leading topics that an inserted passage flips, before and after cleaning\n")
        print(show_rates(contamination_table()))
        print("\nContamination: leading topics of allsides that cleaning changes\n")
        table = natural_flips(arguments.documents)
        print(show_rates(table[table["by"] != "publisher"]))
    if "fitting" in arguments.parts:
        from benchmarks.fitting import fitting_table

        print("\nTopics of one's own: fit on labels, beside a peer in the same run\n")
        print(fitting_table(seed=arguments.seed).round(4).to_string())
    if "variants" in arguments.parts:
        from benchmarks.variants import variants_table

        print("\nBoilerplate: articles of the gold without their line breaks, F1 on unseen publishers\n")
        print(variants_table(folds=arguments.folds, seed=arguments.seed).round(3).to_string())
    if "subtopics" in arguments.parts:
        from benchmarks.subtopics import allsides_table

        print("\nSecond level, tried without labels: accuracy where slugs of allsides tell the answer\n")
        print(allsides_table(arguments.documents).round(3).to_string())


def topics_table(scheme: str, seed: int) -> str:
    """Score topics of the visible gold by source; ``scheme`` as in :func:`training.topics.validate`."""
    from toolkit.evaluation.topics import topic_scores
    from training.topics import Design, validate

    documents, figures = validate(Design(), scheme, seed=seed)
    rows = np.flatnonzero(documents.pinned)
    values = figures.to_numpy()[rows]
    listed = values >= figures.attrs["thresholds"][rows][:, None]
    listed[np.arange(len(rows)), values.argmax(axis=1)] = True
    codes = np.array(figures.columns)
    report = topic_scores(
        figures.iloc[rows],
        codes[documents.primary[rows]],
        [set(codes[member]) for member in documents.member[rows]],
        listed=listed,
        by=documents.sources[rows],
    )
    metrics = report["metric"].unique().tolist()
    lines = ["| source | n | " + " | ".join(metrics) + " |", "|---" * (len(metrics) + 2) + "|"]
    for group, part in report.groupby("group", sort=False):
        cells = [f"{v:.3f} [{lo:.3f}, {hi:.3f}]" for v, lo, hi in part[["value", "low", "high"]].to_numpy()]
        lines.append(f"| {group} | {part['documents'].iloc[0]} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
