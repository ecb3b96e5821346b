"""Transactions whose begin or end can't be read: what became of them, by what came later and by the versions there.

Commands run one after another, so a transaction that another one follows has ended: it was committed or taken back.
Each possibility is played through with the moves of the others. What contradicts them, or the versions on disk, was
not so. What is left over is told; where several are, nobody guesses.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

from curation.run.journal import UNDO, Decision
from curation.run.journal_content import VERSION, Entry, Journal
from curation.run.journal_file import read_journal
from curation.run.journal_lines import BEGIN, COMMIT, TAKE_BACK, Step
from curation.run.manifests import manifest_of
from curation.run.transactions import Unended, unended

__all__ = ["judged"]

_CLEANED = "cleaned"
#: How many possibilities are played through at most; beyond, nothing is told.
_MOST = 256


def judged(folder: Path, file: Path) -> Journal:
    """Read a journal as the next command that changes the run will: with the begins and commits that can be told.

    Parameters
    ----------
    folder, file : Path
        The run's, and its journal.
    """
    journal, left = read_journal(file), unended(folder, file)
    if left is not None and left.counts:
        journal = journal.committed(left.step.transaction)
    going = left.step.transaction if left is not None and not left.counts else None
    known = _known(journal)
    if not any(_is_doubtful(each, going) for each in known):
        return journal
    return _settled(journal, known, going, _there(folder, left))


@dataclass
class _Known:
    """What the journal has of a transaction."""

    name: str
    entries: list[Entry] = field(default_factory=list)
    begin: Step | None = None
    end: str | None = None

    def take(self, entry: Entry) -> None:
        self.entries.append(entry)
        if isinstance(entry.content, Step):
            if entry.content.step == BEGIN:
                self.begin = self.begin or entry.content
            elif self.end != COMMIT:
                self.end = entry.content.step

    @property
    def decisions(self) -> list[Decision]:
        return [entry.content for entry in self.entries if isinstance(entry.content, Decision)]


class _State(NamedTuple):
    """A possibility: where the versions are, the begins of the transactions in force, and what it contradicts."""

    places: dict[str, str | None]
    begins: dict[str, Step | None]
    odd: int


def _known(journal: Journal) -> list[_Known]:
    known: dict[str, _Known] = {}
    for entry in journal.entries:
        name = entry.content.transaction if isinstance(entry.content, Step) else entry.transaction
        if name is not None:
            known.setdefault(name, _Known(name)).take(entry)
    return list(known.values())


def _is_doubtful(known: _Known, going: str | None) -> bool:
    """Return whether it isn't known what it did; a comparison moves no version and adds no decision."""
    if known.end == TAKE_BACK or known.name == going:
        return False
    if known.begin is None:
        return True
    return known.end is None and known.begin.kind != "retrain"


def _there(folder: Path, left: Unended | None) -> dict[str, dict[str, Any]]:
    """Return the manifests of the versions on disk, where they are once a killed command is taken back."""
    there = {
        path.relative_to(folder).as_posix(): manifest_of(path)
        for path in (folder / _CLEANED, *(folder / "versions").glob("*"))
        if VERSION.fullmatch(path.relative_to(folder).as_posix()) and path.is_dir()
    }
    for source, target in reversed(left.done if left is not None and not left.counts else ()):
        if target in there:
            there[source] = there.pop(target)
    return {name: manifest for name, manifest in there.items() if VERSION.fullmatch(name)}


def _settled(
    journal: Journal, known: Sequence[_Known], going: str | None, there: Mapping[str, Mapping[str, Any]]
) -> Journal:
    written = {str(manifest.get("transaction")): manifest for manifest in there.values()}
    doubtful = [each for each in known if _is_doubtful(each, going)]
    told = _agreed(_possible(known, going, there, written), doubtful)
    # a dataset that was written where none was owes nothing to what was before
    begins = [told.get(each.name, each.begin if each.end == COMMIT else None) for each in known]
    fresh = [place for place, begin in enumerate(begins) if _is_fresh(begin)]
    later = {each.name for each in known[max(fresh, default=-1) :]}
    undecided = tuple(each.name for each in doubtful if each.name not in told and each.name in later)
    spans = tuple(span for each in doubtful if each.name in told for span in _spans(each, known, journal))
    return replace(journal, entries=tuple(_completed(journal, doubtful, told)), undecided=undecided, told=spans)


def _spans(known: _Known, others: Sequence[_Known], journal: Journal) -> Iterator[tuple[int, int]]:
    """Yield between which numbers the lines of a transaction are that can't be read."""
    first, last = known.entries[0].number, known.entries[-1].number
    if known.begin is None:
        yield max((entry.number for entry in journal.entries if entry.number < first), default=0), first
    if known.end is None:
        later = (each.entries[0].number for each in others)
        yield last, min((number for number in later if number > last), default=journal.last + 1)


def _is_fresh(begin: Step | None) -> bool:
    return begin is not None and begin.kind == "apply_fixes" and begin.aside is None


def _possible(
    known: Sequence[_Known],
    going: str | None,
    there: Mapping[str, Mapping[str, Any]],
    written: Mapping[str, Mapping[str, Any]],
) -> list[_State]:
    """Return what may have happened: what contradicts the least, for people move versions, too."""
    states = [_State(_first_places(known), {}, 0)]
    for each in known:
        kinds = _kinds(each, going, each.name in written)
        if len(states) * len(kinds) > _MOST:
            return []
        states = [_after(state, each, kind, written.get(each.name, {})) for state in states for kind in kinds]
    states = [state._replace(odd=state.odd + _differing(state.places, there)) for state in states]
    gone = [sum(name not in there for name, written in state.places.items() if written) for state in states]
    least = min(state.odd + more for state, more in zip(states, gone, strict=True))
    likely = [state for state, more in zip(states, gone, strict=True) if state.odd + more == least]
    if _is_blind(states, there):
        firm = min(state.odd for state in states)
        likely += [state for state in states if state.odd == firm and state not in likely]
    return likely


def _is_blind(states: Sequence[_State], there: Mapping[str, Mapping[str, Any]]) -> bool:
    """Return whether a version has lost its manifest where that would tell; then a folder that is gone tells nothing.

    Without both, an apply-fixes that was taken back looks like one whose earlier version was removed by hand.
    """
    blind = (name for name, manifest in there.items() if manifest.get("transaction") is None)
    return any(len({state.places.get(name) for state in states}) > 1 for name in blind)


def _agreed(states: Sequence[_State], doubtful: Sequence[_Known]) -> dict[str, Step | None]:
    """Return the begins of the transactions that are the same in all possibilities; None for those taken back."""
    told = {}
    for each in doubtful:
        begins = [state.begins[each.name] for state in states]
        if begins and len({begin and begin.kind for begin in begins}) == 1:
            told[each.name] = begins[0]
    return told


def _completed(journal: Journal, doubtful: Sequence[_Known], told: Mapping[str, Step | None]) -> Iterator[Entry]:
    first = {each.entries[0]: each for each in doubtful}
    last = {each.entries[-1]: each for each in doubtful}
    for entry in journal.entries:
        begun, ended = first.get(entry), last.get(entry)
        if begun is not None and begun.begin is None and (begin := told.get(begun.name)) is not None:
            yield Entry(entry.line, entry.number, None, None, begin)
        yield entry
        if ended is not None and ended.end is None and told.get(ended.name) is not None:
            yield Entry(entry.line, entry.number, None, None, Step(ended.name, COMMIT))


def _kinds(known: _Known, going: str | None, is_there: bool) -> list[str]:
    """Return what a transaction may have been; an empty text for one that was taken back."""
    if known.end == TAKE_BACK or known.name == going:
        return [""]
    if known.begin is not None:
        sure = known.end == COMMIT or is_there or known.begin.kind == "retrain"
        return [known.begin.kind] if sure else ["", known.begin.kind]
    if is_there:
        return ["apply_fixes"]
    if known.decisions:
        kinds = ["undo" if known.decisions[0].action == UNDO else "apply_fixes"]
    else:
        kinds = ["apply_fixes", "undo", "retrain"]
    return kinds if known.end == COMMIT else ["", *kinds]


def _after(state: _State, known: _Known, kind: str, manifest: Mapping[str, Any]) -> _State:
    """Return a possibility after a transaction."""
    if not kind:
        return _State(state.places, {**state.begins, known.name: None}, state.odd)
    begin = known.begin or _guessed(state.places, known, kind, manifest)
    places, odd = dict(state.places), state.odd
    for source, target in begin.moves:
        versions = bool(VERSION.fullmatch(source)), bool(VERSION.fullmatch(target))
        if not any(versions):
            continue
        odd += target in places
        odd += versions[0] and source not in places
        moved = places.pop(source, None) if versions[0] else begin.transaction
        if versions[1]:
            odd += target != _CLEANED and target != _next(places)
            places[target] = moved
    return _State(places, {**state.begins, known.name: begin}, odd)


def _guessed(places: Mapping[str, str | None], known: _Known, kind: str, manifest: Mapping[str, Any]) -> Step:
    """Return the begin that such a transaction had, by the versions that were there."""
    moves: list[tuple[str, str]] = []
    scratch = ".cleaned-00000000" if kind == "apply_fixes" else f".undone-00000000/{_CLEANED}"
    if kind == "apply_fixes":
        moves = [(_CLEANED, _next(places))] if _CLEANED in places else []
        moves.append((scratch, _CLEANED))
    elif kind == "undo":
        moves = [(_CLEANED, scratch)] if _CLEANED in places else []
        if (before := max((name for name in places if name != _CLEANED), key=_number, default=None)) is not None:
            moves.append((before, _CLEANED))
    line, as_of = manifest.get("journal_line"), manifest.get("as_of")
    after = line if type(line) is int else known.entries[0].number - 1
    return Step(known.name, BEGIN, kind, after, tuple(moves), as_of if isinstance(as_of, str) else None)


def _first_places(known: Sequence[_Known]) -> dict[str, str | None]:
    """Return the versions that an earlier version of curate had made, before there were transactions."""
    begin = known[0].begin if known else None
    names = [name for move in (begin.moves if begin else ()) for name in move if VERSION.fullmatch(name)]
    sources = [source for source, _ in begin.moves if VERSION.fullmatch(source)] if begin else []
    if not sources:
        return {}
    most = max((_number(name) for name in names if name != _CLEANED), default=0)
    made = [f"versions/{number:04d}" for number in range(1, most + 1)]
    targets = [target for _, target in begin.moves] if begin else []
    return {name: None for name in dict.fromkeys([*made, *sources]) if name in sources or name not in targets}


def _differing(places: Mapping[str, str | None], there: Mapping[str, Mapping[str, Any]]) -> int:
    """Return in how many places another version is than in a possibility; of one that is gone, nobody knows which."""
    odd = 0
    for name in {*places, *there}:
        written = there[name].get("transaction") if name in there else None
        if name not in places:
            odd += written is not None
        elif places[name] is not None and name in there:
            odd += written not in (None, places[name])
    return odd


def _next(places: Mapping[str, str | None]) -> str:
    return f"versions/{max((_number(name) for name in places if name != _CLEANED), default=0) + 1:04d}"


def _number(name: str) -> int:
    return int(name.rpartition("/")[2])
