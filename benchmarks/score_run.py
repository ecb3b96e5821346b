"""Score a run against known truth.

    python benchmarks/score_run.py runs/demo/1 demo/truth.csv
    python benchmarks/score_run.py runs/cifar/1 listings.csv

TRUTH.csv has ``id`` and ``true_label``; a listing whose true label is empty is left out. With a column ``issues`` (the
demo's) a listing is wrong if it names ``label``.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import average_precision_score, f1_score

from curation.runs import Run


def main() -> None:
    """Print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("truth", type=Path)
    arguments = parser.parse_args()
    run = Run(arguments.run)
    truth = pd.read_csv(arguments.truth, dtype=str, keep_default_na=False).set_index("id")
    result = {"seconds": run.record()["seconds"], **detection(run, truth)}
    if run.comparison_file.exists():
        result["retrained"] = retrained(run, truth)
    print(json.dumps(result, indent=2))


def detection(run: Run, truth: pd.DataFrame) -> dict[str, object]:
    """Score the ranking, the flags and the suggestions."""
    issues = run.issues().set_index("id")
    known = truth.loc[issues.index]
    issues = issues[(known["true_label"] != "").to_numpy()]
    known = truth.loc[issues.index]
    wrong = (known["true_label"] != issues["given_label"]).to_numpy(dtype=bool)
    if "issues" in known:
        wrong = known["issues"].str.contains("label").to_numpy()
    n = int(wrong.sum())
    flagged = issues["is_label_issue"].fillna(False).to_numpy(dtype=bool)
    score = 1 - issues["label_score"].fillna(1).to_numpy()
    order = issues["priority"].rank().to_numpy()
    sure = (issues["suggested_confidence"] >= 0.9).to_numpy()
    right = (issues["suggested_label"] == known["true_label"]).fillna(False).to_numpy(dtype=bool)
    return {
        "listings": len(issues),
        "wrong": n,
        "found_in_first_n": float(wrong[order <= n].mean()),
        "ap_priority": float(average_precision_score(wrong, -order)),
        "ap_label_score": float(average_precision_score(wrong, score)),
        "flags": int(flagged.sum()),
        "flag_precision": float(wrong[flagged].mean()) if flagged.any() else None,
        "flag_recall": float(flagged[wrong].mean()),
        "flag_f1": float(f1_score(wrong, flagged)),
        "sure_suggestions": int(sure.sum()),
        "sure_suggestions_right": float(right[sure].mean()) if sure.any() else None,
    }


def retrained(run: Run, truth: pd.DataFrame) -> dict[str, object]:
    """Score both versions against the given and the true labels of the test listings."""
    comparison = json.loads(run.comparison_file.read_text())
    with np.load(run.predictions_file, allow_pickle=False) as stored:
        true = truth.loc[stored["id"].tolist(), "true_label"].to_numpy()
        known = np.isin(true, stored["classes"])
        against_truth = {
            version: float(
                np.mean(
                    [f1_score(true[known], stored["classes"][run_][known], average="macro") for run_ in stored[version]]
                )
            )
            for version in ("before", "after")
        }
    return {
        "test_listings": comparison["test_listings"],
        "relabelled": comparison["relabelled"],
        "deleted": comparison["deleted"],
        "macro_f1_given": {name: comparison[name]["macro_f1"] for name in ("before", "after")},
        "difference_given": comparison["difference"],
        "verdict": comparison["verdict"],
        "macro_f1_true": against_truth,
    }


if __name__ == "__main__":
    main()
