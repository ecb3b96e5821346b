"""The search for settings: what is searched, what a trial costs, how a study goes on."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import sys
import time
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import optuna
import pandas as pd
import pytest
import torch

from curation.errors import CurateError, RunError
from curation.listings import read_listings
from curation.models.search_space import parameters_of, space_around, start_parameters, with_parameters
from curation.models.trials import Trials, quiet
from curation.models.tune import tune
from curation.run.folder import RunFolder
from tests.cli.test_cli import assert_refused, curate, done, open_shop
from tests.curation.models.test_compare_models import settings_of
from tests.support.reporters import Listener
from training.fit.throughput import Arrangement
from training.settings import AUGMENTS, Recipe
from training.utils.devices import find_device
from training.utils.locks import held
from training.utils.progress import SILENT, Silent

START = Recipe(model="lenet", image_size=32, epochs=1, batch_size=32, pretrained=False)


@pytest.fixture(autouse=True)
def arranged(monkeypatch):
    """Networks are always trained in the same way: what is measured differs from one time to the next."""
    way = Arrangement(find_device("cpu"), 1, 1, 0.01, 0.01)
    monkeypatch.setattr("training.crossval.plan.measure", lambda settings, device, classes, jobs, workers=None: way)
    # photos are varied one by one, where a second thread only waits
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def search(demo, *, trials=2, folds=2, time_limit=None, settings=START, output=None, reporter=SILENT):
    return tune(
        read_listings(demo),
        trials=trials,
        time_limit=time_limit,
        folds=folds,
        recipe=settings,
        device="cpu",
        output=output,
        command=["curate", "tune"],
        reporter=reporter,
    ).to_dict()


def numbered(result):
    return {trial["number"]: trial for trial in result["trials"]}


def folders(study):
    return {path.name.split("-")[1]: path for path in (Path(study) / "training").glob("trial-*")}


def test_the_first_trial_is_the_settings_as_given_and_all_trials_are_written(demo, here):
    result = search(demo, trials=3)
    first = numbered(result)[1]
    assert first["parameters"] == {
        "learning_rate": 1.5e-3,
        "schedule": "one-cycle",
        "augment": "standard",
        "weight_decay": 0.05,
    }
    assert [trial["state"] for trial in result["trials"]] == ["complete"] * 3
    means = [trial["mean"] for trial in result["trials"]]
    assert means == sorted(means, reverse=True)
    best = result["trials"][0]
    assert result["best"] == best["number"]
    gains = [
        after["macro_f1"] - before["macro_f1"] for after, before in zip(best["folds"], first["folds"], strict=True)
    ]
    assert result["gain"]["mean"] == pytest.approx(sum(gains) / 2)
    folder = Path(result["folder"])
    assert folder == Path("studies/demo/1")
    assert json.loads((folder / "tune.json").read_text()) == result
    table = pd.read_csv(folder / "trials.csv")
    assert table["number"].tolist() == [trial["number"] for trial in result["trials"]]
    assert {"state", "mean", "sd", "learning_rate", "schedule", "augment", "weight_decay", "fold_2"} <= set(table)
    # scores are kept, models are not
    assert len(folders(folder)) == 3
    assert not list(folder.rglob("*.pt"))
    assert len(list(folder.glob("training/trial-*/fold-*/events.out.tfevents.*"))) == 6
    assert shlex.split(result["next"])[:3] == ["curate", "train", str(demo)]
    recipe = settings_of(result["next"])
    assert recipe.to_dict() == result["best_settings"]
    assert (recipe.learning_rate, recipe.augment) == (
        best["parameters"]["learning_rate"],
        best["parameters"]["augment"],
    )


class Impatient(Silent):
    """Presses Ctrl-C in the second fold of the second trial."""

    @contextmanager
    def bar(self, what):
        def progress(done, total):
            if what.startswith("trial 2 ") and done > total / 2:
                raise KeyboardInterrupt

        yield progress


def test_an_interrupted_trial_resumes_with_its_parameters_and_its_folds(demo, here):
    with pytest.raises(KeyboardInterrupt):
        search(demo, trials=3, output=Path("cut"), reporter=Impatient())
    assert json.loads(Path("cut/run.json").read_text())["status"] == "interrupted"
    second = folders("cut")["2"]
    listener = Listener()
    resumed = search(demo, trials=3, output=Path("cut"), reporter=listener)
    assert "continuing this study; trials so far: 2" in listener.lines
    assert folders("cut")["2"] == second
    assert len(list((second / "fold-0").glob("events.*"))) == 1
    undisturbed = search(demo, trials=3, output=Path("whole"))
    for number, trial in numbered(undisturbed).items():
        assert numbered(resumed)[number]["parameters"] == trial["parameters"]
        assert numbered(resumed)[number]["folds"] == trial["folds"]


def test_more_trials_extend_a_finished_study_and_other_settings_begin_another(demo, here):
    before = search(demo, trials=1)
    record = json.loads(Path("studies/demo/1/run.json").read_text())
    assert record["status"] == "finished"
    after = search(demo, trials=2)
    assert after["folder"] == before["folder"]
    assert numbered(after)[1] == numbered(before)[1]
    assert len(after["trials"]) == 2
    assert search(demo, trials=2) == after
    other = replace(START, batch_size=64)
    assert search(demo, trials=1, settings=other)["folder"] == "studies/demo/2"
    # the latest study with the same settings, not the latest of all
    assert search(demo, trials=2) == after
    with pytest.raises(RunError, match=r"got `batch_size=64`; wanted `batch_size=32`.*choose another `output`"):
        search(demo, trials=3, settings=other, output=Path("studies/demo/1"))


class Slow(Silent):
    """Takes more than a second for the first fold."""

    @contextmanager
    def bar(self, what):
        def progress(done, total):
            if what.startswith("trial") and done <= total / 2:
                time.sleep(0.6)

        yield progress


def test_no_fold_begins_after_the_time_limit_and_the_trial_is_finished_later(demo, here):
    cut = search(demo, trials=1, time_limit=1, reporter=Slow())
    assert cut["best"] is None
    assert cut["next"] is None
    assert [trial["state"] for trial in cut["trials"]] in ([], ["unfinished"])
    folds = [fold for trial in cut["trials"] for fold in trial["folds"]]
    assert len(folds) < 2
    whole = numbered(search(demo, trials=1, time_limit=600))[1]
    assert whole["state"] == "complete"
    assert whole["folds"][: len(folds)] == folds


def test_listings_of_the_test_set_are_neither_trained_on_nor_scored(demo, tmp_path):
    table = pd.read_csv(demo / "listings.csv")
    table["split"] = ["test" if row % 4 == 0 else "train" for row in range(len(table))]
    scores = []
    for name, factor in (("as-it-is", 1), ("expensive", 10_000)):
        shutil.copytree(demo, tmp_path / name)
        expensive = table["price"] * factor
        table.assign(price=table["price"].where(table["split"] == "train", expensive)).to_csv(
            tmp_path / name / "listings.csv", index=False
        )
        result = search(
            tmp_path / name, trials=2, settings=replace(START, target="price"), output=tmp_path / f"study-{name}"
        )
        assert result["lower_is_better"]
        means = [trial["mean"] for trial in result["trials"]]
        assert means == sorted(means)
        scores.append({number: trial["folds"] for number, trial in numbered(result).items()})
    assert scores[0] == scores[1]


def study_of(folder):
    with quiet():
        return optuna.load_study(study_name="curate tune", storage=f"sqlite:///{folder}/optuna.db")


def test_a_trial_that_is_worse_than_others_after_a_fold_costs_one_fold(demo, here):
    study = study_of(search(demo, trials=1)["folder"])
    first = study.trials[0]
    for _ in range(4):
        better = optuna.trial.create_trial(
            params={**first.params, "learning_rate": 1e-2},
            distributions=first.distributions,
            user_attrs={"folds": [{"macro_f1": 1.0}] * 2},
            intermediate_values={0: 1.0, 1: 1.0},
            value=1.0,
        )
        study.add_trial(better)
    result = search(demo, trials=6)
    pruned = numbered(result)[6]
    assert pruned["state"] == "pruned"
    assert len(pruned["folds"]) == 1
    assert [path.name for path in folders(result["folder"])["6"].iterdir()] == ["fold-0"]
    assert result["trials"][-1] == pruned


def test_training_that_diverges_ends_its_trial_and_not_the_study(demo, here):
    wild = replace(START, batch_size=8, optimizer="sgd", learning_rate=100.0, weight_decay=100.0)
    result = search(demo, trials=2, settings=wild)
    first = numbered(result)[1]
    assert (first["state"], first["folds"], first["mean"]) == ("diverged", [], None)
    assert len(result["trials"]) == 2
    assert result["gain"] is None
    assert not list(Path(result["folder"]).rglob("*.pt"))


def test_a_trial_with_the_parameters_of_an_earlier_one_is_not_trained_again(demo, here):
    folder = search(demo, trials=1)["folder"]
    study = study_of(folder)
    study.enqueue_trial(study.trials[0].params)
    listener = Listener()
    result = search(demo, trials=2, reporter=listener)
    first, second = numbered(result)[1], numbered(result)[2]
    assert (second["repeats"], second["seconds"]) == (1, 0.0)
    assert (second["folds"], second["state"]) == (first["folds"], "complete")
    assert set(folders(folder)) == {"1"}
    assert any("as trial 1 with the same parameters" in line for line in listener.lines)


def test_all_trials_start_from_the_weights_that_the_study_began_with(demo, here, monkeypatch):
    recipe = replace(START, pretrained=True)
    # there are none of lenet, anywhere
    folder = Path(search(demo, trials=1, settings=recipe)["folder"])
    assert RunFolder(folder).record()["pretrained"] is False
    monkeypatch.setattr("curation.models.tune.with_weights", lambda settings, reporter: settings)
    search(demo, trials=2, settings=recipe)
    assert RunFolder(folder).record()["pretrained"] is False
    RunFolder(folder).update(pretrained=True)
    with pytest.raises(CurateError, match="lenet should start from pretrained weights, but now starts from scratch"):
        search(demo, trials=3, settings=recipe)


# what is searched


def test_the_search_lies_around_the_start_and_a_weight_decay_of_zero_stays():
    space = space_around(replace(START, learning_rate=0.01, weight_decay=0.0))
    low, high = space.learning_rate
    assert low < 0.01 < high
    assert space.weight_decay is None
    assert set(space.augment) == set(AUGMENTS)
    assert space.schedule == ("one-cycle", "cosine", "constant", "step")


def test_a_step_of_the_learning_rate_comes_at_its_share_of_every_training():
    parameters = {"learning_rate": 0.02, "schedule": "step", "step_at": 0.5, "augment": "none", "weight_decay": 0.1}
    settings = with_parameters(START, parameters, 100)
    assert (settings.schedule, settings.lr_steps) == ("constant", ((50, 0.002),))
    assert with_parameters(START, parameters, 3).lr_steps == ((2, 0.002),)
    assert with_parameters(START, parameters, 1).lr_steps == ()


def test_steps_that_were_given_are_the_first_trial_and_are_scaled_in_others():
    steps = ((4, 0.001), (9, 0.0001))
    start = replace(START, schedule="constant", learning_rate=0.01, weight_decay=0.05, lr_steps=steps)
    first = start_parameters(start)
    assert with_parameters(start, first, 10) == start
    assert first["schedule"] in space_around(start).schedule
    assert with_parameters(start, {**first, "learning_rate": 0.02}, 10).lr_steps == ((4, 0.002), (9, 0.0002))


def test_drawn_numbers_are_short_and_those_of_the_start_exact():
    start = replace(START, learning_rate=0.00123456)
    assert parameters_of({"learning_rate": 0.00123456}, start)["learning_rate"] == 0.00123456
    assert parameters_of({"learning_rate": 0.00198765}, start)["learning_rate"] == 0.00199


def test_the_same_seed_draws_the_same_trials(tmp_path):
    drawn = []
    for name in "ab":
        with quiet():
            trials = Trials.open(tmp_path / f"{name}.db", START, space_around(START))
            for _ in range(8):
                trial = trials.begin(8)
                for fold in range(2):
                    trials.add_fold(trial, {"macro_f1": trial.params["learning_rate"] + fold / 10}, 0.0)
                trials.complete(trial)
            assert trials.begin(8) is None
            assert trials.importances() is not None
        drawn.append([result.parameters for result in trials.all()])
    assert drawn[0] == drawn[1]
    assert len({str(parameters) for parameters in drawn[0]}) == 8


# what is typed

SMALL = shlex.split("--folds 2 --model lenet --image-size 32 --epochs 1 --batch-size 32 --no-pretrained --device cpu")


@pytest.fixture
def shop(tmp_path, monkeypatch):
    """A small shop of 30 listings in the current folder."""
    return open_shop(tmp_path, monkeypatch)


def test_the_table_the_gain_and_the_next_command_go_to_stdout(demo, here):
    result = done("tune", demo, *SMALL, "--trials", 2)
    assert re.search(r"^2 trials\n", result.stdout)
    assert re.search(r"trial +macro-F1 ± sd +folds +learning rate +schedule +augment +decay +state", result.stdout)
    assert re.search(r"1 +0\.\d{3} ± 0\.\d{3} +2 +0\.0015 +one-cycle +standard +0\.05 +complete", result.stdout)
    assert re.search(r"Best: trial \d, macro-F1 0\.\d{3}", result.stdout)
    assert "looks better than it is, because its score chose it" in result.stdout
    assert f"Next: curate train {demo} --device cpu --model lenet" in result.stdout
    assert "trial 2: complete, macro-F1 0." in result.stderr
    assert "[I 20" not in result.stderr
    again = done("tune", demo, *SMALL, "--trials", 2, "--json")
    assert json.loads(again.stdout)["folder"] == "studies/demo/1"
    assert "continuing this study; trials so far: 2" in again.stderr


@pytest.mark.parametrize(
    ("options", "match"),
    [
        (["--trials", "0"], "number of trials is out of range: got 0; wanted at least 1"),
        (["--folds", "1"], "number of folds is out of range: got 1; wanted at least 2"),
        (["--time-limit", "soon"], "a duration can't be read: got soon"),
        (["--time-limit", "0s"], "the time limit is too short: got 0 s; wanted at least 1 s"),
        (["--loss", "mse"], "--loss has no effect on labels"),
        (["--target", "price", "--use-price"], "has no effect"),
        (["--weight-decay", "-1"], "the weight decay is out of range: got -1.0; wanted 0 to 1000000"),
        (["--augment", "all"], "unknown way to augment: got all"),
        (["--epochs", "0"], "--epochs 0 trains nothing"),
        (["--folds", "31"], "31 folds can't be made of 30 listings"),
    ],
)
def test_what_can_not_be_searched_is_refused_and_leaves_nothing_behind(options, match, shop):
    assert_refused(shop, "tune", "shop", *SMALL, *options, match=match)


def test_a_missing_optuna_is_named_with_what_installs_it(shop, monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    assert_refused(
        shop, "tune", "shop", match=r"curate tune needs Optuna. Install it with: pip install 'curate-listings\[tune\]'"
    )


def test_damaged_trials_and_a_study_that_is_being_searched_are_refused(shop):
    done("tune", "shop", *SMALL, "--trials", 1)
    study = shop / "studies" / "shop" / "1"
    for options in ([], ["--output", study]):
        with held(study / ".lock", "tune"):
            assert_refused(shop, "tune", "shop", *SMALL, *options, match="studies/shop/1 is in use by curate tune")
    whole = (study / "optuna.db").read_bytes()
    for damaged in (b"no trials", whole[: len(whole) // 2], whole[:20_000] + b"x" * 20_000 + whole[40_000:]):
        (study / "optuna.db").write_bytes(damaged)
        result = curate("tune", "shop", *SMALL, "--trials", 2)
        assert result.exit_code == 2, (result.stderr, result.exception)
        assert re.search(
            r"Error: .*optuna\.db can't be used: got .*move it away, and the study starts again", result.stderr
        )
    (study / "optuna.db").unlink()
    assert json.loads(done("tune", "shop", *SMALL, "--trials", 1, "--json").stdout)["counts"]["complete"] == 1
