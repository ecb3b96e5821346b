"""What cleaned labels teach a model that is not the one which found the wrong ones.

    curate find-issues listings.csv --run lite0
    curate find-issues listings.csv --run patches --features patches
    curate apply-fixes --run lite0 --soft --accept-suggestions
    python benchmarks/students.py lite0 patches --truth true_label

Trains linear models on the features of the second run with labels as given, as the first run's fixes have them, also
weighted by their chances, and with true labels; each `--seeds` times, on random nine tenths of the training listings.
Prints macro-F1 on the true labels of the test set, and the share of the gain that true labels bring.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
from sklearn.metrics import f1_score

from curation.comparison.truth import read_truth
from curation.comparison.versions import CORRECT, Versions
from curation.run.folder import RunFolder
from training.features.linear import fit_head
from training.utils.array_files import map_array
from training.utils.arrays import Float32, Int64
from training.utils.devices import find_device
from training.utils.targets import SoftLabels

_SHARE = 0.9


def main() -> None:
    """Print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("teacher", type=Path, help="the run whose cleaned/ has the labels")
    parser.add_argument("student", type=Path, help="the run whose features models are trained on")
    parser.add_argument("--truth", required=True)
    parser.add_argument("--seeds", type=int, default=5)
    arguments = parser.parse_args()
    teacher, student = RunFolder(arguments.teacher), RunFolder(arguments.student)
    versions = Versions(teacher, read_truth(teacher, arguments.truth), controls=True)
    (file,) = student.training_folder.glob("features-*.npy")
    features: Float32 = map_array(file)
    if student.training_table()["id"].tolist() != teacher.training_table()["id"].tolist():
        raise SystemExit("the runs are not of the same listings")
    labels = {"given": (versions.before, None), "fixed": (versions.after, None)}
    labels |= {"soft": (versions.after, versions.soft)} if versions.soft else {}
    labels["true"] = (versions.labels(CORRECT, 0), None)
    scores = {
        name: [score(features, versions, rows, soft, seed) for seed in range(arguments.seeds)]
        for name, (rows, soft) in labels.items()
    }
    means = {name: float(np.mean(each)) for name, each in scores.items()}
    possible = np.array(scores["true"]) - scores["given"]
    shares = {
        name: [round(float(value), 2) for value in (np.array(each) - scores["given"]) / possible]
        for name, each in scores.items()
        if name in ("fixed", "soft")
    }
    of_means = {name: (means[name] - means["given"]) / (means["true"] - means["given"]) for name in shares}
    print(json.dumps({"macro_f1": means, "share": of_means, "share_by_seed": shares}, indent=1))


def score(features: Float32, versions: Versions, labels: Int64, soft: SoftLabels | None, seed: int) -> float:
    """Return the macro-F1 of one model on the true test labels."""
    rows = np.flatnonzero(labels >= 0)
    rows = np.sort(np.random.default_rng(seed).choice(rows, int(_SHARE * len(rows)), replace=False))
    classes, device = len(versions.classes), find_device("cpu").device
    head = fit_head(features, rows, labels, versions.groups, classes=classes, seed=seed, device=device, soft=soft)
    assert versions.true is not None
    known = versions.true >= 0
    predicted = head.predict(features, versions.test[known]).argmax(axis=1)
    return float(f1_score(versions.true[known], predicted, average="macro"))


if __name__ == "__main__":
    main()
