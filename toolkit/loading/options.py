"""What the caller asked for, handed to every reader: limits on the input, and the arguments of ``load``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from toolkit import fields
from toolkit.corpus import COLUMNS, check_columns


@dataclass(frozen=True, slots=True)
class Limits:
    """How large, how dense and how deep input may be before it is refused.

    Attributes
    ----------
    record_bytes : int
        Largest record, page or plain text file, in bytes after decompression.
    ratio, free_bytes : int
        Bytes that may come out of each byte that went in, once ``free_bytes`` have come out.
    archive_bytes, members : int
        Bytes that one archive may expand to, nested archives included, and its members.
    nesting : int
        Layers of packing around a document: an archive or a compression is one layer each.
    json_depth : int
        Brackets within brackets in one JSON record.
    """

    record_bytes: int = 64 << 20
    ratio: int = 200
    free_bytes: int = 64 << 20
    archive_bytes: int = 64 << 30
    members: int = 1_000_000
    nesting: int = 3
    json_depth: int = 100


@dataclass(frozen=True, slots=True)
class Options:
    """The keyword arguments of :func:`toolkit.loading.load`, checked; ``kept`` are columns kept of a corpus."""

    columns: Mapping[str, str] = field(default_factory=dict)
    encoding: str | None = None
    detect_language: bool = True
    repair: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    limits: Limits = field(default_factory=Limits)

    def __post_init__(self) -> None:
        for column, name in self.columns.items():
            if not isinstance(column, str) or not isinstance(name, str) or not column or not name:
                mend = 'both must be names, as in columns={"text": "body"}'
                raise TypeError(f"columns={{{column!r}: {name!r}}}: {mend}")
        check_columns(self.columns)
        if "source" in self.columns:
            mend = 'written by the reader (file#record); use another name, as in columns={"outlet": "source"}'
            raise ValueError(f'columns={{"source": …}}: source is {mend}')

    @property
    def extra(self) -> tuple[str, ...]:
        """Columns beyond those of every corpus, in the order given."""
        return tuple(name for name in self.columns if name not in COLUMNS)

    def wants(self, name: str) -> bool:
        """Whether a field of this name may be of use."""
        named = {fields.squash(field) for field in self.columns.values()}
        own = name in self.kept or fields.squash(name) in named
        return own or fields.is_known(name) or fields.is_markup(name)
