"""Faults: what the machine refuses (space, rights, memory), told in one line with its mend."""

from __future__ import annotations

import errno
import os

_FULL = "no space left on the disk; make room and run the same command again"
_DENIED = "permission denied; choose another place or get the right to it"
_NO_FOLDER = "a file stands where a folder is needed; choose another place"

_MENDS = {
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
    errno.EFBIG: "a file grew beyond what is allowed here; raise `ulimit -f` and run the same command again",
    errno.EACCES: _DENIED,
    errno.EPERM: _DENIED,
    errno.EROFS: "the file system is read-only; choose another place",
    errno.ENOENT: "gone: its folder was removed or unmounted; bring it back and run the same command again",
    errno.ENOTDIR: _NO_FOLDER,
    errno.EEXIST: _NO_FOLDER,
    errno.EISDIR: "a folder stands where a file is needed; give another name",
    errno.EIO: "the disk or its network failed; look after it and run the same command again",
    errno.EMFILE: "too many files are open; raise `ulimit -n` and run the same command again",
    errno.ENAMETOOLONG: "the name is too long; choose a shorter one",
}


def told(error: OSError | MemoryError) -> str:
    """Return a fault as place, what failed and what to do.

    Examples
    --------
    >>> told(OSError(errno.ENOSPC, "No space left on device", "out/cleaned.parquet"))
    'out/cleaned.parquet: no space left on the disk; make room and run the same command again'
    >>> told(MemoryError())
    'not enough memory; pass a smaller --rows or free some, and run the same command again'
    """
    if isinstance(error, MemoryError):
        return "not enough memory; pass a smaller --rows or free some, and run the same command again"
    if error.errno is None:  # raised by the package itself, with place and mend
        return str(error)
    place = (
        f"{os.fsdecode(error.filename)}: " if isinstance(error.filename, (str, bytes, os.PathLike)) else ""
    )
    return place + _MENDS.get(error.errno, f"{error.strerror}; run the same command again")
