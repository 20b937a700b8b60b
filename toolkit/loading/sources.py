"""From what the caller names (paths, globs, folders, open files) to the files to be read; the members of archives."""

from __future__ import annotations

import errno
import glob
import io
import itertools
import os
import re
import stat
import struct
import sys
import tarfile
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import IO, Any, TypeAlias

import pandas as pd

from toolkit.files import placed
from toolkit.loading.quarantine import Limits, Unreadable, printable
from toolkit.loading.streams import CHUNK, DAMAGE, Budget, Stream, unpacking

Place: TypeAlias = "str | os.PathLike[str] | IO[bytes] | IO[str]"
Paths: TypeAlias = "Place | Iterable[Place]"
# what an archive says of a member: its name, why it must not be read, and how to open it
_Entry: TypeAlias = tuple[str, str | None, Callable[[], IO[bytes]]]

LONGEST_NAME, LONGEST_PATH = 255, 4095  # bytes of the name of a file and of a path on the systems of today

_ESCAPED = re.compile(r"\[([*?[])\]")  # a sign of patterns that stands for itself
_SYSTEM = frozenset({"thumbs.db", "desktop.ini", "__macosx"})
_LONGEST_EXTENDED_HEADER = 1 << 20
_EXTENDED = frozenset(
    {tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK}
)  # fmt: skip
_LARGEST_MEMBER = 1 << 40
_LINK = "a link or device in an archive; not followed"
_ZIP_MEMBER = b"PK\3\4"
_DRIVE = re.compile(r"[a-zA-Z]:")


@dataclass(slots=True)
class Source:
    """One file to be read: its label in the column ``source``, its name for the extension, and a path or an open file.

    ``fault`` says why it is not opened, though it lies in a folder that was given.
    """

    label: str
    name: str
    path: Path | None = None
    file: Any = None
    fault: str | None = None

    def open(self, limits: Limits) -> Stream:
        """Return the file's bytes; ``OSError`` where it cannot be opened."""
        if self.fault is not None:
            raise OSError(errno.EPERM, self.fault)
        if self.path is None:
            budget = Budget(limits)
            return Stream(budget.reading(self.file), budget)
        file = self.path.open("rb")
        state = os.fstat(file.fileno())
        regular = stat.S_ISREG(state.st_mode)
        budget = Budget(limits, state.st_size if regular else None)
        return Stream(budget.reading(file), budget, own=file, seekable=regular)


def find_sources(paths: Paths) -> list[Source]:
    """Return the files behind ``paths``, each once: those with a path sorted by it, then open files as given.

    Of the paths that links give to one file the first counts. In a folder :func:`hidden` files are passed over; pipes,
    devices and links out of it have a ``fault``. Raises FileNotFoundError where nothing is found, TypeError for
    something else than paths and open files.
    """
    found: dict[Path, Source] = {}
    streams: list[Source] = []
    if hasattr(paths, "to_pandas") or isinstance(paths, (pd.DataFrame, pd.Series, Mapping)):
        mend = "a table with a column of texts is a corpus already: give it to toolkit.clean"
        raise TypeError(f"load: a {type(paths).__name__} is no place; {mend}")
    several = isinstance(paths, Iterable) and not isinstance(paths, (str, os.PathLike))
    for item in list(paths) if several and not hasattr(paths, "read") else [paths]:  # type: ignore[arg-type]
        if isinstance(item, str) and item == "-":
            streams.append(Source("stdin", "stdin", file=standard_input()))
        elif hasattr(item, "read"):
            given = None if isinstance(item, io.StringIO) else getattr(item, "name", None)
            name = printable(Path(given).name, 255) if isinstance(given, str) else "stream"
            streams.append(Source(name, name, file=item))
        elif isinstance(item, (str, os.PathLike)):
            for path, label, root in _expand(os.fspath(placed(item))):
                fault = None if root is None else _fault(path, root)
                source = found.setdefault(path, Source(label, path.name, path=path, fault=fault))
                if root is None:  # what is named by itself is read, whatever it is
                    source.fault = None
        else:
            mend = "give a path, a glob, a folder, an open file or a list of these"
            raise TypeError(f"load: {item!r} is {type(item).__name__}; {mend}")
    real, places = cache(os.path.realpath), dict[tuple[bool, Path], Path]()
    for path in sorted(found, key=lambda path: path.parts):
        opened = found[path].fault is None
        followed = Path(real(path)) if path.is_symlink() else Path(real(path.parent), path.name)
        places.setdefault((opened, followed if opened else path), path)
    files = {path: found[path] for path in places.values()}
    folders: dict[str, list[Path]] = {}
    for path, source in files.items():
        folders.setdefault(source.label, []).append(path.parent)
    for path, source in files.items():
        if len(same := folders[source.label]) > 1:  # told apart by the folders in which they differ
            source.label = _label(path, Path(os.path.commonpath(same)))
    seen: Counter[str] = Counter()
    for source in (sources := [*files.values(), *streams]):
        seen[source.label] += 1
        if seen[source.label] > 1:
            source.label = f"{source.label}~{seen[source.label]}"
    return sources


def standard_input() -> Any:
    """Return standard input as bytes; FileNotFoundError if whoever started the process has closed it."""
    if sys.stdin is None:
        raise FileNotFoundError("-: standard input is closed; name a file, or pipe one in")
    return getattr(sys.stdin, "buffer", sys.stdin)


def _expand(text: str) -> Iterator[tuple[Path, str, Path | None]]:
    """Yield the files behind one path or pattern, each with its label and the folder that it was found in."""
    path = Path(text)
    longest = max((len(part.encode("utf-8", "replace")) for part in path.parts), default=0)
    is_text = "\n" in text or longest > LONGEST_NAME or len(text) > LONGEST_PATH
    if is_text and not os.path.lexists(text):
        mend = "toolkit.show and toolkit.clean take texts, load takes files: write it to one first"
        raise FileNotFoundError(f"load: {printable(text, 40)!r}… looks like a text, not a path; {mend}")
    root: Path | None = path
    files, none = list[Path](), "no such file or folder"
    if path.is_dir():
        files, none = list(_walk(path)), "no files in this folder"
    elif path.exists() or path.is_symlink():
        files, root = [path], None
    elif glob.has_magic(text):
        matches = [Path(match) for match in sorted(glob.glob(text, recursive=True))]  # noqa: PTH207 - absolute patterns
        files = [file for match in matches for file in (_walk(match) if match.is_dir() else [match])]
        # `[[]` stands for a bracket in a name
        fixed = itertools.takewhile(lambda part: not glob.has_magic(_ESCAPED.sub("", part)), path.parts[:-1])
        root = Path(*(_ESCAPED.sub(r"\1", part) for part in fixed))
        none = "matches no file"
    elif "://" in text:
        none = "loading does not use the network; download the file and pass its path"
    if not files:
        raise FileNotFoundError(f"{text}: {none}")
    for file in files:
        # abspath, since resolve() would follow links and change names
        yield Path(os.path.abspath(file)), _label(file, root or path.parent), root  # noqa: PTH100


def hidden(name: str) -> bool:
    """Whether a file is one of the system's or of an open office program, or lies in a folder that is hidden."""
    parts = name.replace("\\", "/").split("/")
    system = _SYSTEM.intersection(part.lower() for part in parts)
    return bool(system) or any(part.startswith((".", "~$")) and part not in {".", ".."} for part in parts)


def _walk(folder: Path) -> Iterator[Path]:
    """Yield the files of a folder, and the folders that cannot be looked into or are links that lead out."""
    closed: list[OSError] = []
    for where, folders, files in os.walk(folder, onerror=closed.append):
        folders[:] = sorted(name for name in folders if not hidden(name))
        links = [name for name in folders if Path(where, name).is_symlink()]
        out = [name for name in links if not Path(where, name).resolve().is_relative_to(folder.resolve())]
        yield from (Path(where, name) for name in sorted([*files, *out]) if not hidden(name))
    yield from (Path(error.filename) for error in closed)


def _fault(path: Path, root: Path) -> str | None:
    """Return why a file found in a folder is not opened: it would block the reader, or lies elsewhere."""
    try:
        if path.is_symlink() and (path.is_dir() or not path.resolve().is_relative_to(root.resolve())):
            return "a link that leads out of the folder; not followed; pass its own path to read it"
        mode = path.stat().st_mode
        plain = stat.S_ISREG(mode) or stat.S_ISDIR(mode)
        return None if plain else "a pipe or device; not read; pass its own path to read it"
    except (OSError, RuntimeError):
        return None  # opening it gives the reason


def _label(path: Path, root: Path) -> str:
    return printable(Path(os.path.relpath(path, root)).as_posix(), 4096)


def members(stream: Stream, form: str, label: str) -> Iterator[tuple[str, str, Stream | Unreadable]]:
    """Yield the label (``pages.zip!news/a.html``), the name and the bytes of each member, to be read before the next.

    Folders and hidden files are left out. Links, devices, encrypted members and names that lead out of the archive are
    refused. Raises :class:`Unreadable` where it is damaged or exceeds a limit.
    """
    for name, reason, opened in _zipped(stream) if form == "zip" else _tarred(stream):
        if hidden(name):
            continue
        stream.budget.count_member()
        place = f"{label}!{printable(name, 4096)}"
        if reason := unsafe(name) or reason:
            yield place, name, Unreadable(reason)
            continue
        try:
            file = opened()
        except DAMAGE as error:
            yield place, name, Unreadable(f"damaged {form} member: {error}")
            continue
        with file:
            # the bytes of a tar archive are those of the stream, which were counted when it was unpacked
            read = unpacking(file.read, "archive member", stream.budget if form == "zip" else None)
            yield place, name, Stream(read, stream.budget)


def unsafe(name: str) -> str | None:
    """Return why a member with this name must not be read, or None if it may be."""
    plain = name.replace("\\", "/")
    if plain.startswith("/") or _DRIVE.match(plain):
        return "absolute name in an archive; not read"
    return "name leads out of the archive; not read" if ".." in plain.split("/") else None


def _zipped(stream: Stream) -> Iterator[_Entry]:
    try:
        whole = stream.as_file()
        archive = zipfile.ZipFile(whole)
    except DAMAGE as error:
        raise Unreadable(f"damaged or truncated zip archive: {error}") from None
    with archive:
        outside = _outside(whole, archive)
        for info in archive.infolist():
            # is_dir fails on an empty name; a folder that holds bytes is none
            if info.filename.endswith("/") and not info.file_size:
                continue
            linked = info.create_system == 3 and (info.external_attr >> 28) & 0xF not in {0, 8}
            reason = _LINK if linked else "encrypted; unpack it first" if info.flag_bits & 1 else None
            yield info.filename, reason, partial(archive.open, info)
        if outside:
            raise Unreadable(f"{outside} bytes belong to no member that the directory lists; not read")


def _outside(file: IO[bytes], archive: zipfile.ZipFile) -> int:
    """Return how many bytes stand behind the end of a zip archive, or between its members and may be another one."""
    mark = 22 + len(archive.comment)
    file.seek(max(0, file.seek(0, 2) - (1 << 16) - mark))
    tail = file.read()
    found = len(tail[tail.rfind(b"PK\5\6") + mark :].strip(b"\0"))
    end = 0
    # a member before the archive's start is damaged
    members = sorted((i.header_offset, i.compress_size) for i in archive.infolist() if i.header_offset >= 0)
    for start, size in (*members, (archive.start_dir, 0)):
        if start - end >= 30:
            file.seek(end)
            gap = file.read(min(start - end, CHUNK))
            found += start - end if _ZIP_MEMBER in gap or len(gap) == CHUNK else 0
        file.seek(start + 26)
        end = start + 30 + sum(struct.unpack("<HH", file.read(4).ljust(4, b"\0"))) + size
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
    except DAMAGE as error:
        raise Unreadable(f"damaged or truncated tar archive: {error}; members after this are lost") from None
    behind = tail.given - archive.offset  # tarfile ends quietly at a header that is none
    rest = tail.last[max(len(tail.last) - behind, 0) :]
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
    """A stream that raises EOFError behind its end, and keeps its last blocks: those of a whole archive are zeros."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._empty = self.given = 0
        self.last = b""

    def read(self, size: int) -> bytes:
        piece = self._stream.read(size)
        self._empty = 0 if piece else self._empty + 1
        if self._empty > 100:
            # tarfile skips a member that is not there by reading on, as long as its header says
            raise EOFError("unexpected end of data")
        self.given += len(piece)
        self.last = (self.last + piece)[-2 * tarfile.RECORDSIZE :]
        return piece
