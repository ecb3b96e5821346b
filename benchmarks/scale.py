"""From a hundred listings to a million: seconds and memory of `curate find-issues --probabilities`.

    python benchmarks/scale.py prices --listings 1000000 --classes 100
    python benchmarks/scale.py titles --listings 20000 100000 200000
    python benchmarks/scale.py start
    python benchmarks/scale.py cleanlab --listings 1000000 --classes 100

`prices`: listings with prices, and no titles. `titles`: listings with titles and prices, the slope of the logarithm of
processor seconds over that of listings, and how many of the planted errors are found. `start`: a run on 100 listings,
and `--help`. `cleanlab`: the same probabilities, without prices, by this program, by cleanlab's ``find_label_issues``
and by its Datalab, one after another in processes of their own, with F1 of the flags and average precision.
Seconds are processor seconds and those of the clock, from process start to end; memory is the peak.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import average_precision_score, f1_score

#: A class of listings is called by one of so many words of its own.
BRANDS, WORDS = 40, 16_000
#: What the system counts for a process begins with the size of the one that started it, so each writes its own peak.
_PEAK = """
import atexit, re
def note():
    with open("/proc/self/status") as status, open("peak.txt", "w") as peak:
        peak.write(re.search(r"VmHWM:\\s+(\\d+)", status.read())[1])
atexit.register(note)
"""
_CURATE = "import sys; from curation.cli import main; sys.argv[0] = 'curate'; main()"
#: What a user of cleanlab would write; both read the arrays from the folder, and save flags and scores.
_FIND_LABEL_ISSUES = """
import numpy as np
from cleanlab.filter import find_label_issues
from cleanlab.rank import get_label_quality_scores
with np.load("probs.npz") as arrays:
    probs, classes = arrays["probs"].astype(np.float32), arrays["classes"]
probs /= probs.sum(axis=1, keepdims=True)
labels = np.load("labels.npy")
flags = find_label_issues(labels, probs)
np.savez("found.npz", flags=flags, scores=get_label_quality_scores(labels, probs))
"""
_DATALAB = """
import numpy as np
from cleanlab import Datalab
with np.load("probs.npz") as arrays:
    probs, classes = arrays["probs"].astype(np.float32), arrays["classes"]
probs /= probs.sum(axis=1, keepdims=True)
labels = np.load("labels.npy")
lab = Datalab({"label": labels}, label_name="label", verbosity=0)
lab.find_issues(pred_probs=probs, issue_types={"label": {}})
found = lab.get_issues("label")
np.savez("found.npz", flags=found["is_label_issue"].to_numpy(), scores=found["label_score"].to_numpy())
"""


def main() -> None:
    """Print a measurement as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ways = parser.add_subparsers(dest="what", required=True)
    for name, default in (("prices", 1_000_000), ("cleanlab", 1_000_000)):
        way = ways.add_parser(name)
        way.add_argument("--listings", type=int, default=default)
        way.add_argument("--classes", type=int, default=100)
    titles = ways.add_parser("titles")
    titles.add_argument("--listings", type=int, nargs="+", default=[20_000, 100_000, 200_000])
    titles.add_argument("--classes", type=int, default=100)
    ways.add_parser("start")
    arguments = vars(parser.parse_args())
    what = {"prices": of_prices, "titles": of_titles, "start": of_the_start, "cleanlab": beside_cleanlab}
    print(json.dumps(what[arguments.pop("what")](**arguments), indent=1))


def of_prices(listings: int, classes: int) -> dict[str, Any]:
    """Measure a run on listings with prices."""
    with tempfile.TemporaryDirectory() as name:
        truth = write(Path(name), listings, classes)
        return {"listings": listings, "classes": classes, **_run(Path(name)), **_found(Path(name), truth)}


def of_titles(listings: Sequence[int], classes: int) -> dict[str, Any]:
    """Measure runs on more and more listings with titles and prices."""
    rows = []
    for count in listings:
        with tempfile.TemporaryDirectory() as name:
            truth = write(Path(name), count, classes, titles=True)
            rows.append({"listings": count, **_run(Path(name)), **_found(Path(name), truth)})
    result: dict[str, Any] = {"classes": classes, "runs": rows}
    if len(rows) > 1:
        seconds = np.log([row["processor_seconds"] for row in rows])
        result["slope"] = float(np.polyfit(np.log(listings), seconds, 1)[0])
    return result


def of_the_start() -> dict[str, Any]:
    """Measure what takes no time but that of the start."""
    with tempfile.TemporaryDirectory() as name:
        write(Path(name), 100, 10)
        runs = [_run(Path(name), f"run{number}") for number in range(3)]
        helps = [_measured(_CURATE, ["--help"], Path(name)) for _ in range(3)]
    return {"100 listings, the fastest of 3": min(runs, key=_processor), "--help": min(helps, key=_processor)}


def beside_cleanlab(listings: int, classes: int) -> dict[str, Any]:
    """Compare flags, ranking, seconds and memory with cleanlab's on the same probabilities."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        wrong = write(folder, listings, classes, prices=False)["label"]
        result = {"curate": {**_run(folder), **_found(folder, {"label": wrong})}}
        for tool, code in (("find_label_issues", _FIND_LABEL_ISSUES), ("Datalab", _DATALAB)):
            measured = _measured(code, [], folder)
            with np.load(folder / "found.npz") as found:
                result[tool] = {**measured, "label": _scores(wrong, found["flags"], found["scores"])}
    theirs = result["find_label_issues"]
    ratios = {key: result["curate"][key] / theirs[key] for key in ("seconds", "processor_seconds", "peak_mb")}
    return {"listings": listings, "classes": classes, **result, "ratios to find_label_issues": ratios}


def write(
    folder: Path, n: int, k: int, *, prices: bool = True, titles: bool = False
) -> dict[str, np.ndarray[Any, np.dtype[np.bool_]]]:
    """Write listings.csv, labels.npy and probs.npz; return which labels and prices are wrong: 10 % and 2 %."""
    rng = np.random.default_rng(0)
    classes = np.array([f"class {number:0{len(str(k))}}" for number in range(k)])
    ids = np.array([f"L{number}" for number in range(n)])
    true = rng.integers(0, k, n)
    label = np.where(rng.random(n) < 0.1, rng.integers(0, k, n), true)
    probs = np.empty((n, k), dtype=np.float16)
    for start in range(0, n, 50_000):
        part = slice(start, start + 50_000)
        logits = rng.normal(0, 1, (len(true[part]), k))
        logits[np.arange(len(logits)), true[part]] += 4
        probs[part] = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    table, wrong = {"id": ids, "label": classes[label]}, {"label": label != true}
    cost = rng.normal(3 + 0.02 * true, 0.5)
    if titles:
        table["title"], dearer = _titles(rng, true, k)
        cost += dearer
    if prices:
        wrong["price"] = rng.random(n) < 0.02
        table["price"] = (np.exp(cost) * np.where(wrong["price"], rng.choice([0.01, 0.1, 10, 100], n), 1)).round(2)
    pd.DataFrame(table).to_csv(folder / "listings.csv", index=False)
    np.save(folder / "labels.npy", label)
    np.savez(folder / "probs.npz", id=ids, classes=classes, probs=probs)
    return wrong


def _titles(rng: np.random.Generator, true: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Return titles of a brand, words of any class and model numbers, and how dear the brands are."""
    syllables = [first + second for first in "bcdfghjklmnprstvwz" for second in "aeiou"] + ["an", "er", "st", "ing"]
    made: dict[str, None] = {}
    while len(made) < k * BRANDS + WORDS:
        made["".join(rng.choice(syllables, rng.integers(2, 5)))] = None
    words = np.array(list(made))
    brand = true * BRANDS + rng.integers(0, BRANDS, len(true))
    often = 1 / np.arange(1, WORDS + 1)
    others = words[k * BRANDS :][rng.choice(WORDS, (len(true), 5), p=often / often.sum())]
    count, number = rng.integers(1, 6, len(true)), rng.integers(1, 20_000, len(true))
    titles = [
        " ".join([words[own], *more[:some], *([str(model)] if model % 3 == 0 else [])])
        for own, more, some, model in zip(brand, others, count, number, strict=True)
    ]
    return np.array(titles), rng.normal(0, 0.5, k * BRANDS)[brand]


def _run(folder: Path, run: str = "run") -> dict[str, float]:
    command = ["find-issues", "listings.csv", "--probabilities", "probs.npz", "--run", run, "--json"]
    return _measured(_CURATE, command, folder)


def _measured(code: str, arguments: Sequence[str], folder: Path) -> dict[str, float]:
    """Run Python code in a folder; return its seconds, and the peak memory of its first process."""
    root = str(Path(__file__).resolve().parents[1])
    path = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))
    start = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-c", _PEAK + code, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": path},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.monotonic() - start
    if process.returncode:
        raise SystemExit(f"failed with status {process.returncode}: {' '.join(arguments)}")
    return {
        "seconds": round(seconds, 2),
        "processor_seconds": round(used.ru_utime + used.ru_stime, 2),
        "peak_mb": round(int((folder / "peak.txt").read_text()) / 1024),
    }


def _processor(measured: dict[str, float]) -> float:
    return measured["processor_seconds"]


def _found(folder: Path, wrong: dict[str, Any]) -> dict[str, dict[str, float]]:
    issues = pd.read_parquet(folder / "run" / "issues.parquet")
    return {
        kind: _scores(
            planted,
            issues[f"is_{kind}_issue"].fillna(False).to_numpy(bool),
            issues[f"{kind}_score"].fillna(1).to_numpy(),
        )
        for kind, planted in wrong.items()
    }


def _scores(wrong: Any, flags: Any, scores: Any) -> dict[str, float]:
    return {
        "flags": int(flags.sum()),
        "f1": float(f1_score(wrong, flags)),
        "average_precision": float(average_precision_score(wrong, -scores)),
    }


if __name__ == "__main__":
    main()
