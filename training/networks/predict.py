"""Predictions of a network."""

from __future__ import annotations

import numpy as np
import torch

from training.images import Photos
from training.images.normalize import normalize
from training.networks.network import Net
from training.utils.arrays import Float32, Int64
from training.utils.devices import Device

__all__ = ["predict"]


# photos that are predicted at a time, and on a CPU also their pixels: large photos take much memory in a network
_PREDICT_BATCH, _PREDICT_PIXELS = 128, 1 << 19


def predict(
    model: Net,
    photos: Photos,
    rows: Int64,
    device: Device,
    *,
    mirrored: bool = True,
    prices: Float32 | None = None,
) -> Float32:
    """Predict class probabilities, or prices.

    Parameters
    ----------
    model : Net
        A trained network.
    photos : Photos of uint8, shape (N, S, S, 3)
        All photos.
    rows : ndarray of int64, shape (n,)
        The rows to predict.
    device : Device
        Where to compute.
    mirrored : bool
        Average over each photo and its mirror image: less noisy, at twice the cost.
    prices : ndarray of float32, shape (N,), optional
        For a network with the price as an input; NaN where there is none.

    Returns
    -------
    ndarray of float32, shape (n, K)
        Probabilities; rows sum to 1. Of a price model, prices, shape (n, 1).
    """
    model.eval()
    fitting = _PREDICT_BATCH if device.is_cuda else _PREDICT_PIXELS // (photos.shape[1] * photos.shape[2])
    count, parts = max(1, min(_PREDICT_BATCH, fitting)), []
    with torch.inference_mode(), device.autocast():
        for start in range(0, len(rows), count):
            part = rows[start : start + count]
            batch = device.arrange(normalize(device.send(photos[part])))
            part_prices = None if prices is None or model.price is None else device.send(prices[part])
            views = (batch, batch.flip(3)) if mirrored else (batch,)
            parts.append(torch.stack([model(view, part_prices) for view in views]).mean(0).cpu().numpy())
    return np.concatenate(parts).astype(np.float32) if parts else np.empty((0, model.task.outputs), dtype=np.float32)
