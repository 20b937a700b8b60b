"""No topic is better than a wrong one: languages, texts that tell nothing, and how sure is sure enough."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from toolkit.corpus import as_corpus
from toolkit.topics import TopicClassifier
from toolkit.topics.model import LANGUAGES, SHIPPED, shipped_model
from toolkit.topics.taxonomy import CODE_OF

CLF = TopicClassifier()
STORY = "The striker scored twice as the home team won the cup final."
SPORT = {
    "ar": "سجل المهاجم هدفين وفاز الفريق بكأس البطولة في كرة القدم أمام جماهير الملعب",
    "de": "Der Stürmer traf zweimal und die Mannschaft gewann das Finale der Meisterschaft im Fußball.",
    "es": "El delantero marcó dos goles y el equipo ganó la final del campeonato de fútbol.",
    "fr": "Le club a remporté la finale du championnat de football grâce à deux buts de son attaquant.",
    "id": "Tim sepak bola itu menang di final liga setelah pemain depan mencetak dua gol.",
    "ja": "サッカーの決勝で代表チームが二点を決めて優勝した。監督は選手を称えた。",
    "ko": "축구 대표팀이 결승 경기에서 두 골을 넣어 우승했다. 감독은 선수들을 칭찬했다.",
    "pl": "Napastnik strzelił dwa gole, a drużyna wygrała finał mistrzostw w piłce nożnej.",
    "pt": "O atacante marcou dois gols e o time venceu a final do campeonato de futebol.",
    "ru": "Нападающий забил два гола, и команда выиграла финал чемпионата по футболу.",
    "tr": "Golcü iki gol attı ve takım futbol şampiyonasının finalini kazandı.",
    "zh": "足球决赛中前锋攻入两球，球队夺得冠军。教练称赞球员。",
}


def _corpus(languages, text=STORY):
    return as_corpus(pd.DataFrame({"text": [text] * len(languages), "lang": languages}))


@pytest.mark.parametrize(
    ("lang", "supported"),
    [
        ("en", True), ("en-GB", True), ("EN_us", True), (None, True), ("English", True), ("und", True),
        ("pcm", True), ("sw", False), ("hi", False),
    ],
)  # fmt: skip
def test_the_language_decides(lang, supported):
    found = CLF.predict(_corpus(["en", lang]))
    assert found.notna().tolist() == [True, supported]
    assert bool(found.attrs["missing"]) is not supported


@pytest.mark.parametrize("lang", SPORT)
def test_sport_is_sport_in_every_language_given_or_not(lang):
    found = CLF.predict_proba(_corpus([lang, None], SPORT[lang])).idxmax(axis=1)
    assert found.tolist() == [CODE_OF["sport"]] * 2
    assert CLF.explain(SPORT[lang]).topic == CODE_OF["sport"]
    assert not CLF.top_words([SPORT[lang]]).empty


def test_languages_are_listed_with_what_was_measured():
    table = CLF.languages_
    assert {"en", *SPORT} <= set(table["language"])
    assert ((table["accuracy"] >= 0.7) | (table["among"] >= 0.8)).all()
    assert (table["documents"] * table["answered"]).min() >= 30
    assert ((table["low"] < table["accuracy"]) & (table["accuracy"] < table["high"])).all()
    assert set(shipped_model(LANGUAGES).card["languages"]) | {"en"} == set(table["language"])
    assert sum(path.stat().st_size for path in SHIPPED.parent.glob("topics*")) < 10_000_000


def test_mixed_languages_keep_their_order():
    langs = ["de", "en", "fr", "en", "ja"]
    corpus = as_corpus(pd.DataFrame({"text": [SPORT.get(lang, STORY) for lang in langs], "lang": langs}))
    whole = CLF.predict_proba(corpus).to_numpy()
    single = np.vstack([CLF.predict_proba(corpus.iloc[[i]]).to_numpy() for i in range(len(langs))])
    assert whole.tobytes() == single.tobytes()


def test_every_reason_is_counted_and_fits_in_json():
    texts = [STORY, STORY, STORY, " ", "1234 5678", STORY]
    corpus = as_corpus(pd.DataFrame({"text": texts, "lang": ["sw", "sw", "hi", None, "en", None]}))
    found = TopicClassifier(min_confidence=1.0).predict(corpus)
    assert found.isna().all()
    assert found.attrs["missing"] == {
        "language 'sw' is not supported": 2,
        "language 'hi' is not supported": 1,
        "no known word": 1,
        "probability below 1": 1,
        "the text is empty": 1,
    }
    assert json.loads(json.dumps(found.attrs)) == found.attrs
    assert TopicClassifier(min_confidence=1.0).topics(corpus).attrs["missing"] == found.attrs["missing"]


def test_the_long_frame_leaves_them_out_and_keeps_the_order_of_probabilities():
    corpus = _corpus(["sw", "en"])
    found = CLF.topics(corpus)
    assert set(found["doc_id"]) == {corpus["doc_id"][1]}
    figures = CLF.predict_proba([STORY, "Rain", "Talks on the border go on", "The team"]).to_numpy()
    assert all(len(set(row)) == len(row) for row in figures.tolist()), "no two topics share a figure"


def test_own_labels_have_no_languages_to_miss():
    texts = ["judge court"] * 10 + ["ball goal"] * 10
    corpus = as_corpus(pd.DataFrame({"text": texts, "lang": "sw"}))
    own = TopicClassifier(bits=12, folds=2).fit(corpus, ["law"] * 10 + ["sport"] * 10)
    assert own.predict(corpus).notna().all()
    assert own.predict(corpus).attrs["missing"] == {}
    assert own.languages_.empty


@pytest.fixture(scope="module")
def short_texts():
    path = Path(__file__).parents[1] / "data" / "benchmarks" / "topic_texts.jsonl"
    lines = path.read_text("utf-8").splitlines()
    return pd.DataFrame(map(json.loads, lines))


def test_short_texts_of_all_kinds(short_texts):
    """Forty texts of our own, from a headline of five words to a brief, and what a scraper gets in place of news."""
    news = (short_texts["topics"].str.len() > 0).to_numpy(bool)
    found = CLF.predict(short_texts["text"])
    expected = [[CODE_OF[short] for short in each] for each in short_texts["topics"]]
    right = [code in each for code, each in zip(found, expected, strict=True)]
    assert np.mean(np.array(right)[news]) >= 0.85
    assert found[~news].notna().sum() == 0, short_texts["text"][~news & found.notna()].tolist()
