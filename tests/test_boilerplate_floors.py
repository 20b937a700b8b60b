"""Floors under the quality of boilerplate removal, beside the digest of the gold they were measured on.

The whole table is ``python -m benchmarks boilerplate`` (docs/boilerplate.md). Here one fold of three is
scored by the same code: a third of the publishers, none of them seen by the n-gram weights or the trees.
"""

import hashlib

import pytest

from benchmarks.crossvalidation import held_out_spans
from toolkit.evaluation.baselines import BASELINES
from toolkit.evaluation.spans import span_counts, span_scores
from toolkit.shipped import shipped

GOLD = "866b8ec96db60ca3f6b1c42662adb4a473d2df6289d054de74702fae2584f032"
FLOORS = {"with fit": {"f1": 0.75}, "single documents": {"f1": 0.66}}
MOST_LOST = 0.003


@pytest.fixture(scope="module")
def scored(shared_data):
    corpus, gold, found = held_out_spans(folds=3, only=(0,))
    scores = {
        name: span_scores(span_counts(corpus, gold, spans), draws=1)["value"] for name, spans in found.items()
    }
    scores["repeated"] = span_scores(
        span_counts(corpus, gold, BASELINES["repeated in ≥ 2 articles"](corpus)), draws=1
    )["value"]
    return scores


def test_the_gold_is_the_one_the_floors_were_measured_on():
    raw = (shipped("gold") / "boilerplate.jsonl").read_bytes()
    assert hashlib.sha256(raw).hexdigest() == GOLD


@pytest.mark.shared
@pytest.mark.parametrize("method", FLOORS)
def test_unseen_publishers_reach_the_floor(scored, method):
    for figure, floor in FLOORS[method].items():
        assert scored[method][figure] >= floor, figure
    assert scored[method]["article_lost"] <= MOST_LOST


@pytest.mark.shared
def test_both_beat_removal_of_repeated_segments(scored):
    for method in FLOORS:
        assert scored[method]["f1"] > scored["repeated"]["f1"] + 0.2
