"""Limits on what a file may ask of the reader, and the account of what it has asked."""

from __future__ import annotations

from dataclasses import dataclass

from toolkit.loading.quarantine import Unreadable


@dataclass(frozen=True, slots=True)
class Limits:
    """How large, how dense and how deep input may be before it is refused.

    Attributes
    ----------
    record_bytes : int
        Largest single record, page or plain text file, in bytes after decompression.
    ratio : int
        Bytes that may come out of each byte that went in, once ``free_bytes`` have come out.
    free_bytes : int
        Expansion that is never questioned: small files of very repetitive text are legitimate.
    archive_bytes : int
        Bytes that one archive may expand to, nested archives included.
    members : int
        Members of one archive.
    nesting : int
        Layers of packing around a document: an archive or a compression is one layer each.
    json_depth : int
        Brackets within brackets in one JSON record.

    Examples
    --------
    >>> Limits().record_bytes // 2**20
    64
    """

    record_bytes: int = 64 << 20
    ratio: int = 200
    free_bytes: int = 64 << 20
    archive_bytes: int = 64 << 30
    members: int = 1_000_000
    nesting: int = 3
    json_depth: int = 100


class Budget:
    """Bytes that came out of one input file so far, held against the bytes that went in."""

    def __init__(self, limits: Limits, size: int | None = None) -> None:
        self.limits = limits
        self.raw = size or 0
        self.counts_raw = size is None
        self.spent = 0
        self.members = 0
        self.ceiling: int | None = None
        self.refused: str | None = None

    def feed(self, count: int) -> None:
        """Note ``count`` packed bytes read, where the size of the input is not known beforehand."""
        if self.counts_raw:
            self.raw += count

    def spend(self, count: int) -> None:
        """Note ``count`` unpacked bytes, or raise :class:`Unreadable` where a limit is passed."""
        self.afford(count)
        self.spent += count

    def afford(self, count: int) -> None:
        """Raise :class:`Unreadable` where ``count`` more unpacked bytes would pass a limit."""
        limits = self.limits
        if self.spent + count > limits.free_bytes + limits.ratio * self.raw:
            self.refused = (
                f"expands more than {limits.ratio}:1 beyond the first {limits.free_bytes / 2**20:.3g} MiB; "
                "not read further; raise Limits.ratio if the file is trusted"
            )
        elif self.ceiling is not None and self.spent + count > self.ceiling:
            self.refused = (
                f"archive expands to more than {limits.archive_bytes / 2**20:.3g} MiB; not read further"
            )
        if self.refused:
            raise Unreadable(self.refused)

    def open_archive(self) -> None:
        """Hold everything unpacked from now on against ``archive_bytes``."""
        if self.ceiling is None:
            self.ceiling = self.spent + self.limits.archive_bytes

    def count_member(self) -> None:
        """Note one more member, or raise :class:`Unreadable` where there are too many."""
        self.members += 1
        if self.members > self.limits.members:
            msg = f"archive holds more than {self.limits.members} members; not read further"
            raise Unreadable(msg)
