"""Archives: read the members of zip and tar files as streams; no file is ever written under a member's name."""

from __future__ import annotations

import lzma
import re
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from typing import IO, Any, NamedTuple

from toolkit.loading.quarantine import Rejected, Unreadable, printable
from toolkit.loading.sources import hidden
from toolkit.loading.streams import CHUNK, Counted, Stream

_LONGEST_EXTENDED_HEADER = 1 << 20
_EXTENDED = frozenset(
    {tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK}
)  # fmt: skip
_LARGEST_MEMBER = 1 << 40
_LINK = "a link or device in an archive; not followed"
_ZIP_MEMBER = b"PK\3\4"
_DRIVE = re.compile(r"[a-zA-Z]:")
# raised by zipfile if the bytes are not an archive, are encrypted or use an unknown compression
_ZIP_DAMAGE = (zipfile.BadZipFile, struct.error, OSError, ValueError, RuntimeError, EOFError)


class Member(NamedTuple):
    """One file of an archive: its label (``pages.zip!news/a.html``), its name and its bytes."""

    label: str
    name: str
    stream: Stream


def members(stream: Stream, form: str, label: str) -> Iterator[Member | Rejected]:
    """Yield the members of an archive in its own order; read each member before you request the next.

    Folders and hidden files are skipped. Links, devices, encrypted members and names that lead out of the archive
    are rejected. Raises :class:`Unreadable` where the archive is damaged or exceeds a limit.
    """
    stream.budget.open_archive()
    return _zipped(stream, label) if form == "zip" else _tarred(stream, label)


def fault(name: str) -> str | None:
    """Return why a member with this name must not be read, or None if it may be."""
    plain = name.replace("\\", "/")
    if plain.startswith("/") or _DRIVE.match(plain):
        return "absolute name in an archive; not read"
    return "name leads out of the archive; not read" if ".." in plain.split("/") else None


def _zipped(stream: Stream, label: str) -> Iterator[Member | Rejected]:
    try:
        whole = stream.as_file()
        archive = zipfile.ZipFile(whole)
    except _ZIP_DAMAGE as error:
        raise Unreadable(f"damaged or truncated zip archive: {error}") from None
    with archive:
        start = min((info.header_offset for info in archive.infolist()), default=archive.start_dir)
        whole.seek(0)
        if start and whole.read(4) == _ZIP_MEMBER:
            yield Rejected(
                label, f"another zip archive stands in the {start} bytes before this one; not read"
            )
        if stray := _behind(whole, archive.comment):
            yield Rejected(label, f"{stray} bytes stand behind the end of this zip archive; not read")
        if unlisted := _unlisted(whole, archive):
            yield Rejected(
                label, f"{unlisted} bytes of members that the archive's directory does not list; not read"
            )
        for info in archive.infolist():
            # is_dir fails on an empty name; a folder that holds bytes is none
            if (info.filename.endswith("/") and not info.file_size) or hidden(info.filename):
                continue
            stream.budget.count_member()
            place = f"{label}!{printable(info.filename, 4096)}"
            kind = (info.external_attr >> 28) & 0xF
            linked = info.create_system == 3 and kind not in {0, 8}
            reason = fault(info.filename) or (_LINK if linked else None)
            if reason := reason or ("encrypted; unpack it first" if info.flag_bits & 1 else None):
                yield Rejected(place, reason)
                continue
            try:
                file: IO[bytes] = archive.open(info)
            except _ZIP_DAMAGE as error:
                yield Rejected(place, f"damaged zip member: {error}")
                continue
            with file:
                yield Member(place, info.filename, Stream(_Guarded(file, stream, spend=True), stream.budget))


def _behind(file: IO[bytes], comment: bytes) -> int:
    """Return how many bytes other than zeros stand behind a zip archive, whose end mark zipfile looks for."""
    mark = 22 + len(comment)
    file.seek(max(0, file.seek(0, 2) - (1 << 16) - mark))
    tail = file.read()
    return len(tail[tail.rfind(b"PK\5\6") + mark :].strip(b"\0"))


def _unlisted(file: IO[bytes], archive: zipfile.ZipFile) -> int:
    """Return how many bytes lie between the members of a zip archive where another member begins."""
    found = 0
    starts = sorted((info.header_offset, info.compress_size) for info in archive.infolist())
    for (start, size), (following, _) in zip(starts, [*starts[1:], (archive.start_dir, 0)], strict=False):
        file.seek(start + 26)
        end = start + 30 + sum(struct.unpack("<HH", file.read(4).ljust(4, b"\0"))) + size
        if following - end >= 30:
            file.seek(end)
            gap = file.read(min(following - end, CHUNK))
            found += following - end if _ZIP_MEMBER in gap or len(gap) == CHUNK else 0
    return found


def _tarred(stream: Stream, label: str) -> Iterator[Member | Rejected]:
    tail = _Tail(stream)
    try:
        with tarfile.open(fileobj=tail, mode="r|", tarinfo=_Header) as archive:  # type: ignore[call-overload]
            while (info := archive.next()) is not None:
                # tarfile keeps every member in a list, which would grow with the archive
                archive.members.clear()
                if not 0 <= info.size <= _LARGEST_MEMBER:
                    claim = f"a header claims {str(info.size)[:22]} bytes"
                    raise Unreadable(f"damaged tar archive: {claim}; members after this are lost")
                if info.isdir() or hidden(info.name):
                    continue
                stream.budget.count_member()
                place = f"{label}!{printable(info.name, 4096)}"
                reason = fault(info.name) or (None if info.isreg() else _LINK)
                reason = reason or ("sparse file in an archive; not read" if info.issparse() else None)
                file = archive.extractfile(info) if reason is None else None
                if file is None:
                    yield Rejected(place, reason or "not a regular file")
                    continue
                yield Member(place, info.name, Stream(_Guarded(file, stream, spend=False), stream.budget))
    except (tarfile.TarError, OSError, ValueError, EOFError) as error:
        raise Unreadable(f"damaged or truncated tar archive: {error}; members after this are lost") from None
    rest = tail.beyond(archive.offset)  # tarfile ends quietly at a header that is none
    stray = rest.strip(b"\0") if len(rest) >= tarfile.BLOCKSIZE else b""
    while not stray and (rest := stream.read(CHUNK)):
        stray = rest.strip(b"\0")
    if stray:
        where = f"what follows byte {archive.offset} is no member, or another archive"
        raise Unreadable(f"damaged tar archive: {where}; not read")
    if tail.last[-tarfile.BLOCKSIZE :].strip(b"\0"):
        raise Unreadable("truncated tar archive: no end mark; members after this, if any, are lost")


class _Header(tarfile.TarInfo):
    """A tar header that refuses very long extended headers, which tarfile would read into memory."""

    def _proc_member(self, archive: Any) -> Any:
        if self.type in _EXTENDED and self.size > _LONGEST_EXTENDED_HEADER:
            raise tarfile.ReadError(f"extended header of {self.size} bytes")
        return super()._proc_member(archive)  # type: ignore[misc]


class _Tail:
    """A stream that ends, and remembers its last blocks: an archive that was not cut off ends in zeros."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._empty = 0
        self._given = 0
        self.last = b""

    def beyond(self, place: int) -> bytes:
        """Return what was read after a place, at most two records of a tar archive ago."""
        return self.last[max(len(self.last) - (self._given - place), 0) :]

    def read(self, size: int) -> bytes:
        piece = self._stream.read(size)
        self._empty = 0 if piece else self._empty + 1
        if self._empty > 100:
            # tarfile skips a member that is not there by reading on, as long as its header says
            raise EOFError("unexpected end of data")
        self._given += len(piece)
        self.last = (self.last + piece)[-2 * tarfile.RECORDSIZE :]
        return piece


class _Guarded(Counted):
    """A member that raises :class:`Unreadable` if it is damaged and counts its unpacked bytes (zip only)."""

    def __init__(self, file: Any, stream: Stream, *, spend: bool) -> None:
        super().__init__(file, stream.budget)
        self._spend = spend

    def read(self, size: int = -1) -> bytes:
        try:
            piece: bytes = self.file.read(size)
        except (*_ZIP_DAMAGE, zlib.error, lzma.LZMAError, tarfile.TarError) as error:
            raise Unreadable(f"damaged or truncated archive member: {error}; what follows is lost") from None
        if self._spend:
            self.budget.spend(len(piece))
        return piece
