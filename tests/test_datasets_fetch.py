"""Fetching, against a server on the loopback interface that is slow, cut off, wrong, absent or honest."""

import csv
import gzip
import hashlib
import io
import json
import tarfile
import threading
import time
import zipfile
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

import toolkit.datasets
from toolkit.datasets import Download, content_digest, fetching
from toolkit.datasets.layouts import LAYOUTS, read_download
from toolkit.datasets.registry import find, registry
from toolkit.errors import CorpusError

HTML = "<html><body><p>Ferries tied up</p></body></html>"


class Source:
    """What the server has, how it behaves, and what it was asked."""

    def __init__(self):
        self.files, self.asked = {}, []
        self.cut_at = self.status = self.location = None
        self.pause = 0.0
        self.versions = True


@pytest.fixture
def source():
    state = Source()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            state.asked.append((self.path, self.headers.get("Range")))
            body = state.files.get(self.path)
            if state.location:
                self.send_response(302)
                self.send_header("Location", state.location)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            if body is None or state.status:
                self.send_error(state.status or 404)
                return
            tag = f'"{hashlib.sha256(body).hexdigest()[:8]}"'
            start = 0
            if self.headers.get("Range") and self.headers.get("If-Range") == tag:
                start = int(self.headers["Range"].removeprefix("bytes=").rstrip("-"))
                self.send_response(206)
                self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
            else:
                self.send_response(200)
            self.send_header("Content-Length", str(len(body) - start))
            if state.versions:
                self.send_header("ETag", tag)
            self.end_headers()
            end = len(body) if state.cut_at is None else state.cut_at
            for i in range(start, end, 512):
                time.sleep(state.pause)
                self.wfile.write(body[i : min(i + 512, end)])
            self.close_connection = state.cut_at is not None

        def log_message(self, *args):
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, request, client_address):
            """Clients that hang up are part of these tests."""

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    state.url = f"http://127.0.0.1:{server.server_port}"
    yield state
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def at_source(source, tmp_path, monkeypatch):
    """Point a registered corpus at the server; return where its files will be served."""
    monkeypatch.setenv("NEWS_TOOLKIT_DATA", str(tmp_path))

    def point(name, *files, hashes=None, **changes):
        downloads = []
        for number, (file, content) in enumerate(files):
            source.files[f"/{file}"] = content
            downloads.append(Download(f"{source.url}/{file}", hashes[number] if hashes else None))
        entry = replace(find(name), downloads=tuple(downloads), **changes)
        monkeypatch.setitem(registry(), name, entry)
        return tmp_path / entry.file

    return point


def zipped(files, root="repo-main/"):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(root + name, content if isinstance(content, bytes) else json.dumps(content))
    return out.getvalue()


def tarred(files):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return out.getvalue()


def tsv(*rows):
    out = io.StringIO()
    csv.writer(out, delimiter="\t", lineterminator="\n").writerows(rows)
    return out.getvalue().encode()


ARTICLE = {
    "ID": "x1", "topic": "weather", "source": "Post", "source_url": "www.post.example", "title": "Gale",
    "url": "https://www.post.example/gale", "date": "2031-01-07", "authors": "Mira Tolland", "bias": 1,
    "content": "gale", "content_original": "Gale\n\nEvery ferry was cancelled.", "bias_text": "center",
}  # fmt: skip
SGML = b"""<!DOCTYPE lewis SYSTEM "lewis.dtd">
<REUTERS TOPICS="YES" LEWISSPLIT="TRAIN" CGISPLIT="TRAINING-SET" OLDID="5544" NEWID="1">
<DATE>26-FEB-2031 15:01:01.79</DATE><TOPICS><D>cocoa</D><D>trade</D></TOPICS><PLACES><D>norland</D></PLACES>
<TEXT>&#2;<TITLE>COCOA &amp; TEA RISE</TITLE><DATELINE>  OSTERMOUTH, Feb 26 - </DATELINE>
<BODY>Showers &lt;light&gt; fell.
 Reuter
&#3;</BODY></TEXT></REUTERS>
<REUTERS TOPICS="NO" LEWISSPLIT="NOT-USED" OLDID="5545" NEWID="2">
<DATE>26-FEB-2031</DATE><TOPICS></TOPICS><TEXT TYPE="BRIEF"><TITLE>BRIEF</TITLE></TEXT></REUTERS>
"""
VERSION = {
    "body": {
        "summary": ["The lead."],
        "sections": [{"headline": ["A subhead"], "paragraphs": ["One.", "Two."]}],
    }
}
CONLLU = """# newdoc id = GUM_fiction_gale
# meta::title = A tale
# newpar
# text = Once.
1	Once	once	ADV	RB	_	0	root	_	_

# newdoc id = GUM_news_gale
# meta::author = Wikinews
# meta::dateCreated = 2031-02-03
# meta::sourceURL = https://en.wikinews.org/wiki/Gale
# meta::title = Gale
# sent_id = GUM_news_gale-1
# text = Gale
# newpar
1	Gale	gale	NOUN	NN	_	0	root	_	_

# newpar
# newpar_block = p (2 s)
# text = Every ferry was cancelled.
1	Every	every	DET	DT	_	2	det	_	_

# text = Nobody swam.
1	Nobody	nobody	PRON	NN	_	2	nsubj	_	_

"""
FUNDUS = "tests/resources/parser/test_data/at/"


def layouts():
    """For each layout: the files of a small source, and what must come out."""
    page = {"url": "https://www.post.example/1", "articleBody": "Ferries tied up"}
    gold = {"id": "", "publisher": "post.example", "url": page["url"], "lang": None, "html": HTML}
    return {
        "allsides": (
            [("a.zip", zipped({"data/jsons/x1.json": ARTICLE, "README.md": b"#"}))],
            [{k: v for k, v in ARTICLE.items() if k not in ("bias", "content", "bias_text")}],
        ),
        "gum": (
            [("train.conllu", CONLLU.encode()), ("dev.conllu", b"# newdoc id = GUM_bio_x\n# text = X.\n"),
             ("test.conllu", b"")],
            [{"id": "GUM_news_gale", "title": "Gale", "url": "https://en.wikinews.org/wiki/Gale",
              "date": "2031-02-03", "text": "Gale\n\nEvery ferry was cancelled. Nobody swam."}],
        ),
        "wcxb": (
            [("w.zip", zipped({
                "dev/html/0001.html.gz": gzip.compress(HTML.encode()),
                "dev/html/0002.html.gz": gzip.compress(b"a shop"),
                "dev/ground-truth/0001.json": {
                    "url": page["url"], "_internal": {"page_type": {"primary": "article"}},
                    "ground_truth": {"main_content": "Ferries tied up"}},
                "dev/ground-truth/0002.json": {
                    "url": page["url"], "_internal": {"page_type": {"primary": "product"}},
                    "ground_truth": {"main_content": "a shop"}}}))],
            [{**gold, "id": "wcxb:dev:0001", "gold": "Ferries tied up"}],
        ),
        "aed": (
            [("e.zip", zipped({"articles.json": {"ab12": {"id": 7, **page}, "gone": {"id": 8, **page}},
                               "html/ab12.html": HTML.encode()}))],
            [{**gold, "id": "aed:7", "gold": "Ferries tied up"}],
        ),
        "aeb": (
            [("b.zip", zipped({"ground-truth.json": {"ab12": page},
                               "html/ab12.html.gz": gzip.compress(HTML.encode())}))],
            [{**gold, "id": "aeb:ab12", "gold": "Ferries tied up"}],
        ),
        "fundus": (
            [("f.zip", zipped({
                f"{FUNDUS}meta.info": {"Post_2031_01_02.html.gz": {"url": page["url"]},
                                       "Other_2031_01_02.html.gz": {"url": page["url"]}},
                f"{FUNDUS}Post.json": {"V1": VERSION},
                f"{FUNDUS}Post_2031_01_02.html.gz": gzip.compress(HTML.encode()),
                f"{FUNDUS}Other.json": {"V1": VERSION, "V2": VERSION},
                f"{FUNDUS}Other_2031_01_02.html.gz": gzip.compress(HTML.encode())}))],
            [{**gold, "id": "ftd:at:Post_2031_01_02", "gold": "The lead.\n\nA subhead\n\nOne.\n\nTwo."}],
        ),
        "tagmynews": (
            [("t.tsv", b'"rovers" win\tNone\tsport\ncrown falls\tcurrency unit\tbusiness\n')],
            [{"id": "tmn/0", "label": "sport", "lang": "en", "source": "tagmynews", "title": '"rovers" win'},
             {"id": "tmn/1", "label": "business", "lang": "en", "source": "tagmynews",
              "title": "crown falls"}],
        ),
        "sib200": (
            [("s.zip", zipped({"data/annotated/deu_Latn/dev.tsv": tsv(
                ["index_id", "category", "text"], ["548", "travel", 'Er sagte: "Nein"\tund ging']),
                "data/english/dev.tsv": b"other"}))],
            [{"id": "sib/deu_Latn/548", "label": "travel", "lang": "deu_Latn", "source": "sib200",
              "split": "dev", "text": 'Er sagte: "Nein"\tund ging'}],
        ),
        "masakhanews": (
            [("m.zip", zipped({"data/hau/train.tsv": tsv(
                ["category", "headline", "text", "url"], ["sports", "Kwallo", "Line one\nline two", "/a/1"]),
                "PET/data/hau/train.tsv": b"other"}))],
            [{"id": "masakha/hau/train/0", "label": "sports", "lang": "hau", "source": "masakhanews",
              "split": "train", "title": "Kwallo", "text": "Line one\nline two", "url": "/a/1"}],
        ),
        "agnews": (
            [("train.csv", b'"3","Crown falls","It fell, then ""rose""."\n'),
             ("test.csv", b'"4","Moon","Far."\n')],
            [{"id": "ag/train/0", "label": "Business", "lang": "en", "source": "agnews", "split": "train",
              "title": "Crown falls", "text": 'It fell, then "rose".'},
             {"id": "ag/test/0", "label": "Sci/Tech", "lang": "en", "source": "agnews", "split": "test",
              "title": "Moon", "text": "Far."}],
        ),
        "bbc": (
            [("n.zip", zipped({"bbc/tech/001.txt": "Phone costs £9\n\nIt rings.\n".encode("cp1252"),
                               "README.md": b"#"}))],
            [{"id": "bbc/tech/001", "label": "tech", "lang": "en", "source": "bbc", "title": "Phone costs £9",
              "text": "It rings."}],
        ),
        "newsgroups": (
            [("20.tar.gz", tarred({
                "20news-bydate-test/sci.space/591": b"From: a@b\nSubject: Re: Moon\n\nFar.\n",
                "20news-bydate-test/README": b"x"}))],
            [{"id": "20news/test/sci.space/591", "label": "sci.space", "lang": "en", "source": "20newsgroups",
              "split": "test", "title": "Re: Moon", "text": "Far."}],
        ),
        "reuters": (
            [("r.tar.gz", tarred({"reut2-000.sgm": SGML, "lewis.dtd": b"x"}))],
            [{"id": "reuters/1", "label": "cocoa", "labels": ["cocoa", "trade"], "lang": "en",
              "source": "reuters21578", "split": "train", "date": "26-FEB-2031 15:01:01.79",
              "title": "COCOA & TEA RISE", "text": "Showers <light> fell."},
             {"id": "reuters/2", "label": None, "labels": [], "lang": "en", "source": "reuters21578",
              "split": "unused", "date": "26-FEB-2031", "title": "BRIEF", "text": ""}],
        ),
    }  # fmt: skip


NAMES = {entry.layout: entry.name for entry in registry().values() if entry.downloads}


def test_every_layout_is_tested():
    assert set(layouts()) == set(LAYOUTS) == set(NAMES)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_upstream_files_become_the_packed_records(layout, source, at_source, capsys):
    files, wanted = layouts()[layout]
    path = at_source(NAMES[layout], *files)
    assert toolkit.datasets.fetch(NAMES[layout]) == path
    assert list(toolkit.datasets.records(NAMES[layout])) == wanted
    corpus = toolkit.datasets.load(NAMES[layout], text="gold")
    assert corpus["doc_id"].is_unique
    assert len(corpus) == len(wanted)
    note = json.loads(path.with_name(path.name + ".json").read_text(encoding="utf-8"))
    assert note["digest"] == content_digest(wanted)
    assert note["documents"] == len(wanted)
    assert [p.name for p in path.parent.iterdir() if p.suffix in (".partial", ".fetched")] == []
    told = capsys.readouterr().err
    assert find(NAMES[layout]).licence in told
    before = len(source.asked)
    toolkit.datasets.fetch(NAMES[layout])
    assert len(source.asked) == before


@pytest.mark.parametrize("layout", LAYOUTS)
def test_rearranged_or_damaged_source_is_refused(layout, tmp_path):
    files, _ = layouts()[layout]
    for content in (files[0][1][: len(files[0][1]) // 2], b"\x00\x01 nonsense"):
        paths = []
        for name, _ in files:
            paths.append(tmp_path / name)
            paths[-1].write_bytes(content)
        with pytest.raises(CorpusError, match=r"layout|no records"):
            list(read_download(layout, paths))


def test_a_download_whose_packed_bytes_are_damaged_is_refused(tmp_path):
    path = tmp_path / "bbc.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("r/bbc/tech/001.txt", "Title\n" + " ".join(map(str, range(3000))))
    data = bytearray(path.read_bytes())
    data[60:90] = b"\xff" * 30
    path.write_bytes(data)
    with pytest.raises(CorpusError, match=r"bbc\.zip: not in the layout 'bbc' \(error"):
        list(read_download("bbc", [path]))


def test_licence_comes_before_the_first_byte(source, at_source, monkeypatch):
    at_source("aed", *layouts()["aed"][0])
    told = []
    monkeypatch.setattr("builtins.print", lambda text, **_: told.append((text, len(source.asked))))
    toolkit.datasets.fetch("aed")
    assert "licence: Apache-2.0" in told[0][0]
    assert told[0][1] == 0


def test_other_records_than_registered_are_refused(source, at_source):
    files, wanted = layouts()["aed"]
    path = at_source("aed", *files, upstream_digest="0" * 64)
    with pytest.raises(CorpusError, match=r"aed: content digest \w{16}, expected 0{16}; nothing was stored"):
        toolkit.datasets.fetch("aed")
    assert list(path.parent.iterdir()) == []
    with pytest.raises(CorpusError, match="expected 1111"):
        toolkit.datasets.fetch("aed", digest="1" * 64)
    assert toolkit.datasets.fetch("aed", digest=content_digest(wanted)) == path


def test_a_source_that_changed_since_the_first_fetch_is_refused(source, at_source):
    path = at_source("bbc", *layouts()["bbc"][0])
    toolkit.datasets.fetch("bbc")
    before = path.read_bytes()
    source.files["/n.zip"] = zipped({"bbc/tech/001.txt": b"Phone\n\nIt does not ring.\n"})
    with pytest.raises(CorpusError, match="content digest"):
        toolkit.datasets.fetch("bbc", again=True)
    assert path.read_bytes() == before


def test_packing_does_not_matter_to_the_digest(source, at_source):
    files, _ = layouts()["bbc"]
    path = at_source("bbc", *files)
    toolkit.datasets.fetch("bbc")
    with zipfile.ZipFile(io.BytesIO(files[0][1])) as old:
        loose = {name.split("/", 1)[1]: old.read(name) for name in reversed(old.namelist())}
    source.files["/n.zip"] = zipped(loose, root="another-root/")
    assert toolkit.datasets.fetch("bbc", again=True) == path


def test_wrong_file_is_refused_by_its_published_hash(source, at_source):
    files, _ = layouts()["newsgroups"]
    path = at_source("20newsgroups", *files, hashes=["sha256:" + "0" * 64])
    with pytest.raises(CorpusError, match="not the registered file") as caught:
        toolkit.datasets.fetch("20newsgroups")
    assert "\n" not in str(caught.value)
    assert not path.exists()
    right = "sha256:" + hashlib.sha256(files[0][1]).hexdigest()
    at_source("20newsgroups", *files, hashes=[right])
    assert toolkit.datasets.fetch("20newsgroups") == path


@pytest.mark.parametrize("status", [404, 500, 403])
def test_refusal_by_the_server_says_what_to_put_where(status, source, at_source, tmp_path):
    path = at_source("aed", *layouts()["aed"][0])
    source.status = status
    with pytest.raises(CorpusError) as caught:
        toolkit.datasets.fetch("aed")
    text = str(caught.value)
    assert f"answers {status}" in text
    assert str(path) in text
    assert str(tmp_path / "downloads" / "aed" / "e.zip") in text
    assert "\n" not in text


def test_no_network_says_what_to_put_where(at_source, source, monkeypatch):
    path = at_source("aed", *layouts()["aed"][0])
    monkeypatch.setitem(
        registry(), "aed", replace(find("aed"), downloads=(Download("http://127.0.0.1:9/e.zip", None),))
    )
    with pytest.raises(CorpusError, match=r"aed: no connection to .*; put the packed copy at") as caught:
        toolkit.datasets.fetch("aed")
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_put_there_by_hand_is_used(at_source, source, tmp_path):
    files, wanted = layouts()["aed"]
    at_source("aed", *files)
    source.files.clear()
    place = tmp_path / "downloads" / "aed" / "e.zip"
    place.parent.mkdir(parents=True)
    place.write_bytes(files[0][1])
    toolkit.datasets.fetch("aed")
    assert list(toolkit.datasets.records("aed")) == wanted
    assert source.asked == []


def big():
    lines = "".join(f"headline number {i * i}\tNone\tsport\n" for i in range(2000))
    return [("t.tsv", lines.encode())]


def test_cut_off_download_is_continued(at_source, source):
    at_source("tagmynews", *big())
    source.cut_at = 30_000
    with pytest.raises(CorpusError, match="no connection"):
        toolkit.datasets.fetch("tagmynews")
    source.cut_at = None
    toolkit.datasets.fetch("tagmynews")
    first, second = (asked for _, asked in source.asked)
    assert first is None
    assert 20_000 < int(second.removeprefix("bytes=").rstrip("-")) <= 30_000
    assert len(list(toolkit.datasets.records("tagmynews"))) == 2000


def test_download_starts_over_if_the_file_has_changed_or_has_no_version(at_source, source):
    at_source("tagmynews", *big())
    source.cut_at = 30_000
    with pytest.raises(CorpusError):
        toolkit.datasets.fetch("tagmynews")
    source.cut_at, source.files["/t.tsv"] = None, source.files["/t.tsv"].replace(b"sport", b"world")
    toolkit.datasets.fetch("tagmynews")
    assert {record["label"] for record in toolkit.datasets.records("tagmynews")} == {"world"}

    source.versions, source.cut_at = False, 30_000
    with pytest.raises(CorpusError):
        toolkit.datasets.fetch("tagmynews", again=True)
    source.cut_at = None
    toolkit.datasets.fetch("tagmynews", again=True)
    assert source.asked[-1][1] is None


def test_slow_source_is_waited_for_and_a_silent_one_is_not(at_source, source, monkeypatch):
    at_source("tagmynews", *big())
    monkeypatch.setattr(fetching, "TIMEOUT", 0.3)
    source.pause = 0.005
    toolkit.datasets.fetch("tagmynews")
    assert len(list(toolkit.datasets.records("tagmynews"))) == 2000
    source.pause = 1.0
    with pytest.raises(CorpusError, match="no connection"):
        toolkit.datasets.fetch("tagmynews", again=True)


def test_only_https_is_asked(at_source, source, monkeypatch):
    at_source("aed", *layouts()["aed"][0])
    insecure = replace(find("aed"), downloads=(Download("http://data.example/e.zip", None),))
    monkeypatch.setitem(registry(), "aed", insecure)
    with pytest.raises(CorpusError, match="not https; nothing was requested"):
        toolkit.datasets.fetch("aed")


def test_redirect_away_from_https_is_refused_before_it_is_followed(at_source, source):
    at_source("aed", *layouts()["aed"][0])
    source.location = "http://data.example/e.zip"
    with pytest.raises(CorpusError, match=r"http://data\.example/e\.zip is not https"):
        toolkit.datasets.fetch("aed")


def test_data_folder_that_cannot_be_written_is_named(at_source, tmp_path):
    at_source("aed", *layouts()["aed"][0])
    (tmp_path / "downloads").write_text("a file where a folder belongs", encoding="utf-8")
    with pytest.raises(CorpusError, match=r"data folder .* cannot be written .*set NEWS_TOOLKIT_DATA"):
        toolkit.datasets.fetch("aed")


def test_folder_of_the_corpus_that_cannot_be_written_is_named(at_source, tmp_path):
    at_source("aed", *layouts()["aed"][0])
    (tmp_path / "pages").write_text("a file where a folder belongs", encoding="utf-8")
    with pytest.raises(CorpusError, match=r"data folder .* cannot be written .*set NEWS_TOOLKIT_DATA"):
        toolkit.datasets.fetch("aed")


def test_file_that_unpacks_without_end_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("toolkit.datasets.layouts.MEMBER_BYTES", 10_000)
    path = tmp_path / "b.zip"
    bomb = {"ground-truth.json": {"ab12": {"url": "https://a.example", "articleBody": "x"}},
            "html/ab12.html.gz": gzip.compress(b" " * 20_000)}  # fmt: skip
    path.write_bytes(zipped(bomb))
    with pytest.raises(CorpusError, match="unpacks to more than 10000"):
        list(read_download("aeb", [path]))
