"""A run that was made from another one and new listings, written as find-issues writes it."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from curation.evidence.evidence import Evidence
from curation.evidence.fitted import Fitted, fitted_file
from curation.evidence.title_features import kept_titles
from curation.incoming.changes import Changes
from curation.incoming.joined import Joined
from curation.incoming.judge import Judged
from curation.incoming.model import KNOWN_FEATURES, RunModel
from curation.issues.near_duplicate import KIND as REPOSTS
from curation.issues.queue import COLUMNS, FETCHED_COLUMNS, WORTH_COLUMNS, at_stake, change_chance, priorities
from curation.issues.written import write_evidence
from curation.photos.facts import photos_file, small_file
from curation.run.folder import RunFolder
from training.crossval.jobs import patches_file
from training.features.projection import projection_file
from training.images import Pixels
from training.images.store import PhotoStore
from training.utils.arrays import Bool, Float32, Int64
from training.utils.files import whole_file

__all__ = ["write_run"]

#: Entries of ``run.json`` that are about the models, which stay.
_KEPT = ("image_size", "allow_bad", "features", "features_of", "titles_of", "pretrained", "computed")


def write_run(
    run: RunFolder,
    model: RunModel,
    whole: Joined,
    judged: Judged | None,
    changes: Changes,
    classes: tuple[str, ...],
    input_order: Int64,
    store: PhotoStore,
    small: Pixels,
) -> pd.DataFrame:
    """Write everything but the tables of issues, the report and the journal; return the issues.

    Parameters
    ----------
    run : RunFolder
        The new run.
    model : RunModel
        The earlier one.
    whole : Joined
        All listings.
    judged : Judged or None
        What the models say of the new and changed ones.
    changes : Changes
        Which these are.
    classes : tuple of str
        Those of the new run.
    input_order : ndarray of int64, shape (N,)
        The row of the table of each listing, in the order of the input.
    store : PhotoStore
        The decoded photos of those that were judged.
    small : ndarray of uint8, shape (n, 16, 16, 3)
        The same as they are hashed.

    Returns
    -------
    DataFrame
        As :func:`curation.issues.find_issues` returns them, in the order of the table.
    """
    table, old = whole.table, np.flatnonzero(~changes.judged)
    hashes = "\n".join(table["sha256"].fillna(""))
    run.update(
        **{name: model.record[name] for name in _KEPT if name in model.record},
        sha256={
            "table": run.record()["dataset"]["sha256"],
            "images": hashlib.sha256(hashes.encode()).hexdigest(),
        },
    )
    run.write_table(run.listings_file, table.iloc[input_order])
    _write_arrays(run, model, whole, judged, changes, store, small)
    probs, trained = _probabilities(model, judged, changes, classes, old)
    spellings = {"spellings": model.fitted["spellings"]}
    others = model.spellings_of(table["label"].dropna())
    evidence = Evidence(table, classes, probs, trained, fitted=Fitted(spellings), spellings=others)
    issues = _issues(model, whole, judged, changes)
    write_evidence(run, evidence, issues)
    return issues


def _write_arrays(
    run: RunFolder,
    model: RunModel,
    whole: Joined,
    judged: Judged | None,
    changes: Changes,
    store: PhotoStore,
    small: Pixels,
) -> None:
    """Write what is kept below ``training/``; what the models are made of is that of the earlier run."""
    features = Path(model.record["features"]).name
    theirs, ours = model.run.training_folder, run.training_folder
    _save(ours / features, whole.features(model, judged, changes))
    known = theirs / KNOWN_FEATURES
    _linked(known if known.exists() else theirs / features, ours / KNOWN_FEATURES)
    kept = (fitted_file(model.run), projection_file(theirs / features), patches_file(theirs / features))
    for file in (*kept, theirs / "plan.json"):
        if file.exists():
            _linked(file, ours / file.name)
    new, before = changes.judged, changes.before
    row = np.where(new, np.cumsum(new) - 1, before)
    _save(small_file(ours), _chosen(model.small, small, new, row))
    if model.store is not None:
        PhotoStore.joined([model.store, store], new.astype(np.int64), row).save(photos_file(ours))
    titles = kept_titles(model.run)
    if titles is not None:
        own = titles[:0] if judged is None or judged.titles is None else judged.titles
        _save(ours / "titles.npy", _chosen(titles, own, new, row))


def _chosen(old: Any, new: Any, is_new: Bool, row: Int64) -> Any:
    """Return rows of two arrays as one."""
    values = np.empty((len(row), *old.shape[1:]), dtype=old.dtype)
    values[~is_new] = old[row[~is_new]]
    values[is_new] = new[row[is_new]]
    return values


def _save(file: Path, values: Any) -> None:
    with whole_file(file) as temporary, temporary.open("wb") as stream:
        np.save(stream, values)


def _linked(source: Path, target: Path) -> None:
    """Link a file, which nobody changes once it is written; copy it where the file system has no links."""
    if os.path.lexists(target):
        return
    try:
        os.link(source, target)
    except OSError:
        with whole_file(target) as temporary:
            shutil.copyfile(source, temporary)


def _probabilities(
    model: RunModel, judged: Judged | None, changes: Changes, classes: tuple[str, ...], old: Int64
) -> tuple[Float32, Bool]:
    """Return the probabilities of all listings, and which classes their models know; 0 for a class they do not."""
    ids, columns_before = model.table["id"].astype(str).tolist(), model.record["dataset"]["classes"]
    known = model.run.probabilities().in_order(ids, columns_before)
    probs: Float32 = np.full((len(changes.before), len(classes)), np.nan, dtype=np.float32)
    trained: Bool = np.zeros(probs.shape, dtype=bool)
    new = np.flatnonzero(changes.judged)
    parts: list[tuple[Int64, Any, tuple[str, ...]]] = [(old, known.probs[changes.before[old]], known.classes)]
    if judged is not None:
        parts.append((new, judged.scores.probs, model.classes))
    for rows, values, names in parts:
        columns = np.array([classes.index(name) for name in names], dtype=np.int64)
        probs[rows[np.isfinite(values).all(axis=1)]] = 0
        probs[np.ix_(rows, columns)] = values
    columns = np.array([classes.index(name) for name in model.classes], dtype=np.int64)
    folds = np.asarray(model.table["fold"].to_numpy(dtype=np.int64))
    by_fold = model.fitted["trained"]["classes"]
    trained[np.ix_(old, columns)] = by_fold[folds[changes.before[old]]]
    if judged is not None:
        trained[np.ix_(new, columns)] = judged.scores.trained
    return probs, trained


def _issues(model: RunModel, whole: Joined, judged: Judged | None, changes: Changes) -> pd.DataFrame:
    """Return the issues of all listings in the order of the table."""
    known = model.run.issues().set_index("id").loc[model.table["id"]].reset_index()
    old = np.flatnonzero(~changes.judged)
    dtypes = {**COLUMNS, **(WORTH_COLUMNS if model.worth is not None else {})}
    parts = [known.iloc[changes.before[old]].set_axis(old)]
    if judged is not None:
        parts.append(judged.issues.set_axis(np.flatnonzero(changes.judged)))
    issues = pd.concat([part[list(dtypes)].astype(dtypes) for part in parts]).sort_index()
    # the same photo may be elsewhere now, and further columns may have been mapped
    issues["image"] = whole.table["image"].astype("string").to_numpy(dtype=object)
    rows: Any = whole.before.index
    if len(rows):
        now = whole.reposts.loc[rows]
        for name in REPOSTS.columns:
            issues.loc[rows, name] = now[[name]].astype({name: dtypes[name]})[name]
        issues.loc[rows, "reasons"] = [
            _replaced(*texts)
            for texts in zip(issues.loc[rows, "reasons"], whole.before["reason"], now["reason"], strict=True)
        ]
        issues.loc[rows, "change_chance"] = change_chance(issues.loc[rows])
    issues["near_duplicate_group"] = whole.group.set_axis(issues.index).astype("Int64")
    if model.worth is not None:
        issues["worth_at_stake"] = at_stake(issues)
    if "fetched_from" in whole.table:
        issues["fetched_from"] = whole.table["fetched_from"].to_numpy(dtype=object)
        dtypes |= FETCHED_COLUMNS
    issues["priority"] = priorities(issues)
    return issues.astype(dtypes).reset_index(drop=True)


def _replaced(reasons: Any, before: str, now: str) -> str:
    """Return the reasons of a listing with another one about reposts."""
    said = "" if pd.isna(reasons) else str(reasons)
    # labels that a reason names may hold what stands between reasons
    head, found, tail = f"; {said}; ".partition(f"; {before}; ")
    parts = [head, now, tail] if before and found else [said, now]
    return "; ".join(filter(None, (part.removeprefix("; ").removesuffix("; ") for part in parts)))
