"""Certificates: their bounds hold in simulated judgements, whatever the passages are."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import toolkit
from toolkit import certify
from toolkit.boilerplate import BoilerplateRemover
from toolkit.certificate import Certificate, alpha, draw, upper
from toolkit.errors import CorpusError
from toolkit.evaluation import span_counts, span_scores
from toolkit.record import closed

TRIALS = 100


def marked(gold):
    """Characters of each document that are boilerplate."""
    masks = {
        d: np.zeros(len(t), bool) for d, t in zip(gold.corpus["doc_id"], gold.corpus["text"], strict=True)
    }
    for span in gold.spans.itertuples():
        masks[span.doc_id][span.start : span.end] = True
    return masks


def judge(sample, masks, *, whole=False):
    """What a person who knows the truth says: of the character drawn, or of most of the passage."""
    rows = zip(sample["doc_id"], sample["start"], sample["end"], sample["at"], strict=True)
    told = [masks[d][a:b].mean() > 0.5 if whole else masks[d][at] for d, a, b, at in rows]
    return sample.assign(verdict=np.where(told, "boilerplate", "article"))


def truth(corpus, spans, masks):
    """Share of article text lost, precision and share of boilerplate found, over characters that are not blank."""
    hit = false = missed = article = 0
    gone = {d: np.zeros(len(m), bool) for d, m in masks.items()}
    for span in spans.itertuples():
        gone[span.doc_id][span.start : span.end] = True
    for doc_id, text in zip(corpus["doc_id"], corpus["text"], strict=True):
        solid = np.array([not c.isspace() for c in text], bool)
        real, cut = masks[doc_id][solid], gone[doc_id][solid]
        hit, false = hit + (real & cut).sum(), false + (~real & cut).sum()
        missed, article = missed + (real & ~cut).sum(), article + (~real).sum()
    return false / article, hit / (hit + false), hit / (hit + missed)


def covered(corpus, spans, near, masks, *, trials=TRIALS, n=200):
    lost, precision, found = truth(corpus, spans, masks)
    held = []
    for seed in range(trials):
        sample = draw(corpus, spans, near, n=n, seed=seed)
        given = certify(corpus, spans, judge(sample, masks, whole=seed % 2 == 1))
        held.append(given.article_lost >= lost and given.precision <= precision and given.found <= found)
    return sum(held)


def cleanings(corpus):
    """The shipped cleaning and one that removes far too much, each with what a bolder one would remove."""
    remover = BoilerplateRemover().fit(corpus)
    near, bold = (remover.set_params(threshold=t).spans(corpus) for t in (0.2, 0.02))
    return [(remover.set_params(threshold=None).spans(corpus), near), (near, bold)]


def some(gold, documents):
    random = np.random.default_rng(3)
    chosen = np.sort(random.choice(len(gold.corpus), min(documents, len(gold.corpus)), replace=False))
    return gold.corpus.iloc[chosen].reset_index(drop=True)


@pytest.mark.parametrize("name", ["sample", "boilerplate", "boilerplate_modern"])
def test_bounds_hold_in_95_of_100_simulated_judgements(name, request):
    """Two hundred draws: of one hundred at the promised chance itself, four in ten would miss 95."""
    if name != "sample":
        request.getfixturevalue("shared_data")
    gold = toolkit.datasets.gold(name)
    corpus = some(gold, 40)
    every = marked(gold)
    masks = {doc_id: every[doc_id] for doc_id in corpus["doc_id"]}
    held = [covered(corpus, spans, near, masks) for spans, near in cleanings(corpus)]
    assert sum(held) >= 0.95 * TRIALS * len(held)


@pytest.fixture(scope="module")
def world():
    """Passages of very different lengths; what was removed wrongly stands in the long ones, as does what was missed."""
    random = np.random.default_rng(5)
    rows, spans, masks = [], [], {}
    for n in range(150):
        words = [
            "Rain fell on Lorve. " * int(random.integers(1, 30)),
            "Sign up now! " * int(random.integers(1, 9)),
        ]
        text = "".join(words)
        at = len(words[0])
        masks[f"{n:03}"] = np.arange(len(text)) >= at
        rows.append({"doc_id": f"{n:03}", "text": text})
        wrong = random.random() < 0.1
        if random.random() < 0.8:
            spans.append(
                (f"{n:03}", 0 if wrong and len(words[0]) > 300 else at, len(text), "promo", random.random())
            )
    return pd.DataFrame(rows), pd.DataFrame(spans, columns=["doc_id", "start", "end", "kind", "score"]), masks


def test_bounds_hold_where_long_passages_are_wrong_more_often(world):
    corpus, spans, masks = world
    assert covered(corpus, spans, None, masks) >= 95
    lost = truth(corpus, spans, masks)[0]
    limits = [
        certify(corpus, spans, judge(draw(corpus, spans, seed=s), masks)).article_lost for s in range(20)
    ]
    assert np.median(limits) < 2 * lost, "a bound that holds because it says nothing"


def test_bounds_hold_together_no_more_often_than_they_must(world):
    """With half of the confidence the bounds fail at times: the test above can fail."""
    corpus, spans, masks = world
    lost = truth(corpus, spans, masks)[0]
    held = [
        certify(corpus, spans, judge(draw(corpus, spans, seed=s), masks), confidence=0.2).article_lost >= lost
        for s in range(60)
    ]
    assert np.mean(held) < 0.9


def test_the_threshold_keeps_its_promise(world):
    corpus, _, masks = world
    random = np.random.default_rng(6)
    broken = given = 0
    for seed in range(TRIALS):
        rows = [(d, int(a := m.argmax() if right else 0), int(a + 13 if right else 19), "promo", score)
                for d, m in masks.items() for score in [round(float(random.random()), 3)]
                for right in [random.random() < score]]  # fmt: skip
        spans = pd.DataFrame(rows, columns=["doc_id", "start", "end", "kind", "score"])
        certificate = certify(
            corpus, spans, judge(draw(corpus, spans, seed=seed, n=400), masks), max_article_loss=0.004
        )
        if certificate.threshold is not None:
            given += 1
            broken += truth(corpus, spans[spans["score"] >= certificate.threshold], masks)[0] > 0.004
    assert given > TRIALS / 2
    assert broken <= 5


def test_the_scores_are_those_of_the_evaluation(world):
    corpus, spans, masks = world
    gold = pd.DataFrame(
        [(d, int(m.argmax()), len(m), "promo") for d, m in masks.items()],
        columns=["doc_id", "start", "end", "kind"],
    )
    scores = span_scores(span_counts(corpus, gold, spans), draws=2)["value"]
    assert truth(corpus, spans, masks) == pytest.approx(
        scores[["article_lost", "precision", "recall"]].tolist()
    )


def test_a_character_is_drawn_as_often_as_any_other(world):
    corpus, spans, _ = world
    sample = draw(corpus, spans, n=4000, seed=1)
    text = dict(zip(corpus["doc_id"], corpus["text"], strict=True))
    assert not any(text[d][at].isspace() for d, at in zip(sample["doc_id"], sample["at"], strict=True))
    size = {d: len("".join(t.split())) for d, t in text.items()}
    removed = {r.doc_id: len("".join(text[r.doc_id][r.start : r.end].split())) for r in spans.itertuples()}
    kept = pd.Series({d: size[d] - removed.get(d, 0) for d in size})
    drawn = sample[sample["stratum"] == "kept"]["doc_id"].value_counts().reindex(kept.index, fill_value=0)
    expected = kept / kept.sum() * drawn.sum()
    assert (
        (drawn - expected) ** 2 / expected.clip(lower=1)
    ).sum() < 220  # chi-square of 149, its .9999 quantile
    assert sample["probability"].between(0, 1).all()


def test_the_order_of_documents_makes_no_difference(world):
    corpus, spans, _ = world
    turned = corpus.iloc[::-1].reset_index(drop=True)
    assert draw(corpus, spans, n=50).equals(draw(turned, spans.iloc[::-1], n=50))
    assert not draw(corpus, spans, n=50).equals(draw(corpus, spans, n=50, seed=1))


def test_passages_lie_in_their_stratum(world):
    corpus, spans, _ = world
    near = spans.assign(start=(spans["start"] - 40).clip(lower=0))
    sample = draw(corpus, spans, near, n=300)
    assert set(sample["stratum"]) == {"removed", "near", "kept"}
    assert ((sample["start"] <= sample["at"]) & (sample["at"] < sample["end"])).all()
    cut = spans.set_index("doc_id")
    for row in sample[sample["doc_id"].isin(cut.index)].itertuples():
        inside = cut["start"][row.doc_id] <= row.start and row.end <= cut["end"][row.doc_id]
        outside = row.end <= cut["start"][row.doc_id] or row.start >= cut["end"][row.doc_id]
        assert inside if row.stratum == "removed" else outside
    given = certify(corpus, spans, sample.assign(verdict="article"))
    sizes = sample.groupby("stratum")["of"].first()
    assert {name: part.characters for name, part in given.strata.items()} == sizes.to_dict()


def test_judged_passages_without_a_stratum_do_too(world):
    corpus, spans, masks = world
    told = judge(draw(corpus, spans), masks)
    bare = told[["doc_id", "start", "end", "verdict"]]
    assert certify(corpus, spans, bare).article_lost == pytest.approx(
        certify(corpus, spans, told).article_lost
    )


def test_doubt_and_disagreement_count_against_the_cleaning(world):
    corpus, spans, masks = world
    told = judge(draw(corpus, spans), masks).drop_duplicates(["doc_id", "at"])
    sure = certify(corpus, spans, told)
    doubt = told.assign(verdict=told["verdict"].where(np.arange(len(told)) % 10 > 0, "unsure"))
    assert certify(corpus, spans, doubt).article_lost > sure.article_lost
    assert certify(corpus, spans, doubt).found < sure.found
    other = told.assign(
        verdict=told["verdict"].where(np.arange(len(told)) % 10 > 0, "boilerplate"), judge="ben"
    )
    both = certify(corpus, spans, pd.concat([told.assign(judge="ada"), other]))
    assert (both.n, both.judges) == (sure.n, 2)
    assert 0.5 < both.agreement < 1
    assert both.found <= sure.found
    same = certify(corpus, spans, pd.concat([told.assign(judge="ada"), told.assign(judge="ben")]))
    assert (same.article_lost, same.agreement) == (sure.article_lost, 1.0)


def test_what_was_not_judged_yet_is_left_out(world):
    corpus, spans, masks = world
    told = judge(draw(corpus, spans), masks)
    half = told.assign(verdict=told["verdict"].where(np.arange(len(told)) < 100))
    assert certify(corpus, spans, half).n == 100


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda j: j.drop(columns="verdict"), "no column 'verdict'"),
        (lambda j: j.assign(verdict=None), "no verdict in it"),
        (lambda j: j.assign(verdict="promo"), "'promo' is no verdict; article, boilerplate, unsure are"),
        (lambda j: j.assign(doc_id="gone"), "'gone' has no passage"),
        (lambda j: j.assign(end=10**6), "has no passage"),
        (lambda j: j.assign(stratum="removed"), "the spans say otherwise"),
        (lambda j: j.assign(of=7), "of another size"),
    ],
)
def test_a_sample_of_something_else_is_refused(world, change, message):
    corpus, spans, masks = world
    told = judge(draw(corpus, spans), masks)
    with pytest.raises(CorpusError, match=message):
        certify(corpus, spans, change(told))


def test_little_text_is_no_error():
    text = ["Sign up for our newsletter."]
    none = BoilerplateRemover().spans(["Rain fell."])
    told = draw(["Rain fell."], none, n=20).assign(verdict="article")
    given = certify(["Rain fell."], none, told)
    assert (given.article_lost, given.found, given.threshold, given.strata["removed"].judged) == (
        0,
        0,
        0.0,
        0,
    )
    spans = pd.DataFrame({"doc_id": ["0"], "start": [0], "end": [27], "kind": ["promo"], "score": [0.9]})
    everything = certify(text, spans, draw(text, spans, n=20).assign(verdict="boilerplate"))
    assert (everything.strata["kept"].characters, everything.found) == (0, 1)
    assert draw([], none).empty
    assert draw(["  \n "], none).empty


def test_a_certificate_is_saved_beside_the_results_and_read_again(world, tmp_path):
    corpus, spans, masks = world
    given = certify(corpus, spans, judge(draw(corpus, spans), masks))
    counts = {"in": 3, "kept": 3, "quarantined": 0, "characters": 9, "removed": {}, "topics": {}}
    parts = {name: {} for name in ("parameters", "models", "outputs")}
    record = {
        **parts,
        "versions": {"news-toolkit": "1", "python": "3"},
        "seeds": [],
        "inputs": [],
        "counts": counts,
        "environment": {"inputs": [], "finished": "2026-11-28T21:00:00Z"},
    }
    (tmp_path / "run.json").write_text(json.dumps(closed(record)), "utf-8")
    given.save(tmp_path)
    assert Certificate.load(tmp_path) == given
    record = json.loads((tmp_path / "run.json").read_text("utf-8"))
    assert (record["counts"], record) == (counts, closed(record))
    assert record["certificate"]["article_lost"] == given.article_lost
    (tmp_path / "certificate.json").write_text("[]", "utf-8")
    with pytest.raises(CorpusError, match=r"certificate\.json: no certificate"):
        Certificate.load(tmp_path)


@given(st.integers(0, 60), st.integers(1, 60), st.floats(0.001, 0.5))
def test_the_bound_is_that_of_the_binomial(wrong, n, risk):
    limit = upper(min(wrong, n), n, risk)
    from scipy.stats import binom

    if limit < 1:
        assert binom.cdf(wrong, n, limit) == pytest.approx(risk, rel=1e-6)


def test_agreement_is_krippendorffs_example():
    # Krippendorff, "Computing Krippendorff's alpha-reliability" (2011), section C: four judges, missing words
    rows = [
        "1 2 3 3 2 1 4 1 2 . . .",
        "1 2 3 3 2 2 4 1 2 5 . 3",
        ". 3 3 3 2 3 4 2 2 5 1 .",
        "1 2 3 3 2 4 4 1 2 5 1 .",
    ]
    words = pd.DataFrame([row.split() for row in rows]).T.replace(".", None)
    assert alpha(words) == pytest.approx(0.743, abs=0.001)
    assert alpha(pd.DataFrame({"a": ["x", "x"], "b": ["x", "x"]})) is None
