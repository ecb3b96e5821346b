"""Plans: how models are trained, and how long that will take."""

from dataclasses import replace

import numpy as np
import pytest

from tests.support.reporters import Listener
from tests.support.synthetic import CPU, NETWORKS
from training.crossval.jobs import Job
from training.crossval.plan import Plan, Work, make_plan, measure_once, seconds_of_jobs
from training.errors import InputError
from training.fit.throughput import Arrangement
from training.settings import Execution, Recipe

PATCHED = Recipe(features="patches")
WORK = Work(photos=60, rows=40, scored=20, classes=3, models=3)
# its steps are of 16 photos: 3 of them an epoch
TWENTY = replace(NETWORKS, epochs=20, batch_size=16)


@pytest.fixture
def step(monkeypatch):
    """Return a function that fixes what the measurement of a step gives."""

    def fix(seconds, together=1, alone=None):
        way = Arrangement(CPU, together, together, seconds, seconds if alone is None else alone)
        monkeypatch.setattr("training.crossval.plan.measure", lambda settings, device, classes, jobs, workers=None: way)

    return fix


@pytest.mark.parametrize("preset", ["quick", "standard"])
def test_presets_without_networks_plan_none_and_say_so(preset):
    plan = make_plan(Execution(preset=preset).complete(PATCHED), WORK, CPU)
    assert plan.epochs == 0
    assert plan.seconds["networks"] == 0
    assert plan.seconds["features"] > 0
    assert plan.seconds["heads"] > 0
    assert len(plan.lines()) == 1
    assert "no network" in plan.lines()[0]


def test_networks_are_planned_with_the_time_they_take_and_the_way_to_do_without(step):
    step(2.0)
    plan = make_plan(TWENTY, WORK, CPU)
    assert plan.epochs == 20
    assert plan.seconds["networks"] > 3 * 20 * 3 * 2.0 / 2
    assert "20 epochs of squeezenet1_1" in plan.lines()[0]
    assert plan.lines()[1].startswith('`preset="standard"`, without networks, would take ')


def test_more_photos_take_more_time():
    settings = Execution(preset="quick").complete(PATCHED)
    few, many = (make_plan(settings, replace(WORK, photos=n, rows=n // 2), CPU).seconds for n in (1000, 100_000))
    assert many["features"] > 10 * few["features"]
    assert many["heads"] > 10 * few["heads"]


@pytest.mark.parametrize(("kept", "left"), [({}, 3.0), ({"lite0": 0.25}, 2.75), ({"lite0": 1.0, "resnet18": 1.0}, 0.0)])
def test_features_that_were_kept_take_no_time(kept, left, monkeypatch):
    cost = {"lite0": 1.0, "resnet18": 2.0}
    monkeypatch.setattr("training.crossval.plan._features_of_part", lambda recipe, device, size: cost[recipe.features])
    monkeypatch.setattr("training.crossval.plan._projection", lambda work: 0.0)
    settings = replace(NETWORKS, features="lite0+resnet18+embeddings:clip", epochs=0)
    assert make_plan(settings, replace(WORK, kept=kept), CPU).seconds["features"] == left * WORK.photos


def test_a_time_limit_that_cant_be_kept_is_refused_with_what_is_needed():
    work = Work(photos=100_000, rows=64_000, scored=20_000, classes=10, models=5, seconds_before=7200)
    with pytest.raises(InputError) as caught:
        make_plan(Execution(preset="quick").complete(PATCHED), work, CPU, time_limit=1)
    message = str(caught.value)
    assert "the time limit is too short: got 1 s; wanted about " in message
    assert " h, for 100000 photos without training a network" in message


def test_a_time_limit_leaves_fewer_epochs_and_is_kept(step):
    step(0.1)
    whole = make_plan(TWENTY, WORK, CPU)
    limit = sum(whole.seconds.values()) * 0.7
    plan = make_plan(TWENTY, WORK, CPU, time_limit=limit)
    assert 1 <= plan.epochs < 20
    assert sum(plan.seconds.values()) < limit
    assert plan.seconds["networks"] < whole.seconds["networks"]


def test_a_time_limit_that_is_long_enough_changes_nothing(step):
    step(0.1)
    assert make_plan(TWENTY, WORK, CPU, time_limit=10_000).epochs == 20


def test_a_time_limit_without_time_for_an_epoch_plans_no_network_and_says_so(step):
    step(1000.0)
    listener = Listener()
    plan = make_plan(TWENTY, WORK, CPU, time_limit=600, reporter=listener)
    assert plan.epochs == 0
    assert plan.recipe.epochs_for(40) == 0
    assert plan.seconds["networks"] == 0
    assert "the time limit leaves no time for one epoch of squeezenet1_1" in listener.lines[0]
    assert "no network" in listener.lines[1]


def test_nothing_is_said_of_a_time_limit_where_no_network_was_asked_for():
    listener = Listener()
    make_plan(replace(TWENTY, epochs=0), WORK, CPU, time_limit=600, reporter=listener)
    assert len(listener.lines) == 1


def test_iterations_are_planned_as_whole_epochs(step):
    step(0.1)
    # 40 photos are 3 batches of 16
    plan = make_plan(replace(TWENTY, epochs=None, iterations=7), WORK, CPU)
    assert plan.epochs == 3
    assert plan.recipe.steps_for(WORK.rows) == 9


def test_models_side_by_side_take_less_time_than_one_after_another(step):
    step(1.0)
    alone = make_plan(TWENTY, replace(WORK, models=4), CPU).seconds["networks"]
    step(1.5, together=2, alone=1.0)
    assert make_plan(TWENTY, replace(WORK, models=4), CPU).seconds["networks"] == pytest.approx(alone * 3 / 4)
    # the odd one runs alone, as fast as one does
    assert make_plan(TWENTY, replace(WORK, models=5), CPU).seconds["networks"] == pytest.approx(alone)


def test_fine_tuning_takes_less_time_than_the_same_epochs_from_scratch(step):
    step(1.0)
    recipe = replace(TWENTY, model="lite0", image_size=64)
    tuned, scratch = (
        make_plan(replace(recipe, pretrained=pretrained), replace(WORK, scored=0), CPU).seconds["networks"]
        for pretrained in (True, False)
    )
    # half of the epochs see photos of 42 pixels, at four tenths of the cost
    early = (42 / 64) ** 2
    assert tuned / scratch == pytest.approx((0.4 * early + 1) / (early + 1))


def test_the_time_of_jobs_is_that_of_a_plan_with_the_same_work(step, tmp_path):
    step(0.5)
    labels = np.arange(60) % 3
    parts = np.split(np.arange(60), 3)
    jobs = [Job("fold", tmp_path, labels, np.setdiff1d(np.arange(60), part), part, seed=0) for part in parts]
    planned = make_plan(TWENTY, WORK, CPU)
    assert seconds_of_jobs(TWENTY, jobs, planned.arrangement) == pytest.approx(planned.seconds["networks"])
    assert seconds_of_jobs(TWENTY, jobs[:1], planned.arrangement) == pytest.approx(planned.seconds["networks"] / 3)
    assert seconds_of_jobs(TWENTY, [], planned.arrangement) == 0


def test_small_classes_that_are_repeated_take_more_time(step, tmp_path):
    step(0.5)
    job = Job("one", tmp_path, np.array([0] * 30 + [1] * 10), np.arange(40), np.arange(0), seed=0)
    arrangement = make_plan(TWENTY, WORK, CPU).arrangement
    plain, repeated = (
        seconds_of_jobs(replace(TWENTY, balance=balance), [job], arrangement) for balance in ("none", "oversample")
    )
    # 3 and 4 batches an epoch
    assert repeated == pytest.approx(plain * 4 / 3)


def test_the_machine_is_measured_once_and_the_result_is_read_back(step, tmp_path):
    file = tmp_path / "arrangement.json"
    step(0.5)
    first = measure_once(NETWORKS, CPU, file, classes=3, jobs=1)
    step(0.7)
    assert measure_once(NETWORKS, CPU, file, classes=3, jobs=1) == first
    assert first.step_seconds == 0.5


@pytest.mark.parametrize("epochs", [0, 3])
def test_a_plan_that_was_saved_is_loaded_as_it_was(epochs, tmp_path):
    arrangement = Arrangement(replace(CPU, channels_last=True, mixed=True), 3, 8, 0.123456789, 0.1)
    settings = replace(NETWORKS, epochs=epochs)
    plan = Plan(settings, arrangement, {"photos": 1.25, "features": 0.5, "heads": 0.0, "networks": 7.75})
    for saved in (plan, replace(plan, preset="resnet")):
        saved.save(tmp_path / "plan.json")
        assert Plan.load(tmp_path / "plan.json") == saved
        assert saved.computed.get("preset") == saved.preset
