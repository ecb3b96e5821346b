"""Draw spec sheets: pictures of text instead of a photo of the item."""

from __future__ import annotations

from PIL import Image, ImageDraw, ImageFont

from curation.demo_data.drawing.pen import Colour, Rng, between, pick, shade

__all__ = ["spec_sheet"]

_THEMES: tuple[tuple[Colour, Colour, Colour], ...] = (
    ((252, 252, 250), (34, 36, 42), (40, 92, 180)),
    ((244, 244, 240), (50, 50, 54), (180, 50, 46)),
    ((0, 102, 178), (250, 250, 250), (255, 220, 120)),
    ((22, 24, 30), (232, 234, 238), (110, 190, 255)),
    ((30, 30, 30), (200, 240, 200), (120, 230, 140)),
)
_LINES: dict[str, tuple[str, ...]] = {
    "Processor": ("i5-1135G7", "i7-8650U @ 1.90GHz", "i5-8250U", "Ryzen 5 4500U", "i3-1005G1", "i7-1165G7"),
    "RAM": ("8GB", "16GB DDR4", "8.00 GB (7.85 usable)", "12GB", "32GB"),
    "Storage": ("256GB SSD", "512GB NVMe", "1TB HDD", "128GB SSD + 1TB"),
    "Display": ('14" FHD IPS', '15.6" 1920x1080', '13.3" touch', '17.3" 144Hz'),
    "Graphics": ("Iris Xe", "UHD 620", "GTX 1650 4GB", "RTX 3050", "Vega 6"),
    "System": ("Win 10 Pro 64-bit", "Win 11 Home", "Linux", "no OS"),
    "Battery": ("3 hours", "health 87%", "replaced 2022", "50Wh"),
    "Ports": ("2x USB-C, HDMI", "3x USB, LAN", "USB-C, audio"),
    "Weight": ("1.3 kg", "2.1 kg", "1.75 kg"),
    "Warranty": ("till Dec", "expired", "6 months left"),
    "Condition": ("9/10", "used, works", "like new"),
}
_TITLES = ("Specifications", "About this PC", "System", "Device specs", "SPECS:", "Full spec list", "Product details")


def spec_sheet(rng: Rng, width: int, height: int) -> Image.Image:
    """Return a picture of a laptop's specifications: a table, a list or a screenshot.

    Parameters
    ----------
    rng : Generator
        Source of randomness.
    width, height : int
        In pixels.
    """
    paper, ink, accent = pick(rng, _THEMES)
    image = Image.new("RGB", (width, height), paper)
    draw = ImageDraw.Draw(image)
    kind = pick(rng, ("table", "list", "screenshot"))
    size = int(rng.integers(12, 17))
    font, head = ImageFont.load_default(size=size), ImageFont.load_default(size=size * 1.5)
    left, y = int(between(rng, 8, 26)), int(between(rng, 8, 24))
    if kind == "screenshot":
        _window(draw, width, height, paper, ink)
        left, y = max(left, 62), 40
    draw.text((left, y), pick(rng, _TITLES), fill=accent, font=head)
    y += int(size * 2.2)
    step = int(size * between(rng, 1.45, 2.0))
    names = [str(name) for name in rng.permutation(list(_LINES))]
    for row, name in enumerate(names):
        if y + step > height - 8:
            break
        value = pick(rng, _LINES[name])
        if kind == "table":
            band = shade(paper, 0.93) if sum(paper) > 380 else shade(paper, 1.15)
            if row % 2:
                draw.rectangle((left - 4, y - 3, width - 8, y + step - 4), fill=band)
            draw.line((left - 4, y + step - 4, width - 8, y + step - 4), fill=accent)
            draw.text((left, y), name, fill=ink, font=font)
            draw.text((left + size * 7, y), value, fill=ink, font=font)
        else:
            mark = "- " if kind == "list" and row % 3 < 2 else ""
            draw.text((left, y), f"{mark}{name}: {value}", fill=ink, font=font)
        y += step
    return image


def _window(draw: ImageDraw.ImageDraw, width: int, height: int, paper: Colour, ink: Colour) -> None:
    side = shade(paper, 0.85) if sum(paper) > 380 else shade(paper, 1.3)
    draw.rectangle((0, 0, 52, height), fill=side)
    draw.rectangle((0, 0, width, 26), fill=shade(side, 0.8))
    for step in range(3):
        draw.ellipse((width - 20 - step * 20, 8, width - 10 - step * 20, 18), outline=ink)
    for step in range(6):
        draw.rectangle((8, 40 + step * 30, 42, 46 + step * 30), fill=ink)
