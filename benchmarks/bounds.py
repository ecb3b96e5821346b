"""What reading within bounds costs: this version beside an earlier one, on the same files, in turns.

    git worktree add --detach ../before c9dfb65
    python benchmarks/bounds.py ../before --folder /tmp/inputs

Each figure is processor time of a process of its own, without its imports. What both read must be equal.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path
from statistics import median

import click
import numpy as np
import pandas as pd
from PIL import Image

PHOTOS = 2000
LISTINGS = (100_000, 1_000_000)
#: Reading arrays once is too short to be measured.
REPEATS = 20
KINDS = ("photos", *(f"csv-{count}" for count in LISTINGS), "npz", "npy")
HERE = Path(__file__).resolve().parents[1]


def make_inputs(folder: Path) -> None:
    """Write photos of usual formats and sizes, tables and probabilities, unless they are there."""
    draw = np.random.default_rng(18)
    (folder / "photos").mkdir(parents=True, exist_ok=True)
    names = [_photo(folder, number, draw) for number in range(PHOTOS)]
    ids = [f"L{number}" for number in range(LISTINGS[-1])]
    for count in LISTINGS:
        rows = np.arange(count)
        table = pd.DataFrame(
            {
                "id": ids[:count],
                "image": np.array(names)[rows % PHOTOS],
                "label": np.array(["lamp", "sofa", "desk", "chair"])[draw.integers(0, 4, count)],
                "price": (draw.random(count) * 900 + 5).round(2),
                "title": [f"a fine thing, number {number}" for number in rows],
            }
        )
        table.to_csv(folder / f"csv-{count}.csv", index=False)
    probs = draw.dirichlet(np.ones(20), LISTINGS[0])
    np.savez(folder / "npz.npz", probs=probs, id=np.array(ids[: LISTINGS[0]]), classes=np.array(_classes()))
    np.save(folder / "npy.npy", probs)
    (folder / "made").touch()


def _photo(folder: Path, number: int, draw: np.random.Generator) -> str:
    form, ending = [*[("JPEG", "jpg")] * 7, ("PNG", "png"), ("PNG", "png"), ("WEBP", "webp")][number % 10]
    # as shops and phones make them
    width, height = [(640, 480), (800, 800), (1200, 900), (480, 640), (1600, 1200)][number // 10 % 5]
    rough = draw.integers(0, 256, (height // 20, width // 20, 3), dtype=np.uint8)
    photo = Image.fromarray(rough).resize((width, height), Image.Resampling.BICUBIC)
    name = f"photos/{number}.{ending}"
    photo.save(folder / name, form, **({"compress_level": 1} if form == "PNG" else {"quality": 85}))
    return name


def _classes() -> list[str]:
    return [f"class {number}" for number in range(20)]


def read(kind: str, folder: Path) -> dict[str, object]:
    """Read one input with the version that is imported; return the processor time and a hash of what was read."""
    from curation.evidence.probability_files import parts_of_file
    from curation.evidence.probability_parts import Wanted
    from curation.listings import read_listings
    from training.images.cache import PhotoCache
    from training.images.ingest import store_photos

    warnings.simplefilter("ignore")
    Image.init()
    digest = hashlib.sha256()
    if kind == "photos":
        paths = sorted((folder / "photos").iterdir())
        with tempfile.TemporaryDirectory() as cache:
            start = time.process_time()
            store, facts = store_photos(paths, size=64, cache=PhotoCache(Path(cache), 10**9), spare=Path(cache))
            seconds = time.process_time() - start
            digest.update(store[np.arange(len(paths))].tobytes())
        digest.update(repr([(fact.sha256, fact.width, fact.height, fact.error) for fact in facts]).encode())
    elif kind.startswith("csv"):
        start = time.process_time()
        table = read_listings(folder / f"{kind}.csv").table
        seconds = time.process_time() - start
        digest.update(pd.util.hash_pandas_object(table).to_numpy().tobytes())
    else:
        wanted = Wanted([f"L{number}" for number in range(LISTINGS[0])], _classes())
        start = time.process_time()
        for _ in range(REPEATS):
            parts = parts_of_file(folder / f"{kind}.{kind}", wanted)
            np.asarray(parts.probs).sum()
        seconds = time.process_time() - start
        digest.update(np.ascontiguousarray(parts.probs).tobytes())
    return {"seconds": seconds, "read": digest.hexdigest()}


def _measured(kind: str, folder: Path, tree: Path) -> dict[str, object]:
    environment = {**os.environ, "PYTHONPATH": str(tree), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, __file__, str(tree), "--folder", str(folder), "--only", kind]
    ended = subprocess.run(command, env=environment, cwd=tree, capture_output=True, text=True, check=True)
    answer: dict[str, object] = json.loads(ended.stdout.splitlines()[-1])
    return answer


@click.command()
@click.argument("before", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--folder", type=click.Path(path_type=Path), required=True, help="Of the inputs, made on first use.")
@click.option("--rounds", default=3, show_default=True, help="Measurements of each version.")
@click.option("--kind", "kinds", multiple=True, type=click.Choice(KINDS), default=KINDS, help="What to read.")
@click.option("--only", type=click.Choice(KINDS), hidden=True)
def main(before: Path, folder: Path, rounds: int, kinds: tuple[str, ...], only: str | None) -> None:
    """Measure this version and the one in BEFORE in turns."""
    folder = folder.resolve()
    if only:
        click.echo(json.dumps(read(only, folder)))
        return
    if not (folder / "made").exists():
        make_inputs(folder)
    for kind in kinds:
        trees = {"before": before.resolve(), "now": HERE}
        seconds: dict[str, list[float]] = {name: [] for name in trees}
        found = set()
        for _ in range(rounds):
            for name, tree in trees.items():
                answer = _measured(kind, folder, tree)
                seconds[name].append(float(str(answer["seconds"])))
                found.add(answer["read"])
        middle = {name: median(values) for name, values in seconds.items()}
        shown = "; ".join(f"{name} {', '.join(f'{value:.2f}' for value in seconds[name])} s" for name in trees)
        equal = "equal" if len(found) == 1 else "DIFFERENT"
        click.echo(f"{kind}: {shown}; median ratio {middle['now'] / middle['before']:.2f}, {equal}")


if __name__ == "__main__":
    main()
