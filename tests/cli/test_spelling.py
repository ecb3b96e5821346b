"""How names of the API become what a person types."""

import click
import pytest
from click.testing import CliRunner

from curation.cli.group import Group
from curation.cli.sections import Column, Section, print_sections
from curation.cli.spelling import spelled
from curation.cli.terminal import Terminal, echo, echo_lines, print_table
from curation.errors import InputError


@pytest.mark.parametrize(
    ("api", "typed"),
    [
        ("`folds`", "--folds"),
        ("`image_size`", "--image-size"),
        ("`learning_rate`", "--lr"),
        ('`device="cpu"`', "--device cpu"),
        ("`epochs=0`", "--epochs 0"),
        ("`text=False`", "--no-text"),
        ("`columns={'id': 'sku no'}`", "--column 'id=sku no'"),
        ("`find_issues()`", "curate find-issues"),
        ("`find_issues(listings)`", "curate find-issues DATASET"),
        ("`run.apply_fixes(decisions='FILE.csv')`", "curate apply-fixes --decisions FILE.csv"),
        ("`apply_fixes(accept_suggestions=True, min_confidence=0.9)`", "curate apply-fixes --accept-suggestions "
         "--min-confidence 0.9"),
        ("`diff(a, b)`", "curate runs diff A B"),
        ("`open_run(folder)`", "--run FOLDER"),
    ],
)  # fmt: skip
def test_a_name_of_the_api_becomes_what_is_typed(api, typed):
    assert spelled(f"Try {api}, perhaps.") == f"Try {typed}, perhaps."


@pytest.mark.parametrize("text", ["`two words`", "`a/b.csv`", "one ` alone", "``", "`1 +`"])
def test_other_text_in_backquotes_stays_as_it_is(text):
    assert spelled(text) == text


def test_errors_and_messages_are_spelled_for_the_command_line(capsys):
    @click.group(cls=Group)
    def group():
        pass

    @group.command()
    def fail():
        raise InputError("too many folds", fix="Choose fewer `folds`.", parameter="folds")

    result = CliRunner().invoke(group, ["fail"])
    assert (result.exit_code, result.output) == (2, "Error: too many folds. Choose fewer --folds.\n")
    Terminal().say("`preset='standard'` would take 2 min")
    assert capsys.readouterr().err == "--preset standard would take 2 min\n"


def test_no_control_character_reaches_the_terminal(capsys, tmp_path):
    hostile = "x\x1b[2J\nError: \u202e\x9b"

    @click.group(cls=Group)
    def group():
        pass

    @group.command()
    @click.argument("what", type=click.Choice(["ours", "table"]))
    def run(what):
        terminal = Terminal()
        terminal.say(hostile)
        terminal.warn([hostile])
        with terminal.bar(f"[bold]{hostile}") as progress:
            progress(1, 1)
        print_table(hostile, ["id", hostile], [["L1", hostile], [hostile, 2]])
        echo(hostile)
        echo_lines(f"{hostile}\n{hostile}")
        print_sections([Section(hostile, [Column(hostile, [hostile])], [hostile])], markdown=what == "table")
        raise InputError(hostile, got=hostile, fix=f"Choose `{hostile}`.")

    for arguments in (
        ["run", "ours"],
        ["run", "table"],
        ["run", hostile],
        [hostile],
        [f"--{hostile}"],
    ):
        result = CliRunner().invoke(group, arguments)
        said = result.output + capsys.readouterr().err
        assert result.exit_code == 2
        assert "\\x1b[2J\\nError:" in said
        assert all(line.isprintable() for line in said.split("\n"))
