"""Print the quality figures: ``python -m benchmarks [boilerplate] [topics] [contamination] [fitting] …``.

Needs the development data (``NEWS_TOOLKIT_DATA``); trains each model once a fold, some minutes on two cores.
"""

from __future__ import annotations

import argparse

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
    parser.add_argument(
        "--record", action="store_true", help="topics: store the figures that docs/topics.md shows"
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
        from benchmarks.recorded import markdown, record
        from benchmarks.topics import measure

        for name, table in measure().items():
            print(f"\nTopics, {name}: value [95 % interval]\n")
            print(markdown(table))
            if arguments.record:
                record("topics", name, table, command="python -m benchmarks topics --record", seed=0)
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


if __name__ == "__main__":
    main()
