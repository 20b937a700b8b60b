"""Files that hold several articles and say so by their form alone; UTF-16 without a mark."""

import io
import zipfile
from xml.sax.saxutils import escape

import pytest

from tests.streams import reasons, stream
from toolkit.loading import load

BODY = [
    "The ferry to Skarholm will not sail between November and March, the harbour board said on Tuesday, because the "
    "old engine no longer starts in the cold and nobody makes its parts.",
    "The forty families of the island must now drive ninety kilometres to the nearest hospital, and nobody has said "
    "who will pay for the fuel.",
]
THINGS = "Ferry Council Harvest Wolves Baker Tram Bridge School Market Museum Theatre Library".split()
ARTICLES = [(f"{thing} to close for the long winter", BODY) for thing in THINGS]
WORDS = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"


def plain(title, body, between="\n\n"):
    return between.join([title, *body]) + "\n"


def word(paragraphs, styled=True):
    """Return a Word file of (style, properties, text before, text)."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("[Content_Types].xml", "<x/>")
        if styled:
            archive.writestr(
                "word/styles.xml",
                f'<w:styles xmlns:w="{WORDS}"><w:style w:styleId="berschrift1"><w:name w:val="heading 1"/></w:style>'
                '<w:style w:styleId="berschrift2"><w:name w:val="heading 2"/></w:style><w:style/></w:styles>',
            )
        body = "".join(
            f"<w:p><w:pPr>{f'<w:pStyle w:val={chr(34)}{style}{chr(34)}/>' if style else ''}{properties}</w:pPr>"
            f"<w:r>{before}<w:t>{escape(text)}</w:t></w:r></w:p>"
            for style, properties, before, text in paragraphs
        )
        archive.writestr(
            "word/document.xml", f'<w:document xmlns:w="{WORDS}"><w:body>{body}</w:body></w:document>'
        )
    return out.getvalue()


def titled(style=None, properties="", before=""):
    return [
        paragraph
        for title, body in ARTICLES
        for paragraph in ((style, properties, before, title), *((None, "", "", text) for text in body))
    ]


MANY = {
    "blank.txt": "\f".join(plain(*article) for article in ARTICLES).encode(),
    "tight.txt": "\f\r\n".join(plain(*article, "\n") for article in ARTICLES).encode(),
    "labelled.txt": "\f".join("Title: " + plain(*article) for article in ARTICLES).encode(),
    "headings.docx": word(titled("berschrift1")),
    "pages.docx": word(titled(properties="<w:pageBreakBefore/>")),
    "breaks.docx": word(titled(before='<w:br w:type="page"/>'), styled=False),
    "pages.rtf": (
        r"{\rtf1\ansi " + r"\page ".join(plain(*article, r"\par ") for article in ARTICLES) + "}"
    ).encode(),
}


@pytest.mark.parametrize("name", MANY)
def test_articles_that_pages_or_headings_divide_are_read_one_by_one(name):
    corpus = load(stream(MANY[name], name))
    assert corpus["title"].str.removeprefix("Title: ").tolist() == [title for title, _ in ARTICLES]
    assert corpus["source"].tolist() == [f"{name}#{number}" for number in range(1, 13)]
    for text in corpus["text"]:
        assert text.count("no longer starts") == text.count("pay for the fuel") == 1
    assert reasons(corpus) == []


PROSE = [(None, "", "", text) for text in BODY]
SECTION = [("berschrift1", "", "", "Harbour board speaks"), *PROSE]
ONE = {
    "page.txt": plain(*ARTICLES[0]) + "\f" + "\n\n".join(BODY) + "\n",
    "cut.txt": plain(ARTICLES[0][0], [BODY[0], BODY[1][:90]]) + "\f" + plain("Page 2 of the Lantern", BODY),
    "running.txt": "\f".join(plain(f"The Lantern {page}", BODY) for page in (1, 2, 3)),
    "twelve.txt": "\n".join(plain(*article) for article in ARTICLES),
}


@pytest.mark.parametrize("name", ONE)
def test_a_text_that_may_hold_several_is_kept_whole_and_reported(name):
    corpus = load(stream(ONE[name].encode(), name), strict=True)
    assert corpus["text"].tolist() == [ONE[name]]
    (reason,) = reasons(corpus)
    assert reason.startswith("read as one article, though ")
    assert "split the file" in reason


@pytest.mark.parametrize(
    "paragraphs",
    [
        [
            ("berschrift1", "", "", ARTICLES[0][0]),
            *PROSE,
            ("berschrift2", "", "", "Harbour board speaks"),
            *PROSE,
        ],
        [(None, "", "", ARTICLES[0][0]), *SECTION, *SECTION],
        [(None, "", "", ARTICLES[0][0]), *PROSE, (None, "", '<w:br w:type="page"/>', BODY[0])],
    ],
    ids=["sections of a lower rank", "a title without style", "a page break"],
)
def test_one_article_of_word_stays_one(paragraphs):
    corpus = load(stream(word(paragraphs), "a.docx"))
    assert corpus["title"].tolist() == [ARTICLES[0][0]]
    assert "\f" not in corpus["text"][0]
    assert reasons(corpus) == []


def test_what_word_stores_twice_stands_once():
    """A box is stored again for programs of old, text that was moved also where it was taken from."""
    box = "<w:txbxContent><w:p><w:r><w:t>A box.</w:t></w:r></w:p></w:txbxContent>"
    both = f"<m:Choice>{box}</m:Choice><m:Fallback>{box}</m:Fallback>"
    twice = f'<m:AlternateContent xmlns:m="urn:markup">{both}</m:AlternateContent>'
    moved = "<w:moveFrom><w:r><w:t>Moved.</w:t></w:r></w:moveFrom>"
    corpus = load(stream(word([(None, "", moved, "Depot"), (None, "", twice, BODY[0])]), "a.docx"))
    assert corpus["text"].tolist() == [f"Depot\n{BODY[0]}\nA box."]


@pytest.mark.parametrize(
    ("text", "count"),
    [
        (plain(*ARTICLES[0]) + "\f" + plain(*ARTICLES[1]) + "\f" + "\n\n".join(BODY), 2),
        ("\n\n\n".join(plain(*article) for article in ARTICLES[:3]), 3),
    ],
    ids=["a part without headline", "wide gaps"],
)
def test_several_articles_that_cannot_be_told_apart_are_refused(text, count):
    corpus = load(stream(text.encode(), "a.txt"))
    assert len(corpus) == 0
    (reason,) = reasons(corpus)
    assert reason.startswith(f"looks like {count} articles in one file")
    assert ARTICLES[0][0] in reason
    assert ARTICLES[1][0] in reason


def page(title, body, paragraph="<p>{}</p>", opening="<!DOCTYPE html>\n<html lang=en>", closing="</html>"):
    inside = "".join(paragraph.format(text) for text in body)
    head = f"<title>{title}</title><link rel=canonical href='https://x.example/{title.split()[0]}'>"
    return f"{opening}<head>{head}</head><body><article><h1>{title}</h1>{inside}</article></body>{closing}\n"


RUSSIAN = "Паром не ходит зимой, сообщил совет гавани. "
TEXTS = {
    "a.txt": plain(*ARTICLES[0]), "b.txt": RUSSIAN * 3,
    "c.txt": "港口下了一整天的雨。\n船在星期一装载。2024年3月10日\n" * 9,
    "d.txt": "Der Fähre fehlt’s 😀", "a.jsonl": f'{{"text": "{RUSSIAN}"}}\n{{"text": "It rained."}}\n',
    "a.json": f'[{{"text": "{RUSSIAN}"}}]', "a.csv": f'id,text\n1,"{RUSSIAN}\nsaid"\n', "a.html": page(*ARTICLES[0]),
}  # fmt: skip


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
@pytest.mark.parametrize("name", TEXTS)
def test_wide_encodings_are_found_without_a_mark_and_reported(name, encoding):
    wanted = load(stream(TEXTS[name].encode(), name))
    corpus = load(stream(TEXTS[name].encode(encoding), name), strict=True)
    assert corpus.drop(columns="doc_id").equals(wanted.drop(columns="doc_id"))
    assert reasons(corpus) == [
        f"read as {encoding}, as its zero bytes show; pass encoding= if it is in another"
    ]
    assert reasons(load(stream(TEXTS[name].encode(encoding), name), encoding=encoding)) == []


@pytest.mark.parametrize("data", [b"It rained\0" * 40, b"abc\0" * 100, b"Rain fell.\0 It was Monday." * 9])
def test_zero_bytes_in_a_text_of_bytes_make_it_no_wide_one(data):
    corpus = load(stream(data, "a.txt"))
    assert corpus["text"].tolist() in ([data.decode()], [])
    assert not [reason for reason in reasons(corpus) if reason.startswith("read as")]
