"""Devices, and independent pieces of work on all cores."""

import threading

import pytest
import torch

from tests.support.waiting import PATIENCE
from training.errors import InputError
from training.utils.devices import each_on_one_core, find_device

CPU = torch.device("cpu")


@pytest.fixture(params=[1, 3])
def cores(request):
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


def test_results_come_in_order_and_the_number_of_threads_is_as_before(cores):
    assert list(each_on_one_core(lambda item: item * 2, range(50), device=CPU)) == list(range(0, 100, 2))
    assert torch.get_num_threads() == cores


def test_pieces_are_worked_on_at_the_same_time_with_one_thread_each(cores):
    barrier = threading.Barrier(cores)

    def meet(item):
        # passes only when all are there
        barrier.wait(timeout=PATIENCE)
        return torch.get_num_threads()

    assert list(each_on_one_core(meet, range(2 * cores), device=CPU)) == [1] * 2 * cores


def test_an_error_in_a_piece_reaches_the_caller_and_the_threads_are_as_before(cores):
    with pytest.raises(ZeroDivisionError):
        list(each_on_one_core(lambda item: 1 // (item - 5), range(50), device=CPU))
    assert torch.get_num_threads() == cores


def test_who_stops_listening_leaves_the_rest_undone(cores):
    done = []
    results = each_on_one_core(done.append, range(1000), device=CPU)
    next(results)
    results.close()
    assert len(done) < 1000
    assert torch.get_num_threads() == cores


def test_an_unknown_device_is_refused():
    with pytest.raises(InputError, match="can't be used"):
        find_device("cudda")
