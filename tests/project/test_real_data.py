"""Real label noise and real prices, on small seeded subsets."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score, f1_score

from curation.find import FindSettings, find
from curation.listings import read_listings
from training.settings import Execution, Recipe


def subset(table, folder, rows, tmp_path, **columns):
    """Write a seeded subset of a table, with photos at their place."""
    chosen = table.sample(rows, random_state=0).assign(**columns)
    chosen["image"] = [str(folder / image) for image in chosen["image"]]
    chosen.to_csv(tmp_path / "subset.csv", index=False)
    return read_listings(tmp_path / "subset.csv", allow_outside=True)


QUICK = FindSettings(folds=2, recipe=Recipe(pretrained=False), execution=Execution(preset="quick", device="cpu"))


def test_human_label_noise_goes_through_the_loop(shared, tmp_path):
    folder = shared / "cifar10n-10k"
    listings = subset(pd.read_csv(folder / "listings.csv"), folder, 400, tmp_path)
    run = find(listings, QUICK, run_folder=tmp_path / "run")
    issues = run.issues()
    assert len(issues) == 400
    assert issues["label_score"].notna().all()
    assert issues["is_price_issue"].isna().all()


def test_sellers_listings_with_price_and_title_go_through_the_loop(shared, tmp_path):
    folder = shared / "gumtree-electronics-dev"
    table = pd.read_csv(folder / "listings.csv").rename(columns={"photo_hash": "group"})
    run = find(subset(table, folder, 300, tmp_path), QUICK, run_folder=tmp_path / "run")
    issues = run.issues()
    assert issues["is_price_issue"].sum() > 0
    assert (issues["price_low"] < issues["price_high"]).all()


@pytest.mark.parametrize(
    ("name", "best", "precision_at_k"),
    [
        ("cifar10n-worst_resnet18", 0.9581, 0.8739),
        ("cifar10n-aggregate_resnet18", 0.8798, 0.7916),
        ("cifar10n-aggregate_efficientnet_b1", 0.8720, 0.7853),
        ("cifar10-synthetic_resnet18", 0.9896, 0.9521),
    ],
)
def test_published_probabilities_are_ranked_as_well_as_by_the_best_score_and_cut_near_the_best_place(
    shared, tmp_path, name, best, precision_at_k
):
    brought = shared / "probabilities" / f"{name}.npz"
    with np.load(brought, allow_pickle=False) as stored:
        classes, labels, truth = stored["classes"], stored["label"], stored["true_label"]
        ids = stored["id"]
    pd.DataFrame({"id": ids, "label": classes[labels]}).to_csv(tmp_path / "table.csv", index=False)
    listings = read_listings(tmp_path / "table.csv", needs_image=False)
    issues = find(listings, FindSettings(probabilities=brought), run_folder=tmp_path / "run").issues()
    wrong = labels != truth
    # the queue also asks how sure it is what to do
    order = np.argsort(issues["label_score"], kind="stable")
    caught = np.cumsum(wrong[order])
    assert caught[wrong.sum() - 1] / wrong.sum() > precision_at_k
    assert average_precision_score(wrong, 1 - issues["label_score"]) > best - 0.002
    oracle = (2 * caught / (np.arange(1, len(wrong) + 1) + wrong.sum())).max()
    assert f1_score(wrong, issues["is_label_issue"].astype(bool)) > 0.96 * oracle
