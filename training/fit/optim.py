"""Optimizers and the schedules of their learning rates."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import nn
from torch.optim.lr_scheduler import LambdaLR, LRScheduler, OneCycleLR

from training.errors import InputError
from training.fit.tuning import EARLY_RATE, early_layers
from training.settings import Recipe

__all__ = ["check_steps", "make_optimizer", "make_schedule"]

#: Share of the steps in which the learning rate of one cycle rises.
_WARM_UP = 0.25


def make_optimizer(model: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    """Return the optimizer of `model`, as `recipe` has it; layers that are only fine-tuned have a lower rate."""
    rate, decay = recipe.rate, recipe.decay
    groups = _groups(model, recipe)
    if recipe.optimizer == "sgd":
        return torch.optim.SGD(groups, lr=rate, momentum=0.9, nesterov=True, weight_decay=decay)
    kind = torch.optim.AdamW if recipe.optimizer == "adamw" else torch.optim.Adam
    return kind(groups, lr=rate, weight_decay=decay, fused=True)


def _groups(model: nn.Module, recipe: Recipe) -> list[dict[str, Any]]:
    """Return the parameters by learning rate, those with the rate of the recipe first."""
    if not recipe.is_tuned:
        return [{"params": list(model.parameters())}]
    early = [parameter for layer in early_layers(model) for parameter in layer.parameters(recurse=False)]
    before = set(map(id, early))
    last = [parameter for parameter in model.parameters() if id(parameter) not in before]
    return [{"params": last}, {"params": early, "lr": recipe.rate * EARLY_RATE}]


def make_schedule(optimizer: torch.optim.Optimizer, steps: int, recipe: Recipe) -> LRScheduler:
    """Return the schedule of the learning rate, which changes after each step.

    Parameters
    ----------
    optimizer : Optimizer
        Has the highest learning rates.
    steps : int
        Optimizer steps in all.
    recipe : Recipe
        ``one-cycle`` rises for a quarter of the steps and falls for the others (Smith and Topin, "Super-Convergence",
        2018); ``cosine`` falls from the start (Loshchilov and Hutter, "SGDR", ICLR 2017); ``constant`` changes only at
        the iterations of `lr_steps`.
    """
    if recipe.schedule == "one-cycle":
        # one more than the steps taken, as the schedule is read after each; its phases need at least 3
        total = max(steps + 1, 3)
        highest = [float(group["lr"]) for group in optimizer.param_groups]
        return OneCycleLR(optimizer, max_lr=highest, total_steps=total, pct_start=max(_WARM_UP, 2 / total))
    if recipe.schedule == "cosine":
        return LambdaLR(optimizer, lambda step: (1 + math.cos(math.pi * min(1.0, step / max(1, steps)))) / 2)
    shares = [(begins, rate / recipe.rate) for begins, rate in recipe.lr_steps]
    return LambdaLR(optimizer, lambda step: next((share for begins, share in reversed(shares) if step >= begins), 1.0))


def check_steps(recipe: Recipe, photos: int) -> None:
    """Refuse a recipe with a learning rate that would begin after the end of training on `photos` photos.

    Raises
    ------
    InputError
        If so.
    """
    steps = recipe.steps_for(photos)
    late = [begins for begins, _ in recipe.lr_steps if begins >= steps]
    if late:
        raise InputError(
            f"a learning rate begins at iteration {late[0]}, after the end of training",
            got=f"{steps} iterations in all",
            wanted=f"below {steps}",
            fix="Train for more `iterations`, or let it begin earlier.",
        )
