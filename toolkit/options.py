"""Options: the arguments and options of the command line, with their help."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer


def _place(text: str) -> str:
    from toolkit.files import placed

    try:
        return str(placed(text))
    except FileNotFoundError as error:
        raise typer.BadParameter(str(error)) from None


def _path(text: str) -> Path:
    return Path(_place(text))


def _argument(metavar: str, say: str, parser: Callable[[str], Any] | None = None) -> Any:
    return typer.Argument(metavar=metavar, help=say, show_default=False, parser=parser)


def _option(kind: Any, names: str, metavar: str | None, say: str, default: Any = None, **more: Any) -> Any:
    """Return the type of an option as typer reads it, and its default (``...``: must be given)."""
    if kind in {Path, Path | None}:
        more["parser"] = _path
    return Annotated[kind, typer.Option(*names.split(), metavar=metavar, help=say, **more)], default


Inputs = Annotated[
    list[str], _argument("IN", "Files, globs, folders, archives; - is standard input.", _place)
]
Moved = Annotated[
    list[str] | None, _argument("IN", "Where the inputs are now; default where they were.", _place)
]
Folder = Annotated[Path, _argument("FOLDER", "A folder that run wrote.", _path)]
Shared = Annotated[Path, _argument("SHARED", "A file that share wrote.", _path)]
Name = Annotated[str, _argument("NAME", "A name that list shows.")]

# fmt: off
OPTIONS: dict[str, tuple[Any, Any]] = {
    "file": _option(Path, "-o --output", "FILE", "A .parquet, .csv or .jsonl file (.gz too).", ...),
    "folder": _option(Path | None, "-o --output", "FOLDER", "A folder for the results."),
    "page": _option(Path | None, "-o --output", "PAGE", "The page, such as report.html; default in the folder."),
    "shared": _option(Path, "-o --output", "FILE", "A .parquet file.", ...),
    "spans": _option(Path | None, "--spans", "FILE", "Also write the removed spans here."),
    "others": _option(Path | None, "--others", "FILE", "Also write what does not match."),
    "licence": _option(str, "--licence", "SPDX", "Licence of spans and labels.", "CC0-1.0"),
    "title": _option(str, "--title", "TEXT", "Title of the report.", ""),
    "author": _option(str, "--author", "NAME", "Who made it.", ""),
    "report": _option(bool, "--report/--no-report", None, "Make the page of figures.", True),
    "force": _option(bool, "--force", None, "Write over the results of another run.", False),
    "columns": _option(list[str] | None, "-c --column", "COLUMN=FIELD",
        "Field that holds a column, such as text=body2."),
    "lang": _option(str | None, "--lang", "CODE", "Language of articles that name none, such as de."),
    "detect_language": _option(bool, "--detect-language/--no-detect-language", None,
        "Detect the language of articles that name none.", True),
    "repair": _option(bool, "--repair", None,
        "Mend faults of the texts: wrong decoding, HTML, entities, escapes.", False),
    "remove": _option(str | None, "--remove", "KIND,...", "Kinds to remove; default all."),
    "max_article_loss": _option(float | None, "--max-article-loss", "SHARE",
        "Largest share of article text to lose, such as .0005; default .0015."),
    "threshold": _option(float | None, "--threshold", "P",
        "Least probability of what is removed; outweighs the loss."),
    "decisions": _option(Path | None, "--decisions", "FILE",
        "What a review of templates decided; the file must exist."),
    "labels": _option(Path | None, "--labels", "FILE",
        "Your own topics of some articles (.jsonl, .csv), to train on."),
    "index": _option(Path | None, "--index", "FILE", "A saved remover; default: fitted on the input itself."),
    "duplicates": _option(bool | None, "--duplicates/--no-duplicates", None,
        "Look for duplicates; default: up to 200 million characters."),
    "strict": _option(bool, "--strict", None, "Stop at the first record that cannot be read.", False),
    "rows": _option(int, "--rows", "N", "Documents in a batch.", 2_500, min=1),
    "n_jobs": _option(int, "-j --jobs", "N", "Batches in work at a time; -1: one a processor.", 1),
    "texts": _option(bool, "--texts/--no-texts", None, "Show text of articles in the report.", True),
    "quiet": _option(bool, "-q --quiet", None, "Print nothing but errors.", False),
    "run_index": _option(Path | None, "--index", "FILE", "The saved remover, if the run had one."),
    "run_decisions": _option(Path | None, "--decisions", "FILE", "The decisions, if the run had some."),
    "allowed_signers": _option(Path | None, "--allowed-signers", "FILE",
        "Who may have signed run.json, in the format of ssh-keygen."),
    "rerun": _option(bool, "--rerun", None, "Do the run again and compare the bytes.", False),
}
# fmt: on

READING = ("columns", "lang", "detect_language", "repair")
CLEANING = ("remove", "max_article_loss", "threshold", "decisions", "index")
WORKING = ("strict", "rows", "n_jobs", "quiet")
