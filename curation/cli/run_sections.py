"""The words and tables of `curate runs` and `curate runs diff`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from curation.cli.sections import Column, Section, table_of
from curation.errors import some
from curation.rendering.words import amount, many, signed

if TYPE_CHECKING:
    from curation.run.diff_result import DataDiff, KindDiff, Listing, Moved, RunDiff
    from curation.run.overview import RunGroup
    from curation.run.row import Gain, RunRow

__all__ = ["diff_sections", "overview_sections"]

_ROWS = 10
_DIGEST = 8


def overview_sections(groups: Iterable[RunGroup]) -> list[Section]:
    """Return a table of the runs of each dataset, and one of their flags by kind."""
    sections = []
    for group in groups:
        title = f"{group.dataset}: {many(len(group.runs), 'run')}"
        sections.append(Section(title, _overview(group.runs, group.differing), _problems(group.runs)))
        sections += _kinds(group.runs)
    return sections


def _problems(runs: Iterable[RunRow]) -> list[str]:
    return [f"{run.run}: {problem}" for run in runs for problem in run.problems]


def _overview(runs: Sequence[RunRow], differing: Sequence[str] = ()) -> tuple[Column, ...]:
    def column(heading: str, text: Callable[[RunRow], str], *, number: bool = False) -> Column:
        return Column(heading, [text(run) for run in runs], number=number)

    settings = [Column(_words(key), [_value(key, run.settings.get(key)) for run in runs]) for key in differing]
    return table_of(
        [
            column("run", lambda run: run.run),
            column("started", lambda run: _local(run.started)),
            column("status", lambda run: run.status),
            *settings,
            column("listings", lambda run: _count(run.listings), number=True),
            column("flagged", lambda run: _count(run.flagged), number=True),
            column("decided", lambda run: _count(run.decided.people or None), number=True),
            column("accepted", lambda run: _count(run.decided.suggestions or None), number=True),
            column("relabelled", lambda run: _count(run.fixes.relabelled if run.fixes else None), number=True),
            column("repriced", lambda run: _count((run.fixes.repriced or None) if run.fixes else None), number=True),
            column("deleted", lambda run: _count(run.fixes.deleted if run.fixes else None), number=True),
            column("macro-F1", lambda run: _scores(run.comparison)),
            column("change (95 % interval)", lambda run: _change(run.comparison)),
            column("verdict", lambda run: run.comparison.verdict if run.comparison else ""),
        ]
    )


def _kinds(runs: Sequence[RunRow]) -> list[Section]:
    flags = {run.run: run.issues for run in runs if run.issues is not None}
    kinds = list(dict.fromkeys(kind for counts in flags.values() for kind, count in counts.items() if count))
    if not kinds:
        return []
    columns = [
        Column(_words(kind), [_count(counts.get(kind), missing="–") for counts in flags.values()], number=True)
        for kind in kinds
    ]
    missing = any(counts.get(kind) is None for counts in flags.values() for kind in kinds)
    return [Section("Flags by kind", [Column("run", list(flags)), *columns], _not_checked(missing))]


def _not_checked(missing: bool) -> list[str]:
    return ["– means: not checked"] if missing else []


def diff_sections(diff: RunDiff) -> list[Section]:
    """Return what differs between two runs, one section for each question."""
    runs = [diff.a, diff.b]
    return [
        Section(f"A = {diff.a.run}, B = {diff.b.run}", _overview(runs), _problems(runs)),
        _settings(diff),
        _data(diff.data),
        _flags(diff.issues),
        _changed("Suggestions that changed", diff.suggestions, lambda label: label or "none"),
        _moved(diff.moved),
        _changed("Decisions that differ", diff.decisions, _choice),
        _fixes(diff),
        _macro_f1(diff),
    ]


def _settings(diff: RunDiff) -> Section:
    rows = [*diff.settings, *diff.versions]
    if not rows:
        return Section("Settings and versions: the same")
    names = [*(_words(row.name) for row in diff.settings), *(f"version of {row.name}" for row in diff.versions)]
    a = Column("A", [_value(row.name, row.a) or "–" for row in rows])
    b = Column("B", [_value(row.name, row.b) or "–" for row in rows])
    return Section("Settings and versions that differ", [Column("", names), a, b])


def _data(data: DataDiff) -> Section:
    both = data.listings.both
    table = {True: "the same file", False: "another file", None: "not known"}[data.same_table]
    lines = [
        f"table: {table}",
        f"listings: {both:,} in both, {_ids(data.only_a)} only in A, {_ids(data.only_b)} only in B",
        f"photos of listings in both: {_differ(data.photos, 'another photo')}",
        f"labels of listings in both: {_differ([row.id for row in data.labels], 'another label')}",
    ]
    if not data.same_dataset:
        lines.insert(0, f"A and B are of different datasets: compared by {_shared(both)}.")
    return Section("Data", _id_table(data.labels, lambda label: label or "none"), lines)


def _shared(both: int) -> str:
    return f"the {both:,} ids that both have" if both > 1 else "the one id that both have"


def _differ(ids: Sequence[str], what: str) -> str:
    return f"{_ids(ids)} with {what}" if ids else "the same"


def _ids(ids: Sequence[str]) -> str:
    return f"{len(ids):,} ({some(ids)})" if ids else "0"


def _flags(kinds: Sequence[KindDiff]) -> Section:
    def column(heading: str, count: Callable[[KindDiff], int | None]) -> Column:
        return Column(heading, [_count(count(kind), missing="–") for kind in kinds], number=True)

    columns = [
        Column("issue", [_words(kind.kind) for kind in kinds]),
        column("A", lambda kind: kind.a),
        column("B", lambda kind: kind.b),
        column("in both", lambda kind: kind.both),
        column("only in A", lambda kind: None if kind.only_a is None else len(kind.only_a)),
        column("only in B", lambda kind: None if kind.only_b is None else len(kind.only_b)),
    ]
    missing = any(None in (kind.a, kind.b) for kind in kinds)
    return Section("Flags of listings in both", columns, _not_checked(missing))


def _changed(title: str, rows: Sequence[Listing], text: Callable[[Any], str]) -> Section:
    more = [f"+{len(rows) - _ROWS:,} more, see --json"] if len(rows) > _ROWS else []
    return Section(f"{title}: {len(rows):,}", _id_table(rows, text), more)


def _id_table(rows: Sequence[Listing], text: Callable[[Any], str]) -> tuple[Column, ...]:
    first = rows[:_ROWS]
    return table_of(
        [
            Column("id", [row.id for row in first]),
            Column("A", [text(row.a) for row in first]),
            Column("B", [text(row.b) for row in first]),
        ]
    )


def _choice(choice: Any) -> str:
    if choice is None:
        return "none"
    words = f"{choice.action} as {choice.new_label}" if choice.new_label else str(choice.action)
    return words if choice.new_price is None else f"{words}, price {amount(choice.new_price)}"


def _moved(rows: Sequence[Moved]) -> Section:
    if not rows:
        return Section("Label scores: no change")
    columns = [
        Column("id", [row.id for row in rows]),
        Column("label score A", [f"{row.label_score.a:.3f}" for row in rows], number=True),
        Column("label score B", [f"{row.label_score.b:.3f}" for row in rows], number=True),
        Column("priority A", [_count(row.priority.a) for row in rows], number=True),
        Column("priority B", [_count(row.priority.b) for row in rows], number=True),
    ]
    return Section("Label scores: the largest changes", columns)


def _fixes(diff: RunDiff) -> Section:
    fixes = diff.fixes
    if fixes is None:
        without = [run.run for run in (diff.a, diff.b) if run.fixes is None]
        return Section(f"Fixes: none in {' and '.join(without)}")
    lines = [
        f"the same in both: {fixes.same:,}",
        f"different: {_ids(fixes.different)}",
        f"only in A: {_ids(fixes.only_a)}",
        f"only in B: {_ids(fixes.only_b)}",
    ]
    return Section("Fixes, listing by listing", lines=lines)


def _macro_f1(diff: RunDiff) -> Section:
    tests = diff.test_set
    same = "the same" if tests.same else "different"
    lines = [f"test sets: {same} ({many(tests.listings.a, 'listing')} in A, {tests.listings.b:,} in B)"]
    if tests.why:
        lines.append(f"macro-F1 of A and B can't be compared: {tests.why}")
    else:
        lines.append("macro-F1 of A and B can be compared: both were measured on the same listings and labels")
    a, b = diff.a.comparison, diff.b.comparison
    if a and b and a.model != b.model:
        lines.append(f"the models differ: {a.model} in A, {b.model} in B")
    return Section("Macro-F1", lines=lines)


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


def _local(started: Any) -> str:
    try:
        return datetime.fromisoformat(started).astimezone().strftime("%Y-%m-%d %H:%M")
    except (TypeError, ValueError):  # damaged, or written by hand
        return "" if started is None else str(started)


def _scores(gain: Gain | None) -> str:
    if gain is None or None in (gain.before, gain.after):
        return ""
    return f"{gain.before:.3f} → {gain.after:.3f}"


def _change(gain: Gain | None) -> str:
    if gain is None or gain.mean is None:
        return ""
    interval = "" if None in (gain.low, gain.high) else f" ({signed(gain.low)} to {signed(gain.high)})"
    return f"{signed(gain.mean)}{interval}"
