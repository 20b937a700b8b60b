"""Licences of everything in the lock and of what the models learned from.

``python tests/licences.py > docs/licences.md`` writes the page; with ``--run-time`` the part of the lock that
``pip install news-toolkit`` brings, of which ``make sbom`` lists the contents.
"""

from __future__ import annotations

import json
import re
import sys
import tomllib
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent

ALLOWED = {
    "0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "BSD", "CC0-1.0", "CNRI-Python", "ISC", "MIT", "MIT-0",
    "MIT-CMU", "MPL-1.1", "MPL-2.0", "PSF-2.0", "Unlicense", "Zlib", "Apache-2.0 WITH LLVM-exception",
}  # fmt: skip
"""Anybody may use, change and pass on what is built with these; the MPL asks that its own files stay open."""

ONLY_BESIDE = {"chardet": "LGPL-2.1-or-later"}
"""Allowed for comparisons and tests only: nothing of the package itself may need it."""

ELSEWHERE = {
    "appnope": "BSD-2-Clause", "colorama": "BSD", "contourpy": "BSD-3-Clause", "importlib-metadata": "Apache-2.0",
    "lazy-importer": "Apache-2.0", "overrides": "Apache-2.0", "pywinpty": "MIT", "zipp": "MIT",
}  # fmt: skip
"""Not installed on every system and Python, or stated differently by two locked versions; read from their files."""

_CLASSIFIED = {
    "Apache Software License": "Apache-2.0", "BSD License": "BSD", "MIT License": "MIT", "ISC License (ISCL)": "ISC",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0", "Python Software Foundation License": "PSF-2.0",
    "GNU Lesser General Public License v2 or later (LGPLv2+)": "LGPL-2.1-or-later",
}  # fmt: skip
_TOLD = {
    "Apache 2.0": "Apache-2.0", "Apache License, Version 2.0": "Apache-2.0", "Apache Software License": "Apache-2.0",
    "LGPL": "LGPL-2.1-or-later",
}  # fmt: skip


class Locked(NamedTuple):
    """One package of the lock: name, version, hashes, who needs it, and its lines as they stand there."""

    name: str
    version: str
    hashes: tuple[str, ...]
    needed_by: tuple[str, ...]
    lines: str


def locked() -> list[Locked]:
    """Return the packages of ``requirements.lock``, in its order."""
    text = (ROOT / "requirements.lock").read_text("utf-8")
    found = []
    for block in re.split(r"\n(?=[a-zA-Z0-9])", text):
        head = re.match(r"([\w.-]+)(?:\[[^\]]*\])?==([^\s;\\]+)", block)
        if head is None:
            continue
        hashes = tuple(re.findall(r"--hash=(\S+)", block))
        via = block.partition("# via")[2].replace("#", " ").split("\n")
        needed = tuple(sorted({re.split(r"[\s(\[]", line.strip())[0] for line in via if line.strip()}))
        found.append(Locked(_plain(head.group(1)), head.group(2), hashes, tuple(map(_plain, needed)), block))
    return found


def licence(name: str) -> str:
    """Return the SPDX expression of an installed package, from what its metadata says."""
    if name in ELSEWHERE:
        return ELSEWHERE[name]
    about = metadata.metadata(name)  # asked with get: where importlib_metadata was imported, [] raises
    if about.get("License-Expression"):
        return str(about["License-Expression"])
    classified = [
        c.rpartition(" :: ")[2] for c in about.get_all("Classifier") or [] if c.startswith("License ::")
    ]
    told = str(about.get("License") or "").split("\n")[0].strip()
    if set(re.split(r" (?:AND|OR) ", told)) <= ALLOWED and told:
        return told
    if classified:
        return " OR ".join(_CLASSIFIED.get(name, name) for name in classified)
    return _TOLD.get(told, told or "unknown")


def allowed(expression: str) -> bool:
    """Whether all licences of an expression are allowed, or one of those that it offers."""
    return any(
        all(part.strip(" ()") in ALLOWED for part in choice.split(" AND "))
        for choice in expression.split(" OR ")
    )


def at_run_time() -> set[str]:
    """Return the packages that the package itself needs, with all that they need."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    needed = {_plain(re.split(r"[\[<>=!~; ]", line)[0]) for line in project["dependencies"]}
    packages = locked()
    while more := {p.name for p in packages if p.name not in needed and needed & set(p.needed_by)}:
        needed |= more
    return needed


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def learned_from() -> list[dict[str, str]]:
    """Return the registered data sets that training may read."""
    registered = json.loads((ROOT / "toolkit/datasets/registry.json").read_text("utf-8"))
    return [entry for entry in registered if "train" in entry["use"]]


def page() -> str:
    """Return ``docs/licences.md``."""
    sets = [
        f"| {entry['name']} | {entry['title']}, [{'source' if '//' in entry['homepage'] else 'see'}]"
        f"({entry['homepage'].removeprefix('docs/')}) | {entry['licence']} |"
        for entry in learned_from()
    ]
    pinned = re.findall(r"^\S+==\S+", (ROOT / "data/training/encoder.lock").read_text("utf-8"), re.MULTILINE)[
        0
    ]
    core, rows = at_run_time(), []
    for package in locked():
        use = "package" if package.name in core else "extras"
        rows.append(f"| {package.name} | {package.version} | {licence(package.name)} | {use} |")
    return "\n".join(
        [
            "# Licences of the dependencies", "",
            "Every package of `requirements.lock`, with the licence that its metadata states. `package`: what",
            "`pip install news-toolkit` brings; `extras`: what notebooks, clusters, comparisons or tests need.",
            "Made by `python tests/licences.py > docs/licences.md`; `tests/test_supply.py` holds it to the lock and",
            "to a list of allowed licences.", "",
            "| package | version | licence | for |", "|---|---|---|---|", *rows, "",
            "## What the shipped models learned from", "",
            "Models hold weights and words, no text. The annotations are the project's own, CC0. A licence is what a",
            "set states for itself; the texts belong to their publishers. Of `modern` only the rows whose `use` is",
            "`train` are read; for two thirds of them no licence is stated.", "",
            "| name | what it is | licence as stated |", "|---|---|---|", *sets,
            "| data/training | invented passages and articles, listed in `data/training/README.md` | CC0 1.0 |",
            f"| encoder | word vectors of Google's universal-sentence-encoder-multilingual 3, from `{pinned}` | "
            "Apache-2.0, both as stated |", "",
        ]
    )  # fmt: skip


if __name__ == "__main__":
    run_time = [package.lines.rstrip("\n") for package in locked() if package.name in at_run_time()]
    print("\n".join([*run_time, ""]) if "--run-time" in sys.argv else page(), end="")
