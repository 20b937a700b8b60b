"""What the caller asked for, handed to every reader."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from toolkit.corpus import COLUMNS, check_columns
from toolkit.loading.limits import Limits


@dataclass(frozen=True, slots=True)
class Options:
    """The keyword arguments of :func:`toolkit.loading.load`, checked."""

    columns: Mapping[str, str] = field(default_factory=dict)
    encoding: str | None = None
    detect_language: bool = True
    repair: tuple[str, ...] = ()
    limits: Limits = field(default_factory=Limits)

    def __post_init__(self) -> None:
        for column, name in self.columns.items():
            if not isinstance(column, str) or not isinstance(name, str) or not column or not name:
                msg = (
                    f'columns={{{column!r}: {name!r}}}: both must be names, as in columns={{"text": "body"}}'
                )
                raise TypeError(msg)
        check_columns(self.columns)
        if "source" in self.columns:
            msg = (
                'columns={"source": …}: source is written by the reader (file#record); '
                'use another name, as in columns={"outlet": "source"}'
            )
            raise ValueError(msg)

    @property
    def extra(self) -> tuple[str, ...]:
        """Columns beyond those of every corpus, in the order given."""
        return tuple(name for name in self.columns if name not in COLUMNS)
