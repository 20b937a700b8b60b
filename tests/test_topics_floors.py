"""Floors under the quality of topics, on publishers that nothing was learned from, and on the sample corpus.

The figures on publishers are ``make quality``'s, stored with a digest of code and gold and measured again here where
that digest has changed: the same code on words alone, for the full design takes minutes (docs/topics.md). A change
that harms features, learner or calibration falls through these floors. The shipped model itself is tried on the
sample corpus, whose stories no model was trained on.
"""

from benchmarks import quality
from toolkit import datasets
from toolkit.evaluation import topic_scores
from toolkit.topics import TopicClassifier
from toolkit.topics.taxonomy import CODE_OF

FLOORS = {"accuracy": 0.775, "macro F1": 0.735, "micro F1": 0.765, "accuracy at 70 %": 0.88}
CEILINGS = {"ECE": 0.035, "cell ECE": 0.028}
SAMPLE_FLOORS = {"accuracy": 0.74, "among all": 0.83, "accuracy at 70 %": 0.82}


def test_unseen_publishers_reach_the_floors_and_stay_calibrated(shared_data):
    report = quality.figures("topics").set_index("series")["value"]
    assert not {name for name, floor in FLOORS.items() if report[name] < floor}
    assert not {name for name, ceiling in CEILINGS.items() if report[name] > ceiling}


def test_the_shipped_model_reaches_the_floors_on_the_sample():
    gold = datasets.gold("sample")
    articles = gold.corpus["doc_id"].isin(gold.topics["doc_id"])
    english = gold.corpus[articles & (gold.corpus["lang"] == "en")].reset_index(drop=True)
    topics = gold.topics.set_index("doc_id").loc[english["doc_id"]]
    table = topic_scores(
        TopicClassifier().predict_proba(english),
        [CODE_OF[short] for short in topics["primary"]],
        [{CODE_OF[short] for short in each} for each in topics["all"]],
        draws=1,
    ).set_index("metric")["value"]
    assert not {name for name, floor in SAMPLE_FLOORS.items() if table[name] < floor}
