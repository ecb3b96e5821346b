"""Probabilities as lists of labels and scores, as pipelines of Hugging Face give them, as a column per class."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from training.utils.bounded import parse_json

__all__ = ["scores_of_json", "with_scores_apart"]


def scores_of_json(text: str) -> pd.DataFrame | None:
    """Return the scores in JSON that is only a list of lists, one for each listing; None if it is anything else.

    Parameters
    ----------
    text : str
        The file.
    """
    try:
        content = parse_json(text)
    except ValueError:
        return None
    if not isinstance(content, list) or not content or not all(isinstance(each, list) for each in content):
        return None
    return _apart(content)


def with_scores_apart(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a table with a column per class in place of a column of lists of labels and scores, if it has one.

    Parameters
    ----------
    frame : DataFrame
        Lists may be text, ``[{"label": "lamp", "score": 0.9}]``.

    Examples
    --------
    >>> scores = [[{"label": "lamp", "score": 0.9}, {"label": "desk", "score": 0.1}]]
    >>> with_scores_apart(pd.DataFrame({"id": ["a"], "scores": scores}))
      id  lamp  desk
    0  a   0.9   0.1
    """
    for place, column in enumerate(frame.columns):
        cells = frame.iloc[:, place]
        if len(cells) and (scores := _apart(map(_list_of, cells))) is not None:
            others = frame.drop(columns=column)
            return pd.concat([others, scores.set_axis(frame.index, axis=0)], axis=1)
    return frame


def _list_of(cell: Any) -> Any:
    if isinstance(cell, np.ndarray):
        return cell.tolist()
    if not isinstance(cell, str) or cell[:1] != "[" or '"score"' not in cell:
        return cell
    try:
        return parse_json(cell)
    except ValueError:
        return cell


def _apart(lists: Iterable[Any]) -> pd.DataFrame | None:
    """Return lists of labels and scores as columns; a class that a list lacks is not scored there."""
    rows = []
    for each in lists:
        if not isinstance(each, list) or not each or not all(map(_is_score, each)):
            return None
        rows.append({str(score["label"]): float(score["score"]) for score in each})
    return pd.DataFrame(rows)


def _is_score(value: Any) -> bool:
    return isinstance(value, dict) and "label" in value and isinstance(value.get("score"), int | float)
