"""Classifiers by name, and their weights."""

import subprocess
import sys

import pytest
import torch

from tests.support.synthetic import put_weights
from training.errors import CurateError, InputError
from training.networks.zoo import build_model, initial_weights, least_size, model_names, pretrained_size


def test_every_classifier_is_known_and_a_near_miss_gets_a_suggestion():
    assert {"resnet18", "resnet50", "inception_v3", "vit_b_16", "efficientnet_b0", "lenet", "lite0"} <= set(
        model_names()
    )
    with pytest.raises(InputError, match="Did you mean 'resnet18'"):
        build_model("resnet_18", classes=3, image_size=32, pretrained=False)


def test_a_model_that_needs_larger_photos_says_so():
    with pytest.raises(InputError, match="inception_v3 can't take photos of 32 pixels"):
        build_model("inception_v3", classes=3, image_size=32, pretrained=False)


def test_weights_in_torchs_own_cache_are_used_except_for_the_head(torch_home):
    source = put_weights(torch_home, "squeezenet1_1")
    assert initial_weights("squeezenet1_1", pretrained=True) == "pretrained"
    model = build_model("squeezenet1_1", classes=3, image_size=32, pretrained=True)
    key = "features.0.weight"
    assert torch.equal(model.state_dict()[key], source.state_dict()[key])
    assert model.state_dict()["classifier.1.weight"].shape[0] == 3


def test_weights_that_are_gone_are_an_error_for_what_was_begun_with_them():
    why = initial_weights("lenet", pretrained=True)
    assert why == "from scratch: there are no weights for it"
    with pytest.raises(CurateError, match=f"lenet should start from pretrained weights, but now starts {why}"):
        build_model("lenet", classes=3, image_size=32, pretrained=True)


def test_a_pretrained_network_made_for_one_size_gets_photos_of_that_size():
    assert pretrained_size("resnet18", 160) == 160
    assert pretrained_size("vit_b_16", 160) == 224


def test_the_least_size_of_a_model_is_where_it_begins_to_work():
    assert least_size("inception_v3") == 75
    build_model("inception_v3", classes=2, image_size=75, pretrained=False)
    with pytest.raises(InputError, match="wanted an `image_size` of 75 pixels or more"):
        build_model("inception_v3", classes=2, image_size=74, pretrained=False)


def test_a_network_of_our_own_loads_no_torchvision():
    code = "from training.networks.zoo import build_model as b; b('lite0', classes=2, image_size=64, pretrained=False)"
    said = subprocess.run(
        [sys.executable, "-c", f"import sys\n{code}\nprint('torchvision' in sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout.split() == ["False"]
