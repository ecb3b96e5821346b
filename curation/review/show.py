"""What the card and the progress panel ask for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from functools import lru_cache
from typing import Any

import fiftyone.operators as foo
import pandas as pd

from curation.decisions import current_decisions, noted
from curation.errors import CurateError
from curation.review.card import cards_of
from curation.review.mirror import run_of
from curation.review.progress import progress_of
from curation.review.table import review_table
from curation.runs import Run

__all__ = ["ShowCard", "ShowProgress"]


def _config(name: str) -> Any:
    return foo.OperatorConfig(name=name, label=name, unlisted=True, view_target=False)


def _answered(answer: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    try:
        return answer()
    except CurateError as error:
        return {"error": str(error)}


class ShowCard(foo.Operator):  # type: ignore[misc]
    """Answers with everything that is known of the open photo."""

    @property
    def config(self) -> Any:
        """Return its name."""
        return _config("show_card")

    def execute(self, ctx: Any) -> dict[str, Any]:
        """Answer."""
        return _answered(lambda: _card(ctx))


class ShowProgress(foo.Operator):  # type: ignore[misc]
    """Answers with how far the review is."""

    @property
    def config(self) -> Any:
        """Return its name."""
        return _config("show_progress")

    def execute(self, ctx: Any) -> dict[str, Any]:
        """Answer."""
        return _answered(lambda: _progress(ctx))


def _card(ctx: Any) -> dict[str, Any]:
    """Return the card, and the decision that holds."""
    run = run_of(ctx.dataset)
    if not ctx.current_sample:
        return {}
    id = ctx.dataset.select(ctx.current_sample).values("listing_id")[0]
    cards = cards_of(run)
    journal = run.decisions()[0]
    decision = {**noted(journal), **current_decisions(journal)}.get(id)
    card = asdict(cards.card(id))
    reposts = [
        {"id": other, "photo": found.photo, "label": found.given, "price": found.price, "title": found.title}
        for other in card["reposts"]
        for found in [cards.card(other)]
    ]
    return {**card, "reposts": reposts, "decision": asdict(decision) if decision else None}


def _progress(ctx: Any) -> dict[str, Any]:
    """Return the counts."""
    run = run_of(ctx.dataset)
    progress = progress_of(_table(run, run.issues_file.stat().st_mtime_ns), current_decisions(run.decisions()[0]))
    return {**asdict(progress), "left": progress.left, "hint": progress.hint}


@lru_cache(maxsize=2)
def _table(run: Run, _changed: int) -> pd.DataFrame:
    return review_table(run)
