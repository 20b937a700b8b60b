"""The explorer: filters, decisions in place, tabs, and a hundred thousand documents."""

import json
import time

import numpy as np
import pandas as pd
import pytest

import toolkit
from toolkit import review
from toolkit.boilerplate import BoilerplateRemover
from toolkit.boilerplate.decisions import read_decisions
from toolkit.review import Explorer
from toolkit.review.session import MOST
from toolkit.review.widget import ReviewWidget


@pytest.fixture
def explorer(remover, corpus, tmp_path):
    verdicts = pd.DataFrame(
        {"doc_id": corpus["doc_id"], "verdict": np.resize(["article", "stub"], len(corpus))}
    )
    topics = pd.DataFrame({"doc_id": corpus["doc_id"].iloc[::3], "topic": "15000000", "name": "sport"})
    return Explorer(
        corpus, remover, decisions=tmp_path / "d.jsonl", verdicts=verdicts, topics=topics,
        classifier=toolkit.TopicClassifier(), labels=tmp_path / "l.jsonl",
    )  # fmt: skip


def facts(explorer):
    return dict(explorer.page().facts)


@pytest.mark.parametrize(
    ("field", "value", "right"),
    [
        ("publisher", "harbourpost.example", lambda c, s, n: c["publisher"] == "harbourpost.example"),
        ("verdict", "stub", lambda c, s, n: n % 2 == 1),
        ("topic", "sport", lambda c, s, n: n % 3 == 0),
        ("kind", "appeal", lambda c, s, n: c["doc_id"].isin(s[s["kind"] == "appeal"]["doc_id"])),
        ("from", "2031-05-01", lambda c, s, n: c["published"] >= pd.Timestamp("2031-05-01", tz="UTC")),
        ("to", "2031-05-01", lambda c, s, n: c["published"] < pd.Timestamp("2031-05-02", tz="UTC")),
        ("high", "0.95", lambda c, s, n: c["doc_id"].isin(s[s["score"] <= 0.95]["doc_id"])),
    ],
)
def test_each_filter_leaves_what_it_says(explorer, remover, corpus, field, value, right):
    explorer.do(field, value)
    wanted = right(corpus, remover.spans(corpus), np.arange(len(corpus))).to_numpy() if field not in (
        "verdict", "topic") else right(corpus, None, np.arange(len(corpus)))  # fmt: skip
    assert explorer.documents.rows.tolist() == np.flatnonzero(wanted).tolist()
    assert facts(explorer)["documents"] == f"{wanted.sum():,} of {len(corpus):,}"
    explorer.do(field, "")
    assert len(explorer.documents.rows) == len(corpus)


def test_filters_that_leave_nothing_or_are_none(explorer):
    explorer.do("from", "2999-01-01")
    assert explorer.page().heading == "No document passes these filters"
    with pytest.raises(ValueError, match="cannot be done now"):
        explorer.do("accept")
    explorer.do("from", "")
    with pytest.raises(ValueError, match=r"from: 'soon' is no date; write 2031-02-03 or 0\.9"):
        explorer.do("from", "soon")
    assert explorer.documents.rows.size


def test_a_decision_is_saved_at_once_and_holds_in_a_new_run(explorer, remover, corpus):
    before = remover.spans(corpus)
    gone = explorer.documents.counts()
    chosen = explorer.documents.spans.iloc[explorer.documents.chosen]
    explorer.do("reject")
    assert read_decisions(explorer.documents.path) == {chosen["subject"]: "keep"}
    like = explorer.documents.spans["subject"] == chosen["subject"]
    size = int(chosen["end"] - chosen["start"])
    assert explorer.documents.counts()["keep"] >= size
    assert sum(explorer.documents.counts().values()) == sum(gone.values())
    after = BoilerplateRemover(decisions=explorer.documents.path).fit(corpus).spans(corpus)
    assert len(after) < len(before)
    places = explorer.documents.spans[like].merge(after, on="doc_id", suffixes=("", "_now"))
    assert not ((places["start"] < places["end_now"]) & (places["start_now"] < places["end"])).any()
    explorer.do("undo")
    assert explorer.documents.counts() == gone
    assert read_decisions(explorer.documents.path) == {}


def test_what_the_model_alone_removed_can_be_kept_by_its_text(explorer, corpus):
    spans = explorer.documents.spans
    number = int(np.flatnonzero(spans["template_id"].isna())[0])
    explorer.documents.position = int(
        np.searchsorted(explorer.documents.rows, spans["document"].iloc[number])
    )
    explorer.documents._choose(number)
    explorer.do("reject")
    doc_id = spans["doc_id"].iloc[number]
    after = BoilerplateRemover(decisions=explorer.documents.path).fit(corpus).spans(corpus)
    mine = after[after["doc_id"] == doc_id]
    a, b = spans["start"].iloc[number], spans["end"].iloc[number]
    assert not ((mine["start"] < b) & (a < mine["end"])).any()


def test_every_removal_of_a_document_is_reached_by_key_and_by_click(explorer):
    seen = [explorer.documents.chosen]
    while any(a.name == "below" and a.enabled for a in explorer.page().actions):
        explorer.do("below")
        seen.append(explorer.documents.chosen)
    assert seen == list(explorer.documents._here())
    explorer.do("choose:0")
    assert explorer.documents.chosen == seen[0]
    explorer.do("accept:interface")
    pieces = explorer.page().excerpts[0].pieces
    assert "interface" in {p.kind for p in pieces}
    with pytest.raises(ValueError, match="cannot be done now"):
        explorer.do("choose:999")


def test_tabs_share_the_decisions(explorer):
    explorer.do("reject")
    subject = next(iter(read_decisions(explorer.documents.path)))
    explorer.do("tab:1")
    templates = explorer.tab
    assert "Passage" in explorer.page().heading
    if any(subject in each for each in templates.table["templates"]):
        assert (templates.verdicts()["verdict"] == "keep").any() or templates.table[
            "templates"
        ].str.len().max() > 1
    templates.position = 0
    explorer.do("accept:notice")
    first = templates.table["templates"].iloc[0][0]
    explorer.do("tab:0")
    kinds = explorer.documents._kinds[(explorer.documents.spans["subject"] == first).to_numpy()]
    explorer.page()
    kinds = explorer.documents._kinds[(explorer.documents.spans["subject"] == first).to_numpy()]
    assert set(kinds) <= {"notice"}
    explorer.do("tab:2")
    explorer.do("search", "spor")
    assert [a.label for a in explorer.page().actions if a.group == "Topic"] == ["sport"]
    explorer.do(explorer.page().fields[0].enter)
    explorer.do("unsure")
    explorer.do("none")
    explorer.do("skip")
    rows = [json.loads(line) for line in explorer.tab.path.read_text("utf-8").splitlines()]
    assert [(row["topics"], row.get("unsure")) for row in rows] == [
        (["15000000"], None),
        (None, True),
        ([], None),
    ]
    assert len(review.read_labels(explorer.tab.path)) == 2
    assert explorer.page().done == 3
    assert explorer.tab.position == 4


def test_keys_of_each_tab_stand_for_one_action(explorer):
    for tab in range(3):
        explorer.do(f"tab:{tab}")
        page = explorer.page()
        keys = [each.key for each in (*page.actions, *page.fields) if each.key]
        assert len(keys) == len(set(keys)), tab


def test_a_hundred_thousand_documents_without_lag(tmp_path):
    n = 100_000
    number = np.arange(n)
    corpus = pd.DataFrame(
        {
            "doc_id": [f"d{i:06}" for i in number],
            "text": [
                f"Story {i} of the rain in Lorve, told in full.\n\nSign up for our newsletter."
                for i in number
            ],
            "publisher": [f"p{i % 50}" for i in number],
            "published": pd.Timestamp("2031-01-01", tz="UTC") + pd.to_timedelta(number, unit="min"),
        }
    )
    corpus = toolkit.corpus.as_corpus(corpus)
    start = corpus["text"].str.find("Sign up").to_numpy()
    spans = pd.DataFrame(
        {"doc_id": corpus["doc_id"], "start": start, "end": start + 27, "kind": "promo", "score": 0.9,
         "evidence": "template", "template_id": [f"{i % 50:016x}" for i in number]}
    )  # fmt: skip
    remover = BoilerplateRemover().fit(corpus.head(100))
    explorer = Explorer(corpus, remover, spans=spans, decisions=tmp_path / "d.jsonl")
    times = []
    for action, value in [
        ("next", None),
        ("publisher", "p7"),
        ("reject", None),
        ("low", "0.5"),
        ("kind", "keep"),
        ("undo", None),
    ]:
        began = time.process_time()
        explorer.do(action, value)
        message = explorer.page().message()
        times.append(time.process_time() - began)
        assert len(json.dumps(message)) < 60_000
    assert max(times) < 1.0, times
    assert read_decisions(explorer.documents.path) == {}


def test_hostile_text_and_little_text_are_harmless(hostile, tmp_path, pages):
    evil = hostile["title"].iloc[0]
    widget = review.explore(hostile, BoilerplateRemover().fit(hostile), decisions=tmp_path / "d.jsonl")
    sent = pages(widget)
    for content in (
        {"do": "show"},
        {"do": "reject"},
        {"do": evil},
        {"do": "note", "value": evil},
        {"do": "from", "value": evil},
    ):
        widget._answer(widget, content, [])
    assert sent[-1]["status"].startswith("not done: from: ")
    for message in sent:
        message["fields"][-1]["value"] = ""  # the reviewer's own note, as they wrote it
        told = json.dumps(message, ensure_ascii=False)
        assert "\\u001b" not in told
        assert "\u202e" not in told
        assert sum(len(p["text"]) for e in message["excerpts"] for p in e["pieces"]) <= MOST
    assert "newsletter" not in json.dumps([widget.get_state(), widget._repr_mimebundle_()], default=str)
    empty = Explorer([], BoilerplateRemover().fit(["a"]), decisions=tmp_path / "e.jsonl")
    assert empty.page().heading == "No document passes these filters"
    plain = Explorer(["Rain fell."], BoilerplateRemover().fit(["Rain fell."]), decisions=tmp_path / "f.jsonl")
    assert plain.documents.chosen == -1
    assert not any(a.name == "accept" for a in plain.page().actions)
    assert ReviewWidget(plain).review is plain
