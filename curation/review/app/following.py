"""The photos that come after the open one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from curation.review.journal_state import standing_of
from curation.run.folder import RunFolder

__all__ = ["following", "open_photo", "photos_shown"]


@dataclass(frozen=True)
class _View:
    """What the App shows; equal to another one with the same photos."""

    key: str
    ctx: Any = field(compare=False)


@lru_cache(maxsize=1)
def _order(view: _View) -> dict[str, str]:
    return dict(zip(*view.ctx.view.values(["id", "listing_id"]), strict=True))


def open_photo(ctx: Any) -> str | None:
    """Return the photo that the person sees, if one is open.

    The page shows the next photo before FiftyOne has opened it, so it names the one that it shows. A form is about the
    photo that was shown when its key was pressed, whatever is shown when it is answered.

    Parameters
    ----------
    ctx : fiftyone.operators.ExecutionContext
    """
    named: str | None = ctx.params.get("sample") or ctx.params.get("about") or ctx.current_sample
    return named


def photos_shown(ctx: Any, sample: str) -> dict[str, str]:
    """Return the photos of the view, in order, with their listings.

    Parameters
    ----------
    ctx : fiftyone.operators.ExecutionContext
    sample : str
        FiftyOne's id of the open photo. Call this before a decision, which may remove that photo from the view.

    Returns
    -------
    dict of str to str
        Listings by FiftyOne's id. With many photos, reading them takes longer than deciding; so the result is cached
        until the App shows another view, or a photo is open that was not in it.
    """
    names = ("dataset_name", "view_name", "view", "filters", "extended")
    view = _View(json.dumps([ctx.request_params.get(name) for name in names], default=str), ctx)
    if sample not in _order(view):
        _order.cache_clear()  # the view has changed
    return _order(view)


def following(run: RunFolder, sample: str, photos: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Yield the photos without a decision, after the open one and then from the start, with their listings.

    Parameters
    ----------
    run : RunFolder
    sample : str
        FiftyOne's id of the open photo.
    photos : dict of str to str
        From :func:`photos_shown`.
    """
    samples = list(photos)
    place = samples.index(sample) if sample in photos else -1
    holding = standing_of(run).holding
    others = samples[place + 1 :] + samples[: max(place, 0)]
    return ((one, photos[one]) for one in others if photos[one] not in holding)
