"""EfficientNet-Lite0, whose ImageNet weights are inside a package that is installed with curate.

Tan and Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks", ICML 2019, without squeeze and
excitation and with ReLU6 in place of swish ("Higher accuracy on vision models with EfficientNet-Lite", 2020).
"""

from __future__ import annotations

import io

import torch
from torch import nn
from torch.nn import functional

from training.images.normalize import MEAN, SD
from training.networks.embedded import weights_content

__all__ = ["Lite0", "embedded_state"]

#: What the weights expect: (v - 127) / 128 of a byte v.
_CENTRE, _SCALE = 127 / 255, 128 / 255
#: Of each stage: how often the first convolution widens, kernel, stride, channels, blocks.
_STAGES = (
    (1, 3, 1, 16, 1),
    (6, 3, 2, 24, 2),
    (6, 5, 2, 40, 2),
    (6, 3, 2, 80, 3),
    (6, 5, 1, 112, 3),
    (6, 5, 2, 192, 4),
    (6, 3, 1, 320, 1),
)
_STEM, _HEAD, _DROPOUT = 32, 1280, 0.2


class Lite0(nn.Module):
    """EfficientNet-Lite0.

    Parameters
    ----------
    classes : int
        Number of outputs K.
    """

    def __init__(self, classes: int) -> None:
        super().__init__()
        layers: list[nn.Module] = [_convolution(3, _STEM, 3, 2)]
        width = _STEM
        for wider, kernel, stride, channels, blocks in _STAGES:
            for number in range(blocks):
                layers.append(_Block(width, channels, wider, kernel, stride if number == 0 else 1))
                width = channels
        self.features = nn.Sequential(*layers, _convolution(width, _HEAD))
        self.dropout = nn.Dropout(_DROPOUT)
        self.classifier = nn.Linear(_HEAD, classes)
        # all networks get photos that are normalized alike, so this one undoes it; no part of its weights
        self.rescale: torch.Tensor
        self.shift: torch.Tensor
        self.register_buffer("rescale", torch.tensor(SD).view(1, 3, 1, 1) / _SCALE, persistent=False)
        self.register_buffer("shift", (torch.tensor(MEAN).view(1, 3, 1, 1) - _CENTRE) / _SCALE, persistent=False)

    def forward(self, photos: torch.Tensor) -> torch.Tensor:
        """Return the outputs (B, K) of normalized photos (B, 3, S, S)."""
        features = self.features(photos * self.rescale + self.shift).mean((2, 3))
        outputs: torch.Tensor = self.classifier(self.dropout(features))
        return outputs


class _Block(nn.Module):
    """An inverted residual: wider, convolved by channel, and narrow again."""

    def __init__(self, width: int, channels: int, wider: int, kernel: int, stride: int) -> None:
        super().__init__()
        wide = width * wider
        layers = [] if wider == 1 else [_convolution(width, wide)]
        layers += [_convolution(wide, wide, kernel, stride, groups=wide), _convolution(wide, channels, active=False)]
        self.layers = nn.Sequential(*layers)
        self._adds = stride == 1 and width == channels

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        outputs: torch.Tensor = self.layers(inputs)
        return outputs + inputs if self._adds else outputs


class _Same(nn.Conv2d):
    """A convolution that pads as TensorFlow does: what is odd goes to the right and the bottom."""

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        high, wide = (
            max((-(-side // stride) - 1) * stride + kernel - side, 0)
            for side, stride, kernel in zip(inputs.shape[2:], self.stride, self.kernel_size, strict=True)
        )
        padded = functional.pad(inputs, (wide // 2, wide - wide // 2, high // 2, high - high // 2))
        return super().forward(padded)


def _convolution(
    inputs: int, outputs: int, kernel: int = 1, stride: int = 1, *, groups: int = 1, active: bool = True
) -> nn.Sequential:
    """Return a convolution, batch norm and, if `active`, ReLU6."""
    if stride == 1:
        layer = nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, groups=groups, bias=False)
    else:
        layer = _Same(inputs, outputs, kernel, stride, groups=groups, bias=False)
    return nn.Sequential(layer, nn.BatchNorm2d(outputs, eps=1e-3), *[nn.ReLU6(inplace=True)] * active)


def embedded_state() -> dict[str, torch.Tensor]:
    """Return the ImageNet weights of the installed package, by the names of :class:`Lite0` with 1,000 classes.

    Raises
    ------
    InputError
        If the package is not there, or its file is not the one that was tested.
    """
    weights = torch.load(io.BytesIO(weights_content()), map_location="cpu", weights_only=True)
    # the file has other names, in the order of the layers
    return dict(zip(Lite0(1000).state_dict(), weights.values(), strict=True))
