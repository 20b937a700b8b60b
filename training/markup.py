"""Blocks of a news page in reading order, and the kind of boilerplate that tags, classes and wording name.

The vocabularies were drawn up by reading development pages of some forty publishers; they favour precision,
because what they miss is left to the alignment with the gold text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from lxml import etree

_DROPPED = frozenset({
    "script", "style", "noscript", "template", "nav", "svg", "iframe", "object", "video", "audio", "canvas",
    "select", "option", "head", "math",
})  # fmt: skip
INLINE = frozenset({
    "a", "abbr", "acronym", "b", "bdi", "bdo", "big", "cite", "code", "data", "del", "dfn", "em", "font", "i",
    "ins", "kbd", "label", "mark", "q", "s", "samp", "small", "span", "strike", "strong", "sub", "sup",
    "time", "tt", "u", "var", "wbr",
})  # fmt: skip
_CJK = "\u3040-\u30ff\u3400-\u9fff"
_WORD = re.compile(rf"[{_CJK}]|[^\W{_CJK}]+")
_NAME = re.compile(r"[A-Z]?[a-z]+|[A-Z]+")

_NAMED = {
    "discussion": "comments disqus commentlist respond",
    "standfirst": "standfirst dek deck subtitle subheadline strapline lede",
    "quoted": "pullquote blockquote",
    "caption": "caption captions credit credits photo photographer figcaption lightbox slideshow",
    "byline": "byline bylines author authors bio dateline timestamp datetime published pubdate contributor",
    "promo": "newsletter newsletters signup subscribe subscription promo podcast podcasts app cta",
    "appeal": "donate donation donations membership paywall regwall offer offers",
    "related": "related recommended recommendations recirc recirculation readmore trending popular latest "
    "outbrain taboola teaser teasers video videos jwplayer",
    "notice": "cookie cookies copyright disclaimer disclosure legal terms consent gdpr",
    "interface": "share sharing social ad ads advert advertisement advertising sponsored player toolbar tags "
    "breadcrumb breadcrumbs button btn",
}
_MARKUP = {kind: frozenset(names.split()) for kind, names in _NAMED.items()}
_TAGS = {"figcaption": "caption", "figure": "figure", "time": "byline", "address": "byline", "aside": "aside",
         "button": "interface", "form": "interface", "blockquote": "quoted", "table": "quoted"}  # fmt: skip

_CUES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("interface", (
        r"(?:article|story|page) continues\b|(?:advertise?ment|advertising|anzeige|publicidad|publicité)\b",
        r"skip (?:past|to|twitter|ad|nav\w*)\b|listen to (?:this )?(?:article|story)\b|tap (?:to|here)\b",
        r"this advertisement\b|back to video\b|enlarge this\b",
        r"toggle caption\b|view this (?:post|photo|image)\b",
        r"we apologi[sz]e, but\b|click here to (?:share|print)\b",
        r"article content$|jump to details$|see it$|(?:table of )?contents$",
        r"(?:buy|view|see price|check price|shop|get it"
        r"|see)\b(?: now)?(?: (?:on|at) [\w. ]{2,25})?(?: \$\d+)?$",
        r"(?:share|tweet|print|e-?mail|facebook|twitter|whatsapp|linkedin|reddit|pinterest|flipboard|x)\W*$",
        r"(?:copy link|save|comments?|loading|close|play|pause"
        r"|menu|continue reading|show more|gift article)\W*$",
        r"(?:share this.*|teilen|compartir|partager|ad|sponsored|tags|topics|filed under:?.*|view deal)\W*$",
    )),
    ("appeal", (
        r".*\b(?:donate|donation|become a (?:member|supporter|subscriber)|make a (?:gift|contribution))\b",
        r".*\bsupport (?:our|independent|quality|local) (?:journalism|work|reporting|newsroom)\b",
        r".*\b(?:already a subscriber|subscribers? only|subscribe (?:now|today|to (?:continue|read)))\b",
    )),
    ("promo", (
        r"sign up|subscribe|get (?:the|our)\b.*\b(?:inbox|newsletter)|download (?:the|our)|follow (?:us|@)",
        r"join (?:our|us)|listen (?:to|now)|like us|.*\b(?:our|free|daily|weekly) newsletters?\b",
        r".*\b(?:in|to) your inbox\b|.*\bregistering for free\b",
    )),
    ("caption", (
        r"© ?(?!\d|copyright)[^.]{2,60}$",
        r"(?:photo|image|picture|credit|foto|illustration|source|bild|photograph)s?"
        r"(?: (?:by|credit|courtesy|caption|source))?\s?[:/©]",
        r"(?:photo|image|illustration)s? (?:by|via|credit|courtesy)\b",
        r".{0,300}\b(?:bildrechte|foto|фото):.{0,60}$",
        r".{0,300}(?:getty images|shutterstock|\bap photo|afp"
        r"|/reuters|/ap|/epa|istock|unsplash|file photo)\W{0,3}$",
    )),
    ("notice", (
        r"©|\(c\) ?\d|copyright\b|.*\ball rights reserved\b",
        r".*\b(?:terms of (?:use|service)|privacy policy)\b",
        r".*\b(?:views|opinions) expressed\b|.*\bmay not be (?:published|reproduced|reprinted)\b",
        r".*\b(?:affiliate (?:links?|commission)|earn a commission)\b|(?:we use|this site uses) cookies",
    )),
    ("related", (
        r"(?:next )?read (?:more|also|next|the full|full)\b",
        r"next read|related\b|see also\b|also (?:read|see|on)\b",
        r"more (?:from|on|stories|news|like)\b|more:|read:|watch:|watch\b|don't miss\b|video:|up next\b",
        r"you (?:may|might) (?:also|be interested)\b|recommended\b",
        r"(?:editor's|our) picks\b|most (?:read|popular)\b",
        r"(?:trending|latest|previous|next)\W*$|lee (?:también|más)",
        r"lire aussi|mehr zum|lesen sie|leia (?:mais|também)",
    )),
    ("byline", (
        r"(?:by|von|por|par) (?-i:[A-Z])[\w.'’-]+(?: [\w.'’-]+){0,5}$",
        r"(?:additional )?(?:reporting|writing|editing) by\b",
        r".*\bcontributed(?: (?:to )?(?:this|reporting)\b|\W*$)|.*\bwas (?:produced|edited) by\b",
        r"(?:first |last |originally )?(?:published|updated|posted|modified)\b.{0,60}\d",
        r"\d+ ?min(?:utes?)?(?: read)?$",
        r"(?:\w+,? )?(?:\d{1,2} )?(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)\w*\.?"
        r" (?:\d{1,2}, )?\d{4}.{0,40}$",
        r".*\bfollow (?:him|her|them|[\w ]{3,60}) (?:on (?:twitter|x\b|instagram|facebook|threads)|@)",
        r".*\b(?:is|was) an? [\w ,'’-]*\b"
        r"(?:reporter|writer|correspondent|journalist|editor|columnist|author|blogger)\b"
        r".{0,200}$|.{0,40}@\w+\.\w+$",
    )),
)  # fmt: skip
_WORDING = tuple((kind, re.compile("|".join(patterns), re.IGNORECASE)) for kind, patterns in _CUES)


@dataclass(slots=True)
class Block:
    """One block of a page: its text, its elements from the innermost outwards, and where its words stand."""

    text: str
    path: tuple[Any, ...]
    first: int
    last: int
    anchored: float
    share: float = 0.0
    label: str = "unsure"


def words_of(text: str) -> list[str]:
    """Return words in lower case; each Chinese or Japanese character is one."""
    return _WORD.findall(text.lower())


def walk(root: Any) -> tuple[list[Block], dict[Any, tuple[int, int]]]:
    """Return blocks in document order, and for every block-level element its range of words."""
    blocks: list[Block] = []
    reach: dict[Any, tuple[int, int]] = {}
    opened: dict[Any, int] = {}
    pieces: list[tuple[str, bool, Any]] = []
    at = anchors = 0
    owner: Any = root

    def add(text: str | None, holder: Any) -> None:
        if text:
            pieces.append((text, anchors > 0, holder))

    def close(element: Any) -> None:
        nonlocal at
        text = " ".join("".join(p for p, _, _ in pieces).split())
        if text:
            linked = sum(len(p) for p, a, _ in pieces if a)
            n = len(words_of(text))
            path = (*_wrapping([e for p, _, e in pieces if p.strip()]), element, *element.iterancestors())
            blocks.append(Block(text, path, at, at + n, linked / sum(len(p) for p, _, _ in pieces)))
            at += n
        pieces.clear()

    walker = etree.iterwalk(root, events=("start", "end", "comment", "pi"))
    for event, element in walker:
        if event in ("comment", "pi"):
            add(element.tail, element.getparent())
        elif event == "start":
            tag = element.tag
            if tag in _DROPPED:
                walker.skip_subtree()
                continue
            if tag not in INLINE:
                close(owner)
                owner = element
                opened[element] = at
            anchors += _leads_away(element)
            add(element.text, element)
        else:
            if element.tag not in _DROPPED:
                anchors -= _leads_away(element)
                if element.tag not in INLINE:
                    close(element)
                    reach[element] = (opened[element], at)
                    owner = element.getparent() if element.getparent() is not None else root
                    while owner.tag in INLINE:
                        owner = owner.getparent()
            add(element.tail, element.getparent())
    return blocks, reach


def _wrapping(holders: list[Any]) -> list[Any]:
    """Return the inline elements, innermost first, that hold all of a block's text: they say what it is."""
    chain: list[Any] = []
    element = holders[0]
    while element is not None and element.tag in INLINE:
        chain.append(element)
        element = element.getparent()
    for holder in holders[1:] if chain else ():
        above = {holder, *holder.iterancestors()}
        chain = [e for e in chain if e in above]
    return chain


def _leads_away(element: Any) -> bool:
    return element.tag == "a" and not (element.get("href") or "#").startswith("#")


def markup_kinds(block: Block, own: set[Any]) -> list[str]:
    """Return the kinds that tags and classes around a block name, inside out, below the article's own."""
    kinds: list[str] = []
    for element in block.path:
        if element in own:
            break
        named = " ".join(element.get(a) or "" for a in ("class", "id", "rel", "itemprop", "data-testid"))
        names = {n.lower() for n in _NAME.findall(named)}
        kinds += [kind for kind, known in _MARKUP.items() if names & known]
        if element.tag in _TAGS:
            kinds.append(_TAGS[element.tag])
    return kinds


def wording_kind(block: Block) -> str:
    """Return the kind that the wording of a short block tells, or an empty string."""
    text = block.text.lstrip("([{«*-–—•▶►>| ")
    if len(text) > 500:
        return ""
    kind = next((kind for kind, pattern in _WORDING if pattern.match(text)), "")
    return "" if kind == "related" and len(text) > 200 and block.anchored < 0.3 else kind


def stated_titles(root: Any) -> set[str]:
    """Return headline and standfirst as the page states them about itself, as plain words."""
    stated = root.xpath(
        "//head//title | //meta[@property='og:title' or @property='og:description' or @name='description']"
    )
    titles = {" ".join(words_of(e.get("content") or e.text_content())) for e in stated} - {""}
    headlines = {" ".join(words_of(e.text_content())) for e in root.iter("h1")} - {""}
    # pages that scroll on have a headline a story; the article's own is the one that the page's head repeats
    return titles | {h for h in headlines if len(headlines) == 1 or any(h in t or t in h for t in titles)}


def place_of(block: Block) -> tuple[Any, ...]:
    """Return what an article's paragraphs have in common: tag, class and parent element."""
    element = next(e for e in block.path if e.tag not in INLINE)
    return (element.tag, element.get("class"), element.getparent())
