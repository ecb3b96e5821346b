"""The operators that return the data of the card and the progress panel."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from functools import lru_cache
from itertools import islice
from typing import Any

import fiftyone.core.odm as odm
import fiftyone.operators as foo

from curation.errors import CurateError
from curation.review.app.decide import decidable_of
from curation.review.app.files import files_of
from curation.review.app.following import following, open_photo, photos_shown
from curation.review.app.mirror import run_of
from curation.review.app.thumbnails import copies_of, sources, whole_of
from curation.review.card import Example, cards_of
from curation.review.journal_state import standing_of
from curation.review.progress import progress_of
from curation.run.folder import RunFolder

__all__ = ["ShowCard", "ShowProgress"]

#: Number of cards that the page loads ahead.
_AHEAD = 3


class _Show(foo.Operator):  # type: ignore[misc]
    """Returns the data of a panel."""

    name: str
    data: Callable[[Any], dict[str, Any]]

    @property
    def config(self) -> Any:
        return foo.OperatorConfig(name=self.name, label=self.name, unlisted=True, view_target=False)

    def execute(self, ctx: Any) -> dict[str, Any]:
        try:
            return self.data(ctx)
        except CurateError as error:
            return {"error": str(error)}


class ShowCard(_Show):
    """Returns the card of the open photo and, if asked, those that come next."""

    name = "show_card"

    def data(self, ctx: Any) -> dict[str, Any]:
        """Return the card with the valid decision, and under ``following`` the next cards in order."""
        dataset, sample = _dataset(ctx.dataset_name), open_photo(ctx)
        # a colleague's process may have rebuilt the dataset
        id = sample and (_listing(dataset, sample) or _listing(ctx.dataset, sample))
        if not sample or not id:
            return {}
        run = run_of(dataset)
        shown = _card(run, sample, id)
        if ctx.params.get("following"):
            after = islice(following(run, sample, photos_shown(ctx, sample)), _AHEAD)
            shown["following"] = [_card(run, *one) for one in after]
        return shown


class ShowProgress(_Show):
    """Returns the progress of the review."""

    name = "show_progress"

    def data(self, ctx: Any) -> dict[str, Any]:
        """Return the counts."""
        run = run_of(_dataset(ctx.dataset_name))
        progress = progress_of(cards_of(run), standing_of(run).holding)
        return {**asdict(progress), "left": progress.left, "hint": progress.hint}


def _card(run: RunFolder, sample: str, id: str) -> dict[str, Any]:
    cards = cards_of(run)
    card, decision = cards.card(id), standing_of(run).record(id)
    shown = {
        "sample": sample,
        "priced": decidable_of(run).priced,
        "photo": whole_of(card.photo, copies_of(run)),
        "reposts": [_shown(cards.example(other), run) for other in card.reposts],
        "like_given": [_shown(example, run) for example in card.like_given],
        "like_suggested": [_shown(example, run) for example in card.like_suggested],
    }
    return {**asdict(card), **shown, "decision": asdict(decision) if decision else None}


def _shown(example: Example, run: RunFolder) -> dict[str, Any]:
    """Return a listing beside the open one, with the file that the browser may be sent as its photo."""
    folder = copies_of(run)
    # it need not be one of the samples
    files_of(run).add(sources({"photo": example.photo}, folder))
    return {**asdict(example), "photo": whole_of(example.photo, folder)}


@lru_cache(maxsize=4)
def _dataset(name: str) -> Any:
    """Return a dataset to read; ``ctx.dataset`` reloads its description, which takes longer than everything else."""
    return odm.load_dataset(name=name)


def _listing(dataset: Any, sample: str) -> str | None:
    return next(iter(dataset.select(sample).values("listing_id")), None)
