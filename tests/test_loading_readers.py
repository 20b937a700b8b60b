"""Archives, corpora and files of articles as they are met in the field: one small invented file of each format."""

import io
import re
import tomllib
import zipfile
from importlib.util import find_spec
from pathlib import Path

import pandas as pd
import pytest

from docs.tools import formats
from tests.streams import reasons, stream
from toolkit import pipeline
from toolkit.language import language_code
from toolkit.loading import Limits, load
from toolkit.loading.formats import FORMATS
from toolkit.loading.readers import lines
from toolkit.verification import verify

EXCEL = find_spec("python_calamine") is not None

ARCHIVES = Path(__file__).parent / "archives"
FERRY = (
    "Ferry to Skarholm stops for the winter",
    [
        "NORDVIK — The ferry to Skarholm will not sail between November and March, the harbour board said on Tuesday, "
        "because the old engine no longer starts in the cold.",
        "“We have sold nine tickets a day since the bridge opened,” said the captain, Ines Falk, who has steered the "
        "boat for twenty-one years.",
        "The island's forty families must now drive ninety kilometres to the nearest hospital.",
    ],
)
MAP = (
    "Museum finds a map under its floor",
    [
        "Workers who were replacing a water pipe at the Museum of Trade found a map of the coast, drawn on goatskin, "
        "under the café floor.",
        "It shows two lighthouses that were never built and a canal that was, and its maker signed it with a heron.",
        "The director said the map would be shown in spring, behind glass and away from pipes.",
    ],
)
BOTH = (FERRY, MAP)
EXTRA = {"section": "section", "words": "length"}

# file: format, publisher, authors, section, length, language of the labels or None; what is None the archive lacks
TABLE = {
    "nexis_en.txt": ("nexis text", "Lantern", "Ada Brandt; Lars Holm", "NEWS; Pg. 4", "84", "en"),
    "nexis_de.txt": ("nexis text", "Lantern", "Ada Brandt; Lars Holm", "POLITIK; S. 4", "84", "de"),
    "nexis_fr.txt": ("nexis text", "Lantern", "Ada Brandt; Lars Holm", "POLITIQUE", "84", "fr"),
    "nexis_nl.txt": ("nexis text", "De Lantaarn", "BRANDT, ADA", None, "84", "nl"),
    "nexis.html": ("nexis html", "Die Laterne", "Brandt, Ada", "POLITIK; S. 4", "84", "de"),
    "nexis_uni.docx": ("nexis uni", "Lantern", "Ada Brandt", "NEWS; Pg. 4", "84", "en"),
    "nexis_uni.rtf": ("nexis uni", "Lantern", "Ada Brandt", "NEWS; Pg. 4", "84", "en"),
    "factiva_de.html": ("factiva html", "Lantern", "Ada Brandt", "Lokales", "84", "de"),
    "factiva_es.html": ("factiva html", "Lantern", "Ada Brandt", "Lokales", "84", "es"),
    "factiva_en.html": ("factiva html", "Lantern", "Ada Brandt", "Lokales", "84", "en"),
    "factiva_ru.html": ("factiva html", "Lantern", "Ada Brandt", "Lokales", "84", "ru"),
    "factiva_ja.html": ("factiva html", "Lantern", "Ada Brandt", "Lokales", "84", "ja"),
    "factiva_coded.html": ("factiva html", "Lantern", "Ada Brandt", "Politique", "84", "fr"),
    "factiva.txt": ("factiva text", "Lantern", "Ada Brandt", "4", "84", "en"),
    "factiva_coded.txt": ("factiva text", "Lantern", "Ada Brandt", "News", "84", "en"),
    "factiva.xml": ("factiva xml", "Lantern", "Ada Brandt", "News", "84", "en"),
    "europresse.html": ("europresse", "La Lanterne", "Ada Brandt", "Politique", "84", None),
    "europresse_old.html": ("europresse", "La Lanterne", None, "Politique", None, None),
    "proquest.txt": ("proquest", "Lantern", "Brandt, Ada; Holm, Lars", "News", None, "en"),
    "proquest_new.txt": ("proquest", "Lantern", None, None, None, "en"),
    "mediargus.txt": ("mediargus", "De Lantaarn", None, "p. 4", "84", None),
    "integrum.html": ("integrum", "Фонарь", "Брандт Ада", "ЭПИЦЕНТР", None, None),
    "gigaword.sgm": ("gigaword", "LAN", None, None, None, "en"),
    "trec.sgml": ("gigaword", None, "ADA BRANDT", None, None, None),
    "wikinews.xml": ("wikinews", "Wikinews", None, None, None, "en"),
    "newsml1.xml": ("feed", "Lantern", "Ada Brandt", None, None, "en"),
    "feed.rss": ("feed", None, "Ada Brandt", None, None, "en"),
    "newsletter.mbox": ("mail", "Lantern", None, None, None, None),
    "webz.json": ("json", None, "Ada Brandt", None, None, "en"),
    "eventregistry.json": ("json", None, "Ada Brandt", None, None, "en"),
    "guardian.json": ("json", None, "Ada Brandt", None, None, None),
    "nyt_search.json": ("json", None, "Ada Brandt", None, None, None),
    "aylien.json": ("json", None, "Ada Brandt", None, None, "en"),
    "sheet.xlsx": ("excel", None, "Ada Brandt", None, None, None),
}
# files of another kind: one article, or parts
ALSO = {
    "nitf.xml": "feed", "rcv1.xml": "feed", "reuters.sgm": "reuters", "now.txt": "now", "message.eml": "mail",
    "saved.mhtml": "saved page",
    "captions.srt": "captions", "captions.vtt": "captions", "cnn.story": "story", "plain.txt": "text",
    "single.docx": "text", "newsapi.json": "json", "gnews.json": "json", "gdelt.gkg.csv": "delimited",
    "headerless.csv": "delimited", "alceste.txt": "alceste",
}  # fmt: skip
LINED = [name for name, row in TABLE.items() if name.endswith(".txt") and row[0] != "json"]


def missing(value):
    return None if pd.isna(value) else value


def plain(text: str) -> str:
    return " ".join(text.split())


@pytest.fixture(scope="module")
def everything():
    return load(ARCHIVES, columns=EXTRA)


@pytest.mark.parametrize("name", TABLE)
def test_each_archive_gives_its_articles_and_nothing_else(everything, name):
    if name == "sheet.xlsx" and not EXCEL:
        pytest.skip("needs python-calamine of the extra formats")
    _, publisher, authors, section, length, lang = TABLE[name]
    found = everything[everything["source"].str.partition("#")[0] == name]
    assert found["source"].tolist() == [f"{name}#1", f"{name}#2"]
    for (title, text), (_, row), day in zip(BOTH, found.iterrows(), (4, 5), strict=True):
        assert row["title"] == title
        assert plain(row["text"]) == plain(" ".join(text))
        assert row["text"].count("\n\n") == 2 or "\n\n" not in row["text"], (
            "lines wrapped, or paragraphs lost"
        )
        assert str(row["published"])[:10] == f"2014-03-0{day}"
        assert (missing(row["authors"]), missing(row["section"]), missing(row["words"])) == (
            authors,
            section,
            length,
        )
        if publisher is not None:
            assert row["publisher"] == publisher
        if lang is not None:
            assert row["lang"] == lang
    quarantine = everything.attrs["quarantine"]
    assert not quarantine["source"].str.startswith(name).any()


def test_formats_of_one_article_or_of_parts(everything):
    of = everything.set_index("source")
    ferry = plain(" ".join(FERRY[1]))
    for source in ("nitf.xml#1", "cnn.story", "message.eml#1"):
        assert plain(of.loc[source, "text"]) == ferry, source
    assert of.loc["nitf.xml#1", ["publisher", "authors", "section", "words"]].tolist() == [
        "Lantern", "ADA BRANDT", "Metropolitan Desk", "84",
    ]  # fmt: skip
    assert str(of.loc["nitf.xml#1", "published"])[:10] == "2014-03-04"
    assert plain(of.loc["rcv1.xml#1", "text"]) == plain(" ".join(MAP[1]))
    assert str(of.loc["rcv1.xml#1", "published"])[:10] == "1996-08-20"
    assert of.loc["reuters.sgm#1", "title"] == FERRY[0].upper()
    assert plain(of.loc["reuters.sgm#2", "text"]) == plain(" ".join(MAP[1])), (
        "the end mark of the wire is no text"
    )
    assert plain(of.loc["now.txt#1", "text"]) == ferry
    assert of.loc["now.txt#2", "doc_id"] == "411001"
    first = of.loc["alceste.txt#1"]
    assert (first["doc_id"], first["published"].day, first["text"].count("\n\n")) == ("a1", 4, 1)
    assert first["text"].startswith("The ferry")
    assert of.loc["alceste.txt#2", "text"] == "The map of the harbour was found in a drawer."
    assert of.loc["captions.vtt", "text"] == (
        ">> GOOD EVENING. THE FERRY TO SKARHOLM WILL NOT SAIL BETWEEN NOVEMBER AND MARCH."
    )
    assert of.loc["captions.srt", "text"].split("\n")[1] == ">> THE BRIDGE OPENED IN MAY."
    for name in ("newsapi.json", "gnews.json"):
        assert "chars]" not in of.loc[f"{name}#1", "text"]
    for source in ("plain.txt", "single.docx", "saved.mhtml"):
        assert of.loc[source, "title"] == FERRY[0]


def test_a_folder_of_every_format_adds_up(everything, tmp_path):
    quarantine = everything.attrs["quarantine"]
    files = pd.concat([everything["source"], quarantine["source"]]).str.partition("#")[0]
    assert set(files) == {path.name for path in ARCHIVES.iterdir()}
    absent = [] if EXCEL else ["sheet.xlsx"]
    assert quarantine["source"].tolist() == ["gdelt.gkg.csv", "headerless.csv", "reuters.sgm#3", *absent]
    assert "no article text" in quarantine["reason"][0]
    assert "no header line" in quarantine["reason"][1]
    assert "a headline without a text" in quarantine["reason"][2]
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        for path in sorted(ARCHIVES.iterdir()):
            archive.write(path, path.name)
    packed = load(tmp_path / "all.zip", columns=EXTRA)
    assert sorted(packed["text"]) == sorted(everything["text"])
    assert len(packed.attrs["quarantine"]) == len(quarantine)


def test_a_run_over_every_format_ends_with_its_account(everything, tmp_path):
    summary = pipeline.run(ARCHIVES, tmp_path / "out")
    assert (summary.kept, summary.quarantined) == (len(everything), len(everything.attrs["quarantine"]))
    account = (
        f"{summary.kept + summary.quarantined} in = {summary.kept} kept + {summary.quarantined} quarantined"
    )
    assert account in str(summary)


def test_every_reader_is_met_in_these_files():
    assert {path.name for path in ARCHIVES.iterdir()} == TABLE.keys() | ALSO.keys()
    met = {row[0] for row in TABLE.values()} | set(ALSO.values())
    assert set(FORMATS) - met == {"jsonlines", "columnar", "html", "warc"}, (
        "test_loading_records.py has these"
    )


def test_the_page_of_formats_is_made_from_their_table():
    page = formats.PAGE.read_text("utf-8")
    assert formats.page(page) == page, "out of date; run python -m docs.tools.formats"
    told = tomllib.loads(formats.DESCRIPTIONS.read_text("utf-8"))
    assert told.keys() == FORMATS.keys()
    for key, said in told.items():
        assert {"name", "known", "read", "fields", "bad"} <= said.keys(), key


@pytest.mark.parametrize("name", LINED)
@pytest.mark.parametrize("change", ["dos", "mac", "marked", "utf-16", "unnamed", "blank ends"])
def test_line_ends_marks_and_encodings_do_not_matter(name, change):
    raw = (ARCHIVES / name).read_bytes()
    text = raw.decode("cp1252" if name == "nexis_de.txt" else "utf-8-sig").replace("\r\n", "\n")
    data = {
        "dos": text.replace("\n", "\r\n").encode(),
        "mac": text.replace("\n", "\r").encode(),
        "marked": b"\xef\xbb\xbf" + text.encode(),
        "utf-16": text.encode("utf-16"),
        "unnamed": text.encode(),
        "blank ends": re.sub("\n", "  \n", text).encode(),
    }[change]
    corpus = load(stream(data, "export" if change == "unnamed" else name))
    assert [plain(text) for text in corpus["text"]] == [plain(" ".join(text)) for _, text in BOTH]
    assert corpus["title"].tolist() == [title for title, _ in BOTH]
    assert not len(corpus.attrs["quarantine"])


@pytest.mark.parametrize(
    "name",
    [name for name in LINED if name.startswith(("nexis", "factiva"))] + ["factiva_en.html", "nexis.html"],
)
def test_fields_may_be_missing(name):
    """Each line of a label is left out in turn: title and text stay, and no label becomes text."""
    text = (ARCHIVES / name).read_bytes().decode("cp1252" if name == "nexis_de.txt" else "utf-8-sig")
    label = re.compile(
        r"^(?:(?:BYLINE|AUTOR|AUTEUR|SECTION|RUBRIK|RUBRIQUE|LENGTH|LÄNGE|LONGUEUR|LENGTE|LOAD-DATE|LANGUAGE|UPDATE|SPRACHE|"
        r"LANGUE|TAAL|PUB-TYPE): .*|(?:SE|BY|WC|LA|ET|CY) .*|By Ada Brandt|84 words|LANTRN|English)\r?$"
        r"|<div(?: class=\"author\")?>(?:Lokales|By Ada Brandt|84 words|06:00|LANTRN|English)</div>"
        r"|<BR><DIV CLASS=\"c5\"><P CLASS=\"c6\"><SPAN CLASS=\"c8\">.*\n</DIV>",
        re.M,
    )
    kinds = {match.group() for match in label.finditer(text)}
    assert kinds
    for kind in kinds:
        corpus = load(stream(re.sub(rf"(?m)^{re.escape(kind)}$", "", text).encode(), name))
        assert corpus["title"].tolist() == [title for title, _ in BOTH], kind
        assert [plain(text) for text in corpus["text"]] == [plain(" ".join(text)) for _, text in BOTH], kind


@pytest.mark.parametrize(
    ("name", "cut", "number"),
    [
        ("nexis_en.txt", r"1 of 2 DOCUMENTS[\s\S]*?(?=\s+2 of 2 DOCUMENTS)", 1),
        ("nexis_fr.txt", r"Document 2 de 2[\s\S]*", 2),
        ("nexis.html", r"<A NAME=\"DOC_ID_2_0\">[\s\S]*", 2),
        ("proquest.txt", r"Document 1 of 2[\s\S]*?(?=Document 2 of 2)", 1),
        ("factiva.xml", r"<ppsarticle>[\s\S]*?</ppsarticle>", 1),
        (
            "integrum.html",
            r"<br clear=\"all\" style=\"page-break-before:always\"><div align=\"left\"><a name=\"2\">[\s\S]*",
            2,
        ),
    ],
)
def test_what_an_archive_counts_is_held_against_what_is_there(name, cut, number):
    raw = (ARCHIVES / name).read_bytes()
    text = raw.decode("cp1251" if name == "integrum.html" else "utf-8")
    shorter = re.sub(cut, "", text, count=1)
    assert len(shorter) < len(text) - 300
    corpus = load(stream(shorter.encode("cp1251" if name == "integrum.html" else "utf-8"), name))
    assert corpus["title"].tolist() == [BOTH[2 - number][0]]
    (reason,) = reasons(corpus)
    assert "the archive counts 2 articles" in reason
    assert "1 are in this file" in reason


def test_a_part_of_a_numbered_archive_is_whole():
    text = (ARCHIVES / "nexis_fr.txt").read_text("utf-8")
    part = text.replace("Document 1 de 2", "Document 501 de 2000").replace(
        "Document 2 de 2", "Document 502 de 2000"
    )
    assert reasons(load(stream(part.encode(), "part.txt"))) == []
    gap = part.replace("502 de", "504 de")
    assert reasons(load(stream(gap.encode(), "part.txt"))) == [
        "the archive counts 4 articles, 2 are in this file; missing: 502, 503"
    ]


@pytest.mark.parametrize(
    ("name", "cut", "reason"),
    [
        (
            "factiva.txt",
            r"\r\nLantern Media Ltd\r\n\r\nDocument LANTRN0020140305[\s\S]*",
            "cut off: no line 'Document",
        ),
        ("gigaword.sgm", r"</TEXT>\n</DOC>\n\Z", "cut off: no </DOC>"),
        ("reuters.sgm", r"</REUTERS>\n\Z", "cut off: no </REUTERS>"),
        ("wikinews.xml", r"</page><page><title>Talk[\s\S]*", "not well-formed XML"),
        ("nexis_uni.docx", None, "damaged"),
        ("sheet.xlsx", None, "damaged"),
    ],
)
def test_what_is_cut_off_is_reported(name, cut, reason):
    if name == "sheet.xlsx" and not EXCEL:
        pytest.skip("needs python-calamine of the extra formats")
    raw = (ARCHIVES / name).read_bytes()
    data = raw[: len(raw) // 2] if cut is None else re.sub(cut, "", raw.decode(), count=1).encode()
    assert len(data) < len(raw)
    assert any(reason in found for found in reasons(load(stream(data, name))))


def test_an_article_larger_than_a_record_may_be_costs_no_other():
    long = "@@411000 <p> " + "It rained. " * 9_000 + "\n@@411001 <p> Then it was dry.\n"
    corpus = load(stream(long.encode(), "now.txt"), limits=Limits(record_bytes=40_000))
    assert corpus["text"].tolist() == ["Then it was dry."]
    assert "larger than" in reasons(corpus)[0]


def test_a_bad_byte_costs_one_article():
    data = (ARCHIVES / "gigaword.sgm").read_bytes().replace("café".encode(), b"caf\xe9")
    corpus = load(stream(data, "gigaword.sgm"))
    assert corpus["title"].tolist() == [FERRY[0]]
    assert reasons(corpus) == ["text is not valid in the file's encoding; pass encoding="]


def test_excel_without_its_library_is_one_line_with_the_mend(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "python_calamine", None)
    corpus = load(ARCHIVES / "sheet.xlsx")
    assert reasons(corpus) == ["Excel needs python-calamine: pip install 'news-toolkit[formats]'"]


def workbook(**sheets) -> bytes:
    """A workbook of sheets of texts, as small as it may be."""
    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    parts = {
        "[Content_Types].xml": "<Types xmlns='http://schemas.openxmlformats.org/package/2006/content-types'/>"
    }
    named, links = "", ""
    for i, (name, rows) in enumerate(sheets.items(), 1):
        named += f"<sheet name='{name}' sheetId='{i}' r:id='r{i}'/>"
        links += f"<Relationship Id='r{i}' Type='{kind}/worksheet' Target='worksheets/sheet{i}.xml'/>"
        cells = "".join(
            f"<row r='{r}'>"
            + "".join(
                f"<c r='{'ABC'[c]}{r}' t='inlineStr'><is><t>{t}</t></is></c>" for c, t in enumerate(row) if t
            )
            + "</row>"
            for r, row in enumerate(rows, 1)
        )
        parts[f"xl/worksheets/sheet{i}.xml"] = (
            f"<worksheet xmlns='{main}'><sheetData>{cells}</sheetData></worksheet>"
        )
    parts["xl/workbook.xml"] = (
        f"<workbook xmlns='{main}' xmlns:r='{kind}'><sheets>{named}</sheets></workbook>"
    )
    package = "http://schemas.openxmlformats.org/package/2006/relationships"
    parts["xl/_rels/workbook.xml.rels"] = f"<Relationships xmlns='{package}'>{links}</Relationships>"
    book = f"<Relationship Id='r1' Type='{kind}/officeDocument' Target='xl/workbook.xml'/>"
    parts["_rels/.rels"] = f"<Relationships xmlns='{package}'>{book}</Relationships>"
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    return out.getvalue()


@pytest.mark.skipif(not EXCEL, reason="needs python-calamine of the extra formats")
@pytest.mark.parametrize(
    ("sheets", "texts", "reason"),
    [
        ({"A": [["Export of the archive, made by Ada for the reader of it"], [], ["id", "text"], ["1", "It rained."]]},
         ["It rained."], None),
        ({"A": [["id", "text"], ["1", "It rained."]], "B": [["title", "text"], ["Dry", "It was dry."]]},
         ["It rained.", "It was dry."], None),
        ({"Notes": [["Made by Ada"], ["in March"]], "Data": [["text"], ["It rained."]], "Empty": []},
         ["It rained."], "kept in part: sheet 'Notes' has no text column, another sheet has; not read"),
        ({"A": [["1", "https://a.example", "It rained on the port, and on the quay too."]]},
         [], "sheet 'A': no header line: the first row looks like a record; add one, as in id,text"),
        ({"A": [["text"], ["It rained."]], "B": [["2014-03-04", "dry"]]},
         ["It rained."], "sheet 'B': no header line: the first row looks like a record; add one, as in id,text"),
    ],
    ids=["title above", "two", "notes", "no header", "one without header"],
)  # fmt: skip
def test_sheets_of_a_workbook_are_read_or_reported_and_reported_for_the_file(sheets, texts, reason):
    corpus = load(stream(workbook(**sheets), "book.xlsx"))
    assert corpus["text"].tolist() == texts
    quarantine = corpus.attrs["quarantine"]
    assert quarantine[["source", "reason"]].to_numpy().tolist() == ([["book.xlsx", reason]] if reason else [])
    assert len(
        load(stream(workbook(**sheets), "book.xlsx"), strict=bool(texts) and "B" not in sheets)
    ) == len(texts)


def test_office_files_that_unpack_too_far_are_refused_before_they_are_read():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<x/>")
        archive.writestr("word/document.xml", b"<w>" + b" " * (8 << 20))
    corpus = load(stream(out.getvalue(), "a.docx"), limits=Limits(record_bytes=1 << 20))
    assert "larger than 1 MiB" in reasons(corpus)[0]


STORY = " ".join(FERRY[1]) + " " + " ".join(MAP[1])


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("".join(f"Title: Story {i}\nDate: 2014-03-04\n\n{STORY}\n\n" for i in range(3)), 3),
        ("".join(f"{'=' * 40}\nStory {i}\n\n{STORY}\n" for i in range(4)), 4),
        ("".join(f"Article {i}\n\nStory {i}\n\n{STORY}\n\n" for i in range(1, 3)), 2),
        ("".join(f"Story {i}\n\n{STORY}\n\n© 2014 Lantern\n\n" for i in range(3)), 3),
        ("Archive of the Lantern\n\n" + "".join(f"Titel: Story {i}\n\n{STORY}\n\n" for i in range(2)), 2),
        ("\n======\n".join(f"Story {i}\n{STORY}" for i in range(4)), 4),
        ("\n-----\n".join(f"Story {i}: {STORY}" for i in range(4)), 4),
        ("".join(f"###\nStory {i}: {STORY}\n" for i in range(3)), 3),
        ("".join(f"<article id='Story {i}'>\n<text>{STORY}</text>\n</article>\n" for i in range(3)), 3),
        ("\n".join(f"Story {i}: {STORY}" for i in range(120)), 120),
        ("\n".join(f"Story {i}: {STORY * 3}" for i in range(20)), 20),
    ],
    ids=[
        "labels",
        "rules",
        "numbers",
        "copyright",
        "labels below",
        "under rules",
        "same rules",
        "hashes",
        "elements",
        "lines",
        "long lines",
    ],
)
def test_many_articles_in_one_text_are_refused_and_reported(text, count):
    corpus = load(stream(text.encode(), "many.txt"))
    assert len(corpus) == 0
    (reason,) = reasons(corpus)
    assert reason.startswith(f"looks like {count} articles in one file")
    assert "Story 0" in reason or "Story 1" in reason


@pytest.mark.parametrize(
    "text",
    [
        STORY,
        f"Ferry stops\n\n{STORY}\n\n* * *\n\n{STORY}\n\n* * *\n\n{STORY}",
        f"---\ntitle: Ferry\n---\n\n{STORY}",
        f"Title: Ferry\n\n{STORY}",
        f"{STORY}\n\n© 2014 Lantern Media\n",
        f"Ferry stops\n\n{STORY}\n\n----\n\n{STORY}\n\n----\n\nBy Ada Brandt",
        "Ferry stops\n" + f"{STORY}\n" * 30,
        f"<p>{STORY}</p>\n<p>{STORY}</p>",
    ],
    ids=[
        "plain",
        "asterisms",
        "front matter",
        "one label",
        "one copyright",
        "a note",
        "paragraphs",
        "markup",
    ],
)
def test_one_article_is_not_taken_for_many(text):
    assert len(load(stream(text.encode(), "one.txt"))) == 1


def test_columns_of_words_are_no_article():
    words = "The DT B-NP\nboat NN I-NP\nsank VBD B-VP\n. . O\n\n" * 9
    corpus = load(stream(words.encode(), "a.txt"))
    assert len(corpus) == 0
    assert reasons(corpus)[0].startswith("looks like a table of 36 lines of 3 words each, no article")


@pytest.mark.parametrize(
    "head",
    [
        '---\ntitle: "Ferry stops"\ndate: 2014-03-04\nurl: https://lantern.example/1\ntags:\n- sea\n---\n\n',
        "Title: Ferry stops\nDate: 4 March 2014\nSource: Lantern\nURL: https://lantern.example/1\n\n",
        "Titel: Ferry stops\nDatum: 4.3.2014\nURL: https://lantern.example/1\nText: ",
    ],
)
def test_labels_above_a_text_are_its_fields(head):
    (row,) = load(stream(f"{head}{STORY}\nIt rained.\n".encode(), "a.txt")).to_dict("records")
    assert (row["title"], str(row["published"])[:10]) == ("Ferry stops", "2014-03-04")
    assert (row["url"], row["text"]) == ("https://lantern.example/1", f"{STORY}\nIt rained.\n")


def test_a_rule_above_a_text_is_no_title():
    assert load(stream(f"---\nFerry stops\n\n{STORY}".encode(), "a.txt"))["title"].tolist() == ["Ferry stops"]


def test_a_line_of_many_records_is_reported_and_keeps_none_for_them():
    line = b'{"status": "ok", "articles": [{"title": "a", "content": "It rained."}, {"content": "Dry."}]}\n'
    corpus = load(stream(line * 2 + b'{"text": "One."}\n', "pages.jsonl"))
    assert corpus["text"].tolist() == ["One."]
    assert (
        reasons(corpus)
        == ["holds 2 records under 'articles', not one; write one a line: jq -c '.[\"articles\"][]'"] * 2
    )


def test_records_under_a_name_of_text_files_are_records():
    lines = b'{"text": "It rained."}\n{"text": "It was dry."}\n'
    assert load(stream(lines, "a.txt"))["text"].tolist() == ["It rained.", "It was dry."]
    assert load(stream(b"id\ttext\n1\tIt rained.\n2\tIt was dry.\n", "a.txt"))["text"].tolist() == [
        "It rained.",
        "It was dry.",
    ]


PAGE = "<html><head><meta property='og:url' content='https://lantern.example/all'><title>All</title></head><body>{}</body></html>"


@pytest.mark.parametrize(
    "part",
    [
        "<article><h2>{0}</h2><time>4 March 2014</time><p>{1}</p><p>{2}</p><p>{3}</p></article>",
        "<h2>{0}</h2><p>Lantern; 4 March 2014</p><p>{1}</p><p>{2}</p><p>{3}</p>",
    ],
    ids=["articles", "headings"],
)
def test_many_articles_in_one_page_are_refused_and_reported(part):
    page = PAGE.format("".join(part.format(title, *text) for title, text in (*BOTH, ("Third", FERRY[1]))))
    corpus = load(stream(page.encode(), "all.html"))
    assert len(corpus) == 0
    (reason,) = reasons(corpus)
    assert reason.startswith("looks like 3 articles of lantern.example in one file")
    assert FERRY[0] in reason
    assert MAP[0] in reason


def test_an_article_beside_teasers_is_one_article():
    teasers = "".join(
        f"<article><h3>Teaser {i}</h3><time>2014-03-04</time><p>{MAP[1][0]}</p></article>" for i in range(6)
    )
    page = PAGE.format(
        f"<main><article><h1>{FERRY[0]}</h1><p>{'</p><p>'.join(FERRY[1] * 3)}</p></article></main>{teasers}"
    )
    corpus = load(stream(page.encode(), "one.html"))
    assert len(corpus) == 1
    assert FERRY[1][2] in corpus["text"][0]


def test_a_page_of_which_most_is_left_out_is_reported(monkeypatch):
    page = PAGE.format("".join(f"<div><p>{STORY} {i}</p></div>" for i in range(6)))
    monkeypatch.setattr("toolkit.loading.readers.web.read_page", lambda *a, **k: {"text": "It rained."})
    corpus = load(stream(page.encode(), "part.html"))
    assert corpus["text"].tolist() == ["It rained."]
    assert reasons(corpus)[0].startswith(
        "kept in part: the article found has 10 characters, paragraphs outside it "
    )


def test_a_page_kept_in_part_is_one_document_in_the_account_of_a_run(monkeypatch, tmp_path):
    page = PAGE.format("".join(f"<div><p>{STORY} {i}</p></div>" for i in range(6)))
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.html").write_text(page, "utf-8")
    (tmp_path / "in" / "b.txt").write_text("", "utf-8")
    monkeypatch.setattr(
        "toolkit.loading.readers.web.read_page", lambda *a, **k: {"text": "It rained in the port all day."}
    )
    assert len(load(tmp_path / "in" / "a.html", strict=True)) == 1
    summary = pipeline.run(tmp_path / "in", tmp_path / "out")
    assert (summary.documents_in, summary.kept, summary.quarantined) == (2, 1, 1)
    assert len(pd.read_parquet(tmp_path / "out" / "quarantine.parquet")) == 2
    assert not verify(tmp_path / "out").differences


RAIN = "It rained in the port all day, and the ships that had been loaded on Monday stayed."
UNI = [
    ["{0}", "Lantern", "March {1}, 2014 Tuesday", "Copyright 2014 Lantern", "Length: 9 words", "Body", RAIN],
    ["Load-Date: March 6, 2014"],
]


def numbered(mark, day, labels, end):
    """Two documents of Nexis with the labels of a language, without those that others have."""
    parts = (
        f"\n{mark.format(i)}\n\n  Lantern\n\n  {day.format(3 + i)}\n\nRain {i}\n\n{labels}\n\n{RAIN}\n\n{end}\n"
        for i in (1, 2)
    )
    return "".join(parts)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (
            "es.txt",
            numbered(
                "{0} de 2 DOCUMENTOS",
                "{0} de marzo de 2014",
                "AUTOR: Ana Ruiz",
                "FECHA-DE-CARGA: 11 de marzo",
            ),
        ),
        ("da.txt", numbered("{0} af 2 DOKUMENTER", "{0}. marts 2014", "LÆNGDE: 84 ord", "SPROG: DANISH")),
        ("sv.txt", numbered("Dokument {0} av 2", "{0} mars 2014", "LENGTH: 84 ord", "SPRÅK: SVENSKA")),
        ("pl.txt", numbered("Dokument {0} z 2", "{0} marca 2014", "LENGTH: 84 słów", "LANGUAGE: POLISH")),
        ("cs.txt", numbered("{0} z 2 DOKUMENTŮ", "{0} March 2014", "LENGTH: 84 slov", "LANGUAGE: CZECH")),
        (
            "it.txt",
            numbered("Documento {0} di 2", "{0} marzo 2014", "LUNGHEZZA: 9 parole", "LINGUA: ITALIAN"),
        ),
        (
            "tabs.txt",
            numbered(
                "\f\t\t{0} of 2 DOCUMENTS",
                "March {0}, 2014\n\tFirst Edition",
                "LENGTH: 9 words",
                "GRAPHIC: A quay",
            ),
        ),
        (
            "update.txt",
            numbered("{0} of 2 DOCUMENTS", "March {0}, 2014", "LENGTH: 9 words", "UPDATE: March 9, 2014"),
        ),
        (
            "plain.txt",
            numbered("{0} of 2 DOCUMENTS", "March {0}, 2014", "BYLINE: A B", "Copyright 2014 Lantern"),
        ),
        ("uni.txt", "\n".join("\n".join([*UNI[0], *UNI[1]]).format(f"Rain {i}", 3 + i) for i in (1, 2))),
        (
            "uni_de.txt",
            "\n".join("\n".join([*UNI[0], "Ende des Dokuments"]).format(f"Rain {i}", 3 + i) for i in (1, 2)),
        ),
        (
            "de.html",
            "<HTML><BODY>"
            + "".join(
                f"<P>Dokument {i} von 2</P><P>Lantern</P><P>{3 + i}. März 2014</P><P>Rain {i}</P>"
                f"<P>LÄNGE: 9 Wörter</P><P>{RAIN}</P>"
                for i in (1, 2)
            ),
        ),
    ],
)
def test_numbered_documents_in_other_languages_and_forms(name, text):
    corpus = load(stream(text.encode(), name))
    assert corpus["title"].tolist() == ["Rain 1", "Rain 2"]
    assert corpus["text"].tolist() == [RAIN, RAIN]
    assert corpus["published"].astype(str).str[:10].tolist() == ["2014-03-04", "2014-03-05"]
    assert corpus["publisher"].tolist() == ["Lantern", "Lantern"]
    assert reasons(corpus) == []


@pytest.mark.parametrize(
    "last", ["THE END", "UPDATE: the vote was repeated on Monday, the mayor said.", "MAYOR: No. It was dry."]
)
def test_a_last_paragraph_in_capitals_stays(last):
    text = numbered(
        "{0} of 2 DOCUMENTS", "March {0}, 2014", "LENGTH: 9 words", f"{last}\n\nLOAD-DATE: March 9, 2014"
    )
    corpus = load(stream(text.encode(), "caps.txt"))
    assert corpus["text"].tolist() == [f"{RAIN}\n\n{last}"] * 2


def test_lines_of_archives_are_read_for_what_they_are():
    assert lines.find_date("Politics, Tuesday 14 March 2006, p. 16") == "14 March 2006"
    given = ("January 11, 2010 Monday 8:27 PM", "Plans for March 3, 2010 dropped after protests of many")
    assert [lines.is_date(line) for line in given] == [True, False]
    assert [lines.words(line) for line in ("1,285 words", "584", "2 men held")] == [1285, None, None]
    assert lines.authors("By Ada Ferrow and Lars Venn") == "Ada Ferrow; Lars Venn"
    assert lines.publication("Harbour Post (London)") == {"publisher": "Harbour Post", "edition": "London"}
    wrapped = ["The council voted on Tuesday to close the old tram", "depot at the quay.", "Results:", "1"]
    assert lines.unwrapped(wrapped) == f"{wrapped[0]} {wrapped[1]}\nResults:\n1"


def test_names_of_languages_are_known_and_codes_of_newspapers_are_not_taken_for_them():
    given = ("GERMAN; DEUTSCH", "Français", "EN", "日本語", "Klingon", "FIN", "", None)
    assert [language_code(name) for name in given] == ["de", "fr", "en", "ja", None, None, None, None]
