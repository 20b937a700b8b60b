"""Plain text: one file is one article, its first line the headline."""

from __future__ import annotations

from collections.abc import Iterator

from toolkit.loading.encodings import decode
from toolkit.loading.mapping import Block
from toolkit.loading.options import Options
from toolkit.loading.quarantine import Rejected
from toolkit.loading.streams import Stream

LONGEST_TITLE = 300
"""A first line longer than this is a paragraph, and no headline (code points)."""


def read(stream: Stream, label: str, options: Options) -> Iterator[Block | Rejected]:
    """Yield the article: ``text`` is the whole file, ``title`` its first line that is not blank."""
    text = decode(stream.read_all(options.limits.record_bytes, "text file"), options.encoding)
    text = text.removeprefix("\ufeff")
    first = next((line.strip() for line in text.splitlines() if line.strip()), "")
    title = first if len(first) <= LONGEST_TITLE and first != text.strip() else None
    yield Block.of_records([{"text": text, "title": title}], [label])
