"""What the numbers of probabilities are: probabilities, percentages, logarithms, or something that can't be used."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from curation.errors import ProbabilitiesError, some
from training.utils.arrays import Bool, Float32, Float64, Int64
from training.utils.blocks import row_blocks

__all__ = ["TOLERANCE", "normalised", "scale_of"]

#: Rows that sum to 1 within this are renormalised, because float16 is as coarse as that.
TOLERANCE = 0.01
#: Digits that a person rounds to.
_DIGITS = (2, 3)


def _exp(values: Float64) -> Float64:
    # logits of thousands overflow, and then don't sum to 1
    with np.errstate(over="ignore"):
        return np.asarray(np.exp(values))


#: What values may be → how they become probabilities, the surest first.
_SCALES: dict[str, Callable[[Float64], Float64]] = {
    "probabilities": lambda values: values,
    "percentages": lambda values: values / 100,
    "log-probabilities": _exp,
    "negative log-probabilities": lambda values: _exp(-values),
}


def scale_of(values: npt.NDArray[Any]) -> str:
    """Return what the rows are that were scored; empty if nothing fits all of them.

    Parameters
    ----------
    values : ndarray of numbers, shape (N, K)
        Rows of NaN were not scored.

    Examples
    --------
    >>> scale_of(np.array([[25.0, 75.0]])), scale_of(np.log([[0.25, 0.75]])), scale_of(np.array([[3.0, -1.0]]))
    ('percentages', 'log-probabilities', '')
    """
    return next((scale for scale, convert in _SCALES.items() if _all_fit(values, convert)), "")


def normalised(values: npt.NDArray[Any], order: Int64, ids: list[str], name: str) -> tuple[Float32, tuple[str, ...]]:
    """Return rows that sum to 1, or are NaN throughout; and what a person should know of it.

    Parameters
    ----------
    values : ndarray of numbers, shape (M, K)
        As they were given.
    order : ndarray of int64, shape (N,)
        The row of each listing; all rows that differ are among them.
    ids : list of str, length N
        What the listings are called.
    name : str
        What an error calls the probabilities.

    Raises
    ------
    ProbabilitiesError
        If the values are no probabilities, and not surely something that can be turned into them.
    """
    scale = scale_of(values)
    if not scale:
        rows = values[order].astype(np.float64)
        raise _unusable(rows, np.asarray(np.isnan(rows).all(axis=1)), ids, name)
    probs = np.empty((len(order), values.shape[1]), dtype=np.float32)
    only_classes = True
    for block in row_blocks(len(order)):
        part = _SCALES[scale](values[order[block]].astype(np.float64)).clip(0)
        part /= part.sum(axis=1, keepdims=True)
        probs[block] = part
        only_classes = only_classes and bool(np.isin(part[~np.isnan(part).all(axis=1)], (0, 1)).all())
    notes = [] if scale == "probabilities" else [f"The values of {name} were read as {scale}."]
    if only_classes:
        notes.append(f"{name} holds only 0 and 1: predicted classes, which don't say how sure they are.")
    return probs, tuple(notes)


def _all_fit(values: npt.NDArray[Any], convert: Callable[[Float64], Float64]) -> bool:
    """Return whether all rows that were scored, and at least one, are probabilities once they are converted."""
    off, digits, scored = 0.0, list(_DIGITS), False
    for part in _scored(values):
        converted = convert(part)
        if not _inside(converted).all():
            return False
        off = max(off, float(np.abs(converted.sum(axis=1) - 1).max()))
        digits, scored = [each for each in digits if _are_rounded(converted, each)], True
    return scored and off <= _tolerance(digits, values.shape[1])


def _scored(values: npt.NDArray[Any]) -> Iterator[Float64]:
    """Yield the rows that were scored, a block at a time."""
    for block in row_blocks(len(values)):
        part = values[block].astype(np.float64)
        part = part[~np.isnan(part).all(axis=1)]
        if len(part):
            yield part


def _are_probabilities(values: Float64) -> Bool:
    """Return which rows are probabilities, apart from rounding, shape (N,)."""
    tolerance = _tolerance([digits for digits in _DIGITS if _are_rounded(values, digits)], values.shape[1])
    with np.errstate(invalid="ignore"):
        return np.asarray(_inside(values) & (np.abs(values.sum(axis=1) - 1) <= tolerance))


def _inside(values: Float64) -> Bool:
    """Return in which rows no value is less than a probability may be, shape (N,)."""
    return np.asarray(np.isfinite(values).all(axis=1) & (values >= -TOLERANCE).all(axis=1))


def _are_rounded(values: Float64, digits: int) -> bool:
    scaled = values * 10**digits
    return bool(np.isfinite(scaled).all() and np.abs(scaled - scaled.round()).max(initial=0) < 1e-6)


def _tolerance(digits: Sequence[int], classes: int) -> float:
    """Return by how much rows may be off, also because every value was rounded to the first of these digits."""
    # what is possible, or four standard deviations of a sum of uniform errors
    rounding = [min(classes / 2, 4 * np.sqrt(classes / 12)) * 10**-each for each in digits]
    return float(max([TOLERANCE, *rounding[:1]]))


def _unusable(values: Float64, unscored: Bool, ids: list[str], name: str) -> ProbabilitiesError:
    rows = values[~unscored]
    bad = np.asarray(~np.isfinite(values).all(axis=1))
    if unscored.all() or (bad & ~unscored).any():
        return ProbabilitiesError(
            f"{name} has missing or infinite values",
            got=f"{bad.sum()} of {len(values)} rows, ids {_some(ids, bad)}",
            wanted="probabilities between 0 and 1, or NaN in the whole row of a listing that was not scored",
        )
    sums = values.sum(axis=1)
    if (rows < -TOLERANCE).any() and (rows.min(axis=1) < -TOLERANCE).mean() < 0.5 and rows.max() <= 1 + TOLERANCE:
        negative = np.asarray((values < -TOLERANCE).any(axis=1))
        return ProbabilitiesError(
            f"{name} has negative values",
            got=f"{negative.sum()} of {len(values)} rows, ids {_some(ids, negative)}",
            wanted="probabilities between 0 and 1",
        )
    if (rows < -TOLERANCE).any() or rows.max() > 1 + TOLERANCE:
        if not (rows < -TOLERANCE).any() and (np.abs(sums[~unscored] - 1) <= TOLERANCE).mean() > 0.5:
            return _off(values, unscored, ids, name, "Mend these rows.")
        return ProbabilitiesError(
            f"the values of {name} are no probabilities",
            got=f"{rows.min():.4g} to {rows.max():.4g}, and rows that don't all sum to 1, e.g. "
            f"{sums[~unscored][0]:.4g} for id {ids[int(np.flatnonzero(~unscored)[0])]}",
            wanted="values between 0 and 1",
            fix="If these are logits, apply softmax first: probs = scipy.special.softmax(logits, axis=1).",
        )
    near = bool(np.abs(sums[~unscored] - 1).max() <= 0.1)
    fix = (
        "If a class was left out, add its column; otherwise divide: probs / probs.sum(axis=1, keepdims=True)."
        if near
        else "If each class was scored on its own (sigmoid), divide: probs / probs.sum(axis=1, keepdims=True)."
    )
    return _off(values, unscored, ids, name, fix)


def _off(values: Float64, unscored: Bool, ids: list[str], name: str, fix: str) -> ProbabilitiesError:
    off = ~unscored & ~_are_probabilities(values)
    sums = values.sum(axis=1)[off]
    return ProbabilitiesError(
        f"the rows of {name} don't all sum to 1",
        got=f"{off.sum()} of {len(values)} that don't, e.g. {sums[0]:.4g} for id {ids[int(np.flatnonzero(off)[0])]}",
        wanted=f"1 within {TOLERANCE}",
        fix=fix,
    )


def _some(ids: list[str], rows: Bool) -> str:
    return some([ids[row] for row in np.flatnonzero(rows)])
