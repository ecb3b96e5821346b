"""The words and tables of `curate runs` and `curate runs diff`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from curation.cli.sections import Column, Section, table_of
from curation.errors import some
from curation.rendering.words import signed

__all__ = ["diff_sections", "overview_sections"]

_SHOWN = 10
_DIGEST = 8


def overview_sections(groups: Sequence[dict[str, Any]]) -> list[Section]:
    """Return a table of the runs of each dataset, and one of their flags by kind."""
    sections = []
    for group in groups:
        runs = group["runs"]
        problems = [f"{run['run']}: {problem}" for run in runs for problem in run["problems"]]
        same = [f"{_words(key)} {_value(key, value)}" for key, value in group["same"].items() if value is not None]
        lines = problems + ([f"The same in all: {', '.join(same)}."] if same else [])
        title = f"{group['dataset']}: {len(runs)} run{'s' * (len(runs) != 1)}"
        sections.append(Section(title, _overview(runs, group["differing"]), lines))
        sections += _kinds(runs)
    return sections


def _overview(runs: Sequence[dict[str, Any]], differing: Sequence[str]) -> tuple[Column, ...]:
    def cells(text: Callable[[dict[str, Any]], str]) -> list[str]:
        return [text(run) for run in runs]

    def number(heading: str, *path: str) -> Column:
        return Column(heading, cells(lambda run: _count(_at(run, path))), number=True)

    settings = [Column(_words(key), [_value(key, run["settings"].get(key)) for run in runs]) for key in differing]
    return table_of(
        [
            Column("run", cells(lambda run: str(run["run"]))),
            Column("started", cells(lambda run: _local(run["started"]))),
            Column("status", cells(lambda run: str(run["status"]))),
            *settings,
            number("listings", "listings"),
            number("flagged", "flagged"),
            Column("decided", cells(lambda run: _unless_none(run["decided"]["people"])), number=True),
            Column("accepted", cells(lambda run: _unless_none(run["decided"]["suggestions"])), number=True),
            number("relabelled", "fixes", "relabelled"),
            number("deleted", "fixes", "deleted"),
            Column("macro-F1", cells(lambda run: _scores(run["comparison"]))),
            Column("change (95 % interval)", cells(lambda run: _change(run["comparison"]))),
            Column("verdict", cells(lambda run: _at(run, ("comparison", "verdict")) or "")),
        ]
    )


def _kinds(runs: Sequence[dict[str, Any]]) -> list[Section]:
    searched = [run for run in runs if run["issues"] is not None]
    kinds = list(dict.fromkeys(kind for run in searched for kind, count in run["issues"].items() if count))
    if not kinds:
        return []
    columns = [
        Column(_words(kind), [_count(run["issues"].get(kind), missing="–") for run in searched], number=True)
        for kind in kinds
    ]
    unknown = any(run["issues"].get(kind) is None for run in searched for kind in kinds)
    lines = ["– means: not checked"] if unknown else []
    return [Section("Flags by kind", [Column("run", [run["run"] for run in searched]), *columns], lines)]


def diff_sections(diff: dict[str, Any]) -> list[Section]:
    """Return what differs between two runs, one section for each question."""
    a, b = diff["a"]["run"], diff["b"]["run"]
    return [
        Section(f"A = {a}, B = {b}", _overview([diff["a"], diff["b"]], []), _problems(diff)),
        _settings(diff),
        _data(diff["data"]),
        _flags(diff["issues"]),
        _changed("Suggestions that changed", diff["suggestions"], lambda label: label or "none"),
        _moved(diff["moved"]),
        _changed("Decisions that differ", diff["decisions"], _decision),
        _fixes(diff),
        _macro_f1(diff),
    ]


def _problems(diff: dict[str, Any]) -> list[str]:
    return [f"{diff[side]['run']}: {problem}" for side in ("a", "b") for problem in diff[side]["problems"]]


def _settings(diff: dict[str, Any]) -> Section:
    rows = [*diff["settings"], *diff["versions"]]
    if not rows:
        return Section("Settings and versions: the same")
    names = [
        *(_words(row["name"]) for row in diff["settings"]),
        *(f"version of {row['name']}" for row in diff["versions"]),
    ]
    sides = [Column(side.upper(), [_value(row["name"], row[side]) or "–" for row in rows]) for side in ("a", "b")]
    return Section("Settings and versions that differ", [Column("", names), *sides])


def _data(data: dict[str, Any]) -> Section:
    both = data["listings"]["both"]
    tables = {True: "the same file", False: "another file", None: "not known"}
    lines = [
        f"table: {tables[data['same_table']]}",
        f"listings: {both:,} in both, {_ids(data['only_a'])} only in A, {_ids(data['only_b'])} only in B",
        f"photos of listings in both: {_differ(data['photos'], 'another photo')}",
        f"labels of listings in both: {_differ(data['labels'], 'another label')}",
    ]
    if not data["same_dataset"]:
        lines.insert(0, f"A and B are of different datasets: compared by the {both:,} ids that both have.")
    return Section("Data", _id_table(data["labels"], lambda label: label or "none"), lines)


def _differ(rows: Sequence[Any], what: str) -> str:
    ids = [row if isinstance(row, str) else row["id"] for row in rows]
    return f"{_ids(ids)} with {what}" if ids else "the same"


def _ids(ids: Sequence[str]) -> str:
    return f"{len(ids):,} ({some(ids)})" if ids else "0"


def _flags(rows: Sequence[dict[str, Any]]) -> Section:
    def counts(heading: str, key: str) -> Column:
        values = [len(row[key]) if isinstance(row[key], list) else row[key] for row in rows]
        return Column(heading, [_count(value, missing="–") for value in values], number=True)

    columns = [
        Column("issue", [_words(row["kind"]) for row in rows]),
        counts("A", "a"),
        counts("B", "b"),
        counts("in both", "both"),
        counts("only in A", "only_a"),
        counts("only in B", "only_b"),
    ]
    lines = ["– means: not checked"] if any(None in (row["a"], row["b"]) for row in rows) else []
    return Section("Flags of listings in both", columns, lines)


def _changed(title: str, rows: Sequence[dict[str, Any]], text: Callable[[Any], str]) -> Section:
    return Section(f"{title}: {len(rows):,}", _id_table(rows, text), _more(rows))


def _id_table(rows: Sequence[dict[str, Any]], text: Callable[[Any], str]) -> tuple[Column, ...]:
    first = rows[:_SHOWN]
    return table_of(
        [
            Column("id", [row["id"] for row in first]),
            Column("A", [text(row["a"]) for row in first]),
            Column("B", [text(row["b"]) for row in first]),
        ]
    )


def _more(rows: Sequence[Any]) -> list[str]:
    return [f"+{len(rows) - _SHOWN:,} more, see --json"] if len(rows) > _SHOWN else []


def _decision(decision: dict[str, Any] | None) -> str:
    if decision is None:
        return "none"
    return f"{decision['action']} as {decision['new_label']}" if decision["new_label"] else str(decision["action"])


def _moved(rows: Sequence[dict[str, Any]]) -> Section:
    if not rows:
        return Section("Label scores: no change")
    columns = [Column("id", [row["id"] for row in rows])]
    for heading, key in (("label score", "label_score"), ("priority", "priority")):
        for side in ("a", "b"):
            cells = [_count(row[key][side]) if key == "priority" else f"{row[key][side]:.3f}" for row in rows]
            columns.append(Column(f"{heading} {side.upper()}", cells, number=True))
    return Section("Label scores: the largest changes", columns)


def _fixes(diff: dict[str, Any]) -> Section:
    fixes = diff["fixes"]
    if fixes is None:
        without = [diff[side]["run"] for side in ("a", "b") if diff[side]["fixes"] is None]
        return Section(f"Fixes: none in {' and '.join(without)}")
    lines = [
        f"the same in both: {fixes['same']:,}",
        f"different: {_ids(fixes['different'])}",
        f"only in A: {_ids(fixes['only_a'])}",
        f"only in B: {_ids(fixes['only_b'])}",
    ]
    return Section("Fixes, listing by listing", lines=lines)


def _macro_f1(diff: dict[str, Any]) -> Section:
    test_set, sizes = diff["test_set"], diff["test_set"]["listings"]
    same = "the same" if test_set["same"] else "different"
    lines = [f"test sets: {same} ({sizes['a']:,} listings in A, {sizes['b']:,} in B)"]
    if test_set["why"]:
        lines.append(f"macro-F1 of A and B can't be compared: {test_set['why']}")
    else:
        lines.append("macro-F1 of A and B can be compared: both were measured on the same listings and labels")
    models = [_at(diff[side], ("comparison", "model")) for side in ("a", "b")]
    if None not in models and models[0] != models[1]:
        lines.append(f"the models differ: {models[0]} in A, {models[1]} in B")
    return Section("Macro-F1", lines=lines)


def _at(run: dict[str, Any], path: Sequence[str]) -> Any:
    """Return what is at a path of keys; None where a part of it is missing."""
    value: Any = run
    for key in path:
        value = None if value is None else value[key]
    return value


def _words(name: str) -> str:
    return {"table_sha256": "table", "probabilities_sha256": "probabilities' content"}.get(name, name.replace("_", " "))


def _value(name: str, value: Any) -> str:
    if value is None:
        return ""
    if name.endswith("_sha256"):
        return str(value)[:_DIGEST]
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def _count(value: int | None, *, missing: str = "") -> str:
    return missing if value is None else f"{value:,}"


def _unless_none(value: int) -> str:
    return f"{value:,}" if value else ""


def _local(started: Any) -> str:
    try:
        return datetime.fromisoformat(started).astimezone().strftime("%Y-%m-%d %H:%M")
    except (TypeError, ValueError):  # damaged, or written by hand
        return "" if started is None else str(started)


def _scores(comparison: dict[str, Any] | None) -> str:
    if comparison is None or None in (comparison["before"], comparison["after"]):
        return ""
    return f"{comparison['before']:.3f} → {comparison['after']:.3f}"


def _change(comparison: dict[str, Any] | None) -> str:
    if comparison is None or comparison["mean"] is None:
        return ""
    interval = ""
    if None not in (comparison["low"], comparison["high"]):
        interval = f" ({signed(comparison['low'])} to {signed(comparison['high'])})"
    return f"{signed(comparison['mean'])}{interval}"
