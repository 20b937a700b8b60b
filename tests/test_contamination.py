import doctest

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import toolkit
from benchmarks.contamination import NEWSLETTER, contamination_table, show_rates
from toolkit import contamination
from toolkit.boilerplate.spans import SPAN_COLUMNS
from toolkit.contamination import (
    APPEAL as LONG_APPEAL,
)
from toolkit.contamination import (
    audit,
    flip_rates,
    insertion,
    shifts,
    with_passage,
)
from toolkit.corpus import make_corpus
from toolkit.topics import TopicClassifier

STORY = "The striker scored twice as the home team won the cup final on Saturday."
APPEAL = "Your vote decides the election: support our reporting on parliament, the president and the party."


@pytest.fixture(scope="module")
def classifier():
    return TopicClassifier()


@pytest.fixture(scope="module")
def cleaned():
    texts = [STORY + "\n" + 4 * (APPEAL + "\n"), STORY]
    return pd.DataFrame({"doc_id": ["a", "b"], "text": texts, "clean_text": [STORY, STORY]})


def test_shifts_compares_the_same_documents(cleaned, classifier):
    table = shifts(cleaned, classifier).set_index("doc_id")
    assert table.loc["a", "before_name"] != "sport"
    assert table.loc["a", "after_name"] == "sport"
    assert table["changed"].tolist() == [True, False]
    assert table.loc["b", "moved"] == 0
    assert table.loc["a", "moved"] > 0
    assert table.loc["a", "after"] == table.loc["b", "after"]


class Known(toolkit.BoilerplateRemover):
    """A remover that finds just the appeals it is told, so that the tests rest on no trained model."""

    def spans(self, X):
        rows = [
            (doc_id, at, at + len(passage), kind, 1.0, "rule", None)
            for doc_id, text in zip(X["doc_id"], X["text"], strict=True)
            for passage, kind in ((4 * (APPEAL + "\n"), "appeal"), (LONG_APPEAL, "promo"))
            if (at := text.find(passage)) >= 0
        ]
        types = ("str", "int64", "int64", "str", "float64", "str", "str")
        return pd.DataFrame(rows, columns=list(SPAN_COLUMNS)).astype(
            dict(zip(SPAN_COLUMNS, types, strict=True))
        )


@pytest.fixture(scope="module")
def polluted():
    records = [
        {"doc_id": "a", "text": 4 * (APPEAL + "\n") + STORY, "publisher": "x.org"},
        {"doc_id": "b", "text": STORY, "publisher": "x.org"},
        {"doc_id": "c", "text": STORY + " " + LONG_APPEAL},
        {"doc_id": "d", "text": ""},
    ]
    return make_corpus(records)


def test_audit_counts_flips_by_publisher_kind_and_length(polluted, classifier):
    table = toolkit.audit(polluted, Known(), classifier)
    assert table.columns.tolist() == [
        "by", "group", "documents", "cleaned", "changed", "share", "low", "high"
    ]  # fmt: skip
    rows = table.set_index(["by", "group"])
    assert rows.loc[("all", "documents"), ["documents", "cleaned"]].tolist() == [4, 2]
    assert rows.loc[("publisher", "x.org"), ["documents", "cleaned", "changed", "share"]].tolist() == [
        2,
        1,
        1,
        0.5,
    ]
    assert rows.loc[("publisher", "(unknown)"), "documents"] == 2
    assert rows.loc[("kind", "appeal"), ["documents", "changed"]].tolist() == [1, 1]
    assert rows.loc[("kind", "promo"), "documents"] == 1
    lengths = table[table["by"] == "length"]
    assert lengths["group"].tolist() == ["under 50 words", "50–199 words"]
    assert lengths["documents"].tolist() == [2, 2]
    assert lengths["changed"].sum() == rows.loc[("all", "documents"), "changed"]
    assert ((table["low"] <= table["share"]) & (table["share"] <= table["high"])).all()
    # Wilson's interval of one in two, by hand
    z = 1.959964
    low = (0.5 + z**2 / 4 - z * np.sqrt(0.125 + z**2 / 16)) / (1 + z**2 / 2)
    assert rows.loc[("publisher", "x.org"), "low"] == pytest.approx(low, abs=1e-6)


def test_audit_reads_the_text_as_loaded(polluted, classifier):
    whole = audit(polluted, Known(), classifier)
    pd.testing.assert_frame_equal(whole, audit(polluted.assign(clean_text=STORY), Known(), classifier))


def test_audit_of_nothing(classifier):
    table = audit(make_corpus([]), Known(), classifier)
    assert table["documents"].tolist() == [0]
    assert table["share"].isna().all()


def test_audit_works_at_once():
    changed = audit([STORY, STORY + " More."])["changed"].tolist()
    assert changed == [0] * 4  # a row for each topic that is listed


def test_cleaning_undoes_what_a_passage_did(classifier):
    corpus = make_corpus({"doc_id": str(i), "text": f"{STORY} {i} came."} for i in range(3))
    found = insertion(corpus, Known(), classifier)
    assert found["flipped"].tolist() == [True] * 3
    assert found["flipped_cleaned"].tolist() == [False] * 3
    assert (found["inserted_cleaned"] == found["alone"]).all()
    rates = flip_rates(found).set_index("group")
    assert rates["documents"].tolist() == [3, 3, 3]
    assert rates.loc["undone by cleaning", "share"] == 1
    left = insertion(corpus, Known(), classifier, passage=4 * APPEAL)
    assert flip_rates(left)["changed"].tolist() == [3, 3, 0]


def test_rates_of_no_flip_are_missing():
    rates = flip_rates(pd.DataFrame({"flipped": [False], "flipped_cleaned": [False]}))
    assert rates["documents"].tolist() == [1, 1, 0]
    assert rates["share"].isna().tolist() == [False, False, True]


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=80), st.floats(0, 1))
def test_a_passage_is_added_and_no_word_lost(text, place):
    out = with_passage([text], "⟦P⟧", place)["text"].item()
    assert "".join(out.replace("⟦P⟧", "", 1).split()) == "".join(text.split())
    assert out.count("⟦P⟧") == text.count("⟦P⟧") + 1


def test_a_passage_stands_where_it_is_said_to():
    text = "One fell. Two stood! Three ran."
    placed = [with_passage([text], "P", place)["text"].item() for place in (0, 0.3, 0.6, 1)]
    assert placed == [
        "POne fell. Two stood! Three ran.",
        "One fell.PTwo stood! Three ran.",
        "One fell. Two stood!PThree ran.",
        "One fell. Two stood! Three ran.P",
    ]
    with pytest.raises(ValueError, match=r"place=2: a share of the text between 0 \(first\) and 1"):
        with_passage([text], "P", 2)


def test_the_passages_are_as_long_as_they_say():
    assert (len(LONG_APPEAL.split()), len(NEWSLETTER.split())) == (154, 100)


def test_the_table_of_the_evaluation_shows_every_mode():
    table = contamination_table({"few": make_corpus([{"text": STORY}])}, passages={"appeal": LONG_APPEAL})
    assert table["remover"].tolist() == ["with fit"] * 3 + ["single documents"] * 3
    assert len(show_rates(table).splitlines()) == 2 + 6
    assert "| few | appeal | with fit | insertion | before cleaning | 1 |" in show_rates(table)


def test_examples():
    assert doctest.testmod(contamination).failed == 0
