"""Write the sample corpus and its gold from the stories and the publishers' boilerplate."""

from __future__ import annotations

import gzip
import io
import json
import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from data.sample.build.broken import broken_files
from data.sample.build.compose import Composed, bare, chance, compose
from data.sample.build.stories import Story, read_stories
from toolkit.datasets.annotations import text_digest

BARE_DOCUMENTS = 12
"""So many articles, picked by hash among those without pictures, carry no boilerplate at all."""

ARTICLES, GOLD = "articles.jsonl.gz", "gold.jsonl"


def build(folder: Path) -> dict[str, bytes]:
    """Return the built files of the sample corpus by name.

    Parameters
    ----------
    folder : Path
        Holds ``stories/*.jsonl`` and ``publishers.json``.

    Returns
    -------
    dict
        ``articles.jsonl.gz`` (no name and no time in the gzip header), ``gold.jsonl``, ``broken/*`` and
        ``broken.json``, which says of each broken file what is wrong with it.
    """
    articles, gold = [], []
    for story, record, document in documents(folder):
        articles.append(record)
        gold.append(
            {
                "doc_id": story.doc_id,
                "sha256": text_digest(document.text),
                "spans": [{"start": a, "end": b, "kind": kind} for a, b, kind in document.spans],
                "primary": story.primary,
                "all": list(story.topics),
                "wire": story.wire,
                "background": [list(found) for found in document.background],
            }
        )
    files = broken_files()
    told = {
        name: {"wrong": file.wrong, "sound": file.sound, "unsound": file.unsound}
        for name, file in files.items()
    }
    return {
        ARTICLES: _gzipped(_lines(articles)),
        GOLD: _lines(gold),
        "broken.json": json.dumps(told, indent=1, ensure_ascii=False).encode() + b"\n",
        **{f"broken/{name}": file.content for name, file in files.items()},
    }


def documents(folder: Path) -> Iterator[tuple[Story, dict[str, Any], Composed]]:
    """Yield each story with its article record and where its boilerplate stands, by date."""
    settings = json.loads((folder / "publishers.json").read_text(encoding="utf-8"))
    stories = read_stories(folder / "stories")
    plain = [story for story in stories if not story.captions and story.wire is None]
    untouched = {s.doc_id for s in sorted(plain, key=lambda s: chance(s.doc_id, "bare"))[:BARE_DOCUMENTS]}
    for number, story in enumerate(stories):
        publisher = settings["publishers"][story.publisher]
        if story.doc_id in untouched:
            document = bare(story)
        else:
            others = [s for s in stories if s.publisher == story.publisher and s is not story]
            earlier = [s.title for s in stories[:number] if s.publisher == story.publisher]
            links = earlier if len(earlier) > 1 else [s.title for s in others]
            document = compose(story, publisher, settings["people"], links)
        yield story, _record(story, publisher["domain"], document.text), document


def _record(story: Story, domain: str, text: str) -> dict[str, Any]:
    when = story.published
    return {
        "doc_id": story.doc_id,
        "text": text,
        "title": story.title,
        "url": f"https://www.{domain}/{when:%Y/%m/%d}/{_slug(story.title)}",
        "publisher": domain,
        "lang": story.lang,
        "published": when.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "authors": story.author,
    }


def _slug(title: str) -> str:
    plain = unicodedata.normalize("NFKD", title.lower().replace("ß", "ss")).encode("ascii", "ignore").decode()
    return "-".join(re.findall(r"[a-z0-9]+", plain)[:8])


def _lines(rows: list[dict[str, Any]]) -> bytes:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def _gzipped(raw: bytes) -> bytes:
    out = io.BytesIO()
    with gzip.GzipFile("", "wb", 9, out, mtime=0) as packed:
        packed.write(raw)
    return out.getvalue()
