"""Which photos look alike: for the plot of all photos, and for examples beside the open one."""

from __future__ import annotations

import numpy as np

from curation.run.folder import RunFolder
from training.utils.arrays import Float32, Int64

__all__ = ["features_of", "nearest"]


def features_of(run: RunFolder) -> Float32:
    """Return features of the photos of a run, one row per row of ``listings.parquet``.

    Parameters
    ----------
    run : RunFolder
        A finished one.

    Returns
    -------
    ndarray of float32, shape (N, D)
        The features that the run's models were trained on, memory-mapped; see
        :func:`training.features.extract.compute_features`. For a run with given probabilities, those. Zeros for
        rows without.
    """
    features = run.features()
    return np.nan_to_num(run.probabilities().probs).astype(np.float32) if features is None else features


def nearest(features: Float32, row: int, among: Int64, number: int) -> Int64:
    """Return the rows most similar to one, the most similar first.

    Parameters
    ----------
    features : ndarray of float32, shape (N, D)
    row : int
        The one.
    among : ndarray of int64
        The rows to choose from.
    number : int
        How many, at most.

    Returns
    -------
    ndarray of int64
        By cosine, equals in the order of `among`; rows of zeros, which look like nothing, are never chosen.
    """
    wanted = np.asarray(features[row], dtype=np.float32)
    others = np.asarray(features[among], dtype=np.float32)
    lengths = np.linalg.norm(others, axis=1) * np.linalg.norm(wanted)
    known = lengths > 0
    cosine = np.where(known, others @ wanted / np.where(known, lengths, 1), -np.inf)
    order = np.argsort(-cosine, kind="stable")[:number]
    chosen: Int64 = among[order[known[order]]]
    return chosen
