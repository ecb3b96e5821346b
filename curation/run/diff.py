"""Two runs against each other. Listings are joined by id."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from curation.errors import RunError, some
from curation.rendering.results import Result
from curation.run.folder import RUNS, RunFolder
from curation.run.lookup import find_runs
from curation.run.row import RunRow, describe_run, flag_columns, read_columns

__all__ = ["RunDiff", "diff_runs", "named_run"]

_LARGEST = 10
_JUDGED = ("id", "label_score", "suggested_label", "suggested_confidence", "priority")
_KNOWN = ("id", "label", "sha256", "split", "unreadable")


def named_run(name: str, root: Path = RUNS) -> RunFolder:
    """Find the run that a person named.

    Parameters
    ----------
    name : str
        A number, of the dataset whose run was started last; ``<dataset>/<number>``; or a folder.
    root : Path
        Where runs are looked for.

    Returns
    -------
    RunFolder
        Finished.

    Raises
    ------
    RunError
        If there is no such run, or it has not finished.
    """
    runs, parts = find_runs(root), Path(name).parts
    # ../1 is a folder, not the run 1 of a dataset called '..'
    below = len(parts) == 2 and not name.startswith(".")
    if name.isdigit() and runs:
        run = RunFolder(runs[-1].folder.parent / name)
    elif below and (root / name).is_dir():
        run = RunFolder(root / name)
    else:
        run = RunFolder(Path(name))
    if not run.record_file.exists():
        known = [str(other.folder.relative_to(root)) for other in runs]
        raise RunError(
            f"there is no run {name!r}",
            got=f"no {run.record_file}",
            wanted=f"a number of the latest dataset, DATASET/NUMBER ({some(reversed(known))}), or a run's folder"
            if known
            else "a run's folder",
            fix="See them all with `runs()`.",
        )
    return run.require_finished()


@dataclass(frozen=True)
class RunDiff(Result):
    """What differs between two runs. Counts are over the listings that both have.

    Attributes
    ----------
    a, b : RunRow
        Both runs.
    settings, versions : list of dict
        Rows of ``name``, ``a`` and ``b``.
    data : dict
        The listings: ``same_dataset``, ``same_table``, how many, ``only_a`` and ``only_b``, other ``photos`` (ids),
        other ``labels`` (rows of ``id``, ``a``, ``b``).
    issues : list of dict
        A row for each kind: ``kind``, number in ``a``, ``b`` and ``both``, ids of ``only_a`` and ``only_b``.
    suggestions, decisions : list of dict
        Rows of ``id``, ``a`` and ``b``; of the suggestions, the surest first.
    moved : list of dict
        The ten largest changes of ``label_score``.
    fixes : dict or None
        ``same``, ids of ``only_a``, ``only_b`` and ``different``; None unless both runs have a cleaned dataset.
    test_set : dict
        ``same``, ``listings``, ``comparable``: whether macro-F1 of both can be compared, ``why`` not.
    """

    a: RunRow
    b: RunRow
    settings: list[dict[str, Any]]
    versions: list[dict[str, Any]]
    data: dict[str, Any]
    issues: list[dict[str, Any]]
    suggestions: list[dict[str, Any]]
    moved: list[dict[str, Any]]
    decisions: list[dict[str, Any]]
    fixes: dict[str, Any] | None
    test_set: dict[str, Any]


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
    known = [_listings(run) for run in (a, b)]
    judged = [_issues(run) for run in (a, b)]
    shared = known[0].index.intersection(known[1].index, sort=False)
    if shared.empty:
        raise RunError(
            "these runs can't be compared: they have no id in common",
            got=f"ids like {known[0].index[0]} in {rows[0].run} and like {known[1].index[0]} in {rows[1].run}",
            wanted="two runs of the same dataset, or of two that share ids",
            fix="See all runs with `runs()`.",
        )
    issues = [table.loc[shared] for table in judged]
    return RunDiff(
        a=rows[0],
        b=rows[1],
        settings=_differing(_chosen(rows[0]), _chosen(rows[1])),
        versions=_differing(rows[0].versions, rows[1].versions),
        data=_data(rows, known, shared),
        issues=_issue_rows(issues),
        suggestions=_suggestions(*issues),
        moved=_moved(*issues),
        decisions=_decisions(a, b, shared),
        fixes=_fixes(a, b),
        test_set=_test_set(rows, *known),
    )


def _chosen(row: RunRow) -> dict[str, Any]:
    """Return the settings, without the hash of the table: the comparison of the data covers it."""
    return {key: value for key, value in row.settings.items() if key != "table_sha256"}


def _differing(a: dict[str, Any], b: dict[str, Any]) -> list[dict[str, Any]]:
    names = dict.fromkeys([*a, *b])
    return [{"name": name, "a": a.get(name), "b": b.get(name)} for name in names if a.get(name) != b.get(name)]


def _table(file: Path, wanted: tuple[str, ...]) -> pd.DataFrame:
    """Read columns as objects, None where a value or the whole column is missing, with the ids as index."""
    table = read_columns(file, wanted).reindex(columns=list(wanted)).astype(object)
    table = table.where(table.notna(), None)
    return table.set_index(table.pop("id").astype(str))


def _listings(run: RunFolder) -> pd.DataFrame:
    return _table(run.listings_file, _KNOWN)


def _issues(run: RunFolder) -> pd.DataFrame:
    table = _table(run.issues_file, (*_JUDGED, *flag_columns(run.issues_file).values()))
    return table.rename(columns={column: f"flag:{kind}" for kind, column in flag_columns(run.issues_file).items()})


def _data(rows: list[RunRow], known: list[pd.DataFrame], shared: pd.Index[str]) -> dict[str, Any]:
    a, b = known
    tables = [row.settings.get("table_sha256") for row in rows]
    return {
        "same_dataset": rows[0].dataset == rows[1].dataset,
        "same_table": None if None in tables else tables[0] == tables[1],
        "listings": {"a": len(a), "b": len(b), "both": len(shared)},
        "only_a": a.index.difference(shared, sort=False).tolist(),
        "only_b": b.index.difference(shared, sort=False).tolist(),
        "photos": [row["id"] for row in _pairs(a.loc[shared, "sha256"], b.loc[shared, "sha256"])],
        "labels": _pairs(a.loc[shared, "label"], b.loc[shared, "label"]),
    }


def _pairs(a: pd.Series[Any], b: pd.Series[Any]) -> list[dict[str, Any]]:
    """Return the listings whose values differ; both have the same index, None is a value."""
    pairs = zip(a.index, a, b, strict=True)
    return [{"id": id, "a": before, "b": after} for id, before, after in pairs if before != after]


def _suggestions(a: pd.DataFrame, b: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the listings whose suggestion differs, those first of which one of the runs is surest."""
    sure = pd.concat([a["suggested_confidence"], b["suggested_confidence"]], axis=1).astype(float).max(axis=1)
    order = sure.sort_values(ascending=False, kind="stable").index
    return _pairs(a.loc[order, "suggested_label"], b.loc[order, "suggested_label"])


def _issue_rows(issues: list[pd.DataFrame]) -> list[dict[str, Any]]:
    """Compare the flags of each kind; a kind that one of the runs did not look for can't be compared."""
    columns = dict.fromkeys(name for table in issues for name in table if str(name).startswith("flag:"))
    flags = [table.reindex(columns=list(columns)) for table in issues]
    found = {str(name).removeprefix("flag:"): [table[name] for table in flags] for name in columns}
    anything = [table.eq(True).any(axis=1) for table in flags]
    return [_flag_row("any", *anything), *(_flag_row(kind, *pair) for kind, pair in found.items())]


def _flag_row(kind: str, a: pd.Series[Any], b: pd.Series[Any]) -> dict[str, Any]:
    searched = a.notna().any(), b.notna().any()
    first, second = a.eq(True), b.eq(True)
    both = all(searched)
    return {
        "kind": kind,
        "a": int(first.sum()) if searched[0] else None,
        "b": int(second.sum()) if searched[1] else None,
        "both": int((first & second).sum()) if both else None,
        "only_a": first.index[first & ~second].tolist() if both else None,
        "only_b": first.index[second & ~first].tolist() if both else None,
    }


def _moved(a: pd.DataFrame, b: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the listings whose score changed most; ranks move a lot among sound listings, and that says nothing."""
    change = (b["label_score"].astype(float) - a["label_score"].astype(float)).dropna()
    change = change[change != 0]
    largest = change.loc[change.abs().sort_values(ascending=False, kind="stable").index[:_LARGEST]]
    return [
        {
            "id": id,
            "label_score": {"a": a.at[id, "label_score"], "b": b.at[id, "label_score"]},
            "priority": {"a": a.at[id, "priority"], "b": b.at[id, "priority"]},
        }
        for id in largest.index
    ]


def _decisions(a: RunFolder, b: RunFolder, shared: pd.Index[str]) -> list[dict[str, Any]]:
    # the row of each run already says which lines of its journal are damaged
    first, second = (
        {
            id: {"action": decision.action, "new_label": decision.new_label}
            for id, decision in run.holding_decisions().decisions.items()
        }
        for run in (a, b)
    )
    pairs = ((id, first.get(id), second.get(id)) for id in shared)
    return [{"id": id, "a": one, "b": other} for id, one, other in pairs if one != other]


def _fixes(a: RunFolder, b: RunFolder) -> dict[str, Any] | None:
    """Compare what was changed in the cleaned datasets; None unless both runs have one."""
    first, second = _changes(a), _changes(b)
    if first is None or second is None:
        return None
    both = [id for id in first if id in second]
    return {
        "same": sum(first[id] == second[id] for id in both),
        "different": [id for id in both if first[id] != second[id]],
        "only_a": [id for id in first if id not in second],
        "only_b": [id for id in second if id not in first],
    }


def _changes(run: RunFolder) -> dict[str, tuple[str, str]] | None:
    file = run.cleaned / "changes.csv"
    if not file.exists():
        return None
    try:
        table = pd.read_csv(file, dtype=str, keep_default_na=False)
        return dict(zip(table["id"], zip(table["action"], table["new_label"], strict=True), strict=True))
    except (OSError, ValueError, KeyError):  # pandas' parser errors are ValueErrors
        raise RunError(f"{file} can't be read", wanted="the table that `apply_fixes()` wrote") from None


def _test_set(rows: list[RunRow], a: pd.DataFrame, b: pd.DataFrame) -> dict[str, Any]:
    """Say whether macro-F1 of both runs was measured on the same listings, labels and photos."""
    tests = [table[table["split"].eq("test") & table["unreadable"].isna() & table["label"].notna()] for table in (a, b)]
    one, other = (dict(zip(test.index, zip(test["label"], test["sha256"], strict=True), strict=True)) for test in tests)
    same = one == other
    missing = [row.run for row in rows if row.comparison is None]
    differ = None if same else "their test sets differ"
    why = f"no comparison in {' and '.join(missing)}" if missing else differ
    return {"same": same, "listings": {"a": len(one), "b": len(other)}, "comparable": why is None, "why": why}
