"""What a strict comparison of outputs does not catch in a recorded notebook."""

import ast
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from toolkit.notebook import record

ROOT = Path(__file__).parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
OPT_OUT = re.compile(r"nbval[-_](ignore|skip|raises|check)|raises-exception", re.IGNORECASE)
LONGEST = 8


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.name)
def path(request):
    return request.param


@pytest.fixture
def book(path):
    return nbformat.read(path, as_version=4)


def code(book):
    return [cell for cell in book.cells if cell.cell_type == "code"]


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
    assert NOTEBOOKS
    assert all(re.fullmatch(r"\d\d_[a-z_]+\.ipynb", path.name) for path in NOTEBOOKS)


def test_every_cell_was_run_once_in_order(book):
    assert [cell.execution_count for cell in code(book)] == list(range(1, len(code(book)) + 1))


def test_every_cell_that_prints_holds_output(book):
    assert not [cell.source for cell in code(book) if prints(cell) and not cell.outputs]


def test_figures_are_svg(book):
    kinds = {kind for cell in code(book) for output in cell.outputs for kind in output.get("data", {})}
    assert not kinds & {"image/png", "image/jpeg", "application/pdf", "application/javascript"}


def test_nothing_opts_out_of_the_comparison(book):
    assert not [cell.source for cell in book.cells if OPT_OUT.search(cell.source)]
    assert not [tag for cell in book.cells for tag in cell.metadata.get("tags", ()) if OPT_OUT.search(tag)]


def test_no_errors_and_nothing_on_standard_error(book):
    outputs = [output for cell in code(book) for output in cell.outputs]
    assert not [o for o in outputs if o.output_type == "error" or o.get("name") == "stderr"]


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
        assert len(cell.source.splitlines()) <= LONGEST, cell.source
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


def test_recording_again_gives_the_same_bytes(path, tmp_path):
    copy = tmp_path / "elsewhere" / path.name
    copy.parent.mkdir()
    shutil.copy(path, copy)
    record(copy)
    assert copy.read_bytes() == path.read_bytes()


def test_the_comparison_notices_one_changed_digit(tmp_path):
    book = nbformat.read(NOTEBOOKS[0], as_version=4)
    for cell in code(book):
        for output in cell.outputs:
            text = output.get("text") or output.get("data", {}).get("text/plain", "")
            if changed := re.sub(r"\d", lambda m: str((int(m[0]) + 1) % 10), text, count=1):
                if changed == text:
                    continue
                if "text" in output:
                    output["text"] = changed
                else:
                    output["data"]["text/plain"] = changed
                break
        else:
            continue
        break
    else:
        pytest.fail("no stored output holds a digit")
    copy = tmp_path / "changed.ipynb"
    nbformat.write(book, copy)
    done = subprocess.run(
        [
            *(
                sys.executable,
                "-m",
                "pytest",
                "--nbval",
                "--nbval-current-env",
                "-q",
                "-p",
                "no:cacheprovider",
            ),
            *(
                "-c",
                "/dev/null",
                "--rootdir",
                tmp_path,
                f"--nbval-sanitize-with={ROOT / 'sanitize.cfg'}",
                copy,
            ),
        ],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    assert re.search(r"1 failed, \d+ passed", done.stdout)
