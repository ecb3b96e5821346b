"""`curate check-dataset`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

import curation
from curation.cli.dataset import PATH_OR_URL, DatasetForm, dataset_options, read_dataset
from curation.cli.options import (
    cache_option,
    check_train_options,
    json_option,
    refuse_without_effect,
    train_options,
    train_settings,
    wait_option,
)
from curation.cli.terminal import Terminal, print_json, print_table
from curation.errors import InputError
from curation.rendering.words import many
from training.utils.files import write_text

__all__ = ["check_dataset"]

#: The exit code if a limit is crossed.
_CROSSED = 3
_OWN = {"dataset", "run_folder", "fail_if", "baseline", "junit", "markdown", "as_json", "wait"}


@click.command(
    "check-dataset",
    epilog='Example: curate check-dataset shop.csv --fail-if "label_errors > 5%" --baseline runs/shop/1',
)
@click.argument("dataset", metavar="[DATASET]", type=PATH_OR_URL, required=False)
@click.option("--run", "run_folder", metavar="RUN", help="A finished run, instead of DATASET: nothing is computed.")
@click.option(
    "--fail-if",
    multiple=True,
    required=True,
    metavar="LIMIT",
    help='E.g. "label_errors > 5%", "new_reposts > 0", "label_flags[Laptops] > baseline + 2%"; repeat it for several.',
)
@click.option("--baseline", metavar="RUN", help="The run of an earlier state: DATASET is judged by its models.")
@click.option("--junit", type=click.Path(dir_okay=False, path_type=Path), help="Also write JUnit's XML to this file.")
@click.option("--markdown", type=click.Path(dir_okay=False, path_type=Path), help="Also write a table in Markdown.")
@dataset_options
@click.option(
    "--probabilities", type=click.Path(path_type=Path), help="Your own out-of-fold probabilities: nothing is trained."
)
@click.option("--text/--no-text", default=True, show_default=True, help="Read text in photos.")
@train_options
@cache_option
@wait_option
@json_option
def check_dataset(
    dataset: str | Path | None,
    run_folder: str | None,
    fail_if: tuple[str, ...],
    baseline: str | None,
    junit: Path | None,
    markdown: Path | None,
    form: DatasetForm,
    probabilities: Path | None,
    text: bool,
    cache_dir: Path | None,
    wait: bool | float,
    as_json: bool,
    **train: Any,
) -> None:
    """Fail if a dataset is worse than it may be: for pipelines.

    Finds the issues of DATASET, or takes a finished --run, and compares what it measures with each LIMIT. With
    --baseline, only what is new or has changed since that run is judged, by its models and with its settings. What is
    estimated crosses a limit only if all of its 95 % interval does. Exit code 3 if a limit is crossed.
    """
    context = click.get_current_context()
    if (dataset is None) == (run_folder is None):
        raise InputError(
            "nothing to check" if dataset is None else "--run has no effect beside DATASET",
            wanted="DATASET, or --run",
            fix="Give one of them.",
        )
    # a mistake in a limit must not come up after an hour of training
    from curation.gate import parsed_limits

    limits = parsed_limits(fail_if, has_baseline=baseline is not None)
    if run_folder is not None:
        names = {str(parameter.name) for parameter in context.command.params}
        refuse_without_effect(names - _OWN, "with --run: nothing is computed", "Leave it out.")
        run = curation.open_run(run_folder, wait=wait, reporter=Terminal())
    else:
        run = _found(dataset or "", form, probabilities, text, baseline, cache_dir, wait, train)
    gate = run.gate(fail_if, baseline=baseline)
    for file, content in ((junit, gate.to_junit), (markdown, gate.to_markdown)):
        if file is not None:
            write_text(file, content())
    if as_json:
        print_json(gate.to_dict())
    else:
        _print(gate, [limit.is_share for limit in limits])
    if not gate.passed:
        context.exit(_CROSSED)


def _found(
    dataset: str | Path,
    form: DatasetForm,
    probabilities: Path | None,
    text: bool,
    baseline: str | None,
    cache_dir: Path | None,
    wait: bool | float,
    train: dict[str, Any],
) -> curation.Run:
    reporter = Terminal()
    if baseline is not None:
        why = "with --baseline: settings and models are those of that run"
        refuse_without_effect({"probabilities", "text", *train}, why, "Leave it out.")
    recipe, execution = train_settings(train)
    if baseline is None:
        check_train_options(execution.complete(recipe), given=probabilities is not None)
    listings = read_dataset(dataset, form, needs_image=probabilities is None, cache=cache_dir, reporter=reporter)
    if baseline is not None:
        return curation.find_issues(
            listings, since=baseline, cache=cache_dir, wait=wait, command=sys.argv, reporter=reporter
        )
    return curation.find_issues(
        listings,
        probabilities=probabilities,
        text=text,
        recipe=recipe,
        execution=execution,
        cache=cache_dir,
        wait=wait,
        command=sys.argv,
        reporter=reporter,
    )


def _print(gate: curation.Gate, are_shares: list[bool]) -> None:
    from curation.gate.result import CROSSED

    rows = []
    for row, is_share in zip(gate.limits.to_dict("records"), are_shares, strict=True):
        low, high, amount, bound = (_text(row[name], is_share) for name in ("low", "high", "amount", "bound"))
        interval = "" if row["low"] == row["high"] else f"{low} to {high}"
        rows.append((row["limit"], amount, interval, bound, row["verdict"]))
    crossed = int((gate.limits["verdict"] == CROSSED).sum())
    title = f"{gate.run}: {many(crossed, 'limit')} crossed" if crossed else f"{gate.run}: no limit is crossed"
    print_table(title, ["fails if", "measured", "95 % interval", "bound", ""], rows, right=[1, 2, 3])


def _text(value: float, is_share: bool) -> str:
    if is_share:
        return f"{100 * value:.1f}%"
    return f"{value:,.0f}" if value == round(value) else f"{value:,.1f}"
