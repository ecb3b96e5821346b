"""Makes links of the names that docstrings mark for Sphinx, such as ``:func:`read_listings```, in the reference."""

from __future__ import annotations

import re
from typing import Any

import griffe

import curation


class Roles(griffe.Extension):
    """Rewrites each docstring when it is read."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Lead to the entry of a public name, and show other names as they stand."""
        if obj.docstring:
            obj.docstring.value = re.sub(r":\w+:`([\w.]+)`", lambda role: shown(role[1], obj), obj.docstring.value)


def shown(name: str, where: griffe.Object) -> str:
    """Return Markdown of a name in the docstring of an object."""
    first, *rest = name.removeprefix("curation.").split(".")
    if first in curation.__all__:
        return f"[`{name}`][curation.{'.'.join([first, *rest])}]"
    if not rest and where.is_function and where.parent and where.parent.is_class:
        # the methods of a run are written in several classes
        owner = where.parent.name if where.parent.name in curation.__all__ else "Run"
        return f"[`{name}`][curation.{owner}.{name}]"
    return f"`{name}`"
