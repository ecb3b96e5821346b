"""Which files are photos of a run: what find-issues read, and photos inside the folder that it was allowed to read.

A run may come from a stranger, or a photo may have become a link to another file since: neither makes that file a photo
of the run.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Literal

import pandas as pd

from curation.listings.photo_files import begins_as_photo
from curation.run.folder import RunFolder
from training.utils.boundary import Boundary
from training.utils.files import NotReadableError, photo_path, sha256_of_file

__all__ = ["OwnPhotos"]


class OwnPhotos:
    """Tells the photos of a run from other files.

    Parameters
    ----------
    run : RunFolder
        A finished one.
    """

    def __init__(self, run: RunFolder) -> None:
        self._folder = Path.cwd() / run.photo_root
        self._boundary = Boundary(run.photo_boundary)
        self._run = run

    @cached_property
    def _read(self) -> Mapping[str, set[str]]:
        """The hashes of each photo, by where it lies: few reviews ask for them."""
        table = self._run.listings()
        hashes = table["sha256"] if "sha256" in table else pd.Series(pd.NA, table.index)
        read = defaultdict[str, set[str]](set)
        for image, sha256 in zip(table["image"].astype(object), hashes.astype(object), strict=True):
            if not (pd.isna(image) or pd.isna(sha256)):
                read[self._place(image)].add(sha256)
        return read

    def standing(self, photo: str) -> Literal["same", "changed", "strange"]:
        """Return what the file of a photo is now.

        Parameters
        ----------
        photo : str
            Its path, from the folder of the dataset or absolute.

        Returns
        -------
        str
            ``same``: its content is what find-issues read, wherever it lies, e.g. outside with `allow_outside`.
            ``changed``: another photo, inside the folder of the photos. ``strange``: anything else, which is neither
            shown nor copied.

        Raises
        ------
        OSError, NotReadableError
            If there is no such file, or it can't be read.
        """
        place = self._place(photo)
        if sha256_of_file(Path(place)) in self._read.get(place, ()):
            return "same"
        return "changed" if self._boundary.holds(place) and begins_as_photo(Path(place)) else "strange"

    def path(self, photo: str) -> Path:
        """Return where a photo is now.

        Parameters
        ----------
        photo : str
            As for :meth:`standing`.
        """
        return photo_path(self._folder, photo)

    def may_be_shown(self, photo: str) -> bool:
        """Return whether a photo may be shown; one inside the folder of the photos is not compared, which takes long.

        Parameters
        ----------
        photo : str
            As for :meth:`standing`.
        """
        if self._boundary.holds(self._place(photo)):
            return True
        try:
            return self.standing(photo) == "same"
        except (OSError, ValueError, NotReadableError):
            # then nothing can be shown, either: whoever reads it says why
            return True

    def _place(self, photo: str) -> str:
        return os.path.normpath(self.path(photo))
