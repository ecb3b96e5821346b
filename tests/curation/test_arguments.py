"""Arguments that a function of the library has not itself, but one of its settings has."""

from __future__ import annotations

from typing import Any, cast

import pytest

import curation


@pytest.mark.parametrize(
    ("argument", "where"),
    [("preset", "execution=Execution(preset=...)"), ("epochs", "recipe=Recipe(epochs=...)")],
)
def test_an_option_that_settings_have_is_refused_with_them(argument: str, where: str) -> None:
    find = cast("Any", curation.find_issues)
    with pytest.raises(TypeError) as refused:
        find(None, **{argument: 1})
    assert str(refused.value) == f"find_issues() has no argument '{argument}' of its own: write {where}"


def test_an_argument_that_nothing_has_is_refused_by_python() -> None:
    with pytest.raises(TypeError, match="unexpected keyword argument 'colour'"):
        cast("Any", curation.find_issues)(None, colour=1)
