import json
import re
import shutil

import nbformat
import pandas as pd
import pytest
from lxml import etree

from toolkit import pipeline, report, verification
from toolkit.certificate import Certificate, Stratum
from toolkit.errors import ReportError
from toolkit.files import shipped
from toolkit.report import Results

EVIL = "<script>alert(1)</script><img src=x onerror=alert(1)> $\\frac{ \x1b[31m \u202e"

HEADINGS = (
    "How much article text was lost",
    "Where the documents come from",
    "What the remover marked as boilerplate",
    "Articles, struck through",
    "What is no article",
    "What the articles are about",
    "What cleaning changes",
    "What could not be read",
    "Methods, to paste into a paper",
    "How this was made",
)


@pytest.fixture(scope="module")
def rendered(tmp_path_factory):
    """A report of the sample, a hostile article and a broken record."""
    folder = tmp_path_factory.mktemp("report")
    (folder / "in").mkdir()
    shutil.copy(shipped("sample") / "articles.jsonl.gz", folder / "in")
    line = {
        "id": EVIL,
        "title": EVIL,
        "text": f"{EVIL}\nSign up for our newsletter {EVIL}\n",
        "publisher": EVIL,
    }
    lines = [json.dumps({**line, "id": f"{EVIL}{n}"}) for n in range(60)]
    (folder / "in" / "evil.jsonl").write_text("\n".join([*lines, EVIL]), "utf-8")
    pipeline.run(folder / "in", folder / "out")
    report.render(folder / "out", title="Norland 2031", author="A. Reader")
    return folder / "out"


def page(folder):
    return (folder / "report.html").read_text("utf-8")


def test_report_is_one_file_without_network_scripts_or_code(rendered):
    root = etree.HTML(page(rendered))
    assert not root.findall(".//script")
    assert not root.findall(".//link")
    assert not root.findall(".//iframe")
    sources = [node.attrib[name] for node in root.iter() for name in ("src", "href") if name in node.attrib]
    assert not [s for s in sources if not s.startswith(("data:", "#"))]
    assert not re.search(r"url\((?!['\"]?(data:|#))", page(rendered))
    assert not re.search(r"@import|https?://[^\s\"']*(cdn|unpkg|jsdelivr)", page(rendered))
    assert not root.findall(".//*[@class='jp-CodeMirrorEditor jp-Editor jp-InputArea-editor']")
    assert "load_ext" not in page(rendered)
    policy = root.find(".//meta[@http-equiv='Content-Security-Policy']").attrib["content"]
    assert policy.startswith("default-src 'none';")


def test_report_shows_everything(rendered):
    text = " ".join(etree.HTML(page(rendered)).itertext())
    counts = Results(rendered).record["counts"]
    assert f"{counts['in']:,} documents came in: {counts['kept']:,} were kept, 1 quarantined." in text
    for heading in HEADINGS:
        assert heading in text
    assert len(re.findall(r"characters removed \(\d", text)) == 5
    assert len(re.findall(r"<img[^>]* src=\"data:image/svg\+xml;base64,", page(rendered))) == 3
    assert "evil.jsonl#61" in text
    assert "Norland 2031" in text
    assert "A. Reader" in text
    numbers = re.findall(r"(Table|Figure) (\d+)\.", text)
    assert [int(n) for kind, n in numbers if kind == "Figure"] == [1, 2, 3]
    # in the order in which they appear
    assert [int(n) for kind, n in numbers if kind == "Table"] == list(range(1, len(report.TABLES) + 1))


def test_hostile_text_stays_text(rendered):
    root = etree.HTML(page(rendered))
    assert not [node for node in root.iter() if any(name.startswith("on") for name in node.attrib)]
    assert "\x1b" not in page(rendered)
    assert "\u202e" not in page(rendered)
    assert "&lt;script&gt;alert(1)" in page(rendered)


def test_the_notebook_is_the_written_report_run_from_top_to_bottom(rendered):
    book = nbformat.read(rendered / "report.ipynb", as_version=4)
    added = [cell for cell in book.cells if "injected-parameters" in cell.metadata.get("tags", ())]
    assert [cell.source.splitlines()[1] for cell in added] == ['folder = "."']
    written = report.blank().cells
    assert [c.source for c in book.cells if c not in added] == [c.source for c in written]
    assert len({cell.id for cell in written}) == len(written) > 20
    counts = [cell.execution_count for cell in book.cells if cell.cell_type == "code"]
    assert counts == list(range(1, len(counts) + 1))


def test_the_notebook_can_be_opened_and_run_again(rendered):
    book = nbformat.read(rendered / "report.ipynb", as_version=4)
    nbformat.validate(book)
    assert not [o for cell in book.cells for o in cell.get("outputs", ()) if o.output_type == "error"]
    assert not [o for cell in book.cells for o in cell.get("outputs", ()) if o.get("name") == "stderr"]
    assert str(rendered) not in (rendered / "report.ipynb").read_text("utf-8")


def test_rendering_again_gives_the_same_bytes(rendered):
    before = {name: (rendered / name).read_bytes() for name in ("report.html", "report.ipynb")}
    report.render(rendered, title="Norland 2031", author="A. Reader")
    assert {name: (rendered / name).read_bytes() for name in before} == before
    assert not [p.name for p in rendered.iterdir() if p.name.startswith(".")]


def test_results_agree_with_the_files(rendered):
    results = Results(rendered)
    cleaned = pd.read_parquet(rendered / "cleaned.parquet")
    spans = pd.read_parquet(rendered / "spans.parquet")
    removed = int((spans["end"] - spans["start"]).sum())
    assert results.frame("kinds")["characters"].sum() == removed
    publishers = results.frame("publishers")
    assert publishers["documents"].sum() == len(cleaned)
    assert publishers["characters"].sum() == cleaned["text"].str.len().sum()
    account = results.frame("account").set_index("what")
    assert account["n"]["characters marked"] == removed
    assert account["n"]["documents without a date"] == 60
    copies = len(pd.read_parquet(rendered / "duplicates.parquet"))
    assert account["n"]["documents that have a duplicate"] == copies
    shares = account.dropna(subset=["share"])
    assert ((shares["low"] <= shares["share"]) & (shares["share"] <= shares["high"])).all()
    topics = results.frame("topics").set_index("topic")["documents"].to_dict()
    assert topics == results.record["counts"]["topics"]
    assert results.frame("templates")["characters"].is_monotonic_decreasing
    changes = results.frame("changes").set_index("publisher")
    assert changes.loc["all", "n"] == len(results.sample)
    assert (results.frame("words")["after"] < results.frame("words")["before"]).all()
    assert repr(results).endswith(f"{len(cleaned):,} documents)")


def test_tables_stand_beside_the_page(rendered):
    folder = rendered / "report_tables"
    names = [f"{n:02}_{name}" for n, name in enumerate(report.TABLES, 1)]
    wanted = [f"{name}.{suffix}" for name in names for suffix in ("csv", "tex")]
    assert sorted(path.name for path in folder.iterdir()) == wanted
    assert (
        pd.read_csv(folder / "04_kinds.csv")["kind"].tolist()
        == Results(rendered).frame("kinds")["kind"].tolist()
    )
    latex = (folder / "04_kinds.tex").read_text("utf-8")
    assert latex.count("\\toprule") == latex.count("\\caption") == 1
    assert not [path for path in folder.iterdir() if re.search("[\x1b\u202e]", path.read_text("utf-8"))]


def test_a_paper_can_quote_it(rendered):
    results = Results(rendered)
    methods = results.methods()
    assert re.search(r"It marked \d+\.\d % \[\d+\.\d, \d+\.\d\] of all characters", methods)
    assert "not measured on this corpus" in methods
    assert results.bibtex().startswith("@software{news_toolkit,")
    assert "toolkit.review.certify" in results.certificate()


def test_a_certificate_is_reported(rendered, tmp_path):
    for path in (rendered / "run.json", *rendered.glob("*.parquet")):
        shutil.copy(path, tmp_path)
    parts = {
        "removed": Stratum(100, 90, 1, 0.04),
        "near": Stratum(0, 0, 0, 0.0),
        "kept": Stratum(900, 110, 2, 0.05),
    }
    Certificate(0.0042, 0.957, 0.6, 200, 0.95, parts, 0.0015, None, 2, 0.8, 60).save(tmp_path)
    assert "At most 0.42 % of the article text was lost" in Results(tmp_path).methods()


def test_texts_can_be_kept_out(rendered, tmp_path):
    page = report.render(rendered, tmp_path / "shared.html", texts=False)
    texts = pd.read_parquet(rendered / "cleaned.parquet")["text"]
    texts = texts[~texts.str.contains("<script>", regex=False)]  # it is the name of its publisher too
    runs = {
        text[i : i + 40]
        for text in texts
        for i in range(0, len(text) - 40, 20)
        if "\n" not in text[i : i + 40]
    }
    for path in (page, page.with_suffix(".ipynb"), *(tmp_path / "shared_tables").iterdir()):
        written = path.read_text("utf-8")
        assert not [run for run in runs if run in written], path.name
    assert "left out of this report" in page.read_text("utf-8")


def test_a_run_with_nothing_to_remove_is_reported(tmp_path):
    (tmp_path / "plain.txt").write_text(
        "Rain fell\n\nIt rained in the port all day, and the ferry stayed in.\n"
    )
    pipeline.run(tmp_path / "plain.txt", tmp_path / "out", remove=["appeal"])
    path = report.render(tmp_path / "out")
    assert "1 documents came in: 1 were kept, 0 quarantined." in " ".join(
        etree.HTML(path.read_text("utf-8")).itertext()
    )


def test_a_folder_without_a_run_is_named(tmp_path):
    with pytest.raises(ReportError, match=r"no run\.json, so no finished run; run `news-toolkit run IN -o"):
        report.render(tmp_path)


@pytest.fixture(scope="module")
def beside(rendered, tmp_path_factory):
    """A report whose page and notebook stand elsewhere than the results."""
    path = tmp_path_factory.mktemp("paper") / "new" / "study.html"
    return report.render(rendered, path, title="Norland 2031")


def test_page_and_notebook_can_stand_beside_the_results(beside, rendered):
    names = sorted(path.name for path in beside.parent.iterdir())
    assert names == ["study.html", "study.ipynb", "study_tables"]
    assert "Norland 2031" in beside.read_text("utf-8")
    book = nbformat.read(beside.with_suffix(".ipynb"), as_version=4)
    cells = [cell.source for cell in book.cells if "injected-parameters" in cell.metadata.get("tags", ())]
    (folder,) = re.findall(r'folder = "(.*)"', cells[0])
    assert 'title = "Norland 2031"' in cells[0]
    assert (beside.parent / folder).resolve() == rendered.resolve()
    assert not folder.startswith("/")


def test_figures_say_in_words_what_they_show(rendered):
    images = etree.HTML(page(rendered)).findall(".//img")
    assert len(images) == 3
    assert len({image.attrib["alt"] for image in images}) == 3
    assert all(len(image.attrib["alt"]) > 15 for image in images)


def test_a_page_is_named_as_one(rendered, tmp_path):
    with pytest.raises(ReportError, match=r"report\.pdf: a report is an HTML file; name it report\.html"):
        report.render(rendered, tmp_path / "report.pdf")


def test_a_notebook_that_was_edited_is_kept(tmp_path, capsys):
    (tmp_path / "a.txt").write_text("Rain fell\n\nIt rained in the port all day, and the ferry stayed in.\n")
    out, written = tmp_path / "out", tmp_path / "out" / "report.ipynb"
    pipeline.run(tmp_path / "a.txt", out)
    report.render(out)
    book = json.loads(written.read_bytes())
    book["cells"][2]["outputs"] = []  # run again, or cleared: no words of the user's are lost
    written.write_text(json.dumps(book))
    report.render(out)
    assert [path.name for path in out.glob("*.ipynb")] == ["report.ipynb"]
    assert not capsys.readouterr().err
    again = {
        "report": lambda: report.render(out),
        "run": lambda: pipeline.run(tmp_path / "a.txt", out, remove=["appeal"], force=True),
    }
    for name, overwrites in again.items():
        book["cells"].append(nbformat.v4.new_markdown_cell(f"My own words before the next {name}."))
        edited = json.dumps(book)
        written.write_text(edited)
        overwrites()
        (line,) = capsys.readouterr().err.splitlines()
        kept = written.with_name(line.split()[-1])
        assert kept.read_text() == edited, name
        assert line == f"{written}: was edited, so it is kept as {kept.name}"
    written.write_text("no notebook")
    report.render(out)
    assert len([*out.glob("report.edited-*.ipynb")]) == 3
    found = {check.name: check.found for check in verification.verify(out).differences}
    assert set(found) == {path.name for path in out.glob("report.edited-*.ipynb")}
    assert set(found.values()) == {"(a notebook that was edited, so it was kept; move it out of the folder)"}
