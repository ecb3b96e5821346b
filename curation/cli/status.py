"""`curate status`."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

import curation
from curation.cli.advice import advised
from curation.cli.options import json_option, run_option
from curation.cli.review_page import next_without_flags
from curation.cli.terminal import Terminal, echo, print_json
from curation.rendering.words import many

__all__ = ["status"]


@click.command(epilog="Example: curate status --json")
@run_option
@json_option
def status(run_folder: Path | None, as_json: bool) -> None:
    """Show where a run stands and what to do next."""
    from curation.run.status import AUDIT  # imports pandas

    state = curation.status(run_folder)
    Terminal().warn(state.damaged)
    next_commands = {
        "audit": "`audit()`   (or `apply_fixes()`, to stop the audit here)" if state.decisions else "`audit()`",
        "review": "`review()`",
        "apply_fixes": "`apply_fixes(soft=True)`" if state.soft else "`apply_fixes()`",
        "retrain": "`retrain(compare=True)`",
        "settle": "`review(page=True, conflicts=True)`",
        "done": "everything is done; read the report",
    }
    if state.step == "audit" and not state.decisions and not (Path(state.run) / AUDIT).exists():
        next_commands["audit"] = next_without_flags(curation.open_run(state.run))
    begin = state.started_by or shlex.join(["curate", "find-issues", state.dataset])
    # what was typed is no message of the library
    following = (
        f"{begin}   resume it" if state.step == "continue" else advised(next_commands[state.step], Path(state.run))
    )
    content = state.to_dict()
    del content["step"], content["damaged"], content["started_by"]
    content |= {"report": state.report or "not written yet", "next": following}
    if not content["unapplied"] and not as_json:
        del content["unapplied"]
    if not content["soft"] and not as_json:
        del content["soft"]
    if not as_json:
        content["agreement"] = str(state.agreement)
        settle = advised("`review(page=True, conflicts=True)`", Path(state.run))
        content["conflicts"] = f"{many(state.conflicts, 'listing')}, to settle with {settle}"
    for name, shown in {"agreement": str(state.agreement), "conflicts": state.conflicts}.items():
        if not shown and not as_json:
            del content[name]
    if content["as_of"] is None:
        del content["as_of"]
    if as_json:
        print_json(content)
        return
    if actions := content.pop("actions"):
        counts = ", ".join(f"{count:,} {name}" for name, count in actions.items())
        content["decisions"] = f"{state.decisions} ({counts})"
    content["cleaned"] = "written" if state.cleaned else "not written yet"
    content["compared"] = "written" if state.compared else "not written yet"
    if (count := content.pop("unapplied", 0)) and state.cleaned:
        content["cleaned"] += f", without what was decided since on {many(count, 'listing')}"
    for name, value in content.items():
        echo(f"{name:>10}: {value}")
