"""Names of photos in place of ids: each is the listing that alone has that photo."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath

import pandas as pd

__all__ = ["ids_of_photos", "names_of_photos"]


def names_of_photos(table: pd.DataFrame) -> dict[str, str]:
    """Return the photo of each listing that has one, as its table names it: a fetched one by its URL, without a query.

    Parameters
    ----------
    table : DataFrame
        Of :class:`curation.listings.Listings`.

    Examples
    --------
    >>> table = pd.DataFrame({"id": ["a", "b"], "image": ["/cache/0a1b.jpg", "2.jpg"]})
    >>> names_of_photos(table.assign(fetched_from=["https://shop.com/1.jpg?w=500", None]))
    {'a': 'https://shop.com/1.jpg', 'b': '2.jpg'}
    """
    names = table["image"]
    if "fetched_from" in table:
        names = table["fetched_from"].str.partition("?")[0].where(table["fetched_from"].notna(), names)
    there = table["image"].notna()
    return dict(zip(table["id"][there].tolist(), names[there].tolist(), strict=True))


def ids_of_photos(names: Iterable[str], photos: Mapping[str, str]) -> dict[str, str]:
    r"""Return the listing of each name, if all of them are names of photos, and each fits one listing; empty otherwise.

    They are compared as they are, then without their folders, then without their endings, too.

    Parameters
    ----------
    names : iterable of str
        The names.
    photos : mapping of str to str
        Id → its photo.

    Examples
    --------
    >>> ids_of_photos(["C:\\x\\1.jpg", "2.jpg"], {"L1": "photos/1.jpg", "L2": "photos/2.jpg"})
    {'C:\\x\\1.jpg': 'L1', '2.jpg': 'L2'}
    >>> ids_of_photos(["1.jpg"], {"L1": "a/1.jpg", "L2": "b/1.jpg"})
    {}
    """
    wanted = list(dict.fromkeys(names))
    for short in (_whole, _name, _stem):
        owners: dict[str, list[str]] = {}
        for id, photo in photos.items():
            owners.setdefault(short(photo), []).append(id)
        found = {name: owners.get(short(name), []) for name in wanted}
        if found and all(len(ids) == 1 for ids in found.values()):
            named = {name: ids[0] for name, ids in found.items()}
            # a.jpg and b/a.jpg may be two photos
            return named if len(set(named.values())) == len(named) else {}
    return {}


def _whole(name: str) -> str:
    return str(PurePosixPath(name.replace("\\", "/")))


def _name(name: str) -> str:
    return PurePosixPath(_whole(name)).name.casefold()


def _stem(name: str) -> str:
    return PurePosixPath(_name(name)).stem
