"""A dataset ready for single models: photos decoded, test set and folds fixed, targets settled."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from curation.errors import InputError, some
from curation.evidence.split import open_photos, prepare
from curation.listings import Listings
from curation.listings.columns import class_numbers, groups_of, prices_of
from curation.listings.faults import refuse_faults
from curation.listings.problems import check_expected, dataset_facts, report_problems, why_no_prices
from curation.run.create import started_run
from curation.run.folder import MODELS, STUDIES, RunFolder
from curation.run.record import recorded
from training.crossval.folds import assign_folds
from training.crossval.jobs import Data, Labels
from training.fit.optim import check_steps
from training.fit.sampling import epoch_size
from training.images.cache import PhotoCache, open_cache
from training.networks.zoo import build_model, least_size
from training.settings import AUTO, Recipe
from training.utils.arrays import Bool, Int64
from training.utils.progress import SILENT, Reporter

__all__ = ["Prepared", "prepared_dataset"]


#: One in so many training listings is held out to decide when training ends.
_VALIDATION = 10
_UNUSED = "neither trained on nor scored"


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
        What is predicted: class numbers (int64, -1 for none) or prices (float32, NaN for none).
    usable : ndarray of bool, shape (N,)
        Listings with a readable photo, and a label or a price above 0.
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
        """Class numbers of the given labels, shape (N,), whatever is predicted; -1 for none."""
        return class_numbers(self.table["label"], self.classes)

    def divided(self, rows: Int64, recipe: Recipe) -> tuple[Int64, Int64]:
        """Divide training rows into those that train and those that decide when training ends, groups kept whole."""
        if recipe.early_stop is None:
            return rows, rows[:0]
        groups = self.data.groups[rows]
        if (distinct := len(np.unique(groups))) < _VALIDATION:
            raise InputError(
                "there are too few listings to hold a tenth out for an early stop",
                got=f"{distinct} groups of listings that must stay together",
                wanted=f"at least {_VALIDATION}",
                fix="Leave `early_stop` out.",
            )
        part = assign_folds(self.class_numbers[rows], groups, folds=_VALIDATION, seed=recipe.seed + 104_729)
        return rows[part != 0], rows[part == 0]


@contextmanager
def prepared_dataset(
    listings: Listings,
    recipes: Sequence[Recipe],
    *,
    by: str,
    what: str,
    settings: dict[str, object],
    folds: int,
    output: str | Path | None = None,
    cache: str | Path | PhotoCache | None = None,
    command: Sequence[str] = (),
    wait: bool | float = False,
    reporter: Reporter = SILENT,
    extend: bool = False,
) -> Iterator[Prepared]:
    """Make the folder of a model or a study, or resume an interrupted one, and prepare its dataset in it.

    No other command changes the folder during the block, and its ``run.json`` records how the block ends.

    Parameters
    ----------
    listings : Listings
        The checked table.
    recipes : sequence of Recipe
        One per network. The first sets size of the photos, target and seed of all, and whether they see prices.
    by : str
        Whose folder: the function of the API.
    what : str
        ``"model"`` or ``"study"``.
    settings : dict
        Recorded in ``run.json``; a folder with other settings is not resumed.
    folds : int
        Number of folds.
    output : str or Path, optional
        The folder; by default the next free one below ``models/`` or ``studies/``.
    cache : str, Path or PhotoCache, optional
        Where decoded photos are kept; by default the user's.
    command : sequence of str
        The command line, recorded in ``run.json``.
    wait : bool or float
        Whether to wait while another command works in the folder, or for how many seconds.
    reporter : Reporter, optional
        Shows messages and progress.
    extend : bool
        Whether a finished one may be continued, too.

    Raises
    ------
    InputError
        Before anything is made: if there is no such model, it can't take photos of this size, there are no prices to
        predict or to train with, or a learning rate begins after the end of training.
    """
    refuse_faults(listings.faults)
    for recipe in recipes:
        _check_recipe(listings, recipe)
    facts = {"dataset": dataset_facts(listings, listings.classes), "settings": settings, "seed": recipes[0].seed}
    with (
        started_run(
            listings.source.name,
            None if output is None else Path(output),
            by=by,
            command=list(command),
            facts=facts,
            root={"model": MODELS, "study": STUDIES}[what],
            extend=extend,
            wait=wait,
            reporter=reporter,
        ) as run,
        recorded(run),
    ):
        reporter.say(f"{what} folder: {run.folder}")
        with run.stage("photos"):
            prepared = _prepare(run, listings, recipes, folds, open_cache(cache), reporter)
        yield prepared


def _check_recipe(listings: Listings, recipe: Recipe) -> None:
    """Refuse what can't be trained on these listings."""
    if not recipe.has_network:
        raise InputError("`epochs=0` trains nothing", wanted="at least 1", parameter="epochs")
    if recipe.features != AUTO:
        fix = "Name the network with `model`, or leave it out."
        raise InputError("a single model uses no features", got=recipe.features, fix=fix, parameter="features")
    build_model(recipe.model, classes=len(listings.classes), image_size=recipe.size, pretrained=False)
    table = listings.table
    if recipe.epochs or recipe.iterations:
        # fewer listings may train than there are, which is known once their photos are decoded; never more
        labels = prices_of(table) if recipe.target == "price" else class_numbers(table["label"], listings.classes)
        check_steps(recipe, epoch_size(labels[labels >= 0], recipe))
    if (recipe.target == "price" or recipe.use_price) and not (table["price"] > 0).any():
        raise InputError(
            f"{listings.source.name} has no prices to " + ("train with" if recipe.use_price else "predict"),
            got=why_no_prices(table["price"]),
            wanted="prices above 0",
            fix='Map the column with `columns={"price": "NAME"}`, or do without prices.',
            parameter="use_price" if recipe.use_price else "target",
        )


def _prepare(
    run: RunFolder, listings: Listings, recipes: Sequence[Recipe], folds: int, cache: PhotoCache, reporter: Reporter
) -> Prepared:
    """Decode the photos, and fix test set and folds; or load those of an interrupted command."""
    recipe = recipes[0]
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
    prices = prices_of(table)
    labels = prices if recipe.target == "price" else class_numbers(table["label"], listings.classes)
    readable = table["unreadable"].isna().to_numpy(dtype=bool)
    warnings = _warnings(table, readable, labels, recipes, listings.classes)
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
    usable = np.asarray(readable & (labels >= 0), dtype=bool)
    prepared = Prepared(run, table, listings.classes, listings.source.currency, data, labels, usable, tuple(warnings))
    for rows, part in ((prepared.train, "training"), (prepared.test, "test")):
        if len(rows) < 2:
            raise InputError(
                f"there are too few {part} listings",
                got=f"{len(rows)} with a readable photo and a {recipe.target}",
                wanted="at least 2",
                fix="Check the columns split, label and price.",
            )
    return prepared


def _warnings(
    table: pd.DataFrame, readable: Bool, labels: Labels, recipes: Sequence[Recipe], classes: tuple[str, ...]
) -> list[str]:
    warnings = []
    if unreadable := int((~readable).sum()):
        warnings.append(f"{unreadable} of {len(table):,} photos can't be read: their listings are {_UNUSED}")
    target = recipes[0].target
    if without := int((readable & ~(labels >= 0)).sum()):
        needed = "price above 0" if target == "price" else "label"
        warnings.append(f"listings without a {needed} are {_UNUSED}: {without} of {len(table):,}")
    sides = table[["width", "height"]].min(axis=1)
    for recipe in recipes:
        least = least_size(recipe.model)
        if small := int((sides < least).sum()):
            warnings.append(f"photos smaller than the {least} pixels that {recipe.model} needs are enlarged: {small}")
    if target == "label":
        usable = table[readable & table["label"].notna().to_numpy(dtype=bool)]
        test = usable["split"] == "test"
        tested, trained = set(usable.loc[test, "label"]), set(usable.loc[~test, "label"])
        if untrained := [name for name in classes if name not in trained]:
            warnings.append(f"no model can predict a class without training listings: {some(untrained)}")
        if untested := [name for name in classes if name not in tested]:
            warnings.append(f"the scores of a class without test listings stay unknown: {some(untested)}")
    return warnings
