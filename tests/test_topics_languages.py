"""No topic is better than a wrong one: languages the model does not support."""

import numpy as np
import pandas as pd
import pytest

from toolkit.corpus import as_corpus
from toolkit.topics import TopicClassifier

CLF = TopicClassifier()
STORY = "The striker scored twice as the home team won the cup final."


def _corpus(languages):
    return as_corpus(pd.DataFrame({"text": [STORY] * len(languages), "lang": languages}))


@pytest.mark.parametrize(
    ("lang", "supported"),
    [
        ("en", True),
        ("en-GB", True),
        ("EN_us", True),
        (None, True),
        ("de", False),
        ("English", True),
        ("und", True),
        ("sw", False),
    ],
)
def test_the_language_decides(lang, supported):
    found = CLF.predict(_corpus(["en", lang]))
    assert found.notna().tolist() == [True, supported]
    assert bool(found.attrs["missing"]) is not supported


def test_every_reason_is_counted():
    corpus = _corpus(["de", "de", "fr", "en", None])
    found = TopicClassifier(min_confidence=1.0).predict(corpus)
    assert found.isna().all()
    assert found.attrs["missing"] == {
        "language 'de' is not supported": 2,
        "language 'fr' is not supported": 1,
        "probability below 1.0": 2,
    }


def test_the_long_frame_leaves_them_out_and_probabilities_stay():
    corpus = _corpus(["fr", "en"])
    assert set(CLF.topics(corpus)["doc_id"]) == {corpus["doc_id"][1]}
    values = CLF.predict_proba(corpus).to_numpy()
    np.testing.assert_array_equal(values[0], values[1])


def test_own_labels_have_no_languages_to_miss():
    texts = ["judge court"] * 10 + ["ball goal"] * 10
    corpus = as_corpus(pd.DataFrame({"text": texts, "lang": "sw"}))
    own = TopicClassifier(bits=12, folds=2).fit(corpus, ["law"] * 10 + ["sport"] * 10)
    assert own.predict(corpus).notna().all()
    assert own.predict(corpus).attrs["missing"] == {}
