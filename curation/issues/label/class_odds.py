"""How much oftener labels of one class turned out to be wrong than those of another."""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit

from training.utils.arrays import Float64, Int64

__all__ = ["class_odds"]


#: What the log-odds of wrong labels of a class need is kept near 0, and offset and slope of all near 0 and 1, as if by
#: normal distributions of these spreads.
_SPREAD, _SPREADS = 0.7, np.array([1.0, 0.3])
#: Log-odds count up to here: one wrong key beyond says no more than one there.
_WIDEST = 12.0
_FLATTEST = 0.1


def class_odds(odds: Float64, given: Int64, fold: Int64, rows: Int64, wrong: Float64, *, classes: int) -> Float64:
    """Return by how much the log-odds of a wrong label rise with the given class, as far as decisions say so.

    Sellers confuse some classes more than others. A logistic regression on decisions, with an offset and a slope of the
    log-odds and an offset for each given class, says how much more; the fewer decisions on a class, the closer is its
    offset to 0. A listing gets that of the decisions on other folds.

    Parameters
    ----------
    odds : ndarray of float64, shape (N,)
        Log-odds that each given label is wrong; those of `rows` are finite.
    given, fold : ndarray of int64, shape (N,)
        Given class numbers, from 0 to K - 1, and folds from 0.
    rows : ndarray of int64, shape (d,)
        Listings that were decided on.
    wrong : ndarray of float64, shape (d,)
        1 for each of them whose label was wrong, else 0.
    classes : int
        K.

    Returns
    -------
    ndarray of float64, shape (N,)
        0 without a decision on the class.

    Examples
    --------
    >>> given, fold = np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])
    >>> class_odds(np.zeros(4), given, fold, np.array([0, 2]), np.array([1.0, 0.0]), classes=2).round(2)
    array([ 0.  ,  0.22,  0.  , -0.22])
    """
    rises = np.zeros(len(odds))
    for number in np.unique(fold):
        others = fold[rows] != number
        if others.any():
            at = rows[others]
            of_class = _fit(np.clip(odds[at], -_WIDEST, _WIDEST), given[at], wrong[others], classes)
            rises[fold == number] = of_class[given[fold == number]]
    return rises


def _fit(odds: Float64, given: Int64, wrong: Float64, classes: int) -> Float64:
    spreads = np.r_[_SPREADS, np.full(classes, _SPREAD)]
    start = np.r_[0.0, 1.0, np.zeros(classes)]

    def loss(at: Float64) -> tuple[float, Float64]:
        total, apart = at[0] + at[1] * odds + at[2:][given], (at - start) / spreads
        rest = expit(total) - wrong
        gradient = np.r_[rest.sum(), (rest * odds).sum(), np.bincount(given, rest, classes)] + apart / spreads
        return float((np.logaddexp(0, total) - wrong * total).sum() + (apart**2).sum() / 2), gradient

    bounds = [(None, None), (_FLATTEST, None), *[(None, None)] * classes]
    return np.asarray(minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds).x[2:])
