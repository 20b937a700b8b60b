"""Topics found without labels: the planted ones come back, whatever the seed."""

import warnings

import numpy as np
import pandas as pd
import pytest

from toolkit.corpus import make_corpus
from toolkit.topics import discover, discovery

WORDS = {
    "sea": "boat wave harbour sail tide fish net crew storm deck",
    "court": "judge jury verdict lawyer appeal trial witness plea oath bench",
    "farm": "field plough wheat cow barn tractor hay seed soil calf",
}
SIZES = {"sea": 40, "court": 30, "farm": 20}


@pytest.fixture(scope="module")
def planted():
    random = np.random.default_rng(0)
    labels = random.permutation([label for label, n in SIZES.items() for _ in range(n)])
    texts = [" ".join([*random.choice(WORDS[label].split(), 8), "the of and"]) for label in labels]
    return make_corpus({"doc_id": f"d{i}", "text": text} for i, text in enumerate(texts)), labels


@pytest.fixture(scope="module")
def found(planted):
    return discover(planted[0], n_topics=3, runs=3)


def test_planted_topics_are_found_and_named_by_their_words(planted, found):
    corpus, labels = planted
    assert found.topics["documents"].tolist() == [40, 30, 20]
    for topic, label in enumerate(SIZES):
        assert set(labels[(found.documents["topic"] == topic).to_numpy(bool)]) == {label}
        words = found.topics["words"][topic].split(", ")
        assert len(words) == 6
        assert set(" ".join(words).split()) <= set(WORDS[label].split())
        own = found.words[found.words["topic"] == topic]
        assert own["word"].tolist() == words
        assert own["weight"].is_monotonic_decreasing
    assert found.documents["doc_id"].tolist() == corpus["doc_id"].tolist()
    assert found.documents["share"].between(0.3, 1).all()


def test_planted_topics_are_stable_and_near_what_they_are_about(found):
    assert found.stability == pytest.approx(1)
    assert found.topics["stability"].between(0.97, 1 + 1e-9).all()
    assert "crime, law and justice" in found.topics["nearest"][1]


def test_noise_is_not_called_stable(planted):
    random = np.random.default_rng(1)
    texts = [" ".join(f"w{n}" for n in random.integers(0, 60, 12)) for _ in range(120)]
    assert discover(texts, n_topics=6, runs=3).stability < 0.5


def test_the_seed_decides_everything(planted, found):
    again = discover(planted[0], n_topics=3, runs=3)
    pd.testing.assert_frame_equal(again.topics, found.topics)
    pd.testing.assert_frame_equal(again.documents, found.documents)


def test_one_run_tells_no_stability(planted):
    one = discover(planted[0], n_topics=3, runs=1)
    assert np.isnan(one.stability)
    assert one.topics["stability"].isna().all()


def test_a_document_that_shares_no_word_has_no_topic(planted):
    corpus, _ = planted
    more = pd.concat([corpus, make_corpus([{"doc_id": "x", "text": "zyxwv"}])], ignore_index=True)
    last = discover(more, n_topics=3, runs=1).documents.iloc[-1]
    assert pd.isna(last["topic"])
    assert last["share"] == 0


def test_clean_text_and_titles_are_read(planted):
    corpus, labels = planted
    swapped = corpus.assign(
        clean_text=corpus["text"], text="nothing", title="the " + pd.Series(labels, dtype="str")
    )
    found = discover(swapped, n_topics=3, runs=1)
    assert found.topics["words"].str.contains("the sea|the court|the farm|sea|court|farm").all()


@pytest.mark.parametrize("n_topics", [1, 50])
def test_too_many_or_too_few_topics_are_refused(n_topics):
    with pytest.raises(ValueError, match=rf"n_topics={n_topics}: 4 documents share 0 words"):
        discover(["rain fell"] * 3 + ["snow"], n_topics=n_topics)


def test_it_shows_itself_safely():
    texts = ["plain words", "other things"] * 4
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = discover(texts, n_topics=2, runs=2)
    hostile = discovery.Discovery(
        found.topics.assign(words="<b>$\u202e"), found.words, found.documents, found.stability
    )
    shown = hostile._repr_html_()
    assert "<b>" not in shown
    assert "\u202e" not in shown + repr(hostile)
    assert "mathjax_ignore" in shown
    assert repr(found).startswith("2 topics in 8 documents; stability 1.00")
