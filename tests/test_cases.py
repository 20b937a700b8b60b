"""The cases met in the field, one file each, beside the development data: what loading must make of them."""

import pandas as pd
import pytest

from toolkit.loading import load

COUNCIL = ("Council votes to close the old tram depot", "BELHAVEN", "hundred cars a day.")
HARVEST = ("Harvest of barley falls for a third year", "The barley harvest", "a drop in a bucket.")
WOLVES = ("Wolves beat Rovers with late header", "A header", "who was sent off.")
THREE = (COUNCIL, HARVEST, WOLVES)

# file: stories, publisher, days of publication; an address of mail or a mark of a cut text may follow the story
WHOLE = {
    "lexis_txt_1doc.TXT": (THREE[:1], "Harbour Post", ["2010-01-11"]),
    "nexis_3docs.html": (THREE, "Harbour Post", ["1991-12-10", "1991-12-11", "1991-12-12"]),
    "factiva_3.html": (THREE, "Harbour Post", ["2018-03-10", "2018-03-11", "2018-03-12"]),
    "factiva_export.txt": (THREE, "Harbour Post", ["2018-03-10", "2018-03-11", "2018-03-12"]),
    "proquest.txt": (THREE, "Harbour Post", ["2018-03-10", "2018-03-11", "2018-03-12"]),
    "europresse_3.html": (THREE, "Harbour Post", ["2006-03-14", "2006-03-15", "2006-03-16"]),
    "nexis_uni.DOCX": (THREE, "Harbour Post", ["2018-03-10", "2018-03-11", "2018-03-12"]),
    "nexis_uni.rtf": (THREE[:2], "Harbour Post", ["2018-03-10", "2018-03-11"]),
    "nexis_uni_rtf_renamed.txt": (THREE[:2], "Harbour Post", ["2018-03-10", "2018-03-11"]),
    "reut21578.sgm": (THREE[:2], "Reuters", ["1987-02-26"] * 2),
    "gigaword.xml": (THREE[:2], "NYT", ["1995-01-01", "1995-01-02"]),
    "eventregistry.json": (THREE[:2], "example.com", ["2024-03-09"] * 2),
    "eventregistry.jsonl": (THREE[:2], "example.com", ["2024-03-09"] * 2),
    "webz_api.json": (THREE[:2], "example.com", ["2024-01-28"] * 2),
    "mediargus.txt": (THREE, "Harbour Post", ["2011-11-20", "2011-11-21", "2011-11-22"]),
    "wikinews.xml": (THREE[:1], None, ["2012-03-10"]),
    "integrum.html": (THREE, "Московские новости", ["1994-02-09"] * 3),
    "rcv1_2330like.xml": ((HARVEST,), None, ["1996-08-20"]),
}
# file: how each text begins and ends, for those without a title or with a text cut off by their source
PARTS = {
    "factiva.xml": [("BELHAVEN", "to a housing association.")],
    "europresse_short.html": [(f"{title}: a brief.", "a brief.") for title, _, _ in THREE],
    "newsapi.json": [("BELHAVEN", "the spring.…"), ("The barley harvest", "on Friday.…")],
    "gnews.json": [("BELHAVEN", "the spring...."), ("The barley harvest", "on Friday....")],
    "now_corpus.txt": [story[1:] for story in THREE],
    "newsletter.mbox": [("BELHAVEN", "/u"), ("The barley harvest", "/u")],
    "tv_captions.srt": [(">> PARLIAMENT PASSED", "TO OBJECT.")],
}
REFUSED = {"20240310114500.gkg.csv": "no article text", "empty.zip": "no files in this archive"}
RESIDUE = (
    "Download Request", "LENGTH:", "LOAD-DATE", "SUBJECT:", "Full text:", "Abstract:", "\\rtf1", "\\fonttbl", "\\par",
    "chars]", "@@", "<p>", "-->", "DOCUMENTS",
)  # fmt: skip


@pytest.fixture(scope="module")
def cases(shared_data):
    folder = shared_data.parent / "cases"
    if not (folder / "index.jsonl").is_file():
        pytest.skip("needs the folder of cases beside the development data")
    return folder


def test_every_file_of_loading_is_held(cases):
    index = pd.read_json(cases / "index.jsonl", lines=True)
    files = index.loc[index["family"] == 1, "file"].str.removeprefix("cases/")
    assert set(files) == WHOLE.keys() | PARTS.keys() | REFUSED.keys()


@pytest.mark.parametrize("name", [*WHOLE, *PARTS])
def test_a_case_gives_its_articles_whole_and_nothing_else(cases, name):
    corpus = load(cases / name)
    parts = PARTS.get(name) or [story[1:] for story in WHOLE[name][0]]
    assert len(corpus) == len(parts)
    for text, (start, end) in zip(corpus["text"], parts, strict=True):
        assert text.startswith(start)
        assert text.endswith(end)
        assert not [mark for mark in RESIDUE if mark in text]
    assert not len(corpus.attrs["quarantine"])
    if name in WHOLE:
        stories, publisher, days = WHOLE[name]
        titles = corpus["title"].str.rstrip(".").str.lower()
        assert titles.tolist() == [title.lower() for title, _, _ in stories]
        assert corpus["published"].astype(str).str[:10].tolist() == days
        assert publisher is None or set(corpus["publisher"]) == {publisher}
    if name.startswith("eventregistry"):
        assert corpus["published"].dt.strftime("%H:%M").tolist() == ["22:05"] * 2
        assert set(corpus["lang"]) == {"en"}


@pytest.mark.parametrize("name", REFUSED)
def test_a_case_without_articles_is_reported_in_one_row(cases, name):
    corpus = load(cases / name)
    assert len(corpus) == 0
    (reason,) = corpus.attrs["quarantine"]["reason"]
    assert REFUSED[name] in reason
