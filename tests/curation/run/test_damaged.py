"""The refusal of a run with a missing or damaged file."""

import pytest

from curation.api import runs as api
from curation.api.run import Run
from curation.errors import RunError
from curation.run.folder import RunFolder

COMMAND = "curate find-issues demo"


@pytest.fixture
def decided(run):
    Run(run.folder).decide(run.issues()["id"][0], "delete", reviewer="ana")
    return run


@pytest.mark.parametrize("name", ["issues.parquet", "probabilities.npz", "health.json", "input"])
def test_a_lost_file_leaves_the_decisions_and_the_refusal_says_where_and_what_takes_them_over(decided, name):
    (decided.folder / name).rename(decided.folder.parent / "elsewhere")
    reads = {"probabilities.npz": decided.probabilities, "health.json": decided.health}
    if name == "input":
        (fix,) = {flaw.fix for flaw in Run(decided.folder).verify().faults if flaw.where == "input/input.json"}
        name = "input/input.json"
    else:
        with pytest.raises(RunError, match="got no such file") as caught:
            reads.get(name, decided.issues)()
        fix = str(caught.value)
    assert f"The decisions stay in {decided.journal}. Restore {name} from a copy, or run {COMMAND} again" in fix
    assert "`review()` of the new run takes over what people decided" in fix


@pytest.mark.parametrize("name", ["listings.parquet", "run.json"])
def test_where_no_later_run_could_take_the_decisions_over_only_a_copy_is_advised(decided, name):
    (decided.folder / name).unlink()
    with pytest.raises(RunError, match=f"The decisions stay in .*Restore {name} from a copy: without it, .*can't"):
        api.open_run(decided.folder).issues.equals(decided.listings())


def test_without_decisions_the_command_of_the_run_is_enough(run):
    run.issues_file.write_bytes(b"torn")
    with pytest.raises(RunError, match=rf"Run {COMMAND} again\.$"):
        run.issues()


def test_a_command_that_names_its_folder_is_not_repeated_because_that_folder_is_taken(run):
    record = run.record()
    run.update(command=[*record["command"], f"--run={run.folder}"])
    run.issues_file.unlink()
    with pytest.raises(RunError, match=r"Run `find_issues\(listings\)` again\.$"):
        RunFolder(run.folder).issues()


def test_what_another_command_wrote_is_written_again_by_that_one(run):
    run.predictions_file.write_bytes(b"torn")
    with pytest.raises(RunError, match=r"Compare again with `retrain\(compare=True\)`"):
        run.predictions()
