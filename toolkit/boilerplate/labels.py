"""Labels: words with which what is no article text opens (``Read more``, ``Photo:``), in thirty languages."""

# ruff: noqa: ANN001, ANN201  (numba kernels infer their types)

from __future__ import annotations

import unicodedata
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toolkit.buffer import FNV, IGNORED, PRIME, among, character_tables, decode, fnv, position
from toolkit.files import word_lists
from toolkit.kernels import njit

LABELS = ("credit", "source", "tags", "advert", "link", "call", "interface", "notice")
"""Kinds of labels: the lists of ``data/opening_labels.txt``. Some count only before a mark such as a colon, or where
the segment ends with them; case, accents and what cannot be seen make no difference."""

START, GOES_ON, OVER = 0, 1, -1
"""Whether a label may still begin, goes on, or cannot be there."""

NOTHING = np.int64(START), FNV, np.int64(0), np.int64(0)
"""What is known before the first word: one of the three, a hash of the words, the label, and one that needs a mark."""

_NEEDS_MARK = 16  # added to the number of such a label
_NAMED = 2  # kinds behind which a name may follow a dash or a slash
_MARKS, _DASHES, _QUOTES, _STOPS = (
    np.sort(np.array([ord(mark) for mark in marks], np.uint16))
    for marks in (":：|｜>»›→►▶=＝)]】）］", "/–—", "\"'„«‹‘“「『《", ".,;?!…。，；？！")
)


@cache
def label_table() -> tuple[NDArray[Any], ...]:
    """Return what :func:`read_word` needs: four arrays.

    The hashes of labels and of their first words, sorted; the number of each, 0 where it must go on; the bare form of
    each character, 0 for what cannot be seen; and whether it is a letter.
    """
    kinds, folds = character_tables()
    letters = np.array([unicodedata.ucd_3_2_0.category(chr(code))[0] == "L" for code in range(1 << 16)])
    bare = folds.copy()
    for code in range(1 << 16):
        parts = unicodedata.ucd_3_2_0.normalize("NFD", chr(code))
        if unicodedata.ucd_3_2_0.category(parts[0]) in {"Mn", "Cf"}:
            bare[code] = 0
        elif all(unicodedata.ucd_3_2_0.category(part) == "Mn" for part in parts[1:]):
            bare[code] = folds[ord(parts[0])]
    bare[kinds == IGNORED] = 0
    bare[[ord("İ"), ord("ı")]], bare[ord("ς")] = ord("i"), ord("σ")
    found: dict[int, int] = {}
    for name, labels in word_lists("opening_labels.txt").items():
        for label in labels:
            words = label.strip(":").replace("'", "-").split("-")
            parted = [part for word in words for part in (word if ord(word[0]) >= 0x2E80 else [word])]
            for n in range(1, len(parted) + 1):
                key = fnv(int(bare[ord(char)]) for char in " ".join(parted[:n]) if bare[ord(char)])
                found.setdefault(key, 0)
            found[key] = 1 + LABELS.index(name) + (_NEEDS_MARK if "-" not in label or label[-1] == ":" else 0)
    keys = np.sort(np.array(list(found), np.uint64))
    return keys, np.array([found[int(key)] for key in keys], np.int64), bare, letters


@njit(cache=True, nogil=True)
def read_word(known, data, a, b, labels):  # type: ignore[no-untyped-def]
    """Return what is known of a segment's label after the word ``data[a:b]``."""
    openings, numbers, bare, letters = labels
    status, lead, label, pending = known
    code, _ = decode(data, a, b)
    if pending > 0 and among(_MARKS, code):
        return np.int64(OVER), lead, pending, np.int64(0)
    if status == OVER:
        return status, lead, label, np.int64(0)
    h = (lead ^ np.uint64(32)) * PRIME if status == GOES_ON else lead
    seen = False
    i = a
    while i < b:
        code, size = decode(data, i, b)
        i += size
        if bare[code] != 0:
            if status == START and not seen and not letters[code]:
                return status, lead, label, np.int64(0)  # a bullet or a number
            seen = True
            h = (h ^ np.uint64(bare[code])) * PRIME
    if not seen:
        return known
    at = position(openings, h)
    if at < 0:
        return np.int64(OVER), h, label, np.int64(0)
    if numbers[at] > _NEEDS_MARK:
        return np.int64(GOES_ON), h, label, numbers[at] - np.int64(_NEEDS_MARK)
    return np.int64(GOES_ON), h, numbers[at] if numbers[at] > 0 else label, np.int64(0)


@njit(cache=True, nogil=True)
def read_mark(known, code):  # type: ignore[no-untyped-def]
    """Return what is known of a segment's label after a mark."""
    status, lead, label, pending = known
    if pending > 0 and (among(_MARKS, code) or (pending <= _NAMED and among(_DASHES, code))):
        return np.int64(OVER), lead, pending, np.int64(0)
    if (status == START and among(_QUOTES, code)) or (status == GOES_ON and among(_STOPS, code)):
        return np.int64(OVER), lead, label, pending
    return known
