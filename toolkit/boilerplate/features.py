"""What a segment looks like: one numba pass that makes its fingerprints, its n-grams and its shape.

The same pass serves training (``training.linear``) and prediction (a sum of weights on the fly), so the two cannot
differ.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from toolkit.boilerplate.labels import NOTHING, OVER, read_mark, read_word
from toolkit.buffer import FNV, PRIME, decode
from toolkit.kernels import njit, places

BUCKETS = 1 << 17  # rows of the hashed n-gram weight table

FINGERPRINTS = ("exact", "fuzzy", "lead2", "lead4", "trail2", "trail4", "names")
"""Columns of the fingerprint array.

``exact``: all words, case and spacing folded. ``fuzzy``: digits masked, runs of capitalised words collapsed,
so that ``Follow Ann Lee on Twitter`` and ``Follow Bo Dahl on Twitter`` agree. ``lead2`` … ``trail4``: the first
or last two or four words, digits masked; 0 where the segment is hardly longer than that. ``names``: minimum
hash over the names inside the segment, one bottom-1 sample for telling stories apart: over pairs of capitalised
words, else single ones, else any three words, as where a script has no capitals.
"""

SHAPE = (
    "tokens", "words", "capitalised", "shouted", "digits", "marks", "quotes", "bytes", "first_class", "last_class",
    "terms", "label",
)  # fmt: skip
"""Columns of the shape array: token counts, bytes, character classes of the first and last character, the number of
terms (words of at least four letters), and the kind of the label with which the segment opens, as
:data:`toolkit.boilerplate.labels.LABELS` number them, 0 for none."""

PART = places(SHAPE)
NAME = 1  # lowest bit of a term: set where the word is capitalised inside its segment
MAX_TOKENS = 96
PER_TOKEN = 5
WINDOW = 8
ROOM = MAX_TOKENS * PER_TOKEN + 8
TERM = 4


def _fold_table() -> NDArray[np.uint16]:
    lower = (chr(code).lower() for code in range(0x10000))
    table = np.array([ord(low) if len(low) == 1 else code for code, low in enumerate(lower)], np.uint16)
    table[[ord("‘"), ord("’")]] = ord("'")
    table[[ord("“"), ord("”")]] = ord('"')
    return table


FOLD = _fold_table()

_M1 = np.uint64(0x9E3779B97F4A7C15)
_M2 = np.uint64(0xBF58476D1CE4E5B9)
_M3 = np.uint64(0x94D049BB133111EB)
_M4 = np.uint64(0xD6E8FEB86659FD93)
_M5 = np.uint64(0xA0761D6478BD642F)
_M6 = np.uint64(0xE7037ED1A0B428DB)
_NAMED = np.uint64(0x8BB84B93962EACC9)
_SHIFT = np.uint64(64 - 17)
_SOFT_HYPHEN = 0xAD  # says where a word may be parted; the word reads as without it
_TIER, _SINGLE, _WORDS = np.uint64(2), np.uint64(1 << 62), np.uint64(3 << 62)


@njit(cache=True, nogil=True)
def mix(a, b):  # type: ignore[no-untyped-def]
    """Combine two 64-bit hashes (the finaliser of splitmix64)."""
    z = (a ^ (b * _M1)) + _M1
    z = (z ^ (z >> np.uint64(30))) * _M2
    return z ^ (z >> np.uint64(29))


def mix_all(a: NDArray[np.uint64], b: NDArray[np.uint64] | np.uint64) -> NDArray[np.uint64]:
    """Combine arrays of hashes element by element, as the index does."""
    with np.errstate(over="ignore"):
        return np.asarray(mix.py_func(a, b), np.uint64)


@njit(cache=True, nogil=True)
def _in_word(kind, code):  # type: ignore[no-untyped-def]
    return (1 <= kind <= 3) or (kind == 0 and 0xAA <= code < 0x2E80 and code != 0x2013 and code != 0x2014)


@njit(cache=True, nogil=True)
def scan(data, a, b, joint, classes, fold, labels, index, prints, shape, terms):  # type: ignore[no-untyped-def]
    """Read segment ``data[a:b]`` once; fill its n-gram buckets, fingerprints, shape and terms.

    Returns the number of buckets.
    """
    exact = np.uint64(1)
    fuzzy = np.uint64(2)
    lead2 = lead4 = np.uint64(0)
    names = np.uint64(0xFFFFFFFFFFFFFFFF)
    w0 = w1 = w2 = w3 = np.uint64(0)
    previous = mix(np.uint64(joint), np.uint64(77))
    before = np.uint64(0)
    masked = masked2 = np.uint64(5)
    in_name = False
    n_terms = tokens = words = capitals = shouted = digits = quotes = 0
    i = a
    kind = np.uint8(0)
    opening = np.uint8(255)
    known = NOTHING
    while i < b:
        code, size = decode(data, i, b)
        kind = classes[code]
        if opening == 255:
            opening = kind
        if kind == 4 or kind == 5 or code == _SOFT_HYPHEN:  # white space, or nothing
            i += size
            continue
        value = np.uint64(fold[code])
        capital = False
        if _in_word(kind, code) or (kind == 0 and code >= 0xAA):
            capital = kind == 2
            wide = code >= 0x2E80
            begin = i
            uppers = 0
            length = 0
            h = FNV
            numerals = FNV
            digit = False
            while True:
                if code != _SOFT_HYPHEN:
                    if kind == 3:  # digits look alike to the model, not to the exact fingerprint
                        digit = True
                        numerals = (numerals ^ value) * PRIME
                        value = np.uint64(48)
                    elif kind == 2:
                        uppers += 1
                    h = (h ^ value) * PRIME
                    length += 1
                i += size
                if i >= b or wide:
                    break
                code, size = decode(data, i, b)
                after = classes[code]
                if not _in_word(after, code):
                    break
                kind = after
                value = np.uint64(fold[code])
            h = (h ^ (h >> np.uint64(32))) * _M4
            plain = h
            words += 1
            if known[0] != OVER or known[3] > 0:
                known = read_word(known, data, begin, i, labels)
            if digit:
                plain = mix(h, numerals)
                digits += 1
            elif length >= TERM:
                named = np.uint32(capital and tokens > 0)
                terms[n_terms] = np.uint32(h >> np.uint64(32)) & ~np.uint32(1) | named
                n_terms += 1
            if capital:
                capitals += 1
                if uppers == length and length > 1:
                    shouted += 1
        else:
            h = mix(value, np.uint64(13))
            plain = h
            if value == 34:
                quotes += 1
            known = read_mark(known, code)
            i += size
        exact = mix(exact, plain)
        name = capital and tokens > 0
        if name:
            # names of several words tell stories apart; Monday and Washington stand in most of them
            named = mix(mix(w3, h) if in_name else h, np.uint64(53)) >> _TIER
            names = min(names, named if in_name else named | _SINGLE)
        if not (name and in_name):
            fuzzy = mix(fuzzy, np.uint64(99) if name else h)
        w0, w1, w2, w3 = w1, w2, w3, h
        if tokens == 1:
            lead2 = mix(w2, w3)
        elif tokens == 3:
            lead4 = mix(mix(w0, w1), mix(w2, w3))
        in_name = name
        # a long segment is represented by its first 88 and its last 8 tokens
        slot = tokens if tokens < MAX_TOKENS else MAX_TOKENS - WINDOW + tokens % WINDOW
        n = slot * PER_TOKEN
        shown = _NAMED if name else h * _M6
        one = previous * _M3
        two = one ^ before * _M5
        index[n] = (h * _M1) >> _SHIFT
        index[n + 1] = ((h ^ one) * _M2) >> _SHIFT
        three = (h ^ two) * _M4
        index[n + 2] = three >> _SHIFT
        names = min(names, three >> _TIER | _WORDS)
        index[n + 3] = ((shown ^ masked * _M3) * _M1) >> _SHIFT
        index[n + 4] = ((shown ^ masked * _M3 ^ masked2 * _M5) * _M2) >> _SHIFT
        masked2 = masked
        masked = shown
        before = previous
        previous = h
        tokens += 1
    label = known[3] if known[3] > 0 else known[2]
    # how it ends, and what kind of break stands before it
    n = min(tokens, MAX_TOKENS) * PER_TOKEN
    index[n] = mix(previous, np.uint64(37)) >> _SHIFT
    index[n + 1] = mix(before, mix(previous, np.uint64(41))) >> _SHIFT
    index[n + 2] = mix(np.uint64(min(tokens, 12)), mix(np.uint64(joint), np.uint64(43))) >> _SHIFT
    shape[PART.tokens] = tokens
    shape[PART.words] = words
    shape[PART.capitalised] = capitals
    shape[PART.shouted] = shouted
    shape[PART.digits] = digits
    shape[PART.marks] = tokens - words
    shape[PART.quotes] = quotes
    shape[PART.bytes] = b - a
    shape[PART.first_class] = opening
    shape[PART.last_class] = kind
    shape[PART.terms] = n_terms
    shape[PART.label] = label
    prints[0] = exact
    prints[1] = fuzzy
    prints[2] = lead2 if tokens >= 4 else 0
    prints[3] = lead4 if tokens >= 6 else 0
    prints[4] = mix(mix(w2, w3), np.uint64(59)) if tokens >= 4 else 0
    prints[5] = mix(mix(mix(w0, w1), mix(w2, w3)), np.uint64(59)) if tokens >= 6 else 0
    prints[6] = names
    if label > 0:
        index[n + 3] = mix(np.uint64(label), np.uint64(47)) >> _SHIFT
        index[n + 4] = mix(np.uint64(label), mix(np.uint64(joint), np.uint64(61))) >> _SHIFT
        n += 2
    return n + 3
