"""Errors: what the package raises for a person to read, and faults of the machine in one line with their mend."""

from __future__ import annotations

import errno
import os
from functools import wraps
from inspect import signature
from typing import TYPE_CHECKING, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

Given = ParamSpec("Given")
Result = TypeVar("Result")


class ToolkitError(Exception):
    """Base of every error of this package; the message is one line that names the place, the value and the mend."""

    exit_code = 1

    def __str__(self) -> str:
        """Return the message; what a terminal would obey, as a library may quote it from a file, as an escape."""
        text = super().__str__()
        return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


class CorpusError(ToolkitError, ValueError):
    """The corpus breaks a rule of :mod:`toolkit.corpus`."""


class UsageError(ToolkitError, ValueError):
    """The call cannot be meant as it stands: an output over an input, an unknown column."""

    exit_code = 2


class LoadError(ToolkitError, ValueError):
    """Raised by ``strict=True``: the first record that cannot be read."""

    exit_code = 2


class ModelError(ToolkitError, ValueError):
    """A model file cannot be used."""


class ReportError(ToolkitError, RuntimeError):
    """The report cannot be made; the message says what is missing."""


class SpoolError(ToolkitError, RuntimeError):
    """The folder of a job cannot be used."""


class PipelineError(ToolkitError, RuntimeError):
    """The job cannot be done, or its account does not add up."""


class NothingReadError(PipelineError):
    """Not one document could be read; ``quarantine`` (DataFrame: ``source, reason, excerpt``) says why."""

    exit_code = 2

    def __init__(self, message: str, quarantine: pd.DataFrame) -> None:
        super().__init__(message)
        self.quarantine = quarantine


class VerificationError(ToolkitError, RuntimeError):
    """The folder cannot be verified."""


class OutputError(SpoolError, ReportError, UsageError):
    """An output cannot be named like this: another ending is needed, or a folder stands there."""


class UnknownNameError(CorpusError, UsageError):
    """No data set is registered under this name."""


class DamagedError(ReportError, VerificationError):
    """A file of a folder of results is damaged."""


class NoRunError(ReportError, VerificationError, UsageError):
    """The folder holds no finished run."""


ARGUMENTS = {
    "by": "the column of the groups, such as by='publisher'",
    "column": "the column of true and false that is counted",
    "columns": "the columns of numbers and their names, such as columns={'words': 'words'}",
    "copies": "toolkit.duplicates(corpus)",
    "corpus": "your own corpus, whose texts the file was made for",
    "found": "the spans that were found: BoilerplateRemover().fit(corpus).spans(corpus)",
    "gold": "the right spans, such as toolkit.datasets.gold('sample').spans",
    "judged": "the judgements of toolkit.review.certify(corpus, remover)",
    "labelled": "a random sample of the corpus with the right topic of each document",
    "near": "the spans of a bolder cleaning: BoilerplateRemover(max_article_loss=1).fit(corpus).spans(corpus)",
    "output": "the file to write, such as 'cleaning.parquet'",
    "reference": "the corpus to compare with, such as the articles of all other publishers",
    "spans": "the spans of the corpus: BoilerplateRemover().fit(corpus).spans(corpus)",
    "topics": "toolkit.TopicClassifier().topics(corpus)",
    "word": "a word, such as 'strike'",
    "xlabel": "what is estimated and its unit, such as xlabel='share of words (%)'",
}
"""Arguments that are easily left out → what to pass."""


def wants(*names: str) -> Callable[[Callable[Given, Result]], Callable[Given, Result]]:
    """Have a function say what to pass where one of these arguments is left out."""

    def decorated(function: Callable[Given, Result]) -> Callable[Given, Result]:
        @wraps(function)
        def called(*args: Given.args, **options: Given.kwargs) -> Result:
            given = signature(function).bind_partial(*args, **options).arguments
            for name in names:
                if name not in given:
                    raise UsageError(f"{function.__name__}: {name} is missing; pass {ARGUMENTS[name]}")
            return function(*args, **options)

        return called

    return decorated


_AGAIN = "and run the same command again"
_DENIED = "permission denied; choose another place or get the right to it"
_NO_FOLDER = "a file stands where a folder is needed; choose another place"
_MENDS = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT), f"no space left on the disk; make room {_AGAIN}"),
    errno.EFBIG: f"a file grew beyond what is allowed here; raise `ulimit -f` {_AGAIN}",
    **dict.fromkeys((errno.EACCES, errno.EPERM), _DENIED),
    errno.EROFS: "the file system is read-only; choose another place",
    errno.ENOENT: f"gone: its folder was removed or unmounted; bring it back {_AGAIN}",
    **dict.fromkeys((errno.ENOTDIR, errno.EEXIST), _NO_FOLDER),
    errno.EISDIR: "a folder stands where a file is needed; give another name",
    errno.EIO: f"the disk or its network failed; look after it {_AGAIN}",
    errno.EMFILE: f"too many files are open; raise `ulimit -n` {_AGAIN}",
    errno.ENAMETOOLONG: "the name is too long; choose a shorter one",
}


def describe(error: OSError | MemoryError) -> str:
    """Return a fault as place, what failed and what to do."""
    if isinstance(error, MemoryError):
        return "not enough memory; pass a smaller --rows or free some, and run the same command again"
    if error.errno is None:  # raised by the package itself, with place and mend
        return str(error)
    named = isinstance(error.filename, (str, bytes, os.PathLike))
    place = f"{os.fsdecode(error.filename)}: " if named else ""
    return place + _MENDS.get(error.errno, f"{error.strerror}; run the same command again")
