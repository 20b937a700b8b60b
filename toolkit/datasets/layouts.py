"""One reader for each source's own files: downloads in, the records of the packed copy out."""

from __future__ import annotations

import csv
import gzip
import html
import io
import json
import re
import tarfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from toolkit.datasets.store import Record
from toolkit.errors import CorpusError

MEMBER_BYTES = 256 << 20
"""No file inside a download may unpack to more; the largest that we know of has 60 MB."""

_ALLSIDES = ("ID", "url", "source", "source_url", "date", "title", "authors", "topic", "content_original")

_DAMAGE = (
    KeyError,
    ValueError,
    TypeError,
    OSError,
    EOFError,
    csv.Error,
    zipfile.BadZipFile,
    tarfile.TarError,
)


def read_download(layout: str, paths: list[Path]) -> Iterator[Record]:
    """Yield the records in a source's downloaded files, as in the packed copy of the corpus.

    Parameters
    ----------
    layout : str
        See :class:`toolkit.datasets.Dataset`.
    paths : list of Path
        The downloads, in the order of the register.

    Raises
    ------
    CorpusError
        A download is damaged, or does not look as expected.
    """
    try:
        found = 0
        for found, record in enumerate(LAYOUTS[layout](paths), 1):  # noqa: B007  (counted for the check below)
            yield record
    except _DAMAGE as error:
        msg = (
            f"{paths[0].name}: not in the layout {layout!r} ({type(error).__name__}: {error}); fetch it again"
        )
        raise CorpusError(msg) from error
    if not found:
        msg = f"{paths[0].name}: no records in the layout {layout!r}; the source may have been rearranged"
        raise CorpusError(msg)


class _Archive(Mapping[str, bytes]):
    """Members of a zip or tar file by path, without the folder that GitHub puts round a repository."""

    def __init__(self, path: Path) -> None:
        self._zip = zipfile.ZipFile(path)
        names = [info.filename for info in self._zip.infolist() if not info.is_dir()]
        roots = {name.split("/", 1)[0] for name in names}
        cut = len(next(iter(roots))) + 1 if len(roots) == 1 and all("/" in name for name in names) else 0
        self._names = {name[cut:]: name for name in sorted(names)}

    def __enter__(self) -> _Archive:
        return self

    def __exit__(self, *_: object) -> None:
        self._zip.close()

    def __getitem__(self, name: str) -> bytes:
        info = self._zip.getinfo(self._names[name])
        if info.file_size > MEMBER_BYTES:
            msg = f"{name} unpacks to {info.file_size} bytes, more than {MEMBER_BYTES}"
            raise ValueError(msg)
        raw = self._zip.read(info)
        return _gunzipped(raw) if name.endswith(".gz") else raw

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def matching(self, pattern: str) -> Iterator[tuple[re.Match[str], bytes]]:
        """Members whose whole path matches, in order of path."""
        for name in self:
            found = re.fullmatch(pattern, name)
            if found:
                yield found, self[name]


def _gunzipped(raw: bytes) -> bytes:
    with gzip.GzipFile(fileobj=io.BytesIO(raw)) as packed:
        out = packed.read(MEMBER_BYTES + 1)
    if len(out) > MEMBER_BYTES:
        msg = f"a member unpacks to more than {MEMBER_BYTES} bytes"
        raise ValueError(msg)
    return out


def _tar_members(path: Path) -> Iterator[tuple[str, bytes]]:
    with tarfile.open(path) as archive:
        for info in archive:
            if info.isfile():
                if info.size > MEMBER_BYTES:
                    msg = f"{info.name} unpacks to {info.size} bytes, more than {MEMBER_BYTES}"
                    raise ValueError(msg)
                handle = archive.extractfile(info)
                if handle is not None:
                    yield info.name, handle.read()


def _text(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("cp1252", "replace")


def _tsv(raw: bytes) -> list[dict[str, str]]:
    csv.field_size_limit(MEMBER_BYTES)
    return list(csv.DictReader(io.StringIO(_text(raw), newline=""), delimiter="\t"))


def _allsides(paths: list[Path]) -> Iterator[Record]:
    with _Archive(paths[0]) as archive:
        for _, raw in archive.matching(r"data/jsons/[^/]+\.json"):
            row = json.loads(raw)
            yield {key: row.get(key) or "" for key in _ALLSIDES}


def _page(doc_id: str, url: str, source: str, gold: str) -> Record:
    host = (urlsplit(url.strip().lower()).hostname or "").removeprefix("www.") or None
    return {"id": doc_id, "publisher": host, "url": url, "lang": None, "html": source, "gold": gold}


def _wcxb(paths: list[Path]) -> Iterator[Record]:
    with _Archive(paths[0]) as archive:
        pages = {
            m[1]: m[0]
            for name in archive
            if (m := re.fullmatch(r"dev/(?:.*/)?(\d{4})\.html?(?:\.gz)?", name))
        }
        for found, raw in archive.matching(r"dev/ground-truth/(\d{4})\.json"):
            row = json.loads(raw)
            if row["_internal"]["page_type"]["primary"] == "article":
                page = _text(archive[pages[found[1]]])
                yield _page(f"wcxb:dev:{found[1]}", row["url"], page, row["ground_truth"]["main_content"])


def _aed(paths: list[Path]) -> Iterator[Record]:
    with _Archive(paths[0]) as archive:
        for key, row in json.loads(archive["articles.json"]).items():
            name = f"html/{key}.html"
            if name in archive:
                yield _page(f"aed:{row['id']}", row["url"], _text(archive[name]), row["articleBody"])


def _aeb(paths: list[Path]) -> Iterator[Record]:
    with _Archive(paths[0]) as archive:
        for key, row in json.loads(archive["ground-truth.json"]).items():
            yield _page(f"aeb:{key}", row["url"], _text(archive[f"html/{key}.html.gz"]), row["articleBody"])


def _fundus(paths: list[Path]) -> Iterator[Record]:
    with _Archive(paths[0]) as archive:
        base = r"tests/resources/parser/test_data/(\w+)/"
        for found, raw in archive.matching(base + r"(\w+)\.json"):
            country, publisher = found.groups()
            folder = PurePosixPath(found[0]).parent
            pattern = re.compile(
                rf"{re.escape(str(folder))}/({re.escape(publisher)}_\d{{4}}_\d\d_\d\d)\.html\.gz"
            )
            pages = [m for name in archive if (m := pattern.fullmatch(name))]
            versions = json.loads(raw)
            urls = json.loads(archive[f"{folder}/meta.info"])
            # versions and pages go by date; where one is missing, the rest would be misplaced
            if len(pages) != len(versions):
                continue
            for page, version in zip(pages, versions.values(), strict=True):
                url = urls[PurePosixPath(page[0]).name]["url"]
                gold = _fundus_body(version.get("body") or {})
                if gold:
                    yield _page(f"ftd:{country}:{page[1]}", url, _text(archive[page[0]]), gold)


def _fundus_body(body: dict[str, Any]) -> str:
    parts = list(body.get("summary") or ())
    for section in body.get("sections") or ():
        parts += [*(section.get("headline") or ()), *(section.get("paragraphs") or ())]
    return "\n\n".join(parts)


def _tagmynews(paths: list[Path]) -> Iterator[Record]:
    # title, concepts of a knowledge base, label; quotation marks are part of the titles
    lines = _text(paths[0].read_bytes()).split("\n")
    for number, line in enumerate(line for line in lines if line.strip()):
        title, _, label = line.rstrip("\r").split("\t")
        yield {"id": f"tmn/{number}", "label": label, "lang": "en", "source": "tagmynews", "title": title}


def _sib200(paths: list[Path]) -> Iterator[Record]:
    with _Archive(paths[0]) as archive:
        for found, raw in archive.matching(r"data/annotated/(\w+)/(train|dev|test)\.tsv"):
            lang, split = found.groups()
            for row in _tsv(raw):
                yield {"id": f"sib/{lang}/{row['index_id']}", "label": row["category"], "lang": lang,
                       "source": "sib200", "split": split, "text": row["text"]}  # fmt: skip


def _masakhanews(paths: list[Path]) -> Iterator[Record]:
    with _Archive(paths[0]) as archive:
        for found, raw in archive.matching(r"data/(\w+)/(train|dev|test)\.tsv"):
            lang, split = found.groups()
            for number, row in enumerate(_tsv(raw)):
                yield {"id": f"masakha/{lang}/{split}/{number}", "label": row["category"], "lang": lang,
                       "source": "masakhanews", "split": split, "title": row["headline"], "text": row["text"],
                       "url": row.get("url") or ""}  # fmt: skip


def _agnews(paths: list[Path]) -> Iterator[Record]:
    names = ("World", "Sports", "Business", "Sci/Tech")
    for path, split in zip(paths, ("train", "test"), strict=True):
        rows = csv.reader(io.StringIO(_text(path.read_bytes()), newline=""), strict=True)
        for number, (label, title, text) in enumerate(rows):
            yield {"id": f"ag/{split}/{number}", "label": names[int(label) - 1], "lang": "en",
                   "source": "agnews", "split": split, "title": title, "text": text}  # fmt: skip


def _bbc(paths: list[Path]) -> Iterator[Record]:
    with _Archive(paths[0]) as archive:
        for found, raw in archive.matching(r"(?:.*/)?bbc/(\w+)/(\d+)\.txt"):
            title, _, text = _text(raw).partition("\n")
            yield {"id": f"bbc/{found[1]}/{found[2]}", "label": found[1], "lang": "en", "source": "bbc",
                   "title": title.strip(), "text": text.strip()}  # fmt: skip


def _newsgroups(paths: list[Path]) -> Iterator[Record]:
    for name, raw in _tar_members(paths[0]):
        found = re.fullmatch(r"(?:.*/)?20news-bydate-(train|test)/([\w.-]+)/(\d+)", name)
        if found:
            split, group, number = found.groups()
            head, _, text = raw.decode("latin-1").partition("\n\n")
            subject = re.search(r"^Subject: *(.*)$", head, re.MULTILINE)
            yield {"id": f"20news/{split}/{group}/{number}", "label": group, "lang": "en",
                   "source": "20newsgroups", "split": split, "title": subject[1].strip() if subject else "",
                   "text": text.strip()}  # fmt: skip


_STORY = re.compile(r"<REUTERS ([^>]*)>(.*?)</REUTERS>", re.DOTALL)
_SPLITS = {"TRAIN": "train", "TEST": "test", "NOT-USED": "unused"}


def _reuters(paths: list[Path]) -> Iterator[Record]:
    members = sorted((n, raw) for n, raw in _tar_members(paths[0]) if re.search(r"reut2-\d+\.sgm$", n))
    for _, raw in members:
        for found in _STORY.finditer(raw.decode("latin-1")):
            marks = dict(re.findall(r'(\w+)="([^"]*)"', found[1]))
            story = found[2]
            topics = re.findall(r"<D>(.*?)</D>", _element(story, "TOPICS"))
            yield {"id": f"reuters/{marks['NEWID']}", "label": topics[0] if topics else None,
                   "labels": topics, "lang": "en", "source": "reuters21578",
                   "split": _SPLITS[marks["LEWISSPLIT"]],
                   "date": _element(story, "DATE"), "title": _element(story, "TITLE"),
                   "text": _element(story, "BODY")}  # fmt: skip


def _element(story: str, name: str) -> str:
    found = re.search(rf"<{name}[^>]*>(.*?)</{name}>", story, re.DOTALL)
    # stories end in the control character ETX
    return html.unescape(found[1]).strip(" \n\x03").removesuffix("Reuter").strip() if found else ""


LAYOUTS: dict[str, Callable[[list[Path]], Iterator[Record]]] = {
    "allsides": _allsides, "wcxb": _wcxb, "aed": _aed, "aeb": _aeb, "fundus": _fundus,
    "tagmynews": _tagmynews, "sib200": _sib200, "masakhanews": _masakhanews, "agnews": _agnews,
    "bbc": _bbc, "newsgroups": _newsgroups, "reuters": _reuters,
}  # fmt: skip
