"""What `explore` writes: one self-contained page, its plots, and the findings as JSON."""

from __future__ import annotations

import contextlib
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from curation.errors import InputError
from curation.exploration.findings import MADE_BY, Exploration, with_names
from curation.exploration.plots import PLOTS, plots
from curation.listings import Listings
from curation.rendering.html import fill_page
from curation.rendering.plots import Picture
from curation.rendering.thumbnails import make_thumbnail
from training.utils.files import photo_path, read_json, whole_folder, write_json, write_text
from training.utils.flock import sweep
from training.utils.progress import SILENT, Reporter

__all__ = ["check_output", "write_page"]

PAGE = "explore.html"
FINDINGS = "explore.json"
# 40 classes with 6 photos of about 6 kB each are 2 MB
_CLASSES = 40
_PHOTOS = 6
_GROUPS = 12
_THUMBNAIL = 160
# of a class whose photos can't be read, so many are tried
_TRIES = 3 * _PHOTOS
_NO_CLASS = "without a label"


def check_output(folder: Path, listings: Listings) -> None:
    """Refuse a folder that holds anything but an earlier look, or that would become a part of the dataset.

    Parameters
    ----------
    folder : Path
        Where the page is to be written.
    listings : Listings
        What is explored.

    Raises
    ------
    InputError
        Before anything is written.
    """
    if folder.exists() and not folder.is_dir():
        raise InputError(f"can't write to {folder}", got="a file", wanted="a new or empty folder")
    sweep(folder)
    if listings.source.is_class_folders and folder.resolve().is_relative_to(listings.source.root.resolve()):
        # a folder of class folders would have one class more
        raise InputError(
            f"can't write to {folder}",
            got="a folder inside the dataset",
            wanted="a folder elsewhere",
            fix="Name one with `output`.",
        )
    if folder.is_dir() and not _is_earlier_look(folder) and (inside := sorted(path.name for path in folder.iterdir())):
        raise InputError(
            f"can't write to {folder}",
            got=f"a folder that holds {inside[0]!r}" + (f" and {len(inside) - 1} more" if len(inside) > 1 else ""),
            wanted="a new or empty folder, or that of an earlier explore",
            fix="Name another one with `output`.",
        )


def write_page(exploration: Exploration, folder: Path, *, reporter: Reporter = SILENT) -> Path:
    """Write the page, the plots and the findings, all of them or none.

    Parameters
    ----------
    exploration : Exploration
        The look at the listings.
    folder : Path
        New, empty, or of an earlier look, whose files are replaced; other files that lie beside them stay.
    reporter : Reporter, optional
        Shows progress.

    Returns
    -------
    Path
        The page.

    Raises
    ------
    InputError
        If `folder` can't be written to; see :func:`check_output`.
    """
    check_output(folder, exploration.listings)
    pictures = plots(exploration)
    # plots of an earlier look may have no data now
    with whole_folder(folder, outdated=[f"{name}.png" for name in PLOTS]) as built:
        _build(exploration, pictures, built, reporter)
    return folder / PAGE


def _is_earlier_look(folder: Path) -> bool:
    with contextlib.suppress(OSError, ValueError):
        content = read_json(folder / FINDINGS)
        return isinstance(content, dict) and content.get("made_by") == MADE_BY
    return False


def _build(exploration: Exploration, pictures: dict[str, Picture], folder: Path, reporter: Reporter) -> None:
    for name, picture in pictures.items():
        (folder / f"{name}.png").write_bytes(picture.light)
    findings = exploration.findings
    with warnings.catch_warnings(action="ignore"):  # of decoders, which warn about odd files
        samples, duplicates = _samples(exploration, reporter), _duplicates(exploration)
    page = fill_page(
        "exploration/page.html.jinja",
        findings=findings,
        plots=pictures,
        prices={row["class"]: row for row in (findings["prices"] or {"per_class": []})["per_class"]},
        samples=samples,
        duplicates=duplicates,
    )
    write_text(folder / PAGE, page)
    write_json(folder / FINDINGS, findings)


def _samples(exploration: Exploration, reporter: Reporter) -> list[dict[str, Any]]:
    """Return a few photos of each of the largest classes; without classes, a few of all."""
    table, root = with_names(exploration.listings.table), exploration.listings.source.root
    most = exploration.listings.limits.photo_bytes
    broken = exploration.photos.index[exploration.photos["error"].notna()]
    candidates = table[table["image"].notna() & ~table.index.isin(broken)].sort_values("id", kind="stable")
    rng = np.random.default_rng(exploration.findings["photos"]["seed"])
    classes = [row["class"] for row in exploration.findings["labels"]["per_class"][:_CLASSES]]
    labels = candidates["label"] if classes else candidates["label"].fillna(_NO_CLASS)
    classes = classes or [_NO_CLASS]
    samples = []
    with reporter.bar("choosing sample photos") as progress:
        for done, name in enumerate(classes, start=1):
            rows = candidates[labels == name]
            chosen = rows.iloc[rng.permutation(len(rows))[:_TRIES]]
            cards: list[dict[str, Any]] = []
            for row in chosen.to_dict("records"):
                if len(cards) == _PHOTOS:
                    break
                photo = make_thumbnail(photo_path(root, row["image"]), _THUMBNAIL, most).uri
                if photo is not None:
                    title = None if pd.isna(row["title"]) else row["title"]
                    cards.append({"id": row["id"], "title": title, "photo": photo})
            samples.append({"class": name, "cards": cards})
            progress(done, len(classes))
    return samples


def _duplicates(exploration: Exploration) -> list[dict[str, Any]]:
    root, groups = exploration.listings.source.root, exploration.findings["duplicates"]["shown"][:_GROUPS]
    most = exploration.listings.limits.photo_bytes
    photos = (make_thumbnail(photo_path(root, group["image"]), _THUMBNAIL, most).uri for group in groups)
    return [{**group, "photo": photo} for group, photo in zip(groups, photos, strict=True)]
