"""Which photo comes after the one that was decided on."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from curation.review.app.mirror import run_of
from curation.review.journal_state import standing_of

__all__ = ["following", "photos_shown"]


@dataclass(frozen=True)
class _Asked:
    """What the App shows; equal to another one that asks for the same photos."""

    key: str
    ctx: Any = field(compare=False)


@lru_cache(maxsize=1)
def _order(asked: _Asked) -> dict[str, str]:
    return dict(zip(*asked.ctx.view.values(["id", "listing_id"]), strict=True))


def photos_shown(ctx: Any) -> dict[str, str]:
    """Return the photos of the view, in order, with their listings.

    Parameters
    ----------
    ctx : fiftyone.operators.ExecutionContext
        With an open photo. To be asked before a decision, which may take that photo out of the view.

    Returns
    -------
    dict of str to str
        Listings by FiftyOne's id. With many photos it takes longer to read than to decide; so it is kept until the App
        shows another view, or a photo is open that was not in it.
    """
    names = ("dataset_name", "view_name", "view", "filters", "extended")
    asked = _Asked(json.dumps([ctx.request_params.get(name) for name in names], default=str), ctx)
    if ctx.current_sample not in _order(asked):
        _order.cache_clear()  # the view holds other photos by now
    return _order(asked)


def following(ctx: Any, shown: dict[str, str]) -> str | None:
    """Return the next photo that nobody has decided on, from the open one on and then from the start.

    Parameters
    ----------
    ctx : fiftyone.operators.ExecutionContext
        With an open photo.
    shown : dict of str to str
        From :func:`photos_shown`.
    """
    samples = list(shown)
    place = samples.index(ctx.current_sample) if ctx.current_sample in shown else -1
    holding = standing_of(run_of(ctx.dataset)).holding
    return next((one for one in samples[place + 1 :] + samples[: max(place, 0)] if shown[one] not in holding), None)
