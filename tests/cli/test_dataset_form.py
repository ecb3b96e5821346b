"""The options about DATASET, as a suggested command repeats them."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import click
from click.testing import CliRunner

from curation.cli.dataset import DatasetForm, dataset_argument, dataset_options, dataset_words

TYPED = {
    "columns": ("label=kind of thing", "price="),
    "fetch": ("https://shop.com/our photos/", "s3://photos/"),
    "fetch_limit": "500MB",
    "label_separator": " > ",
    "allow_bad": 0.35,
    "max_photo_mb": 0.5,
    "encoding": "cp1251",
    "sheet": "Our goods",
    "decimal": ",",
}


def parsed(words: list[str]) -> tuple[Path, DatasetForm]:
    """Return DATASET and its form, as a command gets them."""
    seen: list[tuple[Path, DatasetForm]] = []

    @click.command()
    @dataset_argument
    @dataset_options
    def command(dataset: Path, form: DatasetForm) -> None:
        seen.append((dataset, form))

    ended = CliRunner().invoke(command, words)
    assert ended.exit_code == 0, ended.output
    return seen[0]


def test_every_option_is_repeated_so_that_the_command_reads_the_same_dataset() -> None:
    values = {field.name: TYPED.get(field.name, True) for field in fields(DatasetForm)}
    form = DatasetForm(**values)  # type: ignore[arg-type]
    assert parsed(dataset_words(Path("my shop.csv"), form)) == (Path("my shop.csv"), form)


def test_what_was_not_typed_is_not_repeated() -> None:
    dataset, form = parsed(["shop.csv"])
    assert dataset_words(dataset, form) == ["shop.csv"]
