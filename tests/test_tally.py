"""What is left of an index that is too small, and that tallies of any cut add up to the same one."""

import io
from functools import partial
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import toolkit
from toolkit.boilerplate import tally
from toolkit.boilerplate.counts import NO_DAY, Counts, _summed, count_documents, count_segments, total
from toolkit.boilerplate.tally import added_up, pooled, ranges, write_tally
from toolkit.boilerplate.templates import TemplateIndex

PRINTS = [int(x) << 40 | 1 for x in np.random.default_rng(0).integers(1, 1 << 22, 9)]
documents = st.lists(
    st.tuples(
        st.lists(st.integers(0, 9), max_size=5),  # segments, by place in PRINTS; 9: no print
        st.integers(0, 9),  # title; 9: none
        st.integers(0, 2),  # publisher
        st.sampled_from([-3, 0, 18_000, int(NO_DAY)]),  # day
    ),
    max_size=12,
)
CONTRASTED = np.array([True, False])


def counted(some):
    """Counts of documents, by the kernels."""
    sizes = [len(segments) for segments, *_ in some]
    prints = np.zeros((sum(sizes), 7), np.uint64)
    flat = [PRINTS[p] if p < 9 else 0 for segments, *_ in some for p in segments]
    prints[:, 0] = prints[:, 1] = prints[:, 6] = np.array(flat, np.uint64)
    return count_segments(
        prints,
        np.array([PRINTS[t] if t < 9 else 0 for _, t, *_ in some], np.uint64),
        np.r_[0, np.cumsum(sizes, dtype=np.int64)].astype(np.int64),
        np.array([p + 2 for *_, p, _ in some], np.uint64),
        CONTRASTED,
        np.arange(sum(sizes), dtype=np.int64) % 7,
        np.array([day for *_, day in some], np.int32),
    )


def index(some, capacity=10**9):
    publishers = np.array([p + 2 for *_, p, _ in some], np.uint64)
    days = np.array([day for *_, day in some], np.int32)
    made = TemplateIndex(capacity, counted(some), count_documents(publishers, days))
    made._trim()
    return made


def docs(counts):
    return dict(zip(counts.key.tolist(), counts.docs.tolist(), strict=True))


def same(a, b):
    return all(np.array_equal(x, y) for x, y in zip(a.columns, b.columns, strict=True))


def tallies(parts):
    files = []
    for part in parts:
        files.append(io.BytesIO())
        write_tally(index(part), files[-1])
    return [partial(io.BytesIO, file.getvalue()) for file in files]


def cut(some, at):
    edges = [0, *sorted({min(a, len(some)) for a in at}), len(some)]
    return [some[a:b] for a, b in pairwise(edges)]


@given(documents, st.integers(1, 5))
def test_portions_of_the_batch_leave_no_trace(some, portion):
    whole = counted(some)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("toolkit.boilerplate.counts.PORTION", portion)
        parted = counted(some)
    assert same(whole, parted)
    assert np.all(whole.key[1:] > whole.key[:-1])


@given(documents)
def test_counts_are_those_of_plain_python(some):
    whole = counted(some)
    seen, occurrences, days = {}, {}, {}
    for d, (segments, title, publisher, day) in enumerate(some):
        keys = [(w, p, publisher) for p in segments if p < 9 for w in (0, 1)]
        keys += [(0, p, "all") for p in segments if p < 9]
        keys += [("title", title, publisher)] if title < 9 else []
        for key in keys:
            seen.setdefault(key, set()).add(d)
            occurrences[key] = occurrences.get(key, 0) + 1
            if day != NO_DAY:
                days.setdefault(key, []).append(day)
    none = [int(NO_DAY)], [-int(NO_DAY)]
    expected = sorted(
        (len(seen[k]), occurrences[k], min(days.get(k, none[0])), max(days.get(k, none[1]))) for k in seen
    )
    found = zip(whole.docs, whole.occurrences, whole.first, whole.last, strict=True)
    assert sorted(tuple(map(int, row)) for row in found) == expected


@settings(max_examples=25)
@given(documents, st.lists(st.integers(0, 12), max_size=3), st.integers(1, 60), st.integers(0, 1), st.data())
def test_tallies_of_any_cut_add_up_to_the_index_of_all_at_once(some, at, capacity, bound, data):
    parts = data.draw(st.permutations(cut(some, at)))
    opened = tallies(parts)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tally, "ROWS", data.draw(st.sampled_from([15, 40, 1000])))
        spans = ranges(sum(len(counted(part)) for part in parts))
        assert [bucket for span in spans for bucket in span] == list(range(tally.BUCKETS))
        sums = [added_up(opened, span, capacity, bound) for span in spans]
    made = pooled(opened, sums, capacity, bound)
    whole, least = total([counted(some)]).most_seen(capacity, bound)
    scores = [c.score.copy() for c in (made.counts, whole)]  # each part numbers its scores anew
    for c, score in zip((made.counts, whole), scores, strict=True):
        c.score[:] = np.where(score < 0, score, 0)
    assert same(made.counts, whole)
    assert made.lost == least
    if not bound and len(counted(some)) <= capacity:
        assert least == 0
    assert same(made.documents, index(some).documents)


@given(documents, st.lists(st.integers(0, 12), max_size=6), st.integers(1, 40))
def test_an_index_in_pieces_is_off_by_no_more_than_it_says(some, at, capacity):
    true = docs(counted(some))
    filled, merged = TemplateIndex(capacity), TemplateIndex(capacity)
    for part in cut(some, at):
        filled.counts = filled.counts + counted(part)
        filled._trim()
        merged = merged.merge(index(part, capacity))
    for made in (filled, merged):
        assert len(made.counts) <= capacity
        found = docs(made.counts)
        assert set(found) <= set(true)
        for key, n in true.items():
            assert n - made.lost <= found.get(key, 0) <= n


@given(documents, st.integers(1, 40))
def test_counted_at_once_the_most_seen_are_left_with_exact_counts(some, capacity):
    true = counted(some)
    made = index(some, capacity)
    weight = true.docs + (true.score < 0)
    assert docs(made.counts) == docs(true.take(weight > made.lost))
    assert len(made.counts) <= capacity
    if made.lost:
        assert (weight > made.lost - 1).sum() > capacity


def test_the_index_of_a_remover_is_bounded_and_says_what_it_lost():
    corpus = toolkit.datasets.load("sample").head(80)
    read = toolkit.BoilerplateRemover().fit(corpus).index_
    assert toolkit.TemplateIndex(capacity=500).merge(read).lost == 0  # the larger capacity wins
    read.capacity = 500
    read._trim()
    assert len(read.counts) <= 500
    assert read.lost >= 1
    assert (read.counts.docs + (read.counts.score < 0)).min() > read.lost


def test_an_index_that_dropped_keys_makes_no_tally():
    with pytest.raises(ValueError, match="dropped keys of up to 3 documents"):
        write_tally(TemplateIndex(lost=3, counts=Counts()), io.BytesIO())


def test_rows_are_added_up_exactly_even_where_keys_agree_in_the_bits_that_are_sorted():
    random = np.random.default_rng(0)
    base = random.integers(0, 2**64, 40, np.uint64)
    near = base[:, None] ^ np.array([0, 1, 2, 1 << 6], np.uint64)  # below what is sorted beside a row's place
    keys = random.permutation(np.repeat(near.ravel(), 9))
    document = np.sort(random.integers(0, 30, len(keys))).astype(np.int32)
    score, mark = (
        random.integers(-1, 257, len(keys)).astype(np.int16),
        random.integers(0, 64, len(keys)).astype(np.uint8),
    )
    days = random.integers(0, 9000, 30).astype(np.int32)
    sums = _summed((keys, document, score, mark), days)
    frame = pd.DataFrame(
        {"key": keys, "document": document, "score": score.astype(np.int64), "day": days[document]}
    )
    by_key = frame.groupby("key")
    assert sums.key.tolist() == sorted(set(keys.tolist()))
    assert sums.docs.tolist() == by_key["document"].nunique().tolist()
    assert sums.occurrences.tolist() == by_key.size().tolist()
    assert sums.score.tolist() == by_key["score"].sum().tolist()
    assert (sums.first.tolist(), sums.last.tolist()) == (
        by_key["day"].min().tolist(),
        by_key["day"].max().tolist(),
    )
    assert sums.stories.tolist() == [sum(1 << int(bit) for bit in set(mark[keys == key])) for key in sums.key]
