"""Two runs against each other. Listings are joined by id."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from curation.errors import RunError
from curation.run.diff_result import (
    Choice,
    DataDiff,
    FixesDiff,
    KindDiff,
    Listing,
    Moved,
    Named,
    Overlap,
    Pair,
    RunDiff,
    TestSets,
)
from curation.run.folder import RunFolder
from curation.run.row import RunRow, describe_run, flag_columns, read_columns
from training.utils.csv_files import restored_cells

__all__ = ["diff_runs"]

_LARGEST = 10
_ISSUE_COLUMNS = ("id", "label_score", "suggested_label", "suggested_confidence", "priority")
_LISTING_COLUMNS = ("id", "label", "sha256", "split", "unreadable")


def diff_runs(a: RunFolder, b: RunFolder) -> RunDiff:
    """Compare two finished runs.

    Parameters
    ----------
    a, b : RunFolder
        Of one dataset, or of two that share ids.

    Raises
    ------
    RunError
        If both are the same run, share no id, or a file is damaged.
    """
    if a.folder.resolve() == b.folder.resolve():
        raise RunError("both are the same run", got=str(a.folder), wanted="two runs", fix="See them with `runs()`.")
    rows = [describe_run(run) for run in (a, b)]
    listings = [_table(run.listings_file, _LISTING_COLUMNS) for run in (a, b)]
    tables = [_issues(run) for run in (a, b)]
    shared = listings[0].index.intersection(listings[1].index, sort=False)
    if shared.empty:
        raise RunError(
            "these runs can't be compared: they have no id in common",
            got=f"ids like {listings[0].index[0]} in {rows[0].run} and like {listings[1].index[0]} in {rows[1].run}",
            wanted="two runs of the same dataset, or of two that share ids",
            fix="See all runs with `runs()`.",
        )
    issues = [table.loc[shared] for table in tables]
    return RunDiff(
        a=rows[0],
        b=rows[1],
        settings=_differing(_chosen(rows[0]), _chosen(rows[1])),
        versions=_differing(rows[0].versions, rows[1].versions),
        data=_data(rows, listings, shared),
        issues=_kinds(issues),
        suggestions=_suggestions(*issues),
        moved=_moved(*issues),
        decisions=_decisions(a, b, shared),
        fixes=_fixes(a, b),
        test_set=_test_sets(rows, *listings),
    )


def _chosen(row: RunRow) -> dict[str, Any]:
    """Return the settings, without the hash of the table: the comparison of the data covers it."""
    return {key: value for key, value in row.settings.items() if key != "table_sha256"}


def _differing(a: dict[str, Any], b: dict[str, Any]) -> list[Named]:
    names = dict.fromkeys([*a, *b])
    return [Named(name, a.get(name), b.get(name)) for name in names if a.get(name) != b.get(name)]


def _table(file: Path, columns: tuple[str, ...]) -> pd.DataFrame:
    """Read columns as objects, None where a value or the whole column is missing, with the ids as index."""
    table = read_columns(file, columns).reindex(columns=list(columns)).astype(object)
    table = table.where(table.notna(), None)
    return table.set_index(table.pop("id").astype(str))


def _issues(run: RunFolder) -> pd.DataFrame:
    flags = flag_columns(run.issues_file)
    table = _table(run.issues_file, (*_ISSUE_COLUMNS, *flags.values()))
    return table.rename(columns={column: f"flag:{kind}" for kind, column in flags.items()})


def _data(rows: list[RunRow], listings: list[pd.DataFrame], shared: pd.Index[str]) -> DataDiff:
    a, b = listings
    tables = [row.settings.get("table_sha256") for row in rows]
    return DataDiff(
        same_dataset=rows[0].dataset == rows[1].dataset,
        same_table=None if None in tables else tables[0] == tables[1],
        listings=Overlap(len(a), len(b), len(shared)),
        only_a=a.index.difference(shared, sort=False).tolist(),
        only_b=b.index.difference(shared, sort=False).tolist(),
        photos=[listing.id for listing in _pairs(a.loc[shared, "sha256"], b.loc[shared, "sha256"])],
        labels=_pairs(a.loc[shared, "label"], b.loc[shared, "label"]),
    )


def _pairs(a: pd.Series[Any], b: pd.Series[Any]) -> list[Listing]:
    """Return the listings whose values differ; both have the same index, None is a value."""
    return [Listing(id, one, other) for id, one, other in zip(a.index, a, b, strict=True) if one != other]


def _suggestions(a: pd.DataFrame, b: pd.DataFrame) -> list[Listing]:
    """Return the listings whose suggestion differs, the most confident in either run first."""
    confidence = pd.concat([a["suggested_confidence"], b["suggested_confidence"]], axis=1).astype(float).max(axis=1)
    order = confidence.sort_values(ascending=False, kind="stable").index
    return _pairs(a.loc[order, "suggested_label"], b.loc[order, "suggested_label"])


def _kinds(issues: list[pd.DataFrame]) -> list[KindDiff]:
    """Compare the flags of each kind; a kind that one of the runs did not look for can't be compared."""
    columns = dict.fromkeys(name for table in issues for name in table if str(name).startswith("flag:"))
    flags = [table.reindex(columns=list(columns)) for table in issues]
    kinds = {str(name).removeprefix("flag:"): [table[name] for table in flags] for name in columns}
    anything = [table.eq(True).any(axis=1) for table in flags]
    return [_kind("any", *anything), *(_kind(kind, *pair) for kind, pair in kinds.items())]


def _kind(kind: str, a: pd.Series[Any], b: pd.Series[Any]) -> KindDiff:
    in_a, in_b = a.notna().any(), b.notna().any()
    first, second = a.eq(True), b.eq(True)
    counts = int(first.sum()) if in_a else None, int(second.sum()) if in_b else None
    if not (in_a and in_b):
        return KindDiff(kind, *counts, None, None, None)
    only_a, only_b = first.index[first & ~second].tolist(), first.index[second & ~first].tolist()
    return KindDiff(kind, *counts, int((first & second).sum()), only_a, only_b)


def _moved(a: pd.DataFrame, b: pd.DataFrame) -> list[Moved]:
    """Return the listings whose score changed most; ranks move a lot among sound listings, and that says nothing."""
    change = (b["label_score"].astype(float) - a["label_score"].astype(float)).dropna()
    change = change[change != 0]
    largest = change.loc[change.abs().sort_values(ascending=False, kind="stable").index[:_LARGEST]]

    def pair(id: str, column: str) -> Pair:
        return Pair(a.at[id, column], b.at[id, column])

    return [Moved(id, pair(id, "label_score"), pair(id, "priority")) for id in largest.index]


def _decisions(a: RunFolder, b: RunFolder, shared: pd.Index[str]) -> list[Listing]:
    # the row of each run already says which lines of its journal are damaged
    first, second = (
        {id: Choice(*each.meaning) for id, each in run.holding_decisions().decisions.items()} for run in (a, b)
    )
    choices = ((id, first.get(id), second.get(id)) for id in shared)
    return [Listing(id, one, other) for id, one, other in choices if one != other]


def _fixes(a: RunFolder, b: RunFolder) -> FixesDiff | None:
    """Compare what was changed in the cleaned datasets; None unless both runs have one."""
    first, second = _changes(a), _changes(b)
    if first is None or second is None:
        return None
    both = [id for id in first if id in second]
    return FixesDiff(
        same=sum(first[id] == second[id] for id in both),
        different=[id for id in both if first[id] != second[id]],
        only_a=[id for id in first if id not in second],
        only_b=[id for id in second if id not in first],
    )


def _changes(run: RunFolder) -> dict[str, tuple[str, ...]] | None:
    file = run.standing(run.cleaned) / "changes.csv"
    if not file.exists():
        return None
    try:
        table = restored_cells(pd.read_csv(file, dtype=str, keep_default_na=False))
        # an earlier version changed no prices
        prices = table["new_price"] if "new_price" in table else [""] * len(table)
        return dict(zip(table["id"], zip(table["action"], table["new_label"], prices, strict=True), strict=True))
    except (OSError, ValueError, KeyError):  # pandas' parser errors are ValueErrors
        raise RunError(f"{file} can't be read", wanted="the table that `apply_fixes()` wrote") from None


def _test_sets(rows: list[RunRow], a: pd.DataFrame, b: pd.DataFrame) -> TestSets:
    """Say whether macro-F1 of both runs was measured on the same listings, labels and photos."""
    tests = [table[table["split"].eq("test") & table["unreadable"].isna() & table["label"].notna()] for table in (a, b)]
    one, other = (dict(zip(test.index, zip(test["label"], test["sha256"], strict=True), strict=True)) for test in tests)
    missing = [row.run for row in rows if row.comparison is None]
    differ = None if one == other else "their test sets differ"
    why = f"no comparison in {' and '.join(missing)}" if missing else differ
    return TestSets(one == other, Pair(len(one), len(other)), why is None, why)
