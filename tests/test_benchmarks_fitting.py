"""The comparison of `fit` with a peer: same rows, honest counts."""

import numpy as np
import pandas as pd
import pytest

from benchmarks.fitting import compare
from toolkit import datasets

PEER = "TF-IDF + LinearSVC"


@pytest.fixture(scope="module")
def english():
    gold = datasets.gold("sample")
    english = gold.corpus[gold.corpus["lang"] == "en"]
    corpus = english.merge(
        gold.topics[["doc_id", "primary"]], on="doc_id"
    )  # pages without an article have none
    label = corpus["primary"]
    several = label.map(label.value_counts()) >= 12
    return corpus[several].reset_index(drop=True), label[several].reset_index(drop=True)


def test_every_document_of_a_test_part_is_counted_once(english):
    corpus, label = english
    rows = np.arange(len(corpus))
    table = compare(corpus, label, [(rows[::2], rows[1::2]), (rows[1::2], rows[::2])])
    assert table["documents"].tolist() == [len(corpus)] * 2
    assert table["accuracy"].between(table["low"], table["high"]).all()
    assert (table["seconds"] > 0).all()


def test_ours_learns_and_says_how_sure_it_is(english):
    corpus, label = english
    rows = np.arange(len(corpus))
    table = compare(corpus, label, [(rows[::2], rows[1::2])])
    most = label.value_counts(normalize=True).iloc[0]
    assert table.loc["toolkit", "accuracy"] > most + 0.1
    assert 0 <= table.loc["toolkit", "ECE"] < 0.3
    assert pd.isna(table.loc[PEER, "ECE"])


def test_labels_that_say_nothing_give_no_accuracy(english):
    corpus, label = english
    mixed = pd.Series(np.random.default_rng(0).permutation(label.to_numpy()))
    rows = np.arange(len(corpus))
    table = compare(corpus, mixed, [(rows[::2], rows[1::2])])
    assert (table["accuracy"] < 0.4).all()
