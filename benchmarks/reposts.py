"""Recall, precision and speed of the search for near duplicates.

`alike` is the hard case: thousands of different photos on one template, a few of which really are the same.

python benchmarks/reposts.py found --seeds 10 11 12
python benchmarks/reposts.py scale --listings 100000
python benchmarks/reposts.py alike --listings 20000 --template product
python benchmarks/reposts.py reasons --listings 40000
"""

from __future__ import annotations

import argparse
import io
import itertools
import json
import resource
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image, ImageDraw, ImageEnhance
from scipy.ndimage import affine_transform

from curation.demo_data import write_demo
from curation.evidence.split import prepare
from curation.issues import Evidence
from curation.issues.near_duplicate import KIND
from curation.listings import read_listings
from curation.photos.near_duplicates import find_similar
from curation.run.folder import RunFolder
from training.images.cache import PhotoCache
from training.images.decoding import Photos, Pixels, decode
from training.utils.arrays import Int64
from training.utils.progress import Silent

# shares of photos that are repeated
SHARE = 0.1
SHARE_ALIKE = 0.01
# side of the drawings in pixels
DRAWN = 160


def main() -> None:
    """Print a measurement as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    measurements = parser.add_subparsers(dest="what", required=True)
    one = measurements.add_parser("found", help="recall and precision on demos")
    one.add_argument("--seeds", type=int, nargs="+", default=[10, 11, 12])
    one.add_argument("--listings", type=int, default=600)
    one.add_argument("--sizes", type=int, nargs="+", default=[32, 48, 64])
    for name, count in (("scale", 100_000), ("alike", 20_000), ("reasons", 40_000)):
        measurements.add_parser(name).add_argument("--listings", type=int, default=count)
    measurements.choices["scale"].add_argument("--size", type=int, default=48)
    measurements.choices["alike"].add_argument("--size", type=int, default=48)
    measurements.choices["alike"].add_argument("--seed", type=int, default=10)
    measurements.choices["alike"].add_argument("--template", choices=sorted(TEMPLATES), default="product")
    arguments = vars(parser.parse_args())
    what = arguments.pop("what")
    measures: dict[str, Callable[..., dict[str, Any]]]
    measures = {"found": on_demos, "scale": scale, "alike": alike, "reasons": reasons}
    result = measures[what](**arguments)
    print(json.dumps({**arguments, **result}, indent=1))


def on_demos(seeds: Sequence[int], listings: int, sizes: Sequence[int]) -> dict[str, Any]:
    """Compare the groups of demos with the truth, by pairs and by listings."""
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
    run = RunFolder(folder / f"run-{size}")
    run.update(dataset={"root": str(folder / "demo"), "classes": list(source.classes)})
    cache = PhotoCache(folder / "cache", 10**10)
    table = prepare(run, source, image_size=size, seed=0, folds=5, cache=cache, reporter=Silent(), text=False)
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
    """Time `find_similar` on synthetic photos; a tenth of them repeat others, cropped, brightened and with noise."""
    with tempfile.TemporaryDirectory() as name:
        first, again, photos = _squares(Path(name) / "photos.npy", listings, size)
        return _timed(photos, first, again)


def _timed(photos: Photos, first: Int64, again: Int64) -> dict[str, Any]:
    """Time `find_similar`, and count the planted pairs that it finds and what else it joins."""
    start, worked = time.perf_counter(), time.process_time()
    groups = find_similar(photos, np.arange(len(photos))).group
    seconds, worked = time.perf_counter() - start, time.process_time() - worked
    same = (groups[first] == groups[again]) & (groups[first] >= 0)
    return {
        "seconds": round(seconds, 1),
        # shows whether the search is slow or the machine is busy
        "processor_seconds": round(worked, 1),
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "planted": len(first),
        "recall": float(same.mean()),
        "joined_listings": int((groups >= 0).sum()),
        "listings_joined_wrongly": int((groups >= 0).sum() - len(set(first[same]) | set(again[same]))),
    }


def _squares(path: Path, count: int, size: int) -> tuple[Int64, Int64, Pixels]:
    """Write photos with the spectrum of natural ones; return the repeated ones, their copies, and all photos."""
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
        # the colours of photos are correlated
        grey = values[:, :1]
        photos[start : start + many] = (128 + 50 * (0.9 * grey + 0.4 * values)).clip(0, 255).transpose(0, 2, 3, 1)
    first = rng.permutation(originals)[:planted]
    for place, row in enumerate(first, originals):
        scale = 1 - rng.uniform(0, 0.06, 2)
        moved = affine_transform(
            photos[row].astype(np.float32), [*scale, 1], [*(rng.random(2) * (1 - scale) * size), 0], order=1
        )
        changed = moved * rng.uniform(0.92, 1.08) + rng.normal(0, 3, moved.shape)
        photos[place] = changed.clip(0, 255)
    return first, np.arange(originals, count), photos


def alike(listings: int, size: int, seed: int, template: str) -> dict[str, Any]:
    """Time `find_similar` on photos of one template; one in a hundred repeats another with small changes."""
    rng = np.random.default_rng(seed)
    originals = listings - int(SHARE_ALIKE * listings)
    first = rng.permutation(originals)[: listings - originals]
    places = dict(zip(first.tolist(), range(originals, listings), strict=True))
    photos = np.empty((listings, size, size, 3), dtype=np.uint8)
    for row in range(originals):
        image = TEMPLATES[template](rng)
        photos[row] = _saved(image, size, 85)
        if row in places:
            photos[places[row]] = _saved(_changed(image, rng), size, int(rng.integers(40, 81)))
    return _timed(photos, first, np.arange(originals, listings))


def _product(rng: np.random.Generator) -> Image.Image:
    """Return the same bottle on the same white background, with a unique label."""
    image = Image.new("RGB", (DRAWN, DRAWN), "white")
    pen = ImageDraw.Draw(image)
    pen.ellipse((40, 142, 120, 154), fill=(215, 215, 215))
    pen.rounded_rectangle((52, 36, 108, 148), 10, fill=(40, 70, 60))
    pen.rectangle((70, 10, 90, 40), fill=(40, 70, 60))
    label = Image.fromarray(rng.integers(0, 256, (4, 3, 3), dtype=np.uint8))
    image.paste(label.resize((56, 64), Image.Resampling.NEAREST), (52, 64))
    return image


def _sheet(rng: np.random.Generator) -> Image.Image:
    """Return a table of figures with the same head and lines, but other figures and another drawing."""
    image = Image.new("RGB", (DRAWN, DRAWN), (250, 250, 250))
    pen = ImageDraw.Draw(image)
    pen.rectangle((0, 0, DRAWN, 22), fill=(30, 60, 140))
    pen.text((8, 5), "SPECIFICATIONS", fill="white")
    for top in range(30, 150, 14):
        pen.line((6, top + 12, 154, top + 12), fill=(180, 180, 180))
        pen.rectangle((8, top + 2, 40, top + 9), fill=(150, 150, 160))
        pen.rectangle((88, top + 2, 88 + int(rng.integers(4, 66)), top + 9), fill=(60, 60, 60))
    corners = rng.uniform((46, 34), (82, 144), (6, 2))
    pen.polygon([(x, y) for x, y in corners], fill=_colour(rng))
    return image


def _frame(rng: np.random.Generator) -> Image.Image:
    """Return an item in the frame of a shop, with its logo."""
    image = Image.new("RGB", (DRAWN, DRAWN), (200, 30, 40))
    pen = ImageDraw.Draw(image)
    pen.rectangle((12, 12, 148, 128), fill=(245, 245, 240))
    pen.text((40, 138), "BEST PRICES", fill="white")
    angle, radius = np.arange(12) * np.pi / 6, rng.uniform(15, 50, 12)
    corners = np.stack([80 + radius * np.cos(angle), 70 + radius * np.sin(angle)], axis=1)
    pen.polygon([(x, y) for x, y in corners], fill=_colour(rng))
    x, y = rng.uniform((60, 50), (100, 90))
    pen.ellipse((x - 12, y - 12, x + 12, y + 12), fill=_colour(rng))
    return image


TEMPLATES: dict[str, Callable[[np.random.Generator], Image.Image]] = {
    "product": _product,
    "sheet": _sheet,
    "frame": _frame,
}


def _colour(rng: np.random.Generator) -> tuple[int, int, int]:
    red, green, blue = rng.integers(0, 220, 3).tolist()
    return red, green, blue


def _changed(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Crop by up to 3 % a side, and brighten by up to 10 %."""
    left, top, right, bottom = rng.uniform(0, 0.03, 4) * DRAWN
    cropped = image.crop((round(left), round(top), round(DRAWN - right), round(DRAWN - bottom)))
    return ImageEnhance.Brightness(cropped).enhance(rng.uniform(0.9, 1.1))


def _saved(image: Image.Image, size: int, quality: int) -> Pixels:
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=quality)
    return decode(stream.getvalue(), size)[0]


def reasons(listings: int) -> dict[str, Any]:
    """Time the issue kind if nearly every listing is a repost: four listings per photo, and 5,000 of one photo."""
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
            "near_group": pd.array([pd.NA] * listings, dtype="Int64"),
            "near_likeness": pd.array([pd.NA] * listings, dtype="Float64"),
        }
    )
    start = time.perf_counter()
    issues = KIND.find(Evidence(table, ("cable", "laptop", "mouse"), np.empty((listings, 0))))
    return {"seconds": round(time.perf_counter() - start, 2), "flagged": int(issues[KIND.flag].sum())}


if __name__ == "__main__":
    main()
