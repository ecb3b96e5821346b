"""The messages at the start and the end of a review."""

from __future__ import annotations

import socket
from collections.abc import Sequence

from curation.errors import some
from curation.rendering.words import agree, many
from curation.review.app.dataset import Collected
from curation.review.server.team import Colleague

__all__ = ["about_colleagues", "about_collected", "about_links"]


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
            if other.reviewer == reviewer
            else f"{other.reviewer} is also reviewing this run, {place}. The decisions of both are kept; reload the "
            "page to see theirs."
        )
    return messages


def about_collected(collected: Collected) -> list[str]:
    """Return messages about changes in FiftyOne that the review's buttons did not make."""
    messages = []
    if count := len(collected.decisions):
        became = agree(count, "is now a decision", "are now decisions")
        ids = some(decision.id for decision in collected.decisions)
        messages.append(f"{many(count, 'label')} edited in the Annotate tab {became}: {ids}")
    if count := len(collected.unusable):
        failed = agree(count, "is not a class", "are not classes")
        messages.append(
            f"{many(count, 'label')} edited in the Annotate tab {failed} of the run: {some(collected.unusable)}"
        )
    if count := len(collected.vanished):
        was, comes = agree(count, "was", "were"), agree(count, "it comes", "they come")
        messages.append(
            f"{many(count, 'listing')} {was} removed inside FiftyOne, which is not a decision; {comes} back when the "
            f"run is opened again: {some(collected.vanished)}"
        )
    return messages


def about_links(count: int) -> list[str]:
    """Return a message about photos that are not shown because they are links out of the photo folder."""
    if not count:
        return []
    links = agree(count, "is a link to a file", "are links to files")
    return [f"{many(count, 'photo')} {links} outside the photo folder and {agree(count, 'is', 'are')} not shown."]
