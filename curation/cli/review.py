"""`curate review`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

import curation
from curation.cli.advice import advised
from curation.cli.options import json_option, photos_option, run_option
from curation.cli.review_page import again_call, check_page_options, is_given, next_without_flags, review_page
from curation.cli.terminal import Terminal, echo, print_json
from curation.rendering.words import many

if TYPE_CHECKING:
    from curation.review.server.links import Link

__all__ = ["review"]


_EXAMPLES = """\b
Examples:
  curate review                                    the latest run, in your browser
  curate review --port 5152 --reviewer ana         a second reviewer on this machine
  curate review --page                             a page made for keys: no FiftyOne, no MongoDB
  curate review --html --test --budget 200         200 test listings, to compare on true labels
  curate review --link                             a new link into the review that is open
  curate review --no-browser                       on a server; on your own machine type
      ssh -L 5151:localhost:5151 SERVER            and open the printed address
"""


@click.command(epilog=_EXAMPLES)
@run_option
@photos_option
@click.option("--address", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=5151, show_default=True, help="Port; 0 picks a free one."
)
@click.option("--reviewer", help="Your name, saved with every decision. [default: CURATE_REVIEWER or your login]")
@click.option("--browser/--no-browser", default=True, show_default=True, help="Open a browser.")
@click.option(
    "--link", is_flag=True, help="Print a new link into your open reviews of the run, or into that on --port."
)
@click.option("--page", is_flag=True, help="Review on a page made for keys, which opens in seconds: no MongoDB.")
@click.option("--html", is_flag=True, help="Write a single page to review in: no MongoDB, no server.")
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="With --html: the page. [default: review.html in the run, test.html with --test]",
)
@click.option("--top", type=click.IntRange(min=1), metavar="N", help="Load the N most urgent listings. [default: 5000]")
@click.option("--all", is_flag=True, help="Load all listings.")
@click.option(
    "--learn/--no-learn",
    default=True,
    show_default=True,
    help="With --page: put what is left into a new order, with new suggestions, as you decide.",
)
@click.option(
    "--blind",
    type=click.FloatRange(0, 1),
    default=0.0,
    show_default=True,
    metavar="SHARE",
    help="With --page: hide the suggestion of so many listings until they are decided, e.g. 0.1.",
)
@click.option("--conflicts", is_flag=True, help="With --page: the listings that reviewers disagree on, to settle them.")
@click.option(
    "--overlap",
    type=click.FloatRange(0, 1),
    metavar="SHARE",
    help="With --page: let two reviewers decide on so many listings, blind to each other. [default: as the run has it]",
)
@click.option(
    "--test",
    is_flag=True,
    help="With --html: test listings drawn at random, blind, which show best whether cleaning helped.",
)
@click.option("--budget", type=click.IntRange(min=1), metavar="N", help="With --test: how many to draw.")
@json_option
@click.pass_context
def review(
    context: click.Context,
    run_folder: Path | None,
    photos: Path | None,
    address: str,
    port: int,
    reviewer: str | None,
    browser: bool,
    link: bool,
    page: bool,
    html: bool,
    output: Path | None,
    top: int | None,
    all: bool,
    learn: bool,
    blind: float,
    conflicts: bool,
    overlap: float | None,
    test: bool,
    budget: int | None,
    as_json: bool,
) -> None:
    """Review the flagged listings in the FiftyOne App, or on a page.

    Keep, relabel, reprice or delete with the mouse or the keys k, a, e, f, p, s, d, u. Every decision is saved at once
    in decisions.jsonl. Ctrl-C ends the review. The dataset only changes when you type `curate apply-fixes`.
    """
    check_page_options(context, page=page, html=html, link=link)
    run = curation.open_run(run_folder, photos=photos, reporter=Terminal())
    if html:
        chosen = {"top": top, "all": all, "test": test, "budget": budget}
        review_page(run, chosen, output=output, reviewer=reviewer, browser=browser, as_json=as_json)
        return
    if link:
        _print_links(run.review_links(port=port if is_given(context, "port") else None), as_json=as_json)
        return
    outcome = run.review(
        address=address,
        port=port,
        reviewer=reviewer,
        browser=browser,
        page=page,
        top=top,
        all=all,
        learn=learn,
        blind=blind,
        conflicts=conflicts,
        overlap=overlap,
        reporter=Terminal(),
    )
    if as_json:
        print_json(
            {
                "run": str(run.folder),
                "decisions": outcome.decisions,
                "flagged": outcome.flagged,
                "undecided": outcome.undecided,
                "agreement": outcome.agreement.to_dict(),
            }
        )
        return
    if not outcome.flagged and not conflicts and not any(outcome.decisions.values()):
        echo("Nothing is flagged: there is nothing to review.")
        echo(f"Next: {next_without_flags(run)}")
        return
    made = ", ".join(f"{count} {action}" for action, count in outcome.decisions.items() if count) or "none"
    what = "conflict" if conflicts else "flagged listing"
    left = f"{outcome.undecided:,} of {many(outcome.flagged, what)}"
    echo(f"Decisions of this session: {made}. Left to {'settle' if conflicts else 'review'}: {left}.")
    if told := str(outcome.agreement):
        echo(f"Reviewers: {told}.")
    from curation.run.manifests import call_again

    if outcome.agreement.conflicts:
        those = f"Reviewers disagree on {many(outcome.agreement.conflicts, 'listing')}"
        echo(advised(f"{those}. Settle that with `review(page=True, conflicts=True)`.", run.folder))
    apply = advised(call_again(run.folder / "cleaned"), run.folder)
    if not outcome.undecided:
        echo(f"Next: {apply}")
        return
    again = advised(again_call(context), run.folder)
    width = max(len(apply), len(again))
    echo(f"Next: {again:{width}}  go on with those that are left")
    echo(f"      {apply:{width}}  or apply what is decided")


def _print_links(links: Sequence[Link], *, as_json: bool) -> None:
    if as_json:
        print_json({"links": [asdict(link) for link in links]})
        return
    for link in links:
        echo(link.url if len(links) == 1 else f"{link.url}   {link.reviewer}")
