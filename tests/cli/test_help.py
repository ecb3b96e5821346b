"""The help: every command explains itself, and the documents name it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from curation import __version__
from curation.cli import main
from tests.cli.test_cli import done

ROOT = Path(__file__).parents[2]
COMMANDS = sorted(main.commands)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_an_example_and_all_its_options(name: str) -> None:
    command = main.commands[name]
    assert command.help
    text = done(name, "--help").stdout
    assert re.search(rf"Examples?:\s+curate {name}", text)
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, parameter.name
            assert all(option in text for option in options(parameter))


def options(parameter: click.Parameter) -> list[str]:
    return [*parameter.opts, *parameter.secondary_opts]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_example_names_options_that_exist(name: str) -> None:
    epilog = main.commands[name].epilog or ""
    known = {option for other in main.commands.values() for parameter in other.params for option in options(parameter)}
    assert set(re.findall(r"--[a-z-]+", epilog)) <= known


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_can_answer_as_json(name: str) -> None:
    assert "--json" in [option for parameter in main.commands[name].params for option in parameter.opts]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_in_the_docs(name: str) -> None:
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").glob("**/*.md"))]
    text = "\n".join(page.read_text(encoding="utf-8") for page in pages)
    assert f"curate {name}" in text


def test_the_help_names_every_command_and_the_exit_codes() -> None:
    for option in ("--help", "-h"):
        text = " ".join(done(option).stdout.split())
        assert all(f"{name} " in text for name in COMMANDS)
        assert "Exit codes: 0 done, 1 failed, 2 wrong usage" in text


def test_the_version_is_told() -> None:
    assert __version__ in done("--version").stdout


def test_the_program_runs_from_a_checkout_and_its_help_is_quick_to_import() -> None:
    code = "import sys, runpy; sys.argv = ['cli.py', '--help']\ntry:\n runpy.run_path('cli.py', run_name='__main__')\n"
    code += "except SystemExit as end:\n heavy = {'torch', 'fiftyone', 'cleanlab'} & set(sys.modules)\n"
    code += " sys.exit(f'imported {heavy}' if heavy else end.code)"
    for command in (["cli.py", "--help"], ["-c", code]):
        ended = subprocess.run([sys.executable, *command], cwd=ROOT, capture_output=True, text=True, check=False)
        assert ended.returncode == 0, ended.stderr
        assert "find-issues" in ended.stdout
