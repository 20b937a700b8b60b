"""Archives as they differ from one download to the next: languages, encodings, line ends, counts, joined files."""

import io
import json
import time
import zipfile
from html import escape
from textwrap import fill

import pandas as pd
import pytest

import toolkit
from toolkit.loading import load

TITLES = (
    "Ferry to Skarholm stops for the winter",
    "Museum finds a map under its floor",
    "Snow closes the pass",
)
TEXTS = (
    (
        "NORDVIK - The ferry to Skarholm will not sail between November and March, the harbour board said on Tuesday, "
        "because the old engine no longer starts in the cold and nobody makes its parts.",
        "The forty families of the island must now drive ninety kilometres to the nearest hospital, a way that takes "
        "two hours when the road is free of snow.",
    ),
    (
        "Workers who were replacing a water pipe at the Museum of Trade found a map of the coast, drawn on goatskin, "
        "under the floor of the café, where it had lain since the great flood.",
        "The director said that the map would be shown in spring, behind glass, far from pipes, and with a guard.",
    ),
    (
        "The pass over the Heron was closed on Monday after a metre of snow fell in one night, the road office said, "
        "and it may stay closed until the end of the week.",
        "Two lorries were pulled out of a drift by a farmer, who was paid with their load of oranges and lemons.",
    ),
)
DAYS = {
    "en": "March {} 2014", "de": "{}. März 2014", "fr": "{} mars 2014", "es": "{} de marzo de 2014",
    "it": "{} marzo 2014", "pt": "{} de março de 2014",
}  # fmt: skip


def stream(data, name):
    file = io.BytesIO(data.encode() if isinstance(data, str) else data)
    file.name = name
    return file


def plain(text):
    return "".join(text.split())


def nexis(
    numbers, mark="{} of {} DOCUMENTS", total=None, labels=("BYLINE", "LENGTH", "words"), day=DAYS["en"]
):
    pieces = [
        f"\n\n\n          {mark.format(number, total or len(numbers))}\n\n\n          Lantern\n\n"
        f"          {day.format(10 + i)}\n\n{TITLES[i]}\n\n{labels[0]}: Ada Brandt\n\n{labels[1]}: 84 {labels[2]}\n\n"
        + "\n\n".join(fill(paragraph, 76) for paragraph in TEXTS[i])
        + "\n\nLOAD-DATE: March 20, 2014\n\n          Copyright 2014 Lantern\n          All Rights Reserved\n"
        for i, number in enumerate(numbers)
    ]
    return "".join(pieces)


def uni(day=DAYS["en"], body="Body", end="End of Document", labels=("Byline", "Length", "words")):
    lines = []
    for i in range(3):
        lines += [TITLES[i], "Lantern", day.format(10 + i), "Copyright 2014 Lantern All Rights Reserved"]
        lines += [
            f"{labels[1]}: 84 {labels[2]}",
            f"{labels[0]}: Ada Brandt",
            body,
            *TEXTS[i],
            "Load-Date: x",
            end,
        ]
    return [line for line in lines if line]


def rtf(lines):
    coded = ("".join(c if c.isascii() else f"\\u{ord(c)}?" for c in line) for line in lines)
    return (
        "{\\rtf1\\ansi{\\fonttbl{\\f0 Arial;}}\n" + "".join(f"\\pard {line}\\par\n" for line in coded) + "}"
    )


def factiva(prefix="en", day="{} March 2014", words="84 words", number="Document", count=3):
    return "".join(
        f'<div class="article {prefix}Article"><div><span class="{prefix}Headline">{TITLES[i]}</span></div>'
        f'<div class="author">Ada Brandt</div><div>{words}</div><div>{day.format(10 + i)}</div><div>Lantern</div>'
        f"<div>LANT</div><div>English</div><div>© 2014 Lantern</div>"
        + "".join(f'<p class="{prefix}articleParagraph">{escape(paragraph)}</p>' for paragraph in TEXTS[i])
        + f"<p>{number} LANT000020140310ea3a0000{i}</p></div>"
        for i in range(count)
    )


def page(body, title="Factiva"):
    return f"<html><head><title>{title}</title></head><body>{body}</body></html>"


PROQUEST = {
    "en": ("Document {} of {}", "Author", "Publication title", "Publication date", "Full text"),
    "de": ("Dokument {} von {}", "Autor", "Titel der Publikation", "Veröffentlichungsdatum", "Volltext"),
    "fr": (
        "Document {} sur {}",
        "Auteur",
        "Titre de la publication",
        "Date de publication",
        "Texte intégral",
    ),
    "es": ("Documento {} de {}", "Autor", "Título de publicación", "Fecha de publicación", "Texto completo"),
    "it": (
        "Documento {} di {}",
        "Autore",
        "Titolo della pubblicazione",
        "Data di pubblicazione",
        "Testo completo",
    ),
}


def proquest(lang="en", numbers=(1, 2, 3)):
    mark, author, publication, published, text = PROQUEST[lang]
    return "".join(
        f"{'_' * 60}\n\n{mark.format(number, 3)}\n\n{TITLES[number - 1]}\n\n{author}: Brandt, Ada\n\n"
        f"{publication}: Lantern\n\n{published}: {DAYS[lang].format(9 + number)}\n\n"
        f"{text}: " + "\n\n".join(TEXTS[number - 1]) + "\n\nISSN: 0000-0000\n\n"
        for number in numbers
    )


def europresse(count=3):
    return "".join(
        f'<article><span class="DocPublicationName">Lantern</span><span class="DocHeader">Page 4, {10 + i} mars 2014'
        f'</span><p class="titreArticleVisu">{TITLES[i]}</p><p class="sm-margin-bottomNews">Ada Brandt</p>'
        f'<div class="DocText">{"".join(f"<p>{p}</p>" for p in TEXTS[i])}</div></article>'
        for i in range(count)
    )


ALL = (0, 1, 2)
GERMAN = ("AUTOR", "LÄNGE", "Wörter")
# name: the file, and which articles it holds
WHOLE = {
    "crlf.txt": (("\ufeff" + nexis([1, 2, 3])).replace("\n", "\r\n"), ALL),
    "wide.txt": (nexis([1, 2, 3]).encode("utf-16"), ALL),
    "windows.txt": (nexis([1, 2, 3], "{} von {} DOKUMENTEN", None, GERMAN, DAYS["de"]).encode("cp1252"), ALL),
    "es.txt": (nexis([1, 2, 3], "{} de {} DOCUMENTOS", None, ("AUTOR", "LONGITUD", "palabras"), DAYS["es"]), ALL),
    "it.txt": (nexis([1, 2, 3], "{} di {} DOCUMENTI", None, ("AUTORE", "LUNGHEZZA", "parole"), DAYS["it"]), ALL),
    "pt.txt": (nexis([1, 2, 3], "Documento {} de {}", None, ("AUTOR", "LENGTH", "palavras"), DAYS["pt"]), ALL),
    "stories.txt": (nexis([1, 2, 3], "LEVEL 1 - {} OF {} STORIES"), ALL),
    "editions.txt": (nexis([1, 2, 3], day="March {}, 2014, Monday, Late City Final Edition"), ALL),
    "one.txt": (nexis([1], "{} of {} DOCUMENT"), (0,)),
    "joined.txt": (nexis([1, 2, 3]) + nexis([1, 2]), (0, 1, 2, 0, 1)),
    "rights.txt": (nexis([1, 2]).replace("  Lantern\n", "  Copyright 2014 Lantern\n          Lantern\n"), (0, 1)),
    "uni.rtf": (rtf(uni()), ALL),
    "uni_de.rtf": (rtf(uni(DAYS["de"], "Volltext", "Ende des Dokuments", ("Autor", "Länge", "Wörter"))), ALL),
    "uni_fr.rtf": (rtf(uni(DAYS["fr"], "Corps", "Fin du document", ("Auteur", "Longueur", "mots"))), ALL),
    "uni_unlabelled.rtf": (rtf(uni(body="")), ALL),
    "uni.txt": ("\r\n\r\n".join(uni()), ALL),
    "factiva_pt.html": (page(factiva("pt", DAYS["pt"], "84 palavras", "Documento")), ALL),
    "factiva_zh.html": (page(factiva("zhcn", "2014年3月{}日", "84 字", "文件")), ALL),
    "factiva_untitled.htm": ("\ufeff" + page(factiva("fr", DAYS["fr"], "84 mots"), "Résultats"), ALL),
    "factiva_one.html": (page(factiva(count=1)), (0,)),
    "factiva_joined.html": (page(factiva()) + page(factiva(count=2)), (0, 1, 2, 0, 1)),
    **{f"proquest_{lang}.txt": (proquest(lang), ALL) for lang in PROQUEST},
    "proquest_joined.txt": (proquest() + proquest(), ALL + ALL),
    "proquest.rtf": (rtf(proquest().split("\n")), ALL),
    "europresse_joined.html": (page(europresse(), "x") + page(europresse(2), "x"), (0, 1, 2, 0, 1)),
    "europresse_latin.html": (page("<meta charset=latin1>" + europresse(), "x"), ALL),
}  # fmt: skip


@pytest.mark.parametrize("name", WHOLE)
def test_an_archive_gives_its_articles_however_it_was_written(name):
    data, articles = WHOLE[name]
    corpus = load(stream(data, name))
    assert corpus.attrs["quarantine"]["reason"].tolist() == []
    assert corpus["title"].tolist() == [TITLES[i] for i in articles]
    assert [plain(text) for text in corpus["text"]] == [plain("".join(TEXTS[i])) for i in articles]
    assert corpus["published"].dt.strftime("%Y-%m-%d").tolist() == [f"2014-03-{10 + i}" for i in articles]
    assert set(corpus["publisher"]) == {"Lantern"}
    assert corpus["authors"].str.contains("Brandt").all()


def test_a_header_may_hold_an_address_a_second_headline_and_a_bare_length():
    second = "The harbour board cannot mend the engine"
    written = nexis([1, 2]).replace(TITLES[0], f"{TITLES[0]}\n\nhttps://lantern.example/ferry\n\n{second}")
    before, _, last = written.rpartition("LENGTH: ")
    corpus = load(stream(before + last, "header.txt"))
    assert corpus["title"].tolist() == list(TITLES[:2])
    assert corpus["url"].fillna("").tolist() == ["https://lantern.example/ferry", ""]
    assert [plain(text) for text in corpus["text"]] == [
        plain(second + "".join(TEXTS[0])),
        plain("".join(TEXTS[1])),
    ]


def test_a_document_of_nexis_uni_without_a_date_keeps_its_title_and_newspaper():
    corpus = load(stream(rtf([line for line in uni() if not line.startswith("March 10")]), "undated.rtf"))
    assert corpus["published"].isna().tolist() == [True, False, False]
    assert corpus["title"].tolist() == list(TITLES)
    assert set(corpus["publisher"]) == {"Lantern"}
    assert [plain(text) for text in corpus["text"]] == [plain("".join(found)) for found in TEXTS]


# name: the file, the articles that it holds, what the quarantine says
SHORT = {
    "missing.txt": (nexis([1, 3], total=5), 2, "counts 5 articles, 2 are in this file; missing: 2, 4, 5"),
    "cover.txt": ("Download Request: Select Items: 1-10\nTime Of Request: x\n\n", 0, "no articles found"),
    "proquest_missing.txt": (
        proquest(numbers=(1, 3)),
        2,
        "counts 3 articles, 2 are in this file; missing: 2",
    ),
    "factiva_none.html": (page(""), 0, "no articles found"),
    "europresse_none.html": (page("", "Europresse"), 0, "no article text found"),
}


@pytest.mark.parametrize("name", SHORT)
def test_what_an_archive_lacks_is_reported(name):
    data, articles, reason = SHORT[name]
    corpus = load(stream(data, name))
    assert len(corpus) == articles
    assert [reason in told for told in corpus.attrs["quarantine"]["reason"]] == [True]


def _each(form):
    return "".join(form.format(title=TITLES[i], text="\n\n".join(TEXTS[i]), i=i) for i in range(3))


# files of many articles that no reader splits
REFUSED = {
    "references.txt": _each("TY  - NEWS\nT1  - {title}\nN2  - {text}\nER  - \n\n"),
    "bibliography.txt": _each("@article{{a{i},\n title = {{{title}}},\n abstract = {{{text}}}\n}}\n\n"),
    "one.txt": f"TY  - NEWS\nT1  - {TITLES[0]}\nN2  - {TEXTS[0][0]}\nER  - \n",
    "one.ris": "\ufeffTY  - NEWS\nT1  - Rain\nER  - \n",
    "references.bib": _each("@article{{a{i},\n title = {{{title}}},\n abstract = {{{text}}}\n}}\n\n"),
    "endnote.txt": _each("%0 Newspaper Article\n%T {title}\n%X {text}\n\n"),
    "retriever.txt": _each("{title}\nLantern 10.03.2014 Side 4 Seksjon: Nyheter\n\n{text}\n\n" + "=" * 70 + "\n\n"),
    "wiso.txt": _each("Lantern vom 10.03.2014, Seite 4\n\n{title}\n\n{text}\n\nDokumentnummer:\tL{i}\n\n"),
    "newsbank.txt": _each("{title}\nLantern - March 10, 2014\nSection: News\n\n{text}\n\nRecord Number: 10AB{i}\n\n"),
    "dated.txt": _each("{title}\n10 March 2014\n\n{text}\n\n\n"),
    "addresses.txt": _each("https://lantern.example/{i}\n{title}\n\n{text}\n\n"),
    "markdown.txt": _each("# {title}\n\n{text}\n\n"),
    "rules.txt": _each("{title}\n\n{text}\n\n---\n\n"),
    "sentences.txt": "".join(f"{i}\t{TEXTS[i % 3][0]}\n" for i in range(40)),
    "tagged.txt": "".join(f"# sent_id = {i}\n# text = Rain fell.\n1\tRain\train\n2\tfell\tfall\n\n" for i in range(40)),
    "pages.html": "".join(page(f"<h1>{TITLES[i]}</h1><p>{TEXTS[i][0]}</p>", TITLES[i]) for i in range(3)),
    "headerless.csv": "".join(f'"{i}","{TITLES[i]}","{TEXTS[i][0]}"\n' for i in range(3)),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_a_file_of_many_articles_is_never_read_as_one(name):
    corpus = load(stream(REFUSED[name], name))
    reasons = corpus.attrs["quarantine"]["reason"].tolist()
    assert len(corpus) == 0
    assert len(reasons) == 1
    assert "looks like" in reasons[0] or "no text column" in reasons[0]
    assert "columns=" not in reasons[0]
    assert ".txt" not in reasons[0]


WRAPPED = fill(" ".join(TEXTS[0] * 3), 76)
ONE = {
    "a section break": f"{WRAPPED}\n\n***\n\n{WRAPPED}\n\n***\n\n{WRAPPED}",
    "subheadings": f"# Ferry stops\n\n{WRAPPED}\n\n## Why\n\n{WRAPPED}\n\n## And now\n\n{WRAPPED}",
    "days of a story": f"How it went\n\n{WRAPPED}\n\n10 March 2014\n\n{WRAPPED}\n\n11 March 2014\n\n{WRAPPED}",
    "links in the text": f"{WRAPPED}\n\nhttps://x.example/1\n\n{WRAPPED}\n\nhttps://x.example/2\n\n{WRAPPED}",
    "results": f"{WRAPPED}\n\n1\tWolves\t33\n2\tRovers\t31\n3\tHerons\t30\n4\tBears\t29\n5\tOwls\t28\n",
}


@pytest.mark.parametrize("kind", ONE)
def test_one_article_is_read_as_one(kind):
    corpus = load(stream(ONE[kind], "a.txt"))
    assert corpus["text"].tolist() == [ONE[kind]]


def reply(**more):
    articles = [
        {"title": TITLES[i], "url": f"https://lantern.example/{i}", "content": TEXTS[i][0]} for i in range(3)
    ]
    return {"status": "ok", "articles": articles, **more}


RECORDS = {
    "list_of_replies.json": (json.dumps([reply(), reply()]), 6),
    "wrapped_twice.json": (json.dumps({"response": {"numFound": 3, "docs": reply()["articles"]}}), 3),
    "excel_says.csv": ("sep=;\r\ntitle;text\r\n" + "".join(f"{TITLES[i]};{TEXTS[i][1]}\r\n" for i in range(3)), 3),
    "commented.csv": ("# made by me\n\ntitle;text\n" + "".join(f"{TITLES[i]};{TEXTS[i][1]}\n" for i in range(3)), 3),
    "extracted.txt": (_each('<doc id="{i}" url="http://x.example" title="{title}">\n{title}\n\n{text}\n\n</doc>\n'), 3),
    "pages.xml": (_each('<doc title="{title}" author="Ada" date="2014-03-10"><main><p>{text}</p></main></doc>\n'), 3),
    "nothing_but_null.jsonl": ('{"text": "Rain", "y": [null, null]}\n', 1),
}  # fmt: skip


@pytest.mark.parametrize("name", RECORDS)
def test_records_are_found_where_they_are_wrapped(name):
    data, count = RECORDS[name]
    corpus = load(stream(data, name))
    assert len(corpus) == count
    assert len(corpus.attrs["quarantine"]) == 0
    if count > 1:
        assert corpus["title"].tolist() == [*TITLES] * (count // 3)


def test_a_zip_of_everything_adds_up():
    out = io.BytesIO()
    files = {**WHOLE, **SHORT}
    with zipfile.ZipFile(out, "w") as archive:
        for name, row in files.items():
            archive.writestr(name, row[0].encode() if isinstance(row[0], str) else row[0])
    corpus = load(stream(out.getvalue(), "all.zip"))
    assert len(corpus) == sum(len(row[1]) for row in WHOLE.values()) + sum(row[1] for row in SHORT.values())
    assert len(corpus.attrs["quarantine"]) == len(SHORT)


FACTIVA = (
    "{head}\n\nBy Jane Roe\n84 words\n4 March 2014\nLantern\nLANTR\nEnglish\n(c) 2014 Lantern Media Ltd.\n\n"
    "The ferry stopped on Monday.\n\nIt will sail again in May.\n\n{last}\n\n"
    "Document LANTR00020140304ea3400001\n\n{foot}\n\n"
)


@pytest.mark.parametrize(
    ("last", "kept"),
    [
        ("Lantern Media Ltd", False),
        ("Dow Jones & Company, Inc.", False),
        ("El Diario, S.L.", False),
        ("Lantern", False),
        ("Additional reporting by John Doe in Belmora", True),
        ("What happens next: see tomorrow's paper", True),
        ("He now works for Harker & Co.", True),
    ],
)
def test_the_last_line_of_factiva_texts_goes_only_if_it_is_the_publishers(last, kept):
    foot = "Page 1 of 2 © 2021 Factiva, Inc. All rights reserved."
    file = FACTIVA.format(head="Ferry stops", last=last, foot=foot) * 2
    corpus = load(io.BytesIO(file.encode()))
    assert [last in text for text in corpus["text"]] == [kept] * 2
    assert corpus["title"].tolist() == ["Ferry stops"] * 2


@pytest.mark.parametrize(
    "section",
    [
        "Business/Financial Desk; SECTB",
        "Business Day; National Desk; SECTB",
        "Metropolitan and Regional Desk",
    ],
)
def test_a_long_section_of_factiva_is_no_title(section):
    file = FACTIVA.format(head=f"{section}\nFerry stops", last="Lantern", foot="")
    corpus = load(io.BytesIO(file.encode()), columns={"section": "section"})
    assert corpus[["title", "section"]].to_numpy().tolist() == [["Ferry stops", section]]


LEAD, REST = "".join(TEXTS[0][:1]), TEXTS[1][0]
LONG = " ".join(map(" ".join, TEXTS))


@pytest.mark.parametrize(
    ("name", "data", "expected"),
    [
        ("a.txt", f"---\nBERLIN: {LEAD}\n{REST}\n---\nBy A. Smith\n", [(f"BERLIN: {LEAD}", "---\nBERLIN: NORDVIK")]),
        ("a.txt", f'---\ntitle: Mayor says "no"\ntags:\n  - sea\n---\n{LEAD}\n\n{REST}', [('Mayor says "no"', LEAD)]),
        ("a.txt", f"Title: Storm\nSource: Reuters\n\n{LEAD}\n\n{REST}", [("Storm", LEAD)]),
        ("a.txt", "\n***\n".join(f"{head}\n{LONG}" for head in ("Storm", "A quay")), [("Storm", "Storm\nNORDVIK -")]),
        ("a.sgm", f'<doc id="1" title="Storm">\n\t{LEAD}\n\t{REST}\n</doc>', [("Storm", LEAD)]),
        ("a.csv", f"title,data\nStorm hits,{LONG.replace(',', '')}\n", [("Storm hits", "Storm hits")]),
        ("a.csv", f"Rubrik;Schlagzeile;Text\nSport;Sieg im Derby;{LEAD}\n", [("Sieg im Derby", LEAD)]),
        ("a.json", json.dumps({"data": None, "headline": "x", "fields": {"bodyText": LEAD}}), [("x", LEAD)]),
        ("a.json", json.dumps([{"0": "2021-03-05", "1": "Storm hits", "2": LONG}]), []),
        ("a.csv", "id,text\n7,Some 1,000 people came\n8,About 2,500 people came\n", []),
    ],
)  # fmt: skip
def test_what_looks_like_a_form_and_is_none_is_read_as_it_stands(name, data, expected):
    corpus = load(stream(data, name))
    found = zip(corpus["title"].fillna("-"), corpus["text"], strict=True)
    assert [(title, text[:15]) for title, text in found] == [(title, start[:15]) for title, start in expected]
    assert len(corpus) or len(corpus.attrs["quarantine"])


def test_a_label_source_is_the_publisher_where_no_other_is_named():
    assert load(stream(f"Title: Storm\nSource: Reuters\n\n{LEAD}", "a.txt"))["publisher"].tolist() == [
        "Reuters"
    ]


@pytest.mark.parametrize("box", ["form", "center", "details"])
def test_a_box_of_paragraphs_beside_bare_text_keeps_its_paragraphs(box):
    inner = "".join(f"<p>{paragraph}</p>" for pair in TEXTS for paragraph in pair)
    page = f"<html><body><header>Lantern</header><{box}><h1>Storm</h1>{inner}</{box}> | imprint</body></html>"
    text = load(stream(page, "a.html"))["text"].item()
    assert [line for line in text.split("\n") if len(line) > 60] == [p for pair in TEXTS for p in pair]


def test_blocks_of_dates_that_say_nothing_of_their_order_change_nothing():
    rows = [f"{LEAD.replace(',', '')},2021-03-05"] * 2100 + [f"{REST.replace(',', '')},25/03/2021"]
    corpus = load(stream("text,date\n" + "\n".join(rows), "a.csv"))
    assert not len(corpus.attrs["quarantine"])
    assert (
        load(stream(f"texte,fecha\n{LEAD.replace(',', '')},03/04/2021", "a.csv"))["published"].dt.month.item()
        == 4
    )
    frame = pd.DataFrame({"texte": [LEAD], "fecha": ["03/04/2021"]})
    assert toolkit.corpus.as_corpus(frame)["published"].dt.month.item() == 4


def test_a_field_of_many_lines_between_tabs_takes_linear_time():
    def seconds(n):
        began = time.process_time()
        load(stream("id\ttext\n" + 'x"\t"\n' * n + 'y"\tz\n', "a.tsv"))
        return time.process_time() - began

    seconds(100)
    assert seconds(16_000) < 8 * 3 * seconds(2_000) + 1.5
