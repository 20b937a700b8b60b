"""Metrics of topics against cases counted by hand."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.evaluation import (
    bootstrap,
    calibration_error,
    coverage_accuracy,
    macro_f1,
    micro_f1,
    topic_scores,
)


def test_macro_f1_counts_each_true_topic_once():
    topic = np.eye(3, dtype=bool)
    assert macro_f1(topic[[0, 0, 0, 1]], topic[[0, 0, 0, 0]]) == pytest.approx((6 / 7 + 0) / 2)
    assert macro_f1(topic[[0, 1]], topic[[0, 2]]) == pytest.approx(0.5)
    assert np.isnan(macro_f1(topic[:0], topic[:0]))


def test_micro_f1_counts_pairs():
    member = np.array([[True, True, False], [False, True, False]])
    listed = np.array([[True, False, False], [False, True, True]])
    assert micro_f1(member, listed) == pytest.approx(2 * 2 / (3 + 3))


def test_calibration_error_is_the_weighted_gap():
    probability = np.array([0.95, 0.95, 0.15, 0.15])
    correct = np.array([True, False, False, False])
    assert calibration_error(probability, correct) == pytest.approx(0.5 * 0.45 + 0.5 * 0.15)
    assert calibration_error(np.array([1.0]), np.array([True])) == 0
    assert np.isnan(calibration_error(np.array([]), np.array([], bool)))


def test_coverage_takes_the_surest_and_shares_ties():
    confidence, correct = np.array([0.9, 0.8, 0.8, 0.1]), np.array([True, True, False, False])
    assert coverage_accuracy(confidence, correct, 0.25) == 1
    assert coverage_accuracy(confidence, correct, 0.5) == pytest.approx((1 + 0.5) / 2)
    assert coverage_accuracy(confidence, correct, 1.0) == 0.5


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=40), st.randoms())
def test_order_does_not_matter(pairs, random):
    turned = list(pairs)
    random.shuffle(turned)
    values = [
        coverage_accuracy(np.array([p for p, _ in each]), np.array([c for _, c in each]))
        for each in (pairs, turned)
    ]
    assert values[0] == pytest.approx(values[1], nan_ok=True)


def test_intervals_hold_the_mean_and_shrink():
    right = np.arange(1000) % 4 > 0
    low, high = bootstrap(lambda rows: float(right[rows].mean()), 1000, draws=200)
    wide = bootstrap(lambda rows: float(right[rows].mean()), 1000, groups=np.arange(1000) % 4, draws=200)
    assert 0.70 < low < 0.75 < high < 0.80
    assert wide[0] < low
    assert wide[1] > high
    assert np.isnan(bootstrap(lambda rows: 1.0, 0)).all()
    assert np.isnan(bootstrap(lambda rows: np.nan, 5, draws=3)).all(), "a figure that no draw gives"


def test_intervals_are_the_same_every_time():
    values = np.random.default_rng(1).random(50)
    first, again = (bootstrap(lambda rows: float(values[rows].mean()), 50) for _ in range(2))
    assert first == again


def test_the_report_has_all_and_groups():
    probability = pd.DataFrame({"a": [0.9, 0.3, 0.6], "b": [0.2, 0.7, 0.7]})
    report = topic_scores(
        probability, ["a", "b", "a"], [{"a"}, {"b"}, {"a", "b"}], by=["x", "y", "y"], draws=20
    )
    assert report.columns.tolist() == ["group", "documents", "metric", "value", "low", "high"]
    table = report.set_index(["group", "metric"])["value"]
    assert table["all", "accuracy"] == pytest.approx(2 / 3)
    assert table["all", "among all"] == 1
    assert table["x", "accuracy"] == 1
    assert table["y", "accuracy"] == 0.5
    assert table["all", "micro F1"] == 1
    assert (report["low"] <= report["high"]).all()
