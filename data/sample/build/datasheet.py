"""What the sample corpus holds, counted, and the datasheet with these counts in it."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path

from data.sample.build.compose import Composed
from data.sample.build.stories import FORMS, Story

KINDS = ("appeal", "promo", "related", "caption", "byline", "notice", "interface")
TOPICS = (
    "arts crime disaster econ edu env health human labour life pol rel sci soc sport conf weather".split()
)
TEMPLATE = Path(__file__).with_name("DATASHEET.md.txt")
SECOND_READING = Path(__file__).with_name("second_reading.txt")
"""Topics by a second reading that did not see the first; one story a line, its first topic first."""

BRIEF, LONG = 80, 700
"""At most so many words are a brief, at least so many a long read."""

Counts = defaultdict[str, Counter[str]]


def counted(made: Iterable[tuple[Story, Composed]]) -> Counts:
    """Return group of counts → name → how many, over all documents."""
    counts: Counts = defaultdict(Counter)
    for story, document in made:
        words = sum(len(text.split()) for text in story.content())
        article = story.form == "article"
        counts["documents"] += Counter({
            "all": 1,
            "without boilerplate": not document.spans,
            "wire reuses": story.reused,
            "wire stories reused": story.wire == story.doc_id,
            "follow-ups": bool(story.background),
            "later versions": story.first is not None and story.first != story.doc_id,
            "live blogs": bool(story.clock),
            "briefs": article and words <= BRIEF,
            "long reads": article and words >= LONG,
            "several topics": len(story.topics) > 1,
            "newlines lost": "\n" not in document.text,
        })  # fmt: skip
        counts["verdicts"][story.form] += 1
        counts["languages"][story.lang] += 1
        counts["publishers"][story.publisher] += 1
        counts["topics"].update(story.topics)
        marked = sum(end - start for start, end, _ in document.spans)
        counts["boilerplate by publisher"][story.publisher] += marked
        counts["characters by publisher"][story.publisher] += len(document.text)
        counts["characters"]["all"] += len(document.text)
        for start, end, kind in document.spans:
            counts["spans"][kind] += 1
            counts["characters"][kind] += end - start
    return counts


def shares_by_publisher(counts: Counts) -> dict[str, float]:
    """Return publisher → share of its characters that is boilerplate."""
    marked = counts["boilerplate by publisher"]
    return {name: marked[name] / size for name, size in counts["characters by publisher"].items()}


def second_reading(stories: Iterable[Story]) -> tuple[int, float]:
    """Return how many stories were read a second time, and the share that got the same first topic."""
    first = {story.doc_id: story.primary for story in stories}
    lines = [line.split() for line in SECOND_READING.read_text(encoding="utf-8").splitlines()]
    return len(lines), sum(first.get(doc_id) == topics[0] for doc_id, *topics in lines) / len(lines)


def datasheet(counts: Counts, stories: Iterable[Story], wordings: int, broken: int) -> bytes:
    """Return the datasheet: the template with the counts in its places."""
    again, agreed = second_reading(stories)
    shares = sorted(shares_by_publisher(counts).values())
    marked = counts["boilerplate by publisher"].total()
    text = TEMPLATE.read_text(encoding="utf-8").format(
        **{re.sub(r"\W", "_", name): number for name, number in counts["documents"].items()},
        **{form: counts["verdicts"][form] for form in FORMS},
        **{f"lang_{lang}": number for lang, number in counts["languages"].items()},
        publishers=len(counts["publishers"]), spans=counts["spans"].total(),
        fewest_topic=min(counts["topics"].values()),
        share=f"{100 * marked / counts['characters']['all']:.0f} %", lowest=f"{100 * shares[0]:.0f} %",
        highest=f"{100 * shares[-1]:.0f} %", wordings=10 * round(wordings / 10), broken=broken,
        again=again, agreed=f"{100 * agreed:.0f} %",
    )  # fmt: skip
    return text.encode()
