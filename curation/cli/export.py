"""`curate export`."""

from __future__ import annotations

from pathlib import Path

import click

from curation.cli.options import json_option
from curation.cli.terminal import Terminal, print_json

__all__ = ["export"]


@click.command(epilog="Example: curate export models/shop/1 --output shop.onnx")
@click.argument("model", metavar="MODEL", type=click.Path(path_type=Path))
@click.option(
    "--output", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="[default: model.onnx beside it]"
)
@click.option(
    "--tolerance",
    default=1e-4,
    show_default=True,
    type=click.FloatRange(min=0, min_open=True),
    help="Largest difference to torch that is accepted, in a probability, or of a price in proportion.",
)
@json_option
def export(model: Path, output: Path | None, tolerance: float, as_json: bool) -> None:
    """Write MODEL as ONNX, for programs without torch.

    MODEL is the folder of `curate train`, or its model.pt. The file is run with ONNX Runtime on photos of the model's
    own folder and on random ones, and kept only if it tells what torch tells. Needs pip install 'curate[onnx]'.
    """
    # these imports take seconds; `curate --help` should not
    from curation.models.export import export_model

    found = export_model(model, output, tolerance=tolerance, reporter=Terminal())
    if as_json:
        print_json(found)
        return
    click.echo(f"{found['file']}: {found['bytes'] / 1e6:,.1f} MB")
    click.echo(
        f"Largest difference to torch: {found['largest_difference']:.1e} "
        f"({found['photos']['real']:,} real photos, {found['photos']['random']:,} random ones)"
    )
