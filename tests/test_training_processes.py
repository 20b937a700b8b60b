"""Models are learned side by side in processes, with the results of one after the other."""

import os
import sys

import pytest

from training.processes import spread

pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")


def test_results_come_in_order_whatever_the_number_of_processes():
    held = [list(range(1000))] * 3  # a process finds it where its parent has it
    for jobs in (1, 2, 5):
        assert spread(lambda item: (item, sum(held[item])), range(3), jobs) == [(k, 499500) for k in range(3)]
    if sys.platform == "linux":
        assert os.getpid() not in spread(lambda item: os.getpid(), range(2), 2)
    assert spread(lambda item: os.getpid(), range(2), 1) == [os.getpid()] * 2
    assert spread(lambda item: spread(lambda other: item * other, [1, 2], 1), [3, 4], 2) == [[3, 6], [4, 8]]


def test_what_goes_wrong_in_a_process_is_raised():
    with pytest.raises(ZeroDivisionError):
        spread(lambda item: 1 / item, [1, 0], 2)
    assert spread(abs, [-1], 2) == [1]
    assert spread(abs, [], 2) == []
    assert spread(abs, [-1, -2], 0) == [1, 2]
