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
from data.sample.build.datasheet import counted, datasheet
from data.sample.build.stories import Story, read_stories
from toolkit.files import text_digest

BARE_DOCUMENTS = 12
"""So many articles, picked by hash among those without pictures, carry no boilerplate at all."""

ARTICLES, GOLD, DATASHEET = "articles.jsonl.gz", "gold.jsonl", "DATASHEET.md"


def build(folder: Path) -> dict[str, bytes]:
    """Return the built files of the sample corpus by name.

    Parameters
    ----------
    folder : Path
        Holds ``stories/*.jsonl`` and ``publishers.json``.

    Returns
    -------
    dict
        ``articles.jsonl.gz`` (no name and no time in the gzip header), ``gold.jsonl``, ``DATASHEET.md``,
        ``broken/*`` and ``broken.json``, which says of each broken file what is wrong with it.
    """
    articles, gold, made = [], [], list(documents(folder))
    for story, record, document in made:
        articles.append(record)
        gold.append(
            {
                "doc_id": story.doc_id,
                "sha256": text_digest(document.text),
                "spans": [{"start": a, "end": b, "kind": kind} for a, b, kind in document.spans],
                **({"primary": story.primary, "all": list(story.topics)} if story.topics else {}),
                "verdict": story.form,
                "wire": story.wire,
                "first": story.first,
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
        DATASHEET: datasheet(
            counted((story, document) for story, _, document in made),
            [story for story, _, _ in made],
            wordings=_wordings(folder),
            broken=len(files),
        ),
        "broken.json": json.dumps(told, indent=1, ensure_ascii=False).encode() + b"\n",
        **{f"broken/{name}": file.content for name, file in files.items()},
    }


def documents(folder: Path) -> Iterator[tuple[Story, dict[str, Any], Composed]]:
    """Yield each story with its article record and where its boilerplate stands, by date."""
    settings = json.loads((folder / "publishers.json").read_text(encoding="utf-8"))
    stories = read_stories(folder / "stories")
    plain = [s for s in stories if not s.captions and s.wire is None and s.form == "article" and not s.clock]
    untouched = {s.doc_id for s in sorted(plain, key=lambda s: chance(s.doc_id, "bare"))[:BARE_DOCUMENTS]}
    for number, story in enumerate(stories):
        publisher = settings["publishers"][story.publisher]
        if story.doc_id in untouched:
            document = bare(story, publisher)
        else:
            same = [s for s in stories if s.publisher == story.publisher and s.content()]
            others = [s for s in same if s is not story]
            earlier = [s.title for s in same if s in stories[:number]]
            links = earlier if len(earlier) > 1 else [s.title for s in others]
            document = compose(story, publisher, settings["people"], links)
        first = next((s for s in stories if s.doc_id == story.first), story)
        yield story, _record(story, first, publisher["domain"], document.text), document


def _wordings(folder: Path) -> int:
    """Count the wordings of boilerplate of all publishers."""
    houses = json.loads((folder / "publishers.json").read_text(encoding="utf-8"))["publishers"].values()
    texts = [block["text"] for house in houses for block in house["blocks"]]
    return sum(1 if isinstance(text, str) else len(text) for text in texts)


def _record(story: Story, first: Story, domain: str, text: str) -> dict[str, Any]:
    """Return an article's record; a later version stands at the address of the first."""
    return {
        "doc_id": story.doc_id,
        "text": text,
        "title": story.title,
        "url": f"https://www.{domain}/{first.published:%Y/%m/%d}/{_slug(first.title)}",
        "publisher": domain,
        "lang": story.lang,
        "published": story.published.strftime("%Y-%m-%dT%H:%M:%SZ"),
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
