"""bash completes commands, options and formats, by click's own script."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
eval "$(_CURATE_COMPLETE=bash_source curate)"
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
_curate_completion curate
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        (["import-"], ["import-decisions", "import-listings"]),
        (["export", "c"], ["coco", "cvat"]),
        (["export", "cvat", "--to"], ["--top"]),
        (["import-listings", ""], ["sql", "fiftyone"]),
        (["import-decisions", "h"], ["huggingface"]),
    ],
)
def test_bash_offers_what_can_follow(typed, offered, tmp_path):
    curate = tmp_path / "curate"
    curate.write_text(f"#!{sys.executable}\nfrom curation.cli import main\nmain(prog_name='curate')\n")
    curate.chmod(0o755)
    root = Path(__file__).parents[2]
    env = {"PATH": f"{tmp_path}:/usr/bin:/bin", "PYTHONPATH": str(root)}
    shell = ["bash", "-c", SCRIPT, "bash", "curate", *typed]
    done = subprocess.run(shell, env=env, capture_output=True, text=True, check=True)
    assert done.stdout.split() == offered, done.stderr
