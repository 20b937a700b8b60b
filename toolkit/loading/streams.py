"""Streams: read bytes in order, with a look ahead, within the limits; unpack them; decode text."""

from __future__ import annotations

import bz2
import codecs
import contextlib
import io
import lzma
import struct
import tarfile
import tempfile
import unicodedata
import zipfile
import zlib
from collections.abc import Callable, Iterator
from typing import IO, Any, TypeAlias

import pyarrow as pa

from toolkit.loading.codepages import detect
from toolkit.loading.quarantine import Limits, Unreadable

Read: TypeAlias = Callable[[int], bytes]  # returns up to so many bytes, none at the end

CHUNK = 1 << 18  # bytes per read from a file
SPOOL = 64 << 20  # bytes of a copy kept in memory, if a format must seek and its source cannot
_ZSTD_STEP = 1 << 12

# raised where bytes are of another kind, are damaged, are encrypted or use a compression that is not known
DAMAGE = (
    zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, struct.error, pa.ArrowException, OSError,
    ValueError, RuntimeError, EOFError, KeyError,
)  # fmt: skip

_MAGIC = {
    "gzip": (b"\x1f\x8b\x08",), "zstd": (b"\x28\xb5\x2f\xfd",), "xz": (b"\xfd7zXZ\x00",),
    "bz2": tuple(b"BZh%d" % level for level in range(1, 10)),
}  # fmt: skip
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"),
)  # fmt: skip
_LOOK = 4096  # bytes looked at for zeros
_NOT_ASCII = bytes(range(128, 256))
_CONTROL = bytes(set(range(32)) - set(b"\t\n\r\f\v\b\x1b"))


class Budget:
    """Bytes that came out of one input file so far, held against the bytes that went in."""

    def __init__(self, limits: Limits, size: int | None = None) -> None:
        self.limits = limits
        self.raw, self._counts_raw = size or 0, size is None
        self.spent = self.members = 0
        self.ceiling: int | None = None
        self.refused: str | None = None

    def reading(self, file: Any) -> Read:
        """Return a function that reads up to so many bytes of a raw file, which are noted if its size is not known."""

        def read(size: int) -> bytes:
            given = file.read(size) or b""  # a non-blocking file gives None
            piece: bytes = given.encode("utf-8", "surrogatepass") if isinstance(given, str) else given
            self.raw += len(piece) if self._counts_raw else 0
            return piece

        return read

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
            most = f"{limits.archive_bytes / 2**20:.3g} MiB"
            self.refused = f"archive expands to more than {most}; not read further"
        if self.refused:
            raise Unreadable(self.refused)

    def count_member(self) -> None:
        """Note one more member of an archive, whose bytes count from the first on; refuse too many."""
        if self.ceiling is None:
            self.ceiling = self.spent + self.limits.archive_bytes
        self.members += 1
        if self.members > self.limits.members:
            raise Unreadable(f"archive holds more than {self.limits.members} members; not read further")

    def too_large(self, what: str, start: str | bytes = "") -> Unreadable:
        """Return the reason for something larger than a record may be."""
        most = f"{self.limits.record_bytes / 2**20:.3g} MiB"
        return Unreadable(f"{what} larger than {most}; not read; raise Limits.record_bytes", start)


class Stream(io.RawIOBase):
    """A file that is read in order, with a look ahead; it reports damage only after the last good byte."""

    def __init__(
        self, read: Read, budget: Budget, *, own: IO[bytes] | None = None, seekable: bool = False
    ) -> None:
        super().__init__()
        self._read, self.budget, self._seekable = read, budget, seekable
        self._ahead = b""
        self._ended = False
        self.failure: Unreadable | None = None
        self._own = [] if own is None else [own]

    def peek(self, size: int) -> bytes:
        """Return the next ``size`` bytes (fewer at the end) without consuming them."""
        pieces, held = [self._ahead], len(self._ahead)
        while held < size and not self._ended:
            try:
                piece = self._read(max(size - held, CHUNK))
            except Unreadable as failure:
                self.failure, piece = failure, b""
            except OSError as error:
                self.failure, piece = Unreadable(f"cannot be read: {error.strerror or error}"), b""
            self._ended = not piece
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
        if not self._seekable:
            self._own.append(tempfile.SpooledTemporaryFile(max_size=SPOOL))  # noqa: SIM115 - close() closes it
            self._own[-1].writelines(iter(lambda: self.read(CHUNK), b""))
        self._own[-1].seek(0)
        return self._own[-1]

    def close(self) -> None:
        """Close the file that was opened for it, and drop the temporary copy, if one was made."""
        for file in self._own:
            file.close()
        super().close()

    def _take(self, size: int) -> bytes:
        got = self.peek(size)
        self._ahead = self._ahead[len(got) :]
        return got


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


def unpacking(read: Read, what: str, budget: Budget | None = None) -> Read:
    """Return ``read`` with damage turned into an :class:`Unreadable`; a budget that is given counts the bytes."""

    def checked(size: int) -> bytes:
        try:
            piece = read(size)
        except DAMAGE as error:
            cut_off = isinstance(error, EOFError) or "runcated" in str(error)
            kind = "truncated" if cut_off else "damaged"
            raise Unreadable(f"{kind} {what}: {error}; what follows is lost") from None
        if budget is not None:
            budget.spend(len(piece))
        return piece

    return checked


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


def codec(stream: Stream) -> str | None:
    """Return the compression by the first bytes: ``gzip``, ``zstd``, ``bz2``, ``xz`` or None."""
    start = stream.peek(6)
    return next((name for name, magic in _MAGIC.items() if start.startswith(magic)), None)


def unpack(stream: Stream, name: str) -> Stream:
    """Return a stream of the decompressed bytes."""
    if name == "zstd":
        arrow = pa.CompressedInputStream(pa.PythonFile(stream, mode="r"), "zstd")
        # a call that finds damage loses the bytes it has unpacked, so each call asks for few
        pieces: Iterator[bytes] = iter(lambda: arrow.read(_ZSTD_STEP), b"")
    else:
        kinds: dict[str, Any] = {"gzip": _Gzip, "bz2": bz2.BZ2Decompressor, "xz": lzma.LZMADecompressor}
        pieces = _of_members(stream, kinds[name])
    return Stream(unpacking(lambda _: next(pieces, b""), f"{name} data", stream.budget), stream.budget)


def unicode_form(start: bytes) -> str | None:
    """Return the codec that a byte order mark names, or that zero bytes show where there is none; or None."""
    return next((name for mark, name in _BOMS if start.startswith(mark)), unmarked(start))


def unmarked(start: bytes) -> str | None:
    """Return which UTF-16 or UTF-32 a text without a byte order mark is in, by the zero bytes of its ASCII; or None."""
    start = start[: min(len(start), _LOOK) & ~3]
    zeros = start.count(0)
    ascii_else = start.isascii() and len(start.translate(None, _CONTROL)) == len(start) - zeros
    few = not zeros or zeros * (2.5 if ascii_else else 50) < len(start)
    if few or any(start.startswith(mark) for mark, _ in _BOMS):
        return None
    for name in ("utf-32-le", "utf-32-be", "utf-16-le", "utf-16-be"):
        with contextlib.suppress(UnicodeDecodeError):
            text = codecs.getincrementaldecoder(name)().decode(start)
            kinds = {unicodedata.category(character) for character in set(text) - {*"\t\n\r\f"}}
            ascii_read = "32" in name or 2 * sum(map(str.isascii, text)) >= zeros
            if ascii_read and not kinds & {"Cc", "Cn", "Co"}:
                return name
    return None


def looks_binary(start: bytes) -> bool:
    """Whether more than a few bytes, and one in twenty, are control characters that no text uses."""
    if not start or unicode_form(start) not in {None, "utf-8-sig"}:
        return False
    controls = len(start) - len(start.translate(None, _CONTROL))
    return controls > 4 and 20 * controls > len(start)


def decode(data: bytes, encoding: str | None = None) -> str:
    """Decode a whole text: in the encoding given, or by its byte order mark, or as UTF-8, or else as detected."""
    name = encoding or unicode_form(data) or ("utf-8" if is_utf8(data) else detect(data))
    if name is None:
        raise Unreadable("text in no encoding that can be recognised; pass encoding=", data)
    try:
        return data.decode(name)
    except (UnicodeDecodeError, LookupError) as error:
        raise Unreadable(f"not valid {name}: {error}; pass encoding= if it is another", data) from None


def line_encoding(sample: bytes, *, utf8_expected: bool) -> str:
    """Return the codec of a file of line records: UTF-8 where any line holds valid multi-byte UTF-8.

    So one bad line spoils no file. Where the format demands UTF-8 (JSON), half of all lines must be invalid too.
    """
    if form := unicode_form(sample):
        return form
    lines = sample.split(b"\n")
    # the sample may end within a line, and within a character
    whole = lines[:-1] or [sample.rstrip(_NOT_ASCII)]
    foreign = [line for line in whole if not line.isascii()]
    invalid = [line for line in foreign if not is_utf8(line)]
    if not invalid or len(invalid) < len(foreign):
        return "utf-8"
    if utf8_expected and 2 * len(invalid) < len([line for line in lines if line.strip()]):
        return "utf-8"
    return detect(b"\n".join(invalid)) or "utf-8"


def as_utf8(stream: Stream, encoding: str) -> Stream:
    """Return the stream as UTF-8 without a byte order mark.

    What its encoding lacks comes through as bytes that are not UTF-8, so that only the record with them is bad.
    """
    if encoding in {"utf-8", "utf-8-sig"}:
        stream.read(len(codecs.BOM_UTF8) if encoding == "utf-8-sig" else 0)
        return stream
    wide = encoding.replace("_", "-").startswith(("utf-16", "utf-32"))
    errors = "surrogatepass" if wide else "surrogateescape"
    texts = codecs.iterdecode(iter(lambda: stream.read(CHUNK), b""), encoding, errors)

    def read(_: int) -> bytes:
        try:
            return next(texts, "").encode("utf-8", errors)
        except UnicodeDecodeError as error:
            raise Unreadable(f"not valid {encoding}: {error.reason}; what follows is lost") from None

    return Stream(read, stream.budget)


def is_utf8(data: bytes) -> bool:
    """Whether bytes are UTF-8, by Arrow, which makes no string of them to find out."""
    try:
        pa.array([data], pa.large_binary()).cast(pa.large_string())
    except pa.ArrowInvalid:
        return False
    return True
