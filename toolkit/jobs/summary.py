"""Summary: the counts of a finished job, as they are printed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from toolkit.display import visible

MOST_LANGUAGES = 8
"""Languages that a summary names."""


@dataclass
class RunSummary:
    """Counts of a finished job; the command line prints them at the end.

    Attributes
    ----------
    output : Path
        Folder or file written.
    documents_in, kept, quarantined : int
        Number of input records, and how many of them were kept and quarantined; the first is the sum of the others.
    characters : int
        Length of all kept documents before cleaning (code points).
    removed : dict of str to int
        Characters removed, by kind.
    topics : dict of str to int
        Number of documents by name of topic; a document may have several topics.
    faults : dict of str to int
        Documents whose text shows a fault, by kind (``toolkit.loading.faults``), after any repair.
    repair : tuple of str
        Faults that were mended while loading.
    undated : int
        Documents without a date of publication.
    languages : dict of str to int
        Documents by language, ``unknown`` where none is known.
    halved : int
        Documents that lost over half of their characters.
    outside : int or None
        Documents of a layout or language for which the loss of article text is not promised, where that is
        known.
    duplicates : dict of str to int, or None
        Documents that have a duplicate, by kind, and the number of ``groups``; None if not looked for.
    report : Path or None
        The HTML report, if one was made.
    verdicts : dict of str to int
        Documents by verdict, see :func:`toolkit.verdicts`.
    """

    output: Path
    documents_in: int
    kept: int
    quarantined: int
    characters: int = 0
    removed: dict[str, int] = field(default_factory=dict)
    topics: dict[str, int] = field(default_factory=dict)
    undated: int = 0
    faults: dict[str, int] = field(default_factory=dict)
    repair: tuple[str, ...] = ()
    languages: dict[str, int] = field(default_factory=dict)
    halved: int = 0
    outside: int | None = None
    duplicates: dict[str, int] | None = None
    report: Path | None = None
    verdicts: dict[str, int] = field(default_factory=dict)

    def __str__(self) -> str:
        lines = [
            f"report       {self.report}" if self.report else f"written      {self.output}",
            f"documents    {self.documents_in:,} in = {self.kept:,} kept + {self.quarantined:,} quarantined",
        ]
        if self.undated:
            lines.append(f"undated      {self.undated:,} of {self.kept:,} documents")
        if self.repair:
            lines.append(f"repaired     {', '.join(self.repair)}, where a text shows them")
        if self.faults:
            named = ", ".join(f"{kind} {count:,}" for kind, count in self.faults.items())
            lines.append(f"faults       {named} documents; repair=True (--repair) mends them")
        if self.languages:
            most = by_count(self.languages)[:MOST_LANGUAGES]
            shares = ", ".join(f"{visible(name)[:20]} {_percent(n, self.kept)}" for name, n in most)
            more = len(self.languages) - len(most)
            lines.append(f"languages    {shares}" + (f" and {more:,} more" if more else ""))
        if self.characters:
            total = sum(self.removed.values())
            share = _percent(total, self.characters)
            lines.append(f"removed      {total:,} of {self.characters:,} characters ({share})")
            lines += [f"             {_listed(self.removed)}"] if self.removed else []
        if self.halved:
            lines.append(f"over half    of the text removed in {self.halved:,} documents; look at them first")
        if self.outside:
            lines.append(
                f"outside      {self.outside:,} documents of layouts or languages without a promised loss"
            )
        if self.duplicates:
            kinds = {kind: n for kind, n in self.duplicates.items() if kind != "groups"}
            if kinds:
                lines.append(
                    f"duplicates   {sum(kinds.values()):,} documents in {self.duplicates['groups']:,} groups: "
                    + _listed(kinds)
                )
        others = {name: n for name, n in self.verdicts.items() if name != "article"}
        if others:
            lines.append(
                f"no article   {sum(others.values()):,} of {self.kept:,} documents: {_listed(others)}"
            )
        if self.topics:
            lines.append(f"topics       {_listed(self.topics)}")
        return "\n".join(lines)


def _percent(part: int, whole: int) -> str:
    return f"{part / max(1, whole):.1%}".replace("%", " %")


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {n:,}" for name, n in by_count(counts))


def by_count(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    """Return counts and their names, the largest first."""
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))
