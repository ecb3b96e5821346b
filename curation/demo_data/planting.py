"""The listings of the demo and their errors; the photos are drawn elsewhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np

from curation.demo_data import catalogue
from curation.demo_data.catalogue import ACCESSORIES, CLASSES, LAPTOPS, MISTAKEN, PRINTERS
from curation.demo_data.drawing.pen import Rng, between, chance, pick
from curation.demo_data.photos import OFFICE_PRINTER, SPEC_SHEET, TOY, Photo
from curation.demo_data.settings import Shares

__all__ = ["ISSUES", "Row", "issue_counts", "planned_counts", "planted_rows"]

#: The kinds of issues, in the order in which the README lists them.
ISSUES = ("label", "price", "indirect_image", "near_duplicate", "unreadable")


@dataclass(frozen=True)
class Row:
    """A listing and the truth about it.

    Attributes
    ----------
    id : str
        Empty until all rows are shuffled.
    photo : Photo
        Its photo.
    label, true_label : str
        The class it is listed under, and the one it belongs to (``"other"`` for a toy).
    price, true_price : float
        In SGD.
    title : str
        What the seller wrote.
    issues : tuple of str
        Some of `ISSUES`; empty for a sound listing.
    original : int or None
        Number of the photo that a repost shows again; None otherwise.
    note : str
        What is wrong or remarkable, in words.
    """

    photo: Photo
    label: str
    true_label: str
    price: float
    true_price: float
    title: str
    id: str = ""
    issues: tuple[str, ...] = ()
    original: int | None = None
    note: str = ""

    @property
    def sound(self) -> bool:
        """Whether nothing about it is wrong or remarkable."""
        return not self.issues and not self.note


def planted_rows(listings: int, *, seed: int, shares: Shares | None = None) -> list[Row]:
    """Return all listings of a demo, shuffled, with ids.

    Parameters
    ----------
    listings : int
        Number of listings, reposts included.
    seed : int
        0 or more. The same seed, number and shares give the same rows.
    shares : Shares, optional
        How many listings get each kind of issue.
    """
    rng = np.random.default_rng([seed, 0])
    planned = planned_counts(listings, shares or Shares())
    special = planned["toys"] + planned["spec_sheets"] + planned["office_printers"]
    labels = _labels(listings - planned["reposts"] - special)
    labels += (
        [TOY] * planned["toys"] + [SPEC_SHEET] * planned["spec_sheets"] + [OFFICE_PRINTER] * planned["office_printers"]
    )
    rows = [_row(number, label, rng) for number, label in enumerate(labels)]
    _plant(rows, planned, rng)
    rows += _reposts(rows, planned, rng)
    return _shuffled(rows, rng)


def planned_counts(listings: int, shares: Shares) -> dict[str, int]:
    """Return the number of listings of each kind to plant.

    Parameters
    ----------
    listings : int
        Size of the demo.
    shares : Shares
        How many of them get each kind of issue.
    """

    def number(share: float) -> int:
        return max(shares.least, round(share * listings))

    as_laptop, reposts = number(shares.as_laptop), number(shares.reposts)
    toys = max(2, round(as_laptop * shares.toys))
    return {
        "toys": toys,
        "accessories": as_laptop - toys,
        "under_main_class": number(shares.under_main_class),
        "spec_sheets": number(shares.spec_sheets),
        "reposts": reposts,
        "reposts_relabelled": max(1, round(reposts * shares.reposts_relabelled)),
        "byte_copies": max(2, round(reposts * shares.byte_copies)),
        "price_slips": number(shares.price_slips),
        "placeholders": number(shares.placeholders),
        "office_printers": number(shares.office_printers),
        "unreadable": number(shares.unreadable),
    }


def _labels(total: int) -> list[str]:
    """Return the labels of `total` listings, in proportion to the weights of the classes (largest remainder)."""
    weight = sum(category.weight for category in CLASSES.values())
    exact = {name: total * category.weight / weight for name, category in CLASSES.items()}
    whole = {name: int(value) for name, value in exact.items()}
    by_remainder = sorted(exact, key=lambda name: whole[name] - exact[name])
    for name in by_remainder[: total - sum(whole.values())]:
        whole[name] += 1
    return [name for name, count in whole.items() for _ in range(count)]


def _row(number: int, drawing: str, rng: Rng) -> Row:
    """Return a listing that has no issue, except for a toy or a spec sheet."""
    photo = Photo(number, drawing)
    if drawing == TOY:
        price = catalogue.rounded(between(rng, 6, 30), rng)
        title = catalogue.toy_title(rng)
        return Row(photo, LAPTOPS, "other", price, price, title, issues=("label",), note="toy listed as a laptop")
    if drawing == SPEC_SHEET:
        price = catalogue.price_of(LAPTOPS, rng)
        title = catalogue.title_of(LAPTOPS, rng)
        note = "photo of a spec sheet"
        return Row(photo, LAPTOPS, LAPTOPS, price, price, title, issues=("indirect_image",), note=note)
    if drawing == OFFICE_PRINTER:
        price = float(round(between(rng, 2500, 9000) / 50) * 50)
        title = catalogue.office_printer_title(rng)
        return Row(photo, PRINTERS, PRINTERS, price, price, title, note="genuine office printer")
    price = catalogue.price_of(drawing, rng)
    return Row(photo, drawing, drawing, price, price, catalogue.title_of(drawing, rng))


def _plant(rows: list[Row], planned: dict[str, int], rng: Rng) -> None:
    """Plant one kind of issue each in some of the sound rows."""

    def plant(count: int, labels: Collection[str], spoil: Callable[[Row, int], Row]) -> None:
        sound = [at for at, row in enumerate(rows) if row.sound and row.true_label in labels]
        for turn, at in enumerate(rng.permutation(sound)[:count].tolist()):
            rows[at] = spoil(rows[at], turn)

    plant(planned["accessories"], ACCESSORIES, lambda row, _: _as_laptop(row, rng))
    plant(planned["under_main_class"], MISTAKEN, lambda row, _: _under_main_class(row))
    plant(planned["price_slips"], CLASSES, lambda row, _: _price_slip(row, rng))
    plant(planned["placeholders"], CLASSES, _placeholder)
    plant(planned["unreadable"], CLASSES, _unreadable)


def _as_laptop(row: Row, rng: Rng) -> Row:
    price = catalogue.price_of(row.true_label, rng, low=5, high=30)
    note = "accessory listed as a laptop"
    return replace(row, label=LAPTOPS, price=price, true_price=price, issues=("label",), note=note)


def _under_main_class(row: Row) -> Row:
    note = "listed under what it is used with"
    return replace(row, label=MISTAKEN[row.true_label], issues=("label",), note=note)


def _price_slip(row: Row, rng: Rng) -> Row:
    # sellers notice a cable for cents and a desktop for the price of a flat, so those slips are rare
    up = chance(rng, 0.85 if row.price < 30 else 0.15 if row.price > 300 else 0.5)
    factor = pick(rng, (10, 100), (2, 1))
    price = row.price * factor if up else row.price / factor
    note = f"price {factor} times too {'high' if up else 'low'}"
    return replace(row, price=round(price, 2), issues=("price",), note=note)


def _placeholder(row: Row, turn: int) -> Row:
    return replace(row, price=(1.0, 0.0, 123456.0)[turn % 3], issues=("price",), note="placeholder price")


def _unreadable(row: Row, turn: int) -> Row:
    damage = ("truncated", "empty", "web page")[turn % 3]
    return replace(row, photo=replace(row.photo, damage=damage), issues=("unreadable",), note=f"{damage} file")


def _reposts(rows: Sequence[Row], planned: dict[str, int], rng: Rng) -> list[Row]:
    """Return reposts of sound rows: some with the same file, some under another class."""
    sound = [row for row in rows if row.sound]
    # only a class whose items sellers list under another one can be relabelled, so these rows come first
    order = sorted(rng.permutation(len(sound)).tolist(), key=lambda at: sound[at].true_label not in MISTAKEN)
    relabelled, others = order[: planned["reposts_relabelled"]], order[planned["reposts_relabelled"] :]
    others = rng.permutation(others).tolist()
    chosen = [sound[at] for at in [*relabelled, *others][: planned["reposts"]]]
    first_copy = len(chosen) - planned["byte_copies"]
    return [
        _repost(row, len(rows) + turn, rng, relabel=turn < planned["reposts_relabelled"], copy=turn >= first_copy)
        for turn, row in enumerate(chosen)
    ]


def _repost(row: Row, number: int, rng: Rng, *, relabel: bool, copy: bool) -> Row:
    price = row.price if chance(rng, 0.5) else round(row.price * between(rng, 0.92, 1.0), 1 if row.price < 20 else 0)
    return replace(
        row,
        photo=replace(row.photo, repost=number, byte_copy=copy),
        label=MISTAKEN[row.true_label] if relabel else row.label,
        price=price,
        true_price=price,
        title=catalogue.reworded(row.title, rng),
        issues=("label", "near_duplicate") if relabel else ("near_duplicate",),
        original=row.photo.number,
        note="repost under another class" if relabel else "repost, same file" if copy else "repost",
    )


def _shuffled(rows: Sequence[Row], rng: Rng) -> list[Row]:
    """Return the rows in random order, with ids that reveal neither the class nor the order."""
    numbers = rng.permutation(len(rows)) + 1
    return [replace(rows[at], id=f"L{numbers[place]:05d}") for place, at in enumerate(rng.permutation(len(rows)))]


def issue_counts(rows: Sequence[Row]) -> dict[str, int]:
    """Return the number of listings with each kind of issue; one with two kinds counts for both.

    Examples
    --------
    >>> issue_counts([])
    {'label': 0, 'price': 0, 'indirect_image': 0, 'near_duplicate': 0, 'unreadable': 0}
    """
    counts = Counter(kind for row in rows for kind in row.issues)
    return {kind: counts[kind] for kind in ISSUES}
