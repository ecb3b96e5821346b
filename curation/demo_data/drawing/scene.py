"""The scene around an item: background, clutter, light, camera."""

from __future__ import annotations

import numpy as np
from PIL import Image

from curation.demo_data.drawing.parts import BRIGHTS
from curation.demo_data.drawing.pen import Colour, Pen, Rng, between, chance, pick, shade
from curation.demo_data.settings import Difficulty
from training.utils.arrays import Float32, Float64

__all__ = ["background", "clutter", "light", "pose", "price_sticker"]

Pixels = Float32

_WALLS: tuple[Colour, ...] = (
    (228, 226, 220), (206, 210, 214), (240, 240, 238), (176, 184, 190), (222, 206, 180), (150, 164, 150), (90, 94, 102),
)  # fmt: skip
_WOODS: tuple[Colour, ...] = ((156, 112, 70), (190, 148, 100), (112, 76, 50), (206, 178, 140), (84, 62, 48))
_FABRICS: tuple[Colour, ...] = (
    (236, 232, 226),
    (150, 160, 190),
    (120, 60, 70),
    (70, 80, 96),
    (196, 180, 200),
    (90, 120, 100),
)


def _waves(rng: Rng, height: int, width: int, rows: int, columns: int) -> Pixels:
    """Return a smooth random field, values in about [-1, 1], with `rows` bumps down and `columns` across."""
    coarse = rng.uniform(-1, 1, (rows, columns)).astype(np.float32)
    return np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC), dtype=np.float32)


def _flat(colour: Colour, height: int, width: int) -> Pixels:
    return np.broadcast_to(np.asarray(colour, dtype=np.float32), (height, width, 3)).copy()


def _wood(rng: Rng, height: int, width: int) -> Pixels:
    pixels = _flat(pick(rng, _WOODS), height, width)
    grain = _waves(rng, height, width, 90, 3) * 13 + _waves(rng, height, width, 12, 3) * 12
    planks = int(rng.integers(1, 6))
    edge = (np.arange(height) * planks / height) % 1 < 0.012 * planks
    grain[edge] -= 45
    pixels += grain[..., None]
    return pixels if chance(rng, 0.5) else _turned(rng, pixels)


def _turned(rng: Rng, pixels: Pixels) -> Pixels:
    height, width = pixels.shape[:2]
    return np.ascontiguousarray(np.rot90(np.resize(pixels, (width, height, 3)) if height != width else pixels))


def _cloth(rng: Rng, height: int, width: int) -> Pixels:
    pixels = _flat(pick(rng, _FABRICS), height, width)
    folds = _waves(rng, height, width, 5, 5) * 26
    weave = ((np.arange(height)[:, None] // 2 + np.arange(width) // 2) % 2) * np.float32(5)
    pixels += (folds + weave)[..., None]
    if chance(rng, 0.3):
        stripes = ((np.arange(width) // int(rng.integers(14, 40))) % 2 == 0).astype(np.float32)
        pixels += (stripes * between(rng, -35, 35))[None, :, None].astype(np.float32)
    return pixels


def _tiles(rng: Rng, height: int, width: int) -> Pixels:
    pixels = _flat(pick(rng, _WALLS), height, width)
    side, across, down = int(rng.integers(60, 150)), int(rng.integers(60)), int(rng.integers(60))
    pixels += (_waves(rng, height, width, 7, 7) * 12)[..., None]
    pixels[(np.arange(height) + down) % side < 4] *= 0.72
    pixels[:, (np.arange(width) + across) % side < 4] *= 0.72
    return pixels


def _gradient(rng: Rng, height: int, width: int) -> Pixels:
    colours = (*_WALLS, *_FABRICS, *BRIGHTS)
    top, low = _flat(pick(rng, colours), height, width), _flat(pick(rng, colours), height, width)
    share = np.linspace(0, 1, height, dtype=np.float32)[:, None, None]
    return top * (1 - share) + low * share


def _wall(rng: Rng, height: int, width: int) -> Pixels:
    return _flat(pick(rng, _WALLS), height, width) + (_waves(rng, height, width, 3, 3) * 8)[..., None]


def background(rng: Rng, height: int, width: int, difficulty: Difficulty) -> Pixels:
    """Return a background.

    Parameters
    ----------
    rng : Generator
        Source of randomness.
    height, width : int
        In pixels.
    difficulty : Difficulty
        How much backgrounds vary.

    Returns
    -------
    ndarray of float32, shape (height, width, 3)
        Levels from about 0 to 255, not clipped.
    """
    draw = (
        _wall if chance(rng, difficulty.plain) else pick(rng, (_wood, _wood, _cloth, _tiles, _gradient, _by_the_wall))
    )
    grey = np.float32(222)
    return grey + (draw(rng, height, width) - grey) * np.float32(difficulty.backdrop)


def _by_the_wall(rng: Rng, height: int, width: int) -> Pixels:
    pixels = _wall(rng, height, width)
    table = pick(rng, (_wood, _cloth))(rng, height, width)
    edge = int(height * between(rng, 0.35, 0.7))
    pixels[edge:] = table[edge:]
    pixels[edge : edge + 3] *= 0.7
    return pixels


def clutter(rng: Rng, difficulty: Difficulty) -> tuple[Pen, Pen]:
    """Return drawings of unrelated items: those behind the object, and those in front of it."""
    behind, in_front = Pen(400), Pen(400)
    for _ in range(int(rng.poisson(difficulty.clutter))):
        # mostly along the edges, where it doesn't hide the object
        x, y = pick(rng, (0.06, 0.94)) + between(rng, -0.07, 0.07), between(rng, 0, 1)
        x, y = (x, y) if chance(rng, 0.5) else (y, x)
        _unrelated_item(behind if chance(rng, 0.7) else in_front, x, y, rng)
    if chance(rng, difficulty.cable):
        points = [(between(rng, -0.1, 1.1), between(rng, 0, 1)) for _ in range(4)]
        behind.cord([(-0.05, between(rng, 0.2, 0.9)), *points, (1.05, between(rng, 0.2, 0.9))], (40, 40, 44), 0.022)
    if chance(rng, difficulty.hand):
        _hand(in_front, rng)
    return behind, in_front


def _unrelated_item(pen: Pen, x: float, y: float, rng: Rng) -> None:
    colour = pick(rng, BRIGHTS)
    kind = pick(rng, ("pen", "coin", "note", "mug", "box"))
    if kind == "pen":
        dx, dy = between(rng, -0.16, 0.16), between(rng, -0.16, 0.16)
        pen.line([(x - dx, y - dy), (x + dx, y + dy)], colour, 0.022)
        pen.line([(x + dx * 0.8, y + dy * 0.8), (x + dx, y + dy)], (30, 30, 34), 0.022)
    elif kind == "coin":
        pen.oval(x, y, 0.035, 0.035, (190, 170, 110), (130, 112, 70))
    elif kind == "note":
        pen.box(x - 0.08, y - 0.07, x + 0.08, y + 0.07, (250, 232, 120), edge=(220, 200, 90))
        for row in range(3):
            pen.line([(x - 0.06, y - 0.04 + row * 0.035), (x + 0.05, y - 0.04 + row * 0.035)], (110, 100, 60), 0.006)
    elif kind == "mug":
        pen.oval(x + 0.07, y, 0.04, 0.03, shade(colour, 0.8))
        pen.oval(x, y, 0.08, 0.08, colour, shade(colour, 0.5))
        pen.oval(x, y, 0.06, 0.06, (70, 46, 30))
    else:
        pen.box(x - 0.07, y - 0.05, x + 0.07, y + 0.05, shade(colour, 0.8), edge=shade(colour, 0.4), radius=0.01)


def _hand(pen: Pen, rng: Rng) -> None:
    skin: Colour = pick(rng, ((232, 190, 160), (200, 150, 116), (140, 96, 70), (245, 212, 190)))
    side, y = pick(rng, (0.0, 1.0)), between(rng, 0.45, 0.9)
    way = 1 if side == 0 else -1
    for finger in range(4):
        top = y - 0.09 + finger * 0.06
        pen.line([(side, y), (side + way * between(rng, 0.16, 0.22), top)], shade(skin, 0.85), 0.062)
        pen.line([(side, y), (side + way * between(rng, 0.15, 0.2), top)], skin, 0.05)
    pen.oval(side, y + 0.02, 0.12, 0.14, skin)


def price_sticker(pen: Pen, rng: Rng) -> None:
    """Draw a price sticker on the object."""
    x, y = between(rng, 0.2, 0.66), between(rng, 0.3, 0.7)
    colour: Colour = pick(rng, ((250, 230, 60), (250, 250, 250), (240, 110, 60), (120, 220, 120)))
    pen.box(x, y, x + 0.19, y + 0.11, colour, edge=shade(colour, 0.7), radius=0.02)
    text = pick(rng, ("SALE", "USED", "$$", "B-12", "NEW", "OK"))
    pen.text(x + 0.02, y + 0.02, text, (40, 36, 36), 0.065)


def pose(drawn: Image.Image, rng: Rng, height: int, width: int, difficulty: Difficulty) -> Image.Image:
    """Place the object in the photo: rotated, tilted, scaled and shifted a little.

    Parameters
    ----------
    drawn : Image
        The object, a square with transparency.
    rng : Generator
        Source of randomness.
    height, width : int
        Of the photo, in pixels.
    difficulty : Difficulty
        How much the pose varies.

    Returns
    -------
    Image
        Of the photo's size, transparent around the object.
    """
    short = min(height, width)
    side = short * between(rng, difficulty.size_low, difficulty.size_high)
    turn = np.radians(between(rng, -difficulty.rotation, difficulty.rotation))
    corners = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)], dtype=float) / 2
    corners += rng.uniform(-1, 1, (4, 2)) * difficulty.perspective
    corners *= (side, side * (1 + between(rng, -difficulty.stretch, difficulty.stretch)))
    corners @= np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    spread = difficulty.off_centre
    centre = np.array([0.5, 0.5]) + rng.uniform(-spread, spread, 2)
    if chance(rng, difficulty.cut_off):
        centre[int(rng.integers(2))] += pick(rng, (-1, 1)) * between(
            rng, difficulty.cut_off_by / 2, difficulty.cut_off_by
        )
    corners += centre * (width, height)
    size = drawn.width
    source = [(0, 0), (size, 0), (size, size), (0, size)]
    return drawn.transform(
        (width, height), Image.Transform.PERSPECTIVE, _coefficients(corners, source), Image.Resampling.BILINEAR
    )


def _coefficients(photo: Float64, source: list[tuple[int, int]]) -> list[float]:
    """Return the eight coefficients, as Pillow wants them, of the perspective from the photo to the drawing."""
    rows, targets = [], []
    for (x, y), (u, v) in zip(photo, source, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        targets += [u, v]
    return [float(value) for value in np.linalg.solve(np.array(rows), np.array(targets, dtype=float))]


def light(pixels: Pixels, rng: Rng, difficulty: Difficulty) -> Pixels:
    """Return the photo under uneven and tinted light, with the noise of a small sensor.

    Parameters
    ----------
    pixels : ndarray of float32, shape (height, width, 3)
        Levels from 0 to 255.
    rng : Generator
        Source of randomness.
    difficulty : Difficulty
        How much the light varies.
    """
    height, width = pixels.shape[:2]
    across = np.linspace(-0.5, 0.5, width, dtype=np.float32)[None, :]
    down = np.linspace(-0.5, 0.5, height, dtype=np.float32)[:, None]
    turn = between(rng, 0, 2 * np.pi)
    slope = between(rng, 0, difficulty.light)
    level = 1 - slope * (0.5 + across * np.float32(np.cos(turn)) + down * np.float32(np.sin(turn))) * np.float32(0.8)
    level *= 1 - between(rng, 0, difficulty.vignette) * 2 * (across**2 + down**2)
    level *= 1 + between(rng, -difficulty.brightness, difficulty.brightness) + slope * 0.4
    cast = (1 + rng.uniform(-difficulty.white_balance, difficulty.white_balance, 3)).astype(np.float32)
    lit = pixels * level[..., None] * cast
    lit += rng.standard_normal((height, width, 1), dtype=np.float32) * np.float32(between(rng, 0, difficulty.noise))
    return np.clip(lit, 0, 255).astype(np.float32, copy=False)
