"""`curate runs` and `curate runs diff`."""

from __future__ import annotations

import click

import curation
from curation.cli.options import json_option, markdown_option
from curation.cli.run_sections import diff_sections, overview_sections
from curation.cli.sections import print_sections
from curation.cli.terminal import print_json
from curation.errors import InputError

__all__ = ["runs"]


class _Runs(click.Group):
    """A group that says how to name a dataset to whoever gives it in place of a command."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the subcommand."""
        if args and args[0] not in self.commands and not ctx.resilient_parsing:
            raise InputError(
                "curate runs has no such command",
                got=args[0],
                wanted="diff, or none",
                fix=f"The runs of one dataset: curate runs --dataset {args[0]}",
            )
        return super().resolve_command(ctx, args)


@click.group(cls=_Runs, invoke_without_command=True, epilog="Example: curate runs --dataset demo")
@click.option("--dataset", metavar="NAME", help="Only the runs of this dataset. [default: of all]")
@markdown_option
@json_option
@click.pass_context
def runs(context: click.Context, dataset: str | None, as_markdown: bool, as_json: bool) -> None:
    """List all runs side by side.

    Shows when each started, the settings that differ, flags, decisions, fixes, and macro-F1 before and after.

    \b
    curate runs diff 1 2     compare two of them
    """  # noqa: D301 (click wants the control character)
    if context.invoked_subcommand is not None:
        _refuse_before_command(dataset, as_markdown, as_json)
        return
    from curation.run.overview import group_runs  # imports pandas

    groups = group_runs(curation.runs(dataset))
    if as_json:
        print_json({"datasets": [group.to_dict() for group in groups]})
    else:
        print_sections(overview_sections(groups), markdown=as_markdown)


@runs.command(epilog="Example: curate runs diff 1 3 --markdown")
@click.argument("a")
@click.argument("b")
@markdown_option
@json_option
def diff(a: str, b: str, as_markdown: bool, as_json: bool) -> None:
    """Compare two runs.

    Shows what differs in settings, data, flags, suggestions, decisions, fixes and macro-F1. A run is a number of the
    latest dataset (1), DATASET/NUMBER (demo/1), a dataset for the latest of its runs, or a folder. Listings are joined
    by id.
    """
    differences = curation.diff(a, b)
    if as_json:
        print_json(differences.to_dict())
    else:
        print_sections(diff_sections(differences), markdown=as_markdown)


def _refuse_before_command(dataset: str | None, as_markdown: bool, as_json: bool) -> None:
    if dataset is not None:
        fix = f"Name it with the runs: curate runs diff {dataset}/1 {dataset}/2"
        raise InputError("--dataset has no effect before diff", fix=fix)
    for option, given in (("--markdown", as_markdown), ("--json", as_json)):
        if given:
            raise InputError(f"{option} has no effect before diff", fix=f"Give it last: curate runs diff A B {option}")
