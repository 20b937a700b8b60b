"""Streams: read bytes in order, with a look ahead and decompression, within the limits."""

from __future__ import annotations

import bz2
import contextlib
import io
import lzma
import tempfile
import zlib
from collections.abc import Iterator
from typing import IO, Any

import pyarrow as pa

from toolkit.loading.options import Limits
from toolkit.loading.quarantine import Unreadable

CHUNK = 1 << 18  # bytes per read from a file
SPOOL = 64 << 20  # bytes of a copy kept in memory, if a format must seek and its source cannot
_ZSTD_STEP = 1 << 12

_MAGIC = {
    "gzip": (b"\x1f\x8b\x08",),
    "zstd": (b"\x28\xb5\x2f\xfd",),
    "bz2": tuple(b"BZh%d" % level for level in range(1, 10)),
    "xz": (b"\xfd7zXZ\x00",),
}


class Budget:
    """Bytes that came out of one input file so far, held against the bytes that went in."""

    def __init__(self, limits: Limits, size: int | None = None) -> None:
        self.limits = limits
        self.raw, self.counts_raw = size or 0, size is None
        self.spent = self.members = 0
        self.ceiling: int | None = None
        self.refused: str | None = None

    def spend(self, count: int) -> None:
        """Note ``count`` unpacked bytes, or raise :class:`Unreadable` where a limit is passed."""
        self.afford(count)
        self.spent += count

    def afford(self, count: int) -> None:
        """Raise :class:`Unreadable` where ``count`` more unpacked bytes would pass a limit."""
        limits = self.limits
        if self.spent + count > limits.free_bytes + limits.ratio * self.raw:
            self.refused = (
                f"expands more than {limits.ratio}:1 beyond the first {_size(limits.free_bytes)}; "
                "not read further; raise Limits.ratio if the file is trusted"
            )
        elif self.ceiling is not None and self.spent + count > self.ceiling:
            self.refused = f"archive expands to more than {_size(limits.archive_bytes)}; not read further"
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
            raise Unreadable(f"archive holds more than {self.limits.members} members; not read further")

    def too_large(self, what: str, start: str | bytes = "") -> Unreadable:
        """Return the reason for something larger than a record may be."""
        most = _size(self.limits.record_bytes)
        return Unreadable(f"{what} larger than {most}; not read; raise Limits.record_bytes", start)


def _size(count: int) -> str:
    return f"{count / 2**20:.3g} MiB"


class Stream(io.RawIOBase):
    """A file that is read in order, with a look ahead; it reports damage only after the last good byte."""

    def __init__(self, raw: Any, budget: Budget, *, seekable: IO[bytes] | None = None) -> None:
        super().__init__()
        self.raw = raw
        self.budget = budget
        self._seekable = seekable
        self._ahead = b""
        self._ended = False
        self.failure: Unreadable | None = None
        self._copy: IO[bytes] | None = None

    def peek(self, size: int) -> bytes:
        """Return the next ``size`` bytes (fewer at the end) without consuming them."""
        pieces, held = [self._ahead], len(self._ahead)
        while held < size and not self._ended:
            piece = self._next(max(size - held, CHUNK))
            pieces.append(piece)
            held += len(piece)
        self._ahead = b"".join(pieces)
        return self._ahead[:size]

    def read(self, size: int = -1) -> bytes:
        """Return exactly ``size`` bytes (all for -1), or fewer at the end.

        If the stream ended because of damage, the first call that finds no byte left raises that error.
        """
        if size < 0:
            return b"".join(iter(lambda: self.read(CHUNK), b""))
        got = self._take(size)
        if not got and size and self.failure is not None:
            raise self.failure
        return got

    def readable(self) -> bool:
        """Say so to pyarrow and to :class:`io.BufferedReader`."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer as far as there are bytes; return how many. Damage ends it, and stays in ``failure``."""
        got = self._take(len(buffer))
        buffer[: len(got)] = got
        return len(got)

    def read_all(self, what: str) -> bytes:
        """Return all bytes of a file that is one record; raise :class:`Unreadable` if damaged or too large."""
        limit = self.budget.limits.record_bytes
        got = self.peek(limit + 1)
        if len(got) > limit:
            raise self.budget.too_large(what, got)
        self._ahead = b""
        if self.failure is not None:
            raise Unreadable(str(self.failure), got)
        return got

    def as_file(self) -> IO[bytes]:
        """Return the content as a file that can seek: the file itself, or an unnamed temporary copy."""
        if self._seekable is not None:
            self._seekable.seek(0)
            return self._seekable
        self._copy = copy = tempfile.SpooledTemporaryFile(max_size=SPOOL)  # noqa: SIM115 - close() closes it
        while piece := self.read(CHUNK):
            copy.write(piece)
        copy.seek(0)
        return copy

    def close(self) -> None:
        """Drop the temporary copy, if one was made."""
        if self._copy is not None:
            self._copy.close()
        super().close()

    def _take(self, size: int) -> bytes:
        got = self.peek(size)
        self._ahead = self._ahead[len(got) :]
        return got

    def _next(self, size: int) -> bytes:
        try:
            piece = self.raw.read(size)
        except Unreadable as failure:
            self.failure, piece = failure, b""
        except OSError as error:
            self.failure, piece = Unreadable(f"cannot be read: {error.strerror or error}"), b""
        self._ended = not piece
        return piece


class Counted:
    """A raw file that counts the bytes it reads in the budget, which holds the limits."""

    def __init__(self, file: Any, budget: Budget) -> None:
        self.file = file
        self.budget = budget

    def read(self, size: int = -1) -> bytes:
        """Return up to ``size`` bytes."""
        given = self.file.read(size) or b""  # a non-blocking file gives None
        piece: bytes = given.encode("utf-8", "surrogatepass") if isinstance(given, str) else given
        if self.budget.counts_raw:
            self.budget.raw += len(piece)
        return piece


class _Gzip:
    """A gzip decompressor with the interface of ``bz2.BZ2Decompressor``."""

    def __init__(self) -> None:
        self._inflate = zlib.decompressobj(31)
        self._failure: zlib.error | None = None

    def decompress(self, data: bytes, max_length: int) -> bytes:
        if self._failure is not None:
            raise self._failure
        data = self._inflate.unconsumed_tail + data
        before = self._inflate.copy()
        try:
            return self._inflate.decompress(data, max_length)
        except zlib.error as error:
            # zlib drops the bytes that it unpacked before the damage; going byte by byte recovers them
            self._failure = error
            good = bytearray()
            with contextlib.suppress(zlib.error):
                for i in range(len(data)):
                    good += before.decompress(data[i : i + 1], max_length)
            return bytes(good)

    def __getattr__(self, name: str) -> Any:
        if name == "needs_input":
            return self._failure is None and not self._inflate.unconsumed_tail
        return getattr(self._inflate, name)


_DECOMPRESSORS: dict[str, Any] = {"gzip": _Gzip, "bz2": bz2.BZ2Decompressor, "xz": lzma.LZMADecompressor}


class _Unpacked:
    """The decompressed bytes of a stream."""

    def __init__(self, packed: Stream, codec: str) -> None:
        self._codec, self._budget = codec, packed.budget
        self._pieces = _of_zstd(packed) if codec == "zstd" else _of_members(packed, _DECOMPRESSORS[codec])

    def read(self, size: int = -1) -> bytes:
        try:
            piece = next(self._pieces, b"")
        except (zlib.error, OSError, lzma.LZMAError, EOFError, pa.ArrowException) as error:
            cut_off = isinstance(error, EOFError) or "runcated" in str(error)
            kind = "truncated" if cut_off else "damaged"
            raise Unreadable(f"{kind} {self._codec} data: {error}; what follows is lost") from None
        self._budget.spend(len(piece))
        return piece


def _of_members(packed: Stream, decompressor: Any) -> Iterator[bytes]:
    """Yield the bytes of all members of a gzip, bz2 or xz stream."""
    member, data = decompressor(), b""
    while True:
        if member.eof:
            data = member.unused_data
            while not data.strip(b"\0"):  # zeros may pad the end of a member
                if not (data := packed.read(CHUNK)):
                    return
            member, data = decompressor(), data.lstrip(b"\0")
        elif member.needs_input and not (data := packed.read(CHUNK)):
            raise EOFError("the file ends before its end mark")
        if piece := member.decompress(data, CHUNK):
            yield bytes(piece)
        data = b""


def _of_zstd(packed: Stream) -> Iterator[bytes]:
    arrow = pa.CompressedInputStream(pa.PythonFile(packed, mode="r"), "zstd")
    # a call that finds damage loses the bytes it has unpacked, so each call asks for few
    while piece := arrow.read(_ZSTD_STEP):
        yield piece


def codec(stream: Stream) -> str | None:
    """Return the compression by the first bytes: ``gzip``, ``zstd``, ``bz2``, ``xz`` or None."""
    start = stream.peek(6)
    return next((name for name, magic in _MAGIC.items() if start.startswith(magic)), None)


def unpack(stream: Stream, name: str) -> Stream:
    """Return a stream of the decompressed bytes."""
    return Stream(_Unpacked(stream, name), stream.budget)
