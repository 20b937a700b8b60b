import gzip
import json
import shutil
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

import toolkit.datasets
from data.sample.build import build, check
from data.sample.build.compose import chance, compose
from data.sample.build.exports import export
from data.sample.build.stories import read_stories
from toolkit.corpus import as_corpus
from toolkit.datasets.registry import find
from toolkit.files import shipped
from toolkit.loading import load

FOLDER = shipped("sample")
BROKEN = json.loads((FOLDER / "broken.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def gold():
    return toolkit.datasets.gold("sample")


@pytest.fixture
def copy(tmp_path):
    return shutil.copytree(FOLDER, tmp_path / "sample")


def test_validator_finds_no_fault():
    report = check(FOLDER)
    assert report.faults == []
    assert report.counts["documents"]["all"] >= 400


def test_loads_in_under_a_second():
    toolkit.datasets.load("sample")
    start = time.perf_counter()
    corpus = toolkit.datasets.load("sample")
    assert time.perf_counter() - start < 1
    as_corpus(corpus)
    assert corpus["publisher"].nunique() == 18
    assert corpus["published"].notna().all()


def test_register_describes_the_shipped_sample():
    entry = find("sample")
    assert entry.digest == toolkit.datasets.content_digest(toolkit.datasets.records("sample"))
    assert entry.documents == len(toolkit.datasets.load("sample"))
    assert set(entry.languages) == set(toolkit.datasets.load("sample")["lang"])


def test_the_export_is_of_this_sample():
    assert export() == (FOLDER / "exports" / "nexis.txt").read_text(encoding="utf-8")


def test_build_repeats_itself_and_header_has_no_time():
    first, second = build(FOLDER), build(FOLDER)
    assert first == second
    assert first["articles.jsonl.gz"][3:8] == bytes(5)


def test_gold_spans_match_text_to_the_character(gold):
    texts = gold.corpus.set_index("doc_id")["text"]
    for doc_id, spans in gold.spans.groupby("doc_id", sort=False):
        last = 0
        for span in spans.itertuples():
            piece = texts[doc_id][span.start : span.end]
            assert last <= span.start < span.end <= len(texts[doc_id])
            assert piece == piece.strip()
            last = span.end


def test_boilerplate_stands_in_every_way_that_is_promised(gold):
    texts = gold.corpus.set_index("doc_id")["text"]
    own_line = glued = inside = 0
    for span in gold.spans.itertuples():
        before, after = texts[span.doc_id][: span.start], texts[span.doc_id][span.end :]
        own_line += before.endswith("\n") and after.startswith("\n")
        glued += bool(after) and not after[0].isspace()
        inside += before.endswith(" ") and after.startswith(" ") and after[1:2].islower()
    assert min(own_line, glued) > 100
    assert inside >= 10
    flat = ~texts.str.contains("\n")
    assert flat.sum() >= 15
    assert texts[flat].str.contains(r"[a-z][.!?”][A-Z“]").sum() >= 4


def test_houses_differ_from_almost_no_boilerplate_to_half(gold):
    publisher = gold.corpus.set_index("doc_id")["publisher"]
    marked = (gold.spans["end"] - gold.spans["start"]).groupby(gold.spans["doc_id"].map(publisher)).sum()
    share = marked / gold.corpus["text"].str.len().groupby(gold.corpus["publisher"]).sum()
    assert share.min() < 0.02
    assert (share < 0.05).sum() >= 3
    assert share.between(0.05, 0.15).sum() >= 5
    assert share.max() > 0.45


def test_pages_without_an_article_are_all_boilerplate_and_have_no_topic(gold):
    verdicts = gold.verdicts.set_index("doc_id")["verdict"]
    texts = gold.corpus.set_index("doc_id")["text"]
    empty = verdicts[verdicts.isin(["wall", "error", "index"])].index
    spans = gold.spans.groupby("doc_id").agg(start=("start", "min"), end=("end", "max"), n=("end", "size"))
    assert (spans.loc[empty, "start"] == 0).all()
    assert (spans.loc[empty, "end"] == texts[empty].str.len()).all()
    assert set(gold.topics["doc_id"]) == set(verdicts.index) - set(empty)
    stubs = verdicts[verdicts == "stub"].index
    assert (spans.loc[stubs, "end"] == texts[stubs].str.len()).all()
    assert (spans.loc[stubs, "start"] > 0).all()
    first = {
        story.doc_id: story.paragraphs[0] for story in read_stories(FOLDER / "stories") if story.paragraphs
    }
    for doc_id in verdicts[verdicts == "twice"].index:
        assert texts[doc_id].count(first[doc_id]) == 2


def test_lines_are_as_each_house_lays_them_out(gold):
    lines = (
        gold.corpus.set_index("doc_id")["text"].str.split("\n").groupby(gold.corpus["publisher"].to_numpy())
    )
    longest = lines.agg(lambda texts: max(len(line) for text in texts for line in text))
    assert longest["kuestenblatt.example"] <= 80
    one_line = gold.corpus[gold.corpus["publisher"] == "soundfm.example"]["text"]
    assert not one_line.str.contains("\n").any()


def test_boilerplate_comes_and_goes(gold):
    found = gold.spans.merge(gold.corpus[["doc_id", "text", "publisher", "published"]], on="doc_id")
    found["piece"] = [
        text[a:b] for text, a, b in zip(found["text"], found["start"], found["end"], strict=True)
    ]
    election = found[found["piece"].str.startswith("Before you vote")]
    assert len(election) >= 3
    assert election["published"].min().strftime("%Y-%m") >= "2032-09"
    assert election["published"].max().strftime("%Y-%m") <= "2032-11"
    old = found[found["piece"].str.contains("Morning Tide") & ~found["piece"].str.contains("formerly")]
    new = found[found["piece"].str.contains("Early Boat")]
    assert old["published"].max() < new["published"].min()


def test_captions_stand_twice_and_without_credit(gold):
    texts = gold.corpus.set_index("doc_id")["text"]
    captions = gold.spans[gold.spans["kind"] == "caption"]
    pieces = [texts[row.doc_id][row.start : row.end] for row in captions.itertuples()]
    twice = captions.assign(piece=pieces).duplicated(["doc_id", "piece"]).sum()
    plain = {caption.text for story in read_stories(FOLDER / "stories") for caption in story.captions}
    assert twice >= 10
    assert len(plain & set(pieces)) >= 20


def test_no_choice_depends_on_other_stories_or_blocks():
    settings = json.loads((FOLDER / "publishers.json").read_text(encoding="utf-8"))
    story = read_stories(FOLDER / "stories")[7]
    publisher = settings["publishers"][story.publisher]
    before = compose(story, publisher, settings["people"], ["A headline", "Another headline"])
    publisher["blocks"].append({"id": "late", "kind": "promo", "place": "end", "share": 1, "text": "Late."})
    after = compose(story, publisher, settings["people"], ["A headline", "Another headline"])
    assert after.text.startswith(before.text)
    assert after.text.endswith("Late.")
    assert after.spans[:-1] == before.spans


@given(st.text(), st.text())
def test_chance_is_a_share(first, second):
    assert 0 <= chance(first, second) < 1
    assert chance(first, second) == chance(first, second)


def rewrite(copy, name, old, new):
    path = copy / name
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_validator_sees_gold_that_slipped(copy):
    rewrite(copy, "gold.jsonl", '"start": ', '"start": 1')
    assert any(fault.startswith("gold.jsonl: differs") for fault in check(copy).faults)


def test_validator_sees_a_changed_article(copy):
    path = copy / "articles.jsonl.gz"
    path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes()).replace(b"Norland", b"Norlund", 1)))
    assert any(fault.startswith("articles.jsonl.gz: differs") for fault in check(copy).faults)


def test_validator_sees_a_copied_paragraph_and_a_second_story_of_one_name(copy):
    path = copy / "stories" / "fr.jsonl"
    rows = [json.loads(line) for line in path.open(encoding="utf-8")]
    rows[3]["paragraphs"][1] = rows[4]["paragraphs"][1]
    rows[6]["story"] = rows[5]["story"]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    faults = "\n".join(check(copy).faults)
    assert "shares a paragraph" in faults
    assert "2 documents with this id" in faults


def test_story_that_cannot_be_read_is_named(copy):
    first = json.loads((copy / "stories" / "es.jsonl").read_text(encoding="utf-8").splitlines()[0])
    for row, wrong in (
        ({"story": "x"}, "KeyError"),
        ({**first, "form": "wal"}, "ValueError: form 'wal'; there are article"),
        ({**first, "clock": ["10:00"]}, r"ValueError: 1 times for \d entries"),
    ):
        (copy / "stories" / "es.jsonl").write_text(json.dumps(row) + "\n", encoding="utf-8")
        with pytest.raises(ValueError, match=rf"es\.jsonl#1: {wrong}"):
            build(copy)


@pytest.mark.parametrize("name", BROKEN)
def test_broken_file_is_read_as_far_as_it_is_sound(name):
    corpus = load(FOLDER / "broken" / name)
    assert len(corpus) == BROKEN[name]["sound"]
    assert len(corpus.attrs["quarantine"]) == BROKEN[name]["unsound"]


def test_shipped_articles_load_like_any_file():
    corpus = load(FOLDER / "articles.jsonl.gz")
    same = toolkit.datasets.load("sample")
    for name in ("doc_id", "text", "title", "url", "publisher", "lang", "published"):
        assert corpus[name].tolist() == same[name].tolist()
