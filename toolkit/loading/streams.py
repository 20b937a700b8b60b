"""Streams: read bytes in order, with a look ahead and decompression, within the limits."""

from __future__ import annotations

import bz2
import contextlib
import lzma
import tempfile
import zlib
from collections.abc import Callable
from typing import IO, Any, Protocol

import pyarrow as pa

from toolkit.loading.limits import Budget
from toolkit.loading.quarantine import Unreadable

CHUNK = 1 << 18
"""Bytes per read from a file."""

_ZSTD_STEP = 1 << 12

SPOOL = 64 << 20
"""Bytes of a copy kept in memory, if a format must seek and its source cannot; more go to an unnamed file."""

_MAGIC = {
    "gzip": (b"\x1f\x8b\x08",),
    "zstd": (b"\x28\xb5\x2f\xfd",),
    "bz2": tuple(b"BZh%d" % level for level in range(1, 10)),
    "xz": (b"\xfd7zXZ\x00",),
}


class Readable(Protocol):
    """Anything with a method ``read(n)`` that returns bytes."""

    def read(self, size: int = -1, /) -> bytes:
        """Return up to ``size`` bytes, ``b""`` at the end."""


class Stream:
    """A file that is read in order, with a look ahead; it reports damage only after the last good byte."""

    def __init__(self, raw: Readable, budget: Budget, *, seekable: IO[bytes] | None = None) -> None:
        self.raw = raw
        self.budget = budget
        self.seekable_file = seekable
        self._ahead = b""
        self._ended = False
        self._failure: Unreadable | None = None
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
            return self._read_rest()
        got = self.peek(size)
        self._ahead = self._ahead[len(got) :]
        if not got and size and self._failure is not None:
            raise self._failure
        return got

    def read_all(self, limit: int, what: str) -> bytes:
        """Return all bytes; raise :class:`Unreadable` if there is damage or are more than ``limit`` bytes."""
        got = self.peek(limit + 1)
        if len(got) > limit:
            msg = f"{what} larger than {limit / 2**20:.3g} MiB; not read; raise Limits.record_bytes"
            raise Unreadable(msg, got[:800].decode("utf-8", "backslashreplace"))
        self._ahead = b""
        if self._failure is not None:
            raise Unreadable(str(self._failure), got[:800].decode("utf-8", "backslashreplace"))
        return got

    def seekable(self) -> IO[bytes]:
        """Return the content as a file that can seek: the file itself, or an unnamed temporary copy."""
        if self.seekable_file is not None:
            self.seekable_file.seek(0)
            return self.seekable_file
        self._copy = copy = tempfile.SpooledTemporaryFile(max_size=SPOOL)  # noqa: SIM115 - close() closes it
        while piece := self.read(CHUNK):
            copy.write(piece)
        copy.seek(0)
        return copy

    def close(self) -> None:
        """Drop the temporary copy, if one was made."""
        if self._copy is not None:
            self._copy.close()

    def _read_rest(self) -> bytes:
        pieces = []
        while piece := self.read(CHUNK):
            pieces.append(piece)
        return b"".join(pieces)

    def _next(self, size: int) -> bytes:
        try:
            piece = self.raw.read(size)
        except Unreadable as failure:
            self._failure, piece = failure, b""
        except OSError as error:
            self._failure, piece = Unreadable(f"cannot be read: {error.strerror or error}"), b""
        self._ended = not piece
        return piece


class Counted:
    """A raw file that counts the bytes it reads in the budget, which holds the limits."""

    def __init__(self, file: Readable, budget: Budget) -> None:
        self.file = file
        self.budget = budget

    def read(self, size: int = -1) -> bytes:
        """Return up to ``size`` bytes."""
        given: Any = self.file.read(size) or b""  # a non-blocking file gives None
        piece: bytes = given.encode("utf-8", "surrogatepass") if isinstance(given, str) else given
        self.budget.feed(len(piece))
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
            good: list[bytes] = []
            with contextlib.suppress(zlib.error):
                good.extend(before.decompress(data[i : i + 1], max_length) for i in range(len(data)))
            return b"".join(good)

    @property
    def eof(self) -> bool:
        return self._inflate.eof

    @property
    def needs_input(self) -> bool:
        return self._failure is None and not self._inflate.unconsumed_tail

    @property
    def unused_data(self) -> bytes:
        return self._inflate.unused_data


_DECOMPRESSORS: dict[str, Callable[[], Any]] = {
    "gzip": _Gzip,
    "bz2": bz2.BZ2Decompressor,
    "xz": lzma.LZMADecompressor,
}


class _Unpacked:
    """The decompressed bytes of a gzip, bz2 or xz stream, which may have several members."""

    def __init__(self, packed: Stream, codec: str) -> None:
        self.packed = packed
        self.codec = codec
        self._member = _DECOMPRESSORS[codec]()
        self._started = False

    def read(self, size: int = -1) -> bytes:
        size = CHUNK if size < 0 else size
        pieces, held = [], 0
        while held < size:
            try:
                piece = self._step(size - held)
            except (zlib.error, OSError, lzma.LZMAError, EOFError) as error:
                msg = f"damaged {self.codec} data: {error}; what follows is lost"
                raise Unreadable(msg) from None
            if piece is None:
                break
            self.packed.budget.spend(len(piece))
            pieces.append(piece)
            held += len(piece)
            if held:
                break
        return b"".join(pieces)

    def _step(self, size: int) -> bytes | None:
        member = self._member
        if member.eof:
            rest = member.unused_data + (b"" if member.unused_data.strip(b"\0") else self.packed.read(CHUNK))
            while rest and not rest.strip(b"\0"):
                rest = self.packed.read(CHUNK)
            if not rest:
                return None
            self._member = member = _DECOMPRESSORS[self.codec]()
            self._started = True
            return member.decompress(rest.lstrip(b"\0"), size)
        data = self.packed.read(CHUNK) if member.needs_input else b""
        if not data and member.needs_input:
            msg = f"truncated {self.codec} data: the file ends before its end mark; what follows is lost"
            raise Unreadable(msg)
        return member.decompress(data, size)


class _Zstd:
    """The decompressed bytes of a zstd stream with all its frames, by pyarrow."""

    def __init__(self, packed: Stream) -> None:
        self.packed = packed
        self._arrow = pa.CompressedInputStream(pa.PythonFile(_Plain(packed), mode="r"), "zstd")

    def read(self, size: int = -1) -> bytes:
        try:
            # a call that finds damage loses the bytes it has unpacked, so each call asks for few
            piece: bytes = self._arrow.read(_ZSTD_STEP)
        except (OSError, pa.ArrowException) as error:
            kind = "truncated" if "runcated" in str(error) else "damaged"
            msg = f"{kind} zstd data: {error}; what follows is lost"
            raise Unreadable(msg) from None
        self.packed.budget.spend(len(piece))
        return piece


class _Plain:
    """A stream with the methods that pyarrow requires of a Python file."""

    closed = False

    def __init__(self, stream: Stream) -> None:
        self._stream = stream

    def read(self, size: int = -1) -> bytes:
        return self._stream.read(size)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return False

    def close(self) -> None:
        self.closed = True


def codec(stream: Stream) -> str | None:
    """Return the compression by the first bytes: ``gzip``, ``zstd``, ``bz2``, ``xz`` or None."""
    start = stream.peek(6)
    return next((name for name, magic in _MAGIC.items() if start.startswith(magic)), None)


def unpack(stream: Stream, name: str) -> Stream:
    """Return a stream of the decompressed bytes."""
    return Stream(_Zstd(stream) if name == "zstd" else _Unpacked(stream, name), stream.budget)
