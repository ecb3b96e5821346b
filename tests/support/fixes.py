"""A finished run of twelve listings to decide on, and what comes of it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from curation.fixes import Fixes
from curation.issues import COLUMNS
from curation.listings import Listings, read_listings
from curation.listings.original import save_original
from curation.listings.problems import dataset_facts
from curation.run.folder import RunFolder
from curation.run.journal import Decision
from training.utils.files import photo_path, sha256_of_file, write_json

CLASSES = ["NA", "chair", "desk"]


# id: given label, flagged, suggestion, its confidence, split
LISTINGS: dict[str, tuple[str | None, bool, str | None, float | None, str]] = {
    "00": ("chair", True, "desk", 0.97, "train"),
    "01": ("chair", True, "NA", 0.45, "train"),
    "02": ("desk", True, "chair", 0.99, "test"),
    "03": ("desk", False, "chair", 0.95, "train"),
    "04": (None, False, None, None, "train"),
    "05": ("NA", False, None, None, "train"),
    "06": ("chair", True, "desk", 0.5, "train"),
    "07": ("desk", False, None, None, "test"),
    "08": ("NA", False, None, None, "train"),
    "09": ("NA", False, None, None, "train"),
    "10": ("chair", False, None, None, "train"),
    "11": ("desk", False, None, None, "train"),
}
#: The chance that the given label is right; 0.99 for the others. That of 01 is as high as its suggestion's.
SCORES = {"00": 0.03, "01": 0.45, "02": 0.01, "04": 0.0, "06": 0.4}


def make_run(folder: Path, name: str = "shop") -> RunFolder:
    """Write a finished run of twelve listings, as find-issues leaves it; 09 has no photo, 04 no label."""
    photos = folder / "input" / "photos"
    photos.mkdir(parents=True)
    ids = list(LISTINGS)
    images = [f"photos/{id}.png" if id != "09" else None for id in ids]
    for number, image in enumerate(images):
        if image:
            Image.new("RGB", (6, 4), (number * 20, 90, 30)).save(folder / "input" / image)
    labels, flagged, suggested, confidence, split = zip(*LISTINGS.values(), strict=True)
    issues = pd.DataFrame(
        {
            "id": ids,
            "image": images,
            "given_label": labels,
            "price": np.arange(12) + 9.5,
            "is_label_issue": flagged,
            "label_score": [SCORES.get(id, 0.99) for id in ids],
            "suggested_label": suggested,
            "suggested_confidence": confidence,
            "priority": np.arange(1, 13),
            "reasons": "",
        }
    )
    issues = issues.reindex(columns=list(COLUMNS)).astype(COLUMNS)
    text = {"image": images, "label": labels, "group": None, "split": split, "title": 'a "nice", cheap\nthing'}
    listings = pd.DataFrame({"id": ids, **text, "lot": "007"}, dtype="string").assign(price=issues["price"])
    listings.to_csv(folder / "input" / "listings.csv", index=False)
    hashes = [_hash(folder / "input", image) for image in images]
    listings = listings.assign(fold=np.arange(12) % 3, sha256=hashes, width=6, height=4, unreadable=None, detail=30.0)
    listings = listings.assign(near_group=pd.NA, near_likeness=np.nan, text_share=np.nan, text=None)
    run = RunFolder(folder / "runs" / "shop" / "1")
    run.folder.mkdir(parents=True)
    run.write_table(run.issues_file, issues)
    run.write_table(run.listings_file, listings)
    dataset = {
        "name": name,
        "path": str(folder / "input"),
        "root": str(folder / "input"),
        "photos": str(folder / "input"),
        "sha256": "of the table",
        "classes": CLASSES,
        "currency": "SGD",
    }
    times = {"started": "2024-05-01T09:00:00.000+00:00", "finished": "2024-05-01T09:10:00.000+00:00"}
    record = {
        "format": 1,
        "status": "finished",
        "command": ["curate", "find-issues"],
        "dataset": dataset,
        "settings": {"folds": 3, "text": True, "train": {}, "probabilities": "probs.csv"},
        "seed": 0,
        "sha256": {"table": "of the table", "images": "of the images"},
        "seconds": {"photos": 1.0},
        "versions": {},
    }
    write_json(run.record_file, {**record, **times})
    write_json(
        run.health_file, {"label_health": None, "noise_count": None, "listings": 0, "classes": [], "confused": []}
    )
    return run


def run_of(source: Any, folder: Path, **options: Any) -> RunFolder:
    """Write a finished run of a dataset in any form, as find-issues leaves it but for what it found: nothing."""
    listings = read_listings(source, **options)
    table = listings.table
    run = RunFolder(folder)
    run.folder.mkdir(parents=True)
    issues = pd.DataFrame({"id": table["id"], "image": table["image"], "given_label": table["label"]})
    issues = issues.assign(price=table["price"], is_label_issue=False, priority=np.arange(len(table)) + 1, reasons="")
    run.write_table(run.issues_file, issues.reindex(columns=list(COLUMNS)).astype(COLUMNS))
    split = table["split"].fillna("train")
    hashes = pd.Series([_hash(listings.source.root, image) for image in table["image"]], table.index, dtype="string")
    run.write_table(run.listings_file, table.assign(split=split, fold=0, sha256=hashes, unreadable=None))
    save_original(run.input_folder, listings)
    facts = {"dataset": dataset_facts(listings, listings.classes), "settings": {"train": {}}}
    write_json(
        run.record_file, {"format": 1, "status": "finished", "started": "2024-05-01T09:00:00.000+00:00", **facts}
    )
    return run


def _hash(root: Path, image: Any) -> str | None:
    if pd.isna(image) or not photo_path(root, image).is_file():
        return None
    return sha256_of_file(photo_path(root, image))


def decided(id: str, action: str, new_label: str | None = None, **more: Any) -> Decision:
    said = Decision(id, action, new_label, "ana", "2024-05-01T10:00:00.000+00:00", "app", "her words")
    return replace(said, **more)


def files(folder: Path) -> dict[str, str]:
    """Return the hash of each file below a folder; a lock that nobody holds is no trace of a command."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != ".lock"
    }


def cleaned(run: RunFolder) -> Listings:
    # its photos stay where they are, outside cleaned/
    return read_listings(run.cleaned)


def labels(run: RunFolder) -> dict[str, str | None]:
    table = cleaned(run).table
    return {id: None if pd.isna(label) else label for id, label in zip(table["id"], table["label"], strict=True)}


def given() -> dict[str, str | None]:
    return {id: row[0] for id, row in LISTINGS.items()}


def changed(fixes: Fixes) -> list[tuple[str, str, Any]]:
    return [
        (row.id, row.action, None if pd.isna(row.new_label) else row.new_label) for row in fixes.changes.itertuples()
    ]


def manifest(run: RunFolder) -> dict[str, Any]:
    return dict(json.loads((run.cleaned / "manifest.json").read_text(encoding="utf-8")))


def decide_csv(folder: Path, *lines: str) -> Path:
    path = folder / "mine.csv"
    path.write_text("\n".join(["id,decision,new_label", *lines]), encoding="utf-8")
    return path
