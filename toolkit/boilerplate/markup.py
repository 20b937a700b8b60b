"""Blocks of a news page in reading order, and the kind of boilerplate that tags, classes and wording name.

The vocabularies were drawn up by reading development pages of some forty publishers; they favour precision,
because what they miss is left to the alignment with the gold text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from lxml import etree

_DROPPED = frozenset(
    "script style noscript template nav svg iframe object video audio canvas select option head math".split()
)
_INLINE = frozenset(
    "a abbr acronym b bdi bdo big cite code data del dfn em font i ins kbd label mark q s samp small span strike "
    "strong sub sup time tt u var wbr".split()
)
_CJK = "\u3040-\u30ff\u3400-\u9fff"
_WORD = re.compile(rf"[{_CJK}]|[^\W{_CJK}]+")
_NAME = re.compile(r"[A-Z]?[a-z]+|[A-Z]+")

_MARKUP: dict[str, frozenset[str]] = {
    "discussion": frozenset("comments disqus commentlist respond".split()),
    "standfirst": frozenset("standfirst dek deck subtitle subheadline strapline lede".split()),
    "quoted": frozenset("pullquote blockquote".split()),
    "caption": frozenset("caption captions credit credits photo photographer figcaption lightbox slideshow".split()),
    "byline": frozenset(
        "byline bylines author authors bio dateline timestamp datetime published pubdate contributor".split()
    ),
    "promo": frozenset("newsletter newsletters signup subscribe subscription promo podcast podcasts app cta".split()),
    "appeal": frozenset("donate donation donations membership paywall regwall offer offers".split()),
    "related": frozenset(
        "related recommended recommendations recirc recirculation readmore trending popular latest outbrain taboola "
        "teaser teasers video videos jwplayer".split()
    ),
    "notice": frozenset("cookie cookies copyright disclaimer disclosure legal terms consent gdpr".split()),
    "interface": frozenset(
        "share sharing social ad ads advert advertisement advertising sponsored player toolbar tags breadcrumb "
        "breadcrumbs print button btn".split()
    ),
}  # fmt: skip
_TAGS = {"figcaption": "caption", "figure": "figure", "time": "byline", "address": "byline", "aside": "aside",
         "button": "interface", "form": "interface", "blockquote": "quoted", "table": "quoted"}  # fmt: skip

_CUES: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(pattern, re.IGNORECASE))
    for kind, pattern in (
        ("interface", r"(?:story continues|(?:article|story) continues|skip (?:past|to|twitter|ad)|advertise?ment|advertising|anzeige|"
                      r"publicidad|publicité|listen to (?:this )?(?:article|story)|tap (?:to|here)|this advertisement|back to video|enlarge this|toggle caption|view this (?:post|photo|image)|skip nav\w*|we apologi[sz]e, but|click here to (?:share|print))\b|"
                      r"(?:share|tweet|print|e-?mail|facebook|twitter|whatsapp|linkedin|reddit|pinterest|copy link|save|"
                      r"comments?|loading|close|play|pause|menu|continue reading|show more|gift article|flipboard|x|"
                      r"share this.*|teilen|compartir|partager|ad|sponsored|tags|topics|filed under:?.*)\W*$"),
        ("appeal", r".*\b(?:donate|donation|become a (?:member|supporter|subscriber)|make a (?:gift|contribution)|"
                   r"support (?:our|independent|quality|local) (?:journalism|work|reporting|newsroom)|"
                   r"already a subscriber|subscribers? only|subscribe (?:now|today|to (?:continue|read)))\b"),
        ("promo", r"(?:sign up|subscribe|get (?:the|our)\b.*\b(?:inbox|newsletter)|download (?:the|our)|follow (?:us|@)|"
                  r"join (?:our|us)|listen (?:to|now)|like us|.*\b(?:our|free|daily|weekly) newsletters?\b|"
                  r".*\b(?:in|to) your inbox\b)"),
        ("notice", r"(?:©|\(c\) ?\d|copyright\b|.*\ball rights reserved\b|.*\b(?:terms of (?:use|service)|privacy policy)\b|"
                   r".*\b(?:views|opinions) expressed\b|.*\bmay not be (?:published|reproduced|reprinted)\b|"
                   r".*\b(?:affiliate (?:links?|commission)|earn a commission)\b|(?:we use|this site uses) cookies)"),
        ("caption", r"(?:(?:photo|image|picture|credit|foto|illustration|source|bild|photograph)s?"
                    r"(?: (?:by|credit|courtesy|caption|source))?\s?[:/©]|(?:photo|image|illustration)s? (?:by|credit|courtesy)\b|"
                    r".{0,300}(?:getty images|shutterstock|\bap photo|afp|/reuters|/ap|/epa|istock|unsplash|file photo)\W{0,3}$)"),
        ("related", r"(?:(?:next )?read (?:more|also|next|this|the full|full)|next read|related|see also|also (?:read|see|on)|more (?:from|on|stories|news|like)|"
                    r"more:|read:|watch:|watch\b|don't miss|you (?:may|might) (?:also|be interested)|recommended|(?:editor's|our) picks|up next|most (?:read|popular)|"
                    r"(?:trending|latest|previous|next)\W*$|video:|lee (?:también|más)|lire aussi|mehr zum|lesen sie|leia (?:mais|também))(?!\w)"),
        ("byline", r"(?:by|von|por|par) [A-Z][\w.'’-]+(?: [\w.'’-]+){0,8}$|(?:reporting|writing|editing|additional reporting) by\b|"
                   r".*\bcontributed(?: (?:to )?(?:this|reporting)\b|\W*$)|(?:first |last |originally )?(?:published|updated|posted|modified)\b.{0,60}\d|"
                   r"\d+ ?(?:min|minutes?)(?: read)?$|(?:\w+,? )?(?:\d{1,2} )?(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)\w*\.?"
                   r" (?:\d{1,2}, )?\d{4}.{0,40}$|.*\bfollow (?:him|her|them|[\w ]{3,60}) (?:on (?:twitter|x\b|instagram|facebook|threads)|@)|.*\bwas (?:produced|edited) by\b|.*\b(?:is|was) an? [\w ,'’-]*\b"
                   r"(?:reporter|writer|correspondent|journalist|editor|columnist|author|blogger)\b.{0,200}$|.{0,40}@\w+\.\w+$"),
    )
)  # fmt: skip


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
    """Words in lower case; each Chinese or Japanese character is one."""
    return _WORD.findall(text.lower())


def walk(root: Any) -> tuple[list[Block], dict[Any, tuple[int, int]]]:
    """Blocks in document order, and for every block-level element its range of words."""
    blocks: list[Block] = []
    reach: dict[Any, tuple[int, int]] = {}
    opened: dict[Any, int] = {}
    pieces: list[tuple[str, bool]] = []
    at = anchors = 0
    owner: Any = root

    def add(text: str | None) -> None:
        if text:
            pieces.append((text, anchors > 0))

    def close(element: Any) -> None:
        nonlocal at
        text = " ".join("".join(p for p, _ in pieces).split())
        if text:
            linked = sum(len(p) for p, a in pieces if a)
            n = len(words_of(text))
            path = (element, *element.iterancestors())
            blocks.append(Block(text, path, at, at + n, linked / max(1, sum(len(p) for p, _ in pieces))))
            at += n
        pieces.clear()

    walker = etree.iterwalk(root, events=("start", "end", "comment", "pi"))
    for event, element in walker:
        if event in ("comment", "pi"):
            add(element.tail)
        elif event == "start":
            tag = element.tag
            if tag in _DROPPED:
                walker.skip_subtree()
                continue
            if tag not in _INLINE:
                close(owner)
                owner = element
                opened[element] = at
            anchors += _leads_away(element)
            add(element.text)
        else:
            if element.tag not in _DROPPED:
                anchors -= _leads_away(element)
                if element.tag not in _INLINE:
                    close(element)
                    reach[element] = (opened[element], at)
                    owner = element.getparent() if element.getparent() is not None else root
                    while owner.tag in _INLINE:
                        owner = owner.getparent()
            add(element.tail)
    return blocks, reach


def _leads_away(element: Any) -> bool:
    return element.tag == "a" and not (element.get("href") or "#").startswith("#")


def markup_kinds(block: Block, own: set[Any]) -> list[str]:
    """Kinds named by the tags and classes around a block, from the inside outwards, article elements left out."""
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
    """Kind that the wording of a short block tells, if any."""
    text = block.text.lstrip("([{«*-–—•▶►>| ")
    if len(text) > 500:
        return ""
    kind = next((kind for kind, pattern in _CUES if pattern.match(text)), "")
    return "" if kind == "related" and len(text) > 200 and block.anchored < 0.3 else kind


