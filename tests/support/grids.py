"""A finished run with listings that need the same decision, for grids."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from curation.issues import COLUMNS
from curation.run.folder import RunFolder
from curation.run.learned import DECIDED, LearnedState, digest_of, taught, write_state
from curation.run.probabilities import Probabilities
from training.utils.files import write_json

CLASSES = ["chair", "desk", "NA"]
# ids, given label, suggestion, the chance of a change
GROUPS: list[tuple[list[str], str | None, str | None, float]] = [
    ([f"a{number:02}" for number in range(40)], "desk", "chair", 0.9),
    ([f"b{number}" for number in range(8)], "chair", "NA", 0.5),
    ([f"c{number}" for number in range(6)], "desk", "NA", 0.5),
    (["z0", "z1"], "chair", "desk", 0.4),
    (["z2", "z3"], None, "chair", 0.3),
    (["z4"], None, None, 0.2),
]
SOUND = [(f"s{number:02}", CLASSES[number % 3]) for number in range(15)]
COLOURS = {"chair": (170, 90, 60), "desk": (60, 110, 170), "NA": (90, 150, 90), None: (120, 120, 120)}


def make_run(folder: Path) -> RunFolder:
    """Write a run of 59 flagged listings, by groups, and 15 sound ones. Every other photo of a group looks different;
    z4 has no price, and z0 and z1 are sold by eve, all others by bob."""
    rows = [(id, given, suggested, chance) for ids, given, suggested, chance in GROUPS for id in ids]
    flagged = len(rows)
    rows += [(id, given, None, 0.01) for id, given in SOUND]
    ids, given, suggested, chance = (list(column) for column in zip(*rows, strict=True))
    photos = folder / "input" / "photos"
    photos.mkdir(parents=True)
    for number, (id, label) in enumerate(zip(ids, given, strict=True)):
        light = 60 * (number % 2) + number % 7
        Image.new("RGB", (40, 30), tuple(part + light for part in COLOURS[label])).save(photos / f"{id}.png")
    issues = pd.DataFrame({"id": ids}).assign(
        image=[f"photos/{id}.png" for id in ids],
        given_label=given,
        price=[10.0 + number if id != "z4" else np.nan for number, id in enumerate(ids)],
        is_label_issue=np.arange(len(ids)) < flagged,
        label_score=(1 - np.array(chance)) / 2,
        suggested_label=suggested,
        suggested_confidence=np.where(pd.notna(suggested), np.array(chance), np.nan),
        change_chance=chance,
        priority=np.arange(len(ids)) + 1,
        reasons="",
    )
    issues = issues.reindex(columns=list(COLUMNS)).astype(COLUMNS)
    listings = issues[["id", "image", "price"]].assign(
        label=given,
        title=[f"thing number {id}" for id in ids],
        seller=["eve" if id in ("z0", "z1") else "bob" for id in ids],
        fold=0,
        split="train",
    )
    run = RunFolder(folder / "runs" / "shop" / "1")
    run.training_folder.mkdir(parents=True)
    run.write_table(run.issues_file, issues)
    run.write_table(run.listings_file, listings)
    looks = np.array([[1, 0] if number % 2 == 0 else [0, 1] for number in range(len(ids))], dtype=np.float32)
    np.save(run.training_folder / "features-0.npy", looks)
    unknown = np.full((len(ids), len(CLASSES)), np.nan)
    Probabilities(np.array(ids, dtype=str), tuple(CLASSES), unknown, np.full(len(ids), -1)).save(run.probabilities_file)
    dataset = {"name": "shop", "path": str(folder), "root": str(folder / "input"), "classes": CLASSES}
    facts = {"format": 1, "status": "finished", "settings": {"train": {}}, "dataset": dataset}
    write_json(run.record_file, {**facts, "features": "features-0.npy"})
    return run


def learn_otherwise(run: RunFolder) -> None:
    """Keep in a run of `make_run` what learning could have taught: every other listing of the forty is no chair but NA,
    those of b are right, s00 is a desk, and what comes first comes last. Nobody has decided on any of it."""
    issues = run.issues()
    ids = issues["id"].astype(str)
    other = ids.isin([f"a{number:02}" for number in range(1, 40, 2)])
    right = ids.str.startswith("b")
    issues.loc[other, "suggested_label"] = "NA"
    issues.loc[ids == "s00", ["suggested_label", "suggested_confidence", "change_chance"]] = ["desk", 0.7, 0.7]
    issues.loc[right, "is_label_issue"] = False
    issues.loc[ids == "s00", "is_label_issue"] = True
    flagged = issues["is_label_issue"].to_numpy()
    order = np.concatenate([np.flatnonzero(flagged)[::-1], np.flatnonzero(~flagged)])
    issues.loc[order, "priority"] = np.arange(len(issues)) + 1
    journal = run.judged_journal()
    decisions = taught(journal.decisions())
    state = LearnedState(journal.last, digest_of(decisions), len(decisions), int(flagged.sum()), 30.0, 20.0, 40.0, 1.0)
    write_state(run, issues.assign(**{DECIDED: ids.isin(list(decisions))}), state)
