"""`benchmarks/gpu.py` needs only Python, torch and numpy, and Pillow and torchvision, which can travel with it."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.project.structure import ROOT

#: What a machine with torch and numpy has: torch's own requirements are those of its wheel.
BARE = {"torch", "torchgen", "functorch", "numpy", "typing_extensions", "filelock", "sympy", "mpmath", "networkx"}
BARE |= {"jinja2", "markupsafe", "fsspec", "triton", "nvidia", "cuda", "setuptools"}
SMALL = [
    "--devices",
    "cpu",
    "--networks",
    "lite0",
    "--formats",
    "float32",
    "--folds",
    "1",
    "--size",
    "32",
    "--batch",
    "2",
]
# hides what is installed and not allowed, as if it were not there
HIDE = """
import runpy, sys
from importlib.machinery import PathFinder
there = {allowed!r} | set(sys.stdlib_module_names)
class Bare:
    @staticmethod
    def find_spec(name, path=None, target=None):
        found = name.partition(".")[0] in there
        elsewhere = [place for place in path or sys.path if not place.endswith("site-packages")]
        return PathFinder.find_spec(name, path if found else elsewhere, target)
sys.meta_path[:] = [each for each in sys.meta_path if each is not PathFinder and "editable" not in repr(each).lower()]
sys.meta_path.append(Bare)
sys.argv = {argv!r}
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def on_a_bare_machine(folder, allowed, *options):
    argv = [str(ROOT / "benchmarks" / "gpu.py"), *SMALL, *options]
    code = HIDE.format(allowed=allowed, argv=argv)
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | {"OMP_NUM_THREADS": "1"}
    return subprocess.run([sys.executable, "-c", code], cwd=folder, env=env, capture_output=True, text=True)


def test_gpu_checks_and_measures_with_torch_numpy_pillow_and_torchvision_alone(tmp_path):
    done = on_a_bare_machine(tmp_path, BARE | {"PIL", "torchvision"})
    assert done.returncode == 0, done.stderr
    result, end = json.JSONDecoder().raw_decode(done.stdout)
    assert result["checks"] == {"learns the same twice, cpu": "passed"}
    assert [row["work"] for row in result["speeds"]] == ["training, 1 at a time", "features"]
    assert all(row["photos_per_second"] > 0 for row in result["speeds"])
    table = done.stdout[end:].strip().splitlines()
    assert table[0] == "| network | format | work | cpu |"
    assert len(table) == 4
    assert table[2].startswith("| lite0 | float32 | training, 1 at a time | ")


def test_what_is_missing_is_named_before_anything_is_measured(tmp_path):
    done = on_a_bare_machine(tmp_path, BARE | {"PIL"}, "--wheels", str(tmp_path))
    assert done.returncode == 1
    assert f"Error: not installed, and no wheel in {tmp_path}: torchvision." in done.stderr
    assert "Traceback" not in done.stderr


def test_wheels_that_travel_along_are_used_without_an_installation(tmp_path):
    PIL = pytest.importorskip("PIL")
    package = Path(PIL.__file__).parent
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    with zipfile.ZipFile(wheels / "pillow-1-cp312-cp312-linux.whl", "w") as archive:
        for source in (package, package.with_name("pillow.libs")):
            for file in source.rglob("*"):
                archive.write(file, file.relative_to(package.parent))
    done = on_a_bare_machine(tmp_path, BARE | {"torchvision"}, "--wheels", str(wheels))
    assert done.returncode == 0, done.stderr
