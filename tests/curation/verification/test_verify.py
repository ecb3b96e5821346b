"""`curate verify` finds whatever is wrong with a run, says what to do, and changes nothing."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from curation import Run, RunError, RunInUseError
from curation.errors import short_repr
from curation.run.folder import RunFolder
from tests.cli.test_cli import curate, done
from tests.support.fixes import files
from tests.support.holders import holding
from tests.support.reporters import Listener
from tests.support.tiny import tiny_run


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run with two versions of its dataset, and decisions after the second."""
    run = tiny_run(tmp_path_factory.mktemp("tiny"))
    run.decide("L01", "delete", reviewer="ana")
    run.apply_fixes(accept_suggestions=True)
    run.decide("L02", "reprice", price=3, reviewer="ana")
    run.apply_fixes()
    run.decide("L03", "keep", reviewer="ben")
    return run


@pytest.fixture
def run(made: Run, tmp_path: Path) -> Run:
    shutil.copytree(made.folder, tmp_path / "run")
    return Run(tmp_path / "run")


def faults(run: Run) -> list[tuple[str, str]]:
    found = run.verify()
    assert found.ok == (not found.faults)
    assert all(flaw.fix and "\n" not in str(flaw) for flaw in found.faults)
    return [(flaw.where, flaw.what) for flaw in found.faults]


def test_a_sound_run_is_ok_and_stays_as_it_was(run: Run) -> None:
    before = files(run.folder)
    found = run.verify()
    assert found.ok
    assert found.checked == {"files": 7, "listings": 12, "journal_lines": 9, "versions": 2}
    assert files(run.folder) == before
    assert done("verify", run.folder).stdout.startswith(f"ok: {run.folder} (7 files, 12 listings, 9 lines")
    assert json.loads(done("verify", "--run", run.folder, "--json").stdout)["faults"] == []


def test_a_run_with_models_is_ok_and_scores_by_a_model_that_saw_a_repost_are_found(
    finished: RunFolder, tmp_path: Path
) -> None:
    assert faults(Run(finished.folder)) == []
    shutil.copytree(finished.folder, tmp_path / "run")
    run = RunFolder(tmp_path / "run")
    table = run.listings()
    table["near_group"] = table["near_group"].where(~table["id"].isin(table["id"].tolist()[:2]), 999)
    folds = table["fold"].tolist()
    table["fold"] = [0, 1, *folds[2:]]
    table.to_parquet(run.listings_file, index=False)
    held = run.probabilities()
    Probabilities = type(held)
    Probabilities(held.ids, held.classes, held.probs, table["fold"].to_numpy()).save(run.probabilities_file)
    found = dict(faults(Run(run.folder)))
    assert "scores by models that had seen the listing's photo or group" in found["probabilities.npz"]


def _cell(name: str, column: str, value: object) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        table = pd.read_parquet(folder / name)
        table.loc[table.index[0], column] = value
        table.to_parquet(folder / name, index=False)

    return change


def _probs(**changes: Callable[[np.ndarray], np.ndarray]) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        with np.load(folder / "probabilities.npz") as held:
            content = dict(held)
        for key, alter in changes.items():
            content[key] = alter(content[key])
        np.savez_compressed(folder / "probabilities.npz", **content)

    return change


def _first(value: object) -> Callable[[np.ndarray], np.ndarray]:
    def alter(array: np.ndarray) -> np.ndarray:
        array = array.copy()
        array[0] = value
        return array

    return alter


def _write(name: str, content: bytes) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        (folder / name).parent.mkdir(exist_ok=True, parents=True)
        (folder / name).write_bytes(content)

    return change


def _text(name: str, old: str, new: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        text = (folder / name).read_text(encoding="utf-8")
        assert old in text
        (folder / name).write_text(text.replace(old, new, 1), encoding="utf-8")

    return change


def _line(number: int, alter: Callable[[str], str]) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        lines = (folder / "decisions.jsonl").read_text(encoding="utf-8").split("\n")
        lines[number] = alter(lines[number])
        (folder / "decisions.jsonl").write_text("\n".join(line for line in lines if line) + "\n", encoding="utf-8")

    return change


def _forget(folder: Path) -> None:
    """Make it a run of an early version, which recorded no hashes."""
    _alter_record(folder, lambda record: record.pop("files"))
    table = pd.read_parquet(folder / "issues.parquet")
    table.drop(columns="is_cleanlab_issue").to_parquet(folder / "issues.parquet", index=False)


def _alter_record(folder: Path, alter: Callable[[dict[str, Any]], object]) -> None:
    record = json.loads((folder / "run.json").read_text())
    alter(record)
    (folder / "run.json").write_text(json.dumps(record))


def _swap(folder: Path) -> None:
    shutil.move(folder / "cleaned", folder / "versions/0002")
    shutil.move(folder / "versions/0001", folder / "cleaned")


_STRANGER = '{"id": "X", "action": "keep", "new_label": null, "reviewer": "a", "time": "", "source": ""}'

DAMAGES: dict[str, tuple[Callable[[Path], object], str, str]] = {
    "no table": (lambda folder: (folder / "issues.csv").unlink(), "issues.csv", "is missing"),
    "a table with another byte": (_text("issues.csv", "L00", "L99"), "issues.csv", "its hash differs"),
    "a damaged table": (_write("listings.parquet", b"PAR1 no more"), "listings.parquet", "hash differs"),
    "the input": (_write("input/0.parquet", b"PAR1 no more"), "input/0.parquet", "hash differs"),
    "another id": (_cell("issues.parquet", "id", "L99"), "issues.parquet", "other ids than listings.parquet: L00, L99"),
    "another label": (_cell("issues.parquet", "given_label", "desk"), "issues.parquet", "other given labels"),
    "an id twice": (_cell("listings.parquet", "id", "L01"), "listings.parquet", "occur twice"),
    "a priority twice": (_cell("issues.parquet", "priority", 99), "issues.parquet", "priorities"),
    "a score of 2": (_cell("issues.parquet", "label_score", 2.0), "issues.parquet", "label_score outside 0 to 1"),
    "another number of rows": (
        lambda folder: (folder / "issues.csv").write_text("id\nL00\n"),
        "issues.csv",
        "has 1 row, issues.parquet has 12",
    ),
    "health": (_write("health.json", b"{"), "issues.parquet", "health.json can't be read"),
    "infinite": (_probs(probs=_first(np.inf)), "probabilities.npz", "no probabilities: L00"),
    "below 0": (_probs(probs=_first([-0.5, 0.5, 1.0])), "probabilities.npz", "no probabilities: L00"),
    "half of it": (_probs(probs=lambda probs: probs / 2), "probabilities.npz", "don't sum to 1: L00"),
    "another listing": (_probs(id=_first("L99")), "probabilities.npz", "other ids than listings.parquet: L00, L99"),
    "a class twice": (_probs(classes=_first("desk")), "probabilities.npz", "a class twice"),
    "another fold": (_probs(fold=_first(7)), "probabilities.npz", "other folds than listings.parquet"),
    "fewer rows": (_probs(probs=lambda probs: probs[:3]), "probabilities.npz", "don't fit each other"),
    "a torn line": (_line(0, lambda line: line[:40]), "decisions.jsonl", "line 1 can't be read"),
    "a changed line": (_line(0, lambda line: line.replace("L01", "L05")), "decisions.jsonl", "line 1 can't be read"),
    "a line twice": (_line(0, lambda line: f"{line}\n{line}"), "decisions.jsonl", "line 2 is a copy"),
    "a line that is gone": (_line(1, lambda line: ""), "decisions.jsonl", "line 2 has lost what was before it"),
    "a stranger's decision": (_line(0, lambda line: f"{_STRANGER}\n{line}"), "decisions.jsonl", "line 1"),
    "no cleaned": (lambda folder: shutil.rmtree(folder / "cleaned"), "cleaned", "is missing"),
    "no manifest": (
        lambda folder: (folder / "cleaned/manifest.json").unlink(),
        "cleaned/manifest.json",
        "can't be read (no such file)",
    ),
    "a manifest that is a list": (_write("cleaned/manifest.json", b"[]"), "cleaned/manifest.json", "it is no object"),
    "half a manifest": (_write("cleaned/manifest.json", b"{"), "cleaned/manifest.json", "can't be read"),
    "a changed price": (_text("cleaned/listings.csv", "9.5", "9.4"), "cleaned/listings.csv", "input and journal"),
    "a changed change": (_text("cleaned/changes.csv", "ana", "ben"), "cleaned/changes.csv", "decisions change"),
    "an earlier version": (_text("versions/0001/listings.csv", "9.5", "9.4"), "versions/0001/listings.csv", "journal"),
    "a file too many": (_write("cleaned/notes.txt", b"mine"), "cleaned/notes.txt", "not explained"),
    "a file too few": (lambda folder: (folder / "cleaned/dataset.toml").unlink(), "cleaned/dataset.toml", "missing"),
    "another version": (_swap, "cleaned", "not the version"),
    "a scratch folder": (lambda folder: (folder / ".cleaned-0123abcd").mkdir(), ".", "1 leftover of killed commands"),
    "a half file": (_write(".run-0123abcd.json", b"{"), ".", "1 leftover of killed commands: .run-0123abcd.json"),
    "the record": (_write("run.json", b'{"format": 1, "sta'), "run.json", "is damaged"),
}  # fmt: skip


@pytest.mark.parametrize("name", DAMAGES)
def test_whatever_is_wrong_is_found(name: str, run: Run) -> None:
    damage, where, what = DAMAGES[name]
    if "hash" not in what and name != "no table":
        # what else is wrong is seen without them, too
        _forget(run.folder)
    damage(run.folder)
    before = files(run.folder)
    found = faults(run)
    assert [flaw for flaw in found if flaw[0] == where and what in flaw[1]], found
    assert files(run.folder) == before


def test_a_version_that_can_not_be_compared_hides_nothing_of_the_others(run: Run) -> None:
    (run.folder / "versions/0001/manifest.json").unlink()
    _text("cleaned/listings.csv", "9.5", "9.4")(run.folder)
    found = run.verify().faults
    assert [flaw.where for flaw in found] == ["versions/0001/manifest.json", *["cleaned/listings.csv"] * 2]
    assert [flaw.fix for flaw in found] == [
        "Restore it from a copy, or rebuild it in cleaned/ with `apply_fixes(as_of='TIME')`.",
        *["Move cleaned/ out of the run by hand, then write it again with `apply_fixes()`."] * 2,
    ]


def test_a_version_that_somebody_put_in_the_place_of_another_is_said_by_whatever_comes_upon_it(run: Run) -> None:
    lines: list[str] = []
    shutil.rmtree(run.folder / "cleaned")
    shutil.copytree(run.folder / "versions/0001", run.folder / "cleaned")
    assert ("cleaned", "is a copy of versions/0001, and what was there is gone") in faults(run)
    run.apply_fixes(reporter=Listener(lines.append))
    assert "cleaned was not the version that the journal says is in force" in lines[0]
    assert faults(run) == [("versions/0002", "is a copy of versions/0001, and what was there is gone")]
    assert len(lines) == 1
    before = files(run.folder)
    with pytest.raises(RunError, match="versions/0002 is not the version that undo would bring back"):
        run.undo()
    assert files(run.folder) == before


def test_faults_are_printed_a_line_each_with_exit_code_1(run: Run) -> None:
    _text("cleaned/listings.csv", "9.5", "9.4")(run.folder)
    result = curate("verify", run.folder)
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    assert lines[-1] == f"2 faults in {run.folder}"
    assert lines[0].startswith("cleaned/listings.csv: ")
    assert lines[0].endswith(f"then write it again with curate apply-fixes --run {run.folder}.")
    result = curate("verify", "--json", run.folder)
    assert result.exit_code == 1
    assert [flaw["where"] for flaw in json.loads(result.stdout)["faults"]] == ["cleaned/listings.csv"] * 2


def test_what_is_no_finished_run_is_refused(run: Run, tmp_path: Path) -> None:
    for folder, match in ((tmp_path, "is not a run"), (run.folder, "has not finished")):
        RunFolder(run.folder).update(status="running")
        with pytest.raises(RunError, match=match):
            Run(folder).verify()
        assert curate("verify", folder).exit_code == 2
    assert curate("verify", run.folder, "--run", run.folder).exit_code == 2


def test_a_run_that_is_being_changed_is_refused(run: Run) -> None:
    with holding(RunFolder(run.folder), "apply_fixes"):
        with pytest.raises(RunInUseError, match=r"is in use by `apply_fixes\(\)`"):
            run.verify()
        assert curate("verify", run.folder).exit_code == 2


def test_photos_that_are_not_there_are_said(run: Run, tmp_path: Path) -> None:
    assert not any("photos are not here" in note for note in run.verify().notes)
    RunFolder(run.folder).update(dataset={**RunFolder(run.folder).record()["dataset"], "root": str(tmp_path / "gone")})
    notes = run.verify().notes
    assert any(note.startswith("The photos are not here: there is no folder") for note in notes)


@pytest.mark.parametrize(
    ("alter", "what"),
    [
        (lambda record: record.pop("files"), "has no hashes of the files any more, so none can be compared"),
        (lambda record: record.update(files=None), "has no hashes of the files any more"),
        (lambda record: record.update(files=5), "has no hashes of the files any more"),
        (lambda record: record["files"].pop("issues.csv"), "has lost the hash of issues.csv, which can't be compared"),
        (lambda record: record.update(files={}), "has lost the hash of listings.parquet, probabilities.npz, "),
    ],
)
def test_a_run_that_has_lost_its_hashes_is_not_taken_for_an_early_one(
    alter: Callable[[dict[str, Any]], object], what: str, run: Run
) -> None:
    _alter_record(run.folder, alter)
    ((where, found),) = faults(run)
    assert (where, found[: len(what)]) == ("run.json", what)
    assert "Restore run.json from a copy" in run.verify().faults[0].fix


def test_a_run_of_an_early_version_has_no_hashes_and_is_ok(run: Run) -> None:
    _forget(run.folder)
    found = run.verify()
    assert found.ok
    assert "No hashes are recorded: an earlier version of curate made this run." in found.notes


def test_a_run_that_can_not_be_written_is_verified_all_the_same(run: Run) -> None:
    (run.folder / ".lock").unlink()
    before = files(run.folder)
    os.chmod(run.folder, 0o555)  # noqa: PTH101
    try:
        assert run.verify().ok
    finally:
        os.chmod(run.folder, 0o755)  # noqa: PTH101
    assert files(run.folder) == before


@pytest.mark.parametrize("name", ["../outside/s.txt", "{outside}/s.txt", "training/../../outside/s.txt"])
@pytest.mark.parametrize("content", ["hers", "another"])
def test_a_name_that_leads_out_of_the_run_is_damage_and_its_file_is_not_looked_at(
    content: str, name: str, run: Run
) -> None:
    outside = run.folder.parent / "outside"
    outside.mkdir()
    (outside / "s.txt").write_text(content)
    name = name.format(outside=outside)
    files = {**RunFolder(run.folder).record()["files"], name: hashlib.sha256(b"hers").hexdigest()}
    RunFolder(run.folder).update(files=files)
    manifest = json.loads((run.folder / "cleaned/manifest.json").read_text())
    manifest["sha256"][name] = files[name]
    (run.folder / "cleaned/manifest.json").write_text(json.dumps(manifest))
    assert faults(run) == [
        ("run.json", f"names files outside of the run: {short_repr(name)}"),
        ("cleaned/manifest.json", f"names files outside of cleaned: {short_repr(name)}"),
    ]
