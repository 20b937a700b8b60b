from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from toolkit.buffer import Buffer
from toolkit.segments import GLUED, LINE, PARAGRAPH, SENTENCE, Segments, _lacks_capitals, cut

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=200)
NEWSLIKE = st.lists(
    st.sampled_from(
        [
            "The vote",
            " failed.",
            ".”He",
            " said",
            "\n\n",
            "\n",
            "difference.Russian",
            " U.S. ",
            "Mr. Smith",
            "CornynGOP",
            "Read more",
            " • ",
            "。",
            "次の",
            "（図）",
            "(記",
            ")",
            "“Yes!”",
            ' "No." ',
            "3.5",
            "www.site.com/News",
            "a@b.com",
            "é.É",
            "…",
            " ",
        ]
    ),
    max_size=30,
).map("".join)


def pieces(text: str) -> list[str]:
    buffer = Buffer.of([text])
    found = cut(buffer)
    return [buffer.text(a, b) for a, b in zip(found.start, found.end, strict=True)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One line.\nTwo.", ["One line.", "Two."]),
        ("all the difference.Russian President spoke.", ["all the difference.", "Russian President spoke."]),
        ("“It is over.”He left.", ["“It is over.”", "He left."]),
        ("It ended. Then it rained.", ["It ended.", "Then it rained."]),
        ("Mr. Smith of the U.S. Army met J. Doe.", ["Mr. Smith of the U.S. Army met J. Doe."]),
        ("At 3.5 per cent, www.site.com/News said.", ["At 3.5 per cent, www.site.com/News said."]),
        ("Whip John CornynGOP senators balk", ["Whip John Cornyn", "GOP senators balk"]),
        ("Sen. McConnell on YouTube", ["Sen. McConnell on YouTube"]),
        ("Police said SundayThe mayor spoke.", ["Police said Sunday", "The mayor spoke."]),
        ("The VerlaHop sank. A VerlaHop rose.", ["The VerlaHop sank.", "A VerlaHop rose."]),
        ("AdvertisementVerla AdvertisementVerla", ["Advertisement", "Verla Advertisement", "Verla"]),
        ("Am 3. Juli kam er. Der 1. FC Verl siegte.", ["Am 3. Juli kam er.", "Der 1. FC Verl siegte."]),
        ("Freitag, 24. Oktober. Das 19. Jahrhundert.", ["Freitag, 24. Oktober.", "Das 19. Jahrhundert."]),
        ("er kam am 3. juli. er ging.", ["er kam am 3. juli.", "er ging."]),
        ("He was 45. The police came in 2020. Rain.", ["He was 45.", "The police came in 2020.", "Rain."]),
        ("今日は晴れ。明日は雨。", ["今日は晴れ。", "明日は雨。"]),
        ("他说：“好。”（来源：晨报）昨日有雨。", ["他说：“好。”", "（来源：晨报）", "昨日有雨。"]),
        ("(记者 王宁)昨日有雨。（图）", ["(记者 王宁)", "昨日有雨。", "（图）"]),
        (
            "晨报讯(记者 王宁)昨日，东方（上海）ABC公司开业。",
            ["晨报讯", "(记者 王宁)", "昨日，东方（上海）ABC公司开业。"],
        ),
        ("他走了~（来源：晨报）33岁的他", ["他走了~", "（来源：晨报）", "33岁的他"]),
        ("占0.2%（内容来源：晨报），见下文", ["占0.2%", "（内容来源：晨报）", "，见下文"]),
        ("他拍（文化部）的戏（图）好看", ["他拍（文化部）的戏（图）好看"]),
        ("来源：晨报\u3000昨日有雨。", ["来源：晨报", "昨日有雨。"]),
        ("来源： cnBeta谷歌宣布", ["来源： cnBeta", "谷歌宣布"]),
        ("来源：北方晚报北方晚报讯", ["来源：北方晚报", "北方晚报讯"]),
        ("文/王宁来源：晨报网昨日有雨", ["文/王宁", "来源：晨报网", "昨日有雨"]),
        ("资金来源：晨报昨日", ["资金来源：晨报昨日"]),
        ("来源：晨报", ["来源：晨报"]),
        ("来源：中国新闻网", ["来源：中国新闻网"]),
        ("来源：中国社会科学网昨日有雨", ["来源：中国社会科学网", "昨日有雨"]),
        ("来源：中国台湾网昨日", ["来源：中国台湾网", "昨日"]),
        ("来源：新华社报道称有雨", ["来源：新华社", "报道称有雨"]),
        ("来源：BBC News 昨日有雨", ["来源：BBC News", "昨日有雨"]),
        ("来源：晨报\u2003昨日有雨", ["来源：晨报", "昨日有雨"]),
        ("雨\u200b（来源：晨报）\ufeff（来源：网）雨", ["雨", "（来源：晨报）", "（来源：网）", "雨"]),
        ("他说(记者会将于明日举行)后离开", ["他说(记者会将于明日举行)后离开"]),
        ("她（作者已去世多年）说（编辑部的故事）", ["她（作者已去世多年）说（编辑部的故事）"]),
        ("Apple发布(来源：晨报)\n昨日", ["Apple发布", "(来源：晨报)", "昨日"]),
        ("来源：", ["来源："]),
        ("（来源", ["（来源"]),
        ("今日〔記者王寧／台南報導〕有雨【图片】", ["今日", "〔記者王寧／台南報導〕", "有雨", "【图片】"]),
        (
            "Jo Rau 28 April 2014The ferry, 12:33Le bac",
            ["Jo Rau 28 April 2014", "The ferry, 12:33", "Le bac"],
        ),
        ("The A2014The F2014A 2014USA 3014The", ["The A2014The F2014A 2014USA 3014The"]),
        ("Ferry opens in spring - verla.cz\nThe ferry", ["Ferry opens in spring", "- verla.cz", "The ferry"]),
        ("Ferry opens – the verla.co.uk\nThe ferry", ["Ferry opens", "– the verla.co.uk", "The ferry"]),
        ("Ferry opens in spring - verla.cz", ["Ferry opens in spring - verla.cz"]),
        ("Ferry opens - mail a@verla.cz\nThe", ["Ferry opens - mail a@verla.cz", "The"]),
        ("Ferry opens - in spring.\nThe ferry", ["Ferry opens - in spring.", "The ferry"]),
        ("Inflation rises - to 10.5%\nThe ferry", ["Inflation rises - to 10.5%", "The ferry"]),
        ("Dow falls again - down to 21,500.25\nThe", ["Dow falls again - down to 21,500.25", "The"]),
        ("Spielbericht - 28.03.2019\nDie", ["Spielbericht - 28.03.2019", "Die"]),
        ("A. Ferry opens - verla.cz\nB - verla.cz\nC", ["A. Ferry opens", "- verla.cz", "B - verla.cz", "C"]),
        ("「そうだ。」", ["「そうだ。」"]),
        ("(Reuters)The vote failed.", ["(Reuters)", "The vote failed."]),
        ("Really?! Yes.", ["Really?!", "Yes."]),
        (
            "Links will open in a new window The port is shut.",
            ["Links will open in a new window", "The port is shut."],
        ),
        ("A new window of time. Few saw it", ["A new window of time.", "Few saw it"]),
        ("The ferry will [+1234 chars]", ["The ferry will", "[+1234 chars]"]),
        ("The ferry [+12 men] will [+1 chars] sail", ["The ferry [+12 men] will [+1 chars] sail"]),
        ("", []),
        (" \n\t\u00a0\n", []),
    ],
)
def test_cuts(text, expected):
    assert pieces(text) == expected


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        ("Verla Hanna Rogul 28.03.2019, 12:44", []),
        ("Actualizado 08/03/2016 20:14 h.", []),
        ("Von Jo Rau, 4. Mai 2019, 20:14 Uhr", []),
        ("By Jo Rau, May 4, 2019, 07:45 EST", []),
        ("AFP, publié le 4 mai 2015 à 12h33", []),
        ("In 2019 the score was 12:77", None),
        ("On 4 May 2019 they won 29:45", None),
        ("The ferry left at 20:14", None),
        ("The ferry left at 12:44 with", None),
        ("It was 3:2 for", None),
    ],
)
def test_a_time_of_day_ends_what_stood_above_a_text_that_lost_its_breaks(head, expected):
    story = "Ferries sank off the coast of Verla on Monday. " * 10
    found = pieces(f"{head} {story.strip()}")
    assert found[0] == (head if expected == [] else f"{head} Ferries sank off the coast of Verla on Monday.")
    short = pieces(f"{head} Ferries sank.")
    assert len(short) == 1 or head.endswith(("h.", "m."))


def test_what_follows_a_date_is_read_in_its_own_text_only():
    head = "x" * 420 + " 4 May 2019 20:14 C"
    for other in ("ET", "et", ""):
        buffer = Buffer.of([head, other])
        assert cut(buffer).bounds[1] == len(cut(Buffer.of([head])))


def test_joints_say_how_segments_are_set_off():
    found = cut(Buffer.of(["A b.\n\nC d.\nE f. G h.”I j."]))
    assert found.joint.tolist() == [0, PARAGRAPH, LINE, SENTENCE, GLUED]


@given(st.lists(TEXT | NEWSLIKE, max_size=5))
def test_segments_hold_every_character_that_is_not_blank_once_and_in_order(texts):
    buffer = Buffer.of(texts)
    found = cut(buffer)
    assert found.bounds[0] == 0
    assert found.bounds[-1] == len(found)
    for d, text in enumerate(texts):
        mine = range(found.bounds[d], found.bounds[d + 1])
        at = int(buffer.offsets[d])
        for s in mine:
            assert at <= found.start[s] < found.end[s] <= buffer.offsets[d + 1]
            assert not buffer.text(at, int(found.start[s])).strip()
            at = int(found.end[s])
        assert not buffer.text(at, int(buffer.offsets[d + 1])).strip()
        assert (
            "".join(buffer.text(int(found.start[s]), int(found.end[s])) for s in mine).split()
            or not text.strip()
        )


@given(NEWSLIKE, st.data())
def test_a_cut_depends_only_on_what_follows_its_start_but_for_capitals_in_the_text_or_twice_in_a_word(
    text, data
):
    # a word with a capital inside is a name if it stands there twice, also at the end of a longer one
    for inner in ("[A-Za-z]*[a-z][A-Z][A-Za-z]*", "(?=([A-Z][a-z]+[A-Z]+[a-z]*))"):
        assume(len(set(re.findall(inner, text))) == len(re.findall(inner, text)))
    before = pieces(text)
    keep = data.draw(st.lists(st.booleans(), min_size=len(before), max_size=len(before)))
    kept = [p for p, k in zip(before, keep, strict=True) if k]
    # a text in lower case is cut before small letters: what is kept of one with capitals may have none
    small = [
        _lacks_capitals(np.frombuffer(t.encode(), np.uint8), 0, len(t.encode()))
        for t in (text, "\n\n".join(kept))
    ]
    assume(small[0] == small[1])
    assert pieces("\n\n".join(kept)) == kept


def test_arrow_input_is_viewed_not_copied():
    text = pd.Series(["one", "two"], dtype="str")
    array = pa.array(text, type=pa.large_string())
    array = array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array
    buffer = Buffer.of(array.slice(1))
    assert [buffer.text(*buffer.offsets[:2])] == ["two"]
    assert np.shares_memory(buffer.data, np.frombuffer(array.buffers()[2], np.uint8))


def test_chunked_and_empty_input():
    chunked = pa.chunked_array([["a."], [], ["b.", "c."]], type=pa.large_string())
    assert len(cut(Buffer.of(chunked))) == 3
    empty = cut(Buffer.of([]))
    assert isinstance(empty, Segments)
    assert len(empty) == 0


def test_a_lone_surrogate_is_refused_with_a_mend():
    with pytest.raises(ValueError, match="lone surrogates"):
        Buffer.of(["\ud800"])


@pytest.mark.parametrize("piece", ["A", "”A", ".", "a.A", "•", "\n", "。", "\U0001f600", "é\u0301"])
def test_long_lines_of_bait_are_cut_in_linear_room(piece):
    text = piece * 20_000
    buffer = Buffer.of([text])
    found = cut(buffer)
    assert sum(int(b - a) for a, b in zip(found.start, found.end, strict=True)) <= len(buffer.data)


def test_runs_of_plain_bytes_are_cut_as_one_byte_at_a_time_is(monkeypatch):
    words = [
        "the",
        "Mayor",
        "3.5",
        "U.S.",
        "said.",
        "“No,”",
        "difference.Russian",
        "a-b",
        "é",
        "…",
        "\\n",
        " ",
        "*",
        "x;y",
    ]
    random = np.random.default_rng(0)
    texts = ["".join(random.choice(words, 30)) + " ".join(random.choice(words, 30)) for _ in range(300)]
    fast = cut(Buffer.of(texts))
    monkeypatch.setattr("toolkit.segments._PLAIN", np.zeros(256, bool))
    slow = cut(Buffer.of(texts))
    for name in ("start", "end", "joint", "bounds"):
        assert np.array_equal(getattr(fast, name), getattr(slow, name)), name
