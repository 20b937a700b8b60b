"""Summary: the counts of a finished job, as they are printed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from toolkit.display import percent, visible
from toolkit.verdict import TEXTS

MOST_LANGUAGES = 8
"""Languages that a summary names."""


@dataclass
class RunSummary:
    """Counts of a finished job; the command line prints them at the end.

    Attributes
    ----------
    output, report : Path
        Folder or file written; the HTML report, if one was made.
    documents_in, kept, quarantined : int
        Number of input records, and how many of them were kept and quarantined; the first is the sum of the others.
    characters : int
        Length of all kept documents before cleaning (code points).
    removed, topics, faults, languages, verdicts : dict of str to int
        Characters removed, by kind; documents by topic (one may have several), by fault of the text after any repair,
        by language (``unknown`` where none is known) and by verdict (:func:`toolkit.verdicts`).
    repair : tuple of str
        Faults that were mended while loading.
    undated, halved, topicless : int
        Documents without a date of publication; documents that lost over half of their characters; and the number of
        all documents if :func:`toolkit.pipeline.classify` gave a topic to none of them, else 0.
    unlabelled : int
        Labels of documents that are not in the input.
    outside : int or None
        Documents of a layout, language or date for which no loss of article text is promised; None if not counted.
    duplicates : dict of str to int, or None
        Documents that have a duplicate, by kind, and the number of ``groups``; None if not looked for.
    """

    output: Path
    documents_in: int
    kept: int
    quarantined: int
    characters: int = 0
    removed: dict[str, int] = field(default_factory=dict)
    topics: dict[str, int] = field(default_factory=dict)
    undated: int = 0
    topicless: int = 0
    faults: dict[str, int] = field(default_factory=dict)
    repair: tuple[str, ...] = ()
    languages: dict[str, int] = field(default_factory=dict)
    halved: int = 0
    outside: int | None = None
    duplicates: dict[str, int] | None = None
    report: Path | None = None
    unlabelled: int = 0
    verdicts: dict[str, int] = field(default_factory=dict)

    def __str__(self) -> str:
        kept, repeats, gone = self.kept, dict(self.duplicates or {}), sum(self.removed.values())
        groups = repeats.pop("groups", 0)
        others = {name: n for name, n in self.verdicts.items() if name not in TEXTS}
        faults = ", ".join(f"{kind} {count:,}" for kind, count in self.faults.items())
        lines = [  # label, text, whether there is anything to say
            ("report", self.report, self.report),
            ("written", self.output, not self.report),
            ("documents", f"{self.documents_in:,} in = {kept:,} kept + {self.quarantined:,} quarantined", True),
            ("undated", f"{self.undated:,} of {kept:,} documents", self.undated),
            ("repaired", f"{', '.join(self.repair)}, where a text shows them", self.repair),
            ("faults", f"{faults} documents; repair=True (--repair) mends them", faults),
            ("languages", self._languages(), self.languages),
            ("removed", f"{gone:,} of {self.characters:,} characters ({percent(gone / max(1, self.characters))})",
             self.characters),
            ("", _listed(self.removed), self.characters and self.removed),
            ("over half", f"of the text removed in {self.halved:,} documents; look at them first", self.halved),
            ("outside",
             f"{self.outside or 0:,} documents of layouts, languages or dates without a promised loss", self.outside),
            ("duplicates", f"{sum(repeats.values()):,} documents in {groups:,} groups: {_listed(repeats)}", repeats),
            ("no article", f"{sum(others.values()):,} of {kept:,} documents: {_listed(others)}", others),
            ("labels", f"{self.unlabelled:,} are of documents that are not in the input", self.unlabelled),
            ("topics", _listed(self.topics), self.topics),
            ("topics", f"none: no article, or no topic likely enough, in {self.topicless:,} documents",
             self.topicless),
        ]  # fmt: skip
        return "\n".join(f"{label:<12} {text}" for label, text, shown in lines if shown)

    def _languages(self) -> str:
        most = by_count(self.languages)[:MOST_LANGUAGES]
        shares = ", ".join(f"{visible(name)[:20]} {percent(n / max(1, self.kept))}" for name, n in most)
        more = len(self.languages) - len(most)
        return shares + (f" and {more:,} more" if more else "")


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{visible(name)} {n:,}" for name, n in by_count(counts))


def by_count(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    """Return counts and their names, the largest first."""
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))
