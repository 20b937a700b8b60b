import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit import census
from toolkit.corpus import make_corpus
from toolkit.errors import ToolkitError

CORPUS = make_corpus(
    [
        {"doc_id": "a", "text": "Vote now. Rain.", "publisher": "x.org", "published": "2032-01-05"},
        {"doc_id": "b", "text": "It rained on.", "publisher": "x.org", "published": "2032-02-05"},
        {"doc_id": "c", "text": "Nothing at all", "publisher": "y.org", "published": "2032-04-30T23:59Z"},
        {"doc_id": "d", "text": "Undated", "publisher": None},
    ]
)
SPANS = pd.DataFrame(
    [("a", 0, 9, "appeal"), ("c", 0, 7, "promo"), ("elsewhere", 0, 5, "promo")],
    columns=["doc_id", "start", "end", "kind"],
)


def test_months_counts_the_undated_too():
    table = census.months(CORPUS)
    assert table["documents"].sum() == len(CORPUS)
    assert table.set_index("month")["documents"][pd.Timestamp("2032-02-01")] == 1
    assert table.loc[table["month"].isna(), "documents"].tolist() == [1]


def test_lengths_counts_words_of_each_document():
    assert census.lengths(CORPUS).to_numpy().tolist() == [
        ["x.org", 3],
        ["x.org", 3],
        ["y.org", 3],
        ["(unknown)", 1],
    ]


def test_removed_has_every_publisher_and_kind_and_counts_only_the_corpus():
    table = census.removed(CORPUS, SPANS).set_index(["publisher", "kind"])
    assert table["characters"].to_dict() == {
        ("(unknown)", "appeal"): 0, ("x.org", "appeal"): 9, ("y.org", "appeal"): 0,
        ("(unknown)", "promo"): 0, ("x.org", "promo"): 0, ("y.org", "promo"): 7,
    }  # fmt: skip
    assert table.loc["x.org"].iloc[0][["of", "documents"]].tolist() == [28, 2]


def test_kinds_sum_to_what_was_removed():
    table = census.kinds(CORPUS, SPANS)
    assert table["kind"].tolist() == ["appeal", "promo"]
    assert table["characters"].sum() == census.removed(CORPUS, SPANS)["characters"].sum()
    assert table["share"].sum() == pytest.approx(16 / CORPUS["text"].str.len().sum())


def test_prevalence_counts_dated_documents_by_period():
    table = census.prevalence(CORPUS, SPANS, kinds=["appeal"])
    assert table[["documents", "holding"]].to_numpy().tolist() == [[2, 1], [1, 0]]
    assert table["period"].tolist() == [pd.Timestamp("2032-01-01"), pd.Timestamp("2032-04-01")]
    assert table["low"].iloc[0] < 0.5 < table["high"].iloc[0]
    assert set(census.prevalence(CORPUS, SPANS)["series"]) == {"appeal", "promo"}
    # what has no date is counted, not lost without a word
    assert table.attrs["undated"] == census.mentions(CORPUS, "rain").attrs["undated"] == 1


def test_mentions_are_of_whole_words_in_any_case():
    columns = {"text": "as loaded"}
    assert census.mentions(CORPUS, "RAIN", columns)["holding"].tolist() == [1, 0]
    assert census.mentions(CORPUS, "rained on", columns)["holding"].tolist() == [1, 0]
    assert census.mentions(CORPUS, ".", {"text": "dots"})["holding"].sum() == 0
    assert census.mentions(CORPUS, ["snow", "rain*"], columns)["holding"].tolist() == [2, 0]
    with pytest.raises(ToolkitError, match="a word is wanted, such as 'strike' or 'strike\\*'"):
        census.mentions(CORPUS, ["*"], columns)


@given(st.integers(0, 50), st.integers(0, 50))
def test_rate_lies_in_its_interval(part, more):
    found = census.rate(part, part + more)
    if part + more:
        assert 0 <= found["low"] <= found["share"] <= found["high"] <= 1
    else:
        assert np.isnan(list(found.values())).all()


def test_means_have_intervals_where_there_are_several():
    table = census.means(
        pd.DataFrame({"who": ["a", "a", "b"], "kept": [0.0, 1.0, 0.5]}),
        by="who",
        columns={"kept": "kept words"},
    )
    assert table["value"].tolist() == [0.5, 0.5]
    assert table.loc[0, ["low", "high"]].tolist() == [0, 1]
    assert table.loc[1, ["low", "high"]].isna().all()


def test_shares_by_series():
    answers = pd.DataFrame({"t": ["a", "a", "b"], "s": ["x", "y", "x"], "right": [True, False, True]})
    table = census.shares(answers, "right", by="t", series="s")
    assert table[["label", "series", "n", "value"]].to_numpy().tolist() == [
        ["a", "x", 1, 1.0],
        ["a", "y", 1, 0.0],
        ["b", "x", 1, 1.0],
    ]


STORY = "The harbour was closed on Monday after a freighter ran on to the reef in thick fog."


def wire(*rows):
    corpus = make_corpus(
        [{"doc_id": i, "text": t, "publisher": p, "published": d, "title": h} for i, t, p, d, h in rows]
    )
    copies = pd.DataFrame({"doc_id": [r[0] for r in rows], "group": rows[0][0], "kind": "wire"})
    return corpus, copies


def test_exchange_counts_from_the_first_to_the_others():
    corpus, copies = wire(
        ("1", STORY, "a.org", "2032-01-01", "x"),
        ("2", STORY, "b.org", "2032-01-02", "x"),
        ("3", STORY, "b.org", "2032-01-03", "x"),
    )
    table = census.exchange(corpus, copies)
    assert table.loc["a.org", "b.org"] == 2
    assert (table.index.name, table.columns.name) == ("ran it first", "ran it too")
    assert census.exchange(corpus, copies.assign(kind="near")).empty


def test_edits_tell_cut_from_rewritten():
    added = "A spokesman of the port said that nobody was hurt and that the reef was charted."
    corpus, copies = wire(
        ("1", f"{STORY} {added}", "a.org", "2032-01-01T00:00Z", "Reef"),
        ("2", STORY, "b.org", "2032-01-01T06:00Z", "reef"),
        ("3", f"{STORY} Something else entirely was written here by hand.", "c.org", None, "Fog"),
    )
    table = census.edits(corpus, copies).set_index("doc_id")
    assert table.loc["2", ["new", "hours", "retitled"]].tolist() == [0, 6, False]
    assert 0.4 < table.loc["2", "kept"] < 0.6
    assert table.loc["3", "new"] > 0.3
    assert table.loc["3", "retitled"]
    assert np.isnan(table.loc["3", "hours"])


def test_edits_read_the_text_where_nothing_was_cleaned():
    corpus, copies = wire(("1", STORY, "a.org", None, "x"), ("2", STORY, "b.org", None, "x"))
    assert census.edits(corpus.assign(clean_text=None), copies)["kept"].item() == 1


def test_edits_of_nothing():
    corpus, copies = wire(("1", "", "a.org", None, None), ("2", "", "b.org", None, None))
    assert np.isnan(census.edits(corpus, copies)["kept"].item())
    assert census.edits(corpus, copies.iloc[:0]).empty
