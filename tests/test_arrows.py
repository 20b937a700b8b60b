"""Imports inside the package go one way: from what the user sees, to the craft, to the libraries."""

import ast
from pathlib import Path

import pytest

import toolkit

PACKAGE = Path(toolkit.__file__).parent

CRAFT = {"boilerplate", "topics", "segments", "buffer", "corpus", "shipped"}
SHOWN = {"display", "plots"}
OFFICE = CRAFT | SHOWN | {"loading", "datasets", "spool", "provenance"}
# The commands that make the shipped models, and what only they need; else only cross-validation uses them.
TRAINING = {
    "boilerplate/train.py",
    "boilerplate/labelled.py",
    "boilerplate/material.py",
    "boilerplate/flattening.py",
    "boilerplate/markup.py",
    "topics/train.py",
    "topics/labels.py",
}
MAY_IMPORT = {
    "corpus": set(),
    "shipped": set(),
    "arrays": set(),
    "buffer": set(),
    "segments": {"buffer"},
    "loading": {"corpus"},
    "duplication": {"buffer", "corpus"},
    "datasets": {"loading", "corpus", "shipped"},
    "boilerplate": {"segments", "buffer", "corpus", "shipped", "display", "arrays"},
    "topics": {"corpus", "shipped", "display", "arrays"},
    "display": set(),
    "plots": {"display", "notebook"},
    "notebook": set(),
    "spool": set(),
    "provenance": {"loading"},
    "picture": CRAFT | SHOWN | {"datasets"},
    "evaluation": OFFICE | {"contamination", "duplication"},
    "review": OFFICE,
    "warmup": CRAFT,
    "contamination": {"topics", "boilerplate", "corpus"},
    "census": {"corpus"},
    "job": OFFICE,
    "pipeline": OFFICE | {"job"},
    "report": OFFICE | {"notebook"},
    "distributed": OFFICE | {"job", "pipeline"},
    "training": OFFICE,
    "faults": set(),
    "reference": set(),
    "verification": OFFICE | {"pipeline"},
    "cli": OFFICE
    | {"faults", "verification"}
    | {"job", "pipeline", "report", "distributed", "evaluation", "review", "warmup"},
}


def first_part(name):
    return name.split(".")[1] if "." in name else None


def imports(path):
    """Top-level parts of the package that a module imports, lazily or not, relative or not."""
    package = ["toolkit", *path.relative_to(PACKAGE).parent.parts]
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            stem = ".".join([*base, *([node.module] if node.module else [])])
            names = [f"{stem}.{alias.name}" for alias in node.names] if stem == "toolkit" else [stem]
        else:
            continue
        for name in names:
            if name.split(".")[0] == "toolkit":
                yield first_part(name)


def part(path):
    if path.relative_to(PACKAGE).as_posix() in TRAINING:
        return "training"
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_arrows_go_one_way(path):
    own = part(path)
    assert own in MAY_IMPORT, f"{own}: say in this file what it may import"
    wrong = {
        name
        for name in imports(path)
        if name not in {None, "__version__", own, path.relative_to(PACKAGE).parts[0]}
        and name not in MAY_IMPORT[own]
    }
    assert not wrong, f"{path.name} ({own}) imports {sorted(wrong)}; it may import {sorted(MAY_IMPORT[own])}"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_only_training_and_evaluation_import_what_is_for_training(path):
    names = {f"toolkit.{name.removesuffix('.py').replace('/', '.')}" for name in TRAINING}
    text = path.read_text("utf-8")
    assert part(path) in {"training", "evaluation"} or not [
        name for name in names if f"from {name} import" in text
    ]


def test_allowed_arrows_hold_no_circle():
    left = {name: set(targets) for name, targets in MAY_IMPORT.items()}
    while free := {name for name, targets in left.items() if not targets & left.keys()}:
        left = {name: targets for name, targets in left.items() if name not in free}
    assert not left


def test_the_reader_of_imports_sees_every_form(tmp_path, monkeypatch):
    monkeypatch.setattr(
        "tests.test_arrows.PACKAGE" if __name__.startswith("tests") else f"{__name__}.PACKAGE", tmp_path
    )
    folder = tmp_path / "topics"
    folder.mkdir()
    path = folder / "x.py"
    path.write_text(
        "import toolkit.loading\nfrom toolkit import cli\nfrom ..plots import removed\n"
        "from .. import report\nfrom . import features\ndef f():\n    from toolkit.datasets import load\n"
    )
    assert list(imports(path)) == ["loading", "cli", "plots", "report", "topics", "datasets"]
