"""What flagged prices should be."""

from __future__ import annotations

import numpy as np
import pandas as pd

from training.utils.arrays import Float64

__all__ = ["expected_prices"]


def expected_prices(table: pd.DataFrame) -> Float64:
    """Return what the prices of listings should be where they are flagged, and the prices themselves elsewhere.

    Parameters
    ----------
    table : DataFrame
        With ``price``, ``is_price_issue``, ``suggested_price``, ``price_low`` and ``price_high``.

    Returns
    -------
    ndarray of float64, shape (N,)
        Of a flagged price: the suggested one, or else the middle of the usual range, which is wide on both sides by the
        same factor. NaN without a price.
    """
    middle = np.sqrt(table["price_low"].to_numpy(dtype=np.float64) * table["price_high"].to_numpy(dtype=np.float64))
    suggested = table["suggested_price"].to_numpy(dtype=np.float64)
    flagged = table["is_price_issue"].to_numpy(dtype=bool, na_value=False)
    price = table["price"].to_numpy(dtype=np.float64)
    return np.where(flagged, np.where(np.isnan(suggested), middle, suggested), price)
