import random
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toolkit.boilerplate.scoring import KINDS
from training.flattening import JOINERS, UNKNOWN, flatten, labelled_blocks, variants

PARAGRAPHS = (
    "The river rose by two metres over night and flooded the old market of the lower town.",
    "Shopkeepers carried crates of pears to the upper street while the fire brigade pumped out cellars.",
    "By noon the mayor had asked the province for boats, blankets and forty volunteers.",
    "Nobody was hurt, a spokeswoman of the clinic said, though nine people slept in the school gym.",
    "Engineers expect the water to fall on Thursday if the rain in the hills stops as forecast.",
)
GOLD = "\n\n".join(PARAGRAPHS)


def page(before="", within="", after="", head=""):
    p = [f"<p>{text}</p>" for text in PARAGRAPHS]
    story = f"{before}<div>{p[0]}{p[1]}{within}{p[2]}{p[3]}{p[4]}</div>{after}"
    return f"<html><head>{head}</head><body><nav>Home World</nav><article>{story}</article></body></html>"


def labels(html, gold=GOLD, seed=1):
    return {b.text: b.label for b in labelled_blocks(html, gold, seed=seed)}


def seed_that_climbs():
    return next(s for s in range(100) if random.Random(s).choice((0, 0, 0, 1, 1, 2)) == 1)


@pytest.mark.parametrize(
    ("snippet", "kind"),
    [
        ("<figure><figcaption>A ferry at dusk</figcaption></figure>", "caption"),
        ("<p><span class='photo-credit'>Ada Moor</span></p>", "caption"),
        ("<p>Ferry at dusk. (Ada Moor/Getty Images)</p>", "caption"),
        ("<p>[Image via Moor Agency]</p>", "caption"),
        ("<p>© Moor Agency</p>", "caption"),
        ("<p class='byline'>Ada Moor</p>", "byline"),
        ("<time>4 p.m., Tuesday</time>", "byline"),
        ("<p>Reporting by Ada Moor in Lowtown</p>", "byline"),
        ("<ul><li><a href='/1'>Bakers of the hills face a long winter</a></li></ul>", "related"),
        ("<p>Read more: bakers face a winter</p>", "related"),
        ("<div class='newsletterSignup'>The morning letter, each day at six</div>", "promo"),
        ("<p>Sign up for our morning letter</p>", "promo"),
        ("<p>Become a member of the Lowtown Courier</p>", "appeal"),
        ("<p>© Lowtown Courier. All rights reserved.</p>", "notice"),
        ("<div class='share-bar'><p>Send it round</p></div>", "interface"),
        ("<p>Advertisement</p>", "interface"),
        ("<h3>What the water took</h3>", "unsure"),
        ("<blockquote>We have never seen such a night, ever.</blockquote>", "keep"),
        ("<table><tr><td>Two metres and ten centimetres</td></tr></table>", "keep"),
        ("<figure><blockquote>We have never seen such a night.</blockquote></figure>", "keep"),
        ("<p>A paragraph that the gold lost, about the bridge and its keeper.</p>", "unsure"),
        ("<p><a href='https://example.org/1'>https://example.org/the/long/report/of/1</a></p>", "unsure"),
        ("<ol><li><a href='#water'>What the water took from the town</a></li></ol>", "unsure"),
    ],
)
def test_markup_and_wording_name_what_stands_in_the_article(snippet, kind):
    found = labels(page(within=snippet))
    added = [label for text, label in found.items() if text not in PARAGRAPHS]
    assert added == [kind]
    assert all(found[text] == "keep" for text in PARAGRAPHS)


def test_headline_and_standfirst_are_kept_though_the_gold_lacks_them():
    head = "<title>Flood in Lowtown</title><meta name='description' content='A night on the river'>"
    top = "<h1>Flood in Lowtown</h1><p>A night on the river</p><p class='article-dek'>And a long day</p>"
    found = labels(page(before=top, head=head), seed=seed_that_climbs())
    assert [found[t] for t in ("Flood in Lowtown", "A night on the river", "And a long day")] == ["keep"] * 3


def test_a_caption_inside_the_gold_is_unsure_unless_its_wording_agrees():
    plain, credited = "A ferry crosses the river at dusk", "Photo: a ferry crosses the river at dusk"
    for caption, label in ((plain, "unsure"), (credited, "caption")):
        html = page(within=f"<figure><figcaption>{caption}</figcaption></figure>")
        assert labels(html, GOLD + "\n\n" + caption)[caption] == label


def test_a_class_of_the_articles_own_paragraphs_says_nothing():
    html = page().replace("<p>", "<p class='paywall'>")
    assert set(labels(html).values()) == {"keep"}


def test_the_next_story_and_reader_comments_are_left_out():
    after = (
        "<div class='comments'><p>First!</p></div><p class='share'>Send it round</p><p>Odds and ends</p>"
        "<h1><a href='/2'>Another story</a></h1><p>Elsewhere a baker won the lottery.</p>"
    )
    found = labels(page(after=after), seed=seed_that_climbs())
    assert found["Send it round"] == "interface"
    assert found["Odds and ends"] == UNKNOWN
    assert not {"First!", "Another story", "Elsewhere a baker won the lottery.", "Home World"} & set(found)


def test_unlabelled_text_right_behind_a_short_gold_is_unsure():
    found = labels(page(after="<h4>Odds and ends</h4>"), seed=seed_that_climbs())
    assert found["Odds and ends"] == "unsure"


def test_boilerplate_around_the_article_is_capped():
    html = page(before="<p class='share'>Send</p>" * 90, after="<p class='share'>Send</p>" * 90)
    flat = flatten(html, GOLD, seed=seed_that_climbs(), most=7)
    assert len(flat.spans) == 14


@pytest.mark.parametrize("html", ["", "<p>Something else altogether, of quite some length indeed.</p>"])
def test_pages_that_do_not_hold_the_gold_give_nothing(html):
    assert flatten(html, GOLD) is None


def test_unknown_joiner_is_named():
    with pytest.raises(ValueError, match="unknown joiner 'tabs'; choose one of lines, glued"):
        flatten(page(), GOLD, joiner="tabs")


def test_glued_boilerplate_runs_into_what_follows():
    flat = flatten(page(within="<p>Advertisement</p>"), GOLD, joiner="glued")
    assert "cellars.\n\nAdvertisementBy noon" in flat.text
    assert "\n" not in flatten(page(), GOLD, joiner="spaces").text


def test_scripts_without_spaces_align_by_character():
    gold = "気象庁は午後九時ごろ地震があったと発表した。震源の深さは約三十キロと推定される。"
    html = f"<body><div><p>{gold}</p><figure><figcaption>揺れた町の通り</figcaption></figure></div></body>"
    flat = flatten(html, gold)
    assert [(flat.text[a:b], kind) for a, b, kind in flat.spans] == [("揺れた町の通り", "caption")]


PIECES = st.lists(
    st.sampled_from(
        [
            "<p class='share'>Send it 🌊</p>",
            "<figcaption>A ferry</figcaption>",
            "<h3>So</h3>",
            "loose<br>text",
            "<span><p>deep</p> tail</span>",
            "<!-- note -->",
        ]
    ),
    max_size=6,
)


@settings(max_examples=60, deadline=None)
@given(PIECES, PIECES, st.sampled_from(JOINERS), st.integers(0, 50))
def test_ranges_are_ordered_disjoint_and_the_same_text_under_every_joiner(within, after, joiner, seed):
    html = page(within="".join(within), after="".join(after))
    blocks = labelled_blocks(html, GOLD, seed=seed)
    flat = flatten(html, GOLD, joiner=joiner, seed=seed)
    assert flat == flatten(html, GOLD, joiner=joiner, seed=seed)
    assert [(flat.text[a:b], k) for a, b, k in flat.spans] == [
        (b.text, b.label) for b in blocks if b.label not in ("keep", "unsure")
    ]
    assert [flat.text[a:b] for a, b in flat.unsure] == [b.text for b in blocks if b.label == "unsure"]
    assert "".join(flat.text.split()) == "".join("".join(b.text.split()) for b in blocks)
    ranges = sorted([(a, b) for a, b, _ in flat.spans] + flat.unsure)
    assert all(left[1] <= right[0] for left, right in pairwise(ranges))
    assert {k for _, _, k in flat.spans} <= {*KINDS, UNKNOWN}


def test_real_pages_give_two_variants_with_mostly_article(shared_data):
    from toolkit.datasets import records

    marked = total = 0
    for _, record in zip(range(8), records("aed"), strict=False):
        items = list(variants(record))
        assert [item["joiner"] == "lines" for item in items] in ([True, False], [])
        assert items == list(variants(record))
        marked += sum(b - a for item in items for a, b, _ in item["spans"])
        total += sum(len(item["text"]) for item in items)
    assert 0.005 < marked / total < 0.3
