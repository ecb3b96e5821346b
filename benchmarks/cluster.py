"""Run `curate find-issues` on a real Ray cluster on this machine, and compare it with the local engine.

python benchmarks/cluster.py --listings 2000
python benchmarks/cluster.py --listings 2000 --kill

Each node is a process with one core; the local engine has as many cores as there are nodes. Photos are read, decoded,
looked at for text, and features are computed, all for the first time.
"""

from __future__ import annotations

import argparse
import filecmp
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
#: Bytes of the store of each node.
STORE = 80 * 10**6
SAME = ("issues.csv", "listings.parquet", "training/features-0.npy")


def main() -> None:
    """Print seconds, their ratio, and whether results are equal, as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--listings", type=int, default=2_000)
    parser.add_argument("--nodes", type=int, default=2)
    parser.add_argument("--kill", action="store_true", help="lose a node in the middle")
    parser.add_argument("--no-text", action="store_true")
    arguments = parser.parse_args()
    # before Ray is imported
    os.environ |= {"RAY_USAGE_STATS_ENABLED": "0", "RAY_worker_niceness": "0", "PYTHONPATH": str(ROOT)}
    cores = sorted(os.sched_getaffinity(0))[: arguments.nodes]
    os.sched_setaffinity(0, cores)
    more = ["--no-text"] if arguments.no_text else []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        curate(folder, "demo", "shop", "--listings", str(arguments.listings))
        seconds = {"local": timed(folder, "local", *more)}
        cluster, nodes = started(arguments.nodes)
        if arguments.kill:
            timer = threading.Timer(seconds["local"] / 2, lost, (cluster, nodes))
            timer.start()
        seconds["ray"] = timed(folder, "ray", "--engine", "ray", "--address", cluster.address, *more)
        cluster.shutdown()
        stages = {run: json.loads((folder / run / "run.json").read_text())["seconds"] for run in seconds}
        same = all(filecmp.cmp(folder / "local" / file, folder / "ray" / file, shallow=False) for file in SAME)
    of_stages = {run: sum(stages[run][stage] for stage in ("photos", "train")) for run in stages}
    result = {
        **vars(arguments),
        "seconds": {run: round(taken, 1) for run, taken in seconds.items()},
        "photos_and_training": {run: round(taken, 1) for run, taken in of_stages.items()},
        "ratio": round(seconds["ray"] / seconds["local"], 3),
        "ratio_photos_and_training": round(of_stages["ray"] / of_stages["local"], 3),
        "equal": same,
    }
    print(json.dumps(result, indent=1))


def curate(folder: Path, *arguments: str) -> None:
    """Run a command in a folder."""
    subprocess.run([sys.executable, str(ROOT / "cli.py"), *arguments], cwd=folder, check=True, capture_output=True)


def timed(folder: Path, run: str, *arguments: str) -> float:
    """Return the seconds of find-issues with an empty cache of its own."""
    start = time.monotonic()
    curate(folder, "find-issues", "shop", "--run", run, "--cache-dir", f"cache-of-{run}", *arguments)
    return time.monotonic() - start


def started(count: int) -> tuple[object, list[object]]:
    """Start a head without a core, and nodes with one each."""
    from ray.cluster_utils import Cluster

    head = {"num_cpus": 0, "object_store_memory": STORE, "include_dashboard": False}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    return cluster, [cluster.add_node(num_cpus=1, object_store_memory=STORE) for _ in range(count)]


def lost(cluster: object, nodes: list[object]) -> None:
    """Kill a node; the other one goes on."""
    cluster.remove_node(nodes[0], allow_graceful=False)  # type: ignore[attr-defined]


if __name__ == "__main__":
    main()
