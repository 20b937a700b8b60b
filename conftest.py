"""Settings every test and notebook kernel inherits."""

import os
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from toolkit.notebook import QUIET

os.environ.update(QUIET)
# what a killed worker left in a folder that all processes share is removed by another one, which may complain of it
_SCRATCH = tempfile.TemporaryDirectory(prefix="dask-", ignore_cleanup_errors=True)
os.environ["DASK_TEMPORARY_DIRECTORY"] = _SCRATCH.name

# no network but loopback, here and in every Python that a test starts
_OFFLINE = str(Path(__file__).parent / "tests" / "offline")
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [_OFFLINE, os.environ.get("PYTHONPATH")]))
sys.path.insert(0, _OFFLINE)
if not hasattr(sys.modules.get("sitecustomize"), "ATTEMPTS"):  # the processes of xdist begin with ours
    sys.modules.pop("sitecustomize", None)
from sitecustomize import ATTEMPTS  # noqa: E402

# the first example of a kernel compiles it, and machines differ: time is for the benchmarks to judge
settings.register_profile("steady", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("steady")

_SHARED = Path(__file__).parent.parent / "shared" / "data"
if "NEWS_TOOLKIT_DATA" not in os.environ and _SHARED.is_dir():
    os.environ["NEWS_TOOLKIT_DATA"] = str(_SHARED)


_STUDIES = Path(__file__).parent / "notebooks" / "studies"
_NEEDED = "needs the development data: set NEWS_TOOLKIT_DATA to a folder with gold/ and allsides/"


def _data():
    folder = Path(os.environ.get("NEWS_TOOLKIT_DATA", _SHARED))
    return folder if (folder / "gold" / "boilerplate.jsonl").is_file() else None


@pytest.fixture(scope="session")
def shared_data():
    """The development data folder; tests that ask for it skip with a clear line where it is absent."""
    folder = _data()
    if folder is None:
        pytest.skip(_NEEDED)
    return folder


def pytest_ignore_collect(collection_path, config):
    """Studies run on public corpora; where these are absent, one line says that they were not run."""
    study = collection_path.parent == _STUDIES and collection_path.suffix == ".ipynb"
    return True if study and _data() is None else None


def pytest_terminal_summary(terminalreporter, config):
    asked = [Path(argument.partition("::")[0]).resolve() for argument in config.args]
    if _data() is None and any(_STUDIES.is_relative_to(path) or path.parent == _STUDIES for path in asked):
        terminalreporter.write_line(f"SKIPPED notebooks/studies: {_NEEDED}")


@pytest.fixture(autouse=True)
def attempts():
    """Connections to other machines that a test tried; one that does not empty this list fails."""
    ATTEMPTS.clear()
    yield ATTEMPTS
    assert not ATTEMPTS, f"the network was tried: {ATTEMPTS}"
