"""Metrics of page extraction against cases counted by hand, and the command on two made-up pages."""

import math
import socket
from itertools import pairwise

import pandas as pd
import pytest

from benchmarks import crossvalidation, html
from benchmarks.extractors import PEERS, SETTINGS, extract
from benchmarks.html import (
    TITLES,
    main,
    page_scores,
    set_scores,
    shingles,
    show,
    table,
    with_several,
    words,
)
from toolkit.corpus import make_corpus
from toolkit.datasets.registry import SETTING, write_records
from training.material import dealt

STORY = [
    "The harbour council voted on Monday to close the old ferry pier, which storms had damaged twice.",
    "Ferries will leave from the northern quay until a new pier opens, the mayor said after the vote.",
    "Two members of the council had asked for repairs instead, which would have cost half as much.",
    "Fishermen who moor there were promised berths in the inner basin at the price they pay today.",
]


def page(number):
    paragraphs = [f"{a} {b} That was decision number {number}." for a, b in pairwise(STORY)]
    body = "".join(f"<p>{line}</p>" for line in paragraphs)
    return {
        "id": f"p{number}",
        "publisher": "harbour.example.org",
        "url": f"https://harbour.example.org/{number}",
        "lang": "en",
        "html": f"<!DOCTYPE html><html lang=en><head><title>Pier {number}</title></head><body><nav>"
        f"<a href=/>Home</a> <a href=/sport>Sport</a></nav><article><h1>Pier {number}</h1>{body}</article>"
        "<footer>Imprint</footer></body></html>",
        "gold": "\n\n".join(paragraphs),
    }


def test_words_and_shingles_count_repetition():
    assert words("a b\na") == {"a": 2, "b": 1}
    assert shingles("a b, c d a b c d") == {
        ("a", "b", "c", "d"): 2, ("b", "c", "d", "a"): 1, ("c", "d", "a", "b"): 1, ("d", "a", "b", "c"): 1
    }  # fmt: skip
    assert shingles("Too short") == {("Too", "short"): 1}
    assert not shingles(" … ")


def test_a_page_is_scored_as_counted_by_hand():
    # words: 4 of 6 found and 4 of 5 wanted; shingles: abcd, bcde, cdex of abcd, bcde → 2 of 3, 2 of 2
    scores = page_scores(["a b c d e x"], ["a b c d e"]).iloc[0]
    assert scores["bag_f1"] == pytest.approx(2 * 5 / (6 + 5))
    assert scores["precision"] == pytest.approx(2 / 3)
    assert scores["recall"] == 1


def test_what_is_not_there_has_no_precision_or_no_recall():
    nothing_found, nothing_wanted, neither = page_scores(["", "a b", ""], ["a b", "", ""]).to_numpy()
    assert nothing_found[0] == nothing_wanted[0] == nothing_found[2] == nothing_wanted[1] == 0
    assert math.isnan(nothing_found[1])
    assert math.isnan(nothing_wanted[2])
    assert neither[0] == 1


def test_sums_are_means_over_pages_and_f1_is_of_the_means():
    pages = page_scores(["a b c d e", "a b c d", ""], ["a b c d", "a b c d", "e f g h"])
    sums = set_scores(pages)
    assert sums["bag_f1"] == pytest.approx((8 / 9 + 1 + 0) / 3)
    assert sums["shingle_precision"] == pytest.approx((1 / 2 + 1) / 2)  # the empty page has none
    assert sums["shingle_recall"] == pytest.approx((1 + 1 + 0) / 3)
    assert sums["shingle_f1"] == pytest.approx(2 * 0.75 * (2 / 3) / (0.75 + 2 / 3))
    assert set_scores(page_scores([""], ["a b"])) == dict.fromkeys(sums, 0)


def test_publishers_with_several_pages():
    publisher = pd.Series(["a", "b", "a", None, None], index=[3, 4, 5, 6, 7])
    assert with_several(publisher).tolist() == [True, False, True, False, False]


def test_the_table_has_gains_over_the_same_extraction_and_ordered_intervals():
    about = {"publisher": ["a", "a", "b"], "empty": [False, True, False]}
    before = page_scores(["a b x", "", "c d e"], ["a b", "g", "c d e"]).assign(**about)
    after = page_scores(["a b", "", "c d"], ["a b", "g", "c d e"]).assign(**about)
    figures = table({"t": before, "t + remover": after}, draws=50)
    assert figures.loc["t + remover", ("gain", "value")] == pytest.approx((0.2 + 0 - 0.2) / 3)
    assert figures.loc["t", ("empty", "value")] == 1
    assert (figures["bag_f1", "low"] <= figures["bag_f1", "value"]).all()
    assert (figures["bag_f1", "value"] <= figures["bag_f1", "high"]).all()
    tables = show({"one": figures, "two": figures}).split("\n\n")
    assert [t.split(" |")[0] for t in tables] == [f"| {title}" for title in TITLES.values()]
    assert tables[0].splitlines()[0] == "| word-bag F1 | one | two |"
    assert tables[1].splitlines()[2].startswith("| t + remover | +0.0000 [")
    assert tables[-1].splitlines()[2:] == ["| t | 1 | 1 |", "| t + remover | 1 | 1 |"]


@pytest.fixture
def no_network(monkeypatch):
    def refuse(*_):
        raise AssertionError("a page was read and the network asked")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.mark.usefixtures("no_network")
def test_each_extractor_finds_the_story():
    found = extract([page(1), page(2)])
    assert list(found) == [*(f"trafilatura {name}" for name in SETTINGS), *PEERS]
    for name, corpus in found.items():
        assert corpus["doc_id"].tolist() == ["p1", "p2"], name
        assert corpus["publisher"].tolist() == ["example.org"] * 2, name
        assert page_scores(corpus["text"], corpus["gold"])["bag_f1"].min() > 0.9, name


def test_a_page_that_an_extractor_cannot_read_has_an_empty_text(monkeypatch):
    def fails(*_):
        raise ValueError("no")

    monkeypatch.setitem(PEERS, "jusText", fails)
    found = extract([page(1)])["jusText"]
    assert found["text"].tolist() == [""]


def test_an_extractor_that_is_not_installed_is_reported(monkeypatch):
    def missing(*_):
        raise ModuleNotFoundError("no module")

    monkeypatch.setitem(PEERS, "jusText", missing)
    with pytest.raises(ModuleNotFoundError):
        extract([page(1)])


def test_the_command_prints_a_table_for_each_set(tmp_path, monkeypatch, capsys):
    write_records(tmp_path / "pages" / "aed.jsonl.gz", [page(1), page(2)])
    monkeypatch.setenv(SETTING, str(tmp_path))
    main(["--draws", "10"])
    out = capsys.readouterr().out
    assert "aed: 2 pages, 1 publishers" in out
    assert "wcxb" not in out
    for method in ("trafilatura favor_recall", "trafilatura favor_recall + fitted remover", *PEERS):
        assert f"| {method} | " in out
    assert "several: 2 pages, 1 publishers" in out


def test_the_command_skips_with_one_line_where_the_data_are_missing(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv(SETTING, str(tmp_path))
    main([])
    out = capsys.readouterr().out
    assert out.startswith("bench-html: skipped, no page set in ")
    assert out.count("\n") == 1


def test_each_publisher_is_cleaned_by_the_model_of_its_fold(monkeypatch):
    corpus = make_corpus(
        {"doc_id": f"d{i}", "text": "\n\n".join(STORY), "publisher": p}
        for i, p in enumerate(["example.com", "example.org", "example.com"])
    )
    fold = dealt(corpus, 2, 0)["fold"]
    monkeypatch.setattr(crossvalidation, "fold_models", lambda **_: ["first", "second"])
    monkeypatch.setattr(html, "clean", lambda part, model: part.assign(by=model)[["by"]])
    cleaned = html.clean_unseen({("aed", "trafilatura"): corpus}, folds=2)["aed", "trafilatura"]
    assert cleaned["by"].tolist() == [["first", "second"][k] for k in fold]
