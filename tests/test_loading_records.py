"""JSON, delimited and columnar records: texts survive to the character, bad ones are isolated."""

from __future__ import annotations

import csv
import io
import json

import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import toolkit
from toolkit.loading import Limits, jsonlines, load
from toolkit.loading.mapping import MISSING


def _is_text(text):
    return bool(text.strip()) and text not in MISSING


TEXTS = st.text(st.characters(codec="utf-8"), min_size=1).filter(_is_text)
# a small file full of control characters is taken for a binary one
PLAIN = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc"], include_characters="\n\r\t"), min_size=1
).filter(_is_text)


def stream(data, name):
    file = io.BytesIO(data)
    file.name = name
    return file


def same(corpus, texts):
    assert corpus.attrs["quarantine"].to_dict("records") == []
    assert corpus["text"].tolist() == texts


@settings(deadline=None)
@given(st.lists(TEXTS, min_size=1, max_size=5), st.booleans())
def test_any_text_survives_json_lines(texts, escape):
    data = "".join(json.dumps({"text": text}, ensure_ascii=escape) + "\n" for text in texts)
    same(load(stream(data.encode(), "a.jsonl")), texts)


@settings(deadline=None)
@given(st.lists(TEXTS, min_size=1, max_size=5), st.booleans(), st.sampled_from([None, 2]))
def test_any_text_survives_json(texts, escape, indent):
    data = json.dumps([{"text": text} for text in texts], ensure_ascii=escape, indent=indent)
    same(load(stream(data.encode(), "a.json")), texts)


@settings(deadline=None)
@given(st.lists(PLAIN, min_size=1, max_size=5), st.sampled_from(",;\t|"), st.booleans())
def test_any_text_survives_csv(texts, delimiter, quote):
    # between tabs, lines that each have a tab are records, whatever quotes stand around them
    assume(delimiter != "\t" or not any("\t" in text for text in texts))
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter, quoting=csv.QUOTE_ALL if quote else csv.QUOTE_MINIMAL)
    writer.writerows([["id", "text"], *([str(i), text] for i, text in enumerate(texts))])
    same(load(stream(out.getvalue().encode(), "a.csv"), limits=Limits()), texts)


@settings(deadline=None)
@given(st.lists(TEXTS, min_size=1, max_size=5))
def test_any_text_survives_parquet(texts):
    out = io.BytesIO()
    pa.parquet.write_table(pa.table({"text": texts}), out)
    same(load(stream(out.getvalue(), "a.parquet")), texts)


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["2020-01-01", " ", ""]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["a", "name", "value"]), inner, max_size=2)
    ),
    max_leaves=4,
)
NAMES = st.sampled_from(
    ["text", "Text", "content", "title", "id", "date", "url", "publisher", "domain", "lang", "x", "y"]
)
ODD = [
    "",
    "  ",
    "{}",
    "[]",
    "1",
    "null",
    "{",
    '{"text":"a"}{"text":"b"}',
    '{"text":"a","text":"b"}',
    '{"text":NaN}',
    '{"text":"\\ud800"}',
    '{"text":"a\tb"}',
    '{"text":"a",}',
    '{"text":\n"a"}',
    '\ufeff{"text":"a"}',
    '{"text":"\\u0000"}',
    "{\"text\":'a'}",
    '{"text":"a"} ',
    ' {"text":"a"}',
    '{"text":"a"}\r',
    '{"id":01,"text":"a"}',
    '{"id":123456789012345678901234567890,"text":"a"}',
    '{"id":1.0,"text":"a"}',
    '{"text":"a","x":1e400}',
    '{"text":"a","x":-0}',
    '{"text":"a","x":"\\/"}',
    '{"text":"a" "x":1}',
]
LINES = st.one_of(
    st.fixed_dictionaries(
        {"text": st.text(min_size=1, max_size=9)}, optional={"id": st.integers(), "x": VALUES}
    ).map(json.dumps),
    st.dictionaries(NAMES, VALUES, max_size=5).map(json.dumps),
    st.dictionaries(NAMES, st.text(max_size=8), max_size=5).map(lambda d: json.dumps(d, ensure_ascii=False)),
    st.sampled_from(ODD),
)


@settings(max_examples=120, deadline=None)
@given(st.lists(LINES, min_size=1, max_size=6), st.sampled_from([60, 1 << 20]))
def test_arrow_reads_json_lines_as_python_does_or_not_at_all(lines, block):
    data = "\n".join(lines).encode("utf-8", "surrogatepass")
    found = []
    for fast in (True, False):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(jsonlines, "BLOCK", block)
            if not fast:
                patch.setattr(jsonlines._Reader, "by_arrow", lambda self, lines: None)
            corpus = load(stream(data, "a.jsonl"), columns={"x": "x"})
        documents = corpus.astype(object).where(corpus.notna(), None).to_dict("records")
        found.append((documents, corpus.attrs["quarantine"].to_dict("records")))
    assert found[0] == found[1]


def test_arrow_does_read_what_is_uniform(monkeypatch):
    """The fast path must be taken, or its speed is a fiction."""
    monkeypatch.setattr(jsonlines, "_by_line", lambda lines, limits: pytest.fail("read line by line"))
    records = [
        {"ID": i, "content": "text", "date": "2020-01-01", "authors": ["a"], "n": None} for i in range(5)
    ]
    data = "".join(json.dumps(record) + "\n" for record in records)
    assert load(stream(data.encode(), "a.jsonl"))["doc_id"].tolist() == list("01234")


BAD_LINES = [
    (b'{"text": "caf\xe9"}', "not valid UTF-8: byte 0xe9"),
    (b'{"text": "\\ud800 x"}', "lone surrogate"),
    (b'{"text": "x", "title": "\\udfff"}', "lone surrogate"),
    (b'[{"text": "x"}]', "a JSON line must hold an object"),
    (b"nope", "not valid JSON"),
    (b'{"text": "cut o', "not valid JSON"),
    (b'{"text": ""}', "empty text"),
    (b'{"text": " \\u00a0\\n"}', "empty text"),
    (b'{"text": null, "title": "x"}', "empty text"),
    (b'{"title": "x"}', "empty text"),
    (b'{"text": 5}', "text is a number, not a string"),
    (b'{"text": {"a": 1}}', "text is an object, not a string"),
    (b'{"text": "x", "a": ' + b"[" * 101 + b"]" * 101 + b"}", "JSON nested deeper than 100"),
    (b'{"text": "x", "a": ' + b'{"a":' * 99_999 + b"1" + b"}" * 99_999 + b"}", "JSON nested deeper than 100"),
]


@pytest.mark.parametrize(("line", "reason"), BAD_LINES)
@pytest.mark.parametrize("position", [0, 1, 2])
def test_a_bad_line_is_one_row_and_costs_no_other(line, reason, position):
    lines = [b'{"text": "one"}', b'{"text": "two \xc3\xa9"}']
    lines.insert(position, line)
    corpus = load(stream(b"\n".join(lines) + b"\n", "a.jsonl"))
    assert corpus["text"].tolist() == ["one", "two é"]
    quarantine = corpus.attrs["quarantine"]
    assert quarantine["source"].tolist() == [f"a.jsonl#{position + 1}"]
    assert reason in quarantine["reason"].item()
    assert len(quarantine["excerpt"].item()) <= 200
    assert quarantine["excerpt"].item().isprintable()


def test_nesting_up_to_the_limit_is_read():
    data = b'{"text": "x", "a": ' + b"[" * 99 + b"]" * 99 + b"}\n"
    assert len(load(stream(data, "a.jsonl"))) == 1


def test_rejected_records_come_in_the_order_of_the_file():
    data = b'{"text": "ok"}\n{"text": ""}\nnope\n{"text": 5}\n{"text": "\xff"}\n'
    quarantine = load(stream(data, "a.jsonl")).attrs["quarantine"]
    assert quarantine["source"].tolist() == [f"a.jsonl#{i}" for i in (2, 3, 4, 5)]


@pytest.mark.parametrize("ending", ["", "\n"])
def test_a_list_on_one_line_is_read_though_it_is_called_json_lines(ending):
    data = ('[{"text": "one"}, {"text": "two"}]' + ending).encode()
    assert load(stream(data, "a.jsonl"))["text"].tolist() == ["one", "two"]


@pytest.mark.parametrize(
    ("name", "data"), [("a.txt.gz", b"A note."), ("a.jsonl.gz", b'{"text": "A note."}\n')]
)
def test_a_file_that_is_called_packed_and_is_not_is_read_as_it_is(name, data):
    assert load(stream(data, name))["text"].tolist() == ["A note."]


def test_a_list_of_headlines_gives_its_titles_as_texts():
    corpus = load(stream(b'{"title": "One"}\n{"title": "Two"}\n{"x": 1}\n', "a.jsonl"))
    assert corpus["text"].tolist() == corpus["title"].tolist() == ["One", "Two"]
    assert corpus.attrs["quarantine"]["source"].tolist() == ["a.jsonl#3"]


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.jsonl", b'{"id": 1, "body2": "a long text"}\n'),
        ("a.json", b'[{"id": 1, "body2": "a long text"}]'),
        ("a.csv", b"id,body2\n1,a long text\n"),
    ],
)
def test_no_text_column_is_one_line_with_a_mend(name, data):
    (row,) = load(stream(data, name)).attrs["quarantine"].to_dict("records")
    assert row["source"] == name
    assert row["reason"] == "no text column; found 'body2', 'id'; pass columns={\"text\": \"body2\"}"


def test_a_json_list_that_is_cut_off_keeps_its_whole_records():
    data = json.dumps([{"id": i, "text": f"text {i}"} for i in range(9)]).encode()
    corpus = load(stream(data[:-40], "a.json"))
    assert corpus["doc_id"].tolist() == [str(i) for i in range(7)]
    assert "cut off in the middle of a record" in corpus.attrs["quarantine"]["reason"].item()


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"[]", "no records"),
        (b'{"articles": []}', "no records"),
        (b'[{"text": "x"} {"text": "y"}]', "expected ']'"),
        (b'[{"text": "x"}, 5]', "not an object"),
        (b"[" * 100_000, "nested too deep"),
        (b'[{"text": "x", "a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}]", "nested too deep"),
        (b'[{"text": "x", "a": ' + b"[" * 150 + b"]" * 150 + b"}]", "nested deeper than 100"),
        (b'{"text": "x', "not valid JSON"),
    ],
)
def test_json_that_is_wrong_says_so(data, reason):
    assert reason in load(stream(data, "a.json")).attrs["quarantine"]["reason"].item()


def test_json_records_larger_than_a_block_are_read():
    texts = ["x" * 3_000_000, "é" * 2_000_000, "z"]
    data = json.dumps([{"text": text} for text in texts]).encode()
    assert load(stream(data, "a.json"))["text"].tolist() == texts


QUOTES = [
    (b'1,"open\n2,b\n3,c\n', ["b", "c"], [1], "quotes gone wrong"),
    (b'1,"open\n2,b\n3,"c\nd"\n', ["b", "c\nd"], [1], "quotes gone wrong"),
    (b'1,"a"x\n2,b\n', ["b"], [1], "quotes gone wrong"),
    (b'1,a\n2,"b\n', ["a"], [2], "quotes gone wrong"),
    (b"1,a,more\n2,b\n", ["b"], [1], "3 fields where the header has 2"),
    (b"1\n2,b\n", ["b"], [1], "1 fields where the header has 2"),
    (b"1,\n2,b\n", ["b"], [1], "empty text"),
    (b"1,caf\xe9 \xe9\n2,\xc3\xa9\n", ["é"], [1], "not valid UTF-8"),
    (b'1,5" pipe\n2,b\n', ['5" pipe', "b"], [], ""),
    (b'1,"a ""b"" c"\n', ['a "b" c'], [], ""),
    # Spark, R and MySQL put a backslash before a quote
    (
        b'1,"He said \\"no\\", and\nleft \\"it\\"."\n2,"b"\n3,c \\"d\\"\n',
        ['He said "no", and\nleft "it".', "b", 'c \\"d\\"'],
        [],
        "",
    ),
    (b'1,"a \\"b"x\n2,"c ""d"" \\"\n', ['c "d" \\'], [1], "quotes gone wrong"),
    (b"1,a\0b\n", ["a\0b"], [], ""),
    (b"1,a\r2,b\r\n", ["a", "b"], [], ""),
]


@pytest.mark.parametrize(("body", "texts", "bad", "reason"), QUOTES)
def test_quotes_gone_wrong_cost_one_line(body, texts, bad, reason):
    corpus = load(stream(b"id,text\n" + body, "a.csv"))
    assert corpus["text"].tolist() == texts
    quarantine = corpus.attrs["quarantine"]
    assert quarantine["source"].tolist() == [f"a.csv#{i}" for i in bad]
    assert all(reason in found for found in quarantine["reason"])


def test_a_csv_with_an_open_quote_on_every_line_takes_linear_time():
    data = b"id,text\n" + b'1,"open\n' * 20_000
    corpus = load(stream(data, "a.csv"))
    assert len(corpus) + len(corpus.attrs["quarantine"]) >= 10_000


def test_repeated_and_empty_header_names_hide_nothing():
    corpus = load(
        stream(b"text,text,,x\nfirst,second,third,4\n", "a.csv"), columns={"more": "text.2", "c": "column3"}
    )
    assert corpus[["text", "more", "c"]].iloc[0].tolist() == ["first", "second", "third"]


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("L'été dernier, les députés ont voté; « c'était nécessaire », dit-il.", "cp1252"),
        ("The minister said “it’s over” – and left.", "cp1252"),
        ("Die Bürger müssen für größere Straßen zahlen.", "latin-1"),
        ("Президент России заявил сегодня, что переговоры продолжатся.", "cp1251"),
        ("首相は本日、新しい法律を発表しました。国会で審議されます。", "shift_jis"),
        ("Weiß auf schwarz", "utf-16"),
        ("Weiß auf schwarz", "utf-32"),
    ],
)
@pytest.mark.parametrize("name", ["a.txt", "a.csv", "a.jsonl", "a.json"])
def test_encodings_are_detected(text, encoding, name):
    data = {
        "a.txt": text,
        "a.csv": f'text\n"{text}"\n',
        "a.jsonl": json.dumps({"text": text}, ensure_ascii=False) + "\n",
        "a.json": json.dumps([{"text": text}], ensure_ascii=False),
    }[name]
    same(load(stream(data.encode(encoding), name)), [text])


# invented; in each language one text with letters that its code pages write with different bytes
LATIN = {
    "pl": "Rada miasta zagłosowała we wtorek za zamknięciem łaźni, która przecieka. Żadna decyzja jeszcze nie zapadła.",
    "cs": "Městská rada v úterý rozhodla, že bazén bude uzavřen. Občané se ptají, kdo škodu zaplatí a proč.",
    "hu": "A városi tanács kedden úgy döntött, hogy a fürdőt bezárják, mert a tető évek óta beázik és nincs elég pénz.",
    "tr": "Belediye meclisi salı günü eski havuzu kapatma kararı aldı ve halk bu kararı çok şaşırarak karşıladı.",
    "lt": "Miesto taryba antradienį nusprendė, kad baseinas bus uždarytas, nes jo stogas jau daug metų yra nesandarus.",
    "vi": "Hội đồng thành phố đã quyết định đóng cửa hồ bơi cũ vì nó quá đắt, và người dân rất tức giận.",
    "de": "Der Rat möchte das Bad schließen, „weil es für die Stadt zu teuer ist“, und die Bürger ärgern sich darüber.",
    "fr": "Le conseil a décidé mardi de fermer la piscine, « trop chère », et les élèves de l’école sont très fâchés.",
    "es": "El concejo decidió ayer que la piscina cerrará en otoño. ¿Qué harán los niños del barrio? —preguntó él.",
    "da": "Rådet besluttede tirsdag, at svømmehallen skal lukkes, fordi den er dyr, og børnene må gå på et nyt sted.",
    "pt": "A câmara decidiu na terça-feira que a piscina não abrirá, e as crianças já não têm onde nadar. É uma pena.",
    "it": "Il consiglio decide martedì che la piscina chiuderà perché è vecchia. «Così non si può più», dice Niccolò.",
    "is": "Bæjarráð ákvað á þriðjudag að loka henni, því að hún er of dýr og það er ekki hægt að laga þakið á henni.",
    "en": "The council said it would close the baths – “they’re too old” – and it’s to pay £5m, or €6m, for new ones.",
    "sv": "Rådet beslutade på tisdagen att badet ska stängas, då det är för dyrt och taket läcker när det är vått.",
}


@pytest.mark.parametrize(
    ("language", "pages"),
    [
        ("pl", "cp1250 iso8859_2 mac_latin2 cp852"),
        ("cs", "cp1250 iso8859_2 mac_latin2 cp852"),
        ("hu", "cp1250 iso8859_2 mac_latin2 cp852"),
        ("tr", "cp1254"),
        ("lt", "cp1257"),
        ("vi", "cp1258"),
        ("de fr es da pt it is en sv", "cp1252"),
        ("de fr es da pt it en sv", "mac_roman"),
    ],
)
def test_the_latin_code_pages_are_told_apart_by_the_letters_of_the_language(language, pages):
    for text, page in ((LATIN[each], page) for each in language.split() for page in pages.split()):
        long = " ".join([text] * 3)
        for name, data in (
            ("a.txt", long),
            ("a.csv", f'text\n"{long}"\n'),
            ("a.html", f"<p>{long}<p>{long}"),
        ):
            assert long in load(stream(data.encode(page), name))["text"].item(), page


@pytest.mark.parametrize(
    "text",
    [
        "École, École and École said the Ærø ferry to Ñuñoa cost £5, or 6 €, at 5 °C, to José and to all of them.",
        "DER RAT MÖCHTE, DASS ÄRZTE IN DER STADT FÜR ÄLTERE ÜBER DIE STRASSE GEHEN, SAGTE DER ÄLTESTE ÖSTERREICHER.",
        "The players Škoda, Žižka, Šik and Šimek were in the team, which is to play for the cup in the autumn.",
        "Škoda, Žižka, Šik und Šimek waren in der Mannschaft, die im Herbst um den Pokal spielt; die Straße war zu.",
        "Le Conseil d'État a jugé que l'École et l'Église doivent payer 20 € – ½ de l'impôt, soit 30 m² ou 5 °C.",
    ],
)
def test_windows_1252_that_is_read_well_stays(text):
    same(load(stream(text.encode("cp1252"), "a.txt")), [text])


def test_an_encoding_that_is_given_is_used():
    text = "Zażółć gęślą jaźń"
    for name, data in (("a.txt", text), ("a.csv", f"text\n{text}\n")):
        same(load(stream(data.encode("iso8859-2"), name), encoding="iso8859-2"), [text])


def test_utf16_with_half_a_character_at_its_end_keeps_what_came_before():
    data = "".join(f'{{"text": "t{i}"}}\n' for i in range(3)).encode("utf-16")[:-3]
    corpus = load(stream(data, "a.jsonl"))
    assert corpus["text"].tolist()[:2] == ["t0", "t1"]
    assert len(corpus.attrs["quarantine"]) == 1


def table_bytes(table):
    out = io.BytesIO()
    pa.parquet.write_table(table, out)
    return out.getvalue()


def test_parquet_of_wrong_types_is_refused_and_of_odd_ones_read():
    numbers = load(stream(table_bytes(pa.table({"text": [1, 2], "id": ["a", "b"]})), "a.parquet"))
    assert "column 'text' holds int64, no text" in numbers.attrs["quarantine"]["reason"].item()
    odd = pa.table(
        {
            "text": pa.array(["x", "y", None]).dictionary_encode(),
            "id": pa.array([7, None, 9], pa.int32()),
            "title": pa.array([b"ok", b"\xff", b"t"], pa.binary()),
            "date": pa.array([0, 1, 2], pa.timestamp("ns")),
            "lang": pa.array([["a"], [], None]),
        }
    )
    corpus = load(stream(table_bytes(odd), "b.parquet"))
    assert corpus["text"].tolist() == ["x"]
    assert corpus["doc_id"].tolist() == ["7"]
    assert corpus.attrs["quarantine"]["reason"].tolist() == [
        "column 'title' is not valid UTF-8",
        "empty text",
    ]


def test_dates_of_parquet_beyond_the_calendar_are_missing():
    table = pa.table({"text": ["x", "y"], "date": pa.array([2**60, 0], pa.timestamp("ms"))})
    assert load(stream(table_bytes(table), "a.parquet"))["published"].isna().tolist() == [True, False]


@pytest.mark.parametrize("keep", [4, 20, -1, -8, -200])
def test_parquet_that_is_cut_off_is_one_row(keep):
    data = table_bytes(pa.table({"text": ["a text of some length"] * 50}))
    corpus = load(stream(data[:keep], "a.parquet"))
    assert len(corpus) == 0
    assert "cannot be read as a columnar file" in corpus.attrs["quarantine"]["reason"].item()


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 255))
def test_parquet_with_a_byte_changed_never_stops_a_load(position, byte):
    data = bytearray(table_bytes(pa.table({"text": ["a text", "b text"], "id": ["a", "b"]})))
    data[position % len(data)] = byte
    corpus = load(stream(bytes(data), "a.parquet"))
    assert len(corpus) + len(corpus.attrs["quarantine"]) >= 1


ROWS = [
    {"title": "Rain", "text": "It rained on the port."},
    {"title": "Dry", "text": "It was dry on the quay."},
]


@pytest.mark.parametrize("orient", ["columns", "index", "split", "records", "table", "list"])
def test_a_table_that_pandas_wrote_to_json_is_its_rows(orient):
    frame = pd.DataFrame(ROWS)
    text = json.dumps(frame.to_dict("list")) if orient == "list" else frame.to_json(orient=orient)
    corpus = load(stream(text.encode(), "table.json"))
    assert corpus[["title", "text"]].to_dict("records") == ROWS
    assert not len(corpus.attrs["quarantine"])


def test_an_object_of_names_and_texts_is_a_document_a_name():
    texts = {
        "a1.txt": "It rained all day on the quay, and the ferry stayed where it was.",
        "a2.txt": "Dry. " * 20,
    }
    corpus = load(stream(json.dumps(texts).encode(), "a.json"))
    assert dict(zip(corpus["doc_id"], corpus["text"], strict=True)) == texts
    for other in (
        {"kop2": "Rain.", "kop3": "Dry."},
        {"corpo": texts["a1.txt"], "occhiello": texts["a2.txt"]},
    ):
        assert len(load(stream(json.dumps(other).encode(), "a.json"))) == 0


def test_a_record_of_lists_or_objects_is_no_table():
    for record, text in (
        ({"text": ["It rained.", "It was dry."], "authors": ["Ada", "Lars"]}, "It rained.\n\nIt was dry."),
        ({"text": {"value": "It rained."}, "title": {"value": "Rain"}}, "It rained."),
    ):
        assert load(stream(json.dumps(record).encode(), "one.json"))["text"].tolist() == [text]


@pytest.mark.parametrize("name", ["export.xls", "export.dat", "export.log"])
def test_records_are_known_whatever_the_file_is_called(name):
    table = "id\ttitle\ttext\n1\tRain\tIt rained all day.\n"
    lines = '{"text": "It rained all day."}\n{"text": "It was dry."}\n'
    assert load(stream(table.encode(), name))["text"].tolist() == ["It rained all day."]
    assert load(stream(lines.encode(), name))["text"].tolist() == ["It rained all day.", "It was dry."]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Export of the archive\n\nid;text\n1;It rained.\n", ["It rained."]),
        ("Export\nmade by Ada\nid,title,text\n1,Rain,It rained.\n", ["It rained."]),
        ("# by Ada\nid,text\n1,It rained.\n2,text\n", ["It rained.", "text"]),
        ('"id\nnumber",text\n1,It rained.\n', ["It rained."]),
        ("id,kind,body2\n1,text,It rained.\n", []),
    ],
)
def test_a_title_may_stand_above_the_header_and_a_record_is_none(text, found):
    assert load(stream(text.encode(), "a.csv"))["text"].tolist() == found


@pytest.mark.parametrize(
    ("lines", "texts"),
    [
        (['1\t"We will win, he said', '2\tIt rained all "day"', "3\tIt snowed."], None),
        (['1\t"We will win, he said', '2\tIt rained: never again"', "3\tIt snowed."], None),
        (['1\t"Enough," he said.', '2\t"Never," she said.'], None),
        (['1\t"It rained.', 'It snowed."', "2\tIt hailed."], ["It rained.\nIt snowed.", "It hailed."]),
        (['1\t"It rained."', "2\tIt hailed."], ["It rained.", "It hailed."]),
        (
            ['1\t"It rained:', "noon\t3 mm", 'in all."', "2\tDry."],
            ["It rained:\nnoon\t3 mm\nin all.", "Dry."],
        ),
    ],
)
def test_quotes_between_tabs_are_letters_where_they_would_swallow_a_record(tmp_path, lines, texts):
    path = tmp_path / "a.tsv"
    path.write_text("\n".join(["id\ttext", *lines]) + "\n")
    corpus = toolkit.load(path)
    assert corpus["text"].tolist() == (texts or [line.split("\t")[1] for line in lines])
    assert toolkit.quarantine(corpus).empty


@pytest.mark.parametrize("tab", [",", "\t"])
def test_row_names_and_a_last_comma_widen_a_header(tmp_path, tab):
    path = tmp_path / "a.txt"
    for rows in (["title,text", '"7",Rain,It rained.', '"9",Snow,It snowed.'],
                 ["title,text", "Rain,It rained.,", "Snow,It snowed.,"]):  # fmt: skip
        path.write_text("\n".join(rows).replace(",", tab) + "\n")
        assert toolkit.load(path)[["title", "text"]].to_numpy().tolist() == [
            ["Rain", "It rained."], ["Snow", "It snowed."]
        ]  # fmt: skip
    path.write_text("id,text\n1,It rained, and it snowed.\n2,It snowed, and it rained.\n")
    assert "3 fields where the header has 2" in toolkit.quarantine(toolkit.load(path))["reason"].iloc[0]
