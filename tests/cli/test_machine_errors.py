"""What the command line says when the machine refuses."""

import os
import re
import shlex
import subprocess
import sys

import pytest

from tests.cli.test_cli import curate
from tests.project.structure import ROOT
from training.utils import files


def refused(*arguments):
    result = curate(*arguments)
    assert result.exit_code == 2
    assert "Traceback" not in result.output
    (line,) = [line for line in result.stderr.splitlines() if line.startswith("Error: ")]
    return line


def test_a_full_disk_is_one_line_and_the_same_command_goes_on(demo, tmp_path, monkeypatch, probabilities_of_demo):
    monkeypatch.chdir(tmp_path)
    command = ["find-issues", demo, "--probabilities", probabilities_of_demo, "--no-text"]
    fsync, calls = os.fsync, []

    def full(descriptor):
        calls.append(descriptor)
        if len(calls) == 30:
            raise OSError(28, os.strerror(28))
        fsync(descriptor)

    monkeypatch.setattr(files.os, "fsync", full)
    refusal = refused(*command)
    assert refusal.startswith("Error: can't write runs/demo/1/")
    assert refusal.endswith("run the same command again: it resumes where it stopped.")
    monkeypatch.setattr(files.os, "fsync", fsync)
    assert curate(*command).exit_code == 0
    assert [path.name for path in (tmp_path / "runs" / "demo").iterdir()] == ["1"]


def test_where_nothing_has_begun_nothing_is_said_to_resume(demo, tmp_path, monkeypatch, probabilities_of_demo):
    from curation.run.folder import RunFolder

    monkeypatch.chdir(tmp_path)
    command = ["find-issues", demo, "--probabilities", probabilities_of_demo, "--no-text"]

    def ends_with(error):
        def fail(self, **changes):
            raise error

        monkeypatch.setattr(RunFolder, "update", fail)

    ends_with(PermissionError(13, os.strerror(13), "runs/demo/1/run.json"))
    assert refused(*command).endswith("or choose another folder, and run the same command again.")
    ends_with(KeyboardInterrupt())
    ended = curate(*command)
    assert ended.exit_code == 1
    said = [line for line in ended.stderr.splitlines() if "Interrupted" in line]
    assert said == [f"Interrupted. Start again with: {shlex.join(['curate', *map(str, command)])}"]


def test_an_interrupted_comparison_says_in_one_line_how_it_resumes(run, monkeypatch):
    from curation.comparison import train

    def interrupt(*arguments, **options):
        raise KeyboardInterrupt

    assert curate("apply-fixes", "--accept-suggestions", "--run", run.folder).exit_code == 0
    monkeypatch.setattr(train, "run_jobs", interrupt)
    ended = curate("retrain", "--compare", "--run", run.folder)
    said = [line for line in ended.stderr.splitlines() if "Interrupted" in line]
    assert said == [f"Interrupted. Resume where it stopped with: curate retrain --compare --run {run.folder}"]


@pytest.mark.parametrize("command", ["demo", "apply-fixes"])
def test_a_full_disk_tells_the_room_there_is_also_where_the_system_names_no_file(command, run, tmp_path, monkeypatch):
    from curation.demo_data import write
    from curation.fixes import versions

    def full(*arguments, **options):
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(write, "_write_photos", full)
    monkeypatch.setattr(versions, "write_cleaned", full)
    arguments = {"demo": [tmp_path / "shop"], "apply-fixes": ["--accept-suggestions", "--run", run.folder]}
    place = {"demo": tmp_path / "shop", "apply-fixes": run.cleaned}[command]
    refusal = refused(command, *arguments[command])
    assert re.search(
        rf"{place}: got No space left on device; wanted more than the [\d.,]+ .?B that are free in", refusal
    )


def test_a_run_is_not_finished_before_its_report_is_written(demo, tmp_path, monkeypatch, probabilities_of_demo):
    from curation.report import write as report
    from curation.run.folder import RunFolder

    monkeypatch.chdir(tmp_path)
    command = ["find-issues", demo, "--probabilities", probabilities_of_demo, "--no-text"]

    def full(path, text):
        raise OSError(28, os.strerror(28), str(path))

    with monkeypatch.context() as patch:
        patch.setattr(report, "write_text", full)
        assert "report.html" in refused(*command)
    assert RunFolder(tmp_path / "runs/demo/1").record()["status"] == "failed"
    assert curate(*command).exit_code == 0
    assert RunFolder(tmp_path / "runs/demo/1").record()["status"] == "finished"


@pytest.fixture
def probabilities_of_demo(finished):
    return finished.probabilities_file


def test_a_full_output_is_one_line_and_a_closed_one_none(finished):
    command = [sys.executable, str(ROOT / "cli.py"), "status", "--run", str(finished.folder)]
    with open("/dev/full", "w") as full:  # noqa: PTH123
        ended = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True)
    assert ended.returncode == 2
    assert ended.stderr.startswith("Error: can't write the output: got No space left on device. Make room there")
    assert len(ended.stderr.splitlines()) == 1
    reader, writer = os.pipe()
    os.close(reader)
    ended = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, text=True)
    os.close(writer)
    assert ended.stderr == ""


@pytest.mark.parametrize("command", [["apply-fixes", "--accept-suggestions"], ["undo"]], ids=" ".join)
def test_what_is_done_is_not_refused_for_a_report_that_can_not_be_written(command, run, tmp_path, monkeypatch):
    from curation.report import write as report

    def full(path, text):
        raise OSError(28, os.strerror(28), str(path))

    if command == ["undo"]:
        assert curate("apply-fixes", "--accept-suggestions", "--run", run.folder).exit_code == 0
    monkeypatch.setattr(report, "write_text", full)
    ended = curate(*command, "--run", run.folder)
    assert ended.exit_code == 0
    assert "report.html could not be updated: No space left on device." in ended.stderr
    named = f"--run {run.folder}"
    advice = f"The next curate apply-fixes {named}, curate undo {named} or curate retrain {named} --compare writes it."
    assert advice in ended.stderr
    assert run.cleaned.exists() == (command != ["undo"])


@pytest.mark.parametrize("closed", [">&- 2>&-", "<&- >&- 2>&-"])
def test_what_is_done_ends_well_although_nobody_can_hear_of_it(closed, run):
    def ended(*command):
        program = [sys.executable, str(ROOT / "cli.py"), *command, "--run", str(run.folder)]
        return subprocess.run(["/bin/sh", "-c", f'exec "$@" {closed}', "sh", *program], capture_output=True)

    assert ended("apply-fixes", "--accept-suggestions").returncode == 0
    assert (run.cleaned / "manifest.json").is_file()
    assert ended("undo").returncode == 0
    assert not run.cleaned.exists()
    assert not run.read_journal().faults
