"""The command line: ``news-toolkit clean | classify | run | report | verify | share | apply | datasets | warmup``."""

from __future__ import annotations

import os
import re
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from inspect import Parameter, Signature, signature
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

import toolkit
from toolkit.errors import NoRunError, NothingReadError, ReportError, ToolkitError, UsageError, describe
from toolkit.jobs import halt
from toolkit.options import CLEANING, OPTIONS, READING, WORKING, Folder, Inputs, Moved, Name, Shared


class Command(TyperCommand):
    """A command whose help names places as people do, without types of Python."""

    def get_help(self, ctx: Any) -> str:
        """Return the help, with ``IN`` in place of ``IN <list[str]>``."""
        return re.sub(r" <[\w\[\]]+>", lambda found: " " * len(found[0]), super().get_help(ctx))

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """Return the parts of the line of use, with ``IN...`` in place of ``{IN}...``."""
        return [re.sub(r"\{(\w+)\}", r"\1", piece) for piece in super().collect_usage_pieces(ctx)]


app = typer.Typer(
    name="news-toolkit", no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)  # fmt: skip
datasets_app = typer.Typer(help="Public corpora by name.", no_args_is_help=True)
app.add_typer(datasets_app, name="datasets")

WRONG = 2  # exit code of a wrong command line, or where nothing could be read


def _command(
    *names: str, epilog: str = "", name: str | None = None, of: typer.Typer = app
) -> Callable[[Callable[..., object]], Callable[..., None]]:
    """Make a function a command with the options named; what it returns is printed.

    The function takes its own arguments and a dict of the options, as Python takes them.
    """

    def given(function: Callable[..., object]) -> Callable[..., None]:
        @wraps(function)
        def called(**values: Any) -> None:
            options = {name: values.pop(name) for name in names}
            quiet = options.pop("quiet", False)
            if "n_jobs" in options:
                options["progress"] = sys.stderr.isatty() and not quiet
                if options["n_jobs"] == 0 or options["n_jobs"] < -1:
                    raise typer.BadParameter("give 1 or more, or -1 for all processors", param_hint="--jobs")
            import toolkit.display  # noqa: F401 - what says that it was stopped must be there before

            halt.watch()
            with _errors_in_one_line():
                if "columns" in options:
                    options["columns"] = _columns(options["columns"])
                    _warm_if_cold(all_kernels="remove" in options)
                result = function(**values, options=options)
                if not quiet:
                    _echo(result)

        own = [p for p in signature(function, eval_str=True).parameters.values() if p.name != "options"]
        more = [
            Parameter(each, Parameter.KEYWORD_ONLY, default=default, annotation=kind)
            for each, (kind, default) in ((each, OPTIONS[each]) for each in names)
        ]
        called.__signature__ = Signature([*own, *more])  # type: ignore[attr-defined]
        called.__annotations__ = {p.name: p.annotation for p in (*own, *more)}
        of.command(cls=Command, name=name, epilog=epilog)(called)
        return called

    return given


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"news-toolkit {toolkit.__version__}")
        raise typer.Exit


_VERSION = typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")


@app.callback()
def _options(version: Annotated[bool, _VERSION] = False) -> None:
    """Load scraped news, remove boilerplate to the character, classify topics, show the result."""


@_command(
    "file", "spans", *READING, *CLEANING, *WORKING,
    epilog="Example: news-toolkit clean news/*.jsonl.gz -o clean.parquet --spans spans.csv",
)  # fmt: skip
def clean(inputs: Inputs, options: dict[str, Any]) -> object:
    """Write articles with a column clean_text."""
    return toolkit.pipeline.clean(inputs, options.pop("file"), **options)


@_command(
    "file", *READING, "labels", *WORKING, epilog="Example: news-toolkit classify clean.parquet -o topics.csv"
)  # fmt: skip
def classify(inputs: Inputs, options: dict[str, Any]) -> object:
    """Write the topics of articles."""
    return toolkit.pipeline.classify(inputs, options.pop("file"), **options)


@_command(
    "folder", "report", "force", *READING, *CLEANING, "labels", "duplicates", "texts", *WORKING,
    epilog="Examples: news-toolkit run news/ -o out --lang de; news-toolkit run study.toml",
)  # fmt: skip
def run(inputs: Inputs, context: typer.Context, options: dict[str, Any]) -> object:
    """Load, clean, classify and report.

    A run that was killed goes on where it stopped. IN may be one study file (.toml), which names inputs,
    output, columns and options.
    """
    folder, report, texts = (options.pop(name) for name in ("folder", "report", "texts"))
    # what the command line does not name is left to the study file
    named = {"progress", *_named(context)}
    given = {name: value for name, value in options.items() if name in named}
    summary = toolkit.pipeline.run(inputs, folder, **given)
    if report:
        try:
            summary.report = toolkit.report.render(summary.output, texts=texts, progress=options["progress"])
        except ReportError as error:
            _say(error)
    return summary


@_command(
    "page", "title", "author", "force", *READING, *CLEANING, "duplicates", "texts", *WORKING, name="report",
    epilog="Examples: news-toolkit report out; news-toolkit report news/ -o report.html",
)  # fmt: skip
def report_(inputs: Inputs, context: typer.Context, options: dict[str, Any]) -> object:
    """Make a page of figures, with its notebook, and its tables as CSV and LaTeX."""
    from toolkit.files import refuse_overwriting

    page = options.pop("page")
    shown = {name: options.pop(name) for name in ("texts", "title", "author")}
    finished = toolkit.report.finished(inputs[0])
    if len(inputs) == 1 and Path(inputs[0]).is_dir() and (page is None or finished):
        if finished and (vain := [flag for name, flag in _named(context).items() if name in options]):
            mend = "leave it out, or run again with it"
            raise UsageError(f"{inputs[0]}: a finished run, which {', '.join(vain)} cannot change; {mend}")
        return toolkit.report.render(inputs[0], page, **shown)
    if page is None:
        mend = "to make a report of files, name its page: -o report.html"
        raise NoRunError(f"{inputs[0]}: no folder of results; {mend}")
    folder = page.with_name(f"{page.stem}_files")
    toolkit.report.check_page(page)
    refuse_overwriting(inputs, page, page.with_suffix(".ipynb"), folder)
    summary = toolkit.pipeline.run(inputs, folder, **options)
    summary.report = toolkit.report.render(folder, page, progress=options["progress"], **shown)
    return summary


@_command(
    "run_index", "run_decisions", "allowed_signers", "rerun", epilog="Example: news-toolkit verify out --rerun"
)  # fmt: skip
def verify(folder: Folder, inputs: Moved = None, *, options: dict[str, Any]) -> object:
    """Check results against their record, run.json.

    The exit code is 1 where anything differs.
    """
    from toolkit import verification

    index, decisions = options.pop("run_index"), options.pop("run_decisions")
    held = verification.verify(folder, inputs or None, index=index, decisions=decisions, **options)
    if held.differences:
        _echo(held)
        raise typer.Exit(1)
    return held


@_command("shared", "licence", epilog="Example: news-toolkit share out -o cleaning.parquet")
def share(folder: Folder, options: dict[str, Any]) -> object:
    """Write spans, verdicts, topics and digests of the texts, but no text."""
    return f"written      {toolkit.share(folder, options['shared'], licence=options['licence'])}"


@_command(
    "file", "others", "columns", epilog="Example: news-toolkit apply cleaning.parquet news/ -o cleaned.parquet"
)  # fmt: skip
def apply(shared: Shared, inputs: Inputs, options: dict[str, Any]) -> object:
    """Clean and label your own copy of the texts by a shared file."""
    from toolkit import sharing

    return sharing.apply_files(shared, inputs, options.pop("file"), **options)


@_command(name="list", of=datasets_app)
def datasets_list(options: dict[str, Any]) -> object:
    """List the registered corpora, with licence and size."""
    table = toolkit.datasets.list().reset_index(names="name")
    table["licence"] = table["licence"].str.split(r" \(|;", regex=True).str[0].str[:36]
    table["MB"] = (table["size"] / 1e6).round().astype("Int64")
    shown = toolkit.display.Table(table[["name", "kind", "documents", "MB", "licence"]])
    return f"{shown}\nAll of it, with citations: toolkit.datasets.list()"


@_command(name="fetch", of=datasets_app)
def datasets_fetch(name: Name, options: dict[str, Any]) -> object:
    """Fetch a corpus into the data folder.

    It is the only command that uses the network.
    """
    return toolkit.datasets.fetch(name)


@_command()
def warmup(options: dict[str, Any]) -> object:
    """Compile the kernels once, so that no call waits."""
    return toolkit.pipeline.warm()


def _named(context: typer.Context) -> dict[str, str]:
    """Return what the command line names, be it the default: names of parameters, and the options as typed."""
    named = {each.name: max(each.opts, key=len) for each in context.command.params}
    source = context.get_parameter_source
    return {
        str(k): flag for k, flag in named.items() if (how := source(str(k))) and how.name == "COMMANDLINE"
    }


def _columns(pairs: list[str] | None) -> dict[str, str] | None:
    chosen: dict[str, str] = {}
    for pair in pairs or []:
        column, found, field = pair.partition("=")
        if not (column and found and field):
            msg = f"{pair!r} is not COLUMN=FIELD; write it like text=body2"
            raise typer.BadParameter(msg, param_hint="--column")
        if column in chosen:
            msg = f"{column} is named twice, for {chosen[column]} and {field}; name one field"
            raise typer.BadParameter(msg, param_hint="--column")
        chosen[column] = field
    return chosen or None


def _echo(result: object) -> None:
    """Print a result, visibly, for it names files; another code than 1, which verify gives a difference, if unread."""
    try:
        typer.echo(toolkit.display.visible(str(result)))
    except OSError as error:
        raise typer.Exit(_unwritten(error)) from None


def _unwritten(error: OSError) -> int:
    """Say why standard output cannot be written, unless nobody reads it; return the exit code, as other tools do."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # else Python tries again at its end
    if isinstance(error, BrokenPipeError):
        return 128 + 13  # SIGPIPE
    _say(f"standard output: {describe(error)}")
    return 1


def _say(message: object) -> None:
    typer.echo(f"news-toolkit: {toolkit.display.one_line(str(message))}", err=True)


def _warm_if_cold(*, all_kernels: bool) -> None:
    """Say on a terminal why the first command takes longer than the next; compile first if it needs all kernels."""
    if not toolkit.pipeline.is_warm():
        if sys.stderr.isatty():
            _say("compiling kernels, once on this machine: some 20 seconds, twice that on a busy machine")
        if all_kernels:
            toolkit.pipeline.warm()


@contextmanager
def _errors_in_one_line() -> Iterator[None]:
    """Say an expected error of the block in one line and exit."""
    try:
        try:
            yield
        except BaseException:
            halt.check()  # a library may have made another error of it
            raise
    except NothingReadError as error:
        for row in error.quarantine.head(10).to_dict("records"):
            _say(f"{row['source']}: {row['reason']}")
        if len(error.quarantine) != 1:
            _say(error)
        raise typer.Exit(error.exit_code) from None
    except (OSError, MemoryError) as error:
        _say(describe(error))
        named = isinstance(error, FileNotFoundError) and error.errno is None
        raise typer.Exit(WRONG if named else 1) from None
    except (ToolkitError, ValueError) as error:
        _say(error)
        raise typer.Exit(getattr(error, "exit_code", WRONG)) from None
    except KeyboardInterrupt:
        raise typer.Exit(_stopped()) from None


def _stopped() -> int:
    """Say that a signal stopped the command; return the exit code."""
    _say("stopped; the same command continues or starts again")
    return 128 + (halt.asked() or signal.SIGINT)


def main() -> None:
    """Run the command line; the entry point of ``news-toolkit``."""
    halt.prepare()
    for argument in sys.argv[1:]:
        # typer would repeat it as it is, and a glob of the shell makes options of whatever files are called
        if argument.startswith("-") and not argument.isprintable():
            _say(f"{argument}: no such option; write ./{argument} if it is a file")
            sys.exit(WRONG)
    try:
        app()
    except OSError as error:  # of the help or the version, which are printed before a command begins
        sys.exit(_unwritten(error))
    except BaseException as error:
        if isinstance(error.__context__, BrokenPipeError):  # typer ends with 1 where its help is not read
            sys.exit(_unwritten(error.__context__))
        number = halt.asked()
        if number is None or getattr(error, "code", None) == 128 + number:
            raise
        sys.exit(_stopped())  # it came behind the work


if __name__ == "__main__":
    main()
