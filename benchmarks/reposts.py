"""Measure how near duplicates are found: how many of the demo's, and how long 100,000 photos take.

python benchmarks/reposts.py found --seeds 10 11 12
python benchmarks/reposts.py scale --listings 100000
python benchmarks/reposts.py reasons --listings 40000
"""

from __future__ import annotations

import argparse
import itertools
import json
import resource
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.ndimage import affine_transform

from curation.demo import write_demo
from curation.issues import Evidence
from curation.issues.near_duplicate import KIND
from curation.listings import read_listings
from curation.prepare import prepare
from curation.runs import Run
from curation.talk import Silent
from training.photos.cache import PhotoCache
from training.photos.pixels import Integers, Pixels
from training.similar import find_similar

SHARE = 0.1


def main() -> None:
    """Print what was asked for as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked = parser.add_subparsers(dest="what", required=True)
    one = asked.add_parser("found", help="recall and precision on demos")
    one.add_argument("--seeds", type=int, nargs="+", default=[10, 11, 12])
    one.add_argument("--listings", type=int, default=600)
    one.add_argument("--sizes", type=int, nargs="+", default=[32, 48, 64])
    for name, count in (("scale", 100_000), ("reasons", 40_000)):
        asked.add_parser(name).add_argument("--listings", type=int, default=count)
    asked.choices["scale"].add_argument("--size", type=int, default=48)
    arguments = vars(parser.parse_args())
    what = arguments.pop("what")
    result = {"found": found, "scale": scale, "reasons": reasons}[what](**arguments)
    print(json.dumps({**arguments, **result}, indent=1))


def found(seeds: Sequence[int], listings: int, sizes: Sequence[int]) -> dict[str, Any]:
    """Compare the groups of demos with their truth, by pairs and by listings."""
    rows = []
    for seed in seeds:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            write_demo(folder / "demo", listings=listings, seed=seed)
            truth = pd.read_csv(folder / "demo" / "truth.csv", dtype=str)
            rows += [{"seed": seed, "size": size, **_judged(folder, size, truth)} for size in sizes]
    worst = {key: min(row[key] for row in rows) for key in ("recall", "precision", "recall_near")}
    return {"demos": rows, "worst": worst}


def _judged(folder: Path, size: int, truth: pd.DataFrame) -> dict[str, float]:
    source = read_listings(folder / "demo")
    run = Run(folder / f"run-{size}")
    run.update(dataset={"root": str(folder / "demo"), "classes": list(source.classes)})
    cache = PhotoCache(folder / "cache", 10**10)
    table = prepare(run, source, image_size=size, seed=0, folds=5, cache=cache, talk=Silent(), text=False)
    issues = KIND.find(Evidence(table, tuple(source.classes), np.empty((len(table), 0))))
    groups = table.assign(number=issues["near_duplicate_group"]).dropna(subset="number").groupby("number")["id"]
    joined = {pair for _, ids in groups for pair in itertools.combinations(sorted(ids), 2)}
    again = truth.dropna(subset="duplicate_of")
    planted = {tuple(sorted(pair)) for pair in zip(again["id"], again["duplicate_of"], strict=True)}
    content = table.set_index("id")["sha256"]
    near = {pair for pair in planted if content[pair[0]] != content[pair[1]]}
    right = joined & planted
    return {
        "planted_pairs": len(planted),
        "joined_pairs": len(joined),
        "recall": len(right) / len(planted),
        "recall_near": len(joined & near) / len(near),
        "precision": len(right) / max(1, len(joined)),
        "flagged_listings": int(issues[KIND.flag].sum()),
    }


def scale(listings: int, size: int) -> dict[str, Any]:
    """Time `find_similar` on made-up squares; a tenth of them are others, cropped, brightened and with some noise."""
    with tempfile.TemporaryDirectory() as name:
        first, again, photos = _squares(Path(name) / "photos.npy", listings, size)
        start = time.perf_counter()
        groups = find_similar(photos, np.arange(listings)).group
        seconds = time.perf_counter() - start
    same = (groups[first] == groups[again]) & (groups[first] >= 0)
    return {
        "seconds": round(seconds, 1),
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "planted": len(first),
        "recall": float(same.mean()),
        "joined_listings": int((groups >= 0).sum()),
        "listings_joined_wrongly": int((groups >= 0).sum() - len(set(first[same]) | set(again[same]))),
    }


def _squares(path: Path, count: int, size: int) -> tuple[Integers, Integers, Pixels]:
    """Write squares with the spectrum of natural photos; return which are shown again, where, and all of them."""
    rng = np.random.default_rng(0)
    photos = np.lib.format.open_memmap(path, "w+", np.uint8, (count, size, size, 3))
    distance = np.hypot(np.fft.fftfreq(size)[:, None], np.fft.rfftfreq(size))
    strength = 1 / np.maximum(distance, 1 / size)
    planted = int(SHARE * count)
    originals = count - planted
    for start in range(0, originals, 1000):
        many = min(1000, originals - start)
        noise = np.fft.rfft2(rng.normal(size=(many, 3, size, size))) * strength
        values = np.fft.irfft2(noise, s=(size, size))
        values /= values.std(axis=(2, 3), keepdims=True)
        # the colours of photos go together
        grey = values[:, :1]
        photos[start : start + many] = (128 + 50 * (0.9 * grey + 0.4 * values)).clip(0, 255).transpose(0, 2, 3, 1)
    first = rng.permutation(originals)[:planted]
    for place, row in enumerate(first, originals):
        kept = 1 - rng.uniform(0, 0.06, 2)
        moved = affine_transform(
            photos[row].astype(np.float32), [*kept, 1], [*(rng.random(2) * (1 - kept) * size), 0], order=1
        )
        changed = moved * rng.uniform(0.92, 1.08) + rng.normal(0, 3, moved.shape)
        photos[place] = changed.clip(0, 255)
    return first, np.arange(originals, count), photos


def reasons(listings: int) -> dict[str, Any]:
    """Time the issue kind where nearly every listing is a repost: four listings a photo, and 5,000 of one photo."""
    rng = np.random.default_rng(0)
    photo = np.arange(listings) // 4
    photo[:5000] = 0
    table = pd.DataFrame(
        {
            "id": [f"L{number:06d}" for number in rng.permutation(listings)],
            "label": rng.choice(["laptop", "mouse", "cable"], listings),
            "price": rng.lognormal(3, 1, listings).round(2),
            "sha256": [f"content {number}" for number in photo],
            "unreadable": pd.array([pd.NA] * listings, dtype="string"),
        }
    )
    start = time.perf_counter()
    issues = KIND.find(Evidence(table, ("cable", "laptop", "mouse"), np.empty((listings, 0))))
    return {"seconds": round(time.perf_counter() - start, 2), "flagged": int(issues[KIND.flag].sum())}


if __name__ == "__main__":
    main()
