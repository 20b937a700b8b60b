"""What a corpus is: columns, dtypes, ids, and the errors that say what is wrong with one."""

from __future__ import annotations

import doctest
import pickle
from pathlib import Path

import pandas as pd
import pytest

from toolkit import corpus
from toolkit.corpus import (
    COLUMNS,
    PUBLISHED_DTYPE,
    QUARANTINE_COLUMNS,
    CorpusError,
    as_corpus,
    document_id,
    make_corpus,
    quarantine,
    registrable_domain,
)
from toolkit.fields import url_key


def test_examples_in_docstrings_run():
    assert doctest.testmod(corpus).failed == 0


def test_make_corpus_has_every_column_in_its_dtype():
    made = make_corpus([{"text": "One.", "published": "2020-01-02T03:04:05Z", "label": "x"}])
    assert tuple(made.columns) == (*COLUMNS, "label")
    assert [str(made[name].dtype) for name in COLUMNS[:-1]] == ["str"] * 8
    assert str(made["published"].dtype) == PUBLISHED_DTYPE
    assert tuple(made.attrs["quarantine"].columns) == QUARANTINE_COLUMNS
    assert made["doc_id"].tolist() == [document_id("", "One.")]


def test_document_ids_differ_by_place_and_by_text():
    ids = {document_id(place, text) for place in ("a#1", "a#2") for text in ("x", "y")}
    assert len(ids) == 4
    assert all(len(i) == 16 for i in ids)


def test_as_corpus_adds_what_is_missing_and_keeps_index_and_order():
    frame = pd.DataFrame({"text": ["b", "a"], "doc_id": ["2", "1"], "more": [1, 2]}, index=[7, 3])
    made = as_corpus(frame)
    assert made.index.tolist() == [7, 3]
    assert made["more"].tolist() == [1, 2]
    assert made["publisher"].isna().all()
    assert "publisher" not in frame.columns


def test_as_corpus_takes_series_and_lists():
    assert as_corpus(pd.Series(["x"], index=["k"]))["doc_id"].tolist() == ["k"]
    both = pd.DataFrame({"doc_id": ["2", "1"], "text": "x"}).set_index("doc_id", drop=False)
    assert as_corpus(both).sort_values("doc_id").index.tolist() == ["1", "2"]  # no name that stands twice
    assert as_corpus(["x", "y"])["doc_id"].tolist() == ["0", "1"]


def test_corpora_with_different_quarantines_concatenate_and_merge():
    one = make_corpus([{"text": "x"}], pd.DataFrame({"source": ["a"], "reason": ["r"], "excerpt": [""]}))
    two = make_corpus([{"text": "y"}])
    assert len(pd.concat([one, two.copy()])) == 2
    assert len(one.merge(two.assign(n=1), on="doc_id")) == 0
    assert one.attrs["quarantine"] == one.copy().attrs["quarantine"]
    assert one.copy().attrs["quarantine"]["source"].tolist() == ["a"]
    with pytest.raises(CorpusError, match="carries no quarantine"):
        quarantine(pd.concat([one, two]))


def test_a_quarantine_outlives_files_and_says_what_their_metadata_do_not_hold(tmp_path):
    rows = pd.DataFrame([(f"a#{n}", "not JSON", "{") for n in range(1_500)], columns=list(QUARANTINE_COLUMNS))
    made = make_corpus([{"text": "x"}], rows)
    pd.testing.assert_frame_equal(quarantine(pickle.loads(pickle.dumps(made))), rows)
    made.to_parquet(tmp_path / "a.parquet")
    held = quarantine(pd.read_parquet(tmp_path / "a.parquet"))
    assert held["source"].tolist()[:2] == ["a#0", "a#1"]
    assert (len(held), held["reason"].iloc[-1]) == (
        1_001,
        "500 more records, which the file's metadata do not hold",
    )
    assert len(quarantine(make_corpus([{"text": "x"}]))) == 0


@pytest.mark.parametrize(
    ("documents", "message"),
    [
        (__file__, "is a place, not a text; load it first"),
        (Path(__file__), "is a place, not a text; load it first"),
        (5, "int holds no texts; pass a text (str)"),
        (None, "NoneType holds no texts"),
        (b"bytes", "bytes holds no texts"),
        ({"text": "x"}, "pass one document as [document]"),
        ({"text": ["x", "y"], "lang": ["en"]}, "a list for each column, all of one length"),
        ("https://news.example/1", "is a place, not a text; load it first"),
        (pd.DataFrame({"words": ["x"]}), "no text column; found 'words'"),
        (pd.DataFrame({}), "no text column; found no columns"),
        (pd.DataFrame([["x", "y"]], columns=["text", "text"]), "the column 'text' stands more than once"),
        (
            pd.DataFrame({"text": ["x", "\ud800"]}, index=["a", "b"], dtype=object),
            "row 'b' holds a lone surrogate in text",
        ),
        (["x", "a\udc80b"], "row 1 holds a lone surrogate in text"),
        ([{"text": ["x", "\ud800"]}], "row 0 holds a lone surrogate in text"),
        (
            pd.DataFrame({"text": ["x"], "title": ["\ud800"]}, dtype=object),
            "row 0 holds a lone surrogate in title",
        ),
        (
            pd.DataFrame({"text": ["x"], "published": ["garbage"]}, index=["b"]),
            "row 'b' has 'garbage' for published",
        ),
        (pd.DataFrame({"text": ["x", None]}), "row 1 has no text"),
        (pd.DataFrame({"text": ["x", 5]}), "row 1 holds int, not text"),
        (pd.DataFrame({"text": ["x", "y"], "doc_id": ["a", "a"]}), "doc_id 'a' stands more than once"),
        (pd.DataFrame({"text": ["x", "y"], "doc_id": ["a", None]}), "row 1 has no doc_id"),
    ],
)
def test_what_is_no_corpus_is_refused_in_one_line(documents, message):
    with pytest.raises(CorpusError) as caught:
        as_corpus(documents)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_texts_that_stand_in_two_columns_by_turns_are_all_read():
    frame = pd.DataFrame({"body": ["a", None, " ", None], "content": [None, "b", None, "d"]})
    assert as_corpus(frame)["text"].tolist() == ["a", "b", "", "d"]
    with pytest.raises(CorpusError, match="row 4 has no text"):
        as_corpus(frame.reindex(range(5)))
    own = pd.DataFrame({"text": ["a", "", None, " \n"], "body": ["x", "b", "c", None]}, index=[7, 8, 9, 10])
    assert as_corpus(own)["text"].tolist() == ["a", "b", "c", " \n"]
    assert as_corpus(own.set_axis([7, 7, 8, 8]).assign(doc_id=range(4)))["text"].tolist() == [
        "a",
        "b",
        "c",
        " \n",
    ]
    assert as_corpus(own.drop(index=9), {"text": "text"})["text"].tolist() == ["a", "", " \n"]


@pytest.mark.parametrize(
    ("url", "domain"),
    [
        ("https://www.bbc.co.uk/news/1", "bbc.co.uk"),
        ("http://user:pw@edition.cnn.com:8080/x?y#z", "cnn.com"),
        ("www.npr.org", "npr.org"),
        ("//news.example.com/1", "example.com"),
        ("HTTPS://WWW.Spiegel.DE/", "spiegel.de"),
        ("https://192.168.0.1/x", None),
        ("http://[::1", None),
        ("not a url", None),
        ("", None),
        (None, None),
        ("javascript:alert(1)", None),
        ("mailto:someone@example.org", None),
        ("localhost:8080/x", None),
        ("example.org:8080/x", "example.org"),
        ("https://web.archive.org/web/20210306000000/https://www.bbc.co.uk/news/1", "bbc.co.uk"),
        ("web.archive.org/web/2021id_/http:/post.example.com:80/a", "example.com"),
        ("https://web.archive.org/about", "archive.org"),
        ("https://www-npr-org.cdn.ampproject.org/c/s/www.npr.org/1", "npr.org"),
        ("https://www.google.com/amp/s/amp.npr.org/1", "npr.org"),
    ],
)
def test_registrable_domain(url, domain):
    assert registrable_domain(url) == domain


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("https://www.post.example/a/1/", "http://post.example/a/1", True),
        ("https://post.example:443/a?b=2&a=1&utm_source=x#c", "//m.post.example/a?a=1&b=2", True),
        ("https://post.example/a/index.html?fbclid=9", "https://amp.post.example/a/", True),
        ("https://post.example/", "post.example", True),
        (
            "https://web.archive.org/web/20210306000000im_/https://post.example/a",
            "https://post.example/a",
            True,
        ),
        (
            "https://web.archive.org/web/20210306000000/https://post.example/a",
            "https://post.example/b",
            False,
        ),
        ("https://post.example/a?id=1", "https://post.example/a?id=2", False),
        ("https://post.example/a", "https://post.example/b", False),
        ("https://sport.post.example/a", "https://post.example/a", False),
    ],
)
def test_addresses_of_one_page_have_one_key(one, other, same):
    assert (url_key(one) == url_key(other)) == same
    assert url_key(None) is url_key("mailto:a@b.example") is None


def test_an_empty_corpus_has_the_types_of_any_other():
    for nothing in ([], pd.Series([], dtype="str"), pd.DataFrame({"text": pd.Series([], dtype="str")})):
        assert as_corpus(nothing)["doc_id"].dtype == as_corpus(["A story."])["doc_id"].dtype
