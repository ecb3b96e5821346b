"""What people put or changed in a version of the dataset: nothing of it is removed with the version."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from curation.errors import RunError, some
from curation.run.folder import RunFolder
from curation.run.manifests import manifest_of
from training.utils.files import photo_path, sha256_of_file

__all__ = ["changed_by_hand", "require_as_written"]

#: What a version holds beside the files that its manifest has a hash of; curate itself puts all of them there.
_BESIDE = {"manifest.json", "comparison.json", "predictions.npz"}


def changed_by_hand(run: RunFolder, version: Path) -> Iterator[str]:
    """Yield the files of a version that curate did not write as they are now; photos of the run are none of them.

    Parameters
    ----------
    run : RunFolder
        The run.
    version : Path
        The version's folder.
    """
    if not version.is_dir():
        if os.path.lexists(version):
            yield version.name
        return
    written = manifest_of(version).get("sha256")
    if not isinstance(written, dict):
        return
    photos: _Photos | None = None
    for file in sorted(path for path in version.rglob("*") if not path.is_dir()):
        name = file.relative_to(version).as_posix()
        if name in _BESIDE:
            continue
        if name in written:
            if sha256_of_file(file) != written[name]:
                yield name
            continue
        photos = photos or _Photos(run)
        if file not in photos:
            yield name


class _Photos:
    """The photos of a run: those that a version links to, and copies of them."""

    def __init__(self, run: RunFolder) -> None:
        listings, root = run.listings(), run.photo_root
        images = (photo_path(root, image) for image in listings["image"].dropna() if "\0" not in image)
        self._files = set(filter(None, map(_identity, images)))
        self._hashes = set(listings["sha256"].dropna()) if "sha256" in listings else set()

    def __contains__(self, file: Path) -> bool:
        return _identity(file) in self._files or (file.is_file() and sha256_of_file(file) in self._hashes)


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        state = path.stat()
    except OSError:
        return None
    return state.st_dev, state.st_ino


def require_as_written(run: RunFolder, version: Path) -> None:
    """Refuse to remove or restore a version that people have changed.

    Parameters
    ----------
    run : RunFolder
        The run.
    version : Path
        The version's folder.

    Raises
    ------
    RunError
        If something in it is not as curate wrote it.
    """
    changed = list(changed_by_hand(run, version))
    if changed:
        raise RunError(
            f"{version} holds what apply-fixes did not write, and undo would remove or replace it",
            got=some(changed),
            wanted="the version as it was written",
            fix=f"Move {'it' if len(changed) == 1 else 'them'} elsewhere by hand, and try again.",
        )
