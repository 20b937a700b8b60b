"""Print the quality figures: ``python -m benchmarks [boilerplate] [topics] [contamination] [fitting] …``.

Needs the development data (``NEWS_TOOLKIT_DATA``); trains each model once a fold, some minutes on two cores.
"""

from __future__ import annotations

import argparse

from benchmarks import recorded


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "parts",
        nargs="*",
        help="boilerplate, topics, contamination, fitting; default all",
    )
    parser.add_argument("--folds", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--documents", type=int, help="contamination: only the first articles of allsides")
    parser.add_argument(
        "--record", action="store_true", help="topics, contamination: store the figures of docs/topics.md"
    )
    arguments = parser.parse_args()
    arguments.parts = arguments.parts or ["boilerplate", "topics", "contamination", "fitting"]
    if "boilerplate" in arguments.parts:
        from benchmarks.crossvalidation import arrivals_table, methods_table

        about = {
            "command": "python -m benchmarks boilerplate",
            "seed": arguments.seed,
            "folds": arguments.folds,
        }
        for name, make in (("methods", methods_table), ("arrivals", arrivals_table)):
            recorded.record("boilerplate", name, make(folds=arguments.folds, seed=arguments.seed), **about)
            print(f"Boilerplate, {name}\n\n{recorded.markdown(recorded.recorded('boilerplate', name))}\n")
    if "topics" in arguments.parts:
        from benchmarks.topics import measure

        for name, table in measure().items():
            print(f"\nTopics, {name}: value [95 % interval]\n")
            print(recorded.markdown(table))
            if arguments.record:
                command = "python -m benchmarks topics --record"
                recorded.record("topics", name, table, command=command, seed=0)
    if "contamination" in arguments.parts:
        from benchmarks.contamination import contamination_table, figures, natural_flips, show_rates

        print("\nContamination: leading topics that an inserted passage flips, before and after cleaning\n")
        flips = contamination_table()
        print(show_rates(flips))
        if arguments.record:
            command = "python -m benchmarks contamination --record"
            recorded.record("contamination", "flips", figures(flips), command=command, seed=0)
        print("\nContamination: leading topics of allsides that cleaning changes\n")
        table = natural_flips(arguments.documents)
        print(show_rates(table[table["by"] != "publisher"]))
    if "fitting" in arguments.parts:
        from benchmarks.fitting import fitting_table

        print("\nTopics of one's own: fit on labels, beside a peer in the same run\n")
        print(fitting_table(seed=arguments.seed).round(4).to_string())


if __name__ == "__main__":
    main()
