"""Results of the public API as JSON, Markdown and HTML."""

import base64
import io
import json
import re
from dataclasses import FrozenInstanceError, dataclass
from datetime import UTC, datetime
from enum import Enum
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from curation.rendering.results import ROWS, Result, plain

HOSTILE = "<script>alert(1)</script>\"'&|*_`[x](javascript:alert(1))\n# no heading"


@dataclass(frozen=True)
class Part(Result):
    name: str
    score: float


@dataclass(frozen=True)
class Whole(Result):
    title: str
    count: int
    parts: tuple[Part, ...]
    rows: pd.DataFrame
    _cache: object = None


@dataclass(frozen=True)
class Photos(Result):
    table: pd.DataFrame
    _root: Path | None = None

    def _photo_root(self):
        return self._root


def whole(title="lamps", rows=3):
    table = pd.DataFrame({"id": [f"a{row}" for row in range(rows)], "price": [1250.0, *[None] * (rows - 1)]})
    return Whole(title, 3, (Part("first", 0.5), Part("second", float("nan"))), table)


class Elements(HTMLParser):
    """The elements of a page, and its text."""

    def __init__(self, page):
        super().__init__()
        self.images, self.names, self.text = [], [], ""
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.names.append(tag)
        if tag == "img":
            self.images.append(dict(attrs))

    def handle_data(self, data):
        self.text += data


class TestPlain:
    class Colour(Enum):
        RED = "red"

    @pytest.mark.parametrize(
        ("value", "wanted"),
        [
            (np.int64(3), 3),
            (np.float32(0.5), 0.5),
            (np.bool_(True), True),
            (np.str_("a"), "a"),
            (float("nan"), None),
            (float("-inf"), None),
            (pd.NA, None),
            (pd.NaT, None),
            (pd.Timestamp("2024-05-01T10:00:00Z"), "2024-05-01T10:00:00+00:00"),
            (np.datetime64("2024-05-01"), "2024-05-01T00:00:00"),
            (np.array(["2024-05-01"], dtype="datetime64[ns]"), ["2024-05-01T00:00:00"]),
            (datetime(2024, 5, 1, tzinfo=UTC), "2024-05-01T00:00:00+00:00"),
            (Path("a"), "a"),
            (Colour.RED, "red"),
            (frozenset({"b", "a"}), ["a", "b"]),
            (np.array([[1.0, np.nan]]), [[1.0, None]]),
            (pd.Series([1, 2], index=[5, 6]), [1, 2]),
            (pd.DataFrame({"n": [np.nan, 1]}, index=[7, 8]), [{"n": None}, {"n": 1.0}]),
            ({1: (2, None)}, {"1": [2, None]}),
        ],
    )
    def test_values_become_what_json_has(self, value, wanted):
        got = plain(value)
        assert got == wanted
        assert json.loads(json.dumps(got, allow_nan=False)) == wanted

    def test_what_json_has_not_is_refused_by_its_type(self):
        with pytest.raises(TypeError, match=r"^bytes can't be written as JSON$"):
            plain({"a": [b"x"]})


class TestResult:
    def test_a_nested_result_becomes_json_and_what_is_private_stays_out(self):
        assert whole().to_dict() == {
            "title": "lamps",
            "count": 3,
            "parts": [{"name": "first", "score": 0.5}, {"name": "second", "score": None}],
            "rows": [{"id": "a0", "price": 1250.0}, {"id": "a1", "price": None}, {"id": "a2", "price": None}],
        }

    def test_a_result_can_not_be_changed(self):
        with pytest.raises(FrozenInstanceError):
            whole().count = 4

    def test_markdown_has_the_facts_and_each_table(self):
        assert whole().to_markdown().splitlines() == [
            "| Whole |  |",
            "| --- | --- |",
            "| title | lamps |",
            "| count | 3 |",
            "",
            "parts:",
            "",
            "| name | score |",
            "| --- | --- |",
            "| first | 0.5 |",
            "| second | – |",
            "",
            "rows:",
            "",
            "| id | price |",
            "| --- | --- |",
            "| a0 | 1,250 |",
            "| a1 | – |",
            "| a2 | – |",
        ]

    def test_a_long_table_is_cut_off_and_counted(self):
        markdown, page = whole(rows=ROWS + 1200).to_markdown(), whole(rows=ROWS + 1200)._repr_html_()
        assert f"| a{ROWS - 1} |" in markdown
        assert f"| a{ROWS} |" not in markdown
        assert "\n+1,200 more" in markdown
        assert f">a{ROWS - 1}<" in page
        assert f">a{ROWS}<" not in page
        assert "<p>+1,200 more</p>" in page

    def test_a_hostile_title_is_text_in_markdown_and_in_a_notebook(self):
        result = whole(HOSTILE)
        line = next(line for line in result.to_markdown().splitlines() if line.startswith("| title"))
        assert len(re.findall(r"(?<!\\)\|", line)) == 3
        assert not re.search(r"(?<!\\)[<>*_`\[\]#]", line)
        elements = Elements(result._repr_html_())
        assert "script" not in elements.names
        assert HOSTILE in elements.text


class TestPhotos:
    @pytest.fixture
    def photos(self, tmp_path):
        Image.new("RGB", (400, 200), "red").save(tmp_path / "wide.png")
        (tmp_path / "broken.jpg").write_bytes(b"no image")
        return tmp_path

    def table(self, *images):
        return pd.DataFrame({"id": [f"a{row}" for row in range(len(images))], "image": images, "title": HOSTILE})

    def test_photos_are_small_and_inside_the_table(self, photos):
        (image,) = Elements(Photos(self.table("wide.png"), photos)._repr_html_()).images
        assert image["alt"] == "photo of a0"
        kind, _, content = image["src"].partition(",")
        assert kind == "data:image/webp;base64"
        with Image.open(io.BytesIO(base64.b64decode(content))) as opened:
            assert opened.size == (96, 48)

    @pytest.mark.parametrize("image", ["broken.jpg", "gone.jpg", "", None, float("nan")])
    def test_a_photo_that_can_not_be_read_is_a_path(self, photos, image):
        elements = Elements(Photos(self.table(image), photos)._repr_html_())
        assert elements.images == []
        assert (image if isinstance(image, str) else "–") in elements.text

    def test_without_a_folder_there_are_no_photos(self, photos):
        assert Elements(Photos(self.table("wide.png"))._repr_html_()).images == []

    def test_only_photos_of_shown_rows_are_read(self, photos):
        page = Photos(self.table(*["wide.png"] * (ROWS + 3)), photos)._repr_html_()
        assert len(Elements(page).images) == ROWS
        assert "<p>+3 more</p>" in page

    def test_strangers_words_are_text(self, photos):
        table = self.table("wide.png").assign(id='"><img src=x onerror=alert(1)>')
        elements = Elements(Photos(table.rename(columns={"title": HOSTILE}), photos)._repr_html_())
        assert "script" not in elements.names
        assert [image["alt"] for image in elements.images] == ['photo of "><img src=x onerror=alert(1)>']
        assert elements.text.count(HOSTILE) == 2

    def test_the_table_stays_as_it_is(self, photos):
        table = self.table("wide.png", "gone.jpg")
        before = table.copy(deep=True)
        Photos(table, photos)._repr_html_()
        pd.testing.assert_frame_equal(table, before)
