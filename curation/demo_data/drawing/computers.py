"""Draw laptops and desktops."""

from __future__ import annotations

from curation.demo_data.drawing.parts import BODIES, BRIGHTS, DARKS, buttons, keys, screen, vents
from curation.demo_data.drawing.pen import Colour, Pen, Quad, Rng, between, chance, pick, shade

__all__ = [
    "all_in_one",
    "laptop_above",
    "laptop_closed",
    "laptop_front",
    "laptop_open",
    "mini_pc",
    "tower",
    "tower_lit",
]

_LAPTOPS: tuple[Colour, ...] = (
    (196, 198, 202), (160, 163, 170), (52, 54, 60), (34, 35, 38), (214, 186, 172), (70, 88, 122), (228, 228, 226),
)  # fmt: skip


def _deck(pen: Pen, deck: Quad, body: Colour, rng: Rng) -> None:
    pen.poly(deck, body, shade(body, 0.6))
    pen.poly(deck.part(0.06, 0.07, 0.94, 0.60), shade(body, 0.85))
    cap = pick(rng, ((30, 31, 34), (54, 56, 60), shade(body, 1.25)))
    keys(pen, deck.part(0.07, 0.09, 0.93, 0.58), rng, rows=5, columns=13, cap=cap)
    pad = deck.part(0.35, 0.66, 0.65, 0.95)
    pen.poly(pad, shade(body, 0.9), shade(body, 0.7))


def _lid(pen: Pen, lid: Quad, body: Colour, rng: Rng) -> None:
    frame = pick(rng, (shade(body, 0.7), (22, 22, 25), (22, 22, 25)))
    pen.poly(lid, frame, shade(body, 0.6))
    screen(pen, lid.part(0.04, 0.06, 0.96, 0.92), rng)


def laptop_open(pen: Pen, rng: Rng) -> None:
    """Draw an open laptop, seen from the front and above, with its lid at any angle."""
    body = pick(rng, _LAPTOPS)
    hinge, lean, turn = between(rng, 0.46, 0.66), between(rng, -0.06, 0.08), between(rng, -0.08, 0.08)
    inset = between(rng, 0.05, 0.14)
    left, right = (inset, hinge), (1 - inset, hinge)
    top = max(0.03, hinge - between(rng, 0.38, 0.56))
    _lid(pen, Quad((inset + lean + turn, top), (1 - inset - lean + turn, top), right, left), body, rng)
    front = min(0.96, hinge + between(rng, 0.24, 0.40))
    _deck(pen, Quad(left, right, (0.98 - turn / 2, front), (0.02 - turn / 2, front)), body, rng)
    pen.poly(
        [(0.02 - turn / 2, front), (0.98 - turn / 2, front), (0.97, front + 0.025), (0.03, front + 0.025)],
        shade(body, 0.55),
    )


def laptop_above(pen: Pen, rng: Rng) -> None:
    """Draw a laptop opened flat, seen from above."""
    body = pick(rng, _LAPTOPS)
    left, right, middle = 0.09, 0.91, between(rng, 0.44, 0.52)
    _lid(pen, Quad.box(left, 0.06, right, middle), body, rng)
    pen.box(left + 0.06, middle - 0.01, right - 0.06, middle + 0.015, shade(body, 0.5))
    _deck(pen, Quad.box(left, middle + 0.01, right, 0.95), body, rng)


def laptop_front(pen: Pen, rng: Rng) -> None:
    """Draw a laptop straight from the front: nearly all screen, like a monitor."""
    body = pick(rng, _LAPTOPS)
    low = between(rng, 0.68, 0.76)
    _lid(pen, Quad.box(0.08, 0.14, 0.92, low), body, rng)
    _deck(pen, Quad((0.08, low), (0.92, low), (0.99, low + 0.13), (0.01, low + 0.13)), body, rng)
    pen.box(0.01, low + 0.125, 0.99, low + 0.15, shade(body, 0.6))


def laptop_closed(pen: Pen, rng: Rng) -> None:
    """Draw a closed laptop: a slab with a logo, which resembles a sleeve or a disk."""
    body = pick(rng, _LAPTOPS)
    pen.box(0.05, 0.21, 0.95, 0.83, shade(body, 0.5), radius=0.03)
    pen.box(0.05, 0.18, 0.95, 0.80, body, edge=shade(body, 0.7), radius=0.03)
    mark = shade(body, 1.5) if sum(body) < 380 else shade(body, 0.6)
    if chance(rng, 0.5):
        pen.oval(0.5, 0.48, 0.06, 0.06, mark)
    else:
        pen.box(0.42, 0.46, 0.58, 0.5, mark, radius=0.01)
    pen.box(0.2, 0.80, 0.8, 0.815, shade(body, 0.4))


def _faces(rng: Rng, width: float) -> tuple[Quad, Quad]:
    """Return the front and the side of a tower."""
    depth, drop = between(rng, 0.18, 0.32), between(rng, 0.03, 0.09)
    left = (1 - width - depth) / 2
    front = Quad.box(left, 0.05, left + width, 0.95)
    right = left + width
    return front, Quad((right, 0.05), (right + depth, 0.05 + drop), (right + depth, 0.95 - drop), (right, 0.95))


def tower(pen: Pen, rng: Rng) -> None:
    """Draw an office tower with drive bays and vents."""
    body = pick(rng, BODIES)
    front, side = _faces(rng, between(rng, 0.34, 0.46))
    pen.poly(side, shade(body, 0.6), shade(body, 0.4))
    pen.poly(front, body, shade(body, 0.5))
    for row in range(int(rng.integers(1, 4))):
        bay = front.part(0.1, 0.05 + row * 0.1, 0.9, 0.13 + row * 0.1)
        pen.poly(bay, shade(body, 0.8), shade(body, 0.5))
        pen.poly(bay.part(0.75, 0.4, 0.92, 0.7), shade(body, 0.4))
    x, y = front.at(0.5, 0.45)
    pen.oval(x, y, 0.035, 0.035, shade(body, 0.5), (120, 200, 255))
    vents(pen, front.part(0.15, 0.58, 0.85, 0.93), shade(body, 0.45), int(rng.integers(6, 11)))
    if chance(rng, 0.5):
        vents(pen, side.part(0.25, 0.4, 0.75, 0.7), shade(body, 0.35), 7)


def tower_lit(pen: Pen, rng: Rng) -> None:
    """Draw a gaming tower with a glass side and coloured fans."""
    body = pick(rng, (*DARKS, (232, 232, 232)))
    front, side = _faces(rng, between(rng, 0.32, 0.42))
    glow = pick(rng, BRIGHTS)
    pen.poly(side, (24, 26, 34), shade(body, 0.4))
    pen.poly(side.part(0.1, 0.08, 0.92, 0.92), shade(glow, 0.35))
    pen.poly(side.part(0.2, 0.5, 0.9, 0.62), (60, 62, 70))
    pen.poly(front, body, shade(body, 0.4))
    for row in range(3):
        x, y = front.at(0.5, 0.2 + row * 0.3)
        pen.oval(x, y, 0.125, 0.125, shade(glow, 1.1))
        pen.oval(x, y, 0.10, 0.10, (18, 18, 22))
        for turn in range(3):
            pen.line([(x, y), (x + 0.08 * (turn - 1), y + 0.08 * (1 - turn % 2))], shade(glow, 0.6), 0.02)
        pen.oval(x, y, 0.03, 0.03, (70, 72, 78))


def mini_pc(pen: Pen, rng: Rng) -> None:
    """Draw a small flat computer, which resembles a network switch or a disk."""
    body = pick(rng, BODIES)
    top, low = between(rng, 0.28, 0.36), between(rng, 0.66, 0.76)
    pen.poly([(0.14, top), (0.86, top), (0.96, top + 0.14), (0.04, top + 0.14)], shade(body, 1.2), shade(body, 0.7))
    front = Quad.box(0.04, top + 0.14, 0.96, low)
    pen.poly(front, body, shade(body, 0.5))
    vents(pen, front.part(0.05, 0.15, 0.45, 0.85), shade(body, 0.5), 5)
    pen.poly(front.part(0.52, 0.15, 0.92, 0.4), shade(body, 0.75), shade(body, 0.5))
    pen.oval(*front.at(0.86, 0.7), 0.035, 0.035, shade(body, 0.5), (130, 210, 255))
    buttons(pen, front.part(0.5, 0.55, 0.75, 0.85), rng, 3)


def all_in_one(pen: Pen, rng: Rng) -> None:
    """Draw a desktop set: a screen, a keyboard in front of it and sometimes a tower behind."""
    body = pick(rng, BODIES)
    if chance(rng, 0.65):
        case = pick(rng, DARKS)
        front = Quad.box(0.72, 0.12, 0.97, 0.78)
        pen.poly(front, case, shade(case, 0.5))
        vents(pen, front.part(0.15, 0.5, 0.85, 0.9), shade(case, 0.5), 6)
        pen.poly(front.part(0.1, 0.08, 0.9, 0.2), shade(case, 1.4))
        right = 0.70
    else:
        right = 0.94
    frame = Quad.box(0.06, 0.10, right, 0.62)
    pen.poly(frame, body, shade(body, 0.6))
    screen(pen, frame.part(0.03, 0.04, 0.97, 0.84), rng)
    middle = (0.06 + right) / 2
    pen.poly(
        [(middle - 0.06, 0.62), (middle + 0.06, 0.62), (middle + 0.14, 0.76), (middle - 0.14, 0.76)], shade(body, 0.7)
    )
    board = Quad((0.08, 0.80), (0.80, 0.80), (0.84, 0.93), (0.04, 0.93))
    pen.poly(board, shade(body, 0.9), shade(body, 0.5))
    keys(pen, board.part(0.02, 0.08, 0.98, 0.92), rng, rows=4, columns=14, cap=shade(body, 0.6))
    pen.oval(0.91, 0.87, 0.035, 0.055, shade(body, 0.8), shade(body, 0.4))
