"""Columns of the checked table that say what find-issues learned from each photo."""

from __future__ import annotations

import pandas as pd


def nothing_found(listings: int) -> dict[str, pd.api.extensions.ExtensionArray]:
    """Return the columns as they are where no photo is like another and text was not looked for."""
    dtypes = {"near_group": "Int64", "near_likeness": "Float64", "text_share": "Float64", "text": "string"}
    return {name: pd.array([pd.NA] * listings, dtype=dtype) for name, dtype in dtypes.items()}
