"""The confusion matrix as a figure, for the logs of TensorBoard; pages show it as a table, which can be read aloud."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

__all__ = ["confusion_figure"]

#: From here on, cells are too dark for dark text.
_DARK = 0.6


def confusion_figure(counts: npt.NDArray[Any], names: Sequence[str], title: str) -> Figure:
    """Draw a confusion matrix; colours are shares of each row, numbers are counts.

    Parameters
    ----------
    counts : ndarray of int or float, shape (K, K)
        Listings by given label (rows) and predicted label (columns); means over seeds may have decimals.
    names : sequence of str, length K
        The classes.
    title : str
        Says what is counted.
    """
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1e-9)
    side = 3 + 0.3 * len(names)
    figure = Figure(figsize=(side, side), layout="constrained")
    axes = figure.subplots()
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    # a class may be called $5
    axes.set_xticks(range(len(names)), names, rotation=90, fontsize=7, parse_math=False)
    axes.set_yticks(range(len(names)), names, fontsize=7, parse_math=False)
    axes.set_xlabel("predicted label")
    axes.set_ylabel("given label")
    axes.set_title(title, fontsize=8)
    for row, column in zip(*np.nonzero(counts), strict=True):
        colour = "white" if shares[row, column] > _DARK else "black"
        axes.text(column, row, f"{counts[row, column]:.3g}", ha="center", va="center", fontsize=6, color=colour)
    return figure
