"""What `curate review` shares between its ways: `--html`, `--page` and the App."""

from __future__ import annotations

import webbrowser
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

import curation
from curation.cli.advice import advised
from curation.cli.terminal import Terminal, echo, print_json
from curation.errors import InputError
from curation.rendering.words import many

__all__ = ["again_call", "check_page_options", "is_given", "next_without_flags", "review_page"]

#: Listings of an audit that is advised.
_AUDIT = 200


def check_page_options(context: click.Context, *, page: bool, html: bool, link: bool) -> None:
    """Refuse options that mean nothing with ``--html``, ``--page`` or ``--link``, or without them.

    Raises
    ------
    InputError
        Naming the first of them.
    """
    idle = ("address", "port", "link", "page") if html else ("output", "test", "budget")
    for name in filter(lambda name: is_given(context, name), idle):
        if html:
            raise InputError(f"--{name} has no effect with --html", fix="Leave one of them out.")
        raise InputError(f"--{name} has no effect without --html", fix="Leave it out, or add --html.")
    for name in filter(lambda name: not page and is_given(context, name), ("learn", "blind", "conflicts", "overlap")):
        raise InputError(f"--{name} has no effect without --page", fix="Leave it out, or add --page.")
    if is_given(context, "budget") and not is_given(context, "test"):
        raise InputError("--budget has no effect without --test", fix="Leave it out, or add --test.")
    for name in filter(lambda name: is_given(context, name), ("top", "all")):
        if is_given(context, "conflicts"):
            raise InputError(f"--{name} has no effect with --conflicts", fix="Leave it out: all conflicts are shown.")
        if is_given(context, "test"):
            raise InputError(f"--{name} has no effect with --test", fix="Say how many with --budget.")
    for name in filter(lambda name: link and is_given(context, name), ("address", "reviewer", "photos", "top", "all")):
        raise InputError(f"--{name} has no effect with --link", fix="Leave one of them out.")


def is_given(context: click.Context, name: str) -> bool:
    """Return whether an option was typed."""
    return context.get_parameter_source(name) not in (ParameterSource.DEFAULT, None)


def again_call(context: click.Context) -> str:
    """Return the call, in backquotes, that opens a review again as it was: for the same reviewer, in the same way."""
    kept = ("page", "address", "port", "reviewer", "top", "all", "learn", "blind", "conflicts", "overlap")
    chosen = ", ".join(f"{name}={context.params[name]!r}" for name in kept if is_given(context, name))
    return f"`review({chosen})`"


def review_page(
    run: curation.Run,
    chosen: dict[str, Any],
    *,
    output: Path | None,
    reviewer: str | None,
    browser: bool,
    as_json: bool,
) -> None:
    """Write the page, and say where it is and what comes next."""
    from curation.review.commands import apply_decisions
    from curation.run.manifests import call_again

    made = run.review_page(output=output, **chosen, reviewer=reviewer, reporter=Terminal())
    done = made.decided == made.listings
    then = "`retrain(compare=True)`" if chosen["test"] else call_again(run.folder / "cleaned")
    following = advised(then, run.folder) if done else apply_decisions(run.folder)
    if as_json:
        print_json(
            {
                "run": str(run.folder),
                "page": None if made.path is None else str(made.path),
                "listings": made.listings,
                "decided": made.decided,
                "bytes": made.size,
                "next": None if made.path is None else following,
            }
        )
    elif made.path is None:
        echo(f"Nothing is flagged in run {run.folder}: there is nothing to review, and no page was written.")
        echo(f"Next: {next_without_flags(run)}")
    else:
        listings = many(made.listings, "listing")
        echo(f"Page: {made.path} ({listings}, {made.decided:,} decided already, {made.size / 1e6:.1f} MB)")
        echo("All of them are decided." if done else "Decide in a browser, and download decisions.csv there.")
        echo(f"Next: {following}")
    if browser and made.path is not None:
        webbrowser.open(made.path.resolve().as_uri())


def next_without_flags(run: curation.Run) -> str:
    """Return the command that comes next where nothing is flagged: labels that are drawn by chance can be checked."""
    if len(run.decisions()):
        following = "`apply_fixes()`"
    else:
        size = min(_AUDIT, int(run.issues["given_label"].notna().sum()))
        following = f"`audit(size={size})`"
    return advised(following, run.folder)
