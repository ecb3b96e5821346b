"""Whether a file lies in a folder, wherever links lead: the one rule for photos of strangers' tables and runs."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["Boundary"]


class Boundary:
    """A folder that files must lie in.

    Parameters
    ----------
    folder : str or Path
        The folder; it may be a link itself.
    """

    def __init__(self, folder: str | Path) -> None:
        self._base = os.path.join(os.path.realpath(folder), "")  # noqa: PTH118 - ends with a separator

    def holds(self, file: str | Path) -> bool:
        """Return whether a file, or what a link of that name leads to, lies in the folder; it need not exist.

        Parameters
        ----------
        file : str or Path
            Its path. A NUL, which no name of a file has, is no reason to fail.
        """
        return os.path.realpath(os.fspath(file).replace("\0", "?")).startswith(self._base)
