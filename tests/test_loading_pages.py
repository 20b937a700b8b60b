"""Pages, crawls, feeds, news standards and the shapes in which scrapers dump articles."""

from __future__ import annotations

import gzip
import io
import json
import re
import subprocess
import sys
from types import SimpleNamespace

import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest

from tests.streams import stream
from toolkit.loading import Limits, load
from toolkit.loading.markup import decode_page, fragment_text
from toolkit.loading.pages import read_page

PARAGRAPHS = "".join(f"<p>Absatz {i}: Der Rat stimmte über die Pläne für den Häfen ab.</p>" for i in range(8))


def page(head="", lang="de"):
    return (
        f"<!DOCTYPE html><html lang='{lang}'><head>{head}<title>Eine Wahl</title></head>"
        f"<body><nav>Menu</nav><article><h1>Eine Wahl</h1>{PARAGRAPHS}</article></body></html>"
    )


def rows(corpus):
    return corpus.astype(object).where(corpus.notna(), None).to_dict("records")


def test_a_page_gives_its_article_and_metadata():
    head = (
        "<link rel=canonical href='https://www.faz.net/a'>"
        "<meta property='og:site_name' content='FAZ'>"
        "<meta property='article:published_time' content='2020-02-03'>"
    )
    (row,) = rows(load(stream(page(head), "a.html")))
    assert row["title"] == "Eine Wahl"
    assert "Pläne für den Häfen" in row["text"]
    assert "Menu" not in row["text"]
    assert (row["lang"], row["url"], row["publisher"]) == ("de", "https://www.faz.net/a", "faz.net")
    assert row["published"] == pd.Timestamp("2020-02-03", tz="UTC")
    assert row["source"] == "a.html"


@pytest.mark.parametrize(
    ("fast", "slow", "wanted"),
    [
        (0.6, 0.9, "fast"),
        (0.4, 0.9, "slow"),
        (0.0, 0.9, "slow"),
        (None, 0.9, "slow"),
        (0.4, None, None),
        (1.4, 9, "fast"),
    ],
)
def test_a_stub_is_read_again_with_slower_heuristics(monkeypatch, fast, slow, wanted):
    long = sum(len(text) for text in re.findall("<p>(.*?)</p>", PARAGRAPHS))

    def extraction(tree, *, include_comments, **asked):
        assert not include_comments
        share = fast if asked == {"fast": True, "favor_recall": True} else slow
        return None if share is None else SimpleNamespace(text=("f" if asked else "s") * round(share * long))

    monkeypatch.setattr("trafilatura.bare_extraction", extraction)
    text = read_page(page(), "https://www.faz.net/1")["text"]
    if wanted is None:
        assert str(text) == "no article text found in the page"
    else:
        assert text[0] == wanted[0]


@pytest.mark.parametrize(
    ("head", "wanted"),
    [
        (
            '<script type="application/ld+json">{"@graph": [{"@type": "WebPage", "datePublished": "1999-01-01"},'
            '{"@type": ["NewsArticle"], "headline": "Wahl im Rat", "datePublished": "2024-03-10T23:30:00+01:00",'
            '"author": [{"@type": "Person", "name": "A. Beh"}, {"name": "C. Deh"}],'
            '"publisher": {"name": "Post"}}]}</script>'
            "<meta property='og:title' content='Andere'><meta name=date content='2001-01-01'>",
            {"title": "Wahl im Rat", "published": "2024-03-10T22:30Z", "authors": "A. Beh; C. Deh"},
        ),
        (
            "<meta property='og:title' content='Wahl'><meta property='article:published_time' content='2024-03-10'>"
            "<meta name=author content='A. Beh'><meta property='article:author' content='https://x.example/a'>"
            "<meta property='og:site_name' content='Post'><link rel=canonical href='https://www.post.example.org/a'>",
            {"title": "Wahl", "published": "2024-03-10", "authors": "A. Beh", "publisher": "example.org"},
        ),
        ('<script type="application/ld+json">{"@type": "NewsArticle", broken</script>', {"title": "Eine Wahl"}),
        ('<script type="application/ld+json">' + "[" * 90_000 + "</script>", {"title": "Eine Wahl"}),
        ("<link rel=canonical href='https://x.example/2024/3/10/wahl'>", {"published": "2024-03-10"}),
        ("<p>Heruntergeladen am 3. Mai 2021</p><footer>© 2019-05-01</footer>", {"published": None}),
        (
            "</head><body><article><time datetime='2024-03-10T08:00Z'></time></article>",
            {"published": "2024-03-10T08:00Z"},
        ),
    ],
)  # fmt: skip
def test_a_page_is_asked_what_it_says_of_itself(head, wanted):
    (row,) = rows(load(stream(page(head), "a.html")))
    if wanted.get("published"):
        wanted = wanted | {"published": pd.to_datetime(wanted["published"], utc=True)}
    assert {name: row[name] for name in wanted} == wanted


def test_options_of_extraction_are_passed_on():
    rows = "".join(f"<tr><td>Gemeinde {i}</td><td>{i} Stimmen</td></tr>" for i in range(9))
    html = page().replace("</article>", f"<table>{rows}</table></article>")
    assert "Gemeinde 3" in read_page(html, extraction={})["text"]
    assert "Gemeinde 3" not in read_page(html, extraction={"include_tables": False})["text"]


BLOCKS = (
    *(f"<{rank}>Das Bad</{rank}>" for rank in ("h1", "h2", "h3", "h4", "h5", "h6")),
    "<h1>Das Bad</h1><p class=byline>Von Ada Roth</p>",
    "<header><h1>Das Bad</h1></header>",
    "<ul><li>Ein Punkt</li></ul>",
    "<blockquote>Ein Satz</blockquote>",
    "<table><tr><td>3</td></tr></table>",
    "<section>Von Ada Roth</section>",
    "<dl><dt>a</dt><dd>b</dd></dl>",
    "<div>Von Ada Roth</div>",
    "<figure><img src=a.jpg></figure>",
)


@pytest.mark.parametrize("block", BLOCKS)
def test_bare_text_behind_a_block_is_kept(block):
    names = ("Rat", "Kreis", "Verein", "Kurort", "Hafen", "Betrieb")
    said = [f"Der {name} hat am Dienstag lange über das alte Bad beraten, das leckt." for name in names]
    bold = f"<b>{said[0][:9]}</b>{said[0][9:]}"
    for body in (
        block + "<br><br>".join(said),
        block + said[0] + "".join(f"<p>{each}</p>" for each in said[1:]),
        "".join(f"<p>{each}</p>" for each in said[:3]) + block + "<br><br>".join(said[3:]),
        block + "<br><br>".join([bold, *said[1:]]),
    ):
        html = (
            f"<html><body><div id=menu><a href=/>Start</a></div><div class=article>{body}</div></body></html>"
        )
        text = read_page(html)["text"]
        assert [text.count(each) for each in said] == [1] * len(said), text


@pytest.mark.parametrize(
    ("head", "encoding"),
    [
        ("<meta charset=iso-8859-1>", "cp1252"),
        ('<meta http-equiv="Content-Type" content="text/html; charset=windows-1252">', "cp1252"),
        ('<meta charset="utf-8">', "utf-8"),
        ("", "utf-8"),
        ("", "utf-16"),
        ("", "cp1252"),
        ("<meta charset=utf-8>", "utf-8-sig"),
        ("<meta charset=no-such-thing>", "utf-8"),
        ("<meta charset=iso-8859-1>", "utf-8-sig"),
        ("<meta charset=iso-8859-1>", "utf-8"),
        ("<meta charset=shift_jis>", "utf-8"),
    ],
)
def test_the_charset_of_a_page_is_honoured(head, encoding):
    assert "Pläne für den Häfen" in load(stream(page(head).encode(encoding), "a.html"))["text"].item()


def test_http_outranks_the_page():
    assert decode_page("<meta charset=utf-8>é".encode("cp1252"), "iso-8859-1").endswith("é")


@pytest.mark.parametrize(
    ("html", "reason"),
    [
        ("<html><body></body></html>", "no article text"),
        ("<!DOCTYPE html [<!ENTITY a 'b'>]><html><body>&a;</body></html>", "entities"),
        ("<html><body>" + "<div>" * 100_000 + "x", "no article text|cannot be parsed"),
        ("<html>" + "<a " * 20_000, "no article text|cannot be parsed"),
    ],
)
def test_a_page_without_an_article_is_one_row(html, reason):
    corpus = load(stream(html, "a.html"))
    assert len(corpus) == 0
    assert corpus.attrs["quarantine"]["reason"].str.contains(reason, regex=True).item()
    assert corpus.attrs["quarantine"]["excerpt"].item().startswith("<")


def test_what_libraries_say_about_a_bad_page_is_not_printed():
    code = "import io; from toolkit.loading import load; load(io.BytesIO(b'<html><body></body></html>'))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "")


def test_markup_in_text_is_inert_text():
    text = "<script>alert(1)</script> onerror=x \x1b[31m \u202e <b>"
    assert load(stream(json.dumps({"text": text}), "a.jsonl"))["text"].item() == text


def test_fragments_of_markup():
    assert (
        fragment_text("<p>Rain &amp;\n wind</p><ul><li>One<li>Two</ul>tail") == "Rain & wind\nOne\nTwo\ntail"
    )
    assert fragment_text("plain") == "plain"
    assert fragment_text("<style>p{}</style><p>x<!-- c --></p>") == "x"
    assert fragment_text("") == ""


def test_html_records_in_json_lines_go_through_the_extractor():
    record = {"id": "x:1", "publisher": "given", "url": "https://www.faz.net/1", "lang": None, "html": page()}
    bad = {"id": "x:2", "url": "https://www.faz.net/2", "html": "<html></html>"}
    data = "".join(json.dumps(r) + "\n" for r in (record, bad))
    corpus = load(stream(data, "a.jsonl"))
    (row,) = rows(corpus)
    assert (row["doc_id"], row["publisher"], row["lang"], row["title"]) == ("x:1", "given", "de", "Eine Wahl")
    assert row["text"] == read_page(page())["text"]
    assert "no article text" in corpus.attrs["quarantine"]["reason"].item()


def test_html_columns_of_parquet_and_csv_too():
    out = io.BytesIO()
    pa.parquet.write_table(pa.table({"id": ["1"], "html": [page()]}), out)
    assert load(stream(out.getvalue(), "a.parquet"))["text"].item() == read_page(page())["text"]
    csv = 'id,raw_html\n1,"' + page().replace('"', '""') + '"\n'
    assert load(stream(csv, "a.csv"))["text"].item() == read_page(page())["text"]


def warc(*records):
    out = []
    for i, (kind, url, http, body) in enumerate(records):
        block = (http.replace("\n", "\r\n").encode() + b"\r\n\r\n" if http else b"") + body
        content = "application/http" if http else "text/plain"
        head = (
            f"WARC/1.0\r\nWARC-Type: {kind}\r\nWARC-Record-ID: <urn:uuid:{i}>\r\nWARC-Target-URI: {url}\r\n"
            f"WARC-Date: 2020-01-01T00:00:00Z\r\nContent-Type: {content}\r\n"
            f"Content-Length: {len(block)}\r\n\r\n"
        )
        out.append(head.encode() + block + b"\r\n\r\n")
    return out


OK = "HTTP/1.1 200 OK\nContent-Type: text/html; charset=windows-1252"
RECORDS = warc(
    ("warcinfo", "", "", b"software: x"),
    ("request", "https://www.faz.net/1", "GET / HTTP/1.1", b""),
    ("response", "https://www.faz.net/1", OK, page().encode("cp1252")),
    ("response", "https://x.org/i.png", "HTTP/1.1 200 OK\nContent-Type: image/png", b"\x89PNG"),
    ("response", "https://x.org/404", "HTTP/1.1 404 Not Found\nContent-Type: text/html", b"gone"),
    ("revisit", "https://www.faz.net/1", OK, b""),
    (
        "response",
        "https://www.faz.net/2",
        "HTTP/1.1 200 OK\nContent-Type: text/html\nContent-Encoding: gzip",
        gzip.compress(page().encode()),
    ),
    ("conversion", "https://www.faz.net/3", "", b"Plain text of a page."),
    ("response", "https://www.faz.net/4", OK, b"<html></html>"),
)


@pytest.mark.parametrize("packing", ["none", "whole", "each"])
def test_warc_gives_pages_and_says_what_is_none(packing):
    data = b"".join(map(gzip.compress, RECORDS)) if packing == "each" else b"".join(RECORDS)
    data = gzip.compress(data) if packing == "whole" else data
    corpus = load(stream(data, "a.warc" if packing == "none" else "a.warc.gz"))
    label = "a.warc" if packing == "none" else "a.warc.gz"
    assert corpus["url"].tolist() == [f"https://www.faz.net/{i}" for i in (1, 2, 3)]
    assert corpus["doc_id"].tolist() == ["2", "6", "7"]
    assert corpus["source"].tolist() == [f"{label}#{i}" for i in (3, 7, 8)]
    assert corpus["publisher"].tolist() == ["faz.net"] * 3
    assert all("Pläne für den Häfen" in text for text in corpus["text"][:2])
    quarantine = corpus.attrs["quarantine"]
    assert quarantine["source"].tolist() == [f"{label}#{i}" for i in (4, 5, 6, 9)]
    reasons = ["not a page but image/png", "HTTP status 404", "revisit record", "no article text"]
    assert all(wanted in found for wanted, found in zip(reasons, quarantine["reason"], strict=True))


@pytest.mark.parametrize("kept", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_warc_that_is_cut_off_keeps_its_whole_records(pack, kept):
    record = pack(RECORDS[2])
    data = record + record[: int(kept * len(record))]
    corpus = load(stream(data, "a.warc"))
    assert len(corpus) == 1
    assert corpus.attrs["quarantine"]["source"].tolist() == ["a.warc#2"]
    assert corpus.attrs["quarantine"]["reason"].str.contains("truncated|damaged").item()


def test_a_page_in_a_warc_that_unpacks_too_large_is_refused():
    http = "HTTP/1.1 200 OK\nContent-Type: text/html\nContent-Encoding: gzip"
    (bomb,) = warc(("response", "https://x.org", http, gzip.compress(b"a" * 5_000_000)))
    corpus = load(stream(bomb + RECORDS[2], "a.warc"), limits=Limits(record_bytes=1 << 20))
    assert len(corpus) == 1
    assert "larger than 1 MiB" in corpus.attrs["quarantine"]["reason"].item()


@pytest.mark.parametrize(("stated", "rows"), [("5", 1), ("99999999", 0), ("-1", 1), ("x", 1)])
def test_a_wrong_length_in_a_warc_is_reported_and_costs_no_other_record(stated, rows):
    bad = RECORDS[2].replace(
        b"Content-Length: %d" % (len(RECORDS[2].split(b"\r\n\r\n", 1)[1]) - 4),
        b"Content-Length: %s" % stated.encode(),
    )
    assert bad != RECORDS[2]
    corpus = load(stream(RECORDS[2] + bad + RECORDS[6], "a.warc"))
    assert len(corpus) == 1 + rows
    assert corpus["doc_id"].iloc[-1] == ("6" if rows else "2")
    assert not corpus.attrs["quarantine"].empty


def test_a_warc_without_warcio_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "warcio.recordloader", None)
    corpus = load(stream(b"".join(RECORDS), "a.warc"))
    assert "pip install 'news-toolkit[formats]'" in corpus.attrs["quarantine"]["reason"].item()


RSS = """<?xml version="1.0"?>
<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel><language>en-gb</language>
<item><title>A &amp; B</title><link>https://www.bbc.co.uk/1</link><guid>g1</guid>
<pubDate>Wed, 01 Jan 2020 10:00:00 GMT</pubDate><description>Teaser</description>
<content:encoded><![CDATA[<p>First.</p><p>Second.</p>]]></content:encoded></item>
<item><title>C</title><link>https://www.bbc.co.uk/2</link>
<description>Only &lt;b&gt;this&lt;/b&gt;</description></item>
<item><title>nothing</title></item></channel></rss>"""
ATOM = """<?xml version="1.0"?><!-- made by hand --><feed xmlns="http://www.w3.org/2005/Atom"><title>F</title>
<entry xml:lang="de"><title>T</title><id>urn:1</id><link rel="self" href="https://x.de/s"/>
<link rel="alternate" href="https://www.spiegel.de/a"/><updated>2020-02-01T00:00:00Z</updated>
<content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p>Eins</p><p>Zwei</p></div></content></entry>
<entry><id>2</id><title>U</title><content type="text">a &lt;b&gt; c</content></entry></feed>"""
NEWSML = """<?xml version="1.0" encoding="UTF-8"?>
<newsMessage xmlns="http://iptc.org/std/nar/2006-10-01/"><header><sent>x</sent></header><itemSet>
<newsItem guid="urn:newsml:1"><itemMeta><provider literal="Agency"/>
<versionCreated>2020-01-01T10:00:00Z</versionCreated></itemMeta>
<contentMeta><headline>Head</headline><language tag="en"/></contentMeta><contentSet>
<inlineXML contenttype="application/nitf+xml"><nitf xmlns="http://iptc.org/std/NITF/2006-10-18/">
<head><title>t</title></head><body><body.head><hedline><hl1>H1</hl1></hedline></body.head>
<body.content><p>Para one.</p><p>Para two.</p></body.content></body></nitf></inlineXML></contentSet>
</newsItem>
<newsItem guid="urn:2"><contentMeta><headline>H2</headline></contentMeta><contentSet><inlineXML>
<html xmlns="http://www.w3.org/1999/xhtml"><head><title>z</title></head><body><p>Page.</p></body></html>
</inlineXML></contentSet></newsItem>
<newsItem guid="urn:3"><contentSet>
<inlineData contenttype="text/plain">Plain data</inlineData></contentSet></newsItem>
</itemSet></newsMessage>"""


def test_rss():
    corpus = load(stream(RSS, "a.xml"))
    assert corpus["text"].tolist() == ["First.\nSecond.", "Only this"]
    assert corpus["title"].tolist() == ["A & B", "C"]
    assert corpus["doc_id"].iloc[0] == "g1"
    assert corpus["publisher"].tolist() == ["bbc.co.uk"] * 2
    assert corpus["lang"].tolist() == ["en"] * 2
    assert corpus["published"].iloc[0] == pd.Timestamp("2020-01-01T10:00Z")
    assert corpus.attrs["quarantine"]["source"].tolist() == ["a.xml#3"]


def test_atom():
    corpus = load(stream(ATOM, "a.atom"))
    assert corpus["text"].tolist() == ["Eins\nZwei", "a <b> c"]
    assert corpus["url"].iloc[0] == "https://www.spiegel.de/a"
    assert corpus["lang"].iloc[0] == "de"
    assert corpus["source"].tolist() == ["a.atom#1", "a.atom#2"]


def test_newsml_g2():
    corpus = load(stream(NEWSML, "a.xml"))
    assert corpus["text"].tolist() == ["Para one.\nPara two.", "Page.", "Plain data"]
    assert corpus["title"].tolist()[:2] == ["Head", "H2"]
    assert corpus["doc_id"].tolist() == ["urn:newsml:1", "urn:2", "urn:3"]
    assert (corpus["publisher"].iloc[0], corpus["lang"].iloc[0]) == ("Agency", "en")


def test_a_feed_that_is_cut_off_keeps_its_whole_items():
    corpus = load(stream(RSS[: RSS.index("<item><title>C")], "a.rss"))
    assert corpus["doc_id"].tolist() == ["g1"]
    assert "not well-formed XML" in corpus.attrs["quarantine"]["reason"].item()


ITEM = "<rss><channel><item><title>&x;</title></item></channel></rss>"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (f'<!DOCTYPE rss [<!ENTITY a "aa"><!ENTITY x "&a;&a;">]>{ITEM}', "entities"),
        (f'<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY x SYSTEM "file:///etc/passwd">]>{ITEM}', "entities"),
        ("<?xml version='1.0'?><catalog><cd/></catalog>", "XML of an unknown kind <catalog>"),
        ("<?xml version='1.0'?><rss><channel/></rss>", "no articles found"),
        ("<rss>" + "<item>" * 100_000, "not well-formed XML"),
        ("<!--" * 5_000, "unknown kind|not well-formed"),
        ("<!----><!---->" * 3_000 + "!", "unknown kind|not well-formed"),
    ],
)  # fmt: skip
def test_xml_that_is_hostile_or_unknown_is_one_row(data, reason):
    corpus = load(stream(data, "a.xml"))
    assert len(corpus) == 0
    assert corpus.attrs["quarantine"]["reason"].str.contains(reason).item()


def test_entities_declared_late_are_not_expanded(tmp_path):
    secret = tmp_path / "secret.txt"
    secret.write_text("SECRET")
    data = (
        f'<!DOCTYPE rss [{" " * 70_000}<!ENTITY x SYSTEM "{secret.as_uri()}">]>'
        "<rss><channel><item><title>t</title><description>before &x;</description></item></channel></rss>"
    )
    corpus = load(stream("<?xml version='1.0'?>" + data, "a.rss"))
    assert len(corpus) == 0
    assert not corpus.attrs["quarantine"].map(lambda value: "SECRET" in value).any(axis=None)


DUMPS = {
    "news-please": (
        {"authors": ["A"], "date_download": "2021-01-01 00:00:00", "date_publish": "2020-01-01 10:00:00",
         "description": "d", "language": "de", "maintext": "TEXT", "source_domain": "www.faz.net",
         "title": "T", "url": "https://www.faz.net/a"},
        {"publisher": "faz.net", "lang": "de", "published": "2020-01-01T10:00Z"},
    ),
    "newspaper": (
        {"source_url": "https://edition.cnn.com", "url": "https://edition.cnn.com/1", "title": "T",
         "text": "TEXT", "publish_date": "2020-01-01 00:00:00", "meta_lang": "en"},
        {"publisher": "cnn.com", "lang": "en", "url": "https://edition.cnn.com/1"},
    ),
    "fundus": (
        {"title": "T", "publishing_date": "2020-01-01 10:00:00+01:00", "publisher": "FAZ", "lang": "de",
         "body": {"summary": ["TEXT"], "sections": [{"headline": ["H"], "paragraphs": ["P1", "P2"]}]}},
        {"text": "TEXT\n\nH\n\nP1\n\nP2", "publisher": "FAZ", "published": "2020-01-01T09:00Z"},
    ),
    "cc_news": (
        {"date": "2017-07-10 00:00:00", "description": "d", "domain": "www.wsj.com", "image_url": "x",
         "text": "TEXT", "title": "T", "url": "http://blogs.wsj.com/a"},
        {"publisher": "wsj.com", "published": "2017-07-10T00:00Z"},
    ),
    "ccnews": (
        {"requested_url": "https://x.org/1", "responded_url": "https://x.org/1?r", "plain_text": "TEXT",
         "published_date": "2019-05-05", "title": "T", "sitename": "X", "language": "en"},
        {"url": "https://x.org/1", "publisher": "X", "lang": "en"},
    ),
    "ninjs": (
        {"uri": "http://ex.com/n/1", "headline": "T", "body_text": "TEXT",
         "versioncreated": "2020-01-01T00:00:00Z"},
        {"doc_id": "http://ex.com/n/1", "published": "2020-01-01T00:00Z"},
    ),
    "ninjs 2": (
        {"uri": "urn:2", "headlines": [{"role": "main", "value": "T"}],
         "versionCreated": "2020-01-01T00:00:00Z",
         "bodies": [{"contenttype": "text/html", "value": "<p>TEXT</p><p>Two</p>"}]},
        {"doc_id": "urn:2", "text": "TEXT\nTwo", "url": None},
    ),
    "JSON Feed": (
        {"id": "1", "url": "https://x.org/1", "title": "T", "content_html": "<p>TEXT</p>",
         "date_published": "2020-01-01T00:00:00Z"},
        {"published": "2020-01-01T00:00Z"},
    ),
    "WordPress": (
        {"id": 5, "date": "2020-01-01T10:00:00", "link": "https://x.org/5", "title": {"rendered": "T"},
         "content": {"rendered": "<p>TEXT</p>\n<p>Two</p>"}},
        {"doc_id": "5", "text": "TEXT\nTwo", "url": "https://x.org/5"},
    ),
    "news API": (
        {"source": {"id": None, "name": "CNN"}, "title": "T", "url": "https://www.cnn.com/x",
         "publishedAt": "2020-01-01T00:00:00Z", "content": "TEXT"},
        {"publisher": "cnn.com", "published": "2020-01-01T00:00Z"},
    ),
    "allsides": (
        {"ID": "x", "url": "http://www.npr.org/1", "source": "NPR (Online News)", "source_url": "www.npr.org",
         "date": "", "title": "T", "authors": "", "topic": "a", "content_original": "TEXT"},
        {"doc_id": "x", "publisher": "npr.org", "published": None, "source": "d.jsonl#1"},
    ),
    "GDELT": (
        {"url": "https://a.com/1", "url_mobile": "", "title": "T", "seendate": "20240101T120000Z",
         "domain": "a.com", "language": "English"},
        {"text": "T", "publisher": "a.com", "lang": "en", "published": "2024-01-01T12:00Z"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("wrapped", [False, True])
@pytest.mark.parametrize("name", DUMPS)
def test_common_dumps_map_by_themselves(name, wrapped):
    record, wanted = DUMPS[name]
    data = json.dumps({"articles": [record]} if wrapped else record) + "\n"
    (row,) = rows(load(stream(data, "d.json" if wrapped else "d.jsonl")))
    wanted = {"text": "TEXT", "title": "T"} | wanted
    if wrapped:
        wanted.pop("source", None)
    if wanted.get("published"):
        wanted["published"] = pd.Timestamp(wanted["published"])
    assert {key: row[key] for key in wanted} == wanted


def test_real_pages_load(shared_data):
    path = shared_data / "pages" / "fundus.jsonl.gz"
    with gzip.open(path, "rt", encoding="utf-8") as file:
        some = [next(file) for _ in range(8)]
    corpus = load(stream("".join(some), "fundus.jsonl"))
    assert len(corpus) + len(corpus.attrs["quarantine"]) == 8
    assert len(corpus) >= 7
    assert corpus["title"].notna().all()
    assert corpus["publisher"].notna().all()


LONG = "Der Rat hat am Dienstag lange über das alte Bad beraten, das seit dem Winter leckt."


@pytest.mark.parametrize("ending", ["json", "jsonl"])
@pytest.mark.parametrize(
    ("record", "wanted"),
    [
        (
            {"id": 12, "id_str": "12", "text": "Der Rat…", "extended_tweet": {"full_text": LONG}},
            {"text": LONG, "doc_id": "12"},
        ),
        (
            {"id": 3, "data": {"text": LONG, "title": "Bad"}, "annotations": []},
            {"text": LONG, "title": "Bad"},
        ),
        ({"id": 3, "text": LONG, "data": {"title": "Bad"}}, {"text": LONG, "title": None}),
    ],
)
def test_a_text_that_a_record_keeps_inside_is_read(record, wanted, ending):
    lines = [json.dumps(record, ensure_ascii=False), json.dumps({"id": 4, "text": "Kurz."})]
    data = "\n".join(lines) if ending == "jsonl" else f"[{', '.join(lines)}]"
    corpus = load(stream(data, f"a.{ending}"))
    assert wanted.items() <= rows(corpus)[0].items()
    assert corpus["text"].tolist() == [LONG, "Kurz."]


def test_a_graph_of_json_ld_is_a_list_of_records():
    graph = [
        {"@type": "NewsArticle", "headline": "Bad", "articleBody": LONG},
        {"@type": "WebSite", "name": "Bote"},
    ]
    corpus = load(stream(json.dumps({"@context": "https://schema.org", "@graph": graph}), "a.json"))
    assert corpus[["title", "text"]].values.tolist() == [["Bad", LONG]]


def test_documents_between_tags_need_no_title():
    corpus = load(
        stream(f"<doc id='a1'>\n{LONG}\n</doc>\n<doc id='a2' title='Bad'>\nBad\n{LONG}\n</doc>\n", "a.txt")
    )
    assert corpus[["doc_id", "text"]].values.tolist() == [["a1", LONG], ["a2", LONG]]
    words = "<doc id='1'>\n<s>\nDas\tART\tdie\nBoot\tNN\tBoot\nsank\tVVFIN\tsinken\n</s>\n</doc>\n"
    gone = load(stream(words, "a.txt")).attrs["quarantine"]
    assert gone["reason"].tolist() == [
        "a word a line with its tags (vertical text); not read; join the words first"
    ]
    for empty in (
        "<DOC id='X_ENG_19970101.0001'>\n<TEXT>\n</TEXT>\n</DOC>\n",
        "<DOC>\n<DOCNO>1</DOCNO>\n</DOC>\n",
    ):
        assert load(stream(empty, "a.sgm")).attrs["quarantine"]["reason"].tolist() == ["empty text"]


def test_the_order_of_a_date_on_a_page_is_not_that_of_other_pages():
    prose = (
        "It rained all day in the port, and the ferries to the islands stayed where they were until Monday. "
        * 3
    )
    pages = [
        f'<html><head><title>Rain {i}</title><meta property="article:published_time" content="{day}"></head>'
        f"<body><h1>Rain {i}</h1><p>{prose}</p><p>Page {i}. {prose}</p></body></html>"
        for i, day in enumerate(("03/04/2021", "25/03/2021"))
    ]
    records = "\n".join(json.dumps({"html": page}) for page in pages)
    assert load(stream(records, "a.jsonl"))["published"].dt.month.tolist() == [3, 3]
    french = records.replace("<html>", "<html lang='fr'>")
    assert load(stream(french, "a.jsonl"))["published"].dt.month.tolist() == [4, 3]
    british = french.replace("'fr'", "'en-GB'")
    assert load(stream(british, "a.jsonl"))["published"].dt.month.tolist() == [4, 3]
    american = french.replace("'fr'", "'en-US'")
    assert load(stream(american, "a.jsonl"))["published"].dt.month.tolist() == [3, 3]
