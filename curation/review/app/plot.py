"""Where each photo stands in the plot of all photos: photos that look alike stand together."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from curation.review.similar import features_of
from curation.run.folder import RunFolder
from training.utils.array_files import open_arrays
from training.utils.arrays import Float32
from training.utils.files import sha256_of_file, whole_file

__all__ = ["points_of"]


# t-SNE keeps neighbours together, but takes seconds for 1,000 photos and the better part of a minute for 5,000
_TSNE = 1000
_STEPS = 500
_COMPONENTS = 50
_PERPLEXITY = 30
# increase when the points of the same features change
_RECIPE = "1"


def points_of(run: RunFolder) -> dict[str, Float32]:
    """Return the position of each photo in two dimensions.

    t-SNE of the first 50 principal components places up to 1,000 photos (van der Maaten and Hinton, 2008); more are
    placed by the first two principal components. The run keeps the points as ``review_points.npz``.

    Parameters
    ----------
    run : RunFolder
        A finished run.

    Returns
    -------
    dict of str to ndarray of float32, shape (2,)
        By listing. Listings without features are left out; empty if fewer than three have any.
    """
    path = run.folder / "review_points.npz"
    made_from = f"{_RECIPE} {sha256_of_file(run.listings_file)}"
    saved = _read(path, made_from)
    if saved is None:
        ids, points = _compute(run)
        with whole_file(path) as temporary:
            np.savez(temporary, id=ids, points=points, made_from=np.array(made_from))
        saved = ids, points
    return dict(zip(saved[0].tolist(), saved[1], strict=True))


def _read(path: Path, made_from: str) -> tuple[npt.NDArray[np.str_], Float32] | None:
    try:
        with open_arrays(path) as saved:
            return (saved["id"], saved["points"]) if str(saved["made_from"]) == made_from else None
    except (OSError, ValueError, KeyError):  # missing or damaged: compute the points again
        return None


def _compute(run: RunFolder) -> tuple[npt.NDArray[np.str_], Float32]:
    features = features_of(run)
    ids = run.training_table()["id"].astype(str).to_numpy(dtype=str)
    lengths = np.linalg.norm(features, axis=1)
    rows = np.flatnonzero(np.isfinite(lengths) & (lengths > 0))
    # sorted by id, so that the points do not depend on the order of the rows
    rows = rows[np.argsort(ids[rows], kind="stable")]
    if len(rows) < 3:
        return ids[:0], np.zeros((0, 2), dtype=np.float32)
    # one thread: on a busy machine, several wait for each other, and t-SNE takes ten times as long
    with threadpool_limits(1):
        # of length 1, so that distances follow the cosine
        return ids[rows], _flat(np.asarray(features[rows]) / lengths[rows, None])


def _flat(features: Float32) -> Float32:
    from sklearn.decomposition import PCA
    from sklearn.manifold import TSNE

    if np.ptp(features, axis=0).max() == 0:
        return np.zeros((len(features), 2), dtype=np.float32)  # all photos are alike
    few = len(features) <= _TSNE
    flat = PCA(min(_COMPONENTS if few else 2, *features.shape), random_state=0).fit_transform(features)
    if few and flat.shape[1] > 2:
        perplexity = min(_PERPLEXITY, (len(flat) - 1) / 3)
        flat = TSNE(init="pca", perplexity=perplexity, max_iter=_STEPS, random_state=0).fit_transform(flat)
    # one feature alone has one component
    return np.pad(flat, ((0, 0), (0, max(0, 2 - flat.shape[1]))))[:, :2].astype(np.float32)
