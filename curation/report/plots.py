"""The plots of the page: prices by class, and learning curves."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from curation.rendering.plots import MARKED, PLAIN, Picture, bars_height, class_axis, draw, new_figure, nice_scale
from curation.report.curves import Curve, Curves
from training.utils.arrays import Float64

__all__ = ["fold_plot", "price_plot", "retrain_plot"]

_CLASSES = 40
#: More dots of a class would overlap, and take time to draw.
_DOTS = 500


def price_plot(issues: pd.DataFrame, currency: str | None) -> tuple[Picture, int] | None:
    """Draw the prices of each class, its usual range, and the prices that are flagged.

    Parameters
    ----------
    issues : DataFrame
        ``given_label``, ``price``, ``price_low``, ``price_high``, ``is_price_issue``.
    currency : str or None
        Of the prices.

    Returns
    -------
    tuple of Picture and int, or None
        The plot, and how many classes have prices; at most 40 of them are drawn, those with most flagged prices. None
        where no price is above 0.

    Notes
    -----
    The usual range of a class goes from the median of ``price_low`` to the median of ``price_high`` of its listings.
    """
    priced = issues.loc[(issues["price"] > 0) & issues["given_label"].notna()]
    if priced.empty:
        return None
    table = pd.DataFrame(
        {
            "label": priced["given_label"].astype(str),
            "price": priced["price"].astype(float),
            "low": priced["price_low"].astype(float),
            "high": priced["price_high"].astype(float),
            "flagged": priced["is_price_issue"].fillna(False).astype(bool),
        }
    )
    classes = table.groupby("label").agg(
        median=("price", "median"), low=("low", "median"), high=("high", "median"), flagged=("flagged", "sum")
    )
    drawn = classes.nlargest(_CLASSES, "flagged").sort_values("median", ascending=False)
    dots = _dots(table[table["label"].isin(drawn.index)])
    alt = "prices of each class, its usual range, and the flagged prices"
    return draw(lambda: _prices(drawn, dots, currency), alt), len(classes)


def fold_plot(curves: Curves) -> Picture | None:
    """Draw the learning curves of the folds' networks; None without any."""
    if not curves.folds:
        return None
    lines = [("training photos", curves.folds, "train", PLAIN), ("held-out photos", curves.folds, "held_out", MARKED)]
    alt = "accuracy and loss of each fold's network, epoch by epoch, on training and on held-out photos"
    return draw(lambda: _learning("Folds", lines), alt)


def retrain_plot(curves: Curves) -> Picture | None:
    """Draw the learning curves on the test set, before and after the fixes; None without both."""
    if not (curves.before and curves.after):
        return None
    lines = [("before the fixes", curves.before, "held_out", PLAIN), ("after", curves.after, "held_out", MARKED)]
    alt = "accuracy and loss on the test set, epoch by epoch, before and after the fixes"
    return draw(lambda: _learning("Test set", lines), alt)


def _dots(table: pd.DataFrame) -> pd.DataFrame:
    """Return the prices that are drawn: of each class a sample of flagged and of other ones, the same each time."""
    return (
        table.sample(frac=1, random_state=0)
        .groupby(["label", "flagged"], sort=False)
        .head(_DOTS)
        .sort_values("flagged", kind="stable")
    )


def _prices(classes: pd.DataFrame, dots: pd.DataFrame, currency: str | None) -> Figure:
    figure, (axes,) = new_figure(bars_height(len(classes)))
    place = {str(name): float(y) for y, name in enumerate(classes.index)}
    ranged = classes[(classes["low"] > 0) & classes["high"].notna()]
    axes.barh(
        [place[str(name)] for name in ranged.index],
        ranged["high"] - ranged["low"],
        left=ranged["low"],
        height=0.72,
        color=PLAIN,
        alpha=0.3,
        label="usual range",
    )
    # spread out a little, so that equal prices stay visible
    apart = np.random.default_rng(0).uniform(-0.22, 0.22, len(dots))
    height: Float64 = dots["label"].map(place).to_numpy(dtype=np.float64) + apart
    flagged = dots["flagged"].to_numpy()
    ink = axes.xaxis.label.get_color()
    axes.plot(dots["price"][~flagged], height[~flagged], ".", color=ink, markersize=2, alpha=0.45, label="price")
    axes.plot(dots["price"][flagged], height[flagged], "x", color=MARKED, markersize=4.5, label="flagged price")
    # always logarithmic: at least from a third to three times the prices
    axes.set_xlim(dots["price"].min() / 3.2, dots["price"].max() * 3.2)
    nice_scale(axes)
    class_axis(axes, list(classes.index))
    axes.set_xlabel(f"price{f' in {currency}' if currency else ''}, logarithmic")
    figure.legend(loc="outside upper left", ncols=3, frameon=False, fontsize=8)
    return figure


_Lines = tuple[str, Sequence[Curve], str, str]


def _learning(title: str, lines: Sequence[_Lines]) -> Figure:
    figure, (accuracy, loss) = new_figure(4.2, rows=2)
    _curves(accuracy, "accuracy", lines)
    _curves(loss, "loss", lines)
    accuracy.set_title(f"{title}: accuracy", loc="left")
    loss.set_title(f"{title}: loss", loc="left")
    loss.set_xlabel("epoch")
    accuracy.legend(frameon=False, fontsize=8, loc="best")
    return figure


def _curves(axes: Axes, what: str, lines: Sequence[_Lines]) -> None:
    for name, curves, side, colour in lines:
        for number, curve in enumerate(curves):
            values = curve.get(f"{side}/{what}", {})
            # people count epochs from 1; a single one is a dot
            epochs = [epoch + 1 for epoch in values]
            marker = "o" if len(values) == 1 else None
            label = name if number == 0 else None
            axes.plot(epochs, list(values.values()), color=colour, alpha=0.8, linewidth=1.2, marker=marker, label=label)
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
