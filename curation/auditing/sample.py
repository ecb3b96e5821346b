"""The drawn sample of a run, ``audit.json``: written once, so that nothing that is decided later can change it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from curation.auditing.draw import draw
from curation.auditing.evaluation import BEFORE
from curation.errors import InputError, RunError
from curation.rendering.words import many
from curation.run.folder import RunFolder
from curation.run.shapes import misfit
from curation.run.status import AUDIT
from training.utils.arrays import Bool, Float64, Int64
from training.utils.files import DamagedError, NotReadableError, read_json, sha256_of_file, write_json
from training.utils.units import now

__all__ = [
    "AUDIT_PAGE",
    "MOST_SEED",
    "UNLABELLED",
    "Sample",
    "draw_sample",
    "read_sample",
    "require_none",
    "scores_of",
]

#: Name of the page in the run's folder.
AUDIT_PAGE = "audit.html"
#: The stratum of a listing without a label: there is none that could be wrong.
UNLABELLED = -2
#: The largest seed of a draw.
MOST_SEED = 2**32 - 1
_FORMAT = 1
_SHAPE = {
    **{"format": int, "made": str, "seed": int, "issues": str, "strata_of_listings": str},
    "strata": [{"listings": int, "drawn": int}],
    "sample": [{"id": str, "stratum": int, "inclusion": (int, float)}],
}
_AGAIN = "Restore it from a copy, or draw again with `audit(size=200, again=True)`: all decisions stay."


@dataclass(frozen=True)
class Sample:
    """A sample as it was drawn.

    Attributes
    ----------
    ids : tuple of str
        The drawn listings, in the order of the review.
    strata : ndarray of int64, shape (N,)
        The stratum of each listing of the run, in the order of its issues; see :data:`UNLABELLED` and
        :data:`curation.auditing.evaluation.BEFORE`.
    seed : int
    made : str
        When: ISO 8601, UTC.
    """

    ids: tuple[str, ...]
    strata: Int64
    seed: int
    made: str


def scores_of(issues: pd.DataFrame) -> tuple[Float64, Bool, Bool]:
    """Return the chance that each label is wrong (NaN if unknown), and which listings are flagged and labelled.

    Parameters
    ----------
    issues : DataFrame
        ``issues.parquet``.
    """
    score = issues["label_score"] if "label_score" in issues else pd.Series(np.nan, issues.index)
    chances: Float64 = 1 - np.asarray(score.to_numpy(dtype=np.float64, na_value=np.nan), dtype=np.float64)
    flagged: Bool = issues["is_label_issue"].fillna(False).to_numpy(dtype=bool)
    labelled: Bool = issues["given_label"].notna().to_numpy(dtype=bool)
    return chances, flagged, labelled


def require_none(run: RunFolder) -> None:
    """Refuse to draw a second sample by mistake.

    Raises
    ------
    InputError
    """
    if (run.folder / AUDIT).exists():
        sample = read_sample(run)
        raise InputError(
            f"an audit of {many(len(sample.ids), 'listing')} was drawn in {run.folder} already, at {sample.made}",
            fix="Look at it with `audit()`. With `again=True`, another one is drawn from what is not decided yet.",
            parameter="size",
        )


def draw_sample(run: RunFolder, size: int, seed: int, decided: Bool) -> Sample:
    """Draw a sample and write it.

    Parameters
    ----------
    run : RunFolder
        A finished run.
    size : int
        How many of the labelled listings without a decision.
    seed : int
    decided : ndarray of bool, shape (N,)
        Which listings a person has decided on, in the order of the issues.

    Raises
    ------
    InputError
        If there are not so many.
    """
    issues = run.issues()
    chances, flagged, labelled = scores_of(issues)
    rows = np.flatnonzero(labelled & ~decided)
    if not len(rows):
        what = "every labelled listing is decided" if labelled.any() else "no listing has a label"
        raise InputError(
            f"{what} in {run.folder}: there is nothing to estimate",
            fix="Count what is wrong with `apply_fixes(dry_run=True)`." if labelled.any() else "",
            parameter="size",
        )
    if size > len(rows):
        raise InputError(
            f"{run.folder} has no {size:,} listings to draw",
            got=f"{many(len(rows), 'labelled listing')} without a decision",
            wanted=f"a size of 1 to {len(rows):,}",
            parameter="size",
        )
    drawn = draw(chances[rows], flagged[rows], size, seed)
    strata = np.where(labelled, BEFORE, UNLABELLED)
    strata[rows] = drawn.strata
    ids = issues["id"].astype(str).to_numpy(dtype=object)
    places = rows[drawn.rows]
    sample = Sample(tuple(ids[places].tolist()), strata, seed, now())
    entries = [
        {
            "id": ids[row],
            "stratum": int(strata[row]),
            "inclusion": float(drawn.inclusion[strata[row]]),
            "flagged": bool(flagged[row]),
        }
        for row in places
    ]
    write_json(
        run.folder / AUDIT,
        {
            "format": _FORMAT,
            "made": sample.made,
            "seed": seed,
            "issues": sha256_of_file(run.issues_file),
            "strata": _described(drawn.strata, chances[rows], flagged[rows], drawn.rows),
            "sample": entries,
            # one text: a number a line would be most of the file
            "strata_of_listings": " ".join(map(str, strata.tolist())),
        },
    )
    return sample


def _described(strata: Int64, chances: Float64, flagged: Bool, drawn: Int64) -> list[dict[str, Any]]:
    described = []
    for stratum in range(int(strata.max()) + 1):
        inside = strata == stratum
        known = chances[inside & np.isfinite(chances)]
        described.append(
            {
                "listings": int(inside.sum()),
                "drawn": int(inside[drawn].sum()),
                "flagged": bool(flagged[inside].any()),
                "lowest_chance": float(known.min()) if len(known) else None,
                "highest_chance": float(known.max()) if len(known) else None,
            }
        )
    return described


def read_sample(run: RunFolder) -> Sample:
    """Read ``audit.json``.

    Raises
    ------
    RunError
        If nothing was drawn, the file is damaged, or the issues are others than those that it was drawn from.
    """
    file = run.folder / AUDIT
    if not file.exists():
        raise RunError(f"no audit was drawn in {run.folder}", fix="Draw one with `audit(size=200)`.")
    try:
        content = read_json(file)
    except DamagedError as error:
        raise _damaged(file, error.reason) from error
    except (OSError, NotReadableError) as error:
        raise _damaged(file, str(error)) from error
    if wrong := misfit(content, _SHAPE):
        raise _damaged(file, wrong)
    if content["format"] != _FORMAT:
        raise _damaged(file, f"format {content['format']}")
    if content["issues"] != sha256_of_file(run.issues_file):
        raise RunError(
            f"{file} was drawn from other issues than those of the run",
            got=f"another {run.issues_file.name}",
            fix="Draw again with `audit(size=200, again=True)`: all decisions stay.",
        )
    return _sample_of(file, content, run.issues()["id"].astype(str).tolist())


def _sample_of(file: Path, content: dict[str, Any], listings: list[str]) -> Sample:
    words = content["strata_of_listings"].split(" ")
    if len(words) != len(listings) or not all(word.removeprefix("-").isdecimal() and len(word) < 8 for word in words):
        raise _damaged(file, "strata of other listings")
    strata = np.array(words, dtype=np.int64)
    counts = np.bincount(strata[strata >= 0], minlength=len(content["strata"])).tolist()
    if counts != [stratum["listings"] for stratum in content["strata"]] or strata.min(initial=0) < UNLABELLED:
        raise _damaged(file, "other strata than those of its listings")
    of_listing = dict(zip(listings, strata.tolist(), strict=True))
    entries = content["sample"]
    drawn = [0] * len(counts)
    for entry in entries:
        if of_listing.get(entry["id"]) != entry["stratum"] or entry["stratum"] < 0:
            raise _damaged(file, f"listing {entry['id']!r} in a stratum that it is not in")
        drawn[entry["stratum"]] += 1
    if len({entry["id"] for entry in entries}) < len(entries):
        raise _damaged(file, "a listing twice")
    if drawn != [stratum["drawn"] for stratum in content["strata"]] or not entries:
        raise _damaged(file, "another number of listings than were drawn" if entries else "no listing")
    if not 0 <= content["seed"] <= MOST_SEED:
        raise _damaged(file, f"seed {content['seed']}")
    return Sample(tuple(entry["id"] for entry in entries), strata, content["seed"], content["made"])


def _damaged(file: Path, got: str) -> RunError:
    return RunError(f"{file} is damaged", got=got, fix=_AGAIN)
