"""The lowest versions that ``make matrix`` installs are those that ``pyproject.toml`` promises."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_every_bound_has_its_pin():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    project = settings["project"]
    extras = project["optional-dependencies"]
    tools = [
        line
        for line in settings["dependency-groups"]["dev"]
        if re.match(r"hypothesis|pytest>|nbval|playwright", line)
    ]
    bounds = [*project["dependencies"], *extras["lab"], *extras["formats"], *extras["dist"], *tools]
    wanted = {re.sub(r"\[.*?\]", "", line).split(",")[0].replace(">=", "==") for line in bounds}
    pinned = (ROOT / "tests" / "lowest.txt").read_text("utf-8").splitlines()
    assert {line for line in pinned if line and not line.startswith("#")} == wanted
