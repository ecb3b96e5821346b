"""Draw cables, adaptors, chargers, keyboards and network devices."""

from __future__ import annotations

from curation.demo_data.drawing.parts import BODIES, BRIGHTS, DARKS, buttons, keys, plug, vents
from curation.demo_data.drawing.pen import Colour, Pen, Point, Quad, Rng, arc, between, chance, pick, shade

__all__ = [
    "adaptor", "cable_coil", "cable_loose", "charger_brick", "charger_cube", "keyboard_full", "keyboard_lit",
    "keyboard_split", "network_mesh", "network_router", "network_switch",
]  # fmt: skip

_CORDS: tuple[Colour, ...] = (
    (30, 30, 34), (30, 30, 34), (232, 232, 230), (40, 92, 190), (120, 122, 126), (200, 50, 46), (230, 190, 50),
)  # fmt: skip


def cable_coil(pen: Pen, rng: Rng) -> None:
    """Draw a coiled cable with both plugs showing."""
    cord, width = pick(rng, _CORDS), between(rng, 0.026, 0.045)
    turns: list[Point] = []
    for turn in range(int(rng.integers(2, 5))):
        x, y, radius = 0.5 + between(rng, -0.05, 0.05), 0.48 + between(rng, -0.04, 0.04), 0.40 - turn * 0.045
        turns += arc(x, y, radius, radius * between(rng, 0.75, 1.0), 90, 440, 14)
    pen.cord([(0.1, 0.86), *turns, (0.85, 0.78)], cord, width)
    if chance(rng, 0.6):
        pen.box(0.43, 0.78, 0.57, 0.92, shade(cord, 0.5), radius=0.02)
    plug(pen, (0.12, 0.86), (-0.6, 0.5), shade(cord, 0.8), rng, 0.9)
    plug(pen, (0.84, 0.78), (0.5, 0.7), shade(cord, 0.8), rng, 0.9)


def cable_loose(pen: Pen, rng: Rng) -> None:
    """Draw a cable lying in waves from plug to plug."""
    cord, width = pick(rng, _CORDS), between(rng, 0.028, 0.05)
    waves = int(rng.integers(4, 7))
    middle = [
        (0.18 + 0.64 * (step + 1) / (waves + 1), 0.5 + (0.38 if step % 2 else -0.38) * between(rng, 0.6, 1))
        for step in range(waves)
    ]
    pen.cord([(0.16, 0.30), *middle, (0.84, 0.66)], cord, width)
    end = pick(rng, (shade(cord, 0.7), (40, 40, 44)))
    plug(pen, (0.17, 0.30), (-0.66, -0.66), end, rng, 1.1)
    plug(pen, (0.83, 0.66), (0.66, 0.66), end, rng, 1.1)


def adaptor(pen: Pen, rng: Rng) -> None:
    """Draw an adaptor: a plug, a short cord and a box with a socket."""
    body = pick(rng, (*DARKS, (235, 235, 232), _METALLIC))
    pen.cord([(0.24, 0.22), (0.5, between(rng, 0.1, 0.3)), (0.42, 0.5), (0.66, 0.62)], shade(body, 0.9), 0.05)
    plug(pen, (0.26, 0.22), (-0.95, 0.2), body, rng, 1.3)
    pen.poly([(0.52, 0.60), (0.82, 0.46), (0.98, 0.78), (0.68, 0.93)], body, shade(body, 0.5))
    pen.poly([(0.70, 0.88), (0.93, 0.77), (0.96, 0.82), (0.73, 0.93)], (20, 20, 24), _METALLIC)


_METALLIC: Colour = (180, 183, 188)


def charger_brick(pen: Pen, rng: Rng) -> None:
    """Draw a laptop's power brick with a cord on each side."""
    body = pick(rng, (*DARKS[:3], (235, 235, 232)))
    cord = shade(body, 0.8)
    pen.cord([(0.2, 0.55), (0.06, 0.45), (0.08, 0.2), (0.3, 0.1), (0.55, 0.14), (0.7, 0.07), (0.86, 0.12)], cord, 0.032)
    pen.cord([(0.85, 0.6), (0.95, 0.7), (0.9, 0.88), (0.6, 0.93), (0.35, 0.88), (0.2, 0.93)], cord, 0.032)
    plug(pen, (0.24, 0.93), (-0.98, 0.1), cord, rng, 0.7)
    pen.box(0.84, 0.05, 0.98, 0.2, cord, radius=0.02)
    for y in (0.08, 0.14):
        pen.box(0.96, y, 1.0, y + 0.025, _METALLIC)
    pen.box(0.14, 0.34, 0.88, 0.76, shade(body, 0.5), radius=0.05)
    pen.box(0.13, 0.31, 0.87, 0.73, body, edge=shade(body, 1.3), radius=0.05)
    if chance(rng, 0.7):
        pen.box(0.28, 0.40, 0.72, 0.65, shade(body, 1.3) if sum(body) < 380 else (170, 172, 176))
        for row in range(4):
            pen.box(0.32, 0.43 + row * 0.05, between(rng, 0.45, 0.68), 0.45 + row * 0.05, (205, 207, 210))


def charger_cube(pen: Pen, rng: Rng) -> None:
    """Draw a wall charger: a cube with prongs, with or without a cable."""
    body = pick(rng, ((240, 240, 238), (240, 240, 238), (32, 32, 36), (215, 218, 222)))
    if chance(rng, 0.5):
        pen.cord([(0.4, 0.8), (0.5, 0.97), (0.8, 0.92), (0.95, 0.72), (0.9, 0.5)], shade(body, 0.9), 0.03)
    for y in (0.30, 0.54):
        pen.box(0.72, y, 0.95, y + 0.07, _METALLIC, edge=(100, 102, 108))
    if chance(rng, 0.5):
        pen.box(0.74, 0.42, 0.95, 0.50, _METALLIC, edge=(100, 102, 108))
    pen.box(0.10, 0.12, 0.76, 0.84, shade(body, 0.75), edge=shade(body, 0.55), radius=0.09)
    pen.box(0.06, 0.14, 0.62, 0.82, body, edge=shade(body, 0.7), radius=0.08)
    for row in range(int(rng.integers(1, 4))):
        pen.box(0.22, 0.26 + row * 0.17, 0.46, 0.34 + row * 0.17, (60, 62, 68), radius=0.01)


def keyboard_full(pen: Pen, rng: Rng) -> None:
    """Draw a long keyboard."""
    body = pick(rng, BODIES)
    half = between(rng, 0.14, 0.2)
    board = Quad((0.0, 0.5 - half), (1.0, 0.5 - half), (1.0, 0.5 + half), (0.0, 0.5 + half))
    pen.box(0.0, 0.5 - half + 0.03, 1.0, 0.5 + half + 0.03, shade(body, 0.5), radius=0.02)
    pen.poly(board, body, shade(body, 0.6))
    cap = shade(body, 1.5) if sum(body) < 380 else pick(rng, (shade(body, 0.45), shade(body, 1.5)))
    split = 0.78 if chance(rng, 0.7) else 0.97
    keys(pen, board.part(0.03, 0.1, split - 0.02, 0.9), rng, rows=5, columns=15, cap=cap)
    if split < 0.9:
        keys(pen, board.part(split + 0.02, 0.1, 0.97, 0.9), rng, rows=5, columns=4, cap=cap)


def keyboard_lit(pen: Pen, rng: Rng) -> None:
    """Draw a compact keyboard with thick, often coloured keys."""
    body = pick(rng, (*DARKS, (232, 232, 230)))
    half = between(rng, 0.18, 0.24)
    pen.box(0.03, 0.5 - half, 0.97, 0.5 + half, body, edge=shade(body, 0.5), radius=0.03)
    board = Quad.box(0.06, 0.53 - half, 0.94, 0.47 + half)
    pen.poly(board, shade(body, 0.4))
    cap = pick(rng, (*BRIGHTS[:3], (238, 236, 230), (90, 92, 98)))
    keys(pen, board, rng, rows=5, columns=12, cap=cap, lit=chance(rng, 0.4))
    if chance(rng, 0.5):
        pen.cord([(0.4, 0.5 - half), (0.42, 0.2), (0.3, 0.12), (0.36, 0.02)], (34, 34, 38), 0.022)


def keyboard_split(pen: Pen, rng: Rng) -> None:
    """Draw an ergonomic keyboard: two halves at an angle on one rest."""
    body = pick(rng, DARKS)
    rest = [(0.0, 0.40), (0.5, 0.28), (1.0, 0.40), (0.97, 0.80), (0.5, 0.68), (0.03, 0.80)]
    pen.poly(rest, body, shade(body, 1.5))
    cap = shade(body, 1.6)
    keys(pen, Quad((0.05, 0.43), (0.47, 0.33), (0.47, 0.58), (0.07, 0.68)), rng, rows=5, columns=7, cap=cap)
    keys(pen, Quad((0.53, 0.33), (0.95, 0.43), (0.93, 0.68), (0.53, 0.58)), rng, rows=5, columns=7, cap=cap)


def network_router(pen: Pen, rng: Rng) -> None:
    """Draw a router with two to four antennas."""
    body = pick(rng, ((236, 236, 234), (34, 35, 40), (34, 35, 40), (60, 62, 70)))
    count = int(rng.integers(2, 5))
    for step in range(count):
        x = 0.12 + 0.76 * step / (count - 1)
        lean = (step - (count - 1) / 2) * between(rng, 0.0, 0.07)
        pen.line([(x, 0.60), (x + lean, 0.08)], shade(body, 0.75), between(rng, 0.04, 0.055))
    pen.poly([(0.12, 0.52), (0.88, 0.52), (0.97, 0.70), (0.03, 0.70)], shade(body, 1.1), shade(body, 0.6))
    vents(pen, Quad((0.3, 0.55), (0.7, 0.55), (0.74, 0.66), (0.26, 0.66)), shade(body, 0.6), 4)
    pen.box(0.03, 0.69, 0.97, 0.82, body, edge=shade(body, 0.5), radius=0.02)
    buttons(pen, Quad.box(0.2, 0.73, 0.8, 0.78), rng, 8)


def network_switch(pen: Pen, rng: Rng) -> None:
    """Draw a network switch: a flat box with a row of ports."""
    body = pick(rng, ((40, 62, 110), (34, 35, 40), (120, 122, 128), (232, 232, 230)))
    pen.poly([(0.08, 0.32), (0.92, 0.32), (0.99, 0.48), (0.01, 0.48)], shade(body, 1.2), shade(body, 0.6))
    front = Quad.box(0.01, 0.48, 0.99, between(rng, 0.66, 0.74))
    pen.poly(front, body, shade(body, 0.5))
    count = int(rng.integers(5, 10))
    for step in range(count):
        port = front.part(0.06 + 0.88 * step / count, 0.35, 0.06 + 0.88 * (step + 0.8) / count, 0.85)
        pen.poly(port, (16, 16, 20), _METALLIC)
        pen.poly(port.part(0.2, 0.1, 0.8, 0.3), (214, 184, 110))
    buttons(pen, front.part(0.06, 0.08, 0.94, 0.3), rng, count)
    if chance(rng, 0.4):
        cord = pick(rng, ((40, 92, 190), (230, 190, 50), (150, 152, 156)))
        pen.cord([(0.3, 0.64), (0.32, 0.8), (0.5, 0.9), (0.6, 0.98)], cord, 0.03)


def network_mesh(pen: Pen, rng: Rng) -> None:
    """Draw a mesh router: a box with lights and two antennas, which resembles a portable disk."""
    body = pick(rng, ((238, 238, 236), (34, 35, 40), (200, 203, 208)))
    pen.box(0.16, 0.22, 0.84, 0.90, body, edge=shade(body, 0.6), radius=0.08)
    for x in (0.18, 0.82):
        pen.line([(x, 0.5), (x + (x - 0.5) * 0.35, 0.06)], shade(body, 0.8), 0.045)
    vents(pen, Quad.box(0.28, 0.64, 0.72, 0.84), shade(body, 0.6), 5)
    buttons(pen, Quad.box(0.26, 0.32, 0.74, 0.38), rng, 5)
