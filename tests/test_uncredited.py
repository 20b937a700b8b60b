"""Training text made of articles: captions without credits, and other articles' titles for links."""

import pandas as pd
import pytest

from toolkit.boilerplate.passages import insert_headlines
from toolkit.boilerplate.uncredited import credited_lines, said, without_credits
from toolkit.corpus import make_corpus

SAID = "Snow lies on the harbour of Ostermouth."


@pytest.mark.parametrize(
    "caption",
    [
        f"{SAID} (Ann Lee/Reuters)",
        f"{SAID} [File: Ann Lee/Al Jazeera]",
        f"{SAID} Ann Lee / Getty Images",
        f"{SAID} Ann de Lee/AFP via Getty Images, FILE",
        f"{SAID} Photo: Ann Lee",
        f"{SAID} AP Photo/Ann Lee",
        f"{SAID} Reuters",
        f"Image copyright Getty Images Image caption {SAID}",
        f"  Enlarge this image toggle caption {SAID} Ann Lee/NPR\n",
    ],
)
def test_what_a_caption_says_stands_between_its_label_and_its_credit(caption):
    assert caption[slice(*said(caption))] == SAID


@pytest.mark.parametrize(
    "caption",
    [SAID, "Snow (Ann Lee/Reuters)", "", "  ", "The council met on Monday, said Ann Lee of Reuters."],
)
def test_prose_and_mere_credits_are_left_alone(caption):
    assert said(caption) is None


def test_articles_lose_credits_and_their_spans_move_along():
    text = f"Share\n{SAID} (Ann Lee/Reuters)\nThe council met. Read more\n{SAID} Photo: Bo Dahl"
    corpus = make_corpus([{"doc_id": "a", "text": text}, {"doc_id": "b", "text": "The council met."}])
    link, last = text.index("Read more"), text.rindex(SAID)
    marks = [
        (0, 5, "interface"),
        (6, 64, "caption"),
        (link, link + 9, "related"),
        (last, len(text), "caption"),
    ]
    spans = pd.DataFrame([("a", *mark) for mark in marks], columns=["doc_id", "start", "end", "kind"])
    made, moved = without_credits(corpus, spans)
    assert made["doc_id"].tolist() == ["a/uncredited"]
    left = made["text"].iloc[0]
    assert left == f"Share\n{SAID}\nThe council met. Read more\n{SAID}"
    pieces = [left[start:end] for start, end in moved[["start", "end"]].itertuples(index=False)]
    assert pieces == ["Share", f"{SAID}\n", "Read more", SAID]
    assert (made.dtypes == corpus[made.columns].dtypes).all()


def test_lines_with_a_credit_are_captions_and_of_the_rest_nothing_is_said():
    quoted = "“Snow lies on the harbour of Ostermouth” (Ann Lee/Reuters)"
    text = f"The council met.\n\n{SAID} (Ann Lee/Reuters)\n{quoted}\nIt rained."
    corpus = make_corpus([{"doc_id": "a", "text": text}, {"doc_id": "b", "text": "The council met."}])
    made, marks = credited_lines(corpus)
    left = made["text"].iloc[0]
    assert left == f"The council met.\n\n{SAID}\n{quoted}\nIt rained."
    rows = marks[["start", "end", "kind"]].itertuples(index=False)
    assert [(left[start:end], kind) for start, end, kind in rows] == [
        ("The council met.", "unsure"), (SAID, "caption"), (quoted, "unsure"), ("It rained.", "unsure"),
    ]  # fmt: skip


def test_titles_of_other_publishers_stand_between_lines_and_are_marked():
    story = [f"The council met for the {n}th time.\nIt rained.\n\nThe ferry stayed in." for n in range(60)]
    corpus = make_corpus(
        {"doc_id": str(n), "text": text, "title": "Snow on the harbour again", "publisher": "own.example"}
        for n, text in enumerate(story)
    )
    others = corpus.assign(title="Ferry stays in for a week", publisher="other.example")
    spans = pd.DataFrame(
        [(str(n), text.index("It rained"), text.index("\n\n"), "notice") for n, text in enumerate(story)],
        columns=["doc_id", "start", "end", "kind"],
    )
    made, marks = insert_headlines(corpus, spans, pd.concat([corpus, others]))
    assert 5 < len(made) < 40
    texts = dict(zip(made["doc_id"], made["text"], strict=True))
    for kind, shown in (("related", "Ferry stays in for a week"), ("notice", "It rained.")):
        chosen = marks[marks["kind"] == kind]
        assert len(chosen)
        for doc_id, start, end in chosen[["doc_id", "start", "end"]].itertuples(index=False):
            assert texts[doc_id][start:end].endswith(shown)
    assert set(marks["kind"]) == {"related", "notice"}
    for doc_id, text in texts.items():
        for start, end in marks.loc[marks["doc_id"] == doc_id, ["start", "end"]].itertuples(index=False):
            text = text.replace(texts[doc_id][start:end], "", 1)
        left = [line for line in text.split("\n") if line]
        assert left == [
            f"The council met for the {doc_id.removesuffix('/linked')}th time.",
            "The ferry stayed in.",
        ]
