"""`curate predict`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from curation.cli.dataset import DatasetForm, dataset_argument, dataset_options, read_dataset
from curation.cli.options import cache_option, json_option
from curation.cli.terminal import Terminal, echo, print_json, print_table
from curation.rendering.words import many

if TYPE_CHECKING:
    from curation.models.predict import Predictions

__all__ = ["predict"]

_CLASSES = 20


@click.command(epilog="Example: curate predict models/shop/1 new-listings.csv --column image=photo")
@click.argument("model", metavar="MODEL", type=click.Path(path_type=Path))
@dataset_argument
@dataset_options
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Folder of the predictions: new or empty. [default: predictions/NAME/NUMBER]",
)
@click.option(
    "--raw",
    is_flag=True,
    help="For programs: no apostrophe in predictions.csv before texts that a spreadsheet takes for formulas.",
)
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda, cuda:1 or mps.")
@cache_option
@json_option
def predict(
    model: Path,
    dataset: str | Path,
    form: DatasetForm,
    output: Path | None,
    raw: bool,
    device: str,
    cache_dir: Path | None,
    as_json: bool,
) -> None:
    """Predict the labels or prices of listings.

    MODEL is a folder that `curate train` wrote, or its model.pt. DATASET has the same forms as for find-issues, or is a
    folder of photos; it needs no labels. If it has some, the output says how often the predictions agree with them.
    Listings without a readable photo stay in the output, without a prediction.
    """
    # slow to import; `curate --help` should not wait for it
    from curation.models.model import load_model

    reporter = Terminal()
    loaded = load_model(model)
    listings = read_dataset(
        dataset, form, needs_label=False, usual_decimal=loaded.decimal, cache=cache_dir, reporter=reporter
    )
    predictions = loaded.predict(listings, output=output, raw=raw, device=device, cache=cache_dir, reporter=reporter)
    if as_json:
        print_json(predictions.to_dict())
    else:
        _print(predictions)


def _print(predictions: Predictions) -> None:
    listings = f"{predictions.predicted:,} of {many(predictions.listings, 'listing')}"
    title = f"{predictions.dataset}: {predictions.target}s predicted for {listings}"
    if predictions.target == "label":
        counts = sorted(predictions.distribution.items(), key=lambda item: -item[1])
        rows = [(name, f"{count:,}") for name, count in counts[:_CLASSES]]
        rows += [(f"… {len(counts) - _CLASSES:,} more", "")] if len(counts) > _CLASSES else []
        print_table(title, ["predicted label", "listings"], rows, right=[1])
    else:
        low, median, high = (f"{predictions.distribution[key]:,.2f}" for key in ("p5", "median", "p95"))
        echo(f"{title}: median {median} {predictions.currency or ''}".rstrip() + f", 90 % from {low} to {high}")
    echo()
    for reason, count in predictions.not_predicted.items():
        echo(f"Not predicted: {count:,} ({reason})")
    _print_agreement(predictions)
    echo(f"All of them: {predictions.predictions}")


def _print_agreement(predictions: Predictions) -> None:
    if predictions.unknown_labels:
        unknown = [f"{name} ({count:,})" for name, count in list(predictions.unknown_labels.items())[:_CLASSES]]
        echo(f"Labels that the model does not know, left out of the comparison: {', '.join(unknown)}")
    if predictions.agreement:
        echo(f"{_agreement(predictions, predictions.agreement)}.")
    if predictions.trained:
        echo(
            f"{predictions.trained:,} of the listings have a photo that trained the model: their predictions are not "
            "held-out, and look better than they are."
        )
        if predictions.agreement_untrained:
            echo(f"Without them: {_agreement(predictions, predictions.agreement_untrained)}.")


def _agreement(predictions: Predictions, scores: dict[str, float]) -> str:
    if predictions.target == "price":
        currency = f" {predictions.currency}" if predictions.currency else ""
        return (
            f"MAE {scores['mae']:,.2f}{currency}, median absolute error {scores['median_ae']:,.2f}{currency} over "
            f"{many(int(scores['listings']), 'price')}"
        )
    return (
        f"{scores['accuracy']:.1%} of {scores['listings']:,} given labels are predicted, macro-F1 "
        f"{scores['macro_f1']:.3f}"
    )
