"""Similar photos: for the plot of all photos, and for examples beside the open one."""

from __future__ import annotations

import numpy as np

from curation.run.folder import RunFolder
from training.utils.arrays import Float32, Int64

__all__ = ["features_of", "nearest"]


def features_of(run: RunFolder) -> Float32:
    """Return the features of a run's photos, in the order of `RunFolder.training_table`.

    Parameters
    ----------
    run : RunFolder
        A finished run.

    Returns
    -------
    ndarray of float32, shape (N, D)
        The features that the run's models were trained on, memory-mapped; see
        :func:`training.features.extract.compute_features`. A run with given probabilities has those instead. Rows
        without are zeros.
    """
    features = run.features()
    if features is not None:
        return features
    probabilities = run.probabilities()
    probabilities = probabilities.in_order(run.training_table()["id"].tolist(), probabilities.classes)
    return np.nan_to_num(probabilities.probs).astype(np.float32)


def nearest(features: Float32, row: int, among: Int64, number: int) -> Int64:
    """Return the rows that are most similar to a given one, the most similar first.

    Parameters
    ----------
    features : ndarray of float32, shape (N, D)
    row : int
        The given row.
    among : ndarray of int64
        The rows to choose from.
    number : int
        Most rows to return.

    Returns
    -------
    ndarray of int64
        By cosine, equal ones in the order of `among`; rows of zeros are never chosen.
    """
    own = np.asarray(features[row], dtype=np.float32)
    others = np.asarray(features[among], dtype=np.float32)
    lengths = np.linalg.norm(others, axis=1) * np.linalg.norm(own)
    nonzero = lengths > 0
    cosine = np.where(nonzero, others @ own / np.where(nonzero, lengths, 1), -np.inf)
    order = np.argsort(-cosine, kind="stable")[:number]
    chosen: Int64 = among[order[nonzero[order]]]
    return chosen
