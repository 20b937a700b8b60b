"""The targets of fuzzing, held a little in every run: changed seeds, and inputs that once broke something."""

from pathlib import Path

import pytest
import targets as module
from hypothesis import given, settings
from hypothesis import strategies as st

CRASHERS = sorted(path for path in (Path(__file__).parent / "crashers").glob("*") if path.is_file())


@pytest.fixture(scope="module", autouse=True)
def _no_leftovers():
    yield
    module.close()


def test_every_target_is_named():
    assert tuple(module.targets()) == module.NAMES


@pytest.mark.parametrize("name", module.NAMES)
def test_a_target_holds(name):
    target = module.targets()[name]
    seeds = target.seeds()
    changes = st.lists(st.tuples(st.integers(0, 1 << 16), st.integers(0, 255)), max_size=6)

    @settings(max_examples=25, derandomize=True, database=None)
    @given(st.sampled_from(seeds), changes, st.integers(0, 1 << 16))
    def held(seed, changed, cut):
        data = bytearray(seed)
        for place, byte in changed:
            data[place % len(data)] = byte
        target.check(bytes(data[: cut % len(data) or None]))

    for seed in seeds:
        target.check(seed)
    held()


@pytest.mark.parametrize("path", CRASHERS, ids=lambda path: path.name)
def test_what_once_broke_holds(path):
    """Files are named ``target--what it was``."""
    module.targets()[path.name.partition("--")[0]].check(path.read_bytes())
