"""The test set: how large it is, and which listings it may hold."""

import pytest

from curation.listings import read_listings
from tests.curation.evidence.test_prepare import cache, prepare_run, reporter  # noqa: F401


def split_of(folder, rows, cache, reporter):  # noqa: F811
    """Return the prepared table of listings without photos, given as lines of a CSV."""
    (folder / "listings.csv").write_text("\n".join(["id,label,group,split", *rows]) + "\n")
    listings = read_listings(folder / "listings.csv", needs_image=False)
    return prepare_run(folder / "run", listings, cache, reporter).listings()


def test_a_fifth_of_the_listings_is_the_test_set_evenly_over_the_classes(tmp_path, cache, reporter):  # noqa: F811
    table = split_of(tmp_path, [f"{n},{'ab'[n % 2]},," for n in range(100)], cache, reporter)
    test = table["split"] == "test"
    assert test.sum() == 20
    assert table["label"][test].value_counts().tolist() == [10, 10]


@pytest.mark.parametrize(("groups", "chosen"), [(4, 0), (5, 1)])
def test_a_fifth_of_fewer_than_five_groups_is_none(groups, chosen, tmp_path, cache, reporter):  # noqa: F811
    rows = [f"{n},{'ab'[n // groups % 2]},g{n % groups}," for n in range(groups * 6)]
    table = split_of(tmp_path, rows, cache, reporter)
    assert table["group"][table["split"] == "test"].nunique() == chosen


def test_a_test_set_that_the_table_names_is_kept_and_the_rest_may_train(tmp_path, cache, reporter):  # noqa: F811
    table = split_of(tmp_path, [f"{n},{'ab'[n % 2]},,{'test' if n < 3 else ''}" for n in range(40)], cache, reporter)
    assert table["id"][table["split"] == "test"].tolist() == ["0", "1", "2"]
    assert (table["split"] == "train").sum() == 37
