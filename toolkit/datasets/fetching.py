"""Fetch a registered corpus from its source: the only module here that opens a connection."""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path
from typing import Any, BinaryIO, cast
from urllib.parse import urljoin, urlsplit

from toolkit.datasets import registry
from toolkit.datasets.layouts import read_download
from toolkit.datasets.registry import Dataset, Download, find, folder, packed_path
from toolkit.errors import CorpusError
from toolkit.fields import registrable_domain
from toolkit.files import whole

TIMEOUT = 30  # seconds without a byte before a connection is given up
LARGEST = 2 << 30  # bytes of one download, unless the caller allows more; the largest packed copy has 28 MB
_CHUNK = 1 << 13
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def fetch(name: str, *, again: bool = False, digest: str | None = None, largest: int = LARGEST) -> Path:
    """Download a corpus from its source into the data folder, pack it, and return the path of the packed file.

    The licence is printed before the first byte is requested. A download that is cut off is continued by the next call,
    where the server can. Files are checked by the source's own hash where it publishes one, the records by a content
    digest that does not depend on packing. Beside the packed file, ``….json`` records source, licence, number of
    records and digest. ``again`` fetches even what is already there.

    A CorpusError says what to put where: no network, an address that is not https, a redirect to another host (unless
    the register has the file's own hash), a file of more than ``largest`` bytes, records of another content digest
    than ``digest`` (default the registered one, else that of an earlier fetch), a data folder that cannot be written,
    or a corpus that has no single source.
    """
    entry = find(name)
    path = packed_path(entry)
    if path.is_file() and not (entry.downloads and again):
        return path
    if not entry.downloads:
        mend = f"put the packed copy at {path}"
        raise CorpusError(f"{name}: gathered from many sources, so it cannot be fetched; {mend}")
    source = f"{entry.homepage}{f' at {entry.commit}' if entry.commit else ''}"
    terms = f"{entry.name}: {entry.title}\n  licence: {entry.licence}\n  source: {source}\n  cite: {entry.citation}"
    print(terms, file=sys.stderr, flush=True)
    downloads, noted = folder() / "downloads" / entry.name, path.with_name(path.name + ".json")
    try:
        downloads.mkdir(parents=True, exist_ok=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        files = [_downloaded(entry, item, downloads, largest) for item in entry.downloads]
        wanted = digest or entry.upstream_digest or _noted(noted)
        with whole(path) as fresh:
            count = registry.write_records(fresh, read_download(entry.layout, files))
            found = registry.content_digest(registry.read_records(fresh))
            if wanted not in {None, found}:
                wrong = f"content digest {found[:16]}, expected {str(wanted)[:16]}; nothing was stored"
                raise CorpusError(f"{name}: {wrong}")
    except OSError as error:
        msg = f"the data folder {folder()} cannot be written ({error.strerror}); set {registry.SETTING}"
        raise CorpusError(f"{name}: {msg}") from error
    note = {
        "name": entry.name, "licence": entry.licence, "source": entry.homepage, "commit": entry.commit,
        "downloads": [item.url for item in entry.downloads], "documents": count, "digest": found,
    }  # fmt: skip
    noted.write_text(json.dumps(note, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    for file in files:
        file.unlink()
    return path


def _noted(note: Path) -> str | None:
    """Return the digest that an earlier fetch of this corpus wrote down."""
    try:
        return str(json.loads(note.read_text(encoding="utf-8"))["digest"]) if note.is_file() else None
    except (ValueError, KeyError, TypeError) as error:
        mend = "delete it if the corpus may change, or give digest="
        raise CorpusError(f"{note}: not what fetch wrote ({error}); {mend}") from error


def _downloaded(entry: Dataset, item: Download, into: Path, largest: int) -> Path:
    import pooch
    import requests

    pooch.get_logger().setLevel(logging.WARNING)
    name = Path(urlsplit(item.url).path).name
    _secure(item.url, entry.name)
    by_hand = f"put the packed copy at {packed_path(entry)}, or that file at {into / name}, and call again"
    try:
        # without a published hash the pinned commit vouches for the file, and the digest for its records
        resuming = _Resuming(into / f"{name}.part", largest, anywhere=item.hash is not None)
        return Path(pooch.retrieve(item.url, item.hash, name, into, downloader=resuming))
    except CorpusError:
        raise
    except requests.HTTPError as error:
        code = error.response.status_code if error.response is not None else "an error"
        wrong = f"{item.url} answers {code}"
    except requests.RequestException as error:
        wrong = f"no connection to {item.url} ({type(error).__name__})"
    except ValueError as error:
        (into / name).unlink(missing_ok=True)
        wrong = f"{item.url} is not the registered file ({str(error).splitlines()[0]})"
    raise CorpusError(f"{entry.name}: {wrong}; {by_hand}")


def _secure(url: str, where: str) -> None:
    parts = urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        raise CorpusError(f"{where}: {url} is not https; nothing was requested")


def _followed(answer: Any, *, anywhere: bool) -> None:
    """Refuse a redirect, before it is followed, that leaves https or the domain of the first address."""
    if not answer.is_redirect:
        return
    target = urljoin(answer.url, answer.headers["Location"])
    _secure(target, f"{answer.url} leads away")
    origin, host = (urlsplit(url).hostname or "" for url in (answer.url, target))
    house = registrable_domain(origin)
    # where the register has the file's own hash, it does not matter whose machine sends it
    if not (anywhere or origin == host or (house is not None and house == registrable_domain(host))):
        raise CorpusError(f"{answer.url} redirects to {host}, another host; nothing was requested there")


class _Resuming:
    """A downloader for pooch that keeps what arrived and asks for the rest the next time.

    Only a server that names its version of the file (ETag) is asked for a part, so that two halves are of one file.
    """

    def __init__(self, partial: Path, largest: int, *, anywhere: bool) -> None:
        self.partial, self.largest, self.anywhere = partial, largest, anywhere
        self.version = partial.with_name(partial.name + ".etag")

    def __call__(self, url: str, output_file: str | BinaryIO, pooch: Any, check_only: bool = False) -> None:
        import requests
        from tqdm import tqdm

        have = self.partial.stat().st_size if self.partial.exists() and self.version.exists() else 0
        headers = {"Accept-Encoding": "identity"}
        if have:
            headers |= {"Range": f"bytes={have}-", "If-Range": self.version.read_text(encoding="utf-8")}
        hooks = {"response": lambda answer, **_: _followed(answer, anywhere=self.anywhere)}
        with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT, hooks=hooks) as answer:
            if answer.status_code == requests.codes.requested_range_not_satisfiable:
                self._forget()
            answer.raise_for_status()
            continued = answer.status_code == requests.codes.partial_content
            have = have if continued else 0
            size = int(answer.headers.get("Content-Length", 0))
            if answer.headers.get("ETag"):
                self.version.write_text(answer.headers["ETag"], encoding="utf-8")
            else:
                self.version.unlink(missing_ok=True)
            total = have + size if size else None
            self._bounded(url, total or 0)
            with (
                self.partial.open("ab" if continued else "wb") as out,
                tqdm(total=total, initial=have, unit="B", unit_scale=True, disable=None) as bar,
            ):
                for chunk in answer.iter_content(_CHUNK):
                    self._bounded(url, out.tell() + len(chunk))
                    out.write(chunk)
                    bar.update(len(chunk))
        arrived = self.partial.stat().st_size
        if total is not None and arrived != total:
            cut = f"cut off after {arrived} of {total} bytes; call again to continue"
            raise requests.ConnectionError(cut)
        self.partial.replace(cast("str", output_file))
        self._forget()

    def _bounded(self, url: str, size: int) -> None:
        if size > self.largest:
            self._forget()
            most = f"more than {self.largest / 2**20:.4g} MiB"
            raise CorpusError(f"{url}: {most}; not kept; pass largest= if that is right")

    def _forget(self) -> None:
        self.partial.unlink(missing_ok=True)
        self.version.unlink(missing_ok=True)
