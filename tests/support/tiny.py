"""A complete finished run of twelve listings with given probabilities, made by find-issues; nothing is trained."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

import curation
from curation import Run

__all__ = ["IDS", "tiny_probabilities", "tiny_run"]

IDS = tuple(f"L{number:02d}" for number in range(12))
_CLASSES = ("chair", "desk", "lamp")
#: Every fourth label is said to be the next class.
_RIGHT = [(number % 3 + (number % 4 == 0)) % 3 for number in range(12)]


def tiny_probabilities() -> pd.DataFrame:
    """Return the probabilities of the run."""
    return pd.DataFrame(0.01 + 0.97 * np.eye(3)[_RIGHT], columns=list(_CLASSES), index=pd.Index(IDS, name="id"))


def tiny_run(folder: Path) -> Run:
    """Write a dataset to ``folder/shop``, and its run to ``folder/run``; some label issues have a sure suggestion."""
    shop = folder / "shop"
    (shop / "photos").mkdir(parents=True)
    draw = np.random.default_rng(0)
    for id in IDS:
        pixels = draw.integers(0, 255, (24, 24, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(shop / "photos" / f"{id}.png")
    labels = [_CLASSES[number % 3] for number in range(12)]
    table = pd.DataFrame({"id": IDS, "image": [f"photos/{id}.png" for id in IDS], "label": labels})
    table["price"], table["title"] = np.arange(12) + 9.5, [f"nice, cheap {_CLASSES[right]}" for right in _RIGHT]
    table.to_csv(shop / "listings.csv", index=False)
    return curation.find_issues(
        curation.read_listings(shop),
        probabilities=tiny_probabilities(),
        text=False,
        run=folder / "run",
        cache=folder / "cache",
    )
