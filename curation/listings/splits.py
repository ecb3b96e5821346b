"""Names of splits: `train`, `val`, `test`, and what other programs call them."""

from __future__ import annotations

import re

import pandas as pd

from curation.errors import short_repr, some
from curation.rendering.words import agree, many

__all__ = ["TEST_SHARE", "is_outer", "normal_splits", "said_of_large_groups", "split_folder", "split_of", "split_order"]

#: Share of the listings that is drawn as the test set.
TEST_SHARE = 0.2

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
#: Names of a test set that are those of a validation set beside another test set.
_EITHER = frozenset({"eval", "evaluation"})
#: Names of folders around those of splits, in lower case.
_OUTER = frozenset({"data", "dataset", "images", "imgs", "photos"})
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
    return _NAMES.get(_bare(name))


def _bare(name: str) -> str:
    match = _AROUND.match(name.strip().lower())
    return match[1] if match else ""


def is_outer(name: str) -> bool:
    """Return whether a folder of that name may lie around those of splits, as ``data`` does in ``data/train``."""
    return name.lower() in _OUTER


def split_folder(image: object, *, inside: bool = True) -> str | None:
    """Return the folder of the split that a photo lies in; None if it lies in none.

    Parameters
    ----------
    image : str
        Its path relative to the dataset's folder; anything else for a listing without one.
    inside : bool
        Whether folders of splits may lie in another one, such as ``data``.

    Examples
    --------
    >>> [split_folder(image) for image in ("train/1.jpg", "data/Test/cat/1.jpg", "cat/test/1.jpg", "1.jpg")]
    ['train', 'Test', None, None]
    """
    if not isinstance(image, str):
        return None
    folders = image.split("/")[:-1]
    if inside and len(folders) > 1 and is_outer(folders[0]):
        folders = folders[1:]
    return folders[0] if folders and split_of(folders[0]) else None


def split_order(name: str) -> int:
    """Return what sorts names of splits: ``train``, ``val``, ``test``, and then all others."""
    split = split_of(name)
    return _SPLITS.index(split) if split else len(_SPLITS)


def normal_splits(splits: pd.Series) -> tuple[pd.Series, tuple[str, ...]]:
    """Return splits as ``train`` and ``test``, and what a person should know of it.

    A validation set is trained on like the rest: the folds of cross-validation take its place. An ``eval`` is one
    beside another test set, and the test set where there is no other.

    Parameters
    ----------
    splits : Series of str
        NA where a listing has none.

    Returns
    -------
    splits : Series of str
        Names of no split stay as they are.
    notes : tuple of str
        A sentence each.
    """
    kinds = {name: split_of(name) for name in splits.dropna().unique()}
    either = [name for name in kinds if _bare(name) in _EITHER]
    said: tuple[str, ...] = ()
    if any(kind == "test" and name not in either for name, kind in kinds.items()):
        kinds |= dict.fromkeys(either, "val")
    elif either:
        count = int(splits.isin(either).sum())
        said = (f"{many(count, 'listing')} of {', '.join(either)} {agree(count, 'is', 'are')} the test set.",)
    validation = [name for name, kind in kinds.items() if kind == "val"]
    normal = splits.copy()
    for name, kind in kinds.items():
        if kind:
            normal = normal.mask(splits.isin([name]), "test" if kind == "test" else "train")
    if not validation:
        return normal, said
    count = int(splits.isin(validation).sum())
    return normal, (
        *said,
        f"{many(count, 'listing')} of {', '.join(validation)} {agree(count, 'is', 'are')} trained on like train: "
        "cross-validation needs no such set.",
    )


def said_of_large_groups(table: pd.DataFrame) -> tuple[str, ...]:
    """Say which groups are larger than the test set is meant to be, if one is drawn.

    Parameters
    ----------
    table : DataFrame of str
        With ``group`` and ``split``.
    """
    if (table["split"] == "test").any():
        return ()
    sizes = table["group"].value_counts()
    large = sizes[sizes > max(1, TEST_SHARE * len(table))]
    if large.empty:
        return ()
    total = len(table)
    named = some(f"{short_repr(name)} ({size:,} of {total:,}, {size / total:.0%})" for name, size in large.items())
    which = f"{many(len(large), 'group')} {agree(len(large), 'is', 'are')} larger than the {TEST_SHARE:.0%}"
    return (
        f"{which} that the test set is meant to have, and a group stays on one side: {named}. "
        "`columns={'group': ''}` uses no groups.",
    )
