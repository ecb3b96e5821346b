"""The next photo after a decision."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from curation.review.app.mirror import run_of
from curation.review.journal_state import standing_of

__all__ = ["following", "photos_shown"]


@dataclass(frozen=True)
class _View:
    """What the App shows; equal to another one with the same photos."""

    key: str
    ctx: Any = field(compare=False)


@lru_cache(maxsize=1)
def _order(view: _View) -> dict[str, str]:
    return dict(zip(*view.ctx.view.values(["id", "listing_id"]), strict=True))


def photos_shown(ctx: Any) -> dict[str, str]:
    """Return the photos of the view, in order, with their listings.

    Parameters
    ----------
    ctx : fiftyone.operators.ExecutionContext
        With an open photo. Call this before a decision, which may remove that photo from the view.

    Returns
    -------
    dict of str to str
        Listings by FiftyOne's id. With many photos, reading them takes longer than deciding; so the result is cached
        until the App shows another view, or a photo is open that was not in it.
    """
    names = ("dataset_name", "view_name", "view", "filters", "extended")
    view = _View(json.dumps([ctx.request_params.get(name) for name in names], default=str), ctx)
    if ctx.current_sample not in _order(view):
        _order.cache_clear()  # the view has changed
    return _order(view)


def following(ctx: Any, photos: dict[str, str]) -> str | None:
    """Return the next photo without a decision, after the open one and then from the start.

    Parameters
    ----------
    ctx : fiftyone.operators.ExecutionContext
        With an open photo.
    photos : dict of str to str
        From :func:`photos_shown`.
    """
    samples = list(photos)
    place = samples.index(ctx.current_sample) if ctx.current_sample in photos else -1
    holding = standing_of(run_of(ctx.dataset)).holding
    return next((one for one in samples[place + 1 :] + samples[: max(place, 0)] if photos[one] not in holding), None)
