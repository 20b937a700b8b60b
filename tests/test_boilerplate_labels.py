"""Labels with which furniture opens are known in any language, in any case and behind a bullet."""

import numpy as np
import pytest

from toolkit.boilerplate.evidence import AT, evidence, suspicious
from toolkit.boilerplate.features import PART
from toolkit.boilerplate.labels import LABELS, label_table
from toolkit.boilerplate.model import shipped_model
from toolkit.boilerplate.network import SEEN, seen
from toolkit.boilerplate.reading import About, Reading
from toolkit.boilerplate.repetition import Seen
from toolkit.boilerplate.scoring import read_segments
from toolkit.buffer import Buffer
from toolkit.corpus import make_corpus
from toolkit.files import word_lists
from toolkit.segments import Segments
from training.linear import ngram_matrix


def labels_of(texts):
    buffer = Buffer.of(texts)
    found = read_segments(buffer, Segments.whole(buffer)).shapes[:, PART.label]
    return [LABELS[number - 1] if number else None for number in found]


@pytest.mark.parametrize(
    ("kind", "texts"),
    [
        (
            "link",
            [
                "ZOBACZ: Traci dom", "Czytaj też: Polska", "READ MORE", "► Read also: that", "– Lire aussi : la crise",
                "Lesen Sie auch Neue Kita", "相关阅读:中国", "あわせて読みたい", "İLGİLİ HABER", "Читайте также: Путин",
                "Don’t miss this", "اقرأ أيضا: كذا", "관련기사 | 한국", "Video", "Watch: him fall", "Baca juga: Banjir",
                "12 Related", "\u200bRead more", "Re\u00adlated",
                "İlgili haber", "İLGİLİ HABER", "Lea tambien: agua", "👉 Read more", "▶️ Watch: him", "[関連記事] 東京",
                "\u200fاقرأ أيضا: كذا", "Lire e\u0301galement", "点击查看更多",
            ],
        ),
        (
            "credit",
            [
                "Photo: AP", "(Photo by Ann Lee)", "Foto/dpa", "写真：共同", "写真＝共同", "【写真】共同",
                "📷 Photo: AP", "Bildquelle: Stadt", "Zdjęcie: PAP",
            ],
        ),
        ("source", ["Quelle: dpa", "Źródło | PAP", "Reported by Ann Lee", "作者：李明"]),
        ("tags", ["Tags: a, b", "Palabras clave: agua", "Теги: вода", "Filed under"]),
        ("advert", ["Anzeige", "ADVERTISEMENT", "Реклама", "Publicidad"]),
        (
            None,
            [
                "", " ", "–", "Video shows a man who fell", "Photography is an art", "Watch him fall",
                "Related species eat it",
                "zobacz to", "Stand der Dinge", "More than 20 people died", "Read the book",
                "Anzeige gegen ihn erstattet",
                "图片显示中国", "He said: read more", "Read. More people died", "„Lesen Sie auch“, sagte er",
                "– “Read more books”, he said", "Written by her sister, it sold well",
                "Instagram — which is owned by", "Más, en la calle", "Imagine.", "Foto, die keiner kennt", "\u200b",
                "Tag, der alles änderte",
            ],
        ),
    ],
)  # fmt: skip
def test_labels_are_told_from_the_words_that_open_sentences(kind, texts):
    assert dict(zip(texts, labels_of(texts), strict=True)) == dict.fromkeys(texts, kind)


def test_every_label_of_the_lists_is_found_alone_and_before_a_colon():
    lists = word_lists("opening_labels.txt")
    assert set(lists) == set(LABELS)
    for kind, labels in lists.items():
        assert len(set(labels)) == len(labels)
        spoken = [label.rstrip(":").replace("-", " ") for label in labels]
        for texts in (
            spoken,
            [f"{text}: Ab" for text in spoken],
            [text.upper() for text in spoken if "ß" not in text],
        ):
            missed = {text for text, found in zip(texts, labels_of(texts), strict=True) if found is None}
            assert missed == set()
        others = [text for text, found in zip(spoken, labels_of(spoken), strict=True) if found != kind]
        assert others == [], kind
    hashes, numbers, *_ = label_table()
    assert (np.diff(hashes.astype(object)) > 0).all()
    assert len(numbers) == len(hashes) > (numbers > 0).sum() > 1000


def test_a_label_is_seen_by_words_trees_and_network_and_makes_its_neighbours_suspicious():
    story = "The council met on Monday and agreed to mend the old bridge before the winter comes."
    text = f"{story}\n\nZOBACZ: Traci dom przez budowlańca\n\n{story.replace('bridge', 'road')}"
    corpus = make_corpus([{"doc_id": "a", "text": text}])
    model, buffer = shipped_model(), Buffer.of([text])
    read = Reading.of(buffer, About.of(corpus), model.words)
    link = 1 + LABELS.index("link")
    assert read.shapes[:, PART.label].tolist() == [0, link, 0]
    seen_of = Seen.of(read, None)
    assert suspicious(read, seen_of).all()
    rows = evidence(read, None, seen_of, np.ones(3, bool))
    assert rows[:, AT.label].tolist() == [0, link, 0]
    assert rows[:, AT.label_before1].tolist() == [-1, 0, link]
    assert rows[:, AT.label_after1].tolist() == [link, 0, -1]
    columns = seen(read, read.echoes, read.segments.joint, np.ones(3, np.int64))
    assert (columns[:, SEEN.index("label_link")] > 0).tolist() == [False, True, False]
    assert (columns[:, [SEEN.index(f"label_{name}") for name in LABELS if name != "link"]] == 0).all()
    plain = read_segments(buffer, read.segments)  # without weights a label is found too
    assert plain.shapes[:, PART.label].tolist() == [0, link, 0]
    one, other = Buffer.of(["Read more"]), Buffer.of(["Čtěte také"])
    shared = [set(ngram_matrix(each, Segments.whole(each)).indices) for each in (one, other)]
    assert len(shared[0] & shared[1]) >= 2, "labels of one kind have n-grams in common, whatever their words"
