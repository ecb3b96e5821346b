"""The tables of a run: unchanged since they were written, joined by id, and probabilities that are ones."""

from __future__ import annotations

import csv
from collections.abc import Iterator

import numpy as np
import pandas as pd

from curation.errors import RunError, short_repr, some
from curation.listings.columns import groups_of
from curation.listings.original import leads_outside
from curation.rendering.words import many
from curation.run.damaged import find_again
from curation.run.folder import RunFolder
from curation.verification.result import Flaw
from training.utils.files import sha256_of_file

__all__ = ["check_files", "check_probabilities", "check_tables"]

#: Of ``issues.parquet``, in every run since shortly after the first that recorded hashes.
_AFTER_HASHES = "is_cleanlab_issue"
#: How far a row of float32 may be from 1.
_ROUNDING = 1e-3


def check_files(run: RunFolder, notes: list[str]) -> Iterator[Flaw]:
    """Compare each file with its hash as finding issues recorded it.

    Parameters
    ----------
    run : RunFolder
        The run.
    notes : list of str
        Gets what could not be checked: a sentence each.
    """
    recorded = run.record().get("files")
    if recorded is None and not _is_hashed(run):
        notes.append("No hashes are recorded: an earlier version of curate made this run.")
        return
    if not isinstance(recorded, dict):
        yield _flaw(run, run.record_file.name, "has no hashes of the files any more, so none can be compared")
        return
    outside = [name for name in recorded if leads_outside(name)]
    if outside:
        yield _flaw(run, run.record_file.name, f"names files outside of the run: {some(map(short_repr, outside), 3)}")
    for name, sha256 in recorded.items():
        if name in outside:
            continue
        file = run.folder / name
        if not file.is_file():
            yield _flaw(run, name, "is missing")
        elif sha256_of_file(file) != sha256:
            yield _flaw(run, name, "is not as it was when the issues were found: its hash differs")
    missing = [name for name in run.hashed() if name not in recorded]
    if lost := [name for name in missing if "/" not in name and _is_hashed(run)]:
        yield _flaw(run, run.record_file.name, f"has lost the hash of {some(lost)}, which can't be compared")
    notes.extend(f"No hash of {name} is recorded." for name in missing if name not in lost)


def _is_hashed(run: RunFolder) -> bool:
    """Return whether the version of curate that made a run recorded hashes, by a column that came after them.

    The record can't tell: both are format 1, which says that the files can be read, and who takes the hashes out of
    ``run.json`` can take out any other entry.
    """
    try:
        return _AFTER_HASHES in run.issues()
    except RunError:
        # its own check says so
        return False


def check_tables(run: RunFolder, notes: list[str]) -> Iterator[Flaw]:
    """Check that the tables have the same listings in the same order, and that the queue is a permutation.

    Parameters
    ----------
    run : RunFolder
        The run.
    notes : list of str
        Gets what could not be checked: a sentence each.
    """
    listings, issues = run.listings(), run.issues()
    ids = listings["id"].astype("string")
    if ids.isna().any() or not ids.is_unique:
        yield _flaw(run, "listings.parquet", "has ids that are missing or occur twice")
    if ids.tolist() != issues["id"].astype("string").tolist():
        yield _flaw(run, "issues.parquet", f"has other ids than listings.parquet{_differing(ids, issues['id'])}")
    elif not issues["given_label"].astype("string").equals(listings["label"].astype("string")):
        yield _flaw(run, "issues.parquet", "has other given labels than listings.parquet")
    if sorted(issues["priority"].tolist()) != list(range(1, len(issues) + 1)):
        yield _flaw(run, "issues.parquet", "has priorities that are not each number from 1 on once")
    for name in (name for name in map(str, issues) if name.endswith(("_score", "_confidence"))):
        scores = issues[name].dropna().to_numpy(dtype=np.float64)
        if ((scores < 0) | (scores > 1)).any():
            yield _flaw(run, "issues.parquet", f"has values of {name} outside 0 to 1")
    table = run.issues_file.with_suffix(".csv")
    if table.exists():
        with table.open(encoding="utf-8-sig", newline="") as stream:
            rows = sum(1 for _ in csv.reader(stream)) - 1
        if rows != len(issues):
            yield _flaw(run, table.name, f"has {many(rows, 'row')}, issues.parquet has {len(issues):,}")
    run.health()


def check_probabilities(run: RunFolder, notes: list[str]) -> Iterator[Flaw]:
    """Check that probabilities are ones, that folds divide the listings, and that no model scored what it had seen.

    Parameters
    ----------
    run : RunFolder
        The run.
    notes : list of str
        Gets what could not be checked: a sentence each.
    """
    name, held, listings = run.probabilities_file.name, run.probabilities(), run.listings()
    probs, shape = held.probs, (len(held.ids), len(held.classes))
    if probs.shape != shape or held.fold.shape != shape[:1]:
        yield _flaw(run, name, f"has arrays that don't fit each other: probs {probs.shape}, ids and classes {shape}")
        return
    if held.ids.tolist() != listings["id"].tolist():
        yield _flaw(run, name, f"has other ids than listings.parquet{_differing(listings['id'], pd.Series(held.ids))}")
        return
    if list(map(str, held.classes)) != run.classes:
        yield _flaw(run, run.record_file.name, f"has other classes than {name}, or in another order")
    if len(set(held.classes)) < len(held.classes):
        yield _flaw(run, name, "has a class twice")
    unscored = np.isnan(probs).all(axis=1)
    sound = np.isfinite(probs).all(axis=1) & (probs >= 0).all(axis=1)
    if not (sound | unscored).all():
        yield _flaw(run, name, f"has values that are no probabilities{_of(held.ids[~(sound | unscored)])}")
    off = sound & (np.abs(probs.sum(axis=1, dtype=np.float64) - 1) > _ROUNDING)
    if off.any():
        yield _flaw(run, name, f"has rows that don't sum to 1{_of(held.ids[off])}")
    if not np.array_equal(held.fold, listings["fold"].to_numpy(dtype=np.int64)):
        yield _flaw(run, name, "has other folds than listings.parquet")
    if run.record()["settings"].get("probabilities") is not None:
        notes.append("The probabilities were given: which listings their models had seen is not known.")
        return
    folds = run.record()["settings"]["folds"]
    since, known = run.record().get("since"), set(range(folds))
    there = set(held.fold.tolist())
    # of a run that another one's models judged, whole folds may have gone
    if not (there == known if since is None else there <= known):
        yield _flaw(run, name, f"has folds that do not divide the listings into {folds}")
    apart = np.isin(held.ids.astype(str), (since or {}).get("apart", []))
    if apart.any():
        notes.append(
            f"The photo and the group of {many(int(apart.sum()), 'listing')} are in different folds, as the run says: "
            "models that scored them had not seen the photo, but may have seen the group."
        )
    group = pd.Series(groups_of(listings[~apart].reset_index(drop=True)))
    several = pd.Series(held.fold[~apart]).groupby(group).transform("nunique") > 1
    if several.any():
        seen = _of(held.ids[~apart][several.to_numpy(dtype=bool)])
        yield _flaw(run, name, f"has scores by models that had seen the listing's photo or group{seen}")


def _flaw(run: RunFolder, name: str, what: str) -> Flaw:
    """Return a flaw of a file that nothing else in the run can make again."""
    return Flaw(name, what, find_again(run.folder, name))


def _differing(ids: pd.Series, others: pd.Series) -> str:
    odd = sorted(set(ids.astype(str)) ^ set(others.astype(str)))
    return f": {some(odd)}" if odd else ", or has them in another order"


def _of(ids: object) -> str:
    return f": {some(list(ids))}"  # type: ignore[call-overload]
