"""What a person types first, as in a notebook, and what they expect to come of it."""

import ast
import hashlib
import io
import json
import pickle
import re
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from typer.testing import CliRunner

import toolkit
from toolkit import cli
from toolkit.corpus import COLUMNS
from toolkit.topics import classifier as topics_module

PLUG = "Sign up for our daily newsletter and follow us on Twitter."
STORY = "The striker scored twice as the home team won the cup final on Sunday."
TEXT = f"{STORY}\n\n{PLUG}"


@pytest.fixture(scope="module")
def corpus():
    return toolkit.datasets.load("sample").head(40)


@pytest.fixture(scope="module")
def remover(corpus):
    return toolkit.BoilerplateRemover().fit(corpus)


@pytest.fixture(scope="module")
def spans(corpus, remover):
    return remover.spans(corpus)


@pytest.fixture(scope="module")
def cleaned(corpus, remover, spans):
    return remover.transform(corpus, spans)


@pytest.fixture(scope="module")
def news():
    """Twelve short stories as a table that somebody made: own names, own index."""
    return pd.DataFrame(
        {
            "ID": range(100, 112),
            "Body": [TEXT.replace("twice", f"{n} times") for n in range(12)],
            "Headline": "Cup final",
            "date": "2031-05-04",
            "link": "https://www.courier.example.co.uk/sport/1",
            "my own column": range(12),
        },
        index=[f"row {n}" for n in range(12)],
    )


# --- the package ---------------------------------------------------------------------------------


def test_tab_offers_what_is_public_and_nothing_else():
    offered = {name for name in dir(toolkit) if not name.startswith("__")}
    assert offered == set(toolkit.__all__)
    assert {"show", "plots", "census", "review", "audit", "clean", "load", "quarantine"} <= offered
    assert not offered & {"import_module", "Any", "TYPE_CHECKING"}
    assert all(getattr(toolkit, name) is not None for name in offered)


def test_a_type_checker_sees_the_same_names():
    tree = ast.parse(Path(toolkit.__file__).read_text("utf-8"))
    seen = {alias.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert seen == set(toolkit.__all__)


def test_everything_public_has_help():
    for name in toolkit.__all__:
        assert len((getattr(toolkit, name).__doc__ or "").strip()) > 30, name


def test_importing_is_light():
    code = (
        "import toolkit, sys; print([m for m in ('pandas', 'numpy', 'sklearn', 'numba') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_cleaning_does_without_scikit_learn():
    code = "import toolkit, sys; toolkit.clean('Rain fell on the port.'); print('sklearn' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_a_wrong_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="has no attribute 'cleen'"):
        _ = toolkit.cleen


def test_a_missing_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    for name in [name for name in sys.modules if name.startswith("toolkit.distributed")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delattr(toolkit, "distributed", raising=False)
    with pytest.raises(
        AttributeError, match=r"toolkit\.distributed needs distributed.*pip install 'news-toolkit\[dist\]'"
    ):
        _ = toolkit.distributed


# --- whatever holds text can be cleaned -------------------------------------------------------------


def test_one_text():
    assert toolkit.clean(TEXT)["clean_text"].tolist() == [STORY]


def test_a_list():
    assert toolkit.clean([TEXT, STORY])["clean_text"].tolist() == [STORY, STORY]


def test_a_series_keeps_its_index():
    made = toolkit.clean(pd.Series({"a": TEXT, "b": STORY}))
    assert made.index.tolist() == made["doc_id"].tolist() == ["a", "b"]


def test_a_tuple_a_generator_and_an_array():
    for several in ((TEXT, STORY), (text for text in (TEXT, STORY)), np.array([TEXT, STORY])):
        assert toolkit.clean(several)["clean_text"].tolist() == [STORY, STORY]


def test_a_mapping_of_columns_and_a_list_of_records():
    assert toolkit.clean({"text": [TEXT]})["clean_text"].tolist() == [STORY]
    assert toolkit.clean([{"body": TEXT}])["clean_text"].tolist() == [STORY]


def test_an_arrow_table():
    import pyarrow as pa

    assert toolkit.clean(pa.table({"text": [TEXT]}))["clean_text"].tolist() == [STORY]


def test_a_frame_with_other_names(news):
    made = toolkit.clean(news)
    assert made.index.equals(news.index)
    assert made["doc_id"].tolist() == [str(n) for n in range(100, 112)]
    assert set(news) <= set(made)
    assert made["publisher"].unique().tolist() == ["example.co.uk"]
    assert made["published"].dt.year.unique().tolist() == [2031]
    assert not made["clean_text"].str.contains("newsletter").any()


def test_a_frame_whose_text_is_where_nobody_would_look(news):
    odd = news.rename(columns={"Body": "col7"})
    with pytest.raises(
        toolkit.ToolkitError, match=r"no text column; found 'ID', 'col7'.*columns=\{\"text\": …\}"
    ):
        toolkit.clean(odd)
    by_hand = toolkit.clean(news)["clean_text"]
    columns = {"text": "col7"}
    assert toolkit.clean(odd, columns=columns)["clean_text"].equals(by_hand)
    remover = toolkit.BoilerplateRemover(columns=columns).fit(odd)
    assert remover.transform(odd)["clean_text"].equals(by_hand)
    assert remover.spans(odd)["doc_id"].iloc[0] == "100"
    assert toolkit.TopicClassifier(columns=columns).predict(odd).notna().all()
    assert toolkit.duplicates(odd, columns=columns).equals(toolkit.duplicates(news))


def test_the_frame_given_is_left_as_it_was(news):
    before = news.copy(deep=True)
    toolkit.clean(news)
    pd.testing.assert_frame_equal(news, before)


def test_names_that_nearly_fit_are_answered_with_the_nearest(news):
    with pytest.raises(toolkit.ToolkitError, match="'txet' is no column of a corpus; did you mean 'text'"):
        toolkit.clean(news, columns={"txet": "Body"})
    with pytest.raises(toolkit.ToolkitError, match="there is no 'Bdoy' for 'text'; did you mean 'Body'"):
        toolkit.clean(news, columns={"text": "Bdoy"})
    with pytest.raises(ValueError, match="did you mean 'appeal'"):
        toolkit.clean(news, remove={"apeal"})
    with pytest.raises(toolkit.ToolkitError, match="did you mean 'text'"):
        toolkit.load(io.StringIO('{"text": "Rain."}'), columns={"txet": "text"})


def test_a_path_is_not_a_text():
    with pytest.raises(toolkit.ToolkitError, match="is a place, not a text; load it first"):
        toolkit.clean(__file__)


def test_an_index_named_like_a_column_is_that_column(news):
    given = news.rename(columns={"ID": "doc_id", "Headline": "title"})
    for names in ("doc_id", ["title", "doc_id"]):
        made = toolkit.clean(given.set_index(names))
        assert made["doc_id"].tolist() == [str(n) for n in range(100, 112)]
        assert set(made["title"]) == {"Cup final"}
        assert made.groupby("doc_id").size().eq(1).all()
        assert made.reset_index(drop=True).merge(made, on="doc_id").shape[0] == 12
    indexed = given.set_index("doc_id")
    toolkit.clean(indexed)
    assert indexed.index.name == "doc_id", "the frame given stays as it was"


def test_a_row_is_explained_as_it_is_classified(cleaned):
    classifier = toolkit.TopicClassifier()
    row = cleaned.iloc[[3]]
    predicted = classifier.predict_proba(row).iloc[0]
    for given in (row, row.iloc[0], row.drop(columns="text").rename(columns={"clean_text": "Body"}).iloc[0]):
        found = classifier.explain(given)
        assert found.probabilities[predicted.index].to_numpy() == pytest.approx(predicted.to_numpy())
        assert found.text == row["clean_text"].iloc[0]


def test_nothing_is_nothing():
    for empty in ([], pd.Series([], dtype="str"), pd.DataFrame({"text": []})):
        assert toolkit.clean(empty).empty
        assert toolkit.TopicClassifier().topics(empty).empty
    assert toolkit.clean("")["clean_text"].tolist() == [""]


def test_joined_frames_whose_index_repeats_say_what_to_do(news):
    doubled = pd.concat([news, news])[["Body"]]
    with pytest.raises(toolkit.ToolkitError, match=r"reset_index\(drop=True\)"):
        toolkit.clean(doubled)
    assert len(toolkit.clean(doubled.reset_index(drop=True))) == 24


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: pd.DataFrame({"text": ["a", None]}, index=["x", "y"]), "row 'y' has no text"),
        (lambda: pd.DataFrame({"text": ["a", 5]}, index=[10, 20]), "row 20 holds int, not text"),
        (
            lambda: pd.Series(["a", "\udc80"], index=["x", "y"], dtype=object),
            "row 'y' holds a lone surrogate",
        ),
        (lambda: pd.DataFrame([["a", "b"]], columns=["text", "text"]), "'text' stands more than once"),
        (lambda: pd.DataFrame({"words": ["a"]}), "no text column; found 'words'"),
        (
            lambda: pd.DataFrame({"text": ["a"], "published": ["garbage"]}, index=["z"]),
            "row 'z' has 'garbage'",
        ),
    ],
)
def test_mistakes_are_of_one_kind_and_name_the_row(make, words):
    for use in (toolkit.clean, toolkit.TopicClassifier().topics, toolkit.duplicates):
        with pytest.raises(toolkit.ToolkitError) as caught:
            use(make())
        assert words in str(caught.value)
        assert "\n" not in str(caught.value)


# --- scikit-learn ---------------------------------------------------------------------------------


def test_a_pipeline_of_texts(corpus):
    texts = corpus["text"]
    matrix = make_pipeline(toolkit.BoilerplateRemover(output="text"), TfidfVectorizer()).fit_transform(texts)
    assert matrix.shape[0] == len(texts)
    assert matrix.shape[1] > 100


def test_output_text_keeps_the_index_and_is_what_the_corpus_says(corpus, cleaned, remover, spans):
    texts = clone(remover).set_params(output="text").transform(corpus, spans)
    assert texts.equals(cleaned["clean_text"])
    assert toolkit.clean(pd.Series({"a": TEXT}), output="text").to_dict() == {"a": STORY}
    with pytest.raises(ValueError, match="'corpus' or 'text' is wanted"):
        toolkit.clean(TEXT, output="texts")


def test_clean_takes_what_the_remover_takes():
    from inspect import signature

    taken = dict(signature(toolkit.clean).parameters)
    taken.pop("documents")
    wanted = dict(signature(toolkit.BoilerplateRemover).parameters)
    wanted.pop("model")  # for those who train one
    assert {name: p.default for name, p in taken.items()} == {name: p.default for name, p in wanted.items()}


def test_estimators_clone_print_and_take_parameters(remover):
    for estimator in (remover, toolkit.TopicClassifier(min_confidence=0.5)):
        assert clone(estimator).get_params() == estimator.get_params()
        assert repr(estimator).startswith(type(estimator).__name__)
    assert toolkit.BoilerplateRemover().set_params(output="text").output == "text"


def test_cross_validation_of_own_labels(corpus):
    labels = np.where(np.arange(len(corpus)) % 2, "odd", "even")
    pipeline = make_pipeline(
        toolkit.BoilerplateRemover(output="text"), CountVectorizer(), LogisticRegression()
    )
    assert len(cross_val_score(pipeline, corpus["text"], labels, cv=2)) == 2


def test_what_is_not_fitted_says_so():
    with pytest.raises(AttributeError, match=r"templates_.*call fit\(corpus\) first"):
        _ = toolkit.BoilerplateRemover().templates_
    with pytest.raises(AttributeError, match=r"templates_: only fit lists templates; call fit\("):
        _ = toolkit.BoilerplateRemover().partial_fit([STORY]).templates_


def test_score_refuses_labels_that_the_model_does_not_know():
    classifier = toolkit.TopicClassifier()
    assert classifier.score([STORY], ["15000000"]) == 1.0
    assert classifier.score(["", STORY], ["15000000", "15000000"]) == 0.5
    with pytest.raises(ValueError, match="'sport' is no label of this model; its code is '15000000'"):
        classifier.score([STORY], ["sport"])
    with pytest.raises(ValueError, match="'zzz' is no label of this model; it knows 01000000"):
        classifier.score([STORY], ["zzz"])


# --- topics ---------------------------------------------------------------------------------------


def test_topics_of_one_text():
    assert toolkit.TopicClassifier().topics(STORY)["name"].tolist()[:1] == ["sport"]


def test_topics_of_a_corpus_never_cleaned_say_so_once(news, monkeypatch):
    monkeypatch.setattr(topics_module, "_WARNED", [])
    with pytest.warns(UserWarning, match=r"never cleaned.*toolkit\.clean\(corpus\)"):
        toolkit.TopicClassifier().topics(news)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        toolkit.TopicClassifier().topics(news)
    monkeypatch.setattr(topics_module, "_WARNED", [])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        toolkit.TopicClassifier().topics(toolkit.clean(news))
        # what is left where no document is an article
        toolkit.TopicClassifier().topics(toolkit.clean(news)[:0])
        toolkit.TopicClassifier().topics(news["Body"])


READERS = {
    "topics": lambda frame: toolkit.TopicClassifier().topics(frame),
    "duplicates": toolkit.duplicates,
    "verdicts": toolkit.verdicts,
    "features": lambda frame: toolkit.words.features(frame).matrix.toarray(),
    "concordance": lambda frame: toolkit.words.concordance(frame, "the"),
    "keyness": lambda frame: toolkit.words.keyness(frame, ["the end"]),
}


@pytest.mark.parametrize("name", [*READERS, "lost", "show", "compare"])
def test_some_missing_clean_texts_are_refused_everywhere_and_none_at_all_is_not_cleaned(cleaned, name):
    own = {
        "lost": toolkit.words.lost,
        "show": toolkit.show,
        "compare": lambda frame: toolkit.display.compare(frame, *frame["doc_id"][:2]),
    }
    read, some = (READERS | own)[name], np.arange(len(cleaned)) > 0
    removed = cleaned.assign(clean_text=cleaned["clean_text"].where(some, ""))
    back = pd.read_csv(io.StringIO(removed.to_csv(index=False)))
    for frame in (back, pd.concat([cleaned[1:], cleaned[:1].drop(columns="clean_text")])):
        with pytest.raises(
            toolkit.ToolkitError, match="clean_text is missing in 1 of 40 documents; clean them"
        ):
            read(frame)
    if name in READERS:
        for missing in (np.nan, None):
            found = read(cleaned.assign(clean_text=missing))
            assert str(found) == str(read(cleaned.drop(columns="clean_text")))


def test_a_text_column_that_is_named_is_read_of_a_cleaned_frame_too():
    frame = toolkit.clean([f"It rained {n} times." for n in range(2)]).assign(
        raw="Snow fell on the two ports."
    )
    columns = {"text": "raw"}
    assert len(toolkit.words.concordance(frame, "snow", columns=columns)) == 2
    assert "snow" in toolkit.words.features(frame, columns=columns).words
    assert "snow" in toolkit.words.keyness(frame, frame, least=1, columns=columns)["word"].tolist()
    assert toolkit.duplicates(frame, columns=columns)["kind"].tolist() == ["exact", "exact"]


def test_lost_words_need_no_labels_of_their_own():
    frame = pd.DataFrame({"doc_id": ["a", "b"], "text": ["Donate. Rain.", "Rain."], "clean_text": "Rain."})
    assert toolkit.words.lost(frame.set_axis([4, 4]))["word"].tolist() == ["donate"]
    assert toolkit.words.lost(frame.set_axis(["Port", "Port"]).rename_axis("title"))["before"].tolist() == [1]


def test_a_column_verdict_of_ones_own_is_refused(cleaned):
    for own in (["true", "false"] * 20, [True, False] * 20):
        for read in (READERS["topics"], toolkit.duplicates, toolkit.show):
            with pytest.raises(
                toolkit.ToolkitError, match=r"'[Tt]rue' in the column verdict is no verdict; rename"
            ):
                read(cleaned.assign(verdict=own))


# --- show -------------------------------------------------------------------------------------------


def test_show_is_one_function():
    from toolkit.display import show

    assert toolkit.show is show


def test_one_several_and_a_page_of_them(corpus, cleaned, spans, tmp_path):
    ids = spans["doc_id"].unique()[:3].tolist()
    assert "characters removed" in repr(toolkit.show(corpus, spans, ids[0]))
    assert len(toolkit.show(corpus, spans, ids)) == 3
    page = toolkit.show(cleaned)
    assert len(page) == 20
    assert repr(page).startswith("20 of 40 documents\n")
    for shown in (page, page[0]):
        written = shown.save(tmp_path / "page.html").read_text("utf-8")
        assert written.startswith("<!DOCTYPE html>")
        assert "default-src 'none'" in written
        assert "<script" not in written
    with pytest.raises(toolkit.ToolkitError, match=r"page\.pdf: a page is an HTML file; name it page\.html"):
        page.save(tmp_path / "page.pdf")
    with pytest.raises(KeyError, match="no document 'nobody'; take one of"):
        toolkit.show(corpus, spans, "nobody")


def test_show_of_what_was_just_cleaned_needs_no_spans(cleaned, spans):
    doc_id = spans["doc_id"].iloc[0]
    derived, told = toolkit.show(cleaned, None, doc_id), toolkit.show(cleaned, spans, doc_id)
    assert abs(derived.removed - told.removed) < 20
    assert f"[removed: {PLUG}]" in repr(toolkit.show(toolkit.clean(TEXT)))
    with pytest.raises(
        toolkit.ToolkitError, match=r"neither spans nor clean_text; show\(toolkit\.clean\(corpus\)\)"
    ):
        toolkit.show(cleaned.drop(columns="clean_text"))


def test_show_against_gold_in_three_colours():
    corpus = pd.DataFrame({"doc_id": ["a"], "text": ["0123456789"]})
    found = pd.DataFrame({"doc_id": ["a"], "start": [0], "end": [4], "kind": ["promo"]})
    gold = pd.DataFrame({"doc_id": ["a", "a"], "start": [2, 8], "end": [4, 9], "kind": ["promo", "byline"]})
    shown = toolkit.show(corpus, found, "a", gold=gold)
    assert repr(shown).startswith("[wrongly taken: 01][right: 23]4567[missed: 8]9\n")
    assert "right 2, wrongly taken 2, missed 1 characters" in repr(shown)
    html = shown._repr_html_()
    assert html.count("<del") == 2
    assert re.search(r"text-decoration:underline\">8</u>", html), (
        "what was missed stands, so it is not struck through"
    )
    assert len(set(re.findall(r"background-color:(#\w{6});text-decoration", html))) == 3
    assert shown.removed == 4


def test_before_and_after_stand_next_to_each_other(cleaned, spans):
    doc_id = spans["doc_id"].iloc[0]
    shown = toolkit.show(cleaned, spans, doc_id, side_by_side=True)
    clean = cleaned.set_index("doc_id")["clean_text"][doc_id]
    assert "display:flex" in shown._repr_html_()
    assert clean.splitlines()[0] in repr(shown).split("— clean:")[1]


def test_words_that_are_looked_for_are_highlighted():
    text = "Rain fell. <b>Rain</b> \ue000 & rainbows."
    shown = toolkit.show(toolkit.clean(text), None, "0", find=["rain", "&"])
    assert repr(shown).startswith("»Rain« fell. <b>»Rain«</b> ")
    html = shown._repr_html_()
    assert html.count("<mark") == html.count("</mark>") == 3
    assert "<b>Rain" not in html
    assert "»" not in repr(toolkit.show(toolkit.clean(text), None, "0", find=["", " "]))


def test_numbers_as_ids_are_shown_as_what_they_are_in_spans(corpus, spans):
    ids = dict(zip(corpus["doc_id"], range(len(corpus)), strict=True))
    numbered, found = (
        corpus.assign(doc_id=range(len(corpus))),
        spans.assign(doc_id=spans["doc_id"].map(ids).astype(str)),
    )
    shown = toolkit.show(numbered, found, int(found["doc_id"].iloc[0]))
    assert repr(shown) == repr(toolkit.show(corpus, spans, spans["doc_id"].iloc[0]))


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_theme_and_colour_can_be_read(theme):
    from toolkit.display.colours import contrast, mixed, themed

    own = {kind: mixed(f"#{n * 1234567 % 0xFFFFFF:06x}", "#808080", 0.7) for n, kind in enumerate("abcdef")}
    look = themed(theme, own)
    assert contrast(look.text, look.ground) > 7
    assert contrast(look.faint, look.ground) > 4.5
    assert contrast(look.text, look.mark) > 4.5
    for kind in (*look.palette, "whatever else"):
        colours = look.of(kind)
        assert contrast(colours.ink, colours.tint) >= 4.5, kind
        assert contrast(look.on_ink, colours.ink) >= (4.5 if kind not in own else 1), kind
    corpus = pd.DataFrame({"doc_id": ["a"], "text": ["0123"]})
    spans = pd.DataFrame({"doc_id": ["a"], "start": [0], "end": [2], "kind": ["promo"]})
    assert look.ground in toolkit.show(corpus, spans, "a", theme=theme)._repr_html_()
    with pytest.raises(ValueError, match="'light' or 'dark' is wanted"):
        toolkit.show(corpus, spans, "a", theme="pink")
    with pytest.raises(ValueError, match="a colour such as #0072b2 is wanted"):
        toolkit.show(corpus, spans, "a", colours={"promo": "red;position:fixed"})


# --- after cleaning ---------------------------------------------------------------------------------


def test_a_keyword_in_context(cleaned):
    found = toolkit.words.concordance(cleaned, "said", width=20)
    texts = cleaned.set_index("doc_id")["clean_text"]
    assert len(found) > 10
    for row in found.itertuples():
        assert texts[row.doc_id][row.start :].startswith(row.keyword)
        assert row.keyword.lower() == "said"
    assert len(toolkit.words.concordance(cleaned, "sa*")) > len(found)
    assert len(toolkit.words.concordance("Port, port; ports.", "port")) == 2
    phrase = "The European\nUnion and the European  Union and the European\xa0Union don’t don't."
    assert len(toolkit.words.concordance(phrase, "european union")) == 3
    assert len(toolkit.words.concordance(phrase, ["don't", "don’t", "euro* un*"])) == 5
    assert len(toolkit.words.concordance("A f***ing M*A*S*H", ["f***ing", "m*a*s*h"])) == 2
    for wrong in ("*strike", "strike|flood", "str*ke", "port *", ["port", "fi*l"]):
        with pytest.raises(
            toolkit.errors.UsageError, match=r"would find nothing; . stands at the end of a word"
        ):
            toolkit.words.concordance(cleaned, wrong)
    assert toolkit.words.concordance([], "port").columns.tolist() == list(found)
    with pytest.raises(ValueError, match="a word is wanted"):
        toolkit.words.concordance(cleaned, " *")


def test_words_that_one_part_has_more_often():
    found = toolkit.words.keyness(["strike strike port"] * 40, ["strike port harvest"] * 40, least=1)
    found = found.set_index("word")
    # 2 (80 ln(80 / 60) + 40 ln(40 / 60)), by hand
    assert found.loc["strike", "log_likelihood"] == pytest.approx(13.59, abs=0.01)
    assert found.loc["strike", "log_ratio"] == pytest.approx(0.99, abs=0.01)
    assert found.loc["harvest", "log_ratio"] < -5
    assert found.loc["port", "log_likelihood"] == pytest.approx(0, abs=1e-9)


def test_a_document_feature_matrix_goes_into_scikit_learn(cleaned):
    found = toolkit.words.features(cleaned, min_df=2)
    assert found.matrix.shape == (len(cleaned), len(found.words))
    assert found.doc_id.tolist() == cleaned["doc_id"].tolist()
    labels = np.arange(len(cleaned)) % 2
    assert LogisticRegression(max_iter=50, tol=1).fit(found.matrix, labels).classes_.tolist() == [0, 1]


# --- every frame is a plain frame ---------------------------------------------------------------------


@pytest.fixture(scope="module")
def frames(corpus, cleaned, spans, remover):
    classifier = toolkit.TopicClassifier()
    return {
        "corpus": corpus,
        "cleaned": cleaned,
        "spans": spans,
        "templates": remover.templates_,
        "topics": classifier.topics(cleaned),
        "probabilities": classifier.predict_proba(cleaned),
        "duplicates": toolkit.duplicates(cleaned),
        "audit": toolkit.audit(corpus, remover, classifier),
        "kinds": toolkit.census.kinds(corpus, spans),
        "removed": toolkit.census.removed(corpus, spans),
        "months": toolkit.census.months(corpus),
        "lengths": toolkit.census.lengths(corpus),
        "quarantine": toolkit.quarantine(corpus),
        "datasets": toolkit.datasets.list(),
    }


def test_every_frame_goes_through_every_file(frames, tmp_path):
    for name, frame in frames.items():
        plain = frame.reset_index(drop=True)
        path = tmp_path / name
        plain.to_parquet(path)
        pd.testing.assert_frame_equal(
            pd.read_parquet(path), plain, check_dtype=False, obj=f"{name} by parquet"
        )
        plain.to_feather(path)
        pd.testing.assert_frame_equal(
            pd.read_feather(path), plain, check_dtype=False, obj=f"{name} by feather"
        )
        pd.testing.assert_frame_equal(pickle.loads(pickle.dumps(frame)), frame, obj=f"{name} by pickle")
        assert len(pd.read_csv(io.StringIO(plain.to_csv(index=False)))) == len(plain), name
        assert len(pd.read_json(io.StringIO(plain.to_json(orient="records", date_format="iso")))) == len(
            plain
        ), name


def test_every_frame_is_joined_and_grouped(frames):
    for name, frame in frames.items():
        assert len(pd.concat([frame, frame])) == 2 * len(frame), name
        assert len(pd.concat([frame, frame.copy()], ignore_index=True)) == 2 * len(frame), name
        key = frame.columns[0]
        assert len(frame.merge(frame[[key]].drop_duplicates(), on=key)) == len(frame), name
        assert frame.groupby(key, dropna=False).size().sum() == len(frame), name
        assert len(frame.sort_values(key).drop_duplicates()) <= len(frame), name
        assert repr(frame), name


def test_frames_join_by_doc_id(cleaned, spans, frames):
    joined = spans.merge(cleaned, on="doc_id").merge(frames["topics"], on="doc_id", how="left")
    row = joined.iloc[0]
    assert row["text"][row["start"] : row["end"]] not in row["clean_text"] or row["end"] - row["start"] < 20
    assert set(COLUMNS) <= set(joined)


def test_a_filtered_sampled_sorted_corpus_is_still_one(corpus):
    for part in (
        corpus[corpus["publisher"].notna()],
        corpus.sample(5, random_state=0),
        corpus.iloc[::-1].head(5),
    ):
        made = toolkit.clean(part)
        assert made.index.equals(part.index)


def test_a_corpus_saved_and_read_again_is_cleaned_the_same(corpus, cleaned, remover, tmp_path):
    corpus.to_parquet(tmp_path / "c.parquet")
    corpus.to_csv(tmp_path / "c.csv", index=False)
    for again in (pd.read_parquet(tmp_path / "c.parquet"), pd.read_csv(tmp_path / "c.csv")):
        assert remover.transform(again)["clean_text"].tolist() == cleaned["clean_text"].tolist()


# --- the command line -----------------------------------------------------------------------------


def call(*args):
    done = CliRunner().invoke(cli.app, [str(a) for a in args], catch_exceptions=False)
    return done.exit_code, done.stdout, done.stderr


@pytest.fixture
def table(news, tmp_path):
    path = tmp_path / "news.csv"
    news.rename(columns={"Body": "col7"}).to_csv(path, index=False)
    return path


@pytest.mark.parametrize(
    "command", ["", "run", "clean", "classify", "report", "verify", "datasets", "datasets fetch"]
)
@pytest.mark.parametrize("asked", ["-h", "--help"])
def test_help_fits_a_terminal_and_shows_no_types(monkeypatch, command, asked):
    monkeypatch.setenv("COLUMNS", "80")
    code, out, err = call(*command.split(), asked)
    assert (code, err) == (0, "")
    assert max(map(len, out.splitlines())) <= 80
    assert not re.search(r"list\[|<\w+>|\{|…|\w\.\.\.$", out.replace("IN...", "").replace("ARGS]...", "")), (
        out
    )
    assert not command or command.startswith("datasets") or "Example" in out


def test_completion_is_offered():
    assert "--install-completion" in call("--help")[1]


def test_the_list_of_datasets_fits_a_terminal():
    code, out, _ = call("datasets", "list")
    assert code == 0
    assert max(map(len, out.splitlines())) <= 80
    assert "sample" in out


WRONG = {
    "an unknown command": ("ruin",),
    "no output": ("clean", "NEWS"),
    "an empty output": ("clean", "NEWS", "-o", "", "-c", "text=col7"),
    "an empty folder": ("run", "NEWS", "-o", "", "-c", "text=col7"),
    "an empty input": ("clean", "", "-o", "c.csv"),
    "a home with nothing": ("clean", "~/a.csv", "-o", "~/c.csv"),
    "an empty name of a run": ("verify", ""),
    "an unknown option": ("clean", "NEWS", "-o", "c.csv", "--colour", "red"),
    "a column that is nearly one": ("clean", "NEWS", "-o", "c.csv", "-c", "txet=col7"),
    "no pair": ("clean", "NEWS", "-o", "c.csv", "-c", "text"),
    "an unknown kind": ("clean", "NEWS", "-o", "c.csv", "-c", "text=col7", "--remove", "apeal"),
    "an unknown ending": ("clean", "NEWS", "-o", "c.xlsx", "-c", "text=col7"),
    "a folder as a file": ("clean", "NEWS", "-o", ".", "-c", "text=col7"),
    "an unknown ending of topics": ("classify", "NEWS", "-o", "topics.doc", "-c", "text=col7"),
    "a threshold out of range": ("clean", "NEWS", "-o", "c.csv", "--threshold", "7"),
    "a loss out of range": ("run", "NEWS", "-o", "out", "--max-article-loss", "-1"),
    "no number": ("run", "NEWS", "-o", "out", "--threshold", "high"),
    "no language": ("run", "NEWS", "-o", "out", "--lang", "English"),
    "no jobs": ("run", "NEWS", "-o", "out", "--jobs", "0"),
    "no file of decisions": ("run", "NEWS", "-o", "out", "--decisions", "nowhere.jsonl"),
    "no saved remover": ("run", "NEWS", "-o", "out", "--index", "nowhere.parquet"),
    "no folder": ("run", "NEWS"),
    "no page": ("report", "NEWS", "-o", "page.pdf"),
    "no results": ("report", "."),
    "no run": ("verify", "."),
    "no input": ("run", "nowhere.jsonl", "-o", "out"),
    "no corpus": ("datasets", "fetch", "nowhere"),
}


@pytest.mark.parametrize("args", WRONG.values(), ids=WRONG)
def test_a_wrong_command_line_is_refused_before_work_with_exit_code_2(table, monkeypatch, args):
    monkeypatch.chdir(table.parent)
    monkeypatch.setenv("HOME", str(table.parent / "nowhere"))
    before = set(table.parent.rglob("*"))
    code, out, err = call(*(table if arg == "NEWS" else arg for arg in args))
    assert (code, out) == (2, "")
    assert err
    assert set(table.parent.rglob("*")) == before


def test_what_is_nearly_right_is_answered_with_the_nearest(table, tmp_path):
    for args, words in (
        (("-c", "txet=col7"), "did you mean 'text'?"),
        (("-c", "text=col7", "--remove", "apeal"), "did you mean 'appeal'?"),
        (("-c", "text=col8"), "no column 'col8'; found"),
    ):
        _, _, err = call("clean", table, "-o", tmp_path / "c.csv", *args)
        assert words in err


def test_run_says_at_the_end_what_a_person_must_know(table, tmp_path):
    code, out, err = call(
        "run", table, "-o", tmp_path / "out", "-c", "text=col7", "--no-report", "--lang", "en"
    )
    assert (code, err) == (0, "")
    assert "12 in = 12 kept + 0 quarantined" in out
    assert "languages    en 100.0 %" in out
    assert not (tmp_path / "out" / "report.html").exists()
    found = pd.read_parquet(tmp_path / "out" / "duplicates.parquet")
    assert found.columns.tolist() == ["doc_id", "group", "kind", "similarity", "first_publisher"]


def test_results_of_another_run_are_not_written_over(table, tmp_path):
    asked = ("run", table, "-o", tmp_path / "out", "-c", "text=col7", "--no-report", "-q")
    assert call(*asked) == (0, "", "")
    assert call(*asked) == (0, "", ""), "the same run again"
    record = (tmp_path / "out" / "run.json").read_bytes()
    code, out, err = call(*asked, "--remove", "appeal")
    assert (code, out) == (2, "")
    assert "holds the results of another run" in err
    assert "--force" in err
    assert (tmp_path / "out" / "run.json").read_bytes() == record
    assert call(*asked, "--remove", "appeal", "--force") == (0, "", "")


def test_options_reach_the_results(table, tmp_path):
    (tmp_path / "decisions.jsonl").write_text(json.dumps({"text": PLUG, "verdict": "keep"}) + "\n")
    call("clean", table, "-o", tmp_path / "all.csv", "-c", "text=col7")
    options = (
        ("--decisions", tmp_path / "decisions.jsonl"),
        ("--threshold", ".9999999"),
        ("--remove", "caption"),
    )
    for option in options:
        call("clean", table, "-o", tmp_path / "kept.csv", "-c", "text=col7", *option)
        assert pd.read_csv(tmp_path / "kept.csv")["clean_text"].str.contains("newsletter").all(), option
    assert not pd.read_csv(tmp_path / "all.csv")["clean_text"].str.contains("newsletter").any()
    call("clean", table, "-o", tmp_path / "de.jsonl", "-c", "text=col7", "--lang", "de")
    call("clean", table, "-o", tmp_path / "none.jsonl", "-c", "text=col7", "--no-detect-language")
    assert pd.read_json(tmp_path / "de.jsonl", lines=True)["lang"].unique().tolist() == ["de"]
    assert pd.read_json(tmp_path / "none.jsonl", lines=True)["lang"].isna().all()


def test_a_study_names_its_own_labels(tmp_path):
    """A classifier is trained on them; the record holds what they say, and the run can be done again."""
    gold = toolkit.datasets.gold("sample")
    corpus = gold.corpus[gold.corpus["doc_id"].isin(gold.topics["doc_id"])].head(90)
    corpus[["doc_id", "title", "text", "publisher"]].to_csv(tmp_path / "news.csv", index=False)
    sport = gold.topics["primary"].eq("sport").map({True: "sport", False: "other"})
    labels = gold.topics.assign(topic=sport)[["doc_id", "topic"]]
    labels = labels[labels["doc_id"].isin(corpus["doc_id"])].iloc[::2]
    labels.sample(frac=1, random_state=0).to_csv(tmp_path / "labels.csv", index=False)
    lines = [json.dumps({"doc_id": d, "topics": [t]}) for d, t in labels.itertuples(index=False)]
    (tmp_path / "labels.jsonl").write_text("\n".join(lines) + "\n")
    study = tmp_path / "study.toml"
    found = {}
    for name, rows in (("labels.csv", 20), ("labels.jsonl", 5000)):
        study.write_text(f'inputs = "news.csv"\noutput = "out"\nlabels = "{name}"\n')
        assert call("run", study, "--no-report", "-q", "--force", "--rows", rows) == (0, "", "")
        found[name] = {path.name: path.read_bytes() for path in (tmp_path / "out").glob("*.[pnj]*[tzn]")}
        del found[name]["run.json"]
    assert found["labels.csv"] == found["labels.jsonl"], "whatever file holds them, in whatever order"
    topics = pd.read_parquet(tmp_path / "out" / "topics.parquet")
    assert set(topics["topic"].dropna()) <= {"sport", "other"}
    own = toolkit.TopicClassifier.load(tmp_path / "out" / "classifier.npz")
    assert list(own.classes_) == ["other", "sport"]
    record = json.loads((tmp_path / "out" / "run.json").read_text("utf-8"))
    assert len(record["labels"]) == len(labels)
    assert len(record["parameters"]["labels"]) == 64
    assert {"classifier.npz", "classifier.json"} <= record["outputs"].keys()
    assert call("verify", tmp_path / "out", "--rerun")[0] == 0
    assert "own labels, as a classifier predicts" in toolkit.report.Results(tmp_path / "out").methods()
    asked = ("classify", tmp_path / "news.csv", "--labels", tmp_path / "labels.csv", "-o", tmp_path / "t.csv")
    assert "\nlabels " not in call(*asked)[1]
    with (tmp_path / "labels.csv").open("a") as out:
        out.write("elsewhere,sport\nnowhere,other\n")
    assert "\nlabels       2 are of documents that are not in the input\n" in call(*asked)[1]
    for text, words in (
        ("doc_id,desk\n1,a\n", "no columns doc_id and topic; found 'doc_id', 'desk'"),
        ("doc_id,topic\n1,\n", "labels: no document is labelled"),
        ("", "labels.csv: no CSV file in UTF-8"),
        ("doc_id,topic\nzz,a\n", "labels: 0 of 1 labelled documents are in the input"),
    ):
        (tmp_path / "labels.csv").write_text(text)
        code, _, err = call(*asked)
        assert (code, err.count("\n")) == (2, 1)
        assert words in err


def test_a_study_is_one_file_and_one_command(table, tmp_path):
    study = tmp_path / "study.toml"
    study.write_text(
        'inputs = ["news.csv"]\noutput = "out"\nremove = ["promo"]\nlang = "en"\n[columns]\ntext = "col7"\n'
    )
    code, out, err = call("run", study, "--no-report")
    assert (code, err) == (0, "")
    assert "12 kept" in out
    record = json.loads((tmp_path / "out" / "run.json").read_text("utf-8"))
    assert record["parameters"]["study"] == hashlib.sha256(study.read_bytes()).hexdigest()
    assert (record["parameters"]["remove"], record["parameters"]["columns"]) == (["promo"], {"text": "col7"})
    assert call("verify", tmp_path / "out", "--rerun")[0] == 0
    for line, words in (
        ("remoev = ['promo']", "'remoev' is no key of a study; did you mean 'remove'?"),
        ("remove = ['apeal']", "did you mean 'appeal'?"),
        ("inputs 5", "study.toml: "),
        ("threshold = 7", "study.toml: threshold=7"),
        ("remove = [5, 'promo']", "study.toml: remove=[5, 'promo']"),
        ("decisions = ''", "study.toml: '' is no path"),
    ):
        study.write_text(f'inputs = ["news.csv"]\noutput = "out2"\n{line}\n')
        code, _, err = call("run", study)
        assert (code, err.count("\n")) == (2, 1)
        assert words in err


def test_a_study_of_another_editor_stands_alone(table, tmp_path):
    study = tmp_path / "St.TOML"
    settings = "remove = 'appeal, promo'\nthreshold = 7\n"
    study.write_text(
        f"inputs = 'news.csv'\noutput = 'out'\n{settings}[columns]\ntext = 'col7'\n", "utf-8-sig"
    )
    code, _, err = call("run", study, table, "--no-report")
    assert (code, err.count("\n"), "St.TOML: a study file stands alone" in err) == (2, 1, True)
    assert call("run", study, "--no-report", "-q", "--threshold", ".9") == (0, "", "")
    record = json.loads((tmp_path / "out" / "run.json").read_text("utf-8"))
    assert record["parameters"]["remove"] == ["appeal", "promo"]


SURPRISES = [
    ("show(cleaned, doc_id=0)", "no document '0'; take one of corpus"),
    ("show(cleaned, 0)", "0 is no table of spans; to choose a document, show(corpus, doc_id=0)"),
    ("show(cleaned, 'es-001')", "to choose a document, show(corpus, doc_id='es-001')"),
    ("show(cleaned, spans, gold=datasets.gold('sample'))", "toolkit.datasets.gold('sample').spans"),
    ("show('Rain fell.')", "show(toolkit.clean(corpus))"),
    ("show(corpus)", "show(toolkit.clean(corpus))"),
    ("show(cleaned, spans, theme='black')", "'light' or 'dark' is wanted"),
    ("show(cleaned, spans).save('page.pdf')", "name it page.html"),
    ("display.compare(cleaned, 0, 1)", "no document '0'; take one of corpus"),
    ("show(corpus.rename(columns={'text': 'body'}), spans)", "no column 'text'; show what toolkit.load"),
    (
        "evaluation.span_counts(corpus, spans, spans.assign(kind='twice'))",
        "'twice' is no kind that is scored",
    ),
    (
        "evaluation.topic_scores(TopicClassifier().predict_proba(corpus), ['a'], [])",
        "give one entry a document",
    ),
    (
        "TopicClassifier(min_confidence='0.5').predict('Rain.')",
        "min_confidence='0.5': a probability is wanted",
    ),
    ("TopicClassifier().fit(corpus, [*'ab'] * 20, sample_weight=[1, 2])", "fit: 2 weights for 40 documents"),
    ("TopicClassifier().fit(['', ''], ['a', 'b'])", "fit: no document has a word"),
    ("TopicClassifier().score(corpus, ['15000000'] * 2)", "score: 2 labels for 40 documents"),
    ("audit(corpus, spans)", "remover: a DataFrame finds no spans; pass BoilerplateRemover().fit(corpus)"),
    ("duplicates(corpus, wire='x')", "wire='x': a similarity between 0 and 1 is wanted"),
    ("duplicates(corpus, n_jobs=0)", "n_jobs=0: give 1 or more, or -1 for all processors"),
    (
        "verdicts(corpus, spans[['doc_id', 'kind']])",
        "spans: no column 'start'; found 'doc_id', 'kind'; pass the spans",
    ),
    ("words.lost(corpus)", "lost(toolkit.clean(corpus))"),
    ("words.concordance(corpus, ' ')", "a word is wanted, such as 'strike'"),
    ("plots.months(corpus)", "as toolkit.census.months(corpus) makes it"),
    ("plots.removed(spans)", "as toolkit.census.removed(corpus, spans) makes it"),
    ("plots.lengths(corpus)", "as toolkit.census.lengths(corpus) makes it"),
    ("report.Results('nowhere')", "run `news-toolkit run IN -o nowhere`"),
    ("report.render('nowhere')", "run `news-toolkit run IN -o nowhere`"),
    ("load('nowhere.csv')", "nowhere.csv: no such file or folder"),
    ("load('')", "give a file, a glob or a folder"),
    ("load(corpus)", "is a corpus already: give it to toolkit.clean"),
    ("load(corpus['text'])", "a Series is no place"),
    ("load({'text': ['Rain fell.']})", "a dict is no place"),
    ("TopicClassifier().explain(cleaned)", "40 documents; pass one, such as corpus.iloc[0]"),
    ("TopicClassifier().explain(cleaned['text'])", "40 documents; pass one"),
    ("TopicClassifier().explain(None)", "NoneType holds no texts"),
    ("TopicClassifier().explain('Rain fell.', topic='sport')", "its code is '15000000'"),
    ("show(cleaned.iloc[0])", "a Series is no corpus; for one row, corpus.iloc[[0]]"),
    ("share(cleaned, 'x.parquet')", "a DataFrame is no folder"),
    ("words.concordance(cleaned, ['strike', 5])", "word=5: a word is wanted"),
    ("datasets.load('samples')", "no corpus called 'samples'"),
    ("BoilerplateRemover(remove='appeal').fit(corpus)", "pass a set of them"),
    ("BoilerplateRemover(remove={'apeal'}).fit(corpus)", "did you mean 'appeal'?"),
    ("BoilerplateRemover(threshold=2).fit(corpus)", "a probability between 0 and 1 is wanted"),
    ("clean(None)", "pass a text (str), a list or Series of texts, or a DataFrame"),
    ("clean(['a', None])", "row 1 has no text"),
    ("clean(corpus, output='texts')", "'corpus' or 'text' is wanted"),
    ("clean(corpus, remove=['captions'])", "did you mean 'caption'?"),
    ("prevalence(cleaned, spans.assign(topic='sport'), {})", "label a random sample of 30 or more"),
    (
        "prevalence(cleaned, spans.assign(topic='sport'), {}, level=95)",
        "level=95: a share between 0 and 1 is wanted",
    ),
    ("certify(corpus, spans, spans)", "no column 'verdict'"),
    ("TopicClassifier().fit(corpus, 'publisher')", "corpus['publisher']"),
    ("prevalence(cleaned, spans.assign(topic='sport'), corpus['title'])", "index labels by its doc_id"),
    ("apply('none.parquet', corpus)", "no such file"),
    *(
        (
            f"census.{name}(corpus)",
            f"{name}: spans is missing; pass the spans of the corpus: BoilerplateRemover()",
        )
        for name in ("removed", "publishers", "kinds", "prevalence")
    ),
    ("census.exchange(corpus)", "copies is missing; pass toolkit.duplicates(corpus)"),
    ("census.edits(corpus)", "copies is missing; pass toolkit.duplicates(corpus)"),
    ("census.mentions(corpus)", "word is missing; pass a word, such as 'strike'"),
    ("census.shares(corpus)", "column is missing; pass the column of true and false"),
    ("census.means(corpus)", "by is missing; pass the column of the groups"),
    ("words.concordance(corpus)", "word is missing; pass a word"),
    ("words.keyness(corpus)", "reference is missing; pass the corpus to compare with"),
    ("certify(cleaned)", "spans is missing; pass the spans of the corpus"),
    ("certify(cleaned, spans)", "judged is missing; pass the judgements of toolkit.review.certify"),
    ("prevalence(corpus)", "topics is missing; pass toolkit.TopicClassifier().topics(corpus)"),
    ("prevalence(corpus, spans)", "labelled is missing; pass a random sample of the corpus"),
    ("apply('cleaning.parquet')", "corpus is missing; pass your own corpus"),
    ("share('out')", "output is missing; pass the file to write"),
    ("plots.estimates(corpus)", "xlabel is missing; pass what is estimated"),
    (
        "plots.topics(['sport'])",
        "topics: list is no DataFrame; pass a frame with doc_id, name, as toolkit.Topic",
    ),
    ("plots.topics(corpus)", "topics: no column 'name'"),
    ("plots.matrix({})", "table: dict is no DataFrame; pass a DataFrame"),
]


@pytest.mark.parametrize(("call", "mend"), SURPRISES, ids=[call for call, _ in SURPRISES])
def test_what_a_newcomer_types_wrongly_is_answered_with_the_mend(
    call, mend, corpus, cleaned, spans, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    names = {name: getattr(toolkit, name) for name in toolkit.__all__ if name != "distributed"}
    names |= {"corpus": corpus, "cleaned": cleaned, "spans": spans}
    with pytest.raises((ValueError, KeyError, OSError, TypeError), match=re.escape(mend)) as told:
        eval(call, names)
    assert "\n" not in str(told.value)


def test_what_a_newcomer_types_rightly_does_what_it_says(corpus, cleaned, spans):
    from matplotlib import pyplot as plt

    named = toolkit.TopicClassifier().predict(cleaned, names=True)
    assert re.search(r"politics \d", toolkit.plots.topics(named).get_label())
    plt.close("all")
    assert set(toolkit.census.mentions(cleaned, "the")["series"]) == {"as loaded", "cleaned"}
    assert len(toolkit.show(cleaned, doc_id=cleaned["doc_id"].head(2))) == 2
    assert toolkit.census.publishers(corpus, spans)["documents"].sum() == len(corpus)
    pair = toolkit.display.compare(cleaned, *cleaned["doc_id"].head(2))
    assert len(pair) == 2
    lost = toolkit.words.lost(cleaned, top=3)
    assert (lost["after"] < lost["before"]).all()
