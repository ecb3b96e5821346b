"""What is published: a wheel and a source archive with all of the product and nothing else, which work elsewhere."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path, PurePosixPath

import pytest

import curation
from tests.project.structure import ROOT

#: Of a source archive, beside the packages: what it is built by, and what setuptools writes of it.
FRAME = {"LICENSE", "PKG-INFO", "README.md", "pyproject.toml", "setup.cfg"}


def run(*command: str | Path, cwd: Path, env: dict[str, str] | None = None) -> str:
    done = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def tracked(*folders: str) -> set[str]:
    return set(run("git", "ls-files", "-z", *folders, cwd=ROOT).rstrip("\0").split("\0"))


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the source archive, and the wheel from that, as they are published; return their folder."""
    folder = tmp_path_factory.mktemp("package")
    for name in tracked():
        (folder / "source" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, folder / "source" / name)
    # leftovers of a checkout that is in use
    for name in ("curation/__pycache__/gate.pyc", "runs/shop/1/run.json", "curation/notes.txt", "build/lib/old.py"):
        (folder / "source" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "source" / name).write_text("left over", encoding="utf-8")
    # nothing is fetched: what it builds with is installed
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", folder / "dist", cwd=folder / "source")
    return folder / "dist"


@pytest.fixture(scope="module")
def wheel(built: Path) -> Path:
    (file,) = built.glob("*.whl")
    return file


@pytest.fixture(scope="module")
def elsewhere() -> dict[str, str]:
    """Return the environment of somebody without the checkout."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | {"OMP_NUM_THREADS": "1"}


@pytest.fixture(scope="module")
def installed(wheel: Path, elsewhere: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the wheel alone in an environment that sees what it requires, and return the program."""
    environment = tmp_path_factory.mktemp("installed") / "venv"
    run(sys.executable, "-m", "venv", "--without-pip", environment, cwd=wheel.parent)
    python = environment / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", python]
    run(*pip, "install", "--quiet", "--no-deps", "--no-index", wheel, cwd=wheel.parent, env=elsewhere)
    places = [place for place in sys.path if place.endswith("site-packages")]
    (site,) = environment.glob("lib/python*/site-packages")
    # only names these folders: what makes a checkout importable there is not run
    (site / "required.pth").write_text("\n".join(places), encoding="utf-8")
    return environment / "bin" / "curate"


def test_the_wheel_holds_the_files_of_both_packages_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if ".dist-info/" not in name]
        (licence,) = [name for name in archive.namelist() if name.endswith(".dist-info/licenses/LICENSE")]
        assert archive.read(licence) == (ROOT / "LICENSE").read_bytes()
    assert set(names) == tracked("curation", "training")
    assert len(set(names)) == len(names)


def test_the_source_archive_holds_the_same_files_and_what_it_takes_to_build_them(built: Path) -> None:
    (file,) = built.glob("*.tar.gz")
    with tarfile.open(file) as archive:
        names = {PurePosixPath(member.name) for member in archive.getmembers() if member.isfile()}
    assert {name.parts[0] for name in names} == {file.name.removesuffix(".tar.gz")}
    inside = {str(PurePosixPath(*name.parts[1:])) for name in names if not name.parts[1].endswith(".egg-info")}
    assert inside == tracked("curation", "training") | FRAME


def test_an_index_would_take_both_without_a_warning(built: Path) -> None:
    run(sys.executable, "-m", "twine", "check", "--strict", *built.iterdir(), cwd=built)
    assert len(list(built.iterdir())) == 2


def test_the_installed_program_draws_a_demo_and_finds_its_issues_without_the_checkout(
    installed: Path, elsewhere: dict[str, str], tmp_path: Path
) -> None:
    python = installed.with_name("python")
    code = "import curation, training; print(curation.__file__, training.__file__)"
    places = run(python, "-c", code, cwd=tmp_path, env=elsewhere).split()
    assert [Path(place).is_relative_to(installed.parents[1]) for place in places] == [True, True]
    assert run(installed, "--version", cwd=tmp_path, env=elsewhere).split()[-1] == curation.__version__
    assert "find-issues" in run(installed, "--help", cwd=tmp_path, env=elsewhere)
    run(installed, "demo", "shop", "--listings", "120", cwd=tmp_path, env=elsewhere)
    told = run(installed, "find-issues", "shop", "--preset", "quick", "--json", cwd=tmp_path, env=elsewhere)
    assert json.loads(told)["listings"] == 120
    assert (tmp_path / "runs/demo/1/report.html").is_file()
    # its templates, scripts and styles are files of the wheel, too
    run(installed, "review", "--html", cwd=tmp_path, env=elsewhere)
    assert (tmp_path / "runs/demo/1/review.html").is_file()
