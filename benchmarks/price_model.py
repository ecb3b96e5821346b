"""What `find-issues --price-model` is worth: price flags with and without networks that tell prices by photos.

    python benchmarks/price_model.py demo --seeds 13 14 15 -- --folds 3 --epochs 10 --image-size 32
    python benchmarks/price_model.py changed --table listings.csv --seeds 0 1 2 -- --folds 3 --epochs 10 --image-size 32

`demo`: planted price errors of fresh demos. `changed`: 5 % of the prices of a real table multiplied or divided by 10 or
100, before anything is trained, and how many of them are in the first tenth. What follows -- are options of
find-issues. Both ways judge the same run: without, the same evidence with the told prices left out.
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from detection import evidence_of, show
from issues import BUDGET, SHARE
from sklearn.metrics import average_precision_score

from curation.demo_data import write_demo
from curation.evidence.evidence import Evidence
from curation.issues.price.kind import KIND

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


def main() -> None:
    """Print one JSON object per table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ways = parser.add_subparsers(dest="way", required=True)
    demos = ways.add_parser("demo")
    demos.add_argument("--listings", type=int, default=600)
    demos.add_argument("--seeds", type=int, nargs="+", default=[13, 14, 15])
    changed = ways.add_parser("changed")
    changed.add_argument("--table", type=Path, required=True)
    changed.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    for way in (demos, changed):
        way.add_argument("options", nargs="*", help="of find-issues, after --")
    arguments = parser.parse_args()
    for seed in arguments.seeds:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            if arguments.way == "demo":
                listings, truth, errors = _demo(folder, arguments.listings, seed)
            else:
                listings, truth, errors = _changed(folder, arguments.table, seed)
            options = ["--price-model", "--no-text", "--allow-outside", *arguments.options]
            evidence, _, seconds = evidence_of(listings, truth, folder, options)
        show(f"{arguments.way} {seed}", {**_scores(evidence, errors), "seconds": seconds})


def _demo(folder: Path, listings: int, seed: int) -> tuple[Path, Path, pd.DataFrame]:
    """Write a demo; return its table, its truth, and by id which price is an error, and the true one."""
    demo = folder / "demo"
    write_demo(demo, listings=listings, seed=seed)
    truth = pd.read_csv(demo / "truth.csv", dtype=str, keep_default_na=False).set_index("id")
    wrong = truth["issues"].str.split(";").map(lambda kinds: "price" in kinds)
    errors = pd.DataFrame({"wrong": wrong, "true_price": truth["true_price"].astype(float)})
    return demo / "listings.csv", demo / "truth.csv", errors


def _changed(folder: Path, table: Path, seed: int) -> tuple[Path, Path, pd.DataFrame]:
    """Write a real table with some prices changed; return the same as :func:`_demo`."""
    rows = pd.read_csv(table, dtype=str, keep_default_na=False)
    rows["image"] = [str(table.resolve().parent / image) for image in rows["image"]]
    rng = np.random.default_rng(seed)
    true = pd.to_numeric(rows["price"])
    price = true.to_numpy(dtype=np.float64, copy=True)
    chosen = rng.choice(np.flatnonzero(price > 0), round(SHARE * len(price)), replace=False)
    price[chosen] *= rng.choice([0.01, 0.1, 10, 100], len(chosen))
    wrong = np.isin(np.arange(len(price)), chosen)
    file = folder / "listings.csv"
    rows.assign(price=price).to_csv(file, index=False)
    return file, file, pd.DataFrame({"wrong": wrong, "true_price": true.to_numpy()}, index=rows["id"])


def _scores(evidence: Evidence, errors: pd.DataFrame) -> dict[str, Any]:
    errors = errors.loc[evidence.listings["id"].tolist()]
    wrong, true = errors["wrong"].to_numpy(), errors["true_price"].to_numpy()
    assert evidence.told_price is not None
    ways = {"with": evidence, "without": replace(evidence, told_price=None)}
    label = evidence.listings["label"].fillna("")
    return {
        "errors": int(wrong.sum()),
        **{way: _found(KIND.find(known), wrong) for way, known in ways.items()},
        # what a guess is usually off by: half of the listings are nearer
        "factor_told": _factor(evidence.told_price, true),
        "factor_median_of_class": _factor(pd.Series(true).groupby(label).transform("median").to_numpy(), true),
    }


def _found(found: pd.DataFrame, wrong: Mask) -> dict[str, float]:
    flagged, score = found["is_price_issue"].to_numpy(dtype=bool), found["price_score"].fillna(1).to_numpy()
    first = np.argsort(score, kind="stable")[: round(BUDGET * len(score))]
    return {
        "flagged": int(flagged.sum()),
        "recall": float(flagged[wrong].mean()),
        "precision": float(wrong[flagged].mean()) if flagged.any() else float("nan"),
        "average_precision": float(average_precision_score(wrong, 1 - score)),
        "recall_in_first_tenth": float(wrong[first].sum() / wrong.sum()),
    }


def _factor(told: Floats, true: Floats) -> float:
    known = (told > 0) & (true > 0)
    return float(np.exp(np.median(np.abs(np.log(told[known] / true[known])))))


if __name__ == "__main__":
    main()
