"""The classes of the marketplace: how common they are, what they cost, and how sellers describe them."""

from __future__ import annotations

import math
from dataclasses import dataclass

from curation.demo_data.drawing.pen import Rng, between, chance, pick

__all__ = [
    "ACCESSORIES", "CLASSES", "LAPTOPS", "MISTAKEN", "PRINTERS", "Category", "office_printer_title", "price_of",
    "reworded", "title_of", "toy_title",
]  # fmt: skip

LAPTOPS = "Laptops & Notebooks"
PRINTERS = "Printers Scanners & Copiers"


@dataclass(frozen=True)
class Category:
    """One class of the marketplace.

    Attributes
    ----------
    weight : float
        How common it is, relative to the other classes.
    median, spread : float
        Median price in SGD, and the standard deviation of the natural logarithm of the price.
    names, details : tuple of str
        What sellers call the item, and what they add to its name.
    """

    weight: float
    median: float
    spread: float
    names: tuple[str, ...]
    details: tuple[str, ...]


CLASSES: dict[str, Category] = {
    LAPTOPS: Category(
        1.0, 650, 0.40,
        ("laptop", "notebook", "laptop", "ultrabook", "gaming laptop", "chromebook"),
        ("i5 8gb", "i7 16gb 512gb ssd", "14 inch", "15.6 inch", "ryzen 5", "with charger", "with free bag"),
    ),
    "Desktops": Category(
        1.0, 550, 0.42,
        ("desktop", "desktop pc", "gaming pc", "tower", "mini pc", "custom pc", "all in one"),
        ("i5 8gb", "i7 16gb", "gtx 1660", "rgb", "with monitor", "with keyboard and mouse", "256gb ssd", "office use"),
    ),
    "Cables & Adaptors": Category(
        1.0, 9, 0.45,
        ("hdmi cable", "usb c cable", "displayport cable", "adaptor", "usb hub cable", "vga cable", "extension cable"),
        ("1.5m", "2m", "4k", "braided", "for monitor", "for laptop", "type c to hdmi", "3 pcs"),
    ),
    "Chargers": Category(
        0.45, 18, 0.40,
        ("charger", "laptop charger", "power adapter", "usb c charger", "wall charger"),
        ("65w", "45w", "for laptop", "19.5v", "with cable", "fast charge", "3 pin"),
    ),
    "Mouse & Mousepads": Category(
        1.0, 22, 0.45,
        ("mouse", "wireless mouse", "gaming mouse", "mouse", "mousepad", "mouse with mousepad"),
        ("bluetooth", "rgb", "silent click", "1600 dpi", "for laptop", "xl", "with usb receiver"),
    ),
    "Monitor Screens": Category(
        1.0, 160, 0.40,
        ("monitor", "led monitor", "gaming monitor", "ultrawide", "screen", "display"),
        ("24 inch", "27 inch", "144hz", "1080p", "4k", "with hdmi cable", "vga", "curved", "for desktop"),
    ),
    "Computer Keyboard": Category(
        1.0, 45, 0.45,
        ("keyboard", "mechanical keyboard", "wireless keyboard", "gaming keyboard", "keyboard"),
        ("blue switch", "rgb", "87 keys", "tkl", "with mouse", "bluetooth", "for desktop", "brown switch"),
    ),
    "Hard Disks & Thumbdrives": Category(
        0.5, 55, 0.45,
        ("hard disk", "external hdd", "ssd", "thumbdrive", "portable drive", "usb drive"),
        ("1tb", "500gb", "256gb", "2tb", "usb 3.0", "sata", "from my old laptop", "with cable"),
    ),
    "Networking Parts & Accessories": Category(
        1.0, 45, 0.45,
        ("router", "wifi router", "network switch", "mesh wifi", "access point", "modem"),
        ("ac1200", "8 port", "gigabit", "dual band", "with lan cable", "wifi 6", "with adapter"),
    ),
    "Webcams": Category(
        0.45, 40, 0.40,
        ("webcam", "web camera", "usb webcam", "hd webcam", "camera for pc"),
        ("1080p", "720p", "with mic", "with tripod", "for monitor", "zoom meeting", "autofocus"),
    ),
    "Laptop Bags & Sleeves": Category(
        1.0, 20, 0.40,
        ("laptop bag", "laptop sleeve", "backpack", "notebook case", "bag", "sleeve"),
        ("15 inch", "13 inch", "waterproof", "with strap", "leather", "slim", "14 inch laptop"),
    ),
    PRINTERS: Category(
        1.0, 120, 0.40,
        ("printer", "inkjet printer", "laser printer", "scanner", "all in one printer", "copier"),
        ("with ink", "wifi", "duplex", "a4", "with usb cable", "colour", "new toner", "scan and copy"),
    ),
}  # fmt: skip

#: The class that sellers choose for an item of another one: what it is a part of, or is used with.
MISTAKEN: dict[str, str] = {
    "Hard Disks & Thumbdrives": "Desktops",
    "Computer Keyboard": "Desktops",
    "Webcams": "Monitor Screens",
}
#: Classes of cheap items that sellers list as laptops.
ACCESSORIES: tuple[str, ...] = ("Laptop Bags & Sleeves", "Chargers", "Mouse & Mousepads")

_BRANDS = ("Axonix", "Velto", "Norvik", "Kestro", "Mirano", "Talus", "Zephlo", "Orbex")
_MODELS = ("X200", "Pro", "S3", "lite", "M-510", "Air2", "V14", "T9", "mk2", "G7")
_CONDITIONS = (
    "used", "like new", "9/10 condition", "brand new", "bnib", "good condition", "preloved", "works well", "no box",
)  # fmt: skip
_SALES_TALK = ("cheap", "fast deal", "nego", "must go", "self collect", "clearing", "moving out sale", "price firm")
_VAGUE = (
    "selling cheap, letting go", "clearing my room", "letting go at low price", "as in picture", "used, still works",
    "moving house sale", "quick sale pls", "bought wrongly, unopened", "spare part, pm me", "good condition, see photo",
)  # fmt: skip
_TOYS = (
    "kids learning laptop toy", "my first laptop toy", "educational toy computer abc", "toy robot with buttons",
    "plush toy bear", "building blocks for kids", "children toy, lights and music", "kids laptop, alphabet and songs",
)  # fmt: skip
_OFFICE = (
    "office A3 multifunction copier", "office copier A3 colour, duplex", "multifunction office printer copier A3",
    "commercial laser copier, office use", "A3 copier with finisher, ex office lease",
)  # fmt: skip


def title_of(label: str, rng: Rng) -> str:
    """Return a title for an item of this class, as a seller would type it."""
    if chance(rng, 0.13):
        return _as_typed(f"{pick(rng, _BRANDS)} {pick(rng, _VAGUE)}" if chance(rng, 0.3) else pick(rng, _VAGUE), rng)
    category = CLASSES[label]
    words = [pick(rng, category.names)]
    if chance(rng, 0.45):
        words.insert(0, pick(rng, _BRANDS) + (f" {pick(rng, _MODELS)}" if chance(rng, 0.6) else ""))
        if chance(rng, 0.12):
            # some sellers give only the brand and the model
            words.pop()
    if chance(rng, 0.7):
        words.append(pick(rng, category.details))
    if chance(rng, 0.45):
        words.append(pick(rng, _CONDITIONS))
    if chance(rng, 0.25):
        words.append(pick(rng, _SALES_TALK))
    if chance(rng, 0.12):
        words.append(f"(can bundle with {pick(rng, CLASSES[pick(rng, list(CLASSES))].names)})")
    if len(words) == 1:
        words.append(pick(rng, _CONDITIONS))
    return _as_typed(pick(rng, (" ", " ", ", ", " - ")).join(words), rng)


def toy_title(rng: Rng) -> str:
    """Return a title for a toy."""
    return _as_typed(f"{pick(rng, _TOYS)} {pick(rng, _CONDITIONS)}", rng)


def office_printer_title(rng: Rng) -> str:
    """Return a title for a large office copier."""
    return f"{pick(rng, _BRANDS)} {pick(rng, _OFFICE)}"


def reworded(title: str, rng: Rng) -> str:
    """Return the title of a repost: the original's, with a word or two added."""
    extra = pick(rng, ("repost", "still available", "reduced", "last call", "pm me", "1 left"))
    return f"{extra}: {title}" if chance(rng, 0.4) else f"{title} ({extra})"


def _as_typed(text: str, rng: Rng) -> str:
    """Return the text as a seller types it: in any case, sometimes with two letters swapped."""
    if chance(rng, 0.08):
        at = int(rng.integers(1, len(text) - 2))
        text = text[:at] + text[at + 1] + text[at] + text[at + 2 :]
    style = pick(rng, ("as is", "lower", "first", "upper"), (4, 3, 3, 1))
    if style == "lower":
        return text.lower()
    if style == "upper":
        return text.upper()
    return text[0].upper() + text[1:] if style == "first" else text


def price_of(label: str, rng: Rng, *, low: float = 3, high: float = math.inf) -> float:
    """Return an asking price for an item of this class.

    Parameters
    ----------
    label : str
        One of `CLASSES`.
    rng : Generator
        Source of randomness.
    low, high : float
        Bounds of the price in SGD.

    Returns
    -------
    float
        In SGD, log-normal, rounded as sellers do.
    """
    category = CLASSES[label]
    return min(max(rounded(category.median * math.exp(rng.normal(0, category.spread)), rng), low), high)


def rounded(price: float, rng: Rng) -> float:
    """Return the round figure, or the one just below it, that a seller would ask; `price` is in SGD."""
    if price < 20:
        whole = float(max(3, round(price)))
        return whole - 0.10 if chance(rng, 0.3) else whole
    step = 1 if price < 50 else 5 if price < 200 else 10 if price < 1000 else 50
    near = float(round(price / step) * step)
    if price < 1000 and chance(rng, 0.15):
        return near - 1 if near % 10 == 0 else near
    return near if between(rng, 0, 1) < 0.8 else float(round(price / (2 * step)) * 2 * step)
