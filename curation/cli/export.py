"""`curate export` and its formats."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

import curation
from curation.cli.advice import advised
from curation.cli.options import json_option, run_option
from curation.cli.terminal import Terminal, echo, print_json
from curation.errors import InputError, closest
from curation.rendering.words import many

__all__ = ["export"]


class _Formats(click.Group):
    """A group that says what to type to whoever names a model in place of a format."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Refuse options before the format."""
        first = args[0] if args else ""
        if first.startswith("-") and first not in ("--help", "-h"):
            raise self._no_format(first, "Name it first: curate export onnx MODEL --output FILE")
        return super().parse_args(ctx, args)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the format."""
        if args and args[0] not in self.commands and not ctx.resilient_parsing:
            near = closest(args[0], list(self.commands))
            raise self._no_format(args[0], near or f"For a model, type: curate export onnx {' '.join(args)}")
        return super().resolve_command(ctx, args)

    def _no_format(self, got: str, fix: str) -> InputError:
        return InputError("curate export needs a format", got=got, wanted=", ".join(self.commands), fix=fix)


@click.group(cls=_Formats, epilog="Example: curate export label-studio --output tasks")
def export() -> None:
    """Write a run for another tool, or a model as ONNX.

    What people decide in another tool comes back with `curate import-decisions`.
    """


def _output(command: Callable[..., Any]) -> Callable[..., Any]:
    return click.option(
        "--output",
        type=click.Path(path_type=Path),
        metavar="DIR",
        help="A new or empty folder. [default: one with the name of the format]",
    )(command)


_top = click.option("--top", type=click.IntRange(min=1), metavar="N", help="Only the N most urgent listings.")
_all = click.option("--all", is_flag=True, help="All listings, and not only those that are flagged and undecided.")


@export.command("label-studio", epilog="Example: curate export label-studio --photo-prefix https://photos.shop.com/")
@run_option
@_output
@_top
@_all
@click.option(
    "--photo-prefix",
    metavar="URL",
    help="What the URLs of the photos begin with. [default: where Label Studio serves files of its own disk]",
)
@json_option
def label_studio(
    run_folder: Path | None, output: Path | None, top: int | None, all: bool, photo_prefix: str | None, as_json: bool
) -> None:
    """Write tasks for Label Studio, with what is suggested as predictions, and a labelling configuration.

    The listings are those that are flagged and undecided, most urgent first. Exports of the project come back with
    `curate import-decisions label-studio`.
    """
    _export(run_folder, "label-studio", output, as_json=as_json, top=top, all=all, photo_prefix=photo_prefix)


@export.command("datalab", epilog="Example: curate export datalab --output lab")
@run_option
@_output
@json_option
def datalab(run_folder: Path | None, output: Path | None, as_json: bool) -> None:
    """Write a folder for cleanlab's Datalab.load, whose issues are those of the run.

    Needs pip install 'curate-listings[datalab]'.
    """
    _export(run_folder, "datalab", output, as_json=as_json)


@export.command("huggingface", epilog="Example: curate export huggingface --output shop-hf")
@run_option
@_output
@json_option
def huggingface(run_folder: Path | None, output: Path | None, as_json: bool) -> None:
    """Write an imagefolder for Hugging Face datasets, with copies of the photos, metadata and a dataset card.

    The labels are those of the cleaned dataset if `curate apply-fixes` wrote one, and the given ones otherwise.
    """
    _export(run_folder, "huggingface", output, as_json=as_json)


@export.command("coco", epilog="Example: curate export coco --output shop-coco")
@run_option
@_output
@json_option
def coco(run_folder: Path | None, output: Path | None, as_json: bool) -> None:
    """Write files of COCO: each photo with its class as the category of one annotation, which covers it.

    The labels are those of the cleaned dataset if `curate apply-fixes` wrote one, and the given ones otherwise. Photos
    are not copied. Categories that were changed come back with `curate import-decisions coco`.
    """
    _export(run_folder, "coco", output, as_json=as_json)


@export.command("cvat", epilog="Example: curate export cvat --top 500 --output check")
@run_option
@_output
@_top
@_all
@json_option
def cvat(run_folder: Path | None, output: Path | None, top: int | None, all: bool, as_json: bool) -> None:
    """Write tags of photos to check for CVAT, and the labels of its task.

    The listings are those that are flagged and undecided, most urgent first. Its exports as CVAT for images 1.1 come
    back with `curate import-decisions cvat`.
    """
    _export(run_folder, "cvat", output, as_json=as_json, top=top, all=all)


@export.command("sql", epilog="Example: curate export sql --database postgresql://me@db/shop")
@run_option
@click.option("--database", required=True, metavar="URL", help="A URL of SQLAlchemy.")
@click.option(
    "--table-prefix",
    metavar="TEXT",
    help="What the names of the tables begin with, and a schema before it: quality.curate_. [default: curate_]",
)
@json_option
def sql(run_folder: Path | None, database: str, table_prefix: str | None, as_json: bool) -> None:
    """Fill the tables curate_issues and curate_decisions of a database.

    They are keyed by the id of the listings. Each export replaces all their rows, in one transaction. Needs pip install
    'curate-listings[sql]'.
    """
    _export(run_folder, "sql", None, as_json=as_json, database=database, table_prefix=table_prefix)


@export.command("fiftyone", epilog="Example: curate export fiftyone --dataset shop")
@run_option
@click.option("--dataset", required=True, metavar="NAME", help="A dataset of your own.")
@json_option
def fiftyone(run_folder: Path | None, dataset: str, as_json: bool) -> None:
    """Write the issues into a dataset of your own in FiftyOne: fields, a tag, a saved view and a run.

    Labels that are changed there, and the tags keep, delete and ambiguous, come back with `curate import-decisions
    fiftyone`. For a review with curate's own keys, type `curate review` instead.
    """
    _export(run_folder, "fiftyone", None, as_json=as_json, dataset=dataset)


def _export(run_folder: Path | None, format: str, output: Path | None, *, as_json: bool, **options: Any) -> None:
    run = curation.open_run(run_folder)
    exported = run.export(format, output, **options, reporter=Terminal())
    if as_json:
        print_json(exported.to_dict())
        return
    echo(f"{exported.target or exported.folder}: {many(exported.listings, 'listing')}")
    for note in exported.notes:
        echo(advised(note, run.folder))


@export.command(epilog="Example: curate export onnx models/shop/1 --output shop.onnx")
@click.argument("model", metavar="MODEL", type=click.Path(path_type=Path))
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="The file. [default: model.onnx beside the model]",
)
@click.option(
    "--tolerance",
    default=1e-4,
    show_default=True,
    type=click.FloatRange(min=0, min_open=True),
    help="Largest accepted difference from torch: of a probability, or of a price relative to it.",
)
@json_option
def onnx(model: Path, output: Path | None, tolerance: float, as_json: bool) -> None:
    """Write a model as ONNX.

    MODEL is a folder that `curate train` wrote, or its model.pt. ONNX Runtime runs the file on photos of the model's
    dataset and on random ones, and it is kept only if it predicts what torch predicts. Needs pip install
    'curate-listings[onnx]'.
    """
    # slow to import; `curate --help` should not wait for it
    from curation.models.model import load_model

    exported = load_model(model).export(output, tolerance=tolerance, reporter=Terminal())
    if as_json:
        print_json(exported.to_dict())
        return
    echo(f"{exported.file}: {exported.bytes / 1e6:,.1f} MB")
    echo(
        f"Largest difference from torch: {exported.largest_difference:.1e} "
        f"({many(exported.photos['real'], 'real photo')}, {many(exported.photos['random'], 'random one')})"
    )
