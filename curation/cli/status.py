"""`curate status`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from curation.cli.options import json_option, run_option
from curation.cli.terminal import Terminal, print_json
from curation.errors import RunError
from curation.run.folder import RUNS, RunFolder
from curation.run.lookup import find_runs
from curation.run.status import Status, status_of

__all__ = ["status"]


@click.command(epilog="Example: curate status --json")
@run_option
@json_option
def status(run_folder: Path | None, as_json: bool) -> None:
    """Show where a run stands and what to do next."""
    runs = [RunFolder(run_folder)] if run_folder else find_runs()
    if not runs:
        raise RunError(f"there is no run below {RUNS}/", fix="Start one with: curate find-issues DATASET")
    found = status_of(runs[-1])
    for line in found.damaged:
        Terminal().say(f"warning: {line}")
    state = _shown(found)
    if as_json:
        print_json(state)
        return
    for name, value in state.items():
        click.echo(f"{name:>10}: {value}")


def _shown(found: Status) -> dict[str, Any]:
    following = {
        "continue": f"curate find-issues {found.dataset}   resume it",
        "review": "curate review",
        "apply_fixes": "curate apply-fixes",
        "retrain": "curate retrain --compare",
        "done": "everything is done; read the report",
    }
    content = found.to_dict()
    del content["step"], content["damaged"]
    return {**content, "report": found.report or "not written yet", "next": following[found.step]}
