"""`curate export`."""

from __future__ import annotations

from pathlib import Path

import click

from curation.cli.options import json_option
from curation.cli.terminal import Terminal, echo, print_json
from curation.rendering.words import many

__all__ = ["export"]


@click.command(epilog="Example: curate export models/shop/1 --output shop.onnx")
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
def export(model: Path, output: Path | None, tolerance: float, as_json: bool) -> None:
    """Write a model as ONNX.

    MODEL is a folder that `curate train` wrote, or its model.pt. ONNX Runtime runs the file on photos of the model's
    dataset and on random ones, and it is kept only if it predicts what torch predicts. Needs pip install
    'curate[onnx]'.
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
