"""Photos that lie elsewhere than when the run was made, e.g. because a colleague made it."""

from __future__ import annotations

from pathlib import Path, PurePath

import pandas as pd

from curation.errors import RunError, some
from curation.rendering.words import many
from curation.run.folder import RunFolder
from training.utils.files import photo_path, require_regular, sha256_of_file
from training.utils.progress import SILENT, Reporter

__all__ = ["move_photos"]


def move_photos(run: RunFolder, folder: Path, reporter: Reporter = SILENT) -> None:
    """Keep in ``run.json`` where the photos of a run are now; nothing else of the run changes.

    Every photo there is read once, and compared by its hash with the one that the run was made of.

    Parameters
    ----------
    run : RunFolder
        A finished one, which no other command changes meanwhile.
    folder : Path
        The folder that the dataset's paths lead from, or one below it, such as its ``images/``.
    reporter : Reporter
        Shows how far the comparison is.

    Raises
    ------
    RunError
        If the run's photos are not there, or others under their names.
    """
    root = _root(run, folder.resolve(), reporter)
    if root != run.photo_root:
        run.update(photo_root=str(root))


def _root(run: RunFolder, folder: Path, reporter: Reporter) -> Path:
    """Return the folder from which the run's names of photos lead to its photos."""
    if not folder.is_dir():
        raise RunError("there is no such folder", got=str(folder), wanted="that of the photos", parameter="photos")
    table = run.listings()
    # what was fetched, or named with its whole path, is found without a folder
    named = table["image"].notna() & table["sha256"].notna() if "sha256" in table else table["id"].isna()
    table = table[named]
    table = table[[not PurePath(image).is_absolute() for image in table["image"]]]
    deepest = max((len(PurePath(image).parts) for image in table["image"]), default=0)
    for root in (folder, *folder.parents[: max(0, deepest - 1)]):
        there = table[[photo_path(root, image).is_file() for image in table["image"]]]
        if len(there):
            _require_the_same(root, there, reporter)
            return root
    raise RunError(
        f"the photos of {run.folder} are not in {folder}",
        got=f"none of {some(table['image'], 3)}" if len(table) else "a run without photos in a folder",
        wanted="the folder that the dataset's paths lead from",
        parameter="photos",
    )


def _require_the_same(root: Path, table: pd.DataFrame, reporter: Reporter) -> None:
    # several listings may have one photo
    photos = table.drop_duplicates(["image", "sha256"])
    others = []
    with reporter.bar("Comparing photos") as progress:
        for done, (image, sha256) in enumerate(zip(photos["image"], photos["sha256"], strict=True), start=1):
            photo = photo_path(root, image)
            require_regular(photo, "the photo")
            if sha256_of_file(photo) != sha256:
                others.append(image)
            progress(done, len(photos))
    if others:
        raise RunError(
            f"other photos are in {root} under the names of the run's",
            got=f"{len(others):,} of {many(len(photos), 'photo')}: {some(others)}",
            wanted="the files that the run was made of",
            parameter="photos",
        )
