"""`curate train`: one model, its scores, and what it refuses."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from click.testing import CliRunner
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from curation.cli import main
from tests.cli.test_cli import done
from tests.support.synthetic import ALONE
from training.networks.embedded import has_weights
from training.networks.lite import embedded_state
from training.networks.saved import load_model

QUICK = ("--model", "lenet", "--image-size", "32", "--epochs", "2", "--no-pretrained", "--device", "cpu")

needs_weights = pytest.mark.skipif(not has_weights("lite0"), reason="the weights of lite0 are not installed")


def train(dataset, *options, code=0, output="model"):
    result = CliRunner().invoke(main, ["train", str(dataset), *QUICK, "--output", str(output), *options])
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    return result


def metrics(folder="model"):
    return json.loads((Path(folder) / "metrics.json").read_text())


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def trained(demo, tmp_path_factory):
    """The folder of a model, and what its training printed; tests must not change it."""
    folder = tmp_path_factory.mktemp("trained") / "model"
    return folder, train(demo, output=folder).output


@pytest.fixture
def shop(demo, here):
    """A copy of the demo that a test may change, and its table."""
    shutil.copytree(demo, here / "shop")
    return here / "shop"


def change(shop, **columns):
    table = pd.read_csv(shop / "listings.csv", dtype=str)
    for name, values in columns.items():
        table[name] = values(table) if callable(values) else values
    table.to_csv(shop / "listings.csv", index=False)


@needs_weights
def test_lite0_is_fine_tuned_from_the_weights_that_are_installed(demo):
    # at a rate that changes nothing, the model still has the weights that it started from
    options = ["--model", "lite0", "--pretrained", "--epochs", "1", "--lr", "1e-12"]
    assert "from scratch" not in train(demo, *options).output
    content = metrics()
    assert content["initial_weights"] == "pretrained"
    trained, installed = load_model(Path("model/model.pt")).net.state_dict(), embedded_state("lite0")
    for name in ("features.0.0.weight", "features.17.0.weight"):
        assert torch.allclose(trained[f"body.{name}"], installed[name], atol=1e-6)


# labels


def test_a_model_is_scored_on_both_parts_and_everything_is_written(trained):
    folder, output = trained
    content = metrics(folder)
    counts = content["listings"]
    assert counts["all"] == 120
    assert counts["train"] + counts["test"] < 120, "unreadable photos are neither trained on nor scored"
    assert counts["test"] / (counts["train"] + counts["test"]) == pytest.approx(0.2, abs=0.05)
    for part in ("train", "test"):
        scores = content[part]
        assert np.sum(scores["confusion"]) == counts[part]
        assert sum(of["support"] for of in scores["per_class"].values()) == counts[part]
        assert set(scores["macro"]) == set(scores["weighted"]) == {"precision", "recall", "f1"}
        assert scores["macro"]["f1"] == pytest.approx(scores["macro_f1"])
        # the weighted mean of the recalls is the accuracy
        assert scores["weighted"]["recall"] == pytest.approx(scores["accuracy"])
    assert "macro average" in output
    assert "weighted average" in output
    assert f"macro-F1 {content['test']['macro_f1']:.3f}" in output
    log = EventAccumulator(str(folder / "training/log")).Reload()
    assert {"train/loss", "train/macro_f1", "held_out/loss", "held_out/macro_f1"} <= set(log.Tags()["scalars"])
    assert "test/confusion" in log.Tags()["images"]
    assert not list(folder.rglob("checkpoint.pt"))


def test_the_predictions_have_every_listing_and_agree_with_the_scores(demo, trained):
    folder, _ = trained
    predictions = pd.read_csv(folder / "predictions.csv", dtype={"id": str})
    assert predictions["id"].tolist() == pd.read_csv(demo / "listings.csv", dtype=str)["id"].tolist()
    scored = metrics(folder)["listings"]
    assert predictions["predicted_label"].isna().sum() == 120 - scored["train"] - scored["test"]
    test = predictions.query("split == 'test' and predicted_label.notna()")
    agrees = (test["given_label"] == test["predicted_label"]).mean()
    assert agrees == pytest.approx(metrics(folder)["test"]["accuracy"])
    assert predictions["confidence"].dropna().between(0, 1).all()


def test_a_split_of_the_table_is_the_split(shop):
    change(shop, split=lambda table: np.where(np.arange(len(table)) % 3 == 0, "test", "train"))
    train(shop)
    predictions = pd.read_csv("model/predictions.csv")
    assert (predictions["split"] == "test").sum() == 40


def test_reposts_of_test_listings_do_not_train(trained):
    table = pd.read_parquet(trained[0] / "listings.parquet")
    sides = table.dropna(subset=["near_group"]).groupby("near_group")["split"].nunique()
    assert len(sides) > 0
    assert (sides == 1).all()


def test_the_same_command_trains_the_same_model(demo, monkeypatch):
    # how this machine trains fastest is measured, and may come out otherwise the next time
    monkeypatch.setattr("training.crossval.plan.measure", lambda *_, **__: ALONE)
    for name in ("one", "two"):
        train(demo, output=name)
    assert metrics("one")["test"] == metrics("two")["test"]
    first, second = (load_model(Path(name) / "model.pt").net.state_dict() for name in ("one", "two"))
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_a_model_keeps_its_recipe(demo):
    train(
        demo, "--optimizer", "adam", "--lr", "1e-3", "--lr-steps", "8:1e-4", "--balance", "augment", "--augment",
        "randaugment", "--use-price", "--early-stop", "5", "--batch-size", "32",
    )  # fmt: skip
    saved = load_model(Path("model") / "model.pt")
    assert saved.facts["decimal"] == "."
    recipe = saved.recipe
    assert (recipe.lr_steps, recipe.schedule, recipe.use_price) == (((8, 1e-4),), "constant", True)
    assert (recipe.optimizer, recipe.balance, recipe.augment) == ("adam", "augment", "randaugment")
    assert metrics()["best_epoch"] in (0, 1)
    assert metrics()["listings"]["train"] > 0


def test_training_by_iterations_stops_there(demo):
    without_epochs = [option for option in QUICK if option not in ("--epochs", "2")]
    done("train", demo, *without_epochs, "--iterations", "7", "--output", "model")
    assert metrics()["iterations"] == 7


def test_json_is_the_content_of_metrics_json(demo):
    assert json.loads(train(demo, "--json").stdout) == metrics()


# prices


@pytest.mark.parametrize("loss", ["huber", "mse", "log-huber"])
def test_prices_are_scored_in_the_currency_over_all_and_by_class(demo, loss):
    output = train(demo, "--target", "price", "--loss", loss).output
    content = metrics()
    assert content["currency"] == "SGD"
    assert f"MAE {content['test']['mae']:,.2f} SGD" in output
    predictions = pd.read_csv("model/predictions.csv")
    test = predictions.query("split == 'test' and predicted_price.notna() and given_price > 0")
    off = (test["given_price"] - test["predicted_price"]).abs()
    assert off.mean() == pytest.approx(content["test"]["mae"], rel=0.01)
    assert off.median() == pytest.approx(content["test"]["median_ae"], rel=0.01)
    assert (predictions["predicted_price"].dropna() >= 0).all()
    by_class = content["test"]["per_class"]
    total = sum(of["mae"] * of["support"] for of in by_class.values() if of["support"])
    assert total / content["listings"]["test"] == pytest.approx(content["test"]["mae"])


def test_listings_without_a_price_above_zero_are_neither_trained_on_nor_scored_with_a_warning(shop):
    def prices(table):
        values = table["price"].tolist()
        values[:9] = ["0"] * 3 + ["-5"] * 3 + [""] * 3
        return values

    before = (pd.to_numeric(pd.read_csv(shop / "listings.csv")["price"]) > 0).iloc[9:].sum()
    change(shop, price=prices)
    output = train(shop, "--target", "price").output
    assert "listings without a price above 0 are neither trained on nor scored" in output
    assert "price is negative or infinite in 3 rows: row 5, " in output
    counts = metrics()["listings"]
    assert counts["train"] + counts["test"] <= before
    assert any("without a price above 0" in warning for warning in metrics()["warnings"])


# refused


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--model", "resnet81"), "unknown model: got resnet81.*Did you mean 'resnet18'"),
        (("--optimizer", "adan"), "unknown optimizer: got adan.*Did you mean 'adam'"),
        (("--model", "inception_v3"), "inception_v3 can't take photos of 32 pixels.*75 pixels or more"),
        (("--loss", "mse"), "--loss has no effect on labels. Add --target price"),
        (("--target", "price", "--balance", "weights"), "no effect"),
        (("--target", "price", "--use-price"), "no effect"),
        (("--target", "price", "--label-smoothing", "0.2"), "--label-smoothing has no effect with --target price"),
        (("--iterations", "5"), "epochs and iterations can't both be given"),
        (("--lr-steps", "5000:1e-6"), "begins at iteration 5000, after the end of training"),
        (("--lr-steps", "5=1e-6"), "--lr-steps can't be read: got 5=1e-6"),
        (("--lr-steps", "5:1e-6", "--schedule", "cosine"), "need a constant schedule"),
        (("--epochs", "0"), "trains nothing"),
        (("--balance", "smote"), "unknown way to balance"),
        (("--column", "price=cost"), "no column 'cost'"),
    ],
)
def test_what_cannot_be_trained_is_refused_and_leaves_nothing(demo, here, options, message):
    output = train(demo, *options, code=2).output
    assert re.search(message, output), output
    assert not (here / "model").exists()


@pytest.mark.parametrize("options", [("--target", "price"), ("--use-price",)])
def test_a_dataset_without_prices_has_none_to_predict_or_to_train_with(shop, here, options):
    table = pd.read_csv(shop / "listings.csv", dtype=str)
    table.drop(columns="price").to_csv(shop / "listings.csv", index=False)
    output = train(shop, *options, code=2).output
    assert "has no prices to" in output
    assert "--column price=NAME" in output
    assert not (here / "model").exists()


def test_a_class_that_is_missing_from_one_side_of_the_split_is_named(shop):
    def split(table):
        test = np.arange(len(table)) % 4 == 0
        labels = table["label"].to_numpy()
        return np.where((labels == "Webcams") | (test & (labels != "Chargers")), "test", "train")

    change(shop, split=split)
    output = train(shop).output
    assert "no model can predict a class without training listings: Webcams" in output
    assert "the scores of a class without test listings stay unknown: Chargers" in output
    assert len(metrics()["warnings"]) >= 2


def test_photos_smaller_than_the_model_needs_are_enlarged_and_counted(shop):
    table = pd.read_csv(shop / "listings.csv", dtype=str)
    for image in table["image"].iloc[20:23]:
        Image.new("RGB", (14, 60), "red").save(shop / image)
    output = train(shop, "--model", "squeezenet1_1", "--epochs", "1").output
    assert "photos smaller than the 17 pixels that squeezenet1_1 needs are enlarged: 3" in output


def test_a_finished_model_is_not_trained_over(demo):
    train(demo)
    assert "holds a finished run" in train(demo, code=2).output
