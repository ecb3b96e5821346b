"""`curate compare-models`: every model with every optimizer on the same folds."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from click.testing import Result
from sklearn.metrics import accuracy_score, f1_score
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from curation.cli.dataset import DatasetForm
from curation.cli.options import model_recipe
from curation.cli.train import train
from curation.listings.columns import groups_of
from curation.models import compare as study
from curation.models.candidates import candidates_of
from curation.models.command_line import command_line
from curation.models.compare_result import Candidate, ModelComparison
from curation.models.cross_validate import FoldScores
from curation.models.dataset import Prepared
from curation.models.ranking import behind, ranked
from curation.run.folder import RunFolder
from tests.cli.test_cli import assert_refused, curate, done, open_shop
from tests.support.reporters import Listener
from tests.support.synthetic import ALONE
from training.crossval.jobs import Data, Job
from training.crossval.plan import with_weights
from training.errors import InputError
from training.evaluation.bootstrap import Difference
from training.networks import network as networks
from training.networks.embedded import has_weights
from training.networks.lite import embedded_state
from training.networks.zoo import build_model
from training.settings import OPTIMIZER_DEFAULTS, Recipe

SETTINGS = Recipe()
TINY = ["--image-size", 32, "--folds", 2, "--epochs", 1, "--batch-size", 32, "--no-pretrained", "--device", "cpu"]
NAMES = ["lenet-adam", "lenet-sgd", "squeezenet1_1-adam", "squeezenet1_1-sgd"]


@pytest.fixture
def here(tmp_path, monkeypatch):
    return open_shop(tmp_path, monkeypatch)


@dataclass(frozen=True)
class Compared:
    """A comparison of two models with two optimizers, and the jobs that were run for it."""

    folder: Path
    output: Result
    jobs: dict[str, list[Job]]

    @property
    def result(self):
        return json.loads(self.output.stdout)

    @property
    def table(self):
        return RunFolder(self.folder).listings()

    @property
    def in_training(self):
        """The table in the order of the rows of jobs."""
        return RunFolder(self.folder).training_table()

    def predictions(self, name):
        with np.load(self.folder / f"probabilities-{name}.npz") as content:
            return dict(content)


@pytest.fixture(scope="module")
def compared(demo, tmp_path_factory):
    jobs, run_jobs = {}, study.run_jobs

    def spying(of, *arguments, **options):
        jobs[of[0].folder.parent.name] = of
        return run_jobs(of, *arguments, **options)

    output = tmp_path_factory.mktemp("studies") / "compared"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(study, "run_jobs", spying)
        options = ["--models", "lenet,squeezenet1_1", "--optimizers", "adam,sgd", "--output", output, "--json"]
        result = done("compare-models", demo, *options, *TINY)
    return Compared(output, result, jobs)


# what is trained on what


def test_every_model_is_trained_with_every_optimizer(compared):
    assert sorted(compared.jobs) == NAMES
    assert sorted(each["name"] for each in compared.result["candidates"]) == NAMES
    assert {(each["model"], each["optimizer"]) for each in compared.result["candidates"]} == {
        (model, optimizer) for model in ("lenet", "squeezenet1_1") for optimizer in ("adam", "sgd")
    }


def test_all_candidates_have_the_same_folds(compared):
    first, *others = compared.jobs.values()
    for jobs in others:
        for job, other in zip(first, jobs, strict=True):
            assert np.array_equal(job.rows, other.rows)
            assert np.array_equal(job.scored, other.scored)
            assert job.seed == other.seed


def test_every_training_listing_is_scored_once_by_a_model_that_saw_neither_it_nor_its_group(compared):
    table, jobs = compared.in_training, compared.jobs["lenet-sgd"]
    usable = (table["split"] == "train") & table["unreadable"].isna() & table["label"].notna()
    scored = np.concatenate([job.scored for job in jobs])
    assert sorted(scored.tolist()) == np.flatnonzero(usable).tolist()
    groups = groups_of(table)
    for job in jobs:
        assert not set(groups[job.rows]) & set(groups[job.scored])


def test_the_test_set_trains_nothing_and_is_not_scored(compared):
    test = set(np.flatnonzero(compared.in_training["split"] == "test"))
    assert len(test) > 10
    for jobs in compared.jobs.values():
        for job in jobs:
            assert not test & {*job.rows, *job.scored, *job.validation, *job.watched}
    for name in NAMES:
        content = compared.predictions(name)
        tested = (compared.table["split"] == "test").to_numpy()
        assert np.isnan(content["probs"][tested]).all()
        assert (content["fold"][tested] == -1).all()


# what comes out


def test_the_scores_are_those_of_the_out_of_fold_predictions(compared):
    labels = compared.table["label"]
    for each in compared.result["candidates"]:
        content = compared.predictions(each["name"])
        assert content["id"].tolist() == compared.table["id"].tolist()
        predicted = ~np.isnan(content["probs"]).any(axis=1)
        assert np.array_equal(predicted, content["fold"] >= 0)
        named = pd.Series(content["classes"][np.nan_to_num(content["probs"]).argmax(axis=1)])

        def scores(rows, named=named):
            given, predicted = labels[rows], named[rows]
            macro = f1_score(given, predicted, labels=sorted(given.unique()), average="macro", zero_division=0)
            return {"accuracy": accuracy_score(given, predicted), "macro_f1": macro}

        by_fold = [scores(content["fold"] == fold) for fold in range(2)]
        for ours, fold in zip(each["folds"], by_fold, strict=True):
            assert ours == pytest.approx(fold)
        assert each["pooled"] == pytest.approx(scores(predicted))
        for score in ("accuracy", "macro_f1"):
            values = [fold[score] for fold in by_fold]
            assert each["mean"][score] == pytest.approx(np.mean(values))
            assert each["sd"][score] == pytest.approx(np.std(values, ddof=1))
        assert each["per_class"].keys() == set(content["classes"])
        assert np.mean([of["f1"] for of in each["per_class"].values() if of["support"]]) == pytest.approx(
            each["pooled"]["macro_f1"]
        )


def test_the_best_comes_first_and_the_others_say_how_far_they_are_behind(compared):
    best, *others = compared.result["candidates"]
    assert best["behind"] is None
    for each in others:
        distance = best["pooled"]["macro_f1"] - each["pooled"]["macro_f1"]
        assert distance >= 0
        assert each["behind"]["mean"] == pytest.approx(distance)
        assert each["behind"]["low"] <= distance <= each["behind"]["high"]
        assert each["told_apart"] == (each["behind"]["low"] > 0)


def test_parameters_seconds_and_epochs_are_reported(compared):
    for each in compared.result["candidates"]:
        model = build_model(each["model"], classes=12, image_size=32, pretrained=False)
        assert each["parameters"] == sum(parameter.numel() for parameter in model.parameters())
        assert each["epochs"] == [1, 1]
        assert each["seconds_per_fold"] > 0
        assert each["initial_weights"] == "from scratch, as asked"
        assert (each["learning_rate"], each["weight_decay"]) == OPTIMIZER_DEFAULTS[each["optimizer"]]


@pytest.mark.skipif(not has_weights("lite0"), reason="the weights of lite0 are not installed")
def test_lite0_is_fine_tuned_from_the_weights_that_are_installed_in_every_fold(demo, tmp_path, monkeypatch):
    started, build = [], networks.build_model

    def watched(name, **options):
        model = build(name, **options)
        if options["pretrained"]:
            started.append(model.state_dict()["features.0.0.weight"].clone())
        return model

    monkeypatch.setattr(networks, "build_model", watched)
    # in this process
    monkeypatch.setattr(study, "measure_once", lambda *args, **options: ALONE)
    options = [*TINY, "--models", "lite0", "--optimizers", "adamw", "--pretrained", "--epochs", 2, "--json"]
    result = done("compare-models", demo, "--output", tmp_path / "study", *options)
    (candidate,) = json.loads(result.stdout)["candidates"]
    assert candidate["initial_weights"] == "pretrained"
    assert "from scratch" not in result.stderr
    assert len(started) == 2
    assert all(torch.equal(each, embedded_state("lite0")["features.0.0.weight"]) for each in started)


@pytest.mark.skipif(not has_weights("lite0"), reason="the weights of lite0 are not installed")
@pytest.mark.parametrize(("compared", "said"), [((), "`model='lite0'`"), (("lenet",), "lite0 among `models`")])
def test_a_network_with_weights_is_named_as_the_command_takes_it(compared, said):
    listener = Listener()
    with_weights(Recipe(model="lenet", epochs=1), listener, compared=compared)
    assert listener.lines[0].endswith(f"; {said} has weights that are installed")
    with_weights(Recipe(model="lenet", epochs=1), listener, compared=("lenet", "lite0"))
    assert listener.lines[1].endswith("there are no weights for it")


def test_the_command_of_the_best_trains_it(compared, demo):
    for each in compared.result["candidates"]:
        settings = settings_of(each["command"])
        assert shlex.split(each["command"])[2] == str(demo)
        assert (settings.model, settings.optimizer) == (each["model"], each["optimizer"])
        assert (settings.size, settings.epochs, settings.batch_size, settings.pretrained) == (32, 1, 32, False)


def test_json_csv_and_markdown_say_the_same(compared):
    result = compared.result
    assert json.loads((compared.folder / "models.json").read_text()) == result
    table = pd.read_csv(compared.folder / "models.csv")
    assert (table["model"] + "-" + table["optimizer"]).tolist() == [each["name"] for each in result["candidates"]]
    assert table["macro_f1"].tolist() == pytest.approx([each["pooled"]["macro_f1"] for each in result["candidates"]])
    text = (compared.folder / "models.md").read_text()
    assert result["next"] == result["candidates"][0]["command"]
    assert result["next"] in text
    assert [line for line in text.splitlines() if line.startswith("| ")][2].count("|") == 10


def test_tensorboard_has_a_log_of_every_fold_and_the_scores_beside_the_settings(compared):
    training = RunFolder(compared.folder).training_folder
    for each in compared.result["candidates"]:
        for fold in range(2):
            log = EventAccumulator(str(training / each["name"] / f"fold-{fold}")).Reload()
            assert {"train/loss", "held_out/macro_f1"} <= set(log.Tags()["scalars"])
        scores = []
        for path in (training / each["name"]).glob("events.out.tfevents.*"):
            log = EventAccumulator(str(path)).Reload()
            if "out_of_fold/macro_f1" in log.Tags()["scalars"]:
                scores += [event.value for event in log.Scalars("out_of_fold/macro_f1")]
                assert "_hparams_/session_start_info" in log.summary_metadata
        assert scores == pytest.approx([each["pooled"]["macro_f1"]], abs=1e-6)


def test_find_issues_takes_the_probabilities_of_a_candidate(compared, demo, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    file = compared.folder / "probabilities-squeezenet1_1-adam.npz"
    done("find-issues", demo, "--probabilities", file, "--no-text", "--run", "run")
    run = RunFolder(tmp_path / "run")
    assert len(run.issues()) == 120
    with np.load(run.probabilities_file) as content:
        probs = compared.predictions("squeezenet1_1-adam")["probs"]
        assert np.allclose(content["probs"], probs, atol=1e-6, equal_nan=True)


def test_weights_are_not_kept(compared):
    files = list(compared.folder.rglob("checkpoint.pt"))
    assert len(files) == 8
    assert all(torch.load(file, weights_only=True)["model"] is None for file in files)
    assert sum(file.stat().st_size for file in compared.folder.rglob("*")) < 2_000_000


def test_prices_are_compared_by_their_error(demo, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    options = ["--models", "lenet,squeezenet1_1", "--target", "price", "--loss", "log-huber"]
    output = done("compare-models", demo, *options, *TINY, "--markdown").stdout
    folder = tmp_path / "studies" / "demo" / "1"
    assert output == (folder / "models.md").read_text()
    result = json.loads((folder / "models.json").read_text())
    assert result["scores"] == ["mae", "median_ae"]
    best, other = result["candidates"]
    errors = []
    for each in (best, other):
        prices = pd.read_csv(folder / f"prices-{each['name']}.csv").query("fold >= 0")
        errors.append((prices["predicted_price"] - prices["given_price"]).abs())
        assert each["pooled"]["mae"] == pytest.approx(errors[-1].mean(), abs=0.01)
        assert each["pooled"]["median_ae"] == pytest.approx(errors[-1].median(), abs=0.01)
    assert other["behind"]["mean"] == pytest.approx((errors[1] - errors[0]).mean(), abs=0.02)
    assert "MAE" in output
    assert " SGD behind (95 % interval" in output


def test_a_candidate_that_diverges_does_not_end_the_others(demo, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    command = ["compare-models", demo, "--models", "lenet", *TINY, "--lr", 100, "--schedule", "constant", "--json"]
    command += ["--batch-size", 8, "--seed", 1]
    ended = done(*command, "--optimizers", "adam,sgd")
    result = json.loads(ended.stdout)
    assert [each["name"] for each in result["candidates"]] == ["lenet-adam"]
    assert result["diverged"] == ["lenet-sgd"]
    assert "warning: lenet, sgd: training diverged in epoch 1" in ended.stderr
    assert any("lenet, sgd: training diverged" in warning for warning in result["warnings"])
    alone = curate(*command, "--optimizers", "sgd")
    assert alone.exit_code == 1
    assert "all candidates diverged; choose a --lr below 100" in alone.stderr


# going on


def test_a_resumed_comparison_ends_as_an_undisturbed_one(compared, demo, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    trained, run_jobs = [], study.run_jobs

    def interrupted(jobs, *arguments, **options):
        trained.append(jobs[0].folder.parent.name)
        if len(trained) == 2:
            raise KeyboardInterrupt
        return run_jobs(jobs, *arguments, **options)

    command = ["compare-models", demo, "--models", "lenet", "--optimizers", "adam,sgd", *TINY]
    with monkeypatch.context() as patch:
        patch.setattr(study, "run_jobs", interrupted)
        ended = curate(*command)
    assert ended.exit_code == 1
    assert ended.stderr.splitlines()[-1].startswith("Interrupted. Resume where it stopped with: curate compare-models")
    folder = tmp_path / "studies" / "demo" / "1"
    kept = {path: path.stat().st_mtime_ns for path in folder.rglob("checkpoint.pt")}
    assert {path.parent.parent.name for path in kept} == {"lenet-adam"}
    done(*command)
    assert [path.name for path in folder.parent.iterdir()] == ["1"]
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    for name in ("lenet-adam", "lenet-sgd"):
        with np.load(folder / f"probabilities-{name}.npz") as content:
            # the last digits depend on the layout and the threads that were the fastest
            assert np.allclose(content["probs"], compared.predictions(name)["probs"], atol=1e-3, equal_nan=True)


# what is refused


@pytest.mark.parametrize(
    ("options", "match"),
    [
        (["--models", "resnet81,lenet"], r"unknown model: got resnet81.*Did you mean 'resnet18'\?$"),
        (["--optimizers", "adam,sdg"], r"unknown optimizer: got sdg; wanted adamw, adam, sgd. Did you mean 'sgd'\?$"),
        (["--models", "lenet,resnet18,lenet"], "--models has a name twice: got lenet"),
        (["--optimizers", "sgd,sgd"], "--optimizers has a name twice: got sgd"),
        (["--models", " , "], "--models is empty: wanted at least one name"),
        (["--image-size", 64], "inception_v3 can't take photos of 64 pixels.*75"),
        (["--folds", 1], "1 folds can't be made"),
        (["--folds", 31], "31 folds can't be made of 30 listings"),
        (["--iterations", 100, "--lr-steps", "100:1e-5"], "begins at iteration 100, after the end of training"),
        (["--epochs", 2, "--lr-steps", "5:1e-5"], "begins at iteration 5, after the end of training"),
        (["--loss", "mse"], "--loss has no effect on labels"),
        (["--target", "price", "--balance", "weights"], "balancing classes has no effect on a price model"),
        (["--json", "--markdown"], "--markdown has no effect with --json"),
    ],
)
def test_what_cannot_be_compared_is_refused_before_anything_is_made(options, match, here):
    assert_refused(here, "compare-models", "shop", *options, match=match)


def test_prices_that_are_not_there_are_refused(here):
    table = pd.read_csv(here / "shop" / "listings.csv").drop(columns="price")
    table.to_csv(here / "shop" / "listings.csv", index=False)
    assert_refused(here, "compare-models", "shop", "--target", "price", match="has no prices to predict")
    assert_refused(here, "compare-models", "shop", "--use-price", match="has no prices to train with")


def test_a_photo_size_that_a_vision_transformer_cannot_take_is_refused():
    with pytest.raises(InputError, match="vit_b_16 can't take photos of 50 pixels"):
        build_model("vit_b_16", classes=3, image_size=50, pretrained=False)


def test_without_a_size_photos_are_as_large_as_all_models_need():
    sizes = [
        {each.size for each in candidates_of(SETTINGS, models, ["adam"])}
        for models in (["resnet18", "lenet"], ["lenet", "inception_v3"])
    ]
    assert sizes == [{64}, {75}]


# who is best, in numbers and in words


def behind_best(tmp_path, groups, labels, predictions):
    """Return how far each is behind the best, and the interval, with answers of two classes."""
    numbers = np.array(labels)
    data = Data(np.zeros((len(labels), 2, 2, 3), dtype=np.uint8), None, "", np.array(groups), 2)
    usable = np.ones(len(labels), dtype=bool)
    prepared = Prepared(RunFolder(tmp_path), pd.DataFrame(), ("a", "b"), None, data, numbers, usable, ())
    scores = {}
    for name, answers in predictions.items():
        right = float((np.array(answers) == numbers).mean())
        probs = np.eye(2, dtype=np.float32)[answers]
        scores[name] = FoldScores(np.arange(len(labels)), probs, [], {"macro_f1": right, "accuracy": right})
    assert ranked(scores, "label")[0] == "good"
    return {name: each.to_dict() for name, each in behind(prepared, SETTINGS, scores).items()}


def test_reposts_make_a_difference_no_surer(tmp_path):
    labels = [0, 1] * 20
    predictions = {"poor": [0, 0] * 10 + labels[20:], "good": [*labels[:36], 0, 0, 0, 0]}
    alone = behind_best(tmp_path, list(range(40)), labels, predictions)
    twice = {name: answers * 2 for name, answers in predictions.items()}
    assert behind_best(tmp_path, list(range(40)) * 2, labels * 2, twice) == alone
    apart = behind_best(tmp_path, list(range(80)), labels * 2, twice)
    assert apart["poor"]["low"] > alone["poor"]["low"]


def test_the_same_answers_are_no_difference(tmp_path):
    same = behind_best(tmp_path, list(range(40)), [0, 1] * 20, {"good": [0, 1] * 20, "too": [0, 1] * 20})
    assert same == {"too": {"mean": 0.0, "low": 0.0, "high": 0.0}}


def candidate(name, score, low=None, high=0.1):
    behind = None if low is None else Difference(0.9 - score, low, high)
    scores = {"macro_f1": score, "accuracy": score}
    return Candidate(
        f"{name}-adam", name, "adam", 0.001, 0.0, scores, scores, scores, [], behind, None if low is None else low > 0,
        {}, 1000, "pretrained", 1.0, 1, [1], [None], "curate train shop",
    )  # fmt: skip


def outcome(*candidates):
    counts = {"train": 480, "test": 120, "all": 600}
    scores = ("macro_f1", "accuracy")
    return ModelComparison(Path("x"), "label", "SGD", scores, 2, counts, {}, candidates, [], []).sentence


def test_the_sentence_says_who_won_and_whether_the_listings_can_tell():
    best = candidate("resnet18", 0.9)
    assert outcome(best) == (
        "resnet18 with adam: macro-F1 0.900 over these 480 listings; there is nothing to compare it with."
    )
    assert outcome(best, candidate("lenet", 0.8, 0.05, 0.15)) == (
        "resnet18 with adam won: macro-F1 0.900. The next, lenet with adam, is 0.100 behind (95 % interval 0.050 to "
        "0.150): more than the choice of listings explains."
    )
    assert outcome(best, candidate("vgg11", 0.88, -0.02, 0.06), candidate("lenet", 0.8, 0.05, 0.15)) == (
        "resnet18 with adam came first: macro-F1 0.900. The next, vgg11 with adam, is 0.020 behind (95 % interval "
        "−0.020 to 0.060): less than these 480 listings can show (about 0.040)."
    )
    assert outcome(best, candidate("vgg11", 0.88, -0.02, 0.06), candidate("lenet", 0.87, -0.01)).endswith(
        " Nor is there a clear difference from lenet with adam."
    )
    assert outcome(best, candidate("vgg11", 0.88, 0.01, 0.03), candidate("lenet", 0.87, -0.01)).endswith(
        "explains. No clear difference from lenet with adam."
    )


# the command that trains the best


def settings_of(line):
    """Return what `curate train` makes of a command line."""
    program, command, *words = shlex.split(line)
    assert (program, command) == ("curate", "train")
    options = train.make_context("train", words).params
    form = [field.name for field in fields(DatasetForm)]
    for name in ("dataset", "output", "cache_dir", "as_json", "device", "wait", *form):
        del options[name]
    return model_recipe(options)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"model": "inception_v3", "image_size": 299, "epochs": 30, "batch_size": 128, "optimizer": "sgd"},
        {"learning_rate": 5e-5, "lr_steps": ((20000, 1e-6), (30000, 1e-7)), "schedule": "constant"},
        {"learning_rate": 0.0012345678901234, "weight_decay": 0.0, "label_smoothing": 0.0, "seed": 7},
        {"schedule": "cosine", "iterations": 40000, "early_stop": 3, "balance": "augment", "augment": "none"},
        {"use_price": True, "pretrained": False, "image_size": 64},
        {"target": "price", "loss": "log-huber"},
        {"precision": "bfloat16", "threads": 2},
    ],
)
def test_a_command_line_gives_its_settings_back(changes):
    settings = replace(SETTINGS, **changes)
    line = command_line(settings, "my shop/listings.csv", "--column", "label=the category")
    assert settings_of(line) == settings


def test_a_command_line_says_only_what_differs_from_the_defaults():
    assert command_line(SETTINGS, "demo") == "curate train demo"
    assert command_line(replace(SETTINGS, optimizer="sgd"), "a b") == "curate train 'a b' --optimizer sgd"
