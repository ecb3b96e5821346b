"""Time `curate find-issues --probabilities` on synthetic listings, in its own process.

python benchmarks/probabilities.py --listings 50000 --classes 10
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd


def main() -> None:
    """Print seconds and peak memory as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--listings", type=int, default=50_000)
    parser.add_argument("--classes", type=int, default=10)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write(folder, arguments.listings, arguments.classes)
        command = [str(Path(sys.executable).with_name("curate")), "find-issues", "listings.csv"]
        start = time.monotonic()
        subprocess.run(
            [*command, "--probabilities", "probs.npz", "--json"], cwd=folder, check=True, capture_output=True
        )
        seconds = time.monotonic() - start
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(json.dumps({**vars(arguments), "seconds": round(seconds, 1), "peak_mb": round(peak)}))


def write(folder: Path, n: int, k: int) -> None:
    """Write a table with prices and float16 probabilities with 10 % wrong labels."""
    rng = np.random.default_rng(0)
    classes = np.array([f"class {number}" for number in range(k)])
    ids = np.array([f"L{number}" for number in range(n)])
    true = rng.integers(0, k, n)
    label = np.where(rng.random(n) < 0.1, rng.integers(0, k, n), true)
    logits = rng.normal(0, 1, (n, k))
    logits[np.arange(n), true] += 4
    probs = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    price = rng.lognormal(3 + 0.2 * true, 0.5).round(2)
    pd.DataFrame({"id": ids, "label": classes[label], "price": price}).to_csv(folder / "listings.csv", index=False)
    np.savez(folder / "probs.npz", id=ids, classes=classes, probs=probs.astype(np.float16))


if __name__ == "__main__":
    main()
