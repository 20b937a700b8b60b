"""News pages flattened the way extractors flatten them, with every passage labelled by the page itself.

A page's HTML says what its flattened text no longer does: this line was a ``figcaption``, that list a
related-stories box. Aligned with the gold article text of the page, that gives labelled spans for training
a boilerplate model that only ever sees text. What stands inside or next to the article's container is
kept, because that is what extractors let through; site navigation is not.
"""

from __future__ import annotations

import argparse
import json
import os
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from lxml import html as lxml_html
from numpy.typing import NDArray

from toolkit.boilerplate.scoring import KINDS
from toolkit.datasets.registry import SETTING, records
from training import markup
from training.markup import Block, words_of

UNKNOWN = "unknown"
"""Boilerplate by alignment, of a kind that neither markup nor wording tells."""

JOINERS = ("lines", "glued", "spaces", "mixed")
"""Blank line everywhere; nothing behind boilerplate; one blank everywhere; all of these, as in the wild."""

SETS = ("wcxb", "aed", "fundus")
MINIMUM_FOUND = 0.6
"""Least share of the gold's word 5-shingles that a page must hold for its labels to be believed."""

_CONTAINED = 0.85
_IN, _OUT, _HINTED_OUT = 0.8, 0.2, 0.6


@dataclass(slots=True)
class Flattened:
    """A flattened page; ``spans`` (start, end, kind) and ``unsure`` (start, end) in code points."""

    text: str
    spans: list[tuple[int, int, str]] = field(default_factory=list)
    unsure: list[tuple[int, int]] = field(default_factory=list)


def flatten(
    html: str, gold: str, *, joiner: str = "lines", seed: int = 0, most: int = 40
) -> Flattened | None:
    """Flatten the article's surroundings of a page and label what is not article.

    Parameters
    ----------
    html, gold : str
        The page and the text of its article.
    joiner : str, default "lines"
        One of ``JOINERS``.
    seed : int, default 0
        Decides how far to climb from the article's container, and the separators of ``"mixed"``.
    most : int, default 40
        Greatest number of boilerplate blocks kept on either side of the article.

    Returns
    -------
    Flattened or None
        None where less than ``MINIMUM_FOUND`` of the gold is on the page. Kinds are those of
        `toolkit.boilerplate.scoring.KINDS`, or ``UNKNOWN``; text in no span and not unsure is article.

    Raises
    ------
    ValueError
        If ``joiner`` is none of ``JOINERS``.

    Examples
    --------
    >>> body = "<p>The river rose by two metres over night and flooded the old market.</p>"
    >>> page = f"<article>{body}<figure><figcaption>A ferry at dusk</figcaption></figure></article>"
    >>> flat = flatten(page, "The river rose by two metres over night and flooded the old market.")
    >>> [(flat.text[a:b], kind) for a, b, kind in flat.spans]
    [('A ferry at dusk', 'caption')]
    """
    if joiner not in JOINERS:
        raise ValueError(f"flatten: unknown joiner {joiner!r}; choose one of {', '.join(JOINERS)}")
    blocks = labelled_blocks(html, gold, seed=seed, most=most)
    return _joined(blocks, joiner, random.Random(seed)) if blocks else None


def labelled_blocks(html: str, gold: str, *, seed: int = 0, most: int = 40) -> list[Block]:
    """Return the blocks in and around the article, each with its label; none if page and gold do not agree.

    Labels are "keep", "unsure", ``UNKNOWN`` or a kind of `toolkit.boilerplate.scoring.KINDS`. Parameters as
    for `flatten`.
    """
    if not html.strip():
        return []
    parser = lxml_html.HTMLParser(encoding="utf-8")
    root = lxml_html.document_fromstring(html.encode(errors="replace"), parser=parser)
    blocks, reach = markup.walk(root)
    words = [w for b in blocks for w in words_of(b.text)]
    gold_words = words_of(gold)
    ids, wanted = found(words, gold_words, 5)
    if not wanted or len(np.unique(ids[ids >= 0])) < MINIMUM_FOUND * wanted:
        return []
    rng = random.Random(seed)
    container = _container(root.body if root.body is not None else root, ids, reach)
    for _ in range(rng.choice((0, 0, 0, 1, 1, 2))):
        parent = container.getparent()
        if parent is not None and parent.tag not in ("html", "body"):
            container = parent
    inside = [b for b in blocks if container in b.path]
    lines = {" ".join(words_of(line)) for line in gold.split("\n")}
    _label(inside, covered(words, gold_words), reach, lines, markup.stated_titles(root))
    return _trimmed(inside, most)


def found(words: list[str], gold: list[str], n: int) -> tuple[NDArray[np.int64], int]:
    """Return a gold n-shingle's number for every word that begins one (else -1), and how many there are."""
    numbers: dict[tuple[str, ...], int] = {}
    for shingle in zip(*(gold[i:] for i in range(n)), strict=False):
        numbers.setdefault(shingle, len(numbers))
    ids = np.full(len(words), -1, dtype=np.int64)
    for i, shingle in enumerate(zip(*(words[i:] for i in range(n)), strict=False)):
        ids[i] = numbers.get(shingle, -1)
    return ids, len(numbers)


def covered(words: list[str], gold: list[str]) -> NDArray[np.bool_]:
    """Mark the words that stand in a 3-shingle of the gold."""
    begun = np.r_[False, False, found(words, gold, 3)[0] >= 0]
    return begun[2:] | begun[1:-1] | begun[:-2]


def _container(element: Any, ids: NDArray[np.int64], reach: dict[Any, tuple[int, int]]) -> Any:
    """Return the smallest element that holds nearly all of the gold that the page holds."""
    enough = _CONTAINED * len(np.unique(ids[ids >= 0]))
    while True:
        for child in element:
            if child in reach:
                here = ids[slice(*reach[child])]
                if len(np.unique(here[here >= 0])) >= enough:
                    element = child
                    break
        else:
            return element


def _label(
    blocks: list[Block],
    covered: NDArray[np.bool_],
    reach: dict[Any, tuple[int, int]],
    lines: set[str],
    titles: set[str],
) -> None:
    """Decide every block: "keep", "unsure", "drop" (reader comments), or a kind of boilerplate."""
    for block in blocks:
        block.share = float(covered[block.first : block.last].mean()) if block.last > block.first else 0.0
        if block.last - block.first < 3 and " ".join(words_of(block.text)) in lines:
            block.share = 1.0
    body = [i for i, b in enumerate(blocks) if b.share >= _IN and b.last - b.first >= 8]
    if not body:
        return
    total = int(covered.sum())
    own = {e for e, (a, b) in reach.items() if 3 * int(covered[a:b].sum()) > total}
    places = {markup.place_of(blocks[i]) for i in body}
    kinds = [markup.markup_kinds(b, own) for b in blocks]
    # a class name that many of the article's own paragraphs bear says nothing on this page
    seen = Counter(kind for i in body for kind in set(kinds[i]))
    mute = {kind for kind, n in seen.items() if 4 * n > len(body) and kind != "quoted"}
    ended = False
    for i, block in enumerate(blocks):
        named = [k for k in kinds[i] if k not in mute]
        where = "before" if i < body[0] else "within" if i <= body[-1] else "tail" if ended else "after"
        block.label = _decided(block, named, titles, where, markup.place_of(block) in places)
        # a gold may end too early; what follows its end is site text only behind the first sign of it
        ended = i > body[-1] and (ended or block.label in KINDS)
    # a caption often stands twice, once outside its figure
    known = {b.text: b.label for b in blocks if b.label in KINDS}
    for block in blocks:
        if block.label == "unsure" and block.share < _IN:
            block.label = known.get(block.text, block.label)


def _decided(block: Block, kinds: list[str], titles: set[str], where: str, article_place: bool) -> str:
    """Weigh alignment, markup and wording of one block."""
    words = " ".join(words_of(block.text))
    cue = markup.wording_kind(block)
    boilerplate = next((k for k in kinds if k in KINDS), "")
    behind = where in ("after", "tail")
    linked = block.anchored >= 0.7 and (block.last - block.first > 3 or "aside" in kinds)
    linked = linked and not block.text.startswith("http")
    hinted = cue or boilerplate or ("related" if linked else "")
    if "discussion" in kinds:
        return "drop"
    if not behind and not linked and words in titles and "related" not in kinds:
        return "keep"
    if block.share >= _IN:
        # golds take in captions and furniture now and then; markup and wording that agree outweigh them
        if cue and cue == boilerplate:
            return cue
        if linked and boilerplate == "related":
            return boilerplate
        return "unsure" if hinted or behind else "keep"
    if block.share > (_HINTED_OUT if hinted else _OUT) and block.last - block.first > 3:
        return "unsure"
    if cue in ("interface", "related"):
        return cue
    if "quoted" in kinds and boilerplate in ("", "interface"):
        return "unsure" if boilerplate or cue or behind else "keep"
    if "standfirst" in kinds and where == "before" and boilerplate in ("", "interface", "byline") and not cue:
        return "unsure" if boilerplate else "keep"
    if hinted:
        if cue == "caption":
            return "related" if linked else cue
        return boilerplate or hinted
    if "figure" in kinds:
        return "caption"
    prose = block.last - block.first >= 25
    return UNKNOWN if where == "tail" and not article_place and not prose else "unsure"


def _trimmed(blocks: list[Block], most: int) -> list[Block]:
    """At most so many boilerplate blocks around the article, and none of the stories that follow it."""
    at = [i for i, b in enumerate(blocks) if b.label == "keep"]
    if not at:
        return []
    begin, end = at[0], at[-1] + 1
    prose = 0
    for i in range(end, len(blocks)):
        # pages that scroll on without end hold whole other articles, which no text-only model can tell apart
        prose += blocks[i].label == "unsure" and blocks[i].last - blocks[i].first >= 25
        if markup.place_of(blocks[i])[0] == "h1" or prose > 3:
            blocks = blocks[:i]
            break
    return [b for b in blocks[max(0, begin - most) : end + most] if b.label != "drop"]


def _joined(blocks: list[Block], joiner: str, rng: random.Random) -> Flattened:
    flat = Flattened("")
    pieces: list[str] = []
    end = 0
    for i, block in enumerate(blocks):
        gap = _separator(joiner, blocks[i - 1].label, block.label, rng) if i else ""
        pieces += gap, block.text
        at = end + len(gap)
        end = at + len(block.text)
        if block.label == "unsure":
            flat.unsure.append((at, end))
        elif block.label != "keep":
            flat.spans.append((at, end, block.label))
    flat.text = "".join(pieces)
    return flat


def _separator(joiner: str, before: str, after: str, rng: random.Random) -> str:
    if joiner == "spaces":
        return " "
    if joiner == "glued":
        return "\n\n" if before in ("keep", "unsure") else ""
    if joiner == "mixed" and (before, after) != ("keep", "keep"):
        return rng.choices(("\n\n", "\n", " ", ""), (5, 1, 3, 1))[0]
    return "\n\n"


def variants(record: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the labelled flattened texts of one page: with line breaks, and joined in another way."""
    rng = random.Random(record["id"])
    blocks = labelled_blocks(record["html"], record["gold"], seed=rng.randrange(1 << 30))
    if not blocks:
        return
    for joiner in ("lines", rng.choice(JOINERS[1:])):
        flat = _joined(blocks, joiner, rng)
        about = {k: record[k] for k in ("id", "publisher", "lang")}
        yield {**about, "joiner": joiner, "text": flat.text, "spans": flat.spans, "unsure": flat.unsure}


def main() -> None:
    """Write the labelled texts of all page sets as JSON lines."""
    parser = argparse.ArgumentParser(prog="python -m training.flattening", description=main.__doc__)
    parser.add_argument("--data", type=Path, help="data folder, if not the one of the settings")
    parser.add_argument("-o", "--output", type=Path, required=True)
    options = parser.parse_args()
    if options.data:
        os.environ[SETTING] = str(options.data)
    with options.output.open("w", encoding="utf-8") as out:
        for name in SETS:
            for record in records(name):
                for item in variants(record):
                    out.write(json.dumps({"set": name, **item}, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
