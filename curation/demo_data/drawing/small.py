"""Draw mice, webcams, disks and thumb drives."""

from __future__ import annotations

from curation.demo_data.drawing.parts import BODIES, BRIGHTS, DARKS, buttons
from curation.demo_data.drawing.pen import Colour, Pen, Point, Quad, Rng, arc, between, chance, pick, shade

__all__ = [
    "disk_bare", "disk_external", "disk_solid", "mouse_on_pad", "mouse_side", "mouse_top", "thumb_drives",
    "webcam_ball", "webcam_bar", "webcam_tripod",
]  # fmt: skip

_METAL: Colour = (192, 195, 200)


def _mouse(pen: Pen, x: float, y: float, rx: float, ry: float, rng: Rng) -> None:
    body = pick(rng, (*BODIES, *BRIGHTS[:3], BRIGHTS[5]))
    pen.oval(x + 0.015, y + 0.02, rx, ry, shade(body, 0.45))
    pen.oval(x, y, rx, ry, body, shade(body, 0.6))
    pen.oval(x - rx * 0.15, y + ry * 0.25, rx * 0.6, ry * 0.5, shade(body, 1.15))
    pen.line([(x, y - ry), (x, y - ry * 0.1)], shade(body, 0.4), 0.008)
    pen.line(arc(x, y - ry * 0.1, rx * 0.97, ry * 0.12, 180, 0), shade(body, 0.5), 0.008)
    wheel = pick(rng, ((40, 40, 44), (200, 60, 60), (90, 200, 230), (150, 152, 156)))
    pen.box(x - rx * 0.12, y - ry * 0.68, x + rx * 0.12, y - ry * 0.25, wheel, radius=0.015)


def mouse_top(pen: Pen, rng: Rng) -> None:
    """Draw a mouse from above, with or without its cord."""
    rx, ry = between(rng, 0.24, 0.31), between(rng, 0.36, 0.43)
    if chance(rng, 0.5):
        ry -= 0.05
        swing, top = between(rng, -0.3, 0.3), 0.99 - 2 * ry
        cord = [(0.5, top), (0.5 + swing / 2, top * 0.5), (0.5 + swing, top * 0.3), (0.5 + swing * 1.5, 0.01)]
        pen.cord(cord, (36, 36, 40), 0.022)
    _mouse(pen, 0.5, 0.97 - ry, rx, ry, rng)


def mouse_side(pen: Pen, rng: Rng) -> None:
    """Draw a mouse from the side."""
    body = pick(rng, (*BODIES, *BRIGHTS[:2]))
    hump = between(rng, 0.30, 0.42)
    outline: list[Point] = [*arc(0.5, 0.68, 0.46, hump, 180, 360), (0.96, 0.74), (0.04, 0.74)]
    pen.poly(outline, body, shade(body, 0.5))
    pen.box(0.05, 0.70, 0.95, 0.77, shade(body, 0.5), radius=0.03)
    pen.line(arc(0.5, 0.70, 0.38, hump * 0.6, 190, 300), shade(body, 0.6), 0.012)
    pen.box(0.14, 0.68 - hump * 0.80, 0.24, 0.68 - hump * 0.45, shade(body, 0.35), radius=0.03)
    for x in (0.44, 0.58):
        pen.box(x, 0.52, x + 0.10, 0.56, shade(body, 0.4), radius=0.02)


def mouse_on_pad(pen: Pen, rng: Rng) -> None:
    """Draw a mouse on its pad."""
    pad = pick(rng, (*BRIGHTS, *DARKS, *DARKS))
    if chance(rng, 0.3):
        pen.oval(0.5, 0.5, 0.48, 0.46, pad, shade(pad, 0.6))
    else:
        pen.box(0.01, 0.10, 0.99, 0.90, pad, edge=shade(pad, 0.6), radius=0.04)
        if chance(rng, 0.5):
            pen.poly([(0.1, 0.82), (0.4, 0.2), (0.6, 0.2), (0.3, 0.82)], shade(pad, 1.4))
    _mouse(pen, between(rng, 0.42, 0.66), between(rng, 0.46, 0.54), 0.17, 0.27, rng)


def _lens(pen: Pen, x: float, y: float, radius: float, rng: Rng) -> None:
    ring: Colour = pick(rng, ((90, 92, 98), (170, 172, 178), (50, 50, 56)))
    pen.oval(x, y, radius, radius, ring, (16, 16, 18))
    pen.oval(x, y, radius * 0.78, radius * 0.78, (14, 15, 20))
    pen.oval(x, y, radius * 0.46, radius * 0.46, pick(rng, ((40, 50, 110), (70, 30, 80), (24, 70, 90))))
    pen.oval(x - radius * 0.25, y - radius * 0.28, radius * 0.16, radius * 0.14, (235, 240, 250))


def webcam_bar(pen: Pen, rng: Rng) -> None:
    """Draw a webcam: a bar with a lens in the middle and a clip below."""
    body = pick(rng, DARKS)
    pen.poly([(0.36, 0.55), (0.64, 0.55), (0.70, 0.80), (0.30, 0.80)], shade(body, 0.8), shade(body, 0.5))
    pen.box(0.26, 0.78, 0.74, 0.90, shade(body, 1.15), edge=shade(body, 0.5), radius=0.03)
    top = between(rng, 0.20, 0.28)
    pen.box(0.02, top, 0.98, 0.60, body, edge=shade(body, 1.5), radius=0.15)
    middle = (top + 0.60) / 2
    _lens(pen, 0.5, middle, (0.60 - top) * 0.44, rng)
    for x in (0.18, 0.82):
        for row in range(3):
            pen.box(x - 0.07, middle - 0.05 + row * 0.04, x + 0.07, middle - 0.035 + row * 0.04, shade(body, 1.5))
    buttons(pen, Quad.box(0.66, middle - 0.02, 0.72, middle + 0.02), rng, 1)


def webcam_ball(pen: Pen, rng: Rng) -> None:
    """Draw a webcam: a ball with a lens, on a foot, which resembles a mouse from above."""
    body = pick(rng, (*BODIES, BRIGHTS[1]))
    pen.poly([(0.42, 0.6), (0.58, 0.6), (0.74, 0.93), (0.26, 0.93)], shade(body, 0.7), shade(body, 0.5))
    pen.oval(0.5, 0.92, 0.26, 0.05, shade(body, 0.6))
    radius = between(rng, 0.32, 0.38)
    pen.oval(0.5, 0.42, radius, radius, body, shade(body, 0.5))
    pen.oval(0.44, 0.34, radius * 0.6, radius * 0.55, shade(body, 1.1))
    _lens(pen, 0.5, 0.43, radius * between(rng, 0.48, 0.62), rng)
    if chance(rng, 0.5):
        pen.cord([(0.6, 0.85), (0.8, 0.80), (0.92, 0.9), (0.99, 0.7)], (34, 34, 38), 0.02)


def webcam_tripod(pen: Pen, rng: Rng) -> None:
    """Draw a webcam on a tripod."""
    body = pick(rng, DARKS)
    for x in (0.22, 0.5, 0.78):
        pen.line([(0.5, 0.58), (x, 0.95)], shade(body, 1.2), 0.035)
    pen.box(0.18, 0.08, 0.82, 0.56, body, edge=shade(body, 1.4), radius=between(rng, 0.04, 0.16))
    _lens(pen, 0.5, 0.32, between(rng, 0.16, 0.2), rng)
    if chance(rng, 0.5):
        for x, y in ((0.25, 0.15), (0.75, 0.15), (0.25, 0.49), (0.75, 0.49)):
            pen.oval(x, y, 0.03, 0.03, (245, 240, 220))


def disk_external(pen: Pen, rng: Rng) -> None:
    """Draw a portable disk with its short cable."""
    body = pick(rng, (*DARKS, *BRIGHTS[:2], (190, 193, 198)))
    if chance(rng, 0.6):
        pen.cord([(0.5, 0.85), (0.45, 0.96), (0.2, 0.95), (0.06, 0.9)], (30, 30, 34), 0.03)
    pen.box(0.20, 0.06, 0.82, 0.91, shade(body, 0.5), radius=0.05)
    pen.box(0.18, 0.04, 0.80, 0.88, body, edge=shade(body, 0.6), radius=0.05)
    mark = shade(body, 1.6) if sum(body) < 380 else shade(body, 0.6)
    pen.box(0.28, 0.14, 0.52, 0.19, mark, radius=0.01)
    pen.line([(0.26, 0.7), (0.72, 0.7)], shade(body, 0.7), 0.012)
    buttons(pen, Quad.box(0.46, 0.8, 0.52, 0.84), rng, 1)


def disk_bare(pen: Pen, rng: Rng) -> None:
    """Draw a bare disk: metal and screws, with a white label or open."""
    pen.box(0.16, 0.03, 0.84, 0.97, shade(_METAL, between(rng, 0.75, 1.1)), edge=(90, 92, 96), radius=0.02)
    if chance(rng, 0.5):
        pen.oval(0.5, 0.36, 0.29, 0.29, (210, 212, 216), (130, 132, 138))
        pen.oval(0.5, 0.36, 0.09, 0.09, (150, 152, 158), (90, 92, 96))
        pen.poly([(0.72, 0.86), (0.80, 0.8), (0.58, 0.44), (0.54, 0.47)], (96, 98, 104))
    else:
        pen.box(0.22, 0.12, 0.78, 0.66, (246, 246, 244), edge=(180, 180, 180))
        pen.box(0.22, 0.12, 0.78, 0.24, pick(rng, BRIGHTS))
        for row in range(6):
            pen.box(0.27, 0.29 + row * 0.055, between(rng, 0.45, 0.74), 0.31 + row * 0.055, (120, 122, 128))
    pen.box(0.26, 0.82, 0.70, 0.96, (40, 90, 60), edge=(30, 60, 44))
    for x, y in ((0.2, 0.07), (0.8, 0.07), (0.2, 0.93), (0.8, 0.93)):
        pen.oval(x, y, 0.022, 0.022, (80, 82, 88))


def disk_solid(pen: Pen, rng: Rng) -> None:
    """Draw a flat solid-state disk, which resembles a network device."""
    body = pick(rng, DARKS)
    pen.box(0.05, 0.20, 0.95, 0.82, body, edge=shade(body, 1.4), radius=0.03)
    stripe = pick(rng, BRIGHTS)
    pen.poly([(0.05, 0.62), (0.95, 0.44), (0.95, 0.60), (0.05, 0.78)], stripe)
    pen.text(0.14, 0.26, pick(rng, ("SSD", "1TB", "512GB", "256G")), (235, 235, 235), 0.16)
    for step in range(9):
        pen.box(0.30 + step * 0.03, 0.82, 0.315 + step * 0.03, 0.86, (214, 184, 110))


def thumb_drives(pen: Pen, rng: Rng) -> None:
    """Draw one to three thumb drives side by side."""
    count = int(rng.integers(1, 4))
    width = {1: 0.30, 2: 0.24, 3: 0.20}[count]
    for step in range(count):
        x = 0.5 + (step - (count - 1) / 2) * (width + 0.1)
        top = between(rng, 0.02, 0.12)
        body = pick(rng, (*BRIGHTS, *DARKS))
        pen.box(x - width * 0.36, top, x + width * 0.36, top + 0.28, _METAL, edge=(110, 112, 118))
        for hole in (-0.16, 0.16):
            pen.box(x + width * (hole - 0.07), top + 0.07, x + width * (hole + 0.07), top + 0.14, (60, 62, 68))
        pen.box(x - width / 2, top + 0.26, x + width / 2, 0.95, body, edge=shade(body, 0.6), radius=0.04)
        pen.box(x - width / 4, top + 0.4, x + width / 4, top + 0.5, shade(body, 1.6), radius=0.01)
        pen.oval(x, 0.88, 0.03, 0.03, shade(body, 0.3))
