"""The command line: ``news-toolkit clean | classify | run | report | verify | share | apply | datasets | warmup``."""

from __future__ import annotations

import re
import signal
import sys
from functools import wraps
from inspect import Parameter, signature
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

from toolkit.errors import (
    LoadError,
    NoRunError,
    NothingReadError,
    ReportError,
    ToolkitError,
    UsageError,
    describe,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from toolkit.pipeline import RunSummary


class Command(TyperCommand):
    """A command whose help names places as people do, without types of Python."""

    def get_help(self, ctx: Any) -> str:
        """Return the help: ``IN...`` in place of ``{IN...}... <list[str]>``."""
        text = re.sub(r" <[\w\[\]]+>", lambda found: " " * len(found[0]), super().get_help(ctx))
        return re.sub(r"\{(\S+)\}", r"\1", text).replace("IN......", "IN...").replace("IN...]...", "IN...]")


app = typer.Typer(
    name="news-toolkit",
    help="Load scraped news, remove boilerplate to the character, classify topics, show the result.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
datasets_app = typer.Typer(help="Public corpora by name.", no_args_is_help=True)
app.add_typer(datasets_app, name="datasets")

UNREADABLE = 2
"""Exit code where nothing could be read, as for a wrong command line."""

Inputs = Annotated[
    list[str],
    typer.Argument(
        metavar="IN...", help="Files, globs, folders, archives; - is standard input.", show_default=False
    ),
]
File = Annotated[
    Path, typer.Option("-o", "--output", metavar="FILE", help="A .parquet, .csv or .jsonl file (.gz too).")
]


def _option(kind: Any, *names: str, metavar: str | None = None, **more: Any) -> Any:
    return Annotated[kind, typer.Option(*names, metavar=metavar, **more)]


# fmt: off
OPTIONS: dict[str, tuple[Any, Any]] = {
    "columns": (_option(list[str] | None, "-c", "--column", metavar="COLUMN=FIELD",
        help="Field that holds a column, such as text=body2."), None),
    "lang": (_option(str | None, "--lang", metavar="CODE",
        help="Language of articles that name none, such as de."), None),
    "detect_language": (_option(bool, "--detect-language/--no-detect-language",
        help="Detect the language of articles that name none."), True),
    "repair": (_option(bool, "--repair",
        help="Mend faults of the texts: wrong decoding, HTML, entities, escapes."), False),
    "remove": (_option(str | None, "--remove", metavar="KIND,...", help="Kinds to remove; default all."), None),
    "max_article_loss": (_option(float | None, "--max-article-loss", metavar="SHARE",
        help="Largest share of article text to lose, such as .0005; default .0015."), None),
    "threshold": (_option(float | None, "--threshold", metavar="P",
        help="Least probability of what is removed; outweighs the loss."), None),
    "decisions": (_option(Path | None, "--decisions", metavar="FILE",
        help="What a review of templates decided; the file must exist."), None),
    "index": (_option(Path | None, "--index", metavar="FILE",
        help="A saved remover; default: fitted on the input itself."), None),
    "duplicates": (_option(bool | None, "--duplicates/--no-duplicates",
        help="Look for duplicates; default: up to 200 million characters."), None),
    "strict": (_option(bool, "--strict", help="Stop at the first record that cannot be read."), False),
    "rows": (_option(int, "--rows", metavar="N", min=1, help="Documents in a batch."), 5_000),
    "n_jobs": (_option(int, "-j", "--jobs", metavar="N",
        help="Batches in work at a time; -1: one a processor."), 1),
    "texts": (_option(bool, "--texts/--no-texts", help="Show text of articles in the report."), True),
    "quiet": (_option(bool, "-q", "--quiet", help="Print nothing but errors."), False),
}
# fmt: on
"""Options that commands share: their type as typer reads it, and the default."""

READING = ("columns", "lang", "detect_language", "repair")
CLEANING = ("remove", "max_article_loss", "threshold", "decisions", "index")
WORKING = ("strict", "rows", "n_jobs", "quiet")


def _with(*names: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command the options named; it takes them together, as what the pipeline takes."""

    def given(command: Callable[..., None]) -> Callable[..., None]:
        @wraps(command)
        def called(**values: Any) -> None:
            shared = {name: values.pop(name) for name in names}
            quiet = shared.pop("quiet")
            shared["progress"] = sys.stderr.isatty() and not quiet
            shared["columns"] = _columns(shared["columns"])
            if "remove" in shared:
                shared["remove"] = _kinds(shared["remove"])
            if shared["n_jobs"] == 0 or shared["n_jobs"] < -1:
                msg = "give 1 or more, or -1 for all processors"
                raise typer.BadParameter(msg, param_hint="--jobs")
            command(**values, options=shared, quiet=quiet)

        own = [
            p
            for name, p in signature(command, eval_str=True).parameters.items()
            if name not in {"options", "quiet"}
        ]
        more = [
            Parameter(n, Parameter.KEYWORD_ONLY, default=OPTIONS[n][1], annotation=OPTIONS[n][0])
            for n in names
        ]
        called.__signature__ = signature(command).replace(parameters=[*own, *more])  # type: ignore[attr-defined]
        called.__annotations__ = {p.name: p.annotation for p in (*own, *more)}
        return called

    return given


def _version(asked: bool) -> None:
    if asked:
        from toolkit import __version__

        typer.echo(f"news-toolkit {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Load scraped news, remove boilerplate to the character, classify topics, show the result."""


@app.command(
    cls=Command, epilog="Example: news-toolkit clean news/*.jsonl.gz -o clean.parquet --spans spans.csv"
)
@_with(*READING, *CLEANING, *WORKING)
def clean(
    inputs: Inputs,
    output: File,
    *,
    spans: Annotated[
        Path | None, typer.Option("--spans", metavar="FILE", help="Also write the removed spans here.")
    ] = None,
    options: dict[str, Any],
    quiet: bool,
) -> None:
    """Write articles with a column clean_text."""
    from toolkit import pipeline

    _say_if_cold()
    _finish(lambda: pipeline.clean(inputs, output, spans=spans, **options), quiet=quiet)


@app.command(cls=Command, epilog="Example: news-toolkit classify clean.parquet -o topics.csv")
@_with(*READING, *WORKING)
def classify(inputs: Inputs, output: File, *, options: dict[str, Any], quiet: bool) -> None:
    """Write the topics of articles."""
    from toolkit import pipeline

    _say_if_cold()
    _finish(lambda: pipeline.classify(inputs, output, **options), quiet=quiet)


@app.command(
    cls=Command, epilog="Examples: news-toolkit run news/ -o out --lang de; news-toolkit run study.toml"
)
@_with(*READING, *CLEANING, "duplicates", "texts", *WORKING)
def run(
    inputs: Inputs,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FOLDER", help="A folder for the results.")
    ] = None,
    *,
    report: Annotated[bool, typer.Option("--report/--no-report", help="Make the page of figures.")] = True,
    force: Annotated[bool, typer.Option("--force", help="Write over the results of another run.")] = False,
    options: dict[str, Any],
    quiet: bool,
) -> None:
    """Load, clean, classify and report.

    A run that was killed goes on where it stopped. IN may be one study file (.toml), which names inputs,
    output, columns and options.
    """
    from toolkit import pipeline
    from toolkit.report import render

    texts = options.pop("texts")

    def job() -> RunSummary:
        # a study file speaks where the command line does not
        given = {
            name: value for name, value in options.items() if value != OPTIONS.get(name, (None, None))[1]
        }
        summary = pipeline.run(inputs, output, force=force, **given)
        if report:
            try:
                summary.report = render(summary.output, texts=texts)
            except ReportError as error:
                _say(error)
        return summary

    _say_if_cold()
    _finish(job, quiet=quiet)


@app.command(
    cls=Command,
    name="report",
    epilog="Examples: news-toolkit report out; news-toolkit report news/ -o report.html",
)
@_with(*READING, *CLEANING, "duplicates", "texts", *WORKING)
def report_(
    inputs: Inputs,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o", "--output", metavar="PAGE", help="The page, such as report.html; default in the folder."
        ),
    ] = None,
    *,
    title: Annotated[str, typer.Option("--title", metavar="TEXT", help="Title of the report.")] = "",
    author: Annotated[str, typer.Option("--author", metavar="NAME", help="Who made it.")] = "",
    force: Annotated[bool, typer.Option("--force", help="Write over the results of another run.")] = False,
    options: dict[str, Any],
    quiet: bool,
) -> None:
    """Make a page of figures, with its notebook, and its tables as CSV and LaTeX."""
    from toolkit import pipeline, report
    from toolkit.files import refuse_overwriting

    shown = {"texts": options.pop("texts"), "title": title, "author": author}

    def job() -> object:
        if len(inputs) == 1 and Path(inputs[0]).is_dir() and (output is None or report.finished(inputs[0])):
            return report.render(inputs[0], output, **shown)
        if output is None:
            msg = (
                f"{inputs[0]}: no folder of results; to make a report of files, name its page: -o report.html"
            )
            raise NoRunError(msg)
        folder = output.with_name(f"{output.stem}_files")
        report.check_page(output)
        refuse_overwriting(inputs, output, output.with_suffix(".ipynb"), folder)
        summary = pipeline.run(inputs, folder, force=force, **options)
        summary.report = report.render(folder, output, **shown)
        return summary

    _say_if_cold()
    _finish(job, quiet=quiet)


@app.command(cls=Command, epilog="Example: news-toolkit verify out --rerun")
def verify(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="A folder that run wrote.")],
    inputs: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="IN...", help="Where the inputs are now; default where they were.", show_default=False
        ),
    ] = None,
    *,
    index: Annotated[
        Path | None, typer.Option("--index", metavar="FILE", help="The saved remover, if the run had one.")
    ] = None,
    decisions: Annotated[
        Path | None, typer.Option("--decisions", metavar="FILE", help="The decisions, if the run had some.")
    ] = None,
    allowed_signers: Annotated[
        Path | None,
        typer.Option(
            "--allowed-signers", metavar="FILE", help="Who may have signed run.json, as ssh-keygen has it."
        ),
    ] = None,
    rerun: Annotated[bool, typer.Option("--rerun", help="Do the run again and compare the bytes.")] = False,
) -> None:
    """Hold results to their record.

    The exit code is 1 where anything differs.
    """
    from toolkit import verification

    held = _finish(
        lambda: verification.verify(
            folder,
            inputs or None,
            index=index,
            decisions=decisions,
            allowed_signers=allowed_signers,
            rerun=rerun,
        )
    )
    if held.differences:
        raise typer.Exit(1)


@app.command(cls=Command, epilog="Example: news-toolkit share out -o cleaning.parquet")
def share(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="A folder that run wrote.")],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help="A .parquet file.")],
    *,
    licence: Annotated[
        str, typer.Option("--licence", metavar="SPDX", help="Licence of spans and labels.")
    ] = "CC0-1.0",
) -> None:
    """Write spans, verdicts, topics and digests of the texts, but no text."""
    from toolkit import sharing

    _finish(lambda: f"written      {sharing.share(folder, output, licence=licence)}")


@app.command(cls=Command, epilog="Example: news-toolkit apply cleaning.parquet news/ -o cleaned.parquet")
def apply(
    shared: Annotated[Path, typer.Argument(metavar="SHARED", help="A file that share wrote.")],
    inputs: Inputs,
    output: File,
    *,
    others: Annotated[
        Path | None, typer.Option("--others", metavar="FILE", help="Also write what does not match.")
    ] = None,
    columns: Annotated[
        list[str] | None,
        typer.Option("-c", "--column", metavar="COLUMN=FIELD", help="Field that holds a column."),
    ] = None,
) -> None:
    """Clean and label your own copy of the texts by a shared file."""
    from toolkit import sharing

    _say_if_cold()
    _finish(lambda: sharing.apply_files(shared, inputs, output, others=others, columns=_columns(columns)))


@datasets_app.command("list", cls=Command)
def datasets_list() -> None:
    """List the registered corpora, with licence and size."""
    from toolkit import datasets
    from toolkit.display import Table

    def lines() -> str:
        table = datasets.list()
        table["licence"] = table["licence"].str.split(r" \(|;", regex=True).str[0].str[:36]
        table["MB"] = (table["size"] / 1e6).round().astype("Int64")
        shown = table.reset_index(names="name")[["name", "kind", "documents", "MB", "licence"]]
        return f"{Table(shown)}\nAll of it, with citations: toolkit.datasets.list()"

    _finish(lines)


@datasets_app.command("fetch", cls=Command)
def datasets_fetch(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A name that list shows.")],
) -> None:
    """Fetch a corpus into the data folder.

    It is the only command that uses the network.
    """
    from toolkit import datasets

    _finish(lambda: datasets.fetch(name))


@app.command(cls=Command)
def warmup() -> None:
    """Compile the kernels once, so that no call waits."""
    from toolkit import warmup

    _finish(warmup.warm)


def _columns(pairs: list[str] | None) -> dict[str, str] | None:
    chosen = {}
    for pair in pairs or []:
        column, found, field = pair.partition("=")
        if not (column and found and field):
            msg = f"{pair!r} is not COLUMN=FIELD; write it like text=body2"
            raise typer.BadParameter(msg, param_hint="--column")
        chosen[column] = field
    return chosen or None


def _kinds(names: str | None) -> set[str] | None:
    return None if names is None else {name.strip() for name in names.split(",") if name.strip()}


def _say(message: object) -> None:
    from toolkit.display import visible

    typer.echo(f"news-toolkit: {' '.join(visible(str(message)).split())}", err=True)


def _say_if_cold() -> None:
    """Tell whoever looks on why the first command takes longer than the next."""
    from toolkit.warmup import is_warm

    if sys.stderr.isatty() and not is_warm():
        _say("compiling kernels, once on this machine: some 20 seconds, twice that on a busy machine")


def _finish(job: Callable[[], Any], *, quiet: bool = False) -> Any:
    """Do the job, print what it returns and return it; say an expected error in one line and exit."""
    try:
        result = job()
    except NothingReadError as error:
        for row in error.quarantine.head(10).to_dict("records"):
            _say(f"{row['source']}: {row['reason']}")
        if len(error.quarantine) != 1:
            _say(error)
        raise typer.Exit(UNREADABLE) from None
    except (OSError, MemoryError) as error:
        _say(describe(error))
        named = isinstance(error, FileNotFoundError) and error.errno is None
        raise typer.Exit(UNREADABLE if named else 1) from None
    except (LoadError, UsageError) as error:
        _say(error)
        raise typer.Exit(UNREADABLE) from None
    except (ToolkitError, ValueError) as error:
        _say(error)
        raise typer.Exit(1 if isinstance(error, ToolkitError) else UNREADABLE) from None
    except (KeyboardInterrupt, Terminated) as error:
        _say("stopped; the same command continues or starts again")
        number = signal.SIGTERM if isinstance(error, Terminated) else signal.SIGINT
        raise typer.Exit(128 + number) from None
    if not quiet:
        typer.echo(str(result))
    return result


class Terminated(BaseException):
    """SIGTERM came; raised so that half-written files are removed on the way out."""


def _terminate(*_: object) -> None:
    raise Terminated


def main() -> None:
    """Run the command line; the entry point of ``news-toolkit``."""
    signal.signal(signal.SIGTERM, _terminate)
    for argument in sys.argv[1:]:
        # typer would repeat it as it is, and a glob of the shell makes options of whatever files are called
        if argument.startswith("-") and not argument.isprintable():
            _say(f"{argument}: no such option; write ./{argument} if it is a file")
            sys.exit(UNREADABLE)
    app()


if __name__ == "__main__":
    main()
