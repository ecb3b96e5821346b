"""Parts that many drawings share: screens, keys, vents, plugs, stands."""

from __future__ import annotations

from curation.demo_data.drawing.pen import Colour, Pen, Point, Quad, Rng, between, chance, pick, shade

__all__ = ["BODIES", "BRIGHTS", "DARKS", "buttons", "keys", "plug", "screen", "vents"]

DARKS: tuple[Colour, ...] = ((28, 28, 32), (45, 47, 52), (20, 24, 34), (60, 58, 56))
BODIES: tuple[Colour, ...] = (*DARKS, (190, 193, 198), (150, 153, 160), (225, 225, 222), (110, 114, 122))
BRIGHTS: tuple[Colour, ...] = (
    (196, 48, 44), (40, 92, 180), (34, 140, 92), (232, 170, 40), (150, 70, 160), (230, 110, 150), (30, 150, 170),
)  # fmt: skip

_WALLPAPERS: tuple[Colour, ...] = (
    (52, 110, 190), (90, 160, 120), (200, 120, 80), (120, 80, 160), (236, 238, 240), (40, 60, 90), (220, 190, 120),
)  # fmt: skip


def screen(pen: Pen, where: Quad, rng: Rng) -> None:
    """Draw a screen in the area `where`: switched off, or with a wallpaper, windows or lines of text."""
    kind = pick(rng, ("off", "wallpaper", "windows", "text"), (3, 3, 3, 2))
    if kind == "off":
        dark = pick(rng, ((14, 15, 18), (24, 26, 32), (8, 8, 10)))
        pen.poly(where, dark)
        left = between(rng, 0.1, 0.6)
        # a reflection
        pen.poly(
            [where.at(left, 0), where.at(left + 0.25, 0), where.at(left, 1), where.at(left - 0.1, 1)], shade(dark, 1.12)
        )
        return
    base = pick(rng, _WALLPAPERS)
    for step in range(6):
        pen.poly(where.part(0, step / 6, 1, (step + 1) / 6), shade(base, 0.75 + step * 0.12))
    if kind == "wallpaper":
        level, peak = between(rng, 0.5, 0.8), between(rng, 0.2, 0.7)
        hill = [
            where.at(0, level),
            where.at(peak, level - 0.3),
            where.at(1, level + 0.1),
            where.at(1, 1),
            where.at(0, 1),
        ]
        pen.poly(hill, shade(pick(rng, _WALLPAPERS), 0.7))
    if kind in ("windows", "text"):
        _windows(pen, where, rng, many=kind == "windows")
    pen.poly(where.part(0, 0.94, 1, 1), shade(base, 0.4))


def _windows(pen: Pen, where: Quad, rng: Rng, *, many: bool) -> None:
    for _ in range(int(rng.integers(2, 4)) if many else 1):
        u, v = (between(rng, 0.05, 0.5), between(rng, 0.05, 0.4)) if many else (0.06, 0.06)
        window = where.part(u, v, u + (0.4 if many else 0.86), v + (0.45 if many else 0.84))
        paper = pick(rng, ((245, 245, 245), (32, 34, 40)))
        pen.poly(window, paper)
        pen.poly(window.part(0, 0, 1, 0.1), pick(rng, BRIGHTS))
        rows = 4 if many else 9
        for row in range(rows):
            top = 0.18 + row * 0.8 / rows
            pen.poly(window.part(0.06, top, between(rng, 0.4, 0.92), top + 0.3 / rows), (130, 134, 140))


def keys(pen: Pen, where: Quad, rng: Rng, *, rows: int, columns: int, cap: Colour, lit: bool = False) -> None:
    """Draw a keyboard's keys.

    Parameters
    ----------
    pen : Pen
        Draws.
    where : Quad
        The area to fill.
    rng : Generator
        Source of randomness.
    rows, columns : int
        Number of keys; the lowest row has a space bar.
    cap : colour
        Colour of the keys.
    lit : bool
        Whether the keys have backlight colours instead, from left to right.
    """
    for row in range(rows):
        top, low = (row + 0.1) / rows, (row + 0.88) / rows
        shift = between(rng, -0.3, 0.3)
        for column in range(columns):
            if row == rows - 1 and columns * 0.28 < column < columns * 0.62:
                continue
            left = max(0.0, (column + 0.1 + shift) / columns)
            right = min(1.0, (column + 0.9 + shift) / columns)
            colour = shade(BRIGHTS[column * len(BRIGHTS) // columns], 1.2) if lit else cap
            pen.poly(where.part(left, top, right, low), colour)
    pen.poly(where.part(0.28, (rows - 0.9) / rows, 0.63, (rows - 0.12) / rows), cap)


def vents(pen: Pen, where: Quad, colour: Colour, count: int) -> None:
    """Draw `count` horizontal slits, which fill the area `where`."""
    for step in range(count):
        pen.poly(where.part(0, step / count, 1, (step + 0.45) / count), colour)


def buttons(pen: Pen, where: Quad, rng: Rng, count: int) -> None:
    """Draw `count` small lights in a row through the middle of the area `where`."""
    for step in range(count):
        x, y = where.at((step + 0.5) / count, 0.5)
        colour: Colour = pick(rng, ((90, 230, 120), (240, 180, 60), (80, 160, 250), (90, 92, 96)))
        pen.oval(x, y, 0.009, 0.009, colour)


def plug(pen: Pen, at: Point, towards: Point, body: Colour, rng: Rng, size: float = 1.0) -> None:
    """Draw a plug.

    Parameters
    ----------
    pen : Pen
        Draws.
    at : point
        Where the cable enters.
    towards : pair of float
        Direction of the metal end, of length about 1.
    body : colour
        Colour of the body.
    rng : Generator
        Source of randomness.
    size : float
        Scale.
    """
    (x, y), (dx, dy) = at, towards
    long, half = 0.15 * size, 0.05 * size * between(rng, 0.75, 1.2)
    pen.poly(_bar(x, y, dx, dy, long, half), body, shade(body, 0.6))
    x, y = x + dx * long, y + dy * long
    metal: Colour = pick(rng, ((196, 198, 202), (214, 184, 110), (170, 174, 180)))
    pen.poly(_bar(x, y, dx, dy, 0.075 * size, half * 0.66), metal, shade(metal, 0.6))
    if chance(rng, 0.5):
        pen.poly(_bar(x + dx * 0.02, y + dy * 0.02, dx, dy, 0.035 * size, half * 0.3), shade(metal, 0.35))


def _bar(x: float, y: float, dx: float, dy: float, long: float, half: float) -> list[Point]:
    ex, ey = x + dx * long, y + dy * long
    return [
        (x - dy * half, y + dx * half),
        (ex - dy * half, ey + dx * half),
        (ex + dy * half, ey - dx * half),
        (x + dy * half, y - dx * half),
    ]
