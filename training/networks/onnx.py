"""A model as ONNX, for programs without torch; kept only if it predicts the same."""

from __future__ import annotations

import importlib.util
import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from training.errors import CurateError, InputError, some
from training.images import Pixels
from training.images.normalize import normalize
from training.networks.network import Net
from training.networks.predict import predict
from training.networks.saved import SavedModel
from training.networks.tasks import PriceTask
from training.utils.arrays import Float32
from training.utils.devices import Device
from training.utils.files import whole_file
from training.utils.flock import sweep

__all__ = ["PACKAGES", "TOLERANCE", "export_onnx"]


PACKAGES = ("onnx", "onnxscript", "onnxruntime")
#: Largest difference from torch, of a probability or of a price in proportion.
TOLERANCE = 1e-4

#: The limit of a file of protocol buffers.
_MOST_BYTES = 2**31 - 1
#: Prices of the check as multiples of the usual one: none in two ways, then low to high.
_CHECKED = (np.nan, 0.0, 0.1, 1.0, 10.0)


def export_onnx(model: SavedModel, path: Path, check_photos: Pixels, *, tolerance: float = TOLERANCE) -> float:
    """Write a model as ONNX and run it with ONNX Runtime; keep the file only if it predicts the same as torch.

    The inputs are ``photos``, uint8 (B, S, S, 3), RGB, as :func:`training.images.decode` returns them, and ``price``,
    float32 (B,), if the network has that input: NaN or 0 where there is none. The output is ``probabilities`` (B, K) or
    ``price`` (B, 1), as :func:`training.networks.predict.predict` returns them: the mean over each photo and its mirror
    image. Normalization is part of the graph. Its metadata has classes, currency, size and the format of the photos.

    Parameters
    ----------
    model : SavedModel
    path : Path
        The file; an earlier one is replaced after the check.
    check_photos : ndarray of uint8, shape (n, S, S, 3)
        Photos for the check, at least one.
    tolerance : float
        The largest difference that is accepted.

    Returns
    -------
    float
        The largest difference: of probabilities, or of prices in proportion.

    Raises
    ------
    InputError
        If a package is missing.
    CurateError
        If the model can't be exported, or the file predicts something else.
    """
    if missing := [name for name in PACKAGES if importlib.util.find_spec(name) is None]:
        raise InputError(
            f"exporting needs {'packages that are' if len(missing) > 1 else 'a package that is'} not installed",
            got=f"no {some(missing)}",
            fix="Install what is missing with: pip install 'curate-listings[onnx]'",
        )
    size = sum(value.numel() * value.element_size() for value in model.net.state_dict().values())
    if size > _MOST_BYTES:
        raise InputError(
            f"{model.recipe.model} is too large for one ONNX file",
            got=f"weights of {size / 1e9:.1f} GB",
            wanted=f"at most {_MOST_BYTES / 1e9:.1f} GB",
            fix="Train a smaller network.",
        )
    sweep(path)
    with whole_file(path) as temporary:
        _export(model, temporary)
        difference = _difference(model, temporary, check_photos)
        # so that NaN is refused, too
        if not difference <= tolerance:
            raise CurateError(
                f"the ONNX file does not predict what the model predicts, and was not kept: the largest difference is "
                f"{difference:.2g}, wanted at most {tolerance:g}. A deep network that was hardly trained multiplies "
                "rounding errors; if that is close enough for you, raise `tolerance`",
                parameter="tolerance",
            )
    return difference


class _Whole(nn.Module):
    """Everything between the pixels and the predictions."""

    def __init__(self, net: Net) -> None:
        super().__init__()
        self.net = net

    def forward(self, photos: torch.Tensor, price: torch.Tensor | None = None) -> torch.Tensor:
        """Return the predictions for photos (B, S, S, 3), each the mean over a photo and its mirror image."""
        batch = normalize(photos)
        prices = None if price is None else torch.cat([price, price])
        predictions: torch.Tensor = self.net(torch.cat([batch, batch.flip(3)]), prices)
        # len(photos) would be a constant of the graph
        return predictions.reshape(2, photos.shape[0], -1).mean(0)


def _export(model: SavedModel, path: Path) -> None:
    output = "probabilities" if model.recipe.target == "label" else "price"
    size = model.recipe.size
    # two photos: the exporter could take a single one for a constant
    example: tuple[torch.Tensor, ...] = (torch.zeros((2, size, size, 3), dtype=torch.uint8),)
    example += () if model.net.price is None else (torch.ones(2),)
    rows = torch.export.Dim("batch", min=1)
    with warnings.catch_warnings():
        # the exporter warns about its own internals
        warnings.simplefilter("ignore")
        try:
            program = torch.onnx.export(
                _Whole(model.net).eval(),
                example,
                dynamo=True,
                input_names=["photos", "price"][: len(example)],
                output_names=[output],
                dynamic_shapes=tuple({0: rows} for _ in example),
                verbose=False,
            )
        except Exception as error:  # torch's exporter raises many kinds for a network it can't handle
            raise CurateError(
                f"{model.recipe.model} can't be exported to ONNX: {str(error).strip().splitlines()[0]}. "
                "Export another network, or update torch and onnxscript"
            ) from error
    if program is None:
        raise CurateError(f"{model.recipe.model} can't be exported to ONNX: torch returned nothing")
    program.model.producer_name = "curate"
    for node in program.model.graph.all_nodes():
        # it names files of the machine that exported it
        node.metadata_props.clear()
    program.model.metadata_props.update(_metadata(model))
    program.save(str(path), external_data=False)


def _metadata(model: SavedModel) -> dict[str, str]:
    """Return the facts that a program needs to use the file, as text."""
    size = model.recipe.size
    facts: dict[str, Any] = {
        "target": model.recipe.target,
        "classes": list(model.classes),
        "currency": model.facts.get("currency"),
        "dataset": model.facts.get("dataset"),
        "network": model.recipe.model,
        "image_size": size,
        "photos": f"uint8 RGB, upright, resized to {size} x {size} without keeping the aspect ratio; 0 to 255",
    }
    return {
        name: value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        for name, value in facts.items()
        if value is not None
    }


def _difference(model: SavedModel, path: Path, photos: Pixels) -> float:
    """Return the largest difference between the predictions of ONNX Runtime and torch."""
    prices: Float32 | None = None
    inputs: dict[str, npt.NDArray[np.generic]] = {"photos": photos}
    if model.net.price is not None:
        usual = model.net.price.usual
        prices = np.tile(np.array(_CHECKED, dtype=np.float32) * np.float32(usual), len(photos))
        photos = photos.repeat(len(_CHECKED), axis=0)
        inputs = {"photos": photos, "price": prices}
    cpu = Device(torch.device("cpu"))
    expected = predict(model.net, photos, np.arange(len(photos)), cpu, prices=prices)
    try:
        predicted = _run(path, inputs, len(photos))
    except Exception as error:  # ONNX Runtime has many kinds of errors of its own
        raise CurateError(
            f"ONNX Runtime can't run what {model.recipe.model} became: {str(error).strip().splitlines()[0]}. "
            "The file was not kept; export another network, or update torch and onnxruntime"
        ) from error
    difference = np.abs(predicted.astype(np.float64) - expected.astype(np.float64))
    if isinstance(model.net.task, PriceTask):
        # relative to the price, except for prices near 0
        difference = difference / np.maximum(np.abs(expected), 0.01 * float(model.net.task.centre.exp()))
    return float(difference.max())


def _run(path: Path, inputs: dict[str, npt.NDArray[np.generic]], rows: int) -> Float32:
    """Return the predictions of ONNX Runtime: of one row alone, then of the others, as the number must not matter."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    parts = [slice(0, 1), slice(1, rows)][:rows]
    return np.concatenate(
        [session.run(None, {name: values[part] for name, values in inputs.items()})[0] for part in parts]
    )
