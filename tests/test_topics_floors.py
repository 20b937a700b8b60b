"""Floors under the quality of topics, beside the digest of the gold they were measured on.

The full design takes minutes; its figures are in docs/topics.md. Here the same code runs on words alone, without
unlabelled news, foreign labels and definitions, which take the time and help on unseen sources rather than
publishers. A change that harms features, learner or calibration falls through these floors. The shipped model
itself is tried on the sample corpus, whose stories no model was trained on.
"""

import hashlib
from dataclasses import replace

import numpy as np
import pytest

from toolkit import datasets
from toolkit.evaluation.topics import topic_scores
from toolkit.shipped import shipped
from toolkit.topics import TopicClassifier
from toolkit.topics.taxonomy import CODE_OF
from training.topics import Design, validate

GOLD = {
    "topics": "94f23cf6be04a6fce73e4bda9ee227d1a3c48ac9b10883dd84ec0e8f110908aa",
    "topics_extra": "64512261bd1049dd6c3c2a842f351c83f57f5f8b9ac460a12542816eb36a6e52",
}
FLOORS = {"accuracy": 0.78, "macro F1": 0.725, "micro F1": 0.76, "accuracy at 70 %": 0.88}
CEILINGS = {"ECE": 0.045, "cell ECE": 0.02}
SAMPLE_FLOORS = {"accuracy": 0.52, "among all": 0.65, "accuracy at 70 %": 0.65}
CLF = TopicClassifier()


@pytest.fixture(scope="module")
def report(shared_data):
    quick = replace(Design(), semantic=0.0, slugs=0.0, headlines=0.0, sentences=0.0, definitions=0.0)
    documents, figures = validate(quick)
    rows = np.flatnonzero(
        documents.pinned & np.isin(documents.sources, ["allsides", "wcxb", "aed", "fundus"])
    )
    values = figures.to_numpy()[rows]
    listed = values >= figures.attrs["thresholds"][rows][:, None]
    listed[np.arange(len(rows)), values.argmax(axis=1)] = True
    codes = np.array(figures.columns)
    table = topic_scores(
        figures.iloc[rows],
        codes[documents.primary[rows]],
        [set(codes[member]) for member in documents.member[rows]],
        listed=listed,
        draws=1,
    )
    return table.set_index("metric")["value"]


@pytest.mark.parametrize("name", GOLD)
def test_the_gold_is_the_one_the_floors_were_measured_on(name):
    raw = (shipped("gold") / f"{name}.jsonl").read_bytes()
    assert hashlib.sha256(raw).hexdigest() == GOLD[name]


@pytest.mark.shared
@pytest.mark.parametrize("metric", FLOORS)
def test_unseen_publishers_reach_the_floor(report, metric):
    assert report[metric] >= FLOORS[metric]


@pytest.mark.shared
@pytest.mark.parametrize("metric", CEILINGS)
def test_unseen_publishers_stay_calibrated(report, metric):
    assert report[metric] <= CEILINGS[metric]


@pytest.fixture(scope="module")
def sample_report():
    gold = datasets.gold("sample")
    english = gold.corpus[gold.corpus["lang"] == "en"].reset_index(drop=True)
    topics = gold.topics.set_index("doc_id").loc[english["doc_id"]]
    table = topic_scores(
        CLF.predict_proba(english),
        [CODE_OF[short] for short in topics["primary"]],
        [{CODE_OF[short] for short in each} for each in topics["all"]],
        draws=1,
    )
    return table.set_index("metric")["value"]


@pytest.mark.parametrize("metric", SAMPLE_FLOORS)
def test_the_shipped_model_reaches_the_floor_on_the_sample(sample_report, metric):
    assert sample_report[metric] >= SAMPLE_FLOORS[metric]
