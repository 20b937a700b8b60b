"""Job: one walk over the input in two passes and bounded memory, part by part, that survives a kill."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from toolkit.provenance import digests, models, versions
from toolkit.spool import Spool


class PipelineError(RuntimeError):
    """The job cannot be done or its account does not add up; the message says what to do."""


class NothingReadError(PipelineError):
    """Not one document could be read.

    Attributes
    ----------
    quarantine : DataFrame
        ``source, reason, excerpt``: why.
    """

    def __init__(self, message: str, quarantine: pd.DataFrame) -> None:
        super().__init__(message)
        self.quarantine = quarantine


class Job:
    """One job over its spool: read once, work part by part, remember both."""

    def __init__(
        self,
        inputs: Sequence[str | Path] | str | Path,
        partial: Path,
        *,
        steps: tuple[str, ...],
        columns: Mapping[str, str] | None,
        strict: bool,
        progress: bool,
        rows: int,
        remove: Iterable[str] | None = None,
    ) -> None:
        self.inputs = [inputs] if isinstance(inputs, (str, Path)) else list(inputs)
        self.columns = dict(columns or {})
        self.remove = None if remove is None else sorted(set(remove))
        self.strict = strict
        self.progress = progress
        self.rows = rows
        self.steps = steps
        self.partial = partial

    def __enter__(self) -> Job:
        with ExitStack() as stack:
            if "-" in self.inputs:
                self.inputs = [self._kept_stdin(stack) if item == "-" else item for item in self.inputs]
            self.digests = digests(self.inputs)
            self.parameters = {
                "columns": self.columns,
                "remove": self.remove,
                "strict": self.strict,
                "steps": list(self.steps),
            }
            self.versions = versions()
            self.models = models()
            self.spool = Spool(
                self.partial,
                {
                    "inputs": self.digests,
                    "rows": self.rows,
                    "parameters": self.parameters,
                    "versions": self.versions,
                    "models": self.models,
                },
            )
            self._stack = stack.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._stack.close()
        if kind is None or issubclass(kind, NothingReadError) or not self.spool.notes:
            self.spool.close()
        else:
            self.spool.release()

    def _kept_stdin(self, stack: ExitStack) -> Path:
        """Copy standard input to a file: it is read once, but digested and then loaded."""
        folder = stack.enter_context(TemporaryDirectory(dir=self.partial.parent, prefix=".stdin-"))
        path = Path(folder, "stdin")
        with path.open("wb") as out:
            shutil.copyfileobj(sys.stdin.buffer, out)
        return path

    @property
    def parts(self) -> list[dict[str, Any]]:
        """What is known of each part: ``in``, ``kept``, and once done ``characters, removed, topics``."""
        return list(self.spool.notes["parts"])

    def tables(self, kind: str) -> Iterator[pa.Table]:
        """Yield the parts of a result."""
        return self.spool.tables(kind, len(self.parts))

    def work(self) -> None:
        """Do what is not done yet."""
        fitted = self._read()
        parts = self.spool.notes["parts"]
        if not sum(part["kept"] for part in parts):
            raise self._nothing()
        with self._bar(
            "cleaning" if "clean" in self.steps else "classifying", sum(p["kept"] for p in parts)
        ) as bar:
            step: Callable[[pd.DataFrame], dict[str, pd.DataFrame]] | None = None
            for number, part in enumerate(parts):
                if not part.get("done"):
                    step = step or self._step(fitted)
                    self._one(number, part, step)
                bar.update(part["kept"])

    def _read(self) -> Any:
        """Spool every batch and count what it repeats; return the fitted remover (None: nothing to clean)."""
        from toolkit.boilerplate import BoilerplateRemover
        from toolkit.loading import iter_batches

        remover = BoilerplateRemover(remove=self.remove) if "clean" in self.steps else None
        notes = self.spool.notes
        stored = list(notes.get("parts", []))
        whole = bool(notes.get("read"))
        if whole and all(part.get("done") for part in stored):
            return None
        for number in range(len(stored)):
            if remover is not None:
                remover.partial_fit(self.spool.read("corpus", number).to_pandas())
        if whole:
            return remover
        batches = iter_batches(self.inputs, rows=self.rows, columns=self.columns or None, strict=self.strict)
        with self._bar("reading", None) as bar:
            for number, batch in enumerate(batches):
                bar.update(len(batch))
                if number < len(stored):
                    continue
                quarantine = batch.attrs["quarantine"]
                self.spool.write("corpus", number, _table(batch))
                self.spool.write("quarantine", number, _table(quarantine))
                stored.append({"in": len(batch) + len(quarantine), "kept": len(batch)})
                self.spool.note(parts=stored)
                if remover is not None:
                    remover.partial_fit(batch)
        self.spool.note(parts=stored, read=True)
        return remover

    def _step(self, remover: Any) -> Callable[[pd.DataFrame], dict[str, pd.DataFrame]]:
        """Return the function that makes the results of one batch."""
        from toolkit.topics import TopicClassifier

        classifier = TopicClassifier() if "classify" in self.steps else None

        def results(corpus: pd.DataFrame) -> dict[str, pd.DataFrame]:
            made = {}
            if remover is not None:
                made["spans"] = remover.spans(corpus)
                _check_spans(corpus, made["spans"])
                corpus = made["cleaned"] = remover.transform(corpus, spans=made["spans"])
            if classifier is not None:
                made["topics"] = classifier.topics(_readable(corpus))
            return made

        return results

    def _one(
        self, number: int, part: dict[str, Any], step: Callable[[pd.DataFrame], dict[str, pd.DataFrame]]
    ) -> None:
        corpus = self.spool.read("corpus", number).to_pandas()
        made = step(corpus)
        for kind, frame in made.items():
            self.spool.write(kind, number, _table(frame))
        if "spans" in made:
            spans = made["spans"]
            lengths = (spans["end"] - spans["start"]).groupby(spans["kind"].astype("str")).sum()
            part["characters"] = int(corpus["text"].str.len().sum())
            part["removed"] = {str(kind): int(n) for kind, n in lengths.items()}
        if "topics" in made:
            part["topics"] = {str(k): int(n) for k, n in made["topics"]["name"].value_counts().items()}
        part["done"] = True
        self.spool.note()

    def _nothing(self) -> NothingReadError:
        quarantine = pd.concat([table.to_pandas() for table in self.tables("quarantine")] or [pd.DataFrame()])
        names = ", ".join(str(name) for name in self.inputs[:3])
        msg = f"{names}: no document could be read; {len(quarantine):,} records are unreadable"
        return NothingReadError(msg, quarantine)

    def _bar(self, what: str, total: int | None) -> Any:
        from tqdm import tqdm

        return tqdm(total=total, desc=what, unit=" documents", disable=not self.progress, file=sys.stderr)


def _table(frame: pd.DataFrame) -> pa.Table:
    frame = frame.copy(deep=False)
    frame.attrs = {}  # Arrow would write them as JSON, and the quarantine is none
    return pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(None)


def _readable(corpus: pd.DataFrame) -> pd.DataFrame:
    """Return the corpus with a whole ``clean_text`` or none; where one is missing, the text stands in."""
    if "clean_text" not in corpus:
        return corpus
    if corpus["clean_text"].isna().all():
        return corpus.drop(columns="clean_text")
    return corpus.assign(clean_text=corpus["clean_text"].fillna(corpus["text"]))


def _check_spans(corpus: pd.DataFrame, spans: pd.DataFrame) -> None:
    """Hold the spans of a batch to what makes them rebuild the text: in range, sorted, disjoint."""
    length = spans["doc_id"].map(corpus.set_index("doc_id")["text"].str.len()).to_numpy(float)
    start, end = spans["start"].to_numpy(), spans["end"].to_numpy()
    same = spans["doc_id"].to_numpy()[1:] == spans["doc_id"].to_numpy()[:-1]
    bad = ~((start >= 0) & (start < end) & (end <= length))
    bad[1:] |= same & (start[1:] < end[:-1])
    if bad.any():
        row = spans.iloc[int(np.flatnonzero(bad)[0])]
        msg = (
            f"{row['doc_id']}: span [{row['start']}, {row['end']}) does not fit its text; please report this"
        )
        raise PipelineError(msg)
