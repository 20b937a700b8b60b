"""What the README and the guide show is what happens."""

import doctest
import re
import subprocess
import sys
from pathlib import Path

import pytest

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
        [sys.executable, "-m", "toolkit.picture"], capture_output=True, check=True, cwd=ROOT
    )
    assert done.stdout == (ROOT / "docs" / "struck.svg").read_bytes()


@pytest.mark.parametrize("name", ["README.md", "docs/guide.md", "CHANGELOG.md"])
def test_local_links_lead_somewhere(name):
    page = ROOT / name
    links = re.findall(r"\]\(([^)#]+)[^)]*\)|src=\"([^\"]+)\"", page.read_text("utf-8"))
    local = [link for pair in links for link in pair if link and "://" not in link]
    assert not [link for link in local if not (page.parent / link).exists()]


def test_every_make_target_in_the_readme_exists():
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    named = set(re.findall(r"`?make ([a-z]+)", (ROOT / "README.md").read_text("utf-8")))
    assert named
    assert named <= targets
