"""Languages: told by script and function words; missing rather than wrong where a text is short."""

import gzip
import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from toolkit import language
from toolkit.language import languages, scripts

SENTENCES = {
    "en": "The council said on Friday that it would not close the library, as had been feared.",
    "de": "Der Rat hat am Freitag beschlossen, dass die Bücherei nicht geschlossen werden soll.",
    "fr": "Le conseil a décidé vendredi que la bibliothèque de la ville ne serait pas fermée.",
    "es": "El consejo decidió el viernes que la biblioteca no se cerrará, como se había temido.",
    "pl": "Rada miasta zdecydowała w piątek, że biblioteka nie zostanie zamknięta, jak się obawiano.",
    "tr": "Meclis cuma günü kütüphanenin kapatılmayacağını ve bu konuda bir karar olduğunu söyledi.",
    "ru": "Совет решил в пятницу, что библиотека не будет закрыта, как этого все опасались.",
    "uk": "Рада вирішила в п'ятницю, що бібліотека не буде закрита, як цього всі боялися.",
    "el": "Το συμβούλιο αποφάσισε την Παρασκευή.", "ja": "市議会は金曜日に図書館を閉鎖しないと決めた。",
    "zh": "市议会周五决定不关闭图书馆。", "ko": "시의회는 금요일에 도서관을 닫지 않기로 했다.",
    "ar": "قرر المجلس يوم الجمعة أن المكتبة لن يتم إغلاقها كما كان يخشى البعض في المدينة",
    "hi": "परिषद ने शुक्रवार को कहा कि पुस्तकालय को बंद नहीं किया जाएगा और यह फैसला सभी के लिए है।",
    "sw": "Baraza lilisema siku ya Ijumaa kwamba maktaba hiyo haitafungwa kama ilivyokuwa inahofiwa na watu wa mji.",
}  # fmt: skip


def test_each_language_is_detected_alike_in_any_batch():
    told = languages(list(SENTENCES.values()))
    assert dict(zip(SENTENCES, told, strict=True)) == {code: code for code in SENTENCES}
    assert [languages([text]).iloc[0] for text in SENTENCES.values()] == told.tolist()


@pytest.mark.parametrize(
    "text", ["", " ", "1234", "Rain", "Deal or No Deal", "Die Hard", "Oslo, Bergen", None]
)
def test_too_little_is_missing_rather_than_wrong(text):
    assert languages([text]).isna().all()


def test_input_of_every_kind_gives_a_series():
    texts = [SENTENCES["en"], None, SENTENCES["de"] * 300]
    for given in (
        texts,
        pa.array(texts),
        pa.chunked_array([texts[:1], texts[1:]]),
        pa.array(["x", *texts])[1:],
    ):
        assert languages(given).fillna("?").tolist() == ["en", "?", "de"]
    indexed = languages(pd.Series(texts, index=["a", "b", "c"]))
    assert indexed.index.tolist() == ["a", "b", "c"]
    assert indexed.dtype == "str"
    assert languages([]).tolist() == []


def test_scripts_count_letters():
    texts = ["Rain in Ostley", "Дождь в Ostley идёт", "東京で雨", "北京 Tesla 有雨", "1 2 3", "😀"]
    assert scripts(texts).fillna("?").tolist() == ["Latn", "Cyrl", "Kana", "Hani", "?", "?"]


def test_what_stands_before_an_article_does_not_decide():
    assert languages(["Share on Facebook. Read the full story. " + SENTENCES["de"] * 20]).tolist() == ["de"]


def test_the_library_is_asked_for_the_rest_only_and_may_be_absent(monkeypatch):
    welsh_like = "Zorvik plana derolt " * 20

    class Library:
        def __init__(self, *answer):
            self.classify = lambda text: answer

    for answer, wanted in ((("cy", 0.95), "cy"), (("cy", 0.5), None), (("zxx", 1.0), None)):
        monkeypatch.setattr(language, "_identifier", lambda answer=answer: Library(*answer))
        assert languages([welsh_like, SENTENCES["en"]]).replace({np.nan: None}).tolist() == [wanted, "en"]
    monkeypatch.setattr(language, "_identifier", lambda: None)
    assert languages([welsh_like, SENTENCES["en"]]).isna().tolist() == [True, False]


def test_labelled_news_gets_its_language(shared_data):
    with gzip.open(shared_data / "modern" / "articles.jsonl.gz", "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    told = languages([row["text"] for row in rows]).tolist()
    pairs = [(row["lang"], code) for row, code in zip(rows, told, strict=True) if isinstance(code, str)]
    assert len(pairs) >= 0.99 * len(rows)
    assert sum(gold == code for gold, code in pairs) >= 0.997 * len(pairs)
    # headlines: few are told, and those are right
    titles = [row for row in rows if row["title"]]
    told = languages([row["title"] for row in titles]).tolist()
    pairs = [(row["lang"], code) for row, code in zip(titles, told, strict=True) if isinstance(code, str)]
    assert sum(gold == code for gold, code in pairs) >= 0.99 * len(pairs)
