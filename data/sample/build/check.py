"""The validator of the sample corpus: gold fits the text, sources rebuild, nothing is shared by accident."""

from __future__ import annotations

import gzip
import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from data.sample.build.build import ARTICLES, build, documents
from data.sample.build.compose import Composed
from data.sample.build.stories import Story

KINDS = ("appeal", "promo", "related", "caption", "byline", "notice", "interface")
TOPICS = (
    "arts crime disaster econ edu env health human labour life pol rel sci soc sport conf weather".split()
)


@dataclass
class Report:
    """What the validator counted and every fault it found."""

    faults: list[str] = field(default_factory=list)
    counts: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))

    def __str__(self) -> str:
        rows = [
            f"{name}: " + ", ".join(f"{k} {v}" for k, v in sorted(c.items()))
            for name, c in self.counts.items()
        ]
        return "\n".join([*rows, *(f"FAULT {fault}" for fault in self.faults), f"{len(self.faults)} faults"])


def check(folder: Path) -> Report:
    """Check the built sample corpus in ``folder`` against its sources and the promises of its datasheet."""
    report = Report()
    _rebuilt(folder, report)
    seen: Counter[str] = Counter()
    homes: defaultdict[str, list[Story]] = defaultdict(list)
    for story, _, document in documents(folder):
        seen[story.doc_id] += 1
        _count(story, document, report)
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


def _count(story: Story, document: Composed, report: Report) -> None:
    add = report.counts
    add["documents"]["all"] += 1
    add["documents"]["without boilerplate"] += not document.spans
    add["documents"]["wire reuses"] += story.reused
    add["documents"]["wire stories reused"] += story.wire == story.doc_id
    add["documents"]["follow-ups"] += bool(story.background)
    add["documents"]["newlines lost"] += "\n" not in document.text
    add["languages"][story.lang] += 1
    add["publishers"][story.publisher] += 1
    for topic in story.topics:
        add["topics"][topic] += 1
    for start, end, kind in document.spans:
        add["spans"][kind] += 1
        add["characters"][kind] += end - start
    add["characters"]["all"] += len(document.text)


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
    if story.primary not in story.topics or not set(story.topics) <= set(TOPICS):
        faults.append(f"topics {story.topics} with primary {story.primary!r}")
    for text in (*story.content(), *(caption.text for caption in story.captions)):
        if text != text.strip() or "\n" in text or "  " in text or not text:
            faults.append(f"stray white space in {text[:40]!r}")
    words = sum(len(text.split()) for text in story.content())
    # an agency story may be cut to a brief by those who reuse it
    if not (60 if story.reused else 100) <= words <= 420:
        faults.append(f"{words} words; 120 to 400 are meant")
    if not ("2031-01-01" <= story.published.date().isoformat() <= "2032-12-31"):
        faults.append(f"published {story.published} outside the two years")
    return faults


def _shared_faults(text: str, stories: list[Story]) -> list[str]:
    """Say where a paragraph stands in two stories though it is neither agency copy nor background."""
    if len({story.doc_id for story in stories}) == 1 or len({s.wire or s.doc_id for s in stories}) == 1:
        return []
    faults = []
    for story in stories[1:]:
        declared = {_squeezed(story.paragraphs[i]) for i in story.background if i < len(story.paragraphs)}
        same_house = any(o.publisher == story.publisher for o in stories if o.published < story.published)
        if text not in declared or not same_house:
            others = ", ".join(o.doc_id for o in stories if o is not story)
            faults.append(f"{story.doc_id}: shares a paragraph with {others} undeclared: {text[:50]!r}")
    return faults


def _promises(report: Report) -> list[str]:
    counts, faults = report.counts, []
    floors = [
        ("documents", "all", 300),
        ("documents", "without boilerplate", 8),
        ("documents", "follow-ups", 10),
    ]
    floors += [("documents", "wire stories reused", 25), ("languages", "en", 200)]
    floors += [("languages", lang, 20) for lang in ("de", "fr", "es")]
    floors += [("topics", topic, 10) for topic in TOPICS] + [("spans", kind, 40) for kind in KINDS]
    for group, name, least in floors:
        if counts[group][name] < least:
            faults.append(f"{group}: {name} {counts[group][name]}, promised {least}")
    if len(counts["publishers"]) < 12:
        faults.append(f"publishers: {len(counts['publishers'])}, promised 12")
    return faults


def _squeezed(text: str) -> str:
    return re.sub(r"\s+", "", text)
