"""DATASET and the options about it, for every command that reads one."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

import curation
from curation.errors import InputError, ListingsError
from curation.remote.addresses import scheme_of, shown
from training.utils.files import printable_name
from training.utils.progress import Reporter

__all__ = ["PATH_OR_URL", "DatasetForm", "dataset_argument", "dataset_options", "dataset_words", "read_dataset"]


if TYPE_CHECKING:
    _ParamType = click.ParamType[str | Path]
else:  # before 8.4, click's class has no brackets
    _ParamType = click.ParamType


class _PathOrURL(_ParamType):
    """A path, or the text of a URL: as a path, it would lose a slash."""

    name = "path"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str | Path:
        return value if isinstance(value, Path) or scheme_of(value) else Path(value)


PATH_OR_URL = _PathOrURL()
dataset_argument = click.argument("dataset", metavar="DATASET", type=PATH_OR_URL)


@dataclass(frozen=True)
class DatasetForm:
    """The options about the form of DATASET, as they were typed.

    Attributes
    ----------
    columns : tuple of str
        ``OURS=THEIRS`` each.
    allow_outside, fetch, fetch_limit, merge_labels, label_separator, allow_bad, max_photo_mb, encoding, sheet, decimal
        As for :func:`curation.read_listings`.
    """

    columns: tuple[str, ...]
    allow_outside: bool
    fetch: tuple[str, ...] = ()
    fetch_limit: str | None = None
    merge_labels: bool = False
    label_separator: str | None = None
    allow_bad: float | None = None
    max_photo_mb: float | None = None
    encoding: str | None = None
    sheet: str | None = None
    decimal: str | None = None

    def arguments(self) -> dict[str, Any]:
        """Return the arguments of :func:`curation.read_listings`."""
        return {**vars(self), "columns": _mapping(self.columns), "fetch": self.fetch or None}

    def words(self) -> list[str]:
        """Return the options as they are typed, for a command that is suggested."""
        words = [word for column in self.columns for word in ("--column", column)]
        if self.allow_outside:
            words.append("--allow-outside")
        words += [word for prefix in self.fetch for word in ("--fetch", prefix)]
        if self.fetch_limit is not None:
            words += ["--fetch-limit", self.fetch_limit]
        if self.merge_labels:
            words.append("--merge-labels")
        if self.label_separator is not None:
            words += ["--label-separator", self.label_separator]
        if self.allow_bad is not None:
            words += ["--allow-bad", f"{self.allow_bad:g}"]
        if self.max_photo_mb is not None:
            words += ["--max-photo-mb", f"{self.max_photo_mb:g}"]
        if self.encoding is not None:
            words += ["--encoding", self.encoding]
        if self.sheet is not None:
            words += ["--sheet", self.sheet]
        if self.decimal is not None:
            words += ["--decimal", self.decimal]
        return words


_OPTIONS = (
    click.option(
        "--column",
        "columns",
        multiple=True,
        metavar="OURS=THEIRS",
        help="Map a column, e.g. label=category; price= uses no column of prices.",
    ),
    click.option("--allow-outside", is_flag=True, help="Accept image paths that lead out of the dataset's folder."),
    click.option(
        "--fetch",
        multiple=True,
        metavar="PREFIX",
        help="Fetch photos whose URLs begin with this, e.g. https://images.shop.com/ or s3://bucket/photos/.",
    ),
    click.option("--fetch-limit", metavar="SIZE", help="Most that is fetched in all. [default: 5GB]"),
    click.option(
        "--merge-labels",
        is_flag=True,
        help="Merge labels that are probably one class, e.g. Laptop, laptop and Laptops, into the most frequent one.",
    ),
    click.option(
        "--label-separator",
        metavar="TEXT",
        help="What stands between the levels of labels, e.g. > in Games > Consoles.",
    ),
    click.option(
        "--allow-bad",
        type=float,
        metavar="SHARE",
        help="Share of rows, and of photos, that may be bad, 0 to 1. [default: 0.2]",
    ),
    click.option(
        "--max-photo-mb",
        type=float,
        metavar="MB",
        help="Larger photo files are not read, and count as unreadable. [default: 200]",
    ),
    click.option(
        "--encoding",
        metavar="NAME",
        help="Encoding of the table's text, e.g. cp1251 or shift_jis. [default: found out]",
    ),
    click.option(
        "--sheet",
        metavar="NAME",
        help="Sheet of an .xlsx with the listings. [default: the first that has them]",
    ),
    click.option(
        "--decimal",
        metavar="MARK",
        help="What marks the decimals of prices, a dot or a comma: what 1.299 means. [default: the prices settle it]",
    ),
)


def dataset_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options about the form of DATASET to a command, which gets them together as `form`."""

    @functools.wraps(command)
    def with_form(**options: Any) -> Any:
        form = DatasetForm(**{field.name: options.pop(field.name) for field in fields(DatasetForm)})
        return command(form=form, **options)

    for option in reversed(_OPTIONS):
        with_form = option(with_form)
    return with_form


def read_dataset(
    dataset: str | Path,
    form: DatasetForm,
    *,
    reporter: Reporter,
    needs_image: bool = True,
    needs_label: bool = True,
    strict: bool = True,
    usual_decimal: str | None = None,
    cache: Path | None = None,
) -> curation.Listings:
    """Read a dataset with the options of a command; report its bad rows before the error.

    Parameters
    ----------
    dataset : str or Path
        As typed: a path, or a URL.
    form : DatasetForm
        The options about it.
    needs_image, needs_label, strict, usual_decimal, cache
        As for :func:`curation.listings.read_listings`.
    reporter : Reporter
        Hears of the bad rows, kind by kind, and how the dataset was read.
    """
    try:
        listings = curation.read_listings(
            dataset,
            **form.arguments(),
            needs_image=needs_image,
            needs_label=needs_label,
            strict=strict,
            usual_decimal=usual_decimal,
            cache=cache,
            reporter=reporter,
        )
    except ListingsError as error:
        # slow to import, and no help needs it
        from curation.rendering.problems import problem_lines

        for line in problem_lines(error.problems) if len(error.problems) else ():
            reporter.say(f"  {line}")
        raise
    for note in listings.notes:
        reporter.say(note)
    return listings


def dataset_words(dataset: str | Path, form: DatasetForm, *, device: str = "auto") -> list[str]:
    """Return DATASET, its options and the device as they were typed, for a command that is suggested."""
    return [shown(printable_name(str(dataset))), *form.words(), *([] if device == "auto" else ["--device", device])]


def _mapping(columns: tuple[str, ...]) -> dict[str, str]:
    pairs = [column.partition("=") for column in columns]
    for ours, sign, theirs in pairs:
        if not (ours and sign):
            raise InputError(
                "--column needs two names",
                got=f"{ours}{sign}{theirs}",
                wanted="e.g. label=category, or price= to use no price",
            )
    return {ours: theirs for ours, _, theirs in pairs}
