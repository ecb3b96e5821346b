"""The FiftyOne dataset of a run: made once, opened again, and kept in step with the journal."""

from __future__ import annotations

import hashlib
import os
import re
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pandas as pd

from curation.errors import ReviewError, some
from curation.rendering.words import agree, many
from curation.review.app.comparison import show_comparison
from curation.review.app.decide import known_classes
from curation.review.app.edits import put_back
from curation.review.app.environment import load_fiftyone
from curation.review.app.look import ALL, TO_REVIEW, set_look
from curation.review.app.mirror import PREFIX, listings_of, mirror
from curation.review.app.panels import add_evaluation, add_plot
from curation.review.app.samples import add_samples
from curation.review.app.thumbnails import Source, copies_of, sources
from curation.review.app.written import changed_outside
from curation.review.card import cards_of
from curation.review.chosen import has_left, loaded_of, said_of_rest
from curation.review.journal_state import Standing, standing_of
from curation.review.points import points_of
from curation.review.table import missing_photos, review_table
from curation.run.carry_over import carry_over
from curation.run.flags import flags_by_kind
from curation.run.folder import RunFolder
from training.utils.files import sha256_of_file
from training.utils.progress import SILENT, Reporter

__all__ = ["Opened", "PutBack", "dataset_name", "open_dataset", "put_back_all"]

# increase when the fields change: datasets of another layout are rebuilt
_LAYOUT = 4


@dataclass(frozen=True)
class PutBack:
    """Changes in FiftyOne's database that are no decisions, and that the App does not show any more.

    Attributes
    ----------
    labels : tuple of str
        Listings whose label was removed, is no class of the run, or was not changed in the Annotate tab of a review.
    changed : tuple of str
        Listings whose samples another program has changed; they are as the run has them when it is opened again.
    vanished : tuple of str
        Listings whose sample was removed; it comes back when the run is opened again.
    """

    labels: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    vanished: tuple[str, ...] = ()


@dataclass(frozen=True)
class Opened:
    """A run that is open in FiftyOne.

    Attributes
    ----------
    dataset : fiftyone.Dataset
    files : dict of str to Source
        All files that the App may show: photos, and copies that are made when they are asked for.
    copies : Path
        The folder of copies and drawn tiles.
    damaged : frozenset of str
        The photos that could not be opened when the run was made.
    max_bytes : int
        Photos in larger files are not shown.
    put_back : PutBack
        What an earlier session left in FiftyOne.
    messages : tuple of str
        Lines for the reviewer: decisions taken over from an earlier run, lines of the journal that can't be read or
        do not fit this run, missing photos, nothing to review.
    first_view : str
        The saved view that opens first.
    """

    dataset: Any
    files: dict[str, Source] = field(repr=False)
    copies: Path
    damaged: frozenset[str] = field(repr=False)
    max_bytes: int
    put_back: PutBack
    messages: tuple[str, ...]
    first_view: str


def dataset_name(run: RunFolder) -> str:
    """Return the name of a run's dataset in FiftyOne, e.g. ``curate-furniture-3-1f0c77aa``.

    The letters of every script stay, so that people find their dataset in FiftyOne's list. The last part is a hash of
    the folder's full path, because two checkouts may both have a run 3, and two names may differ in signs alone.
    """
    # the dataset's own name is cut, and never the run's: two runs of one dataset must differ to a reader
    named = _readable(run.record()["dataset"]["name"], 60), _readable(run.folder.resolve().name, 30)
    return PREFIX + "-".join([*filter(None, named), _of_folder(run)])


def _readable(text: str, length: int) -> str:
    """Return the letters, digits, emoji, ``_`` and ``.`` of a text; what stands between them becomes a hyphen."""
    signs = unicodedata.normalize("NFC", str(text))
    # M are marks: Hindi and Thai words consist of them as much as of letters
    kept = (
        sign if sign in "_." or unicodedata.category(sign).startswith(("L", "M", "N", "So")) else "-" for sign in signs
    )
    return re.sub("-+", "-", "".join(kept))[:length].strip("-")


def _of_folder(run: RunFolder) -> str:
    """Return the last part of the name of a run's dataset."""
    # fsencode, because a folder's name may be no UTF-8
    return hashlib.sha256(os.fsencode(run.folder.resolve())).hexdigest()[:8]


def _stored(fo: Any, run: RunFolder) -> Any:
    """Return the run's dataset in FiftyOne's database, or None.

    A dataset that has another name gets the current one: the name of the run's dataset may have changed, perhaps in
    upper and lower case only, and FiftyOne refuses a name that differs from another one in nothing more.
    """
    name = dataset_name(run)
    ours = [other for other in fo.list_datasets() if other.startswith(PREFIX) and other.endswith(f"-{_of_folder(run)}")]
    if not ours:
        return None
    first, *others = sorted(ours, key=lambda other: other != name)
    for other in others:
        fo.delete_dataset(other)
    dataset = fo.load_dataset(first)
    if first != name:
        dataset.name = name
    return dataset


def open_dataset(run: RunFolder, *, top: int | None = None, keep: bool = False, reporter: Reporter = SILENT) -> Opened:
    """Make or open the FiftyOne dataset of a run, with all decisions of the journal.

    The dataset is rebuilt if the run has changed, or samples were removed or changed by another program. The decisions
    survive, because they are in the journal. The evaluations before and after the fixes are those of the run's current
    comparison.

    A run without decisions takes over those of the latest earlier run of its dataset, as far as they still apply.

    The dataset has the listings of :func:`curation.review.chosen.loaded_of`, and others once these are decided.

    Parameters
    ----------
    run : RunFolder
        A finished run.
    top : int, optional
        How many of the listings that are left, the most urgent ones; by default all.
    keep : bool
        Whether others look at the run: the listings stay those that were loaded then.
    reporter : Reporter, optional
        Is told if this waits for another command.

    Raises
    ------
    RunInUseError
        If decisions are to be taken over, and another command works on the run for longer than a minute.
    ReviewError
        If the listings have photos and none of them exists, or the run's folder can't be written.
    """
    run.require_finished()
    cards = cards_of(run)
    top = None if top is not None and len(cards.ids) <= top else top
    try:
        taken_over = carry_over(run, reporter=reporter)
    except OSError as error:
        raise ReviewError(
            f"no decision could be recorded: {error.filename} can't be written ({error.strerror})"
        ) from error
    fo = load_fiftyone()
    made_from = _fingerprint(run)
    found = PutBack()
    dataset = _stored(fo, run)
    made: dict[str, Any] = {"run": str(run.folder.resolve()), "made_from": made_from, "top": top}
    made["line"] = run.read_journal().last
    if dataset is not None:
        before = dataset.info.get("curate") or {}
        current = before.get("made_from") == made_from
        if current:
            found = _put_back(dataset, run)
        # an earlier version kept all listings
        loaded = loaded_of(run, before.get("top"), before.get("line", 0)) if current else None
        if current and (keep or (before.get("top") == top and has_left(run, loaded))):
            made = before
        if made is not before or found.vanished or found.changed:
            fo.delete_dataset(dataset.name)
            dataset = None
    only = loaded_of(run, made.get("top"), made.get("line", 0))
    table = review_table(run, only)
    missing = missing_photos(table)
    if dataset is None:
        dataset = _make(fo, dataset_name(run), run, table, made, only)
    mirror(dataset, run)
    show_comparison(dataset, run)
    standing = standing_of(run)
    set_look(dataset, list(flags_by_kind(table.columns)), known_classes(run))
    left = (table["issues"].str.len() > 0) & ~table["id"].isin(standing.holding)
    messages = [str(taken_over)] if taken_over else []
    messages += [*standing.damaged, *_misfits(run, standing), *_missing(missing)]
    messages += said_of_rest(len(table), len(cards.ids))
    if not left.any():
        messages.append(f"Nothing is left to review. The view {ALL} shows all {len(table):,} listings.")
    return Opened(
        dataset,
        _files(table, copies_of(run)),
        copies_of(run),
        frozenset(table["photo"][table["unreadable"].notna()].dropna()) if "unreadable" in table else frozenset(),
        run.photo_bytes,
        found,
        tuple(messages),
        TO_REVIEW if left.any() else ALL,
    )


def _files(table: pd.DataFrame, folder: Path) -> dict[str, Source]:
    names = [name for name in ("photo", "sha256", "width", "height") if name in table]
    rows = table[names].astype(object).where(table[names].notna(), None).to_dict("records")
    return {file: source for row in rows for file, source in sources(cast("dict[str, Any]", row), folder).items()}


def _missing(ids: list[str]) -> list[str]:
    if not ids:
        return []
    lost = f"{many(len(ids), 'photo')} {agree(len(ids), 'has', 'have')} disappeared since the run was made"
    return [f"{lost}; the App shows a drawn tile instead: {some(ids)}"]


def _misfits(run: RunFolder, standing: Standing) -> list[str]:
    """Return messages about the decisions of the journal that are not shown."""
    reasons: dict[str, list[str]] = {}
    for id, why in standing.misfits.items():
        reasons.setdefault(why, []).append(id)
    return [
        f"{many(len(ids), 'decision')} of {run.journal.name} {agree(len(ids), 'is', 'are')} not shown, "
        f"{why}: {some(ids)}"
        for why, ids in reasons.items()
    ]


def put_back_all(run: RunFolder) -> PutBack:
    """Let the App show what the run has, where something in its database was changed that is no decision.

    A run that was never opened in FiftyOne has nothing to put back.

    Parameters
    ----------
    run : RunFolder
        A finished run.
    """
    fo = load_fiftyone()
    dataset = _stored(fo, run)
    if dataset is None:
        return PutBack()
    if (dataset.info.get("curate") or {}).get("made_from") != _fingerprint(run):
        return PutBack()  # an earlier run in this folder
    found = _put_back(dataset, run)
    mirror(dataset, run)
    return found


def _put_back(dataset: Any, run: RunFolder) -> PutBack:
    labels = put_back(dataset, run)
    present, loaded = set(dataset.values("listing_id")), listings_of(dataset, run)
    vanished = [id for id in cards_of(run).ids if id not in present and (loaded is None or id in loaded)]
    return PutBack(tuple(labels), tuple(changed_outside(dataset, run)), tuple(vanished))


def _fingerprint(run: RunFolder) -> str:
    parts = [str(_LAYOUT), str(run.photo_root), *run.classes]
    parts += [sha256_of_file(path) for path in (run.issues_file, run.listings_file)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _make(
    fo: Any, name: str, run: RunFolder, table: pd.DataFrame, made: dict[str, Any], only: frozenset[str] | None
) -> Any:
    dataset = fo.Dataset(name, persistent=True)
    try:
        # scikit-learn computes the points meanwhile, without the interpreter lock
        with ThreadPoolExecutor(1) as pool:
            points = pool.submit(points_of, run, only)
            add_samples(dataset, table, copies_of(run))
            for declared in map(dataset.get_field, ("listing_id", "original_label")):
                declared.read_only = True
                declared.save()
            dataset.create_index("listing_id", unique=True)
            dataset.create_index("priority")
            dataset.default_classes = run.classes
            add_evaluation(dataset, run.classes)
            add_plot(dataset, points.result())
        # written last: without it, the dataset counts as incomplete
        dataset.info["curate"] = made
        dataset.save()
    except BaseException:
        fo.delete_dataset(name)
        raise
    return dataset
