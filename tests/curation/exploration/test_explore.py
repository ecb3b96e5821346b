"""`curate explore`: what is found before anything is trained, and the page that shows it."""

from __future__ import annotations

import hashlib
import json
import re
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from curation.exploration.explore import explore
from curation.exploration.findings import SIZES, Exploration, suggested_size
from curation.exploration.headers import read_headers, same_content
from curation.exploration.page import write_page
from curation.listings import read_listings
from tests.cli.test_cli import assert_refused, done, open_shop
from training.utils.progress import silent


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return open_shop(tmp_path, monkeypatch)


def shop(folder: Path, labels: list[str], **columns: Any) -> Path:
    """Write a dataset with a small photo of its own for every label."""
    (folder / "photos").mkdir(parents=True)
    for row in range(len(labels)):
        Image.new("RGB", (40, 60), (row % 256, row // 256, 90)).save(folder / "photos" / f"{row}.png")
    images = [f"photos/{row}.png" for row in range(len(labels))]
    table = pd.DataFrame({"id": range(len(labels)), "image": images, "label": labels, **columns})
    table.to_csv(folder / "listings.csv", index=False)
    return folder


def look(folder: Path, **options: Any) -> Exploration:
    return explore(read_listings(folder, strict=False), **options)


def contents(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


# photos


def write_odd_photos(folder: Path) -> dict[str, tuple[int, int]]:
    """Write sound photos that are hard to read; return the upright size of each."""
    noise = np.random.default_rng(0).integers(0, 255, (30, 50, 3), dtype=np.uint8)
    photo = Image.fromarray(noise)
    photo.convert("CMYK").save(folder / "cmyk.jpg")
    photo.quantize(16).save(folder / "palette.png", transparency=0)
    Image.fromarray(noise[..., 0].astype(np.uint16) * 200).save(folder / "deep.png")
    photo.save(folder / "moving.gif", save_all=True, append_images=[photo.rotate(90)])
    photo.save(folder / "small.webp")
    photo.save(folder / "plain.bmp")
    exif = Image.Exif()
    exif[0x0112] = 6
    photo.save(folder / "turned.jpg", exif=exif)
    photo.save(folder / "turned.png", exif=exif)
    Image.new("L", (10_000, 6_000)).save(folder / "large.jpg")
    names = ("cmyk.jpg", "palette.png", "deep.png", "moving.gif", "small.webp", "plain.bmp")
    others = {"turned.jpg": (30, 50), "turned.png": (30, 50), "large.jpg": (10_000, 6_000)}
    return dict.fromkeys(names, (50, 30)) | others


def test_the_upright_size_of_odd_photos_is_read_from_their_headers(tmp_path: Path) -> None:
    sizes = write_odd_photos(tmp_path)
    heads = read_headers([tmp_path / name for name in sizes], silent)
    assert [head.error for head in heads] == [None] * len(sizes)
    assert {name: (head.width, head.height) for name, head in zip(sizes, heads, strict=True)} == sizes
    assert {name for name, head in zip(sizes, heads, strict=True) if head.turned} == {"turned.jpg", "turned.png"}


@pytest.mark.parametrize("name", ["cmyk.jpg", "deep.png", "small.webp", "moving.gif"])
def test_a_photo_that_was_cut_short_is_unreadable(name: str, tmp_path: Path) -> None:
    write_odd_photos(tmp_path)
    content = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(content[: len(content) // 3])
    (head,) = read_headers([tmp_path / name], silent)
    assert head.error


def test_what_follows_the_end_of_a_sound_photo_does_not_make_it_unreadable(tmp_path: Path) -> None:
    write_odd_photos(tmp_path)
    with (tmp_path / "turned.jpg").open("ab") as stream:
        stream.write(b"a video" * 10_000)
    (head,) = read_headers([tmp_path / "turned.jpg"], silent)
    assert (head.error, head.width) == (None, 30)


def test_every_unreadable_photo_has_its_reason(tmp_path: Path) -> None:
    (tmp_path / "empty.jpg").touch()
    (tmp_path / "text.jpg").write_text("<html>")
    (tmp_path / "folder.jpg").mkdir()
    names = ["empty.jpg", "text.jpg", "folder.jpg", "none.jpg", "x" * 300, "a\0b"]
    heads = read_headers([None, *(tmp_path / name for name in names)], silent)
    folder = "it is a folder, not a file"
    reasons = ["no photo", "the file is empty", "not an image", folder, "no such file", "File name too long"]
    assert [head.error for head in heads[:-1]] == reasons
    assert heads[-1].error


def test_files_with_the_same_bytes_are_found_and_those_that_differ_in_one_byte_are_not(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    long = rng.bytes(20_000)
    # the same size, and the same middle
    files = {"a": long, "b": b"x" * 9, "c": long, "d": long[:-1] + bytes([long[-1] ^ 1]), "e": b"", "f": b"", "g": long}
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    paths = [*(tmp_path / name for name in files), None, None, tmp_path / "none"]
    assert same_content(paths, silent) == [[0, 2, 6]]


def test_the_suggested_size_is_reached_by_nine_of_ten_photos() -> None:
    rng = np.random.default_rng(0)
    for most in (20, 100, 300, 5000):
        sides = pd.Series(rng.integers(10, most, 500).astype("float64"))
        size = suggested_size(sides)
        assert size in SIZES
        assert size == SIZES[0] or (sides >= size).mean() >= 0.9
    assert suggested_size(pd.Series([10.0])) == 32
    assert suggested_size(pd.Series(dtype="float64")) is None


# findings


def test_planted_unreadable_photos_and_reposts_of_the_demo_are_found(demo: Path) -> None:
    found = explore(read_listings(demo)).findings
    truth = pd.read_csv(demo / "truth.csv", keep_default_na=False)
    broken = truth[truth["issues"].str.contains("unreadable")]["id"]
    assert set(broken) == {row["id"] for row in found["unreadable"]["shown"]}
    assert found["unreadable"]["listings"] == len(broken)
    listed = pd.read_csv(demo / "listings.csv")
    digests = [hashlib.sha256((demo / image).read_bytes()).hexdigest() for image in listed["image"]]
    equal = pd.Series(digests).duplicated(keep=False) & ~listed["id"].isin(broken)
    assert found["duplicates"]["listings"] == equal.sum()


def test_classes_that_are_rare_or_smaller_than_the_folds_are_named_with_the_rule(tmp_path: Path) -> None:
    labels = ["a"] * 40 + ["b"] * 40 + ["c"] * 7 + ["d"] * 3 + ["e"] * 40 + ["f"] * 8
    found = look(shop(tmp_path / "shop", labels)).findings
    hints = {row["class"]: row["hint"] for row in found["labels"]["per_class"]}
    # the median of 3, 7, 8, 40, 40, 40 is 24
    assert hints == dict.fromkeys("abcef", "") | {"d": "fewer than 5 listings"}
    labels += ["f"] * 32
    found = look(shop(tmp_path / "more", labels)).findings
    hints = {row["class"]: row["hint"] for row in found["labels"]["per_class"]}
    assert hints["c"] == "less than a fifth of the median class"
    assert "a fifth" in found["labels"]["rule"]
    assert any("2 classes need balancing: d (3), c (7)" in note for note in found["notes"])


def test_prices_of_zero_are_counted_and_left_out_of_the_rest(tmp_path: Path) -> None:
    prices = ["10", "20", "30", "0", "", "5", "5", "5", "0", "0"]
    found = look(shop(tmp_path / "shop", ["a"] * 5 + ["b"] * 5, price=prices)).findings["prices"]
    assert (found["priced"], found["zero"], found["missing"]) == (9, 3, 1)
    a, b = found["per_class"]
    assert (a["priced"], a["zero"], a["least"], a["median"], a["most"]) == (4, 1, 10, 20, 30)
    assert (b["priced"], b["zero"], b["least"], b["median"], b["most"]) == (5, 2, 5, 5, 5)


def test_missing_and_bad_values_are_counted_per_column(tmp_path: Path) -> None:
    labels = ["a", "b"] * 10
    prices, colours = ["cheap", *["3"] * 19], ["red"] * 15 + [""] * 5
    labels[3] = ""
    found = look(shop(tmp_path / "shop", labels, price=prices, colour=colours)).findings
    missing = {row["column"]: row["missing"] for row in found["missing"]}
    assert missing == {"id": 0, "image": 0, "label": 1, "price": 1, "title": 20, "group": 20, "split": 20, "colour": 5}
    assert [(row["column"], row["ids"]) for row in found["bad_values"]] == [("label", ["3"]), ("price", ["0"])]
    assert found["labels"]["without_label"] == 1


def test_the_same_photo_under_different_labels_comes_first(tmp_path: Path) -> None:
    folder = shop(tmp_path / "shop", ["a", "a", "a", "b", "b", "b"])
    photos = folder / "photos"
    photos.joinpath("1.png").write_bytes(photos.joinpath("0.png").read_bytes())
    photos.joinpath("5.png").write_bytes(photos.joinpath("2.png").read_bytes())
    found = look(folder).findings["duplicates"]
    assert (found["groups"], found["listings"], found["with_different_labels"]) == (2, 4, 1)
    assert [row["ids"] for row in found["shown"]] == [["2", "5"], ["0", "1"]]


def test_a_sample_is_mentioned_and_the_same_for_rows_in_another_order(tmp_path: Path) -> None:
    folder = shop(tmp_path / "shop", ["a", "b"] * 20)
    first = look(folder, sample=7)
    table = pd.read_csv(folder / "listings.csv")
    table.sample(frac=1, random_state=1).to_csv(folder / "listings.csv", index=False)
    second = look(folder, sample=7)

    def chosen(found: Exploration) -> set[str]:
        return set(found.listings.table.loc[found.photos.index, "id"])

    assert len(chosen(first)) == 7
    assert chosen(first) == chosen(second) != chosen(look(folder, sample=7, seed=1))
    assert any("a sample: 7 of 40" in note for note in first.findings["notes"])
    assert not any("a sample" in note for note in look(folder, sample=40).findings["notes"])


# the page


def test_the_page_holds_everything_and_asks_nothing_of_the_network(demo: Path, tmp_path: Path) -> None:
    before = contents(demo)
    page = write_page(explore(read_listings(demo)), tmp_path / "look").read_text()
    assert {path.name for path in (tmp_path / "look").iterdir()} == {
        "explore.html", "explore.json", "classes.png", "photos.png", "prices.png",
    }  # fmt: skip
    sources = re.findall(r'(?:src|srcset|href)="([^"]*)"', page)
    assert all(source.startswith("data:image/") for source in sources)
    assert len(sources) > 6 + 12 * 3
    assert contents(demo) == before


def test_many_classes_make_a_small_page_that_shows_photos_of_forty(tmp_path: Path) -> None:
    labels = [f"class {number}" for number in range(150) for _ in range(1 + (number < 60))]
    found = look(shop(tmp_path / "shop", labels, price=np.arange(len(labels)) + 1))
    page = write_page(found, tmp_path / "look")
    assert page.stat().st_size < 2_000_000
    text = page.read_text()
    assert text.count("<h3>class ") == 40
    assert all(f"<td>class {number}</td>" in text for number in range(150))


@pytest.mark.parametrize(
    "columns",
    [
        pytest.param({}, id="no prices and no titles"),
        pytest.param({"price": [""] * 12}, id="an empty price column"),
        pytest.param({"price": ["0"] * 12}, id="nothing but zeros"),
        pytest.param({"price": ["7"] * 12}, id="equal prices"),
        pytest.param({"price": ["0.0001", "1e12", *[""] * 10]}, id="prices far apart"),
    ],
)
def test_any_prices_make_a_page(columns: dict[str, Any], tmp_path: Path) -> None:
    found = look(shop(tmp_path / "shop", ["a", "b"] * 6, **columns))
    write_page(found, tmp_path / "look")
    assert (tmp_path / "look" / "prices.png").exists() == any(
        value not in ("", "0") for value in columns.get("price", [])
    )


def test_one_class_odd_names_and_odd_or_unreadable_photos_make_a_page(tmp_path: Path) -> None:
    name = "$5 <b>{{ x }}</b> 日本\nlong " + "x" * 200
    folder = shop(tmp_path / "shop", [name] * 12)
    odd = write_odd_photos(folder / "photos")
    table = pd.read_csv(folder / "listings.csv")
    table["image"] = [f"photos/{photo}" for photo in [*odd, "0.png", "0.png", "0.png"]]
    table.to_csv(folder / "listings.csv", index=False)
    found = look(folder)
    assert found.findings["labels"]["classes"] == 1
    text = write_page(found, tmp_path / "look").read_text()
    assert "&lt;b&gt;{{ x }}&lt;/b&gt;" in text
    for photo in (folder / "photos").iterdir():
        photo.write_bytes(b"no photo")
    found = look(folder)
    assert found.findings["photos"]["suggested_size"] is None
    assert "No photo could be read." in write_page(found, tmp_path / "look").read_text()
    # the plot of the earlier look is gone with it
    assert not (tmp_path / "look" / "photos.png").exists()


def test_files_without_pixels_make_a_page_and_reasons_that_differ_in_numbers_are_one(tmp_path: Path) -> None:
    folder = shop(tmp_path / "shop", ["lamp", "sofa"] * 6)
    (folder / "photos" / "0.png").write_bytes(b"GRIB\0\0\0\1" + bytes(99))
    for number, height in ((1, 8800), (2, 9900)):
        header = (16_000).to_bytes(4, "big") + height.to_bytes(4, "big") + bytes([1, 0, 0, 0, 0])
        chunks = [
            len(content).to_bytes(4, "big") + kind + content + zlib.crc32(kind + content).to_bytes(4, "big")
            for kind, content in ((b"IHDR", header), (b"IDAT", b""), (b"IEND", b""))
        ]
        (folder / "photos" / f"{number}.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(chunks))
    found = look(folder)
    reasons = found.findings["unreadable"]["reasons"]
    assert reasons == {"Pillow does not decode GRIB files": 1, "it has … megapixels (… x …), more than … megapixels": 2}
    assert "Pillow does not decode GRIB files" in write_page(found, tmp_path / "look").read_text()


# the command


def test_the_table_and_the_json_say_the_same(here: Path) -> None:
    before = contents(here / "shop")
    said = done("explore", "shop").stdout
    assert "shop: 30 listings in 3 classes" in said
    assert "Page: explore/shop/explore.html" in said
    assert "Next: curate find-issues shop" in said
    again = json.loads(done("explore", "shop", "--json", "--output", "elsewhere").stdout)
    assert all(note in said for note in again["notes"])
    assert again == json.loads(Path("explore/shop/explore.json").read_text())
    assert again == json.loads(Path("elsewhere/explore.json").read_text())
    assert contents(here / "shop") == before


def test_a_later_look_replaces_an_earlier_one_and_leaves_other_files(here: Path) -> None:
    done("explore", "shop")
    Path("explore/shop/notes.txt").write_text("mine")
    first = contents(Path("explore"))
    done("explore", "shop")
    assert contents(Path("explore")) == first
    assert not list(Path("explore").glob(".*"))


def test_a_folder_of_something_else_is_refused(here: Path) -> None:
    Path("mine").mkdir()
    Path("mine/explore.json").write_text('{"made_by": "me"}')
    assert_refused(
        here, "explore", "shop", "--output", "mine", match=r"a folder that holds 'explore\.json'; wanted a new"
    )
    assert_refused(here, "explore", "shop", "--output", "shop", match="can't write to shop: got a folder that holds")
    assert_refused(here, "explore", "shop", "--output", "probs.csv", match="got a file; wanted a new or empty folder")


def test_a_folder_that_would_become_a_class_is_refused(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a", "b"):
        (here / "folders" / name).mkdir(parents=True)
        Image.new("RGB", (8, 8)).save(here / "folders" / name / "0.png")
    monkeypatch.chdir(here / "folders")
    assert_refused(here, "explore", ".", match="got a folder inside the dataset")


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        (["shopp"], "there is no such dataset: got shopp"),
        (["shop", "--column", "label"], "--column needs two names"),
        (["shop", "--sample", "0"], "the sample is too small: got 0; wanted 1 photo or more"),
    ],
)
def test_what_can_not_be_looked_at_is_refused(arguments: list[str], match: str, here: Path) -> None:
    assert_refused(here, "explore", *arguments, match=match)
