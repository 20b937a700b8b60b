"""Documents with known verdicts, composed of invented texts and of real articles: what the verdict model learns from.

A stub is the opening of an article before an invented offer; an index is other articles' titles between menus; a
wall or an error is invented, alone, with furniture around it, or laid out in one line. Articles come whole, cut
short, with boilerplate around them and in one line, so that none of that alone speaks against them.
"""

from __future__ import annotations

import json
import random
import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from lxml import html as lxml_html

from toolkit import datasets
from toolkit.files import shipped

Row = dict[str, Any]

LANGUAGES = {
    "ben_Beng": "bn", "ces_Latn": "cs", "dan_Latn": "da", "deu_Latn": "de", "ell_Grek": "el", "ind_Latn": "id",
    "jpn_Jpan": "ja", "nob_Latn": "no", "pol_Latn": "pl", "por_Latn": "pt", "spa_Latn": "es", "swe_Latn": "sv",
    "tur_Latn": "tr", "ukr_Cyrl": "uk", "zho_Hans": "zh", "swh_Latn": "sw",
}  # fmt: skip
"""Codes of a data set whose first two letters are not those of the language."""

FURNITURE = (
    "passages",
    "passages_en",
    "passages_other",
    "passages_more",
    "passages_voices_en",
    "passages_voices_other",
)
"""Files of invented boilerplate."""

PLAIN = ("articles", "lookalikes", "lookalikes_more")
"""Files of invented articles."""

VERDICTS = ("verdicts", "verdicts_briefs", "verdicts_short")
"""Files of invented texts with their verdicts."""

SHARES = {"article": 3, "brief": 3, "short": 1.5, "index": 1.5}
"""How many times as many as of the others are composed."""

WEIGHTS = (
    {"en": 6} | dict.fromkeys("de fr es it pt nl sv pl ja zh ko tr hi ru ar uk id".split(), 2) | {"others": 1}
)
"""How often a language is drawn."""

SHORTEST, SHORT = 12, 160
"""Characters of a text of one sentence or two, or of a headline."""

HEADED, SIGNED, FRAMED, OFFERED = 0.3, 0.15, 0.08, 0.2
"""Shares of articles that are composed below their headline, above a mark of who wrote them, within the menus of a real
page, and before a piece of furniture that follows the whole of them, such as an appeal."""

_TOWNS = (
    "Marsden Wick Tollen Mirefield Eskerford Sule Belhaven Orrin Carrow Lenford Pitlow Harlemoor Oberau Moorbek "
    "Lauben Vaubrun Cressy Almaden Marina Serravico Lago Alvor Ribeira Drieburg Koog Granvik Sundhamn Lipowa"
).split()

_PAPERS = ("Post", "Zeitung", "News", "Online", "Courant", "Presse")

_SENTENCE = re.compile(r"[^.!?。！？]*[.!?。！？]+[\"'”’)»」]*\s*")
_CLOCK = (
    "{h:02d}:{m:02d} ",
    "{h:02d}.{m:02d} ",
    "{d}/{n} ",
    "{d}.{n}.2023 ",
    "2024-{n:02d}-{d:02d} ",
    "{d}. ",
    "",
)
_WORDS = (
    "words",
    "Wörter",
    "mots",
    "palabras",
    "parole",
    "palavras",
    "woorden",
    "słów",
    "字",
    "слов",
    "kelime",
)
_MONTHS = "January März avril mayo giugno julho augustus września oktober November décembre".split()
_BETWEEN = (" | ", " · ", " • ", " / ", ". ", " - ", "; ")
"""What stands between the links of a page in one line."""


@dataclass(frozen=True)
class Texts:
    """What documents are composed of.

    Attributes
    ----------
    articles : list of dict
        ``text``, ``title``, ``lang``, ``group`` (publisher) of real articles.
    invented : dict of str to list of dict
        Verdict → rows of ``data/training/verdicts.jsonl`` and, where asked, of the invented world.
    furniture : list of dict
        ``text``, ``lang``, ``kind`` of invented boilerplate.
    pages : list of dict
        ``around`` (lines outside the article), ``whole`` (all lines), ``lang``, ``group`` of real pages.
    """

    articles: list[Row]
    invented: dict[str, list[Row]]
    furniture: list[Row]
    pages: list[Row]

    def of(self, verdict: str, lang: str, rng: random.Random) -> Row:
        """One invented text, of the language where there is any."""
        rows = self.invented[verdict]
        own = [row for row in rows if row["lang"] == lang]
        return rng.choice(own or rows)


def invented(name: str) -> list[Row]:
    """Rows of a file in ``data/training``."""
    lines = (shipped("training") / f"{name}.jsonl").read_text("utf-8").splitlines()
    return [json.loads(line) for line in lines]


def load_texts(*, world: bool = True) -> Texts:
    """Load invented texts and real articles; ``world=False`` leaves the invented world for testing."""
    rows = [row for name in VERDICTS for row in invented(name)]
    rows += [row | {"verdict": "article"} for name in PLAIN for row in invented(name)]
    if world:
        rows += invented("walls") + invented("shorts")
        rows += [row | {"verdict": "article"} for row in invented("negatives")]
    by_verdict: dict[str, list[Row]] = {}
    for row in rows:
        by_verdict.setdefault(row["verdict"], []).append(row)
    for row in by_verdict["stub"]:
        if row.get("gate"):
            by_verdict["gate"].append({"lang": row["lang"], "text": row["text"][row["gate"] :]})
    furniture = [row for name in FURNITURE for row in invented(name)]
    return Texts(list(_articles()), by_verdict, furniture, list(_pages()))


def _pages() -> Iterator[Row]:
    """Lines of real pages; those whose text the gold holds are the article's."""
    for name in ("aed", "wcxb", "fundus"):
        for page in datasets.records(name):
            root = lxml_html.document_fromstring(
                page["html"].encode(errors="replace"), parser=lxml_html.HTMLParser(encoding="utf-8")
            )
            for element in list(root.iter("script", "style", "noscript", "template", "head")):
                element.drop_tree()
            whole = [" ".join(piece.split()) for piece in root.itertext() if re.search(r"\w\w", piece)]
            gold = " ".join(page["gold"].split())
            around = [line for line in whole if line not in gold]
            if len(around) > 8:
                lang = page["lang"] if isinstance(page["lang"], str) else "en"
                yield {
                    "around": around,
                    "whole": whole,
                    "lang": lang[:2] or "en",
                    "group": str(page["publisher"]),
                }


MARKED = 7
"""Round of marking up to which articles are taken as free of boilerplate once it is cut out. The shipped verdicts were
learned before later rounds."""


def _articles() -> Iterator[Row]:
    for name in ("allsides", "modern"):
        gold = datasets.gold("boilerplate" if name == "allsides" else "boilerplate_modern")
        earlier = gold.corpus.loc[gold.corpus["round"] <= MARKED, "doc_id"]
        cuts = dict(iter(gold.spans[gold.spans["doc_id"].isin(earlier)].groupby("doc_id")[["start", "end"]]))
        corpus = datasets.load(name)
        if "use" in corpus.columns:
            corpus = corpus[corpus["use"] == "train"]
        for row in corpus[["doc_id", "text", "title", "lang", "publisher"]].to_dict("records"):
            text = row["text"]
            marked = row["doc_id"] in cuts
            for start, end in reversed(cuts[row["doc_id"]].to_numpy().tolist() if marked else []):
                text = text[:start] + "\n" + text[end:]
            yield from _article_row(name, text, row["title"], row["lang"], row["publisher"], clean=marked)
    for name in ("aed", "wcxb", "fundus"):
        for page in datasets.records(name):
            yield from _article_row(name, page["gold"], None, page["lang"], page["publisher"])
    for row in invented("articles"):
        yield from _article_row("invented", row["text"], row["title"], row["lang"], row["id"])
    sentences: dict[str, list[str]] = {}
    for row in datasets.records("sib200"):
        sentences.setdefault(row["lang"], []).append(row["text"])
    for lang, found in sentences.items():  # the one source of prose in some languages
        for at in range(0, len(found), 6):
            yield from _article_row("sib200", "\n".join(found[at : at + 6]), None, lang, f"sib200 {at}")


def _article_row(
    name: str, text: str, title: Any, lang: Any, publisher: Any, *, clean: bool = True
) -> Iterator[Row]:
    lines = [line for line in text.split("\n") if line.strip()]
    if len(text) >= 150 and (len(lines) < 15 or len(text) > 20 * len(lines)):  # a list of words is no article
        title, lang = (value if isinstance(value, str) else "" for value in (title, lang))
        yield {
            "set": name,
            "text": text,
            "title": title,
            "lang": LANGUAGES.get(lang, lang[:2] or "en"),
            "group": str(publisher),
            "clean": clean,
        }


def compose(texts: Texts, number: int, seed: int) -> Iterator[Row]:
    """Yield ``number`` documents of each verdict but twice and empty: ``text, title, lang, verdict, group, parts``.

    ``parts`` lists (start, end, sound) of what is known of passages; ``group`` keeps what shares a source together.
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


def _laid_out(pieces: list[str], rng: random.Random) -> str:
    """Join lines by blank lines, by breaks, in one line, or glued."""
    gap = rng.choices(("\n\n", "\n", " ", ""), (4, 4, 3, 1))[0]
    text = gap.join(piece.strip() for piece in pieces if piece.strip())
    return re.sub(r"\s*\n\s*", " ", text) if gap in (" ", "") else text


def _paragraphs(text: str) -> list[str]:
    return [line.strip() for line in text.split("\n") if line.strip()]


def opening(article: Row, rng: random.Random, most: int = 6) -> list[str]:
    """The first sentences of an article, as one or two paragraphs."""
    flat = " ".join(_paragraphs(article["text"]))[:3000]
    sentences = [s.strip() for s in _SENTENCE.findall(flat)]
    many = rng.randint(1, most)
    while many < len(sentences) and sum(len(s) for s in sentences[:many]) < 60:
        many += 1  # 'Sen.' ends no sentence
    sentences = sentences[:many]
    if not sentences:
        return [flat[:200]]
    at = rng.randint(1, len(sentences))
    return [p for p in (" ".join(sentences[:at]), " ".join(sentences[at:])) if p]


def _menu(texts: Texts, lang: str, rng: random.Random) -> str:
    return str(texts.of("menu", lang, rng)["text"])


def _furniture(texts: Texts, lang: str, rng: random.Random) -> str:
    """Invented boilerplate of the language, each kind as often: most of what was written are appeals."""
    rows = [row for row in texts.furniture if row["lang"] == lang] or texts.furniture
    kind = rng.choice(sorted({row["kind"] for row in rows}))
    chosen = rng.choice([row for row in rows if row["kind"] == kind])
    return str(chosen["text"])[: rng.choice((120, 400, 2000))]


def _clock(rng: random.Random) -> str:
    return rng.choice(_CLOCK).format(
        h=rng.randint(0, 23), m=rng.randint(0, 59), d=rng.randint(1, 28), n=rng.randint(1, 12)
    )


def _titles(pool: list[Row], n: int, rng: random.Random) -> list[str]:
    found = []
    for _ in range(n):
        article = rng.choice(pool)
        title = article["title"] or article["text"][: rng.randint(30, 80)].rsplit(" ", 1)[0]
        found.append(re.sub(r"\s+", " ", title)[:120])
    return found


def _around(texts: Texts, pool: list[Row], lang: str, rng: random.Random, most: int) -> list[str]:
    """Furniture, menus, and other articles' titles, as pages have around their text."""
    pieces = []
    for _ in range(rng.randint(0, most)):
        turn = rng.random()
        if turn < 0.35:
            pieces.append(_menu(texts, lang, rng))
        elif turn < 0.7:
            pieces.append(_furniture(texts, lang, rng))
        elif turn < 0.85:
            pieces += [_menu(texts, lang, rng), *_titles(pool, rng.randint(1, 5), rng)]
        else:
            pieces += _paragraphs(texts.of("wall", lang, rng)["text"])[: rng.randint(1, 2)]
    return pieces


def _between(body: list[str], pieces: list[str], rng: random.Random) -> list[str]:
    """Set pieces somewhere between the paragraphs of an article."""
    body = list(body)
    for piece in pieces:
        body.insert(rng.randint(0, len(body)), piece)
    return body


def _page(texts: Texts, lang: str, rng: random.Random) -> Row:
    return rng.choice([page for page in texts.pages if page["lang"] == lang] or texts.pages)


def _article(texts: Texts, pool: list[Row], lang: str, verdict: str, rng: random.Random) -> Row:
    if rng.random() < 0.06:
        page = _page(texts, lang, rng)
        return {"text": _laid_out(page["whole"], rng), "title": "", "group": page["group"]}
    article = rng.choice(pool)
    if rng.random() < 0.09:
        return {"text": _exported(article, rng), "title": "", "group": article["group"]}
    if rng.random() < FRAMED:
        lines, many = _page(texts, lang, rng)["around"], rng.randint(4, 40)
        body = _printed(opening(article, rng, 14), article["title"], rng)
        return {
            "text": _laid_out([*lines[:many], *body, *lines[-many:]], rng),
            "title": "",
            "group": article["group"],
        }
    body = _paragraphs(article["text"])
    turn = rng.random()
    text = rng.choice(("\n\n", "\n", " ")).join(_printed([article["text"]], article["title"], rng))
    if turn >= 0.4:
        if turn >= 0.65:  # shorter
            body = opening(article, rng, 14)
        body = _printed(body, article["title"], rng)
        if rng.random() < OFFERED:
            body = [*body, *_paragraphs(_furniture(texts, lang, rng))]
        if rng.random() < 0.3:
            few = [_menu(texts, lang, rng) for _ in range(rng.randint(1, 3))]
            body = _between(body, [*few, _furniture(texts, lang, rng)], rng)
        if rng.random() < 0.05:
            body = _between(body, [_json("", rng)], rng)
        before = _around(texts, pool, lang, rng, 3)
        if sum(len(piece) for piece in body) > 350 and rng.random() < 0.25:  # a banner above a whole article
            banner = _paragraphs(texts.of("wall", lang, rng)["text"])
            before = [*before, *banner[: rng.randint(1, len(banner))]]
        text = _laid_out([*before, *body, *_around(texts, pool, lang, rng, 4)], rng)
    return {"text": _marred(text, rng), "title": _maybe(article["title"], rng), "group": article["group"]}


def _printed(body: list[str], title: str, rng: random.Random) -> list[str]:
    """A story as sites print it: below its headline, above the mark of who wrote it."""
    body = [title, *body] if title and rng.random() < HEADED else body
    if rng.random() >= SIGNED:
        return body
    who = "".join(rng.sample("abdefghklmnprst", rng.randint(2, 3)))
    paper = f"{rng.choice(_TOWNS)} {rng.choice(_PAPERS)}"
    marks = (
        f"({who})",
        who.upper(),
        f"{who.upper()}/{rng.choice(_TOWNS)}",
        paper,
        paper.upper(),
        f"({paper})",
    )
    return [*body, rng.choice(marks)]


def _exported(article: Row, rng: random.Random) -> str:
    """An article between the lines that archives of the press print around it."""
    body = opening(article, rng, 12)
    town, day, month, year = (
        rng.choice(_TOWNS),
        rng.randint(1, 28),
        rng.randint(1, 12),
        rng.randint(1999, 2025),
    )
    paper = f"{town} {rng.choice(_PAPERS)}"
    word = rng.choice(_WORDS)
    about = [f"{rng.randint(40, 900)} {word}", f"{day} {rng.choice(_MONTHS)} {year}", paper, town[:5].upper()]
    about += rng.choice(([], [str(rng.randint(1, 60))], ["Deutsch"], ["English"], ["中文"]))
    about += [f"{rng.choice(('(c)', 'Copyright', '©'))} {year} {paper}"]
    title = [f"{rng.randint(1, 99)}) {article['title']}" if rng.random() < 0.3 else article["title"]]
    code = (
        f"{town[:5].upper()}000{year}{month:02d}{day:02d}{rng.choice(('e', 'ed'))}{rng.randint(1000, 99999)}"
    )
    end = [paper, f"{rng.choice(('Document', 'Dokument', '文件'))} {code}"]
    lines = [*(title if title[0] else []), *about, *body, *end]
    turn = rng.random()
    if turn < 0.3:
        lines = [part for line in lines for part in textwrap.wrap(line, 80, break_long_words=False)]
    text = "\n".join(lines)
    return re.sub(" ", lambda gap: "\n" if rng.random() < 0.06 else gap[0], text) if turn > 0.7 else text


def _brief(texts: Texts, pool: list[Row], lang: str, verdict: str, rng: random.Random) -> Row:
    turn = rng.random()
    if turn < 0.4:
        row = texts.of("article", lang, rng)
        pieces, title, group = _paragraphs(row["text"]), row.get("title") or "", "invented"
    elif turn < 0.5:
        return {"text": _results(rng), "title": "", "group": "invented"}
    else:
        article = rng.choice(pool)
        pieces, title, group = opening(article, rng, 4), article["title"], article["group"]
        if title and turn < 0.62:
            few = " ".join(title.split()[: rng.randint(1, 6)]) + rng.choice(("", "", ".", "!"))
            pieces, title = [few if turn < 0.57 else title], ""
        elif title and turn < 0.75:
            pieces.insert(0, title)
    pieces = _printed(pieces, "", rng)
    if rng.random() < 0.15:
        pieces = _between(pieces, _around(texts, pool, lang, rng, 1), rng)
    elif rng.random() < 0.65:  # short stories carry the lines of their house too, most of them at the end
        lines = [_line(texts, lang, rng) for _ in range(rng.randint(1, 3))]
        pieces = [*pieces, *lines] if rng.random() < 0.6 else _between(pieces, lines, rng)
    return {"text": _marred(_laid_out(pieces, rng), rng), "title": _maybe(title, rng), "group": group}


def _short(texts: Texts, pool: list[Row], lang: str, verdict: str, rng: random.Random) -> Row:
    """One sentence or two, or a headline, and nothing else."""
    article, turn = rng.choice(pool), rng.random()
    short = [row for row in texts.invented["article"] if row["lang"] == lang and len(row["text"]) < SHORT]
    if turn < 0.3 and article["title"]:
        text = article["title"] + rng.choice(("", "", "", ".", " …", "..."))
    elif turn < 0.6 and short:
        text = rng.choice(short)["text"]
    else:
        sentences = [s.strip() for s in _SENTENCE.findall(" ".join(_paragraphs(article["text"]))[:6000])]
        few = [s for s in sentences if SHORTEST <= len(s) < SHORT] or opening(article, rng, 1)
        at = rng.randrange(len(few))
        text = " ".join(few[at : at + rng.choice((1, 1, 1, 2))])
    turn = rng.random()
    text = text.upper() if turn < 0.05 else text.lower() if turn < 0.1 else text
    title = article["title"] if turn > 0.85 and text != article["title"] else ""
    return {"text": text, "title": title, "group": article["group"]}


def _line(texts: Texts, lang: str, rng: random.Random) -> str:
    """A note of copyright, or the first sentence or two of a piece of furniture."""
    if rng.random() < 0.2:
        paper, year = f"{rng.choice(_TOWNS)} {rng.choice(_PAPERS)}", rng.randint(1999, 2026)
        of = rng.choice((paper, f"{year} {paper}", f"{paper} {year}"))
        return f"{rng.choice(('©', '(c)', 'Copyright', 'Copyright ©'))} {of}"
    sentences = _SENTENCE.findall(_furniture(texts, lang, rng).split("\n")[0] + "\n")
    return "".join(sentences[: rng.randint(1, 2)]).strip() or _furniture(texts, lang, rng)[:100]


def _results(rng: random.Random) -> str:
    """A table as news agencies print them: matches, standings, prices, votes, or the weather of towns."""
    names = [rng.choice(_TOWNS) + rng.choice(("", "", " United", " Rovers", " SV", " FC")) for _ in range(24)]
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


def _marred(text: str, rng: random.Random) -> str:
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
        return "".join(f"<p>{line}</p>" for line in _paragraphs(text))
    if turn < 0.24:
        return re.sub(r"\n+", rng.choice(("\\n", "\\n\\n")), text)
    if turn < 0.27:
        return text.replace("\n", "\n&nbsp;\n").replace('"', "&quot;").replace("'", "&#39;")
    if turn < 0.30:
        name = rng.choice(_TOWNS).upper()
        link = f'&lt;A HREF="http://quotes.example/full.aspx?id={name}"&gt;{name}&lt;/A&gt;'
        return re.sub(r"(?<=\w), ", f" {link}, ", text, count=rng.randint(1, 2)).replace('"', '\\"')
    if turn < 0.32:
        return (
            text[: rng.randint(150, 260)] + f"… [+{rng.randint(300, 9000)} chars]"
        )  # as an interface cuts it
    return text


def _maybe(title: str, rng: random.Random) -> str:
    return title if rng.random() < 0.6 else ""


def _rest_of_page(texts: Texts, pool: list[Row], lang: str, rng: random.Random) -> list[str]:
    """What follows on a page: its own lines, a list of other stories, or the beginning of a listing."""
    turn = rng.random()
    if turn < 0.4:
        return list(_page(texts, lang, rng)["around"][-rng.randint(4, 25) :])
    if turn < 0.7:
        return [_menu(texts, lang, rng), *_titles(pool, rng.randint(2, 10), rng)]
    return _paragraphs(texts.of("index", lang, rng)["text"])[: rng.randint(2, 12)]


def _stub(texts: Texts, pool: list[Row], lang: str, verdict: str, rng: random.Random) -> Row:
    gates = texts.invented["gate"]
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
    offers = _paragraphs(gate["text"])
    if rng.random() < 0.4:
        offers += _paragraphs(texts.of("gate", lang, rng)["text"])
    if rng.random() < 0.1 and gates:
        offers = offers[:1]
    before = _around(texts, pool, lang, rng, 1) if rng.random() < 0.4 else []
    after = _around(texts, pool, lang, rng, 4) if rng.random() < 0.5 else []
    if rng.random() < 0.2:
        after += _rest_of_page(texts, pool, lang, rng)
    if rng.random() < 0.1:
        pieces = [*offers, *pieces]
        offers = []
    text = _laid_out([*before, *pieces, *offers, *after], rng)
    return {"text": text, "title": _maybe(article["title"], rng), "group": article["group"]}


def _wall(texts: Texts, pool: list[Row], lang: str, verdict: str, rng: random.Random) -> Row:
    row = texts.of(verdict, lang, rng)
    pieces = _paragraphs(row["text"])
    if rng.random() < 0.2:
        pieces += _paragraphs(texts.of(verdict, lang, rng)["text"])
    if verdict == "wall" and rng.random() < 0.15:
        pieces += _paragraphs(texts.of("gate", lang, rng)["text"])
    if len(pieces) > 2 and rng.random() < 0.2:
        pieces.pop(rng.randrange(len(pieces)))
    if rng.random() < 0.3:
        pieces = [_menu(texts, lang, rng), *pieces]
    if rng.random() < 0.35:
        pieces += [_menu(texts, lang, rng), *_titles(pool, rng.randint(0, 5), rng)]
    elif rng.random() < 0.1:
        pieces += _rest_of_page(texts, pool, lang, rng)[:6]
    title = row.get("title") or (
        pieces[0][:60] if rng.random() < 0.2 else rng.choice(pool)["title"] if rng.random() < 0.2 else ""
    )
    return {"text": _laid_out(pieces, rng), "title": _maybe(title, rng), "group": "invented"}


def bar(texts: Texts, lang: str, rng: random.Random) -> str:
    """A bar of navigation."""
    own = [row["text"] for row in texts.invented["menu"] if row["lang"] == lang and len(row["text"]) < 25]
    own += [line for line in _page(texts, lang, rng)["around"] if len(line) < 20]
    few = rng.sample(own, min(len(own), rng.randint(4, 16))) or [_menu(texts, lang, rng)]
    return rng.choice((" ", " ", "\n", " | ", " · ")).join(few)


def _index(texts: Texts, pool: list[Row], lang: str, verdict: str, rng: random.Random) -> Row:
    turn = rng.random()
    if turn < 0.14:
        return {"text": bar(texts, lang, rng), "title": "", "group": "invented"}
    if turn < 0.24:
        page = _page(texts, lang, rng)
        at, many = rng.randrange(max(1, len(page["around"]) - 8)), rng.choice((8, 20, 60, 200))
        return {"text": _laid_out(page["around"][at : at + many], rng), "title": "", "group": page["group"]}
    if turn < 0.6:
        row = texts.of("index", lang, rng)
        pieces = _paragraphs(row["text"])
        if rng.random() < 0.4:
            pieces += _titles(pool, rng.randint(1, 8), rng)
        return {
            "text": _laid_out(pieces, rng),
            "title": _maybe(row.get("title") or "", rng),
            "group": "invented",
        }
    pieces = []
    style, teasers, behind = rng.choice(_CLOCK), rng.random() < 0.35, rng.random() < 0.4
    gap = rng.choice((" | ", ", ", " – ", " (", " · ", " ")) if behind else ""
    for title in _titles(pool, rng.choice((rng.randint(3, 8), rng.randint(4, 30))), rng):
        if rng.random() < 0.15:
            label = _menu(texts, lang, rng)
            pieces.append(label.upper() if rng.random() < 0.3 else label)
        stamp = style.format(
            h=rng.randint(0, 23), m=rng.randint(0, 59), d=rng.randint(1, 28), n=rng.randint(1, 12)
        )
        if rng.random() < 0.7:
            title = title + gap + stamp.strip() if behind else stamp + title
        pieces.append(title)
        if teasers and rng.random() < 0.6:
            pieces.append(opening(rng.choice(pool), rng, 1)[0][:160])
    if rng.random() < 0.6:
        pieces.append(_menu(texts, lang, rng))
    if rng.random() < 0.3:
        pieces.insert(0, _paragraphs(texts.of("index", lang, rng)["text"])[0])
    text = rng.choice(_BETWEEN).join(pieces) if rng.random() < 0.25 else _laid_out(pieces, rng)
    return {"text": text, "title": _maybe(_menu(texts, lang, rng), rng), "group": "invented"}


def _garbled(texts: Texts, pool: list[Row], lang: str, verdict: str, rng: random.Random) -> Row:
    article = rng.choice(pool)
    text = "\n".join(opening(article, rng, 12))
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
        broken = rng.choice((_json, _style, _base64, _markup, _junk))(text, rng)
    return {"text": broken, "title": _maybe(article["title"], rng), "group": article["group"]}


def _json(text: str, rng: random.Random) -> str:
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
    lines += ["window.dataLayer=window.dataLayer||[];function g(){dataLayer.push(arguments)}"] * rng.randint(
        0, 2
    )
    lines.insert(rng.randrange(len(lines)), text[:40])
    return rng.choice(("\n", " ", "")).join(lines)


def _base64(text: str, rng: random.Random) -> str:
    from base64 import b64encode

    return b64encode(text.encode()).decode()


def _markup(text: str, rng: random.Random) -> str:
    html = "".join(
        f'<p class="art__p">{line}</p><div data-id="{rng.randint(1, 99)}"></div>' for line in text.split("\n")
    )
    once = html.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
    return once.replace("&", "&amp;") if rng.random() < 0.3 else once


def _junk(text: str, rng: random.Random) -> str:
    return bytes(rng.randrange(256) for _ in range(rng.randint(100, 600))).decode(
        rng.choice(("latin1", "utf-8")), "replace"
    )
