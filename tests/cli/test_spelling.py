"""How names of the API become what a person types."""

import click
import pytest
from click.testing import CliRunner

from curation.cli.group import Group
from curation.cli.spelling import spelled
from curation.cli.terminal import Terminal
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
