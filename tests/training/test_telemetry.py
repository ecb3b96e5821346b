"""Libraries do not report their use to their makers, whichever part of ours is imported first."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SWITCHES = ("DO_NOT_TRACK", "ORT_DISABLE_TELEMETRY", "RAY_USAGE_STATS_ENABLED")


def ran(code: str, home: Path, **more: str) -> str:
    """Run Python in a home of its own, in an environment that forbids nothing; return what it prints."""
    kept = {name: value for name, value in os.environ.items() if name not in SWITCHES and not name.startswith("XDG_")}
    environment = {**kept, "HOME": str(home), "PYTHONPATH": str(ROOT), **more}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("first", ["curation", "training", "training.networks.zoo"])
def test_reading_text_leaves_no_device_id_in_the_home(tmp_path, first):
    ran(f"import {first}; from rapidocr_onnxruntime import RapidOCR; RapidOCR()", tmp_path)
    assert not list(tmp_path.rglob("*"))


def test_worker_processes_report_nothing_either(tmp_path):
    code = "import curation, multiprocessing, os\nif __name__ == '__main__':\n"
    code += "    pool = multiprocessing.get_context('spawn').Pool(1)\n"
    code += f"    print(pool.map(os.getenv, {SWITCHES}))\n    pool.close(); pool.join()"
    assert ran(code, tmp_path).strip() == "['1', '1', '0']"


def test_a_person_who_allows_it_is_obeyed(tmp_path):
    code = f"import os, curation; print([os.environ[name] for name in {SWITCHES}])"
    assert ran(code, tmp_path, DO_NOT_TRACK="0", ORT_DISABLE_TELEMETRY="0", RAY_USAGE_STATS_ENABLED="1").strip() == (
        "['0', '0', '1']"
    )
    # an empty one says nothing
    assert ran(code, tmp_path, **dict.fromkeys(SWITCHES, "")).strip() == "['1', '1', '0']"
