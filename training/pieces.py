"""Pieces of documents: openings of articles, what stands around them on a page, and forms in which they are printed."""

from __future__ import annotations

import random
import re
import textwrap

from training.texts import Row, Texts

HEADED, SIGNED = 0.3, 0.15
"""Shares of stories that are printed below their headline, and above a mark of who wrote them."""

TOWNS = (
    "Marsden Wick Tollen Mirefield Eskerford Sule Belhaven Orrin Carrow Lenford Pitlow Harlemoor Oberau Moorbek "
    "Lauben Vaubrun Cressy Almaden Marina Serravico Lago Alvor Ribeira Drieburg Koog Granvik Sundhamn Lipowa"
).split()

_PAPERS = ("Post", "Zeitung", "News", "Online", "Courant", "Presse")

_SENTENCE = re.compile(r"[^.!?。！？]*[.!?。！？]+[\"'”’)»」]*\s*")

_WORDS = "words Wörter mots palabras parole palavras woorden słów 字 слов kelime".split()

_MONTHS = "January März avril mayo giugno julho augustus września oktober November décembre".split()


def laid_out(pieces: list[str], rng: random.Random) -> str:
    """Join lines by blank lines, by breaks, in one line, or glued."""
    gap = rng.choices(("\n\n", "\n", " ", ""), (4, 4, 3, 1))[0]
    text = gap.join(piece.strip() for piece in pieces if piece.strip())
    return re.sub(r"\s*\n\s*", " ", text) if gap in (" ", "") else text


def paragraphs(text: str) -> list[str]:
    """Lines of a text that are not blank."""
    return [line.strip() for line in text.split("\n") if line.strip()]


def sentences(text: str, most: int) -> list[str]:
    """Sentences of the first ``most`` characters of a text."""
    return [found.strip() for found in _SENTENCE.findall(" ".join(paragraphs(text))[:most])]


def opening(article: Row, rng: random.Random, most: int = 6) -> list[str]:
    """The first sentences of an article, as one or two paragraphs."""
    found = sentences(article["text"], 3000)
    many = rng.randint(1, most)
    while many < len(found) and sum(len(s) for s in found[:many]) < 60:
        many += 1  # 'Sen.' ends no sentence
    first = found[:many]
    if not first:
        return [" ".join(paragraphs(article["text"]))[:200]]
    at = rng.randint(1, len(first))
    return [p for p in (" ".join(first[:at]), " ".join(first[at:])) if p]


def menu(texts: Texts, lang: str, rng: random.Random) -> str:
    """An entry of a menu."""
    return str(texts.of("menu", lang, rng)["text"])


def furniture(texts: Texts, lang: str, rng: random.Random) -> str:
    """Invented boilerplate of the language, each kind as often: most of what was written are appeals."""
    rows = [row for row in texts.furniture if row["lang"] == lang] or texts.furniture
    kind = rng.choice(sorted({row["kind"] for row in rows}))
    chosen = rng.choice([row for row in rows if row["kind"] == kind])
    return str(chosen["text"])[: rng.choice((120, 400, 2000))]


def titles(pool: list[Row], n: int, rng: random.Random) -> list[str]:
    """Titles of so many articles, or how they begin."""
    found = []
    for _ in range(n):
        article = rng.choice(pool)
        title = article["title"] or article["text"][: rng.randint(30, 80)].rsplit(" ", 1)[0]
        found.append(re.sub(r"\s+", " ", title)[:120])
    return found


def page_of(texts: Texts, lang: str, rng: random.Random) -> Row:
    """A real page, of the language where there is any."""
    return rng.choice([page for page in texts.pages if page["lang"] == lang] or texts.pages)


def around(texts: Texts, pool: list[Row], lang: str, rng: random.Random, most: int) -> list[str]:
    """Furniture, menus, and other articles' titles, as pages have around their text."""
    pieces = []
    for _ in range(rng.randint(0, most)):
        turn = rng.random()
        if turn < 0.35:
            pieces.append(menu(texts, lang, rng))
        elif turn < 0.7:
            pieces.append(furniture(texts, lang, rng))
        elif turn < 0.85:
            pieces += [menu(texts, lang, rng), *titles(pool, rng.randint(1, 5), rng)]
        else:
            pieces += paragraphs(texts.of("wall", lang, rng)["text"])[: rng.randint(1, 2)]
    return pieces


def rest_of_page(texts: Texts, pool: list[Row], lang: str, rng: random.Random) -> list[str]:
    """What follows on a page: its own lines, a list of other stories, or the beginning of a listing."""
    turn = rng.random()
    if turn < 0.4:
        return list(page_of(texts, lang, rng)["around"][-rng.randint(4, 25) :])
    if turn < 0.7:
        return [menu(texts, lang, rng), *titles(pool, rng.randint(2, 10), rng)]
    return paragraphs(texts.of("index", lang, rng)["text"])[: rng.randint(2, 12)]


def bar(texts: Texts, lang: str, rng: random.Random) -> str:
    """A bar of navigation."""
    own = [row["text"] for row in texts.invented["menu"] if row["lang"] == lang and len(row["text"]) < 25]
    own += [line for line in page_of(texts, lang, rng)["around"] if len(line) < 20]
    few = rng.sample(own, min(len(own), rng.randint(4, 16))) or [menu(texts, lang, rng)]
    return rng.choice((" ", " ", "\n", " | ", " · ")).join(few)


def between(body: list[str], pieces: list[str], rng: random.Random) -> list[str]:
    """Set pieces somewhere between the paragraphs of an article."""
    body = list(body)
    for piece in pieces:
        body.insert(rng.randint(0, len(body)), piece)
    return body


def _paper(rng: random.Random) -> str:
    return f"{rng.choice(TOWNS)} {rng.choice(_PAPERS)}"


def house_line(texts: Texts, lang: str, rng: random.Random) -> str:
    """A note of copyright, or the first sentence or two of a piece of furniture."""
    if rng.random() < 0.2:
        paper, year = _paper(rng), rng.randint(1999, 2026)
        of = rng.choice((paper, f"{year} {paper}", f"{paper} {year}"))
        return f"{rng.choice(('©', '(c)', 'Copyright', 'Copyright ©'))} {of}"
    found = _SENTENCE.findall(furniture(texts, lang, rng).split("\n")[0] + "\n")
    return "".join(found[: rng.randint(1, 2)]).strip() or furniture(texts, lang, rng)[:100]


def printed(body: list[str], title: str, rng: random.Random) -> list[str]:
    """A story as sites print it: below its headline, above the mark of who wrote it."""
    body = [title, *body] if title and rng.random() < HEADED else body
    if rng.random() >= SIGNED:
        return body
    who = "".join(rng.sample("abdefghklmnprst", rng.randint(2, 3)))
    paper, short = _paper(rng), who.upper()
    marks = (f"({who})", short, f"{short}/{rng.choice(TOWNS)}", paper, paper.upper(), f"({paper})")
    return [*body, rng.choice(marks)]


def exported(article: Row, rng: random.Random) -> str:
    """An article between the lines that archives of the press print around it."""
    body = opening(article, rng, 12)
    town = rng.choice(TOWNS)
    day, month, year = rng.randint(1, 28), rng.randint(1, 12), rng.randint(1999, 2025)
    paper, short = f"{town} {rng.choice(_PAPERS)}", town[:5].upper()
    word = rng.choice(_WORDS)
    about = [f"{rng.randint(40, 900)} {word}", f"{day} {rng.choice(_MONTHS)} {year}", paper, short]
    about += rng.choice(([], [str(rng.randint(1, 60))], ["Deutsch"], ["English"], ["中文"]))
    about += [f"{rng.choice(('(c)', 'Copyright', '©'))} {year} {paper}"]
    title = f"{rng.randint(1, 99)}) {article['title']}" if rng.random() < 0.3 else article["title"]
    code = f"{short}000{year}{month:02d}{day:02d}{rng.choice(('e', 'ed'))}{rng.randint(1000, 99999)}"
    end = [paper, f"{rng.choice(('Document', 'Dokument', '文件'))} {code}"]
    lines = [*([title] if title else []), *about, *body, *end]
    turn = rng.random()
    if turn < 0.3:
        lines = [part for line in lines for part in textwrap.wrap(line, 80, break_long_words=False)]
    text = "\n".join(lines)
    return re.sub(" ", lambda gap: "\n" if rng.random() < 0.06 else gap[0], text) if turn > 0.7 else text


def results(rng: random.Random) -> str:
    """A table as news agencies print them: matches, standings, prices, votes, or the weather of towns."""
    names = [rng.choice(TOWNS) + rng.choice(("", "", " United", " Rovers", " SV", " FC")) for _ in range(24)]
    kind = rng.choice(("matches", "standings", "prices", "votes", "weather"))
    head = {
        "matches": "Results of round {}:", "standings": "Standings (played, won, drawn, lost, points):",
        "prices": "Closing prices, change on the day:", "votes": "Votes counted, with {} of 40 wards in:",
        "weather": "Maximum temperatures, sky:",
    }  # fmt: skip
    rows = [head[kind].format(rng.randint(1, 38))] if rng.random() < 0.7 else []
    for at in range(0, rng.randint(6, 20), 2):
        one, other = names[at], names[at + 1]
        rows.append(
            {
                "matches": f"{one} {rng.randint(0, 5)} {other} {rng.randint(0, 5)}",
                "standings": " ".join([one, *(str(rng.randint(0, most)) for most in (30, 20, 9, 9, 70))]),
                "prices": f"{one} {rng.uniform(1, 900):.2f} {rng.uniform(-9, 9):+.1f}",
                "votes": f"{one} {rng.randint(90, 9000):,} {other} {rng.randint(90, 9000):,}",
                "weather": f"{one} {rng.randint(-5, 35)} {rng.choice(('sun', 'rain', 'cloud', 'snow'))}",
            }[kind]
        )
    return rng.choice(("\n", "\n", "; ", ". ")).join(rows)
