"""Score the issues of a run against the truth; `curate retrain --compare --truth` scores models.

    python benchmarks/score_run.py runs/demo/1 demo/truth.csv
    python benchmarks/score_run.py runs/cifar/1 listings.csv

TRUTH.csv has ``id`` and ``true_label``; listings without a true label are left out. With a column ``issues``, as in the
demo, a listing is wrong if the column names ``label``.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pandas as pd
from sklearn.metrics import average_precision_score, f1_score

from curation.run.folder import RunFolder


def main() -> None:
    """Print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("truth", type=Path)
    arguments = parser.parse_args()
    run = RunFolder(arguments.run)
    truth = pd.read_csv(arguments.truth, dtype=str, keep_default_na=False).set_index("id")
    print(json.dumps({"seconds": run.record()["seconds"], **detection(run, truth)}, indent=2))


def detection(run: RunFolder, truth: pd.DataFrame) -> dict[str, object]:
    """Score the ranking, the flags and the suggestions."""
    issues = run.issues().set_index("id")
    issues = issues[(truth.loc[issues.index, "true_label"] != "").to_numpy()]
    truth = truth.loc[issues.index]
    wrong = (truth["true_label"] != issues["given_label"]).to_numpy(dtype=bool)
    if "issues" in truth:
        wrong = truth["issues"].str.contains("label").to_numpy()
    n = int(wrong.sum())
    flagged = issues["is_label_issue"].fillna(False).to_numpy(dtype=bool)
    score = 1 - issues["label_score"].fillna(1).to_numpy()
    order = issues["priority"].rank().to_numpy()
    sure = (issues["suggested_confidence"] >= 0.9).to_numpy()
    right = (issues["suggested_label"] == truth["true_label"]).fillna(False).to_numpy(dtype=bool)
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


if __name__ == "__main__":
    main()
