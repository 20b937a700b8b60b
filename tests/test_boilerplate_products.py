"""Products of integers: every way to multiply gives the sums that there are."""

import numpy as np
import pytest

from toolkit.boilerplate import products
from toolkit.boilerplate.products import Matrix, lanes_of, product


def integers(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(-128, 128, shape).astype(np.int8)


@pytest.mark.parametrize("lanes", sorted({0, products.LANES}))
@pytest.mark.parametrize(("inputs", "outputs"), [(118, 96), (96, 64), (5, 8), (1, 1), (8, 33), (64, 4)])
def test_a_product_is_the_sum_of_products_whatever_the_processor_has(inputs, outputs, lanes, monkeypatch):
    monkeypatch.setattr(products, "LANES", lanes)
    weights = integers(0, inputs, outputs)
    matrix = Matrix.of(weights)
    assert bool(matrix.begin.size) == bool(lanes)
    for rows in (0, 1, 3, 4, 5, 203):
        given = integers(rows, rows, inputs)
        wanted = (given.astype(int) @ weights.astype(int)).tolist()
        found = product(given, matrix)
        assert found.dtype == np.float32
        assert found.tolist() == wanted
        for same in (np.asfortranarray(given), np.repeat(given, 2, axis=0)[::2], given[::-1][::-1]):
            assert product(same, matrix).tolist() == wanted


@pytest.mark.parametrize("lanes", sorted({0, products.LANES}))
def test_the_largest_numbers_do_not_overflow(lanes, monkeypatch):
    monkeypatch.setattr(products, "LANES", lanes)
    for a, b in ((-128, -128), (127, 127), (-128, 127)):
        found = product(np.full((2, 128), a, np.int8), Matrix.of(np.full((128, 3), b, np.int8)))
        assert (found == 128 * a * b).all()


@pytest.mark.parametrize("lanes", sorted({0, products.LANES}))
def test_rows_of_another_width_or_type_are_refused(lanes, monkeypatch):
    monkeypatch.setattr(products, "LANES", lanes)
    matrix = Matrix.of(integers(0, 8, 3))
    for rows in (integers(1, 2, 7), integers(1, 2, 9), integers(1, 2, 12), np.ones((2, 8))):
        with pytest.raises(ValueError, match="not int8 with 8 columns"):
            product(rows, matrix)


def test_a_matrix_whose_sums_no_float_would_hold_is_refused():
    with pytest.raises(ValueError, match="may pass 16777216"):
        Matrix.of(np.full((1040, 1), -127, np.int8))
    Matrix.of(np.full((1030, 1), -127, np.int8))


@pytest.mark.parametrize(
    ("features", "lanes"), [({"avx512vnni", "avxvnni"}, 16), ({"avxvnni"}, 8), ({"avx512f"}, 0), (set(), 0)]
)
def test_how_many_sums_an_instruction_adds_to_follows_from_the_processor(features, lanes):
    assert lanes_of(features) == lanes
