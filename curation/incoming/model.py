"""What a finished run needs to judge new listings: its models, what made its features, and the listings it knows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from curation.errors import RunError
from curation.evidence.evidence import Evidence
from curation.evidence.fitted import FORMAT, Fitted, OtherFormatError, fitted_file
from curation.evidence.fitted_heads import HEADS
from curation.evidence.title_features import WORDS
from curation.issues.summary import flags_of
from curation.listings.columns import class_numbers
from curation.listings.currencies import may_be
from curation.listings.twins import match_spellings
from curation.listings.worth import worth_column
from curation.photos.facts import photos_file, small_file
from curation.photos.hashing import SMALL
from curation.photos.near_duplicates import KnownPhotos
from curation.run.damaged import readable
from curation.run.folder import RunFolder
from training.crossval.cross_validate import SHARE_FILE
from training.crossval.jobs import patches_file
from training.crossval.plan import Plan
from training.features.extract import kept_extractor
from training.features.names import given_in, parts_of
from training.features.projection import Projection, projection_file
from training.features.sentences import NoSentenceModelError, SentenceModel, load_sentence_model
from training.images import Photos, Pixels, decode
from training.images.reading import photo_content
from training.images.store import PhotosMissingError, PhotoStore
from training.utils.array_files import map_array
from training.utils.arrays import Float32, Int64
from training.utils.devices import find_device
from training.utils.files import photo_path

__all__ = ["KNOWN_FEATURES", "RunModel"]

#: Where a run that was made by the models of another keeps the features that those learned from.
KNOWN_FEATURES = "known-features.npy"
_REFIT = "`find_issues(listings, since=run, refit=True)`"


@dataclass(frozen=True)
class RunModel:
    """A finished run whose models judge new listings.

    Attributes
    ----------
    run : RunFolder
        The run.
    record : dict
        Its ``run.json``.
    fitted : Fitted
        What it learned.
    table : DataFrame
        Its listings, in the order of the arrays below ``training/``.
    known : ndarray of float32, shape (N, D)
        The features that its models learned from.
    """

    run: RunFolder
    record: dict[str, Any]
    fitted: Fitted
    table: pd.DataFrame
    known: Float32

    @classmethod
    def of(cls, run: RunFolder) -> RunModel:
        """Return the models of a run.

        Raises
        ------
        RunError
            If it has not finished, or has no models that judge new listings.
        """
        record = run.require_finished().record()
        _require_models(run, record)
        file, features = fitted_file(run), run.training_folder / Path(record["features"]).name
        with readable(file, run=run.folder):
            fitted = _load(file, run)
        other = run.training_folder / KNOWN_FEATURES
        with readable(features, run=run.folder):
            known: Float32 = map_array(other if other.exists() else features)
            _require_width(known, fitted[HEADS]["weight"].shape[1])
        return cls(run, record, fitted, run.training_table(), known)

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes that its models know."""
        return tuple(self.record.get("since", {}).get("classes") or self.record["dataset"]["classes"])

    @property
    def size(self) -> int:
        """Side of its decoded photos, in pixels."""
        return int(self.record["image_size"])

    @cached_property
    def photo_bytes(self) -> int:
        """Most bytes of the file of a photo."""
        return self.run.photo_bytes

    @property
    def text(self) -> bool:
        """Whether it read text in photos."""
        return bool(self.record["settings"].get("text", True))

    @property
    def folds(self) -> int:
        """How many folds it has."""
        return len(self.fitted[HEADS]["bias"])

    @property
    def worth(self) -> str | None:
        """The column of what listings are worth."""
        return worth_column(self.record["settings"].get("worth"))

    @property
    def flags(self) -> str:
        """Whose flags of wrong labels hold."""
        return flags_of(self.record)

    @property
    def currency(self) -> str | None:
        """The currency of the prices that it judged, if that is known."""
        return self.record["dataset"].get("currency") or None

    def other_currency(self, currency: str | None) -> bool:
        """Return whether prices in a currency, or with its sign, can't be compared with those that it judged."""
        ours = (self.currency or "").strip().upper()
        return bool(ours and currency) and not may_be(str(currency).strip().upper(), ours)

    def spellings_of(self, labels: Iterable[str]) -> dict[str, str]:
        """Return the labels that are other spellings of a class, and the class of each.

        Parameters
        ----------
        labels : iterable of str
            Of new listings; those that the run knows as other spellings are among the result anyway.
        """
        pairs = self.fitted["spellings"]["of"].tolist()
        known = dict(zip(pairs[::2], pairs[1::2], strict=True))
        unknown = set(labels) - set(self.classes)
        if not unknown:
            return known
        return known | match_spellings(sorted(unknown), [name for name in self.classes if name not in known])

    @cached_property
    def place(self) -> dict[str, int]:
        """The row of each id."""
        return {id: row for row, id in enumerate(self.table["id"].astype(str).tolist())}

    @cached_property
    def photo_group(self) -> Int64:
        """The number of each listing's group of equal or nearly equal photos, shape (N,)."""
        return self._facts.photo_group

    @cached_property
    def members(self) -> dict[int, list[int]]:
        """The rows of each of these groups that has several."""
        rows: dict[int, list[int]] = defaultdict(list)
        repeated = pd.Series(self.photo_group).duplicated(keep=False).to_numpy()
        for row in np.flatnonzero(repeated):
            rows[int(self.photo_group[row])].append(int(row))
        return dict(rows)

    @cached_property
    def by_content(self) -> dict[str, int]:
        """The first row with each content of a photo that shows something."""
        shown = self._facts.shown.dropna()
        return {sha256: int(row) for row, sha256 in reversed(list(zip(shown.index, shown.tolist(), strict=True)))}

    @cached_property
    def by_group(self) -> dict[str, int]:
        """The first row of each group that the table names."""
        named = self.table["group"].dropna()
        return {str(group): int(row) for row, group in reversed(list(zip(named.index, named.tolist(), strict=True)))}

    @cached_property
    def taught(self) -> Int64:
        """The class that each listing taught, shape (N,); -1 for the test set, and without a label."""
        numbers = class_numbers(self.table["label"], self.classes)
        return np.where((self.table["split"] != "test").to_numpy(dtype=bool), numbers, -1)

    @cached_property
    def small(self) -> Pixels:
        """The photos as they are hashed, shape (N, 16, 16, 3)."""
        file = small_file(self.run.training_folder)
        with readable(file, run=self.run.folder):
            small = np.asarray(map_array(file))
            if small.shape != (len(self.table), SMALL, SMALL, 3):
                raise ValueError(f"it has the shape {small.shape}, and the run {len(self.table):,} listings")
        return small

    @cached_property
    def photos(self) -> KnownPhotos:
        """What finds reposts of its photos."""
        rows = np.array(sorted(self.by_content.values()), dtype=np.int64)
        return KnownPhotos.of(self.small, rows)

    @cached_property
    def store(self) -> PhotoStore | None:
        """Its decoded photos; None where the cache no longer has them."""
        with suppress(FileNotFoundError, PhotosMissingError):
            return PhotoStore.load(photos_file(self.run.training_folder))
        return None

    def pixels(self, rows: Int64) -> tuple[Int64, Pixels]:
        """Return decoded photos of rows, and which of them could be read again where the cache no longer has them."""
        if self.store is not None:
            with suppress(PhotosMissingError):
                return rows, self.store[rows]
        root, read, found = self.run.photo_root, [], []
        for row in rows:
            with suppress(Exception), photo_content(photo_path(root, self.table["image"].iloc[row])) as content:
                found.append(decode(content, self.size)[0])
                read.append(row)
        empty = np.empty((0, self.size, self.size, 3), dtype=np.uint8)
        return np.array(read, dtype=np.int64), np.stack(found) if found else empty

    @cached_property
    def _facts(self) -> Evidence:
        return Evidence(self.table, self.classes, np.empty((0, len(self.classes))))

    def features(self, photos: Photos, rows: Int64) -> Float32:
        """Return the features of rows of new photos, projected as the run's are: shape (n, D)."""
        parts = [torch.cat([extract(photos[rows[[k]]]) for k in range(len(rows))]) for extract in self._extractors]
        return self._projection(torch.cat(parts, dim=1).float().cpu())

    @cached_property
    def _extractors(self) -> list[Any]:
        file = self.run.training_folder / "plan.json"
        with readable(file, run=self.run.folder):
            recipe = Plan.load(file).recipe
        bank = patches_file(self._features_file)
        with readable(bank if bank.exists() else file, run=self.run.folder):
            return [
                kept_extractor(replace(recipe, features=part), self.size, bank, find_device("cpu"))
                for part in parts_of(recipe.features)
            ]

    @cached_property
    def _projection(self) -> Projection:
        file = projection_file(self._features_file)
        with readable(file, run=self.run.folder):
            projection = Projection.load(file)
            _require_width(projection.directions, self.known.shape[1])
        return projection

    @property
    def _features_file(self) -> Path:
        return self.run.training_folder / Path(self.record["features"]).name

    def titles(self, titles: pd.Series, root: Path) -> Float32 | None:
        """Return the features of what new titles mean; None where the run compares them by words alone.

        Parameters
        ----------
        titles : Series of str, length n
            NA without a title.
        root : Path
            Where features of titles are kept.

        Raises
        ------
        RunError
            If what made the run's is not installed.
        """
        if self.record.get("titles_of", WORDS) == WORDS:
            return None
        present = (titles.fillna("").astype(str).str.strip() != "").to_numpy(dtype=bool)
        features = np.zeros((len(titles), 384), dtype=np.float32)
        if present.any():
            features[present] = self._sentences.embed(titles[present].astype(str).tolist(), root)
        return features

    @cached_property
    def _sentences(self) -> SentenceModel:
        try:
            model = load_sentence_model()
        except NoSentenceModelError as error:
            raise RunError(f"{self.run.folder} compares titles by their meaning: {error}") from error
        if model.name != self.record["titles_of"]:
            raise RunError(
                f"{self.run.folder} compares titles by their meaning with {self.record['titles_of']}",
                got=model.name,
                fix=f"Install that version, or train again with {_REFIT}.",
            )
        return model


def _require_width(features: Any, wanted: int) -> None:
    """Refuse what belongs to the models of another run."""
    if features.ndim != 2 or features.shape[1] != wanted:
        raise ValueError(f"it has the shape {tuple(features.shape)}, and the models take {wanted:,} features")


def _load(file: Path, run: RunFolder) -> Fitted:
    try:
        return Fitted.load(file)
    except OtherFormatError as error:
        raise RunError(
            f"{run.folder} can't judge new listings: another version of curate kept its models",
            got=f"{file.name} of {error}",
            wanted=f"format {FORMAT}",
            fix=f"Find the issues again with `find_issues(listings)`, or train again with {_REFIT}.",
            parameter="since",
        ) from None


def _require_models(run: RunFolder, record: dict[str, Any]) -> None:
    """Refuse a run that can't judge new listings, and say why."""
    what = f"{run.folder} can't judge new listings"
    fix = f"Train again with {_REFIT}."
    if "learn_from" in record["settings"]:
        fix = f"Name the run that it learned from, {record['settings']['learn_from']}, or train again with {_REFIT}."
        raise RunError(what, got="a run that learned from decisions", fix=fix, parameter="since")
    if record.get("features") is None:
        got = "a run by your own probabilities, without models"
        raise RunError(what, got=got, fix="Give probabilities of all listings to `find_issues()`.", parameter="since")
    if given_in(record.get("features_of", "")):
        raise RunError(what, got="a run with embeddings of your own", fix=fix, parameter="since")
    if (run.training_folder / SHARE_FILE).exists():
        got, wanted = "networks, which can't do so yet", "a run of linear models"
        raise RunError(what, got=got, wanted=wanted, fix=fix, parameter="since")
    needed = [fitted_file(run), small_file(run.training_folder)]
    needed.append(projection_file(run.training_folder / Path(record["features"]).name))
    missing = [file.name for file in needed if not file.exists()]
    if missing:
        version = record.get("versions", {}).get("curate", "an unknown version")
        raise RunError(
            what,
            got=f"no {', no '.join(missing)} (it was made by curate {version})",
            wanted="a run of this version, which keeps its models",
            fix=fix,
            parameter="since",
        )
