"""A dataset ready for single models: photos decoded, test set and folds fixed, what is to be told settled."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from curation.errors import InputError, some
from curation.evidence.split import open_photos, prepare
from curation.listings import Listings
from curation.listings.columns import class_numbers, groups_of, prices_of
from curation.listings.problems import check_expected, dataset_facts, report_problems
from curation.run.create import create_run
from curation.run.folder import RunFolder
from training.crossval.folds import assign_folds
from training.crossval.jobs import Data, Labels
from training.fit.loop import epoch_size
from training.fit.optim import check_steps
from training.images.cache import PhotoCache
from training.networks.zoo import build_model, least_size
from training.settings import Recipe
from training.utils.arrays import Bool, Int64
from training.utils.progress import Reporter

__all__ = ["Prepared", "check_settings", "prepare_dataset", "start"]


#: One in so many training listings is put aside to tell when training ends.
_VALIDATION = 10


@dataclass(frozen=True)
class Prepared:
    """N listings that models are trained on.

    Attributes
    ----------
    run : RunFolder
        The folder that gets everything.
    table : DataFrame
        Of :func:`curation.evidence.split.prepare`.
    classes : tuple of str
        The K classes.
    currency : str or None
        Of the prices.
    data : Data
        The decoded photos, and the prices if networks look at them.
    labels : ndarray, shape (N,)
        What is to be told: class numbers (int64, -1 for none) or prices (float32, NaN for none).
    usable : ndarray of bool, shape (N,)
        Listings with a readable photo of which the label, or a price above 0, is known.
    warnings : tuple of str
        What weakens the models or their scores.
    """

    run: RunFolder
    table: pd.DataFrame
    classes: tuple[str, ...]
    currency: str | None
    data: Data
    labels: Labels
    usable: Bool
    warnings: tuple[str, ...]

    @property
    def test(self) -> Int64:
        """Rows of the test set."""
        return np.flatnonzero(self.usable & (self.table["split"] == "test").to_numpy(dtype=bool))

    @property
    def train(self) -> Int64:
        """Rows that may train."""
        return np.flatnonzero(self.usable & (self.table["split"] != "test").to_numpy(dtype=bool))

    @property
    def class_numbers(self) -> Int64:
        """Class numbers of the given labels, shape (N,), whatever is to be told; -1 for none."""
        return class_numbers(self.table["label"], self.classes)

    def divided(self, rows: Int64, recipe: Recipe) -> tuple[Int64, Int64]:
        """Divide training rows into those that train and those that tell when training ends, groups kept whole."""
        if recipe.early_stop is None:
            return rows, rows[:0]
        groups = self.data.groups[rows]
        if (distinct := len(np.unique(groups))) < _VALIDATION:
            raise InputError(
                "there are too few listings to put a tenth aside for an early stop",
                got=f"{distinct} groups of listings that must stay together",
                wanted=f"at least {_VALIDATION}",
                fix="Leave `early_stop` out.",
            )
        part = assign_folds(self.class_numbers[rows], groups, folds=_VALIDATION, seed=recipe.seed + 104_729)
        return rows[part != 0], rows[part == 0]


def check_settings(listings: Listings, recipe: Recipe) -> None:
    """Refuse what can't be trained on these listings, before anything is made.

    Parameters
    ----------
    listings : Listings
        What to train on.
    recipe : Recipe
        How to train.

    Raises
    ------
    InputError
        If there is no such model, it can't take photos of this size, there are no prices to predict or to look at, or a
        learning rate begins after the end of training.
    """
    if not recipe.has_network:
        raise InputError("`epochs=0` trains nothing", wanted="at least 1", parameter="epochs")
    build_model(recipe.model, classes=len(listings.classes), image_size=recipe.size, pretrained=False)
    if recipe.epochs or recipe.iterations:
        # fewer listings may train than there are, which is known once their photos are decoded; never more
        of = listings.table
        labels = prices_of(of) if recipe.target == "price" else class_numbers(of["label"], listings.classes)
        check_steps(recipe, epoch_size(labels[labels >= 0], recipe))
    if (recipe.target == "price" or recipe.use_price) and not (listings.table["price"] > 0).any():
        known = int(listings.table["price"].notna().sum())
        raise InputError(
            f"{listings.source.name} has no price to " + ("look at" if recipe.use_price else "tell"),
            got=f"{known} prices, none above 0" if known else "no column price, or an empty one",
            wanted="prices above 0",
            fix='Map the column with `columns={"price": "NAME"}`, or do without prices.',
            parameter="use_price" if recipe.use_price else "target",
        )


def start(
    listings: Listings,
    output: Path | None,
    *,
    root: Path,
    command: list[str],
    settings: dict[str, object],
    seed: int,
    extend: bool = False,
) -> RunFolder:
    """Make the folder of a model or a study, or resume an interrupted one.

    Parameters
    ----------
    listings : Listings
        What is trained on.
    output : Path or None
        The folder to make; None for the next free one below `root`.
    root : Path
        Folder of all models, or of all studies.
    command : list of str
        The command line, recorded in ``run.json``.
    settings : dict
        Settings, recorded there; other ones can't resume.
    seed : int
        Seed, recorded there.
    extend : bool
        Whether a finished one may be continued, too.
    """
    facts = {"dataset": dataset_facts(listings, listings.classes), "settings": settings, "seed": seed}
    return create_run(listings.source.name, output, command=command, facts=facts, root=root, extend=extend)


def prepare_dataset(
    run: RunFolder,
    listings: Listings,
    recipe: Recipe,
    *,
    models: Iterable[str],
    folds: int,
    cache: PhotoCache,
    reporter: Reporter,
) -> Prepared:
    """Decode the photos, and fix test set and folds; or read back what an interrupted command left.

    Parameters
    ----------
    run : RunFolder
        Gets ``listings.parquet``.
    listings : Listings
        The checked table.
    recipe : Recipe
        Size of the photos, target, seed, whether networks look at prices.
    models : iterable of str
        The models that will be trained.
    folds : int
        Number of folds.
    cache : PhotoCache
        Where decoded photos are kept.
    reporter : Reporter
        Shows messages and progress.
    """
    check_expected(listings, reporter)
    report_problems(run.folder, listings, reporter)
    table = prepare(
        run,
        listings,
        image_size=recipe.size,
        seed=recipe.seed,
        folds=folds,
        cache=cache,
        reporter=reporter,
        text=False,
    )
    numbers, prices = class_numbers(table["label"], listings.classes), prices_of(table)
    labels = prices if recipe.target == "price" else numbers
    readable = table["unreadable"].isna().to_numpy(dtype=bool)
    usable = np.asarray(readable & (labels >= 0), dtype=bool)
    warnings = _warnings(table, readable, labels, recipe, listings.classes, models)
    for line in warnings:
        reporter.say(f"warning: {line}")
    data = Data(
        open_photos(run, cache, reporter),
        None,
        str(run.record()["sha256"]["images"]),
        groups_of(table),
        len(listings.classes),
        prices if recipe.use_price else None,
    )
    prepared = Prepared(run, table, listings.classes, listings.source.currency, data, labels, usable, tuple(warnings))
    _require_both_sides(prepared)
    return prepared


def _require_both_sides(prepared: Prepared) -> None:
    for rows, what in ((prepared.train, "training"), (prepared.test, "test")):
        if len(rows) < 2:
            raise InputError(
                f"there is nothing to use for {what}",
                got=f"{len(rows)} {what} listings with a readable photo and something to tell",
                wanted="at least 2",
                fix="Check the columns split, label and price.",
            )


def _warnings(
    table: pd.DataFrame,
    readable: Bool,
    labels: Labels,
    recipe: Recipe,
    classes: tuple[str, ...],
    models: Iterable[str],
) -> list[str]:
    found = []
    if unreadable := int((~readable).sum()):
        found.append(f"{unreadable} of {len(table)} photos can't be read; their listings train and judge nothing")
    if nothing := int((readable & ~(labels >= 0)).sum()):
        what = "price above 0" if recipe.target == "price" else "label"
        found.append(f"{nothing} of {len(table)} listings have no {what}; they train and judge nothing")
    sides = table[["width", "height"]].min(axis=1)
    for model in models:
        least = least_size(model)
        if small := int((sides < least).sum()):
            found.append(f"{small} photos are smaller than the {least} pixels that {model} needs; they are enlarged")
    if recipe.target == "label":
        usable = table[readable & table["label"].notna().to_numpy(dtype=bool)]
        test = usable["split"] == "test"
        sides_of = {"training": set(usable.loc[~test, "label"]), "test": set(usable.loc[test, "label"])}
        if lost := [name for name in classes if name not in sides_of["training"]]:
            found.append(f"no training listing of {some(lost)}: no model can tell it")
        if unseen := [name for name in classes if name not in sides_of["test"]]:
            found.append(f"no test listing of {some(unseen)}: how well it is told stays unknown")
    return found
