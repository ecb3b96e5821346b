"""Draw bags and toys."""

from __future__ import annotations

from curation.demo_data.drawing.parts import BRIGHTS, keys
from curation.demo_data.drawing.pen import Colour, Pen, Point, Quad, Rng, arc, between, chance, pick, shade

__all__ = ["backpack", "briefcase", "sleeve", "toy_blocks", "toy_laptop", "toy_plush", "toy_robot"]

_CLOTHS: tuple[Colour, ...] = (
    (36, 38, 44), (64, 66, 72), (44, 58, 92), (122, 84, 54), (150, 120, 84), (96, 104, 92), (128, 52, 60),
    (176, 150, 160),
)  # fmt: skip


def _zip(pen: Pen, points: list[Point], cloth: Colour) -> None:
    pen.line(points, shade(cloth, 0.5), 0.022)
    pen.line(points, (186, 176, 140), 0.007)
    x, y = points[-1]
    pen.box(x - 0.012, y, x + 0.012, y + 0.05, (196, 184, 140))


def briefcase(pen: Pen, rng: Rng) -> None:
    """Draw a laptop bag with a handle, a pocket and sometimes a strap."""
    cloth = pick(rng, _CLOTHS)
    if chance(rng, 0.5):
        pen.line(arc(0.5, 0.34, 0.46, 0.32, 180, 360), shade(cloth, 0.55), 0.04)
    pen.line(arc(0.5, 0.28, 0.15, 0.15, 180, 360), shade(cloth, 0.6), 0.045)
    top = between(rng, 0.26, 0.32)
    pen.box(0.02, top, 0.98, 0.93, cloth, edge=shade(cloth, 0.5), radius=0.07)
    _zip(pen, [(0.1, top + 0.06), (0.9, top + 0.06)], cloth)
    pocket = shade(cloth, 0.85)
    pen.box(0.12, 0.52, 0.88, 0.88, pocket, edge=shade(cloth, 0.5), radius=0.04)
    if chance(rng, 0.5):
        pen.box(0.12, 0.52, 0.88, 0.66, shade(cloth, 0.75), edge=shade(cloth, 0.45), radius=0.04)
        for x in (0.3, 0.7):
            pen.box(x - 0.03, 0.60, x + 0.03, 0.70, (180, 176, 160), radius=0.01)
    else:
        _zip(pen, [(0.18, 0.57), (0.82, 0.57)], cloth)


def backpack(pen: Pen, rng: Rng) -> None:
    """Draw a backpack with two pockets."""
    cloth = pick(rng, _CLOTHS)
    pen.line(arc(0.5, 0.1, 0.1, 0.08, 180, 360), shade(cloth, 0.5), 0.04)
    for x, way in ((0.16, -1), (0.84, 1)):
        pen.line([(x, 0.3), (x + way * 0.09, 0.55), (x + way * 0.04, 0.85)], shade(cloth, 0.5), 0.06)
    body = [*arc(0.5, 0.36, 0.36, 0.3, 180, 360), (0.9, 0.9), (0.84, 0.96), (0.16, 0.96), (0.10, 0.9)]
    pen.poly(body, cloth, shade(cloth, 0.5))
    _zip(pen, arc(0.5, 0.40, 0.28, 0.24, 180, 360), cloth)
    second = pick(rng, (shade(cloth, 0.8), shade(cloth, 1.3), pick(rng, _CLOTHS)))
    pen.box(0.2, 0.56, 0.8, 0.93, second, edge=shade(cloth, 0.5), radius=0.06)
    _zip(pen, [(0.26, 0.64), (0.74, 0.64)], second)


def sleeve(pen: Pen, rng: Rng) -> None:
    """Draw a flat sleeve, which resembles a closed laptop."""
    cloth = pick(rng, (*_CLOTHS, (150, 153, 160)))
    pen.box(0.04, 0.16, 0.96, 0.84, cloth, edge=shade(cloth, 0.6), radius=0.05)
    side = between(rng, 0.20, 0.26)
    _zip(pen, [(0.08, side), (0.92, side)], cloth)
    # the seam
    pen.line([(0.07, side + 0.06), (0.07, 0.80), (0.93, 0.80), (0.93, side + 0.06)], shade(cloth, 1.25), 0.008)
    if chance(rng, 0.4):
        pen.poly([(0.30, 0.16), (0.70, 0.16), (0.66, 0.52), (0.34, 0.52)], shade(cloth, 0.8), shade(cloth, 0.5))
        pen.oval(0.5, 0.46, 0.025, 0.025, (190, 184, 150))
    else:
        pen.box(0.74, 0.68, 0.90, 0.76, shade(cloth, 1.5), radius=0.01)


def toy_laptop(pen: Pen, rng: Rng) -> None:
    """Draw a child's plastic laptop: bright and round, with a few big keys."""
    body, other = pick(rng, BRIGHTS), pick(rng, BRIGHTS)
    pen.box(0.12, 0.06, 0.88, 0.54, shade(body, 1.2), edge=shade(body, 0.6), radius=0.12)
    pen.box(0.26, 0.13, 0.74, 0.45, (196, 214, 190), edge=shade(body, 0.5), radius=0.03)
    pen.oval(0.5, 0.29, 0.1, 0.1, (250, 220, 80), (160, 120, 30))
    for x in (0.465, 0.535):
        pen.oval(x, 0.26, 0.012, 0.016, (40, 40, 40))
    pen.line(arc(0.5, 0.29, 0.05, 0.05, 20, 160), (60, 40, 30), 0.01)
    deck = Quad((0.12, 0.54), (0.88, 0.54), (0.97, 0.92), (0.03, 0.92))
    pen.poly(deck, shade(other, 1.1), shade(other, 0.6))
    for row in range(3):
        for column in range(6):
            x, y = deck.at(0.12 + column * 0.152, 0.2 + row * 0.28)
            pen.oval(x, y, 0.048, 0.04, shade(pick(rng, BRIGHTS), 1.3), (90, 80, 80))
    pen.line(arc(0.5, 0.08, 0.14, 0.08, 180, 360), body, 0.045)


def toy_plush(pen: Pen, rng: Rng) -> None:
    """Draw a plush bear."""
    fur: Colour = pick(rng, ((168, 118, 74), (226, 190, 150), (236, 160, 180), (150, 170, 210)))
    for x in (0.30, 0.70):
        pen.oval(x, 0.14, 0.1, 0.1, fur, shade(fur, 0.6))
        pen.oval(x - (x - 0.5) * 0.7, 0.9, 0.14, 0.09, shade(fur, 0.9), shade(fur, 0.6))
        pen.oval(x + (x - 0.5) * 0.8, 0.62, 0.1, 0.16, shade(fur, 0.9), shade(fur, 0.6))
    pen.oval(0.5, 0.70, 0.28, 0.26, fur, shade(fur, 0.6))
    pen.oval(0.5, 0.72, 0.16, 0.17, shade(fur, 1.5))
    pen.oval(0.5, 0.30, 0.27, 0.24, fur, shade(fur, 0.6))
    pen.oval(0.5, 0.38, 0.11, 0.09, shade(fur, 1.5))
    pen.oval(0.5, 0.35, 0.04, 0.03, (40, 30, 30))
    for x in (0.40, 0.60):
        pen.oval(x, 0.26, 0.03, 0.03, (30, 26, 26))


def toy_robot(pen: Pen, rng: Rng) -> None:
    """Draw a toy robot with buttons on its belly."""
    body, other = pick(rng, BRIGHTS), pick(rng, BRIGHTS)
    pen.line([(0.5, 0.1), (0.5, 0.02)], (90, 92, 98), 0.02)
    pen.oval(0.5, 0.03, 0.03, 0.03, (230, 60, 60))
    pen.box(0.3, 0.08, 0.7, 0.34, shade(body, 1.1), edge=shade(body, 0.5), radius=0.05)
    for x in (0.40, 0.60):
        pen.oval(x, 0.19, 0.05, 0.05, (250, 246, 200), (50, 50, 50))
        pen.oval(x, 0.19, 0.02, 0.02, (30, 30, 30))
        pen.box(x - 0.07, 0.76, x + 0.07, 0.97, shade(body, 0.7), radius=0.02)
    for x in (0.08, 0.76):
        pen.box(x, 0.40, x + 0.16, 0.70, shade(other, 0.9), edge=shade(other, 0.5), radius=0.06)
    pen.box(0.22, 0.36, 0.78, 0.78, other, edge=shade(other, 0.5), radius=0.04)
    keys(pen, Quad.box(0.32, 0.46, 0.68, 0.68), rng, rows=3, columns=4, cap=(240, 240, 236), lit=True)


def toy_blocks(pen: Pen, rng: Rng) -> None:
    """Draw a pile of building blocks."""
    for row in range(4):
        for column in range(4 - row):
            x = 0.06 + row * 0.11 + column * 0.22 + between(rng, -0.02, 0.02)
            y = 0.74 - row * 0.22
            body = pick(rng, BRIGHTS)
            pen.box(x, y, x + 0.21, y + 0.21, body, edge=shade(body, 0.5), radius=0.02)
            pen.oval(x + 0.06, y - 0.005, 0.035, 0.02, shade(body, 1.2))
            pen.oval(x + 0.15, y - 0.005, 0.035, 0.02, shade(body, 1.2))
            pen.text(x + 0.06, y + 0.04, pick(rng, tuple("ABCDEFG")), (250, 250, 245), 0.12)
