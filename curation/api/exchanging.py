"""A run and other tools: written as they read it, and what was decided there loaded."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from curation.api.reviewing import RunReview, as_path
from curation.errors import checked
from training.utils.progress import SILENT, Reporter

# slow to import, and needed by few
if TYPE_CHECKING:
    from cleanlab import Datalab
    from datasets import Dataset, DatasetDict

    from curation.interchange.contract import Exported
    from curation.interchange.imported import Imported

__all__ = ["RunExchange"]


@dataclass(frozen=True)
class RunExchange(RunReview):
    """A finished run in other tools.

    Attributes
    ----------
    folder : Path
        ``runs/<dataset>/<number>``, or the one that was named.
    """

    @checked
    def export(
        self,
        format: str,
        output: str | Path | None = None,
        *,
        top: int | None = None,
        all: bool = False,
        photo_prefix: str | None = None,
        database: str | None = None,
        table_prefix: str | None = None,
        dataset: str | None = None,
        reporter: Reporter = SILENT,
    ) -> Exported:
        """Write the run for another tool; docs/interchange.md says what each format holds. The run stays as it is.

        Parameters
        ----------
        format : str
            ``label-studio``, ``datalab``, ``huggingface``, ``coco``, ``cvat``, ``sql`` or ``fiftyone``.
        output : str or Path, optional
            A new or empty folder; by default one with the name of the format in the current one. It is written whole
            or not at all.
        top : int, optional
            With ``label-studio`` and ``cvat``: only so many listings, the most urgent.
        all : bool
            With ``label-studio`` and ``cvat``: all listings, and not only those that are flagged and undecided.
        photo_prefix : str, optional
            With ``label-studio``: what the URLs of photos begin with, e.g. ``"https://photos.shop.com/"``.
        database : str, optional
            With ``sql``: its URL for SQLAlchemy, e.g. ``"postgresql://user@host/shop"``.
        table_prefix : str, optional
            With ``sql``: what the names of the tables begin with, ``curate_`` by default; with a schema before it, e.g.
            ``"quality.curate_"``.
        dataset : str, optional
            With ``fiftyone``: the name of a dataset of your own.
        reporter : Reporter, optional
            Shows progress, where it takes long.

        Raises
        ------
        InputError
            If there is no such format, it does not take an argument or lacks one, there is nothing to export, or the
            target can't be written.

        Examples
        --------
        >>> import curation, numpy as np
        >>> demo = curation.demo("shop", listings=120)
        >>> listings = curation.read_listings("shop")
        >>> guesses = np.random.default_rng(0).dirichlet(np.ones(12), size=120)
        >>> run = curation.find_issues(listings, probabilities=guesses, text=False)
        >>> run.export("label-studio", "tasks", top=20).listings
        20
        """
        from curation.interchange.exported import export_run

        options = {"top": top, "all": all, "photo_prefix": photo_prefix, "database": database}
        options |= {"table_prefix": table_prefix, "dataset": dataset}
        return export_run(self._files, format, as_path(output), options, reporter)

    def to_datalab(self) -> Datalab:
        """Return a Datalab of cleanlab whose issues are those of the run, of the listings that have a label.

        ``get_issues("label")`` has ``is_label_issue``, ``label_score``, ``given_label`` and ``predicted_label``: the
        suggested label where it is likelier than the given one, and that otherwise.

        Raises
        ------
        InputError
            If no listing has a label, or a package is missing.
        """
        from curation.interchange.datalab import datalab_of

        return datalab_of(self._files)

    @checked
    def import_decisions(
        self,
        format: str,
        file: str | Path | Dataset | DatasetDict,
        *,
        reviewer: str | None = None,
        new_classes: str | Iterable[str] = (),
        label_field: str | None = None,
        allow_unknown: bool = False,
        dry_run: bool = False,
    ) -> Imported:
        """Record what people decided in another tool; nothing is changed before :meth:`apply_fixes`.

        Each answer becomes a decision of whoever gave it, at the time it was given. What the journal has already is
        not added again, and what its reviewer has replaced since stays replaced. Where reviewers disagree, all words
        are kept, and the listing is in conflict. ``undo(imported=True)`` takes the last import back.

        Parameters
        ----------
        format : str
            ``label-studio``, ``huggingface``, ``coco``, ``cvat`` or ``fiftyone``.
        file : str, Path or datasets.Dataset
            What that tool wrote; with ``huggingface`` also the dataset itself, as it was loaded and changed,
            and with ``fiftyone`` the name of the dataset.
        reviewer : str, optional
            Name for decisions that carry none; by default ``CURATE_REVIEWER`` or the name of your account.
        new_classes : str or iterable of str
            Classes that the dataset does not have yet and that decisions may name.
        label_field : str, optional
            With ``fiftyone``: the field with the labels; by default ``ground_truth``, or the only one with classes.
        allow_unknown : bool
            Leave out decisions on listings that the run does not have.
        dry_run : bool
            Return what would be recorded; record nothing.

        Raises
        ------
        DecisionsError
            If the file can't be read, is of another project, or a decision fits no listing or class; nothing is
            recorded then.
        """
        from curation.interchange.imported import import_decisions

        return import_decisions(
            self._files,
            format,
            Path(file) if isinstance(file, str) else file,
            reviewer=reviewer,
            new_classes=[new_classes] if isinstance(new_classes, str) else list(new_classes),
            label_field=label_field,
            allow_unknown=allow_unknown,
            dry_run=dry_run,
        )
