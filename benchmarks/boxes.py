"""Write a dataset of boxes that only brand and type tell apart, to measure what words in photos find.

    python benchmarks/boxes.py boxes [--listings 300] [--seed 1]
    python benchmarks/detection.py dataset boxes/listings.csv boxes/listings.csv
    python benchmarks/detection.py dataset boxes/listings.csv boxes/listings.csv -- --no-text

Boxes of any colour on any ground, six classes of five products each, 12 % wrong labels at random, no titles, no prices.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image, ImageDraw, ImageFont

PRODUCTS = {
    "phones": ("Samsung Galaxy A52", "Apple iPhone 12", "Nokia 3310", "Motorola Moto G9", "Xiaomi Redmi 10"),
    "printers": (
        "Canon PIXMA TS5350",
        "HP DeskJet 2720",
        "Epson EcoTank 2850",
        "Brother HL-L2350",
        "Samsung Xpress M2070",
    ),
    "monitors": ("Dell UltraSharp 27", "Samsung Odyssey G5", "LG UltraGear 27", "BenQ GW2480", "AOC 24G2"),
    "routers": ("TP-Link Archer C6", "Netgear Nighthawk", "Asus RT-AX55", "Linksys Velop", "AVM FRITZ!Box 7590"),
    "consoles": (
        "Sony PlayStation 5",
        "Microsoft Xbox Series S",
        "Nintendo Switch",
        "Sega Mega Drive Mini",
        "Valve Steam Deck",
    ),
    "tablets": (
        "Apple iPad Air",
        "Samsung Galaxy Tab A7",
        "Lenovo Tab M10",
        "Amazon Fire HD 10",
        "Huawei MatePad 11",
    ),
}
WRONG = 0.12


def main() -> None:
    """Write the dataset."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--listings", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    rng, classes, rows = np.random.default_rng(options.seed), list(PRODUCTS), []
    (options.folder / "images").mkdir(parents=True)
    for number in range(options.listings):
        true = classes[rng.integers(len(classes))]
        product = PRODUCTS[true][rng.integers(len(PRODUCTS[true]))]
        image = f"images/{number:04}.jpg"
        box(rng, product).save(options.folder / image, quality=85)
        others = [each for each in classes if each != true]
        given = true if rng.random() > WRONG else str(rng.choice(others))
        rows.append({"id": f"{number:04}", "image": image, "label": given, "true_label": true})
    pd.DataFrame(rows).to_csv(options.folder / "listings.csv", index=False)


def box(rng: np.random.Generator, product: str) -> Image.Image:
    """Draw a box with the brand above the type."""
    width, height = (int(side) for side in rng.integers(320, 520, 2))
    ground = tuple(int(shade) for shade in rng.integers(90, 230, 3))
    colour = tuple(int(shade) for shade in rng.integers(30, 250, 3))
    ink = (250, 250, 250) if sum(colour) < 380 else (15, 15, 15)
    left, top = width * rng.uniform(0.05, 0.2), height * rng.uniform(0.1, 0.3)
    right, bottom = width * rng.uniform(0.75, 0.95), height * rng.uniform(0.65, 0.95)
    image = Image.new("RGB", (width, height), ground)
    pen = ImageDraw.Draw(image)
    pen.rectangle((left, top, right, bottom), fill=colour)
    brand, _, kind = product.partition(" ")
    size = int((right - left) * rng.uniform(0.07, 0.11))
    x, y = left + 0.08 * (right - left), top + (bottom - top) * rng.uniform(0.1, 0.4)
    pen.text((x, y), brand, fill=ink, font=ImageFont.load_default(int(1.2 * size)))
    pen.text((x, y + 1.6 * size), kind, fill=ink, font=ImageFont.load_default(size))
    return image.rotate(rng.uniform(-4, 4), fillcolor=ground, resample=Image.Resampling.BICUBIC)


if __name__ == "__main__":
    main()
