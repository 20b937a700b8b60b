"""Learn the network that reads segments in their order; it needs jax (``data/training/network.lock``).

The meaning of a word piece is a linear map of its vector in a multilingual encoder, learned with everything else. So a
piece that no marked text holds means what the pieces mean that it is like. The network is learned in float32 by Adam
(Kingma & Ba 2015); then its weights, and what passes between its layers, are rounded to integers of a byte.
"""

# ruff: noqa: ANN001, ANN202  (numba kernels infer their types)

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from toolkit.boilerplate.network import (
    FEWEST,
    LAYERS,
    MEANINGS,
    MOST,
    SAYS,
    SEEN,
    SILENCE,
    SPACE,
    STEP,
    Layers,
    Network,
    seen,
)
from toolkit.buffer import Buffer
from toolkit.segments import Segments
from toolkit.topics.features import NO_WORDS, Lexicon, listed, reader, workspace
from training.encoder import encoder

if TYPE_CHECKING:
    from training.part import Part

# one thread and the instructions of one family of processors: the same sums in the same order
os.environ.setdefault(
    "XLA_FLAGS",
    "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1 --xla_cpu_max_isa=AVX2",
)

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

COMMON = 1e-3
"""A piece of probability p is weighed by ``sqrt(COMMON / (COMMON + p))``."""

AXES, OFTEN = 128, 2000
"""Principal axes of the pieces' vectors that the map reads; a piece counts as often as it stands in the material, at
most so often."""

EMPHASIS = {
    "gold": 2.0, "gold/lower": 0.6, "gold/one_line": 0.6, "gold/glued": 0.6,
    "modern": 2.0, "modern/lower": 0.6, "modern/one_line": 0.6, "modern/glued": 0.6,
    "scraped/lower": 0.3, "scraped/one_line": 0.5, "scraped/glued": 0.3,
    "inserted": 1.5, "voices": 1.5, "like": 3.0, "like/more": 1.5, "like/more/one_line": 0.5, "like/more/glued": 0.5,
    "extracted": 0.25, "pages": 0.3, "two": 0.3,
}  # fmt: skip
"""How often a text of a part counts; of others, once. Real texts count twice: beside as many invented ones, a network
that hears both alike learns how the authors write (docs/boilerplate.md)."""

WIDTH, INNER, EPOCHS = 96, 64, 20.0
"""Width of the layers and within them, and how often all texts are learned from."""

LEARNED, FAR = 2, 1000
"""So many stacks of layers are learned, from seeds so far apart; what they say is averaged, for each errs otherwise."""

RATE, DROPPED, SQUARES, MEMORY = 3e-3, 0.15, 1e-5, 0.99
"""Highest rate of learning; share of what each layer says that is dropped, lest it learn by heart; weight of the
squares; and what the mean of the weights keeps at each step of the second half: a mean errs less than the last ones."""

LENGTHS, AT_ONCE = (16, 32, 64, 128, 256), 6144
"""Texts of up to so many segments are learned from together, and so many segments at once."""

FINE = 4
"""Steps that a standard deviation of the pieces' meanings has."""

EDGE, ANY, ELSE = 0.5, 1.0, 0.1
"""What beginning and ending count for, and being boilerplate of any kind, beside being inside an appeal; and what a
segment of another kind counts for where it is learned what appeals are: many are like appeals."""


@cache
def pieces() -> tuple[NDArray[np.uint32], Floats]:
    """Keys of the encoder's pieces in Latin letters, ascending, and their vectors, common ones shorter."""
    listed = encoder().listed
    latin = listed["piece"].map(lambda piece: all(ord(c) < 0x250 or 0x1E00 <= ord(c) < 0x1F00 for c in piece))
    listed = listed[latin.to_numpy(bool)]
    keys, place = np.unique(listed["key"].to_numpy(), return_inverse=True)
    gather = csr_matrix(
        (np.ones(len(place), np.float32), (place, np.arange(len(place)))), (len(keys), len(place))
    )
    vectors = np.asarray(gather @ encoder().vectors[listed["row"]])
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-6)
    probability = np.bincount(place, encoder().probability[listed["row"]], minlength=len(keys))
    weight = np.sqrt(COMMON / (COMMON + probability))
    return keys, np.asarray(vectors * weight[:, None], np.float32)


@dataclass(frozen=True, eq=False)
class Material:
    """Segments of all texts, one text behind the other.

    ``axes`` (n_pieces, AXES) are the vectors of the pieces, ``counts`` which pieces each segment holds, ``seen`` the
    columns ``SEEN``, ``wanted`` (n_segments, 4) what is to be said, ``weight`` (n_segments, 2) what a segment counts
    for where appeals are learned, and where boilerplate of any kind is; 0 for nothing. ``first``, ``size`` and ``fold``
    belong to texts.
    """

    axes: Floats
    counts: csr_matrix
    seen: NDArray[np.int8]
    wanted: Floats
    weight: Floats
    first: Ints
    size: Ints
    fold: Ints

    @classmethod
    def of(cls, parts: list[Part]) -> Material:
        """Gather what the parts hold."""
        found: list[list[Any]] = [[] for _ in range(7)]
        before = 0
        for part in parts:
            read, bounds = part.read, part.read.segments.bounds
            counts = _pieces_of(read.buffer, read.segments)
            amount = np.diff(counts.indptr).astype(np.int64)
            inside = part.of.label == 1
            opens = np.zeros(len(inside) + 1, bool)
            opens[bounds] = True
            begins = inside & (opens[:-1] | ~np.r_[False, inside[:-1]])
            ends = inside & (opens[1:] | ~np.r_[inside[1:], False])
            learned = np.bincount(part.of.document, part.of.trees, len(bounds) - 1) > 0
            weight = (np.minimum(read.size, 400) / 100).clip(0.3, 2) * EMPHASIS.get(part.of.name, 1.0)
            weight *= (part.of.label >= 0) & learned[part.of.document]
            of_appeals = weight * np.where(part.of.label > 1, ELSE, 1.0)
            some = np.diff(bounds) > 0
            for values, one in zip(
                found,
                (
                    counts, seen(read, read.echoes, read.segments.joint, amount),
                    np.stack([inside, begins, ends, part.of.label > 0], axis=1).astype(np.float32),
                    np.stack([of_appeals, weight], axis=1).astype(np.float32),
                    before + bounds[:-1][some], np.diff(bounds)[some],
                    part.of.corpus["fold"].to_numpy(np.int64)[some],
                ),
                strict=True,
            ):  # fmt: skip
                values.append(one)
            before += len(inside)
        counts = _stacked(found[0])
        return cls(_axes(counts), counts, *(np.concatenate(values) for values in found[1:]))

    def batches(self, held: int, random: np.random.Generator) -> Iterator[tuple[Ints, NDArray[np.bool_]]]:
        """Yield segments, a row a text, and which of them there are, in an order drawn; of long texts a part."""
        learned = np.add.reduceat(self.weight[:, 1], self.first) > 0
        texts = np.flatnonzero((self.fold != held) & learned)
        made = []
        for low, high in zip((0, *LENGTHS[:-1]), LENGTHS, strict=True):
            last = high == LENGTHS[-1]
            mine = texts[(self.size[texts] > low) & ((self.size[texts] <= high) | last)]
            mine, rows = random.permutation(mine), AT_ONCE // high
            made += [(high, rows, mine[i : i + rows]) for i in range(0, len(mine), rows)]
        for i in random.permutation(len(made)):
            high, rows, mine = made[i]
            at, there = np.zeros((rows, high), np.int64), np.zeros((rows, high), bool)
            for row, text in enumerate(mine):
                n = min(self.size[text], high)
                begin = self.first[text] + random.integers(self.size[text] - n + 1)
                at[row, :n], there[row, :n] = np.arange(begin, begin + n), True
            yield at, there


def learn_network(material: Material, held: int | None, seed: int) -> Network:
    """Learn the network from all texts outside a fold."""
    fold = -1 if held is None else held
    means = _means(material.counts, material.axes)
    size = np.float32(means.std())
    meant = _fit(material, means / size, fold, seed)
    meanings = material.axes @ meant["map"] / size
    fine = meanings.std(axis=0) / FINE
    table = np.rint(meanings / fine).clip(-MOST, MOST).astype(np.int8)
    here = _means(material.counts, table.astype(np.float32))
    unit = np.quantile(np.abs(here * fine), 0.9995, axis=0) * STEP / MOST  # what 1 is among the inputs
    rows = np.rint(here * (fine / unit) * STEP).clip(-MOST, MOST).astype(np.float32) / STEP
    first = meant["first"]
    for k, power in enumerate((1, 2, 1)):
        first[k * MEANINGS : (k + 1) * MEANINGS] *= unit[:, None] ** power
    lexicon = Lexicon(pieces()[0], NO_WORDS.alike)
    times = (fine / unit * STEP).astype(np.float32)
    others = (_fit(material, rows, fold, seed + FAR * more, mapped=False) for more in range(1, LEARNED))
    stacks = tuple(_rounded(material, rows, fit, fold) for fit in (meant, *others))
    return Network(lexicon, table, times, stacks)


def says(parts: list[Part], networks: list[Network]) -> list[Floats]:
    """What networks that have not seen its fold say of each segment of the parts."""
    out = []
    for part in parts:
        read, fold = part.read, part.of.corpus["fold"].to_numpy()
        told = np.full((len(part.of.label), len(SAYS)), SILENCE, np.float32)
        for held, network in enumerate(networks):
            texts = fold == held
            if texts.any():
                known = np.full((len(told), MEANINGS + 1), -1, np.int32)
                mine = network.say(read, read.buffer, read.segments, read.echoes, known, texts)
                told[texts[part.of.document]] = mine[texts[part.of.document]]
        out.append(told)
    return out


@njit(cache=True, nogil=True)
def _collect(data, start, end, reading, pointers, out):  # type: ignore[no-untyped-def]
    work = workspace(reading)
    _, (found, _, _), _, _ = work
    pointers[0] = 0
    for s in range(len(start)):
        n = listed(data, start[s], end[s], reading, work)
        for j in range(n):
            out[pointers[s] + j] = found[j]
        pointers[s + 1] = pointers[s] + n


def _pieces_of(buffer: Buffer, segments: Segments) -> csr_matrix:
    """Count the pieces of each segment."""
    keys = pieces()[0]
    pointers, rows = np.zeros(len(segments) + 1, np.int64), np.empty(len(buffer.data), np.int32)
    reading = reader(SPACE, Lexicon(keys, NO_WORDS.alike))
    _collect(buffer.data, segments.start, segments.end, reading, pointers, rows)
    ones = np.ones(pointers[-1], np.float32)
    return csr_matrix((ones, rows[: pointers[-1]], pointers), (len(segments), len(keys)))


def _stacked(counts: list[csr_matrix]) -> csr_matrix:
    pointers = [np.zeros(1, np.int64)]
    for each in counts:
        pointers.append(each.indptr[1:] + pointers[-1][-1])
    indices = np.concatenate([each.indices for each in counts])
    ones = np.ones(len(indices), np.float32)
    shape = (sum(each.shape[0] for each in counts), counts[0].shape[1])
    return csr_matrix((ones, indices, np.concatenate(pointers)), shape)


def _axes(counts: csr_matrix) -> Floats:
    """Vectors of the pieces on their principal axes, the long ones shortened by the root of the root."""
    vectors = pieces()[1].astype(np.float64)
    often = np.minimum(np.bincount(counts.indices, minlength=len(vectors)), OFTEN)[:, None]
    apart = vectors - (vectors * often).sum(axis=0) / often.sum()
    values, axes = np.linalg.eigh((apart * often).T @ apart / often.sum())
    values, axes = values[::-1][:AXES], axes[:, ::-1][:, :AXES]
    return (apart @ (axes / (values[0] * values) ** 0.25)).astype(np.float32)


def _means(counts: csr_matrix, of_pieces: Floats) -> Floats:
    sums = np.asarray(counts @ of_pieces, np.float32)
    return sums / np.maximum(np.diff(counts.indptr), FEWEST)[:, None].astype(np.float32)


def _net(
    p: dict[str, Any], means: Any, look: Any, there: Any, dropping: Any = None
) -> tuple[Any, dict[str, Any]]:
    """What the network says of texts, a row each, and what passes between its layers."""
    import jax  # type: ignore[import-not-found, unused-ignore]
    import jax.numpy as jnp  # type: ignore[import-not-found, unused-ignore]

    def dropped(x: Any, k: int) -> Any:
        if dropping is None:
            return x
        return x * jax.random.bernoulli(jax.random.fold_in(dropping, k), 1 - DROPPED, x.shape) / (1 - DROPPED)

    def mean(x: Any) -> Any:
        return (x * mask).sum(axis=1, keepdims=True) / jnp.maximum(mask.sum(axis=1, keepdims=True), 1)

    def moved(x: Any, by: int) -> Any:
        edge = jnp.zeros_like(x[:, : abs(by)])
        return jnp.concatenate([edge, x[:, :-by]] if by > 0 else [x[:, -by:], edge], axis=1)

    mask = there[..., None].astype(jnp.float32)
    own = means @ p["map"] if "map" in p else means  # vectors to be mapped, or meanings
    text = jnp.broadcast_to(mean(own), own.shape)
    rows = dropped(jnp.concatenate([own, own * text, text, look], axis=-1), LAYERS)
    h = jax.nn.relu(rows @ p["first"] + p["first_bias"]) * mask
    passed, back, opening = [h], [], h
    sums = jax.nn.relu(h @ p["context"]) * mask
    about = mean(sums)
    for k in range(LAYERS):
        z, near = h @ p["wide"][k], p["near"][k]
        z = moved(z, 2**k) * near[0] + z * near[1] + moved(z, -(2**k)) * near[2]
        z = jax.nn.relu(z + about @ p["told"][k] + p["wide_bias"][k])
        back.append(z * mask)
        h = (h + dropped(z, k) @ p["back"][k]) * mask
        passed.append(h)
    last = jnp.concatenate([h, opening], axis=-1) @ p["last"] + p["last_bias"]
    return last, {"passed": passed, "back": back, "sums": sums, "means": about}


def _started(width: int, inner: int, seed: int) -> dict[str, Any]:
    import jax
    import jax.numpy as jnp

    keys = iter(jax.random.split(jax.random.key(seed), 9))

    def drawn(*shape: int, times: float = 1.0) -> Any:
        return jax.random.normal(next(keys), shape) * times / np.sqrt(shape[-2])

    return {
        "map": drawn(AXES, MEANINGS), "first": drawn(3 * MEANINGS + len(SEEN), width), "first_bias": jnp.zeros(width),
        "context": drawn(width, width), "wide": drawn(LAYERS, width, inner), "near": drawn(LAYERS, 3, inner),
        "wide_bias": jnp.zeros((LAYERS, inner)), "told": drawn(LAYERS, width, inner, times=0.3),
        "back": drawn(LAYERS, inner, width, times=0.5), "last": drawn(2 * width, len(SAYS), times=0.1),
        "last_bias": jnp.array([-3.0, -5.0, -5.0, -3.0]),
    }  # fmt: skip


def _fit(material: Material, means: Floats, held: int, seed: int, *, mapped: bool = True) -> dict[str, Any]:
    """Learn the layers, and with ``mapped`` the map from vectors to meanings; ``means`` are those of segments."""
    import jax
    import jax.numpy as jnp
    import optax  # type: ignore[import-not-found, unused-ignore]

    def missed(p: Any, own: Any, look: Any, there: Any, wanted: Any, weight: Any, key: Any) -> Any:
        z, _ = _net(p, own, look, there, key)
        each = jnp.logaddexp(0, z) - z * wanted
        appeal = each[..., 0] + EDGE * (each[..., 1] + each[..., 2])
        each = jnp.stack([appeal, ANY * each[..., 3]], axis=-1)
        squares = sum((x**2).sum() for x in jax.tree.leaves(p))
        return (each * weight).sum() / there.sum() + SQUARES * squares

    @jax.jit
    def learn(p: Any, state: Any, key: Any, *batch: Any) -> Any:
        change, state = optimiser.update(jax.grad(missed)(p, *batch, key), state)
        return optax.apply_updates(p, change), state

    @jax.jit
    def averaged(mean: Any, p: Any) -> Any:
        return jax.tree.map(lambda a, b: MEMORY * a + (1 - MEMORY) * b, mean, p)

    random = np.random.default_rng(seed)
    steps = int(EPOCHS * sum(1 for _ in material.batches(held, np.random.default_rng(seed))))
    rate = optax.cosine_onecycle_schedule(steps, RATE, pct_start=0.1, div_factor=10, final_div_factor=100)
    optimiser = optax.adam(rate)
    p = _started(WIDTH, INNER, seed)
    if not mapped:
        del p["map"]
    state, done, mean = optimiser.init(p), 0, p
    while done < steps:
        for at, there in material.batches(held, random):
            if done == steps:
                break
            look = material.seen[at].astype(np.float32) / STEP
            batch = (means[at], look, there, material.wanted[at], material.weight[at] * there[..., None])
            p, state = learn(p, state, jax.random.fold_in(jax.random.key(seed + 1), done), *batch)
            mean = averaged(mean, p) if 2 * done > steps else p
            done += 1
    return {name: np.array(value, np.float32) for name, value in mean.items()}


def _rounded(material: Material, rows: Floats, p: dict[str, Any], held: int) -> Layers:
    """Round the layers; steps between them follow from some hundred batches."""
    p = {name: value for name, value in p.items() if name != "map"}
    most: list[list[float]] = []
    for i, (at, there) in enumerate(material.batches(held, np.random.default_rng(0))):
        if i % 8 == 0:
            _, passed = _net(p, rows[at], material.seen[at].astype(np.float32) / STEP, there)
            values = [*passed["passed"], *passed["back"], passed["sums"], passed["means"]]
            most.append([float(np.quantile(np.abs(np.asarray(x)), 0.9995)) for x in values])
    steps = (np.quantile(most, 0.9, axis=0) / MOST).clip(1e-6).astype(np.float32)
    inner, back, means = steps[: LAYERS + 1], steps[LAYERS + 1 : -2], steps[-1]
    out: dict[str, Any] = {"steps": steps}

    def enter(name: str, weights: Floats, step: Any) -> None:
        scale = (np.abs(weights).max(axis=-2) / MOST).clip(1e-9)
        out[name] = np.rint(weights / scale[..., None, :]).astype(np.int8)
        out[f"{name}_scale"] = (scale * step).astype(np.float32)

    enter("first", p["first"], 1 / STEP)
    enter("context", p["context"], inner[0])
    enter("wide", p["wide"], inner[:LAYERS, None])
    out["near"] = (p["near"] * out.pop("wide_scale")[:, None]).astype(np.float32)
    enter("told", p["told"], means)
    enter("back", p["back"], back[:, None])
    enter("last", p["last"], 1.0)  # each half has a step of its own
    biases = {f"{name}_bias": p[f"{name}_bias"] for name in ("first", "wide", "last")}
    return Layers(**out, **biases)
