"""Imports go one way: down the floors of the package, and never into what stands beside it."""

import ast
from pathlib import Path

import toolkit

PACKAGE = Path(toolkit.__file__).parent
ROOT = PACKAGE.parent

# Six floors. A part imports from lower floors only; the two exceptions are named below.
FLOORS = [
    {
        "errors",
        "files",
        "corpus",
        "tables",
        "fields",
        "dates",
        "buffer",
        "kernels",
        "cues",
        "modelfile",
        "display",
        "notebook",
        "language",
        "trees",
    },
    {
        "loading",
        "topics",
        "plots",
        "census",
        "words",
        "duplication",
        "shingles",
        "segments",
        "record",
        "verdict",
        "certificate",
    },
    {"boilerplate", "datasets", "assessment"},
    {
        "settings",
        "jobs",
        "pipeline",
        "verification",
        "sharing",
        "contamination",
        "estimation",
        "evaluation",
        "report",
        "review",
    },
    {"distributed"},
    {"cli", "options"},
]
FLOOR = {part: number for number, parts in enumerate(FLOORS, 1) for part in parts}
# On one floor: the second is what the first is made of.
SAME_FLOOR = {
    ("files", "errors"),
    ("corpus", "errors"),
    ("corpus", "fields"),
    ("corpus", "dates"),
    ("corpus", "tables"),
    ("tables", "errors"),
    ("corpus", "display"),
    ("display", "errors"),
    ("display", "tables"),
    ("modelfile", "errors"),
    ("language", "buffer"),
    *((kernel, "kernels") for kernel in ("buffer", "cues", "language", "trees")),
    ("cues", "buffer"),
    ("cues", "files"),
    ("fields", "files"),
    ("language", "files"),
    ("census", "words"),
    ("certificate", "record"),
    ("verification", "report"),
    ("duplication", "segments"),
    ("duplication", "shingles"),
    ("certificate", "segments"),
    ("plots", "census"),
    ("verdict", "segments"),
    ("topics", "verdict"),
    ("duplication", "verdict"),
    ("assessment", "boilerplate"),
    ("jobs", "settings"),
    ("settings", "review"),
    ("pipeline", "jobs"),
    ("pipeline", "settings"),
    ("verification", "jobs"),
    ("verification", "settings"),
    ("verification", "pipeline"),
    ("review", "evaluation"),
    ("report", "contamination"),
    ("cli", "options"),
}
BESIDE = {"benchmarks", "training", "docs", "data", "tests", "notebooks"}
"""Folders beside the package: they use it, it knows nothing of them."""


def imports(path):
    """Whole names that a module imports, lazily or not, relative or not."""
    package = ["toolkit", *path.relative_to(PACKAGE).parent.parts]
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            stem = ".".join([*base, *([node.module] if node.module else [])])
            yield from ([f"{stem}.{alias.name}" for alias in node.names] if stem == "toolkit" else [stem])


def part(path):
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")


def allowed(own, other):
    return other == own or FLOOR[other] < FLOOR[own] or (own, other) in SAME_FLOOR


def test_every_part_stands_on_a_floor():
    assert {part(path) for path in MODULES} <= FLOOR.keys(), "say in this file on which floor it stands"


def test_arrows_go_down():
    wrong = []
    for path in MODULES:
        own = part(path)
        for name in imports(path):
            root, _, other = name.partition(".")
            other = other.split(".")[0]
            if root == "toolkit" and other not in {"", "__version__"} and not allowed(own, other):
                wrong.append(f"{path.relative_to(PACKAGE)} (floor {FLOOR[own]}) imports {name}")
    assert not wrong, "\n".join(wrong)


def test_nothing_in_the_package_imports_what_stands_beside_it():
    wrong = [
        f"{path.relative_to(PACKAGE)} imports {name}"
        for path in PACKAGE.rglob("*.py")
        for name in imports(path)
        if name.split(".")[0] in BESIDE
    ]
    assert not wrong, "\n".join(wrong)


def test_exceptions_hold_no_circle():
    assert all(FLOOR[a] == FLOOR[b] for a, b in SAME_FLOOR if {a, b} <= FLOOR.keys())
    left = set(SAME_FLOOR)
    while free := {pair for pair in left if pair[1] not in {first for first, _ in left}}:
        left -= free
    assert not left


def test_the_reader_of_imports_sees_every_form(tmp_path, monkeypatch):
    monkeypatch.setitem(globals(), "PACKAGE", tmp_path)
    folder = tmp_path / "topics"
    folder.mkdir()
    path = folder / "x.py"
    path.write_text(
        "import toolkit.loading\nfrom toolkit import cli\nfrom ..plots import removed\nimport benchmarks.speed\n"
        "from .. import report\nfrom . import features\ndef f():\n    from toolkit.datasets import load\n"
    )
    found = ["loading", "cli", "plots", "report", "topics", "datasets"]
    names = [name for name in imports(path) if name.startswith("toolkit")]
    assert [name.split(".")[1] for name in names] == found
    assert "benchmarks.speed" in set(imports(path))
