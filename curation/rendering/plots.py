"""The style of all plots: fonts, colours, axes, and each plot as a PNG for light and for dark pages."""

from __future__ import annotations

import base64
import io
import warnings
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cache
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import fontManager
from matplotlib.ticker import FuncFormatter, MaxNLocator

__all__ = ["MARKED", "PLAIN", "Picture", "bars_height", "class_axis", "draw", "new_figure", "nice_scale", "thousands"]

#: Two hues that also differ for the colour-blind; Okabe & Ito (2008), "Color Universal Design".
PLAIN = "#3a86c8"
MARKED = "#d55e00"
_WIDTH = 5.0
_DOTS = 180
_NAME = 22
_DECADE = 10
_TICKS = 7
_LIGHT = {"text": "#222222", "ground": "#ffffff", "line": "#cccccc"}
_DARK = {"text": "#e6e6e6", "ground": "#1b1b1f", "line": "#4a4a50"}
# the first has most letters; the others are installed for scripts that it lacks
_FONTS = ("DejaVu Sans", "Noto Sans CJK SC", "Noto Sans CJK JP", "WenQuanYi Zen Hei", "Noto Sans Thai", "Noto Emoji")


@dataclass(frozen=True)
class Picture:
    """A plot as two PNGs.

    Attributes
    ----------
    light, dark : bytes
        For a light and for a dark page.
    alt : str
        What it shows, for those who can't see it.
    """

    light: bytes
    dark: bytes
    alt: str

    @property
    def uris(self) -> tuple[str, str]:
        """Both PNGs as data URIs, the light one first."""
        light, dark = (base64.b64encode(png).decode() for png in (self.light, self.dark))
        return f"data:image/png;base64,{light}", f"data:image/png;base64,{dark}"


def draw(plot: Callable[[], Figure], alt: str) -> Picture:
    """Draw a plot for light and for dark pages.

    Parameters
    ----------
    plot : callable
        Makes the figure; called twice.
    alt : str
        What it shows.
    """
    return Picture(_png(plot, _LIGHT), _png(plot, _DARK), alt)


def new_figure(height: float, rows: int = 1) -> tuple[Figure, list[Axes]]:
    """Return a figure of the usual width, `height` inches high, and its axes from top to bottom."""
    figure = Figure(figsize=(_WIDTH, height), layout="constrained")
    return figure, list(np.atleast_1d(figure.subplots(rows)))


def bars_height(bars: int) -> float:
    """Return the height in inches of a plot with this many horizontal bars."""
    return 0.9 + 0.2 * max(bars, 3)


def class_axis(axes: Axes, names: list[Any]) -> None:
    """Put the names of classes at 0, 1, … of the vertical axis, the first at the top.

    Parameters
    ----------
    axes : Axes
        Gets the names.
    names : list
        Names of the classes.
    """
    axes.set_yticks(np.arange(len(names)), [_name(name) for name in names], fontsize=8)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.grid(False, axis="y")


def nice_scale(axes: Axes) -> None:
    """Label the horizontal axis with a few plain numbers; logarithmic if values span more than a factor of ten."""
    low, high = axes.get_xlim()
    axes.xaxis.set_major_formatter(FuncFormatter(thousands))
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
    axes.xaxis.set_major_formatter(FuncFormatter(thousands))
    axes.minorticks_off()


def thousands(value: float, _: object = None) -> str:
    """Write a number of an axis; the signature is what matplotlib expects."""
    return f"{value:,.0f}" if value >= 10 else f"{value:g}"


def _png(plot: Callable[[], Figure], colours: dict[str, str]) -> bytes:
    content = io.BytesIO()
    with _style(colours), warnings.catch_warnings():
        # no font here may have some letters of a class name; the table beside the plot shows them
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
    installed = {font.name for font in fontManager.ttflist}
    return [name for name in _FONTS if name in installed] or ["sans-serif"]


def _name(label: object) -> str:
    text = " ".join(str(label).split())
    return text if len(text) <= _NAME else text[: _NAME - 1] + "…"
