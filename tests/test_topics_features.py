"""The feature kernel against a reading of the same rules in plain Python."""

import unicodedata
from collections import Counter
from dataclasses import replace
from itertools import pairwise
from math import log

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toolkit.topics.features import (
    NO_WORDS,
    FeatureSpace,
    Lexicon,
    decide,
    matrix,
    occurrences,
)
from training.encoder import piece_keys, word_keys

SMALL = FeatureSpace(bits=12, lead=64, title_weight=3)
LISTED = [
    "a",
    "b",
    "aa",
    "aB",
    "é",
    "-a",
    "-b",
    "-ab",
    "-一",
    "-一a",
    "-一一",
    "ไ",
    "-é",
    "İ",
]  # "-": inside a word
SEED, INSIDE = 0x9E3779B97F4A7C15, 0xA0761D6478BD642F
MASK = (1 << 64) - 1
TEXTS = st.lists(
    st.text(
        st.one_of(st.characters(exclude_categories=["Cs"]), st.sampled_from("aB .,'é\u00ad\u200d一ไ😀İß"))
    ),
    max_size=6,
)


def _kind(character):
    code = ord(character)
    if code > 0xFFFF:
        return "alone" if 0x20000 <= code < 0x40000 else "gap" if 0x1F000 <= code < 0x20000 else "word"
    if character in "\u00ad\u200b\u200c\u200d\u2060\ufeff":
        return "nothing"
    category = unicodedata.ucd_3_2_0.category(character)
    if category[0] not in "LMN" and category != "Cn":
        return "gap"
    ranges = (
        (0x0E00, 0x0EFF), (0x0F00, 0x0FFF), (0x1000, 0x109F), (0x1780, 0x17FF), (0x3040, 0x30FF),
        (0x31F0, 0x31FF), (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0xFF66, 0xFF9F),
    )  # fmt: skip
    return "alone" if any(a <= code <= b for a, b in ranges) else "word"


def _fold(character):
    if ord(character) > 0xFFFF or unicodedata.ucd_3_2_0.category(character) != "Lu":
        return ord(character)
    return ord(character.lower()) if len(character.lower()) == 1 else ord(character)


def _hash(codes, h=SEED):
    for code in codes:
        h = (h ^ code) * 0xFF51AFD7ED558CCD & MASK
        h ^= h >> 32
    return h * 0xC4CEB9FE1A85EC53 & MASK


def _pair(left, right):
    h = (left * 0xD6E8FEB86659FD93 & MASK) ^ right
    h = (h ^ h >> 32) * 0xC4CEB9FE1A85EC53 & MASK
    return (h ^ h >> 32) * 0xD6E8FEB86659FD93 & MASK


def _words(text, lead):
    raw = text.encode()
    cut = len(raw) > lead
    read = raw[:lead].decode(errors="ignore")
    words, current = [], []
    for character in read:
        kind = _kind(character)
        if kind == "word":
            current.append(_fold(character))
        elif kind != "nothing":
            if current:
                words.append(_hash(current))
                current = []
            if kind == "alone":
                words.append(_hash([ord(character)]))
    if current and not cut:
        words.append(_hash(current))
    return words


def _row(codes, opens):
    key = _hash(codes, SEED if opens else INSIDE) >> 32
    return KEYS.index(key) if key in KEYS else None


def _pieces(text, lead):
    """Rows of the longest listed pieces of each word, greedily from the left."""
    cut, read = len(text.encode()) > lead, text.encode()[:lead].decode(errors="ignore")
    words, current, begin = [], [], None
    for place, character in enumerate([*read, " "]):
        kind = _kind(character)
        if kind == "word":
            begin = place if not current else begin
            current.append(character)
        elif kind == "nothing":
            current += [character] if current else []
        else:
            if current and not (cut and place == len(read)):
                words.append((begin, place, current))
            current = []
            if kind == "alone":
                words.append((place, place + 1, [character]))
    runs = []
    for begin, end, letters in words:
        if runs and runs[-1][1] == begin:
            runs[-1] = (runs[-1][0], end, runs[-1][2] + letters, False)
        else:
            runs.append((begin, end, letters, True))
    for _, _, letters, single in runs:
        clean = [_fold(c) for c in letters if _kind(c) != "nothing"]
        if single and _row(clean, True) is not None:
            yield _row(clean, True)
            continue
        place, opens = 0, True
        while place < len(letters) and not letters[0].isdecimal():
            ends = [i for i in range(place, len(letters)) if _kind(letters[i]) != "nothing"][:16]
            found = None
            for end in reversed(ends):
                codes = [_fold(c) for c in letters[place : end + 1] if _kind(c) != "nothing"]
                found = _row(codes, opens)
                if found is not None:
                    break
            if found is None and opens:
                opens = False
                continue
            place = (end if found is not None else ends[0] if ends else len(letters)) + 1
            opens = False
            if found is not None:
                yield found
            if single and len("".join(letters[place:]).encode()) < 4:
                break


def _reference(text, title, space, lexicon):
    counts = Counter()
    if lexicon is PIECES:
        for part, weight in ((title, space.title_weight), (text, 1)):
            for row in _pieces(part, space.lead):
                counts[row] += weight
        return {row: 1 + log(min(n, 255)) for row, n in counts.items()}
    for part, weight in ((title, space.title_weight), (text, 1)):
        words = _words(part, space.lead)
        for h in words + [_pair(a, b) for a, b in pairwise(words)]:
            counts[h >> (64 - space.bits)] += weight
    return {bucket: 1 + log(min(n, 255)) for bucket, n in counts.items() if n}


def _column(texts):
    return pd.Series(texts, dtype="str")


KEYS = sorted(
    piece_keys(
        _column([piece.removeprefix("-") for piece in LISTED]),
        np.array([piece[0] != "-" for piece in LISTED]),
    ).tolist()
)
PIECES = Lexicon(np.array(KEYS, np.uint32), np.empty(0, np.uint64))
VIEWS = pytest.mark.parametrize(
    ("space", "lexicon"), [(SMALL, NO_WORDS), (replace(SMALL, pieces=True), PIECES)], ids=["hashed", "pieces"]
)


@VIEWS
@settings(max_examples=200, deadline=None)
@given(texts=TEXTS)
def test_the_kernel_reads_as_plain_python_does(space, lexicon, texts):
    titles = texts[::-1]
    found = matrix(_column(texts), _column(titles), space, lexicon)
    for row, (text, title) in enumerate(zip(texts, titles, strict=True)):
        expected = _reference(text, title, space, lexicon)
        line = found[row]
        assert dict(zip(line.indices.tolist(), line.data.tolist(), strict=True)) == pytest.approx(expected)


@settings(max_examples=100, deadline=None)
@given(TEXTS)
def test_prediction_sums_the_training_features(texts):
    random = np.random.default_rng(0)
    weights = random.integers(-127, 128, (SMALL.size, 3)).astype(np.int8)
    idf = random.random(SMALL.size).astype(np.float32)
    scale = np.array([0.1, 0.2, 0.3], np.float32)
    scores, known = decide(_column(texts), None, SMALL, idf, weights, scale)
    counted = matrix(_column(texts), None, SMALL).toarray() * idf
    length = np.linalg.norm(counted, axis=1, keepdims=True)
    expected = counted / np.where(length > 0, length, 1) @ weights * scale
    assert known.tolist() == (counted > 0).sum(axis=1).tolist()
    np.testing.assert_allclose(scores, expected, rtol=1e-3, atol=1e-3)


@settings(max_examples=50, deadline=None)
@given(TEXTS, st.randoms(use_true_random=False))
def test_neither_order_nor_batches_change_a_byte(texts, random):
    weights = np.arange(SMALL.size * 2, dtype=np.float32).reshape(-1, 2)
    ones = np.ones(2, np.float32)

    def run(part):
        return decide(_column(part), None, SMALL, np.ones(SMALL.size, np.float32), weights, ones)[0]

    whole = run(texts)
    order = list(range(len(texts)))
    random.shuffle(order)
    assert run([texts[i] for i in order]).tobytes() == whole[order].tobytes()
    single = [run([text])[0] for text in texts]
    assert all(a.tobytes() == b.tobytes() for a, b in zip(single, whole, strict=True))


@VIEWS
@settings(max_examples=100, deadline=None)
@given(text=st.text(st.characters(exclude_categories=["Cs"]), max_size=80))
def test_occurrences_are_the_counted_buckets_in_place(space, lexicon, text):
    buckets, spans = occurrences(text, space, lexicon)
    counted = matrix(_column([text]), None, space, lexicon)
    assert sorted(set(buckets.tolist())) == counted.indices.tolist()
    raw = text.encode()
    for start, end in spans:
        assert raw[start:end].decode()


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("STRASSE", "strasse"),
        ("ÉCOLE ΣΟΦΌΣ МИР", "école σοφόσ мир"),
        ("one,two", "one — two"),
        ("co\u00adoperate", "cooperate"),
        ("don’t", "don't"),
    ],
)
def test_case_and_punctuation_do_not_matter(left, right):
    found = matrix(_column([left, right]), None, FeatureSpace())
    assert (found[0] != found[1]).nnz == 0


def test_alike_words_are_one_and_no_part_of_a_word_is():
    lexicon = Lexicon(np.empty(0, np.uint32), word_keys(["Chile", "Peru"]))
    found = matrix(_column(["in Chile", "in PERU", "in children"]), None, FeatureSpace(), lexicon)
    assert (found[0] != found[1]).nnz == 0
    assert (found[0] != found[2]).nnz > 0


def test_characters_stand_alone_where_words_are_not_spaced():
    found = matrix(_column(["北京天气", "สวัส"]), None, FeatureSpace())
    assert found.getnnz(axis=1).tolist() == [4 + 3, 3 + 3]


def test_a_word_cut_by_the_limit_is_left_out():
    space = FeatureSpace(bits=18, lead=8)
    found = matrix(_column(["alpha be", "alpha beta", "alpha  é"]), None, space)
    assert found.getnnz(axis=1).tolist() == [3, 1, 1]


def test_slices_chunks_and_missing_values_read_as_their_texts():
    plain = matrix(_column(["", "ç d", "ab"]), None, SMALL)
    chunked = pd.Series(pd.array(["ab", None, "ç d"], dtype="str"))
    whole = pd.Series(pd.arrays.ArrowStringArray(pa.array(["x", "", "ç d", "ab"], pa.large_string())[1:]))
    for texts in (pd.concat([chunked[1:], chunked[:1]]), whole):
        assert (matrix(texts, None, SMALL) != plain).nnz == 0
    assert matrix(pd.Series([], dtype="str"), None, SMALL).shape[0] == 0


def test_absurd_feature_spaces_are_refused():
    with pytest.raises(ValueError, match="bits must be 8–24"):
        FeatureSpace(bits=40)
