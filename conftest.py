"""Settings every test and notebook kernel inherits."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

os.environ["TQDM_DISABLE"] = "1"
os.environ["PYTHONHASHSEED"] = "0"

# the first example of a kernel compiles it, and machines differ: time is for the benchmarks to judge
settings.register_profile("steady", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("steady")

_SHARED = Path(__file__).parent.parent / "shared" / "data"
if "NEWS_TOOLKIT_DATA" not in os.environ and _SHARED.is_dir():
    os.environ["NEWS_TOOLKIT_DATA"] = str(_SHARED)


@pytest.fixture(scope="session")
def shared_data():
    """The development data folder; tests that ask for it skip with a clear line where it is absent."""
    folder = Path(os.environ.get("NEWS_TOOLKIT_DATA", _SHARED))
    if not (folder / "gold" / "boilerplate.jsonl").is_file():
        pytest.skip("needs the development data: set NEWS_TOOLKIT_DATA to a folder with gold/ and allsides/")
    return folder
