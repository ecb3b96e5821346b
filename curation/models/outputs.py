"""Predictions of a network for N listings: computed with a progress bar, and as columns of a table."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from training.images import Photos
from training.networks.network import Net
from training.networks.predict import predict
from training.utils.arrays import Float32, Int64
from training.utils.devices import Device
from training.utils.progress import Reporter

__all__ = ["predict_rows", "prediction_columns", "spread"]


_AT_ONCE = 256


def predict_rows(
    net: Net, photos: Photos, prices: Float32 | None, rows: Int64, device: Device, reporter: Reporter, *, what: str
) -> Float32:
    """Predict some of N listings.

    Parameters
    ----------
    net : Net
        On the CPU, before and after.
    photos : Photos of uint8, shape (N, S, S, 3)
    prices : ndarray of float32, shape (N,), or None
        For a network that looks at them.
    rows : ndarray of int64, shape (n,)
        The listings to predict.
    device : Device
        Where to compute.
    reporter, what
        Shows a progress bar of this name.

    Returns
    -------
    ndarray of float32, shape (N, K) or (N, 1)
        Probabilities or prices; NaN in other rows.
    """
    device.place(net)
    predictions = []
    with reporter.bar(what) as progress:
        for at in range(0, len(rows), _AT_ONCE):
            predictions.append(predict(net, photos, rows[at : at + _AT_ONCE], device, prices=prices))
            progress(min(at + _AT_ONCE, len(rows)), len(rows))
    net.cpu()
    return spread(np.concatenate(predictions), rows, len(photos))


def spread(predictions: Float32, rows: Int64, listings: int) -> Float32:
    """Return predictions for some listings as an array of all N, shape (N, K), NaN elsewhere.

    Parameters
    ----------
    predictions : ndarray of float32, shape (n, K)
    rows : ndarray of int64, shape (n,)
        Their listings.
    listings : int
        N.
    """
    everywhere = np.full((listings, predictions.shape[1]), np.nan, dtype=np.float32)
    everywhere[rows] = predictions
    return everywhere


def prediction_columns(predictions: Float32, classes: Sequence[str], target: str) -> pd.DataFrame:
    """Return the columns ``predicted_label`` and ``confidence``, or ``predicted_price``.

    Parameters
    ----------
    predictions : ndarray of float32, shape (N, K) or (N, 1)
        Rows of NaN become empty cells.
    classes : sequence of str, length K
    target : str
        ``label`` or ``price``.
    """
    if target == "price":
        return pd.DataFrame({"predicted_price": pd.Series(predictions[:, 0]).round(2)})
    predicted = np.asarray(np.isfinite(predictions).all(axis=1), dtype=bool)
    labels = np.array(classes, dtype=object)[np.nan_to_num(predictions).argmax(axis=1)]
    confidence = pd.Series(predictions.max(axis=1)).round(4)
    return pd.DataFrame({"predicted_label": pd.Series(labels).where(predicted), "confidence": confidence})
