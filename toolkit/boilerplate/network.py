"""A small network that reads the segments of a text in their order, and says which are boilerplate.

Most sentences of an appeal ask for nothing, and the headline of another story reads like a sentence of this one. They
are known by what stands around them, and because they tell of something else than the article does. So the network
sees of each segment what its words mean (a table of word pieces, made from the vectors of a multilingual encoder: it
knows more words than our labels hold), what the first decision's words say of it, how it looks, and the mean of its
text; and layer by layer of more segments on either side.

All numbers that are multiplied are integers of a byte (:mod:`toolkit.boilerplate.products`): the same text gives the
same bits in any batch and on any machine.
"""

# ruff: noqa: ANN001, ANN202  (numba kernels infer their types)

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toolkit.boilerplate.echoes import ECHOES
from toolkit.boilerplate.features import PART, SHAPE
from toolkit.boilerplate.labels import LABELS
from toolkit.boilerplate.products import Matrix, product
from toolkit.boilerplate.scoring import KINDS, LANES, PLEA, WINDOWS, SegmentReading, add_rows
from toolkit.buffer import Buffer
from toolkit.kernels import njit
from toolkit.modelfile import sound_array
from toolkit.segments import Segments
from toolkit.topics.features import NO_WORDS, FeatureSpace, Lexicon, listed, reader, workspace

Floats = NDArray[np.float32]

SAYS = ("inside", "begins", "ends", "boilerplate")
"""Log odds that a segment belongs to an appeal, that one begins with it, that one ends with it, and that it is
boilerplate of any kind."""

MEANINGS = 16
"""Numbers that a word piece has in the table."""

_RATES = SHAPE[PART.capitalised : PART.quotes + 1]
_EACH = 8  # joints, and classes of characters
SEEN = (
    *(f"words_{k}" for k in range(2 * (len(KINDS) + 1))), *WINDOWS, "bytes", "pieces", *_RATES,
    *(f"{name}_{k}" for name in ("joint", "first_class", "last_class") for k in range(_EACH)), *ECHOES,
    *(f"label_{name}" for name in LABELS),
)  # fmt: skip
"""What is seen of a segment beside the meaning of its words: by both tables of n-grams the log probabilities of each
class, at ``words_9`` the log odds of an appeal, and the windows; the logarithms of its bytes and of its word pieces;
shares of its tokens; how it is joined to what stands before and with what characters it opens and closes, one column
each; the echoes; the kind of the label that it opens with, one column each."""

INPUTS = (
    *(f"{what}_{k}" for what in ("meaning", "shared", "text") for k in range(MEANINGS)), *SEEN
)  # fmt: skip
"""Columns of the first layer. ``meaning``: of the segment's words, ``text``: its mean over the whole text, ``shared``:
the product of both."""

LAYERS = 4
"""Layers in which a segment sees 1, 2, 4 and 8 segments away, on either side."""

SILENCE = -9.0
"""Stands for what is not said."""

MOST, STEP = 127, 32
"""Largest of the integers that are multiplied; and what 1 is in :data:`SEEN`."""

FAR = 1e9
"""No number of the layers that is not an integer is larger, and none of ``steps`` smaller than one by it."""

FEWEST = 3
"""The least number of pieces by which a segment's sum is divided: one word tells little."""

MOST_STACKS = 8
"""More stacks of layers are not read."""

LONGEST = 8192
"""Segments of a text that are read together; a longer text is read in stretches."""

_GAP = 2 ** (LAYERS - 1)  # empty rows between texts, so that none sees another
_AT_ONCE = 4096  # rows in work
_PIECES = 256  # pieces that are summed up at once
_UNITS = np.ones(LANES, np.float32)  # sums are whole numbers

SPACE = FeatureSpace(title_weight=0, pieces=True)
"""How a segment is cut into pieces: no more than its first 4,096 bytes."""


@njit(cache=True, nogil=True)
def _whole(x):  # type: ignore[no-untyped-def]
    return min(max(np.rint(x), -MOST), MOST)


@njit(cache=True, nogil=True)
def _count(data, start, end, wanted, reading, table, units, known):  # type: ignore[no-untyped-def]
    work = workspace(reading)
    _, (pieces, _, _), _, _ = work
    some = np.empty(LANES, np.float32)
    for s in range(len(start)):
        if not wanted[s] or known[s, MEANINGS] >= 0:
            continue
        found = listed(data, start[s], end[s], reading, work)
        known[s] = 0
        for j in range(0, found, _PIECES):
            add_rows(table, pieces, j, min(j + _PIECES, found), units, some)
            for k in range(MEANINGS):
                known[s, k] += np.int32(some[k])
        known[s, MEANINGS] = found


@njit(cache=True, nogil=True)
def _seen(words, windows, shapes, joint, echoes, pieces, s, out):  # type: ignore[no-untyped-def]
    """Enter the columns SEEN of a segment."""
    j = 0
    for k in range(words.shape[1]):
        p = np.float64(words[s, k])
        out[j] = _whole(np.log(max(p, 1e-5)) / 4 * STEP)
        if k == PLEA:
            out[j] = _whole(np.log(max(p, 1e-5) / max(1.0 - p, 1e-5)) / 5 * STEP)
        j += 1
    for k in range(windows.shape[1]):
        out[j] = _whole(min(max(np.float64(windows[s, k]), -12.0), 12.0) / 5 * STEP)
        j += 1
    out[j] = _whole((np.log(shapes[s, PART.bytes] + 1.0) / 5 - 0.8) * STEP)
    out[j + 1] = _whole((np.log(pieces + 1.0) / 4 - 0.6) * STEP)
    j += 2
    for k in range(PART.capitalised, PART.quotes + 1):
        out[j] = _whole(shapes[s, k] / max(np.float64(shapes[s, PART.tokens]), 1.0) * STEP)
        j += 1
    for one in (
        np.int64(joint[s]),
        np.int64(shapes[s, PART.first_class]),
        np.int64(shapes[s, PART.last_class]),
    ):
        for k in range(_EACH):
            out[j] = STEP if one == k else 0
            j += 1
    for k in range(echoes.shape[1]):
        out[j] = _whole(np.float64(echoes[s, k]) * STEP)
        j += 1
    for k in range(len(LABELS)):
        out[j + k] = STEP if shapes[s, PART.label] == k + 1 else 0


@njit(cache=True, nogil=True)
def _rows(words, windows, shapes, joint, echoes, known, times, segments, bounds, at, out):  # type: ignore[no-untyped-def]
    """Enter the columns INPUTS of ``segments`` in rows ``at``; text d has ``bounds[d]:bounds[d + 1]`` of them."""
    text = np.empty(MEANINGS)
    for d in range(len(bounds) - 1):
        text[:] = 0
        for i in range(bounds[d], bounds[d + 1]):
            s, r = segments[i], out[at[i]]
            for k in range(MEANINGS):
                r[k] = _whole(known[s, k] * np.float64(times[k]) / max(known[s, MEANINGS], FEWEST))
                text[k] += r[k]
            _seen(words, windows, shapes, joint, echoes, known[s, MEANINGS], s, r[3 * MEANINGS :])
        for k in range(MEANINGS):
            text[k] = np.rint(text[k] / (bounds[d + 1] - bounds[d]))
        for i in range(bounds[d], bounds[d + 1]):
            r = out[at[i]]
            for k in range(MEANINGS):
                r[MEANINGS + k] = _whole(r[k] * text[k] / STEP)
                r[2 * MEANINGS + k] = text[k]


def seen(
    read: SegmentReading, echoes: Floats, joint: NDArray[np.uint8], pieces: NDArray[np.int64]
) -> NDArray[np.int8]:
    """Columns :data:`SEEN` of all segments; ``pieces`` is how many word pieces each has."""
    out = np.zeros((len(joint), len(SEEN)), np.int8)
    _seen_all(read.words, read.windows, read.shapes, joint, echoes, pieces, out)
    return out


@njit(cache=True, nogil=True)
def _seen_all(words, windows, shapes, joint, echoes, pieces, out):  # type: ignore[no-untyped-def]
    for s in range(len(out)):
        _seen(words, windows, shapes, joint, echoes, pieces[s], s, out[s])


@njit(cache=True, nogil=True)
def _open(sums, scale, bias, times, owner, h, known):  # type: ignore[no-untyped-def]
    """Enter what the first layer says, and what it is in integers; rows between texts stay zeros."""
    for r in range(len(owner)):
        if owner[r] >= 0:
            for k in range(len(scale)):
                h[r, k] = max(sums[r, k] * scale[k] + bias[k], np.float32(0))
                known[r, k] = min(np.rint(h[r, k] * times), np.float32(MOST))


@njit(cache=True, nogil=True)
def _settle(sums, scale, times, owner):  # type: ignore[no-untyped-def]
    """Put integers in place of sums: at least 0, and nothing between texts."""
    for r in range(len(owner)):
        for k in range(len(scale)):
            x = max(sums[r, k] * scale[k], np.float32(0)) if owner[r] >= 0 else np.float32(0)
            sums[r, k] = min(np.rint(x * times), np.float32(MOST))


@njit(cache=True, nogil=True)
def _beside(sums, far, near, bias, told, times, owner, out):  # type: ignore[no-untyped-def]
    """Enter what a layer hands on, in integers: its sums here and so far away, the text; at least 0."""
    some = np.empty(len(bias), np.float32)  # of few arrays at a time the compiler makes vectors
    for r in range(len(owner)):
        if owner[r] >= 0:
            before, here, after, text, to = sums[r - far], sums[r], sums[r + far], told[owner[r]], out[r]
            for k in range(len(bias)):
                some[k] = before[k] * near[0, k] + here[k] * near[1, k] + after[k] * near[2, k]
            for k in range(len(bias)):
                x = max(some[k] + bias[k] + text[k], np.float32(0))
                to[k] = min(np.rint(x * times), np.float32(MOST))


@njit(cache=True, nogil=True)
def _add(sums, scale, times, owner, h, known):  # type: ignore[no-untyped-def]
    """Add what a layer hands back."""
    for r in range(len(owner)):
        if owner[r] >= 0:
            for k in range(len(scale)):
                h[r, k] += sums[r, k] * scale[k]
                known[r, k] = min(max(np.rint(h[r, k] * times), np.float32(-MOST)), np.float32(MOST))


@dataclass(frozen=True, eq=False)
class Layers:
    """The layers of a network: integers (int8, inputs by outputs) and what they count for (float32).

    ``first`` sees :data:`INPUTS`; ``context`` sums up a text. Both say H numbers. Layer by layer, ``wide`` says B
    numbers of each segment, which are added up with those of two others, each weighed by ``near`` (float32), and with
    what the text says (``told``); ``back`` adds to what is known. ``last`` says :data:`SAYS` of that and of what the
    first layer said. Each ``_scale`` is one number an output, ``steps`` (float32) are what 1 means: of the inputs of
    each layer and of the last, of what each hands back, of the sums and of the means of a text.
    """

    first: NDArray[np.int8]
    first_scale: Floats
    first_bias: Floats
    context: NDArray[np.int8]
    context_scale: Floats
    wide: NDArray[np.int8]
    near: Floats
    wide_bias: Floats
    told: NDArray[np.int8]
    told_scale: Floats
    back: NDArray[np.int8]
    back_scale: Floats
    last: NDArray[np.int8]
    last_scale: Floats
    last_bias: Floats
    steps: Floats

    @staticmethod
    def shapes(h: int, b: int) -> dict[str, tuple[int, ...]]:
        """Shape of each array."""
        n = LAYERS
        return {
            "first": (len(INPUTS), h), "first_scale": (h,), "first_bias": (h,), "context": (h, h),
            "context_scale": (h,), "wide": (n, h, b), "near": (n, 3, b), "wide_bias": (n, b),
            "told": (n, h, b), "told_scale": (n, b), "back": (n, b, h), "back_scale": (n, h),
            "last": (2 * h, len(SAYS)), "last_scale": (len(SAYS),), "last_bias": (len(SAYS),),
            "steps": (2 * n + 3,),
        }  # fmt: skip

    @classmethod
    def read(cls, arrays: Mapping[str, NDArray[Any]], stack: str) -> Layers:
        """Return a stack of layers of a model file; ValueError unless they fit each other and hold numbers."""
        width, inner = (arrays[f"{stack}.{name}"].size for name in ("context_scale", "wide_bias"))
        if not width or inner < LAYERS:
            raise ValueError(f"{stack}: layers without a number; train the model again")
        parts = {}
        for name, shape in cls.shapes(width, inner // LAYERS).items():
            kind = np.float32 if name in ("steps", "near") or "_" in name else np.int8
            parts[name] = sound_array(arrays, f"{stack}.{name}", kind, shape)
            if kind == np.float32 and np.abs(parts[name]).max() > FAR:
                raise ValueError(f"{stack}.{name} is beyond {FAR:g}; train the model again")
        if parts["steps"].min() < 1 / FAR:
            raise ValueError(f"{stack}.steps are not above 0; train the model again")
        out = cls(**parts)
        out._matrices  # noqa: B018  (refuses sums that would not be exact)
        return out

    def __getstate__(self) -> dict[str, Any]:
        """Leave out the matrices, which are as this processor wants them."""
        return {part.name: getattr(self, part.name) for part in fields(self)}

    @cached_property
    def _matrices(self) -> dict[str, list[Matrix]]:
        """Each layer's integers, ready to be multiplied with."""
        parts = {name: [getattr(self, name)] for name in ("first", "context")}
        parts |= {name: list(getattr(self, name)) for name in ("wide", "told", "back")}
        parts["last"] = np.split(self.last, 2)
        return {name: [Matrix.of(one) for one in some] for name, some in parts.items()}

    def say(self, rows: NDArray[np.int8], texts: NDArray[np.int64], at: NDArray[np.int64]) -> Floats:
        """Return :data:`SAYS` of each segment.

        ``rows`` are the inputs, with :data:`_GAP` rows of zeros before, between and behind texts; ``at`` (n_segments,)
        the rows of segments, and ``texts`` (n_texts + 1,) bounds of each text's segments.
        """
        by, times = self._matrices, np.float32(1) / self.steps
        inner, back, of_sums, of_means = times[: LAYERS + 1], times[LAYERS + 1 : -2], times[-2], times[-1]
        n, size = len(self.context), np.diff(texts)
        owner = np.full(len(rows), -1, np.int64)
        owner[at] = np.repeat(np.arange(len(size)), size)
        h, known = np.zeros((len(rows), n), np.float32), np.zeros((len(rows), n), np.int8)
        sums = product(rows, by["first"][0])
        _open(sums, self.first_scale, self.first_bias, inner[0], owner, h, known)
        opening, sums = known[at], product(known, by["context"][0])
        _settle(sums, self.context_scale, of_sums, owner)
        mean = np.add.reduceat(sums[at].astype(np.float64), texts[:-1]) / size[:, None]
        text = np.rint((mean * np.float64(self.steps[-2])).astype(np.float32) * of_means).clip(0, MOST)
        z = np.zeros((len(rows), self.wide.shape[2]), np.int8)
        for k in range(LAYERS):
            told = product(text.astype(np.int8), by["told"][k]) * self.told_scale[k]
            sums = product(known, by["wide"][k])
            _beside(sums, 2**k, self.near[k], self.wide_bias[k], told, back[k], owner, z)
            _add(product(z, by["back"][k]), self.back_scale[k], inner[k + 1], owner, h, known)
        of_last, of_first = (
            product(x, part) for x, part in zip((known[at], opening), by["last"], strict=True)
        )
        both = of_last * self.steps[LAYERS] + of_first * self.steps[0]
        return np.asarray(both * self.last_scale + self.last_bias, np.float32)


@dataclass(frozen=True, eq=False)
class Network:
    """What word pieces mean, and the stacks of layers that read them, whose mean counts.

    ``lexicon`` lists the pieces, ``table`` (int8, a row a piece) what they mean, ``times`` (float32) what 1 in each of
    its columns counts for.
    """

    lexicon: Lexicon
    table: NDArray[np.int8]
    times: Floats
    stacks: tuple[Layers, ...]

    def arrays(self) -> dict[str, NDArray[Any]]:
        """What a model file holds of it; the keys of the pieces as steps from one to the next."""
        keys = np.diff(self.lexicon.keys, prepend=np.uint32(0))
        out: dict[str, NDArray[Any]] = {"pieces": keys, "meanings": self.table, "meanings_scale": self.times}
        for number, layers in enumerate(self.stacks):
            out |= {f"layers{number}.{part.name}": getattr(layers, part.name) for part in fields(Layers)}
        return out

    @classmethod
    def read(cls, arrays: Mapping[str, NDArray[Any]]) -> Network:
        """Return the network of a model file; what cannot be one is a ValueError."""
        n = arrays["pieces"].size
        steps = sound_array(arrays, "pieces", np.uint32, (n,))
        table = sound_array(arrays, "meanings", np.int8, (n, MEANINGS))
        times = sound_array(arrays, "meanings_scale", np.float32, (MEANINGS,))
        lexicon = Lexicon(np.cumsum(steps, dtype=np.uint32), NO_WORDS.alike)
        found = {name.partition(".")[0] for name in arrays if name.startswith("layers")}
        stacks = [f"layers{number}" for number in range(len(found))]
        if not found or len(found) > MOST_STACKS or found != set(stacks):
            raise ValueError(f"layers: {sorted(found)[:3]} …; train the model again")
        layers = tuple(Layers.read(arrays, stack) for stack in stacks)
        return cls(lexicon, np.ascontiguousarray(table), times, layers)

    @cached_property
    def _reading(self) -> tuple[Any, ...]:
        return reader(SPACE, self.lexicon)

    @cached_property
    def _table(self) -> NDArray[np.uint8]:
        table = np.full((len(self.table), LANES), 128, np.uint8)
        table[:, :MEANINGS] = self.table.view(np.uint8) ^ 128
        return table

    def say(
        self, read: SegmentReading, buffer: Buffer, segments: Segments, echoes: Floats,
        known: NDArray[np.int32], texts: NDArray[np.bool_],
    ) -> Floats:  # fmt: skip
        """Return :data:`SAYS` of all segments of the chosen texts (a bool each), :data:`SILENCE` of others.

        ``known`` is filled in: for each segment the sums of its pieces and, last, their number, which is -1 where they
        are not yet known.
        """
        size = np.diff(segments.bounds)
        out = np.full((len(segments), len(SAYS)), SILENCE, np.float32)
        _count(
            buffer.data, segments.start, segments.end, np.repeat(texts, size), self._reading, self._table,
            _UNITS, known,
        )  # fmt: skip
        stretches = -(-np.where(texts, size, 0) // LONGEST)
        owner = np.repeat(np.arange(len(size)), stretches)
        before = (np.cumsum(stretches) - stretches)[owner]  # stretches of the texts before
        begin = segments.bounds[owner] + LONGEST * (np.arange(len(owner)) - before)
        length = np.minimum(begin + LONGEST, segments.bounds[owner + 1]) - begin
        total = np.cumsum(length + _GAP)
        for some in np.split(np.arange(len(owner)), np.flatnonzero(np.diff(total // _AT_ONCE)) + 1):
            if not len(some):
                continue
            bounds = np.r_[0, np.cumsum(length[some])]
            mine = np.arange(bounds[-1]) + np.repeat(begin[some] - bounds[:-1], length[some])
            at = np.arange(bounds[-1]) + _GAP * (1 + np.repeat(np.arange(len(some)), length[some]))
            rows = np.zeros((at[-1] + 1 + _GAP, len(INPUTS)), np.int8)
            _rows(
                read.words, read.windows, read.shapes, segments.joint, echoes, known, self.times, mine, bounds,
                at, rows,
            )  # fmt: skip
            out[mine] = np.mean([layers.say(rows, bounds, at) for layers in self.stacks], axis=0)
        return out
