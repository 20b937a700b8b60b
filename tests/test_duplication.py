import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import toolkit.datasets
from toolkit import duplication
from toolkit.duplication import COLUMNS, duplicates, pair_scores


@pytest.fixture(scope="module")
def gold():
    return toolkit.datasets.gold("sample")


@pytest.fixture(scope="module")
def found(gold):
    return duplicates(gold.corpus)


def story(seed, words=120):
    rng = np.random.default_rng(seed)
    return " ".join(f"w{n}" for n in rng.integers(0, 50_000, words))


def corpus(rows):
    names = ["doc_id", "text", "publisher", "published"]
    frame = pd.DataFrame(rows, columns=names).astype(dict.fromkeys(names[:3], "str"))
    return frame.assign(published=pd.to_datetime(frame["published"], utc=True))


def test_copies_of_the_sample(gold, found):
    scores = pair_scores(found, gold.wire)
    assert scores["f1"] >= 0.94
    assert scores["pairs"] >= 120
    both = found.merge(gold.wire, on="doc_id", suffixes=("", "_gold"))
    assert len(both) == len(found)
    assert (both["kind"] == both["kind_gold"]).all()
    assert set(found.loc[found["kind"] == "wire", "first_publisher"]) == {"meridianwire.example"}


def test_all_processors_find_the_same(gold, found):
    pd.testing.assert_frame_equal(duplicates(gold.corpus, n_jobs=-1), found)


def test_groups_are_the_same_on_cleaned_text(gold):
    clean = gold.corpus.merge(gold.verdicts, on="doc_id")
    texts = {}
    spans = gold.spans.groupby("doc_id")
    for doc_id, text in zip(clean["doc_id"], clean["text"], strict=True):
        kept, last = "", 0
        if doc_id in spans.groups:
            for row in spans.get_group(doc_id).itertuples():
                kept, last = kept + text[last : row.start] + "\n", row.end
        texts[doc_id] = kept + text[last:]
    clean["clean_text"] = clean["doc_id"].map(texts)
    assert pair_scores(duplicates(clean), gold.wire)["f1"] >= 0.95


def test_follow_ups_and_independent_reports_are_no_duplicates(gold, found):
    from data.sample.build.stories import read_stories
    from toolkit.files import shipped

    stories = read_stories(shipped("sample") / "stories")
    follow_ups = {story.doc_id for story in stories if story.background and story.wire is None}
    independent = {story.doc_id for story in stories if story.doc_id.startswith("same-")}
    assert len(follow_ups) >= 10
    assert len(independent) >= 10
    assert not (follow_ups | independent) & set(found["doc_id"])


def test_a_template_does_not_make_a_group():
    template = story(0, 150)
    rows = [(f"{i}", f"{story(i + 1, 60)} {template}", "a.example", None) for i in range(40)]
    assert len(duplicates(corpus(rows))) == 0


def test_exact_near_and_wire():
    one, two, three = story(1), story(2), story(3)
    edited = " ".join(["new", "lead", *two.split()[8:]])
    cut = " ".join(three.split()[:60])
    rows = [
        ("e1", one, "a.example", "2031-01-02"),
        ("e0", one.replace(" ", "\n", 4).upper(), "b.example", "2031-01-01"),
        ("n1", two, "a.example", "2031-01-01"),
        ("n2", edited, "a.example", "2031-01-03"),
        ("w1", f"{cut} {story(4, 50)}", "b.example", "2031-02-02"),
        ("w0", three, "a.example", "2031-02-01"),
        ("alone", story(5), "a.example", None),
    ]
    table = duplicates(corpus(rows)).set_index("doc_id")
    assert list(table.reset_index().columns) == list(COLUMNS)
    assert table["kind"].to_dict() == {
        "e1": "exact", "e0": "exact", "n1": "near", "n2": "near", "w1": "wire", "w0": "wire"
    }  # fmt: skip
    assert table["group"].to_dict() == {
        "e1": "e0",
        "e0": "e0",
        "n1": "n1",
        "n2": "n1",
        "w1": "w0",
        "w0": "w0",
    }
    assert table.loc["e1", "first_publisher"] == "b.example"
    assert table.loc["e1", "similarity"] == 1
    assert table["similarity"].between(0.35, 1).all()


def test_more_copies_than_the_window_stay_one_group():
    base = story(9).split()
    rows = [(f"{i:03}", " ".join([f"lead{i}", *base]), f"p{i}.example", None) for i in range(60)]
    table = duplicates(corpus(rows))
    assert len(table) == 60
    assert set(table["group"]) == {"000"}


@settings(deadline=None, max_examples=15)
@given(st.permutations(range(12)))
def test_order_of_the_corpus_changes_nothing(order):
    rows = [
        (f"d{i}", story(i // 3) if i % 3 else f"{story(i // 3)} more {i}", f"p{i % 4}", None)
        for i in range(12)
    ]
    straight = duplicates(corpus(rows))
    mixed = duplicates(corpus([rows[i] for i in order]))
    pd.testing.assert_frame_equal(
        straight.sort_values("doc_id", ignore_index=True), mixed.sort_values("doc_id", ignore_index=True)
    )


@given(st.lists(st.text(max_size=40), max_size=8))
@settings(deadline=None, max_examples=60)
def test_any_text_is_taken(texts):
    texts = [text.encode("utf-8", "ignore").decode() for text in texts]
    table = duplicates(texts)
    assert len(table) <= len(texts)
    assert table["doc_id"].is_unique
    sizes = table.groupby("group").size()
    assert (sizes >= 2).all()


def test_other_scripts_count_as_words():
    han = "港口星期一因大雾关闭一艘货轮搁浅在礁石上所有船员获救无人受伤调查已经开始"
    rows = [
        ("a", han, "a.example", None),
        ("b", han + "完", "b.example", None),
        ("c", "雾" * 40, "c.example", None),
    ]
    assert duplicates(corpus(rows))["doc_id"].tolist() == ["a", "b"]


def test_pair_scores_count_pairs():
    ours = pd.DataFrame({"doc_id": list("abc"), "group": ["1", "1", "1"]})
    gold = pd.DataFrame({"doc_id": list("ab"), "group": ["x", "x"]})
    assert pair_scores(ours, gold) == {"precision": 1 / 3, "recall": 1.0, "f1": 0.5, "pairs": 1}
    assert pair_scores(ours.head(0), gold.head(0))["f1"] == 1.0


def test_versions_of_a_page_are_found_by_their_address_and_pages_of_other_text_are_not():
    words = [f"w{i}" for i in range(400)]
    old, new = " ".join(words[:100]), " ".join(words[:40] + words[200:290])
    rows = [
        {"doc_id": "old", "text": old, "url": "https://www.post.example/a?utm_source=x"},
        {"doc_id": "new", "text": new, "url": "http://m.post.example/a/"},
        {"doc_id": "front", "text": " ".join(words[300:]), "url": "https://post.example/a#top"},
        {"doc_id": "other", "text": " ".join(words[150:199]), "url": "https://post.example/b"},
    ]
    assert duplicates(pd.DataFrame(rows))["doc_id"].tolist() == ["old", "new"]
    assert len(duplicates(pd.DataFrame(rows).drop(columns="url"))) == 0
    assert len(duplicates(pd.DataFrame(rows[:1]))) == len(duplicates(pd.DataFrame(rows).head(0))) == 0


def test_two_short_texts_of_one_page_are_no_error():
    corpus = pd.DataFrame({"text": ["Rain.", "More rain."], "url": ["http://x.org/a"] * 2})
    assert duplicates(corpus).empty


def test_the_result_does_not_depend_on_how_many_documents_are_split_at_once_nor_by_whom(monkeypatch):
    story = "The harbour was closed on Monday after a freighter ran on to the reef in thick fog"
    texts = [
        story,
        f"{story} and rain",
        *(f"Text number {n} about {n} cats and {n} dogs" for n in range(20)),
        story,
    ]
    whole = duplicates(texts)
    assert len(whole) == 3
    monkeypatch.setattr(duplication, "BLOCK", 30)
    monkeypatch.setattr(duplication, "COUNTED", 2)
    pd.testing.assert_frame_equal(duplicates(texts), whole)
    pd.testing.assert_frame_equal(duplicates(texts, n_jobs=3), whole)


def test_texts_without_words_are_no_copies_of_each_other():
    story = "The harbour was closed on Monday after a freighter ran on to the reef."
    assert duplicates(["", "", " \n", "…", "– –", story, story])["doc_id"].tolist() == ["5", "6"]
