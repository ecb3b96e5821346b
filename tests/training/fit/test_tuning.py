"""Fine-tuning: the last block first."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.support.synthetic import CPU, NETWORKS, coloured_photos
from training.fit.loop import Examples, fit
from training.fit.optim import make_optimizer
from training.fit.tuning import early_layers, first_epochs, freeze
from training.networks.embedded import has_weights
from training.networks.zoo import build_model

LITE0 = replace(NETWORKS, model="lite0", pretrained=True, epochs=2)
needs_weights = pytest.mark.skipif(not has_weights("lite0"), reason="the weights of lite0 are not installed")


def size_of(layers):
    return sum(parameter.numel() for layer in layers for parameter in layer.parameters(recurse=False))


@pytest.mark.parametrize("name", ["resnet18", "lite0", "vgg11", "vit_b_16", "googlenet", "lenet"])
def test_the_last_block_has_a_quarter_of_the_parameters_with_no_layer_too_many(name):
    network = build_model(name, classes=3, image_size=224, pretrained=False)
    early, total = early_layers(network), sum(parameter.numel() for parameter in network.parameters())
    layers = [layer for layer in network.modules() if any(True for _ in layer.parameters(recurse=False))]
    assert early == layers[: len(early)]
    assert total - size_of(early) >= total / 4
    assert total - size_of(layers[: len(early) + 1]) < total / 4


def test_the_last_block_of_resnet18_is_its_last_residual_block():
    network = build_model("resnet18", classes=3, image_size=64, pretrained=False)
    early = set(map(id, early_layers(network)))
    names = {name.rpartition(".")[0] for name, layer in network.named_modules() if id(layer) in early}
    assert "layer4.1" not in names
    assert "layer4.0" in names


def test_half_of_the_epochs_rounded_down_train_the_last_block_alone_unless_from_scratch_or_with_another_schedule():
    assert [first_epochs(LITE0, epochs) for epochs in (1, 2, 3, 4)] == [0, 1, 1, 2]
    assert first_epochs(replace(LITE0, pretrained=False), 4) == 0
    assert first_epochs(replace(LITE0, schedule="cosine"), 4) == 0


def test_frozen_layers_keep_their_weights_and_statistics_and_learn_again_afterwards():
    network = build_model("lite0", classes=3, image_size=32, pretrained=False)
    early, photos = early_layers(network), torch.rand(4, 3, 32, 32)
    norms = [layer for layer in early if isinstance(layer, torch.nn.BatchNorm2d)]
    freeze(early, True)
    before = norms[0].running_mean.clone()
    network(photos).sum().backward()
    assert torch.equal(norms[0].running_mean, before)
    assert all(parameter.grad is None for layer in early for parameter in layer.parameters(recurse=False))
    network.train()
    freeze(early, False)
    network(photos).sum().backward()
    assert not torch.equal(norms[0].running_mean, before)
    assert all(parameter.grad is not None for parameter in network.parameters())


@pytest.mark.parametrize("optimizer", ["adamw", "adam", "sgd"])
def test_layers_before_the_last_block_learn_at_a_tenth_of_the_rate(optimizer):
    network = build_model("lite0", classes=3, image_size=32, pretrained=False)
    recipe = replace(LITE0, optimizer=optimizer)
    last, early = make_optimizer(network, recipe).param_groups
    assert (last["lr"], early["lr"]) == (pytest.approx(recipe.rate), pytest.approx(recipe.rate / 10))
    assert len(last["params"]) + len(early["params"]) == len(list(network.parameters()))
    (alone,) = make_optimizer(network, replace(recipe, pretrained=False)).param_groups
    assert alone["lr"] == recipe.rate


@needs_weights
def test_a_network_is_fine_tuned_from_the_installed_weights_its_last_block_first():
    photos, labels = coloured_photos(48)
    weights = []

    def watch(result, net):
        weights.append({name: value.clone() for name, value in net.body.state_dict().items()})

    fit(Examples(photos, labels), np.arange(48), classes=3, recipe=LITE0, device=CPU, seed=1, watchers=[watch])
    start = build_model("lite0", classes=3, image_size=32, pretrained=True).state_dict()
    stem, block = "features.0.0.weight", "features.17.0.weight"
    assert torch.equal(weights[0][stem], start[stem])
    assert not torch.equal(weights[0][block], start[block])
    assert not torch.equal(weights[1][stem], start[stem])


@needs_weights
def test_a_fine_tuning_that_was_killed_ends_with_the_same_network(tmp_path, monkeypatch):
    monkeypatch.setattr("training.fit.state._EVERY", 0.0)
    photos, labels = coloured_photos(24)

    def trained(file=None, stop=None):
        def watch(step):
            if step == stop:
                raise KeyboardInterrupt

        examples, rows = Examples(photos, labels), np.arange(24)
        return fit(examples, rows, classes=3, recipe=LITE0, device=CPU, seed=1, snapshot=file, on_step=watch).model

    whole = trained()
    file = tmp_path / "unfinished.pt"
    with pytest.raises(KeyboardInterrupt):
        trained(file, stop=5)
    again = trained(file)
    assert all(torch.equal(value, again.state_dict()[name]) for name, value in whole.state_dict().items())
