"""Networks that tell prices by photos: out of fold, resumed, and one more view of what is usual."""

from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from curation.find import find
from curation.issues.price.kind import KIND
from curation.listings import read_listings
from tests.cli.test_cli import assert_refused
from tests.cli.test_cli_refused import here  # noqa: F401
from tests.curation.issues.test_issues import changed, marketplace
from tests.curation.issues.test_prices import of_class
from tests.curation.test_find import NETWORKS as WITH_NETWORKS
from tests.curation.test_find import Listener, arranged  # noqa: F401
from tests.support.synthetic import ALONE, CPU, NETWORKS, coloured_photos, plan_of
from training.crossval.cross_validate import cross_validate_prices
from training.crossval.jobs import Data
from training.crossval.plan import Work, make_plan
from training.errors import InputError
from training.fit.throughput import Arrangement

PRICES = replace(NETWORKS, target="price", loss="log-huber", epochs=12, batch_size=8)
WITHOUT_PRICES = replace(WITH_NETWORKS, text=False)
WITH_PRICES = replace(WITHOUT_PRICES, price_model=True)


# networks, fold by fold


def coloured_prices(n=60):
    """Return photos whose price is told by their colour, and the prices."""
    photos, labels = coloured_photos(n)
    rng = np.random.default_rng(1)
    return photos, (np.array([10, 100, 1000])[labels] * np.exp(rng.normal(0, 0.1, n))).astype(np.float32)


def told(folder, photos, prices, plan, settings=PRICES, **options):
    data = Data(photos, None, "photos", plan.groups, classes=3)
    return cross_validate_prices(data, prices, plan, settings=settings, arrangement=ALONE, folder=folder, **options)


def test_prices_that_photos_show_are_told_by_the_network_that_never_saw_them(tmp_path):
    photos, prices = coloured_prices()
    found = told(tmp_path, photos, prices, plan_of(60))
    assert found.shape == (60,)
    assert np.corrcoef(np.log(found), np.log(prices))[0, 1] > 0.8
    for fold in range(3):
        assert (tmp_path / f"price-fold-{fold}" / "checkpoint.pt").exists()


def test_neither_its_own_price_nor_one_that_may_not_train_has_a_say_in_what_is_told(tmp_path):
    photos, prices = coloured_prices()
    plan = plan_of(60, may_train=np.arange(60) % 5 > 0)
    settings = replace(PRICES, epochs=1)
    first = told(tmp_path / "a", photos, prices, plan, settings)
    other = np.where(plan.may_train & (plan.fold > 0), prices, np.float32(np.nan))
    second = told(tmp_path / "b", photos, other, replace(plan, may_train=np.isfinite(other)), settings)
    assert np.array_equal(first[plan.fold == 0], second[plan.fold == 0])


def test_what_is_finished_is_read_back_and_what_has_no_photo_is_told_nothing(tmp_path):
    photos, prices = coloured_prices()
    plan, settings, said = plan_of(60, has_photo=np.arange(60) != 7), replace(PRICES, epochs=1), []
    first = told(tmp_path, photos, prices, plan, settings)
    assert np.flatnonzero(np.isnan(first)).tolist() == [7]
    again = told(tmp_path, photos, prices, plan, settings, say=said.append)
    assert np.array_equal(first, again, equal_nan=True)
    assert said == [f"price model {number} of 3 is done already" for number in (1, 2, 3)]


def test_a_fold_without_two_prices_to_train_on_is_refused(tmp_path):
    photos, prices = coloured_prices()
    plan = plan_of(60)
    few = replace(plan, may_train=plan.fold == 0)
    with pytest.raises(InputError, match=r"fold 1 has nothing to train on: got 0 listings with a photo and a price"):
        told(tmp_path, photos, prices, few)


def test_the_plan_counts_the_time_of_price_models(monkeypatch):
    monkeypatch.setattr("training.crossval.plan.measure", lambda *_, **__: Arrangement(CPU, 1, 1, 1.0, 1.0))
    work = Work(photos=60, rows=40, scored=20, classes=3, models=3)
    alone, with_prices, twice = (
        make_plan(NETWORKS, each, CPU).seconds["networks"]
        for each in (work, replace(work, networks_alone=3), replace(work, models=6))
    )
    assert with_prices == pytest.approx(twice)
    assert with_prices == pytest.approx(2 * alone)


# a view of what is usual


def test_a_price_that_the_photo_explains_is_no_issue():
    evidence, _ = marketplace(400, noise=0)
    mice = of_class(evidence, "mouse", 12)
    price = evidence.listings["price"].copy()
    price[mice] = np.round(900 * np.exp(np.random.default_rng(0).normal(0, 0.2, 12)))
    evidence = changed(evidence, price=price)
    sure = replace(evidence, told_price=price.to_numpy() * np.exp(np.random.default_rng(1).normal(0, 0.2, 400)))
    without, with_told = KIND.find(evidence), KIND.find(sure)
    assert without["is_price_issue"][mice].all()
    assert not with_told["is_price_issue"][mice].any()


def test_networks_that_know_nothing_of_prices_change_few_flags():
    evidence, _ = marketplace(noise=0)
    price = evidence.listings["price"].copy()
    price[[0, 1, 2]] *= [100, 1 / 100, 100]
    guesses = np.exp(np.random.default_rng(0).normal(4, 1, 300))
    found = KIND.find(replace(changed(evidence, price=price), told_price=guesses))
    assert found["is_price_issue"][:3].sum() >= 2
    assert found["is_price_issue"][3:].mean() < 0.01


def test_where_nothing_is_told_the_class_speaks_for_it():
    evidence, _ = marketplace(noise=0)
    without = KIND.find(evidence)
    for nothing in (np.nan, 0.0, np.inf):
        found = KIND.find(replace(evidence, told_price=np.full(300, nothing)))
        columns = ["price_score", "price_low", "price_high"]
        pd.testing.assert_frame_equal(found[columns], without[columns])
    some = np.where(np.arange(300) % 2, np.nan, evidence.listings["price"])
    found = KIND.find(replace(evidence, told_price=some))
    assert found[columns].notna().all(axis=None)


def test_the_order_of_rows_does_not_matter_to_what_is_told():
    evidence, _ = marketplace()
    rng = np.random.default_rng(1)
    evidence = replace(evidence, told_price=evidence.listings["price"].to_numpy() * np.exp(rng.normal(0, 0.3, 300)))
    order = rng.permutation(300)
    shuffled = replace(
        evidence,
        listings=evidence.listings.iloc[order],
        probs=evidence.probs[order],
        told_price=evidence.told_price[order],
    )
    pd.testing.assert_frame_equal(KIND.find(evidence), KIND.find(shuffled).loc[evidence.listings.index])


# find-issues


class Impatient(Listener):
    """Presses Ctrl-C after the first price model."""

    @contextmanager
    def bar(self, what):
        def progress(done, total):
            if what == "training price models" and done > total / 2:
                raise KeyboardInterrupt

        yield progress


def test_a_run_with_price_models_differs_from_one_without_in_prices_alone_and_goes_on_when_interrupted(
    demo,
    tmp_path,
    arranged,  # noqa: F811
):
    listings = read_listings(demo)
    with pytest.raises(KeyboardInterrupt):
        find(listings, WITH_PRICES, run_folder=tmp_path / "cut", reporter=Impatient())
    listener = Listener()
    resumed = find(listings, WITH_PRICES, run_folder=tmp_path / "cut", reporter=listener)
    assert {"fold 2 of 2 is done already", "price model 1 of 2 is done already"} <= set(listener.lines)
    without = find(listings, WITHOUT_PRICES, run_folder=tmp_path / "without")
    assert not list(without.training_folder.glob("price-*"))
    same = ["label_score", "suggested_label", "near_duplicate_score", "outlier_score"]
    pd.testing.assert_frame_equal(resumed.issues()[same], without.issues()[same])
    assert (resumed.issues()["price_score"] != without.issues()["price_score"]).any()


def test_a_time_limit_without_time_for_networks_leaves_out_price_models_and_says_so(demo, tmp_path, monkeypatch):
    monkeypatch.setattr("training.crossval.plan.measure", lambda *_, **__: Arrangement(CPU, 1, 1, 1000.0, 1000.0))
    settings = replace(WITH_PRICES, train=replace(WITH_PRICES.train, time_limit=600))
    listener = Listener()
    run = find(read_listings(demo), settings, run_folder=tmp_path / "run", reporter=listener)
    assert any("nor does it leave time for price models" in line for line in listener.lines)
    assert run.record()["status"] == "finished"
    assert not list(run.training_folder.glob("price-*"))


# what is refused


def test_price_models_are_refused_where_no_network_is_trained(here):  # noqa: F811
    assert_refused(
        here, "find-issues", "shop", "--price-model",
        match="--price-model has no effect without a network: got --preset standard; wanted --preset thorough",
    )  # fmt: skip


def test_price_models_are_refused_beside_probabilities(here):  # noqa: F811
    assert_refused(
        here, "find-issues", "plain.csv", "--probabilities", "probs.csv", "--price-model",
        match="--price-model has no effect with --probabilities",
    )  # fmt: skip


def test_price_models_are_refused_without_prices(here):  # noqa: F811
    table = pd.read_csv(here / "shop" / "listings.csv").drop(columns="price", errors="ignore")
    table.to_csv(here / "shop" / "unpriced.csv", index=False)
    assert_refused(
        here, "find-issues", "shop/unpriced.csv", "--epochs", "1", "--no-pretrained", "--price-model",
        match=r"--price-model needs prices: got no listing with a photo and a price above 0.*--column price=NAME",
    )  # fmt: skip
