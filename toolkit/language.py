"""Which language a text is in: its script first, then its function words, then a library for the rest."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from toolkit.buffer import FNV, PRIME, Buffer, decode, fnv
from toolkit.files import word_lists
from toolkit.kernels import njit

# letters of a text that are read: a piece at its start and one in its middle, of PIECE letters each; more, up to LOOK,
# only while the margin (natural logarithm of a likelihood ratio) is below SURE
LOOK, PIECE, SURE = 1_000, 160, 12.0

# least function words and least margin from which a language is clear; docs/languages.md has costs and gains
WORDS, MARGIN = 3, 4.0

# the library takes .4 ms, so it judges only texts of LEAST letters or more; its answer counts if it is CONFIDENT
LEAST, CONFIDENT = 150, 0.9

RARE = 0.0003  # frequency of a function word in a language whose list does not have it

# code of each script → the language that nearly all news in it is in, if there is one; ranges of code points
SCRIPTS: dict[str, tuple[Any, ...]] = {
    name: (None if code == "-" else code, *([int(end, 16) for end in each.split("-")] for each in ranges))
    for name, (code, *ranges) in word_lists("scripts.txt").items()
}

_SCRIPTS = np.array([None, *SCRIPTS], dtype=object)
_LANGUAGES = np.array([None, *(code for code, *_ in SCRIPTS.values())], dtype=object)  # of each script
_SLOTS = 1 << 14


def codes(lang: pd.Series[Any]) -> pd.Series[Any]:
    """Return a column of languages as ISO 639-1 codes, however the data wrote them; ``und`` is missing."""
    places, values = pd.factorize(lang.astype("str"))  # a corpus writes few languages, each many times
    first = pd.Series(values, dtype="str").str.strip().str.lower().str.extract(r"^([^\W\d_]+)", expand=False)
    found = first.where(first != "und").map(as_code, na_action="ignore")
    return pd.Series(found.astype("str").array.take(places, allow_fill=True), lang.index, name=lang.name)


def as_code(value: str) -> str:
    """Return what a field of languages says as a code, ``en`` of ``EN``, ``eng``, ``en_GB`` or ``English``.

    What is neither a known name nor the code of a language, with or without a region, stays as it is.
    """
    code = re.match(r"([a-z]{2,3})(?:[-_][a-z\d_-]+)?$", text := value.strip().lower())
    return language_code(value) or _names().get(text) or (_names().get(code[1], code[1]) if code else value)


def language_code(text: str | None) -> str | None:
    """Return the code of the language that a text such as "German; Deutsch" or "Français" names, or None.

    A code of three letters is none: archives have newspapers of such codes (FIN, RUN).
    """
    first = re.split(r"[;,/(]", text or "")[0].strip().casefold()
    code_of_three = len(first) == 3 and first.isascii()
    return None if code_of_three else first if first in _names().values() else _names().get(first)


@lru_cache(maxsize=1)
def _names() -> dict[str, str]:
    return {name: code for code, names in word_lists("languages.txt").items() for name in names}


def languages(texts: Any) -> pd.Series[Any]:
    """Return the language of each text, missing if it is not clear; ``docs/languages.md`` explains the method.

    ``texts`` are a Series, an Arrow array or a list of str, also with missing values; codes are those of ISO 639-1
    (``pcm`` for Nigerian Pidgin, which has none), with the index of a Series given.
    """
    buffer, index, letters, script, found, margin = _looked(texts)
    codes, words, best = _LANGUAGES[script], found[:, 1], _tables()[0][found[:, 0]]
    unknown = pd.isna(codes)
    sure = unknown & (words >= WORDS) & (margin >= MARGIN)
    codes[sure] = best[sure]
    doubtful = unknown & ~sure & (letters.sum(1) >= LEAST)
    # the library lacks rn and ti, and would tell their neighbours rw and am
    doubtful &= ~np.isin(best, ["rn", "rw"]) & (_SCRIPTS[script] != "Ethi")
    identifier: Any = _identifier() if doubtful.any() else None
    for row in np.flatnonzero(doubtful) if identifier is not None else ():
        text = buffer.text(*buffer.offsets[row : row + 2])
        code, probability = identifier.classify(text[:LOOK])
        if len(code) == 2 and probability >= CONFIDENT:
            codes[row] = code
    return pd.Series(codes, index, dtype="str")


def scripts(texts: Any) -> pd.Series[Any]:
    """Return the script in which most letters of each text are, as ISO 15924 codes; missing without letters.

    Chinese characters count twice, since two of them are a word; Japanese is ``Kana`` if one letter in twenty is kana.
    """
    _, index, _, script, _, _ = _looked(texts)
    return pd.Series(_SCRIPTS[script], index, dtype="str")


def _looked(texts: Any) -> tuple[Any, ...]:
    """Return buffer and index of texts; of each its letters by script, main script, and what :func:`_look` finds."""
    index = texts.index if isinstance(texts, pd.Series) else None
    if not isinstance(texts, (pa.Array, pa.ChunkedArray)):
        texts = pa.array(texts if index is not None else list(texts), pa.large_string(), from_pandas=True)
    array = texts.cast(pa.large_string())
    array = array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array
    buffer = Buffer.of(pc.fill_null(array, ""))
    letters, found, margin = _look(buffer.data, buffer.offsets, *_tables()[1], len(_SCRIPTS))
    han, kana = (list(_SCRIPTS).index(name) for name in ("Hani", "Kana"))
    script = (letters * np.where(np.arange(len(_SCRIPTS)) == han, 2, 1)).argmax(1)
    script[(script == han) & (20 * letters[:, kana] > letters[:, han])] = kana
    script[letters.sum(1) == 0] = 0
    return buffer, index, letters, script, found, margin


@lru_cache(maxsize=1)
def _identifier() -> Any:
    try:
        from py3langid.langid import MODEL_FILE, LanguageIdentifier
    except ImportError:
        return None
    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)


@lru_cache(maxsize=1)
def _tables() -> tuple[NDArray[Any], tuple[NDArray[Any], ...]]:
    """Return language codes, one a list of function words; and what the kernel looks up."""
    # the case and the script (0: no letter) of each code point below 2^16; the words, in a table by hash: that of
    # rank r in the list of a language has the frequency .12 / (r + 2) there (Zipf's law)
    lower, script = np.arange(0x10000).astype(np.uint16), np.zeros(0x10000, np.uint8)
    for number, (_, *ranges) in enumerate(SCRIPTS.values(), 1):
        for first, last in ranges:
            script[first : last + 1] = number
    for code in np.flatnonzero(script).tolist():
        character = chr(code)
        if unicodedata.category(character)[0] not in "LM":
            script[code] = 0
        lower[code] = ord(character.lower()[0])
    weights: dict[int, list[tuple[int, float]]] = {}
    lists = word_lists("function_words.txt")
    codes = [name.partition("-")[0] for name in lists]
    for number, words in enumerate(lists.values()):
        for rank, word in enumerate(dict.fromkeys(words)):
            weight = float(np.log(0.12 / (rank + 2) / RARE))
            weights.setdefault(fnv(map(ord, word)), []).append((number, weight))
    keys, places = np.zeros(_SLOTS, np.uint64), np.zeros((_SLOTS, 2), np.int64)
    pairs: list[tuple[int, float]] = []
    for key, entries in weights.items():
        slot = key & (_SLOTS - 1)
        while keys[slot]:
            slot = (slot + 1) & (_SLOTS - 1)
        keys[slot], places[slot] = key, (len(pairs), len(pairs) + len(entries))
        pairs += entries
    numbers, logs = (np.array(column) for column in zip(*pairs, strict=True))
    same = np.array([codes.index(code) for code in codes])
    return np.array(codes, dtype=object), (lower, script, keys, places, numbers, logs, same)


@njit(cache=True, nogil=True)
def _look(data, offsets, lower, script, keys, places, numbers, weights, same, n_scripts):  # type: ignore[no-untyped-def]
    """Return of each text the letters of each script, the best language, its words, and its margin."""
    rows = len(offsets) - 1
    letters = np.zeros((rows, n_scripts), np.int64)
    found = np.zeros((rows, 2), np.int64)
    margins = np.zeros(rows)
    score, hits = np.zeros(len(same)), np.zeros(len(same), np.int64)
    for row in range(rows):
        score[:] = 0.0
        hits[:] = 0
        i, end = offsets[row], offsets[row + 1]
        middle, moved = i + ((end - i) >> 1), False
        seen, until = 0, PIECE
        value, size = FNV, 0
        while True:
            code, length = decode(data, i, end) if i < end else (np.int64(0x20), 1)
            kind = script[code]
            if kind:
                letters[row, kind] += 1
                seen += 1
                size += 1
                value = (value ^ np.uint64(lower[code])) * PRIME
            elif size and not (code >= 0x300 and code < 0x370):
                slot = np.int64(value & np.uint64(_SLOTS - 1))
                while keys[slot] and keys[slot] != value:
                    slot = (slot + 1) & (_SLOTS - 1)
                for k in range(places[slot, 0], places[slot, 1]):
                    score[numbers[k]] += weights[k]
                    hits[numbers[k]] += 1
                value, size = FNV, 0
            if i >= end:
                break
            i += length
            if seen >= until and (size == 0 or size > 30):
                if not moved:
                    moved = True
                    if i < middle:
                        i = middle
                        # a word, or a character, that the middle falls into is passed over
                        while i < end and i < middle + 60 and data[i] > 0x20:
                            i += 1
                        while i < end and data[i] & 0xC0 == 0x80:
                            i += 1
                    value, size = FNV, 0
                elif until >= LOOK or _margin(score, same)[1] >= SURE:
                    break
                until += PIECE
        best, margin = _margin(score, same)
        found[row, 0], found[row, 1], margins[row] = best, hits[best], margin
    return letters, found, margins


@njit(cache=True, nogil=True)
def _margin(score, same):  # type: ignore[no-untyped-def]
    """Return the language of the highest score, and how far it is above all of other codes."""
    best = score.argmax()
    second = 0.0
    for k in range(len(score)):
        if same[k] != same[best] and score[k] > second:
            second = score[k]
    return best, score[best] - second
