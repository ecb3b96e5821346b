"""The loop contacts nobody, and leaves files nowhere but where the documents say."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

import click
import pytest

from curation.cli import main
from tests.torture import connects

traced = pytest.mark.skipif(bool(connects.missing()), reason=connects.missing() or "it runs")


def names(group: click.Group, *before: str) -> Iterator[str]:
    """Yield the name of every command, also of those that have commands of their own."""
    for name, command in group.commands.items():
        yield " ".join((*before, name))
        if isinstance(command, click.Group):
            yield from names(command, *before, name)


def test_every_command_is_tried():
    given = [command for line in connects.COMMANDS for command in re.split("[;&]", line)]
    tried = {name for name in names(main) for command in given if f"{command.strip()} ".startswith(f"{name} ")}
    assert sorted(tried) == sorted(set(names(main)) - connects.ELSEWHERE)


@pytest.mark.parametrize("line", [*connects.COMMANDS, *connects.QUICK])
def test_every_option_that_is_tried_is_one_of_its_command(line):
    for command in re.split("[;&]", line):
        group, words = main, shlex.split(command)
        while isinstance(group, click.Group) and words and words[0] in group.commands:
            group = group.commands[words.pop(0)]
        known = {option for parameter in group.params for option in (*parameter.opts, *parameter.secondary_opts)}
        assert {word for word in words if word.startswith("--")} <= known


@traced
def test_the_loop_contacts_nobody_and_leaves_nothing_elsewhere():
    tally = connects.tried(connects.QUICK)
    assert tally.tried == len(connects.QUICK)
    assert tally.faults == []


@traced
@pytest.mark.parametrize(
    ("program", "told"),
    [
        ("import socket; socket.socket().connect_ex(('127.0.0.1', 9))", "contacts sin_port=htons(9)"),
        (
            "import socket\nwith socket.socket(type=socket.SOCK_DGRAM) as s: s.sendto(b'x', ('127.0.0.53', 53))",
            "contacts sin_port=htons(53)",
        ),
        (
            "import socket\ntry: socket.getaddrinfo('curate.invalid', 80)\nexcept OSError: pass",
            "looks up the name of a host",
        ),
        ("import socket; socket.socket(socket.AF_UNIX).connect_ex('/run/other')", "contacts the socket /run/other"),
        ("open(__import__('os').environ['HOME'] + '/.left', 'w').close()", "/home/.left"),
        ("__import__('os').mkdir('../left')", "/left"),
    ],
)
def test_what_should_not_be_is_seen(tmp_path, program, told):
    traced = connects.trace(program, tmp_path)
    assert traced.code == 0, traced.output
    assert any(told in why for why in connects.unexpected(traced)), traced.calls


@traced
def test_what_the_documents_name_is_not_told(tmp_path):
    program = (
        "import os, tempfile; os.makedirs(os.path.expanduser('~/.cache/curate/x')); tempfile.TemporaryFile().close()"
    )
    traced = connects.trace(f"{program}; open('here', 'w').close(); open('/etc/hostname').close()", tmp_path)
    assert (traced.code, list(connects.unexpected(traced))) == (0, [])
