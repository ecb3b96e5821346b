"""How large photos should be for the features of a pretrained network, compared with patches of the photos.

    python benchmarks/photo_size.py listings.csv --sizes 48 96 160 224

The network is EfficientNet-Lite0, whose weights are installed with curate. The table has a column ``true_label``. A
linear model per fold learns the given labels. Prints its accuracy against the true labels, and the average precision of
its margin against the given label, which ranks wrong labels.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import average_precision_score

from curation.listings.columns import class_numbers
from training.crossval.folds import assign_folds
from training.features.extract import choose_extractor, compute_features
from training.features.linear import fit_head
from training.features.source import OfPhotos, Source
from training.images import decode
from training.settings import PRECISIONS, Recipe
from training.utils.devices import find_device

CPU = find_device("cpu")
FOLDS = 5
#: Photos that patches are made of.
PATCHES_SIZE = 48


def main() -> None:
    """Print one JSON line per kind of features."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("listings", type=Path)
    parser.add_argument("--label", default="label", help="column of the given label")
    parser.add_argument("--group", help="column of the groups that stay in one fold")
    parser.add_argument("--sizes", type=int, nargs="+", default=[48, 96, 160, 224])
    parser.add_argument("--listings", dest="number", type=int, help="use this many listings, drawn at random")
    parser.add_argument("--precision", default="auto", choices=PRECISIONS)
    arguments = parser.parse_args()
    table = pd.read_csv(arguments.listings, dtype=str).dropna(subset=["true_label", arguments.label])
    table = table[table["true_label"].isin(table[arguments.label].unique())]
    table = table.sample(min(len(table), arguments.number or len(table)), random_state=0).reset_index(drop=True)
    files = [(arguments.listings.parent / image).read_bytes() for image in table["image"]]
    for size in arguments.sizes:
        photos = np.stack([decode(content, size)[0] for content in files])
        for features in ("lite0", *(("patches",) if size == PATCHES_SIZE else ())):
            recipe = Recipe(features=features, precision=arguments.precision)
            extract, _ = choose_extractor(photos, np.arange(len(photos)), recipe, CPU)
            source = OfPhotos(photos, extract, extract.width)
            judged = _judged(table, arguments, source, evened=0.5 if features == "patches" else 0.0)
            print(json.dumps({"size": size, "features": features, **judged}), flush=True)


def _judged(table: pd.DataFrame, arguments: argparse.Namespace, source: Source, *, evened: float) -> dict[str, float]:
    classes = sorted(table[arguments.label].unique())
    given, true = (class_numbers(table[column], classes) for column in (arguments.label, "true_label"))
    rows = np.arange(len(table))
    groups = pd.factorize(table[arguments.group])[0].astype(np.int64) if arguments.group else rows
    fold = assign_folds(given, groups, folds=FOLDS, seed=0)
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "features.npy"
        compute_features(source, rows, path, total=len(rows), key="", seed=0, device=CPU.device, evened=evened)
        features = np.load(path)
    seconds = time.perf_counter() - start
    probs = np.zeros((len(table), len(classes)))
    for number in range(FOLDS):
        others, held_out = np.flatnonzero(fold != number), np.flatnonzero(fold == number)
        head = fit_head(features, others, given, groups, classes=len(classes), seed=0, device=CPU.device)
        probs[held_out] = head.predict(features, held_out)
    other = probs.copy()
    other[rows, given] = 0
    margin = np.log(other.max(axis=1) + 1e-9) - np.log(probs[rows, given] + 1e-9)
    return {
        "right": float((probs.argmax(axis=1) == true).mean()),
        "average_precision": float(average_precision_score(given != true, margin)),
        "photos_per_second": len(table) / seconds,
    }


if __name__ == "__main__":
    main()
