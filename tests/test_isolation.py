"""A folder of data holds data: nothing in it is imported, executed or taken for settings."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import toolkit
from toolkit import datasets, pipeline
from toolkit.files import shipped

NAMES = (
    "toolkit.py ipykernel_launcher.py sitecustomize.py usercustomize.py numpy.py pandas.py json.py encodings.py "
    "matplotlib.py IPython/__init__.py toolkit/__init__.py ipykernel/__init__.py nbconvert/__init__.py "
    ".ipython/profile_default/startup/00-hostile.py .ipython/profile_default/ipython_config.py "
    "profile_default/ipython_config.py ipython_config.py ipython_kernel_config.py jupyter_config.py "
    "jupyter_nbconvert_config.py jupyter_client_config.py"
).split()
TEMPLATE = "{% for c in ().__class__.__base__.__subclasses__() %}{% endfor %}HOSTILE TEMPLATE"


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    """A folder of results in which every name that a Python or Jupyter may look for leaves a mark."""
    folder = tmp_path_factory.mktemp("hostile")
    mark = folder.parent / f"{folder.name}.ran"
    pipeline.run(shipped("sample") / "articles.jsonl.gz", folder)
    for name in NAMES:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"open({str(mark)!r}, 'a').write({name!r} + ' ')\n")
    for place in ("lab", "templates/lab", "nbconvert/templates/lab", "share/jupyter/nbconvert/templates/lab"):
        (folder / place).mkdir(parents=True)
        (folder / place / "index.html.j2").write_text(TEMPLATE)
        (folder / place / "conf.json").write_text('{"preprocessors": {"1": {"type": "toolkit.Hostile"}}}')
    (folder / ".numba_config.yaml").write_text("cache_dir: cache-of-the-folder\ndisable_jit: 1\n")
    (folder / "matplotlibrc").write_text("axes.facecolor: black\nnot a setting at all")
    return folder, mark


def command(*arguments, cwd, **env):
    return subprocess.run(
        [Path(sys.executable).with_name("news-toolkit"), *arguments],
        cwd=cwd, env=os.environ | env, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("path", ["", "."], ids=["as given", "with a dot on PYTHONPATH"])
def test_a_report_runs_nothing_that_lies_in_the_folder(hostile, path):
    folder, mark = hostile
    paths = [os.environ.get("PYTHONPATH", ""), *([path] if path else [])]
    if path:  # the command itself would import what lies there, so it is called from elsewhere
        done = command("report", folder, cwd=folder.parent, PYTHONPATH=os.pathsep.join(paths))
    else:
        done = command("report", ".", cwd=folder, IPYTHONDIR="")
    assert (done.returncode, done.stderr) == (0, "")
    page = (folder / "report.html").read_text("utf-8")
    assert "HOSTILE" not in page
    assert f"{len(datasets.load('sample'))} documents came in" in page
    assert not mark.exists(), f"executed: {mark.read_text()}"


def test_a_run_into_such_a_folder_runs_nothing_of_it(hostile, tmp_path):
    folder, mark = hostile
    text = tmp_path / "one.txt"
    text.write_text("Rain fell on the port all day.\n\nSign up for our daily newsletter.")
    done = command("run", text, "-o", ".", "--force", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert not mark.exists(), f"executed: {mark.read_text()}"


def test_the_notebook_beside_the_page_names_no_folder_of_this_machine(hostile):
    folder, _ = hostile
    book = (folder / "report.ipynb").read_text("utf-8")
    assert str(folder.parent) not in book
    assert 'folder = \\".\\"' in book


KERNELS = """
import importlib, pkgutil, numba, toolkit
from numba.core.dispatcher import Dispatcher
from numba.core import config
config.reload_config()  # as each compilation does
caches = set()
for each in pkgutil.walk_packages(toolkit.__path__, "toolkit."):
    module = importlib.import_module(each.name)
    found = [thing for thing in vars(module).values() if isinstance(thing, Dispatcher)]
    caches |= {thing._cache.cache_path for thing in found if hasattr(thing._cache, "cache_path")}
print(len(caches) > 0, config.DISABLE_JIT, [path for path in caches if "cache-of-the-folder" in path])
"""


def test_no_kernel_is_taken_from_a_cache_in_the_folder(hostile):
    """Numba keeps compiled kernels as pickles, and reads where they are in a file of the current folder."""
    folder, _ = hostile
    done = subprocess.run(
        [sys.executable, "-P", "-W", "ignore", "-c", KERNELS], cwd=folder, capture_output=True, text=True, check=False
    )  # fmt: skip
    assert (done.stdout, done.stderr) == ("True 0 []\n", "")


@pytest.mark.parametrize("text", [b"{", b"- a", b"\x87", b"disable_jit: 1"])
def test_settings_that_are_none_stop_nothing(tmp_path, text):
    """Numba would read them while it is imported, before it can be told not to."""
    (tmp_path / ".numba_config.yaml").write_bytes(text)
    code = (
        "import yaml, toolkit.boilerplate.scoring as s, numba; print(numba.config.DISABLE_JIT, yaml.__name__)"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-W", "error", "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )  # fmt: skip
    assert (done.stdout, done.stderr) == ("0 yaml\n", "")


def test_numba_is_imported_where_its_settings_are_held_off():
    """What imports it first would read the settings."""
    package = Path(toolkit.__file__).parent
    taken = {
        path.name
        for path in package.rglob("*.py")
        if re.search(r"^ *(import|from) numba\b", path.read_text("utf-8"), re.M)
    }
    assert taken == {"kernels.py"}
