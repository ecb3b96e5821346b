"""The plots of `explore`, each as a PNG for light or dark surroundings."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import cache
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import fontManager
from matplotlib.ticker import FuncFormatter, MaxNLocator

from curation.explore import Exploration

__all__ = ["plots"]

_WIDTH = 5.0
_DOTS = 180
_CLASSES = 40
_NAME = 22
_BINS = 40
_DECADE = 10
_TICKS = 7
# two hues that also differ for the colour-blind; Okabe & Ito (2008), "Color Universal Design"
_PLAIN, _MARKED = "#3a86c8", "#d55e00"
_LIGHT = {"text": "#222222", "ground": "#ffffff", "line": "#cccccc"}
_DARK = {"text": "#e6e6e6", "ground": "#1b1b1f", "line": "#4a4a50"}
# the first has most letters; the others are there for scripts that it lacks
_FONTS = ("DejaVu Sans", "Noto Sans CJK SC", "Noto Sans CJK JP", "WenQuanYi Zen Hei", "Noto Sans Thai", "Noto Emoji")


def plots(exploration: Exploration, *, dark: bool = False) -> dict[str, bytes]:
    """Draw what there is something to draw of.

    Parameters
    ----------
    exploration : Exploration
        What was found.
    dark : bool
        For a dark page.

    Returns
    -------
    dict of str to bytes
        Name → PNG: ``classes``; ``photos`` if one can be read; ``prices`` if one is above 0.
    """
    findings = exploration.findings
    drawn = {"classes": _draw(lambda: _classes(findings["labels"]), dark)}
    if findings["photos"]["suggested_size"] is not None:
        drawn["photos"] = _draw(lambda: _photos(exploration.photos, findings["photos"]["suggested_size"]), dark)
    if findings["prices"] is not None and findings["prices"]["median"] is not None:
        drawn["prices"] = _draw(lambda: _prices(exploration), dark)
    return drawn


def _draw(plot: Callable[[], Figure], dark: bool) -> bytes:
    content = io.BytesIO()
    with _style(_DARK if dark else _LIGHT), warnings.catch_warnings():
        # a class name may have letters that no font here has; the table beside the plot shows them
        warnings.simplefilter("ignore")
        plot().savefig(content, format="png", dpi=_DOTS)
    return content.getvalue()


def _style(colours: dict[str, str]) -> AbstractContextManager[None]:
    text, ground, line = colours["text"], colours["ground"], colours["line"]
    return mpl.rc_context(
        {
            "font.family": _fonts(),
            "font.size": 9,
            "axes.titlesize": 10,
            "figure.facecolor": ground,
            "axes.facecolor": ground,
            "savefig.facecolor": ground,
            "text.color": text,
            "axes.labelcolor": text,
            "axes.edgecolor": line,
            "xtick.color": text,
            "ytick.color": text,
            "grid.color": line,
            "grid.linewidth": 0.5,
            "axes.grid": True,
            "axes.axisbelow": True,
            "axes.spines.top": False,
            "axes.spines.right": False,
            # a class may be called $5
            "text.parse_math": False,
        }
    )


@cache
def _fonts() -> list[str]:
    there = {font.name for font in fontManager.ttflist}
    return [name for name in _FONTS if name in there] or ["sans-serif"]


def _figure(height: float, rows: int = 1) -> tuple[Figure, list[Axes]]:
    figure = Figure(figsize=(_WIDTH, height), layout="constrained")
    return figure, list(np.atleast_1d(figure.subplots(rows)))


def _height(bars: int) -> float:
    return 0.9 + 0.2 * max(bars, 3)


def _name(label: object) -> str:
    text = " ".join(str(label).split())
    return text if len(text) <= _NAME else text[: _NAME - 1] + "…"


def _classes(labels: dict[str, Any]) -> Figure:
    rows = labels["per_class"]
    counts = [row["listings"] for row in rows]
    if len(rows) > _CLASSES:
        figure, (axes,) = _figure(3.2)
        rank = np.arange(1, len(rows) + 1)
        axes.fill_between(rank, counts, 0.7, step="mid", color=_PLAIN)
        needy = [bool(row["hint"]) for row in rows]
        axes.fill_between(rank, counts, 0.7, where=needy, step="mid", color=_MARKED)
        axes.set_yscale("log")
        axes.set_ylim(0.7, max(counts) * 1.5)
        axes.yaxis.set_major_formatter(FuncFormatter(_thousands))
        axes.axhline(labels["median"], color=axes.xaxis.label.get_color(), linewidth=0.8, linestyle="--")
        axes.set_xlabel("classes, largest first")
        axes.set_ylabel("listings")
        axes.set_title(f"Listings of {len(rows):,} classes", loc="left")
        return figure
    figure, (axes,) = _figure(_height(len(rows)))
    place = np.arange(len(rows))
    axes.barh(place, counts, color=[_MARKED if row["hint"] else _PLAIN for row in rows], height=0.7)
    for y, count in zip(place, counts, strict=True):
        axes.text(count, float(y), f" {count:,}", va="center", fontsize=7.5)
    axes.set_xlim(0, max(counts) * 1.12)
    _class_axis(axes, [row["class"] for row in rows])
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes.xaxis.set_major_formatter(FuncFormatter(_thousands))
    axes.axvline(labels["median"], color="#888888", linewidth=0.9, linestyle="--", zorder=0.5)
    axes.set_title("Listings per class", loc="left")
    return figure


def _class_axis(axes: Axes, names: list[Any]) -> None:
    axes.set_yticks(np.arange(len(names)), [_name(name) for name in names], fontsize=8)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.grid(False, axis="y")


def _photos(photos: pd.DataFrame, suggested: int) -> Figure:
    sound = photos[photos["error"].isna()]
    figure, (sides, aspects) = _figure(4.4, rows=2)
    bins = _bins(np.concatenate([sound["width"], sound["height"], [float(suggested)]]))
    sides.hist(sound["width"], bins=bins, color=_PLAIN, alpha=0.6, label="width")
    sides.hist(sound["height"], bins=bins, color=_MARKED, histtype="step", linewidth=1.5, label="height")
    sides.axvline(suggested, color=sides.xaxis.label.get_color(), linestyle="--", linewidth=0.8)
    sides.legend(frameon=False, fontsize=8)
    sides.set_title(f"Sides in pixels (dashed: the suggested input size, {suggested})", loc="left")
    aspect = (sound["width"] / sound["height"]).to_numpy()
    shapes = _bins(aspect)
    aspects.hist(aspect, bins=shapes, color=_PLAIN)
    aspects.set_title("Width : height (1 = square, below 1 = upright)", loc="left")
    for axes, edges in ((sides, bins), (aspects, shapes)):
        axes.set_xlim(edges[0], edges[-1])
        _scale(axes)
        axes.set_ylabel("photos")
        axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
    return figure


def _bins(values: Any) -> Any:
    low, high = float(np.min(values)), float(np.max(values))
    # equal values get some room on both sides
    low, high = (low / 1.5, high * 1.5) if high < 1.1 * low else (low / 1.02, high * 1.02)
    return np.geomspace(low, high, _BINS + 1) if high > _DECADE * low else np.linspace(low, high, _BINS + 1)


def _scale(axes: Axes) -> None:
    """Make the horizontal axis logarithmic if values differ by more than a factor of ten, with few, plain numbers."""
    low, high = axes.get_xlim()
    axes.xaxis.set_major_formatter(FuncFormatter(_thousands))
    if low <= 0 or high <= _DECADE * low:
        axes.xaxis.set_major_locator(MaxNLocator(6))
        return
    axes.set_xscale("log")
    steps = (1,) if high > 300 * low else (1, 2, 5)
    powers = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
    ticks = [step * 10.0**power for power in powers for step in steps]
    inside = [tick for tick in ticks if low <= tick <= high]
    axes.set_xticks(inside[:: 1 + len(inside) // _TICKS])
    axes.set_xlim(low, high)
    axes.xaxis.set_major_formatter(FuncFormatter(_thousands))
    axes.minorticks_off()


def _thousands(value: float, _: object) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:g}"


def _prices(exploration: Exploration) -> Figure:
    prices = exploration.findings["prices"]
    rows = sorted((row for row in prices["per_class"] if row["median"]), key=lambda row: -row["priced"])
    shown = sorted(rows[:_CLASSES], key=lambda row: -row["median"])
    figure, (axes,) = _figure(_height(len(shown)))
    table = exploration.listings.table
    by_class = table["price"].where(table["price"] > 0).dropna().groupby(table["label"])
    ink = axes.xaxis.label.get_color()
    for y, row in enumerate(shown):
        price = by_class.get_group(row["class"])
        # prices differ by factors, so percentiles instead of 1.5 quartile ranges: they are the same on any scale
        beyond = price[(price < row["p5"]) | (price > row["p95"])]
        axes.plot(beyond, np.full(len(beyond), y), ".", color=_MARKED, markersize=2.5, alpha=0.5)
        axes.hlines(y, row["p5"], row["p95"], color=ink, linewidth=0.8)
        axes.barh(y, row["q3"] - row["q1"], left=row["q1"], height=0.6, color=_PLAIN)
        axes.plot([row["median"]] * 2, [y - 0.3, y + 0.3], color=ink, linewidth=1.4)
    least, most = min(row["least"] for row in shown), max(row["most"] for row in shown)
    # always logarithmic: at least from a third to three times the prices
    axes.set_xlim(least / 3.2, most * 3.2)
    _scale(axes)
    _class_axis(axes, [row["class"] for row in shown])
    currency = exploration.findings["dataset"]["currency"]
    axes.set_xlabel(f"price{f' in {currency}' if currency else ''}, logarithmic")
    more = f" of the {_CLASSES} classes with most prices" if len(rows) > len(shown) else " per class"
    axes.set_title(f"Price{more}", loc="left")
    return figure
