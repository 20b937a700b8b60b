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
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from toolkit.datasets.registry import Record
from toolkit.errors import CorpusError
from toolkit.loading.jsonfiles import fundus_text
from toolkit.loading.streams import DAMAGE, is_utf8

# no file inside a download may unpack to more; the largest that we know of has 60 MB
MEMBER_BYTES = 256 << 20
_STORY = re.compile(r"<REUTERS ([^>]*)>(.*?)</REUTERS>", re.DOTALL)
_REUTERS_TEXTS = {"date": "DATE", "title": "TITLE", "text": "BODY"}
_SPLITS = {"TRAIN": "train", "TEST": "test", "NOT-USED": "unused"}
_ALLSIDES = ("ID", "url", "source", "source_url", "date", "title", "authors", "topic", "content_original")


def read_download(layout: str, paths: list[Path]) -> Iterator[Record]:
    """Yield the records in a source's downloads (in the order of the register), as in the packed copy.

    A download that is damaged, or does not look as expected, is a CorpusError.
    """
    try:
        found = 0
        for found, record in enumerate(LAYOUTS[layout](paths), 1):  # noqa: B007  (counted for the check below)
            yield record
    except (*DAMAGE, LookupError, TypeError, csv.Error) as error:
        wrong = f"not in the layout {layout!r} ({type(error).__name__}: {error}); fetch it again"
        raise CorpusError(f"{paths[0].name}: {wrong}") from error
    if not found:
        wrong = f"no records in the layout {layout!r}; the source may have been rearranged"
        raise CorpusError(f"{paths[0].name}: {wrong}")


def _bound(name: str, size: int) -> None:
    if size > MEMBER_BYTES:
        raise ValueError(f"{name} unpacks to more than {MEMBER_BYTES} bytes")


class _Archive(zipfile.ZipFile):
    """Members of a zip file by path, without the folder that GitHub puts round a repository."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        names = [info.filename for info in self.infolist() if not info.is_dir()]
        roots = {name.split("/", 1)[0] for name in names}
        cut = len(next(iter(roots))) + 1 if len(roots) == 1 and all("/" in name for name in names) else 0
        self.paths = {name[cut:]: name for name in sorted(names)}

    def __getitem__(self, name: str) -> bytes:
        info = self.getinfo(self.paths[name])
        _bound(name, info.file_size)
        with self.open(info) as file:
            raw = gzip.GzipFile(fileobj=file).read(MEMBER_BYTES + 1) if name.endswith(".gz") else file.read()
        _bound(name, len(raw))
        return raw

    def matching(self, pattern: str) -> Iterator[tuple[re.Match[str], bytes]]:
        """Members whose whole path matches, in order of path."""
        return ((found, self[name]) for name in self.paths if (found := re.fullmatch(pattern, name)))


def _tar_members(path: Path, pattern: str) -> Iterator[tuple[re.Match[str], str]]:
    """Files whose whole path matches, as Latin-1 text."""
    with tarfile.open(path) as archive:
        for info in archive:
            found = re.fullmatch(pattern, info.name)
            file = archive.extractfile(info) if found and info.isfile() else None
            if found and file is not None:
                _bound(info.name, info.size)
                yield found, file.read().decode("latin-1")


def _text(raw: bytes) -> str:
    return raw.decode("utf-8" if is_utf8(raw) else "cp1252", "replace")


def _tsv(raw: bytes) -> list[dict[str, str]]:
    csv.field_size_limit(MEMBER_BYTES)
    return list(csv.DictReader(io.StringIO(_text(raw), newline=""), delimiter="\t"))


def _allsides(archive: _Archive) -> Iterator[Record]:
    for _, raw in archive.matching(r"data/jsons/[^/]+\.json"):
        row = json.loads(raw)
        yield {key: row.get(key) or "" for key in _ALLSIDES}


def _gum(paths: list[Path]) -> Iterator[Record]:
    """News of the GUM corpus in CoNLL-U: sentences with their text; ``newpar`` begins a paragraph."""
    for path in paths:
        text = path.read_bytes().decode("utf-8")
        for document in re.split(r"^# newdoc id = ", text, flags=re.MULTILINE)[1:]:
            name = document.split("\n", 1)[0].strip()
            if not name.startswith("GUM_news_"):
                continue
            about = dict(re.findall(r"^# meta::(\w+) = (.*)$", document, re.MULTILINE))
            paragraphs: list[list[str]] = []
            for sentence in re.split(r"\n\s*\n", document.strip()):
                if re.search(r"^# newpar\b", sentence, re.MULTILINE) or not paragraphs:
                    paragraphs.append([])
                paragraphs[-1] += re.findall(r"^# text = (.*)$", sentence, re.MULTILINE)
            yield {"id": name, "title": about["title"], "url": about["sourceURL"], "date": about["dateCreated"],
                   "text": "\n\n".join(" ".join(sentences) for sentences in paragraphs)}  # fmt: skip


def _page(doc_id: str, url: str, source: bytes, gold: str) -> Record:
    host = (urlsplit(url.strip().lower()).hostname or "").removeprefix("www.") or None
    return {"id": doc_id, "publisher": host, "url": url, "lang": None, "html": _text(source), "gold": gold}


def _wcxb(archive: _Archive) -> Iterator[Record]:
    found_pages = (re.fullmatch(r"dev/(?:.*/)?(\d{4})\.html?(?:\.gz)?", name) for name in archive.paths)
    pages = {found[1]: found[0] for found in found_pages if found}
    for found, raw in archive.matching(r"dev/ground-truth/(\d{4})\.json"):
        row = json.loads(raw)
        if row["_internal"]["page_type"]["primary"] == "article":
            page, gold = archive[pages[found[1]]], row["ground_truth"]["main_content"]
            yield _page(f"wcxb:dev:{found[1]}", row["url"], page, gold)


def _aed(archive: _Archive) -> Iterator[Record]:
    for key, row in json.loads(archive["articles.json"]).items():
        if (name := f"html/{key}.html") in archive.paths:
            yield _page(f"aed:{row['id']}", row["url"], archive[name], row["articleBody"])


def _aeb(archive: _Archive) -> Iterator[Record]:
    for key, row in json.loads(archive["ground-truth.json"]).items():
        yield _page(f"aeb:{key}", row["url"], archive[f"html/{key}.html.gz"], row["articleBody"])


def _fundus(archive: _Archive) -> Iterator[Record]:
    for found, raw in archive.matching(r"(tests/resources/parser/test_data/(\w+)/)(\w+)\.json"):
        folder, country, publisher = found.groups()
        pattern = re.escape(f"{folder}{publisher}") + r"_\d{4}_\d\d_\d\d\.html\.gz"
        pages = [name for name in archive.paths if re.fullmatch(pattern, name)]
        versions = json.loads(raw)
        urls = json.loads(archive[f"{folder}meta.info"])
        # versions and pages go by date; where one is missing, the rest would be misplaced
        if len(pages) != len(versions):
            continue
        for page, version in zip(pages, versions.values(), strict=True):
            file = page.removeprefix(folder)
            if gold := fundus_text(version.get("body") or {}):
                doc_id = f"ftd:{country}:{file.removesuffix('.html.gz')}"
                yield _page(doc_id, urls[file]["url"], archive[page], gold)


def _labelled(source: str, doc_id: str, label: str | None, lang: str = "en", **rest: Any) -> Record:
    return {"id": doc_id, "label": label, "lang": lang, "source": source, **rest}


def _tagmynews(paths: list[Path]) -> Iterator[Record]:
    # title, concepts of a knowledge base, label; quotation marks are part of the titles
    lines = [line for line in _text(paths[0].read_bytes()).split("\n") if line.strip()]
    for number, line in enumerate(lines):
        title, _, label = line.rstrip("\r").split("\t")
        yield _labelled("tagmynews", f"tmn/{number}", label, title=title)


def _sib200(archive: _Archive) -> Iterator[Record]:
    for found, raw in archive.matching(r"data/annotated/(\w+)/(train|dev|test)\.tsv"):
        lang, split = found.groups()
        for row in _tsv(raw):
            doc_id, text = f"sib/{lang}/{row['index_id']}", row["text"]
            yield _labelled("sib200", doc_id, row["category"], lang, split=split, text=text)


def _masakhanews(archive: _Archive) -> Iterator[Record]:
    for found, raw in archive.matching(r"data/(\w+)/(train|dev|test)\.tsv"):
        lang, split = found.groups()
        for number, row in enumerate(_tsv(raw)):
            texts = {"title": row["headline"], "text": row["text"], "url": row.get("url") or ""}
            doc_id = f"masakha/{lang}/{split}/{number}"
            yield _labelled("masakhanews", doc_id, row["category"], lang, split=split, **texts)


def _agnews(paths: list[Path]) -> Iterator[Record]:
    names = ("World", "Sports", "Business", "Sci/Tech")
    for path, split in zip(paths, ("train", "test"), strict=True):
        rows = csv.reader(io.StringIO(_text(path.read_bytes()), newline=""), strict=True)
        for number, (label, title, text) in enumerate(rows):
            name = names[int(label) - 1]
            yield _labelled("agnews", f"ag/{split}/{number}", name, split=split, title=title, text=text)


def _bbc(archive: _Archive) -> Iterator[Record]:
    for found, raw in archive.matching(r"(?:.*/)?bbc/(\w+)/(\d+)\.txt"):
        title, _, text = _text(raw).partition("\n")
        doc_id = f"bbc/{found[1]}/{found[2]}"
        yield _labelled("bbc", doc_id, found[1], title=title.strip(), text=text.strip())


def _newsgroups(paths: list[Path]) -> Iterator[Record]:
    for found, raw in _tar_members(paths[0], r"(?:.*/)?20news-bydate-(train|test)/([\w.-]+)/(\d+)"):
        split, group, number = found.groups()
        head, _, text = raw.partition("\n\n")
        subject = re.search(r"^Subject: *(.*)$", head, re.MULTILINE)
        texts = {"title": subject[1].strip() if subject else "", "text": text.strip()}
        yield _labelled("20newsgroups", f"20news/{split}/{group}/{number}", group, split=split, **texts)


def _reuters(paths: list[Path]) -> Iterator[Record]:
    members = sorted((found[0], raw) for found, raw in _tar_members(paths[0], r"(?:.*/)?reut2-\d+\.sgm"))
    for found in (found for _, raw in members for found in _STORY.finditer(raw)):
        marks = dict(re.findall(r'(\w+)="([^"]*)"', found[1]))
        topics = re.findall(r"<D>(.*?)</D>", _element(found[2], "TOPICS"))
        texts = {name: _element(found[2], mark) for name, mark in _REUTERS_TEXTS.items()}
        doc_id, split = f"reuters/{marks['NEWID']}", _SPLITS[marks["LEWISSPLIT"]]
        first = topics[0] if topics else None
        yield _labelled("reuters21578", doc_id, first, labels=topics, split=split, **texts)


def _element(story: str, name: str) -> str:
    found = re.search(rf"<{name}[^>]*>(.*?)</{name}>", story, re.DOTALL)
    # stories end in the control character ETX
    return html.unescape(found[1]).strip(" \n\x03").removesuffix("Reuter").strip() if found else ""


def _archived(read: Callable[[_Archive], Iterator[Record]], paths: list[Path]) -> Iterator[Record]:
    with _Archive(paths[0]) as archive:
        yield from read(archive)


LAYOUTS: dict[str, Callable[[list[Path]], Iterator[Record]]] = {
    "gum": _gum, "tagmynews": _tagmynews, "agnews": _agnews, "newsgroups": _newsgroups, "reuters": _reuters,
    **{read.__name__[1:]: partial(_archived, read)
       for read in (_allsides, _wcxb, _aed, _aeb, _fundus, _sib200, _masakhanews, _bbc)},
}  # fmt: skip
