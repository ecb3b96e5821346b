"""What a dataset may hold that is bad or large before it is refused, as the user chose it."""

from __future__ import annotations

import math
from dataclasses import dataclass

from curation.errors import check_range
from training.images.reading import MAX_BYTES

__all__ = ["ALLOW_BAD", "MAX_PHOTO_MB", "Limits", "enough"]

#: The table itself is wrong if a larger share of its rows is bad.
ALLOW_BAD = 0.2
MAX_PHOTO_MB = MAX_BYTES / 10**6
#: No disk is larger.
_MOST_MB = 10**9


@dataclass(frozen=True)
class Limits:
    """Limits of a dataset.

    Attributes
    ----------
    allow_bad : float
        The share of rows, and of photos, that may be bad, 0 to 1.
    max_photo_mb : float
        Largest file of a photo, in MB (10**6 bytes): a larger one is not read, and unreadable.

    Raises
    ------
    InputError
        If one is out of range.
    """

    allow_bad: float = ALLOW_BAD
    max_photo_mb: float = MAX_PHOTO_MB

    def __post_init__(self) -> None:
        check_range("allow_bad", "share of bad rows", self.allow_bad, 0, 1)
        check_range("max_photo_mb", "size of photos in MB", self.max_photo_mb, 0.001, _MOST_MB)

    @property
    def photo_bytes(self) -> int:
        """Largest file of a photo, in bytes."""
        return round(self.max_photo_mb * 10**6)

    def allow(self, bad: int, rows: int) -> bool:
        """Return whether so many of the rows may be bad."""
        # not a product: 0.7 * 90 is a little less than 63
        return not bad or bad / rows <= self.allow_bad


def enough(bad: int, rows: int) -> float:
    """Return the share to allow so that bad rows are accepted: the next tenth.

    Parameters
    ----------
    bad, rows : int
        How many are bad, and how many there are.

    Examples
    --------
    >>> enough(204, 1000), enough(3, 10), enough(12, 12)
    (0.3, 0.3, 1.0)
    """
    return math.ceil(10 * bad / rows) / 10
