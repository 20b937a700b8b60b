import html
import re

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

import toolkit
from docs.tools.picture import svg
from toolkit.boilerplate import KINDS
from toolkit.display import (
    OTHER,
    PALETTE,
    Articles,
    Card,
    CleanedArticle,
    Table,
    compare,
    contrast,
    escaped,
    show,
    telling,
    visible,
)


def spans(*rows):
    return pd.DataFrame(rows, columns=["start", "end", "kind", "score", "evidence", "template_id"])


@pytest.mark.parametrize(("kind", "colours"), [*PALETTE.items(), ("other", OTHER)])
def test_text_is_readable_on_its_ground(kind, colours):
    assert contrast(colours.ink, colours.tint) >= 4.5
    assert contrast(colours.ink, "#ffffff") >= 4.5


def test_kinds_differ_without_colour():
    assert len({colours.hatch for colours in (*PALETTE.values(), OTHER)}) == len(PALETTE) + 1
    assert len({colours.fill for colours in PALETTE.values()}) == len(PALETTE)


def test_palette_names_every_kind_of_the_remover():
    assert set(PALETTE) == set(KINDS)


def test_html_strikes_names_and_explains():
    article = CleanedArticle(
        "Give now.It rained.", spans((0, 9, "appeal", 0.987, "template", "t1")), title="Rain"
    )
    page = article._repr_html_()
    assert '<del title="appeal, probability 0.99, evidence: template, template t1"' in page
    assert ">appeal</small>" in page
    assert ">Give now.</del>It rained." in page
    assert "<b>Rain</b>" in page
    assert "9 of 19 characters removed (47.4 %)" in page


def test_repr_is_stable_text():
    article = CleanedArticle("Give now.It rained.", spans((0, 9, "appeal", 0.9, "model", None)), title="Rain")
    assert repr(article) == ("Rain\n\n[appeal: Give now.]It rained.\n— 9 of 19 characters removed (47.4 %)")


def test_nothing_removed():
    assert repr(CleanedArticle("Rain.", spans())) == "Rain.\n— nothing removed of 5 characters"
    assert repr(CleanedArticle("", spans())) == "\n— nothing removed of 0 characters"


def test_rows_may_come_in_any_order():
    article = CleanedArticle(
        "abcdef", spans((4, 5, "promo", 1, "rule", "a"), (0, 2, "notice", 1, "rule", "b"))
    )
    assert [(p.text, p.kind) for p in article.pieces()] == [
        ("ab", "notice"),
        ("cd", None),
        ("e", "promo"),
        ("f", None),
    ]


@pytest.mark.parametrize("rows", [[(0, 3), (2, 4)], [(0, 99)], [(-1, 2)], [(3, 2)]])
def test_spans_of_another_text_are_refused(rows):
    frame = pd.DataFrame([(*row, "promo") for row in rows], columns=["start", "end", "kind"])
    with pytest.raises(ValueError, match="pass the spans of this very text"):
        CleanedArticle("four", frame)


def test_context_shortens_only_what_is_kept():
    text = "a" * 100 + "GIVE" + "b" * 100 + "SHARE" + "c" * 100
    article = CleanedArticle(
        text,
        spans((100, 104, "appeal", 1, "rule", "a"), (204, 209, "interface", 1, "rule", "a")),
        context=8,
    )
    assert repr(article).split("\n")[0] == (
        " […] aaaaaaaa[appeal: GIVE]bbbbbbbb […] bbbbbbbb[interface: SHARE]cccccccc […] "
    )


HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "</article></del><iframe>",
    '" onmouseover="alert(1)',
    "\x1b[2J\x1b]0;owned\x07",
    "\u202egnp.exe",
    "\ud800",
    "a\x00b",
    "&lt;b&gt;",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stays_text(text):
    reason = text if text != "\ud800" else "promo"  # Arrow strings hold no surrogates; a Python text may
    frame = spans((0, len(text), reason, 0.5, reason, reason))
    article = CleanedArticle(text + text, frame, title=text)
    page = article._repr_html_()
    tags = {tag.lower() for tag in re.findall(r"</?([a-zA-Z]+)", page)}
    assert tags <= {"article", "p", "b", "small", "del", "br", "details", "summary", "ol", "li"}
    root = etree.HTML(page)
    attributes = {name for node in root.iter() for name in node.attrib}
    assert attributes <= {"class", "dir", "style", "title"}
    for shown in (page, repr(article), svg(article)):
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\ud800-\udfff]", shown)
        shown.encode("utf-8")
    etree.fromstring(svg(article).encode())


@given(st.text(), st.data())
def test_pieces_rebuild_any_text(text, data):
    cuts = sorted(data.draw(st.sets(st.integers(0, len(text)), max_size=6)))
    rows = [(a, b, "promo", 1.0, "rule", "t") for a, b in zip(cuts[::2], cuts[1::2], strict=False)]
    article = CleanedArticle(text, spans(*rows))
    assert "".join(piece.text for piece in article.pieces()) == text
    plain = re.sub(r"<small[^>]*>[^<]*</small>", "", article._repr_html_()).replace("<br>", "\n")
    body = re.sub(r"<[^>]*>", "", plain.split('<p style="margin:0">')[1].split("</p><p")[0])
    assert html.unescape(body) == visible(text)
    etree.fromstring(svg(article).encode())


def test_visible_keeps_joiners_and_line_ends():
    assert visible("می\u200cخواهم 👩\u200d🔬\r\n\tx\ry") == "می\u200cخواهم 👩\u200d🔬\n\tx\ny"


def test_show_takes_only_the_documents_own_spans():
    corpus = pd.DataFrame({"doc_id": ["a", "b"], "text": ["xx", "yy"], "title": ["T", None]})
    frame = spans((0, 1, "promo", 1, "rule", "t"), (0, 2, "byline", 1, "rule", "t"))
    frame["doc_id"] = ["b", "a"]
    assert repr(show(corpus, frame, "b")).startswith("[promo: y]y\n")
    assert repr(show(corpus, frame, "a")).startswith("T\n\n[byline: xx]")
    with pytest.raises(KeyError, match="no document 'c'"):
        show(corpus, frame, "c")


def test_svg_wraps_colours_and_is_stable():
    text = "It rained all day in the port. " * 8 + "Subscribe to us today."
    article = CleanedArticle(
        text, spans((len(text) - 22, len(text), "appeal", 1, "rule", "t")), title="Rain & wind"
    )
    picture = svg(article)
    assert picture == svg(article)
    root = etree.fromstring(picture.encode())
    texts = [node.text for node in root.iter("{*}text")]
    assert "Rain & wind" in texts
    assert "appeal" in texts
    assert " ".join(t.strip() for t in texts if t not in ("Rain & wind", "appeal")).startswith(text[:60])
    assert all(len(t) <= 84 for t in texts)
    struck = [node.attrib["fill"] for node in root.iter("{*}text") if "Subscribe" in node.text]
    assert struck == [PALETTE["appeal"].ink]
    assert len(list(root.iter("{*}line"))) >= 1


def test_two_articles_stand_side_by_side_with_what_only_one_has():
    corpus = pd.DataFrame(
        {
            "doc_id": ["a", "b"],
            "text": ["Rain fell all day. <b>Subscribe!", "Rain fell on Monday."],
            "clean_text": ["Rain fell all day.", "Rain fell on Monday."],
        }
    )
    pair = compare(corpus, "a", "b", theme="dark")
    assert [[p.text for p in each.pieces() if p.kind == "only here"] for each in pair] == [
        ["all day"],
        ["on Monday"],
    ]
    page = pair._repr_html_()
    assert page.count("<u ") == 2
    assert "display:flex" in page
    assert "<del" not in page
    with pytest.raises(KeyError, match="no document 'c'"):
        compare(corpus, "a", "c")
    assert "stand only here" not in repr(compare(corpus, "a", "a"))


def test_a_table_shows_an_interval_beside_its_share_and_its_caption():
    frame = pd.DataFrame({"what": ["a"], "share": [0.5], "low": [0.25], "high": [0.75]})
    assert repr(Table(frame, caption="Table 1. Shares.")).splitlines() == [
        "Table 1. Shares.",
        "what   share  95 % interval",
        "a     50.0 %    25.0–75.0 %",
    ]
    assert "<figcaption" in Table(frame, caption="<b>")._repr_html_()
    assert "<b>" not in Table(frame, caption="<b>")._repr_html_()


def test_table_groups_numbers_and_escapes_text():
    table = Table(
        pd.DataFrame({"<b>": ["<i>\x1b", None], "n": [1234567, 2], "share": [0.256, 1.0], "p": [0.5, 2]})
    )
    assert repr(table).splitlines() == [
        "<b>           n    share    p",
        "<i>␛  1,234,567   25.6 %  0.5",
        "              2  100.0 %  2.0",
    ]
    page = table._repr_html_()
    assert "<b>" not in page
    assert "&lt;i&gt;␛" in page
    assert '<td style="text-align:right;white-space:nowrap;vertical-align:top">1,234,567</td>' in page
    assert repr(Table(pd.DataFrame({"a": [], "b": []}))) == "a  b"


def test_numbers_of_one_size_end_after_as_many_decimals():
    frame = pd.DataFrame({"f1": [0.41, 0.4342, None], "hours": [2.0, 1234.5, 0.1], "p": [1e-5, 1.0, 0.0]})
    assert [line.split() for line in repr(Table(frame)).splitlines()[1:]] == [
        ["0.4100", "2", "1e-05"], ["0.4342", "1,234", "1"], ["0.1", "0"],
    ]  # fmt: skip


def test_articles_stand_one_below_the_other():
    articles = Articles([CleanedArticle("one", spans()), CleanedArticle("two", spans())])
    assert repr(articles).count("nothing removed") == 2
    assert articles._repr_html_().count("</article>") == 2


def test_context_shortens_long_removals_too():
    text = "one " * 50 + "kept"
    shown = repr(CleanedArticle(text, spans((0, 200, "notice", 1, "rule", "t")), context=12))
    assert shown.startswith("[notice: one one one […] one one ]kept\n— 200 of 204")


def test_context_cuts_between_words():
    text = "word " * 40 + "GIVE"
    shown = repr(CleanedArticle(text, spans((200, 204, "appeal", 1, "rule", "t")), context=12))
    assert shown.startswith(" […] word word [appeal: GIVE]")


def test_telling_lets_publishers_take_turns_and_ignores_order():
    documents = pd.DataFrame(
        {"doc_id": list("abcd"), "publisher": ["x", "x", "y", None], "length": [90, 100, 100, 10]}
    )
    frame = spans(*[(0, 9, "promo", 1, "rule", "t")] * 4, (20, 30, "appeal", 1, "rule", "t"))
    frame["doc_id"] = ["a", "b", "c", "d", "b"]
    assert telling(documents, frame) == ["b", "c", "a"]  # d loses nine tenths
    assert telling(documents, frame.iloc[::-1], top=2) == ["b", "c"]
    assert telling(documents.iloc[::-1], frame) == ["b", "c", "a"]
    assert telling(documents, frame.iloc[:0]) == []


def test_svg_names_every_span_even_two_on_a_line():
    article = CleanedArticle(
        "Share Give. " + "It rained all day. " * 9,
        spans((0, 6, "interface", 1, "rule", "t"), (6, 12, "appeal", 1, "rule", "t")),
    )
    root = etree.fromstring(svg(article).encode())
    labels = [
        (n.text, float(n.attrib["y"])) for n in root.iter("{*}text") if n.attrib.get("text-anchor") == "end"
    ]
    assert [name for name, _ in labels] == ["interface", "appeal"]
    assert labels[0][1] < labels[1][1]


@pytest.fixture(scope="module")
def shown():
    """One of each rich display, of texts that hold every kind."""
    text = "Rain fell on the port and the ferry stayed in. " * 30
    kinds = [*KINDS, "unheard-of"]
    article = CleanedArticle(
        text,
        spans(*[(n * 40, n * 40 + 20, kind, 0.9, "model", None) for n, kind in enumerate(kinds)]),
        "Rain",
    )
    explained = toolkit.BoilerplateRemover().explain("The port.\n\nSign up for our newsletter and follow us.")
    classified = toolkit.TopicClassifier().explain(
        "The striker scored as the bank raised its rate.", topic="15000000"
    )
    card = Card("Report", {"documents": "1,234", "removed": "9,876 characters"})
    return [article, explained, classified, card, Table(pd.DataFrame({"n": [1]}))]


def mixed(rgb, depth, ground):
    """A colour of some depth over a ground, as the browser paints it."""
    below = [int(ground[i : i + 2], 16) for i in (1, 3, 5)]
    return "#" + "".join(
        f"{round(float(depth) * int(c) + (1 - float(depth)) * b):02x}"
        for c, b in zip(rgb, below, strict=True)
    )


@pytest.mark.parametrize(("ink", "ground"), [("#1a1a1a", "#ffffff"), ("#ffffff", "#111111")])
def test_every_display_is_readable_in_the_light_and_in_the_dark_theme(shown, ink, ground):
    def walk(node, ink, ground):
        style = node.attrib.get("style", "")
        if found := re.search(r"(?<![-\w])color:(#[0-9a-f]{6})", style):
            ink = found[1]
        if found := re.search(r"background-color:(#[0-9a-f]{6})", style):
            ground = found[1]
        if found := re.search(r"background-color:rgba\((\d+),(\d+),(\d+),([\d.]+)\)", style):
            ground = mixed(found.groups()[:3], found[4], ground)
        assert contrast(ink, ground) >= 4.5, etree.tostring(node)[:200]
        for child in node:
            walk(child, ink, ground)

    for display in shown:
        walk(etree.HTML(display._repr_html_()), ink, ground)


def test_every_display_tells_without_colour_what_its_colours_tell(shown):
    article, _, classified, *_ = shown
    for kind in [*KINDS, "unheard-of"]:
        assert f">{kind}</small>" in article._repr_html_()
    page = classified._repr_html_()
    assert re.search(r"rgba\(0,114,178,[^)]*\);border-bottom:2px solid", page)
    assert re.search(r"rgba\(213,94,0,[^)]*\);border-bottom:2px dotted", page)


def test_displays_are_small_and_the_same_each_time(shown):
    for display in shown:
        assert len(display._repr_html_()) < 10 * len(repr(display)) + 2_000
        assert display._repr_html_() == display._repr_html_()
        assert " at 0x" not in repr(display)


def test_a_card_shows_names_and_values():
    card = Card("Report", {"documents": "1,234", "seen": "2031"})
    assert repr(card) == "Report\ndocuments  1,234\nseen       2031"
    assert '<th scope="row"' in card._repr_html_()


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_cards_stay_text(text):
    card = Card(text, {"title": text})
    root = etree.HTML(card._repr_html_())
    assert {n.tag for n in root.iter()} <= set("html body article b table tr th td p tbody br".split())
    assert not [name for node in root.iter() for name in node.attrib if name.startswith("on")]
    for shown in (card._repr_html_(), repr(card)):
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]", shown)
    assert escaped(text)[:10] in card._repr_html_()
