"""What prices are usual in a class: centre and spread of log prices."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

__all__ = ["CUT", "class_prices", "normal_range", "robust_z"]

Floats = npt.NDArray[np.float64]

#: Iglewicz & Hoaglin, "How to Detect and Handle Outliers" (1993): |modified z| > 3.5.
CUT = 3.5
#: The spread that classes usually have counts like so many prices of each class, so small classes borrow most of it.
BORROWED_PRICES = 8
#: MAD of the standard normal distribution: MAD / 0.6745 estimates a standard deviation.
MAD_OF_NORMAL = 0.6745
#: Prices within a factor of 1.1 are never a sign of anything: a smaller spread comes from round numbers.
LEAST_SPREAD = float(np.log(1.1))


def class_prices(price: pd.Series, label: pd.Series, classes: Sequence[str]) -> tuple[Floats, Floats]:
    """Describe the log prices of each class.

    Parameters
    ----------
    price : Series of float64, shape (N,)
        In one currency; NaN for missing. Zero has no logarithm and is left out.
    label : Series of str, shape (N,)
        Given labels.
    classes : sequence of str, length K
        The classes.

    Returns
    -------
    centre, spread : ndarray of float64, shape (K,)
        Median and robust standard deviation (MAD / 0.6745) of the log prices, the latter drawn towards what classes
        usually have (their median) as by 8 more prices. A class without prices takes median and spread of all. NaN when
        the table has no prices.
    """
    x = np.log(price.where(price > 0))
    whole_centre, whole_spread = _median_and_spread(x)
    described = [_median_and_spread(x[label == name]) for name in classes]
    sizes = np.array([x[label == name].count() for name in classes])
    centre, spread = (np.array(part, dtype=np.float64) for part in zip(*described, strict=True))
    enough = sizes >= BORROWED_PRICES
    usual = float(np.median(spread[enough])) if enough.any() else whole_spread
    own = np.where(sizes > 0, spread, 0.0)
    drawn = (sizes * own + BORROWED_PRICES * usual) / (sizes + BORROWED_PRICES)
    return np.where(sizes > 0, centre, whole_centre), np.where(sizes > 0, drawn, whole_spread)


def robust_z(price: pd.Series, label: pd.Series, classes: Sequence[str]) -> tuple[Floats, Floats, Floats]:
    """Measure how far each log price lies from its class's median, in robust standard deviations.

    Parameters
    ----------
    price, label, classes
        As for :func:`class_prices`. Listings without a label are compared with all prices.

    Returns
    -------
    z : ndarray of float64, shape (N,)
        Negative = cheaper than usual, positive = dearer; -inf for a price of zero, NaN without a price.
    centre, spread : ndarray of float64, shape (N,)
        Of the log prices of each listing's class.

    Notes
    -----
    z = 0.6745 (x - median) / MAD on x = log price, Iglewicz & Hoaglin (1993). Prices are close to log-normal within a
    class, so both sides count alike.
    """
    x = np.log(price.where(price > 0))
    # one more place, for listings without a label: pandas numbers them -1
    number = pd.Categorical(label, categories=list(classes)).codes
    centres, spreads = class_prices(price, label, classes)
    whole_centre, whole_spread = _median_and_spread(x)
    centre, spread = np.append(centres, whole_centre)[number], np.append(spreads, whole_spread)[number]
    z = (x.to_numpy(dtype=np.float64) - centre) / spread
    return np.where(price.to_numpy() == 0, -np.inf, z), centre, spread


def _median_and_spread(x: pd.Series) -> tuple[float, float]:
    centre = float(x.median())
    spread = float((x - centre).abs().median()) / MAD_OF_NORMAL
    if spread < LEAST_SPREAD:
        # half of the prices or more are equal: the mean deviation still tells something (Iglewicz & Hoaglin, 1993)
        spread = max(1.2533 * float((x - centre).abs().mean()), LEAST_SPREAD)
    return centre, spread


def normal_range(centre: Floats, spread: Floats) -> tuple[Floats, Floats]:
    """Return the lowest and highest price considered normal; the same currency as the prices."""
    return np.exp(centre - CUT * spread), np.exp(centre + CUT * spread)
