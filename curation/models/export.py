"""`curate export onnx`: a saved model as ONNX, checked on photos of its dataset, where they are at hand."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from curation.errors import InputError
from curation.photos.facts import photos_file
from curation.rendering.results import Result
from curation.run.folder import RunFolder
from training.images import Pixels
from training.images.store import PhotosMissingError, PhotoStore
from training.networks.onnx import export_onnx
from training.networks.saved import SavedModel
from training.utils.progress import Reporter

__all__ = ["Export", "export_model"]

_RANDOM, _REAL = 8, 32
_SUFFIX = ".onnx"


@dataclass(frozen=True)
class Export(Result):
    """A model as ONNX.

    Attributes
    ----------
    model : Path
        Its ``model.pt``.
    file : Path
        The ONNX file.
    bytes : int
        Its size.
    largest_difference : float
        From torch, over the photos that it was checked with: of a probability, or of a price relative to it.
    tolerance : float
        The largest difference that was accepted.
    photos : dict of str to int
        How many ``real`` and ``random`` photos it was checked with.
    """

    model: Path
    file: Path
    bytes: int
    largest_difference: float
    tolerance: float
    photos: dict[str, int]


def export_model(
    saved: SavedModel, file: Path, output: str | Path | None, *, tolerance: float, reporter: Reporter
) -> Export:
    """Write a model as ONNX; parameters and errors as of :func:`curation.models.model.Model.export`."""
    path = file.with_suffix(_SUFFIX) if output is None else Path(output)
    if path.suffix.lower() != _SUFFIX:
        raise InputError(f"{path} is not a name for an ONNX file", got=path.suffix or "no suffix", wanted=_SUFFIX)
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
    checked = {"real": len(real), "random": len(random)}
    return Export(file, path, path.stat().st_size, difference, tolerance, checked)


def _photos(folder: Path, size: int) -> Pixels:
    """Return some decoded photos of the folder in which a model was trained; none where they are gone or damaged."""
    none = np.empty((0, size, size, 3), dtype=np.uint8)
    try:
        store = PhotoStore.load(photos_file(RunFolder(folder).training_folder))
        if store.shape[1] != size:
            return none
        photos = store[np.linspace(0, len(store) - 1, min(_REAL, len(store))).astype(np.int64)]
    except (FileNotFoundError, NotADirectoryError, PhotosMissingError):
        return none
    # those that can't be read are black
    return photos[photos.any(axis=(1, 2, 3))]
