"""From the segments of a document to one row of evidence."""

# ruff: noqa: ANN001, ANN202  (numba kernels infer their types)

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from toolkit.verdict.reading import SHAPE, SOUNDS

COLUMNS = (
    *(f"share_{name}" for name in SOUNDS),
    *(f"most_{name}" for name in SOUNDS),
    *(f"title_{name}" for name in SOUNDS),
    "size", "segments", "line", "sentences", "story", "story_before", "story_after", "wall_last", "wall_first",
    "gate_last", "gate_first",
    "wall_size", "error_size", "listing_size", "cut", "headlines", "letters", "digits", "symbols", "longest",
    "damage", "full", "words", "lead", "even", "numbered", "short", "final", "echoes", "named",
)  # fmt: skip
"""Columns of the evidence.

``share_*``: of the characters, weighed by probability. ``most_*``: of the segment that sounds most so. ``title_*``: of
the title, 0 without one. ``size``, ``segments``, ``line``: logarithms of characters, segments, characters a segment.
``sentences``: share of characters in segments that read like sentences; ``story``: logarithm of their characters that
sound like a story, ``story_before`` and ``story_after``: on either side of the segment that sounds most like a gate.
``*_last``, ``*_first``: among the three last, and first, segments. ``*_size``: logarithms of characters. ``cut``:
how the text before the gate ends (0 a sentence, 1 no mark, 3 an ellipsis). ``headlines``: share of short segments
without a mark at their end. ``letters``, ``digits``, ``symbols``: shares of characters. ``longest``: logarithm of the
longest word. ``damage``: broken characters a word. ``full``: share of characters in segments of twelve words or more.
``words``: words a segment. ``lead``: logarithm of the characters before the gate that sound like none.
``even``: how alike the segments are in length. ``numbered``: share of segments with a figure. ``short``: of segments
of at most three words. ``final``: how the last segment ends. ``echoes``, ``named``: see
:func:`toolkit.verdict.reading.echoes`."""

_STORY, _WALL, _ERROR, _GATE = (SOUNDS.index(name) for name in ("story", "wall", "error", "gate"))
_CHARACTERS, _LETTERS, _WORDS, _DIGITS, _SYMBOLS, _LONGEST, _SENTENCE, _END = range(len(SHAPE))
_MANY = len(SOUNDS)
_FIRST = COLUMNS.index("size")
(
    _SIZE_, _SEGMENTS_, _LINE_, _SENTENCES_, _STORY_, _BEFORE_, _AFTER_, _LAST_, _FIRST_, _GATE_LAST_, _GATE_FIRST_,
    _WALL_SIZE_, _ERROR_SIZE_,
    _LISTING_SIZE_, _CUT_, _HEADLINES_, _LETTERS_, _DIGITS_, _SYMBOLS_, _LONGEST_, _DAMAGE_, _FULL_, _WORDS_, _LEAD_,
    _EVEN_, _NUMBERED_, _SHORT_, _FINAL_, _ECHOES_, _NAMED_,
) = range(_FIRST, len(COLUMNS))  # fmt: skip
_ENDS = 3
_LONG = 12


@njit(cache=True, nogil=True)
def _rows(bounds, sounds, shapes, out):  # type: ignore[no-untyped-def]
    for d in range(len(bounds) - 1):
        lo = bounds[d]
        hi = bounds[d + 1]
        row = out[d]
        total = np.float32(0.0)
        squares = np.float32(0.0)
        words = np.float32(0.0)
        longest = np.float32(0.0)
        gate = np.float32(-1.0)
        at = lo
        for s in range(lo, hi):
            n = np.float32(shapes[s, _CHARACTERS])
            total += n
            squares += n * n
            row[_NUMBERED_] += shapes[s, _DIGITS] > 0
            row[_SHORT_] += shapes[s, _WORDS] <= 3
            words += shapes[s, _WORDS]
            longest = max(longest, np.float32(shapes[s, _LONGEST]))
            row[_LETTERS_] += shapes[s, _LETTERS]
            row[_DIGITS_] += shapes[s, _DIGITS]
            row[_SYMBOLS_] += shapes[s, _SYMBOLS]
            for c in range(_MANY):
                row[c] += n * sounds[s, c]
                row[_MANY + c] = max(row[_MANY + c], sounds[s, c])
            if shapes[s, _WORDS] >= _LONG:
                row[_FULL_] += n
            if shapes[s, _SENTENCE]:
                row[_SENTENCES_] += n
                row[_STORY_] += n * sounds[s, _STORY]
            elif shapes[s, _END] == 0 and 2 <= shapes[s, _WORDS] <= 14:
                row[_HEADLINES_] += 1
            if sounds[s, _GATE] > gate:
                gate = sounds[s, _GATE]
                at = s
        for s in range(lo, hi):
            if s < at:
                row[_LEAD_] += shapes[s, _CHARACTERS] * (
                    1 - sounds[s, _WALL] - sounds[s, _ERROR] - sounds[s, _GATE]
                )
            if shapes[s, _SENTENCE] and s != at:
                row[_BEFORE_ if s < at else _AFTER_] += shapes[s, _CHARACTERS] * sounds[s, _STORY]
            if s >= hi - _ENDS:
                row[_LAST_] = max(row[_LAST_], sounds[s, _WALL])
                row[_GATE_LAST_] = max(row[_GATE_LAST_], sounds[s, _GATE])
            if s < lo + _ENDS:
                row[_FIRST_] = max(row[_FIRST_], sounds[s, _WALL])
                row[_GATE_FIRST_] = max(row[_GATE_FIRST_], sounds[s, _GATE])
        if hi > lo:
            row[_FINAL_] = shapes[hi - 1, _END]
        if at > lo and shapes[at - 1, _END] != 1:
            row[_CUT_] = 1 + shapes[at - 1, _END]
        size = max(total, np.float32(1.0))
        many = np.float32(max(1, hi - lo))
        for c in range(3):
            row[_WALL_SIZE_ + c] = np.log1p(row[_WALL + c])
        for c in range(_MANY):
            row[c] /= size
        row[_SIZE_] = np.log1p(total)
        row[_SEGMENTS_] = np.log1p(np.float32(hi - lo))
        row[_LINE_] = np.log1p(total / many)
        row[_LONGEST_] = np.log1p(longest)
        row[_WORDS_] = words / many
        row[_EVEN_] = total * total / max(many * squares, np.float32(1.0))
        for c in (_HEADLINES_, _NUMBERED_, _SHORT_):
            row[c] /= many
        row[_DAMAGE_] /= max(words, np.float32(1.0))
        for c in (_SENTENCES_, _LETTERS_, _DIGITS_, _SYMBOLS_, _FULL_):
            row[c] /= size
        for c in (_STORY_, _BEFORE_, _AFTER_, _LEAD_):
            row[c] = np.log1p(row[c])


def evidence(
    bounds: NDArray[np.int64],
    sounds: NDArray[np.float32],
    shapes: NDArray[np.int32],
    titles: NDArray[np.float32],
    damage: NDArray[np.int64],
    echoes: NDArray[np.float32],
) -> NDArray[np.float32]:
    """Return one row a document, columns :data:`COLUMNS`.

    Parameters
    ----------
    bounds : ndarray of int64, shape (n_documents + 1,)
        Segments of document ``i`` are ``bounds[i]:bounds[i + 1]``.
    sounds, shapes : ndarray, shape (n_segments, 6) and (n_segments, 8)
        What :func:`toolkit.verdict.reading.sounds` returned.
    titles : ndarray of float32, shape (n_documents, 6)
        Sounds of the titles.
    damage : ndarray of int64, shape (n_documents,)
    echoes : ndarray of float32, shape (n_documents, 2)
    """
    out = np.zeros((len(bounds) - 1, len(COLUMNS)), np.float32)
    out[:, COLUMNS.index("title_story") : _FIRST] = titles
    out[:, _DAMAGE_] = damage
    out[:, _ECHOES_:] = echoes
    _rows(bounds, sounds, shapes, out)
    return out
