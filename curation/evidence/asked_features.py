"""What makes the features, as a person says it: names, and embeddings of their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy.typing as npt
import pandas as pd

from curation.evidence.embedding_files import EMBEDDINGS
from training.features.names import GIVEN, JOIN, TIMM
from training.settings import AUTO, Recipe

__all__ = ["AskedFeatures", "GivenEmbeddings", "take_features"]

#: Embeddings of one kind: a file, a table, or an array in the order of the listings.
GivenEmbeddings = Path | pd.DataFrame | npt.NDArray[Any]
#: Names and files with ``+`` between, or embeddings, or several of these.
AskedFeatures = str | GivenEmbeddings | Sequence[str | GivenEmbeddings]


def take_features(recipe: Recipe, asked: AskedFeatures | None) -> tuple[Recipe, dict[str, GivenEmbeddings]]:
    """Tell embeddings from names.

    Parameters
    ----------
    recipe : Recipe
        Names the features if `asked` is None.
    asked : str, Path, DataFrame, ndarray or sequence of these, optional
        What makes the features.

    Returns
    -------
    recipe : Recipe
        Its `features` have the names of all parts; those of embeddings begin with ``embeddings:``.
    given : dict of str to Path, DataFrame or ndarray
        The embeddings by these names.

    Raises
    ------
    InputError
        If features are named twice, or two files have one name.

    Examples
    --------
    >>> recipe, given = take_features(Recipe(), "lite0+vectors/clip.npz")
    >>> recipe.features, list(given)
    ('lite0+embeddings:clip.npz', ['embeddings:clip.npz'])
    """
    if asked is None:
        asked = recipe.features
    elif recipe.features != AUTO:
        raise EMBEDDINGS.error("features are given twice", got=f"also {recipe.features!r} of the recipe")
    several = asked if isinstance(asked, Sequence) and not isinstance(asked, str) else [asked]
    if not several:
        raise EMBEDDINGS.error("features are an empty list", wanted="at least one name, file or array")
    names: list[str] = []
    given: dict[str, GivenEmbeddings] = {}
    for part in (part for each in several for part in _split(each)):
        name = part if isinstance(part, str) else _name(part, len(given))
        if name in given:
            raise EMBEDDINGS.error(
                "features have two files of one name",
                got=name.removeprefix(GIVEN),
                wanted="files that the report can tell apart",
                fix="Rename one of them, or leave it out if it is the same.",
            )
        names.append(name)
        if not isinstance(part, str):
            given[name] = part
    return replace(recipe, features=JOIN.join(names)), given


def _split(asked: str | GivenEmbeddings) -> list[str | GivenEmbeddings]:
    if not isinstance(asked, str):
        return [asked]
    pieces, parts = asked.split(JOIN), list[str | GivenEmbeddings]()
    while pieces:
        # the name of a file, or of a folder, may have a plus sign in it
        joined = [JOIN.join(pieces[:count]).strip() for count in range(len(pieces), 1, -1)]
        file = next((text for text in joined if _is_file(_path(text))), None)
        parts.append(_part(pieces[0].strip()) if file is None else _path(file))
        pieces = pieces[1 if file is None else 1 + file.count(JOIN) :]
    return parts


def _path(text: str) -> Path:
    return Path(text.removeprefix(GIVEN)).expanduser()


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):
        # too long for a name, or with NUL in it
        return False


def _part(text: str) -> str | Path:
    if text.startswith(GIVEN):
        return Path(text.removeprefix(GIVEN))
    # no network of torchvision has a dot or a slash in its name
    is_path = not text.lower().startswith(TIMM) and ("." in text or "/" in text)
    return Path(text).expanduser() if is_path else text


def _name(part: GivenEmbeddings, number: int) -> str:
    if isinstance(part, Path):
        return GIVEN + part.name.replace(JOIN, "_")
    return f"{GIVEN}{'table' if isinstance(part, pd.DataFrame) else 'array'}{number + 1 if number else ''}"
