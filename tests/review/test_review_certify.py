"""Judging random passages: blind, saved at once, and what the judgements show."""

import json
import re

import pandas as pd
import pytest

import toolkit
from toolkit import review
from toolkit.boilerplate import BoilerplateRemover
from toolkit.corpus import make_corpus
from toolkit.review import PassageReview
from toolkit.review.widget import ReviewWidget

APPEAL = "Sign up for our daily newsletter and follow us on Twitter."


@pytest.fixture(scope="module")
def corpus():
    rows = [
        {
            "doc_id": f"d{n}",
            "publisher": "x",
            "text": f"Story {n} of {word} in Lorve, told in full.\n\n{APPEAL}",
        }
        for n, word in enumerate("rain wind snow hail fog ice".split())
    ]
    return make_corpus(rows)


@pytest.fixture(scope="module")
def remover(corpus):
    return BoilerplateRemover().fit(corpus)


@pytest.fixture
def judging(remover, corpus, tmp_path):
    return PassageReview(remover, corpus, n=20, judgements=tmp_path / "j.jsonl", judge="ada")


def right(judging):
    """Judge the passage shown as whoever reads it would."""
    asked = "".join(p.text for p in judging.page().excerpts[0].pieces if p.kind is not None)
    judging.say("boilerplate" if asked in APPEAL else "article")


def test_every_judgement_is_a_line_at_once_without_text(judging):
    judging.do("note", "Zweifel")
    judging.do("article")
    row = json.loads(judging.path.read_text("utf-8"))
    assert set(row) == {"doc_id", "start", "end", "at", "verdict", "judge", "judged", "note"}
    assert (row["verdict"], row["judge"], row["note"]) == ("article", "ada", "Zweifel")
    judging.do("boilerplate")
    assert "note" not in json.loads(judging.path.read_text("utf-8").splitlines()[1])
    assert judging.position == 2
    judging.do("undo")
    assert judging.position == 1
    assert judging.page().done == 1


def test_a_new_kernel_goes_on_and_shows_the_same_certificate(judging, remover, corpus):
    while judging.page().done < judging.page().total:
        right(judging)
    given = judging.certificate()
    assert given.strata["removed"].wrong == given.strata["kept"].wrong == 0
    assert given.n == 20
    again = PassageReview(remover, corpus, n=20, judgements=judging.path, judge="ada")
    assert again.certificate() == given
    assert toolkit.certify(corpus, remover.spans(corpus), judging.judged) == given
    assert str(given) in dict(again.page().facts)["so far"]
    assert repr(again).startswith(
        f"Certify: {again.page().total} of {again.page().total} passages judged; j.jsonl; At"
    )


def test_the_judge_is_not_told_what_the_remover_did(judging, corpus):
    for _ in range(len(judging._subjects)):
        page = judging.page()
        assert {p.kind for p in page.excerpts[0].pieces} == {None, ""}
        assert not {"removed", "near", "kept", "promo"} & set(
            re.findall(r"\w+", str(page.facts[:2]) + page.heading)
        )
        asked = [p for p in page.excerpts[0].pieces if p.asked]
        assert len(asked) == 1
        assert " " not in asked[0].text
        judging.do("next")


def test_skipping_counts_as_doubt(judging):
    judging.do("unsure")
    assert judging.certificate().n == 1
    assert sum(part.wrong for part in judging.certificate().strata.values()) == 1


def test_two_judges_side_by_side(judging, remover, corpus, tmp_path):
    other = PassageReview(remover, corpus, n=20, judgements=tmp_path / "ben.jsonl", judge="ben")
    for each in (judging, other):
        while each.page().done < each.page().total:
            right(each)
    both = toolkit.certify(corpus, judging.spans, pd.concat([judging.judged, other.judged]))
    assert (both.judges, both.agreement, both.n) == (2, 1.0, 20)
    table = review.agreement(ada=judging.path, ben=other.path)
    assert table["agree"].all()


def test_wrong_lines_and_words_are_named(judging):
    with pytest.raises(ValueError, match="'promo' is no verdict; article, boilerplate, unsure are"):
        judging.say("promo")
    judging.path.write_text('{"doc_id": "d0", "start": 0, "end": 3, "at": 1, "verdict": "yes"}\n', "utf-8")
    with pytest.raises(ValueError, match=r"j\.jsonl#1: .* is no judgement \(verdict is 'yes'\)"):
        judging.page()


def test_an_unfitted_remover_and_an_empty_corpus_do(tmp_path):
    judging = PassageReview(BoilerplateRemover(), ["Rain fell."], n=9, judgements=tmp_path / "j.jsonl")
    right(judging)
    assert judging.certificate().article_lost == 0
    empty = PassageReview(BoilerplateRemover(), [], judgements=tmp_path / "k.jsonl")
    assert empty.page().heading == "This corpus has no text"
    assert empty.certificate() is None


def test_the_widget_saves_no_text(judging, pages):
    widget = ReviewWidget(judging)
    sent = pages(widget)
    for action in ("show", "article", "boilerplate", "undo"):
        widget._answer(widget, {"do": action}, [])
    widget._answer(widget, {"do": "note", "value": "<b>x</b>"}, [])
    assert sent[-1]["fields"][0]["value"] == "<b>x</b>"
    assert "told in full" not in json.dumps([widget.get_state(), widget._repr_mimebundle_()], default=str)


def test_a_line_helps_where_the_kernel_and_with_it_the_widget_is_gone(judging, monkeypatch):
    shown = []
    monkeypatch.setattr("toolkit.review.widget.display", lambda data, raw: shown.append(data))
    ReviewWidget(judging)._ipython_display_()
    line, widget = shown
    assert "run this cell again" in line["text/plain"]
    assert widget["text/plain"] == repr(judging)
    assert "application/vnd.jupyter.widget-view+json" in widget


def test_certify_opens_the_widget(remover, corpus, tmp_path):
    widget = review.certify(corpus, remover, n=10, seed=1, judgements=tmp_path / "j.jsonl")
    assert widget.review.sample.equals(PassageReview(remover, corpus, n=10, seed=1).sample)
