"""Documents with known verdicts, composed of invented texts and of real articles: what the verdict model learns from.

A stub is the opening of an article before an invented offer; an index is other articles' titles between menus; a
wall or an error is invented, alone, with furniture around it, or laid out in one line. Articles come whole, cut
short, with boilerplate around them and in one line, so that none of that alone speaks against them.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

from training.damage import garbled, json_record, marred
from training.pieces import (
    around,
    bar,
    between,
    exported,
    furniture,
    house_line,
    laid_out,
    menu,
    opening,
    page_of,
    paragraphs,
    printed,
    rest_of_page,
    results,
    sentences,
    titles,
)
from training.texts import Row, Texts

SHARES = {"article": 3, "brief": 3, "short": 1.5, "index": 1.5}
"""How many times as many as of the others are composed."""

WEIGHTS = (
    {"en": 6} | dict.fromkeys("de fr es it pt nl sv pl ja zh ko tr hi ru ar uk id".split(), 2) | {"others": 1}
)
"""How often a language is drawn."""

SHORTEST, SHORT = 12, 160
"""Characters of a text of one sentence or two, or of a headline."""

FRAMED, OFFERED = 0.08, 0.2
"""Shares of articles that are composed within the menus of a real page, and before a piece of furniture that follows
the whole of them, such as an appeal."""

_CLOCK = (
    "{h:02d}:{m:02d} ", "{h:02d}.{m:02d} ", "{d}/{n} ", "{d}.{n}.2023 ", "2024-{n:02d}-{d:02d} ", "{d}. ", "",
)  # fmt: skip
"""How an index says when a story came."""

_BETWEEN = (" | ", " · ", " • ", " / ", ". ", " - ", "; ")
"""What stands between the links of a page in one line."""


def compose(texts: Texts, number: int, seed: int) -> Iterator[Row]:
    """Yield ``number`` documents of each verdict but twice and empty: ``text, title, lang, verdict, group``.

    ``group`` keeps what shares a source together: the publisher of its article or page, or ``invented``.
    """
    rng = random.Random(seed)
    by_lang: dict[str, list[Row]] = {}
    clean: dict[str, list[Row]] = {}
    for article in texts.articles:
        by_lang.setdefault(article["lang"], []).append(article)
        if article["clean"]:
            clean.setdefault(article["lang"], []).append(article)
    langs = sorted({row["lang"] for rows in texts.invented.values() for row in rows})
    weights = [WEIGHTS.get(lang, WEIGHTS["others"]) for lang in langs]
    makers = {
        "article": _article, "brief": _brief, "short": _short, "stub": _stub, "wall": _wall, "error": _wall,
        "index": _index, "garbled": _garbled,
    }  # fmt: skip
    for verdict, make in makers.items():
        for _ in range(int(number * SHARES.get(verdict, 1))):
            lang = rng.choices(langs, weights)[0]
            pools = by_lang if verdict in ("article", "index", "garbled") else clean
            pool = pools.get(lang) or pools["en"]
            row = make(texts, pool, lang, verdict, rng)
            row["lang"] = lang
            row["verdict"] = "article" if verdict in ("brief", "short") else verdict
            yield row


def _maybe(title: str, rng: random.Random) -> str:
    return title if rng.random() < 0.6 else ""


def _article(texts: Texts, pool: list[Row], lang: str, verdict: str, rng: random.Random) -> Row:
    if rng.random() < 0.06:
        page = page_of(texts, lang, rng)
        return {"text": laid_out(page["whole"], rng), "title": "", "group": page["group"]}
    article = rng.choice(pool)
    if rng.random() < 0.09:
        return {"text": exported(article, rng), "title": "", "group": article["group"]}
    if rng.random() < FRAMED:
        lines, many = page_of(texts, lang, rng)["around"], rng.randint(4, 40)
        body = printed(opening(article, rng, 14), article["title"], rng)
        text = laid_out([*lines[:many], *body, *lines[-many:]], rng)
        return {"text": text, "title": "", "group": article["group"]}
    body = paragraphs(article["text"])
    turn = rng.random()
    text = rng.choice(("\n\n", "\n", " ")).join(printed([article["text"]], article["title"], rng))
    if turn >= 0.4:
        if turn >= 0.65:  # shorter
            body = opening(article, rng, 14)
        body = printed(body, article["title"], rng)
        if rng.random() < OFFERED:
            body = [*body, *paragraphs(furniture(texts, lang, rng))]
        if rng.random() < 0.3:
            few = [menu(texts, lang, rng) for _ in range(rng.randint(1, 3))]
            body = between(body, [*few, furniture(texts, lang, rng)], rng)
        if rng.random() < 0.05:
            body = between(body, [json_record("", rng)], rng)
        before = around(texts, pool, lang, rng, 3)
        if sum(len(piece) for piece in body) > 350 and rng.random() < 0.25:  # a banner above a whole article
            banner = paragraphs(texts.of("wall", lang, rng)["text"])
            before = [*before, *banner[: rng.randint(1, len(banner))]]
        text = laid_out([*before, *body, *around(texts, pool, lang, rng, 4)], rng)
    return {"text": marred(text, rng), "title": _maybe(article["title"], rng), "group": article["group"]}


def _brief(texts: Texts, pool: list[Row], lang: str, verdict: str, rng: random.Random) -> Row:
    turn = rng.random()
    if turn < 0.4:
        row = texts.of("article", lang, rng)
        pieces, title, group = paragraphs(row["text"]), row.get("title") or "", "invented"
    elif turn < 0.5:
        return {"text": results(rng), "title": "", "group": "invented"}
    else:
        article = rng.choice(pool)
        pieces, title, group = opening(article, rng, 4), article["title"], article["group"]
        if title and turn < 0.62:
            few = " ".join(title.split()[: rng.randint(1, 6)]) + rng.choice(("", "", ".", "!"))
            pieces, title = [few if turn < 0.57 else title], ""
        elif title and turn < 0.75:
            pieces.insert(0, title)
    pieces = printed(pieces, "", rng)
    if rng.random() < 0.15:
        pieces = between(pieces, around(texts, pool, lang, rng, 1), rng)
    elif rng.random() < 0.65:  # short stories carry the lines of their house too, most of them at the end
        lines = [house_line(texts, lang, rng) for _ in range(rng.randint(1, 3))]
        pieces = [*pieces, *lines] if rng.random() < 0.6 else between(pieces, lines, rng)
    return {"text": marred(laid_out(pieces, rng), rng), "title": _maybe(title, rng), "group": group}


def _short(texts: Texts, pool: list[Row], lang: str, verdict: str, rng: random.Random) -> Row:
    """One sentence or two, or a headline, and nothing else."""
    article, turn = rng.choice(pool), rng.random()
    short = [row for row in texts.invented["article"] if row["lang"] == lang and len(row["text"]) < SHORT]
    if turn < 0.3 and article["title"]:
        text = article["title"] + rng.choice(("", "", "", ".", " …", "..."))
    elif turn < 0.6 and short:
        text = rng.choice(short)["text"]
    else:
        few = [s for s in sentences(article["text"], 6000) if SHORTEST <= len(s) < SHORT]
        few = few or opening(article, rng, 1)
        at = rng.randrange(len(few))
        text = " ".join(few[at : at + rng.choice((1, 1, 1, 2))])
    turn = rng.random()
    text = text.upper() if turn < 0.05 else text.lower() if turn < 0.1 else text
    title = article["title"] if turn > 0.85 and text != article["title"] else ""
    return {"text": text, "title": title, "group": article["group"]}


def _stub(texts: Texts, pool: list[Row], lang: str, verdict: str, rng: random.Random) -> Row:
    gate = texts.of("gate", lang, rng)
    whole = [row for row in texts.invented["stub"] if row["lang"] == lang]
    if whole and rng.random() < 0.2:
        row = rng.choice(whole)
        return {"text": row["text"], "title": row.get("title", ""), "group": "invented"}
    article = rng.choice(pool)
    pieces = opening(article, rng, rng.choice((1, 2, 6, 20)))
    if rng.random() < 0.2:  # a headline and a few words
        pieces = [pieces[0][: rng.randint(50, 120)].rsplit(" ", 1)[0]]
    if rng.random() < 0.4:  # cut in mid-sentence
        last = pieces[-1]
        pieces[-1] = last[: rng.randint(len(last) // 3, len(last))].rstrip(" .。") + rng.choice(
            ("...", "…", " …", "", " [...]")
        )
    if rng.random() < 0.5 and article["title"]:
        pieces.insert(0, article["title"])
    offers = paragraphs(gate["text"])
    if rng.random() < 0.4:
        offers += paragraphs(texts.of("gate", lang, rng)["text"])
    if rng.random() < 0.1:
        offers = offers[:1]
    before = around(texts, pool, lang, rng, 1) if rng.random() < 0.4 else []
    after = around(texts, pool, lang, rng, 4) if rng.random() < 0.5 else []
    if rng.random() < 0.2:
        after += rest_of_page(texts, pool, lang, rng)
    if rng.random() < 0.1:
        pieces = [*offers, *pieces]
        offers = []
    text = laid_out([*before, *pieces, *offers, *after], rng)
    return {"text": text, "title": _maybe(article["title"], rng), "group": article["group"]}


def _wall(texts: Texts, pool: list[Row], lang: str, verdict: str, rng: random.Random) -> Row:
    row = texts.of(verdict, lang, rng)
    pieces = paragraphs(row["text"])
    if rng.random() < 0.2:
        pieces += paragraphs(texts.of(verdict, lang, rng)["text"])
    if verdict == "wall" and rng.random() < 0.15:
        pieces += paragraphs(texts.of("gate", lang, rng)["text"])
    if len(pieces) > 2 and rng.random() < 0.2:
        pieces.pop(rng.randrange(len(pieces)))
    if rng.random() < 0.3:
        pieces = [menu(texts, lang, rng), *pieces]
    if rng.random() < 0.35:
        pieces += [menu(texts, lang, rng), *titles(pool, rng.randint(0, 5), rng)]
    elif rng.random() < 0.1:
        pieces += rest_of_page(texts, pool, lang, rng)[:6]
    title = row.get("title") or (
        pieces[0][:60] if rng.random() < 0.2 else rng.choice(pool)["title"] if rng.random() < 0.2 else ""
    )
    return {"text": laid_out(pieces, rng), "title": _maybe(title, rng), "group": "invented"}


def _index(texts: Texts, pool: list[Row], lang: str, verdict: str, rng: random.Random) -> Row:
    turn = rng.random()
    if turn < 0.14:
        return {"text": bar(texts, lang, rng), "title": "", "group": "invented"}
    if turn < 0.24:
        page = page_of(texts, lang, rng)
        at, many = rng.randrange(max(1, len(page["around"]) - 8)), rng.choice((8, 20, 60, 200))
        return {"text": laid_out(page["around"][at : at + many], rng), "title": "", "group": page["group"]}
    if turn < 0.6:
        row = texts.of("index", lang, rng)
        pieces = paragraphs(row["text"])
        if rng.random() < 0.4:
            pieces += titles(pool, rng.randint(1, 8), rng)
        text = laid_out(pieces, rng)
        return {"text": text, "title": _maybe(row.get("title") or "", rng), "group": "invented"}
    pieces = []
    style, teasers, behind = rng.choice(_CLOCK), rng.random() < 0.35, rng.random() < 0.4
    gap = rng.choice((" | ", ", ", " – ", " (", " · ", " ")) if behind else ""
    for title in titles(pool, rng.choice((rng.randint(3, 8), rng.randint(4, 30))), rng):
        if rng.random() < 0.15:
            label = menu(texts, lang, rng)
            pieces.append(label.upper() if rng.random() < 0.3 else label)
        hour, minute = rng.randint(0, 23), rng.randint(0, 59)
        stamp = style.format(h=hour, m=minute, d=rng.randint(1, 28), n=rng.randint(1, 12))
        if rng.random() < 0.7:
            title = title + gap + stamp.strip() if behind else stamp + title
        pieces.append(title)
        if teasers and rng.random() < 0.6:
            pieces.append(opening(rng.choice(pool), rng, 1)[0][:160])
    if rng.random() < 0.6:
        pieces.append(menu(texts, lang, rng))
    if rng.random() < 0.3:
        pieces.insert(0, paragraphs(texts.of("index", lang, rng)["text"])[0])
    text = rng.choice(_BETWEEN).join(pieces) if rng.random() < 0.25 else laid_out(pieces, rng)
    return {"text": text, "title": _maybe(menu(texts, lang, rng), rng), "group": "invented"}


def _garbled(texts: Texts, pool: list[Row], lang: str, verdict: str, rng: random.Random) -> Row:
    article = rng.choice(pool)
    text = garbled("\n".join(opening(article, rng, 12)), lang, rng)
    return {"text": text, "title": _maybe(article["title"], rng), "group": article["group"]}
