"""Fine-tuning: a network with pretrained weights first trains its last block, then all of its layers."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from training.settings import Recipe

__all__ = ["EARLY_RATE", "early_layers", "first_epochs", "freeze"]

#: The last block are the last layers, which hold at least this share of the parameters: of ResNet-18, its last residual
#: block, of EfficientNet-Lite0 its last two.
_LAST_BLOCK = 0.25
#: Learning rate of the layers before it, as a share of that of the last block: they know more that is of use.
EARLY_RATE = 0.1


def first_epochs(recipe: Recipe, epochs: int) -> int:
    """Return in how many of so many `epochs`, the first ones, the last block alone is trained: half of them, or none.

    What later layers have learnt from ImageNet is of little use for other classes, and while they learn, large errors
    would spoil what the early layers know (gradual unfreezing: Howard and Ruder, "Universal Language Model Fine-tuning
    for Text Classification", ACL 2018). On a CPU, such an epoch takes a third to a half of the time of the others.
    """
    return epochs // 2 if recipe.is_tuned else 0


def early_layers(network: nn.Module) -> list[nn.Module]:
    """Return the layers with parameters before the last block, in their order."""
    layers = [layer for layer in network.modules() if any(True for _ in layer.parameters(recurse=False))]
    sizes = [sum(parameter.numel() for parameter in layer.parameters(recurse=False)) for layer in layers]
    while layers and sum(sizes[len(layers) :]) < _LAST_BLOCK * sum(sizes):
        layers.pop()
    return layers


def freeze(layers: Sequence[nn.Module], frozen: bool) -> None:
    """Keep layers as they are from now on, or train them.

    Parameters
    ----------
    layers : sequence of Module
        Of a network in training mode.
    frozen : bool
        Whether they stay as they are, also the statistics of batch norm.
    """
    for layer in layers:
        for parameter in layer.parameters(recurse=False):
            parameter.requires_grad_(not frozen)
        if frozen and isinstance(layer, _BatchNorm):
            layer.eval()
