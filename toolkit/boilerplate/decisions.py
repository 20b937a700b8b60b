"""People's word on what repeats: keep it, or remove it as a kind. Plain data, append-only, the last word counts."""

from __future__ import annotations

import json
import os
import re
import warnings
from codecs import BOM_UTF8
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from toolkit.boilerplate.breaks import BreakWeights, restored
from toolkit.boilerplate.scoring import KINDS, read_segments
from toolkit.buffer import Buffer
from toolkit.display import visible
from toolkit.errors import UsageError
from toolkit.segments import cut

Line = TypeVar("Line")

KEEP = "keep"
# in a file: takes back what was decided; a line is never deleted, so undoing is a line too
WITHDRAWN = "undecided"

Decisions: TypeAlias = Mapping[str, str] | str | Path
"""``template_id`` or the very text of a passage → a kind or ``"keep"``; or the path of a ``decisions.jsonl``."""

LARGEST = 64 << 20  # bytes of a file of decisions
TEMPLATE = re.compile(r"[0-9a-f]{16}")  # a ``template_id``; all else is the text of a passage
# half a character (a lone surrogate), which JSON can hold and no text does
HALF = re.compile("[\ud800-\udfff]")
NONE, KEPT = -2, -1  # verdicts by number: no word on it; keep. Kinds are their place in KINDS


def check_verdict(place: str, verdict: object) -> str:
    """Return the verdict if it is one; raise ValueError with its place if not."""
    if verdict not in (*KINDS, KEEP):
        msg = f"{place}: {repr(verdict)[:60]} is no verdict; a kind ({', '.join(KINDS)}) or 'keep' is wanted"
        raise UsageError(msg)
    return str(verdict)


def read_decisions(path: str | Path) -> dict[str, str]:
    """Last verdict on each template or passage in a ``decisions.jsonl``; a file that does not exist yet holds none."""
    found = dict[str, str]()
    for subject, verdict, _ in decision_lines(path):
        if verdict == WITHDRAWN:
            found.pop(subject, None)
        else:
            found[subject] = verdict
    return found


def decision_lines(path: str | Path) -> Iterator[tuple[str, str, str]]:
    """Yield subject, verdict (or :data:`WITHDRAWN`) and note of each line; UsageError names a line that is none."""
    return read_lines(path, "decision", "template_id or text and verdict", _decision)


def _decision(place: str, row: Any) -> tuple[str, str, str]:
    subject, verdict = row.get("template_id") or row["text"], row.get("verdict")
    if verdict != WITHDRAWN:
        check_verdict(place, verdict)
    if row.get("template_id") and not (isinstance(subject, str) and TEMPLATE.fullmatch(subject)):
        raise UsageError(
            f"{place}: {repr(subject)[:60]} is no template_id (16 hex digits); a passage is a text"
        )
    if not isinstance(subject, str) or HALF.search(subject) or not subject.strip():
        raise UsageError(f"{place}: {repr(subject)[:60]} is no text; the very words of a passage are wanted")
    return subject, str(verdict), str(row.get("note") or "")


def read_lines(path: str | Path, noun: str, wanted: str, read: Callable[[str, Any], Line]) -> Iterator[Line]:
    """Yield what ``read`` makes of the place and the JSON object of each line of a file, which need not exist yet.

    A UsageError names a line that is no such object.
    """
    path = plain_file(path)
    whole = path.read_bytes() if path.exists() else b""
    for number, line in enumerate(whole.removeprefix(BOM_UTF8).split(b"\n"), 1):
        if not line.strip():
            continue
        try:
            yield read(f"{path}#{number}", json.loads(line.decode("utf-8")))
        except UsageError:
            raise
        except (ValueError, KeyError, AttributeError, TypeError, RecursionError) as error:
            shown = repr(line[:60].decode("utf-8", "backslashreplace"))
            msg = f"{path}#{number}: {shown} is no {noun} ({visible(str(error))}); {wanted} are wanted"
            raise UsageError(msg) from error


def plain_file(path: str | Path) -> Path:
    """Return the path of a file of decisions or labels that is there, or that can be made; a pipe would never end."""
    path = Path(path)
    if path.exists() and not path.is_file():
        msg = f"{path}: a folder, pipe or device, not a file of lines; name a file such as decisions.jsonl"
        raise UsageError(msg)
    if not path.parent.is_dir():
        raise UsageError(f"{path}: there is no folder {path.parent}; make it, or name another file")
    if path.exists() and path.stat().st_size > LARGEST:
        raise UsageError(f"{path}: larger than {LARGEST / 2**20:.3g} MiB, which no person decided; not read")
    return path


def append_decision(
    path: str | Path, subject: str, verdict: str, *, example: str = "", note: str = ""
) -> None:
    """Add the verdict on a ``template_id`` or the text of a passage to a ``decisions.jsonl``."""
    key = "template_id" if TEMPLATE.fullmatch(subject) else "text"
    if verdict != WITHDRAWN:
        check_verdict(subject, verdict)
    row = {key: subject, "verdict": verdict, "decided": datetime.now(UTC).isoformat(timespec="seconds")}
    row |= {name: value for name, value in (("example", example[:300]), ("note", note)) if value}
    append_line(path, row)


def decided(decisions: Decisions | None, subject: str, verdict: str, example: str, note: str) -> Decisions:
    """Return decisions with one more: a file with a line more, or a mapping."""
    if isinstance(decisions, str | Path):
        append_decision(decisions, subject, verdict, example=example, note=note)
        return decisions
    return {**(decisions or {}), subject: check_verdict(subject, verdict)}


def append_line(path: str | Path, row: dict[str, Any]) -> None:
    """Add one line of JSON to a file and see that it reached the disk."""
    line = json.dumps(row, ensure_ascii=False).encode() + b"\n"
    with plain_file(path).open("a+b") as out:
        if out.tell():  # an editor, or a full disk, may have left the last line without its end
            out.seek(-1, os.SEEK_END)
            line = line if out.read(1) == b"\n" else b"\n" + line
        out.write(line)
        out.flush()
        os.fsync(out.fileno())


@dataclass(frozen=True)
class Rules:
    """Verdicts by the key of a template, and by the exact fingerprint of each segment of a passage.

    ``pieces`` are those of passages that are cut where lost line breaks were; they hold in texts that have lost theirs.
    """

    templates: dict[int, int]
    passages: dict[int, int]
    pieces: dict[int, int]

    @classmethod
    def of(cls, decisions: Decisions | None, breaks: BreakWeights | None = None) -> Rules:
        """Check decisions and sort them; ValueError names a verdict that is none."""
        # a Path may be the file that a review will make with its first decision; a str is what a person typed
        if isinstance(decisions, str) and not Path(decisions).exists():
            warnings.warn(f"{decisions}: no such file yet; cleaned without decisions", stacklevel=2)
        given = read_decisions(decisions) if isinstance(decisions, str | Path) else dict(decisions or {})
        number = {k: i for i, k in enumerate(KINDS)} | {KEEP: KEPT}
        templates, passages, pieces = dict[int, int](), dict[int, int](), dict[int, int]()
        # one order whatever the file's: where two passages share a segment, the shorter, more exact one decides
        for subject, verdict in sorted(given.items(), key=lambda item: (-len(item[0]), item[0])):
            meant = number[check_verdict(f"decisions[{subject[:40]!r}]", verdict)]
            if TEMPLATE.fullmatch(subject):
                templates[int(subject, 16)] = meant
            else:
                buffer = Buffer.of([subject])
                segments = cut(buffer)
                passages |= dict.fromkeys(read_segments(buffer, segments).prints[:, 0].tolist(), meant)
                if breaks is not None:
                    segments = restored(buffer, segments, breaks, np.ones(1, np.bool_))
                    pieces |= dict.fromkeys(read_segments(buffer, segments).prints[:, 0].tolist(), meant)
        return cls(templates, passages, pieces)

    def applied(
        self, template: NDArray[np.uint64], prints: NDArray[np.uint64], remove: NDArray[np.bool_],
        kind: NDArray[np.int64], unbroken: NDArray[np.bool_],
    ) -> tuple[NDArray[np.bool_], NDArray[np.int64], NDArray[np.bool_]]:  # fmt: skip
        """Change which segments are removed, as what kind; return both, and for which there is a verdict.

        It is found by the template and by the exact fingerprint of a segment; a passage outweighs a template.
        ``unbroken`` marks the segments of texts that have lost their line breaks.
        """
        by_template, by_text = _looked_up(self.templates, template), _looked_up(self.passages, prints)
        by_text = np.where((by_text == NONE) & unbroken, _looked_up(self.pieces, prints), by_text)
        verdict = np.where(by_text == NONE, by_template, by_text)
        ruled = verdict != NONE
        return np.where(ruled, verdict != KEPT, remove), np.where(verdict >= 0, verdict, kind), ruled


def _looked_up(verdicts: dict[int, int], keys: NDArray[np.uint64]) -> NDArray[np.int64]:
    known = pd.Index(np.fromiter(verdicts, np.uint64))
    # what is not known has the place -1, that of the last
    return np.array([*verdicts.values(), NONE], np.int64)[known.get_indexer(pd.Index(keys))]
