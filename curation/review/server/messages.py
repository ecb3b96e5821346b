"""The messages at the start and the end of a review."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from typing import TYPE_CHECKING

from curation.errors import some
from curation.rendering.words import agree, many
from curation.review.server.team import Colleague
from curation.run.journal import person

if TYPE_CHECKING:
    from curation.review.app.dataset import PutBack

__all__ = ["about_colleagues", "about_links", "about_put_back"]


def about_colleagues(others: Sequence[Colleague], reviewer: str) -> list[str]:
    """Return messages about other reviews of the run.

    Parameters
    ----------
    others : sequence of Colleague
        The other open reviews.
    reviewer : str
        Who decides in this one.
    """
    messages = []
    for other in others:
        place = f"on port {other.port}" + ("" if other.host == socket.gethostname() else f" of {other.host}")
        messages.append(
            f"{reviewer} is already reviewing this run, {place}. Continue there. If that is somebody else, stop and "
            "give each of you a name of your own with `reviewer`"
            if person(other.reviewer) == person(reviewer)
            else f"{other.reviewer} is also reviewing this run, {place}. The decisions of both are kept."
        )
    return messages


def about_put_back(found: PutBack) -> list[str]:
    """Return messages about changes in FiftyOne's database that are no decisions."""
    messages = []
    if count := len(found.labels):
        was, shown = agree(count, "was", "were"), agree(count, "the given one is", "the given ones are")
        messages.append(
            f"{many(count, 'label')} {was} changed in FiftyOne by another program, or to no class of the run, which is "
            f"not a decision; {shown} shown again: {some(found.labels)}"
        )
    if count := len(found.changed):
        was, shows = agree(count, "was", "were"), agree(count, "it is", "they are")
        messages.append(
            f"{many(count, 'listing')} {was} changed in FiftyOne's database by another program, which is not a "
            f"decision; {shows} as before when the run is opened again: {some(found.changed)}"
        )
    if count := len(found.vanished):
        was, comes = agree(count, "was", "were"), agree(count, "it comes", "they come")
        messages.append(
            f"{many(count, 'listing')} {was} removed inside FiftyOne, which is not a decision; {comes} back when the "
            f"run is opened again: {some(found.vanished)}"
        )
    return messages


def about_links(count: int) -> list[str]:
    """Return a message about photos that are not shown because they lie outside the photo folder, or lead there."""
    if not count:
        return []
    lie = agree(count, "lies, or leads as a link,", "lie, or lead as links,")
    return [f"{many(count, 'photo')} {lie} outside the photo folder and {agree(count, 'is', 'are')} not shown."]
