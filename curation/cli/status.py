"""`curate status`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from curation.cli.options import json_option, run_option
from curation.cli.terminal import print_json
from curation.errors import RunError
from curation.run.lookup import find_runs
from curation.run.run import RUNS, Run

__all__ = ["status"]


@click.command(epilog="Example: curate status --json")
@run_option
@json_option
def status(run_folder: Path | None, as_json: bool) -> None:
    """Show where a run stands and what to do next."""
    runs = [Run(run_folder)] if run_folder else find_runs()
    if not runs:
        raise RunError(f"there is no run below {RUNS}/", fix="Start one with: curate find-issues DATASET")
    state = _state(runs[-1])
    if as_json:
        print_json(state)
        return
    for name, value in state.items():
        click.echo(f"{name:>10}: {value}")


def _state(run: Run) -> dict[str, Any]:
    record = run.record()
    decided = run.holding_decisions().decisions
    finished = record["status"] == "finished"
    if not finished:
        following = f"curate find-issues {record['dataset']['path']}   goes on where it stopped"
    elif not decided:
        following = "curate review"
    elif not run.cleaned.exists():
        following = "curate apply-fixes"
    elif not run.comparison_file.exists():
        following = "curate retrain --compare"
    else:
        following = "the loop is done; read the report"
    return {
        "run": str(run.folder),
        "dataset": record["dataset"]["path"],
        "status": record["status"],
        "decisions": len(decided),
        "cleaned": run.cleaned.exists(),
        "compared": run.comparison_file.exists(),
        "report": str(run.report_file) if run.report_file.exists() else "not written yet",
        "next": following,
    }
