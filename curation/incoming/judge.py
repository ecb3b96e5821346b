"""New listings judged by the models of a finished run: through the same stages as its own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from curation.evidence.evidence import Evidence
from curation.evidence.fitted_heads import Scores, near_photos, scores_by_heads
from curation.incoming.model import RunModel
from curation.incoming.reposts import Placed
from curation.issues import find_issues
from curation.issues.near_duplicate import KIND as REPOSTS
from curation.issues.outlier import NEAREST
from training.images import Photos
from training.utils.arrays import Float32

__all__ = ["Judged", "judge_new", "repost_columns"]


@dataclass(frozen=True)
class Judged:
    """What the models of a run say of n new listings.

    Attributes
    ----------
    issues : DataFrame
        As ``issues.parquet`` has it; ``priority`` is their order among themselves.
    scores : Scores
        Of the models.
    features : ndarray of float32, shape (n, D)
        Of their photos; zeros without one.
    titles : ndarray of float32, shape (n, T), or None
        Of what their titles mean.
    """

    issues: pd.DataFrame
    scores: Scores
    features: Float32
    titles: Float32 | None


def judge_new(
    model: RunModel,
    table: pd.DataFrame,
    photos: Photos,
    place: Placed,
    reposts: pd.DataFrame,
    *,
    titles_root: Path,
) -> Judged:
    """Judge new listings, best by one thread: digits must not depend on their number.

    Parameters
    ----------
    model : RunModel
        The run.
    table : DataFrame
        The listings, as :class:`curation.evidence.evidence.Evidence` has them.
    photos : Photos, shape (n, S, S, 3)
        Their decoded photos.
    place : Placed
        Where they belong.
    reposts : DataFrame
        What :mod:`curation.issues.near_duplicate` says of them.
    titles_root : Path
        Where features of titles are kept.
    """
    table = table.assign(fold=place.fold, split=pd.array(np.where(place.test, "test", "train"), dtype="string"))
    has_photo = (table["unreadable"].isna() & table["sha256"].notna()).to_numpy(dtype=bool)
    features = np.zeros((len(table), model.known.shape[1]), dtype=np.float32)
    if has_photo.any():
        features[has_photo] = model.features(photos, np.flatnonzero(has_photo))
    taught = np.array([bool((model.taught[rows] >= 0).any()) for rows in place.members], dtype=bool)
    scores = scores_by_heads(model.fitted, features, place.fold, has_photo, taught, model.known)
    ids = model.table["id"].astype(str)
    same = [
        frozenset([id, *(ids.iloc[row] for row in rows)])
        for id, rows in zip(table["id"].astype(str).tolist(), place.members, strict=True)
    ]
    titles = model.titles(table["title"], titles_root) if "title" in table else None
    evidence = Evidence(
        table,
        model.classes,
        scores.probs,
        scores.trained,
        model.record["dataset"].get("currency"),
        scores.in_fold,
        scores.neighbours,
        features,
        titles=titles,
        flags=model.flags,
        refitted=scores.refitted,
        worth=model.worth,
        fitted=model.fitted,
        posted=place.posted,
        nearest=near_photos(model.fitted, features, has_photo, model.known, same, count=NEAREST),
        reposts=reposts,
        spellings=model.spellings_of(table["label"].dropna()),
    )
    return Judged(find_issues(evidence), scores, features, titles)


def repost_columns(table: pd.DataFrame, model: RunModel) -> pd.DataFrame:
    """Return what the photos of listings say of reposts.

    Parameters
    ----------
    table : DataFrame
        With all listings of each group of photos.
    model : RunModel
        The run, which knows what is only another spelling.
    """
    spellings = model.spellings_of(table["label"].dropna())
    return REPOSTS.find(Evidence(table, model.classes, np.empty((0, len(model.classes))), spellings=spellings))
