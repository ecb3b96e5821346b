"""Reading a table: processor seconds and peak memory of `read_listings` for one Parquet file, and for a folder of many.

    PYTHONPATH=. python benchmarks/reading.py --listings 1000000 --files 20

The table is drawn: ids, labels of 100 classes, prices and titles of five words, without photos. Each form is read in a
process of its own. The memory is the peak of that process, of which the imports take about 120 MB.
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

from curation.listings import read_listings

WORDS = "solid oak table lamp office chair wireless mouse keyboard monitor, 27 inch shelf white black used new cable"
CLASSES = 100


def main() -> None:
    """Print one JSON object per form."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--listings", type=int, default=1_000_000)
    parser.add_argument("--files", type=int, default=20, help="Parquet files of the folder")
    parser.add_argument("--read", type=Path, help="only read this one")
    arguments = parser.parse_args()
    if arguments.read is not None:
        print(json.dumps(reading(arguments.read)))
        return
    with tempfile.TemporaryDirectory() as place:
        for path in written(Path(place), arguments.listings, arguments.files):
            done = subprocess.run(
                [sys.executable, __file__, "--read", str(path)], check=True, capture_output=True, text=True
            )
            print(
                json.dumps({"form": path.name, "listings": arguments.listings, **json.loads(done.stdout)}), flush=True
            )


def written(folder: Path, listings: int, files: int) -> list[Path]:
    """Write a table in each form."""
    rng = np.random.default_rng(0)
    words = np.array(WORDS.split())
    table = pd.DataFrame(
        {
            "id": [f"{number:08}" for number in range(listings)],
            "label": [f"class {number}" for number in rng.integers(0, CLASSES, listings)],
            "price": np.round(np.exp(rng.normal(4, 1, listings)), 2),
            "title": [" ".join(row) for row in words[rng.integers(0, len(words), (listings, 5))]],
        }
    )
    one, many = folder / "one.parquet", folder / "many"
    table.to_parquet(one)
    many.mkdir()
    for number, rows in enumerate(np.array_split(np.arange(listings), files)):
        table.iloc[rows].to_parquet(many / f"part-{number}.parquet", index=False)
    return [one, many]


def reading(path: Path) -> dict[str, float]:
    """Read a table in this process."""
    start = time.process_time()
    read_listings(path, needs_image=False)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    return {"processor seconds": round(time.process_time() - start, 1), "MB": round(peak)}


if __name__ == "__main__":
    main()
