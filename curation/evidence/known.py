"""Labels that people decided on, which count as the truth."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from training.utils.arrays import Bool, Float64, Int64

__all__ = ["Known"]


@dataclass(frozen=True)
class Known:
    """What decisions say of the labels of N listings, in the order of the evidence.

    Attributes
    ----------
    labels : Series of str, length N
        The label that others may learn: the decided one, or the given one where nothing is decided; NA for listings
        that teach nothing, e.g. deleted ones.
    decided : ndarray of bool, shape (N,)
        Listings with a decision: nothing about them is left to review.
    sure : ndarray of bool, shape (N,)
        Listings whose label in `labels` is decided.
    wrong : ndarray of float64, shape (N,)
        1 where the given label was decided to be wrong, 0 where it is right; NaN where that is not known. Of the test
        set, nothing is.
    order : ndarray of int64, shape (d,)
        The rows where `wrong` is known, in the order in which they were decided.
    """

    labels: pd.Series
    decided: Bool
    sure: Bool
    wrong: Float64
    order: Int64
