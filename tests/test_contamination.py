import numpy as np
import pandas as pd
import pytest

from toolkit.contamination import carriers, judged, shifts, tug
from toolkit.topics import TopicClassifier

STORY = "The striker scored twice as the home team won the cup final on Saturday."
APPEAL = "Your vote decides the election: support our reporting on parliament, the president and the party."


@pytest.fixture(scope="module")
def classifier():
    return TopicClassifier()


@pytest.fixture(scope="module")
def cleaned():
    texts = [STORY + "\n" + 4 * (APPEAL + "\n"), STORY]
    return pd.DataFrame({"doc_id": ["a", "b"], "text": texts, "clean_text": [STORY, STORY]})


def test_shifts_compares_the_same_documents(cleaned, classifier):
    table = shifts(cleaned, classifier).set_index("doc_id")
    assert table.loc["a", "before_name"] != "sport"
    assert table.loc["a", "after_name"] == "sport"
    assert table["changed"].tolist() == [True, False]
    assert table.loc["b", "moved"] == 0
    assert table.loc["a", "moved"] > 0
    assert table.loc["a", "after"] == table.loc["b", "after"]


def test_carriers_split_the_words_at_the_spans(cleaned, classifier):
    text = cleaned["text"][0]
    explanation = classifier.explain(text)
    spans = pd.DataFrame({"start": [len(STORY) + 1], "end": [len(text)]})
    table = carriers(explanation, spans)
    assert table["weight"].sum() == pytest.approx(explanation.places["weight"].sum())
    assert set(table.loc[table["removed"], "word"]) >= {"vote", "election", "parliament"}
    assert not table.loc[table["word"] == "striker", "removed"].any()
    assert table.loc[table["word"] == "vote", "count"].tolist() == [4]
    assert (np.diff(table["weight"].abs()) <= 0).all()
    whole = carriers(explanation, spans.iloc[:0])
    assert not whole["removed"].any()
    assert whole["weight"].sum() == pytest.approx(table["weight"].sum())


def test_judged_puts_what_was_mended_first():
    table = pd.DataFrame(
        {
            "doc_id": list("abcd"),
            "before": ["11000000", "15000000", "11000000", "11000000"],
            "after": ["15000000", "11000000", "15000000", "15000000"],
            "moved": [0.1, 0.9, 0.2, 0.5],
        }
    )
    gold = pd.DataFrame({"doc_id": ["c", "b", "a"], "primary": ["sport", "sport", "sport"]})
    found = judged(table, gold)
    assert found["doc_id"].tolist() == ["c", "a", "b"]
    assert found["right_before"].tolist() == [False, False, True]
    assert found["right_after"].tolist() == [True, True, False]


def test_tug_is_the_difference_of_two_explanations(cleaned, classifier):
    document = cleaned.assign(title=None).iloc[0]
    spans = pd.DataFrame({"start": [len(STORY) + 1], "end": [len(document["text"])]})
    table = tug(classifier, document, spans, ("11000000", "15000000"))
    sides = [
        classifier.explain(document["text"], topic=code).places["weight"].sum()
        for code in ("11000000", "15000000")
    ]
    assert table["weight"].sum() == pytest.approx(sides[0] - sides[1])
    by_side = table.groupby("removed")["weight"].sum()
    assert by_side[True] > 0 > by_side[False]
    assert (np.diff(table["weight"].abs()) <= 0).all()
