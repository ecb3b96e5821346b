"""What a model tells of N listings: computed with a progress bar, and written as columns."""

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

__all__ = ["spread", "tell", "told_columns"]


_AT_ONCE = 256


def tell(
    net: Net, photos: Photos, prices: Float32 | None, rows: Int64, device: Device, reporter: Reporter, *, what: str
) -> Float32:
    """Let a network tell some of N listings.

    Parameters
    ----------
    net : Net
        On the CPU, before and after.
    photos : Photos of uint8, shape (N, S, S, 3)
    prices : ndarray of float32, shape (N,), or None
        For a network that looks at them.
    rows : ndarray of int64, shape (n,)
        The listings that are told.
    device : Device
        Where to compute.
    reporter, what
        Shows messages and progress.

    Returns
    -------
    ndarray of float32, shape (N, K) or (N, 1)
        Probabilities or prices; NaN in other rows.
    """
    device.place(net)
    told = []
    with reporter.bar(what) as progress:
        for at in range(0, len(rows), _AT_ONCE):
            told.append(predict(net, photos, rows[at : at + _AT_ONCE], device, prices=prices))
            progress(min(at + _AT_ONCE, len(rows)), len(rows))
    net.cpu()
    return spread(np.concatenate(told), rows, len(photos))


def spread(told: Float32, rows: Int64, listings: int) -> Float32:
    """Return predictions for some listings as an array of all N, shape (N, K), NaN elsewhere.

    Parameters
    ----------
    told : ndarray of float32, shape (n, K)
        Predictions for some listings.
    rows : ndarray of int64, shape (n,)
        Which listings.
    listings : int
        N.
    """
    among = np.full((listings, told.shape[1]), np.nan, dtype=np.float32)
    among[rows] = told
    return among


def told_columns(told: Float32, classes: Sequence[str], target: str) -> pd.DataFrame:
    """Return ``predicted_label`` and ``confidence``, or ``predicted_price``, of what was told of N listings.

    Parameters
    ----------
    told : ndarray of float32, shape (N, K) or (N, 1)
        NaN where nothing is told; there the columns are empty.
    classes : sequence of str, length K
    target : str
        ``label`` or ``price``.
    """
    if target == "price":
        return pd.DataFrame({"predicted_price": pd.Series(told[:, 0]).round(2)})
    known = np.asarray(np.isfinite(told).all(axis=1), dtype=bool)
    named = np.array(classes, dtype=object)[np.nan_to_num(told).argmax(axis=1)]
    return pd.DataFrame(
        {"predicted_label": pd.Series(named).where(known), "confidence": pd.Series(told.max(axis=1)).round(4)}
    )
