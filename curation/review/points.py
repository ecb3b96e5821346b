"""Where each photo stands on the map of all photos, which the App and the live page show: alike ones stand together.

``python -m curation.review.points RUN`` computes it in a process of its own, beside an open review.
"""

from __future__ import annotations

import sys
from collections.abc import Collection
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
from threadpoolctl import threadpool_limits

from curation.errors import CurateError
from curation.review.similar import features_of
from curation.run.folder import RunFolder
from training.utils.array_files import open_arrays
from training.utils.arrays import Bool, Float32, Int64
from training.utils.files import sha256_of_file, whole_file

__all__ = ["kept_points", "main", "points_of"]


#: Photos that t-SNE places by themselves: it takes 5 seconds of a core for these, and 16 for 5,000.
_LANDMARKS = 2000
_STEPS = 500
_COMPONENTS = 50
_PERPLEXITY = 30
#: Any other photo is placed among so many landmarks.
_NEAREST = 3
#: Photos that are placed at once.
_BLOCK = 4096
#: Increase when the points of the same features change.
_RECIPE = "2"


def points_of(run: RunFolder, only: Collection[str] | None = None) -> dict[str, Float32]:
    """Return the position of each photo in two dimensions; compute it if the run does not have it yet.

    t-SNE (van der Maaten and Hinton, 2008) of the first 50 principal components places up to 2,000 photos, drawn by
    chance, and each other photo stands among the 3 of these that are most like it. The run keeps the points as
    ``review_points.npz``.

    Parameters
    ----------
    run : RunFolder
        A finished run.
    only : collection of str, optional
        The listings; by default all. If the run has no points yet, these are placed among themselves, and not kept.

    Returns
    -------
    dict of str to ndarray of float32, shape (2,)
        By listing. Listings without features are left out; empty if fewer than three have any.
    """
    kept = kept_points(run)
    if kept is not None:
        return kept
    ids, points = _compute(run, only)
    if only is not None:
        return _by_listing(ids, points)
    with whole_file(_file(run)) as temporary:
        np.savez(temporary, id=ids, points=points, made_from=np.array(_made_from(run)))
    return _by_listing(ids, points)


def kept_points(run: RunFolder) -> dict[str, Float32] | None:
    """Return the points that a run has, as :func:`points_of`; None if they were not computed yet.

    Parameters
    ----------
    run : RunFolder
        A finished run.
    """
    try:
        with open_arrays(_file(run)) as saved:
            if str(saved["made_from"]) == _made_from(run):
                return _by_listing(saved["id"], saved["points"])
    except (OSError, ValueError, KeyError):  # missing or damaged: they are computed again
        pass
    return None


def main(arguments: list[str]) -> None:
    """Compute the points of a run, and end with a line of why if that fails.

    Parameters
    ----------
    arguments : list of str
        Folder of the run.
    """
    (folder,) = arguments
    try:
        points_of(RunFolder(Path(folder)))
    except (CurateError, OSError, MemoryError) as error:
        sys.exit(f"the map could not be made: {error or type(error).__name__}")


def _file(run: RunFolder) -> Path:
    return run.folder / "review_points.npz"


def _made_from(run: RunFolder) -> str:
    return f"{_RECIPE} {sha256_of_file(run.listings_file)}"


def _by_listing(ids: npt.NDArray[np.str_], points: Float32) -> dict[str, Float32]:
    return dict(zip(ids.tolist(), points, strict=True))


def _compute(run: RunFolder, only: Collection[str] | None = None) -> tuple[npt.NDArray[np.str_], Float32]:
    features = features_of(run)
    ids = run.training_table()["id"].astype(str).to_numpy(dtype=str)
    wanted = np.arange(len(ids)) if only is None else np.flatnonzero(pd.Index(ids).isin(list(only)))
    rows = wanted[_has_features(features[wanted])]
    # sorted by id, so that the points do not depend on the order of the rows
    rows = rows[np.argsort(ids[rows], kind="stable")]
    if len(rows) < 3:
        return ids[:0], np.zeros((0, 2), dtype=np.float32)
    import sklearn.manifold  # noqa: F401  # before the limit, which holds for what is loaded

    # one thread: on a busy machine, several wait for each other, and t-SNE takes ten times as long
    with threadpool_limits(1):
        return ids[rows], _placed(features, rows)


def _has_features(features: Float32) -> Bool:
    lengths: Float32 = np.concatenate([np.linalg.norm(features[block], axis=1) for block in _blocks(len(features))])
    there: Bool = np.isfinite(lengths) & (lengths > 0)
    return there


def _placed(features: Float32, rows: Int64) -> Float32:
    """Return where the photos of some rows stand, shape (len(rows), 2)."""
    from sklearn.decomposition import PCA

    drawn = np.arange(len(rows))
    if len(rows) > _LANDMARKS:
        drawn = np.sort(np.random.default_rng(0).choice(len(rows), _LANDMARKS, replace=False))
    known = _unit(features[rows[drawn]])
    if np.ptp(known, axis=0).max() == 0:
        return np.zeros((len(rows), 2), dtype=np.float32)  # all photos are alike
    components = PCA(min(_COMPONENTS, *known.shape), random_state=0).fit(known)
    landmarks = components.transform(known)
    flat = _flat(landmarks)
    points = np.empty((len(rows), 2), dtype=np.float32)
    if len(drawn) < len(rows):
        for block in _blocks(len(rows)):
            points[block] = _among(components.transform(_unit(features[rows[block]])), landmarks, flat)
    points[drawn] = flat
    return points


def _unit(features: Float32) -> Float32:
    # of length 1, so that distances follow the cosine
    return np.asarray(features / np.linalg.norm(features, axis=1, keepdims=True), dtype=np.float32)


def _flat(landmarks: Float32) -> Float32:
    from sklearn.manifold import TSNE

    if landmarks.shape[1] > 2:
        perplexity = min(_PERPLEXITY, (len(landmarks) - 1) / 3)
        landmarks = TSNE(init="pca", perplexity=perplexity, max_iter=_STEPS, random_state=0).fit_transform(landmarks)
    # one feature alone has one component
    return np.pad(landmarks, ((0, 0), (0, max(0, 2 - landmarks.shape[1]))))[:, :2].astype(np.float32)


def _among(photos: Float32, landmarks: Float32, flat: Float32) -> Float32:
    """Return where photos stand among the landmarks that are most like each: the more alike, the nearer."""
    # squared distances, but for what is the same for all landmarks
    apart = (landmarks**2).sum(axis=1) - 2 * photos @ landmarks.T
    nearest = np.argpartition(apart, _NEAREST, axis=1)[:, :_NEAREST]
    apart = np.take_along_axis(apart, nearest, axis=1)
    apart -= apart.min(axis=1, keepdims=True)
    scale = np.median(apart, axis=1, keepdims=True)
    weights = np.exp(-2 * apart / np.where(scale > 0, scale, 1))
    points: Float32 = np.einsum("nk,nkd->nd", weights / weights.sum(axis=1, keepdims=True), flat[nearest])
    return points


def _blocks(size: int) -> list[slice]:
    return [slice(start, start + _BLOCK) for start in range(0, max(size, 1), _BLOCK)]


if __name__ == "__main__":
    main(sys.argv[1:])
