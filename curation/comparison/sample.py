"""Which test listings to review: a random sample that says most about the true difference, kept with its chances."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from curation.comparison.belief import belief_of, in_test_set
from curation.errors import InputError, RunError, check_range
from curation.listings.columns import class_numbers, groups_of
from curation.rendering.results import Result
from curation.run.folder import RunFolder
from curation.run.journal import Decision
from training.evaluation.prediction_powered import UNKNOWN, Known, effects
from training.evaluation.sampling import Design, allocate, stratify
from training.utils.arrays import Float64, Int64
from training.utils.files import read_json, write_json
from training.utils.units import now

__all__ = ["DESIGN", "SAMPLE_FILE", "Sample", "draw_sample", "labels_decided", "read_sample"]

#: In the run's folder.
SAMPLE_FILE = "test-sample.json"
#: Few strata, each with enough drawn that its weight can be estimated from them.
DESIGN = Design(most=5, listings=20, least=10, unsure=0.1)


@dataclass(frozen=True)
class Sample(Result):
    """Test listings that were drawn at random for a review; ``test-sample.json`` is its `to_dict()`.

    Attributes
    ----------
    made : str
        When (ISO 8601, UTC).
    seed : int
        Of the random order.
    by : str
        What more listings are drawn from: ``doubt`` about the label, or ``disagreement`` if there are predictions of
        both versions to weigh it by.
    decided : tuple of str
        Listings that people had decided on before. They stand for nobody but themselves, whoever chose them.
    ids : tuple of str
        The other test listings, in a random order.
    stratum : tuple of int
        Stratum of each of `ids`, from 0 on.
    drawn : tuple of int
        How many were drawn of each stratum: the first ones in the order of `ids`.
    spread : tuple of float
        By which the draw was shared out among the strata.
    """

    made: str
    seed: int
    by: str
    decided: tuple[str, ...]
    ids: tuple[str, ...]
    stratum: tuple[int, ...]
    drawn: tuple[int, ...]
    spread: tuple[float, ...]

    @property
    def listings(self) -> list[str]:
        """The listings that were drawn, in an order in which strata take turns."""
        places: dict[int, int] = dict.fromkeys(range(len(self.drawn)), 0)
        chosen = []
        for id, stratum in zip(self.ids, self.stratum, strict=True):
            if places[stratum] < self.drawn[stratum]:
                chosen.append(((places[stratum] + 0.5) / self.drawn[stratum], id))
            places[stratum] += 1
        return [id for _, id in sorted(chosen)]

    @property
    def sizes(self) -> Int64:
        """How many listings each stratum has, shape (H,)."""
        return np.bincount(np.array(self.stratum, dtype=np.int64), minlength=len(self.drawn))

    @property
    def chances(self) -> list[float]:
        """The chance that a listing of each stratum had to be drawn, in (0, 1]."""
        return [drawn / size for drawn, size in zip(self.drawn, self.sizes.tolist(), strict=True)]

    def to_dict(self) -> dict[str, Any]:
        """Return the content of ``test-sample.json``."""
        return {
            **{name: getattr(self, name) for name in ("made", "seed", "by")},
            "strata": [
                {"listings": int(size), "drawn": drawn, "chance": chance, "spread": spread}
                for size, drawn, chance, spread in zip(self.sizes, self.drawn, self.chances, self.spread, strict=True)
            ],
            "decided": list(self.decided),
            "order": [{"id": id, "stratum": stratum} for id, stratum in zip(self.ids, self.stratum, strict=True)],
        }

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Sample:
        """Return the sample that :meth:`to_dict` gave.

        Raises
        ------
        KeyError, TypeError, ValueError
            If a part is missing, or does not fit.
        """
        strata, order = content["strata"], content["order"]
        sample = cls(
            str(content["made"]),
            int(content["seed"]),
            str(content["by"]),
            tuple(map(str, content["decided"])),
            tuple(str(row["id"]) for row in order),
            tuple(int(row["stratum"]) for row in order),
            tuple(int(row["drawn"]) for row in strata),
            tuple(float(row["spread"]) for row in strata),
        )
        sizes = [row["listings"] for row in strata]
        if sample.sizes.tolist() != sizes or any(
            not 0 < drawn <= size for drawn, size in zip(sample.drawn, sizes, strict=True)
        ):
            raise ValueError("strata do not fit the listings")
        return sample

    def _facts(self) -> list[tuple[str, str]]:
        return [("drawn", f"{sum(self.drawn):,} of {len(self.ids):,}"), ("decided before", f"{len(self.decided):,}")]


def draw_sample(run: RunFolder, budget: int, *, seed: int = 0) -> Sample:
    """Draw which test listings to review; a larger budget adds to an earlier draw.

    More are drawn from where more is unknown: of the label, by the chances of the run, and if there are predictions of
    models before and after the fixes, of what the label says about their difference. Every listing has a chance. What
    people decided before the draw is known, and nothing else is learned from it: who is next in the queue was no draw.

    Parameters
    ----------
    run : RunFolder
        Finished; no other command may work on it.
    budget : int
        How many test listings to review, without those that are decided already.
    seed : int
        Of a first draw.

    Returns
    -------
    Sample
        It is in the run now.

    Raises
    ------
    InputError
        If no test listing is left to draw from.
    RunError
        If an earlier sample can't be read.
    """
    check_range("budget", "number of listings", budget, 1, math.inf)
    sample = read_sample(run)
    if sample is None:
        sample = _first(run, budget, seed)
    drawn = np.array(sample.drawn)
    if budget > drawn.sum():
        drawn = allocate(sample.sizes, np.array(sample.spread), budget, least=DESIGN.least, drawn=drawn)
        sample = replace(sample, drawn=tuple(drawn.tolist()))
    write_json(run.folder / SAMPLE_FILE, sample.to_dict())
    return sample


def read_sample(run: RunFolder) -> Sample | None:
    """Return the sample of a run; None if nothing was drawn.

    Raises
    ------
    RunError
        If its file can't be read.
    """
    file = run.folder / SAMPLE_FILE
    if not file.exists():
        return None
    try:
        return Sample.from_dict(read_json(file))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise RunError(
            f"{file} is damaged",
            got=f"{type(error).__name__}: {error}",
            wanted="which test listings were drawn, and from how many",
            fix="Take it from a backup; or delete it, and draw others with `review_page(test=True, budget=200)`.",
        ) from error


def labels_decided(decisions: Mapping[str, Decision]) -> dict[str, Decision]:
    """Return what people decided on labels: no accepted suggestion, and no price."""
    return {
        id: decision
        for id, decision in decisions.items()
        if decision.source != "suggestion" and decision.action != "reprice"
    }


def _first(run: RunFolder, budget: int, seed: int) -> Sample:
    table = run.training_table()
    test = table[in_test_set(table)].reset_index(drop=True)
    decided = set(labels_decided(run.holding_decisions().decisions))
    is_decided = test["id"].isin(decided).to_numpy(dtype=bool)
    rest = np.flatnonzero(~is_decided)
    if not len(rest):
        raise InputError(
            "there is no test listing to draw",
            got=f"{len(test)} in the test set, all of them decided" if len(test) else "an empty test set",
            wanted="test listings without a decision",
            fix="Compare with `retrain(compare=True)`: it scores with what was decided.",
        )
    spread, by = _spread(run, test)
    strata = stratify(spread[rest], budget, DESIGN, seed=seed)
    order = np.argsort(strata.rank, kind="stable")
    return Sample(
        now(),
        seed,
        by,
        tuple(test["id"][is_decided].astype(str)),
        tuple(test["id"].iloc[rest[order]].astype(str)),
        tuple(strata.stratum[order].tolist()),
        tuple(allocate(strata.sizes, strata.spread, budget, least=DESIGN.least).tolist()),
        tuple(strata.spread.tolist()),
    )


def _spread(run: RunFolder, test: pd.DataFrame) -> tuple[Float64, str]:
    """Return the standard deviation of what each test listing may add to the difference, by belief; and by what."""
    belief = belief_of(run, test["id"].tolist(), run.classes)
    predicted = _predicted(run, test["id"].tolist())
    if predicted is None:
        return np.sqrt(np.maximum(0, 1 - (belief**2).sum(axis=1))), "doubt"
    classes = max(belief.shape[1], *(int(runs.max()) + 1 for runs in predicted))
    belief = np.pad(belief, ((0, 0), (0, classes - belief.shape[1])))
    unknown = np.full(len(test), UNKNOWN)
    known = Known(unknown, np.zeros(len(test), dtype=np.int64), belief, groups_of(test))
    present = np.bincount(class_numbers(test["label"], run.classes), minlength=classes) > 0
    effect = effects(known, *predicted, present)[:, :-1]
    mean = (belief * effect).sum(axis=1)
    return np.sqrt(np.maximum(0, (belief * effect**2).sum(axis=1) - mean**2)), "disagreement"


def _predicted(run: RunFolder, ids: Sequence[str]) -> tuple[Int64, Int64] | None:
    """Return what the models of a comparison predict for the test listings, before and after; None without them."""
    file: Path = run.standing(run.predictions_file)
    if not file.exists():
        return None
    stored = run.predictions()
    rows = pd.Index(stored["id"].astype(str)).get_indexer(pd.Index(ids))
    # classes that people added come last
    if (rows < 0).any() or stored["classes"].tolist()[: len(run.classes)] != run.classes:
        return None
    return stored["before"][:, rows], stored["after"][:, rows]
