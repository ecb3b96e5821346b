"""How many wrong labels are found, measured against the truth and compared with other tools in the same run.

    python benchmarks/detection.py probabilities FOLDER
    python benchmarks/detection.py dataset listings.csv listings.csv -- --preset quick --column label=label_aggre
    python benchmarks/detection.py clean demo

`probabilities`: a folder of .npz with ``probs``, ``label``, ``true_label``, ``classes`` and ``id``. `dataset`: starts
from the photos; the second file has ``id`` and ``true_label``, and listings without a true label are not scored;
arguments after -- are options of find-issues. `clean`: a demo with all labels and prices corrected, so nothing should
be flagged.

AP is the average precision of a ranking; the oracle F1 is the best of any cut of any ranking.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from cleanlab.filter import find_label_issues
from cleanlab.rank import get_label_quality_scores
from sklearn.metrics import average_precision_score, f1_score

from curation.evidence.evidence import Evidence
from curation.evidence.log_odds import margins
from curation.evidence.out_of_fold import FoldTrainer
from curation.evidence.title_features import kept_titles
from curation.issues.label.judge import judge
from curation.run.folder import RunFolder
from training.crossval.plan import Plan
from training.images.cache import default_cache
from training.settings import read_settings
from training.utils.arrays import Bool, Float64, Int64
from training.utils.progress import Silent

_RESAMPLES = 300


def main() -> None:
    """Print one JSON object per dataset."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ways = parser.add_subparsers(dest="way", required=True)
    brought = ways.add_parser("probabilities")
    brought.add_argument("folder", type=Path)
    dataset = ways.add_parser("dataset")
    dataset.add_argument("listings", type=Path)
    dataset.add_argument("truth", type=Path)
    clean = ways.add_parser("clean")
    clean.add_argument("demo", type=Path)
    for way in (dataset, clean):
        way.add_argument("options", nargs="*", help="options of find-issues, after --")
    arguments = parser.parse_args()
    {"probabilities": probabilities, "dataset": from_photos, "clean": without_errors}[arguments.way](arguments)


def probabilities(arguments: argparse.Namespace) -> None:
    """Score published probabilities."""
    shares = []
    for file in sorted(arguments.folder.glob("*.npz")):
        evidence, true = published(file)
        result = scores(evidence, true)
        shares.append(result["flags"]["curate"]["share_of_oracle"])
        show(file.stem, result)
    show("all", {"mean_share_of_oracle": float(np.mean(shares)), "least": float(np.min(shares))})


def from_photos(arguments: argparse.Namespace) -> None:
    """Score a dataset, starting from its photos."""
    with tempfile.TemporaryDirectory() as folder:
        evidence, true, seconds = evidence_of(arguments.listings, arguments.truth, Path(folder), arguments.options)
    show(arguments.listings.parent.name, {"seconds": seconds, **scores(evidence, true)})


def without_errors(arguments: argparse.Namespace) -> None:
    """Count the flags if every label and price is right."""
    demo: Path = arguments.demo
    table = pd.read_csv(demo / "listings.csv", dtype={"id": str}).set_index("id")
    truth = pd.read_csv(demo / "truth.csv", dtype={"id": str}).set_index("id").loc[table.index]
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / demo.name
        shutil.copytree(demo / "images", copy / "images")
        table.assign(label=truth["true_label"], price=truth["true_price"]).to_csv(copy / "listings.csv")
        evidence, _, _ = evidence_of(copy / "listings.csv", demo / "truth.csv", Path(folder), arguments.options)
    judgement = judge(evidence)
    sure = judgement.flagged & (judgement.confidence >= 0.9)
    show(
        demo.name,
        {
            "listings": len(table),
            "flags": int(judgement.flagged.sum()),
            "share": float(judgement.flagged.mean()),
            "sure_suggestions": int(sure.sum()),
        },
    )


def published(file: Path) -> tuple[Evidence, pd.Series]:
    """Return the evidence of one file of published probabilities, and the true labels."""
    with np.load(file, allow_pickle=False) as content:
        probs = content["probs"].astype(np.float64)
        classes = tuple(str(name) for name in content["classes"])
        names = np.array(classes, dtype=object)
        listings = pd.DataFrame(
            {"id": content["id"].astype(str), "label": names[content["label"]], "price": np.nan}
        ).astype({"id": "string", "label": "string"})
        true = pd.Series(names[content["true_label"]])
    return Evidence(listings, classes, probs / probs.sum(axis=1, keepdims=True)), true


def evidence_of(
    listings: Path, truth: Path, folder: Path, options: list[str]
) -> tuple[Evidence, pd.Series, dict[str, float]]:
    """Run find-issues; return its evidence, the true labels, and the seconds of its stages."""
    curate = str(Path(sys.executable).with_name("curate"))
    command = [curate, "find-issues", str(listings.resolve()), "--run", str(folder / "run"), *options]
    subprocess.run(command, check=True, capture_output=True)
    run = RunFolder(folder / "run")
    record, table = run.record(), run.training_table()
    recipe, execution = read_settings(record["settings"]["train"])
    trainer = FoldTrainer.checked(recipe, execution, run.classes, default_cache(), Silent())
    # everything is finished, so models and features are loaded
    evidence = trainer.train(Plan.load(run.training_folder / "plan.json"), run, table, None, Silent())
    evidence = replace(evidence, titles=kept_titles(run))
    truths = pd.read_csv(truth, dtype=str, keep_default_na=False).set_index("id")
    true = truths.loc[table["id"].tolist(), "true_label"].reset_index(drop=True)
    return evidence, true, record["seconds"]


def scores(evidence: Evidence, true: pd.Series) -> dict[str, Any]:
    """Score rankings, flags and suggestions on the judged listings with a true label."""
    judgement, given = judge(evidence), evidence.given
    names = pd.Series(np.array(evidence.classes, dtype=object)[np.maximum(given, 0)])
    rows = np.flatnonzero(evidence.scored & (given >= 0) & ~np.isnan(judgement.score) & (true != "").to_numpy())
    wrong = (names != true).to_numpy()[rows]
    number = pd.Categorical(true, categories=evidence.classes).codes[rows]
    probs, label = evidence.probs[rows], given[rows]
    rankings = {**_baselines(probs, label), "curate": judgement.score[rows]}
    alone = {source.name: margins(source.log_likelihood[rows], label) for source in evidence.sources}
    oracle = max(_oracle(ranking, wrong) for ranking in rankings.values())
    flags = {
        "cleanlab default": find_label_issues(*_occurring(label, probs), n_jobs=1),
        "prediction differs": probs.argmax(axis=1) != label,
        "p below half of the best": probs[np.arange(len(rows)), label] < probs.max(axis=1) / 2,
        "curate": judgement.flagged[rows],
    }
    right = judgement.suggested[rows] == number
    confident = {low: right[judgement.confidence[rows] >= low] for low in (0.5, 0.9)}
    return {
        "listings": len(rows),
        "wrong": int(wrong.sum()),
        "accuracy_against_true_labels": float((probs.argmax(axis=1) == number).mean()),
        "oracle_f1": oracle,
        "average_precision": {name: average_precision_score(wrong, -ranking) for name, ranking in rankings.items()},
        "of_each_source": {name: average_precision_score(wrong, -margin) for name, margin in alone.items()},
        "curate_minus_self_confidence": _interval(wrong, rankings["curate"], rankings["self-confidence"]),
        "precision_in_first_50": float(wrong[np.argsort(judgement.score[rows], kind="stable")[:50]].mean()),
        "flags": {
            name: {
                "flagged": int(flagged.sum()),
                "precision": float(wrong[flagged].mean()) if flagged.any() else None,
                "recall": float(flagged[wrong].mean()),
                "f1": f1_score(wrong, flagged),
                "share_of_oracle": f1_score(wrong, flagged) / oracle,
            }
            for name, flagged in flags.items()
        },
        "suggestions_right_on_wrong_labels": {
            "argmax": float((probs.argmax(axis=1) == number)[wrong].mean()),
            "curate": float(right[wrong].mean()),
        },
        "suggestions_by_confidence": {
            low: {"number": len(of), "right": float(of.mean()) if len(of) else None} for low, of in confident.items()
        },
    }


def _baselines(probs: Float64, label: Int64) -> dict[str, Float64]:
    """Return the scores of other tools; low = bad."""
    # the import takes seconds
    from fiftyone.brain.internal.core import mistakenness

    agrees = (probs.argmax(axis=1) == label).astype(float)
    given = label, probs
    return {
        "self-confidence": get_label_quality_scores(*given, method="self_confidence"),
        "normalized margin": get_label_quality_scores(*given, method="normalized_margin"),
        "log-odds margin": margins(np.log(np.maximum(probs, 1e-8)), label),
        "FiftyOne mistakenness": -mistakenness._compute_mistakenness_class_conf(probs.max(axis=1), agrees),
    }


def _occurring(label: Int64, probs: Float64) -> tuple[Int64, Float64]:
    """Return labels and probabilities of the classes that occur, as cleanlab requires."""
    classes = np.unique(label)
    within = probs[:, classes] + 1e-12
    return np.searchsorted(classes, label), within / within.sum(axis=1, keepdims=True)


def _oracle(score: Float64, wrong: Bool) -> float:
    """Return the best F1 of all cuts of a ranking."""
    caught = np.cumsum(wrong[np.argsort(score, kind="stable")])
    return float((2 * caught / (np.arange(1, len(wrong) + 1) + wrong.sum())).max())


def _interval(wrong: Bool, score: Float64, other: Float64) -> dict[str, float]:
    """Return the difference of two average precisions, with a 95 % paired bootstrap interval over listings."""
    chance = np.random.default_rng(0)
    differences = []
    for _ in range(_RESAMPLES):
        rows = chance.integers(0, len(wrong), len(wrong))
        differences.append(
            average_precision_score(wrong[rows], -score[rows]) - average_precision_score(wrong[rows], -other[rows])
        )
    low, high = np.quantile(differences, [0.025, 0.975])
    whole = average_precision_score(wrong, -score) - average_precision_score(wrong, -other)
    return {"difference": float(whole), "low": float(low), "high": float(high)}


def show(name: str, result: dict[str, Any]) -> None:
    """Print one result."""
    print(json.dumps({"of": name, **result}, default=lambda value: round(float(value), 4)), flush=True)


if __name__ == "__main__":
    main()
