"""Text in photos: recall and precision on demos, photos per second, and the smallest photo in which text is found.

    python benchmarks/text.py demos [--seeds 0 1 2] [--listings 600]
    python benchmarks/text.py folder DATASET [--most 1000]
    python benchmarks/text.py small [--seed 10]

Prints JSON. `folder` lists the flagged listings of a dataset without truth, for a person to check.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from curation.demo_data import write_demo
from curation.evidence.evidence import Evidence
from curation.issues.indirect_image import KIND
from curation.listings import read_listings
from curation.photos.text import TextFinder
from curation.photos.text_cache import PhotoText
from training.images import decode
from training.images.cache import PhotoCache
from training.utils.parallel import cores

#: A photo: its content, the SHA-256 of that, and its upright width and height.
_Photo = tuple[bytes, str, tuple[int, int]]


def main() -> None:
    """Run one of the benchmarks."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("demos", "folder", "small"))
    parser.add_argument("dataset", type=Path, nargs="?")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--seed", type=int, default=10)
    parser.add_argument("--listings", type=int, default=600)
    parser.add_argument("--most", type=int, default=1000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        if options.what == "demos":
            result: Any = [demo(Path(name), options.listings, seed) for seed in options.seeds]
        elif options.what == "folder":
            result = folder(Path(name), options.dataset, options.most)
        else:
            result = small(Path(name), options.listings, options.seed)
    print(json.dumps(result, indent=2, ensure_ascii=False))


def demo(scratch: Path, listings: int, seed: int) -> dict[str, Any]:
    """Find the planted spec sheets of a demo."""
    root = scratch / f"demo-{seed}"
    write_demo(root, listings=listings, seed=seed)
    table, times = examined(root, read_listings(root).table, scratch / f"cache-{seed}")
    truth = pd.read_csv(root / "truth.csv", keep_default_na=False).set_index("id")["issues"]
    planted = truth.str.contains("indirect_image").reindex(table["id"]).to_numpy()
    flagged = table[KIND.flag].to_numpy(dtype=bool)
    right = int((planted & flagged).sum())
    return {
        "seed": seed,
        "planted": int(planted.sum()),
        "flagged": int(flagged.sum()),
        "recall": right / planted.sum(),
        "precision": right / max(1, flagged.sum()),
        **times,
    }


def folder(scratch: Path, dataset: Path, most: int) -> dict[str, Any]:
    """List what is flagged among the first `most` listings."""
    listings = read_listings(dataset)
    table = listings.table.sample(min(most, len(listings.table)), random_state=0)
    table, times = examined(listings.source.root, table, scratch / "cache")
    flagged = table[table[KIND.flag].astype(bool)]
    return {**times, "flagged": dict(zip(flagged["id"], flagged["reason"], strict=True))}


def small(scratch: Path, listings: int, seed: int) -> dict[str, float]:
    """Return the share of a demo's spec sheets that is flagged at each size of the shorter side."""
    root = scratch / "demo"
    write_demo(root, listings=listings, seed=seed)
    truth = pd.read_csv(root / "truth.csv", keep_default_na=False)
    table = read_listings(root).table[truth["issues"].str.contains("indirect_image").to_numpy()]
    shares = {}
    for side in (64, 80, 96, 112, 128, 160, 192, 256):
        there = scratch / f"{side}"
        for image in table["image"]:
            (there / image).parent.mkdir(parents=True, exist_ok=True)
            with Image.open(root / image) as photo:
                scale = side / min(photo.size)
                width, height = (round(length * scale) for length in photo.size)
                photo.resize((width, height), Image.Resampling.LANCZOS).save(there / image, quality=90)
        # without labels: in a class of spec sheets alone, text would be usual
        flagged, _ = examined(there, table.assign(label=pd.NA), scratch / f"cache-{side}")
        shares[str(side)] = float(flagged[KIND.flag].astype(bool).mean())
    return shares


def examined(root: Path, table: pd.DataFrame, cache: Path) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Return the issues, and the speed of the search for text: the first time, and from the cache."""
    files: dict[int, _Photo] = {}
    for row, image in enumerate(table["image"]):
        content = (root / image).read_bytes()
        try:
            _, (width, height) = decode(content, 48)
        except Exception:  # a damaged file can raise anything in a decoder; find-issues leaves it out here, too
            continue
        files[row] = (content, hashlib.sha256(content).hexdigest(), (width, height))
    cold, cpu, texts = timed(list(files.values()), cache)
    again, _, _ = timed(list(files.values()), cache)
    text_of = [PhotoText()] * len(table)
    for row, text in zip(files, texts, strict=True):
        text_of[row] = text
    table = table.assign(
        text_share=pd.array([text.share for text in text_of], dtype="Float64"),
        text=pd.array([text.words for text in text_of], dtype="string"),
    )
    issues = KIND.find(Evidence(table, (), np.empty((len(table), 0))))
    times = {
        "photos": len(files),
        "photos_per_second": round(len(files) / cold, 1),
        "photos_per_cpu_second": round(len(files) / cpu, 1),
        "photos_per_second_from_the_cache": round(len(files) / again),
        "load": round(os.getloadavg()[0], 1),
    }
    return pd.concat([table, issues], axis=1), times


def timed(photos: Sequence[_Photo], cache: Path) -> tuple[float, float, list[PhotoText]]:
    """Return wall-clock seconds, processor seconds, and the texts."""
    start, cpu = time.perf_counter(), time.process_time()
    with TextFinder(PhotoCache(cache, 10**9)) as finder, ThreadPoolExecutor(cores()) as pool:
        list(pool.map(lambda photo: finder(*photo), photos))
    texts = [finder.text_of(sha256) for _, sha256, _ in photos]
    return time.perf_counter() - start, time.process_time() - cpu, texts


if __name__ == "__main__":
    main()
