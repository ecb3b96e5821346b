"""The help: every command explains itself, and the documents name it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from curation import __version__
from curation.cli import main
from tests.cli.test_cli import done

ROOT = Path(__file__).parents[2]
COMMANDS = sorted(main.commands)
EXPORTS = [f"export {name}" for name in main.commands["export"].commands]  # type: ignore[attr-defined]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("**/*.md"))]


def command_of(name: str) -> click.Command:
    """Return a command by its name, also one of a group."""
    command: click.Command = main
    for word in name.split():
        assert isinstance(command, click.Group)
        command = command.commands[word]
    return command


@pytest.mark.parametrize("name", [*COMMANDS, *EXPORTS])
def test_every_command_has_help_with_an_example_and_all_its_options(name: str) -> None:
    command = command_of(name)
    assert command.help
    text = done(*name.split(), "--help").stdout
    assert re.search(rf"Examples?:\s+curate {name}", text)
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, parameter.name
            assert all(option in text for option in options(parameter))


def options(parameter: click.Parameter) -> list[str]:
    return [*parameter.opts, *parameter.secondary_opts]


def typed(text: str) -> list[tuple[click.Command, set[str]]]:
    """Return the commands that a text shows, each with the options that it is given there."""
    shown = []
    for line in re.findall(r"\bcurate ((?:(?!\bcurate )[^\n`&|;])*)", re.sub(r"\\\n\s*", "", text)):
        command: click.Command = main
        # what stands behind two blanks explains the command
        words = re.split(r"\s{2,}", line)[0]
        for word in words.split():
            if isinstance(command, click.Group) and word in command.commands:
                command = command.commands[word]
        if command is not main:
            shown.append((command, set(re.findall(r"(?<!\S)--[a-z-]+", words))))
    return shown


def wrong(text: str) -> list[tuple[str | None, set[str]]]:
    """Return the commands that a text shows with options that they do not have."""
    given = [
        (command, used - {name for each in command.params for name in options(each)}) for command, used in typed(text)
    ]
    return [(command.name, unknown) for command, unknown in given if unknown - {"--help"}]


@pytest.mark.parametrize("name", [*COMMANDS, *EXPORTS])
def test_every_example_is_of_its_command_and_gives_it_options_that_it_has(name: str) -> None:
    command = command_of(name)
    shown = typed(command.epilog or "")
    own = command.commands.values() if name == "export" and isinstance(command, click.Group) else [command]
    assert [each for each, _ in shown if each in own]
    assert wrong(command.epilog or "") == []


@pytest.mark.parametrize("name", [*COMMANDS, *EXPORTS])
def test_every_option_that_a_help_text_names_is_one_of_the_command_or_shown_with_another(name: str) -> None:
    command = command_of(name)
    helps = [parameter.help or "" for parameter in command.params if isinstance(parameter, click.Option)]
    text = "\n".join([command.help or "", *helps])
    assert wrong(text) == []
    elsewhere = set().union(*(used for _, used in typed(text)))
    own = {option for parameter in command.params for option in options(parameter)}
    assert set(re.findall(r"(?<!\S)--[a-z-]+", text)) <= own | elsewhere


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_that_the_documents_show_has_the_options_that_it_is_given_there(page: Path) -> None:
    assert wrong(page.read_text(encoding="utf-8")) == []


def test_an_option_of_another_command_in_an_example_is_noticed() -> None:
    assert wrong("Example: curate demo demo && curate status --json --folds 5") == [("status", {"--folds"})]
    assert wrong("curate runs diff 1 2 --markdown     compare --folds") == []
    assert wrong("curate find-issues shop \\\n    --folds 5 --controls") == [("find-issues", {"--controls"})]
    assert len(typed((ROOT / "docs/commands.md").read_text())) > 40


# `check` answers with JSON unasked; `export` is one command for each format
@pytest.mark.parametrize("name", [*(name for name in COMMANDS if name not in ("check", "export")), *EXPORTS])
def test_every_command_can_answer_as_json(name: str) -> None:
    assert "--json" in [option for parameter in command_of(name).params for option in parameter.opts]


@pytest.mark.parametrize("name", [*COMMANDS, *EXPORTS, "runs diff"])
def test_every_command_has_a_section_in_the_documents_with_all_its_options(name: str) -> None:
    text = (ROOT / "docs/commands.md").read_text(encoding="utf-8")
    (section,) = re.findall(rf"^##+ curate {name}(?: [A-Z ]+)?$(.*?)(?=^##|\Z)", text, re.M | re.S)
    command = command_of(name)
    own = [option for parameter in command.params for option in options(parameter) if option.startswith("--")]
    assert [option for option in own if not re.search(rf"{option}\b", section)] == []


def test_the_help_names_every_command_and_the_exit_codes() -> None:
    for option in ("--help", "-h"):
        text = " ".join(done(option).stdout.split())
        assert all(f"{name} " in text for name in COMMANDS)
        assert "Exit codes: 0 done, 1 failed, 2 wrong usage" in text


@pytest.mark.parametrize(
    ("option", "hint"),
    [("--worth", "'--worth'. It is an option of curate find-issues."), ("--prot", "--port")],
)
def test_an_option_of_another_command_is_told_as_such_and_a_mistyped_one_is_guessed(option: str, hint: str) -> None:
    refused = CliRunner().invoke(main, ["review", option, "5"])
    assert refused.exit_code == 2
    assert hint in refused.output
    assert ("Did you mean" in refused.output) == (option == "--prot")


def test_the_version_is_printed() -> None:
    assert __version__ in done("--version").stdout


def test_the_program_runs_from_a_checkout() -> None:
    ended = subprocess.run([sys.executable, "cli.py", "--help"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    assert "find-issues" in ended.stdout


@pytest.mark.parametrize("arguments", [["--help"], ["find-issues", "--help"]])
def test_no_help_waits_for_anything_that_is_slow_to_import(arguments: list[str]) -> None:
    slow = {"torch", "pandas", "sklearn", "numpy", "scipy", "matplotlib", "PIL", "fiftyone", "cleanlab", "jinja2"}
    code = (
        f"import sys; from curation.cli import main; main({arguments}, standalone_mode=False); "
        f"print(sorted({slow} & set(sys.modules)))"
    )
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ended.stdout.splitlines()[-1] == "[]"


def test_no_section_of_the_documents_is_of_a_command_that_there_is_not() -> None:
    headings = re.findall(r"^##+ curate ([a-z -]+)", (ROOT / "docs/commands.md").read_text(encoding="utf-8"), re.M)
    assert sorted(heading.strip() for heading in headings) == sorted([*COMMANDS, *EXPORTS, "runs diff"])
