"""The report on one's own labels, against splits and figures counted by hand."""

import doctest

import numpy as np
import pandas as pd
import pytest

import toolkit.evaluation as reports
from toolkit.evaluation import topic_report
from toolkit.topics import TopicClassifier

WORDS = {"sea": "boat wave harbour sail tide".split(), "farm": "field plough wheat cow barn".split()}
CLF = TopicClassifier(bits=12, folds=2)


def corpus(n=48, publishers=6, seed=0):
    random = np.random.default_rng(seed)
    labels = [list(WORDS)[i % 2] for i in range(n)]
    texts = [f"{' '.join(random.choice(WORDS[label], 4))} on day {i}" for i, label in enumerate(labels)]
    names = [f"p{i // 2 % publishers}.org" for i in range(n)]
    return pd.DataFrame({"doc_id": [f"d{i}" for i in range(n)], "text": texts, "publisher": names}), labels


@pytest.fixture(scope="module")
def report():
    frame, labels = corpus()
    labels[0] = "farm"
    return topic_report(CLF, frame, labels, folds=3, draws=50)


def test_scores_follow_from_the_predictions(report):
    made = report.predictions
    scores = report.scores.set_index("metric")["value"]
    assert scores["accuracy"] == (made["true"] == made["predicted"]).mean() == made["correct"].mean()
    assert list(scores.index) == ["accuracy", "macro F1", "ECE", "accuracy at 70 %"]
    assert scores["macro F1"] == pytest.approx(report.classes["f1"].mean())
    assert (report.scores["low"] <= report.scores["value"]).all()
    assert (report.scores["value"] <= report.scores["high"]).all()


def test_classes_follow_from_the_confusion(report):
    table, classes = report.confusion, report.classes.set_index("topic")
    assert table.to_numpy().sum() == 48
    assert classes.index.tolist() == ["farm", "sea"]
    assert classes["documents"].tolist() == table.sum(axis=1).tolist() == [25, 23]
    assert classes["predicted"].tolist() == table.sum(axis=0).tolist()
    hits = np.diag(table)
    np.testing.assert_allclose(classes["recall"], hits / table.sum(axis=1))
    np.testing.assert_allclose(classes["precision"], hits / table.sum(axis=0))
    np.testing.assert_allclose(classes["f1"], 2 * hits / (table.sum(axis=0) + table.sum(axis=1)))
    for name in ("precision", "recall", "f1"):
        assert (classes[f"{name}_low"] <= classes[name]).all()
        assert (classes[name] <= classes[f"{name}_high"]).all()
    worst = report.confused().iloc[0]
    assert worst["documents"] == table.loc[worst["true"], worst["predicted"]] > 0


def test_the_learning_curve_ends_at_the_scores(report):
    curve = report.learning
    assert curve["documents"].unique().tolist() == [4, 8, 16, 32]
    last = curve[curve["documents"] == 32].drop(columns="documents").reset_index(drop=True)
    pd.testing.assert_frame_equal(last, report.scores)


def test_documents_are_counted_and_not_looked_up_by_index(report):
    frame, labels = corpus()
    labels[0] = "farm"
    turned = topic_report(CLF, frame.set_axis(range(900, 948)), labels, folds=3, draws=50)
    pd.testing.assert_frame_equal(turned.predictions, report.predictions)
    pd.testing.assert_frame_equal(turned.scores, report.scores)


def test_no_publisher_straddles_a_split(report):
    frame, _ = corpus()
    folds = report.predictions["fold"].groupby(frame["publisher"]).nunique()
    assert folds.tolist() == [1] * 6
    assert "6 publishers" in report.split


def seen(monkeypatch, frame, labels, **options):
    """The ids trained on and tested in each fold."""
    met = []

    class Watcher(TopicClassifier):
        def fit(self, X, y, **rest):
            met.append((set(X["doc_id"]), None))
            return super().fit(X, y, **rest)

        def predict_proba(self, X):
            if met and met[-1][1] is None:
                met[-1] = (met[-1][0], set(X["doc_id"]))
            return super().predict_proba(X)

    topic_report(Watcher(bits=12, folds=2), frame, labels, learning=(), draws=2, **options)
    return met


@pytest.mark.parametrize("publishers", [True, False])
def test_no_near_duplicate_straddles_a_split(monkeypatch, publishers):
    frame, labels = corpus()
    story = "An agency story of a good many words that two sites ran on one day, word for word, in full."
    frame.loc[[0, 2, 4], "text"] = story
    frame = frame if publishers else frame.drop(columns="publisher")
    folds = seen(monkeypatch, frame, labels, folds=3)
    assert set.union(*(test for _, test in folds)) == set(frame["doc_id"])
    for train, test in folds:
        assert not train & test
        assert not (train & {"d0", "d2", "d4"} and test & {"d0", "d2", "d4"})


def test_groups_that_are_given_are_kept(monkeypatch):
    frame, labels = corpus()
    groups = [i // 2 % 3 for i in range(len(frame))]
    for train, test in seen(monkeypatch, frame, labels, folds=3, groups=groups):
        assert len({groups[int(d[1:])] for d in test}) == 1
        assert not {groups[int(d[1:])] for d in train} & {groups[int(d[1:])] for d in test}


def test_sets_of_labels():
    frame, labels = corpus()
    sets = [{label, "all"} if i % 3 else set() for i, label in enumerate(labels)]
    found = topic_report(CLF, frame, sets, folds=3, learning=(), draws=20)
    assert found.scores["metric"].tolist() == ["all right", "macro F1", "micro F1", "ECE"]
    assert found.confusion is None
    assert found.confused().empty
    assert found.classes["documents"].tolist() == [32, 16, 16]
    assert found.predictions["true"].tolist() == list(map(frozenset, sets))
    assert "micro F1" in repr(found)


def test_it_is_the_same_every_time_and_the_classifier_stays_as_it_is():
    frame, labels = corpus()
    clf = TopicClassifier(bits=12, folds=2)
    one, two = (topic_report(clf, frame, labels, folds=3, learning=(0.5,), draws=20) for _ in range(2))
    pd.testing.assert_frame_equal(one.scores, two.scores)
    pd.testing.assert_frame_equal(one.learning, two.learning)
    assert not hasattr(clf, "model_")


def test_it_shows_itself_small_and_safely():
    frame, labels = corpus()
    hostile = ["<script>$\u202e" if label == "sea" else label for label in labels]
    found = topic_report(CLF, frame, hostile, folds=3, learning=(), draws=5)
    shown = found._repr_html_()
    assert "<script>" not in shown
    assert "\u202e" not in shown + repr(found)
    assert "mathjax_ignore" in shown
    assert len(shown) < 6000
    assert repr(found).startswith("48 documents in 3 folds that part 6 publishers")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"groups": [1, 2]}, "2 groups for 48 documents"),
        ({"groups": [i % 2 for i in range(48)], "folds": 2}, "one label only; pass other groups"),
        ({"groups": [i % 4 for i in range(48)], "folds": 5}, "4 groups for 5 folds; pass folds=4"),
    ],
)
def test_what_cannot_be_split_is_named(options, message):
    frame, labels = corpus()
    with pytest.raises(ValueError, match=message) as caught:
        topic_report(CLF, frame, labels, **options)
    assert "\n" not in str(caught.value)


def test_examples():
    assert doctest.testmod(reports).failed == 0


def test_spans_of_no_documents_have_no_scores():
    spans = pd.DataFrame({"doc_id": ["0"], "start": [0], "end": [4], "kind": ["promo"]})
    counts = reports.span_counts(["Ads! Rain fell."], spans, spans).head(0)
    assert list(reports.span_counts([], spans, spans)) == list(counts)
    assert reports.span_scores(reports.span_counts([], spans, spans), draws=2).isna().all(axis=None)
