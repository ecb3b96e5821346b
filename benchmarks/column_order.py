"""Count how often columns of probabilities are taken for mixed up, when they are and when they are not.

python benchmarks/column_order.py FILE.npz ...

Each file has `probs`, `classes` and either `label` (class numbers), or a `listings.parquet` with labels beside it, as
the probabilities.npz of a run has. Labels are used as they are and with noise added, all listings and samples of them,
with few members of half of the classes, and pairs of classes alone.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from curation.errors import ProbabilitiesError
from curation.evidence.column_order import check_order

Floats, Ints = npt.NDArray[np.float64], npt.NDArray[np.int64]
NOISES = (("none", 0.0), ("next", 0.4), ("next", 0.48), ("pair", 0.4), ("any", 0.6))
SIZES = (2000, 600, 300, 120, 60, 30)
REPEATS = 50


def main() -> None:
    """Print a line for each file and kind: how many were refused, of how many."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", type=Path)
    rng = np.random.default_rng(0)
    for path in parser.parse_args().files:
        probs, label = read(path)
        refused, tried = Counter[tuple[bool, str]](), Counter[tuple[bool, str]]()
        for honest, kind, columns, labels in trials(probs, label, rng):
            tried[honest, kind] += 1
            refused[honest, kind] += is_refused(columns, labels)
        for honest, kind in sorted(tried, reverse=True):
            what = "as named" if honest else "mixed up"
            print(
                f"{path.parent.name}/{path.stem}  {what}  {kind:24}  {refused[honest, kind]} of {tried[honest, kind]}"
            )


def read(path: Path) -> tuple[Floats, Ints]:
    """Return probabilities and class numbers."""
    with np.load(path) as content:
        probs, classes = content["probs"].astype(np.float64), content["classes"]
        if "label" in content:
            return probs, content["label"].astype(np.int64)
    labels = pd.read_parquet(path.with_name("listings.parquet"))["label"]
    return probs, pd.Categorical(labels, categories=classes.tolist()).codes.astype(np.int64)


def trials(probs: Floats, label: Ints, rng: np.random.Generator) -> Iterator[tuple[bool, str, Floats, Ints]]:
    """Yield whether the columns are as named, what was done, the columns, and the labels."""
    classes = probs.shape[1]
    scored = np.flatnonzero(np.isfinite(probs).all(axis=1) & (label >= 0))
    for size in (len(scored), *(size for size in SIZES if size < len(scored))):
        for _ in range(REPEATS if size < len(scored) else 2):
            rows = rng.choice(scored, size, replace=False)
            for kind, rate in NOISES:
                yield True, f"{kind} {rate:.0%}", probs[rows], noisy(label[rows], classes, kind, rate, rng)
            few = with_few_members(rows, label, classes, rng)
            yield True, "few members, next 40%", probs[few], noisy(label[few], classes, "next", 0.4, rng)
            yield False, f"all, {size} listings", probs[rows][:, rng.permutation(classes)], label[rows]
            exchanged = np.arange(classes)
            pair = rng.choice(classes, 2, replace=False)
            exchanged[pair] = pair[::-1]
            yield False, f"two, {size} listings", probs[rows][:, exchanged], label[rows]
    for _ in range(REPEATS):
        pair = rng.choice(classes, 2, replace=False)
        of_pair = scored[np.isin(label[scored], pair)]
        for size in (20, 100, 400):
            rows = rng.choice(of_pair, min(size, len(of_pair)), replace=False)
            both = probs[rows][:, pair] + 1e-6
            both, second = both / both.sum(axis=1, keepdims=True), (label[rows] == pair[1]).astype(np.int64)
            for kind, rate in NOISES[:3]:
                yield True, f"two classes, {kind} {rate:.0%}", both, noisy(second, 2, kind, rate, rng)
            yield False, f"two classes, {size} listings", both[:, ::-1], second


def noisy(label: Ints, classes: int, kind: str, rate: float, rng: np.random.Generator) -> Ints:
    """Return labels of which a share is changed: to the next class, to the other of a pair, or to any."""
    other = {
        "none": label,
        "next": (label + 1) % classes,
        "pair": np.minimum(label ^ 1, classes - 1),
        "any": rng.integers(0, classes, len(label)),
    }[kind]
    return np.where(rng.random(len(label)) < rate, other, label)


def with_few_members(rows: Ints, label: Ints, classes: int, rng: np.random.Generator) -> Ints:
    """Return rows with one to four members of half of the classes."""
    rare = rng.choice(classes, classes // 2, replace=False)
    return np.concatenate(
        [rows[~np.isin(label[rows], rare)]] + [rows[label[rows] == one][: rng.integers(1, 5)] for one in rare]
    )


def is_refused(probs: Floats, label: Ints) -> bool:
    """Return whether the columns are refused."""
    try:
        check_order(probs, label, [str(number) for number in range(probs.shape[1])], "probs")
    except ProbabilitiesError:
        return True
    return False


if __name__ == "__main__":
    main()
