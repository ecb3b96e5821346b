"""A network whole: a torchvision classifier, what it is asked, and the price beside the photo."""

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


#: Parts that the prices of the training rows are divided into, and width of the layer that looks at them.
_PARTS, _WIDTH = 16, 64
#: Least width of a part, in logarithms: many equal prices leave some without any.
_LEAST_PART = 0.01
#: Share of the listings whose price is hidden in each step, so that a network also knows what to do without.
_HIDDEN = 0.1


class PriceInput(nn.Module):
    """What the price adds to each output.

    Its logarithm is encoded piecewise linearly between quantiles of the training prices (Gorishniy, Rubachev and
    Babenko, "On embeddings for numerical features in tabular deep learning", NeurIPS 2022): a network of a few hundred
    steps learns little from a single number. Two small layers follow.

    Late fusion: a last linear layer on the embeddings of photo and price side by side is the sum of a layer on each, so
    the price's part is added to what a classifier says of the photo. Works with every classifier.

    Parameters
    ----------
    outputs : int
        K.
    prices : ndarray of float32, shape (n,)
        Of the training rows; NaN, 0 or less where there is none.
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
        known = prices > 0
        if self.training:
            known = known & (torch.rand(len(prices)).to(prices.device) >= _HIDDEN)
        logs = torch.where(known, prices, torch.ones_like(prices)).log()
        parts = ((logs[:, None] - self.edges) / self.widths).clamp(0, 1)
        seen = torch.cat([torch.ones_like(parts[:, :1]), parts], 1) * known[:, None]
        added: torch.Tensor = self.layers(seen)
        return added


class Net(nn.Module):
    """A network and what it is asked.

    Attributes
    ----------
    body : Module
        A torchvision classifier with `task.outputs` outputs.
    task : Task
        What is told.
    price : PriceInput or None
        Looks at the price.
    auxiliary : float
        Weight of auxiliary outputs in the loss.
    """

    def __init__(self, body: nn.Module, task: Task, price: PriceInput | None = None, auxiliary: float = 0.0) -> None:
        super().__init__()
        self.body, self.task, self.price, self.auxiliary = body, task, price, auxiliary

    def outputs(self, photos: torch.Tensor, prices: torch.Tensor | None = None) -> list[torch.Tensor]:
        """Return the main outputs (B, K), and in training those of auxiliary heads, which see the photo alone."""
        said = self.body(photos)
        main, *others = [said] if isinstance(said, torch.Tensor) else [output for output in said if output is not None]
        if self.price is not None:
            if prices is None:
                raise ValueError("this network uses prices")
            main = main + self.price(prices)
        return [main, *others]

    def forward(self, photos: torch.Tensor, prices: torch.Tensor | None = None) -> torch.Tensor:
        """Return probabilities (B, K), or prices (B, 1), of normalised photos (B, 3, S, S) and their prices (B,)."""
        return self.task.answer(self.outputs(photos, prices)[0])

    def loss(self, outputs: list[torch.Tensor], target: torch.Tensor) -> torch.Tensor:
        """Return the mean loss of what :meth:`outputs` gave."""
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
        Of the training rows, where the settings want them beside the photo.

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
            raise ValueError("the settings want prices")
        price = PriceInput(task.outputs, prices)
    return Net(body, task, price, AUXILIARY.get(recipe.model, 0.0)).train()
