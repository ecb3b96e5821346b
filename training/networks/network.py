"""A complete network: a torchvision classifier, its task, and the price as a second input."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from training.networks.tasks import Task, task_for
from training.networks.zoo import AUXILIARY, build_model
from training.settings import Recipe
from training.utils.arrays import Float32

__all__ = ["Net", "build_net"]


#: Parts that the training prices are divided into, and width of the hidden layer.
_PARTS, _WIDTH = 16, 64
#: Least width of a part, in logarithms: many equal prices would leave some empty.
_LEAST_PART = 0.01
#: Share of the prices that are hidden in each training step, so that the network learns to do without.
_HIDDEN = 0.1


class PriceInput(nn.Module):
    """The contribution of the price to each output.

    The logarithm of the price is encoded piecewise linearly between quantiles of the training prices (Gorishniy,
    Rubachev and Babenko, "On embeddings for numerical features in tabular deep learning", NeurIPS 2022), because a
    network learns little from a single number in a few hundred steps. Two small layers follow.

    This is late fusion: a linear layer on the concatenated embeddings of photo and price equals the sum of one layer on
    each, so the contribution of the price is added to the output of any classifier of photos.

    Parameters
    ----------
    outputs : int
        K.
    prices : ndarray of float32, shape (n,)
        Prices of the training rows; NaN, 0 or less where there is none.
    """

    def __init__(self, outputs: int, prices: Float32) -> None:
        super().__init__()
        logs = np.log(prices[prices > 0].astype(np.float64))
        edges = np.quantile(logs, np.linspace(0, 1, _PARTS + 1)) if len(logs) else np.zeros(_PARTS + 1)
        widths = np.maximum(np.diff(edges), _LEAST_PART)
        self.edges: torch.Tensor
        self.widths: torch.Tensor
        self.register_buffer("edges", torch.tensor(edges[:-1], dtype=torch.float32))
        self.register_buffer("widths", torch.tensor(widths, dtype=torch.float32))
        self.layers = nn.Sequential(nn.Linear(_PARTS + 1, _WIDTH), nn.ReLU(), nn.Linear(_WIDTH, outputs))

    @property
    def usual(self) -> float:
        """The median of the training prices, or near it."""
        return float(self.edges[_PARTS // 2].exp())

    def forward(self, prices: torch.Tensor) -> torch.Tensor:
        """Return what prices (B,) add to the outputs (B, K)."""
        usable = prices > 0
        if self.training:
            usable = usable & (torch.rand(len(prices)).to(prices.device) >= _HIDDEN)
        logs = torch.where(usable, prices, torch.ones_like(prices)).log()
        parts = ((logs[:, None] - self.edges) / self.widths).clamp(0, 1)
        encoded = torch.cat([torch.ones_like(parts[:, :1]), parts], 1) * usable[:, None]
        added: torch.Tensor = self.layers(encoded)
        return added


class Net(nn.Module):
    """A network and its task.

    Attributes
    ----------
    body : Module
        A torchvision classifier with `task.outputs` outputs.
    task : Task
        What the network predicts.
    price : PriceInput or None
        The price as a second input.
    auxiliary : float
        Weight of auxiliary outputs in the loss.
    """

    def __init__(self, body: nn.Module, task: Task, price: PriceInput | None = None, auxiliary: float = 0.0) -> None:
        super().__init__()
        self.body, self.task, self.price, self.auxiliary = body, task, price, auxiliary

    def outputs(self, photos: torch.Tensor, prices: torch.Tensor | None = None) -> list[torch.Tensor]:
        """Return the main outputs (B, K), and in training those of auxiliary heads, which get no price."""
        output = self.body(photos)
        main, *others = [output] if isinstance(output, torch.Tensor) else [part for part in output if part is not None]
        if self.price is not None:
            if prices is None:
                raise ValueError("this network uses prices")
            main = main + self.price(prices)
        return [main, *others]

    def forward(self, photos: torch.Tensor, prices: torch.Tensor | None = None) -> torch.Tensor:
        """Return probabilities (B, K), or prices (B, 1), of normalized photos (B, 3, S, S) and their prices (B,)."""
        return self.task.answer(self.outputs(photos, prices)[0])

    def loss(self, outputs: list[torch.Tensor], target: torch.Tensor) -> torch.Tensor:
        """Return the mean loss of the result of :meth:`outputs`."""
        main, *others = outputs
        total = self.task.loss(main, target)
        for output in others:
            total = total + self.auxiliary * self.task.loss(output, target)
        return total


def build_net(recipe: Recipe, classes: int, labels: npt.NDArray[np.generic], prices: Float32 | None = None) -> Net:
    """Build a network; its initial weights come from torch's global generator.

    Parameters
    ----------
    recipe : Recipe
        Model, size, target.
    classes : int
        K.
    labels : ndarray, shape (n,)
        Class numbers, or prices, of the training rows.
    prices : ndarray of float32, shape (n,), optional
        Prices of the training rows, if the recipe has `use_price`.

    Returns
    -------
    Net
        In training mode, on the CPU.
    """
    task = task_for(recipe, classes, labels)
    body = build_model(recipe.model, classes=task.outputs, image_size=recipe.size, pretrained=recipe.pretrained)
    price = None
    if recipe.use_price:
        if prices is None:
            raise ValueError("a recipe with `use_price` needs prices")
        price = PriceInput(task.outputs, prices)
    return Net(body, task, price, AUXILIARY.get(recipe.model, 0.0)).train()
