"""The command line: ``news-toolkit clean | classify | run | report | verify | datasets | warmup``."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from toolkit.errors import LoadError, NothingReadError, ReportError, ToolkitError, UsageError, describe

if TYPE_CHECKING:
    from collections.abc import Callable

    from toolkit.pipeline import RunSummary

app = typer.Typer(
    name="news-toolkit",
    help="Load scraped news, remove boilerplate to the character, classify topics, show the result.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
datasets_app = typer.Typer(help="Public corpora by name.", no_args_is_help=True)
app.add_typer(datasets_app, name="datasets")

UNREADABLE = 2
"""Exit code where nothing could be read, as for a wrong command line."""

Inputs = Annotated[
    list[str], typer.Argument(metavar="IN…", help="Files, globs, folders, archives; - is standard input.")
]
Columns = Annotated[
    list[str] | None,
    typer.Option(
        "--column", "-c", metavar="COLUMN=FIELD", help="Field that holds a column, such as text=body2."
    ),
]
Remove = Annotated[
    str | None, typer.Option("--remove", metavar="KIND,…", help="Kinds to remove; default all.")
]
Strict = Annotated[bool, typer.Option("--strict", help="Stop at the first record that cannot be read.")]
Rows = Annotated[int, typer.Option("--rows", min=1, help="Documents in a batch.")]
Jobs = Annotated[int, typer.Option("--jobs", "-j", help="Batches in work at a time; -1 for one a processor.")]
Index = Annotated[
    Path | None, typer.Option("--index", help="A saved remover; default: fitted on the input itself.")
]


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


@app.command()
def clean(
    inputs: Inputs,
    output: Annotated[
        Path, typer.Option("-o", "--output", help="A .parquet, .csv or .jsonl file (.gz too).")
    ],
    *,
    spans: Annotated[Path | None, typer.Option("--spans", help="Also write the removed spans here.")] = None,
    column: Columns = None,
    remove: Remove = None,
    index: Index = None,
    strict: Strict = False,
    rows: Rows = 5_000,
    jobs: Jobs = 1,
) -> None:
    """Clean articles: write them with a column clean_text."""
    from toolkit import pipeline

    _say_if_cold()
    _finish(
        lambda: pipeline.clean(
            inputs,
            output,
            spans=spans,
            columns=_columns(column),
            remove=_kinds(remove),
            index=index,
            strict=strict,
            progress=sys.stderr.isatty(),
            rows=rows,
            n_jobs=jobs,
        )
    )


@app.command()
def classify(
    inputs: Inputs,
    output: Annotated[
        Path, typer.Option("-o", "--output", help="A .parquet, .csv or .jsonl file (.gz too).")
    ],
    column: Columns = None,
    strict: Strict = False,
    rows: Rows = 5_000,
    jobs: Jobs = 1,
) -> None:
    """Classify articles: write their topics with probabilities."""
    from toolkit import pipeline

    _say_if_cold()
    _finish(
        lambda: pipeline.classify(
            inputs,
            output,
            columns=_columns(column),
            strict=strict,
            progress=sys.stderr.isatty(),
            rows=rows,
            n_jobs=jobs,
        )
    )


@app.command()
def run(
    inputs: Inputs,
    output: Annotated[Path, typer.Option("-o", "--output", help="A folder for the results.")],
    *,
    column: Columns = None,
    remove: Remove = None,
    index: Index = None,
    strict: Strict = False,
    rows: Rows = 5_000,
    jobs: Jobs = 1,
) -> None:
    """Load, clean, classify and report; a run that was killed continues where it stopped."""
    from toolkit import pipeline, report

    def job() -> RunSummary:
        summary = pipeline.run(
            inputs,
            output,
            columns=_columns(column),
            remove=_kinds(remove),
            index=index,
            strict=strict,
            progress=sys.stderr.isatty(),
            rows=rows,
            n_jobs=jobs,
        )
        try:
            summary.report = report.render(output)
        except ReportError as error:
            _say(error)
        return summary

    _say_if_cold()
    _finish(job)


@app.command(name="report")
def report_(
    inputs: Inputs,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="The page, such as report.html; default in the folder."),
    ] = None,
    *,
    column: Columns = None,
    remove: Remove = None,
    index: Index = None,
    strict: Strict = False,
    rows: Rows = 5_000,
    jobs: Jobs = 1,
) -> None:
    """Make a page of figures and the notebook behind it, of files or of a folder that run wrote."""
    from toolkit import pipeline, report
    from toolkit.provenance import refuse_overwriting

    def job() -> object:
        if len(inputs) == 1 and Path(inputs[0]).is_dir() and (output is None or report.finished(inputs[0])):
            return report.render(inputs[0], output)
        if output is None:
            msg = (
                f"{inputs[0]}: no folder of results; to make a report of files, name its page: -o report.html"
            )
            raise ReportError(msg)
        folder = output.with_name(f"{output.stem}_files")
        report.check_page(output)
        refuse_overwriting(inputs, output, output.with_suffix(".ipynb"), folder)
        summary = pipeline.run(
            inputs,
            folder,
            columns=_columns(column),
            remove=_kinds(remove),
            index=index,
            strict=strict,
            progress=sys.stderr.isatty(),
            rows=rows,
            n_jobs=jobs,
        )
        summary.report = report.render(folder, output)
        return summary

    _say_if_cold()
    _finish(job)


@app.command()
def verify(
    folder: Annotated[Path, typer.Argument(help="A folder that run wrote.")],
    inputs: Annotated[
        list[str] | None,
        typer.Argument(metavar="[IN…]", help="Where the inputs are now; default where they were."),
    ] = None,
    *,
    index: Annotated[
        Path | None, typer.Option("--index", help="The saved remover, if the run had one.")
    ] = None,
    rerun: Annotated[bool, typer.Option("--rerun", help="Do the run again and compare the bytes.")] = False,
) -> None:
    """Hold a folder of results to its record; exit code 1 where anything differs."""
    from toolkit import verification

    if _finish(lambda: verification.verify(folder, inputs or None, index=index, rerun=rerun)).differences:
        raise typer.Exit(1)


@datasets_app.command("list")
def datasets_list() -> None:
    """List the registered corpora, with licence and size."""
    from toolkit import datasets

    _finish(lambda: datasets.list().to_string(index=False))


@datasets_app.command("fetch")
def datasets_fetch(name: Annotated[str, typer.Argument(help="A name that list shows.")]) -> None:
    """Fetch a corpus from its source into the data folder; the only command that uses the network."""
    from toolkit import datasets

    _finish(lambda: datasets.fetch(name))


@app.command()
def warmup() -> None:
    """Compile the kernels once, so that the first real call is as fast as the next."""
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


def _finish(job: Callable[[], Any]) -> Any:
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
        raise typer.Exit(1) from None
    except (KeyboardInterrupt, Terminated) as error:
        _say("stopped; the same command continues or starts again")
        number = signal.SIGTERM if isinstance(error, Terminated) else signal.SIGINT
        raise typer.Exit(128 + number) from None
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
