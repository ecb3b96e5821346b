"""Texts that a spreadsheet writes as formulas, e.g. ``="00001"``, read as the texts they show."""

from __future__ import annotations

from collections.abc import Sequence

from curation.rendering.words import agree, many
from training.utils.formulas import is_text_formula, text_of_formula

__all__ = ["shown_cells"]


def shown_cells(name: str, columns: Sequence[list[str | None]]) -> tuple[list[list[str | None]], tuple[str, ...]]:
    """Return the cells of a CSV as a spreadsheet shows them, where they are texts written as formulas.

    Parameters
    ----------
    name : str
        Of the file, for the note.
    columns : sequence of list of str
        The cells as they were written; None for one that a short row lacks.

    Returns
    -------
    columns : list of list of str
    notes : tuple of str
        A sentence that counts them, if there are any.
    """
    shown, found = list(columns), list[str]()
    for place, column in enumerate(columns):
        formulas = [cell for cell in column if cell and cell[0] == "=" and is_text_formula(cell)]
        if formulas:
            shown[place] = [cell and text_of_formula(cell) for cell in column]
            found += formulas
    if not found:
        return shown, ()
    count, example = len(found), text_of_formula(found[0])
    return shown, (
        f"{name}: {many(count, 'cell')} {agree(count, 'is a text', 'are texts')} written as "
        f"{agree(count, 'a formula', 'formulas')} of Excel, e.g. {found[0]} is {example!r}.",
    )
