"""Folders of photos that were misread or refused once, each with others of its kind."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

from curation.errors import ListingsError
from curation.fixes import apply_fixes, plan_fixes
from curation.listings import Listings, read_listings
from tests.support.fixes import decided, run_of

CLASSES = ("cable", "mouse", "router")


def draw(folder: Path, *names: str, kind: str = "PNG") -> None:
    for number, name in enumerate(names):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (4, 4), (number * 9, 0, 0)).save(path, kind)


def class_folders(folder: Path, prefix: str = "", photos: int = 2) -> None:
    draw(folder, *[f"{prefix}{label}/{number}.png" for label in CLASSES for number in range(photos)])


def counts(listings: Listings, column: str = "label") -> dict[str, int]:
    return listings.table[column].value_counts().sort_index().to_dict()


@pytest.mark.parametrize(
    "names",
    [
        ("train", "val", "test"),
        ("Train", "Valid", "TEST"),
        ("training", "validation", "testing"),
        ("seg_train", "seg_dev", "seg_test"),
        ("train2017", "val2017", "test2017"),
        ("train_images", "val_images", "test_images"),
    ],
)
def test_01_val_folder(names: tuple[str, str, str], tmp_path: Path) -> None:
    for name in names:
        class_folders(tmp_path, f"{name}/")
    listings = read_listings(tmp_path)
    assert counts(listings) == dict.fromkeys(CLASSES, 6)
    assert counts(listings, "split") == {"test": 6, "train": 12}
    assert any(f"6 listings of {names[1]} are trained on like train" in note for note in listings.notes)


def test_two_splits_are_splits_without_a_third(tmp_path: Path) -> None:
    for name in ("train", "valid"):
        class_folders(tmp_path, f"{name}/")
    assert counts(read_listings(tmp_path)) == dict.fromkeys(CLASSES, 4)


def test_splits_that_kaggle_packs_twice_are_splits(tmp_path: Path) -> None:
    for name in ("seg_train", "seg_test"):
        class_folders(tmp_path, f"{name}/{name}/")
    assert counts(read_listings(tmp_path)) == dict.fromkeys(CLASSES, 4)


def test_a_folder_of_photos_to_predict_beside_the_splits_is_counted_and_left_out(tmp_path: Path) -> None:
    for name in ("seg_train", "seg_test"):
        class_folders(tmp_path, f"{name}/")
    draw(tmp_path, "seg_pred/1.png", "seg_pred/2.png")
    listings = read_listings(tmp_path)
    assert counts(listings) == dict.fromkeys(CLASSES, 4)
    assert any("2 photos in seg_pred left out" in note for note in listings.notes)


def test_a_class_that_is_called_like_a_split_stays_a_class(tmp_path: Path) -> None:
    draw(tmp_path, "train/1.png", "train/2.png", "bus/1.png", "car/1.png")
    assert counts(read_listings(tmp_path)) == {"bus": 1, "car": 1, "train": 2}


JUNK = ["__MACOSX", "@eaDir", ".ipynb_checkpoints", ".git", "#recycle", ".thumbnails"]


def test_runs_that_were_made_in_the_folder_are_no_class_and_no_table_of_it(tmp_path: Path) -> None:
    run = tmp_path / "runs/shop/1"
    draw(run, "cleaned/images/0.png", "cleaned/cable/1.png")
    for name in ("run.json", "listings.parquet"):
        (run / name).write_bytes(b"{}")
    class_folders(tmp_path)
    listings = read_listings(tmp_path)
    assert counts(listings) == dict.fromkeys(CLASSES, 2)
    assert f"{tmp_path / 'runs'} left out, for it holds runs of curate." in listings.notes


def test_runs_beside_a_table_or_parts_of_one_do_not_change_what_is_read(tmp_path: Path) -> None:
    for folder in (tmp_path / "table", tmp_path / "parts"):
        draw(folder, "images/0.png", "images/1.png", "runs/shop/1/cleaned/images/0.png")
        for name in ("run.json", "listings.parquet"):
            (folder / "runs/shop/1" / name).write_bytes(b"{}")
    table = pd.DataFrame({"id": ["0", "1"], "image": ["images/0.png", "images/1.png"], "label": ["cable", "mouse"]})
    (tmp_path / "table/shop.json").write_text(table.to_json(orient="records"), encoding="utf-8")
    for number in (0, 1):
        table[number : number + 1].to_parquet(tmp_path / f"parts/part-{number}.parquet")
    for folder in ("table", "parts"):
        assert counts(read_listings(tmp_path / folder)) == {"cable": 1, "mouse": 1}


def test_a_class_that_is_called_runs_is_one(tmp_path: Path) -> None:
    draw(tmp_path, "runs/0.png", "walks/0.png")
    assert counts(read_listings(tmp_path)) == {"runs": 1, "walks": 1}


@pytest.mark.parametrize("junk", JUNK)
@pytest.mark.parametrize("level", ["", "train/", "train/cable/"], ids=["top", "split", "class"])
def test_02_macos_zip(junk: str, level: str, tmp_path: Path) -> None:
    class_folders(tmp_path, "train/")
    class_folders(tmp_path, "test/")
    draw(tmp_path, f"{level}{junk}/cable/0.png", f"{level}{junk}/1.png")
    listings = read_listings(tmp_path)
    assert counts(listings) == dict.fromkeys(CLASSES, 4)
    assert f"2 files of the system skipped: {junk} (2)." in listings.notes


def test_03_exfat_dot_underscore(tmp_path: Path) -> None:
    class_folders(tmp_path)
    for photo in list(tmp_path.rglob("*.png")):
        photo.with_name(f"._{photo.name}").write_bytes(b"\0\5\x16\7")
    listings = read_listings(tmp_path)
    assert counts(listings) == dict.fromkeys(CLASSES, 2)
    assert "6 files of the system skipped: ._* (6)." in listings.notes


def test_04_hidden_and_nas_folders(tmp_path: Path) -> None:
    class_folders(tmp_path)
    for label in CLASSES:
        draw(tmp_path, f"{label}/.ipynb_checkpoints/0-checkpoint.png", f"{label}/@eaDir/0.png/SYNOPHOTO_THUMB_M.png")
        (tmp_path / label / "Thumbs.db").write_bytes(b"x")
    listings = read_listings(tmp_path)
    assert counts(listings) == dict.fromkeys(CLASSES, 2)
    assert [note for note in listings.notes if "skipped" in note] == [
        "9 files of the system skipped: .ipynb_checkpoints (3), @eaDir (3), Thumbs.db (3)."
    ]


@pytest.mark.parametrize(
    ("ending", "kind"),
    [(".jfif", "JPEG"), (".JPE", "JPEG"), (".avif", "AVIF"), (".webp", "WEBP"), (".tif", "TIFF"), (".bmp", "BMP")],
)
def test_05_skipped_endings(ending: str, kind: str, tmp_path: Path) -> None:
    class_folders(tmp_path)
    draw(tmp_path, f"webcam/1{ending}", f"webcam/2{ending}", kind=kind)
    (tmp_path / "mouse" / "3.heic").write_bytes(b"x")
    (tmp_path / "mouse" / "notes.txt").write_bytes(b"x")
    listings = read_listings(tmp_path)
    assert counts(listings) == {**dict.fromkeys(CLASSES, 2), "webcam": 2}
    assert "2 files left out, for they are no photo here: mouse: 1 .heic, 1 .txt." in listings.notes


def test_a_class_that_would_vanish_is_refused_with_its_endings(tmp_path: Path) -> None:
    class_folders(tmp_path)
    (tmp_path / "webcam").mkdir()
    (tmp_path / "webcam" / "1.heic").write_bytes(b"x")
    with pytest.raises(ListingsError, match=r"the class 'webcam' would vanish.*got 1 \.heic"):
        read_listings(tmp_path)


@pytest.mark.parametrize("name", [b"caf\xe9.png", b"\xff\xfe.png", "Kabel-ü".encode("latin-1") + b".png"])
def test_11_latin1_file_name(name: bytes, tmp_path: Path) -> None:
    class_folders(tmp_path)
    (tmp_path / "mouse" / "1.png").rename(os.fsdecode(os.fsencode(tmp_path) + b"/mouse/" + name))
    listings = read_listings(tmp_path)
    assert counts(listings) == dict.fromkeys(CLASSES, 2)
    assert listings.problems.empty
    odd = [id for id in listings.table["id"] if "\\x" in id]
    assert len(odd) == 1
    assert odd[0].isprintable()


def test_a_class_folder_whose_name_is_not_utf8_is_a_class(tmp_path: Path) -> None:
    class_folders(tmp_path)
    (tmp_path / "mouse").rename(os.fsdecode(os.fsencode(tmp_path) + b"/c\xe2ble"))
    listings = read_listings(tmp_path)
    assert counts(listings) == {"cable": 2, "c\\xe2ble": 2, "router": 2}
    assert listings.problems.empty


@pytest.mark.parametrize("name", ["metadata.jsonl", "metadata.csv", "metadata.parquet"])
@pytest.mark.parametrize("place", ["", "train/"])
@pytest.mark.parametrize("column", ["file_name", "image_file_name"])
def test_16_metadata_jsonl(name: str, place: str, column: str, tmp_path: Path) -> None:
    draw(tmp_path, *[f"{place}images/{number}.png" for number in range(6)], f"{place}thumbs/0.png")
    table = pd.DataFrame(
        {
            column: [f"images/{number}.png" for number in range(6)],
            "label": [CLASSES[number % 3] for number in range(6)],
        }
    )
    path = tmp_path / place / name
    if name.endswith("csv"):
        table.to_csv(path, index=False)
    elif name.endswith("jsonl"):
        path.write_text("\n".join(json.dumps(row) for row in table.to_dict("records")))
    else:
        table.to_parquet(path)
    listings = read_listings(tmp_path)
    assert counts(listings) == dict.fromkeys(CLASSES, 2)
    assert listings.problems.empty


def test_metadata_in_several_splits_is_one_table(tmp_path: Path) -> None:
    for split in ("test", "train", "validation"):
        draw(tmp_path, *[f"{split}/{number}.png" for number in range(3)])
        rows = [{"file_name": f"{number}.png", "label": CLASSES[number]} for number in range(3)]
        pd.DataFrame(rows).to_csv(tmp_path / split / "metadata.csv", index=False)
    listings = read_listings(tmp_path)
    assert counts(listings) == dict.fromkeys(CLASSES, 3)
    assert counts(listings, "split") == {"test": 3, "train": 6}
    assert listings.table["id"].is_unique


def test_metadata_without_names_of_photos_is_refused(tmp_path: Path) -> None:
    class_folders(tmp_path)
    pd.DataFrame({"picture": ["1.png"], "label": ["a"]}).to_csv(tmp_path / "metadata.csv", index=False)
    with pytest.raises(
        ListingsError, match=r"metadata\.csv names no photos: got picture, label; wanted a column file_name"
    ):
        read_listings(tmp_path)


def test_a_table_beside_class_folders_is_named(tmp_path: Path) -> None:
    class_folders(tmp_path)
    (tmp_path / "notes.csv").write_text("a,b\n1,2\n")
    listings = read_listings(tmp_path)
    assert counts(listings) == dict.fromkeys(CLASSES, 2)
    assert "The classes are the folders; notes.csv is not read." in listings.notes
    (tmp_path / "test.csv").write_text("a,b\n1,2\n")
    assert "The classes are the folders; notes.csv, test.csv are not read." in read_listings(tmp_path).notes


def test_several_tables_without_class_folders_are_refused_by_their_names(tmp_path: Path) -> None:
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text("id,image,label\n1,1.png,a\n")
    with pytest.raises(ListingsError, match=r"Name one of its tables: .*a\.csv, .*b\.csv"):
        read_listings(tmp_path)


def metadata(path: Path, photos: list[str], **columns: list[str]) -> None:
    table = pd.DataFrame(
        {"file_name": photos, "label": [CLASSES[place % 3] for place in range(len(photos))], **columns}
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    table.to_csv(path, index=False)


def test_metadata_at_the_root_and_in_a_folder_is_one_table_if_the_photos_differ(tmp_path: Path) -> None:
    draw(tmp_path, "0.png", "1.png", "train/0.png", "train/1.png")
    metadata(tmp_path / "metadata.csv", ["0.png", "1.png"], id=["a", "b"])
    metadata(tmp_path / "train" / "metadata.csv", ["0.png", "1.png"])
    listings = read_listings(tmp_path)
    assert listings.table["id"].tolist() == ["a", "b", "train/0.png", "train/1.png"]
    assert counts(listings) == {"cable": 2, "mouse": 2}


def test_two_metadata_files_that_describe_the_same_photos_are_refused_by_their_names(tmp_path: Path) -> None:
    draw(tmp_path, "train/0.png", "train/1.png")
    metadata(tmp_path / "metadata.csv", ["train/1.png", "./train/0.png"])
    metadata(tmp_path / "train" / "metadata.csv", ["0.png", "1.png"])
    with pytest.raises(
        ListingsError, match=r"^metadata\.csv and train/metadata\.csv describe the same photos: got trai"
    ):
        read_listings(tmp_path)


@pytest.mark.parametrize("strict", [True, False])
def test_a_column_image_beside_file_name_keeps_its_cells_under_another_name(strict: bool, tmp_path: Path) -> None:
    draw(tmp_path, "0.png", "1.png", "2.png")
    metadata(tmp_path / "metadata.csv", ["0.png", "1.png", "2.png"], image=["x", "y", "z"], input_image=["1", "2", "3"])
    listings = read_listings(tmp_path, strict=strict)
    assert listings.table["image"].tolist() == ["0.png", "1.png", "2.png"]
    assert listings.table["input_input_image"].tolist() == ["x", "y", "z"]
    assert listings.table["input_image"].tolist() == ["1", "2", "3"]
    assert listings.raw.files[0].header == ("file_name", "label", "image", "input_image")


def test_rows_of_metadata_are_numbered_as_a_person_counts_them(tmp_path: Path) -> None:
    photos = [f"{number}.png" for number in range(6)]
    draw(tmp_path, *photos)
    metadata(tmp_path / "metadata.csv", [*photos[:5], "gone.png"])
    assert read_listings(tmp_path).problems["row"].tolist() == [7]


@pytest.mark.parametrize("names", [("train/metadata.csv",), ("train/metadata.csv", "test/metadata.csv")])
def test_messages_name_the_metadata_file_and_the_row_in_it(names: tuple[str, ...], tmp_path: Path) -> None:
    for name in names:
        draw(tmp_path / Path(name).parent, "0.png", "1.png")
        metadata(tmp_path / name, ["0.png", "1.png"], id=["same", "same"])
    row = "2" if len(names) == 1 else "2 of train/metadata.csv"
    with pytest.raises(ListingsError, match=rf"{', '.join(names)} has duplicate ids: got same in row {row} \(image"):
        read_listings(tmp_path)


def test_one_listing_of_a_validation_set_is_trained_on(tmp_path: Path) -> None:
    draw(tmp_path, "train/a/1.png", "train/b/1.png", "val/a/1.png")
    assert any(note.startswith("1 listing of val is trained on") for note in read_listings(tmp_path).notes)


@pytest.mark.parametrize(
    ("extra", "match"),
    [
        (["test/a/1.png", "extra/a/1.png", "extra/b/1.png"], "'extra' is no split, and no class beside train and test"),
        (["tr/a/1.png"], "'tr' is no split, and no class beside train: got folders of photos in it: a;"),
        (["bus/red/1.png"], "'bus' is no split.*Move its photos into train, or the folder elsewhere"),
    ],
)
def test_a_folder_of_classes_beside_splits_is_refused(extra: list[str], match: str, tmp_path: Path) -> None:
    draw(tmp_path, "train/a/1.png", "train/b/1.png", *extra)
    with pytest.raises(ListingsError, match=match):
        read_listings(tmp_path)


def test_parts_without_names_of_splits_are_refused(tmp_path: Path) -> None:
    draw(tmp_path, *[f"{part}/{label}/1.png" for part in ("fold1", "fold2") for label in "ab"])
    with pytest.raises(ListingsError, match=r"the same folders.*got a, b in each of fold1, fold2; .*name one of them"):
        read_listings(tmp_path)


def test_class_folders_that_hold_one_folder_of_the_same_name_each_are_classes(tmp_path: Path) -> None:
    draw(tmp_path, "desk/photos/1.png", "lamp/photos/1.png")
    assert counts(read_listings(tmp_path)) == {"desk": 1, "lamp": 1}


@pytest.mark.parametrize(
    ("loose", "said"),
    [
        ("unlabeled/3.png", "1 photo in unlabeled left out, for it lies in no class folder."),
        ("test/3.png", "1 photo in test left out"),
        ("test/test/3.png", "1 photo in test/test left out"),
        ("train/3.png", "1 photo in train left out"),
        ("3.png", "1 photo in shop left out"),
    ],
)
def test_photos_beside_class_folders_are_counted_at_every_level(loose: str, said: str, tmp_path: Path) -> None:
    draw(tmp_path / "shop", "train/a/1.png", "train/b/1.png", loose)
    (tmp_path / "shop" / "docs").mkdir()
    listings = read_listings(tmp_path / "shop")
    assert counts(listings) == {"a": 1, "b": 1}
    assert [note[: len(said)] for note in listings.notes if "left out" in note] == [said]


def test_a_photo_beside_class_folders_without_splits_is_counted(tmp_path: Path) -> None:
    draw(tmp_path / "shop", "a/1.png", "b/1.png", "3.png", "4.png")
    assert "2 photos in shop left out, for they lie in no class folder." in read_listings(tmp_path / "shop").notes


def test_links_to_folders_above_are_skipped_and_counted(tmp_path: Path) -> None:
    draw(tmp_path, "a/1.png", "b/1.png")
    (tmp_path / "b" / "loop").symlink_to(tmp_path)
    listings = read_listings(tmp_path)
    assert listings.table["id"].tolist() == ["a/1.png", "b/1.png"]
    assert f"1 link to a folder above skipped: {tmp_path / 'b' / 'loop'}." in listings.notes


def test_links_that_lead_to_one_another_end(tmp_path: Path) -> None:
    draw(tmp_path, "a/1.png", "b/1.png")
    (tmp_path / "a" / "x").symlink_to(tmp_path / "b")
    (tmp_path / "b" / "y").symlink_to(tmp_path / "a")
    assert read_listings(tmp_path).table["id"].tolist() == ["a/1.png", "a/x/1.png", "b/1.png", "b/y/1.png"]


def test_a_photo_that_links_to_nothing_is_a_bad_row(tmp_path: Path) -> None:
    class_folders(tmp_path)
    (tmp_path / "mouse" / "9.png").symlink_to(tmp_path / "gone.png")
    assert read_listings(tmp_path).problems["id"].tolist() == ["mouse/9.png"]


def test_a_folder_around_the_dataset_is_named(tmp_path: Path) -> None:
    class_folders(tmp_path, "ds/train/")
    class_folders(tmp_path, "ds/test/")
    with pytest.raises(ListingsError, match=rf"one class only.*Did you mean {tmp_path / 'ds'}\?"):
        read_listings(tmp_path)


def test_tables_beside_one_folder_of_photos_are_named(tmp_path: Path) -> None:
    draw(tmp_path, "images/1.png", "images/2.png")
    for name in ("labels.csv", "prices.csv"):
        (tmp_path / name).write_text("id,image,label\n1,images/1.png,a\n2,images/2.png,b\n")
    with pytest.raises(ListingsError, match=r"one class only.*Name its table: .*labels\.csv or .*prices\.csv"):
        read_listings(tmp_path)


def deep_folders(folder: Path, prefix: str = "") -> None:
    draw(
        folder,
        *[f"{prefix}{name}/{number}.png" for name in ("elec/mouse", "elec/router", "acc/cable") for number in "12"],
    )


def test_folders_inside_class_folders_are_counted_and_named(tmp_path: Path) -> None:
    deep_folders(tmp_path)
    draw(tmp_path, "elec/0.png")
    listings = read_listings(tmp_path)
    assert counts(listings) == {"acc": 2, "elec": 5}
    assert (
        "6 photos lie in folders inside the class folders, whose names are not used: acc: cable (2), elec: mouse (2), "
        "router (2). With `label_separator='/'` each folder is a class, e.g. 'acc/cable'."
    ) in listings.notes


@pytest.mark.parametrize("splits", [(), ("train/", "test/")])
def test_with_a_slash_between_levels_each_folder_is_a_class_below_its_parent(
    splits: tuple[str, ...], tmp_path: Path
) -> None:
    for prefix in splits or ("",):
        deep_folders(tmp_path, prefix)
    draw(tmp_path, f"{splits[0] if splits else ''}elec/0.png")
    listings = read_listings(tmp_path, label_separator="/")
    each = 2 * max(1, len(splits))
    assert counts(listings) == {"acc/cable": each, "elec": 1, "elec/mouse": each, "elec/router": each}
    assert counts(listings, "label_parent") == {"acc": each, "elec": 2 * each}
    assert not [note for note in listings.notes if "inside" in note]


def test_a_declaration_of_a_folder_may_say_that_its_levels_are_classes_and_rename_them(tmp_path: Path) -> None:
    deep_folders(tmp_path)
    (tmp_path / "dataset.toml").write_text('label_separator = "/"\n[labels]\n"elec/mouse" = "elec/mice"\n')
    assert counts(read_listings(tmp_path)) == {"acc/cable": 2, "elec/mice": 2, "elec/router": 2}


def test_parents_may_have_classes_of_one_name(tmp_path: Path) -> None:
    draw(tmp_path, *[f"{parent}/{name}/1.png" for parent in ("home", "car") for name in ("lamp", "seat")])
    with pytest.raises(ListingsError, match="the top folders hold the same folders"):
        read_listings(tmp_path)
    listings = read_listings(tmp_path, label_separator="/")
    assert listings.classes == ("car/lamp", "car/seat", "home/lamp", "home/seat")


@pytest.mark.parametrize(("empty", "separator"), [("webcam", None), ("elec/webcam", "/")])
def test_an_empty_class_folder_is_an_error(empty: str, separator: str | None, tmp_path: Path) -> None:
    deep_folders(tmp_path)
    (tmp_path / empty).mkdir()
    with pytest.raises(ListingsError, match=f"the class '{empty}' would vanish: its folder .*got an empty folder"):
        read_listings(tmp_path, label_separator=separator)


def test_an_empty_folder_is_no_class_where_labels_are_not_needed_or_another_split_fills_it(tmp_path: Path) -> None:
    deep_folders(tmp_path / "new")
    (tmp_path / "new" / "webcam").mkdir()
    assert len(read_listings(tmp_path / "new", needs_label=False).table) == 6
    for split in ("train", "test"):
        class_folders(tmp_path / "split", f"{split}/")
    for photo in (tmp_path / "split/test/cable").iterdir():
        photo.unlink()
    assert counts(read_listings(tmp_path / "split")) == {"cable": 2, "mouse": 4, "router": 4}


def test_photos_that_no_row_of_a_folder_names_are_counted(tmp_path: Path) -> None:
    draw(tmp_path, *[f"{number}.png" for number in range(5)], "more/5.png", "masks/m.png", "deep/er/6.png")
    metadata(tmp_path / "metadata.csv", ["0.png", "1.png"], label=["a", "b"], mask=["masks/m.png", ""])
    notes = read_listings(tmp_path).notes
    assert "4 photos are left out, for no row names them: 2.png, 3.png, 4.png, +1 more." in notes


def test_a_photo_is_left_out_whatever_others_with_its_name_are_named(tmp_path: Path) -> None:
    draw(tmp_path, *[f"{folder}/{name}.png" for folder in "abc" for name in ("1", "2")], "masks/1.png")
    metadata(tmp_path / "metadata.csv", ["a/1.png", "a/2.png"], label=["x", "y"], mask=["masks/1.png", "see 2.png"])
    said = [note for note in read_listings(tmp_path).notes if "left out" in note]
    assert said == ["4 photos are left out, for no row names them: b/1.png, b/2.png, c/1.png, +1 more."]


def test_photos_of_a_cell_of_several_are_named_by_their_whole_paths(tmp_path: Path) -> None:
    draw(tmp_path, *[f"{folder}/{name}.png" for folder in "ab" for name in ("1", "2", "3")])
    (tmp_path / "listings.csv").write_text('id,image,label\n1,"a/1.png, A\\2.png",x\n2,"b/1.png|c:/shop/b/3.png",y\n')
    said = [note for note in read_listings(tmp_path).notes if "left out" in note]
    assert said == ["2 photos are left out, for no row names them: a/3.png, b/2.png."]


def test_a_table_that_is_named_itself_is_all_there_is(tmp_path: Path) -> None:
    draw(tmp_path, *[f"photos/{number}.png" for number in range(5)])
    (tmp_path / "shop.csv").write_text("image,label\nphotos/0.png,a\nphotos/1.png,b\n")
    assert not [note for note in read_listings(tmp_path / "shop.csv").notes if "left out" in note]
    said = [note for note in read_listings(tmp_path).notes if "left out" in note]
    assert said == ["3 photos are left out, for no row names them: photos/2.png, photos/3.png, photos/4.png."]


@pytest.mark.parametrize("split", ["", "train/"])
@pytest.mark.parametrize("name", ["metadata.csv", "metadata.jsonl", "metadata.parquet"])
def test_where_metadata_has_no_labels_the_folders_hold_the_classes(name: str, split: str, tmp_path: Path) -> None:
    deep_folders(tmp_path, split)
    photos = [f"{place}/{number}.png" for place in ("elec/mouse", "elec/router", "acc/cable") for number in "12"]
    table = pd.DataFrame({"file_name": photos, "text": [f"a photo of {photo}" for photo in photos]})
    target = tmp_path / split / name
    write = {".csv": table.to_csv, ".parquet": table.to_parquet}.get(target.suffix)
    if write:
        write(target, index=False)
    else:
        table.to_json(target, orient="records", lines=True)
    listings = read_listings(tmp_path)
    assert counts(listings) == {"acc": 2, "elec": 4}
    said = "There is no column of labels, so the folders of the photos are the classes, e.g. 'elec'."
    assert said in listings.notes
    assert counts(read_listings(tmp_path, label_separator="/"), "label_parent") == {"acc": 2, "elec": 4}
    (file,) = listings.raw.files
    assert file.header == ("file_name", "text", "label")
    assert counts(read_listings(tmp_path, columns={"label": "text"})) == dict.fromkeys(table["text"], 1)


def test_blanks_around_the_name_of_a_class_folder_are_no_part_of_the_class_and_stay_in_cleaned(tmp_path: Path) -> None:
    for number, name in enumerate([" sofa", "Floor Lamp ", "desk"] * 3):
        (tmp_path / "in" / name).mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (4, 4), (number * 25, 0, 0)).save(tmp_path / "in" / name / f"{number}.png")
    listings = read_listings(tmp_path / "in")
    assert (listings.classes, listings.notes) == (("Floor Lamp", "desk", "sofa"), ())
    run = run_of(tmp_path / "in", tmp_path / "run")
    run.decide([decided("desk/2.png", "relabel", "sofa"), decided(" sofa/0.png", "relabel", "Floor Lamp")])
    apply_fixes(run, plan_fixes(run))
    photos = {path.relative_to(run.cleaned).as_posix() for path in run.cleaned.rglob("*.png")}
    floor, sofa = {"Floor Lamp /0.png", "Floor Lamp /1.png"}, {" sofa/2.png", " sofa/3.png", " sofa/6.png"}
    assert photos == floor | sofa | {f"Floor Lamp /{n}.png" for n in (4, 7)} | {"desk/5.png", "desk/8.png"}
    assert read_listings(run.cleaned).classes == listings.classes
