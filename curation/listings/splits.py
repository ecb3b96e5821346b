"""Names of splits: `train`, `val`, `test`, and what other programs call them."""

from __future__ import annotations

import re

import pandas as pd

from curation.rendering.words import agree, many

__all__ = ["normal_splits", "split_of", "split_order"]

_SPLITS = ("train", "val", "test")

_NAMES = {
    "train": "train",
    "training": "train",
    "trn": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "validate": "val",
    "dev": "val",
    "test": "test",
    "testing": "test",
    "tst": "test",
    "eval": "test",
    "evaluation": "test",
    "holdout": "test",
}
#: What may stand beside the name: ``seg_train``, ``train2017``, ``test-images``.
_AROUND = re.compile(
    r"^(?:seg|images?|imgs?|data|dataset|photos?)?[\W_]*([a-z]+?)[\W_]*(?:set|split|images?|imgs?|data|photos?|\d+)?$"
)


def split_of(name: str) -> str | None:
    """Return which split a name stands for: ``train``, ``val`` or ``test``; None if it is none.

    Examples
    --------
    >>> [split_of(name) for name in ("train", "Valid", "seg_test", "train2017", "Test_Images", "trains")]
    ['train', 'val', 'test', 'train', 'test', None]
    """
    match = _AROUND.match(name.strip().lower())
    return _NAMES.get(match[1]) if match else None


def split_order(name: str) -> int:
    """Return what sorts names of splits: ``train``, ``val``, ``test``, and then all others."""
    split = split_of(name)
    return _SPLITS.index(split) if split else len(_SPLITS)


def normal_splits(splits: pd.Series) -> tuple[pd.Series, tuple[str, ...]]:
    """Return splits as ``train`` and ``test``, and what a person should know of it.

    A validation set is trained on like the rest: the folds of cross-validation take its place.

    Parameters
    ----------
    splits : Series of str
        NA where a listing has none.

    Returns
    -------
    splits : Series of str
        Names of no split stay as they are.
    notes : tuple of str
        At most one.
    """
    kinds = {name: split_of(name) for name in splits.dropna().unique()}
    validation = [name for name, kind in kinds.items() if kind == "val"]
    normal = splits.copy()
    for name, kind in kinds.items():
        if kind:
            normal = normal.mask(splits.isin([name]), "test" if kind == "test" else "train")
    if not validation:
        return normal, ()
    count = int(splits.isin(validation).sum())
    return normal, (
        f"{many(count, 'listing')} of {', '.join(validation)} {agree(count, 'is', 'are')} trained on like train: "
        "cross-validation needs no such set.",
    )
