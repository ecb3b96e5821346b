"""`curate audit`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

import curation
from curation.cli.advice import advised
from curation.cli.options import json_option, photos_option, run_option
from curation.cli.terminal import Terminal, echo, print_json, print_table
from curation.rendering.words import many

if TYPE_CHECKING:
    from curation.auditing.estimate import Interval

__all__ = ["audit"]

_ROWS = 20


@click.command(epilog="Example: curate audit --size 200")
@run_option
@photos_option
@click.option("--size", type=int, help="Draw so many listings, from the labelled ones without a decision.")
@click.option("--seed", type=int, default=0, show_default=True, help="The same seed draws the same listings.")
@click.option("--again", is_flag=True, help="Draw although an audit was drawn before; what is decided is known then.")
@click.option(
    "--decisions",
    type=click.Path(path_type=Path),
    help="The decisions.csv of the audit's page: records them, and applies nothing.",
)
@click.option("--reviewer", help="Your name, for decisions without one. [default: CURATE_REVIEWER or your login]")
@json_option
def audit(
    run_folder: Path | None,
    photos: Path | None,
    size: int | None,
    seed: int,
    again: bool,
    decisions: Path | None,
    reviewer: str | None,
    as_json: bool,
) -> None:
    """Say how many labels are wrong, with 95 % intervals, from listings drawn by chance and reviewed blind.

    With --size, draws them and writes audit.html, a page that shows them without suggestions, chances and reasons.
    Without it, says what those that are decided tell: wrong labels among all, precision and recall of the flags, what
    is left if one stops now, each class, and which labels are given for which. Decisions of the review don't bias it.
    """
    terminal = Terminal()
    found = curation.open_run(run_folder, photos=photos, reporter=terminal).audit(
        size, seed=seed, again=again, decisions=decisions, reviewer=reviewer, reporter=terminal
    )
    terminal.warn(found.damaged)
    if as_json:
        print_json({**found.to_dict(), "next": _next(found)})
        return
    for note in found.notes:
        terminal.say(note)
    echo(f"Audit of {found.run}: {found.decided:,} of {found.size:,} decided")
    if found.wrong is not None:
        _print(found)
    if found.page is not None:
        echo(f"Page: {found.page}")
        echo("Decide in a browser, and download decisions.csv there.")
        echo(f"Next: {_next(found)}")


def _next(found: curation.Audit) -> str | None:
    """Return the command to type once the page is decided; None where all is decided."""
    from curation.review.commands import audit_decisions

    return None if found.page is None else audit_decisions(found.run)


def _print(found: curation.Audit) -> None:
    lines = [
        (f"wrong labels of {found.listings:,}", _count(found.wrong), _share(found.wrong_share)),
        ("left if you stop now", _count(found.left), ""),
        (f"precision of {many(found.flagged, 'flag')}", "", _share(found.precision)),
        ("recall of the flags", "", _share(found.recall)),
    ]
    print_table("With 95 % intervals:", ["", "labels", "share"], lines, right=(1, 2))
    if len(found.classes):
        rows = [
            (row["class"], f"{row['listings']:,}", f"{row['audited']:,}", _ends(row["wrong"], row["low"], row["high"]))
            for row in found.classes.head(_ROWS).to_dict("records")
        ]
        print_table("Wrong labels by class:", ["given", "listings", "audited", "wrong"], rows, right=(1, 2, 3))
        _more(len(found.classes))
    pairs = found.confusion[found.confusion["given"] != found.confusion["true"]]
    pairs = pairs.sort_values("listings", ascending=False, kind="stable")
    if len(pairs):
        cells = [(row["given"], row["true"], f"{row['listings']:,.0f}") for row in pairs.head(_ROWS).to_dict("records")]
        print_table("True against given, as many as the audited stand for:", ["given", "true", "listings"], cells)
        _more(len(pairs))
    if found.recalibrated is not None:
        echo(f"Expected by the chances: {found.expected:,.0f} wrong labels; recalibrated: {found.recalibrated:,.0f}")
    if found.page is None:
        echo(advised("Next: `apply_fixes()`", found.run))


def _more(count: int) -> None:
    if count > _ROWS:
        echo(f"+{count - _ROWS} more")


def _ends(estimate: float, low: float, high: float) -> str:
    return f"{estimate:,.0f} ({low:,.0f} to {high:,.0f})"


def _count(interval: Interval | None) -> str:
    return "" if interval is None else _ends(interval.estimate, interval.low, interval.high)


def _share(interval: Interval | None) -> str:
    if interval is None:
        return "none"
    low, middle, high = (f"{100 * share:.1f}" for share in (interval.low, interval.estimate, interval.high))
    return f"{middle} % ({low} to {high})"
