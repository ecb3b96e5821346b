"""A recipe as the command that trains with it."""

from __future__ import annotations

import shlex
from dataclasses import fields
from typing import Any

from training.settings import Recipe

__all__ = ["command_line"]

#: Options with another name than the setting.
_NAMES = {"learning_rate": "--lr"}
_DEFAULT = Recipe()


def command_line(recipe: Recipe, *dataset: str) -> str:
    """Return the ``curate train`` that trains with a recipe, quoted for a shell.

    Parameters
    ----------
    recipe : Recipe
        Options with the defaults of ``curate train`` are left out.
    *dataset : str
        DATASET as typed, and its options, e.g. ``"--column", "label=category"``.

    Examples
    --------
    >>> command_line(Recipe(model="lenet", learning_rate=0.01, pretrained=False), "my shop")
    "curate train 'my shop' --model lenet --lr 0.01 --no-pretrained"
    """
    words = ["curate", "train", *dataset]
    for field in fields(recipe):
        value, default = getattr(recipe, field.name), getattr(_DEFAULT, field.name)
        if field.name == "schedule" and recipe.lr_steps:
            # steps need a constant schedule, and imply it
            default = value
        if value != default:
            words += _option(field.name, value)
    return shlex.join(words)


def _option(name: str, value: Any) -> list[str]:
    option = _NAMES.get(name, f"--{name.replace('_', '-')}")
    if isinstance(value, bool):
        return [option if value else f"--no-{option.removeprefix('--')}"]
    if name == "lr_steps":
        return [option, ",".join(f"{step}:{rate}" for step, rate in value)]
    return [option, str(value)]
