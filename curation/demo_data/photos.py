"""One photo from its seed: the drawing, its scene and the file."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageEnhance, ImageFilter

from curation.demo_data.dials import Difficulty
from curation.demo_data.drawing import bags as shapes_bags
from curation.demo_data.drawing import cables as shapes_cables
from curation.demo_data.drawing import computers as shapes_computers
from curation.demo_data.drawing import scene
from curation.demo_data.drawing import screens as shapes_screens
from curation.demo_data.drawing import small as shapes_small
from curation.demo_data.drawing.pen import Design, Pen, Rng, between, chance, pick
from curation.demo_data.drawing.text import spec_sheet

__all__ = ["DESIGNS", "OFFICE_PRINTER", "SPEC_SHEET", "TOY", "Photo", "photo_bytes"]

TOY = "toy"
OFFICE_PRINTER = "office printer"
SPEC_SHEET = "spec sheet"

#: What is drawn for each class, and how often.
DESIGNS: dict[str, tuple[tuple[Design, float], ...]] = {
    "Laptops & Notebooks": (
        (shapes_computers.laptop_open, 6),
        (shapes_computers.laptop_above, 2),
        (shapes_computers.laptop_front, 1.5),
        (shapes_computers.laptop_closed, 0.8),
    ),
    "Desktops": (
        (shapes_computers.tower, 4),
        (shapes_computers.tower_lit, 3),
        (shapes_computers.all_in_one, 2),
        (shapes_computers.mini_pc, 1),
    ),
    "Cables & Adaptors": (
        (shapes_cables.cable_coil, 4),
        (shapes_cables.cable_loose, 4),
        (shapes_cables.adaptor, 2),
    ),
    "Chargers": ((shapes_cables.charger_brick, 5), (shapes_cables.charger_cube, 5)),
    "Mouse & Mousepads": (
        (shapes_small.mouse_top, 5),
        (shapes_small.mouse_on_pad, 3),
        (shapes_small.mouse_side, 2),
    ),
    "Monitor Screens": (
        (shapes_screens.monitor_front, 6),
        (shapes_screens.monitor_wide, 2.5),
        (shapes_screens.monitor_back, 1.5),
    ),
    "Computer Keyboard": (
        (shapes_cables.keyboard_full, 5),
        (shapes_cables.keyboard_lit, 4),
        (shapes_cables.keyboard_split, 1),
    ),
    "Hard Disks & Thumbdrives": (
        (shapes_small.disk_external, 3),
        (shapes_small.disk_bare, 3),
        (shapes_small.thumb_drives, 3),
        (shapes_small.disk_solid, 1),
    ),
    "Networking Parts & Accessories": (
        (shapes_cables.network_router, 6),
        (shapes_cables.network_switch, 3),
        (shapes_cables.network_mesh, 1),
    ),
    "Webcams": (
        (shapes_small.webcam_bar, 5),
        (shapes_small.webcam_ball, 3),
        (shapes_small.webcam_tripod, 2),
    ),
    "Laptop Bags & Sleeves": (
        (shapes_bags.briefcase, 5),
        (shapes_bags.backpack, 3),
        (shapes_bags.sleeve, 2),
    ),
    "Printers Scanners & Copiers": (
        (shapes_screens.printer_inkjet, 5),
        (shapes_screens.printer_laser, 3),
        (shapes_screens.printer_scanner, 2),
    ),
    TOY: (
        (shapes_bags.toy_laptop, 3),
        (shapes_bags.toy_plush, 2),
        (shapes_bags.toy_robot, 2),
        (shapes_bags.toy_blocks, 1.5),
    ),
    OFFICE_PRINTER: ((shapes_screens.office_copier, 1),),
}

_LAYER = 512  # pixels of a drawing; a photo is smaller, so edges come out smooth


@dataclass(frozen=True)
class Photo:
    """All that decides a photo's file.

    Attributes
    ----------
    number : int
        Which photo of the demo; with the seed, it decides everything that is drawn.
    drawing : str
        A class, or one of `TOY`, `OFFICE_PRINTER`, `SPEC_SHEET`.
    repost : int or None
        Number of the repost, where this file shows the photo of another listing again.
    byte_copy : bool
        The repost's file is the other's, byte for byte.
    damage : str
        ``"truncated"``, ``"empty"``, ``"web page"``, or nothing.
    """

    number: int
    drawing: str
    repost: int | None = None
    byte_copy: bool = False
    damage: str = ""


def photo_bytes(photo: Photo, *, seed: int, dials: Difficulty) -> bytes:
    """Return the content of the photo's file."""
    rng = np.random.default_rng([seed, 1, photo.number])
    image = _drawn(photo.drawing, rng, dials)
    content = _jpeg(image, int(rng.integers(dials.quality_low, dials.quality_high + 1)))
    if photo.repost is not None and not photo.byte_copy:
        content = _reposted(content, np.random.default_rng([seed, 2, photo.repost]))
    return _damaged(content, photo.damage, rng)


def _drawn(drawing: str, rng: Rng, dials: Difficulty) -> Image.Image:
    width, height = int(rng.integers(280, 361)), int(rng.integers(280, 361))
    if drawing == SPEC_SHEET:
        return spec_sheet(rng, width, height)
    pen = Pen(_LAYER)
    designs, weights = zip(*DESIGNS[drawing], strict=True)
    pick(rng, designs, [weight**dials.usual for weight in weights])(pen, rng)
    if chance(rng, 0.5):
        pen.mirror()
    if chance(rng, dials.sticker):
        scene.price_sticker(pen, rng)
    thing = scene.pose(pen.image, rng, height, width, dials)
    behind, before = scene.clutter(rng, dials)
    image = Image.fromarray(scene.background(rng, height, width, dials).clip(0, 255).astype(np.uint8))
    for layer in (behind.image, None, thing, before.image):
        if layer is None:
            _shadow(image, thing, rng)
        elif layer.getbbox() is not None:
            over = layer if layer is thing else layer.resize(image.size, Image.Resampling.BILINEAR)
            image.paste(over, (0, 0), over)
    image = Image.fromarray(scene.light(np.asarray(image, dtype=np.float32), rng, dials).astype(np.uint8))
    if chance(rng, dials.blur):
        image = image.filter(ImageFilter.GaussianBlur(between(rng, 0.4, dials.blur_radius)))
    return image


def _shadow(image: Image.Image, thing: Image.Image, rng: Rng) -> None:
    """Darken what is behind the object, a little to one side of it."""
    strength = between(rng, 0.2, 0.6)
    mask = thing.getchannel("A").filter(ImageFilter.BoxBlur(6)).point(lambda alpha: alpha * strength)
    image.paste((20, 18, 18), (int(rng.integers(-8, 9)), int(rng.integers(2, 11))), mask)


def _jpeg(image: Image.Image, quality: int) -> bytes:
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=quality)
    return stream.getvalue()


def _reposted(content: bytes, rng: Rng) -> bytes:
    """Return the photo as it comes back after a crop, a touch of brightness and another save."""
    image = Image.open(io.BytesIO(content)).convert("RGB")
    width, height = image.size
    left, top, right, low = (between(rng, 0, 0.03) for _ in range(4))
    image = image.crop((int(width * left), int(height * top), int(width * (1 - right)), int(height * (1 - low))))
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
