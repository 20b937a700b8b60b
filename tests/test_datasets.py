import gzip
import json
import socket

import pytest

import toolkit.datasets
from toolkit.corpus import COLUMNS, as_corpus
from toolkit.datasets import content_digest
from toolkit.datasets.registry import registry, write_records
from toolkit.errors import CorpusError
from toolkit.files import text_digest

PACKED = ("allsides", "aed", "fundus", "modern", "tagmynews", "sib200", "masakhanews", "agnews")


@pytest.fixture
def no_network(monkeypatch):
    def refuse(*args, **kwargs):
        pytest.fail("a connection was opened outside fetch")

    monkeypatch.setattr(socket.socket, "connect", refuse)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("NEWS_TOOLKIT_DATA", str(tmp_path))
    return tmp_path


def put(folder, name, rows):
    path = folder / registry()[name].file
    write_records(path, rows)
    return path


ARTICLE = {
    "ID": "a1",
    "url": "https://www.post.example/2031/1",
    "source": "Post",
    "source_url": "www.post.example",
    "date": "2031-03-04",
    "title": "Ferries tied up",
    "authors": "",
    "topic": "weather",
    "content_original": "Ferries tied up\n\nEvery ferry was cancelled.",
}
COLLECTED = {
    "id": "m1", "publisher": "Die Post", "url": None, "lang": "de", "title": None, "date": None,
    "text": "Die Fähre blieb im Hafen.", "repo": "a/b", "commit": "c0", "path": "x.json",
    "licence": "none", "use": "develop",
}  # fmt: skip
PAGE = {
    "id": "aed:1",
    "publisher": "post.example",
    "url": "https://post.example/1",
    "lang": None,
    "html": "<html lang=en><head><title>Vote</title></head><body><article>"
    + "".join(
        f"<p>The council voted on item {i} today after a long debate in the hall.</p>" for i in range(9)
    )
    + "</article></body></html>",
    "gold": "The council voted.",
}


def test_list_has_licence_citation_and_source_for_every_corpus():
    table = toolkit.datasets.list()
    assert {*PACKED, "wcxb", "bbc", "20newsgroups", "reuters21578", "aeb", "gum", "sample"} == set(
        table.index
    )
    texts = table[["title", "licence", "source", "citation", "languages", "use"]]
    assert (texts.map(len) > 0).all(axis=None)
    assert table.loc["sample", "here"]
    assert table["documents"].min() > 0


def test_every_fetchable_corpus_is_pinned_and_secure():
    for entry in registry().values():
        assert entry.downloads or entry.name in ("sample", "modern")
        for item in entry.downloads:
            assert item.url.startswith("https://")
            pinned = (entry.commit and entry.commit in item.url) or item.hash
            assert pinned or entry.name == "reuters21578", f"{item.url} may change under us"


def test_unknown_name_lists_what_there_is():
    with pytest.raises(CorpusError, match=r"no corpus called 'allsidez'.*allsides"):
        toolkit.datasets.load("allsidez")
    with pytest.raises(CorpusError, match=r"no gold called 'spans'.*'boilerplate'"):
        toolkit.datasets.gold("spans")


def test_absent_corpus_says_in_one_line_what_to_put_where(folder, no_network):
    with pytest.raises(CorpusError) as caught:
        toolkit.datasets.load("bbc")
    text = str(caught.value)
    assert "\n" not in text
    assert str(folder / "topics" / "bbc.jsonl.gz") in text
    assert "fetch('bbc')" in text
    assert "NEWS_TOOLKIT_DATA" in text


def test_what_has_no_single_source_cannot_be_fetched_and_says_what_to_put_where(folder, no_network):
    for call in (toolkit.datasets.load, toolkit.datasets.fetch):
        with pytest.raises(CorpusError, match=r"^modern: .*put the packed copy at [^\n]+$") as caught:
            call("modern")
        assert str(folder / "modern" / "articles.jsonl.gz") in str(caught.value)
        assert "run toolkit.datasets.fetch" not in str(caught.value)
    path = put(folder, "modern", [COLLECTED])
    assert toolkit.datasets.fetch("modern", again=True) == path


def test_a_collection_keeps_licence_and_use_of_each_row_and_reads_its_dates(folder, no_network):
    written = {
        "2031-03-04": "2031-03-04", "04/03/2031 10h15": "2031-03-04", "4/3/2031": "2031-03-04",
        "04/03/2031 (updated)": "2031-03-04",
        "04+March+2031": "2031-03-04", "Tue, 04 Mar 2031 15:48:00 +0100": "2031-03-04",
        "2031-03/04": None, "2031": None, "4 de março de 2031": "2031-03-04", None: None,
    }  # fmt: skip
    put(folder, "modern", [{**COLLECTED, "id": str(i), "date": date} for i, date in enumerate(written)])
    corpus = toolkit.datasets.load("modern")
    as_corpus(corpus)
    days = corpus["published"].dt.strftime("%Y-%m-%d")
    assert [day if isinstance(day, str) else None for day in days] == list(written.values())
    assert str(corpus.loc[1, "published"]) == "2031-03-04 10:15:00+00:00"
    assert set(corpus["use"]) == {"develop"}
    assert corpus.loc[0, ["repo", "commit", "path", "licence"]].tolist() == ["a/b", "c0", "x.json", "none"]
    assert corpus["publisher"].tolist() == ["Die Post"] * len(written)


def test_articles_become_a_corpus(folder, no_network):
    put(folder, "allsides", [ARTICLE, {**ARTICLE, "ID": "a2", "url": "", "date": "0000-00-00"}])
    corpus = toolkit.datasets.load("allsides")
    assert list(corpus.columns[: len(COLUMNS)]) == list(COLUMNS)
    assert corpus["publisher"].tolist() == ["post.example", "post.example"]
    assert corpus["published"].dt.year.tolist()[0] == 2031
    assert corpus["published"].isna().tolist() == [False, True]
    assert corpus["source"].tolist() == ["articles.jsonl.gz#1", "articles.jsonl.gz#2"]
    as_corpus(corpus)


def test_pages_give_extracted_or_gold_text_and_empty_pages_are_quarantined(folder):
    put(folder, "aed", [PAGE, {**PAGE, "id": "aed:2", "html": "<html></html>"}])
    extracted = toolkit.datasets.load("aed")
    assert "item 3 today" in extracted["text"][0]
    assert extracted["doc_id"].tolist() == ["aed:1"]
    assert extracted.attrs["quarantine"]["source"].tolist() == ["aed.jsonl.gz#2"]
    assert toolkit.datasets.load("aed", text="gold")["text"].tolist() == ["The council voted."] * 2
    assert next(toolkit.datasets.records("aed"))["html"] == PAGE["html"]
    with pytest.raises(CorpusError, match="'extracted' or 'gold'"):
        toolkit.datasets.load("aed", text="both")


def test_labels_keep_their_label_and_a_headline_stands_in_for_a_text(folder):
    put(
        folder,
        "sib200",
        [{"id": "s/1", "lang": "swh_Latn", "text": "Habari", "label": "travel", "split": "dev"}],
    )
    corpus = toolkit.datasets.load("sib200")
    assert corpus[["lang", "label", "split"]].iloc[0].tolist() == ["sw", "travel", "dev"]
    put(folder, "tagmynews", [{"id": "tmn/0", "label": "sport", "lang": "en", "title": "rovers win"}])
    assert toolkit.datasets.load("tagmynews")["text"].tolist() == ["rovers win"]


@pytest.mark.parametrize(
    "raw",
    [b"not gzip", gzip.compress(b'{"id": 1}\n{"id"'), gzip.compress(b"{}\n" * 99)[:-9]],
    ids=["other", "half a line", "cut off"],
)
def test_damaged_file_is_named(folder, raw):
    path = folder / "allsides" / "articles.jsonl.gz"
    path.parent.mkdir()
    path.write_bytes(raw)
    with pytest.raises(CorpusError, match=r"articles\.jsonl\.gz: damaged near record \d+ .*fetch"):
        list(toolkit.datasets.records("allsides"))


def test_content_digest_depends_on_content_alone(tmp_path):
    rows = [{"id": str(i), "text": f"é {i}"} for i in range(20)]
    shuffled = [dict(reversed(row.items())) for row in rows[::-1]]
    assert content_digest(rows) == content_digest(shuffled)
    assert content_digest(rows) != content_digest([*rows[:-1], {"id": "19", "text": "e 19"}])
    assert content_digest(rows) != content_digest(rows[:-1])
    assert content_digest([{"a": "b"}]) != content_digest([{"a": "c"}])
    first, second = tmp_path / "a.gz", tmp_path / "b.gz"
    write_records(first, rows)
    write_records(second, rows)
    assert first.read_bytes() == second.read_bytes()


def gold_folder(tmp_path, monkeypatch, boilerplate, topics):
    base = tmp_path / "gold"
    base.mkdir()
    for name, rows in {"boilerplate": boilerplate, "topics": topics}.items():
        (base / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    monkeypatch.setattr("toolkit.datasets.registry.shipped", lambda _: base)
    return base


def test_gold_is_joined_by_digest_and_differences_are_reported_not_scored(folder, tmp_path, monkeypatch):
    put(folder, "allsides", [ARTICLE, {**ARTICLE, "ID": "a2"}])
    sound = text_digest(ARTICLE["content_original"])
    span = {"start": 0, "end": 7, "kind": "byline"}
    base = gold_folder(
        tmp_path,
        monkeypatch,
        [
            {"id": "a1", "publisher": "post.example", "sha256": sound, "spans": [span], "round": 1},
            {"id": "a2", "publisher": "post.example", "sha256": "0" * 64, "spans": [span], "round": 1},
            {"id": "gone", "publisher": "post.example", "sha256": sound, "spans": [span], "round": 1},
        ],
        [{"source": "masakha", "id": "m", "primary": "pol", "all": ["pol"], "sure": True, "sha256": sound}],
    )
    found = toolkit.datasets.gold("boilerplate")
    assert found.corpus["doc_id"].tolist() == ["a1"]
    assert found.spans.to_dict("records") == [{"doc_id": "a1", **span}]
    assert found.unmatched["doc_id"].tolist() == ["a2", "gone"]
    assert found.unmatched["reason"].str.contains("text differs|no such document").all()
    extra = {"id": "a1", "publisher": "post.example", "sha256": sound, "spans": [], "round": 2}
    (base / "boilerplate_extra.jsonl").write_text(json.dumps(extra) + "\n", encoding="utf-8")
    again = toolkit.datasets.gold("boilerplate")
    assert len(again.spans) == 1
    assert "annotated again" in again.unmatched["reason"].iloc[-1]
    topics = toolkit.datasets.gold("topics")
    assert len(topics.corpus) == 0
    assert "fetch('masakhanews')" in topics.unmatched["reason"][0]
    assert "1 unmatched" in repr(topics)


def test_shipped_gold_holds_no_text_and_fits_its_kinds():
    kinds = {"appeal", "promo", "related", "caption", "byline", "notice", "interface"}
    from toolkit.files import shipped

    of_spans = {"id", "publisher", "sha256", "spans", "round"}
    of_topics = {"source", "id", "primary", "all", "sure", "sha256"}
    for name, keys in {
        "boilerplate": of_spans,
        "boilerplate_modern": of_spans | {"source", "lang"},
        "boilerplate_extra_modern": of_spans | {"source", "lang"},
        "topics": of_topics | {"round"},
        "topics_modern": of_topics | {"lang"},
        "topics_extra_modern": of_topics | {"lang"},
    }.items():
        rows = [json.loads(line) for line in (shipped("gold") / f"{name}.jsonl").open(encoding="utf-8")]
        assert {frozenset(row) for row in rows} == {frozenset(keys)}
        assert len({row["id"] for row in rows}) == len(rows)
        assert all(len(row["sha256"]) == 64 for row in rows)
        spans = [span for row in rows for span in row.get("spans", ())]
        assert all(set(span) == {"start", "end", "kind"} and span["kind"] in kinds for span in spans)


@pytest.mark.shared
@pytest.mark.parametrize("name", PACKED)
def test_packed_copies_are_the_registered_ones(shared_data, name):
    entry = registry()[name]
    count = 0

    def counted():
        nonlocal count
        for record in toolkit.datasets.records(name):
            count += 1
            yield record

    assert content_digest(counted()) == entry.digest
    assert count == entry.documents
    assert (shared_data / entry.file).stat().st_size == entry.size


@pytest.mark.shared
@pytest.mark.parametrize("name", ["tagmynews", "sib200", "masakhanews", "agnews"])
def test_packed_label_sets_load(shared_data, name):
    corpus = toolkit.datasets.load(name)
    as_corpus(corpus)
    assert set(corpus["lang"]) == set(registry()[name].languages)
    assert corpus["label"].notna().all()


@pytest.mark.shared
def test_all_public_gold_fits_the_packed_copies(shared_data):
    found = toolkit.datasets.gold("boilerplate")
    own = found.corpus[found.corpus["part"] == "boilerplate"]
    assert len(own) == 956
    assert own["publisher"].nunique() == 104
    assert found.spans["doc_id"].isin(own["doc_id"]).sum() == 1544
    assert not found.unmatched["doc_id"].isin(own["doc_id"]).any()
    texts = found.corpus.set_index("doc_id")["text"]
    ends = found.spans["doc_id"].map(texts.str.len())
    assert (found.spans["end"] <= ends).all()


@pytest.mark.shared
def test_topic_gold_brings_its_texts(shared_data):
    found = toolkit.datasets.gold("topics")
    own = found.corpus[found.corpus["part"] == "topics"]
    assert own["set"].value_counts().to_dict() == {
        "allsides": 1555,
        "wcxb": 750,
        "aed": 306,
        "fundus": 107,
        "masakhanews": 80,
    }
    assert (own["text"].str.len() > 0).all()
    pairs = zip(found.topics["primary"], found.topics["all"], strict=True)
    assert all(primary in every if isinstance(primary, str) else not every for primary, every in pairs)


@pytest.mark.shared
def test_modern_gold_fits_its_texts_and_says_what_may_be_learned_from(shared_data):
    boilerplate, topics = (toolkit.datasets.gold(f"{name}_modern") for name in ("boilerplate", "topics"))
    assert len(boilerplate.unmatched) == len(topics.unmatched) == 0
    own = topics.corpus["part"] == "topics_modern"
    marked = boilerplate.corpus["part"] == "boilerplate_modern"
    assert (marked.sum(), own.sum()) == (622, 1735)
    assert boilerplate.corpus[marked]["use"].value_counts().to_dict() == {"train": 525, "develop": 97}
    for gold, first in ((boilerplate, marked), (topics, own)):
        assert set(gold.corpus[~first]["use"]) == {"train"}
    assert topics.corpus[own]["use"].value_counts().to_dict() == {"train": 1226, "develop": 509}
    texts = boilerplate.corpus.set_index("doc_id")["text"]
    spans = boilerplate.spans
    assert (spans["end"] <= spans["doc_id"].map(texts.str.len())).all()
    assert (spans["start"] < spans["end"]).all()
    pairs = zip(topics.topics["primary"], topics.topics["all"], strict=True)
    assert all(primary in every if isinstance(primary, str) else not every for primary, every in pairs)
