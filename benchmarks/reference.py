"""The script to beat: what a data scientist would write to find wrong labels with cleanlab.

It follows cleanlab's image tutorial and does not use curate: scikit-learn's StratifiedKFold, torchvision's ResNet-18 at
64 pixels, photos opened with PIL in a DataLoader in every epoch, Adam, float32, five folds one after another.

    python benchmarks/reference.py listings.csv --folds 5 --epochs 8 --out reference.npz
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import pandas as pd
import torch
import torchvision
from cleanlab.filter import find_label_issues
from PIL import Image
from sklearn.model_selection import StratifiedKFold
from torch import nn
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

MEAN, SD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class Photos(Dataset):
    """Photos from disk, opened at every access."""

    def __init__(self, paths: list[Path], labels: np.ndarray, transform: transforms.Compose) -> None:
        self.paths, self.labels, self.transform = paths, labels, transform

    def __len__(self) -> int:
        """Return the number of photos."""
        return len(self.paths)

    def __getitem__(self, row: int) -> tuple[torch.Tensor, int]:
        """Return one photo and its label."""
        with Image.open(self.paths[row]) as photo:
            return self.transform(photo.convert("RGB")), int(self.labels[row])


def train(paths: list[Path], labels: np.ndarray, classes: int, size: int, epochs: int) -> nn.Module:
    """Train one fold's model."""
    transform = transforms.Compose(
        [
            transforms.Resize((size, size)),
            transforms.RandomHorizontalFlip(),
            transforms.ToTensor(),
            transforms.Normalize(MEAN, SD),
        ]
    )
    loader = DataLoader(Photos(paths, labels, transform), batch_size=64, shuffle=True, num_workers=2)
    model = torchvision.models.resnet18(weights=None, num_classes=classes)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    loss_of = nn.CrossEntropyLoss()
    model.train()
    for _ in range(epochs):
        for batch, target in loader:
            optimizer.zero_grad()
            loss_of(model(batch), target).backward()
            optimizer.step()
    return model


def predict(model: nn.Module, paths: list[Path], labels: np.ndarray, size: int) -> np.ndarray:
    """Return the model's probabilities (n, K)."""
    transform = transforms.Compose(
        [transforms.Resize((size, size)), transforms.ToTensor(), transforms.Normalize(MEAN, SD)]
    )
    loader = DataLoader(Photos(paths, labels, transform), batch_size=256, num_workers=2)
    model.eval()
    with torch.no_grad():
        return np.concatenate([model(batch).softmax(1).numpy() for batch, _ in loader])


def main() -> None:
    """Run the script."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("table", type=Path)
    parser.add_argument("--label", default="label")
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--fold", type=int, default=None, help="train only this fold, for a shorter benchmark")
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()

    torch.manual_seed(args.seed)
    table = pd.read_csv(args.table)
    paths = [args.table.parent / image for image in table["image"]]
    names, labels = np.unique(table[args.label].to_numpy(str), return_inverse=True)
    probs = np.full((len(labels), len(names)), np.nan, dtype=np.float32)
    seconds = []
    splits = StratifiedKFold(args.folds, shuffle=True, random_state=args.seed).split(labels, labels)
    for fold, (rows, held_out) in enumerate(splits):
        if args.fold is not None and fold != args.fold:
            continue
        start = time.perf_counter()
        model = train([paths[row] for row in rows], labels[rows], len(names), args.size, args.epochs)
        probs[held_out] = predict(model, [paths[row] for row in held_out], labels[held_out], args.size)
        seconds.append(time.perf_counter() - start)
        print(f"fold {fold + 1}: {seconds[-1]:.0f} s", flush=True)
    scored = np.isfinite(probs).all(axis=1)
    issues = find_label_issues(labels[scored], probs[scored])
    print(f"{issues.sum()} of {scored.sum()} labels flagged by cleanlab")
    np.savez(args.out, id=table["id"].to_numpy(str), classes=names, probs=probs, seconds=np.array(seconds))


if __name__ == "__main__":
    main()
