"""The dataset of a review in FiftyOne: what a person does there, and what it then shows."""

from __future__ import annotations

from typing import Any

from curation.review.app import decide as deciding
from curation.review.app.edits import record_edit
from curation.run.folder import RunFolder

TIME = "2026-01-02T03:04:05.000+00:00"


def with_probabilities(run, id, probs):
    """Give one listing probabilities; the others keep theirs."""
    probabilities = run.probabilities()
    probabilities.probs[probabilities.ids == id] = probs
    probabilities.save(run.probabilities_file)


def sample_of(dataset: Any, *listings: str) -> list[str]:
    ids = dict(zip(*dataset.values(["listing_id", "id"]), strict=True))
    return [ids[listing] for listing in listings]


def decide(dataset: Any, samples: list[str], action: str, *, reviewer: str = "ana", **what: Any) -> deciding.Outcome:
    return deciding.decide(dataset, samples, action, reviewer=reviewer, **what)


def keep_one(dataset: Any, sample: str) -> deciding.Outcome:
    return deciding.keep_one(dataset, sample, reviewer="ana")


def decision_on(dataset: Any, listing: str) -> tuple[Any, ...]:
    sample = dataset[sample_of(dataset, listing)[0]]
    return sample["decision"], sample["new_label"], sample["reviewer"]


def change(dataset: Any, listing: str, label: str) -> str:
    """Change a label in the database, as any program may; return the id of the sample."""
    sample = dataset[sample_of(dataset, listing)[0]]
    sample["ground_truth"].label = label
    sample.save()
    return str(sample.id)


def edit(dataset: Any, run: RunFolder, listing: str, label: str) -> None:
    """Change a label as the Annotate tab does: straight on the sample, through the review's server."""
    record_edit(dataset, run, "ana", change(dataset, listing, label), label)


def priced(run: RunFolder, **suggested: float) -> None:
    """Let the run suggest prices."""
    table = run.issues()
    run.write_table(run.issues_file, table.assign(suggested_price=table["id"].map(suggested).astype(float)))


def unlabelled(run: RunFolder, id: str) -> None:
    """Take the label of a listing away."""
    table = run.issues()
    run.write_table(run.issues_file, table.assign(given_label=table["given_label"].where(table["id"] != id)))


def prices_on(dataset: Any, listing: str) -> tuple[float | None, float | None]:
    """Return the suggested price of a listing and the one that was decided on."""
    sample = dataset[sample_of(dataset, listing)[0]]
    return sample["suggested_price"], sample["new_price"]


def noted_on(dataset, id):
    sample = dataset.match({"listing_id": id}).first()
    return sample["decision"], sample["review_note"]


def with_hashes(run: RunFolder, **changes: Any) -> None:
    """Let the run know its photos, as find-issues does; L10's file was missing then."""
    hashes = [None if number in (10, 12) else f"hash{number}" for number in range(13)]
    size = [None if hash is None else 160 for hash in hashes]
    table = run.listings().assign(sha256=hashes, width=size, height=size)
    run.write_table(run.listings_file, table.assign(**changes))
