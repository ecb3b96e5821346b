"""The training engine against the script that a data scientist would write: speed, memory and quality.

    python benchmarks/engine.py versus LISTINGS.csv --folds 0 1     alternating, with AP
    python benchmarks/engine.py growth LISTINGS.csv                 seconds and memory as N grows
    python benchmarks/engine.py decoding FOLDER                     photos per second against Pillow in a loop
    python benchmarks/engine.py resume LISTINGS.csv                 killed halfway, then started again
    python benchmarks/engine.py network                             photos per second of training ResNet-18

LISTINGS.csv has ``id``, ``image``, ``label`` and, for AP, ``true_label``. Arguments after ``--`` go to ``curate
find-issues``. Every figure is measured in the same call. Prints JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image
from sklearn.metrics import average_precision_score

HERE = Path(__file__).parent
CURATE = [sys.executable, str(HERE.parent / "cli.py")]


class Timed:
    """A command that runs to its end: its seconds, and the peak memory of it and its children."""

    def __init__(self, command: list[str], *, env: dict[str, str] | None = None) -> None:
        start = time.perf_counter()
        self.process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env={**os.environ, **(env or {})}
        )
        self.lines: list[tuple[float, str]] = []
        self.memory = 0
        self._start = start
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.lines.append((time.perf_counter() - self._start, line.rstrip()))

    def wait(self) -> Timed:
        """Wait for its end, and measure its memory meanwhile."""
        while self.process.poll() is None:
            self.memory = max(self.memory, sum(_memory(pid) for pid in _family(self.process.pid)))
            time.sleep(0.1)
        self.seconds = time.perf_counter() - self._start
        self._reader.join()
        if self.process.returncode:
            raise SystemExit("\n".join(line for _, line in self.lines))
        return self

    def line(self, beginning: str) -> tuple[float, str]:
        """Return the first line with this beginning, after its second."""
        return next(((second, line) for second, line in self.lines if line.startswith(beginning)), (float("nan"), ""))


def _family(pid: int) -> list[int]:
    family, youngest = [pid], [pid]
    while youngest:
        youngest = [
            int(child)
            for parent in youngest
            for task in Path(f"/proc/{parent}/task").glob("*/children")
            for child in _text(task).split()
        ]
        family += youngest
    return family


def _memory(pid: int) -> int:
    """Return the resident bytes of a process, without the page cache of mapped files."""
    for line in _text(Path(f"/proc/{pid}/status")).splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) * 1024
    return 0


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""


def engine(table: Path, folder: Path, options: list[str], *, cache: Path | None = None) -> Timed:
    """Run find-issues with an empty cache, or with `cache`."""
    env = {"CURATE_CACHE_DIR": str(cache or folder.with_name(folder.name + "-cache"))}
    return Timed([*CURATE, "find-issues", str(table), "--run", str(folder), *options], env=env)


def average_precision(table: pd.DataFrame, ids: np.ndarray, classes: np.ndarray, probs: np.ndarray) -> float:
    """Return the AP of self-confidence: how well a low probability of the given label finds wrong labels."""
    rows = table.set_index("id").loc[ids]
    number = {name: place for place, name in enumerate(classes)}
    confidence = probs[np.arange(len(rows)), rows["label"].map(number).to_numpy(int)]
    return float(average_precision_score((rows["label"] != rows["true_label"]).to_numpy(), -confidence))


def versus(args: argparse.Namespace, work: Path) -> dict[str, Any]:
    """Alternate between the engine (all folds) and single folds of the reference."""
    table = pd.read_csv(args.table, dtype=str)
    ours: list[Timed] = []
    theirs: list[Timed] = []
    for number, fold in enumerate(args.folds):
        ours.append(engine(args.table, work / f"ours-{number}", args.options).wait())
        print(f"engine: {ours[-1].seconds:.0f} s", file=sys.stderr)
        command = [sys.executable, str(HERE / "reference.py"), str(args.table), "--epochs", str(args.epochs)]
        theirs.append(Timed([*command, "--fold", str(fold), "--out", str(work / f"theirs-{fold}.npz")]).wait())
        print(f"reference, fold {fold}: {theirs[-1].seconds:.0f} s", file=sys.stderr)
    ours.append(engine(args.table, work / "ours-last", args.options).wait())
    scored, probs_of = [], []
    for fold in args.folds:
        with np.load(work / f"theirs-{fold}.npz", allow_pickle=False) as file:
            rows = np.isfinite(file["probs"]).all(axis=1)
            scored.append(file["id"][rows])
            probs_of.append(file["probs"][rows])
            classes = file["classes"]
    with np.load(work / "ours-last" / "probabilities.npz", allow_pickle=False) as file:
        place = {id: row for row, id in enumerate(file["id"])}
        same = file["probs"][[place[id] for id in np.concatenate(scored)]]
        our_classes, all_ids, all_probs = file["classes"], file["id"], file["probs"]
    our_seconds = [run.seconds for run in ours]
    fold_seconds = [run.seconds for run in theirs]
    whole = 5 * float(np.mean(fold_seconds))
    return {
        "listings": len(table),
        "engine_seconds": our_seconds,
        "engine_stages": json.loads((work / "ours-last" / "run.json").read_text())["seconds"],
        "engine_expected": ours[-1].line("expected"),
        "reference_fold_seconds": fold_seconds,
        "reference_seconds_5_folds": whole,
        "times_faster": whole / float(np.mean(our_seconds)),
        "ap_same_listings": {
            "engine": average_precision(table, np.concatenate(scored), our_classes, same),
            "reference": average_precision(table, np.concatenate(scored), classes, np.concatenate(probs_of)),
        },
        "ap_engine_all": average_precision(table, all_ids, our_classes, all_probs),
        "memory_mb": {
            "engine": max(run.memory for run in ours) / 1e6,
            "reference": max(run.memory for run in theirs) / 1e6,
        },
    }


def growth(args: argparse.Namespace, work: Path) -> dict[str, Any]:
    """Time the engine on the first n listings."""
    table = pd.read_csv(args.table, dtype=str)
    table["image"] = [str((args.table.parent / image).resolve()) for image in table["image"]]
    result = []
    for count in args.counts:
        part = work / f"{count}.csv"
        # more listings than the table has: copies of its photos, each in a group of its own
        rows = pd.concat([table.assign(id=table["id"] + f"-{copy}") for copy in range(-(-count // len(table)))])
        rows.head(count).to_csv(part, index=False)
        run = engine(part, work / str(count), ["--allow-outside", *args.options]).wait()
        stages = json.loads((work / str(count) / "run.json").read_text())["seconds"]
        result.append({"listings": count, "seconds": run.seconds, **stages, "memory_mb": run.memory / 1e6})
        print(result[-1], file=sys.stderr)
    counts = np.array([row["listings"] for row in result], dtype=float)
    seconds = np.array([row["photos"] + row["train"] for row in result])
    line = np.polynomial.Polynomial.fit(counts, seconds, 1)
    return {"runs": result, "off_the_line": float(np.abs(line(counts) / seconds - 1).max())}


def decoding(args: argparse.Namespace, work: Path) -> dict[str, Any]:
    """Count photos per second, alternating three times between Pillow in a loop and the store."""
    from training.images.cache import PhotoCache
    from training.images.ingest import store_photos

    paths = sorted(path for path in args.folder.rglob("*") if path.suffix.lower() in (".jpg", ".jpeg", ".png"))
    plain, ours, again = [], [], []
    for number in range(3):
        start = time.perf_counter()
        for path in paths:
            with Image.open(path) as photo:
                np.asarray(photo.convert("RGB").resize((args.size, args.size)))
        plain.append(len(paths) / (time.perf_counter() - start))
        cache = PhotoCache(work / f"cache-{number}", 10**10)
        for rates in (ours, again):
            start = time.perf_counter()
            store_photos(paths, size=args.size, cache=cache, spare=work / "spare")
            rates.append(len(paths) / (time.perf_counter() - start))
    return {"photos": len(paths), "pillow_loop": max(plain), "store": max(ours), "store_from_cache": max(again)}


def resume(args: argparse.Namespace, work: Path) -> dict[str, Any]:
    """Kill a run after half of its time, and start it again."""
    whole = engine(args.table, work / "whole", args.options).wait()
    cache = work / "killed-cache"
    run = engine(args.table, work / "killed", args.options, cache=cache)
    time.sleep(whole.seconds * args.share)
    run.process.send_signal(signal.SIGKILL)
    run.process.wait()
    rest = engine(args.table, work / "killed", args.options, cache=cache).wait()
    probs = [np.load(work / name / "probabilities.npz")["probs"] for name in ("whole", "killed")]
    return {
        "undisturbed_seconds": whole.seconds,
        "killed_after": whole.seconds * args.share,
        "resumed_seconds": rest.seconds,
        "same_probabilities": bool(np.array_equal(*probs, equal_nan=True)),
    }


def network(args: argparse.Namespace, work: Path) -> dict[str, Any]:
    """Count training photos per second of ResNet-18, with the engine and with plain torch."""
    from training.fit.throughput import measure, seconds_of_step
    from training.settings import Recipe
    from training.utils.devices import find_device

    settings, device = Recipe(image_size=args.size, batch_size=args.batch, pretrained=False), find_device()
    result = []
    for _ in range(3):
        start = time.perf_counter()
        arranged = measure(settings, device, classes=10, jobs=5)
        took = time.perf_counter() - start
        plain = seconds_of_step(settings, device, 10, args.batch, 1, arranged.threads)
        result.append(
            {
                "arrangement": str(arranged),
                "measured_in": took,
                "photos_per_second": arranged.side_by_side * args.batch / arranged.step_seconds,
                "one_model_all_cores": args.batch / plain,
            }
        )
    return {"size": args.size, "batch": args.batch, "runs": result}


def main() -> None:
    """Run one of the benchmarks."""
    arguments, options = sys.argv[1:], []
    if "--" in arguments:
        cut = arguments.index("--")
        arguments, options = arguments[:cut], arguments[cut + 1 :]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    for run in (versus, growth, resume):
        command = commands.add_parser(run.__name__)
        command.add_argument("table", type=Path)
        command.set_defaults(run=run)
        if run is versus:
            command.add_argument("--folds", type=int, nargs="+", default=[0, 1, 2, 3, 4])
            command.add_argument("--epochs", type=int, default=8)
        if run is growth:
            command.add_argument("--counts", type=int, nargs="+", default=[1000, 2000, 4000, 7000, 10000])
        if run is resume:
            command.add_argument("--share", type=float, default=0.6)
    command = commands.add_parser("decoding")
    command.add_argument("folder", type=Path)
    command.add_argument("--size", type=int, default=48)
    command.set_defaults(run=decoding)
    command = commands.add_parser("network")
    command.add_argument("--size", type=int, default=64)
    command.add_argument("--batch", type=int, default=16)
    command.set_defaults(run=network)
    args = parser.parse_args(arguments)
    args.options = options
    with tempfile.TemporaryDirectory() as work:
        print(json.dumps(args.run(args, Path(work)), indent=2))


if __name__ == "__main__":
    main()
