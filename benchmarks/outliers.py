"""How well several methods find photos that belong to no class, starting from the photos.

    python benchmarks/outliers.py known demo/listings.csv demo/truth.csv
    python benchmarks/outliers.py removed listings.csv --label label_aggre --class ship --class frog
    python benchmarks/outliers.py clean listings.csv listings.csv

`known`: a listing is off-topic if its ``true_label`` in the second file is "other"; listings without a true label are
left out. `removed`: one class of a table with ``true_label`` is removed, and some of its photos return under random
labels of other classes. `clean`: every given label is true, so nothing should be flagged. Arguments after -- are
options of find-issues.

AP is the average precision of a ranking; for a random ranking, it is the share of off-topic listings.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from cleanlab.outlier import OutOfDistribution
from detection import evidence_of, show
from scipy.stats import rankdata
from sklearn.metrics import average_precision_score

from curation.evidence.evidence import Evidence
from curation.evidence.log_odds import softmax
from curation.issues.outlier import KIND
from curation.listings.columns import groups_of
from training.features.neighbours import nearest_of_others
from training.utils.arrays import Float64, Int64


def main() -> None:
    """Print one JSON object per table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ways = parser.add_subparsers(dest="way", required=True)
    for way in ("known", "clean"):
        one = ways.add_parser(way)
        one.add_argument("listings", type=Path)
        one.add_argument("truth", type=Path)
        one.add_argument("options", nargs="*", help="options of find-issues, after --")
    removed = ways.add_parser("removed")
    removed.add_argument("listings", type=Path)
    removed.add_argument("--label", default="label", help="column of the given label")
    removed.add_argument("--class", dest="classes", action="append", required=True)
    removed.add_argument("--listings", dest="number", type=int, default=3000)
    removed.add_argument("--share", type=float, default=0.02)
    removed.add_argument("options", nargs="*", help="options of find-issues, after --")
    arguments = parser.parse_args()
    options = ["--preset", "quick", "--allow-outside", *arguments.options]
    for name, table in _tables(arguments):
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "listings.csv"
            table.to_csv(file, index=False)
            evidence, true, _ = evidence_of(file, file, Path(folder), options)
        show(name, scores(evidence, true))


def _tables(arguments: argparse.Namespace) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield tables with absolute paths, given labels and ``true_label``."""
    table = pd.read_csv(arguments.listings, dtype=str, keep_default_na=False)
    folder = arguments.listings.resolve().parent
    table["image"] = [str(folder / image) for image in table["image"]]
    name = folder.name
    if arguments.way == "removed":
        for number, removed in enumerate(arguments.classes):
            chosen = _without(table.assign(label=table[arguments.label]), removed, arguments, seed=number)
            yield f"{name} without {removed}", chosen[["id", "image", "label", "true_label"]]
        return
    truth = pd.read_csv(arguments.truth, dtype=str, keep_default_na=False).set_index("id").loc[table["id"]]
    table["true_label"] = truth["true_label"].to_numpy()
    if arguments.way == "clean":
        if "true_price" in truth:
            table["price"] = truth["true_price"].to_numpy()
        table = table[~table["true_label"].isin(["", "other"])].assign(label=lambda rows: rows["true_label"])
    yield f"{name} {arguments.way}", table


def _without(table: pd.DataFrame, removed: str, arguments: argparse.Namespace, *, seed: int) -> pd.DataFrame:
    """Return a table without one class, but with some of its photos under the labels of others."""
    rng = np.random.default_rng(seed)
    of_it = (table["true_label"] == removed).to_numpy()
    off = rng.permutation(np.flatnonzero(of_it))[: round(arguments.share * arguments.number)]
    rest = rng.permutation(np.flatnonzero(~of_it & (table["label"] != removed).to_numpy()))[
        : arguments.number - len(off)
    ]
    table = table.copy()
    others = sorted(set(table["label"]) - {removed})
    table.iloc[off, table.columns.get_loc("label")] = rng.choice(others, len(off))
    table.iloc[off, table.columns.get_loc("true_label")] = "other"
    return table.iloc[rng.permutation(np.concatenate([off, rest]))]


def scores(evidence: Evidence, true: pd.Series) -> dict[str, Any]:
    """Score every method on the listings with a photo and a true label."""
    issues = KIND.find(evidence)
    rows = np.flatnonzero(issues[KIND.score].notna().to_numpy() & (true != "").to_numpy())
    off = (true == "other").to_numpy()[rows]
    flagged = issues[KIND.flag].to_numpy(dtype=bool)[rows]
    result: dict[str, Any] = {"listings": len(rows), "off_topic": int(off.sum()), "flagged": int(flagged.sum())}
    if off.any():
        result["flagged_right"] = int((flagged & off).sum())
        result["average_precision"] = {
            name: average_precision_score(off, how_odd) for name, how_odd in _ways(evidence, rows).items()
        }
        result["average_precision"]["curate"] = average_precision_score(off, -issues[KIND.score].to_numpy()[rows])
    return result


def _ways(evidence: Evidence, rows: Int64) -> dict[str, Float64]:
    """Return the score of each listing by each method; high = off-topic."""
    assert evidence.features is not None
    belief = evidence.belief
    assert belief is not None
    features, given = np.asarray(evidence.features), evidence.given[rows]
    probs = evidence.probs[rows] / evidence.probs[rows].sum(axis=1, keepdims=True)
    believed, groups = softmax(belief.logs[rows]), groups_of(evidence.listings)
    unit = features / np.maximum(np.linalg.norm(features, axis=1, keepdims=True), 1e-12)
    far = nearest_of_others(features, rows, rows, groups, count=10).distance.astype(np.float64)
    far_cosine = nearest_of_others(unit, rows, rows, groups, count=10).distance.astype(np.float64)
    of_class = np.full(len(rows), np.nan)
    for number in np.unique(given):
        own = np.flatnonzero(given == number)
        of_class[own] = nearest_of_others(features, rows[own], rows[own], groups, count=10).distance
    of_class = np.nan_to_num(of_class, nan=np.nanmax(of_class))
    usual = pd.Series(of_class).groupby(given).transform("median").to_numpy()
    doubt = 1 - believed.max(axis=1)
    detector = OutOfDistribution()
    return {
        "cleanlab features": 1 - detector.fit_score(features=features[rows], verbose=False),
        "cleanlab probabilities": 1 - _entropy_score(probs, given),
        "distance, cosine": far_cosine,
        "distance": far,
        "distance within the given class": of_class,
        "distance within the given class, to its usual one": of_class / usual,
        "length of the features": np.linalg.norm(features[rows], axis=1),
        "doubt of the photo's model": 1 - probs.max(axis=1),
        "doubt": doubt,
        "doubt of the given class": 1 - believed[np.arange(len(rows)), np.maximum(given, 0)],
        "distance and doubt, sum of ranks": rankdata(far) + rankdata(doubt),
        "distance and doubt, lesser rank": np.minimum(rankdata(far), rankdata(doubt)),
    }


def _entropy_score(probs: Float64, given: Int64) -> Float64:
    # cleanlab requires every class to occur
    classes = np.unique(given)
    within = probs[:, classes] + 1e-12
    within /= within.sum(axis=1, keepdims=True)
    labels = np.searchsorted(classes, given)
    return np.asarray(OutOfDistribution().fit_score(pred_probs=within, labels=labels, verbose=False))


if __name__ == "__main__":
    main()
