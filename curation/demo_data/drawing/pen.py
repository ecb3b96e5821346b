"""Draw in the unit square: x grows to the right and y downwards, both from 0 to 1."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np
from PIL import Image, ImageDraw, ImageFont

__all__ = [
    "Colour",
    "Design",
    "Pen",
    "Point",
    "Quad",
    "Rng",
    "arc",
    "between",
    "chance",
    "pick",
    "shade",
    "smooth_path",
]

Rng = np.random.Generator
Colour = tuple[int, int, int]
Point = tuple[float, float]
T = TypeVar("T")


def between(rng: Rng, low: float, high: float) -> float:
    """Return a random number, uniform between `low` and `high`."""
    return float(rng.uniform(low, high))


def chance(rng: Rng, probability: float) -> bool:
    """Return True with this probability."""
    return bool(rng.random() < probability)


def pick(rng: Rng, values: Sequence[T], weights: Sequence[float] | None = None) -> T:
    """Return one of `values`, chosen in proportion to `weights`; by default all are equally likely."""
    if weights is None:
        return values[int(rng.integers(len(values)))]
    probabilities = np.asarray(weights, dtype=float) / sum(weights)
    return values[int(rng.choice(len(values), p=probabilities))]


def shade(colour: Colour, factor: float) -> Colour:
    """Return a darker (`factor` below 1) or a lighter colour (above 1)."""
    if factor <= 1:
        red, green, blue = (int(part * factor) for part in colour)
    else:
        red, green, blue = (int(255 - (255 - part) / factor) for part in colour)
    return red, green, blue


def arc(x: float, y: float, rx: float, ry: float, start: float, stop: float, steps: int = 24) -> list[Point]:
    """Return points on part of an ellipse.

    Parameters
    ----------
    x, y : float
        Centre of the ellipse.
    rx, ry : float
        Its radii.
    start, stop : float
        Angles in degrees, clockwise from the right.
    steps : int
        Number of points.
    """
    angles = np.radians(np.linspace(start, stop, steps))
    return [(float(x + rx * np.cos(a)), float(y + ry * np.sin(a))) for a in angles]


def smooth_path(points: Sequence[Point], steps: int = 12) -> list[Point]:
    """Return points on a Catmull-Rom spline through `points`, `steps` for each stretch between two of them."""
    knots = np.asarray([points[0], *points, points[-1]], dtype=float)
    t = np.linspace(0, 1, steps, endpoint=False)[:, None]
    parts = []
    for a, b, c, d in zip(knots, knots[1:], knots[2:], knots[3:], strict=False):
        parts.append(0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3))
    curve = np.vstack([*parts, knots[-1:]])
    return [(float(x), float(y)) for x, y in curve]


class Quad:
    """A quadrilateral with coordinates (u, v) of its own, both from 0 to 1.

    Parameters
    ----------
    *corners : pair of float
        Top left, top right, bottom right and bottom left, in the unit square.
    """

    def __init__(self, *corners: Point) -> None:
        self.corners = corners

    @classmethod
    def box(cls, x0: float, y0: float, x1: float, y1: float) -> Quad:
        """Return the upright rectangle between two corners."""
        return cls((x0, y0), (x1, y0), (x1, y1), (x0, y1))

    def at(self, u: float, v: float) -> Point:
        """Return the point at the share `u` of the way to the right and `v` of the way down."""
        a, b, c, d = self.corners
        x = (1 - v) * ((1 - u) * a[0] + u * b[0]) + v * ((1 - u) * d[0] + u * c[0])
        y = (1 - v) * ((1 - u) * a[1] + u * b[1]) + v * ((1 - u) * d[1] + u * c[1])
        return x, y

    def part(self, u0: float, v0: float, u1: float, v1: float) -> Quad:
        """Return the part between the points (`u0`, `v0`) and (`u1`, `v1`)."""
        return Quad(self.at(u0, v0), self.at(u1, v0), self.at(u1, v1), self.at(u0, v1))


class Pen:
    """Draws on a transparent square picture; all lengths are in units of its side.

    Parameters
    ----------
    size : int
        Side of the picture in pixels.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self.image = Image.new("RGBA", (size, size), (0, 0, 0, 0))
        self._draw = ImageDraw.Draw(self.image)

    def mirror(self) -> None:
        """Flip what is drawn so far from left to right."""
        self.image = self.image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        self._draw = ImageDraw.Draw(self.image)

    def _pixels(self, points: Sequence[Point]) -> list[Point]:
        return [(x * self.size, y * self.size) for x, y in points]

    def _width(self, width: float) -> int:
        return max(1, round(width * self.size))

    def poly(self, shape: Quad | Sequence[Point], fill: Colour, edge: Colour | None = None) -> None:
        """Fill a polygon; `edge` is the colour of a thin outline."""
        points = self._pixels(shape.corners if isinstance(shape, Quad) else shape)
        self._draw.polygon(points, fill=fill, outline=edge, width=self._width(0.006))

    def box(
        self, x0: float, y0: float, x1: float, y1: float, fill: Colour, *, edge: Colour | None = None, radius: float = 0
    ) -> None:
        """Fill an upright rectangle whose corners are rounded by `radius`."""
        bounds = [value * self.size for value in (x0, y0, x1, y1)]
        self._draw.rounded_rectangle(
            bounds, radius=radius * self.size, fill=fill, outline=edge, width=self._width(0.006)
        )

    def oval(self, x: float, y: float, rx: float, ry: float, fill: Colour, edge: Colour | None = None) -> None:
        """Fill an ellipse with centre (`x`, `y`) and radii `rx` and `ry`."""
        bounds = [value * self.size for value in (x - rx, y - ry, x + rx, y + ry)]
        self._draw.ellipse(bounds, fill=fill, outline=edge, width=self._width(0.006))

    def line(self, points: Sequence[Point], fill: Colour, width: float) -> None:
        """Draw a line with round ends."""
        self._draw.line(self._pixels(points), fill=fill, width=self._width(width), joint="curve")
        if width > 0.012:
            for x, y in (points[0], points[-1]):
                self.oval(x, y, width / 2, width / 2, fill)

    def cord(self, points: Sequence[Point], fill: Colour, width: float) -> None:
        """Draw a cable through `points`, with a highlight along one side."""
        path = smooth_path(points)
        self.line(path, shade(fill, 0.6), width)
        self.line([(x - width * 0.1, y - width * 0.12) for x, y in path], fill, width * 0.66)

    def text(self, x: float, y: float, text: str, fill: Colour, height: float) -> None:
        """Write `text` in letters of `height`, its top left corner at (`x`, `y`)."""
        font = ImageFont.load_default(size=max(6.0, height * self.size))
        self._draw.text((x * self.size, y * self.size), text, fill=fill, font=font)


Design = Callable[[Pen, Rng], None]
