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


@pytest.mark.parametrize(
    "count", [lambda c: census.mentions(c, "rain"), lambda c: census.lengths(c, "url", "clean_text")]
)
def test_documents_that_were_not_cleaned_are_not_counted_as_empty(count):
    with pytest.raises(ToolkitError, match="clean_text is missing in 2 of 4 documents; clean them"):
        count(CORPUS.assign(clean_text=["Rain.", None, "On.", None]))


def test_a_corpus_without_any_clean_text_was_not_cleaned():
    none = CORPUS.assign(clean_text=None)
    assert set(census.mentions(none, "rain")["series"]) == {"as loaded"}
    with pytest.raises(ToolkitError, match="clean_text is missing in 4 of 4 documents: fill them"):
        census.lengths(none, "url", "clean_text")


def test_columns_of_arrow_are_read_like_others():
    corpus = CORPUS.assign(clean_text=CORPUS["text"], desk=["news", None, "news", "arts"])
    given = corpus.convert_dtypes(dtype_backend="pyarrow")
    spans = SPANS.convert_dtypes(dtype_backend="pyarrow")
    for count in (
        lambda c, _: census.mentions(c, "rain*"), lambda c, _: census.lengths(c, "desk", "clean_text"),
        census.kinds, census.publishers, census.removed, census.prevalence,
    ):  # fmt: skip
        pd.testing.assert_frame_equal(count(given, spans), count(corpus, SPANS), check_dtype=False)


@pytest.mark.parametrize("dtype", ["Int64", "category", "float64", "int64[pyarrow]", "str"])
def test_groups_of_any_type_may_be_missing(dtype):
    desk = pd.Series([1, 1, None, 2]).astype(dtype)
    sizes = census.lengths(CORPUS.assign(desk=desk), "desk")
    assert sizes["group"].tolist() == [*desk[:2], "(unknown)", desk[3]]
    assert sizes.groupby("group")["words"].sum()["(unknown)"] == 3


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


def test_ids_that_a_csv_made_numbers_of_are_those_of_the_corpus():
    corpus = CORPUS.assign(doc_id=["7", "8", "9", "10"])
    text = SPANS.iloc[:2].assign(doc_id=["7", "9"])
    read = text.astype({"doc_id": "int64"})
    for count in (census.kinds, census.publishers, census.removed, census.prevalence):
        pd.testing.assert_frame_equal(count(corpus, text), count(corpus, read))
        with pytest.warns(UserWarning, match=r"spans: none of its documents is in the corpus .'7' there"):
            count(CORPUS, read)
        count(corpus, read.iloc[:0])
        count(corpus.iloc[:0], read)
    sizes = corpus.assign(doc_id=[7, 8, 9, 10], characters=9).drop(columns="text")
    assert census.kinds(sizes, read)["characters"].sum() == 16
    copies = pd.DataFrame({"doc_id": [7, 8, 11], "group": [7, 7, 7], "kind": "wire"})
    assert census.exchange(corpus, copies).to_numpy().tolist() == [[1]]
    assert census.edits(corpus, copies)[["doc_id", "group"]].to_numpy().tolist() == [["8", "7"]]
    for count in (census.exchange, census.edits):
        with pytest.warns(UserWarning, match="copies: none of its documents is in the corpus"):
            count(CORPUS, copies)


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


def test_one_kind_is_a_word_and_an_unknown_one_is_refused():
    of = census.prevalence(CORPUS, SPANS.assign(kind=["appeal", "own", "own"]), kinds="appeal")
    pd.testing.assert_frame_equal(of, census.prevalence(CORPUS, SPANS, kinds=["appeal"]))
    assert census.prevalence(CORPUS, SPANS, kinds="notice")["holding"].sum() == 0
    with pytest.raises(ToolkitError, match="kinds: there is no 'apeal'; use one of appeal, promo, related"):
        census.prevalence(CORPUS, SPANS, kinds=["promo", "apeal"])


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


def test_rows_without_a_group_are_counted_too():
    table = pd.DataFrame({"desk": ["arts", None, None], "s": ["x", "x", None], "right": [True, True, False]})
    assert census.shares(table, "right", by="desk")[["label", "n"]].values.tolist() == [
        ["(unknown)", 2],
        ["arts", 1],
    ]
    both = census.shares(table, "right", by="desk", series="s")
    assert both[["label", "series"]].values.tolist() == [
        ["(unknown)", "(unknown)"],
        ["(unknown)", "x"],
        ["arts", "x"],
    ]
    assert census.means(table, by="desk", columns={"right": "right"})["n"].tolist() == [2, 1]


@pytest.mark.parametrize("dtype", [object, "boolean", "float64", "bool[pyarrow]"])
def test_a_missing_answer_is_neither_right_nor_wrong(dtype):
    table = pd.DataFrame({"desk": list("aab"), "right": pd.Series([True, None, None]).astype(dtype)})
    assert census.shares(table, "right", by="desk")[["n", "value"]].fillna(-1).values.tolist() == [
        [1, 1],
        [0, -1],
    ]


@pytest.mark.parametrize("wrong", ["yes", 0.5, 2.0])
def test_what_is_neither_true_nor_false_is_refused(wrong):
    table = pd.DataFrame({"desk": list("ab"), "right": [wrong, None]})
    with pytest.raises(
        ToolkitError, match=f"shares: right holds {wrong!r}, neither true nor false; count what"
    ):
        census.shares(table, "right", by="desk")


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
