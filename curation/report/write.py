"""The page as a whole: its sections and their order."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import pandas as pd

from curation.comparison.result import read_comparison
from curation.issues import KINDS
from curation.issues.health import often_confused
from curation.rendering.html import data_uri, fill_page
from curation.rendering.plots import Picture
from curation.rendering.words import agree, many, percent
from curation.report.cards import Cards
from curation.report.comparison import comparison_section, outcome
from curation.report.curves import read_curves
from curation.report.plots import fold_plot, price_plot, retrain_plot
from curation.report.reproduce import reproduce
from curation.report.summary import summary
from curation.run.folder import RunFolder
from training.utils.files import write_text

__all__ = ["write_report"]

_CLASSES = 20


def write_report(run: RunFolder) -> Path:
    """Write the page with what the run has so far: issues, decisions, the comparison.

    Only the worst listings of each kind are shown, as small thumbnails inside the page, so it stays small at
    any number of listings and needs neither network nor the photos.

    Parameters
    ----------
    run : RunFolder
        A run whose issues are written.

    Returns
    -------
    Path
        ``report.html`` in the run's folder.
    """
    record, issues = run.record(), run.issues()
    dataset = record["dataset"]
    holding = run.holding_decisions()
    decisions = holding.decisions
    cards = Cards(issues, run.listings(), run.photo_root, decisions, dataset["currency"])
    comparison = read_comparison(run)
    with warnings.catch_warnings(action="ignore"):  # of decoders, which warn about odd files
        sections = [cards.section(kind) for kind in KINDS]
        section = None if comparison is None else comparison_section(comparison, cards, dataset["classes"])
    flagged = int(issues[[kind.flag for kind in KINDS]].fillna(False).any(axis=1).sum())
    page = fill_page(
        "report/page.html.jinja",
        name=dataset["name"],
        summary=summary(
            name=dataset["name"],
            listings=len(issues),
            classes=len(dataset["classes"]),
            flagged=flagged,
            sections=sections,
            decisions=decisions.values(),
            outcome=[] if comparison is None else outcome(comparison),
        ),
        damaged=holding.damaged,
        sections=sections,
        comparison=section,
        health=_health(run),
        prices=_prices(issues, dataset["currency"]),
        learning=_learning(run),
        reproduce=reproduce(record, comparison),
    )
    write_text(run.report_file, page)
    return run.report_file


def _health(run: RunFolder) -> dict[str, Any] | None:
    """Return what the template shows of the labels by class; None if there is nothing to show."""
    health = run.health()
    if not health["classes"]:
        return None
    doubtful = [row for row in health["classes"] if row["flagged"]]
    flagged = sum(row["flagged"] for row in doubtful)
    return {
        "flagged": f"{many(flagged, 'given label')} {agree(flagged, 'is', 'are')}",
        "estimate": None if health["noise_count"] is None else f"{health['noise_count']:,}",
        "estimated_among": f"{health['listings']:,}",
        "of": len(doubtful),
        "classes": [
            {
                "name": row["class"],
                "listings": f"{row['listings']:,}",
                "flagged": f"{row['flagged']:,}",
                "share": percent(row["flagged"] / row["listings"]),
            }
            for row in doubtful[:_CLASSES]
        ],
        "confused": often_confused(health, _CLASSES),
    }


def _prices(issues: pd.DataFrame, currency: str | None) -> dict[str, Any] | None:
    drawn = price_plot(issues, currency)
    if drawn is None:
        return None
    picture, classes = drawn
    return {"picture": _both(picture, "prices of each class, its usual range, and the flagged prices"), "of": classes}


def _learning(run: RunFolder) -> dict[str, Any]:
    """Return the learning curves, or the reason why there are none."""
    curves = read_curves(run)
    drawn = {
        "accuracy and loss of each fold's network, epoch by epoch, on training and on held-out photos": fold_plot(
            curves
        ),
        "accuracy and loss on the test set, epoch by epoch, before and after the fixes": retrain_plot(curves),
    }
    pictures = [_both(picture, what) for what, picture in drawn.items() if picture is not None]
    return {"pictures": pictures, "without": None if pictures else _why_no_curves(run)}


def _why_no_curves(run: RunFolder) -> str:
    if run.record()["settings"]["probabilities"]:
        return "The probabilities were given: nothing was trained here."
    if not run.training_folder.is_dir():
        return "The folder training/ was deleted, and the logs with it."
    if (run.training_folder / "share.json").exists():
        return "The training logs of the networks are missing or can't be read."
    return "The models are linear and fitted in one step: without epochs there is no curve to draw."


def _both(picture: Picture, what: str) -> dict[str, str]:
    return {"light": data_uri(picture.light, "png"), "dark": data_uri(picture.dark, "png"), "what": what}
