"""Folds side by side in processes: the same results, and no way to end that leaves something behind or loses much."""

import json
import multiprocessing
import os
import shlex
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from curation.cli import main
from tests.support.engines import InParts
from tests.support.reporters import Listener
from tests.support.synthetic import ALONE, CPU, HEADS, NETWORKS, TOGETHER, coloured_photos, plan_of, validate
from training.errors import CurateError
from training.fit.throughput import Arrangement
from training.utils.devices import threads

ROOT = Path(__file__).parents[3]
# long enough to be cut off half-way
LONG = replace(NETWORKS, batch_size=2, epochs=4)
# starting processes takes long on a busy machine
PATIENCE = 600.0


def until(condition, what):
    """Wait for something that must happen soon."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, f"waited in vain for {what}"
        time.sleep(0.01)


def keep_busy(stop):
    while not stop.is_set():
        np.ones((200, 200)) @ np.ones((200, 200))


def group_is_gone(group):
    with suppress(ProcessLookupError):
        os.killpg(group, 0)
        return False
    return True


def started_folds(folder):
    return {path.parent.name for path in folder.glob("fold-*/events.out.tfevents.*")}


def finished_folds(folder):
    return {path.parent.name for path in folder.glob("fold-*/checkpoint.pt")}


def test_neither_workers_nor_threads_nor_other_programs_change_a_bit(tmp_path):
    photos, labels = coloured_photos()
    lines, steps, runs = [], [], []
    stop = threading.Event()
    busy = threading.Thread(target=keep_busy, args=(stop,))
    ways = [("a", TOGETHER, 1, False), ("alone", ALONE, 1, True), ("threads", ALONE, 3, False)]
    try:
        for name, arrangement, around, others in ways:
            if others:
                busy.start()
            with threads(around):
                runs.append(
                    validate(
                        tmp_path / name,
                        photos,
                        labels,
                        plan_of(60),
                        replace(NETWORKS, epochs=1),
                        replace(arrangement, device=CPU.computing("auto")),
                        reporter=Listener(lines.append, lambda *at: steps.append(at)),
                    )
                )
    finally:
        stop.set()
    assert np.array_equal(runs[0], runs[1])
    assert np.array_equal(runs[0], runs[2])
    assert started_folds(tmp_path / "a") == finished_folds(tmp_path / "a") == {"fold-0", "fold-1", "fold-2"}
    assert lines == []
    assert all(done <= total for done, total in steps)


@pytest.mark.parametrize("settings", [HEADS, NETWORKS], ids=["heads", "networks"])
def test_models_are_the_same_on_other_machines(tmp_path, settings, monkeypatch):
    photos, labels = coloured_photos(60)
    here = validate(tmp_path / "here", photos, labels, plan_of(60), settings)
    monkeypatch.chdir(tmp_path)
    engine, listener = InParts(1), Listener()
    there = validate(Path("there"), photos, labels, plan_of(60), settings, engine=engine, reporter=listener)
    assert engine.parts == 3
    assert (here == there).all()
    assert not [line for line in listener.lines if "already" in line]
    validate(Path("there"), photos, labels, plan_of(60), settings, engine=engine, reporter=listener)
    assert [line for line in listener.lines if "already" in line] == [
        f"fold {fold} of 3 is done already" for fold in (1, 2, 3)
    ]


def test_a_snapshot_that_was_made_alone_is_gone_on_from_side_by_side(tmp_path, monkeypatch):
    monkeypatch.setattr("training.fit.state._EVERY", 0)
    photos, labels = coloured_photos()

    class Stop(Exception):
        pass

    def stop(done, total):
        if done > 0.2 * total:
            raise Stop

    with pytest.raises(Stop):
        validate(tmp_path / "cut", photos, labels, plan_of(60), reporter=Listener(progress=stop))
    resumed = validate(tmp_path / "cut", photos, labels, plan_of(60), arrangement=TOGETHER)
    whole = validate(tmp_path / "whole", photos, labels, plan_of(60), arrangement=TOGETHER)
    assert np.array_equal(resumed, whole)
    # one epoch was done before
    [first] = (tmp_path / "cut" / "fold-0").glob("checkpoint.pt")
    assert [epoch["epoch"] for epoch in torch.load(first)["history"]] == [0, 1]
    assert len(list((tmp_path / "cut" / "fold-0").glob("events.out.tfevents.*"))) == 2


def test_a_worker_that_is_killed_is_an_error_that_says_what_to_do_and_loses_no_finished_fold(tmp_path):
    photos, labels = coloured_photos()
    killed = []

    def kill_in_the_last_fold(done, total):
        if not killed and "fold-2" in started_folds(tmp_path / "cut"):
            killed.extend(multiprocessing.active_children())
            os.kill(killed[0].pid, signal.SIGKILL)

    options = {"settings": LONG, "arrangement": TOGETHER}
    with pytest.raises(CurateError, match=r"a training process was killed.*start again as before") as caught:
        validate(
            tmp_path / "cut", photos, labels, plan_of(60), reporter=Listener(progress=kill_in_the_last_fold), **options
        )
    assert caught.value.exit_code == 2
    assert finished_folds(tmp_path / "cut") == {"fold-0", "fold-1"}
    until(lambda: not any(process.is_alive() for process in killed), "the other worker's end")
    lines = []
    resumed = validate(tmp_path / "cut", photos, labels, plan_of(60), reporter=Listener(lines.append), **options)
    # as they end: two workers read them back side by side
    assert sorted(lines[:2]) == ["fold 1 of 3 is done already", "fold 2 of 3 is done already"]
    assert np.array_equal(resumed, validate(tmp_path / "whole", photos, labels, plan_of(60), **options))


TRAINING = """
import sys
from pathlib import Path
from tests.support.synthetic import *
from tests.training.crossval.test_workers import LONG
photos, labels = coloured_photos()
validate(Path(sys.argv[1]), photos, labels, plan_of(60, folds=2), LONG, TOGETHER)
"""


def test_when_the_parent_is_killed_its_workers_end_too_and_the_training_goes_on_later(tmp_path):
    command = [sys.executable, "-c", TRAINING, tmp_path / "cut"]
    with subprocess.Popen(command, cwd=ROOT, start_new_session=True) as parent:
        until(lambda: len(started_folds(tmp_path / "cut")) == 2, "two folds")
        parent.kill()
    until(lambda: group_is_gone(parent.pid), "the end of all processes")
    # the first may have ended while the process of the second was on its way
    assert len(finished_folds(tmp_path / "cut")) < 2
    photos, labels = coloured_photos()
    cut, whole = (
        validate(tmp_path / name, photos, labels, plan_of(60, folds=2), LONG, TOGETHER) for name in ("cut", "whole")
    )
    assert np.array_equal(cut, whole)


SCRIPT = """
import sys
print("the script runs")
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from tests.support.synthetic import NETWORKS, TOGETHER, coloured_photos, plan_of, validate
validate(Path(sys.argv[2]), *coloured_photos(), plan_of(60, folds=2), NETWORKS, TOGETHER)
"""


def test_a_script_without_a_guard_for_its_main_part_runs_once(tmp_path):
    (tmp_path / "script.py").write_text(SCRIPT)
    command = [sys.executable, tmp_path / "script.py", ROOT, tmp_path / "trained"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.count("the script runs") == 1
    assert len(finished_folds(tmp_path / "trained")) == 2


FIND = """
import signal
# whoever runs the tests in the background of a shell ignores Ctrl-C, and programs inherit that
signal.signal(signal.SIGINT, signal.default_int_handler)
import training.crossval.plan
from tests.training.crossval.test_workers import arrange_side_by_side
arrange_side_by_side(training.crossval.plan)
from curation.cli import main
main()
"""


def arrange_side_by_side(plan, patch=setattr):
    # what is measured depends on how busy the machine is
    arrangement = Arrangement(CPU, side_by_side=2, threads=1)
    patch(plan, "measure", lambda settings, device, classes, jobs, workers=None: arrangement)


def test_ctrl_c_ends_everything_at_once_and_the_same_command_goes_on(demo, tmp_path, monkeypatch):
    folder = tmp_path / "run"
    options = ["find-issues", demo, "--run", folder, "--folds", "2", "--no-pretrained", "--device", "cpu"]
    options += ["--model", "squeezenet1_1", "--image-size", "32", "--epochs", "20", "--batch-size", "4"]
    arguments = [str(option) for option in options]
    command = [sys.executable, "-c", FIND, *arguments]
    with subprocess.Popen(
        command, cwd=ROOT, start_new_session=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        until(lambda: len(started_folds(folder / "training")) == 2, "two folds")
        # as a terminal does, to the whole group
        os.killpg(process.pid, signal.SIGINT)
        _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1
    (line,) = [line for line in errors.splitlines() if "Interrupted" in line]
    assert line == f"Interrupted. Resume where it stopped with: {shlex.join(['curate', *arguments])}"
    assert "Traceback" not in errors
    until(lambda: group_is_gone(process.pid), "the end of all processes")
    assert json.loads((folder / "run.json").read_text())["status"] == "interrupted"
    assert len(finished_folds(folder / "training")) < 2
    from training.crossval import plan

    arrange_side_by_side(plan, monkeypatch.setattr)
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.output
    assert json.loads((folder / "run.json").read_text())["status"] == "finished"
    assert len(finished_folds(folder / "training")) == 2
