"""What judging only new listings saves, how long checking a single one takes, and whether both say the same.

    python benchmarks/since.py [--listings 20000] [--new 0.01] [--folder DIR]

Draws a table with photos of 64 pixels, titles and prices, and 5 % of wrong labels; finds its issues; adds new listings,
and finds them with ``--since`` and one by one with ``check``. Seconds of the processor count what all threads of this
process take, so they say the same on a busy machine.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

import curation
from curation.run.folder import RunFolder

CLASSES = 20
_SIDE = 64


def write_table(folder: Path, listings: int, *, seed: int = 0) -> pd.DataFrame:
    """Write photos, and return the table: classes differ by a pattern in the photo, by words and by prices."""
    chance = np.random.default_rng(seed)
    patterns = chance.uniform(0, 255, (CLASSES, 8, 8, 3))
    words = [[f"word{k}x{number}" for number in range(30)] for k in range(CLASSES)]
    everywhere = [f"common{number}" for number in range(300)]
    (folder / "photos").mkdir(parents=True, exist_ok=True)
    true = chance.integers(CLASSES, size=listings)
    label = np.where(chance.random(listings) < 0.05, chance.integers(CLASSES, size=listings), true)
    rows = []
    for row in range(listings):
        k = true[row]
        pixels = patterns[k] + chance.normal(0, 60, (8, 8, 3))
        photo = Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).resize((_SIDE, _SIDE), Image.Resampling.BILINEAR)
        name = f"photos/{row:06}.jpg"
        photo.save(folder / name, quality=85)
        title = " ".join([*chance.choice(words[k], 2), *chance.choice(everywhere, 4)])
        price = float(np.round(np.exp(2 + 0.2 * k + 0.4 * chance.standard_normal()), 2))
        rows.append((f"L{row:06}", name, f"class {label[row]:02}", price, title))
    return pd.DataFrame(rows, columns=["id", "image", "label", "price", "title"])


def measured(work: object) -> tuple[object, float, float]:
    """Return what `work` returns, the seconds it takes, and those of the processor."""
    start, processor = time.perf_counter(), time.process_time()
    result = work()  # type: ignore[operator]
    return result, time.perf_counter() - start, time.process_time() - processor


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--listings", type=int, default=20_000)
    parser.add_argument("--new", type=float, default=0.01)
    parser.add_argument("--checked", type=int, default=100)
    parser.add_argument("--features", default="patches")
    parser.add_argument("--folder", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.folder or Path(temporary)
        cache = folder / "cache"
        fresh = max(1, round(arguments.listings * arguments.new))
        table = write_table(folder, arguments.listings + fresh)
        table.iloc[: arguments.listings].to_csv(folder / "old.csv", index=False)
        table.to_csv(folder / "new.csv", index=False)
        recipe, execution = curation.Recipe(features=arguments.features), curation.Execution(preset="quick")

        def found(name: str, **more: object) -> curation.Run:
            listings = curation.read_listings(folder / name)
            return curation.find_issues(listings, run=folder / f"run-{name}-{len(more)}", cache=cache, **more)  # type: ignore[arg-type]

        settings = {"text": False, "recipe": recipe, "execution": execution}
        old, seconds, processor = measured(lambda: found("old.csv", **settings))
        print(f"{arguments.listings:,} listings: {seconds:.1f} s, {processor:.1f} s of processor")
        new, again, processor_again = measured(lambda: found("new.csv", since=old))
        share, of_time = processor_again / processor, again / seconds
        print(f"{fresh:,} new ones: {again:.1f} s ({of_time:.1%}), {processor_again:.1f} s of processor ({share:.1%})")
        before, after = (pd.read_parquet(run.folder / "issues.parquet").set_index("id") for run in (old, new))
        scores = ["label_score", "price_score", "outlier_score", "suggested_confidence", "none_of_these"]
        kept = after.loc[before.index, scores]
        print(f"scores of unchanged listings equal: {kept.equals(before[scores])}")
        with old.checker(cache=cache) as checker:
            asked = table.iloc[arguments.listings :].head(arguments.checked).to_dict("records")
            times, answers = [], []
            for said in asked:
                (answer, *_), took, processor = measured(lambda said=said: checker([said], folder))  # type: ignore[misc]
                answers.append(answer)
                times.append((took, processor))
        took, processors = np.array(times).T * 1000
        print(
            f"check: {np.median(took):.0f} ms in the middle, {np.quantile(took, 0.95):.0f} ms of 19 in 20; "
            f"{np.median(processors):.0f} ms of processor"
        )
        apart = [
            abs(answer["issues"]["label"]["score"] - after["label_score"][answer["id"]])
            for answer in answers
            if answer["issues"]["label"]["score"] is not None
        ]
        print(f"check against --since: label scores differ by at most {max(apart):.1e}")
        print(json.dumps(RunFolder(Path(old.folder)).record()["seconds"]))
        print(json.dumps(RunFolder(Path(new.folder)).record()["seconds"]))


if __name__ == "__main__":
    main()
