"""The files of a comparison, as far as they can be checked without making it again."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from curation.run.shapes import COMPARISON, misfit
from training.utils.array_files import open_arrays
from training.utils.files import DamagedError, NotReadableError, read_json

__all__ = ["comparison_problem", "predictions_problem"]

_ERRORS = (OSError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError, NotReadableError)


def comparison_problem(file: Path) -> str:
    """Return what is wrong with a ``comparison.json``, in a few words; an empty text if nothing is.

    Parameters
    ----------
    file : Path
        It is there.
    """
    try:
        return misfit(read_json(file), COMPARISON)
    except _ERRORS as error:
        return _first_line(error)


def predictions_problem(file: Path) -> str:
    """Return what is wrong with a ``predictions.npz``, in a few words; an empty text if nothing is.

    Parameters
    ----------
    file : Path
        It is there.
    """
    try:
        with open_arrays(file) as content:
            ids, classes = content["id"], content["classes"]
            for name in ("before", "after"):
                predicted = np.asarray(content[name])
                if predicted.ndim != 2 or predicted.shape[1] != len(ids):
                    return f"{name} has the shape {predicted.shape}, for {len(ids)} ids"
                if predicted.size and not 0 <= predicted.min() <= predicted.max() < len(classes):
                    return f"{name} has numbers of no class"
    except _ERRORS as error:
        return _first_line(error)
    return ""


def _first_line(error: BaseException) -> str:
    if isinstance(error, DamagedError):
        return error.reason
    return (str(error) or type(error).__name__).splitlines()[0]
