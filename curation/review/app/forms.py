"""The forms of a review."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import fiftyone.operators.types as types

from curation.rendering.words import amount, many
from curation.review.app.decide import ACCEPT, known_classes
from curation.review.app.following import open_photo
from curation.review.app.look import MANY_CLASSES
from curation.review.app.mirror import look_at, run_of
from curation.review.card import cards_of
from curation.review.journal_state import standing_of
from curation.run.journal import UNDO

__all__ = ["FOR_ALL", "form_for_all", "new_class_form", "note_form", "price_form", "relabel_form"]

#: What the form for all photos shown offers.
FOR_ALL = {
    "keep": "Keep",
    ACCEPT: "Accept suggestion",
    "reprice": "Set the price that would fit",
    "ambiguous": "Several labels fit",
    "delete": "Delete",
    UNDO: "Undo",
}


def relabel_form(ctx: Any, samples: Sequence[str]) -> Any:
    """Return the form with the classes, likely ones first.

    Parameters
    ----------
    ctx : fiftyone.operators.ExecutionContext
    samples : sequence of str
        FiftyOne's ids of the photos to relabel; if empty, all photos shown.
    """
    inputs = types.Object()
    target = ctx.dataset.select(samples) if samples else ctx.view
    suggested = {label: n for label, n in target.count_values("suggested.label").items() if label}
    given = {label: n for label, n in target.count_values("original_label").items() if label}
    if not samples:
        inputs.view("all", types.Warning(label=f"Nothing is selected: this is for every photo shown ({len(target):,})"))
    _about(ctx, inputs)
    inputs.message("now", f"Given: {_counted(given)}. Suggested: {_counted(suggested)}.")
    likely = max(suggested, key=lambda label: suggested[label]) if suggested else None
    classes = _likely_first(ctx, target, likely)
    # as many as the run has: classes that people added must not take the digits away
    listed = len(run_of(ctx.dataset).classes) > MANY_CLASSES
    choices = types.AutocompleteView() if listed else types.RadioGroup()
    for number, (name, label) in enumerate(classes, start=1):
        choices.add_choice(name, label=label if listed else f"{number}: {label}")
    # not required: a new class may be typed instead
    inputs.enum("label", choices.values(), label="Label", required=False, default=likely, view=choices)
    inputs.str("new_class", label="Or a class that does not exist yet", required=False)
    inputs.str("note", label="Note", required=False)
    button = f"Relabel {len(target)}" if len(target) > 1 else "Relabel"
    return types.Property(inputs, view=types.PromptView(label="Relabel", submit_button_label=button))


def new_class_form(name: str, note: str | None, about: str | None) -> Any:
    """Return the form that asks whether a name that was typed is to be a class.

    Parameters
    ----------
    name : str
        Of a class that does not exist yet.
    note : str or None
        The note of the relabel.
    about : str or None
        FiftyOne's id of the open photo that it is for; None if it is for others.
    """
    inputs = types.Object()
    inputs.view(
        "new",
        types.Warning(
            label=f"No class is called “{name}”",
            description="Once it is one, you can choose it for other listings, too.",
        ),
    )
    # what the first form said, for the decision
    for field, value in (("label", name), ("note", note), ("about", about)):
        inputs.str(field, default=value, required=False, view=types.HiddenView())
    return types.Property(inputs, view=types.PromptView(label="A new class?", submit_button_label="Make it a class"))


def price_form(ctx: Any, samples: Sequence[str]) -> Any:
    """Return the form of a price.

    Parameters
    ----------
    ctx : ExecutionContext
        The state of the App.
    samples : sequence of str
        FiftyOne's ids of the photos that are selected or open.
    """
    inputs = types.Object()
    if not samples:
        inputs.view("none", types.Warning(label="First open or select the listings whose price is wrong"))
    else:
        fields = ["price", "price_low", "price_high", "suggested_price"]
        columns = [set(column) for column in ctx.dataset.select(samples).values(fields)]
        now, low, high, fits = (column.pop() if len(column) == 1 else None for column in columns)
        words = [
            f"Now {amount(now)}" if now is not None else "",
            f"usually {amount(low)} to {amount(high)}" if low is not None and high is not None else "",
            f"{amount(fits)} would fit" if fits is not None else "",
        ]
        inputs.message("now", ", ".join(filter(None, words)) or f"For {many(len(samples), 'listing')}")
        _about(ctx, inputs)
        # without the price that would fit as its content: a line that is filled in does not get the focus
        inputs.str("price", label="Price", required=True, view=types.FieldView(autoFocus=True))
    button = f"Reprice {len(samples)}" if len(samples) > 1 else "Reprice"
    return types.Property(inputs, view=types.PromptView(label="Price", submit_button_label=button))


def note_form(ctx: Any, samples: Sequence[str]) -> Any:
    """Return the form of a note.

    Parameters
    ----------
    ctx : ExecutionContext
        The state of the App.
    samples : sequence of str
        FiftyOne's ids of the photos that are selected or open.
    """
    inputs = types.Object()
    if not samples:
        inputs.view("none", types.Warning(label="First open or select the photos that the note is for"))
    else:
        standing = standing_of(run_of(ctx.dataset))
        records = [standing.record(row.id) for row in look_at(ctx.dataset, samples)]
        now = [record.note if record else None for record in records]
        same = now[0] if len(set(now)) == 1 else None
        _about(ctx, inputs)
        inputs.str("note", label="Note", required=True, default=same, view=types.FieldView(autoFocus=True))
    return types.Property(inputs, view=types.PromptView(label="Note", submit_button_label="Note"))


def form_for_all(ctx: Any) -> Any:
    """Return the form that asks before a decision on all photos shown."""
    inputs = types.Object()
    number = len(ctx.view)
    choices = types.RadioGroup()
    for value, name in FOR_ALL.items():
        choices.add_choice(value, label=name)
    inputs.view(
        "all",
        types.Warning(
            label="Nothing is selected",
            description=f"This is for every photo shown ({number:,}). One Undo takes all of it back.",
        ),
    )
    action = ctx.params.get("action", "keep")
    inputs.enum("action", choices.values(), label="Decision", required=True, default=action, view=choices)
    button = f"{FOR_ALL.get(action, 'Decide')}: {number}"
    return types.Property(inputs, view=types.PromptView(label="All photos shown", submit_button_label=button))


def _about(ctx: Any, inputs: Any) -> None:
    """Keep in a form which open photo it is about: another one may be open when it is answered."""
    if opened := open_photo(ctx):
        inputs.str("about", default=opened, required=False, view=types.HiddenView())


def _likely_first(ctx: Any, target: Any, suggested: str | None) -> list[tuple[str, str]]:
    """Return the classes with their texts: the suggested one, the others from likely to unlikely, then added ones."""
    run = run_of(ctx.dataset)
    cards, added = cards_of(run), known_classes(run)[len(run.classes) :]
    listings = target.values("listing_id")
    if len(listings) == 1 and listings[0] in cards:
        chances = cards.card(listings[0]).classes
        likely = [(name, name if chance is None else f"{name}, {_percent(chance)}") for name, chance in chances]
        return [*likely, *((name, name) for name in added)]
    classes = sorted(cards.likely_classes(listings), key=lambda name: name != suggested)
    return [(name, name) for name in [*classes, *added]]


def _percent(chance: float) -> str:
    # as the card and the page have it: no chance is certain
    return "<1 %" if chance < 0.005 else ">99 %" if chance > 0.995 else f"{100 * chance:.0f} %"


def _counted(counts: dict[str, int]) -> str:
    ordered = sorted(counts.items(), key=lambda item: -item[1])
    labels = [name if len(ordered) == 1 else f"{name} × {number}" for name, number in ordered[:5]]
    return ", ".join(labels) + (" …" if len(ordered) > 5 else "") or "nothing"
