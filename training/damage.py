"""Damage to a text: what leaves it an article, and what garbles it."""

from __future__ import annotations

import json
import random
import re
import textwrap
from base64 import b64encode
from typing import Any

from training.pieces import TOWNS, paragraphs


def marred(text: str, rng: random.Random) -> str:
    """Spoil an article in ways that leave it one: case, narrow columns, tags, entities, marks of captions."""
    turn = rng.random()
    if turn < 0.05:
        return text.lower()
    if turn < 0.09:
        return text.upper()
    if turn < 0.12:
        return ">> " + re.sub(r"(?<=[.!?]) +", " >> ", text).upper()
    if turn < 0.18:
        return "\n".join(textwrap.wrap(text, rng.randint(28, 70), break_long_words=False))
    if turn < 0.19:
        return re.sub(" ", lambda gap: "\n" if rng.random() < 0.15 else gap[0], text)
    if turn < 0.21:
        return "".join(f"<p>{line}</p>" for line in paragraphs(text))
    if turn < 0.24:
        return re.sub(r"\n+", rng.choice(("\\n", "\\n\\n")), text)
    if turn < 0.27:
        return text.replace("\n", "\n&nbsp;\n").replace('"', "&quot;").replace("'", "&#39;")
    if turn < 0.30:
        name = rng.choice(TOWNS).upper()
        link = f'&lt;A HREF="http://quotes.example/full.aspx?id={name}"&gt;{name}&lt;/A&gt;'
        return re.sub(r"(?<=\w), ", f" {link}, ", text, count=rng.randint(1, 2)).replace('"', '\\"')
    if turn < 0.32:  # as an interface cuts it
        return text[: rng.randint(150, 260)] + f"… [+{rng.randint(300, 9000)} chars]"
    return text


def garbled(text: str, lang: str, rng: random.Random) -> str:
    """Decode a text wrongly, or put what is no prose in its place."""
    turn = rng.random()
    broken = text
    if turn < 0.5:
        wrong = {"ru": "cp1251", "uk": "cp1251"}.get(lang, "cp1252")
        if rng.random() < 0.2:
            broken = text.encode().decode("latin1")
        else:
            broken = text.encode().decode(wrong, "replace")
        if rng.random() < 0.2:
            broken = broken.encode().decode("cp1252", "replace")
        if rng.random() < 0.2 or broken == text:
            broken = text.encode().decode("ascii", "replace")
        if lang == "pl" and rng.random() < 0.5:
            broken = text.encode("latin2", "replace").decode("latin1")
    if broken == text or turn >= 0.5:
        broken = rng.choice((json_record, _style, _base64, _markup, _junk))(text, rng)
    return broken


def json_record(text: str, rng: random.Random) -> str:
    """A record of JSON as scripts of a page hold it, with the beginning of a text in it."""
    names = "id type slug props children text headline body src width height player autoplay tags image alt url".split()
    record: Any = {
        rng.choice(names): rng.choice((text[:60], rng.randint(1, 9999), True, None))
        for _ in range(rng.randint(3, 30))
    }
    return json.dumps([record] if rng.random() < 0.3 else {"data": record}, ensure_ascii=rng.random() < 0.5)


def _style(text: str, rng: random.Random) -> str:
    names = "hd wrap art btn nav-item ad__slot gallery".split()
    rules = (
        "display:flex;margin:0 auto", "color:#b3001b", "padding:0 20px", "font:400 1rem/1.6 serif",
        "position:fixed;z-index:99",
    )  # fmt: skip
    lines = [f".{rng.choice(names)}{{{rng.choice(rules)}}}" for _ in range(rng.randint(2, 20))]
    pushed = rng.randint(0, 2)
    lines += ["window.dataLayer=window.dataLayer||[];function g(){dataLayer.push(arguments)}"] * pushed
    lines.insert(rng.randrange(len(lines)), text[:40])
    return rng.choice(("\n", " ", "")).join(lines)


def _base64(text: str, rng: random.Random) -> str:
    return b64encode(text.encode()).decode()


def _markup(text: str, rng: random.Random) -> str:
    html = "".join(
        f'<p class="art__p">{line}</p><div data-id="{rng.randint(1, 99)}"></div>' for line in text.split("\n")
    )
    once = html.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
    return once.replace("&", "&amp;") if rng.random() < 0.3 else once


def _junk(text: str, rng: random.Random) -> str:
    junk = bytes(rng.randrange(256) for _ in range(rng.randint(100, 600)))
    return junk.decode(rng.choice(("latin1", "utf-8")), "replace")
