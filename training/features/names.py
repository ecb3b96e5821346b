"""The parts that features are joined of, by name, e.g. ``lite0+patches``."""

from __future__ import annotations

from training.settings import PATCHES

__all__ = ["GIVEN", "JOIN", "TIMM", "given_in", "is_given", "is_network", "networks_in", "parts_of", "patches_in"]

#: What stands between two parts.
JOIN = "+"
#: How the names of embeddings begin that were made elsewhere.
GIVEN = "embeddings:"
#: How the names of networks of the package timm begin.
TIMM = "timm:"


def parts_of(features: str) -> list[str]:
    """Return the names of the parts.

    Examples
    --------
    >>> parts_of("lite0 + embeddings:clip.npz")
    ['lite0', 'embeddings:clip.npz']
    """
    return [part.strip() for part in features.split(JOIN)]


def is_given(part: str) -> bool:
    """Return whether a part is embeddings that were made elsewhere."""
    return part.startswith(GIVEN)


def is_network(part: str) -> bool:
    """Return whether a part is made by a pretrained network."""
    return part != PATCHES and not is_given(part)


def given_in(features: str) -> list[str]:
    """Return the names of the embeddings among the parts."""
    return [part for part in parts_of(features) if is_given(part)]


def networks_in(features: str) -> list[str]:
    """Return the names of the networks among the parts."""
    return [part for part in parts_of(features) if is_network(part)]


def patches_in(features: str) -> bool:
    """Return whether patches of the photos, which are drawn at random, are among the parts."""
    return PATCHES in parts_of(features)
