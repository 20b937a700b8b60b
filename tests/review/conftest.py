"""What the tests of all reviews start from: two papers of the sample, and what a widget sends."""

import pytest

import toolkit
from toolkit.boilerplate import BoilerplateRemover
from toolkit.corpus import make_corpus

EVIL = (
    "<script>alert(1)</script> <img src=x onerror=alert(1)> **b** [x](javascript:alert(1)) \x1b[31m \u202egnp"
)


@pytest.fixture(scope="module")
def corpus():
    sample = toolkit.datasets.load("sample")
    papers = sample["publisher"].isin(["harbourpost.example", "meridianwire.example"])
    return sample[papers].reset_index(drop=True)


@pytest.fixture(scope="module")
def fitted(corpus):
    return BoilerplateRemover().fit(corpus)


@pytest.fixture
def remover(fitted):
    fitted.decisions = None
    return fitted


@pytest.fixture(scope="module")
def hostile():
    """Articles that attack whoever shows them."""
    text = f"\n\nSign up for our newsletter {EVIL}"
    rows = [
        {"doc_id": f"{EVIL}{n}", "title": EVIL, "publisher": EVIL, "text": f"Story {n}.{text}"}
        for n in range(8)
    ]
    return make_corpus(rows)


@pytest.fixture
def pages():
    """Make a widget whose messages to the browser are kept in a list."""

    def kept(widget):
        sent = []
        widget.send = sent.append
        return sent

    return kept
