"""What a run folder may hold: files and folders of its own, so that no name in it leads out of it.

A run may come from a colleague, as an archive, a copy or a share. A link in it could give out any file of the person
who opens it, or have one overwritten; a pipe or a device could keep a command waiting for ever. curate makes none of
these in a run, so all are refused before anything is read or written. Photos of a dataset may be links: they are read
by other rules (:mod:`curation.listings.photos`).
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from curation.errors import RunError
from training.utils.files import printable_name

__all__ = ["odd_entry", "require_plain"]

#: What a run reads of its datasets. The rest is many photos, or compared by its hash.
_OF_RUN = ("manifest.json", "changes.csv", "comparison.json", "predictions.npz", "dataset.toml")
#: Names that only files have.
_FILES = (".lock", "run.json", "decisions.jsonl", "comparison.json", "predictions.npz", "report.html", "audit.json")
_FOLDER = "a folder in the place of a file"
_FIX_OF_FOLDER = "Move it elsewhere by hand; if the file held decisions or results, restore it from a copy."
_FIX = "Put a copy of what you want to have there in its place, if you trust whoever made the run."


def require_plain(folder: Path) -> None:
    """Refuse a run that holds anything but files and folders.

    Parameters
    ----------
    folder : Path
        The run's; it may be a link itself, or lie below one: a person named it.

    Raises
    ------
    RunError
    """
    found = odd_entry(folder)
    if found is not None:
        path, what = found
        raise RunError(
            f"{printable_name(str(path))} is {what}, and a run holds files and folders of its own only",
            fix=_FIX_OF_FOLDER if what == _FOLDER else _FIX,
        )


def odd_entry(folder: Path) -> tuple[Path, str] | None:
    """Return an entry of a run that does not belong there, and what it is; None if there is none.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     (Path(folder) / "run.json").symlink_to("/etc/passwd")
    ...     odd_entry(Path(folder))[1]
    'a link to /etc/passwd'
    """
    folders = [folder]
    for place in folders:
        for entry in _inside(place, folder):
            # what is gone since is not read either
            with contextlib.suppress(OSError):
                if entry.is_symlink():
                    target = os.readlink(entry)  # noqa: PTH115 - as it is written
                    return Path(entry), f"a link to {printable_name(target)}"
                if entry.is_dir(follow_symlinks=False):
                    if place == folder and entry.name in _FILES:
                        return Path(entry), _FOLDER
                    folders.append(Path(entry))
                elif not entry.is_file(follow_symlinks=False):
                    return Path(entry), "a pipe, a socket or a device"
    return None


def _inside(place: Path, folder: Path) -> list[os.DirEntry[str]]:
    """Return what is looked at in a folder of a run; nothing where it can't be read."""
    is_dataset = place == folder / "cleaned" or place.parent == folder / "versions"
    # what the folder itself says of its entries is enough: commands look many times, and a run may have many thumbnails
    with contextlib.suppress(OSError), os.scandir(place) as entries:
        inside = [entry for entry in entries if not is_dataset or entry.name in _OF_RUN]
        return sorted(inside, key=lambda entry: entry.name)
    return []
