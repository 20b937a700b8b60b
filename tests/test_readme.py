"""What the README and the guide show is what happens."""

import doctest
import importlib
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from matplotlib import pyplot as plt
from typer.testing import CliRunner

import toolkit
from toolkit import cli, report
from toolkit.files import shipped
from toolkit.review.journal import append_label
from toolkit.topics.taxonomy import CODE_OF

ROOT = Path(__file__).parent.parent


def test_the_example_prints_what_it_says():
    text = (ROOT / "README.md").read_text("utf-8")
    example = text.split("```python\n")[1].split("```")[0]
    test = doctest.DocTestParser().get_doctest(example, {}, "README.md", "README.md", 0)
    assert 4 <= len(test.examples) <= 8
    failures = []
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE, verbose=False)
    runner.run(test, out=failures.append)
    assert not failures, "".join(failures)


def test_the_picture_is_what_its_command_draws():
    done = subprocess.run(
        [sys.executable, "-m", "docs.tools.picture"], capture_output=True, check=True, cwd=ROOT
    )
    assert done.stdout == (ROOT / "docs" / "struck.svg").read_bytes()


@pytest.mark.parametrize(
    "name",
    sorted(p.relative_to(ROOT).as_posix() for p in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]),
)
def test_local_links_lead_somewhere(name):
    page = ROOT / name
    links = re.findall(r"\]\(([^)#]+)[^)]*\)|src=\"([^\"]+)\"", page.read_text("utf-8"))
    local = [link for pair in links for link in pair if link and "://" not in link]
    assert not [link for link in local if not (page.parent / link).exists()]
    if name.startswith("docs/"):  # the site has nothing else, and its build is strict
        docs = (ROOT / "docs").resolve()
        assert not [link for link in local if docs not in (page.parent / link).resolve().parents]


def test_every_make_target_in_the_readme_exists():
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    named = set(re.findall(r"`?make ([a-z]+)", (ROOT / "README.md").read_text("utf-8")))
    assert named
    assert named <= targets


def answer(block, widget=None, cleaned=None, **_):
    """Say what a person would say to the widgets that a block shows."""
    if "review.certify(" in block:
        for verdict in ("article", "boilerplate", "article"):
            widget.review.say(verdict)
        shutil.copy("ada.jsonl", "ben.jsonl")
    if "review.topics(" in block:
        for n, doc_id in enumerate(cleaned["doc_id"].head(20)):
            append_label("labels.jsonl", doc_id, [list(CODE_OF.values())[n % 2]])


@pytest.mark.parametrize("name", ["index", "guide", "cookbook", "review"])
def test_a_page_runs_from_top_to_bottom(name, tmp_path, monkeypatch):
    """Each Python block and each command, in the order of the page, on the sample corpus."""
    (tmp_path / "news").mkdir()
    shutil.copy(shipped("sample") / "articles.jsonl.gz", tmp_path / "news" / "a.jsonl.gz")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(report, "render", lambda folder, *_, **__: folder / "report.html")
    page = (ROOT / "docs" / f"{name}.md").read_text("utf-8")
    names = {"toolkit": toolkit}
    ran = 0
    for language, block in re.findall(r"^```(\w*)\n(.*?)^```", page, re.MULTILINE | re.DOTALL):
        if language == "python":
            exec(compile(block, f"docs/{name}.md", "exec"), names)
            answer(block, **names)
            ran += 1
        for line in block.splitlines():
            if line.startswith("news-toolkit "):
                done = CliRunner().invoke(cli.app, shlex.split(line)[1:], catch_exceptions=False)
                assert done.exit_code == 0, (line, done.stderr)
                ran += 1
    plt.close("all")
    assert ran >= 6


def test_the_cookbook_answers_twenty_one_questions():
    page = (ROOT / "docs" / "cookbook.md").read_text("utf-8")
    assert [int(n) for n in re.findall(r"^\*\*(\d+)\. .+\?", page, re.MULTILINE)] == list(range(1, 22))


def test_the_cookbook_puts_what_has_no_date_into_no_season():
    page = (ROOT / "docs" / "cookbook.md").read_text("utf-8")
    dates = pd.to_datetime(pd.Series(["2032-10-01", "2032-01-01", None]), utc=True)
    names = {"cleaned": pd.DataFrame({"published": dates})}
    exec("\n".join(re.findall(r"^(?:autumn|season) = .+$", page, re.MULTILINE)), names)
    assert names["season"].fillna("").tolist() == ["autumn", "rest of the year", ""]


def test_the_reference_shows_every_public_name():
    """The pages of docs/api name modules; the site shows what is in their ``__all__``, or what they define."""
    shown = set()
    for page in (ROOT / "docs" / "api").glob("*.md"):
        for name in re.findall(r"^::: (toolkit[\w.]*)$", page.read_text("utf-8"), re.MULTILINE):
            module = importlib.import_module(name)
            shown |= {id(getattr(module, each)) for each in getattr(module, "__all__", vars(module))}
            shown.add(id(module))
    hidden = {"distributed"}  # docs/scale.md tells of it
    assert not [
        name for name in toolkit.__all__ if id(getattr(toolkit, name)) not in shown and name not in hidden
    ]


def test_every_page_stands_in_the_site():
    listed = set(re.findall(r"([\w/-]+\.md)$", (ROOT / "mkdocs.yml").read_text("utf-8"), re.MULTILINE))
    assert listed == {p.relative_to(ROOT / "docs").as_posix() for p in (ROOT / "docs").rglob("*.md")}


def test_the_reference_of_this_version_is_given():
    version = toolkit.__version__
    assert f"\n## [{version}] - 20" in (ROOT / "CHANGELOG.md").read_text("utf-8")
    assert f"\nversion: {version}\n" in (ROOT / "CITATION.cff").read_text("utf-8")
    assert f"version = {{{version}}}," in (ROOT / "docs" / "guide.md").read_text("utf-8")
    title = re.search(r'^title: "(.+)"$', (ROOT / "CITATION.cff").read_text("utf-8"), re.MULTILINE)[1]
    assert f"title   = {{{title}}}," in (ROOT / "docs" / "guide.md").read_text("utf-8")
    for page in ("README.md", "CONTRIBUTING.md", "REPRODUCING.md"):
        assert (ROOT / page).is_file()


@pytest.mark.parametrize("name", ["CONTRIBUTING.md", "REPRODUCING.md", "docs/guide.md", "docs/datasets.md"])
def test_every_command_that_a_page_names_exists(name):
    text = (ROOT / name).read_text("utf-8")
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    told = re.findall(r"`make ([a-z -]+)`|^make ([a-z -]+)$", text, re.MULTILINE)
    named = {word for line in told for word in "".join(line).split()}
    assert named <= targets
    for module in re.findall(r"python -m (toolkit[\w.]*)", text):
        path = ROOT / module.replace(".", "/")
        assert path.with_suffix(".py").is_file() or (path / "__main__.py").is_file(), module
    verbs = {command.name or command.callback.__name__ for command in cli.app.registered_commands} | {
        "datasets"
    }
    assert set(re.findall(r"news-toolkit ([a-z]+) ", text)) <= verbs
    for path in re.findall(r"`((?:toolkit|tests|data|docs)/[\w/.-]+\.\w+)`", text):
        assert (ROOT / path).exists(), path
