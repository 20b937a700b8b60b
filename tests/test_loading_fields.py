"""Which field becomes which column, and how dates, hosts and ids are read."""

from __future__ import annotations

import io
import json
import re
from datetime import UTC, date, datetime

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toolkit import fields
from toolkit.corpus import COLUMNS, as_corpus, quarantine
from toolkit.dates import parse_date
from toolkit.loading import Limits, iter_batches, load
from toolkit.loading.batches import Identities
from toolkit.loading.quarantine import printable

NEW_YEAR = 1577836800_000000

DATES = [
    ("2020-01-01", NEW_YEAR),
    ("2020-01-01T00:00:00Z", NEW_YEAR),
    ("2020-01-01 01:00:00+01:00", NEW_YEAR),
    ("2020-01-01T00:00:00.123456", NEW_YEAR + 123456),
    ("Wed, 01 Jan 2020 00:00:00 GMT", NEW_YEAR),
    ("Tue, 31 Dec 2019 19:00:00 EST", NEW_YEAR),
    ("Tue, 31 Dec 2019 19:00:00 -0500", NEW_YEAR),
    ("January 1, 2020", NEW_YEAR),
    ("1 January 2020", NEW_YEAR),
    ("Jan. 1, 2020 12:00 AM", NEW_YEAR),
    ("01/01/2020", NEW_YEAR),
    ("2020/01/01", NEW_YEAR),
    ("01.01.2020", NEW_YEAR),
    ("20200101", NEW_YEAR),
    ("20200101T000000Z", NEW_YEAR),
    ("20200101000000", NEW_YEAR),
    ("1577836800", NEW_YEAR),
    ("1577836800000", NEW_YEAR),
    (1577836800, NEW_YEAR),
    (1577836800.0, NEW_YEAR),
    (1577836800000, NEW_YEAR),
    (NEW_YEAR, NEW_YEAR),
    (2020, NEW_YEAR),
    (20200101, NEW_YEAR),
    (20200101.0, NEW_YEAR),
    (202001010000, NEW_YEAR),
    (20200101000000, NEW_YEAR),
    (20201301, None),
    (45361, 1710028800_000000),  # as Excel counts days
    (0, None),
    (202001, None),
    (18991231, None),
    ("20200101.0", NEW_YEAR),
    ("202001010000.0", NEW_YEAR),
    ("20200101000000.0", NEW_YEAR),
    ({"$date": "2020-01-01T00:00:00Z"}, NEW_YEAR),
    ({"$date": {"$numberLong": "1577836800000"}}, NEW_YEAR),
    ({"date": "2020-01-01"}, None),
    (["2020-01-01"], NEW_YEAR),
    (["2020-01-01", "2021-01-01"], None),
    (datetime(2020, 1, 1, tzinfo=UTC), NEW_YEAR),
    (date(2020, 1, 1), NEW_YEAR),
    ("20200101000000", NEW_YEAR),
    ("202001010000", NEW_YEAR),
    ("1969-12-31T23:59:59Z", -1_000_000),
    ("0001-01-01", -62135596800_000000),
    *(
        (value, None)
        for value in (
            "", " ", "soon", "12", "May 5", "Monday", "10:30", "0000-00-00", "2020-13-45", "99999-01-01",
            "9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+14:00", "2020" * 50, "9" * 60, 1e300, -1e30,
            float("nan"), float("inf"), True, None, [], {}, b"2020-01-01", "2020-01-01T25:00:00",
            "Mon, 99 Foo 2020 10:00:00 GMT", "\0", "１２３４-０１-０１x",
        )
    ),
]  # fmt: skip


@pytest.mark.parametrize(("value", "micros"), DATES)
def test_dates(value, micros):
    assert parse_date(value) == micros


MARCH = [
    "10. März 2018", "Samstag, 10. März 2018", "10 mars 2018", "samedi 10 mars 2018", "10 de marzo de 2018",
    "10 de março de 2018", "10 marzo 2018", "zaterdag 10 maart 2018", "den 10 mars 2018", "10 marca 2018",
    "10 марта 2018", "10 Mart 2018 Cumartesi", "10 Maret 2018", "2018年3月10日", "2018년 3월 10일", "10.03.2018",
    "10. 3. 2018",
]  # fmt: skip


def test_dates_in_other_languages_are_those_of_the_calendar():
    """The tenth of March, never the third of October: dots and names of months are read as they are written."""
    wrong = {text: found for text in MARCH if (found := parse_date(text)) != parse_date("2018-03-10")}
    assert not wrong
    later = parse_date("2018-03-10T14:35:00Z")
    assert parse_date("10. März 2018, 14:35 Uhr") == parse_date("10.03.2018 14:35") == later
    halves = (
        "3 March 2021 8:00 PM",
        "March 3, 2021 8:00 p.m.",
        "Wed, 3 Mar 2021 8:00 pm",
        "March 3, 2021 3:00 PM EST",
    )
    offsets = ("2021/03/03 22:00 GMT+2", "Wed, 3 Mar 2021 22:00 UTC+02:00", "March 3, 2021 3:00 PM GMT-5")
    assert {parse_date(text) for text in halves + offsets} == {parse_date("2021-03-03T20:00:00Z")}


@pytest.mark.parametrize("text", ["mars 2018", "Saison 2018", "gestern", "3 games of 2018", "vor 3 Tagen"])
def test_what_is_no_whole_date_is_none(text):
    assert parse_date(text) is None


@settings(deadline=None)
@given(
    st.one_of(
        st.text(max_size=70),
        st.from_regex(r"[0-9TZ:+\-/., AaPpMm]{1,30}", fullmatch=True),
        st.floats(),
        st.integers(),
    )
)
def test_any_value_is_a_date_in_range_or_none(value):
    micros = parse_date(value)
    assert micros is None or 1 <= pd.Timestamp(micros, unit="us", tz="UTC").year <= 9999


@settings(deadline=None)
@given(st.datetimes(timezones=st.timezones(), min_value=datetime(2, 1, 1), max_value=datetime(9998, 1, 1)))
def test_iso_dates_come_back(when):
    assert parse_date(when.isoformat()) == parse_date(when)


def test_a_date_that_is_none_keeps_its_record(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text(
        "".join(json.dumps({"text": "x", "date": value}) + "\n" for value in ("soon", 1e300, None))
    )
    corpus = load(path)
    assert corpus["published"].isna().all()
    assert len(corpus) == 3


def test_the_first_date_that_can_be_read_counts(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text('{"text": "x", "date_publish": "", "date": "soon", "updated": "2020-01-01"}\n')
    assert load(path)["published"].item() == pd.Timestamp("2020-01-01", tz="UTC")


def test_every_name_is_squashed_to_one_place_a_column():
    for names in fields.FIELDS.values():
        assert len({fields.squash(name) for name in names}) == len(names)
    assert set(fields.FIELDS) == set(COLUMNS) - {"source"}


@pytest.mark.parametrize("role", [role for role in fields.FIELDS if role != "text"])
def test_every_listed_name_fills_its_column(tmp_path, role):
    values = {"published": "2020-01-01", "url": "https://www.example.org/x"}
    for name in fields.FIELDS[role]:
        for spelling in (name, name.upper(), name.title().replace("_", "")):
            path = tmp_path / "a.jsonl"
            path.write_text(json.dumps({"text": "x", spelling: values.get(role, "v")}) + "\n")
            assert load(path)[role].notna().item(), spelling


def test_every_listed_text_name_is_found(tmp_path):
    for name in fields.FIELDS["text"]:
        path = tmp_path / "a.csv"
        path.write_text(f"id,{name}\n1,the text\n")
        assert load(path)["text"].item() == "the text"


def test_preference_goes_by_the_list_and_skips_blanks(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text('{"body": "second", "Content": "first", "text": " "}\n{"body": "only", "content": ""}\n')
    assert load(path)["text"].tolist() == ["first", "only"]


def test_of_two_spellings_the_one_in_lower_case_counts(tmp_path):
    path = tmp_path / "a.jsonl"
    for record in ('{"Text": "one", "text": "two"}', '{"text": "two", "TEXT": "one"}'):
        path.write_text(record + "\n")
        assert load(path)["text"].tolist() == ["two"]
        assert as_corpus(pd.DataFrame([json.loads(record)]))["text"].tolist() == ["two"]


HOSTS = [
    ("www.npr.org", "npr.org"),
    ("https://www.bbc.co.uk/news", "bbc.co.uk"),
    ("news.example.com:8080", "example.com"),
    ("www.intranet.invalidtld", "intranet.invalidtld"),
    ("NPR (Online News)", "NPR (Online News)"),
    ("localhost", "localhost"),
    ("a" * 5000, "a" * 5000),
    ("a." * 400 + "!", "a." * 400 + "!"),
]


@pytest.mark.parametrize(("value", "publisher"), HOSTS)
def test_publishers_of_hosts(value, publisher):
    assert fields.publisher_of(value) == publisher


def test_publishers_that_are_given_stay_as_they_are(tmp_path):
    path = tmp_path / "a.jsonl"
    records = [
        {"text": "x", "url": "https://www.npr.org/1"},
        {"text": "x", "url": "https://www.npr.org/1", "publisher": "www.NPR.org"},
        {"text": "x", "url": "https://www.npr.org/1", "source": "NPR News"},
        {"text": "x", "url": "https://aggregator.org/1", "source_url": "www.npr.org"},
        {"text": "x", "source_url": "https://www.npr.org/1"},
        {"text": "x", "source_url": "www.npr.org"},
        {"text": "x", "publisher": {"@type": "Organization", "name": "NPR"}},
        {"text": "x", "url": "nothing"},
    ]
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    corpus = load(path)
    assert [value if isinstance(value, str) else None for value in corpus["publisher"]] == [
        "npr.org", "www.NPR.org", "npr.org", "npr.org", "npr.org", "npr.org", "NPR", None,
    ]  # fmt: skip
    assert corpus["url"].iloc[4] == "https://www.npr.org/1"
    assert corpus["url"].isna().tolist() == [False] * 4 + [False, True, True, False]


def test_lists_of_paragraphs_are_one_text(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text('{"text": ["One.", "Two."], "title": ["A", "B"], "id": 12}\n')
    row = load(path).iloc[0]
    assert (row["text"], row["title"], row["doc_id"]) == ("One.\n\nTwo.", "A B", "12")


@given(st.lists(st.lists(st.sampled_from(["a", "b", "a~2", "a~2~2", "c"]), max_size=6), max_size=5))
def test_ids_are_distinct_and_do_not_depend_on_the_batches(batches):
    pieces, whole = Identities(), Identities()
    apart = [
        name for batch in batches for name in pieces.distinct(pa.array(batch, pa.large_string())).to_pylist()
    ]
    together = whole.distinct(
        pa.array([n for batch in batches for n in batch], pa.large_string())
    ).to_pylist()
    assert apart == together
    assert len(set(apart)) == len(apart)
    assert all(re.fullmatch(r".+~\d+", new) or new in {"a", "b", "c", "a~2", "a~2~2"} for new in apart)


@given(st.text(), st.integers(1, 300))
def test_printable_is_printable_and_short(text, width):
    shown = printable(text, width)
    assert shown.isprintable()
    assert len(shown) <= width


def test_limits_cannot_be_changed_by_accident():
    with pytest.raises(AttributeError):
        Limits().ratio = 5


STORY = (
    "The council voted on Tuesday to close the old tram depot at the quay, and the ferries stop at noon. " * 3
)
BOTH = {"content": STORY, "body": STORY.lower()}


@pytest.mark.parametrize(
    ("record", "remarks", "columns"),
    [
        (BOTH, 1, None),
        (BOTH, 0, {"text": "body"}),
        ({"content": "A teaser of the story.", "body": STORY}, 1, None),
        ({"content": STORY, "body": STORY}, 0, None),
        ({"content": STORY, "body": "Rain."}, 0, None),
        ({"content": "", "body": STORY}, 0, None),
    ],
)
@pytest.mark.parametrize("kind", ["jsonl", "csv", "parquet"])
def test_a_second_field_that_might_be_the_text_is_reported_once_a_file(
    tmp_path, record, remarks, columns, kind
):
    path, frame = tmp_path / f"a.{kind}", pd.DataFrame([record] * 3)
    {
        "jsonl": lambda: frame.to_json(path, orient="records", lines=True),
        "csv": lambda: frame.to_csv(path, index=False),
        "parquet": lambda: frame.to_parquet(path),
    }[kind]()
    corpus = load(path, columns=columns, strict=True)
    assert len(corpus) == 3
    told = corpus.attrs["quarantine"]
    assert told["source"].tolist() == [f"a.{kind}"] * remarks
    assert all("the text is 'content', but 'body' holds texts too" in reason for reason in told["reason"])


@pytest.mark.parametrize(
    "record", [{"title": "Depot", "artikel": STORY}, {"title": "Depot", "paras": [STORY, STORY]}]
)
def test_texts_in_an_unknown_field_beside_headlines_are_reported(record):
    for records in ([record], [record] * 3):
        corpus = load(io.StringIO("".join(json.dumps(each) + "\n" for each in records)))
        assert corpus["text"].tolist() == ["Depot"] * len(records)
        (told,) = corpus.attrs["quarantine"]["reason"]
        assert f"the text is 'title', but {[*record][1]!r} holds texts too" in told


@pytest.mark.parametrize("kind", ["parquet", "csv", "jsonl"])
def test_a_cleaned_corpus_that_was_stored_keeps_its_clean_texts(tmp_path, kind):
    corpus = load(io.StringIO(json.dumps({"text": f"{STORY} Share this.", "title": "Depot"})))
    path, cleaned = tmp_path / f"a.{kind}", corpus.assign(clean_text=STORY)
    {
        "parquet": lambda: cleaned.to_parquet(path),
        "csv": lambda: cleaned.to_csv(path, index=False),
        "jsonl": lambda: cleaned.to_json(path, orient="records", lines=True, date_format="iso"),
    }[kind]()
    assert load(path)["clean_text"].tolist() == [STORY]
    assert [list(batch) for batch in iter_batches(path)] == [[*COLUMNS, "clean_text"]]
    assert "clean_text" not in load(io.StringIO(json.dumps({"text": STORY, "clean_text": "other"})))
    cleaned.assign(clean_text="").to_csv(tmp_path / "b.csv", index=False)
    for columns in (None, {"clean_text": "clean_text"}):
        assert load(tmp_path / "b.csv", columns=columns)["clean_text"].tolist() == [""]
    assert load(path, columns={"clean_text": "title"})["clean_text"].tolist() == ["Depot"]


def _dates_of(tmp_path, text):
    path = tmp_path / "dates.csv"
    path.write_text(text, "utf-8")
    corpus = load(path)
    return corpus["published"].dt.strftime("%m-%d").tolist(), quarantine(corpus)["reason"].tolist()


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (["id,text,date", "1,It rained.,05/03/2021", "2,It snowed.,25/03/2021"], ["03-05", "03-25"]),
        (
            ["id,text,date", "1,It rained.,05-03-2021 10:00", "2,It snowed.,25-03-2021 9:00"],
            ["03-05", "03-25"],
        ),
        (["id,text,date", "1,It rained.,05/03/2021", "2,It snowed.,05/25/2021"], ["05-03", "05-25"]),
        (["id,text,date", "1,It rained.,05/03/2021", "2,It snowed.,2021-03-05"], ["05-03", "03-05"]),
        (["id,texte,date", "1,Il pleut.,05/03/2021", "2,Il neige.,2021-04-05"], ["03-05", "04-05"]),
        (["id,text,fecha", "1,Llueve.,05/03/21", "2,Nieva.,05/25/21"], ["05-03", "05-25"]),
    ],
)
def test_the_dates_of_a_column_say_whether_the_day_stands_first(tmp_path, rows, expected):
    assert _dates_of(tmp_path, "\n".join(rows) + "\n") == (expected, [])


def test_a_column_that_proves_both_orders_is_reported_and_later_rows_count_like_the_first(tmp_path):
    mixed = "id,text,date\n1,It rained.,25/03/2021\n2,It snowed.,03/25/2021\n3,It hailed.,05/03/2021\n"
    dates, reasons = _dates_of(tmp_path, mixed)
    assert dates == ["03-25", "03-25", "05-03"]
    assert reasons == [
        "read as day first and month first: the dates of 'date' do not agree; write them as 2021-04-03"
    ]
    many = "id,text,date\n0,It rained.,25/03/2021\n" + "".join(
        f"{i},Rain {i}.,05/03/2021\n" for i in range(1, 4000)
    )
    dates, reasons = _dates_of(tmp_path, many)
    assert (set(dates[1:]), reasons) == ({"03-05"}, [])
    path = tmp_path / "dates.csv"
    whole, parts = load(path), list(iter_batches(path, rows=7))
    assert pd.concat(parts)["published"].tolist() == whole["published"].tolist()


@pytest.mark.parametrize("zoned", ["Fri, 05 Mar 2021 07:15:00 CET", "Fri Mar 5 07:15:00 CET 2021",
                                   "Fri, 05 Mar 2021 08:15:00 MESZ", "Fri, 05 Mar 2021 15:15:00 JST"])  # fmt: skip
def test_zones_by_name_count_in_mail_dates(zoned):
    assert parse_date(zoned) == parse_date("2021-03-05T06:15:00Z")


@pytest.mark.parametrize(
    "written", ["05-Mar-21", "5-Mar-21", "5 Mar 21", "05-Mar-21 00:00", "44260", 44260, 44260.0]
)
def test_dates_as_spreadsheets_write_them(written):
    assert parse_date(written) == parse_date("2021-03-05")
    assert parse_date("44260.5") == parse_date(44260.5) == parse_date("2021-03-05T12:00")


@pytest.mark.parametrize("number", ["2021", "202103", "18691", 18691, 99999, 7, "00000", "123456"])
def test_a_number_that_is_no_plausible_day_is_no_date_of_a_spreadsheet(number):
    assert parse_date(number) in {None, parse_date("2021")}


def test_names_of_columns_in_other_languages(tmp_path):
    path = tmp_path / "a.csv"
    for names in ("Tytuł,Treść,Data", "Nadpis,Obsah,Datum", "Cím,Szöveg,Dátum", "Başlık,Metin,Tarih",
                  "Заголовок,Текст,Дата", "标题,正文,日期", "見出し,本文,日付", "제목,본문,날짜"):  # fmt: skip
        path.write_text(f"{names}\nHarbour,It rained.,2021-03-05\n", "utf-8")
        row = load(path).iloc[0]
        assert (row["title"], row["text"], row["published"].day) == ("Harbour", "It rained.", 5), names


@pytest.mark.parametrize("written", ["NaN", "nan", "None", "NULL", "null", "#N/A", "<NA>"])
def test_missing_values_that_are_written_out_are_missing(tmp_path, written):
    path = tmp_path / "a.csv"
    path.write_text(
        f"id,text,body,title,label\n1,{written},,A,x\n2,{written},It rained.,{written},{written}\n"
    )
    corpus = load(path, columns={"label": "label"})
    assert quarantine(corpus)[["source", "reason"]].to_numpy().tolist() == [["a.csv#1", "empty text"]]
    (row,) = corpus.to_dict("records")
    assert (row["text"], row["label"], pd.isna(row["title"])) == ("It rained.", written, True)


@pytest.mark.parametrize(
    ("written", "code"),
    [
        *((each, "en") for each in ("en", "EN", "eng", "en_GB", "en-US", "English", "ENG", "en-gb")),
        ("ger", "de"), ("zh-Hans-CN", "zh"), ("pcm", "pcm"), ("Klingon", "Klingon"), ("xx", "xx"),
    ],
)  # fmt: skip
def test_languages_have_one_form(tmp_path, written, code):
    path = tmp_path / "a.csv"
    path.write_text(f"id,text,lang\n1,It rained.,{written}\n")
    assert load(path)["lang"].item() == code
