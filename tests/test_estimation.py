"""Prevalence: the corrected share is right where the classifier is biased, and the intervals cover."""

import io

import numpy as np
import pandas as pd
import pytest

from toolkit.errors import CorpusError
from toolkit.estimation import LEAST, corrected, inverted, prevalence
from toolkit.topics import taxonomy

SETTINGS = [(0.02, 0.6, 0.01), (0.1, 0.7, 0.05), (0.3, 0.9, 0.2), (0.5, 0.5, 0.1), (0.05, 1.0, 0.0)]
"""Share of a topic, and how often a classifier finds it where it is and where it is not."""


def world(random, n, share, right, false):
    true = random.random(n) < share
    return true, np.where(true, random.random(n) < right, random.random(n) < false)


def counts(has, true):
    return (int(x.sum()) for x in (has & true, has & ~true, ~has & true, ~has & ~true))


@pytest.mark.parametrize("labelled", [40, 200])
def test_intervals_of_a_group_by_its_own_errors_cover(labelled):
    random = np.random.default_rng(7)
    covered, n, trials = [], 2_000, 60
    for share, right, false in SETTINGS:
        for _ in range(trials):
            true, has = world(random, n, share, right, false)
            at = random.choice(n, labelled, replace=False)
            _, (low, high) = corrected(int(has.sum()), n, *counts(has[at], true[at]), random)
            covered.append(low <= true.mean() <= high)
    assert np.mean(covered) >= 0.94


def test_intervals_by_pooled_errors_cover_though_shares_differ_between_groups():
    random = np.random.default_rng(8)
    covered, errors = [], []
    for share, right, false in SETTINGS:
        for _ in range(60):
            true, has = world(random, 400, share, right, false)
            more = min(1, 3 * share)  # a month with three times as much
            mine, found = world(random, 300, more, right, false)
            value, (low, high) = inverted(int(found.sum()), 300, *counts(has, true), random)
            covered.append(low <= mine.mean() <= high)
            errors.append((abs(value - mine.mean()), abs(found.mean() - mine.mean())))
    assert np.mean(covered) >= 0.94
    ours, counted = np.mean(errors, axis=0)
    assert ours < 0.5 * counted


def corpus_of(n=1_200, seed=3):
    random = np.random.default_rng(seed)
    late = np.arange(n) % 2 == 1
    true, has = world(random, n, 0.2 + 0.3 * late, 0.6, 0.1)
    frame = pd.DataFrame(
        {
            "doc_id": [f"d{i}" for i in range(n)],
            "text": ["x"] * n,
            "publisher": np.where(np.arange(n) % 3 == 0, "a.example", "b.example"),
            "published": pd.to_datetime(np.where(late, "2031-02-10", "2031-01-10"), utc=True),
        }
    )
    topics = pd.DataFrame({"doc_id": frame["doc_id"][has], "topic": "15000000"})
    sample = random.choice(n, 300, replace=False)
    labels = {f"d{i}": {"15000000"} if true[i] else {"11000000"} for i in sample}
    return frame, topics, labels, true, late


def test_the_corrected_share_is_near_the_true_one_in_all_and_by_month():
    frame, topics, labels, true, late = corpus_of()
    whole = prevalence(frame, topics, labels).set_index("topic").loc["15000000"]
    assert abs(whole["share"] - true.mean()) < abs(whole["raw"] - true.mean())
    assert whole["low"] <= true.mean() <= whole["high"]
    assert whole["name"] == "sport"
    months = prevalence(frame, topics, labels, by="month")
    months = months[months["topic"] == "15000000"].set_index("month")
    for day, part in (("2031-01-01", ~late), ("2031-02-01", late)):
        row = months.loc[pd.Timestamp(day)]
        assert row["low"] <= true[part].mean() <= row["high"]
        assert row["documents"] == part.sum()


def test_small_groups_are_corrected_by_the_errors_of_all_and_say_so():
    frame, topics, labels, *_ = corpus_of()
    few = dict(list(labels.items())[: 3 * LEAST])
    table = prevalence(frame, topics, few, by=["month", "publisher"])
    assert set(table["method"]) == {"own", "pooled"}
    assert (table.loc[table["method"] == "pooled", "labelled"] < LEAST).all()
    assert list(table.columns[:3]) == ["month", "publisher", "topic"]
    assert ((table["low"] <= table["share"]) & (table["share"] <= table["high"])).all()


def test_the_result_does_not_depend_on_the_order_of_rows_and_comes_back_the_same():
    frame, topics, labels, *_ = corpus_of(300)
    once = prevalence(frame, topics, labels, by="publisher")
    frame, topics = (table.sample(frac=1, random_state=0) for table in (frame, topics))
    again = prevalence(frame, topics, labels, by="publisher")
    pd.testing.assert_frame_equal(once, again)


def test_one_topic_a_document_is_taken_from_predict_too():
    frame, topics, labels, *_ = corpus_of(300)
    leading = frame["doc_id"].map(dict(zip(topics["doc_id"], topics["topic"], strict=True)))
    pd.testing.assert_frame_equal(prevalence(frame, leading, labels), prevalence(frame, topics, labels))


def test_what_cannot_be_estimated_is_said_in_one_line():
    frame, topics, labels, *_ = corpus_of(300)
    wrong = {
        "not in the corpus": {"labelled": labels | {"elsewhere": "15000000"}},
        "random sample of 30": {"labelled": dict(list(labels.items())[:29])},
        "no column 'desk'": {"by": "desk"},
        "no column 'topic'; found 'doc_id', 'label'; pass toolkit.TopicClassifier": {
            "topics": topics.rename(columns={"topic": "label"})
        },
        "one a document": {"topics": pd.Series(["15000000"])},
        "topics: a NoneType is no table; pass toolkit": {"topics": None},
        "topics: none of its documents is in the corpus": {"topics": topics.assign(doc_id=topics.index)},
        "a list does not say of which documents": {"labelled": ["15000000"] * 300},
        "'chess' is neither the code nor the name": {"labelled": dict.fromkeys(labels, "chess")},
    }
    for words, changed in wrong.items():
        given = {"topics": topics, "labelled": labels, "by": ()} | changed
        with pytest.raises(CorpusError, match=words):
            prevalence(frame, **given)


def test_topics_and_labels_count_alike_as_codes_names_or_what_a_csv_file_makes_of_them():
    frame, topics, labels, *_ = corpus_of(300)
    topics, frame = topics.assign(topic="01000000"), frame.assign(doc_id=frame["doc_id"].str[1:])
    topics["doc_id"] = topics["doc_id"].str[1:]
    codes = pd.Series({d[1:]: "01000000" if "15000000" in t else "11000000" for d, t in labels.items()})
    names = codes.map(taxonomy.label)
    table = codes.rename_axis("doc_id").rename("topic").reset_index()
    read = pd.read_csv(io.StringIO(table.to_csv(index=False)))
    gaps = pd.read_csv(io.StringIO(table.merge(frame[["doc_id"]], how="right").to_csv(index=False)))
    wanted = prevalence(frame, topics, codes)
    assert set(wanted["topic"]) == {"01000000", "11000000"}
    for given, found in (
        (names, topics),
        (codes, topics.assign(topic=1000000)),
        (read, topics),
        (read.set_index("doc_id")["topic"], topics.assign(topic=taxonomy.label("01000000"))),
        (gaps, pd.read_csv(io.StringIO(topics.to_csv(index=False)))),
        (gaps.set_index("doc_id")["topic"], topics),
    ):
        pd.testing.assert_frame_equal(prevalence(frame, found, given), wanted)


def test_own_labels_stay_what_they_are():
    frame, topics, labels, *_ = corpus_of(300)
    for one, other in (("sport", "my own"), (1, 2)):
        own = {d: one if "15000000" in t else other for d, t in labels.items()}
        found = prevalence(frame, topics.assign(topic=one), own)
        assert set(found["topic"]) == {one, other}
        assert found.set_index("topic").loc[one, "labelled"] == len(labels)


def test_a_missing_label_is_none_and_an_empty_set_says_no_topic():
    frame, topics, labels, *_ = corpus_of(300)
    some = {d: t for n, (d, t) in enumerate(labels.items()) if n % 2}
    gaps = {
        d: some.get(d, missing) for d, missing in zip(labels, [None, np.nan, "", [np.nan]] * 75, strict=True)
    }
    pd.testing.assert_frame_equal(prevalence(frame, topics, gaps), prevalence(frame, topics, some))
    assert prevalence(frame, topics, labels | dict.fromkeys(gaps, ()))["labelled"].max() == len(labels)
