"""What a strict comparison of outputs does not catch in a recorded notebook, and whether it catches the rest."""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
from copy import deepcopy
from itertools import pairwise
from pathlib import Path

import nbformat
import pandas as pd
import pytest
from lxml import etree

from docs.tools.recording import problems, record
from toolkit import datasets
from toolkit.notebook import normalise

ROOT = Path(__file__).parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
STUDIES = sorted((ROOT / "notebooks" / "studies").glob("*.ipynb"))
OPT_OUT = re.compile(r"nbval[-_](ignore|skip|raises|check)|raises-exception", re.IGNORECASE)
LONGEST = 8
FIGURES = 3


@pytest.fixture(params=[*NOTEBOOKS, *STUDIES], ids=lambda path: path.name)
def path(request):
    return request.param


@pytest.fixture
def book(path):
    return nbformat.read(path, as_version=4)


def code(book):
    return [cell for cell in book.cells if cell.cell_type == "code"]


def outputs(book):
    return [output for cell in code(book) for output in cell.outputs]


def drawings(book):
    return [output for output in outputs(book) if "image/svg+xml" in output.get("data", {})]


def python(cell):
    return ast.parse(
        "\n".join(line for line in cell.source.splitlines() if not line.startswith("%")) or "pass"
    )


def prints(cell):
    """Whether the cell ends in a value that IPython shows, or prints."""
    tree = python(cell)
    shows = isinstance(tree.body[-1], ast.Expr)
    calls = {
        node.func.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    draws = "plots." in cell.source
    return shows or draws or bool(calls & {"print", "display"})


def test_there_are_notebooks_and_they_are_numbered():
    numbers = [int(path.name[:2]) for path in NOTEBOOKS]
    assert numbers == sorted(set(numbers))
    assert numbers[0] == 1
    assert all(re.fullmatch(r"\d\d_[a-z_]+\.ipynb", path.name) for path in NOTEBOOKS)
    assert all(re.fullmatch(r"[a-z_]+\.ipynb", path.name) for path in STUDIES)


def test_nothing_is_stored_that_the_comparison_does_not_see(book):
    assert problems(book) == []


def displayed(**data):
    kinds = {"png": "image/png", "svg": "image/svg+xml", "widget": "application/vnd.jupyter.widget-view+json"}
    return nbformat.v4.new_output("display_data", {kinds[name]: value for name, value in data.items()})


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda book, cell: cell.update(execution_count=None), "cells are numbered [None]"),
        (lambda book, cell: cell.update(execution_count=7), "cells are numbered [7]"),
        (lambda book, cell: cell.outputs.append(displayed(png="aGk=")), "cell 1: image/png is not compared"),
        (
            lambda book, cell: cell.outputs.append(
                displayed(svg=r"<svg><text>$\mathdefault{10^{0}}$</text></svg>")
            ),
            "cell 1: a formula stands in the figure as code",
        ),
        (
            lambda book, cell: cell.outputs.append(displayed(widget={"model_id": "x"})),
            "cell 1: a stored widget",
        ),
        (lambda book, cell: book.metadata.update(widgets={}), "stores the state of widgets"),
    ],
    ids=["unrun", "out of order", "png", "formula", "widget", "widget state"],
)
def test_each_blind_spot_of_the_comparison_is_seen(spoil, told):
    cell = nbformat.v4.new_code_cell("1", execution_count=1)
    cell.outputs = [displayed(svg="<svg><text>$5 million or $6 million</text></svg>")]
    book = nbformat.v4.new_notebook(cells=[cell])
    assert problems(book) == []
    spoil(book, cell)
    assert len(problems(book)) == 1
    assert problems(book)[0].startswith(told) or told in problems(book)[0]


def test_recording_leaves_no_widget():
    cell = nbformat.v4.new_code_cell("1", execution_count=1)
    cell.outputs = [displayed(widget={"model_id": "x"})]
    cell.outputs[0].data["text/plain"] = "0 of 2 judged"
    normalise(nbformat.v4.new_notebook(cells=[cell]))
    assert cell.outputs[0].data == {"text/plain": "0 of 2 judged"}


def test_every_cell_that_prints_holds_output(book):
    assert not [cell.source for cell in code(book) if prints(cell) and not cell.outputs]


def test_stripped_outputs_are_noticed(book):
    for cell in code(book):
        cell.outputs = []
    with pytest.raises(AssertionError):
        test_every_cell_that_prints_holds_output(book)


def test_there_are_few_figures_and_each_says_in_words_what_it_shows(book):
    assert 1 <= len(drawings(book)) <= FIGURES
    for output in drawings(book):
        words = output.metadata["image/svg+xml"]["alt"]
        svg = etree.fromstring(output.data["image/svg+xml"].encode())
        assert svg.find("{http://www.w3.org/2000/svg}title").text == words == output.data["text/plain"]
        assert re.search(r"\d", words), words
        told = "".join(text for text in svg.itertext() if text != words)
        assert not re.search(r"mathdefault|\$\\", told), "an axis reads as mathematics"


def test_the_question_and_its_answer_come_first_and_the_figures_last(book):
    first = book.cells[0].source
    assert re.match(r"# [A-Z].*\?\n\*\*", first), first
    *_, heading, found = book.cells
    assert heading.source.startswith("## What was found")
    assert "print(f" in found.source
    assert re.search(r"\d", "".join(output.text for output in found.outputs))


def test_nothing_opts_out_of_the_comparison(book):
    assert not [cell.source for cell in book.cells if OPT_OUT.search(cell.source)]
    assert not [tag for cell in book.cells for tag in cell.metadata.get("tags", ()) if OPT_OUT.search(tag)]


def test_the_comparison_passes_over_nothing(book):
    """What sanitize.cfg makes alike is in no stored output."""
    text = json.dumps(outputs(book))
    assert not re.search(r"ipykernel_\d+|\b0x[0-9a-f]{6,16}\b", text)


def test_no_errors_and_nothing_on_standard_error(book):
    assert not [o for o in outputs(book) if o.output_type == "error" or o.get("name") == "stderr"]


def test_metadata_is_plain(book):
    assert book.metadata == {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"file_extension": ".py", "mimetype": "text/x-python", "name": "python"},
    }
    assert not [cell.metadata for cell in book.cells if set(cell.metadata) - {"tags"}]


def test_the_first_cell_makes_output_stable(book):
    assert code(book)[0].source.startswith("%load_ext toolkit.notebook")


def test_cells_are_thin_and_define_nothing(book):
    for cell in code(book):
        assert len([line for line in cell.source.splitlines() if line.strip()]) <= LONGEST, cell.source
        kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
        assert not [node for node in ast.walk(python(cell)) if isinstance(node, kinds)], cell.source


def test_no_cell_hides_its_value_with_a_semicolon(book):
    """The comparison runs cells without history, where IPython does not honour it: assign instead."""
    assert not [cell.source for cell in code(book) if cell.source.rstrip().endswith(";")]


def test_prose_stands_before_each_cell(book):
    for before, cell in zip(book.cells, book.cells[1:], strict=False):
        assert cell.cell_type == "markdown" or before.cell_type == "markdown", cell.source


def test_no_paths_of_a_machine(path):
    assert not re.search(r"(?<![\w.:/])/(home|root|tmp|work|Users)/|[A-Z]:\\\\", path.read_text("utf-8"))


def test_links_lead_to_pages_that_are_there(path, book):
    links = re.findall(
        r"\]\((?!https?:)([^)#]+)", "\n".join(c.source for c in book.cells if c.cell_type != "code")
    )
    assert not [link for link in links if not (path.parent / link).exists()]


def test_the_file_is_as_recording_leaves_it(path, book):
    copy = deepcopy(book)
    normalise(copy)
    assert nbformat.writes(copy) + "\n" == path.read_text("utf-8")


def test_recording_again_gives_the_same_bytes(tmp_path):
    """For one notebook; for the others the comparison of outputs and the test above come to the same."""
    copy = tmp_path / "elsewhere" / NOTEBOOKS[0].name
    copy.parent.mkdir()
    shutil.copy(NOTEBOOKS[0], copy)
    record(copy)
    assert copy.read_bytes() == NOTEBOOKS[0].read_bytes()


def compared(copy):
    """Run pytest with the comparison of outputs, as it is set up here, on a notebook elsewhere."""
    command = [
        sys.executable,
        "-m",
        "pytest",
        "--nbval",
        "--nbval-current-env",
        "-q",
        "-p",
        "no:cacheprovider",
    ]
    command += ["-c", "/dev/null", "--rootdir", copy.parent, f"--nbval-sanitize-with={ROOT / 'sanitize.cfg'}"]
    return subprocess.run([*command, copy], capture_output=True, text=True, check=False, cwd=copy.parent)


def bumped(match):
    return match[1] + str((int(match[2]) + 1) % 10)


def test_the_comparison_notices_one_changed_digit_and_one_changed_coordinate(tmp_path):
    book = nbformat.read(NOTEBOOKS[0], as_version=4)
    drawing = drawings(book)[0]
    svg = drawing.data["image/svg+xml"]
    drawing.data["image/svg+xml"] = re.sub(r'(<path d="M \d*)(\d)', bumped, svg, count=1)
    assert drawing.data["image/svg+xml"] != svg
    printed = code(book)[-1].outputs[0]
    text = printed.text
    printed.text = re.sub(r"()(\d)", bumped, text, count=1)
    assert printed.text != text
    copy = tmp_path / "changed.ipynb"
    nbformat.write(book, copy)
    done = compared(copy)
    assert done.returncode == 1, done.stdout + done.stderr
    assert re.search(rf"2 failed, {len(code(book)) - 2} passed", done.stdout)


def test_studies_are_left_out_with_one_line_where_their_data_are_absent(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "notebooks/studies", "-q", "-p", "no:cacheprovider"],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env={**os.environ, "NEWS_TOOLKIT_DATA": str(tmp_path)},
    )
    assert done.returncode == pytest.ExitCode.NO_TESTS_COLLECTED, done.stdout + done.stderr
    assert done.stdout.count("SKIPPED notebooks/studies: needs the development data") == 1


def spoken(text):
    return re.findall(r"[^\W\d_]+|\d+", text.casefold())


def runs_of(texts, size=7):
    """Every run of so many words that holds no number."""
    for text in texts:
        words = spoken(text)
        runs = (tuple(words[i : i + size]) for i in range(len(words) - size + 1))
        yield from (run for run in runs if not any(word.isdigit() for word in run))


def test_studies_hold_no_text_of_the_corpora(shared_data):
    """No run of seven words of a stored output stands in an article or title of the sets they read."""
    held = [" ".join(map(str, o.get("data", {"text": o.get("text", "")}).values())) for path in STUDIES
            for o in outputs(nbformat.read(path, as_version=4))]  # fmt: skip
    found = set(runs_of(re.sub(r"<[^>]+>", " ", text) for text in held))
    assert found
    beginnings = {run[:2] for run in found}
    for name in ("allsides", "masakhanews", "agnews", "tagmynews"):
        corpus = datasets.load(name)
        for text in pd.concat([corpus["text"], corpus["title"].dropna()]):
            words = spoken(text)
            pairs = enumerate(pairwise(words))
            assert not [i for i, pair in pairs if pair in beginnings and tuple(words[i : i + 7]) in found]
