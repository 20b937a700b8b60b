"""Notebooks and widgets as a researcher meets them: in JupyterLab, in a browser."""

import json
import re

import pytest

from toolkit.boilerplate.decisions import read_decisions
from toolkit.review import read_labels

pytestmark = pytest.mark.browser
expect = pytest.importorskip("playwright.sync_api", reason="needs the extra dev (playwright)").expect
expect.set_options(timeout=60_000)

REVIEW = (
    """%load_ext toolkit.notebook
import toolkit
from toolkit import review
corpus = toolkit.load("hostile.jsonl")
remover = toolkit.BoilerplateRemover().fit(corpus)
classifier = toolkit.TopicClassifier()""",
    'review.templates(remover, corpus, "decisions.jsonl")',
    'review.topics(classifier, corpus, "labels.jsonl")',
)
EXPLORE = (
    """%load_ext toolkit.notebook
import toolkit
from toolkit import review
corpus = toolkit.load("hostile.jsonl")
remover = toolkit.BoilerplateRemover().fit(corpus)
verdicts = toolkit.verdicts(corpus)""",
    'review.certify(corpus, remover, n=30, judgements="judgements.jsonl")',
    """review.explore(corpus, remover, decisions="explored.jsonl", verdicts=verdicts,
               classifier=toolkit.TopicClassifier(), labels="explored_labels.jsonl")""",
)
DISPLAYS = (
    """from toolkit.display import Table, show
show(corpus, remover.spans(corpus), corpus["doc_id"].iloc[0])""",
    "remover.explain(corpus.iloc[0])",
    'classifier.explain(corpus["text"].iloc[0], title=corpus["title"].iloc[0])',
    "Table(remover.templates_.head(3))",
    "corpus.head(2)",
    'print(corpus["title"].iloc[0])',
)


@pytest.fixture(scope="module", autouse=True)
def kernels(lab, hostile):
    """Kernels of all notebooks, started together: they load while the first page opens."""
    (lab.folder / "hostile.jsonl").write_text("\n".join(map(json.dumps, hostile)), "utf-8")
    return {
        "01_quickstart.ipynb": lab.begin("01_quickstart.ipynb"),
        "review.ipynb": lab.write("review.ipynb", *REVIEW, *DISPLAYS),
        "explore.ipynb": lab.write("explore.ipynb", *EXPLORE),
    }


def test_the_first_notebook_runs_and_shows_its_figure_and_the_struck_article(lab, watched):
    lab.open(watched, "01_quickstart.ipynb")
    lab.run_all(watched)
    page = watched.page
    figure = page.locator(".jp-RenderedSVG img, .jp-RenderedSVG svg").first
    figure.scroll_into_view_if_needed()
    box = figure.bounding_box()
    assert box["width"] > 300
    assert box["height"] > 100
    watched.shot("lab-figure")
    struck = page.locator(".jp-OutputArea-output article del").first
    struck.scroll_into_view_if_needed()
    expect(struck).to_be_visible()
    assert struck.evaluate("e => getComputedStyle(e).textDecorationLine") == "line-through"
    assert "probability" in struck.get_attribute("title")
    evidence = page.locator(".jp-OutputArea-output article details").first
    expect(evidence.locator("li").first).to_be_hidden()
    evidence.locator("summary").focus()
    page.keyboard.press("Enter")
    expect(evidence.locator("li").first).to_contain_text("probability")
    expect(evidence.locator("li").first).to_be_visible()
    watched.shot("lab-article")
    watched.is_quiet()


def test_templates_are_judged_by_mouse_and_by_keyboard(lab, watched, kernels):
    decisions, labels = lab.folder / "decisions.jsonl", lab.folder / "labels.jsonl"
    page, box, status = opened(lab, watched, "review.ipynb", "Review templates", r"Passage 1 of \d+")
    cells = page.locator(".jp-Cell").count()

    box.get_by_role("button", name="Accept as").click()
    expect(status).to_contain_text("passage 1 accepted")
    first = read_decisions(decisions)
    assert first
    assert "keep" not in first.values()
    box.get_by_role("button", name="Reject").click()
    expect(status).to_contain_text("passage 2 rejected")
    assert "keep" in read_decisions(decisions).values()
    box.get_by_role("button", name="Undo").click()
    expect(status).to_have_text("undone")
    assert read_decisions(decisions) == first

    page.keyboard.press("r")  # the focus is where it was: on Undo
    expect(status).to_contain_text("passage 2 rejected")
    assert "keep" in read_decisions(decisions).values()
    page.keyboard.press("u")
    expect(status).to_have_text("undone")
    box.focus()
    outline = box.evaluate("e => getComputedStyle(e).outlineStyle + getComputedStyle(e).outlineWidth")
    assert outline == "solid3px"
    page.keyboard.press("5")
    expect(status).to_contain_text("passage 2 accepted as byline")
    assert "byline" in read_decisions(decisions).values()
    page.keyboard.press("u")
    expect(status).to_have_text("undone")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.dataset.action") == "accept"
    page.keyboard.press("Enter")
    expect(status).to_contain_text("passage 2 accepted")
    for passage in (2, 1):  # the first has most occurrences
        page.keyboard.press("ArrowLeft")
        expect(box.get_by_role("heading")).to_have_text(re.compile(rf"Passage {passage} of \d+"))
    page.keyboard.press("PageDown")
    expect(box).to_contain_text(re.compile(r"occurrences 5–\d+ of \d+"))
    page.keyboard.press("ArrowRight")
    expect(box.get_by_role("heading")).to_have_text(re.compile(r"Passage 2 of \d+"))
    watched.shot("review-decided", box)
    assert page.locator(".jp-Cell").count() == cells  # JupyterLab did not take a for "insert a cell above"

    label = page.get_by_role("region", name="Label topics")
    label.focus()
    label.scroll_into_view_if_needed()
    page.keyboard.press("2")
    expect(label.get_by_role("status")).to_contain_text("labelled:")
    assert len(read_labels(labels)) == 1
    watched.shot("review-topics", label)
    page.keyboard.press("u")
    expect(label.get_by_role("status")).to_have_text("undone")
    assert read_labels(labels) == {}
    page.keyboard.press("r")
    expect(label.get_by_role("status")).to_contain_text("refit needs 10 labelled documents")
    page.keyboard.press("3")
    expect(label.get_by_role("status")).to_contain_text("labelled:")

    page.keyboard.press("Control+s")
    page.wait_for_function("!document.querySelector('.jp-mod-dirty')")  # its own keys stay JupyterLab's
    book = json.loads((lab.folder / "review.ipynb").read_text("utf-8"))
    saved = json.dumps([book["metadata"], book["cells"][1:3]])
    assert "passages decided" in saved
    assert "Sign up for" not in saved

    watched.is_quiet()
    lab.clear(watched)  # JupyterLab itself logs an error for a saved view of a widget whose kernel is gone
    page.keyboard.press("Control+s")
    page.wait_for_function("!document.querySelector('.jp-mod-dirty')")
    count = len(read_decisions(decisions))
    lab.ask(f"kernels/{kernels['review.ipynb']}/restart", {})
    lab.open(watched, "review.ipynb")
    lab.run_all(watched)
    expect(box.get_by_role("heading")).to_have_text(re.compile(r"Passage 3 of \d+"))
    expect(label).to_contain_text("1 of")
    assert len(read_decisions(decisions)) == count
    watched.is_quiet()


def opened(lab, watched, notebook, region, heading):
    """Run a notebook; return the page, the box of a widget in it and the line of its status."""
    lab.open(watched, notebook)
    lab.run_all(watched)
    box = watched.page.get_by_role("region", name=region)
    expect(box.get_by_role("heading")).to_have_text(re.compile(heading))
    box.focus()
    box.scroll_into_view_if_needed()
    watched.shot(f"{region.lower().replace(' ', '-')}-first", box)
    return watched.page, box, box.get_by_role("status")


def shot_in_both_themes(watched, name, box):
    """Take a picture in JupyterLab's light theme and in its dark one."""
    watched.shot(f"{name}-light", box)
    theme(watched, "JupyterLab Dark")
    watched.shot(f"{name}-dark", box)
    theme(watched, "JupyterLab Light")


def theme(watched, name):
    """Choose JupyterLab's light or dark theme."""
    watched.page.get_by_role("menuitem", name="Settings", exact=True).click()
    watched.page.get_by_text("Theme", exact=True).first.hover()
    watched.page.get_by_text(name, exact=True).click()
    watched.page.wait_for_function(
        f"document.body.dataset.jpThemeLight === '{str(name == 'JupyterLab Light').lower()}'"
    )


def test_passages_are_judged_and_the_result_is_seen(lab, watched):
    path = lab.folder / "judgements.jsonl"
    page, box, status = opened(lab, watched, "explore.ipynb", "Certify", r"Passage 1 of \d+")
    page.keyboard.press("a")
    expect(status).to_have_text("passage 1: article")
    expect(box).to_contain_text("of the article text was lost")
    page.keyboard.press("b")
    expect(status).to_have_text("passage 2: boilerplate")
    page.keyboard.press("s")
    expect(status).to_have_text("passage 3: unsure")
    page.keyboard.press("u")
    expect(status).to_have_text("undone")
    page.keyboard.press("n")
    assert page.evaluate("document.activeElement.dataset.field") == "note"
    page.keyboard.type("a b s u")  # letters of a note judge nothing
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.className") == "ntk-review"
    box.get_by_role("button", name="Skip").click()
    expect(status).to_have_text("passage 3: unsure")
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    assert [row["verdict"] for row in rows] == ["article", "boilerplate", "unsure", None, "unsure"]
    assert rows[-1]["note"] == "a b s u"
    shot_in_both_themes(watched, "certify", box)
    watched.is_quiet()


def test_a_corpus_is_explored_and_decided_on_in_place(lab, watched):
    path = lab.folder / "explored.jsonl"
    page, box, status = opened(lab, watched, "explore.ipynb", "Explore", "Document 1 of 60")
    facts = box.locator(".ntk-facts > div")  # beside each other, whatever JupyterLab does with lists
    assert facts.nth(0).bounding_box()["y"] == facts.nth(1).bounding_box()["y"]
    top = box.bounding_box()["y"]
    page.keyboard.press("ArrowDown")
    expect(box).to_have_attribute("aria-busy", "false")  # what is decided on was seen
    assert box.bounding_box()["y"] == top  # the notebook does not jump
    page.keyboard.press("r")
    expect(status).to_contain_text("article text, it stays")
    assert list(read_decisions(path).values()) == ["keep"]
    expect(box.locator("mark[data-kind=stays]").first).to_be_visible()
    page.keyboard.press("u")
    expect(status).to_have_text("undone")
    assert read_decisions(path) == {}
    box.locator("del").last.click()
    expect(box).to_have_attribute("aria-busy", "false")  # a passage is in question before the click too
    expect(box.locator("del.ntk-asked")).to_be_visible()
    box.locator("button[data-action='accept:notice']").click()
    expect(status).to_contain_text("boilerplate: notice")
    assert list(read_decisions(path).values()) == ["notice"]
    page.keyboard.press("ArrowRight")
    expect(box.get_by_role("heading")).to_have_text("Explore: Document 2 of 60")
    box.get_by_label("Kind").select_option("related")
    expect(box).to_contain_text("of 60")
    box.get_by_label("Kind").select_option("")
    box.get_by_label("Score from").fill("0.2")
    box.get_by_label("Score from").press("Enter")
    expect(box.get_by_role("heading")).to_have_text(re.compile("Document 1 of"))
    shot_in_both_themes(watched, "explore", box)
    box.focus()
    page.keyboard.press("F3")
    expect(box.get_by_role("heading")).to_have_text(re.compile(r"Passage \d+ of"))
    watched.shot("explore-templates", box)
    page.keyboard.press("F4")
    expect(box.get_by_role("heading")).to_have_text(re.compile(r"Document 1 of"))
    page.keyboard.press("/")
    page.keyboard.type("weath")
    expect(box.get_by_role("button", name="weather")).to_be_visible()
    expect(box.get_by_role("button", name="sport")).to_have_count(0)
    page.keyboard.press("Enter")
    expect(status).to_contain_text("labelled: weather")
    page.keyboard.press("z")
    expect(status).to_contain_text("unsure")
    watched.shot("explore-topics", box)
    assert len(read_labels(lab.folder / "explored_labels.jsonl")) == 1
    for tag in ("script", "img[src=x]", "iframe", "a", "strong:has-text('b')", "mjx-container", "math"):
        assert page.locator(f".jp-OutputArea-output {tag}").count() == 0, tag
    page.keyboard.press("Control+s")
    page.wait_for_function("!document.querySelector('.jp-mod-dirty')")
    assert "Nobody had seen" not in (lab.folder / "explore.ipynb").read_text("utf-8")
    watched.is_quiet()


def test_forty_payloads_are_inert_where_a_corpus_is_explored_and_certified(lab, watched, hostile):
    page, box, _ = opened(lab, watched, "explore.ipynb", "Explore", "Document 1 of 60")
    for number, article in enumerate(hostile, 1):
        expect(box.get_by_role("heading")).to_have_text(f"Explore: Document {number} of 60")
        payload = article["section"]  # which stands in every field
        if payload.isprintable():
            expect(box).to_contain_text(payload)
        page.keyboard.press("ArrowRight")
    box = page.get_by_role("region", name="Certify")
    box.focus()
    for _ in range(30):
        page.keyboard.press("ArrowRight")
        expect(box).to_have_attribute("aria-busy", "false")
    watched.is_quiet()


def test_hostile_text_is_inert_in_every_display(lab, watched):
    lab.open(watched, "review.ipynb")
    lab.run_all(watched)
    page = watched.page
    expect(page.get_by_role("region", name="Label topics")).to_contain_text("<script>window.hit=1</script>")
    for tag in ("script", "img[src=x]", "iframe", "a", "strong:has-text('b')", "mjx-container", "math"):
        assert page.locator(f".jp-OutputArea-output {tag}").count() == 0, tag
    outputs = page.locator(".jp-CodeCell .jp-Cell-outputArea")
    for text in outputs.all_inner_texts()[1:6]:
        assert "<script>window.hit=1</script>" in text
        assert "[m](javascript:window.hit=1) **b**" in text
        assert "\u202e" not in text
        assert "⟨U+202E⟩" in text
    for number in (3, 4, 5, 7):
        watched.shot(f"hostile-{number}", outputs.nth(number))
    watched.is_quiet()
