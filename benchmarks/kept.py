"""What the cache saves a second run over the same photos, and how the memory of a run grows with their number.

python benchmarks/kept.py again --listings 10000 --side 160
python benchmarks/kept.py again --table listings.csv
python benchmarks/kept.py growth --counts 20000 50000 100000 -- --image-size 64

Options after -- are those of `curate find-issues`. Processor seconds hardly depend on what else runs; seconds do.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

CURATE = [sys.executable, str(Path(__file__).parent.parent / "cli.py"), "find-issues"]
CLASSES = 10
# share of wrong labels
WRONG = 0.1


def main() -> None:
    """Print a measurement as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    measurements = parser.add_subparsers(dest="what", required=True)
    one = measurements.add_parser("again", help="a run with an empty cache, and two more in other run folders")
    one.add_argument("--listings", type=int, default=10_000)
    one.add_argument("--table", type=Path, help="listings of your own instead of drawn ones")
    many = measurements.add_parser("growth", help="runs with an empty cache")
    many.add_argument("--counts", type=int, nargs="+", default=[20_000, 50_000, 100_000])
    for each, side in ((one, 160), (many, 64)):
        each.add_argument("--side", type=int, default=side, help="of the drawn photos, in pixels")
        each.add_argument("--folder", type=Path, help="where photos, cache and runs go, if they are to stay")
        each.add_argument("options", nargs="*", help="of find-issues")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=asked.folder) as name:
        folder = Path(name)
        result = again(folder, asked) if asked.what == "again" else growth(folder, asked)
    print(json.dumps(result, indent=1))


def again(folder: Path, asked: argparse.Namespace) -> dict[str, Any]:
    """Measure a first run, a second and a third one, and whether they find the same."""
    table = asked.table or draw(folder / "photos", asked.listings, asked.side)
    runs = [folder / f"run-{number}" for number in range(3)]
    measured = [find(table, run, folder / "cache", asked.options) for run in runs]
    found = {(run / "issues.parquet").read_bytes() for run in runs}
    return {"equal": len(found) == 1, "first": measured[0], "second": measured[1], "third": measured[2]}


def growth(folder: Path, asked: argparse.Namespace) -> list[dict[str, Any]]:
    """Measure runs over more and more photos."""
    table = draw(folder / "photos", max(asked.counts), asked.side)
    lines = table.read_text().splitlines(keepends=True)
    measured = []
    for count in sorted(asked.counts):
        part = table.with_name(f"first-{count}.csv")
        part.write_text("".join(lines[: count + 1]))
        run = folder / f"run-{count}"
        measured.append({"listings": count, **find(part, run, folder / f"cache-{count}", asked.options)})
        print(json.dumps(measured[-1]), file=sys.stderr)
    return measured


def draw(folder: Path, count: int, side: int) -> Path:
    """Draw photos of ten classes, all different, a tenth of them with a wrong label; return their table."""
    folder.mkdir(parents=True)
    classes = np.random.default_rng(0).integers(0, 256, (CLASSES, 4, 4, 3))

    def one(number: int) -> list[str]:
        rng = np.random.default_rng([1, number])
        true = int(rng.integers(CLASSES))
        label = int(rng.integers(CLASSES)) if rng.random() < WRONG else true
        name = f"{number:06d}.jpg"
        fields = [classes[true].astype(np.uint8), rng.integers(0, 256, (6, 6, 3), dtype=np.uint8)]
        layers = [Image.fromarray(field).resize((side, side), Image.Resampling.BICUBIC) for field in fields]
        pixels = np.asarray(Image.blend(layers[0], layers[1], 0.6)) + rng.normal(0, 6, (side, side, 1))
        Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(folder / name, quality=85)
        return [f"L{number:06d}", name, f"class {label}"]

    with ThreadPoolExecutor() as pool, (folder / "listings.csv").open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["id", "image", "label"])
        writer.writerows(pool.map(one, range(count)))
    return folder / "listings.csv"


def find(table: Path, run: Path, cache: Path, options: list[str]) -> dict[str, Any]:
    """Run find-issues; return its seconds, those of all processors together, and its peak memory."""
    command = [*CURATE, str(table), "--run", str(run), "--cache-dir", str(cache), *options]
    start, own = time.perf_counter(), 0
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    with ThreadPoolExecutor(1) as pool:
        said = pool.submit(process.stderr.read) if process.stderr else None
        while True:
            pid, status, used = os.wait4(process.pid, os.WNOHANG)
            if pid:
                break
            own = max(own, _own_memory(process.pid))
            time.sleep(0.05)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(said.result() if said else "")
    stages = json.loads((run / "run.json").read_text())["seconds"]
    return {
        "seconds": round(time.perf_counter() - start, 1),
        "processor_seconds": round(used.ru_utime + used.ru_stime, 1),
        # without and with the pages of files that are mapped, such as libraries
        "peak_mb": round(own / 1e6),
        "peak_with_files_mb": round(used.ru_maxrss * 1024 / 1e6),
        "stages": stages,
    }


def _own_memory(pid: int) -> int:
    """Return the resident bytes of a process, without mapped files."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("RssAnon:")), 0)


if __name__ == "__main__":
    main()
