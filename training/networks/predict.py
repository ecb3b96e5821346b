"""Predictions of a network."""

from __future__ import annotations

import numpy as np
import torch

from training.images import Photos
from training.images.normalize import normalize
from training.networks.network import Net
from training.utils.arrays import Float32, Int64
from training.utils.devices import Device, each_on_one_core

__all__ = ["predict"]


# photos that a GPU predicts at a time, or one core of a CPU, and there also their pixels: large photos take much memory
_ON_GPU, _ON_CORE, _PIXELS_ON_CORE = 128, 32, 1 << 18


def predict(
    model: Net,
    photos: Photos,
    rows: Int64,
    device: Device,
    *,
    mirrored: bool = True,
    prices: Float32 | None = None,
) -> Float32:
    """Predict class probabilities, or prices; the number of threads changes no digit of them.

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
    fitting = min(_ON_CORE, _PIXELS_ON_CORE // (photos.shape[1] * photos.shape[2]))
    count = _ON_GPU if device.is_cuda else max(1, fitting)

    def answers(part: Int64) -> Float32:
        # of this thread alone
        with torch.inference_mode(), device.autocast():
            batch = device.arrange(normalize(device.send(photos[part])))
            part_prices = None if prices is None or model.price is None else device.send(prices[part])
            views = (batch, batch.flip(3)) if mirrored else (batch,)
            predicted: Float32 = torch.stack([model(view, part_prices) for view in views]).mean(0).cpu().numpy()
            return predicted

    batches = [rows[start : start + count] for start in range(0, len(rows), count)]
    parts = list(each_on_one_core(answers, batches, device=device.device))
    return np.concatenate(parts).astype(np.float32) if parts else np.empty((0, model.task.outputs), dtype=np.float32)
