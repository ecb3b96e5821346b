"""Draw monitors and printers."""

from __future__ import annotations

from curation.demo_data.drawing.parts import DARKS, buttons, screen, vents
from curation.demo_data.drawing.pen import Colour, Pen, Quad, Rng, between, chance, pick, shade

__all__ = [
    "monitor_back", "monitor_front", "monitor_wide",
    "office_copier", "printer_inkjet", "printer_laser", "printer_scanner",
]  # fmt: skip

_PRINTERS: tuple[Colour, ...] = ((236, 236, 232), (205, 207, 210), (44, 45, 50), (28, 29, 32), (170, 172, 176))


def _stand(pen: Pen, top: float, body: Colour, rng: Rng) -> None:
    half = between(rng, 0.04, 0.08)
    pen.poly([(0.5 - half, top), (0.5 + half, top), (0.5 + half, 0.86), (0.5 - half, 0.86)], shade(body, 0.7))
    wide = between(rng, 0.16, 0.26)
    kind = pick(rng, ("oval", "plate", "legs"))
    if kind == "oval":
        pen.oval(0.5, 0.89, wide, 0.055, shade(body, 0.85), shade(body, 0.5))
    elif kind == "plate":
        pen.poly(
            [(0.5 - wide * 0.8, 0.85), (0.5 + wide * 0.8, 0.85), (0.5 + wide, 0.94), (0.5 - wide, 0.94)],
            shade(body, 0.85),
        )
    else:
        pen.line([(0.5 - wide, 0.94), (0.5, 0.84), (0.5 + wide, 0.94)], shade(body, 0.8), 0.035)


def monitor_front(pen: Pen, rng: Rng) -> None:
    """Draw a monitor on its stand, from the front."""
    body = pick(rng, (*DARKS, *DARKS, (196, 198, 202), (232, 232, 230)))
    low, turn = between(rng, 0.62, 0.72), between(rng, -0.05, 0.05)
    _stand(pen, low - 0.02, body, rng)
    frame = Quad((0.04, 0.07 + turn), (0.96, 0.07 - turn), (0.96, low + turn), (0.04, low - turn))
    pen.poly(frame, body, shade(body, 0.5))
    edge = between(rng, 0.015, 0.045)
    screen(pen, frame.part(edge, edge * 1.4, 1 - edge, 1 - edge * 2.4), rng)
    buttons(pen, frame.part(0.8, 0.95, 0.95, 0.99), rng, 3)


def monitor_wide(pen: Pen, rng: Rng) -> None:
    """Draw a wide monitor, slightly curved."""
    body = pick(rng, DARKS)
    _stand(pen, 0.62, body, rng)
    bend = between(rng, 0.0, 0.05)
    frame = [(0.0, 0.2), (0.5, 0.2 + bend), (1.0, 0.2), (1.0, 0.66), (0.5, 0.66 + bend), (0.0, 0.66)]
    pen.poly(frame, body, shade(body, 0.5))
    screen(pen, Quad.box(0.02, 0.23, 0.98, 0.61), rng)
    if chance(rng, 0.3):
        screen(pen, Quad.box(0.02, 0.23, 0.49, 0.61), rng)


def monitor_back(pen: Pen, rng: Rng) -> None:
    """Draw a monitor from behind: cover, neck and vents."""
    body = pick(rng, (*DARKS, (196, 198, 202)))
    _stand(pen, 0.5, body, rng)
    pen.box(0.05, 0.08, 0.95, 0.66, body, edge=shade(body, 0.5), radius=0.03)
    pen.box(0.2, 0.18, 0.8, 0.60, shade(body, 0.8), radius=0.05)
    vents(pen, Quad.box(0.3, 0.21, 0.7, 0.29), shade(body, 0.45), 4)
    pen.box(0.42, 0.34, 0.58, 0.88, shade(body, 0.65), radius=0.02)


def _paper(pen: Pen, where: Quad, rng: Rng) -> None:
    pen.poly(where, (250, 250, 248), (190, 190, 188))
    for row in range(int(rng.integers(0, 5))):
        pen.poly(where.part(0.12, 0.15 + row * 0.16, between(rng, 0.5, 0.9), 0.2 + row * 0.16), (150, 152, 158))


def printer_inkjet(pen: Pen, rng: Rng) -> None:
    """Draw an inkjet printer: paper upright at the back, a sheet coming out at the front."""
    body = pick(rng, _PRINTERS)
    tilt = between(rng, 0.02, 0.08)
    pen.poly([(0.24 - tilt, 0.08), (0.76 + tilt, 0.08), (0.74, 0.42), (0.26, 0.42)], shade(body, 0.6))
    _paper(pen, Quad((0.28 - tilt, 0.04), (0.72 + tilt, 0.04), (0.70, 0.42), (0.30, 0.42)), rng)
    pen.poly([(0.1, 0.38), (0.9, 0.38), (0.97, 0.52), (0.03, 0.52)], shade(body, 1.15), shade(body, 0.6))
    front = Quad.box(0.03, 0.52, 0.97, 0.80)
    pen.poly(front, body, shade(body, 0.5))
    pen.poly(front.part(0.18, 0.42, 0.82, 0.86), shade(body, 0.3))
    sheet = between(rng, 0.9, 0.96)
    _paper(pen, Quad((0.26, 0.70), (0.74, 0.70), (0.80, sheet), (0.20, sheet)), rng)
    pen.poly(front.part(0.04, 0.1, 0.3, 0.32), (60, 90, 130))
    buttons(pen, front.part(0.6, 0.08, 0.95, 0.3), rng, 4)


def printer_laser(pen: Pen, rng: Rng) -> None:
    """Draw a laser printer: a cube with a paper drawer, which resembles a desktop."""
    body = pick(rng, _PRINTERS)
    top = between(rng, 0.12, 0.2)
    pen.poly([(0.18, top), (0.82, top), (0.92, top + 0.16), (0.08, top + 0.16)], shade(body, 0.75), shade(body, 0.5))
    _paper(pen, Quad((0.32, top + 0.01), (0.68, top + 0.01), (0.72, top + 0.12), (0.28, top + 0.12)), rng)
    front = Quad.box(0.08, top + 0.16, 0.92, 0.92)
    pen.poly(front, body, shade(body, 0.5))
    pen.poly(front.part(0.08, 0.10, 0.92, 0.16), shade(body, 0.35))
    drawer = front.part(0.05, 0.66, 0.95, 0.94)
    pen.poly(drawer, shade(body, 0.88), shade(body, 0.5))
    pen.poly(drawer.part(0.35, 0.25, 0.65, 0.5), shade(body, 0.45))
    pen.poly(front.part(0.62, 0.24, 0.92, 0.42), (56, 60, 66))
    buttons(pen, front.part(0.64, 0.46, 0.92, 0.54), rng, 4)


def printer_scanner(pen: Pen, rng: Rng) -> None:
    """Draw a flatbed scanner with its lid open."""
    body = pick(rng, _PRINTERS)
    lid = between(rng, 0.06, 0.18)
    pen.poly([(0.10, lid), (0.90, lid), (0.93, 0.46), (0.07, 0.46)], shade(body, 0.9), shade(body, 0.5))
    pen.poly([(0.16, lid + 0.05), (0.84, lid + 0.05), (0.86, 0.42), (0.14, 0.42)], (246, 246, 244))
    pen.poly([(0.07, 0.46), (0.93, 0.46), (0.99, 0.70), (0.01, 0.70)], body, shade(body, 0.5))
    pen.poly([(0.14, 0.49), (0.80, 0.49), (0.84, 0.66), (0.10, 0.66)], (120, 150, 160), (40, 44, 48))
    front = Quad.box(0.01, 0.70, 0.99, 0.90)
    pen.poly(front, shade(body, 0.85), shade(body, 0.5))
    pen.poly(front.part(0.2, 0.3, 0.8, 0.75), shade(body, 0.35))
    buttons(pen, front.part(0.84, 0.2, 0.98, 0.5), rng, 3)


def office_copier(pen: Pen, rng: Rng) -> None:
    """Draw a copier as tall as a table, with drawers and a document feeder."""
    body: Colour = pick(rng, ((230, 230, 226), (210, 214, 218), (190, 194, 198)))
    pen.box(0.2, 0.06, 0.76, 0.15, shade(body, 0.8), edge=shade(body, 0.5), radius=0.02)
    pen.box(0.16, 0.14, 0.84, 0.23, shade(body, 0.95), edge=shade(body, 0.5), radius=0.01)
    pen.poly([(0.6, 0.16), (0.86, 0.16), (0.92, 0.24), (0.62, 0.24)], (50, 60, 76))
    pen.box(0.16, 0.23, 0.84, 0.40, (52, 54, 58))
    _paper(pen, Quad((0.24, 0.32), (0.64, 0.32), (0.66, 0.39), (0.22, 0.39)), rng)
    pen.box(0.14, 0.39, 0.86, 0.94, body, edge=shade(body, 0.5), radius=0.01)
    for row in range(4):
        top = 0.45 + row * 0.12
        pen.box(0.16, top, 0.84, top + 0.105, shade(body, 0.93), edge=shade(body, 0.6), radius=0.01)
        pen.box(0.40, top + 0.03, 0.60, top + 0.055, shade(body, 0.5), radius=0.01)
    pen.box(0.03, 0.46, 0.14, 0.52, shade(body, 0.7))
    for x in (0.22, 0.78):
        pen.oval(x, 0.955, 0.03, 0.025, (40, 40, 44))
