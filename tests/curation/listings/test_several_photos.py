"""Names of several photos in one cell, however they are written."""

from __future__ import annotations

import pytest

from curation.listings.several_photos import each_name, names_of


@pytest.mark.parametrize(
    ("cell", "names"),
    [
        ("Levi's.jpg,a.jpg", ["Levi's.jpg", "a.jpg"]),
        ('27" tv.jpg|a.jpg', ['27" tv.jpg', "a.jpg"]),
        ("p[1].jpg, b.jpg", ["p[1].jpg", "b.jpg"]),
        ('["a.jpg", "c, d.jpg"]', ["a.jpg", "c, d.jpg"]),
        ("['a.jpg', 'b.jpg']", ["a.jpg", "b.jpg"]),
        ("[a.jpg, b.jpg]", ["a.jpg", "b.jpg"]),
        ("{a.jpg,b.jpg}", ["a.jpg", "b.jpg"]),
        ("a.jpg, x, y.jpg", ["a.jpg", "x, y.jpg"]),
        ("x, y.jpg", ["x, y.jpg"]),
        ("one, two", ["one", "two"]),
        ('{"src": "a.jpg"}', ["a.jpg"]),
        ('[{"src": "a.jpg", "alt": "x"}, {"src": "é.jpg"}]', ["a.jpg", "é.jpg"]),
        ('{"alt": "a.jpg"}', ['{"alt": "a.jpg"}']),
        ("https://x.test/a.jpg?w=1,https://x.test/b.jpg", ["https://x.test/a.jpg?w=1", "https://x.test/b.jpg"]),
        (" a.jpg ;; b.jpg; ", ["a.jpg", "b.jpg"]),
        ("'a.jpg'", ["a.jpg"]),
        ("a.jpg\nb.jpg", ["a.jpg", "b.jpg"]),
        ("", []),
    ],
)
def test_names_keep_their_quotes_brackets_and_commas_and_all_between_them_stays(cell: str, names: list[str]) -> None:
    assert names_of(cell) == names
    changed = each_name(cell, lambda name: f"<{name}>")
    assert changed.replace("<", "").replace(">", "") == cell
    assert changed.count("<") == len(names)
    assert all(f"<{name}>" in changed for name in names)
