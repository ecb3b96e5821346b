"""What `curate compare-models` compares: a recipe with every model and every optimizer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch

from curation.errors import InputError, some
from curation.models.dataset import Prepared
from training.errors import check_choice
from training.networks.network import build_net
from training.networks.zoo import build_model, least_size, model_name
from training.settings import OPTIMIZERS, Recipe
from training.utils.arrays import Int64

__all__ = ["candidates_of", "name_of", "one_a_model", "parameters_of"]


def candidates_of(recipe: Recipe, models: Sequence[str], optimizers: Sequence[str]) -> list[Recipe]:
    """Return a recipe with every model and every optimizer.

    Parameters
    ----------
    recipe : Recipe
        What all share. Without an `image_size`: the default, or the least that all models take.
    models, optimizers : sequence of str

    Raises
    ------
    InputError
        If one is unknown or named twice, or there is none.
    """
    for parameter, names in (("models", models), ("optimizers", optimizers)):
        if not names:
            raise InputError(f"`{parameter}` is empty", wanted="at least one name", parameter=parameter)
        if repeated := sorted({name for name in names if list(names).count(name) > 1}):
            raise InputError(
                f"`{parameter}` has a name twice", got=some(repeated), fix="Leave one out.", parameter=parameter
            )
    for name in models:
        model_name(name)
    for name in optimizers:
        check_choice("optimizers", "optimizer", name, OPTIMIZERS)
    size = _common_size(recipe, models) if recipe.image_size is None else recipe.image_size
    return [
        replace(recipe, model=model, optimizer=optimizer, image_size=size)
        for model in models
        for optimizer in optimizers
    ]


def _common_size(recipe: Recipe, models: Sequence[str]) -> int:
    sizes = [recipe.size]
    for model in models:
        try:
            build_model(model, classes=2, image_size=recipe.size, pretrained=False)
        except InputError:
            sizes.append(least_size(model))
    return max(sizes)


def name_of(recipe: Recipe) -> str:
    """Return the name of a candidate in files: ``resnet18-adam``."""
    return f"{recipe.model}-{recipe.optimizer}"


def one_a_model(candidates: Sequence[Recipe]) -> list[Recipe]:
    """Return the first candidate of each model, in their order."""
    first: dict[str, Recipe] = {}
    for recipe in candidates:
        first.setdefault(recipe.model, recipe)
    return list(first.values())


def parameters_of(prepared: Prepared, recipe: Recipe, rows: Int64) -> int:
    """Return the number of parameters of a network.

    Parameters
    ----------
    prepared : Prepared
        The dataset.
    recipe : Recipe
        How the network is trained.
    rows : ndarray of int64, shape (n,)
        Training listings.
    """
    prices = None if prepared.data.prices is None else prepared.data.prices[rows]
    # shapes alone: nothing is computed
    with torch.device("meta"), torch.random.fork_rng(devices=[]):
        net = build_net(replace(recipe, pretrained=False), len(prepared.classes), prepared.labels[rows], prices)
    return sum(parameter.numel() for parameter in net.parameters())
