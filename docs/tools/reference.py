"""Reference: the public names with their docstrings, as pages of Markdown in ``docs/api``.

``python -m docs.tools.reference`` writes them, ``--check`` says which are out of date.
"""

from __future__ import annotations

import argparse
import importlib
import inspect
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

PAGES = {
    "loading": ("toolkit.loading", "toolkit.corpus"),
    "boilerplate": (
        "toolkit.boilerplate",
        "toolkit.assessment",
        "toolkit.certificate",
        "toolkit.duplication",
    ),
    "topics": ("toolkit.topics", "toolkit.contamination", "toolkit.estimation"),
    "jobs": (
        "toolkit.pipeline",
        "toolkit.settings",
        "toolkit.report",
        "toolkit.verification",
        "toolkit.sharing",
    ),
    "datasets": ("toolkit.datasets",),
    "notebooks": ("toolkit.display", "toolkit.plots", "toolkit.review", "toolkit.notebook"),
    "evaluation": ("toolkit.evaluation",),
    "words": ("toolkit.words",),
    "errors": ("toolkit.errors",),
}
"""Page → the modules it describes."""

FOLDER = Path(__file__).parent.parent / "api"


def pages() -> dict[str, str]:
    """Return the text of every page by file name; ``README.md`` lists the others.

    Examples
    --------
    >>> sorted(pages())[0]
    'README.md'
    >>> "## `toolkit.duplication`" in pages()["boilerplate.md"]
    True
    """
    made = {f"{name}.md": _page(name, modules) for name, modules in PAGES.items()}
    rows = [f"| [{name}]({name}.md) | {_listed(modules)} |" for name, modules in PAGES.items()]
    head = "# API reference\n\nMade from the docstrings by `python -m docs.tools.reference`.\n\n"
    head += "| page | names |\n|---|---|\n"
    return {"README.md": head + "\n".join(rows) + "\n", **made}


def outdated(folder: Path) -> list[str]:
    """Return the names of pages in ``folder`` that differ from what the docstrings say now."""
    wanted = pages()
    there = {path.name: path.read_text("utf-8") for path in folder.glob("*.md")}
    return sorted(name for name in wanted.keys() | there.keys() if wanted.get(name) != there.get(name))


def public(module: ModuleType) -> list[tuple[str, Any]]:
    """Return name and object of what a module offers: its ``__all__``, else what it defines itself."""
    names = getattr(module, "__all__", None)
    if names is None:
        names = [
            name
            for name, value in vars(module).items()
            if not name.startswith("_") and getattr(value, "__module__", None) == module.__name__
        ]
    return [(name, getattr(module, name)) for name in names if not inspect.ismodule(getattr(module, name))]


def _listed(modules: tuple[str, ...]) -> str:
    names = [
        name
        for module in modules
        for name, value in public(importlib.import_module(module))
        if callable(value)
    ]
    return ", ".join(f"`{name}`" for name in dict.fromkeys(names))


def _page(name: str, modules: tuple[str, ...]) -> str:
    parts = [f"# {name.capitalize()}\n"]
    for title in modules:
        module = importlib.import_module(title)
        parts.append(f"## `{title}`\n\n{_prose(inspect.getdoc(module) or '')}\n")
        parts += [_entry(entry, value) for entry, value in public(module) if callable(value)]
    return "\n".join(parts)


def _entry(name: str, value: Any) -> str:
    text = f"### `{name}{_signature(value)}`\n\n{_prose(inspect.getdoc(value) or '')}\n"
    if inspect.isclass(value):
        text += "".join(
            f"\n#### `{name}.{method}{_signature(function)}`\n\n{_prose(inspect.getdoc(function) or '')}\n"
            for method, function in _methods(value)
        )
    return text


def _methods(owner: type) -> Iterator[tuple[str, Callable[..., Any]]]:
    """Yield the public methods that the package itself wrote, in their order."""
    for name, value in vars(owner).items():
        function = value.__func__ if isinstance(value, (classmethod, staticmethod)) else value
        function = function.fget if isinstance(function, property) else function
        if not name.startswith("_") and inspect.isfunction(function) and inspect.getdoc(function):
            yield name, function


def _signature(value: Any) -> str:
    """Return the signature without annotations, which the docstring tells better."""
    if inspect.isclass(value) and issubclass(value, BaseException):
        return ""
    try:
        found = inspect.signature(value)
    except (ValueError, TypeError):
        return ""
    plain = [
        p.replace(annotation=inspect.Parameter.empty) for p in found.parameters.values() if p.name != "self"
    ]
    text = str(found.replace(parameters=plain, return_annotation=inspect.Signature.empty))
    return re.sub(r"<(?:function |class )?'?([\w.]+)'?[^>]*>", r"\1", text).replace("=factory", "=…")


def _prose(text: str) -> str:
    """Turn a numpy-style docstring into Markdown: headings bold, entries a list, examples fenced."""
    lines: list[str] = []
    section = fenced = False
    source = text.splitlines()
    for at, line in enumerate(source):
        following = source[at + 1] if at + 1 < len(source) else ""
        if re.fullmatch(r"-{3,}", line.strip()) and at and source[at - 1].strip():
            continue
        if re.fullmatch(r"-{3,}", following.strip()) and line.strip():
            lines += _closed(fenced)
            fenced, section = (
                False,
                line.strip() in {"Parameters", "Attributes", "Returns", "Yields", "Raises"},
            )
            lines += [f"**{line.strip()}**", ""]
        elif line.startswith(">>> ") and not fenced:
            lines += ["```python", line]
            fenced = True
        elif fenced and not line.strip():
            lines += ["```", ""]
            fenced = False
        elif fenced:
            lines.append(line)
        elif section and line and not line.startswith(" "):
            lines.append(f"- `{line}`" if "`" not in line else f"- {line}")
        else:
            lines.append(_roles(line) if not section else _roles("  " + line.strip() if line.strip() else ""))
    return "\n".join([*lines, *_closed(fenced)]).strip()


def _closed(fenced: bool) -> list[str]:
    return ["```", ""] if fenced else []


def _roles(line: str) -> str:
    """Turn reStructuredText's roles and double back-ticks into Markdown's back-ticks."""
    return re.sub(r":\w+:`~?([^`]+)`", r"`\1`", line).replace("``", "`")


def main(arguments: list[str] | None = None) -> int:
    """Write the pages, or with ``--check`` name those that are out of date."""
    parser = argparse.ArgumentParser(prog="python -m docs.tools.reference", description=main.__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit code 1 if a page is old")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="default docs/api")
    chosen = parser.parse_args(arguments)
    old = outdated(chosen.folder)
    if chosen.check:
        for name in old:
            sys.stderr.write(f"{chosen.folder / name}: out of date; run python -m docs.tools.reference\n")
        return 1 if old else 0
    chosen.folder.mkdir(parents=True, exist_ok=True)
    for path in chosen.folder.glob("*.md"):
        path.unlink()
    for name, text in pages().items():
        (chosen.folder / name).write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
