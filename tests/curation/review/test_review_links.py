"""Links into an open review: who makes them, and how often they work."""

import json
import os
import socket
import time

import pytest

from curation.errors import ReviewError
from curation.review.server.links import VALID, codes, make_links
from curation.review.server.team import present
from tests.curation.review.test_review import make_run


def test_a_code_works_once_and_only_for_a_while():
    with codes() as entry:
        code, old = entry.make(), entry.make()
        assert [entry.use(code), entry.use(code), entry.use("x"), entry.use("../x"), entry.use("\ud800")] == [
            True, False, False, False, False,
        ]  # fmt: skip
        (left,) = entry.folder.iterdir()
        os.utime(left, (time.time() - VALID - 1,) * 2)
        assert not entry.use(old)
        assert list(entry.folder.iterdir()) == []
    assert not entry.folder.exists()


def test_the_folder_of_codes_is_private_and_holds_no_code():
    with codes() as entry:
        code = entry.make()
        assert entry.folder.stat().st_mode & 0o077 == 0
        (file,) = entry.folder.iterdir()
        assert code not in file.name
        assert file.read_bytes() == b""


def test_links_lead_into_one_s_own_open_reviews_of_that_run_only(tmp_path):
    run = make_run(tmp_path)
    with pytest.raises(ReviewError, match="you have no open review of"):
        make_links(run)
    with codes() as mine, codes() as other, present(run, "ana", 1, str(mine.folder)):
        with pytest.raises(ReviewError, match="you have no open review"):  # it is still being opened
            make_links(run)
        mine.opened(run, "http://127.0.0.1:1/datasets/x?view=y")
        (link,) = make_links(run)
        assert (link.reviewer, link.port) == ("ana", 1)
        place, _, code = link.url.partition("&code=")
        assert place == "http://127.0.0.1:1/datasets/x?view=y"
        assert mine.use(code)
        with present(run, "ben", 2, str(other.folder)):
            other.opened(run, "http://127.0.0.1:2/?a=b")
            assert [link.reviewer for link in make_links(run)] == ["ana", "ben"]
            assert [link.reviewer for link in make_links(run, 2)] == ["ben"]


@pytest.mark.parametrize(
    "trap", ["open to others", "of another run", "a link", "no folder", "not JSON", "another host"]
)
def test_a_note_in_a_run_from_a_colleague_makes_no_link_elsewhere(tmp_path, monkeypatch, trap):
    run = make_run(tmp_path)
    with codes() as entry:
        entry.opened(run, "http://evil.example/?a=b")
        folder = entry.folder
        if trap == "open to others":
            folder.chmod(0o755)
        elif trap == "of another run":
            (folder / "review.json").write_text(json.dumps({"run": "/elsewhere", "address": "http://evil.example/?"}))
        elif trap == "a link":
            (tmp_path / "link").symlink_to(folder)
            folder = tmp_path / "link"
        elif trap == "no folder":
            folder = tmp_path / "none"
        elif trap == "not JSON":
            (folder / "review.json").write_text("[" * 10)
        with present(run, "eve", 3, str(folder)):
            if trap == "another host":
                monkeypatch.setattr(socket, "gethostname", lambda: "other")
            with pytest.raises(ReviewError):
                make_links(run)
            assert [file.name for file in entry.folder.iterdir()] == ["review.json"]
