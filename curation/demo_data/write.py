"""Write the demo's files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from curation.demo_data.catalogue import CLASSES
from curation.demo_data.photos import Photo, photo_bytes
from curation.demo_data.planting import ISSUES, Row, issue_counts, planted_rows
from curation.demo_data.settings import Difficulty, Shares
from curation.errors import InputError
from curation.rendering.results import Result
from training.utils.csv_files import csv_lines
from training.utils.files import whole_folder
from training.utils.flock import sweep
from training.utils.parallel import cores
from training.utils.progress import SILENT, Progress, Reporter

__all__ = ["LEAST", "DemoSummary", "write_demo"]

LEAST = 120  # fewer leave no room for each kind of issue and a dozen sound photos of each class

_DATASET = """\
name = "demo"
table = "listings.csv"
currency = "SGD"

[expected]
listings = {listings}
classes = {classes}
"""

_README = """\
# Demo marketplace

{listings} listings of computer parts in {classes} classes, written by `curate demo` with seed {seed}.

Nothing here is real: a program draws every photo, brands are invented, and prices in SGD are made up. The same seed
and number of listings give the same files.

| file | content |
|---|---|
| `dataset.toml` | how to read the table |
| `listings.csv` | `id, image, label, price, title`: what a marketplace knows |
| `truth.csv` | `id, true_label, true_price, issues, duplicate_of, note`: the truth; `curate` never reads it by itself |
| `images/` | the photos |

## What was planted

| issue | listings | what |
|---|---:|---|
{planted}

Kinds are joined by `;` where a listing has two: a repost under another class is `label;near_duplicate`. Toys have the
true label `other`, which is none of the classes. {office} genuine office printers are expensive but sound, so flagging
their price is a mistake. All other listings are sound.
"""

_DESCRIPTIONS = {
    "label": "wrong class: accessories, parts and toys under what they are used with, or look like",
    "price": "10 or 100 times too high or too low, or no price at all: 0, 1, 123456",
    "indirect_image": "laptops whose photo is a picture of text",
    "near_duplicate": "reposts of another listing, in `duplicate_of`",
    "unreadable": "files that are cut short, empty or not an image",
}


@dataclass(frozen=True)
class DemoSummary(Result):
    """The outcome of :func:`curation.demo`.

    Attributes
    ----------
    folder : Path
        Absolute path of the demo.
    listings : int
        Number of listings.
    planted : dict of str to int
        Number of listings with each kind of issue; a listing with two kinds counts for both.
    """

    folder: Path
    listings: int
    planted: dict[str, int]

    def to_dict(self) -> dict[str, Any]:
        """Return the summary as JSON has it, the folder as text."""
        return {"folder": str(self.folder), "listings": self.listings, "planted": dict(self.planted)}


def write_demo(
    folder: Path,
    *,
    listings: int = 600,
    seed: int = 0,
    reporter: Reporter = SILENT,
    difficulty: Difficulty | None = None,
    shares: Shares | None = None,
) -> DemoSummary:
    """Write a small marketplace with planted, known issues: all of it, or nothing.

    Parameters
    ----------
    folder : Path
        New or empty.
    listings : int
        Number of listings, reposts and unreadable photos included; at least 120.
    seed : int
        0 or more. The same seed and number of listings give the same files, byte for byte.
    reporter : Reporter
        Shows how many photos are written.
    difficulty : Difficulty, optional
        How much the photos vary.
    shares : Shares, optional
        How many listings get each kind of issue.

    Returns
    -------
    DemoSummary

    Raises
    ------
    InputError
        If the folder isn't empty, or the number of listings or the seed is too small.

    Examples
    --------
    >>> write_demo(Path("shop"), listings=600).planted["unreadable"]  # doctest: +SKIP
    6
    """
    folder = folder.absolute()
    _check(folder, listings, seed)
    rows = planted_rows(listings, seed=seed, shares=shares)
    with whole_folder(folder, new=True, fix="Name another folder.") as built:
        (built / "images").mkdir()
        draw = partial(photo_bytes, seed=seed, difficulty=difficulty or Difficulty())
        with reporter.bar("drawing listings") as progress:
            _write_photos(built, rows, draw, progress)
        _write_tables(built, rows, seed)
    return DemoSummary(folder=folder, listings=len(rows), planted=issue_counts(rows))


def _check(folder: Path, listings: int, seed: int) -> None:
    if listings < LEAST:
        raise InputError(
            "too few listings for a demo",
            got=str(listings),
            wanted=f"{LEAST} or more",
            fix=f"Try `listings={LEAST}`: fewer leave no room for each kind of issue.",
            parameter="listings",
        )
    if seed < 0:
        raise InputError(
            "the seed is negative", got=str(seed), wanted="0 or more", fix="Try `seed=0`.", parameter="seed"
        )
    if folder.exists() and not folder.is_dir():
        raise InputError(f"can't write the demo to {folder}", got="a file", wanted="a new or empty folder")
    sweep(folder)
    if folder.is_dir() and (inside := sorted(path.name for path in folder.iterdir())):
        raise InputError(
            f"can't write the demo to {folder}",
            got=f"a folder that holds {inside[0]!r}" + (f" and {len(inside) - 1} more" if len(inside) > 1 else ""),
            wanted="a new or empty folder",
            fix="Name another folder, or empty this one.",
        )


def _write_photos(
    folder: Path,
    rows: Sequence[Row],
    draw: Callable[[Photo], bytes],
    progress: Progress,
) -> None:
    for done, (row, content) in enumerate(
        zip(rows, _drawn_in_threads(draw, [row.photo for row in rows]), strict=True), 1
    ):
        (folder / _image_path(row)).write_bytes(content)
        progress(done, len(rows))


def _drawn_in_threads(draw: Callable[[Photo], bytes], photos: Iterable[Photo]) -> Iterator[bytes]:
    """Yield the content of the files in order, drawing a few ahead.

    Threads are enough, because Pillow and NumPy do most of the work and release the interpreter lock. Processes would
    run the caller's script again.
    """
    remaining = iter(photos)
    workers = cores()
    with ThreadPoolExecutor(workers) as pool:
        ahead = [pool.submit(draw, photo) for photo in islice(remaining, 2 * workers)]
        while ahead:
            yield ahead.pop(0).result()
            ahead += [pool.submit(draw, photo) for photo in islice(remaining, 1)]


def _image_path(row: Row) -> str:
    return f"images/{row.id}.jpg"


def _price_text(price: float) -> str:
    return f"{price:.2f}".rstrip("0").rstrip(".")


def _write_tables(folder: Path, rows: Sequence[Row], seed: int) -> None:
    ids = {row.photo.number: row.id for row in rows if row.original is None}
    _write_csv(
        folder / "listings.csv",
        ("id", "image", "label", "price", "title"),
        ((row.id, _image_path(row), row.label, _price_text(row.price), row.title) for row in rows),
    )
    _write_csv(
        folder / "truth.csv",
        ("id", "true_label", "true_price", "issues", "duplicate_of", "note"),
        (
            (
                row.id,
                row.true_label,
                _price_text(row.true_price),
                ";".join(row.issues),
                "" if row.original is None else ids[row.original],
                row.note,
            )
            for row in rows
        ),
    )
    sizes = {"listings": len(rows), "classes": len(CLASSES)}
    (folder / "dataset.toml").write_text(_DATASET.format(**sizes), encoding="utf-8")
    counts = issue_counts(rows)
    planted = "\n".join(f"| `{kind}` | {counts[kind]} | {_DESCRIPTIONS[kind]} |" for kind in ISSUES)
    office = sum(row.note == "genuine office printer" for row in rows)
    readme = _README.format(**sizes, seed=seed, planted=planted, office=office)
    (folder / "README.md").write_text(readme, encoding="utf-8")


def _write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        stream.writelines(csv_lines([header, *rows]))
