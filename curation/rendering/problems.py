"""Bad cells of a table as text: one line for each kind."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from curation.errors import short_repr
from curation.rendering.words import many

__all__ = ["problem_lines"]

_EXAMPLES = 3


def problem_lines(problems: pd.DataFrame) -> Iterator[str]:
    """Yield one line for each kind of bad cell: how many there are, and three examples.

    Parameters
    ----------
    problems : DataFrame
        One row per bad cell: ``row``, ``id``, ``column``, ``value``, ``why``. May be empty.

    Examples
    --------
    >>> cells = {"row": [2, 9], "id": ["L1", "L8"], "column": "price", "value": ["cheap", "?"], "why": "is not a price"}
    >>> list(problem_lines(pd.DataFrame(cells)))
    ["price is not a price in 2 rows: row 2, id L1, 'cheap'; row 9, id L8, '?'"]
    """
    kinds = problems["column"].astype(str) + " " + problems["why"].astype(str)
    for kind in kinds.unique():
        cells = problems[kinds == kind]
        examples = [
            f"row {bad.row}"
            + (f", id {bad.id}" if bad.id else "")
            + (f", {short_repr(bad.value)}" if bad.value else "")
            for bad in cells.head(_EXAMPLES).itertuples()
        ]
        more = f"; +{len(cells) - _EXAMPLES} more" if len(cells) > _EXAMPLES else ""
        yield f"{kind} in {many(len(cells), 'row')}: {'; '.join(examples)}{more}"
