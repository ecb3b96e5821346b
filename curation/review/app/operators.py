"""The buttons and keys of a review: in the grid, on the open photo, and in FiftyOne's list of operators.

They ask and show; :mod:`curation.review.app.decide` decides.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import fiftyone.operators as foo
import fiftyone.operators.types as types

from curation.errors import CurateError
from curation.review.app.decide import ACCEPT, KEEP_ONE, Outcome, decide, keep_one, latest
from curation.review.app.following import following, photos_shown
from curation.review.app.look import MANY_CLASSES
from curation.review.app.mirror import PREFIX, run_of
from curation.review.app.show import ShowCard, ShowProgress
from curation.review.card import cards_of
from curation.run.journal import NOTE, UNDO

__all__ = ["register"]

_URI = "@curate/review"
_GRID = types.Places.SAMPLES_GRID_SECONDARY_ACTIONS
_OPENED = types.Places.SAMPLES_VIEWER_ACTIONS
#: What the form for all photos shown offers.
_FOR_ALL = {"keep": "Keep", ACCEPT: "Accept suggestion", "delete": "Delete", UNDO: "Undo"}


def _is_ours(ctx: Any) -> bool:
    """Return whether the open dataset is a run; a person's other datasets get no buttons."""
    return ctx.dataset is not None and "curate" in (ctx.dataset.info or {})


def _chosen(ctx: Any) -> list[str]:
    """Return the open photo, else the selection.

    The open photo first: what is selected in the grid stays so behind it, and a key must not act on the unseen.
    """
    return [ctx.current_sample] if ctx.current_sample else list(ctx.selected)


def _act(ctx: Any, action: Callable[[], Outcome]) -> dict[str, Any]:
    """Decide, and go on to the next photo."""
    shown = photos_shown(ctx) if ctx.current_sample else {}
    outcome = _said(ctx, action)
    goes_on = shown and outcome is not None and outcome.action not in (UNDO, NOTE)
    return _ended(ctx, outcome, following(ctx, shown) if goes_on else None)


def _take_back_latest(ctx: Any) -> dict[str, Any]:
    """Take back this reviewer's latest click, for one listing or for many, and show it again."""
    samples = latest(ctx.dataset)
    outcome = _said(ctx, lambda: decide(ctx.dataset, samples, UNDO))
    return _ended(ctx, outcome, samples[0] if samples else None)


def _ended(ctx: Any, outcome: Outcome | None, opened: str | None) -> dict[str, Any]:
    """Show the grid as it is now, or instead of the open photo another one, if there is one to open.

    Behind an open photo the grid is left as it is until the photo is closed (see the plugin's JavaScript): to load it
    again takes longer than all else, and the photo just decided on would be gone when somebody goes back to it.
    """
    if outcome is None or not outcome.changed:
        return {"changed": 0}
    if ctx.current_sample:
        stays = outcome.action == UNDO or not opened
        if stays:
            # the sidebar would still show what was; reload_samples would leave the open photo as it is
            ctx.ops.reload_dataset()
        if opened:
            ctx.trigger("@voxel51/operators/open_sample" if stays else f"{_URI}/go_on", {"id": opened})
    else:
        ctx.ops.clear_selected_samples()
        ctx.ops.reload_samples()
    # the card and the progress panel fetch what is new
    ctx.trigger(f"{_URI}/changed")
    return {"changed": len(outcome.changed)}


def _said(ctx: Any, action: Callable[[], Outcome]) -> Outcome | None:
    """Do it and show how it went; None if it could not be done."""
    try:
        outcome = action()
    except CurateError as error:
        ctx.ops.notify(str(error), variant="error")
        return None
    ctx.ops.notify(str(outcome), variant="success" if outcome.changed and not outcome.skipped else "warning")
    return outcome


class _Action(foo.Operator):  # type: ignore[misc]
    """A button of the grid, and what its key calls."""

    action = ""
    title = ""
    icon = ""
    place = _GRID
    has_form = False

    @property
    def config(self) -> Any:
        suffix = "" if self.place == _GRID else "_opened"
        return foo.OperatorConfig(
            name=self.action + suffix, label=self.title, icon=self.icon, unlisted=bool(suffix), view_target=False
        )

    def resolve_placement(self, ctx: Any) -> Any:
        # by name: the App asks for every button after every click, and FiftyOne reads the dataset anew for each
        if not (ctx.dataset_name or "").startswith(PREFIX):
            return None
        return types.Placement(self.place, types.Button(label=self.title, icon=self.icon, prompt=self.has_form))

    # No resolve_input here: one that returns nothing shows an empty dialog that never closes (FiftyOne 1.22.1).

    def execute(self, ctx: Any) -> dict[str, Any]:
        if not _is_ours(ctx):
            return {"changed": 0}
        samples = _chosen(ctx)
        if not samples:
            ctx.prompt(f"{_URI}/decide_on_view", params={"action": self.action})
            return {"changed": 0}
        return _act(ctx, lambda: decide(ctx.dataset, samples, self.action))


class Keep(_Action):
    """The given label is right."""

    action, title, icon = "keep", "Keep (k)", "check"


class Accept(_Action):
    """The suggested label is right."""

    action, title, icon = ACCEPT, "Accept suggestion (a)", "auto_fix_high"


class Delete(_Action):
    """The listing does not belong in the data. Nothing is removed before apply-fixes."""

    action, title, icon = "delete", "Delete (d)", "delete"


class Undo(_Action):
    """Take a decision back: of what is chosen, else the latest click."""

    action, title, icon = UNDO, "Undo (u)", "undo"

    def execute(self, ctx: Any) -> dict[str, Any]:
        """Decide. After a decision the next photo is open, which has none; then the latest is meant."""
        if not _is_ours(ctx):
            return {"changed": 0}
        samples = _chosen(ctx)
        if not any(ctx.dataset.select(samples).values("decision") if samples else []):
            return _take_back_latest(ctx)
        return _act(ctx, lambda: decide(ctx.dataset, samples, UNDO))


class KeepOne(_Action):
    """Of several reposts, keep the open one."""

    action, title, icon = KEEP_ONE, "Keep this repost, delete the others (o)", "filter_1"

    def execute(self, ctx: Any) -> dict[str, Any]:
        """Decide."""
        if not _is_ours(ctx):
            return {"changed": 0}
        samples = _chosen(ctx)
        if len(samples) != 1:
            ctx.ops.notify("Open or select the one repost that is to stay.", variant="warning")
            return {"changed": 0}
        return _act(ctx, lambda: keep_one(ctx.dataset, samples[0]))


class Relabel(_Action):
    """Another label is right."""

    action, title, icon, has_form = "relabel", "Relabel (e)", "edit", True

    def resolve_input(self, ctx: Any) -> Any:
        """Return the form: the classes, likely ones first."""
        inputs = types.Object()
        samples = _chosen(ctx)
        target = ctx.dataset.select(samples) if samples else ctx.view
        suggested = {label: n for label, n in target.count_values("suggested.label").items() if label}
        given = {label: n for label, n in target.count_values("original_label").items() if label}
        if not samples:
            inputs.view("all", types.Warning(label=f"Nothing is selected: this is for all {len(target)} photos shown"))
        inputs.message("now", f"Given: {_counted(given)}. Suggested: {_counted(suggested)}.")
        likely = max(suggested, key=lambda label: suggested[label]) if suggested else None
        classes = _likely_first(ctx, target, likely)
        many = len(classes) > MANY_CLASSES
        choices = types.AutocompleteView() if many else types.RadioGroup()
        for number, (name, label) in enumerate(classes, start=1):
            choices.add_choice(name, label=label if many else f"{number}: {label}")
        inputs.enum("label", choices.values(), label="Label", required=True, default=likely, view=choices)
        inputs.str("note", label="Note", required=False)
        button = f"Relabel {len(target)}" if len(target) > 1 else "Relabel"
        return types.Property(inputs, view=types.PromptView(label="Relabel", submit_button_label=button))

    def execute(self, ctx: Any) -> dict[str, Any]:
        """Decide."""
        if not _is_ours(ctx):
            return {"changed": 0}
        samples = _chosen(ctx) or ctx.view.values("id")
        label, note = ctx.params.get("label"), ctx.params.get("note")
        return _act(ctx, lambda: decide(ctx.dataset, samples, "relabel", label=label, note=note))


class Note(_Action):
    """Words that are kept with the listing."""

    action, title, icon, has_form = NOTE, "Note (n)", "sticky_note_2", True

    def resolve_input(self, ctx: Any) -> Any:
        """Return the form."""
        inputs = types.Object()
        samples = _chosen(ctx)
        if not samples:
            inputs.view("none", types.Warning(label="Open or select the photos that the note is for"))
        else:
            now = ctx.dataset.select(samples).values("review_note")
            same = now[0] if len(set(now)) == 1 else None
            inputs.str("note", label="Note", required=True, default=same, view=types.FieldView(autoFocus=True))
        return types.Property(inputs, view=types.PromptView(label="Note", submit_button_label="Note"))

    def execute(self, ctx: Any) -> dict[str, Any]:
        """Keep it."""
        samples, note = _chosen(ctx), (ctx.params.get("note") or "").strip()
        if not _is_ours(ctx) or not samples or not note:
            return {"changed": 0}
        return _act(ctx, lambda: decide(ctx.dataset, samples, NOTE, note=note))


def _likely_first(ctx: Any, target: Any, suggested: str | None) -> list[tuple[str, str]]:
    """Return the classes and how they are shown: the suggested one, then the others from likely to unlikely."""
    cards = cards_of(run_of(ctx.dataset))
    listings = target.values("listing_id")
    if len(listings) == 1 and listings[0] in cards:
        chances = cards.card(listings[0]).classes
        return [(name, name if chance is None else f"{name}, {_percent(chance)}") for name, chance in chances]
    classes = sorted(cards.likely_classes(listings), key=lambda name: name != suggested)
    return [(name, name) for name in classes]


def _percent(chance: float) -> str:
    return "< 1 %" if chance < 0.01 else f"{100 * chance:.0f} %"


def _counted(labels: dict[str, int]) -> str:
    ordered = sorted(labels.items(), key=lambda item: -item[1])
    shown = [name if len(ordered) == 1 else f"{name} × {number}" for name, number in ordered[:5]]
    return ", ".join(shown) + (" …" if len(ordered) > 5 else "") if shown else "nothing"


class AskRelabel(foo.Operator):  # type: ignore[misc]
    """Opens a form, which a key can't do by itself."""

    form = "relabel"

    @property
    def config(self) -> Any:
        """Return its name."""
        return foo.OperatorConfig(name=f"ask_{self.form}", label=self.form, unlisted=True, view_target=False)

    def execute(self, ctx: Any) -> None:
        """Open the form."""
        if _is_ours(ctx):
            ctx.prompt(f"{_URI}/{self.form}")


class AskNote(AskRelabel):
    """The same for a note."""

    form = NOTE


class DecideOnView(foo.Operator):  # type: ignore[misc]
    """Asks before it decides on everything that is shown."""

    @property
    def config(self) -> Any:
        """Return its name."""
        return foo.OperatorConfig(name="decide_on_view", label="Decide on all photos shown", view_target=False)

    def resolve_input(self, ctx: Any) -> Any:
        """Return the form."""
        inputs = types.Object()
        number = len(ctx.view)
        choices = types.RadioGroup()
        for action, name in _FOR_ALL.items():
            choices.add_choice(action, label=name)
        inputs.view(
            "all",
            types.Warning(
                label="Nothing is selected",
                description=f"This is for all {number} photos shown. One Undo takes all of it back.",
            ),
        )
        asked = ctx.params.get("action", "keep")
        inputs.enum("action", choices.values(), label="Decision", required=True, default=asked, view=choices)
        button = f"{_FOR_ALL.get(asked, 'Decide')}: {number}"
        return types.Property(inputs, view=types.PromptView(label="All photos shown", submit_button_label=button))

    def execute(self, ctx: Any) -> dict[str, Any]:
        """Decide."""
        action = ctx.params.get("action")
        if not _is_ours(ctx) or action not in _FOR_ALL:
            return {"changed": 0}
        return _act(ctx, lambda: decide(ctx.dataset, ctx.view.values("id"), action))


_ACTIONS = (Keep, Accept, Relabel, Delete, Undo, KeepOne, Note)


def _opened(action: type[_Action]) -> type[_Action]:
    """Return the same action as a button of the open photo: an operator has one place only."""
    return type(f"{action.__name__}Opened", (action,), {"place": _OPENED})


def register(plugin: Any) -> None:
    """Tell FiftyOne what there is."""
    for action in _ACTIONS:
        plugin.register(action)
        plugin.register(_opened(action))
    for other in (AskRelabel, AskNote, DecideOnView, ShowCard, ShowProgress):
        plugin.register(other)
