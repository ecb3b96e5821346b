"""The page as a whole: its sections and their order."""

from __future__ import annotations

import warnings
from pathlib import Path

from curation.comparison.result import read_comparison
from curation.issues import KINDS
from curation.issues.health import often_confused, without_score
from curation.issues.summary import flags_of, help_of, overlap, worth_of
from curation.issues.worth import price_errors, worth_lines
from curation.rendering.html import fill_page
from curation.report.cards import Cards
from curation.report.comparison import comparison_section, outcome
from curation.report.curves import read_curves
from curation.report.plots import fold_plot, price_plot, retrain_plot
from curation.report.reproduce import reproduce
from curation.report.summary import summary
from curation.run.folder import RunFolder
from curation.run.manifests import is_soft
from curation.run.own_photos import OwnPhotos
from training.utils.files import write_text
from training.utils.noise import noise_to

__all__ = ["write_report"]

_CLASSES = 20
_PRICES = 10


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
    flags = flags_of(record)
    holding = run.holding_decisions()
    decisions = holding.settled
    cards = Cards(issues, run.listings(), OwnPhotos(run), decisions, dataset["currency"], run.photo_bytes)
    comparison = read_comparison(run)
    with noise_to(run.log_file), warnings.catch_warnings(action="ignore"):  # of decoders, which warn about odd files
        sections = [cards.section(kind) for kind in KINDS]
        section = None if comparison is None else comparison_section(comparison, cards, dataset["classes"])
    flagged = int(issues[[kind.flag for kind in KINDS]].fillna(False).any(axis=1).sum())
    health, curves = run.health(), read_curves(run)
    worth = worth_of(record, issues)
    learning = [picture for picture in (fold_plot(curves), retrain_plot(curves)) if picture is not None]
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
            unscored=without_score(health),
            worth=[] if worth is None else worth_lines(worth, dataset["currency"]),
            soft=is_soft(run.cleaned),
            outcome=[] if comparison is None else outcome(comparison),
        ),
        damaged=holding.damaged,
        sections=sections,
        comparison=section,
        health=health,
        confused=often_confused(health, _CLASSES),
        cleanlab=None if flags == "cleanlab" else overlap(issues),
        helps={kind.name: help_of(kind, flags) for kind in KINDS},
        price_errors=price_errors(issues, _PRICES).to_dict("records"),
        currency=dataset["currency"],
        prices=price_plot(issues, dataset["currency"]),
        learning=learning,
        no_curves=None if learning else _why_no_curves(run),
        reproduce=reproduce(run, record, comparison),
    )
    write_text(run.report_file, page)
    return run.report_file


def _why_no_curves(run: RunFolder) -> str:
    if run.record()["settings"]["probabilities"]:
        return "The probabilities were given: nothing was trained here."
    if not run.training_folder.is_dir():
        return "The folder training/ was deleted, and the logs with it."
    if (run.training_folder / "share.json").exists():
        return "The training logs of the networks are missing or can't be read."
    return "The models are linear and fitted in one step: without epochs there is no curve to draw."
