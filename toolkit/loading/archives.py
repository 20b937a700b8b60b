"""Archives: read the members of zip and tar files as streams; no file is ever written under a member's name."""

from __future__ import annotations

import lzma
import re
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from itertools import pairwise
from typing import IO, Any, NamedTuple, TypeAlias

from toolkit.loading.quarantine import Rejected, Unreadable, printable
from toolkit.loading.sources import hidden
from toolkit.loading.streams import CHUNK, Budget, Stream

_LONGEST_EXTENDED_HEADER = 1 << 20
_EXTENDED = frozenset(
    {tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK}
)  # fmt: skip
_LARGEST_MEMBER = 1 << 40
_LINK = "a link or device in an archive; not followed"
_ZIP_MEMBER = b"PK\3\4"
_DRIVE = re.compile(r"[a-zA-Z]:")
# raised by zipfile if the bytes are not an archive, are damaged, are encrypted or use an unknown compression
ZIP_DAMAGE = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, OSError, ValueError, RuntimeError, EOFError, KeyError,
)  # fmt: skip


class Member(NamedTuple):
    """One file of an archive: its label (``pages.zip!news/a.html``), its name and its bytes."""

    label: str
    name: str
    stream: Stream


# what an archive says of a member: its name, why it must not be read, and how to open it
_Entry: TypeAlias = tuple[str, str | None, Callable[[], IO[bytes]]]


def members(stream: Stream, form: str, label: str) -> Iterator[Member | Rejected]:
    """Yield the members of an archive in its own order; read each member before you request the next.

    Folders and hidden files are skipped. Links, devices, encrypted members and names that lead out of the archive
    are rejected. Raises :class:`Unreadable` where the archive is damaged or exceeds a limit.
    """
    stream.budget.open_archive()
    for name, reason, opened in _zipped(stream) if form == "zip" else _tarred(stream):
        if hidden(name):
            continue
        stream.budget.count_member()
        place = f"{label}!{printable(name, 4096)}"
        if reason := fault(name) or reason:
            yield Rejected(place, reason)
            continue
        try:
            file = opened()
        except ZIP_DAMAGE as error:
            yield Rejected(place, f"damaged {form} member: {error}")
            continue
        with file:
            # the bytes of a tar archive are those of the stream, which were counted when it was unpacked
            guarded = _Guarded(file, stream.budget, spend=form == "zip")
            yield Member(place, name, Stream(guarded, stream.budget))


def fault(name: str) -> str | None:
    """Return why a member with this name must not be read, or None if it may be."""
    plain = name.replace("\\", "/")
    if plain.startswith("/") or _DRIVE.match(plain):
        return "absolute name in an archive; not read"
    return "name leads out of the archive; not read" if ".." in plain.split("/") else None


def _zipped(stream: Stream) -> Iterator[_Entry]:
    try:
        whole = stream.as_file()
        archive = zipfile.ZipFile(whole)
    except ZIP_DAMAGE as error:
        raise Unreadable(f"damaged or truncated zip archive: {error}") from None
    with archive:
        start = min((info.header_offset for info in archive.infolist()), default=archive.start_dir)
        whole.seek(0)
        before = start if whole.read(4) == _ZIP_MEMBER else 0
        unread = {
            "of another zip archive stand before this one": before,
            "stand behind the end of this zip archive": _behind(whole, archive.comment),
            "belong to members that the archive's directory does not list": _unlisted(whole, archive),
        }
        for info in archive.infolist():
            # is_dir fails on an empty name; a folder that holds bytes is none
            if info.filename.endswith("/") and not info.file_size:
                continue
            linked = info.create_system == 3 and (info.external_attr >> 28) & 0xF not in {0, 8}
            reason = _LINK if linked else "encrypted; unpack it first" if info.flag_bits & 1 else None
            yield info.filename, reason, partial(archive.open, info)
        if found := [f"{size} bytes {what}" for what, size in unread.items() if size]:
            raise Unreadable(f"{'; '.join(found)}; not read")


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
    for (start, size), (following, _) in pairwise([*starts, (archive.start_dir, 0)]):
        file.seek(start + 26)
        end = start + 30 + sum(struct.unpack("<HH", file.read(4).ljust(4, b"\0"))) + size
        if following - end >= 30:
            file.seek(end)
            gap = file.read(min(following - end, CHUNK))
            found += following - end if _ZIP_MEMBER in gap or len(gap) == CHUNK else 0
    return found


def _tarred(stream: Stream) -> Iterator[_Entry]:
    tail = _Tail(stream)
    try:
        with tarfile.open(fileobj=tail, mode="r|", tarinfo=_Header) as archive:  # type: ignore[call-overload]
            while (info := archive.next()) is not None:
                # tarfile keeps every member in a list, which would grow with the archive
                archive.members.clear()
                if not 0 <= info.size <= _LARGEST_MEMBER:
                    claim = f"a header claims {str(info.size)[:22]} bytes"
                    raise Unreadable(f"damaged tar archive: {claim}; members after this are lost")
                if not info.isdir():
                    sparse = "sparse file in an archive; not read" if info.issparse() else None
                    reason = sparse if info.isreg() else _LINK
                    yield info.name, reason, partial(archive.extractfile, info)
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


class _Guarded:
    """A member that raises :class:`Unreadable` if it is damaged, and counts its unpacked bytes where asked."""

    def __init__(self, file: IO[bytes], budget: Budget, *, spend: bool) -> None:
        self._file, self._budget, self._spend = file, budget, spend

    def read(self, size: int = -1) -> bytes:
        try:
            piece = self._file.read(size)
        except (*ZIP_DAMAGE, tarfile.TarError) as error:
            raise Unreadable(f"damaged or truncated archive member: {error}; what follows is lost") from None
        if self._spend:
            self._budget.spend(len(piece))
        return piece
