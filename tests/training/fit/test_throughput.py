"""How this machine trains fastest."""

from dataclasses import replace

import pytest
import torch

from tests.support.synthetic import CPU, NETWORKS
from training.fit.throughput import Arrangement, measure, settled
from training.utils.devices import hardware, threads


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
    # three share two cores, and one has them alone
    assert arrangement.threads == (2 if jobs == 1 else 1)
    assert arrangement.device == CPU.computing("auto")
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
    monkeypatch.setattr("training.fit.throughput.seconds_of_step", ten_milliseconds_a_photo)
    arrangement = measure(replace(NETWORKS, batch_size=4000), CPU, classes=3, jobs=1)
    assert max(tried) <= 40
    assert arrangement.step_seconds == pytest.approx(40.0)


@pytest.mark.parametrize(("jobs", "each"), [(1, 8), (2, 4), (3, 2), (20, 1)])
def test_the_models_of_a_run_share_the_cores_and_who_asks_for_threads_gets_them(jobs, each):
    with threads(8):
        assert settled(NETWORKS, CPU, jobs=jobs)[0].threads == each
        assert settled(replace(NETWORKS, threads=3), CPU, jobs=jobs)[0].threads == 3
        assert settled(replace(NETWORKS, epochs=0), CPU, jobs=jobs)[0].threads is None


@pytest.mark.parametrize("instructions", [True, False])
def test_precision_is_that_of_the_hardware_or_the_one_that_was_asked_for(instructions, monkeypatch):
    monkeypatch.setattr("training.utils.devices.has_bfloat16", lambda device: instructions)
    for asked, given in (("auto", instructions), ("bfloat16", True), ("float32", False)):
        recipe, device = settled(replace(NETWORKS, precision=asked), CPU, jobs=3)
        assert (device.mixed, device.channels_last) == (given, True)
        assert recipe.precision == device.precision == ("bfloat16" if given else "float32")


@pytest.mark.parametrize(
    ("model", "precision"),
    [
        ("lite0", "float32"),
        ("mobilenet_v3_small", "float32"),
        ("resnet18", "bfloat16"),
        ("resnext50_32x4d", "bfloat16"),
    ],
)
def test_a_cpu_trains_depthwise_networks_in_float32_unless_asked_and_computes_with_them_as_with_others(
    model, precision, monkeypatch
):
    monkeypatch.setattr("training.utils.devices.has_bfloat16", lambda device: True)
    recipe = replace(NETWORKS, model=model)
    assert settled(recipe, CPU, jobs=1)[0].precision == precision
    assert settled(replace(recipe, precision="bfloat16"), CPU, jobs=1)[0].precision == "bfloat16"
    # features alone are made in bfloat16
    assert settled(replace(recipe, epochs=0), CPU, jobs=1)[0].precision == "bfloat16"


@pytest.mark.parametrize("faster", ["the first", "the second"])
def test_a_clock_decides_how_many_train_at_a_time_and_nothing_else(faster, monkeypatch):
    measured = []

    def odd(settings, candidate, classes, batch, running, number):
        measured.append((candidate, number))
        # a machine that other programs stop and go
        return 1.0 if (running == 1) == (faster == "the first") else 9.0

    monkeypatch.setattr("training.fit.throughput.seconds_of_step", odd)
    with threads(4):
        arrangement = measure(NETWORKS, CPU, classes=3, jobs=3)
        asked = measure(NETWORKS, CPU, classes=3, jobs=3, workers=2)
    assert arrangement.side_by_side == (1 if faster == "the first" else 3)
    assert asked.side_by_side == 2
    assert arrangement.computed == asked.computed
    assert arrangement.device == asked.device
    assert set(measured) == {(CPU.computing("auto"), 1)}


def test_an_arrangement_says_how_many_threads_each_model_has():
    assert "3 models side by side, 2 threads each" in str(Arrangement(CPU, side_by_side=3, threads=2))
    assert "one model at a time, 8 threads" in str(Arrangement(CPU, 1, 8))


def test_an_arrangement_of_an_earlier_version_is_read_with_its_precision_and_the_cores_shared():
    device = {"device": "cpu", "mixed": False, "channels_last": True}
    before = {"device": device, "side_by_side": 3, "cores": 8, "step_seconds": 0.1, "alone_seconds": 0.1}
    arrangement = Arrangement.from_dict(before)
    assert arrangement == Arrangement(replace(CPU, channels_last=True), 3, 2, 0.1, 0.1)
    assert arrangement.elsewhere is None
    assert Arrangement.from_dict(arrangement.to_dict()) == arrangement


def test_who_goes_on_elsewhere_hears_what_that_changes():
    there = Arrangement(CPU, hardware="Abacus, 3 beads")
    assert "began on other hardware (Abacus, 3 beads; here " in there.elsewhere
    assert Arrangement(CPU, hardware=hardware(CPU.device)).elsewhere is None
