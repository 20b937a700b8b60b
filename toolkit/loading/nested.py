"""Records that keep the article inside other objects, as some dumps and news standards do."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from toolkit import fields
from toolkit.loading.faults import without_mark
from toolkit.loading.mapping import Block, by_field
from toolkit.loading.markup import fragment_text
from toolkit.loading.pages import read_page

KEYS = frozenset({"_source", "bodies", "headlines", "rendered", "sections"})
"""Fields whose presence means that a record must be unwrapped."""

NESTED = frozenset({"fields", "links", "headline", "byline"})
"""Fields that mean so where they hold an object."""

WRAPPERS = frozenset(
    "articles items records documents docs data results entries news stories hits rows posts value".split()
)
"""Fields under which an object keeps its list of records."""


def wrapper(value: Mapping[str, Any]) -> str | None:
    """Return the field under which an object keeps a list of records, or None."""
    lists = (name for name, inner in value.items() if name in WRAPPERS and isinstance(inner, list) and inner)
    return next((name for name in lists if all(isinstance(item, dict) for item in value[name])), None)


def unwrap(value: Mapping[str, Any]) -> dict[str, Any]:
    """Return the flat record that a JSON object holds."""
    record = dict(value)
    if isinstance(record.get("_source"), dict):
        record = {"_id": record.get("_id"), **record["_source"]}
    for plural, singular in (("headlines", "headline"), ("bodies", "body")):
        if isinstance(record.get(plural), list):
            record.update(_ninjs(record.pop(plural), singular))
    for name, inner in list(record.items()):
        if isinstance(inner, dict) and fields.is_known(name):
            if isinstance(inner.get("rendered"), str):
                record[name] = fragment_text(inner["rendered"])
            elif "sections" in inner:
                record[name] = _fundus(inner)
    _lift(record)
    return record if _has_text(record) else _from_markup(record)


def _lift(record: dict[str, Any]) -> None:
    """Bring to the top what news APIs nest, and take off the mark where they cut a text."""
    source, inner, links = record.get("source"), record.get("fields"), record.get("links")
    if isinstance(source, dict) and isinstance(record.get("content"), str):
        # NewsAPI and GNews give 200 characters and a count of those that they keep
        record["content"] = without_mark(record["content"])
    if isinstance(inner, dict):  # Guardian Open Platform
        record.update({name: value for name, value in inner.items() if name not in record})
    if isinstance(links, dict) and isinstance(links.get("permalink"), str):  # Aylien
        record.setdefault("url", links["permalink"])
    for name in ("headline", "byline"):  # New York Times APIs
        inner = record.get(name)
        text = (inner.get("main") or inner.get("original")) if isinstance(inner, dict) else None
        if isinstance(text, str):
            record[name] = re.sub(r"^By ", "", text)


def flattened(block: Block) -> Block:
    """Return a block of columns with its pages and nested values turned into text, as :func:`unwrap` does."""
    nested = any(
        fields.is_markup(name)
        or name in KEYS
        or (isinstance(values, pa.Array) and pa.types.is_struct(values.type))
        for name, values in block.columns.items()
    )
    if not nested:
        return block
    plain = {n: v.to_pylist() if isinstance(v, pa.Array) else v for n, v in block.columns.items()}
    rows = [dict(zip(plain, values, strict=True)) for values in zip(*plain.values(), strict=True)]
    return Block(by_field([unwrap(row) for row in rows]), block.places, block.raw)


def _has_text(record: Mapping[str, Any]) -> bool:
    return any(
        isinstance(record[name], (str, list)) and record[name] for name in fields.candidates("text", record)
    )


def _from_markup(record: dict[str, Any]) -> dict[str, Any]:
    for fragments in (True, False):
        for name in fields.markup_names(record, fragments=fragments):
            markup = record[name]
            if not isinstance(markup, str) or not markup.strip():
                continue
            if fragments:
                return record | {"text": fragment_text(markup)}
            urls = (record[field] for field in fields.candidates("url", record))
            page = read_page(markup, next((u for u in urls if isinstance(u, str) and u.strip()), None))
            return page | {key: value for key, value in record.items() if value not in (None, "")}
    return record


def _ninjs(values: list[Any], member: str) -> dict[str, Any]:
    """Return the plainest of the headlines or bodies of a ninjs 2 item."""
    found: dict[str, Any] = {}
    for value in values:
        if isinstance(value, dict) and isinstance(text := value.get("value"), str):
            markup = "html" in str(value.get("contenttype", ""))
            if member == "body":
                found.setdefault("body_html" if markup else "body_text", text)
            else:
                found.setdefault(member, fragment_text(text) if markup else text)
    return found


def _fundus(body: Mapping[str, Any]) -> str:
    """Return the text of a fundus article body: summary, then each section's headline and paragraphs."""
    parts = [_paragraphs(body.get("summary"))]
    for section in body.get("sections") or []:
        if isinstance(section, dict):
            parts += [_paragraphs(section.get("headline")), _paragraphs(section.get("paragraphs"))]
    return "\n\n".join(paragraph for part in parts for paragraph in part)


def _paragraphs(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value] if value else []
    return [v for v in value if isinstance(v, str) and v] if isinstance(value, list) else []
