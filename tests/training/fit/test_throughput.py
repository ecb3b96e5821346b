"""How this machine trains fastest."""

from dataclasses import replace

import pytest
import torch

from tests.support.synthetic import CPU, NETWORKS
from training.fit.throughput import Arrangement, measure


@pytest.mark.parametrize("model", ["squeezenet1_1", "resnet18"])
@pytest.mark.parametrize("jobs", [1, 3])
def test_a_measurement_gives_a_way_to_train_and_leaves_no_trace(model, jobs):
    threads, state = torch.get_num_threads(), torch.get_rng_state()
    torch.set_num_threads(2)
    try:
        arrangement = measure(replace(NETWORKS, model=model), CPU, classes=3, jobs=jobs)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(threads)
    assert torch.equal(torch.get_rng_state(), state)
    assert 1 <= arrangement.side_by_side <= min(jobs, 2)
    assert arrangement.cores == 2
    assert arrangement.device.device == CPU.device
    assert arrangement.alone_seconds > 0
    assert arrangement.step_seconds > 0
    if arrangement.side_by_side == 2:
        # two at a time are only worth it if they take less than twice as long
        assert arrangement.step_seconds < 2 * arrangement.alone_seconds


def test_a_step_that_takes_long_is_measured_on_fewer_photos_and_scaled_up(monkeypatch):
    tried = []

    def ten_milliseconds_a_photo(settings, candidate, classes, batch, *rest):
        tried.append(batch)
        return 0.01 * batch

    # how long a step takes is the machine's, and other work on it changes that: a clock that is known
    monkeypatch.setattr("training.fit.throughput._seconds", ten_milliseconds_a_photo)
    arrangement = measure(replace(NETWORKS, batch_size=4000), CPU, classes=3, jobs=1)
    assert max(tried) <= 40
    assert arrangement.step_seconds == pytest.approx(40.0)


def test_cores_are_shared_by_what_runs():
    arrangement = Arrangement(CPU, side_by_side=3, cores=8)
    assert [arrangement.threads(running) for running in (1, 2, 3, 20)] == [8, 4, 2, 1]
    assert "3 models side by side, 2 threads each" in str(arrangement)
    assert "one model at a time, 8 threads" in str(Arrangement(CPU, 1, 8))
