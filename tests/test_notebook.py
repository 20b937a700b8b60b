import gc
import os
import subprocess
import sys
import warnings

import matplotlib as mpl
import pandas as pd
import pytest
from IPython.core.interactiveshell import InteractiveShell
from matplotlib_inline.config import InlineBackend

from toolkit import notebook


@pytest.fixture
def shell():
    gc.collect()  # sockets that other tests left behind: of these the extension would warn, which is an error here
    with (
        mpl.rc_context(),
        pd.option_context(*[x for name in notebook.PANDAS for x in (name, pd.get_option(name))]),
        warnings.catch_warnings(),
    ):
        yield InteractiveShell.instance()
    InlineBackend.clear_instance()
    InteractiveShell.clear_instance()


def test_extension_loads_by_name_and_sets_the_backend_as_traits(shell):
    shell.run_line_magic("load_ext", "toolkit.notebook")
    backend = InlineBackend.instance()
    assert backend.figure_formats == set()
    assert backend.print_figure_kwargs == {
        "bbox_inches": None,
        "metadata": {"Date": None, "Creator": None},
    }
    assert backend.rc["svg.hashsalt"] == "news-toolkit"


def test_settings_reach_matplotlib_pandas_and_warnings(shell):
    notebook.load_ipython_extension(shell)
    assert mpl.rcParams["svg.fonttype"] == "none"
    assert mpl.rcParams["font.family"][0] == "DejaVu Sans"
    assert mpl.rcParams["text.parse_math"] is False
    assert repr(pd.Series([1 / 3])) == "0    0.3333\ndtype: float64"
    with pytest.raises(FutureWarning):
        warnings.warn("gone soon", FutureWarning, stacklevel=1)


def test_an_estimator_is_shown_as_text(shell):
    from sklearn.svm import LinearSVC

    assert "text/html" in shell.display_formatter.format(LinearSVC())[0]
    notebook.load_ipython_extension(shell)
    assert shell.display_formatter.format(LinearSVC())[0] == {"text/plain": "LinearSVC()"}


def test_loading_twice_changes_nothing(shell):
    notebook.load_ipython_extension(shell)
    before = (dict(mpl.rcParams), list(warnings.filters), InlineBackend.instance().trait_values())
    notebook.load_ipython_extension(shell)
    assert (dict(mpl.rcParams), list(warnings.filters), InlineBackend.instance().trait_values()) == before


def test_the_same_figure_gives_the_same_bytes(shell, tmp_path):
    notebook.load_ipython_extension(shell)
    from matplotlib.figure import Figure

    def draw(name):
        figure = Figure()
        figure.subplots().bar([0, 1], [1, 2], hatch="//", label="größer")
        figure.savefig(tmp_path / name, format="svg", **notebook.PRINT_FIGURE)
        return (tmp_path / name).read_bytes()

    first = draw("a.svg")
    assert first == draw("b.svg")
    assert b"<dc:date>" not in first
    assert "DejaVu Sans" in first.decode()


def test_a_figure_is_stored_with_its_words(shell):
    notebook.load_ipython_extension(shell)
    from matplotlib.figure import Figure

    figure = Figure()
    ax = figure.subplots()
    ax.bar([0, 1], [1, 2])
    ax.set_label("Bars: one, and <two>")
    data, metadata = shell.display_formatter.format(figure)
    assert data["text/plain"] == "Bars: one, and <two>"
    assert metadata == {"image/svg+xml": {"alt": "Bars: one, and <two>"}}
    assert "<title>Bars: one, and &lt;two&gt;</title>" in data["image/svg+xml"]
    assert data == shell.display_formatter.format(figure)[0]


def test_a_figure_without_words_is_described_by_its_size(shell):
    notebook.load_ipython_extension(shell)
    from matplotlib.figure import Figure

    figure = Figure()
    assert notebook.drawn(figure) == ({}, {})
    figure.subplots()
    assert notebook.drawn(figure)[0]["text/plain"] == "<Figure size 504x259.2 with 1 Axes>"


def test_a_busy_machine_does_not_fail_a_notebook():
    said = [f"logging.getLogger('distributed{name}').{level}('{level} of{name}')"
            for name in ("", ".core", ".gc", ".client") for level in ("warning", "error")]  # fmt: skip
    code = "import logging, distributed; " + "; ".join(said)
    done = subprocess.run(
        [sys.executable, "-c", code],
        check=True,
        capture_output=True,
        text=True,
        env=os.environ | notebook.QUIET,
    )
    assert "warning" not in done.stderr
    assert done.stderr.count("error of") == 4
