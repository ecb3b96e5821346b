"""The plots of `explore`."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from curation.exploration.findings import Exploration
from curation.rendering.plots import (
    MARKED,
    PLAIN,
    Picture,
    bars_height,
    class_axis,
    draw,
    new_figure,
    nice_scale,
    thousands,
)

__all__ = ["PLOTS", "plots"]

#: The names of all plots there may be.
PLOTS = {"classes", "photos", "prices"}

_CLASSES = 40
_BINS = 40
_DECADE = 10


def plots(exploration: Exploration) -> dict[str, Picture]:
    """Draw the plots for which there is data.

    Parameters
    ----------
    exploration : Exploration
        Of the listings.

    Returns
    -------
    dict of str to Picture
        By name: ``classes`` if there are any; ``photos`` if one can be read; ``prices`` if one is above 0.
    """
    findings = exploration.findings
    drawn = {}
    if findings["labels"]["classes"]:
        drawn["classes"] = draw(lambda: _classes(findings["labels"]), "listings per class")
    if findings["photos"]["suggested_size"] is not None:
        size, alt = findings["photos"]["suggested_size"], "sides and aspect ratios of the photos"
        drawn["photos"] = draw(lambda: _photos(exploration.photos, size), alt)
    if findings["prices"] is not None and any(row["median"] for row in findings["prices"]["per_class"]):
        alt = "box plot of the prices per class; box: the middle half, line: 5 to 95 %, dots: beyond that"
        drawn["prices"] = draw(lambda: _prices(exploration), alt)
    return drawn


def _classes(labels: dict[str, Any]) -> Figure:
    rows = labels["per_class"]
    counts = [row["listings"] for row in rows]
    if len(rows) > _CLASSES:
        figure, (axes,) = new_figure(3.2)
        rank = np.arange(1, len(rows) + 1)
        axes.fill_between(rank, counts, 0.7, step="mid", color=PLAIN)
        needy = [bool(row["hint"]) for row in rows]
        axes.fill_between(rank, counts, 0.7, where=needy, step="mid", color=MARKED)
        axes.set_yscale("log")
        axes.set_ylim(0.7, max(counts) * 1.5)
        axes.yaxis.set_major_formatter(FuncFormatter(thousands))
        axes.axhline(labels["median"], color=axes.xaxis.label.get_color(), linewidth=0.8, linestyle="--")
        axes.set_xlabel("classes, largest first")
        axes.set_ylabel("listings")
        axes.set_title(f"Listings of {len(rows):,} classes", loc="left")
        return figure
    figure, (axes,) = new_figure(bars_height(len(rows)))
    place = np.arange(len(rows))
    axes.barh(place, counts, color=[MARKED if row["hint"] else PLAIN for row in rows], height=0.7)
    for y, count in zip(place, counts, strict=True):
        axes.text(count, float(y), f" {count:,}", va="center", fontsize=7.5)
    axes.set_xlim(0, max(counts) * 1.12)
    class_axis(axes, [row["class"] for row in rows])
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes.xaxis.set_major_formatter(FuncFormatter(thousands))
    axes.axvline(labels["median"], color="#888888", linewidth=0.9, linestyle="--", zorder=0.5)
    axes.set_title("Listings per class", loc="left")
    return figure


def _photos(photos: pd.DataFrame, suggested: int) -> Figure:
    sound = photos[photos["error"].isna()]
    figure, (sides, aspects) = new_figure(4.4, rows=2)
    bins = _bins(np.concatenate([sound["width"], sound["height"], [float(suggested)]]))
    sides.hist(sound["width"], bins=bins, color=PLAIN, alpha=0.6, label="width")
    sides.hist(sound["height"], bins=bins, color=MARKED, histtype="step", linewidth=1.5, label="height")
    sides.axvline(suggested, color=sides.xaxis.label.get_color(), linestyle="--", linewidth=0.8)
    sides.legend(frameon=False, fontsize=8)
    sides.set_title(f"Sides in pixels (dashed: the suggested input size, {suggested})", loc="left")
    aspect = (sound["width"] / sound["height"]).to_numpy()
    shapes = _bins(aspect)
    aspects.hist(aspect, bins=shapes, color=PLAIN)
    aspects.set_title("Width : height (1 = square, below 1 = upright)", loc="left")
    for axes, edges in ((sides, bins), (aspects, shapes)):
        axes.set_xlim(edges[0], edges[-1])
        nice_scale(axes)
        axes.set_ylabel("photos")
        axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
    return figure


def _bins(values: Any) -> Any:
    low, high = float(np.min(values)), float(np.max(values))
    # equal values get some room on both sides
    low, high = (low / 1.5, high * 1.5) if high < 1.1 * low else (low / 1.02, high * 1.02)
    return np.geomspace(low, high, _BINS + 1) if high > _DECADE * low else np.linspace(low, high, _BINS + 1)


def _prices(exploration: Exploration) -> Figure:
    prices = exploration.findings["prices"]
    rows = sorted((row for row in prices["per_class"] if row["median"]), key=lambda row: -row["priced"])
    drawn = sorted(rows[:_CLASSES], key=lambda row: -row["median"])
    figure, (axes,) = new_figure(bars_height(len(drawn)))
    table = exploration.listings.table
    ink = axes.xaxis.label.get_color()
    for y, row in enumerate(drawn):
        price = table.loc[(table["label"] == row["class"]) & (table["price"] > 0), "price"]
        # prices differ by factors, so percentiles instead of 1.5 quartile ranges: they are the same on any scale
        beyond = price[(price < row["p5"]) | (price > row["p95"])]
        axes.plot(beyond, np.full(len(beyond), y), ".", color=MARKED, markersize=2.5, alpha=0.5)
        axes.hlines(y, row["p5"], row["p95"], color=ink, linewidth=0.8)
        axes.barh(y, row["q3"] - row["q1"], left=row["q1"], height=0.6, color=PLAIN)
        axes.plot([row["median"]] * 2, [y - 0.3, y + 0.3], color=ink, linewidth=1.4)
    least, most = min(row["least"] for row in drawn), max(row["most"] for row in drawn)
    # always logarithmic: at least from a third to three times the prices
    axes.set_xlim(least / 3.2, most * 3.2)
    nice_scale(axes)
    class_axis(axes, [row["class"] for row in drawn])
    currency = exploration.findings["dataset"]["currency"]
    axes.set_xlabel(f"price{f' in {currency}' if currency else ''}, logarithmic")
    more = f" of the {_CLASSES} classes with most prices" if len(rows) > len(drawn) else " per class"
    axes.set_title(f"Price{more}", loc="left")
    return figure
