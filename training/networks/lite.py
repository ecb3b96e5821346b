"""EfficientNet-Lite0 and -Lite2, whose ImageNet weights are inside packages that hold nothing else.

Tan and Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks", ICML 2019, without squeeze and
excitation and with ReLU6 in place of swish ("Higher accuracy on vision models with EfficientNet-Lite", 2020).
"""

from __future__ import annotations

import io
import math
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional

from training.images.normalize import MEAN, SD
from training.networks.embedded import weights_content

__all__ = ["SCALES", "EfficientNetLite", "embedded_state"]

#: What the weights expect: (v - 127) / 128 of a byte v.
_CENTRE, _SCALE = 127 / 255, 128 / 255
#: Of each stage of the smallest: how often the first convolution widens, kernel, stride, channels, blocks.
_STAGES = (
    (1, 3, 1, 16, 1),
    (6, 3, 2, 24, 2),
    (6, 5, 2, 40, 2),
    (6, 3, 2, 80, 3),
    (6, 5, 1, 112, 3),
    (6, 5, 2, 192, 4),
    (6, 3, 1, 320, 1),
)
_STEM, _HEAD = 32, 1280
#: Channels are a multiple of it.
_MULTIPLE = 8


@dataclass(frozen=True)
class Scale:
    """How large a network is.

    Attributes
    ----------
    wider, deeper : float
        By how much it exceeds the smallest in channels and in blocks.
    dropout : float
        Share of the features that is left out in training.
    """

    wider: float
    deeper: float
    dropout: float

    def channels(self, channels: int) -> int:
        """Return the channels of a stage, given those of the smallest network."""
        wanted = channels * self.wider
        rounded = max(_MULTIPLE, int(wanted + _MULTIPLE / 2) // _MULTIPLE * _MULTIPLE)
        # not less than nine tenths of what was wanted
        return rounded if rounded >= 0.9 * wanted else rounded + _MULTIPLE

    def blocks(self, number: int, blocks: int) -> int:
        """Return the blocks of a stage, given its number and those of the smallest network."""
        # the first and the last stage stay as they are
        return blocks if number in {0, len(_STAGES) - 1} else math.ceil(blocks * self.deeper)


#: By name.
SCALES = {"lite0": Scale(1.0, 1.0, 0.2), "lite2": Scale(1.1, 1.2, 0.3)}


class EfficientNetLite(nn.Module):
    """One of the EfficientNet-Lites.

    Parameters
    ----------
    name : str
        One of :data:`SCALES`.
    classes : int
        Number of outputs K.
    """

    def __init__(self, name: str, classes: int) -> None:
        super().__init__()
        scale = SCALES[name]
        layers: list[nn.Module] = [_convolution(3, _STEM, 3, 2)]
        width = _STEM
        for number, (wider, kernel, stride, channels, blocks) in enumerate(_STAGES):
            wide = scale.channels(channels)
            for block in range(scale.blocks(number, blocks)):
                layers.append(_Block(width, wide, wider, kernel, stride if block == 0 else 1))
                width = wide
        self.features = nn.Sequential(*layers, _convolution(width, _HEAD))
        self.dropout = nn.Dropout(scale.dropout)
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


def embedded_state(name: str) -> dict[str, torch.Tensor]:
    """Return installed ImageNet weights, by the names of :class:`EfficientNetLite` with 1,000 classes.

    Parameters
    ----------
    name : str
        One of :data:`SCALES`.

    Raises
    ------
    InputError
        If the package is not there, or its file is not the one that was tested.
    """
    weights = torch.load(io.BytesIO(weights_content(name)), map_location="cpu", weights_only=True)
    # the file has other names, in the order of the layers
    return dict(zip(EfficientNetLite(name, 1000).state_dict(), weights.values(), strict=True))
