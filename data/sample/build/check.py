"""The validator of the sample corpus: gold fits the text, sources rebuild, nothing is shared by accident."""

from __future__ import annotations

import gzip
import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from data.sample.build.build import ARTICLES, build, documents
from data.sample.build.compose import Composed
from data.sample.build.datasheet import KINDS, TOPICS, Counts, counted, shares_by_publisher
from data.sample.build.stories import WITH_TEXT, Story

PROMISED = {
    "all": 400, "without boilerplate": 40, "follow-ups": 30, "wire stories reused": 30, "later versions": 2,
    "live blogs": 4, "briefs": 20, "long reads": 4,
}  # fmt: skip
FORMS_PROMISED = {"stub": 10, "wall": 5, "error": 3, "index": 2, "twice": 2}


@dataclass
class Report:
    """What the validator counted and every fault it found."""

    faults: list[str] = field(default_factory=list)
    counts: Counts = field(default_factory=lambda: defaultdict(Counter))

    def __str__(self) -> str:
        rows = [
            f"{name}: " + ", ".join(f"{k} {v}" for k, v in sorted(c.items()))
            for name, c in self.counts.items()
        ]
        return "\n".join([*rows, *(f"FAULT {fault}" for fault in self.faults), f"{len(self.faults)} faults"])


def check(folder: Path) -> Report:
    """Check the built sample corpus in ``folder`` against its sources and the promises of its datasheet."""
    made = list(documents(folder))
    report = Report(counts=counted((story, document) for story, _, document in made))
    _rebuilt(folder, report)
    seen: Counter[str] = Counter()
    homes: defaultdict[str, list[Story]] = defaultdict(list)
    for story, _, document in made:
        seen[story.doc_id] += 1
        report.faults += [f"{story.doc_id}: {fault}" for fault in _span_faults(story, document)]
        report.faults += [f"{story.doc_id}: {fault}" for fault in _story_faults(story)]
        for paragraph in set(story.paragraphs):
            homes[_squeezed(paragraph)].append(story)
    report.faults += [f"{doc_id}: {n} documents with this id" for doc_id, n in seen.items() if n > 1]
    report.faults += [fault for text, stories in homes.items() for fault in _shared_faults(text, stories)]
    report.faults += _promises(report)
    return report


def _rebuilt(folder: Path, report: Report) -> None:
    for name, fresh in build(folder).items():
        path = folder / name
        if not path.is_file():
            report.faults.append(f"{name}: not built; run python -m data.sample.build")
            continue
        # compressors differ between zlib builds; what they hold must not
        old, new = path.read_bytes(), fresh
        if name == ARTICLES:
            old, new = gzip.decompress(old), gzip.decompress(new)
        if old != new and not name.endswith("truncated.jsonl.gz"):
            report.faults.append(f"{name}: differs from its sources; run python -m data.sample.build")


def _span_faults(story: Story, document: Composed) -> list[str]:
    faults, last = [], 0
    kept = []
    for start, end, kind in document.spans:
        piece = document.text[start:end]
        if not 0 <= last <= start < end <= len(document.text):
            faults.append(f"span {start}:{end} overlaps or is out of range")
        if piece != piece.strip():
            faults.append(f"span {start}:{end} begins or ends with white space: {piece[:40]!r}")
        if kind not in KINDS:
            faults.append(f"kind {kind!r} is unknown")
        kept.append(document.text[last:start])
        last = end
    kept.append(document.text[last:])
    content = story.content()
    if _squeezed("".join(kept)) not in (_squeezed("".join(content)), _squeezed("".join(content[1:]))):
        faults.append("what is left without the spans is not the story")
    return faults


def _story_faults(story: Story) -> list[str]:
    faults = []
    if story.form not in WITH_TEXT:
        return ["a page without an article has topics or text"] if story.topics or story.paragraphs else []
    if story.primary not in story.topics or not set(story.topics) <= set(TOPICS):
        faults.append(f"topics {story.topics} with primary {story.primary!r}")
    for text in (*story.content(), *(caption.text for caption in story.captions)):
        if text != text.strip() or "\n" in text or "  " in text or not text:
            faults.append(f"stray white space in {text[:40]!r}")
    words = sum(len(text.split()) for text in story.content())
    if not 20 <= words <= 2000:
        faults.append(f"{words} words; 20 to 2000 are meant")
    if not ("2031-01-01" <= story.published.date().isoformat() <= "2032-12-31"):
        faults.append(f"published {story.published} outside the two years")
    return faults


def _shared_faults(text: str, stories: list[Story]) -> list[str]:
    """Say where a paragraph stands in two stories though it is no agency copy, other version or background."""
    source = stories[0].wire or stories[0].first or stories[0].doc_id
    faults = []
    for story in stories[1:]:
        if source == (story.wire or story.first or story.doc_id):
            continue
        declared = {_squeezed(story.paragraphs[i]) for i in story.background if i < len(story.paragraphs)}
        # background of agency copy was the agency's; the house that runs it may not have run the first part
        earlier = any(
            story.reused or o.publisher == story.publisher for o in stories if o.published < story.published
        )
        if text not in declared or not earlier:
            others = ", ".join(o.doc_id for o in stories if o is not story)
            faults.append(f"{story.doc_id}: shares a paragraph with {others} undeclared: {text[:50]!r}")
    return faults


def _promises(report: Report) -> list[str]:
    counts, faults = report.counts, []
    floors = [("documents", name, least) for name, least in PROMISED.items()] + [("languages", "en", 200)]
    floors += [("languages", lang, 20) for lang in ("de", "fr", "es")]
    floors += [("verdicts", name, least) for name, least in FORMS_PROMISED.items()]
    floors += [("topics", topic, 10) for topic in TOPICS] + [("spans", kind, 40) for kind in KINDS]
    for group, name, least in floors:
        if counts[group][name] < least:
            faults.append(f"{group}: {name} {counts[group][name]}, promised {least}")
    if len(counts["publishers"]) < 18:
        faults.append(f"publishers: {len(counts['publishers'])}, promised 18")
    shares = shares_by_publisher(counts)
    if min(shares.values()) > 0.03 or max(shares.values()) < 0.4:
        faults.append("publishers: they were to differ from almost no boilerplate to half of the text")
    return faults


def _squeezed(text: str) -> str:
    return re.sub(r"\s+", "", text)
