"""Networks of timm that make features, with weights that are drawn at random and lie where its own would."""

import sys
from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.support.synthetic import CPU
from training.errors import InputError
from training.features.choice import check_size, sized, with_features
from training.features.extract import choose_extractor
from training.networks import of_timm
from training.settings import Execution, Recipe
from training.utils.progress import SILENT

NAME = "resnet10t"
RECIPE = Recipe(epochs=0, features=f"timm:{NAME}", precision="float32")


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """The cache of Hugging Face's hub, with nothing in it; the hub itself does not answer."""
    pytest.importorskip("timm", reason="timm is not installed")
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    of_timm._config.cache_clear()
    return tmp_path / "hub"


def put_weights(hub, name=NAME):
    """Write random weights of a network to the cache, as a download does; return the network."""
    import timm
    from safetensors.torch import save_file

    torch.manual_seed(0)
    network = timm.create_model(name, pretrained=False)
    repository = timm.get_pretrained_cfg(name).hf_hub_id
    folder = hub / f"models--{repository.replace('/', '--')}"
    (folder / "refs").mkdir(parents=True)
    (folder / "refs" / "main").write_text("0" * 40)
    (folder / "snapshots" / ("0" * 40)).mkdir(parents=True)
    save_file(network.state_dict(), folder / "snapshots" / ("0" * 40) / "model.safetensors")
    return network


def photos(size, n=3):
    return np.random.default_rng(0).integers(0, 256, (n, size, size, 3), dtype=np.uint8)


@pytest.mark.parametrize("name", [NAME, "vit_tiny_patch16_224"])
def test_features_are_what_timm_makes_of_photos_that_are_normalised_as_it_wants(name, hub):
    network = put_weights(hub, name).eval()
    recipe = replace(RECIPE, features=f"timm:{name}")
    size = sized(recipe, Execution())[1]
    extract, origin = choose_extractor(photos(size), np.arange(3), recipe, CPU)
    assert origin == f"pretrained timm:{name}, photos of {size} pixels"
    config = network.pretrained_cfg
    mean, sd = (torch.tensor(config[key]).view(3, 1, 1) for key in ("mean", "std"))
    pixels = (torch.from_numpy(photos(size)).permute(0, 3, 1, 2).float() / 255 - mean) / sd
    with torch.inference_mode():
        both = [
            network.forward_head(network.forward_features(each), pre_logits=True) for each in (pixels, pixels.flip(3))
        ]
    assert extract.width == both[0].shape[1]
    assert torch.allclose(extract(photos(size)), (both[0] + both[1]) / 2, atol=1e-4)


def test_a_network_with_weights_is_accepted_and_has_the_size_that_it_was_made_for(hub):
    put_weights(hub)
    assert with_features(RECIPE, SILENT).features == f"timm:{NAME}"
    assert sized(RECIPE, Execution())[1] == 176
    assert sized(replace(RECIPE, features=f"lite0+timm:{NAME}"), Execution())[1] == 224
    check_size(f"timm:{NAME}", 224, classes=2)
    with pytest.raises(InputError, match="vit_tiny_patch16_224 can't take photos of 96 pixels: wanted an `image_size`"):
        check_size("timm:vit_tiny_patch16_224", 96, classes=2)


def test_without_weights_and_without_a_network_the_file_is_named(hub):
    with pytest.raises(InputError, match=r"no features of resnet10t without its weights: got .*refused") as caught:
        with_features(RECIPE, SILENT)
    message = str(caught.value)
    assert "wanted model.safetensors of timm/resnet10t.c3_in1k, in " in message
    assert 'Choose `features="lite0"`, whose weights are installed.' in message
    assert "\n" not in message
    assert caught.value.parameter == "features"


def test_damaged_weights_are_refused(hub):
    put_weights(hub)
    (file,) = hub.glob("*/snapshots/*/model.safetensors")
    file.write_bytes(file.read_bytes()[:1000])
    with pytest.raises(InputError, match="the weights of resnet10t can't be loaded: got "):
        with_features(RECIPE, SILENT)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("resnet_10t", r"unknown network of timm: got resnet_10t; wanted one of .* Did you mean 'timm:resnet10t'"),
        ("", "unknown network of timm: got nothing"),
        ("test_vit", "no features of test_vit without its weights"),
    ],
)
def test_a_name_that_makes_no_features_is_refused(name, message, hub):
    with pytest.raises(InputError, match=message):
        with_features(replace(RECIPE, features=f"timm:{name}"), SILENT)


def test_without_timm_the_extra_is_named(monkeypatch):
    of_timm._config.cache_clear()
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    words = r"timm, which is not installed. Install it with pip install 'curate-listings\[timm\]'"
    with pytest.raises(InputError, match=words):
        with_features(RECIPE, SILENT)


@pytest.mark.parametrize(
    ("name", "near"),
    [("resnt18", "timm:resnet18"), ("nonexistent", "timm:"), ("VIT_Tiny_patch16", "timm:vit_tiny_patch16")],
)
def test_an_unknown_network_is_refused_with_the_nearest_as_they_are_asked_for(name, near, hub):
    with pytest.raises(InputError, match=f"unknown network of timm: got {name}; .* Did you mean '{near}"):
        with_features(replace(RECIPE, features=f"timm:{name}"), SILENT)


@pytest.mark.parametrize("code", ["1 / 0", "raise SystemExit"])
def test_a_timm_that_does_not_work_is_one_error(code, tmp_path, monkeypatch):
    (tmp_path / "timm.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "timm", raising=False)
    of_timm._config.cache_clear()
    with pytest.raises(
        InputError, match=r"no features of resnet10t without timm, which does not work here: got .*Choose"
    ):
        with_features(RECIPE, SILENT)
