"""A new run from a finished one and a newer table: its models judge what is new or changed, and nothing else."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from curation.errors import some
from curation.evidence.readable import require_readable
from curation.incoming.changes import Changes, find_changes, require_worth
from curation.incoming.drift import Drift, drift_of
from curation.incoming.joined import Joined, joined
from curation.incoming.judge import Judged, judge_new
from curation.incoming.model import RunModel
from curation.incoming.reposts import find_known, placed
from curation.incoming.written import write_run
from curation.issues import KINDS
from curation.issues.written import write_issues
from curation.listings import Listings
from curation.listings.columns import sorted_labels
from curation.listings.original import save_original
from curation.listings.problems import check_expected, dataset_facts, report_problems
from curation.listings.worth import with_worth
from curation.photos.facts import photos_file, small_file, with_photo_facts
from curation.photos.hashing import SMALL
from curation.rendering.words import agree, many
from curation.report.found import finding_run
from curation.run.carry_over import carry_from
from curation.run.folder import RunFolder
from training.engine.contract import LOCAL
from training.images import Pixels
from training.images.cache import PhotoCache, default_cache
from training.images.reading import NO_PHOTO
from training.images.store import PhotoStore
from training.utils.array_files import map_array
from training.utils.noise import noise_to
from training.utils.progress import SILENT, Reporter

__all__ = ["find_since"]

#: Flagged new listings that are named at most.
_NAMED = 20


def find_since(
    listings: Listings,
    earlier: RunFolder,
    *,
    run_folder: Path | None = None,
    csv: bool = False,
    cache: PhotoCache | None = None,
    command: Sequence[str] = (),
    wait: bool | float = False,
    reporter: Reporter = SILENT,
) -> RunFolder:
    """Judge what is new or changed since a finished run, and keep it all in a run of its own.

    Nothing is trained. Listings that did not change keep what the earlier run said of them, to the last bit, but for
    reposts among the new ones and their place in the queue.

    Parameters
    ----------
    listings : Listings
        The newer table: old listings and new ones.
    earlier : RunFolder
        A finished run that keeps its models.
    run_folder : Path, optional
        By default ``runs/<dataset>/<number>`` below the current folder.
    csv, cache, command, wait, reporter
        As for :func:`curation.find_issues`.

    Returns
    -------
    RunFolder
        Finished.

    Raises
    ------
    RunError
        If the earlier run has no models that judge new listings, or the table does not fit it.
    """
    cache, model = cache or default_cache(), RunModel.of(earlier)
    check_expected(listings, reporter)
    if (worth := _settings(model).get("worth")) is not None:
        require_worth(listings, earlier, worth)
        listings, _ = with_worth(listings, worth, reporter)
    # in the order of the ids, as a run computes
    order = np.argsort(listings.table["id"].to_numpy(dtype=np.str_), kind="stable")
    table = listings.table.iloc[order].reset_index(drop=True)
    changes = find_changes(model, listings, table, reporter)
    classes = sorted_labels({*model.record["dataset"]["classes"], *listings.classes})
    dataset = dataset_facts(listings, classes)
    # a table of numbers alone says nothing of its currency, and fits the prices that were judged
    dataset["currency"] = dataset["currency"] or model.currency
    facts = {
        "dataset": dataset,
        "settings": {**_settings(model), "since": str(earlier.folder.resolve())},
        "seed": model.record["seed"],
    }
    with (
        # what numpy and scipy compute must not depend on the number of threads
        threadpool_limits(1, "blas"),
        finding_run(
            listings.source.name, run_folder, facts=facts, command=command, wait=wait, reporter=reporter
        ) as run,
    ):
        reporter.say(f"since {earlier.folder}: {changes}")
        report_problems(run.folder, listings, reporter)
        save_original(run.input_folder, listings)
        with run.stage("photos"):
            new, store = _prepared(run, listings, order, changes, model, cache, reporter)
            small = _small(run.training_folder / "new", len(new))
            found = find_known(model, new, store, small)
            gone = frozenset(
                {int(row) for row in changes.before[changes.changed]} | {model.place[id] for id in changes.removed}
            )
            own = [int(row) if row >= 0 else None for row in changes.before[changes.judged]]
            place = placed(model, new, found, gone, own)
        with run.stage("issues"):
            whole = joined(model, table, new, changes, found, place)
            judged = _judged(model, whole, new, store, place, changes, cache)
        said = _said(model, whole, changes, judged, place.apart, reporter)
        said["apart"] = _apart(model, table, new, changes, place.apart)
        _tell_split(table, whole, changes, reporter)
        issues = write_run(run, model, whole, judged, changes, classes, np.argsort(order), store, small)
        # it may be asked for now, or have been asked for then
        write_issues(run, issues, csv=csv or "csv" in _settings(model), reporter=reporter)
        shutil.rmtree(run.training_folder / "new", ignore_errors=True)
        said["flagged"] = _tell_flagged(issues, changes, reporter)
        run.update(since={"from": str(earlier.folder), "classes": list(model.classes), **said})
        taken = carry_from(earlier, run)
        if taken is not None:
            reporter.say(str(taken))
    return run


def _settings(model: RunModel) -> dict[str, Any]:
    settings: dict[str, Any] = model.record["settings"]
    return settings


def _prepared(
    run: RunFolder,
    listings: Listings,
    order: np.ndarray[Any, Any],
    changes: Changes,
    model: RunModel,
    cache: PhotoCache,
    reporter: Reporter,
) -> tuple[pd.DataFrame, PhotoStore]:
    """Return the listings that are judged, with the facts about their photos, and these, decoded."""
    rows = order[changes.judged]
    table = listings.table.iloc[rows].reset_index(drop=True)
    part = replace(listings, table=table)
    folder = run.training_folder / "new"
    folder.mkdir(parents=True, exist_ok=True)
    with noise_to(run.log_file):
        new = with_photo_facts(
            folder,
            part,
            model.size,
            cache,
            reporter,
            text=model.text,
            engine=LOCAL,
            # a few new ones are too few for a share of their own
            require=lambda facts: require_readable(
                run, part, facts, listings.raw.table.index[rows], among=len(listings.table)
            ),
        )
    file = photos_file(folder)
    if not file.exists():
        nothing = np.full(len(new), -1, dtype=np.int32)
        if model.table["image"].notna().any():
            # others have photos: none among these is one that can't be read
            new["unreadable"] = pd.array([NO_PHOTO] * len(new), dtype="string")
        return new, PhotoStore([], nothing, np.zeros_like(nothing), model.size)
    return new, PhotoStore.load(file)


def _small(folder: Path, listings: int) -> Pixels:
    """Return photos as they are hashed; black where no listing has one."""
    file = small_file(folder)
    if file.exists():
        return np.asarray(map_array(file))
    return np.zeros((listings, SMALL, SMALL, 3), dtype=np.uint8)


def _apart(model: RunModel, table: pd.DataFrame, new: pd.DataFrame, changes: Changes, apart: list[int]) -> list[str]:
    """Return the ids whose photo and group belong to different folds, also of those that an earlier run judged."""
    before = set(model.record.get("since", {}).get("apart", []))
    stayed = set(table["id"].astype(str)[~changes.judged])
    return sorted({*new["id"].astype(str).iloc[apart], *(before & stayed)})


def _tell_split(table: pd.DataFrame, whole: Joined, changes: Changes, reporter: Reporter) -> None:
    """Tell a person which listings came into the test set, and which the table wants out of it."""
    tested = (whole.table["split"] == "test").to_numpy(dtype=bool)
    named = table["split"].to_numpy(dtype=object, na_value="")
    came = int((tested & (changes.before < 0) & (named != "test")).sum())
    if came:
        reporter.say(
            f"{many(came, 'new listing')} {agree(came, 'joins', 'join')} the test set, as what is there has the same "
            "photo or group."
        )
    stay = int((tested & (named == "train")).sum())
    if stay:
        reporter.say(
            f"warning: {many(stay, 'listing')} that the table has in the training set "
            f"{agree(stay, 'stays', 'stay')} in the test set: `refit=True` makes another one."
        )


def _tell_flagged(issues: pd.DataFrame, changes: Changes, reporter: Reporter) -> list[str]:
    """Tell a person which of the new and changed listings are flagged; return their ids, the worst first."""
    judged = issues[changes.judged]
    flags = judged[[kind.flag for kind in KINDS]].fillna(False).astype(bool).any(axis=1)
    flagged: list[str] = judged[flags].sort_values("priority")["id"].astype(str).tolist()
    if len(judged):
        named = f": {some(flagged, _NAMED)}" if flagged else ""
        reporter.say(f"{many(len(judged), 'new or changed listing')}, {len(flagged):,} flagged{named}")
    return flagged


def _judged(
    model: RunModel,
    whole: Joined,
    new: pd.DataFrame,
    store: PhotoStore,
    place: Any,
    changes: Changes,
    cache: PhotoCache,
) -> Judged | None:
    """Judge the new listings; None without any."""
    if not len(new):
        return None
    rows = np.flatnonzero(changes.judged)
    reposts = whole.reposts.reindex(rows).reset_index(drop=True)
    return judge_new(model, new, store, place, reposts, titles_root=cache.titles_root)


def _said(
    model: RunModel, whole: Joined, changes: Changes, judged: Judged | None, apart: list[int], reporter: Reporter
) -> dict[str, Any]:
    """Tell a person what the models do not know and how far the new listings are from the others; return the facts."""
    counts = whole.table["label"].dropna().value_counts()
    spellings = model.spellings_of(counts.index)
    foreign = {name: int(count) for name, count in counts.items() if name not in (*model.classes, *spellings)}
    if foreign:
        named = ", ".join(f"{name} ({count:,})" for name, count in foreign.items())
        number = sum(foreign.values())
        reporter.say(
            f"warning: {model.run.folder} knows nothing of {agree(len(foreign), 'the class', 'the classes')} {named}: "
            f"{many(number, 'listing')} {agree(number, 'gets', 'get')} no label score. `refit=True` trains again."
        )
    if apart:
        reporter.say(
            f"warning: the photos of {many(len(apart), 'new listing')} belong to another fold than "
            f"{agree(len(apart), 'its group', 'their groups')}; the photo counts. `refit=True` makes new folds."
        )
    drifts: list[Drift] = []
    if judged is not None:
        classed = whole.table.assign(label=whole.table["label"].replace(spellings))
        drifts = drift_of(classed, changes.judged, *whole.seen(model, judged, changes), model.classes)
    for drift in drifts:
        if drift.size != "none":
            reporter.say(
                f"the {drift.of} of the {drift.listings:,} new listings differ from the others: population stability "
                f"index {drift.index:.2f} ({'large: 0.25 or more' if drift.size == 'large' else 'some: 0.1 to 0.25'})"
            )
    if any(drift.size == "large" for drift in drifts):
        reporter.say("warning: the models have learned from listings unlike these: `refit=True` trains again.")
    return {
        "new": int((changes.before < 0).sum()),
        "changed": int(changes.changed.sum()),
        "removed": changes.removed,
        "new_classes": foreign,
        "drift": [drift.to_dict() for drift in drifts],
    }
