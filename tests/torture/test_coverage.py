"""Coverage leads to a fault that chance does not find."""

import json
import random
import subprocess
import sys

import pytest

from tests.torture import coverage
from tests.torture._preloaded import ROOT
from tests.torture.fuzz import bend

CASES = 12_000
#: A reader that fails on a content whose first three bytes are of three ranges, one comparison each.
PLANTED = """
import json, sys
from pathlib import Path
import atheris
from tests.torture._guided import guide
from tests.torture.fuzz_reader import Reader

@atheris.instrument_func
def read(content):
    if b"\\x80" <= content[:1] < b"\\x90":
        if b"\\x90" <= content[1:2] < b"\\xa0":
            if b"\\xa0" <= content[2:3] < b"\\xb0":
                raise KeyError("planted")

def make(folder):
    return Reader("planted", [b"lamps"], read)

print(json.dumps(vars(guide(int(sys.argv[1]), 0, 1, Path(sys.argv[2]), {"planted": make}))))
"""


@pytest.mark.skipif(bool(coverage.missing()), reason=coverage.missing() or "it runs")
def test_coverage_leads_to_a_fault_behind_three_comparisons_and_damage_alone_seldom_does(tmp_path):
    command = [sys.executable, "-c", PLANTED, str(CASES), str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    tally = json.loads(done.stdout.splitlines()[-1])
    assert tally["tried"] == CASES
    assert "KeyError: \"'planted'\"" in tally["faults"][0]
    rng = random.Random(0)
    # the planted ranges are sixteenths: 0x80 to 0x8f, and so on
    starts = [bytes(byte >> 4 for byte in bend(b"lamps", rng)[:3]) for _ in range(CASES)]
    # found once, it is found again and again; without guidance it stays luck
    assert tally["tracebacks"] > 100 > 10 * starts.count(bytes((8, 9, 10)))


def test_a_machine_without_atheris_skips_with_the_reason(monkeypatch):
    monkeypatch.setattr(coverage, "missing", lambda: "no atheris")
    assert (tally := coverage.run(10, 0, 1)).skipped == "no atheris"
    assert tally.tried == 0
