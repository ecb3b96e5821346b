"""Draw a photo from its seed: the item, the scene around it, and the file."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageEnhance, ImageFilter

from curation.demo_data.drawing import bags, cables, computers, scene, screens, small
from curation.demo_data.drawing.pen import Design, Pen, Rng, between, chance, pick
from curation.demo_data.drawing.text import spec_sheet
from curation.demo_data.settings import Difficulty

__all__ = ["DESIGNS", "OFFICE_PRINTER", "SPEC_SHEET", "TOY", "Photo", "photo_bytes"]

TOY = "toy"
OFFICE_PRINTER = "office printer"
SPEC_SHEET = "spec sheet"

#: The designs of each class, with their weights.
DESIGNS: dict[str, tuple[tuple[Design, float], ...]] = {
    "Laptops & Notebooks": (
        (computers.laptop_open, 6),
        (computers.laptop_above, 2),
        (computers.laptop_front, 1.5),
        (computers.laptop_closed, 0.8),
    ),
    "Desktops": (
        (computers.tower, 4),
        (computers.tower_lit, 3),
        (computers.all_in_one, 2),
        (computers.mini_pc, 1),
    ),
    "Cables & Adaptors": (
        (cables.cable_coil, 4),
        (cables.cable_loose, 4),
        (cables.adaptor, 2),
    ),
    "Chargers": ((cables.charger_brick, 5), (cables.charger_cube, 5)),
    "Mouse & Mousepads": (
        (small.mouse_top, 5),
        (small.mouse_on_pad, 3),
        (small.mouse_side, 2),
    ),
    "Monitor Screens": (
        (screens.monitor_front, 6),
        (screens.monitor_wide, 2.5),
        (screens.monitor_back, 1.5),
    ),
    "Computer Keyboard": (
        (cables.keyboard_full, 5),
        (cables.keyboard_lit, 4),
        (cables.keyboard_split, 1),
    ),
    "Hard Disks & Thumbdrives": (
        (small.disk_external, 3),
        (small.disk_bare, 3),
        (small.thumb_drives, 3),
        (small.disk_solid, 1),
    ),
    "Networking Parts & Accessories": (
        (cables.network_router, 6),
        (cables.network_switch, 3),
        (cables.network_mesh, 1),
    ),
    "Webcams": (
        (small.webcam_bar, 5),
        (small.webcam_ball, 3),
        (small.webcam_tripod, 2),
    ),
    "Laptop Bags & Sleeves": (
        (bags.briefcase, 5),
        (bags.backpack, 3),
        (bags.sleeve, 2),
    ),
    "Printers Scanners & Copiers": (
        (screens.printer_inkjet, 5),
        (screens.printer_laser, 3),
        (screens.printer_scanner, 2),
    ),
    TOY: (
        (bags.toy_laptop, 3),
        (bags.toy_plush, 2),
        (bags.toy_robot, 2),
        (bags.toy_blocks, 1.5),
    ),
    OFFICE_PRINTER: ((screens.office_copier, 1),),
}

_DRAWING_SIZE = 512  # pixels; photos are smaller, so that scaling down smooths the edges


@dataclass(frozen=True)
class Photo:
    """Everything that determines a photo's file, apart from the seed of the demo.

    Attributes
    ----------
    number : int
        Number of the photo in the demo.
    drawing : str
        A class, or one of `TOY`, `OFFICE_PRINTER`, `SPEC_SHEET`.
    repost : int or None
        Number of the repost; None for a photo of its own.
    byte_copy : bool
        Whether the repost's file is the original's, byte for byte.
    damage : str
        ``"truncated"``, ``"empty"``, ``"web page"``, or ``""`` for none.
    """

    number: int
    drawing: str
    repost: int | None = None
    byte_copy: bool = False
    damage: str = ""


def photo_bytes(photo: Photo, *, seed: int, difficulty: Difficulty) -> bytes:
    """Return the content of a photo's file.

    Parameters
    ----------
    photo : Photo
        What it shows.
    seed : int
        Seed of the demo, 0 or more.
    difficulty : Difficulty
        How much photos vary.
    """
    rng = np.random.default_rng([seed, 1, photo.number])
    image = _drawn(photo.drawing, rng, difficulty)
    content = _jpeg(image, int(rng.integers(difficulty.quality_low, difficulty.quality_high + 1)))
    if photo.repost is not None and not photo.byte_copy:
        content = _reposted(content, np.random.default_rng([seed, 2, photo.repost]))
    return _damaged(content, photo.damage, rng)


def _drawn(drawing: str, rng: Rng, difficulty: Difficulty) -> Image.Image:
    width, height = int(rng.integers(280, 361)), int(rng.integers(280, 361))
    if drawing == SPEC_SHEET:
        return spec_sheet(rng, width, height)
    pen = Pen(_DRAWING_SIZE)
    designs, weights = zip(*DESIGNS[drawing], strict=True)
    pick(rng, designs, [weight**difficulty.typicality for weight in weights])(pen, rng)
    if chance(rng, 0.5):
        pen.mirror()
    if chance(rng, difficulty.sticker):
        scene.price_sticker(pen, rng)
    item = scene.pose(pen.image, rng, height, width, difficulty)
    behind, in_front = scene.clutter(rng, difficulty)
    image = Image.fromarray(scene.background(rng, height, width, difficulty).clip(0, 255).astype(np.uint8))
    _paste(image, behind.image)
    _cast_shadow(image, item, rng)
    _paste(image, item)
    _paste(image, in_front.image)
    image = Image.fromarray(scene.light(np.asarray(image, dtype=np.float32), rng, difficulty).astype(np.uint8))
    if chance(rng, difficulty.blur):
        image = image.filter(ImageFilter.GaussianBlur(between(rng, 0.4, difficulty.blur_radius)))
    return image


def _paste(image: Image.Image, layer: Image.Image) -> None:
    """Put a layer over the image, scaled to it; an empty one changes nothing."""
    if layer.getbbox() is not None:
        layer = layer if layer.size == image.size else layer.resize(image.size, Image.Resampling.BILINEAR)
        image.paste(layer, (0, 0), layer)


def _cast_shadow(image: Image.Image, item: Image.Image, rng: Rng) -> None:
    """Darken the background beside the item."""
    strength = between(rng, 0.2, 0.6)
    mask = item.getchannel("A").filter(ImageFilter.BoxBlur(6)).point(lambda alpha: alpha * strength)
    image.paste((20, 18, 18), (int(rng.integers(-8, 9)), int(rng.integers(2, 11))), mask)


def _jpeg(image: Image.Image, quality: int) -> bytes:
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=quality)
    return stream.getvalue()


def _reposted(content: bytes, rng: Rng) -> bytes:
    """Return the photo cropped a little, brighter or darker, and saved again."""
    image = Image.open(io.BytesIO(content)).convert("RGB")
    width, height = image.size
    left, top, right, bottom = (between(rng, 0, 0.03) for _ in range(4))
    image = image.crop((int(width * left), int(height * top), int(width * (1 - right)), int(height * (1 - bottom))))
    image = ImageEnhance.Brightness(image).enhance(between(rng, 0.92, 1.08))
    return _jpeg(image, int(rng.integers(50, 86)))


def _damaged(content: bytes, damage: str, rng: Rng) -> bytes:
    if damage == "truncated":
        return content[: int(len(content) * between(rng, 0.3, 0.6))]
    if damage == "empty":
        return b""
    if damage == "web page":
        return b"<html><head><title>404 Not Found</title></head><body><h1>Not Found</h1></body></html>\n"
    return content
