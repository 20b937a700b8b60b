"""What is fuzzed: each target takes any bytes and fails on what must never happen."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import html
import io
import json
import lzma
import re
import shutil
import tarfile
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet
from lxml import etree

import toolkit
from toolkit import certificate, pipeline, sharing, verification
from toolkit.boilerplate.breaks import BITS, BreakWeights, restored
from toolkit.boilerplate.decisions import read_decisions
from toolkit.boilerplate.model import SHIPPED, SegmentModel
from toolkit.buffer import Buffer
from toolkit.display import CleanedArticle, Table, escaped, visible
from toolkit.errors import ToolkitError
from toolkit.language import languages
from toolkit.loading import Limits, load
from toolkit.loading.faults import FAULTS, faults, repaired
from toolkit.record import closed
from toolkit.report import Results
from toolkit.review import journal
from toolkit.segments import Segments, cut
from toolkit.settings import Settings, read_study

LIMITS = Limits(
    record_bytes=1 << 16, free_bytes=1 << 20, ratio=20, archive_bytes=4 << 20, members=20, json_depth=30
)
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True)
class Target:
    """A check of any bytes, what to begin with, and whether its kernels run as Python, so that they are guided."""

    check: Callable[[bytes], None]
    seeds: Callable[[], tuple[bytes, ...]]
    plain_python: bool = False


def reader(name: str) -> Callable[[bytes], None]:
    """Whatever a file of this name holds: no error, nothing lost without a word, nothing that a terminal obeys."""

    def check(data: bytes) -> None:
        file = io.BytesIO(data)
        file.name = name
        corpus = load(file, limits=LIMITS)
        quarantine = corpus.attrs["quarantine"]
        assert len(corpus) + len(quarantine) >= 1, "neither a document nor a reason"
        assert corpus["doc_id"].is_unique, "two documents of one id"
        assert not corpus["text"].isna().any(), "a document without text"
        for text in corpus["text"]:
            text.encode("utf-8")
        for row in quarantine.to_dict("records"):
            assert "reader failed" not in row["reason"], row["reason"]
            assert all(value.isprintable() for value in row.values()), "a row that a terminal obeys"
            assert len(row["excerpt"]) <= 200, "a long excerpt"

    return check


def segments(data: bytes) -> None:
    """Cut two documents: inside the buffer, in order, and nothing empty."""
    text = data.decode("utf-8", "replace")
    buffer = Buffer.of([text[: len(text) // 2], text[len(text) // 2 :]])
    everywhere = np.ones(len(buffer), np.bool_)
    for found in (cut(buffer), restored(buffer, cut(buffer), _CUT, everywhere)):
        _in_order(found, buffer)


_CUT = BreakWeights(
    np.zeros(1 << BITS, np.int8), np.ones(2, np.float32)
)  # before every word that may begin a line


def _in_order(found: Segments, buffer: Buffer) -> None:
    at = np.r_[0, np.c_[found.start, found.end].ravel(), len(buffer.data)]
    assert (np.diff(at) >= 0).all(), "segments out of order or range"
    assert (found.end > found.start).all(), "an empty segment"
    assert found.bounds.tolist() == sorted(found.bounds), "documents out of order"


def detected_languages(data: bytes) -> None:
    """The language of each text is detected by itself, or is missing."""
    parts = data.decode("utf-8", "replace").split("\0")[:8]
    found = languages(parts)
    assert found.isna().tolist() == [bool(languages([part]).isna().item()) for part in parts]
    assert found.dropna().str.fullmatch("[a-z]{2,3}").all()


BROKEN = "Itâ€™s <p class='a'>rain &amp; wind</p>\\n\\n\\u201cZero\u200b\u201d Ã©tÃ© Ð\x9f"


def mended(data: bytes) -> None:
    """A repair never fails, and touches no text that shows nothing."""
    parts = pa.array(data.decode("utf-8", "replace").split("\0")[:8], pa.large_string())
    found = faults(parts)
    for kind in FAULTS:
        once = repaired(parts, [kind])
        assert len(once) == len(parts)
        assert kind in found or once.equals(parts), f"{kind}: a sound text was changed"


def claiming_tar() -> bytes:
    """A tar whose header claims 2^62 bytes."""
    header = bytearray(tarfile.TarInfo("a.txt").tobuf(tarfile.GNU_FORMAT))
    header[124:136] = b"\x80" + (2**62).to_bytes(11, "big")
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    return bytes(header) + b"x" * 512


def pax_tar() -> bytes:
    """A tar whose extended header tells a size, and a sparse map."""
    file = io.BytesIO()
    member = tarfile.TarInfo("a.txt")
    member.size = 9
    member.pax_headers = {"size": "99999999", "GNU.sparse.major": "1", "GNU.sparse.minor": "0"}
    with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as archive:
        archive.addfile(member, io.BytesIO(b"Head Body"))
    return file.getvalue()


def _same() -> pa.Table:
    column = pa.DictionaryArray.from_arrays(
        pa.array([0] * 500, pa.int32()), pa.array(["Rain fell. " * 2_000])
    )
    return pa.table({"text": column})


def same_parquet() -> bytes:
    """A Parquet file of one long text in each row, which stands in it once."""
    file = io.BytesIO()
    pa.parquet.write_table(_same(), file, compression="zstd")
    return file.getvalue()


def same_feather() -> bytes:
    """The same as an Arrow file, its buffers packed."""
    file = io.BytesIO()
    pa.feather.write_feather(_same(), file, compression="zstd")
    return file.getvalue()


def texts(data: bytes) -> list[str]:
    """Documents out of bytes; each NUL begins one, a 0x01 its title."""
    return data.decode("utf-8", "replace").split("\0")[:8]


def cleaning(data: bytes) -> None:
    """Spans are in range, sorted, disjoint; what is kept is what stands between them."""
    parts = [text.partition("\1") for text in texts(data)]
    corpus = pd.DataFrame(
        {
            "doc_id": [str(i) for i in range(len(parts))],
            "text": [text for text, _, _ in parts],
            "title": [title or None for _, _, title in parts],
            "publisher": ["a.example"] * len(parts),
        }
    )
    remover = toolkit.BoilerplateRemover().fit(corpus)
    spans = remover.spans(corpus)
    cleaned = remover.transform(corpus, spans=spans)
    for row in cleaned.itertuples():
        own = spans[spans["doc_id"] == row.doc_id]
        edges = [0, *own[["start", "end"]].to_numpy().ravel().tolist(), len(row.text)]
        assert edges == sorted(edges), "spans out of order or range"
        kept = "".join(row.text[a:b] for a, b in zip(edges[::2], edges[1::2], strict=True))
        assert "".join(row.clean_text.split()) == "".join(kept.split()), "clean text is not what was kept"


def topics(data: bytes) -> None:
    """Probabilities of any texts are probabilities."""
    probability = toolkit.TopicClassifier().predict_proba(texts(data)).to_numpy()
    assert np.isfinite(probability).all(), "no number"
    assert ((probability >= 0) & (probability <= 1)).all(), "no probability"


TAGS = {
    "html",
    "body",
    "article",
    "p",
    "b",
    "small",
    "del",
    "details",
    "summary",
    "ol",
    "li",
    "br",
    "table",
    "thead",
    "tbody",
    "tr",
    "th",
    "td",
    "mark",
}
ATTRIBUTES = {"class", "dir", "style", "title"}


def harmless(page: str) -> None:
    """No tag or attribute but ours, no character that a terminal or the reader's eye obeys."""
    assert not _CONTROL.search(page), "a control character"
    page.encode("utf-8")
    root = etree.HTML(f"<p>{page}</p>")
    for node in root.iter():
        assert node.tag in TAGS, f"a tag of the text's own: {node.tag}"
        assert set(node.attrib) <= ATTRIBUTES, f"an attribute of the text's own: {node.attrib}"


def display(data: bytes) -> None:
    """An article, a table and an explanation made of any text are inert."""
    text, _, rest = data.decode("utf-8", "replace").partition("\n")  # Arrow's columns hold no lone surrogates
    edge = len(text) // 2
    frame = pd.DataFrame(
        [(0, edge, rest[:40], 0.5, rest[:40], rest[:40])],
        columns=["start", "end", "kind", "score", "evidence", "template_id"],
    ).astype(object)
    article = CleanedArticle(
        text, frame if edge else frame.iloc[:0], title=rest, context=len(data) % 7 or None
    )
    table = Table(pd.DataFrame({text: [rest, None], "n": [1, 2]}, dtype=object))
    for shown in (article, table):
        harmless(shown._repr_html_())
        assert not _CONTROL.search(repr(shown)), "a control character"
    assert html.unescape(escaped(text).replace("<br>", "\n")) == visible(text), "the text is not all there"


@cache
def scratch() -> Path:
    """A folder for files that only a path can name."""
    return Path(tempfile.mkdtemp(prefix="fuzz-"))


@cache
def own_model() -> dict[str, bytes]:
    """A small classifier's files."""
    classifier = toolkit.TopicClassifier(bits=8, folds=2)
    classifier.fit(["rain fell", "goal scored", "wind blew", "match won"] * 4, ["weather", "sport"] * 8)
    classifier.save(scratch() / "seed")
    return {suffix: (scratch() / f"seed{suffix}").read_bytes() for suffix in (".npz", ".json")}


@cache
def segment_card() -> bytes:
    return SHIPPED.with_suffix(".json").read_bytes()


def refused_or_read(load_it: Callable[[Path], object], path: Path) -> None:
    """A file is read, or refused in one line that a terminal does not obey."""
    said = ""
    try:
        load_it(path)
    except ToolkitError as error:
        said = str(error)
    assert said.isprintable(), said
    assert len(said) < 1000, "a long message"


def topic_arrays(data: bytes) -> None:
    """Arrays of a classifier, with the digest put right."""
    card = json.loads(own_model()[".json"]) | {"sha256": hashlib.sha256(data).hexdigest()}
    (scratch() / "own.npz").write_bytes(data)
    (scratch() / "own.json").write_text(json.dumps(card))
    refused_or_read(toolkit.TopicClassifier.load, scratch() / "own.npz")


def topic_card(data: bytes) -> None:
    """The card of a classifier."""
    (scratch() / "carded.npz").write_bytes(own_model()[".npz"])
    (scratch() / "carded.json").write_bytes(data)
    refused_or_read(toolkit.TopicClassifier.load, scratch() / "carded.npz")


def segment_arrays(data: bytes) -> None:
    """Arrays of the segment model, with the digest put right."""
    card = json.loads(segment_card()) | {"sha256": hashlib.sha256(data).hexdigest()}
    (scratch() / "segments.npz").write_bytes(data)
    (scratch() / "segments.json").write_text(json.dumps(card))
    refused_or_read(SegmentModel.load, scratch() / "segments.npz")


def segment_card_(data: bytes) -> None:
    """The card of the segment model."""
    link = scratch() / "shipped.npz"
    if not link.exists():
        link.symlink_to(SHIPPED.with_suffix(".npz"))
    link.with_suffix(".json").write_bytes(data)
    refused_or_read(SegmentModel.load, link)


def index(data: bytes) -> None:
    """A saved remover."""
    (scratch() / "index.parquet").write_bytes(data)
    refused_or_read(toolkit.BoilerplateRemover.load, scratch() / "index.parquet")


def decisions(data: bytes) -> None:
    """A file of decisions."""
    (scratch() / "decisions.jsonl").write_bytes(data)
    refused_or_read(read_decisions, scratch() / "decisions.jsonl")


def study(data: bytes) -> None:
    """A study file."""
    (scratch() / "study.toml").write_bytes(data)
    refused_or_read(lambda path: Settings.of(read_study(path)[2]), scratch() / "study.toml")


@cache
def results() -> Path:
    """A finished run of three documents, and what is shared of it."""
    folder = scratch() / "results"
    folder.mkdir()
    rows = ["It rained in the port.\n\nShare on Facebook", "A goal was scored.", "404 Not Found"]
    (folder / "in.jsonl").write_text("".join(json.dumps({"text": row}) + "\n" for row in rows), "utf-8")
    pipeline.run(folder / "in.jsonl", folder / "out")
    sharing.share(folder / "out", folder / "shared.parquet")
    shutil.copytree(folder / "out", folder / "forged")
    return folder


def described(found: Results) -> None:
    """What a report takes from the record."""
    said = [found.headline(), found.bibtex().replace("\n", ""), found.certificate()]
    said += [repr(found.about()), *(repr(found.table(name)) for name in ("account", "composition", "topics"))]
    said += [repr(found.table(name)) for name in ("inputs", "parameters", "versions")]
    assert not any(map(_CONTROL.search, said)), "a control character"


def record(data: bytes) -> None:
    """The record of a run: verified, or refused; a sound one is found sound."""
    folder = results() / "forged"
    (folder / "run.json").write_bytes(data)
    inputs = [results() / "in.jsonl"]
    found = []
    refused_or_read(lambda path: found.append(verification.verify(path, inputs)), folder)
    refused_or_read(lambda path: described(Results(path)), folder)
    if found:
        assert str(found[0]).replace("\n", "").isprintable(), "a control character"
        held = json.loads(data)
        same = held == json.loads((results() / "out" / "run.json").read_bytes())
        assert same or closed(held) == held or found[0].differences, "a change that was not found"


def shared(data: bytes) -> None:
    """A shared file: applied, or refused."""
    path = results() / "shared-forged.parquet"
    path.write_bytes(data)
    refused_or_read(lambda path: sharing.apply(path, ["It rained in the port.\n\nShare on Facebook"]), path)


def journals(data: bytes) -> None:
    """Files of labels and of judgements."""
    path = scratch() / "labels.jsonl"
    path.write_bytes(data)
    refused_or_read(journal.read_labels, path)
    refused_or_read(lambda path: list(journal.judgement_entries(path)), path)


CERTIFICATE = certificate.Certificate(
    0.01, 0.9, 0.5, 60, 0.95, {name: certificate.Stratum(90, 20, 1, 0.1) for name in certificate.STRATA}, 0.01, 0.5,
    2, 0.8, 3,
)  # fmt: skip


def certified(data: bytes) -> None:
    """A certificate: read and printed, or refused."""
    (scratch() / "certificate.json").write_bytes(data)
    refused_or_read(lambda folder: str(certificate.Certificate.load(folder)), scratch())


def zipped(**members: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name.replace("_", "."), data)
    return out.getvalue()


def tarred(**members: bytes) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name.replace("_", "."))
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def columnar(write: Callable[..., object]) -> bytes:
    out = io.BytesIO()
    write(
        pa.table({"text": ["a text", "b é"], "id": ["a", "b"], "date": pa.array([0, 1], pa.timestamp("s"))}),
        out,
    )
    return out.getvalue()


def index_bytes() -> bytes:
    toolkit.BoilerplateRemover().fit(["Sign up now.\n\nIt rained."] * 3).save(scratch() / "seed.parquet")
    return (scratch() / "seed.parquet").read_bytes()


def npz() -> bytes:
    out = io.BytesIO()
    np.savez(out, words=np.zeros((4, 4), np.uint8), words_scale=np.zeros(4, np.float32))
    return out.getvalue()


LINES = (
    b'{"id": 1, "text": "It rained.", "date": "2020-01-02", "url": "https://a.example/1"}\n{"text": "b"}\n'
)
PAGE = (
    b"<html lang=en><head><title>T</title></head><body><article><p>"
    + b"It rained all day. " * 12
    + b"</p></article>"
)
RSS = (
    b"<rss><channel><language>en</language><item><guid>g</guid><title>T</title><pubDate>Mon, 02 Mar 2020 08:00:00 GMT"
    b"</pubDate><description>&lt;p&gt;It rained.&lt;/p&gt;</description></item></channel></rss>"
)
ATOM = b'<feed xmlns="http://www.w3.org/2005/Atom"><entry><id>i</id><title>T</title><content>c</content></entry></feed>'
NITF = (
    b"<nitf><body><body.head><hedline><hl1>T</hl1></hedline></body.head>"
    b"<body.content><p>x</p></body.content></body></nitf>"
)
WARC = (
    b"WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: https://a.example/1\r\nContent-Type: application/http\r\n"
    b"Content-Length: 66\r\n\r\nHTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nIt rained\r\n\r\n"
)
PLAIN = (
    "It rained in the port.\n\nSign up for our newsletter.Russian President spoke.”He left. 今日は晴れ。明日"
).encode()
DECIDED = b'{"template_id": "0000000000000000", "verdict": "keep"}\n{"text": "a", "verdict": "promo"}\n'
STUDY = (
    b'inputs = ["a.jsonl"]\noutput = "out"\nremove = ["appeal"]\nthreshold = 0.5\nlang = "en"\nrepair = true\n'
    b'duplicates = false\nmax_article_loss = 0.01\n[columns]\ntext = "body"\n'
)
LABELLED = (
    b'{"doc_id": "a", "topics": ["politics"], "note": "n"}\n{"doc_id": "b", "topics": null, "unsure": true}\n'
    b'{"doc_id": "a", "start": 0, "end": 4, "at": 2, "verdict": "keep"}\n'
)
MARKED = b'<script>alert(1)</script>" onerror=x\n\x1b[31m\xe2\x80\xae[a](javascript:x)'


ARCHIVES = Path(__file__).parent.parent / "archives"
SHAPES = {
    "nexis": "nexis_en.txt nexis_de.txt nexis_fr.txt nexis_nl.txt", "nexis-html": "nexis.html",
    "word": "nexis_uni.docx single.docx", "rtf": "nexis_uni.rtf",
    "factiva-html": "factiva_de.html factiva_coded.html", "factiva-text": "factiva.txt factiva_coded.txt",
    "factiva-xml": "factiva.xml", "europresse": "europresse.html europresse_old.html",
    "reports": "proquest.txt proquest_new.txt mediargus.txt", "integrum": "integrum.html",
    "sgml": "reuters.sgm gigaword.sgm trec.sgml", "now": "now.txt", "wikinews": "wikinews.xml",
    "standards": "nitf.xml rcv1.xml newsml1.xml", "mail": "newsletter.mbox message.eml",
    "captions": "captions.srt captions.vtt", "story": "cnn.story", "excel": "sheet.xlsx",
    "apis": "webz.json newsapi.json eventregistry.json guardian.json nyt_search.json aylien.json",
}  # fmt: skip
"""Target → files of ``tests/archives`` that it begins with; it is read under the name of the first."""

NAMES = (
    "jsonlines", "json", "csv", "text", "html", "xml", "warc", "parquet", "feather", "zip", "tar", "gzip", "zstd",
    "bz2", "xz", "unnamed", "languages", "faults", "segments", "cleaning", "topics", "display", "topic-arrays",
    "topic-card", "segment-arrays", "segment-card", "index", "decisions", "study", "record", "shared", "journals",
    "certificate", *SHAPES,
)  # fmt: skip


def _archive(name: str) -> bytes:
    return (ARCHIVES / name).read_bytes()


@cache
def targets() -> dict[str, Target]:
    """Return every target by name."""
    files = {
        "jsonlines": ("a.jsonl", (LINES, LINES.decode().encode("utf-16"), b'{"text": "caf\xe9"}\n')),
        "json": (
            "a.json",
            (json.dumps({"articles": [{"id": 1, "text": "x"}]}).encode(), b'[{"text": "x"}, 5]'),
        ),
        "csv": ("a.csv", (b'id,text\n1,"a ""b"", c"\n2,d\n', b"id;text\r\n1;\xe9\r\n")),
        "text": ("a.txt", ("Head\nBody ü".encode(), "Head\nBody ü".encode("utf-16"))),
        "html": ("a.html", (PAGE, b"<!DOCTYPE html><meta charset=latin-1><p>x")),
        "xml": ("a.xml", (RSS, ATOM, NITF)),
        "warc": ("a.warc", (WARC, WARC + WARC)),
        "parquet": ("a.parquet", (columnar(pa.parquet.write_table), same_parquet())),
        "feather": ("a.feather", (columnar(pa.feather.write_feather), same_feather())),
        "zip": ("a.zip", (zipped(a_txt=b"Head\nBody", b_jsonl=LINES, c_zip=zipped(d_txt=b"Head\nBody")),)),
        "tar": ("a.tar", (tarred(a_txt=b"Head\nBody", b_jsonl=LINES), claiming_tar(), pax_tar())),
        "gzip": ("a.jsonl.gz", (gzip.compress(LINES), gzip.compress(LINES) * 2)),
        "zstd": ("a.jsonl.zst", (pa.compress(LINES, "zstd", asbytes=True),)),
        "bz2": ("a.jsonl.bz2", (bz2.compress(LINES),)),
        "xz": ("a.jsonl.xz", (lzma.compress(LINES),)),
        "unnamed": ("a", (LINES, PAGE, RSS, WARC, PLAIN)),
    }
    return {
        **{name: Target(reader(file), lambda seeds=seeds: seeds) for name, (file, seeds) in files.items()},
        "languages": Target(
            detected_languages, lambda: (PLAIN, "Дождь \u0300идёт und es regnet 雨が降る".encode())
        ),
        "faults": Target(mended, lambda: (BROKEN.encode(), PLAIN)),
        "segments": Target(
            segments,
            lambda: (PLAIN, PLAIN[:-1], "McCainGOP “A.”B… a.m. No. 5\u2028".encode()),
            plain_python=True,
        ),
        "cleaning": Target(cleaning, lambda: (PLAIN, PLAIN + b"\0" + PLAIN + b"\1Port", b"\0\1\0")),
        "topics": Target(topics, lambda: (PLAIN, PLAIN + b"\0goal")),
        "display": Target(display, lambda: (MARKED, PLAIN)),
        "topic-arrays": Target(topic_arrays, lambda: (own_model()[".npz"],)),
        "topic-card": Target(topic_card, lambda: (own_model()[".json"],)),
        "segment-arrays": Target(segment_arrays, lambda: (npz(),)),
        "segment-card": Target(segment_card_, lambda: (segment_card(),)),
        "index": Target(index, lambda: (index_bytes(),)),
        "decisions": Target(decisions, lambda: (DECIDED,)),
        "study": Target(study, lambda: (STUDY,)),
        "record": Target(record, lambda: ((results() / "out" / "run.json").read_bytes(),)),
        "shared": Target(shared, lambda: ((results() / "shared.parquet").read_bytes(),)),
        "journals": Target(journals, lambda: (LABELLED,)),
        "certificate": Target(certified, lambda: (json.dumps(asdict(CERTIFICATE)).encode(),)),
        **{
            name: Target(reader(files.split()[0]), lambda files=files: tuple(map(_archive, files.split())))
            for name, files in SHAPES.items()
        },
    }


def close() -> None:
    """Remove what the targets wrote."""
    shutil.rmtree(scratch(), ignore_errors=True)
