import numpy as np

from benchmarks.contamination import polluted_training
from toolkit.topics import TopicClassifier

WORDS = {"sea": "boats sail past the harbour light", "farm": "cows graze behind the old barn"}
TEXTS = [f"{words} in week {i} of the year" for i in range(24) for words in WORDS.values()]
LABELS = list(WORDS) * 24
PASSAGE = "Please give money to our newsroom now, for nobody else will pay for what we print. " * 2


def test_the_passage_becomes_the_label_that_carried_it():
    found = polluted_training(
        TEXTS, LABELS, {"sea"}, TopicClassifier(bits=14, folds=2), passage=PASSAGE, folds=3
    )
    assert len(found) == 4 * len(TEXTS)
    right = found.pivot_table("correct", "training", "text")
    assert right.loc["clean", "as it is"] == 1
    assert right.loc["polluted", "with the passage"] < right.loc["clean", "with the passage"]
    farm = found[(found["true"] == "farm") & (found["training"] == "polluted")]
    taken = farm[farm["text"] == "with the passage"]["predicted"]
    assert (taken == "sea").mean() > 0.5


def test_every_document_is_tested_once_and_the_seed_decides():
    options = {"passage": PASSAGE, "folds": 3}
    first, again = (
        polluted_training(TEXTS, LABELS, {"sea"}, TopicClassifier(bits=12, folds=2), **options)
        for _ in range(2)
    )
    assert first.equals(again)
    counts = first.groupby(["training", "text"])["doc_id"].nunique()
    assert np.all(counts == len(TEXTS))
