"""The loop contacts nobody, and leaves files nowhere but where the documents say."""

from __future__ import annotations

import pytest

from tests.torture import connects

pytestmark = pytest.mark.skipif(bool(connects.missing()), reason=connects.missing() or "it runs")


def test_the_loop_contacts_nobody_and_leaves_nothing_elsewhere():
    tally = connects.tried(connects.QUICK)
    assert tally.tried == len(connects.QUICK)
    assert tally.faults == []


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


def test_what_the_documents_name_is_not_told(tmp_path):
    program = (
        "import os, tempfile; os.makedirs(os.path.expanduser('~/.cache/curate/x')); tempfile.TemporaryFile().close()"
    )
    traced = connects.trace(f"{program}; open('here', 'w').close(); open('/etc/hostname').close()", tmp_path)
    assert (traced.code, list(connects.unexpected(traced))) == (0, [])
