"""What libraries in C write to stderr, and Pillow logs, goes to a file; what Python writes does not."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from training.utils.noise import noise_to


def noise(text: bytes = b"TIFFReadDirectory: Warning\n") -> None:
    os.write(2, text)


def test_noise_goes_to_the_log_and_stderr_is_whole_again(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    log = tmp_path / "log.txt"
    for _ in range(2):
        with noise_to(log):
            noise()
    noise(b"after\n")
    assert log.read_text() == "TIFFReadDirectory: Warning\n" * 2
    assert capfd.readouterr().err == "after\n"


def test_a_log_without_noise_is_not_kept_and_without_one_noise_is_dropped(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with noise_to(tmp_path / "log.txt"):
        pass
    with noise_to():
        noise()
    with noise_to(tmp_path / "gone" / "log.txt"):
        noise(b"seen, for nothing fails\n")
    assert list(tmp_path.iterdir()) == []
    assert capfd.readouterr().err == "seen, for nothing fails\n"


def test_blocks_in_several_threads_share_the_log_of_the_first(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    inside, leave = threading.Event(), threading.Event()

    def other() -> None:
        with noise_to(tmp_path / "other.txt"):
            inside.set()
            leave.wait()
            noise(b"second\n")

    thread = threading.Thread(target=other)
    with noise_to(tmp_path / "log.txt"):
        thread.start()
        inside.wait()
        noise(b"first\n")
    # the other thread is still inside
    leave.set()
    thread.join()
    assert (tmp_path / "log.txt").read_text() == "first\nsecond\n"
    assert capfd.readouterr().err == ""


SCRIPT = """
import logging, os, sys
from pathlib import Path
from training.utils.noise import noise_to
before = sys.stderr
try:
    with noise_to(Path(sys.argv[1])):
        print("shown", file=sys.stderr)
        os.write(2, b"hidden\\n")
        logging.getLogger("PIL.TiffImagePlugin").error("hidden %s", "too")
        logging.getLogger("ours").error("shown, too")
        raise ValueError("raised")
except ValueError:
    assert sys.stderr is before
    logging.getLogger("PIL.TiffImagePlugin").error("also shown")
"""


def test_what_python_writes_is_shown_at_once_also_when_the_block_fails(tmp_path: Path) -> None:
    log = tmp_path / "log.txt"
    ended = subprocess.run([sys.executable, "-c", SCRIPT, log], capture_output=True, text=True, check=True)
    assert ended.stderr == "shown\nshown, too\nalso shown\n"
    assert log.read_text() == "hidden\nhidden too\n"
