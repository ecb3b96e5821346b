"""One label for each listing: merged spellings, lists, hierarchies."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from curation import read_listings
from curation.errors import ListingsError
from curation.listings import Listings


def read(labels: list[object], **options: object) -> Listings:
    table = pd.DataFrame({"id": [f"i{row}" for row in range(len(labels))], "label": labels})
    return read_listings(table, needs_image=False, **options)


def declared(folder: Path, labels: list[str], declaration: str) -> Listings:
    rows = pd.DataFrame({"id": [f"i{row}" for row in range(len(labels))], "label": labels})
    rows.to_csv(folder / "listings.csv", index=False)
    (folder / "dataset.toml").write_text(declaration, encoding="utf-8")
    return read_listings(folder, needs_image=False)


def test_twins_are_said_in_one_line_with_counts_and_how_to_merge_them():
    listings = read(["Mouse", "Mouse", "mouse", "Router", "Router\u200b", "desk"])
    assert listings.classes == ("Mouse", "Router", "Router\u200b", "desk", "mouse")
    assert listings.notes == (
        "2 classes are probably written in several ways: Mouse (2) and mouse (1), Router (1) and Router\\u200b (1). "
        "Merge them with `merge_labels=True`; until then they count as one class where labels are judged, and none is "
        "suggested for another.",
    )
    assert listings.merged == ()


def test_merging_gives_all_spellings_the_most_frequent_one_and_keeps_what_they_were():
    listings = read(["Mouse", "Mouse", "mouse", "mice", None, "desk", "desk", "lamp"], merge_labels=True)
    assert listings.classes == ("Mouse", "desk", "lamp")
    assert [(each.old, each.new, each.listings) for each in listings.merged] == [
        ("mice", "Mouse", 1),
        ("mouse", "Mouse", 1),
    ]
    assert listings.table["label"].tolist()[:4] == ["Mouse"] * 4
    assert listings.table["unmerged_label"].tolist()[:4] == ["Mouse", "Mouse", "mouse", "mice"]
    assert "Labels merged: mice → Mouse (1), mouse → Mouse (1); 2 listings in all." in listings.notes
    assert listings.raw is not None
    assert listings.raw.table["label"].tolist()[:4] == ["Mouse", "Mouse", "mouse", "mice"]


def test_without_twins_nothing_is_merged_and_that_is_said():
    listings = read(["lamp", "desk"], merge_labels=True)
    assert listings.merged == ()
    assert "unmerged_label" not in listings.table
    assert listings.notes == ("No two labels are spellings of one name, so nothing was merged.",)


def test_two_spellings_of_one_name_are_one_class_if_they_are_merged():
    with pytest.raises(ListingsError, match="has one class only"):
        read(["Lamp", "lamp"], merge_labels=True)


def test_a_declaration_maps_labels_also_of_different_words(tmp_path):
    map = '[labels]\n"notebook" = "laptop"\n"Ca\u0302ble" = "cable"\n'
    listings = declared(tmp_path, ["notebook", "laptop", "Câble", "desk"], map)
    assert listings.classes == ("cable", "desk", "laptop")
    assert {(each.old, each.new) for each in listings.merged} == {("notebook", "laptop"), ("Câble", "cable")}


@pytest.mark.parametrize("name", ["N/A", "NA", "None", "#N/A", "-", "unknown", "<null>"])
def test_a_label_that_may_stand_for_none_is_mentioned_and_can_be_declared_to(tmp_path, name):
    labels = ["lamp", "desk", "lamp", "desk", "lamp", name]
    (note,) = read(labels).notes
    assert note.startswith(f"1 listing has a label that may stand for none: {name} (1). If so, write")
    listings = declared(tmp_path, labels, f'[labels]\n"{name}" = ""\n')
    assert listings.classes == ("desk", "lamp")
    assert listings.table["label"].isna().tolist() == [False] * 5 + [True]
    assert listings.problems["why"].tolist() == ["is missing"]
    assert declared(tmp_path, labels, f'[labels]\n"{name}" = "{name}"\n').notes == ()


@pytest.mark.parametrize(
    ("map", "message"),
    [
        ('"mouze" = "mice"', r"\[labels\] names a label that no listing has: got 'mouze'.*Did you mean 'mouse'\?"),
        (
            '"mouse" = "desk"\n"desk" = "lamp"',
            r"not one step: got 'mouse' = 'desk' and 'desk' = 'lamp'.*Write",
        ),
        ('"mouse" = "desk"\n"desk" = "mouse"', r"not one step.*Take one of the two lines out"),
        ('"mouse" = 3', r"'labels' must be a table of text"),
    ],
)
def test_a_map_that_means_nothing_is_refused(tmp_path, map, message):
    with pytest.raises(ListingsError, match=message):
        declared(tmp_path, ["mouse", "desk", "lamp"], f"[labels]\n{map}\n")


@pytest.mark.parametrize(
    ("labels", "got"),
    [
        ([["lamp", "desk"], ["lamp"], ["desk"]], r"""got '\["lamp", "desk"\]' \(1\)"""),
        (["['lamp', 'desk']", "['lamp']", "['desk']"], r"got \"\['lamp', 'desk'\]\" \(1\)"),
        (["['lamp' 'desk']", "lamp", "desk"], r"got "),
        (["{lamp,desk}", "{lamp}", "{desk}"], r"got '\{lamp,desk\}' \(1\)"),
        (["lamp|desk", "lamp", "desk"], r"got 'lamp\|desk' \(1\)"),
        (["lamp, desk", "Lamp", "desk"], r"got 'lamp, desk' \(1\)"),
        (["lamp; desk", "lamp", "desk"], r"got 'lamp; desk' \(1\)"),
        (
            ["lamp|used", "desk|used", "lamp", "desk"],
            r"^2 listings have.*'desk\|used' \(1\), 'lamp\|used' \(1\)",
        ),
    ],
)
def test_lists_of_labels_are_refused_with_what_to_do(labels, got):
    with pytest.raises(ListingsError, match=got) as caught:
        read(labels)
    for part in ("wanted one label for each listing", "ame each list in dataset.toml, below [labels]"):
        assert part in str(caught.value)


_LISTS = [["men's shoes", "used"], ["lamp"], ["", "desk"], [""], None, "lamp", ["men's shoes"]]
_FIRST = ["men's shoes", "lamp", "desk", None, None, "lamp", "men's shoes"]


def _as_text(write):
    return [write(label) if isinstance(label, list) else label for label in _LISTS]


@pytest.mark.parametrize(
    ("labels", "first"),
    [
        (_LISTS, _FIRST),
        (_as_text(json.dumps), _FIRST),
        (_as_text(repr), _FIRST),
        (_as_text(lambda label: str(np.array(label))), _FIRST),
        (_as_text(lambda label: "{" + ",".join(each or '""' for each in label) + "}"), _FIRST),
        (["{'lamp', 'desk'}", "{'lamp'}", "desk"], ["desk", "lamp", "desk"]),
        (['{"men\'s, shoes",used}', "{lamp}", "desk"], ["men's, shoes", "lamp", "desk"]),
        (["[lamp, desk]", "lamp", "desk"], ["lamp", "lamp", "desk"]),
        (["lamp|desk", "lamp", "desk", None], ["lamp", "lamp", "desk", None]),
        (["lamp, desk", "lamp", "desk", "Cables, adapters"], ["lamp", "lamp", "desk", "Cables, adapters"]),
    ],
)
@pytest.mark.parametrize("form", ["memory", "csv", "jsonl", "parquet"])
def test_the_line_of_pandas_that_a_message_names_makes_one_label_of_each(tmp_path, labels, first, form):
    table = pd.DataFrame({"id": [f"i{row}" for row in range(len(labels))], "label": labels})
    path = tmp_path / f"shop.{form}"
    if form == "csv":
        table.to_csv(path, index=False)
        again = pd.read_csv(path)
    elif form == "jsonl":
        table.to_json(path, orient="records", lines=True)
        again = pd.read_json(path, lines=True)
    elif form == "parquet":
        if any(isinstance(label, list) for label in labels):
            table = table[[not isinstance(label, str) for label in labels]]
            first = [each for each, label in zip(first, labels, strict=True) if not isinstance(label, str)]
        table.to_parquet(path)
        again = pd.read_parquet(path)
    else:
        again = table.copy()
    with pytest.raises(ListingsError) as caught:
        read_listings(table if form == "memory" else path, needs_image=False)
    line = str(caught.value).partition("with pandas: ")[2].partition("; or ")[0]
    exec(line, {"table": again, "pd": pd})
    listings = read_listings(again, needs_image=False, strict=False)
    assert [None if pd.isna(label) else label for label in listings.table["label"]] == first


def test_no_line_is_named_where_none_is_right_for_all_lists():
    labels = ['["lamp", "desk"]', "['lamp' 'desk']", "lamp"]
    with pytest.raises(ListingsError, match=r"wanted one label for each listing\. Name each list in dataset.toml"):
        read(labels)


@pytest.mark.parametrize(
    "labels",
    [
        [{"id": 0, "name": "lamp"}, {"id": 1, "name": "desk"}],
        ['{"id": 0, "name": "lamp"}', '{"id": 1, "name": "desk"}'],
        ["{'id': 0, 'name': 'lamp'}", "desk"],
        [{"id": 0, "label": "lamp"}, {"id": 1, "label": "desk"}],
        [[{"name": "lamp"}], [{"name": "desk"}]],
        [{"name": "lamp"}, [{"name": "desk"}]],
        ["[{'name': 'lamp'}]", "desk"],
        [[{"name": "lamp"}], ["desk"]],
    ],
)
@pytest.mark.parametrize("form", ["memory", "jsonl"])
def test_an_object_is_no_label_and_the_line_that_is_named_takes_its_name(tmp_path, labels, form):
    table = pd.DataFrame({"id": ["a", "b"], "label": labels})
    path = tmp_path / "shop.jsonl"
    table.to_json(path, orient="records", lines=True)
    with pytest.raises(ListingsError, match=r"an object as a label: got .*\(1\).*; wanted one label") as caught:
        read_listings(table if form == "memory" else path, needs_image=False)
    again = table.copy() if form == "memory" else pd.read_json(path, lines=True)
    exec(str(caught.value).partition("with pandas: ")[2].removesuffix("."), {"table": again, "pd": pd})
    assert read_listings(again, needs_image=False).classes == ("desk", "lamp")


def test_objects_without_a_name_are_to_be_named_in_the_declaration():
    with pytest.raises(ListingsError, match=r"Name the label of each in dataset\.toml"):
        read([{"id": 0}, {"id": 1}])


@pytest.mark.parametrize("label", [[["lamp"]], [["lamp", "new"]], [[]], [{}], [[{"name": "lamp"}]], '[["lamp"]]'])
def test_a_list_with_one_entry_that_is_no_plain_label_is_refused(label):
    with pytest.raises(ListingsError, match=r"1 listing has an object as a label: .*in dataset\.toml"):
        read([label, ["desk"]])


def test_lists_of_objects_in_a_parquet_are_refused_and_may_be_named_in_the_declaration(tmp_path):
    table = pd.DataFrame({"id": ["1", "2"], "label": [[{"name": "lamp"}], [{"name": "desk"}]]})
    table.to_parquet(tmp_path / "shop.parquet")
    with pytest.raises(ListingsError, match="2 listings have an object as a label"):
        read_listings(tmp_path / "shop.parquet", needs_image=False)
    named = "[labels]\n'[{\"name\": \"lamp\"}]' = 'lamp'\n'[{\"name\": \"desk\"}]' = 'desk'\n"
    (tmp_path / "dataset.toml").write_text(f'table = "shop.parquet"\n{named}')
    assert read_listings(tmp_path, needs_image=False).classes == ("desk", "lamp")


def test_a_list_with_one_entry_is_that_entry_and_said(tmp_path):
    listings = read([["lamp"], ["lamp"], ["desk"], [3.0]])
    assert listings.classes == ("3", "desk", "lamp")
    assert listings.notes == (
        'The labels of 4 listings are lists with one entry, such as ["lamp"]; the entry is the label.',
    )
    table = pd.DataFrame({"id": ["1", "2"], "label": [["lamp"], ["desk"]]})
    table.to_parquet(tmp_path / "shop.parquet")
    assert read_listings(tmp_path / "shop.parquet", needs_image=False).classes == ("desk", "lamp")


def test_an_empty_list_is_no_label():
    listings = read([[], *[["lamp"], ["desk"]] * 4])
    assert listings.table["label"].isna().tolist() == [True] + [False] * 8
    assert listings.problems["why"].tolist() == ["is missing"]


@pytest.mark.parametrize(
    "labels",
    [
        ["Cables, adapters", "Cables", "Lamps"],
        ["Games|Consoles", "Games|Video games", "Phones|Home"],
        ["[new]", "(other)", "Cables (2)"],
        ["TV/Video", "TV", "Video"],
    ],
)
def test_a_name_that_only_looks_like_a_list_is_a_label(labels):
    assert read(labels).classes == tuple(sorted(labels))


def test_the_declaration_may_say_what_a_list_means_and_that_a_name_is_no_list(tmp_path):
    labels = ["lamp, desk", "lamp", "desk", "lamp|desk"]
    listings = declared(tmp_path, labels, '[labels]\n"lamp, desk" = "lamp, desk"\n"lamp|desk" = "lamp"\n')
    assert listings.classes == ("desk", "lamp", "lamp, desk")


@pytest.mark.parametrize("separator", [">", " > "])
def test_a_hierarchy_keeps_its_text_and_gets_the_parents(separator):
    labels = ["Games > Consoles", "Games>Video", "A > B > C", "Phones"]
    table = read(labels, label_separator=separator).table
    assert table["label"].tolist() == labels
    assert table["label_parent"].fillna("").tolist() == ["Games", "Games", "A > B", ""]


def test_the_declaration_may_name_the_separator(tmp_path):
    listings = declared(tmp_path, ["Games|Consoles", "Games|Video", "Games"], 'label_separator = "|"\n')
    assert listings.table["label_parent"].fillna("").tolist() == ["Games", "Games", ""]


def test_a_separator_that_no_label_holds_is_refused_with_the_likely_one():
    with pytest.raises(
        ListingsError, match=r"no label holds the separator: got '>'.*Try `label_separator='/'`"
    ) as caught:
        read(["Games/Consoles", "Games/Video"], label_separator=">")
    assert caught.value.parameter == "label_separator"
    with pytest.raises(ListingsError, match="is blank"):
        read(["Games/Consoles", "Games/Video"], label_separator=" ")


def test_a_label_that_nobody_sees_is_none():
    listings = read(["\u200b", *["lamp", "desk"] * 4])
    assert listings.table["label"].isna().sum() == 1
    assert listings.classes == ("desk", "lamp")


def test_spellings_with_blanks_at_the_end_are_twins_and_are_merged(tmp_path):
    labels = ["Video Game", "Video Game", "Video Game ", "lamp", " desk", " desk"]
    note = next(each for each in read(labels).notes if "several ways" in each)
    assert "Video Game (2) and 'Video Game ' (1)" in note
    assert "desk" not in note
    assert "unmerged_label" not in read(labels).table
    listings = read(labels, merge_labels=True)
    assert listings.classes == ("Video Game", "desk", "lamp")
    assert [(each.old, each.new, each.listings) for each in listings.merged] == [("Video Game ", "Video Game", 1)]


def test_a_look_at_lists_of_labels_shows_the_classes_of_their_first_entries():
    listings = read([["lamp", "used"], ["desk"], [""], ["desk"], ["desk"], ["lamp"]], strict=False)
    assert len(listings.faults) == 1
    assert listings.classes == ("desk", "lamp")
    assert listings.table["label"].isna().tolist() == [False, False, True, False, False, False]
    assert read(["lamp|desk", "lamp", "desk"], strict=False).classes == ("desk", "lamp")


def test_a_last_level_may_stand_for_no_label():
    notes = read(["Home > Lamp", "Home > n/a", "Desk"], label_separator=">").notes
    assert any("may stand for none: Home > n/a (1)" in note and "beside the table" in note for note in notes)


def test_a_declaration_beside_a_table_is_used_if_it_names_that_table(tmp_path):
    table = pd.DataFrame({"id": ["a", "b", "c"], "label": ["lamp", "desk", "N/A"]})
    for name in ("export", "other"):
        table.to_csv(tmp_path / f"{name}.csv", index=False)
    (tmp_path / "dataset.toml").write_text('name = "shop"\ntable = "export.csv"\n[labels]\n"N/A" = ""\n')
    named = read_listings(tmp_path / "export.csv", needs_image=False, strict=False)
    assert (named.source.name, named.classes) == ("shop", ("desk", "lamp"))
    other = read_listings(tmp_path / "other.csv", needs_image=False)
    assert (other.source.name, other.classes) == ("other", ("N/A", "desk", "lamp"))


def test_line_ends_and_blanks_that_do_not_break_are_shown_in_notes_and_never_become_the_name_of_a_class() -> None:
    labels = ["game box", "game\xa0box", "game\nbox", "lamp"]
    assert any(r"game box (1), game\nbox (1) and game\xa0box (1)" in note for note in read(labels).notes)
    merged = read(labels, merge_labels=True)
    assert merged.classes == ("game box", "lamp")
    assert any(r"game\nbox → game box (1), game\xa0box → game box (1)" in note for note in merged.notes)
