import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import toolkit
from toolkit import review
from toolkit.boilerplate import KINDS, BoilerplateRemover
from toolkit.boilerplate.decisions import append_decision, read_decisions
from toolkit.corpus import make_corpus
from toolkit.display import contrast, visible
from toolkit.display.colours import DARK, LIGHT
from toolkit.review import TemplateReview, TopicReview, agreement, read_labels
from toolkit.review.journal import append_label, folded, set_aside
from toolkit.review.session import MOST
from toolkit.review.widget import HERE, ReviewWidget


@pytest.fixture
def judging(remover, corpus, tmp_path):
    return TemplateReview(remover, corpus, tmp_path / "decisions.jsonl")


def lines(path):
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


# templates


def test_most_characters_come_first_and_each_template_once(judging):
    table = judging.table
    assert table["characters"].is_monotonic_decreasing
    assert (table["characters"] > 0).all()
    names = [name for templates in table["templates"] for name in templates]
    assert len(names) == len(set(names))
    assert (table["removed"] <= table["occurrences"]).all()
    assert (table["documents"] <= table["occurrences"]).all()


def test_every_template_of_the_remover_can_be_judged(judging, remover):
    names = {name for templates in judging.table["templates"] for name in templates}
    assert set(remover.templates_["template_id"]) <= names


def test_what_is_rejected_stays_and_what_is_accepted_goes_as_its_kind(judging, remover, corpus):
    while judging.page().done < judging.page().total:
        judging.reject()
    kept = remover.spans(corpus)
    before = judging.occurrences[judging.occurrences["kind"].notna()]
    places = before.assign(doc_id=corpus["doc_id"].iloc[before["document"]].array)
    both = places.merge(kept, on="doc_id", suffixes=("", "_kept"))
    overlap = np.minimum(both["end"], both["end_kept"]) - np.maximum(both["start"], both["start_kept"])
    size = (before["end"] - before["start"]).sum()
    assert overlap.clip(lower=0).sum() < 0.02 * size
    judging.do("previous")
    judging.accept("interface")
    assert "interface" in set(remover.spans(corpus).query("evidence == 'rule'")["kind"])


def test_a_word_is_in_the_file_at_once_and_the_next_passage_is_shown(judging):
    assert not judging.path.exists()
    first = judging.table.iloc[0]
    judging.accept()
    assert judging.position == 1
    assert {(row["template_id"], row["verdict"]) for row in lines(judging.path)} == {
        (name, first["kind"]) for name in first["templates"]
    }
    assert all(row["example"] for row in lines(judging.path))
    judging.reject()
    assert set(judging.verdicts()["verdict"].dropna()) == {first["kind"], "keep"}
    assert judging.page().done == 2


def test_undo_takes_the_words_back_one_by_one_and_only_adds_lines(judging):
    judging.accept()
    judging.accept("interface")
    judging.reject()
    written = judging.path.read_text("utf-8")
    judging.undo()
    assert judging.position == 2
    judging.undo()
    assert judging.position == 1
    assert judging.page().done == 1
    judging.undo()
    judging.undo()
    assert judging.page().status == "nothing to undo"
    assert judging.path.read_text("utf-8").startswith(written)
    assert read_decisions(judging.path) == {}


def test_undo_returns_to_the_word_before(judging):
    judging.accept("promo")
    judging.do("previous")
    judging.reject()
    assert set(read_decisions(judging.path).values()) == {"keep"}
    judging.undo()
    assert set(read_decisions(judging.path).values()) == {"promo"}
    judging.undo()
    assert read_decisions(judging.path) == {}


@settings(max_examples=15)
@given(
    st.lists(st.sampled_from(["accept", "reject", "accept:notice", "undo", "next", "previous"]), max_size=12)
)
def test_a_new_kernel_continues_where_the_last_one_stopped(remover_and_corpus, tmp_path_factory, actions):
    remover, corpus = remover_and_corpus
    path = tmp_path_factory.mktemp("restart") / "decisions.jsonl"
    remover.decisions = None
    one = TemplateReview(remover, corpus, path)
    for action in actions:
        if any(a.name == action and a.enabled for a in one.page().actions):
            one.do(action)
    two = TemplateReview(remover, corpus, path)
    assert two.verdicts().equals(one.verdicts())
    assert two.page().done == one.page().done
    assert two.position == next((n for n, v in enumerate(one.verdicts()["verdict"]) if pd.isna(v)), 0)
    before = one.verdicts()
    two.undo()
    assert one.verdicts().equals(two.verdicts())
    assert (before["verdict"].fillna("") != two.verdicts()["verdict"].fillna("")).sum() <= 1


@pytest.fixture(scope="module")
def remover_and_corpus():
    footer = "Sign up for our daily newsletter. Follow us on Twitter."
    rows = [
        {
            "doc_id": f"d{n}",
            "text": f"Story {n} about {word}, told in full.\n\n{footer}\n\nBy Ada Berg",
            "publisher": "x",
        }
        for n, word in enumerate("rain wind snow hail fog ice".split())
    ]
    corpus = make_corpus(rows)
    return BoilerplateRemover().fit(corpus), corpus


def test_fitting_again_changes_neither_order_nor_state(remover, corpus, judging):
    judging.reject()
    judging.accept()
    again = TemplateReview(BoilerplateRemover(decisions=judging.path).fit(corpus), corpus)
    assert again.table.equals(judging.table)
    assert again.position == 2


def test_a_half_written_last_line_is_set_aside(judging, remover, corpus):
    judging.accept()
    whole = judging.path.read_text("utf-8")
    judging.path.write_text(whole + '{"template_id": "65a968d4209b62f9", "verd', "utf-8")
    again = TemplateReview(remover, corpus, judging.path)
    assert judging.path.read_text("utf-8") == whole
    torn = judging.path.with_name("decisions.jsonl.torn")
    assert torn.read_text("utf-8").startswith('{"template_id": "65a9')
    assert again.page().status == "half-written last line moved to decisions.jsonl.torn"
    assert again.page().done == 1
    again.reject()
    assert len(read_decisions(judging.path)) == sum(map(len, judging.table["templates"].iloc[:2]))


def test_a_whole_last_line_without_its_end_counts(tmp_path):
    path = tmp_path / "labels.jsonl"
    append_label(path, "a", ["x"])
    path.write_text(path.read_text("utf-8").rstrip("\n"), "utf-8")
    assert set_aside(path) == ""
    append_label(path, "b", ["y"])
    assert read_labels(path) == {"a": ("x",), "b": ("y",)}


@pytest.mark.parametrize("cut", range(1, 60, 7))
def test_a_line_torn_anywhere_never_spoils_the_next(tmp_path, cut):
    path = tmp_path / "labels.jsonl"
    append_label(path, "ä", ["x"])
    whole = path.read_bytes()
    path.write_bytes(whole + whole[:cut])
    set_aside(path)  # as a new session does
    append_label(path, "b", ["y"])
    assert read_labels(path) == {"ä": ("x",), "b": ("y",)}


@pytest.mark.parametrize("raw", [b"my notes\nthe last of them", b"doc_id,topic\na,sport", b'{\n "a": 1\n}'])
def test_the_last_line_of_another_file_is_not_moved(tmp_path, raw):
    path = tmp_path / "labels.jsonl"
    path.write_bytes(raw)
    assert set_aside(path) == ""
    with pytest.raises(ValueError, match=r"labels\.jsonl#1: .* is no label"):
        read_labels(path)
    assert [(each.name, each.read_bytes()) for each in tmp_path.iterdir()] == [(path.name, raw)]


def test_a_journal_that_never_ends_is_refused():
    with pytest.raises(ValueError, match="a folder, pipe or device"):
        set_aside(Path("/dev/zero"))


def test_lines_by_hand_or_from_another_window_count(judging):
    for name in judging.table["templates"].iloc[0]:
        append_decision(judging.path, name, "keep")
    assert judging.page().done == 1
    with judging.path.open("a", encoding="utf-8") as out:
        out.write('{"text": "Another corpus\u2028speaks.", "verdict": "promo"}\n')
    assert judging.page().done == 1
    judging.undo()
    assert judging.page().done == 0
    assert read_decisions(judging.path) == {"Another corpus\u2028speaks.": "promo"}


def test_a_wrong_line_is_named(judging, tmp_path):
    judging.path.write_text('{"template_id": "00", "verdict": "drop"}\n', "utf-8")
    with pytest.raises(ValueError, match=r"decisions\.jsonl#1: 'drop' is no verdict"):
        judging.page()
    path = tmp_path / "labels.jsonl"
    path.write_text('{"doc_id": "a", "topics": "sport"}\n', "utf-8")
    with pytest.raises(ValueError, match=r"labels\.jsonl#1: .* doc_id and a list topics are wanted"):
        read_labels(path)


def test_two_reviewers_and_where_they_differ(remover, corpus, tmp_path):
    files = {name: tmp_path / f"{name}.jsonl" for name in ("ada", "ben")}
    for path in files.values():
        remover.decisions = None
        judging = TemplateReview(remover, corpus, path)
        judging.accept("notice")
        if path == files["ada"]:
            judging.accept("appeal")
            judging.accept("promo")
        else:
            judging.reject()
    table = agreement(**files)
    count = judging.table["templates"].str.len()
    assert table["agree"].sum() == count[0]
    assert (~table["agree"].dropna()).sum() == count[1]
    assert table["agree"].isna().sum() == count[2]
    assert table.attrs["alpha"] < 1
    with pytest.raises(ValueError, match="name two or more"):
        agreement(ada=files["ada"])
    with pytest.raises(ValueError, match="no such file"):
        agreement(ada=files["ada"], ben=tmp_path / "none.jsonl")


def test_occurrences_are_paged_and_all_can_be_seen(judging, corpus):
    row = int(judging.table["occurrences"].idxmax())
    judging.position = row
    seen = list(judging.page().excerpts)
    while any(a.name == "more" and a.enabled for a in judging.page().actions):
        judging.do("more")
        seen += judging.page().excerpts
    assert len(seen) == judging.table["occurrences"].iloc[row]
    with pytest.raises(ValueError, match="cannot be done now"):
        judging.do("more")
    judging.do("back")
    texts = set(corpus["text"])
    for excerpt in seen:
        body = "".join(p.text for p in excerpt.pieces).removeprefix("… ").removesuffix(" …")
        assert any(body in text for text in texts)


def test_keys_stand_for_one_action_each(judging, corpus, tmp_path):
    labelling = TopicReview(toolkit.TopicClassifier(), corpus, tmp_path / "labels.jsonl", several=True)
    for page in (judging.page(), labelling.page()):
        keys = [action.key for action in page.actions if action.key]
        assert len(keys) == len(set(keys)) == len(page.actions)
        assert len({action.name for action in page.actions}) == len(page.actions)


def test_the_remover_keeps_its_own_file(remover, corpus, tmp_path):
    remover.decisions = {"65a968d4209b62f9": "keep"}
    with pytest.raises(ValueError, match="is a mapping"):
        TemplateReview(remover, corpus)
    remover.decisions = tmp_path / "mine.jsonl"
    with pytest.raises(ValueError, match="pass that, or set"):
        TemplateReview(remover, corpus, tmp_path / "other.jsonl")
    assert TemplateReview(remover, corpus).path == tmp_path / "mine.jsonl"


def test_an_unfitted_remover_is_named(corpus, tmp_path):
    with pytest.raises(ValueError, match=r"call remover\.fit\(corpus\) first"):
        TemplateReview(BoilerplateRemover(), corpus, tmp_path / "decisions.jsonl")


def test_nothing_that_repeats_is_no_error(tmp_path):
    remover = BoilerplateRemover().fit(["It rained in the port.", "The ferry stayed in."])
    judging = TemplateReview(remover, ["It rained in the port."], tmp_path / "decisions.jsonl")
    assert judging.page().heading == "Nothing repeats in this corpus"
    judging.undo()
    assert repr(judging).startswith("Review of templates: 0 of 0")


# topics


def short(n=30):
    words = {"sport": "striker goal match cup final team", "money": "bank rate inflation market shares bond"}
    texts = [f"The {words[topic]} number {i}, told on day {i}." for i in range(n) for topic in words]
    return make_corpus([{"doc_id": f"d{n:02}", "text": t, "title": f"T{n}"} for n, t in enumerate(texts)])


@pytest.fixture
def labelling(tmp_path):
    return TopicReview(
        toolkit.TopicClassifier(), short(), tmp_path / "labels.jsonl", topics=["sport", "money"]
    )


def gold(labelling):
    return "sport" if int(labelling.order[labelling.position][1:]) % 2 == 0 else "money"


def test_least_sure_comes_first(labelling):
    sure = toolkit.TopicClassifier().predict_proba(short()).max(axis=1).set_axis(short()["doc_id"])
    assert sure[labelling.order].is_monotonic_increasing
    assert TopicReview(toolkit.TopicClassifier(), short(), labelling.path).order == labelling.order


def test_a_random_order_is_the_same_whatever_the_classifier_or_the_order_of_the_corpus(labelling, tmp_path):
    one = TopicReview(labelling.classifier, short(), tmp_path / "r.jsonl", seed=1)
    turned = short().iloc[::-1].reset_index(drop=True)
    assert one.order == TopicReview(labelling.classifier, turned, tmp_path / "r.jsonl", seed=1).order
    assert one.order != TopicReview(labelling.classifier, short(), tmp_path / "r.jsonl", seed=2).order
    assert sorted(one.order) == sorted(labelling.order)
    # the first half of a random order holds about as many of one topic as the other
    assert 8 <= sum(int(doc_id[1:]) % 2 for doc_id in one.order[:30]) <= 22


def test_a_label_is_in_the_file_at_once_without_text(labelling):
    doc_id = labelling.order[0]
    labelling.do("topic:1")
    row = lines(labelling.path)[0]
    assert set(row) == {"doc_id", "topics", "labelled"}
    assert (row["doc_id"], row["topics"]) == (doc_id, ["money"])
    assert labelling.position == 1
    assert labelling.labels().to_dict() == {doc_id: "money"}


def test_labels_can_be_undone_and_survive_a_restart(labelling):
    labelling.label("sport")
    labelling.label("money")
    labelling.undo()
    again = TopicReview(toolkit.TopicClassifier(), short(), labelling.path, topics=["sport", "money"])
    assert again.position == labelling.position == 1
    again.undo()
    again.undo()
    assert again.page().status == "nothing to undo"
    assert read_labels(labelling.path) == {}


def test_refit_moves_the_score_and_the_order(labelling):
    assert labelling.refit() is None
    assert "needs 10 labelled documents and 2 topics; there are 0 and 0" in labelling.page().status
    before = list(labelling.order)
    for doc_id in sorted(before)[:24]:  # both topics, whichever the classifier finds harder
        labelling.position = labelling.order.index(doc_id)
        labelling.label(gold(labelling))
    score = labelling.refit()
    assert score.labels == 24
    assert score.low <= score.share <= score.high
    assert score.share >= 0.9
    assert str(score) in repr(labelling)
    assert labelling.order != before
    assert labelling.order[labelling.position] not in read_labels(labelling.path)


def test_several_topics_are_marked_then_saved(tmp_path):
    labelling = TopicReview(
        toolkit.TopicClassifier(), short(), tmp_path / "l.jsonl", topics=["sport", "money"], several=True
    )
    first = labelling.order[0]
    labelling.do("topic:0")
    labelling.do("topic:1")
    labelling.do("topic:0")
    assert not labelling.path.exists()
    labelling.do("save")
    labelling.do("save")
    assert list(read_labels(labelling.path).values()) == [("money",), ()]
    labelling.do("previous")
    labelling.do("previous")
    labelling.do("topic:0")
    labelling.do("save")
    assert read_labels(labelling.path)[first] == ("sport", "money")
    assert labelling.labels().tolist()[0] in ({"sport", "money"}, set())
    for _ in range(12):
        labelling.label("money")
    assert labelling.refit() is None
    assert "refit needs more labels: " in labelling.page().status
    for doc_id in sorted(labelling.order)[::2][:12]:
        labelling.position = labelling.order.index(doc_id)
        labelling.label("sport")
    assert labelling.refit().labels == len(labelling.labels())


def test_wrong_topics_are_refused(labelling):
    with pytest.raises(ValueError, match="'rain' is no topic here; choose of sport, money"):
        labelling.label("rain")
    with pytest.raises(ValueError, match="pass several=True"):
        labelling.label("sport", "money")
    assert not labelling.path.exists()


def test_the_classifier_is_silent_unless_asked(labelling, tmp_path):
    assert "classifier" not in dict(labelling.page().facts)
    asked = TopicReview(toolkit.TopicClassifier(), short(), tmp_path / "l.jsonl", suggest=True)
    assert re.search(r"\w 0\.\d\d", dict(asked.page().facts)["classifier"])


def test_long_documents_are_read_page_by_page(tmp_path):
    text = "".join(f"Sentence {n} of a long report. " for n in range(400))
    labelling = TopicReview(toolkit.TopicClassifier(), [text], tmp_path / "l.jsonl")
    parts = ["".join(piece.text for piece in labelling.page().excerpts[0].pieces)]
    while any(a.name == "more" and a.enabled for a in labelling.page().actions):
        labelling.do("more")
        parts.append("".join(piece.text for piece in labelling.page().excerpts[0].pieces))
    assert "".join(part.removeprefix("… ").removesuffix(" …") for part in parts) == text
    assert not parts[0].startswith("…")
    assert not parts[-1].endswith("…")


@given(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.sampled_from(["x", "y", None]), st.sampled_from(["", "undo"]))
    )
)
def test_the_last_word_counts_whatever_the_history(rows):
    verdicts, steps = folded(rows)
    last = {subject: verdict for subject, verdict, _ in rows}
    assert verdicts == {subject: verdict for subject, verdict in last.items() if verdict is not None}
    assert len(steps) <= len(rows)


# widget


def test_no_article_text_is_in_the_state_or_in_the_notebook(judging, corpus, pages):
    widget = ReviewWidget(judging)
    sent = pages(widget)
    for action in ("show", "accept", "more", "reject", "undo", "next"):
        widget._answer(widget, {"do": action}, [])
    saved = json.dumps([widget.get_state(), widget._repr_mimebundle_()], default=str)
    sentences = {s for text in corpus["text"] for s in re.split(r"(?<=[.!?])\s", text) if len(s) > 25}
    assert not [s for s in sentences if s in saved]
    assert repr(widget) in saved
    for message in sent:
        assert sum(len(p["text"]) for e in message["excerpts"] for p in e["pieces"]) <= MOST


def test_one_page_is_all_that_a_very_long_text_sends(tmp_path):
    notice = "All rights reserved. Do not copy this page. " * 300
    rows = [{"doc_id": f"{n}", "text": f"Story {n}.\n\n{notice}", "publisher": "x"} for n in range(6)]
    corpus = make_corpus(rows)
    judging = TemplateReview(BoilerplateRemover().fit(corpus), corpus, tmp_path / "d.jsonl")
    for row in range(len(judging.table)):
        judging.position = row
        message = judging.page().message()
        assert sum(len(p["text"]) for e in message["excerpts"] for p in e["pieces"]) <= MOST


def test_messages_that_are_none_change_nothing(judging, pages):
    widget = ReviewWidget(judging)
    sent = pages(widget)
    for content in (None, [], {}, {"do": 3}, {"do": "__class__"}, {"do": "accept:murder"}, {"do": "topic:0"}):
        widget._answer(widget, content, [])
    assert not judging.path.exists()
    assert sent[-1]["status"].startswith("not done: review: 'topic:0' cannot be done now")


def test_a_full_disk_is_reported_and_nothing_is_taken_for_done(judging, monkeypatch, pages):
    def full(*args, **options):
        raise OSError(28, "No space left on device")

    widget = ReviewWidget(judging)
    sent = pages(widget)
    monkeypatch.setattr("toolkit.review.template_review.append_decision", full)
    widget._answer(widget, {"do": "accept"}, [])
    assert sent[-1]["status"] == "not done: [Errno 28] No space left on device"
    assert sent[-1]["done"] == 0
    assert judging.position == 0


def test_hostile_text_is_harmless_in_every_message(hostile, tmp_path, pages):
    evil = hostile["title"].iloc[0]
    remover = BoilerplateRemover().fit(hostile)
    topics = TopicReview(toolkit.TopicClassifier(), hostile, tmp_path / "l.jsonl", topics=[evil, "b"])
    for reviewed in (TemplateReview(remover, hostile, tmp_path / "d.jsonl"), topics):
        widget = ReviewWidget(reviewed)
        sent = pages(widget)
        widget._answer(widget, {"do": "next"}, [])
        widget._answer(widget, {"do": evil}, [])
        for text in (*map(_strings, sent), repr(widget)):
            assert "\x1b" not in text
            assert "\u202e" not in text
        assert "<script>alert(1)</script>" in _strings(sent[0])  # shown as it is, by textContent


def _strings(value):
    if isinstance(value, dict):
        return " ".join(map(_strings, value.values()))
    return " ".join(map(_strings, value)) if isinstance(value, list) else str(value)


def test_the_browser_side_never_makes_html_of_text():
    code = (HERE / "review.js").read_text("utf-8")
    banned = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|Function\(|\.href|\.src|https?:|import\b"
    assert not re.search(banned, code)
    assert "textContent" in code


def shades(rule, theme):
    """Colours of a rule of the style sheet, its variables as the theme sets them."""
    css = (HERE / "review.css").read_text("utf-8")
    heads = {"light": ".ntk-review", "dark": '[data-jp-theme-light="false"] .ntk-review'}
    # those that the displays have too are set by the widget, whose dark ones stand in a rule of their own
    light, dark = ReviewWidget._css.removeprefix(css).split('[data-jp-theme-light="false"] {')
    plain = re.search(r"\.ntk-review \{[^}]*\}", dark if theme == "dark" else light)[0]
    known = dict(re.findall(r"(--[\w-]+): (#[0-9a-f]{6})", _rule(css, heads[theme]) + plain))
    return {
        name: known[variable]
        for name, variable in re.findall(
            r"(?<![\w-])(color|background-color):\s*var\((--[\w-]+)\)", _rule(css, rule, -1)
        )
    }


def _rule(css, rule, number=0):
    return re.findall(rf"^{re.escape(rule)} \{{([^}}]*)\}}", css, re.MULTILINE)[number]


@pytest.mark.parametrize(("theme", "palette"), [("light", LIGHT), ("dark", DARK)])
def test_the_widget_is_readable_on_its_ground(theme, palette):
    ground = shades(".ntk-review", theme)["background-color"]
    muted = ".ntk-count,\n.ntk-place,\n.ntk-shown,\n.ntk-legend,\n.ntk-review dt"
    for rule in (
        ".ntk-review",
        muted,
        ".ntk-review .ntk-status",
        ".ntk-review .ntk-heading",
        ".ntk-fields label",
    ):
        assert contrast(shades(rule, theme)["color"], ground) >= 4.5, rule
    for rule in (
        "button",
        'button[aria-pressed="true"]',
        'button[aria-disabled="true"]',
        "kbd",
        '.ntk-text [data-kind=""]',
    ):
        found = shades(f".ntk-review {rule}", theme)
        assert contrast(found["color"], found["background-color"]) >= 4.5, rule
    for kind in (*KINDS, "stays"):
        each = palette.of(kind)
        assert contrast(each.ink, each.tint) >= 4.5
        assert contrast({"light": "#ffffff", "dark": "#111111"}[theme], each.ink) >= 4.5
        assert f'[data-kind="{kind}"] {{ --ink: {each.ink}; --tint: {each.tint}; }}' in ReviewWidget._css


def test_without_the_extra_the_mend_is_named(remover, corpus, tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "toolkit.review.widget", None)
    with pytest.raises(ImportError, match=r"pip install 'news-toolkit\[lab\]'"):
        review.templates(remover, corpus, tmp_path / "d.jsonl")


def test_widgets_print_how_far_they_are(remover, corpus, tmp_path):
    widget = review.templates(remover, corpus, tmp_path / "d.jsonl")
    total = len(widget.review.table)
    assert repr(widget) == f"Review of templates: 0 of {total} passages decided, 0 of them to keep; d.jsonl"
    labels = review.topics(toolkit.TopicClassifier(), short(), tmp_path / "l.jsonl")
    assert repr(labels) == "Label topics: 0 of 60 documents labelled; l.jsonl"
    assert set(KINDS) == {a.label for a in widget.review.page().actions if a.group == "Accept as"}
    assert visible(repr(widget)) == repr(widget)
