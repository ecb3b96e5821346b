"""How well and how fast each kind of issue is found, measured against the truth.

    python benchmarks/issues.py demo --seeds 10 11 12
    python benchmarks/issues.py prices listings.csv --seeds 0 1 2 3 4
    python benchmarks/issues.py speed --listings 20000
    python benchmarks/issues.py stage --listings 10000 --beside CHECKOUT

`demo`: recall and precision of each kind on new demos, and the expected changes in the first 50, 100 and 200 of the
queue. `prices`: prices of a real table are multiplied or divided by 10 or 100 at random; prints how many of them are in
the first tenth, compared with a robust z-score within each class. `speed`: listings per second of each kind. `stage`:
seconds of the whole stage, from the evidence to the queue, alternating between this checkout and another one.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import average_precision_score

from curation.demo_data import write_demo
from curation.evidence.evidence import Evidence
from curation.issues import KINDS, expected_changes, find_issues
from curation.issues.price.kind import KIND as PRICE
from training.utils.arrays import Bool, Float64

sys.path.insert(0, str(Path(__file__).parent))
from detection import evidence_of

#: Share of the rows whose price is changed, and of those that are reviewed.
SHARE, BUDGET = 0.05, 0.1
#: Kinds of issue in the demo's truth.
PLANTED = ("label", "price", "indirect_image", "near_duplicate", "unreadable")


def main() -> None:
    """Print a measurement as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    measurements = parser.add_subparsers(dest="what", required=True)
    demos = measurements.add_parser("demo")
    demos.add_argument("--listings", type=int, default=600)
    prices = measurements.add_parser("prices")
    prices.add_argument("table", type=Path)
    demos.add_argument("--seeds", type=int, nargs="+", default=[10, 11, 12])
    prices.add_argument("--seeds", type=int, nargs="+", default=list(range(10)))
    speed = measurements.add_parser("speed")
    speed.add_argument("--listings", type=int, default=20_000)
    stage = measurements.add_parser("stage")
    stage.add_argument("--listings", type=int, default=10_000)
    stage.add_argument("--beside", type=Path, action="append", default=[], help="another checkout, with its .venv")
    stage.add_argument("--repeats", type=int, default=5)
    arguments = vars(parser.parse_args())
    what = arguments.pop("what")
    ways = {"demo": on_demos, "prices": on_changed_prices, "speed": of_each_kind, "stage": of_the_stage}
    result = ways[what](**arguments)
    print(json.dumps(result, indent=1, default=str))


def on_demos(seeds: Sequence[int], listings: int) -> dict[str, Any]:
    """Compare the flags of demos with what was planted."""
    return {f"seed {seed}": _on_demo(seed, listings) for seed in seeds}


def _on_demo(seed: int, listings: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as name:
        demo = Path(name) / "demo"
        write_demo(demo, listings=listings, seed=seed)
        evidence, _, seconds = evidence_of(demo / "listings.csv", demo / "truth.csv", Path(name), [])
        truth = pd.read_csv(demo / "truth.csv", dtype=str, keep_default_na=False).set_index("id")
    truth = truth.loc[evidence.listings["id"].tolist()]
    issues = find_issues(evidence)
    planted = {kind: truth["issues"].str.split(";").map(lambda kinds, kind=kind: kind in kinds) for kind in PLANTED}
    # an original belongs to the group of its reposts
    planted["near_duplicate"] |= truth.index.isin(truth["duplicate_of"])
    flags = {kind.name: issues[kind.flag].fillna(False).to_numpy(dtype=bool) for kind in KINDS if kind.flag in issues}
    office = (truth["note"] == "genuine office printer").to_numpy()
    wrong = (truth["issues"] != "").to_numpy()
    order = issues["priority"].to_numpy()
    return {
        "kinds": {kind: _share(flags[kind], planted[kind].to_numpy()) for kind in PLANTED if kind in flags},
        "others_flagged": {kind: int(flag.sum()) for kind, flag in flags.items() if kind not in PLANTED},
        "office_printers": int(office.sum()),
        "office_printers_flagged_by_price": int(flags["price"][office].sum()),
        "price_average_precision": float(
            average_precision_score(planted["price"], 1 - issues["price_score"].fillna(1))
        ),
        "coverage_of_the_usual_range": _coverage(issues, ~planted["price"].to_numpy()),
        "queue": {
            f"first {first}": {
                "expected": round(expected_changes(issues, first), 1),
                "there": int(wrong[order <= first].sum()),
            }
            for first in (50, 100, 200, listings)
        },
        "seconds": seconds,
    }


def _share(flagged: Bool, planted: Bool) -> dict[str, float | int | None]:
    right = int((flagged & planted).sum())
    return {
        "planted": int(planted.sum()),
        "flagged": int(flagged.sum()),
        "recall": right / planted.sum() if planted.any() else None,
        "precision": right / flagged.sum() if flagged.any() else None,
    }


def _coverage(issues: pd.DataFrame, sound: Bool) -> float:
    inside = (issues["price"] >= issues["price_low"]) & (issues["price"] <= issues["price_high"])
    return float(inside[sound].mean())


def on_changed_prices(table: Path, seeds: Sequence[int]) -> dict[str, Any]:
    """Multiply and divide prices at random, and look for them in the first tenth."""
    with tempfile.TemporaryDirectory() as name:
        evidence, _, _ = evidence_of(table, table, Path(name), ["--preset", "quick"])
    rows = [_after_changes(evidence, seed) for seed in seeds]
    recall = pd.DataFrame(rows)
    better = recall["curate"] - recall["robust z"]
    return {
        "changed": round(SHARE * len(evidence.listings)),
        "looked_at": round(BUDGET * len(evidence.listings)),
        "recall": recall.mean().to_dict(),
        "better_by": {"mean": better.mean(), "least": better.min(), "most": better.max()},
        "seeds": rows,
    }


def _after_changes(evidence: Evidence, seed: int) -> dict[str, float]:
    rng = np.random.default_rng(seed)
    price = evidence.listings["price"].to_numpy(dtype=np.float64, copy=True)
    chosen = rng.choice(np.flatnonzero(price > 0), round(SHARE * len(price)), replace=False)
    price[chosen] *= rng.choice([0.01, 0.1, 10, 100], len(chosen))
    changed = np.isin(np.arange(len(price)), chosen)
    listings = evidence.listings.assign(price=price)
    scores = {
        "curate": PRICE.find(replace(evidence, listings=listings))["price_score"].to_numpy(),
        "robust z": _robust_z(pd.Series(price), listings["label"]),
    }
    first = round(BUDGET * len(price))
    return {
        name: float(changed[np.argsort(score, kind="stable")[:first]].sum() / changed.sum())
        for name, score in scores.items()
    }


def _robust_z(price: pd.Series, label: pd.Series) -> Float64:
    """Return minus the distance from the class's median in MADs (Iglewicz & Hoaglin, 1993); a price of 0 is first."""
    x = np.log(price.where(price > 0))
    groups = label.fillna("").to_numpy()
    off = (x - x.groupby(groups).transform("median")).abs()
    z = 0.6745 * off / off.groupby(groups).transform("median").clip(lower=1e-9)
    return -z.where(price > 0, np.inf).to_numpy(dtype=np.float64)


def of_each_kind(listings: int) -> dict[str, Any]:
    """Time every kind on a demo whose listings are repeated many times with small differences."""
    many = _many(_of_a_demo(), listings)
    seconds = {}
    for kind in KINDS:
        start = time.perf_counter()
        kind.find(many)
        seconds[kind.name] = time.perf_counter() - start
    return {
        "listings": listings,
        "classes": len(many.classes),
        "listings_per_second": {name: round(listings / taken) for name, taken in seconds.items()},
        "seconds": seconds,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


def _of_a_demo() -> Evidence:
    with tempfile.TemporaryDirectory() as name:
        demo = Path(name) / "demo"
        write_demo(demo, listings=600, seed=0)
        return evidence_of(demo / "listings.csv", demo / "truth.csv", Path(name), ["--preset", "quick"])[0]


#: Reads evidence from a folder with the code of the current checkout, and prints wall-clock seconds, processor seconds
#: and a hash of the queue.
_STAGE = """
import hashlib, sys, time
from pathlib import Path
import numpy as np, pandas as pd
from curation.issues import Evidence, find_issues
folder = Path(sys.argv[1])
with np.load(folder / "arrays.npz") as arrays:
    arrays = dict(arrays)
classes = tuple(arrays.pop("classes").tolist())
evidence = Evidence(pd.read_pickle(folder / "listings.pickle"), classes, **arrays)
start, busy = time.perf_counter(), time.process_time()
issues = find_issues(evidence)
seconds, busy = time.perf_counter() - start, time.process_time() - busy
print(seconds, busy, hashlib.sha256(issues.to_csv(index=False).encode()).hexdigest())
"""


def of_the_stage(listings: int, beside: Sequence[Path], repeats: int) -> dict[str, Any]:
    """Time the stage in this checkout and in others, alternating, each in its own process."""
    many = _many(_of_a_demo(), listings)
    names = ("probs", "trained", "in_fold", "neighbours", "features")
    arrays = {name: values for name in names if (values := getattr(many, name)) is not None}
    checkouts = {"this": (Path(__file__).resolve().parents[1], sys.executable)}
    checkouts |= {other.name: (other.resolve(), str(other.resolve() / ".venv/bin/python")) for other in beside}
    seconds: dict[str, list[float]] = {name: [] for name in checkouts}
    busy: dict[str, list[float]] = {name: [] for name in checkouts}
    queues: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as name:
        many.listings.to_pickle(Path(name) / "listings.pickle")
        np.savez(Path(name) / "arrays.npz", classes=np.array(many.classes), **arrays)
        for _ in range(repeats):
            for checkout, (root, python) in checkouts.items():
                command = [python, "-c", _STAGE, name]
                environment = {**os.environ, "PYTHONPATH": str(root)}
                done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=root, env=environment)
                taken, worked, queues[checkout] = done.stdout.split()
                seconds[checkout].append(float(taken))
                busy[checkout].append(float(worked))
    return {
        "listings": listings,
        "classes": len(many.classes),
        "median_seconds": {checkout: float(np.median(taken)) for checkout, taken in seconds.items()},
        "median_processor_seconds": {checkout: float(np.median(taken)) for checkout, taken in busy.items()},
        "seconds": seconds,
        "same_queue": len(set(queues.values())) == 1,
    }


def _many(evidence: Evidence, count: int) -> Evidence:
    rng = np.random.default_rng(0)
    rows = rng.integers(0, len(evidence.listings), count)
    table = evidence.listings.iloc[rows].reset_index(drop=True)
    number = pd.Series(np.arange(count)).astype(str)
    table = table.assign(
        id=("L" + number).astype("string"),
        sha256=("photo " + number).astype("string"),
        near_group=pd.array([pd.NA] * count, dtype="Int64"),
        title=(table["title"] + " " + pd.Series(rng.integers(0, 5000, count)).astype(str)).astype("string"),
        price=(table["price"] * np.exp(rng.normal(0, 0.1, count))).round(2),
    )
    of_models = {name: getattr(evidence, name) for name in ("trained", "in_fold", "neighbours", "features")}
    taken = {name: values[rows] for name, values in of_models.items() if values is not None}
    taken["features"] = taken["features"] + np.float32(0.1) * rng.standard_normal(taken["features"].shape, np.float32)
    return replace(evidence, listings=table, probs=np.nan_to_num(evidence.probs[rows], nan=0.1), **taken)


if __name__ == "__main__":
    main()
