"""Every example in a docstring of the package runs and prints what it says."""

import doctest
import importlib
import pkgutil
import warnings
from contextlib import contextmanager
from io import StringIO

import matplotlib as mpl
import matplotlib.pyplot as plt
import pandas as pd

import toolkit
from toolkit.notebook import PANDAS

FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
MODULES = ["toolkit"] + [
    found.name
    for found in pkgutil.walk_packages(toolkit.__path__, "toolkit.")
    if not found.name.endswith("__main__")
]


@contextmanager
def settings_restored():
    """An example that sets options of pandas or matplotlib leaves no trace for the next."""
    options = [item for name in PANDAS for item in (name, pd.get_option(name))]
    with warnings.catch_warnings(), mpl.rc_context(), pd.option_context(*options):
        yield
        plt.close("all")


def test_every_example_runs():
    runner, told = doctest.DocTestRunner(optionflags=FLAGS, verbose=False), StringIO()
    for name in MODULES:
        module = importlib.import_module(name)
        for example in doctest.DocTestFinder(exclude_empty=True).find(module, name):
            with settings_restored():
                runner.run(example, out=told.write, clear_globs=False)
    assert runner.tries > 80
    assert not runner.failures, told.getvalue()
