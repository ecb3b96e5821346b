"""A model in ONNX tells what the model tells, or there is no file."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch

from tests.support.synthetic import CPU, coloured_photos
from training.errors import CurateError, InputError
from training.images.normalize import normalize
from training.networks import onnx as onnx_export
from training.networks.network import build_net
from training.networks.onnx import export_onnx
from training.networks.predict import predict
from training.networks.saved import SavedModel
from training.settings import Recipe

CLASSES = ("chair", "désk", "lamp")
PRICES = np.random.default_rng(3).uniform(5, 500, 12).astype(np.float32)


def model_of(name: str, size: int, **changes: Any) -> tuple[SavedModel, np.ndarray]:
    """Return a network that has seen some photos, whose answers differ from photo to photo; and those photos."""
    settings = Recipe(model=name, image_size=size, pretrained=False, **changes)
    photos, labels = coloured_photos(n=12, size=size)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        net = build_net(settings, 3, labels if settings.target == "label" else PRICES, PRICES)
        for module in net.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.momentum = None
                # most ReLUs open: a deep random network multiplies rounding errors, as a trained one does not
                torch.nn.init.ones_(module.bias)
        with torch.no_grad():
            net.outputs(normalize(torch.from_numpy(photos)), torch.from_numpy(PRICES))
    return SavedModel(net.eval(), settings, CLASSES, {"currency": "SGD", "dataset": "shop"}), photos


def session_of(path: Path) -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])


@pytest.mark.parametrize(
    ("name", "size", "beside"),
    [
        ("lenet", 64, False),
        ("lenet", 100, True),
        ("resnet18", 32, True),
        ("inception_v3", 75, False),
    ],
)
def test_a_network_tells_the_same_in_onnx(tmp_path: Path, name: str, size: int, beside: bool) -> None:
    model, photos = model_of(name, size, use_price=beside)
    difference = export_onnx(model, tmp_path / "model.onnx", photos[:4])
    session = session_of(tmp_path / "model.onnx")
    prices = PRICES.copy()
    prices[:3] = np.nan, 0, 1e6
    inputs = {"photos": photos, **({"price": prices} if beside else {})}
    expected = predict(model.net, photos, np.arange(12), CPU, prices=prices if beside else None)
    assert np.ptp(expected, axis=0).max() > 1e-4, "answers that are all alike would show nothing"
    for few in (1, 5, 12):
        (predicted,) = session.run(["probabilities"], {key: values[:few] for key, values in inputs.items()})
        np.testing.assert_allclose(predicted, expected[:few], rtol=0, atol=1e-4)
    assert difference <= 1e-4
    assert [given.name for given in session.get_inputs()] == list(inputs)


@pytest.mark.parametrize("loss", ["huber", "log-huber"])
def test_a_model_of_prices_tells_the_same_prices(tmp_path: Path, loss: str) -> None:
    model, photos = model_of("lenet", 32, target="price", loss=loss)
    assert export_onnx(model, tmp_path / "model.onnx", photos) <= 1e-4
    (predicted,) = session_of(tmp_path / "model.onnx").run(["price"], {"photos": photos})
    np.testing.assert_allclose(predicted, predict(model.net, photos, np.arange(12), CPU), rtol=1e-4)


def test_the_file_says_what_a_program_must_know_and_nothing_of_this_machine(tmp_path: Path) -> None:
    model, photos = model_of("lenet", 32)
    export_onnx(model, tmp_path / "model.onnx", photos[:1])
    session = session_of(tmp_path / "model.onnx")
    metadata = session.get_modelmeta().custom_metadata_map
    assert json.loads(metadata["classes"]) == list(CLASSES)
    assert (metadata["target"], metadata["currency"], metadata["image_size"]) == ("label", "SGD", "32")
    (photos_input,) = session.get_inputs()
    assert (photos_input.type, photos_input.shape[1:]) == ("tensor(uint8)", [32, 32, 3])
    assert str(Path(onnx_export.__file__).parents[1]).encode() not in (tmp_path / "model.onnx").read_bytes()


def test_a_file_that_tells_something_else_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model, photos = model_of("lenet", 32)
    (tmp_path / "model.onnx").write_text("an earlier one")
    # torch is asked about brighter photos than ONNX Runtime
    monkeypatch.setattr(
        onnx_export, "predict", lambda net, given, *rest, **more: predict(net, given // 2, *rest, **more)
    )
    with pytest.raises(CurateError, match="was not kept: the largest difference is") as error:
        export_onnx(model, tmp_path / "model.onnx", photos)
    assert error.value.exit_code == 1
    assert [path.name for path in tmp_path.iterdir()] == ["model.onnx"]
    assert (tmp_path / "model.onnx").read_text() == "an earlier one"
    assert export_onnx(model, tmp_path / "model.onnx", photos, tolerance=1) > 1e-4


def test_a_network_that_tells_no_numbers_is_not_kept(tmp_path: Path) -> None:
    model, photos = model_of("lenet", 32)
    with torch.no_grad():
        next(model.net.parameters()).fill_(torch.nan)
    with pytest.raises(CurateError, match="the largest difference is nan"):
        export_onnx(model, tmp_path / "model.onnx", photos)
    assert not list(tmp_path.iterdir())


def test_a_missing_package_is_named_with_what_to_type(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model, photos = model_of("lenet", 32)
    there = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "onnxscript" else there(name))
    with pytest.raises(InputError, match=r"got no onnxscript.*pip install 'curate-listings\[onnx\]'"):
        export_onnx(model, tmp_path / "model.onnx", photos)
