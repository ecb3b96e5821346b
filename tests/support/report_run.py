"""Run folders for the tests of the report, written directly: no photo is looked at and nothing is trained."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from curation.issues import COLUMNS, KINDS
from curation.run.folder import RunFolder

_PHOTOS = 40


def write_run(
    folder: Path,
    listings: int = 60,
    classes: int | list[str] = 4,
    *,
    photos: bool = True,
    prices: bool = True,
) -> RunFolder:
    """Write what find-issues leaves behind, as if a tenth of the listings were flagged of each kind."""
    rng = np.random.default_rng(0)
    folder.mkdir(parents=True)
    names = [f"Class {number:02}" for number in range(classes)] if isinstance(classes, int) else classes
    label = rng.integers(len(names), size=listings)
    table = pd.DataFrame({"id": [f"L{row:06}" for row in range(listings)]})
    table["image"] = [f"photo-{row % _PHOTOS}.jpg" if photos else None for row in range(listings)]
    table["label"] = np.array(names)[label]
    table["price"] = np.exp(rng.normal(3 + label % 5, 0.4)).round(2) if prices else np.nan
    table["title"] = [f"Title of listing {row}, as good as new" for row in range(listings)]
    if photos:
        for number in range(_PHOTOS):
            noise = rng.integers(0, 255, (40, 60, 3), dtype=np.uint8)
            # noise makes the largest files
            Image.fromarray(noise).resize((480, 320)).save(folder / f"photo-{number}.jpg", quality=70)
    run = RunFolder(folder)
    run.write_table(run.listings_file, table)
    run.write_table(run.issues_file, _issues(table, names, rng))
    run.update(
        status="finished",
        command=["/somewhere/curate", "find-issues", "my shop"],
        started="2026-01-02T03:04:05.678+00:00",
        finished="2026-01-02T03:14:05.678+00:00",
        versions={"curate": "0.1.0", "torch": "2.9.0"},
        dataset={"name": "shop", "root": str(folder), "currency": "SGD", "classes": names, "sha256": "ab" * 32},
        settings={"folds": 5, "train": {"preset": "standard", "epochs": None, "seed": 7}, "probabilities": None},
        seed=7,
        sha256={"table": "ab" * 32, "images": "cd" * 32},
        seconds={"photos": 12.5, "train": 600.0},
    )
    run.training_folder.mkdir()
    write_json(run.health_file, _health(names, table["label"]))
    return run


def _issues(table: pd.DataFrame, names: list[str], rng: np.random.Generator) -> pd.DataFrame:
    issues = pd.DataFrame({"id": table["id"], "image": table["image"], "given_label": table["label"]})
    issues["price"] = table["price"]
    for kind in KINDS:
        issues[kind.flag] = pd.array(rng.random(len(table)) < 0.1, dtype="boolean")
    if table["price"].isna().all():
        issues["is_price_issue"] = pd.array([pd.NA] * len(table), dtype="boolean")
    issues["suggested_label"] = rng.choice(names, len(table))
    issues["suggested_confidence"] = rng.random(len(table))
    issues["price_low"], issues["price_high"] = table["price"] / 3, table["price"] * 3
    flagged = issues["is_price_issue"].fillna(False)
    issues["price_score"] = np.where(flagged, 0.1, 1.0)
    issues["price_cause"] = pd.Series(["other"] * len(table)).where(flagged)
    issues["price_at_stake"] = (0.9 * table["price"]).where(flagged)
    issues["priority"] = rng.permutation(len(table)) + 1
    issues["reasons"] = [f"reason of {id}; another one" for id in table["id"]]
    return issues.reindex(columns=list(COLUMNS)).astype(COLUMNS)


def _health(names: list[str], labels: pd.Series) -> dict[str, Any]:
    counts = labels.value_counts()
    rows = [
        {
            "class": name,
            "listings": int(counts.get(name, 0)),
            "flagged": max(int(counts.get(name, 0)) // 10, 1),
            "label_quality": 0.9,
            "estimated_noise": 0.1,
        }
        for name in names
        if counts.get(name, 0)
    ]
    pair = {"first": names[0], "second": names[1], "flagged": 5, "listings": 6, "share": 0.01}
    return {
        "label_health": 0.9,
        "noise_count": len(labels) // 10,
        "listings": len(labels),
        "classes": rows,
        "confused": [pair],
    }


def write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, allow_nan=False))


def comparison_of(run: RunFolder) -> dict[str, Any]:
    """Return a comparison with every key of docs/data.md that is not made of others, for the classes of a run."""
    rng = np.random.default_rng(1)
    names, ids = run.classes, run.issues()["id"].tolist()
    scores = _scores(names, ids, rng)
    control = {"macro_f1": 0.7, "accuracy": 0.72, "macro_f1_by_seed": [0.7, 0.7], "accuracy_by_seed": [0.72, 0.72]}
    controls = {
        name: {**control, "difference": spread(mean)}
        for name, mean in [
            ("random_deletion", -0.01),
            ("all_suggestions", 0.03),
            ("relabelled_only", 0.05),
            ("deleted_only", 0.01),
            ("correct_labels", 0.09),
        ]
    }
    return {
        "made": "2026-01-03T03:04:05.678+00:00",
        "command": ["curate", *["retrain", "--compare", "--seeds", "2", "--controls", "--truth", "truth.csv"]],
        "model": "linear models on features of resnet18",
        "epochs": 0,
        "settings": {"preset": "standard", "model": "resnet18", "epochs": 0, "seed": 7},
        "test_listings": 120,
        "test_groups": 110,
        "seeds": [7, 8],
        "left_out_like_test": 3,
        "train_listings": {"before": 400, "after": 390, **dict.fromkeys(controls, 390)},
        "relabelled": 30,
        "deleted": 10,
        "changes": [
            {"action": "relabel", "old_label": old, "new_label": new, "source": "person", "listings": 9}
            for old, new in pairwise(names)
        ]
        + [{"action": "delete", "old_label": names[0], "new_label": None, "source": "suggestion", "listings": 4}],
        "training": {
            name: {"before": 40, "after": 38, "relabelled_to": 9, "relabelled_away": 7, "deleted": 4} for name in names
        },
        "warnings": ["The test set is small.", f"{names[-1]} has no test listings."],
        **scores,
        "reviewed_test_labels": {"decided": 12, "relabelled": 9, "deleted": 1, **_scores(names, ids, rng)},
        "true_test_labels": {"listings": 118, **_scores(names, ids, rng)},
        "controls": controls,
        "share_of_possible": {"mean": 0.5, "low": -0.1, "high": 0.9},
    }


def spread(mean: float) -> dict[str, float]:
    return {"mean": mean, "low": mean - 0.02, "high": mean + 0.03}


def _scores(names: list[str], ids: list[str], rng: np.random.Generator) -> dict[str, Any]:
    sides = [
        {name: {"precision": 0.6, "recall": 0.7, "f1": float(rng.uniform(0.4, 0.9)), "support": 10} for name in names}
        for _ in range(2)
    ]
    before, after = (
        {
            "macro_f1": macro,
            "accuracy": macro + 0.02,
            "macro_f1_by_seed": [macro, macro],
            "accuracy_by_seed": [macro, macro],
            "per_class": side,
        }
        for macro, side in zip((0.7, 0.745), sides, strict=True)
    )
    per_class = {}
    for name in names:
        change = sides[1][name]["f1"] - sides[0][name]["f1"]
        per_class[name] = {"before": sides[0][name], "after": sides[1][name]}
        per_class[name] |= {"difference": spread(change)}
    # the last class has no test listings
    untested = {side: {**per_class[names[-1]][side], "support": 0} for side in ("before", "after")}
    per_class[names[-1]] = {**untested, "difference": None}
    flips = [
        {
            "id": id,
            "label": names[0],
            "before": names[1],
            "after": names[0],
            "before_right": 0.0,
            "after_right": 1.0,
        }
        for id in ids[:20]
    ]
    back = [{**flip, "before": flip["after"], "after": flip["before"]} for flip in flips[-3:]]
    return {
        "before": before,
        "after": after,
        "difference": spread(0.045),
        "accuracy_difference": spread(0.045),
        "mcnemar": {"to_right": 21, "to_wrong": 6, "p": 0.0059},
        "per_class": per_class,
        "confusion": _confusion(names, rng),
        "flips": {"to_right": flips, "to_wrong": [{**flip, "before_right": 1.0, "after_right": 0.0} for flip in back]},
    }


def _confusion(names: list[str], rng: np.random.Generator) -> list[dict[str, Any]]:
    pairs = [{"label": name, "predicted": name, "before": 20.0, "after": 22.5} for name in names]
    for label in names[:-1]:
        for predicted in rng.choice(names, min(3, len(names)), replace=False):
            if predicted != label:
                before, after = rng.integers(0, 6, 2) / 2
                pairs.append({"label": label, "predicted": str(predicted), "before": before, "after": after})
    return pairs
