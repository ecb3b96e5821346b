"""Settings as the command that trains such a model."""

from __future__ import annotations

import shlex
from dataclasses import fields
from typing import Any

from training.settings import Recipe

__all__ = ["command_line"]

#: Options that are not called like the setting.
_NAMES = {"learning_rate": "--lr"}
_DEFAULT = Recipe()


def command_line(recipe: Recipe, *dataset: str) -> str:
    """Return the ``curate train`` that trains a model with these settings, quoted for a shell.

    Parameters
    ----------
    recipe : Recipe
        Only what differs from the defaults of ``curate train`` is said.
    *dataset : str
        DATASET as it was typed, and its options, if it has any: ``"--column", "label=category"``.

    Examples
    --------
    >>> command_line(Recipe(model="lenet", learning_rate=0.01, pretrained=False), "my shop")
    "curate train 'my shop' --model lenet --lr 0.01 --no-pretrained"
    """
    words = ["curate", "train", *dataset]
    for field in fields(recipe):
        value, default = getattr(recipe, field.name), getattr(_DEFAULT, field.name)
        if field.name == "schedule" and recipe.lr_steps:
            # nothing else goes with them
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
