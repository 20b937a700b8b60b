"""Settings: the options of a job, the same for Python, the command line and study files."""

from __future__ import annotations

import glob
import re
import tomllib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import pandas as pd

from toolkit.boilerplate import BoilerplateRemover
from toolkit.boilerplate.decisions import read_decisions
from toolkit.corpus import check_columns
from toolkit.errors import UsageError
from toolkit.fields import nearest
from toolkit.files import listed, placed, sha256
from toolkit.loading.faults import kinds_of
from toolkit.record import digest_of, unfit


@dataclass(frozen=True)
class Settings:
    """The options of a job; a UsageError names one that is unknown or out of range.

    Parameters
    ----------
    columns : mapping
        Column of the corpus → field of the source, for fields whose names are not recognised.
    lang : str, optional
        Language (ISO 639-1, such as ``de``) of the articles that name none; their language is then not detected.
    detect_language : bool, default True
        Detect the language of the articles that name none.
    repair : bool or iterable of str, default False
        Faults to mend in the texts, as for :func:`toolkit.load`; without it no text is changed.
    remove : iterable of str, or str, optional
        Kinds of boilerplate to remove, in a string with commas between them; default all.
    threshold, max_article_loss : float, optional
        As for :class:`toolkit.BoilerplateRemover`. Default: those of the saved remover, if there is one.
    decisions : path or mapping, optional
        A ``decisions.jsonl`` with your decisions on templates and passages, see ``docs/review.md``, or verdicts by
        template or passage; read once, into ``decided``.
    labels : path or mapping, optional
        Your own topics of some documents, to train the classifier on that is used in place of the shipped one: a
        ``labels.jsonl`` of a review, a CSV file of ``doc_id, topic``, or topics by ``doc_id``; read once, into
        ``labelled``.
    index : path, optional
        A remover that ``BoilerplateRemover.save`` wrote; its templates are used and the input is not counted.
        Default: a remover is fitted on the input.
    duplicates : bool, optional
        Find duplicates and wire copy; this loads the whole corpus into memory. Default: only if the corpus has at
        most 200 million characters.
    strict : bool, default False
        Raise on the first record that cannot be read instead of putting it into quarantine.

    Examples
    --------
    >>> Settings(lang="English")
    Traceback (most recent call last):
    toolkit.errors.UsageError: lang='English': a code of ISO 639 is wanted, such as en or de
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    lang: str | None = None
    detect_language: bool = True
    repair: bool | Iterable[str] = False
    remove: Iterable[str] | None = None
    threshold: float | None = None
    max_article_loss: float | None = None
    decisions: str | Path | Mapping[str, str] | None = None
    labels: str | Path | Mapping[str, Iterable[Any]] | None = None
    index: str | Path | None = None
    duplicates: bool | None = None
    strict: bool = False
    decided: Mapping[str, str] | None = field(default=None, init=False)
    labelled: Mapping[str, list[Any]] | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "columns", dict(self.columns or {}))
        if self.lang is not None and not re.fullmatch("[a-z]{2,3}", self.lang):
            raise UsageError(f"lang={self.lang!r}: a code of ISO 639 is wanted, such as en or de")
        try:
            if self.remove is not None:
                given = self.remove.split(",") if isinstance(self.remove, str) else self.remove
                kinds = {kind.strip() if isinstance(kind, str) else kind for kind in given}
                object.__setattr__(self, "remove", sorted(kinds - {""}, key=str))
            for name in ("decisions", "index", "labels"):
                if isinstance(place := getattr(self, name), (str, Path)):
                    object.__setattr__(self, name, placed(place))
            if self.index is not None and "://" not in str(self.index) and not Path(self.index).is_file():
                raise UsageError(
                    f"{self.index}: no such file; an index is what BoilerplateRemover.save wrote"
                )
            check_columns(self.columns)
            object.__setattr__(self, "repair", kinds_of(self.repair))
            if self.decisions is not None:
                decided = self.decisions
                if not isinstance(decided, Mapping):
                    path = _plain_file(decided, "decisions are what a review of templates writes")
                    decided = read_decisions(path)
                object.__setattr__(self, "decided", dict(decided))
            if self.labels is not None:
                object.__setattr__(self, "labelled", _labels(self.labels))
            self.applied_to(BoilerplateRemover())._check()
        except (TypeError, ValueError, FileNotFoundError) as error:
            raise UsageError(str(error)) from None

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Settings:
        """Return settings from a mapping; the error for an unknown name suggests the nearest one."""
        check_names(given, (each.name for each in fields(cls) if each.init), "setting")
        return cls(**given)

    def applied_to(self, remover: BoilerplateRemover) -> BoilerplateRemover:
        """Change the parameters of a remover that are set here; leave the others as they are."""
        names = ("remove", "threshold", "max_article_loss")
        given = {name: value for name in names if (value := getattr(self, name)) is not None}
        if self.decided is not None:
            given["decisions"] = dict(self.decided)
        return remover.set_params(**given)

    @property
    def files(self) -> list[str | Path]:
        """The files that are read beside the inputs."""
        return [each for each in (self.index, self.decisions, self.labels) if isinstance(each, (str, Path))]

    @property
    def detects(self) -> bool:
        """Whether languages are detected while loading."""
        return self.detect_language and self.lang is None

    def record(self, index: str | None = None) -> dict[str, Any]:
        """Return the settings as ``run.json`` keeps them; what is not given is left out.

        A saved remover stands there by its SHA-256, given as ``index`` where it is no file of this machine; decisions
        and labels by the digest of what they say.
        """
        own: Any = {"columns": dict(self.columns), "remove": self.remove, "strict": bool(self.strict)}
        given = {name: getattr(self, name) for name in ("lang", "threshold", "max_article_loss")}
        given["duplicates"] = None if self.duplicates is None else bool(self.duplicates)
        given["repair"] = list(self.repair) or None  # type: ignore[arg-type]
        given["detect_language"] = None if self.detect_language else False
        for name, read in (("decisions", self.decided), ("labels", self.labelled)):
            given[name] = None if read is None else digest_of(dict(read))
        given["index"] = None if self.index is None else index or sha256(Path(self.index))
        return dict(own, **{name: value for name, value in given.items() if value is not None})


def _plain_file(place: Any, what: str) -> Path:
    path = Path(str(place))
    if not path.is_file():
        raise UsageError(f"{path}: {'not a plain file' if path.exists() else 'no such file'}; {what}")
    return path


def _labels(given: str | Path | Mapping[str, Iterable[Any]]) -> dict[str, list[Any]]:
    """Return the topics of each labelled document, by ascending ``doc_id``."""
    from toolkit.review.journal import read_labels

    found: Mapping[str, Iterable[Any]]
    if isinstance(given, (Mapping, pd.Series)):
        found = dict(given)
    else:
        path = _plain_file(given, "labels are a labels.jsonl of a review or a CSV file of doc_id, topic")
        if path.suffix.lower() == ".csv":
            try:
                table = pd.read_csv(path, dtype="str", keep_default_na=False)
            except ValueError as error:
                raise UsageError(f"{path}: no CSV file in UTF-8 ({' '.join(str(error).split())})") from None
            if not {"doc_id", "topic"} <= set(table):
                raise UsageError(f"{path}: no columns doc_id and topic; found {', '.join(map(repr, table))}")
            table = table[table["topic"].str.strip() != ""]
            found = table.groupby("doc_id")["topic"].agg(list).to_dict()
        else:
            found = read_labels(path)
    if not found:
        raise UsageError("labels: no document is labelled; label some with toolkit.review.topics")
    topics = ((str(doc_id), found[doc_id]) for doc_id in sorted(found, key=str))
    return {doc_id: [given] if isinstance(given, (str, int)) else list(given) for doc_id, given in topics}


def check_names(given: Iterable[str], known: Iterable[str], what: str) -> None:
    """Refuse a name that is not known, with the nearest."""
    known = list(known)
    for name in given:
        if name not in known:
            near = nearest(name, known)
            mend = f"did you mean {near!r}?" if near else f"there are {', '.join(known)}"
            raise UsageError(f"{name!r} is no {what}; {mend}")


_STUDY = {
    "?inputs": object, "?output": str, "?columns": {"*": str}, "?lang": str, "?detect_language": bool,
    "?repair": bool | str | list, "?remove": str | list, "?threshold": float | int, "?max_article_loss": float | int,
    "?decisions": str, "?index": str, "?labels": str, "?duplicates": bool, "?strict": bool,
}  # fmt: skip
"""Types of what a study file holds, as :func:`toolkit.record.unfit` reads them."""


def _seen_from(folder: Path, place: str | Path) -> str | Path:
    return place if "://" in str(place) else folder / place


def read_study(
    path: str | Path, but: Collection[str] = ()
) -> tuple[list[str | Path], Path | None, dict[str, Any]]:
    """Read a study file: the inputs, the output and the settings of a run, as TOML.

    Its keys are ``inputs`` (a path or a list), ``output`` and the parameters of :class:`Settings`; ``columns`` is a
    table. Paths are as seen from the folder of the file. UsageError: it is no TOML, a key is unknown, ``inputs`` is
    missing, or a setting cannot be used, ``but`` for those that are given elsewhere.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "study.toml")
    ...     _ = path.write_text('inputs = "news/*.jsonl"\\noutput = "out"\\nremove = ["appeal"]\\n')
    ...     inputs, output, settings = read_study(path)
    ...     [place.relative_to(folder).as_posix() for place in (*inputs, output)], settings
    (['news/*.jsonl', 'out'], {'remove': ['appeal']})
    """
    path = Path(path)
    try:
        study = tomllib.loads(path.read_text("utf-8-sig"))
        check_names(study, [name.lstrip("?") for name in _STUDY], "key of a study")
        if wrong := unfit(study, _STUDY, "study"):
            raise UsageError(f"{wrong}; see the settings of `news-toolkit run --help`")
        inputs, output = study.pop("inputs", None), study.pop("output", None)
        inputs = [inputs] if isinstance(inputs, str) else inputs
        if not inputs or not isinstance(inputs, list) or not all(isinstance(item, str) for item in inputs):
            raise UsageError(
                'inputs is missing; give a path or a list of them, such as inputs = ["news/*.jsonl"]'
            )
        for name in ("decisions", "index", "labels"):
            if name in study:
                study[name] = _seen_from(path.parent, placed(study[name]))
        output = None if output is None else path.parent / placed(output)
        # a bracket in the name of the folder is no pattern
        pattern = Path(glob.escape(str(path.parent)))
        places: list[str | Path] = [
            _seen_from(pattern if glob.has_magic(str(item)) else path.parent, item) for item in listed(inputs)
        ]
        Settings.of({name: value for name, value in study.items() if name not in but})
    except (ValueError, RecursionError, FileNotFoundError) as error:
        if isinstance(error, OSError) and error.errno is not None:  # the study itself is gone
            raise
        raise UsageError(f"{path}: {error}") from None
    return places, output, study
