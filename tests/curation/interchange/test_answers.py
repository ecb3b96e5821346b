"""Which listing an answer is about, and what it decides, whatever tool it comes from."""

from __future__ import annotations

import pytest

from curation.errors import DecisionsError
from curation.interchange.answers import ByPhoto, decision_of, parse_time, read_json
from curation.interchange.contract import Asked

PHOTOS = {"1": "a/1.jpg", "2": "b/a/1.jpg", "3": "c/3.jpg", "4": "c/3.jpg", "5": None}
ASKED = Asked({"1": "chair"}, ["chair", "desk", "delete"], {})


@pytest.mark.parametrize(
    ("name", "ids"),
    [
        ("a/1.jpg", ["1"]),
        ("b/a/1.jpg", ["2"]),
        ("./a/1.jpg", ["1"]),
        ("a\\1.jpg", ["1"]),
        ("/data/shop/c/3.jpg", ["3", "4"]),
        ("3.jpg", ["3", "4"]),
        # all of both ends it: the longer one says more
        ("/data/b/a/1.jpg", ["2"]),
        ("xa/1.jpg", []),
        ("other.jpg", []),
        ("", []),
    ],
)
def test_a_photo_is_found_by_all_of_its_path_or_its_end(name, ids):
    assert ByPhoto(PHOTOS).listings(name) == ids


def test_an_end_that_several_photos_have_is_an_error_which_names_them():
    with pytest.raises(DecisionsError, match=r"2 photos may be meant by '1.jpg'.*a/1.jpg, b/a/1.jpg"):
        ByPhoto(PHOTOS).listings("1.jpg")


@pytest.mark.parametrize(
    ("labels", "others", "decided"),
    [
        (["chair"], [], ("keep", None)),
        (["desk"], [], ("relabel", "desk")),
        (["desk", "desk"], [], ("relabel", "desk")),
        (["desk", "chair"], [], ("ambiguous", None)),
        # a class of that name is one
        (["delete"], [], ("relabel", "delete")),
        (["Ambiguous", "desk"], [], ("ambiguous", None)),
        (["chair"], ["delete"], ("delete", None)),
    ],
)
def test_what_is_chosen_becomes_a_decision(labels, others, decided):
    decision = decision_of("1", labels, others, ASKED, "ana", "2026-05-02T08:00:00.123+00:00", "cvat")
    assert decision is not None
    assert (decision.action, decision.new_label) == decided


def test_nothing_chosen_decides_nothing():
    assert decision_of("1", [], [], ASKED, "ana", "2026-05-02T08:00:00.123+00:00", "cvat") is None


@pytest.mark.parametrize("text", [None, 3, "soon", "9999-99-99"])
def test_a_time_that_is_none_is_now(text):
    assert parse_time(text).startswith("20")


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[" * 100_000])
def test_what_is_no_json_is_an_error(tmp_path, content):
    file = tmp_path / "export.json"
    file.write_bytes(content)
    with pytest.raises(DecisionsError, match=r"export.json is no JSON.*that"):
        read_json(file, "that")
