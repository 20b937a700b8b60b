"""Products of integers: every way to multiply gives the sums that there are."""

import numpy as np
import pytest
from llvmlite import binding

from toolkit.boilerplate import products
from toolkit.boilerplate.products import Matrix, product


@pytest.mark.parametrize("sums", sorted({0, products.SUMS}))
@pytest.mark.parametrize(("inputs", "outputs"), [(118, 96), (96, 64), (5, 8), (1, 1), (8, 33), (64, 4)])
def test_a_product_is_the_sum_of_products_whatever_the_processor_has(inputs, outputs, sums, monkeypatch):
    monkeypatch.setattr(products, "SUMS", sums)
    random = np.random.default_rng(inputs)
    weights = random.integers(-128, 128, (inputs, outputs)).astype(np.int8)
    matrix = Matrix.of(weights)
    for rows in (0, 1, 3, 4, 5, 203):
        given = random.integers(-128, 128, (rows, inputs)).astype(np.int8)
        found = product(given, matrix)
        assert found.dtype == np.float32
        assert found.tolist() == (given.astype(int) @ weights.astype(int)).tolist()


def test_the_largest_numbers_do_not_overflow():
    for a, b in ((-128, -128), (127, 127), (-128, 127)):
        found = product(np.full((2, 128), a, np.int8), Matrix.of(np.full((128, 3), b, np.int8)))
        assert (found == 128 * a * b).all()


def test_numba_that_compiles_for_another_processor_gets_no_instruction_of_this_one(monkeypatch):
    monkeypatch.setattr("toolkit.kernels.config.CPU_NAME", None)
    monkeypatch.setattr("toolkit.kernels.config.CPU_FEATURES", None)
    has = binding.get_host_cpu_features()
    assert products._sums() == (16 if has.get("avx512vnni") else 8 if has.get("avxvnni") else 0)
    monkeypatch.setattr("toolkit.kernels.config.CPU_NAME", "generic")
    assert products._sums() == 0


@pytest.mark.parametrize(
    ("features", "sums"), [({"avx512vnni": True, "avxvnni": True}, 16), ({"avxvnni": True}, 8), ({}, 0)]
)
def test_how_many_sums_follows_from_what_the_processor_has(features, sums, monkeypatch):
    monkeypatch.setattr("toolkit.boilerplate.products.chosen_processor", lambda: False)
    monkeypatch.setattr(products.binding, "get_host_cpu_features", lambda: features)
    assert products._sums() == sums
