"""`curate export`: a saved model as ONNX, checked on photos that it was made from, where they are at hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from curation.errors import InputError
from curation.photos.facts import photos_file
from curation.run.folder import RunFolder
from training.images import Pixels
from training.images.store import PhotosGoneError, PhotoStore
from training.networks.onnx import export_onnx
from training.networks.saved import load_model, model_file
from training.utils.progress import Reporter

__all__ = ["export_model"]

_RANDOM, _REAL = 8, 32
_SUFFIX = ".onnx"


def export_model(model: Path, output: Path | None, *, tolerance: float, reporter: Reporter) -> dict[str, Any]:
    """Write a model as ONNX.

    Parameters
    ----------
    model : Path
        A folder with ``model.pt``, or that file.
    output : Path or None
        The file; by default ``model.onnx`` beside ``model.pt``.
    tolerance : float
        As for :func:`training.networks.onnx.export_onnx`.
    reporter : Reporter
        Hears what is being done.

    Returns
    -------
    dict
        ``model``, ``file``, ``bytes``, ``largest_difference``, ``tolerance``, and ``photos``: how many ``real`` and
        ``random`` ones it was checked with.

    Raises
    ------
    CurateError
        As :func:`training.networks.saved.load_model` and :func:`training.networks.onnx.export_onnx`.
    """
    file = model_file(model)
    path = output or file.with_suffix(_SUFFIX)
    if path.suffix.lower() != _SUFFIX:
        raise InputError(f"{path} is no name for an ONNX file", got=path.suffix or "no suffix", wanted=_SUFFIX)
    saved = load_model(file)
    size = saved.recipe.size
    random = np.random.default_rng(0).integers(0, 256, (_RANDOM, size, size, 3), dtype=np.uint8)
    real = _photos(file.parent, size)
    reporter.say(f"exporting {saved.recipe.model} for photos of {size} pixels, and checking it against torch")
    try:
        difference = export_onnx(saved, path, np.concatenate([real, random]), tolerance=tolerance)
    except OSError as error:
        raise InputError(
            f"can't write {path}", got=error.strerror or str(error), fix="Name another file with `output`."
        ) from error
    return {
        "model": str(file),
        "file": str(path),
        "bytes": path.stat().st_size,
        "largest_difference": difference,
        "tolerance": tolerance,
        "photos": {"real": len(real), "random": len(random)},
    }


def _photos(folder: Path, size: int) -> Pixels:
    """Return some decoded photos of the folder in which a model was trained; none where they are gone."""
    none = np.empty((0, size, size, 3), dtype=np.uint8)
    try:
        store = PhotoStore.load(photos_file(RunFolder(folder).training_folder))
    except (FileNotFoundError, NotADirectoryError, PhotosGoneError):
        return none
    if store.shape[1] != size:
        return none
    some = store[np.linspace(0, len(store) - 1, min(_REAL, len(store))).astype(np.int64)]
    # those that can't be read are black
    return some[some.any(axis=(1, 2, 3))]
